//===- Window.cpp - Rules of windows taken apart and put together ---------===//

#include "CheckedBuild.h"
#include "Families.h"
#include "ReductionHelpers.h"
#include "WindowBuild.h"
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

//===----------------------------------------------------------------------===//
// im2col and col2im
//===----------------------------------------------------------------------===//

namespace {
/// The sliding windows over two dimensions.
struct Windows {
  SmallVector<int64_t> kernel, dilation, padding, stride;

  /// How many there are along a dimension of this size; 0 if none fits.
  OpFoldResult count(RuleContext &ctx, OpFoldResult size, int64_t i) const {
    OpFoldResult room = ctx.sub(ctx.add(size, ctx.fold(2 * padding[i])),
                                ctx.fold(dilation[i] * (kernel[i] - 1) + 1));
    OpFoldResult last = ctx.floorDiv(ctx.maximum(room, ctx.fold(-stride[i])), ctx.fold(stride[i]));
    return ctx.maximum(ctx.add(last, ctx.fold(1)), ctx.fold(0));
  }
};
} // namespace

/// kernel_size, dilation, padding and stride from operand `first` on.
static Windows windows(RuleContext &ctx, unsigned first) {
  Windows w{ctx.constantIntList(first, 2), ctx.constantIntList(first + 1, 2),
            ctx.constantIntList(first + 2, 2), ctx.constantIntList(first + 3, 2)};
  for (unsigned i = 0; i < 2 && !ctx.failed(); ++i)
    if (w.kernel[i] <= 0 || w.dilation[i] <= 0 || w.stride[i] <= 0 || w.padding[i] < 0)
      (void)ctx.raise(Twine(ctx.name()) + ": kernel size, dilation and stride should be greater "
                                          "than zero, and padding not negative");
  return w;
}

/// Raises unless there is a window.
static bool requireWindow(RuleContext &ctx, OpFoldResult count) {
  Value isSome = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sgt,
                                       ctx.intValue(count), ctx.intValue(ctx.fold(0)));
  ctx.check(isSome, Twine(ctx.name()) +
                        ": the shape of the array of sliding blocks should be at least one");
  return !ctx.failed();
}

/// Where element `k` of each window stands, [kernel, windows].
static Value windowPositions(RuleContext &ctx, const Windows &w, OpFoldResult count, int64_t i) {
  Type i64 = ctx.b.getI64Type();
  OpFoldResult one = ctx.fold(1);
  Expr element(ctx, IotaOp::create(ctx.b, ctx.loc, i64,
                                   ArrayRef<OpFoldResult>{ctx.fold(w.kernel[i]), one}, 0));
  Expr window(ctx, IotaOp::create(ctx.b, ctx.loc, i64, ArrayRef<OpFoldResult>{one, count}, 1));
  return (element * static_cast<double>(w.dilation[i]) + window * static_cast<double>(w.stride[i]))
      .value();
}

/// The padding of the last two dimensions, with zeros.
static Value padPlane(RuleContext &ctx, Value self, const Windows &w) {
  Type type = getElementTypeOrSelf(self);
  SmallVector<int64_t> amounts = {0, 0, w.padding[0], w.padding[1]};
  Value zero = ctx.constantScalar(0, type.isUnsignedInteger(8) ? Type(ctx.b.getI8Type()) : type);
  return checkedValue<PadOp>(ctx, self, zero, ValueRange(), ValueRange(), ArrayRef(amounts),
                             ArrayRef(amounts), PadMode::Constant);
}

