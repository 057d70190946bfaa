//===- Movement.cpp - Rules of joining, repeating, padding, reordering ----===//
//
// Operators that return fresh tensors; those that return views are in Views.cpp.

#include "../Interpreter/Pieces.h"
#include "../Interpreter/Walker.h"
#include "CheckedBuild.h"
#include "Families.h"
#include "TensorExpr.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

//===----------------------------------------------------------------------===//
// Joining
//===----------------------------------------------------------------------===//

/// Converts all tensors to their common type; false after a failure.
static bool promoteAll(RuleContext &ctx, SmallVectorImpl<Value> &tensors) {
  if (ctx.failed())
    return false;
  if (tensors.empty()) {
    (void)ctx.raise(Twine(ctx.name()) + ": expected a non-empty list of Tensors");
    return false;
  }
  Type type = getElementTypeOrSelf(tensors.front());
  for (Value tensor : tensors)
    type = promoteTypes(type, getElementTypeOrSelf(tensor));
  for (Value &tensor : tensors)
    tensor = ctx.cast(tensor, type);
  return !ctx.failed();
}

/// tl.concat after checking the sizes; null after a failure.
static Value concat(RuleContext &ctx, ArrayRef<Value> tensors, int64_t dim) {
  int64_t rank = rankOf(tensors.front());
  for (Value tensor : tensors.drop_front()) {
    if (rankOf(tensor) != rank) {
      (void)ctx.raise(Twine(ctx.name()) + ": Tensors must have same number of dimensions: got " +
                      Twine(rank) + " and " + Twine(rankOf(tensor)));
      return {};
    }
    for (int64_t i = 0; i < rank; ++i)
      if (i != dim &&
          !ctx.requireEqual(ctx.size(tensors.front(), i), ctx.size(tensor, i),
                            "Sizes of tensors must match except in dimension " + Twine(dim)))
        return {};
  }
  if (tensors.size() == 1)
    return tensors.front();
  return checkedValue<ConcatOp>(ctx, ValueRange(tensors), static_cast<uint64_t>(dim));
}

/// cat(tensors, dim): vectors without elements are left out, whatever the rank of the others.
static FailureOr<Value> cat(RuleContext &ctx) {
  if (ctx.operand(0).is(ValueKind::Pieces))
    return catPieces(ctx, ctx.operand(0), 1);
  SmallVector<Value> tensors = ctx.tensorList(0);
  if (!promoteAll(ctx, tensors))
    return failure();
  SmallVector<Value> joined = llvm::to_vector(llvm::make_filter_range(tensors, [](Value tensor) {
    auto type = cast<RankedTensorType>(tensor.getType());
    return !(type.getRank() == 1 && type.getDimSize(0) == 0);
  }));
  if (joined.empty())
    return tensors.front();
  int64_t rank = rankOf(joined.front());
  if (rank == 0)
    return ctx.raise("zero-dimensional tensor (at position 0) cannot be concatenated");
  int64_t dim = ctx.dim(1, rank);
  if (ctx.failed())
    return failure();
  return done(ctx, concat(ctx, joined, dim));
}

/// stack(tensors, dim): along a new dimension.
static FailureOr<Value> stack(RuleContext &ctx) {
  if (ctx.operand(0).is(ValueKind::Pieces))
    return stackPieces(ctx, ctx.operand(0), 1);
  SmallVector<Value> tensors = ctx.tensorList(0);
  if (!promoteAll(ctx, tensors))
    return failure();
  int64_t dim = ctx.dim(1, rankOf(tensors.front()) + 1);
  if (ctx.failed())
    return failure();
  for (Value &tensor : tensors)
    tensor = ctx.unsqueeze(tensor, dim);
  return done(ctx, concat(ctx, tensors, dim));
}

/// A tensor with at least `rank` dimensions, as atleast_1d, 2d, 3d make it.
static Value atLeast(RuleContext &ctx, Value tensor, int64_t rank) {
  while (rankOf(tensor) < rank)
    tensor = ctx.unsqueeze(tensor, rankOf(tensor) == 2 ? 2 : 0);
  return tensor;
}

