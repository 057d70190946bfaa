//===- PackedRows.cpp - Rules that pack sequences and unpack them ---------===//
#include "PackedRows.h"
#include "../Interpreter/Walker.h"
#include "CheckedBuild.h"
#include "Families.h"
#include "ReductionHelpers.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Rows and places
//===----------------------------------------------------------------------===//

static Expr counting(RuleContext &ctx, ArrayRef<OpFoldResult> sizes, int64_t dim) {
  if (!ctx.requireSizes(sizes))
    return Expr(ctx, {});
  return Expr(ctx, IotaOp::create(ctx.b, ctx.loc, ctx.b.getI64Type(), sizes, dim));
}

static Expr sizeOf(RuleContext &ctx, OpFoldResult size) {
  return sizeTensor(ctx, size, ctx.b.getI64Type());
}

std::optional<PackedRows> specialize::findRows(RuleContext &ctx, Value batchSizes,
                                               OpFoldResult batch, OpFoldResult rows) {
  OpFoldResult one = ctx.fold(1), time = ctx.size(batchSizes, 0);
  Expr sizes(ctx, batchSizes);
  Expr ends = cumulative(sizes, ReduceKind::Sum, 0), starts = ends - sizes;
  Expr sequence = counting(ctx, {one, batch}, 1), row = counting(ctx, {rows, one}, 0);
  if (starts.isNull() || sequence.isNull() || row.isNull())
    return std::nullopt;
  Expr isThere = sequence < Expr(ctx, ctx.unsqueeze(sizes.value(), 1));
  Expr rowOf = where(isThere, sequence + Expr(ctx, ctx.unsqueeze(starts.value(), 1)), 0.0);
  // A row's time is the number of times that end before it.
  Expr isBehind = Expr(ctx, ctx.unsqueeze(ends.value(), 0)) <= row;
  Expr timeOf = sum(isBehind.cast(ctx.b.getI64Type()), {1}, /*keepdim=*/false);
  if (timeOf.isNull() || rowOf.isNull())
    return std::nullopt;
  Expr start(ctx, checkedValue<TakeOp>(ctx, starts.value(), timeOf.value(), uint64_t(0)));
  Expr within = Expr(ctx, ctx.reshape(row.value(), {rows})) - start;
  Expr placeOf = timeOf * sizeOf(ctx, batch) + within;
  if (placeOf.isNull())
    return std::nullopt;
  return PackedRows{rows, time, batch, rowOf.value(), isThere.value(), placeOf.value()};
}

/// Raises unless a condition holds for all elements.
static void requireAll(const Expr &condition, const Twine &message) {
  if (condition.isNull())
    return;
  RuleContext &ctx = condition.ctx();
  Expr all = reduce(ReduceKind::And, condition, allDims(rankOf(condition)), /*keepdim=*/false);
  if (!all.isNull())
    ctx.check(ctx.toScalar(all.value()), message);
}

/// Raises unless the elements of a vector, at least one, decrease.
static void requireDecreasing(RuleContext &ctx, Value vector, const Twine &message) {
  OpFoldResult size = ctx.size(vector, 0), one = ctx.fold(1);
  requireNonEmpty(ctx, vector, 0);
  if (ctx.failed())
    return;
  Expr before(ctx, ctx.slice(vector, 0, ctx.fold(0), ctx.sub(size, one)));
  Expr after(ctx, ctx.slice(vector, 0, one, ctx.sub(size, one)));
  requireAll(after <= before, message);
}

static Value firstOf(RuleContext &ctx, Value vector) {
  return ctx.reshape(ctx.slice(vector, 0, ctx.fold(0), ctx.fold(1)), {});
}

