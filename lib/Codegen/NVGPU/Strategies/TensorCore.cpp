//===- TensorCore.cpp - Tiles and fragments of mma.sync -------------------===//
#include "TensorCore.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace torchlite::nvgpu {

namespace {
/// Arithmetic on indices; constants fold.
struct Indices {
  OpBuilder &builder;
  Location loc;

  Value constant(int64_t value) { return arith::ConstantIndexOp::create(builder, loc, value); }
  Value add(Value x, Value y) { return builder.createOrFold<arith::AddIOp>(loc, x, y); }
  Value add(Value x, int64_t y) { return y ? add(x, constant(y)) : x; }
  Value mul(Value x, int64_t y) { return builder.createOrFold<arith::MulIOp>(loc, x, constant(y)); }
  Value div(Value x, int64_t y) {
    return y == 1 ? x : builder.createOrFold<arith::DivUIOp>(loc, x, constant(y));
  }
  Value mod(Value x, int64_t y) {
    return builder.createOrFold<arith::RemUIOp>(loc, x, constant(y));
  }
  Value bitXor(Value x, Value y) { return builder.createOrFold<arith::XOrIOp>(loc, x, y); }
};
} // namespace

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

std::optional<MmaKind> MmaKind::choose(Type memory, const EmitOptions &options,
                                       std::string &reason) {
  const TargetInfo &target = options.target;
  auto lacks = [&](StringRef what) {
    reason = (target.name + " has no mma.sync on " + what).str();
    return std::nullopt;
  };
  Builder builder(memory.getContext());
  Type multiplied = memory;
  if (memory.isF32()) {
    switch (options.precision) {
    case Precision::F32:
      reason = "products of f32 are exact at this precision";
      return std::nullopt;
    case Precision::TF32:
      if (!target.hasMmaTF32)
        return lacks("tf32");
      return MmaKind{memory, memory, 8, false};
    case Precision::F16:
      multiplied = builder.getF16Type();
      break;
    case Precision::BF16:
      multiplied = builder.getBF16Type();
      break;
    }
  }
  if (!multiplied.isF16() && !multiplied.isBF16()) {
    reason = "expected operands of f16, bf16 or f32";
    return std::nullopt;
  }
  if (multiplied.isBF16() && !target.hasMmaBF16)
    return lacks("bf16");
  if (multiplied.isF16() && !target.hasMmaF16)
    return lacks("f16");
  return MmaKind{memory, multiplied, 16, multiplied.isBF16() || target.hasMmaF16K16};
}

std::array<Value, 4> multiplyFragments(OpBuilder &builder, Location loc, const MmaKind &kind,
                                       const Fragment &a, const Fragment &b, ValueRange sums) {
  using namespace NVVM;
  Type f32 = builder.getF32Type();
  Type result = LLVM::LLVMStructType::getLiteral(builder.getContext(), {f32, f32, f32, f32});
  MMATypes type = kind.isTF32()              ? MMATypes::tf32
                  : kind.multiplied.isBF16() ? MMATypes::bf16
                                             : MMATypes::f16;
  SmallVector<Value, 4> c(sums);
  auto multiply = [&](ValueRange x, ValueRange y, int64_t depth) {
    Value d = MmaOp::create(builder, loc, result, x, y, c, ArrayRef<int64_t>{16, 8, depth},
                            std::nullopt, std::nullopt, std::array<MMATypes, 2>{type, type},
                            std::array<MMALayout, 2>{MMALayout::row, MMALayout::col});
    for (int64_t i = 0; i < 4; ++i)
      c[i] = LLVM::ExtractValueOp::create(builder, loc, d, i);
  };
  if (kind.isTF32() || kind.hasK16) {
    multiply(a, b, kind.depth);
  } else {
    multiply(ArrayRef(a).take_front(2), b[0], 8);
    multiply(ArrayRef(a).drop_front(2), b[1], 8);
  }
  return {c[0], c[1], c[2], c[3]};
}