/// hstack, vstack, dstack (tensors).
template <int64_t minRank> static FailureOr<Value> stackAlong(RuleContext &ctx) {
  SmallVector<Value> tensors = ctx.tensorList(0);
  if (!promoteAll(ctx, tensors))
    return failure();
  for (Value &tensor : tensors)
    tensor = atLeast(ctx, tensor, minRank);
  int64_t dim = minRank == 1 ? (rankOf(tensors.front()) == 1 ? 0 : 1) : minRank == 2 ? 0 : 2;
  return done(ctx, concat(ctx, tensors, dim));
}

/// column_stack(tensors): vectors become columns.
static FailureOr<Value> columnStack(RuleContext &ctx) {
  SmallVector<Value> tensors = ctx.tensorList(0);
  if (!promoteAll(ctx, tensors))
    return failure();
  for (Value &tensor : tensors)
    if (rankOf(tensor) <= 1)
      tensor = ctx.reshape(tensor, {ctx.product(ctx.sizes(tensor)), ctx.fold(1)});
  return done(ctx, concat(ctx, tensors, 1));
}

/// block_diag(tensors): matrices along the diagonal.
static FailureOr<Value> blockDiag(RuleContext &ctx) {
  SmallVector<Value> tensors = ctx.tensorList(0);
  if (!promoteAll(ctx, tensors))
    return failure();
  Type type = getElementTypeOrSelf(tensors.front());
  SmallVector<OpFoldResult> columns;
  for (Value &tensor : tensors) {
    if (rankOf(tensor) > 2)
      return ctx.raise("block_diag: Input tensors must have 2 or fewer dimensions.");
    tensor = atLeast(ctx, tensor, 2);
    columns.push_back(ctx.size(tensor, 1));
  }
  SmallVector<Value> rows;
  for (size_t i = 0; i < tensors.size(); ++i) {
    SmallVector<Value> parts;
    for (size_t j = 0; j < tensors.size(); ++j)
      parts.push_back(i == j ? tensors[i]
                             : ctx.full({ctx.size(tensors[i], 0), columns[j]}, 0.0, type));
    rows.push_back(concat(ctx, parts, 1));
    if (!rows.back())
      return failure();
  }
  return done(ctx, concat(ctx, rows, 0));
}

//===----------------------------------------------------------------------===//
// Repeating and reordering
//===----------------------------------------------------------------------===//

/// self repeated `times[i]` times along dimension i; leading dimensions are added as needed.
static Value repeated(RuleContext &ctx, Value self, ArrayRef<OpFoldResult> times) {
  SmallVector<OpFoldResult> sizes = ctx.sizes(self), narrow, wide, result;
  sizes.insert(sizes.begin(), times.size() - sizes.size(), ctx.fold(1));
  for (auto [size, count] : llvm::zip(sizes, times)) {
    narrow.append({ctx.fold(1), size});
    wide.append({count, size});
    result.push_back(ctx.mul(count, size));
  }
  if (!ctx.requireSizes(wide))
    return {};
  return ctx.reshape(ctx.broadcastTo(ctx.reshape(self, narrow), wide), result);
}

/// repeat(self, repeats).
static FailureOr<Value> repeat(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  SmallVector<OpFoldResult> times = ctx.indexList(1);
  if (ctx.failed())
    return failure();
  if (static_cast<int64_t>(times.size()) < rankOf(self))
    return ctx.raise("Number of dimensions of repeat dims can not be smaller than number of "
                     "dimensions of tensor");
  for (OpFoldResult count : times)
    if (std::optional<int64_t> constant = getConstantIntValue(count); constant && *constant < 0)
      return ctx.raise("repeat: negative repeat dims");
  return done(ctx, repeated(ctx, self, times));
}

/// tile(self, dims): as repeat, missing leading repeats being 1.
static FailureOr<Value> tile(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  SmallVector<OpFoldResult> times = ctx.indexList(1);
  if (ctx.failed())
    return failure();
  int64_t missing = rankOf(self) - static_cast<int64_t>(times.size());
  if (missing > 0)
    times.insert(times.begin(), missing, ctx.fold(1));
  return done(ctx, repeated(ctx, self, times));
}