std::optional<PackedRows> specialize::checkRows(RuleContext &ctx, Value batchSizes,
                                                OpFoldResult batch, OpFoldResult rows) {
  auto type = cast<RankedTensorType>(batchSizes.getType());
  if (type.getRank() != 1 || !type.getElementType().isInteger(64)) {
    (void)ctx.fail(ctx.name() + ": expected batch_sizes to be integers of rank 1");
    return std::nullopt;
  }
  requireDecreasing(ctx, batchSizes, "batch_sizes have to decrease");
  if (ctx.failed())
    return std::nullopt;
  Expr sizes(ctx, batchSizes);
  requireAll(sizes > 0.0, "batch_sizes have to be positive");
  Expr first(ctx, firstOf(ctx, batchSizes)), total = sum(sizes, {0}, /*keepdim=*/false);
  requireAll(first == sizeOf(ctx, batch), "the first of batch_sizes is not the size of the batch");
  requireAll(total == sizeOf(ctx, rows), "batch_sizes are not those of the packed data");
  if (ctx.failed())
    return std::nullopt;
  return findRows(ctx, batchSizes, batch, rows);
}

/// Elements of dimension 0, which `index` (of any shape) names; it has been checked.
static Value takeRows(RuleContext &ctx, Value tensor, Value index) {
  SmallVector<OpFoldResult> sizes = ctx.sizes(index), own = ctx.sizes(tensor);
  Value flat = ctx.reshape(index, {ctx.product(sizes)});
  Value taken = checkedValue<TakeOp>(ctx, tensor, flat, uint64_t(0));
  if (!taken)
    return {};
  sizes.append(own.begin() + 1, own.end());
  return ctx.reshape(taken, sizes);
}

Value specialize::unpackRows(RuleContext &ctx, const PackedRows &packed, Value rows) {
  return takeRows(ctx, rows, packed.rowOf);
}

Value specialize::packRows(RuleContext &ctx, const PackedRows &packed, Value tensor) {
  SmallVector<OpFoldResult> sizes = ctx.sizes(tensor);
  sizes.erase(sizes.begin());
  sizes[0] = ctx.mul(ctx.size(tensor, 0), ctx.size(tensor, 1));
  return takeRows(ctx, ctx.reshape(tensor, sizes), packed.placeOf);
}