/// A register as mma.sync takes it: f16 as pairs, everything else as 32 bits.
static Value asRegister(OpBuilder &builder, Location loc, const MmaKind &kind, Value pair) {
  if (kind.multiplied.isF16())
    return pair;
  Type word = VectorType::get({1}, builder.getI32Type());
  return vector::ExtractOp::create(builder, loc,
                                   vector::BitCastOp::create(builder, loc, word, pair), 0);
}

/// Two neighbouring f32 along the reduction as a register of f16 or bf16.
static Value roundPair(OpBuilder &builder, Location loc, const MmaKind &kind, Value pair) {
  Type type = VectorType::get({2}, kind.multiplied);
  return asRegister(builder, loc, kind, arith::TruncFOp::create(builder, loc, type, pair));
}

static Value roundToTF32(OpBuilder &builder, Location loc, Value number) {
  return NVVM::ConvertFloatToTF32Op::create(builder, loc, builder.getI32Type(), number,
                                            NVVM::FPRoundingMode::RNA);
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

SharedTile SharedTile::create(const MmaKind &kind, int64_t rows, int64_t depth, bool isTransposed) {
  // ldmatrix moves pairs of bytes: it can transpose elements of 16 bits only, and what has to
  // become 16 bits first is loaded element by element.
  bool usesLdmatrix = kind.isTF32() ? !isTransposed : !kind.rounds();
  bool pairsLines = isTransposed && !usesLdmatrix && !kind.isTF32();
  return {rows, depth, kind.elementBytes(), isTransposed, usesLdmatrix, pairsLines};
}

Value SharedTile::permutation(OpBuilder &builder, Location loc, Value line) const {
  constexpr int64_t bankBytes = 128;
  int64_t unitBytes = unit() * elementBytes;
  int64_t perLine = lineLength() / unit(), perBanks = bankBytes / unitBytes;
  // Lines that together fill the banks once keep one permutation.
  int64_t divisor = std::max<int64_t>(1, perBanks / perLine);
  // Two lines are read by one lane here, so that its neighbour begins with the second after.
  if (pairsLines)
    divisor = std::max<int64_t>(2, divisor);
  Indices index{builder, loc};
  return index.mod(index.div(line, divisor), std::min(perLine, perBanks));
}

Value SharedTile::position(OpBuilder &builder, Location loc, Value line, Value column) const {
  Indices index{builder, loc};
  Value number = index.bitXor(index.div(column, unit()), permutation(builder, loc, line));
  Value within = index.add(index.mul(number, unit()), index.mod(column, unit()));
  return index.add(index.mul(line, lineLength()), within);
}

//===----------------------------------------------------------------------===//
// Fragments
//===----------------------------------------------------------------------===//

FragmentLoader::FragmentLoader(OpBuilder &builder, Location loc, const MmaKind &kind,
                               const SharedTile &tile, bool isA, Value lane, Value warpRow,
                               int64_t warpRows)
    : loc(loc), kind(kind), tile(tile), isA(isA), warpRows(warpRows) {
  Indices index{builder, loc};
  int64_t unit = tile.unit();
  Value line, unitBit, inner;
  Value g = index.div(lane, 4), t = index.mod(lane, 4);
  if (tile.usesLdmatrix) {
    // Lane l gives the address of line l % 8 of matrix l / 8. The matrices are a0 to a3, or b0 and
    // b1 of two fragments: one bit of their number says which rows, the other which half of the
    // step.
    Value low = index.mod(index.div(lane, 8), 2), high = index.div(lane, 16);
    bool unitIsHigh = isA != tile.isTransposed;
    unitBit = unitIsHigh ? high : low;
    line = index.add(index.mod(lane, 8), index.mul(unitIsHigh ? low : high, 8));
    inner = index.constant(0);
  } else if (tile.isTransposed) {
    line = kind.isTF32() ? t : index.mul(t, 2);
    inner = g;
  } else {
    line = g;
    inner = index.mul(t, 2);
  }
  Value permutation = tile.permutation(builder, loc, index.mod(line, 8));
  // Along a line the warp reads its rows, or all steps.
  Value first = tile.isTransposed ? index.div(warpRow, unit) : index.constant(0);
  int64_t units = (tile.isTransposed ? warpRows : tile.depth) / unit;
  if (!tile.isTransposed)
    line = index.add(line, warpRow);
  for (int64_t number = 0; number < units; ++number) {
    Value at = index.add(first, number);
    if (unitBit)
      at = index.add(at, unitBit);
    at = index.mul(index.bitXor(at, permutation), unit);
    at = index.add(index.add(at, inner), index.mul(line, tile.lineLength()));
    positions.push_back(at);
  }
}

void FragmentLoader::loadMatrices(OpBuilder &builder, Value shared, Value start, int64_t step,
                                  int64_t block, MutableArrayRef<Value> registers) const {
  Indices index{builder, loc};
  int64_t unit = tile.unit();
  int64_t along = (tile.isTransposed ? block * 16 : step * kind.depth) / unit;
  int64_t line = tile.isTransposed ? step * kind.depth : block * 16;
  Value at = index.add(index.add(start, positions[along]), line * tile.lineLength());
  int64_t width = 4 / tile.elementBytes;
  auto type = VectorType::get({4, width}, kind.memory);
  Value matrices = mlir::nvgpu::LdMatrixOp::create(builder, loc, type, shared, at,
                                                   /*transpose=*/tile.isTransposed, /*numTiles=*/4);
  for (int64_t number = 0; number < 4; ++number) {
    Value pair = vector::ExtractOp::create(builder, loc, matrices, number);
    registers[number] =
        kind.isTF32() ? roundToTF32(builder, loc, vector::ExtractOp::create(builder, loc, pair, 0))
                      : asRegister(builder, loc, kind, pair);
  }
}

void FragmentLoader::loadElements(OpBuilder &builder, Value shared, Value start, int64_t step,
                                  int64_t block, MutableArrayRef<Value> registers) const {
  Indices index{builder, loc};
  auto pairType = VectorType::get({2}, kind.memory);
  for (int64_t number = 0; number < 4; ++number) {
    int64_t half = isA ? number / 2 : number % 2, eight = isA ? number % 2 : number / 2;
    int64_t row = block * 16 + eight * 8, k = step * kind.depth + half * kind.depth / 2;
    int64_t along = tile.isTransposed ? row : k, line = tile.isTransposed ? k : row;
    Value at = index.add(start, positions[along / tile.unit()]);
    at = index.add(at, line * tile.lineLength());
    auto load = [&](int64_t lines) -> Value {
      return memref::LoadOp::create(builder, loc, shared, index.add(at, lines * tile.lineLength()));
    };
    if (kind.isTF32()) {
      registers[number] = roundToTF32(builder, loc, load(0));
      continue;
    }
    Value pair;
    if (tile.isTransposed)
      pair = vector::FromElementsOp::create(builder, loc, pairType, ValueRange{load(0), load(1)});
    else
      pair = vector::LoadOp::create(builder, loc, pairType, shared, at);
    registers[number] = roundPair(builder, loc, kind, pair);
  }
}

SmallVector<Fragment> FragmentLoader::load(OpBuilder &builder, Value shared, Value start,
                                           int64_t step) const {
  SmallVector<Fragment> fragments;
  for (int64_t block = 0; block < warpRows / 16; ++block) {
    SmallVector<Value, 4> registers(4);
    if (tile.usesLdmatrix)
      loadMatrices(builder, shared, start, step, block, registers);
    else
      loadElements(builder, shared, start, step, block, registers);
    if (isA) {
      fragments.push_back(registers);
      continue;
    }
    fragments.push_back({registers[0], registers[1]});
    fragments.push_back({registers[2], registers[3]});
  }
  return fragments;
}

} // namespace torchlite::nvgpu