/// repeat_interleave.self_int(self, repeats, dim?, output_size?): each element so many times in a
/// row.
static FailureOr<Value> repeatInterleave(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  OpFoldResult times = ctx.index(1);
  if (ctx.failed())
    return failure();
  if (std::optional<int64_t> constant = getConstantIntValue(times); constant && *constant < 0)
    return ctx.raise("Repeats must be non-negative");
  if (ctx.isNone(2))
    self = ctx.reshape(self, {ctx.product(ctx.sizes(self))});
  int64_t dim = ctx.isNone(2) ? 0 : ctx.dim(2, rankOf(self));
  if (ctx.failed())
    return failure();
  if (rankOf(self) == 0)
    self = ctx.unsqueeze(self, 0);
  SmallVector<OpFoldResult> sizes = ctx.sizes(self), wide = sizes;
  wide.insert(wide.begin() + dim + 1, times);
  if (!ctx.requireSizes(wide))
    return failure();
  sizes[dim] = ctx.mul(sizes[dim], times);
  return done(ctx, ctx.reshape(ctx.broadcastTo(ctx.unsqueeze(self, dim + 1), wide), sizes));
}

/// flip(self, dims).
static FailureOr<Value> flip(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  SmallVector<int64_t> dims;
  if (!ctx.constantIntList(1).empty())
    dims = ctx.dimList(1, rankOf(self));
  if (ctx.failed())
    return failure();
  if (dims.empty() || !rankOf(self))
    return self;
  return done(ctx, FlipOp::create(ctx.b, ctx.loc, self, dims));
}

/// fliplr, flipud (self).
template <int64_t dim> static FailureOr<Value> flipDim(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  if (rankOf(self) <= dim)
    return ctx.raise("Input must be >= " + Twine(dim + 1) + "-d.");
  return done(ctx, FlipOp::create(ctx.b, ctx.loc, self, ArrayRef<int64_t>{dim}));
}

/// Where a roll by `shift` begins to read: -shift modulo the size, which need not be known.
static OpFoldResult rollStart(RuleContext &ctx, OpFoldResult shift, OpFoldResult size) {
  std::optional<int64_t> by = getConstantIntValue(shift), all = getConstantIntValue(size);
  if (by && all)
    return ctx.fold((*all - *by % *all) % *all);
  if (by && *by > INT32_MIN && *by < INT32_MAX) {
    OpFoldResult back = ctx.fold(-*by); // the quotients are rounded down
    return ctx.sub(back, ctx.mul(ctx.floorDiv(back, size), size));
  }
  Value divisor = ctx.indexValue(ctx.maximum(size, ctx.fold(1)));
  Value rest = arith::RemSIOp::create(ctx.b, ctx.loc, ctx.indexValue(shift), divisor);
  Value zero = ctx.indexValue(ctx.fold(0));
  Value isForward = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sgt, rest, zero);
  Value top = arith::SelectOp::create(ctx.b, ctx.loc, isForward, divisor, zero);
  return arith::SubIOp::create(ctx.b, ctx.loc, top, rest).getResult();
}

/// roll by a shift along one dimension.
static Value rollDim(RuleContext &ctx, Value tensor, int64_t dim, OpFoldResult shift) {
  OpFoldResult size = ctx.size(tensor, dim);
  if (isConstantIntValue(size, 0))
    return tensor;
  OpFoldResult begin = rollStart(ctx, shift, size);
  if (isConstantIntValue(begin, 0))
    return tensor;
  // Of nothing nothing is read.
  if (!getConstantIntValue(size))
    begin = ctx.maximum(ctx.minimum(begin, size), ctx.fold(0));
  Value head = ctx.slice(tensor, dim, begin, ctx.sub(size, begin));
  Value tail = ctx.slice(tensor, dim, ctx.fold(0), begin);
  Value joined = concat(ctx, {head, tail}, dim);
  if (!joined)
    return {};
  return ctx.refine(joined, cast<RankedTensorType>(tensor.getType()));
}