SpecValue specialize::makeSequences(RuleContext &ctx, Value timeFirst, bool batchFirst) {
  SpecValue tensor = ctx.makeTensor(timeFirst);
  auto type = cast<RankedTensorType>(timeFirst.getType());
  if (!batchFirst || type.getRank() < 2)
    return tensor;
  SmallVector<int64_t> order = allDims(type.getRank());
  std::swap(order[0], order[1]);
  bool isOne = type.getDimSize(0) == 1 || type.getDimSize(1) == 1;
  bool isKnown = !type.isDynamicDim(0) && !type.isDynamicDim(1);
  return ctx.getWalker().viewOf(tensor, {viewPermute(order)},
                                isOne     ? Known::Yes
                                : isKnown ? Known::No
                                          : Known::Maybe);
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

static OpFoldResult countFrom(RuleContext &ctx, Value scalar) {
  return ctx.indexValue(OpFoldResult(ctx.toScalar(scalar)));
}

/// _pack_padded_sequence(input, lengths, batch_first) -> (data, batch_sizes).
static FailureOr<SmallVector<Value>> packPadded(RuleContext &ctx) {
  Value input = ctx.tensor(0), lengths = ctx.tensor(1);
  bool batchFirst = ctx.constantBool(2);
  if (ctx.failed())
    return failure();
  auto type = cast<RankedTensorType>(input.getType());
  auto lengthsType = cast<RankedTensorType>(lengths.getType());
  if (type.getRank() < 2 || lengthsType.getRank() != 1 ||
      !lengthsType.getElementType().isInteger(64))
    return ctx.fail("_pack_padded_sequence: expected an input of rank 2 or more, and lengths that "
                    "are 64-bit integers of rank 1");
  if (batchFirst)
    input = ctx.transpose(input, 0, 1);
  OpFoldResult one = ctx.fold(1), batch = ctx.size(input, 1), most = ctx.size(input, 0);
  if (!ctx.requireEqual(ctx.size(lengths, 0), batch,
                        "Expected `len(lengths)` to be equal to batch_size"))
    return failure();
  Expr length(ctx, lengths);
  requireNonEmpty(ctx, lengths, 0);
  requireAll(length > 0.0, "Length of all samples has to be greater than 0, but found an element "
                           "in 'lengths' that is <= 0");
  requireDecreasing(ctx, lengths,
                    "`lengths` array must be sorted in decreasing order when `enforce_sorted` is "
                    "True. You can pass `enforce_sorted=False` to pack_padded_sequence and/or "
                    "pack_sequence to sidestep this requirement if you do not need ONNX "
                    "exportability.");
  requireAll(length <= sizeOf(ctx, most), "a length exceeds the size of the input");
  if (ctx.failed())
    return failure();
  OpFoldResult time = countFrom(ctx, firstOf(ctx, lengths));
  Expr total = sum(length, {0}, /*keepdim=*/false);
  if (total.isNull())
    return failure();
  OpFoldResult rows = countFrom(ctx, total.value());
  Expr step = counting(ctx, {time, one}, 0);
  if (step.isNull())
    return failure();
  Expr goesOn = step < Expr(ctx, ctx.unsqueeze(lengths, 0));
  Expr batchSizes = sum(goesOn.cast(ctx.b.getI64Type()), {1}, /*keepdim=*/false);
  if (batchSizes.isNull())
    return failure();
  std::optional<PackedRows> packed = findRows(ctx, batchSizes.value(), batch, rows);
  if (!packed)
    return failure();
  Value data = packRows(ctx, *packed, input);
  if (!data || ctx.failed())
    return failure();
  return SmallVector<Value>{data, batchSizes.value()};
}

/// _pad_packed_sequence(data, batch_sizes, batch_first, padding_value, total_length) -> (output,
/// lengths): `total_length` of 0 or less stands for the longest sequence's.
static LogicalResult padPacked(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  Value data = ctx.tensor(0), batchSizes = ctx.tensor(1);
  bool batchFirst = ctx.constantBool(2);
  OpFoldResult total = ctx.index(4);
  if (ctx.failed())
    return failure();
  if (cast<RankedTensorType>(batchSizes.getType()).getRank() != 1)
    return ctx.fail("_pad_packed_sequence: expected batch_sizes of rank 1");
  Type type = getElementTypeOrSelf(data);
  Value padding = ctx.operandAs(3, type);
  requireNonEmpty(ctx, batchSizes, 0);
  if (ctx.failed())
    return failure();
  OpFoldResult batch = countFrom(ctx, firstOf(ctx, batchSizes)), time = ctx.size(batchSizes, 0);
  std::optional<PackedRows> packed = checkRows(ctx, batchSizes, batch, ctx.size(data, 0));
  if (!packed)
    return failure();
  Value output = unpackRows(ctx, *packed, data);
  if (!output)
    return failure();
  SmallVector<OpFoldResult> ones = ctx.sizes(output);
  for (size_t i = 2; i < ones.size(); ++i)
    ones[i] = ctx.fold(1);
  output =
      where(Expr(ctx, ctx.reshape(packed->isThere, ones)), Expr(ctx, output), Expr(ctx, padding))
          .value();
  std::optional<int64_t> known = getConstantIntValue(total);
  if ((!known || *known > 0) && ctx.equal(total, time) != Known::Yes) {
    if (!known)
      ctx.check(arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sgt,
                                      ctx.intValue(total), ctx.intValue(ctx.fold(0))),
                "_pad_packed_sequence: a total_length of 0 or less, known only when the code runs");
    ctx.check(arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sge, ctx.intValue(total),
                                    ctx.intValue(time)),
              "Expected total_length to be at least the length of the longest sequence in input");
    if (ctx.failed())
      return failure();
    SmallVector<OpFoldResult> sizes = ctx.sizes(output);
    sizes[0] = ctx.sub(total, time);
    Value more = ctx.broadcastTo(padding, sizes);
    output = ConcatOp::create(ctx.b, ctx.loc, ValueRange{output, more}, uint64_t(0));
  }
  Expr lengths = sum(Expr(ctx, packed->isThere).cast(ctx.b.getI64Type()), {0}, /*keepdim=*/false);
  if (lengths.isNull())
    return failure();
  results.push_back(makeSequences(ctx, output, batchFirst));
  results.push_back(ctx.makeTensor(lengths.value()));
  return success();
}

void specialize::registerPackedRules(RuleRegistry &registry) {
  registry.values("_pack_padded_sequence", packPadded);
  registry.special("_pad_packed_sequence", padPacked);
}