/// im2col(self, kernel_size, dilation, padding, stride): [N, C, H, W] to
/// [N, C * elements of a window, windows].
static FailureOr<Value> im2col(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Windows w = windows(ctx, 1);
  if (ctx.failed())
    return failure();
  bool isBatched = rankOf(self) == 4;
  if (rankOf(self) != 3 && !isBatched)
    return ctx.raise("im2col: Expected 3D or 4D input");
  if (!isBatched)
    self = ctx.unsqueeze(self, 0);
  SmallVector<OpFoldResult> sizes = ctx.sizes(self);
  OpFoldResult rows = w.count(ctx, sizes[2], 0), columns = w.count(ctx, sizes[3], 1);
  if (!requireWindow(ctx, rows) || !requireWindow(ctx, columns))
    return failure();
  Value padded = padPlane(ctx, self, w);
  if (!padded)
    return failure();
  // [N, C, kh, rows, W], then [N, C, kh, rows, kw, columns]
  Value taken = checkedValue<TakeOp>(ctx, padded, windowPositions(ctx, w, rows, 0), uint64_t(2));
  if (taken)
    taken = checkedValue<TakeOp>(ctx, taken, windowPositions(ctx, w, columns, 1), uint64_t(4));
  if (!taken)
    return failure();
  OpFoldResult elements = ctx.fold(w.kernel[0] * w.kernel[1]);
  Value result = ctx.reshape(ctx.permute(taken, {0, 1, 2, 4, 3, 5}),
                             {sizes[0], ctx.mul(sizes[1], elements), ctx.mul(rows, columns)});
  return done(ctx, isBatched ? result : ctx.squeeze(result, 0));
}

/// The sums of `source`, in which `dims` dim and dim + 1 are [kernel, windows], at their positions
/// along one dimension of `size`.
static Value addWindows(RuleContext &ctx, Value source, Value positions, OpFoldResult size,
                        int64_t dim) {
  SmallVector<OpFoldResult> folded = ctx.sizes(source), sizes;
  OpFoldResult count = ctx.mul(folded[dim], folded[dim + 1]);
  folded.erase(folded.begin() + dim);
  folded[dim] = count;
  sizes = folded;
  sizes[dim] = size;
  Value zeros = ctx.full(sizes, 0.0, getElementTypeOrSelf(source));
  if (ctx.failed())
    return {};
  return checkedValue<PutOp>(ctx, zeros, ctx.reshape(positions, {count}),
                             ctx.reshape(source, folded), static_cast<uint64_t>(dim), true);
}

/// col2im(self, output_size, kernel_size, dilation, padding, stride): the inverse of im2col, where
/// windows overlap the sum.
static FailureOr<Value> col2im(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  SmallVector<OpFoldResult> outputSize = ctx.indexList(1);
  Windows w = windows(ctx, 2);
  if (ctx.failed() || !requireNumber(ctx, getElementTypeOrSelf(self)))
    return failure();
  bool isBatched = rankOf(self) == 3;
  if (rankOf(self) != 2 && !isBatched)
    return ctx.raise("col2im: Expected 2D or 3D input");
  if (outputSize.size() == 1)
    outputSize.push_back(outputSize.front());
  if (!isBatched)
    self = ctx.unsqueeze(self, 0);
  if (!ctx.requireSizes(outputSize))
    return failure();
  OpFoldResult rows = w.count(ctx, outputSize[0], 0), columns = w.count(ctx, outputSize[1], 1);
  if (!requireWindow(ctx, rows) || !requireWindow(ctx, columns))
    return failure();
  SmallVector<OpFoldResult> sizes = ctx.sizes(self);
  OpFoldResult elements = ctx.fold(w.kernel[0] * w.kernel[1]);
  OpFoldResult channels = ctx.floorDiv(sizes[1], elements);
  if (!ctx.requireEqual(ctx.mul(channels, elements), sizes[1],
                        "col2im: Expected size of input's dimension 1 to be divisible by the "
                        "product of kernel_size") ||
      !ctx.requireEqual(ctx.mul(rows, columns), sizes[2],
                        "col2im: Expected size of input's dimension 2 to match the calculated "
                        "number of sliding blocks"))
    return failure();
  Type type = getElementTypeOrSelf(self);
  Value split =
      ctx.reshape(ctx.cast(self, computeType(type)), {sizes[0], channels, ctx.fold(w.kernel[0]),
                                                      ctx.fold(w.kernel[1]), rows, columns});
  split = ctx.permute(split, {0, 1, 2, 4, 3, 5});
  OpFoldResult height = ctx.add(outputSize[0], ctx.fold(2 * w.padding[0])),
               width = ctx.add(outputSize[1], ctx.fold(2 * w.padding[1]));
  Value added = addWindows(ctx, split, windowPositions(ctx, w, columns, 1), width, 4);
  if (added)
    added = addWindows(ctx, added, windowPositions(ctx, w, rows, 0), height, 2);
  if (!added)
    return failure();
  for (unsigned i = 0; i < 2; ++i)
    if (w.padding[i])
      added = ctx.slice(added, 2 + i, ctx.fold(w.padding[i]), outputSize[i]);
  added = ctx.cast(added, type);
  return done(ctx, isBatched ? added : ctx.squeeze(added, 0));
}

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