/// roll(self, shifts, dims): without dims over the flattened tensor.
static FailureOr<Value> roll(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  SmallVector<OpFoldResult> shifts = ctx.indexList(1);
  SmallVector<int64_t> dims = ctx.constantIntList(2);
  if (ctx.failed())
    return failure();
  if (shifts.empty())
    return ctx.raise("`shifts` required");
  if (dims.empty()) {
    if (shifts.size() != 1)
      return ctx.raise("shifts and dimensions must align");
    SmallVector<OpFoldResult> sizes = ctx.sizes(self);
    Value flat = rollDim(ctx, ctx.reshape(self, {ctx.product(sizes)}), 0, shifts.front());
    if (!flat)
      return failure();
    return done(ctx, ctx.reshape(flat, sizes));
  }
  if (shifts.size() != dims.size())
    return ctx.raise("shifts and dimensions must align");
  int64_t rank = rankOf(self);
  for (auto [shift, dim] : llvm::zip(shifts, dims)) {
    if (dim < -rank || dim >= rank)
      return ctx.raise("roll: Dimension out of range: " + Twine(dim));
    self = rollDim(ctx, self, dim < 0 ? dim + rank : dim, shift);
    if (!self)
      return failure();
  }
  return self;
}

/// rot90(self, k, dims).
static FailureOr<Value> rot90(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t times = ctx.constantInt(1), rank = rankOf(self);
  SmallVector<int64_t> dims = ctx.constantIntList(2);
  if (ctx.failed())
    return failure();
  if (dims.size() != 2)
    return ctx.raise("expected total rotation dims == 2, but got dims = " + Twine(dims.size()));
  for (int64_t &dim : dims) {
    if (dim < -rank || dim >= rank)
      return ctx.raise("Rotation dim out of range");
    if (dim < 0)
      dim += rank;
  }
  if (dims[0] == dims[1])
    return ctx.raise("expected rotation dims to be different");
  auto flipped = [&](ArrayRef<int64_t> along) -> Value {
    return FlipOp::create(ctx.b, ctx.loc, self, along);
  };
  switch (((times % 4) + 4) % 4) {
  case 1:
    return done(ctx, ctx.transpose(flipped({dims[1]}), dims[0], dims[1]));
  case 2:
    return done(ctx, flipped(dims));
  case 3:
    return done(ctx, ctx.transpose(flipped({dims[0]}), dims[0], dims[1]));
  default:
    return self;
  }
}

/// pixel_shuffle(self, upscale_factor): [.., C r^2, H, W] to [.., C, H r, W r].
static FailureOr<Value> pixelShuffle(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t factor = ctx.constantInt(1), rank = rankOf(self);
  if (ctx.failed())
    return failure();
  if (rank < 3 || factor <= 0)
    return ctx.raise("pixel_shuffle expects an input of rank 3 or more and a positive factor");
  SmallVector<OpFoldResult> sizes = ctx.sizes(self), lead(sizes.begin(), sizes.end() - 3),
                            split = lead;
  OpFoldResult r = ctx.fold(factor), square = ctx.fold(factor * factor);
  OpFoldResult channels = ctx.floorDiv(sizes[rank - 3], square);
  if (!ctx.requireEqual(
          sizes[rank - 3], ctx.mul(channels, square),
          "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
          "upscale_factor"))
    return failure();
  split.append({channels, r, r, sizes[rank - 2], sizes[rank - 1]});
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rank - 3));
  for (int64_t i : {0, 3, 1, 4, 2})
    order.push_back(rank - 3 + i);
  lead.append({channels, ctx.mul(sizes[rank - 2], r), ctx.mul(sizes[rank - 1], r)});
  return done(ctx, ctx.reshape(ctx.permute(ctx.reshape(self, split), order), lead));
}

/// pixel_unshuffle(self, downscale_factor): the inverse of pixel_shuffle.
static FailureOr<Value> pixelUnshuffle(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t factor = ctx.constantInt(1), rank = rankOf(self);
  if (ctx.failed())
    return failure();
  if (rank < 3 || factor <= 0)
    return ctx.raise("pixel_unshuffle expects an input of rank 3 or more and a positive factor");
  SmallVector<OpFoldResult> sizes = ctx.sizes(self), lead(sizes.begin(), sizes.end() - 3),
                            split = lead;
  OpFoldResult r = ctx.fold(factor);
  OpFoldResult rows = ctx.floorDiv(sizes[rank - 2], r), columns = ctx.floorDiv(sizes[rank - 1], r);
  if (!ctx.requireEqual(sizes[rank - 2], ctx.mul(rows, r),
                        "pixel_unshuffle expects height to be divisible by "
                        "downscale_factor") ||
      !ctx.requireEqual(sizes[rank - 1], ctx.mul(columns, r),
                        "pixel_unshuffle expects width to be divisible by "
                        "downscale_factor"))
    return failure();
  split.append({sizes[rank - 3], rows, r, columns, r});
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rank - 3));
  for (int64_t i : {0, 2, 4, 1, 3})
    order.push_back(rank - 3 + i);
  lead.append({ctx.mul(sizes[rank - 3], ctx.fold(factor * factor)), rows, columns});
  return done(ctx, ctx.reshape(ctx.permute(ctx.reshape(self, split), order), lead));
}

