//===- Lanes.h - Neighbouring elements of one thread ------------*- C++ -*-===//
//
// A thread that computes several neighbouring elements ("lanes") of the result reads and writes
// them with accesses of up to 128 bits, and reads what all lanes share only once. The scalar code
// of each lane comes from a ValueEvaluator; the reader stands behind it and hands out parts of what
// it has loaded.
//
// Source: CUDA C++ Best Practices Guide, "Coalesced Access to Global Memory".
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_LANES_H
#define TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_LANES_H

#include "TorchLite/Codegen/NVGPU/Strategy.h"
#include "TorchLite/Codegen/NVGPU/ValueEvaluator.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace torchlite::nvgpu {

/// Bytes of an element in memory; 0 where vectors of it cannot be loaded (complex numbers).
int64_t elementBytes(mlir::Type type);

/// Whether `width` elements that begin at a multiple of `width` in the last dimension of a buffer
/// follow each other, and are aligned to their size or 16 bytes.
bool isAligned(mlir::MemRefType type, int64_t width);

/// Loads the `width` elements from `at` on in the last dimension of an aligned buffer.
llvm::SmallVector<mlir::Value> loadLanes(mlir::OpBuilder &builder, mlir::Location loc,
                                         mlir::Value buffer, mlir::ValueRange at, int64_t width);
void storeLanes(mlir::OpBuilder &builder, mlir::Location loc, llvm::ArrayRef<mlir::Value> elements,
                mlir::Value buffer, mlir::ValueRange at);

/// Numbers of elements and coordinates, in 32 bits where that is enough: divisions of 64 bits are
/// dozens of instructions. Sizes are static or index values.
class Coordinates {
public:
  /// `extra` is by how much numbers may exceed the number of elements.
  Coordinates(mlir::OpBuilder &builder, mlir::Location loc,
              llvm::ArrayRef<mlir::OpFoldResult> sizes, int64_t extra);
  /// The sizes of a buffer; emitted where the builder stands.
  static Coordinates of(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value buffer,
                        int64_t extra);

  mlir::Type getType() const { return type; }
  mlir::Value constant(int64_t value) const;
  mlir::Value fromIndex(mlir::Value value) const;
  mlir::Value toIndex(mlir::Value value) const;
  /// `block * blockSize + thread`, in the type for numbers.
  mlir::Value threadNumber(const Launch &launch, int64_t blockSize) const;
  /// The coordinates of an element, from its row-major number in the type for numbers.
  llvm::SmallVector<mlir::Value> ofNumber(mlir::Value number) const;

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
  llvm::SmallVector<mlir::OpFoldResult> sizes;
  mlir::Type type;
};

/// Evaluates the lanes of one thread.
class LaneReader {
public:
  /// `coordinates` are those of each lane, for all results. With `isRow`, lanes differ in the last
  /// coordinate only, which counts up from a multiple of their number. `number` is the row-major
  /// number of the first lane's element, an index, or null. To be used in the block where `builder`
  /// stands.
  LaneReader(mlir::OpBuilder &builder, rt::KernelOp kernel,
             llvm::ArrayRef<llvm::SmallVector<mlir::Value>> coordinates, bool isRow,
             mlir::Value number);

  /// Elements of a tensor of the body that has the coordinates of the results, one per lane; empty
  /// on an error, which `getError` names.
  llvm::SmallVector<mlir::Value> evaluate(mlir::Value tensor);

  /// For bindings beside those of the reader, and for the scalar code of one lane after `setLane`.
  ValueEvaluator &getEvaluator() { return evaluator; }
  void setLane(unsigned number) { lane = number; }
  /// Other coordinates for the lanes, with the same last ones. What is loaded is used again.
  void moveTo(llvm::ArrayRef<llvm::SmallVector<mlir::Value>> place) {
    coordinates.assign(place.begin(), place.end());
  }
  /// The place of the lane that is computed.
  llvm::ArrayRef<mlir::Value> getCoordinates() const { return coordinates[lane]; }
  llvm::StringRef getError() const {
    return evaluator.getError().empty() ? plain.getError() : evaluator.getError();
  }

private:
  struct Loaded {
    mlir::Value tensor;
    llvm::SmallVector<mlir::Value> at;
    bool isVector;
    llvm::SmallVector<mlir::Value> elements;
  };
  mlir::Value read(mlir::BlockArgument argument, mlir::ValueRange at);
  mlir::Value readPadded(mlir::tensor::PadOp pad, mlir::ValueRange at);
  const Loaded *find(mlir::Value tensor, mlir::ValueRange at) const;
  bool dependsOnLane(mlir::Value value, unsigned depth = 0) const;
  bool isAtTop() const { return builder.getInsertionBlock() == top; }
  /// Whether `at` is the lane's place in a row whose other coordinates all lanes share.
  bool isInRow(mlir::ValueRange at) const;
  unsigned width() const { return coordinates.size(); }

  mlir::OpBuilder &builder;
  rt::KernelOp kernel;
  mlir::Block *top;
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> coordinates;
  bool isRow;
  mlir::Value number;
  unsigned lane = 0;
  llvm::SmallVector<Loaded> loaded;
  ValueEvaluator evaluator, plain;
};

} // namespace torchlite::nvgpu

#endif // TORCHLITE_LIB_CODEGEN_NVGPU_STRATEGIES_LANES_H