/// max_unpool2d(self, indices, output_size), max_unpool3d(.., stride, padding): each element goes
/// to its index in the plane of output_size, which is 0 elsewhere.
template <unsigned rank> static FailureOr<Value> maxUnpool(RuleContext &ctx) {
  Value self = ctx.tensor(0), indices = ctx.tensor(1);
  SmallVector<OpFoldResult> outputSize = ctx.indexList(2);
  if (ctx.failed() || !requireReal(ctx, getElementTypeOrSelf(self)))
    return failure();
  int64_t selfRank = rankOf(self), leading = selfRank - rank;
  if (!getElementTypeOrSelf(indices).isSignlessInteger(64))
    return ctx.raise("elements in indices should be type int64");
  if (leading < 1 || leading > 2 || rankOf(indices) != selfRank || outputSize.size() != rank)
    return ctx.raise(ctx.name() + ": expected input and indices of one shape, and an output size "
                                  "for each spatial dimension");
  for (int64_t i = 0; i < selfRank; ++i)
    if (!ctx.requireEqual(ctx.size(self, i), ctx.size(indices, i),
                          "Expected shape of indices to be the same as that of the input tensor"))
      return failure();
  if (!ctx.requireSizes(outputSize))
    return failure();
  SmallVector<OpFoldResult> sizes = ctx.sizes(self);
  SmallVector<OpFoldResult> lead(sizes.begin(), sizes.begin() + leading), plane = lead, flat = lead;
  flat.push_back(ctx.product(ArrayRef(sizes).drop_front(leading)));
  plane.push_back(ctx.product(outputSize));
  Value zeros = ctx.full(plane, 0.0, getElementTypeOrSelf(self));
  if (ctx.failed())
    return failure();
  Value put =
      checkedValue<ScatterOp>(ctx, ScatterReduction::None, zeros, ctx.reshape(indices, flat),
                              ctx.reshape(self, flat), static_cast<uint64_t>(leading));
  if (!put)
    return failure();
  lead.append(outputSize);
  return done(ctx, ctx.reshape(put, lead));
}

namespace {
/// Along one dimension, the elements of each window of an adaptive pooling: [windows, elements].
struct AdaptiveAxis {
  Expr position; ///< in the dimension; where there is none, one of the window's
  Expr exists;
  OpFoldResult windows, elements;
};
} // namespace