/// channel_shuffle(self, groups): dimension 1 as a matrix of groups, transposed.
static FailureOr<Value> channelShuffle(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t groups = ctx.constantInt(1), rank = rankOf(self);
  if (ctx.failed())
    return failure();
  if (rank < 3 || groups <= 0)
    return ctx.raise(
        "channel_shuffle expects an input with > 2 dims and a positive number of groups");
  SmallVector<OpFoldResult> sizes = ctx.sizes(self), split = sizes;
  OpFoldResult perGroup = ctx.floorDiv(sizes[1], ctx.fold(groups));
  if (!ctx.requireEqual(sizes[1], ctx.mul(perGroup, ctx.fold(groups)),
                        "Number of channels must be divisible by groups"))
    return failure();
  split[1] = ctx.fold(groups);
  split.insert(split.begin() + 2, perGroup);
  return done(ctx, ctx.reshape(ctx.transpose(ctx.reshape(self, split), 1, 2), sizes));
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

/// Checks that a size or an amount is at most another one, now or at run time.
static void requireAtMost(RuleContext &ctx, OpFoldResult lesser, OpFoldResult greater,
                          const Twine &message) {
  std::optional<int64_t> x = getConstantIntValue(lesser), y = getConstantIntValue(greater);
  if (x && y && *x > *y)
    (void)ctx.raise(message);
  if ((x && y) || ctx.failed() || (x && *x <= 0 && isNonNegative(greater)))
    return;
  ctx.check(arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sle, ctx.intValue(lesser),
                                  ctx.intValue(greater)),
            message);
}

/// Whether an amount is known not to cut off anything.
static bool isPadding(OpFoldResult amount) { return getConstantIntValue(amount).value_or(-1) >= 0; }

/// Checks the amounts by which a dimension is padded. False after a failure.
static bool requirePadding(RuleContext &ctx, Value self, int64_t dim, OpFoldResult low,
                           OpFoldResult high, PadMode mode) {
  OpFoldResult size = ctx.size(self, dim), none = ctx.fold(0), far = ctx.fold(int64_t(1) << 40);
  for (OpFoldResult amount : {low, high}) {
    if (isConstantIntValue(amount, 0))
      continue;
    if (!getConstantIntValue(amount)) {
      requireAtMost(ctx, amount, far, "pad: an amount is too large");
      requireAtMost(ctx, ctx.sub(none, far), amount, "pad: an amount is too small");
    }
    switch (mode) {
    case PadMode::Constant: // what is cut off must be there
      requireAtMost(ctx, ctx.sub(none, size), amount,
                    "pad: more elements are cut off dimension " + Twine(dim) + " than it has");
      break;
    case PadMode::Replicate: // nothing is repeated of nothing
      requireAtMost(ctx, ctx.minimum(amount, ctx.fold(1)), size,
                    "pad: expected dimension " + Twine(dim) + " not to be empty");
      break;
    case PadMode::Reflect: {
      // An amount that is 0 at run time pads nothing.
      OpFoldResult most = ctx.sub(size, ctx.fold(1));
      requireAtMost(ctx, amount, getConstantIntValue(amount) ? most : ctx.maximum(most, none),
                    "Padding size should be less than the corresponding input dimension " +
                        Twine(dim));
      break;
    }
    case PadMode::Circular:
      requireAtMost(ctx, amount, size, "Padding value causes wrapping around more than once.");
      break;
    }
  }
  if (mode == PadMode::Constant || !isPadding(low) || !isPadding(high))
    requireAtMost(ctx, none, ctx.add(size, ctx.add(low, high)),
                  "pad: too little of dimension " + Twine(dim) + " would be left");
  return !ctx.failed();
}

/// Mirrored or repeated edges: of the padded dimensions one has to have elements left.
static void requireSomeLeft(RuleContext &ctx, Value self, ArrayRef<OpFoldResult> low,
                            ArrayRef<OpFoldResult> high, int64_t padded) {
  if (llvm::all_of(low, isPadding) && llvm::all_of(high, isPadding))
    return;
  OpFoldResult most = ctx.fold(0);
  for (int64_t dim = low.size() - padded; dim < static_cast<int64_t>(low.size()); ++dim)
    most = ctx.maximum(most, ctx.add(ctx.size(self, dim), ctx.add(low[dim], high[dim])));
  requireAtMost(ctx, ctx.fold(1), most, "pad: nothing would be left");
}

/// Circular padding repeats what is left when negative amounts have been cut off. Returns that, and
/// takes it out of the amounts.
static Value cropCircular(RuleContext &ctx, Value self, MutableArrayRef<OpFoldResult> low,
                          MutableArrayRef<OpFoldResult> high) {
  for (int64_t dim = 0; dim < static_cast<int64_t>(low.size()); ++dim) {
    if (isPadding(low[dim]) && isPadding(high[dim]))
      continue;
    OpFoldResult none = ctx.fold(0);
    OpFoldResult before = ctx.sub(ctx.maximum(low[dim], none), low[dim]);
    OpFoldResult after = ctx.sub(ctx.maximum(high[dim], none), high[dim]);
    OpFoldResult left = ctx.sub(ctx.size(self, dim), ctx.add(before, after));
    low[dim] = ctx.maximum(low[dim], none);
    high[dim] = ctx.maximum(high[dim], none);
    for (OpFoldResult amount : {low[dim], high[dim]})
      requireAtMost(ctx, amount, left, "Padding value causes wrapping around more than once.");
    if (ctx.failed())
      return {};
    self = ctx.slice(self, dim, before, left);
  }
  return self;
}

/// Pads the last dimensions by `amounts`: begin and end of the last, of the one before, ...
static FailureOr<Value> padTensor(RuleContext &ctx, Value self, ArrayRef<OpFoldResult> amounts,
                                  PadMode mode, Value value = {}) {
  int64_t rank = rankOf(self), padded = amounts.size() / 2;
  if (ctx.failed())
    return failure();
  if (amounts.size() % 2 || padded > rank)
    return ctx.raise(
        "Length of pad should be even and at most twice the rank of the input, but got " +
        Twine(amounts.size()));
  SmallVector<OpFoldResult> low(rank, ctx.fold(0)), high(rank, ctx.fold(0));
  for (int64_t i = 0; i < padded; ++i) {
    int64_t dim = rank - 1 - i;
    low[dim] = amounts[2 * i];
    high[dim] = amounts[2 * i + 1];
    if (!requirePadding(ctx, self, dim, low[dim], high[dim], mode))
      return failure();
  }
  if (mode == PadMode::Reflect || mode == PadMode::Replicate) {
    requireNonEmpty(ctx, self, std::max<int64_t>(rank - padded - 1, 0)); // the batch may be empty
    requireSomeLeft(ctx, self, low, high, padded);
  }
  // The result's sizes do not overflow either.
  SmallVector<OpFoldResult> wide = ctx.sizes(self);
  for (auto [i, size] : llvm::enumerate(wide))
    size = ctx.add(size, ctx.add(low[i], high[i]));
  if (llvm::any_of(amounts, [](OpFoldResult amount) { return !getConstantIntValue(amount); }) &&
      !ctx.requireSizes(wide))
    return failure();
  if (mode == PadMode::Circular)
    self = cropCircular(ctx, self, low, high);
  if (ctx.failed())
    return failure();
  SmallVector<Value> lowValues = ctx.dynamicSizes(low), highValues = ctx.dynamicSizes(high);
  return done(ctx,
              checkedValue<PadOp>(ctx, self, value, ValueRange(lowValues), ValueRange(highValues),
                                  ctx.staticSizes(low), ctx.staticSizes(high), mode));
}