/// Window i of `out` goes from floor(i in / out) up to ceil((i + 1) in / out).
static AdaptiveAxis adaptiveAxis(RuleContext &ctx, OpFoldResult in, OpFoldResult out) {
  Type i64 = ctx.b.getI64Type();
  OpFoldResult one = ctx.fold(1);
  // No window has more elements than this.
  OpFoldResult elements = ctx.add(ctx.floorDiv(in, ctx.maximum(out, one)), ctx.fold(2));
  std::optional<int64_t> knownIn = getConstantIntValue(in), knownOut = getConstantIntValue(out);
  if (knownIn && knownOut) {
    int64_t most = 1;
    for (int64_t i = 0; i < *knownOut; ++i)
      most = std::max(most,
                      ((i + 1) * *knownIn + *knownOut - 1) / *knownOut - i * *knownIn / *knownOut);
    elements = ctx.fold(most);
  }
  Expr window(ctx, IotaOp::create(ctx.b, ctx.loc, i64, ArrayRef<OpFoldResult>{out, one}, 0));
  Expr element(ctx, IotaOp::create(ctx.b, ctx.loc, i64, ArrayRef<OpFoldResult>{one, elements}, 1));
  Expr inSize = sizeTensor(ctx, in, i64), outSize = maximum(sizeTensor(ctx, out, i64), 1.0);
  Expr first = floorDivide(window * inSize, outSize);
  Expr end = floorDivide((window + 1.0) * inSize + outSize - 1.0, outSize);
  Expr position = first + element, exists = position < end;
  return {where(exists, position, first), exists, out, elements};
}

/// [.., windows, elements of a window] of the last `axes.size()` dimensions of a tensor.
static Value takeWindows(RuleContext &ctx, Value tensor, ArrayRef<AdaptiveAxis> axes,
                         int64_t leading) {
  for (auto [i, axis] : llvm::enumerate(axes)) {
    if (!tensor || axis.position.isNull())
      return {};
    tensor = checkedValue<TakeOp>(ctx, tensor, axis.position.value(), leading + 2 * i);
  }
  if (!tensor)
    return {};
  int64_t count = axes.size();
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, leading));
  SmallVector<OpFoldResult> sizes = ctx.sizes(tensor);
  SmallVector<OpFoldResult> folded(sizes.begin(), sizes.begin() + leading), inner;
  for (int64_t i = 0; i < count; ++i) {
    order.push_back(leading + 2 * i);
    folded.push_back(axes[i].windows);
  }
  for (int64_t i = 0; i < count; ++i) {
    order.push_back(leading + 2 * i + 1);
    inner.push_back(axes[i].elements);
  }
  folded.push_back(ctx.product(inner));
  return ctx.reshape(ctx.permute(tensor, order), folded);
}

/// The largest element along the last dimension and its place: the first one, or the last NaN.
static FailureOr<SmallVector<Value>> largestOf(RuleContext &ctx, const Expr &x, const Expr &place) {
  int64_t last = rankOf(x) - 1;
  Expr best(ctx, ArgReduceOp::create(ctx.b, ctx.loc, ReduceKind::Max, x.value(), last, true));
  Expr wide(ctx, ctx.broadcastTo(place.value(), ctx.sizes(x.value())));
  Expr index(ctx, checkedValue<GatherOp>(ctx, wide.value(), best.value(), uint64_t(last)));
  Expr lastNan = reduce(ReduceKind::Max, where(isnan(x), wide, -1.0), {last}, false);
  if (index.isNull() || lastNan.isNull())
    return failure();
  index = Expr(ctx, ctx.squeeze(index.value(), last));
  index = where(lastNan >= 0.0, lastNan, index);
  Expr values = reduce(ReduceKind::Max, x, {last}, false);
  if (values.isNull() || index.isNull())
    return failure();
  return SmallVector<Value>{values.value(), index.value()};
}