/// The scalar that fills constant padding, of the core's type for it (i8 for ui8).
static Value padValue(RuleContext &ctx, unsigned i, Type type) {
  Type scalarType = type.isUnsignedInteger(8) ? Type(ctx.b.getI8Type()) : type;
  if (i >= ctx.size() || ctx.isNone(i))
    return ctx.constantScalar(0, scalarType);
  if (isComplex(type))
    return ctx.constantScalar(ctx.constantFloat(i), type);
  return ctx.scalarAs(i, scalarType);
}

/// constant_pad_nd(self, pad, value).
static FailureOr<Value> constantPad(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  SmallVector<OpFoldResult> amounts = ctx.indexList(1);
  if (ctx.failed())
    return failure();
  return padTensor(ctx, self, amounts, PadMode::Constant,
                   padValue(ctx, 2, getElementTypeOrSelf(self)));
}

/// pad(self, pad, mode, value?).
static FailureOr<Value> pad(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  SmallVector<OpFoldResult> amounts = ctx.indexList(1);
  StringRef mode = ctx.constantString(2);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed())
    return failure();
  if (mode == "constant")
    return padTensor(ctx, self, amounts, PadMode::Constant, padValue(ctx, 3, type));
  // The spatial dimensions, 1 to 3 of them, after at most two others.
  int64_t spatial = amounts.size() / 2, rank = rankOf(self);
  if (rank != spatial + 1 && rank != spatial + 2)
    return ctx.raise("Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now");
  if (mode == "reflect")
    return padTensor(ctx, self, amounts, PadMode::Reflect);
  if (mode == "replicate")
    return padTensor(ctx, self, amounts, PadMode::Replicate);
  if (mode == "circular")
    return padTensor(ctx, self, amounts, PadMode::Circular);
  return ctx.raise("Unrecognised padding mode " + mode);
}

/// reflection_pad1d, replication_pad1d, ... (self, padding).
template <PadMode mode> static FailureOr<Value> padMode(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  SmallVector<OpFoldResult> amounts = ctx.indexList(1);
  return padTensor(ctx, self, amounts, mode);
}

//===----------------------------------------------------------------------===//
// Diagonals
//===----------------------------------------------------------------------===//

/// diag_embed(self, offset, dim1, dim2): the last dimension on a diagonal of two new ones.
static FailureOr<Value> diagEmbedOf(RuleContext &ctx, Value self, OpFoldResult offset, int64_t dim1,
                                    int64_t dim2) {
  int64_t rank = rankOf(self) + 1;
  if (ctx.failed())
    return failure();
  if (dim1 == dim2)
    return ctx.raise("diagonal dimensions cannot be identical " + Twine(dim1) + ", " + Twine(dim2));
  if (!requireReal(ctx, getElementTypeOrSelf(self)))
    return failure();
  OpFoldResult none = ctx.fold(0), after = ctx.maximum(offset, none);
  OpFoldResult before = ctx.sub(after, offset), shift = ctx.add(after, before);
  OpFoldResult size = ctx.add(ctx.size(self, rank - 2), shift);
  SmallVector<OpFoldResult> wide = ctx.sizes(self);
  wide.back() = size;
  wide.push_back(size);
  if (!getConstantIntValue(offset) && (!ctx.requireSizes({shift}) || !ctx.requireSizes(wide)))
    return failure();
  // As a row below which the other elements are 0: shifted to where it stands, then compared.
  SmallVector<OpFoldResult> low(rank - 1, none), high(rank - 1, none);
  low.back() = after;
  high.back() = before;
  Value row = self;
  if (!isConstantIntValue(offset, 0)) {
    SmallVector<Value> lowValues = ctx.dynamicSizes(low), highValues = ctx.dynamicSizes(high);
    row = checkedValue<PadOp>(ctx, self, padValue(ctx, 1000, getElementTypeOrSelf(self)),
                              ValueRange(lowValues), ValueRange(highValues), ctx.staticSizes(low),
                              ctx.staticSizes(high), PadMode::Constant);
  }
  if (!row)
    return failure();
  Type i64 = ctx.b.getI64Type();
  Expr rows(ctx, IotaOp::create(ctx.b, ctx.loc, i64, ArrayRef<OpFoldResult>{size, ctx.fold(1)}, 0));
  Expr columns(ctx,
               IotaOp::create(ctx.b, ctx.loc, i64, ArrayRef<OpFoldResult>{ctx.fold(1), size}, 1));
  Expr onDiagonal = columns - rows == Expr(ctx, ctx.fromScalar(ctx.intValue(offset)));
  Expr matrix = where(onDiagonal, Expr(ctx, ctx.unsqueeze(row, rank - 2)), 0.0);
  if (matrix.isNull())
    return failure();
  // The two last dimensions go where they are wanted, the others keep their order.
  SmallVector<int64_t> order;
  for (int64_t i = 0, next = 0; i < rank; ++i)
    order.push_back(i == dim1 ? rank - 2 : i == dim2 ? rank - 1 : next++);
  return done(ctx, ctx.permute(matrix.value(), order));
}

static FailureOr<Value> diagEmbed(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  int64_t rank = rankOf(self) + 1;
  OpFoldResult offset = ctx.index(1);
  int64_t dim1 = ctx.dim(2, rank), dim2 = ctx.dim(3, rank);
  if (!ctx.failed() && rank < 2)
    return ctx.raise("diag_embed: expected a tensor of rank 1 or more");
  // A negative offset with exchanged dimensions is a positive one.
  return diagEmbedOf(ctx, self, offset, dim1, dim2);
}

/// diagflat(self, offset): the flattened elements on the diagonal of a matrix.
static FailureOr<Value> diagflat(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  OpFoldResult offset = ctx.index(1);
  if (ctx.failed())
    return failure();
  return diagEmbedOf(ctx, ctx.reshape(self, {ctx.product(ctx.sizes(self))}), offset, 0, 1);
}

/// kron(self, other): every element of self times other.
static FailureOr<Value> kron(RuleContext &ctx) {
  Type type = ctx.resultType({0, 1});
  if (!requireReal(ctx, type))
    return failure();
  Value self = ctx.operandAs(0, type), other = ctx.operandAs(1, type);
  if (ctx.failed())
    return failure();
  int64_t rank = std::max(rankOf(self), rankOf(other));
  SmallVector<OpFoldResult> a = ctx.sizes(self), b = ctx.sizes(other), left, right, result;
  a.insert(a.begin(), rank - a.size(), ctx.fold(1));
  b.insert(b.begin(), rank - b.size(), ctx.fold(1));
  for (int64_t i = 0; i < rank; ++i) {
    left.append({a[i], ctx.fold(1)});
    right.append({ctx.fold(1), b[i]});
    result.push_back(ctx.mul(a[i], b[i]));
  }
  Expr product = Expr(ctx, ctx.reshape(self, left)) * Expr(ctx, ctx.reshape(other, right));
  if (product.isNull())
    return failure();
  return done(ctx, ctx.reshape(product.value(), result));
}

void specialize::registerMovementRules(RuleRegistry &registry) {
  registry.value("cat", cat);
  registry.value("concat", cat);
  registry.value("concatenate", cat);
  registry.value("stack", stack);
  registry.value("hstack", stackAlong<1>);
  registry.value("vstack", stackAlong<2>);
  registry.value("dstack", stackAlong<3>);
  registry.value("row_stack", stackAlong<2>);
  registry.value("column_stack", columnStack);
  registry.value("block_diag", blockDiag);
  registry.value("repeat", repeat);
  registry.value("tile", tile);
  registry.value("repeat_interleave.self_int", repeatInterleave);
  registry.value("flip", flip);
  registry.value("fliplr", flipDim<1>);
  registry.value("flipud", flipDim<0>);
  registry.value("roll", roll);
  registry.value("rot90", rot90);
  registry.value("pixel_shuffle", pixelShuffle);
  registry.value("pixel_unshuffle", pixelUnshuffle);
  registry.value("channel_shuffle", channelShuffle);
  registry.value("constant_pad_nd", constantPad);
  registry.value("pad", pad);
  for (StringRef dims : {"1d", "2d", "3d"}) {
    registry.value(("reflection_pad" + dims).str(), padMode<PadMode::Reflect>);
    registry.value(("replication_pad" + dims).str(), padMode<PadMode::Replicate>);
  }
  registry.value("diag_embed", diagEmbed);
  registry.value("diagflat", diagflat);
  registry.value("kron", kron);
}