FailureOr<SmallVector<Value>> specialize::adaptiveMaxPoolByWindows(RuleContext &ctx,
                                                                   unsigned rank) {
  Value self = ctx.tensor(0);
  SmallVector<OpFoldResult> outputSize = ctx.indexList(1);
  if (ctx.failed())
    return failure();
  Type type = getElementTypeOrSelf(self), i64 = ctx.b.getI64Type(), i1 = ctx.b.getI1Type();
  int64_t leading = ctx.tensorType(0).getRank() - rank;
  if (!isFloat(type) || leading < 1 || leading > 2)
    return ctx.raise(ctx.name() + ": expected a floating-point tensor of rank " + Twine(rank + 1) +
                     " or " + Twine(rank + 2));
  if (outputSize.size() != rank && outputSize.size() != 1)
    return ctx.raise(ctx.name() + ": expected an output size for each spatial dimension");
  outputSize.resize(rank, outputSize.front());
  for (OpFoldResult &size : outputSize)
    if (std::optional<int64_t> known = getConstantIntValue(size); !known || *known < 1)
      return ctx.fail(ctx.name() + ": expected output sizes that are known and above 0");
  requireNonEmpty(ctx, self, leading);
  SmallVector<OpFoldResult> sizes = ctx.sizes(self), plane(sizes.begin() + leading, sizes.end());
  SmallVector<AdaptiveAxis> axes;
  for (unsigned i = 0; i < rank; ++i)
    axes.push_back(adaptiveAxis(ctx, plane[i], outputSize[i]));
  // Where elements stand in the plane, and whether they are in the window.
  Expr positions(ctx, ctx.reshape(IotaOp::create(ctx.b, ctx.loc, i64,
                                                 ArrayRef<OpFoldResult>{ctx.product(plane)}, 0),
                                  plane));
  Expr place(ctx, takeWindows(ctx, positions.value(), axes, 0));
  Expr exists = Expr(ctx, ctx.full({ctx.fold(1)}, 1.0, i1));
  for (auto [i, axis] : llvm::enumerate(axes)) {
    SmallVector<OpFoldResult> shape(2 * rank, ctx.fold(1));
    shape[i] = axis.windows;
    shape[rank + i] = axis.elements;
    if (axis.exists.isNull())
      return failure();
    exists = exists && Expr(ctx, ctx.reshape(axis.exists.value(), shape));
  }
  if (exists.isNull() || place.isNull())
    return failure();
  exists = Expr(ctx, ctx.reshape(exists.value(), ctx.sizes(place.value())));
  Expr x(ctx, takeWindows(ctx, self, axes, leading));
  x = where(exists, x, -std::numeric_limits<double>::infinity());
  if (x.isNull())
    return failure();
  return largestOf(ctx, x, place);
}

FailureOr<Value> specialize::adaptiveAvgPoolByWindows(RuleContext &ctx, Value input,
                                                      ArrayRef<OpFoldResult> outputSize) {
  int64_t rank = cast<RankedTensorType>(input.getType()).getRank();
  int64_t leading = rank - outputSize.size();
  Type type = getElementTypeOrSelf(input);
  Expr total = Expr(ctx, input).cast(computeType(type)), divisor(ctx, {});
  for (auto [i, out] : llvm::enumerate(outputSize)) {
    int64_t dim = leading + i;
    AdaptiveAxis axis = adaptiveAxis(ctx, ctx.size(input, dim), out);
    if (axis.position.isNull() || axis.exists.isNull() || total.isNull())
      return failure();
    SmallVector<OpFoldResult> shape(rank - dim + 1, ctx.fold(1));
    shape[0] = axis.windows;
    shape[1] = axis.elements;
    Expr exists(ctx, ctx.reshape(axis.exists.value(), shape));
    Expr taken(ctx, checkedValue<TakeOp>(ctx, total.value(), axis.position.value(),
                                         static_cast<uint64_t>(dim)));
    if (taken.isNull())
      return failure();
    total = sum(where(exists, taken, 0.0), {dim + 1}, false);
    Expr count = sum(exists.cast(total.elementType()), {1}, false);
    divisor = i ? divisor * count : count;
  }
  return done(ctx, (total / divisor).cast(type));
}

void specialize::registerWindowRules(RuleRegistry &registry) {
  registry.value("im2col", im2col);
  registry.value("col2im", col2im);
  registry.value("max_unpool2d", maxUnpool<2>);
  registry.value("max_unpool3d", maxUnpool<3>);
}
