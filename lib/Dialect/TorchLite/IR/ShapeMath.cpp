//===- ShapeMath.cpp - Arithmetic on sizes --------------------------------===//
#include "TorchLite/Dialect/TorchLite/IR/ShapeMath.h"

using namespace mlir;
using namespace torchlite::tl;

/// Folds both constants with `fold`, or builds an `OpTy`.
template <typename OpTy, typename Fold>
static OpFoldResult binary(OpBuilder &builder, Location loc, OpFoldResult a, OpFoldResult b,
                           Fold fold) {
  std::optional<int64_t> left = getConstantIntValue(a), right = getConstantIntValue(b);
  if (left && right)
    return builder.getIndexAttr(fold(*left, *right));
  return builder.createOrFold<OpTy>(loc, getValueOrCreateConstantIndexOp(builder, loc, a),
                                    getValueOrCreateConstantIndexOp(builder, loc, b));
}

OpFoldResult ShapeMath::add(OpFoldResult a, OpFoldResult b) {
  if (isZeroInteger(b))
    return a;
  if (isZeroInteger(a))
    return b;
  return binary<arith::AddIOp>(builder, loc, a, b, [](int64_t x, int64_t y) { return x + y; });
}

OpFoldResult ShapeMath::sub(OpFoldResult a, OpFoldResult b) {
  if (isZeroInteger(b))
    return a;
  return binary<arith::SubIOp>(builder, loc, a, b, [](int64_t x, int64_t y) { return x - y; });
}

OpFoldResult ShapeMath::mul(OpFoldResult a, OpFoldResult b) {
  if (isOneInteger(b))
    return a;
  if (isOneInteger(a))
    return b;
  return binary<arith::MulIOp>(builder, loc, a, b, [](int64_t x, int64_t y) { return x * y; });
}

OpFoldResult ShapeMath::div(OpFoldResult a, OpFoldResult b) {
  if (isOneInteger(b))
    return a;
  return binary<arith::DivSIOp>(builder, loc, a, b, [](int64_t x, int64_t y) { return x / y; });
}

OpFoldResult ShapeMath::rem(OpFoldResult a, OpFoldResult b) {
  if (isOneInteger(b))
    return constant(0);
  return binary<arith::RemSIOp>(builder, loc, a, b, [](int64_t x, int64_t y) { return x % y; });
}

OpFoldResult ShapeMath::max(OpFoldResult a, OpFoldResult b) {
  return binary<arith::MaxSIOp>(builder, loc, a, b,
                                [](int64_t x, int64_t y) { return std::max(x, y); });
}

OpFoldResult ShapeMath::min(OpFoldResult a, OpFoldResult b) {
  return binary<arith::MinSIOp>(builder, loc, a, b,
                                [](int64_t x, int64_t y) { return std::min(x, y); });
}

OpFoldResult ShapeMath::selectGreaterEqual(OpFoldResult lhs, OpFoldResult rhs, OpFoldResult yes,
                                           OpFoldResult no) {
  std::optional<int64_t> left = getConstantIntValue(lhs), right = getConstantIntValue(rhs);
  if (left && right)
    return *left >= *right ? yes : no;
  Value condition =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, value(lhs), value(rhs));
  return builder.createOrFold<arith::SelectOp>(loc, condition, value(yes), value(no));
}

Value ShapeMath::value(OpFoldResult size) {
  return getValueOrCreateConstantIndexOp(builder, loc, size);
}

OpFoldResult ShapeMath::product(ArrayRef<OpFoldResult> sizes) {
  OpFoldResult result = constant(1);
  for (OpFoldResult size : sizes)
    result = mul(result, size);
  return result;
}

int64_t torchlite::tl::getWindowedSize(int64_t size, int64_t kernel, int64_t stride,
                                       int64_t padding, int64_t dilation, bool ceilMode) {
  if (ShapedType::isDynamic(size) || ShapedType::isDynamic(kernel))
    return ShapedType::kDynamic;
  int64_t room = size + 2 * padding - dilation * (kernel - 1) - 1;
  if (room < 0 && !ceilMode)
    return 0;
  int64_t windows = llvm::divideFloorSigned(room + (ceilMode ? stride - 1 : 0), stride) + 1;
  if (ceilMode && (windows - 1) * stride >= size + padding)
    --windows;
  return std::max<int64_t>(windows, 0);
}

OpFoldResult torchlite::tl::getWindowedSize(ShapeMath &math, OpFoldResult size, OpFoldResult kernel,
                                            int64_t stride, int64_t padding, int64_t dilation,
                                            bool ceilMode) {
  // room + stride, which is not negative where a window fits: division rounds down then.
  OpFoldResult extent = math.add(math.mul(math.sub(kernel, 1), dilation), 1);
  OpFoldResult room =
      math.sub(math.add(size, 2 * padding + stride + (ceilMode ? stride - 1 : 0)), extent);
  OpFoldResult windows = math.div(math.max(room, math.constant(0)), stride);
  if (!ceilMode)
    return windows;
  OpFoldResult last = math.mul(math.sub(windows, 1), stride);
  return math.max(
      math.selectGreaterEqual(last, math.add(size, padding), math.sub(windows, 1), windows),
      math.constant(0));
}

int64_t torchlite::tl::getTransposedConvSize(int64_t size, int64_t kernel, int64_t stride,
                                             int64_t padding, int64_t dilation,
                                             int64_t outputPadding) {
  if (ShapedType::isDynamic(size) || ShapedType::isDynamic(kernel))
    return ShapedType::kDynamic;
  return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + outputPadding + 1;
}

OpFoldResult torchlite::tl::getTransposedConvSize(ShapeMath &math, OpFoldResult size,
                                                  OpFoldResult kernel, int64_t stride,
                                                  int64_t padding, int64_t dilation,
                                                  int64_t outputPadding) {
  OpFoldResult spread =
      math.add(math.mul(math.sub(size, 1), stride), outputPadding + 1 - 2 * padding);
  return math.max(math.add(spread, math.mul(math.sub(kernel, 1), dilation)), math.constant(0));
}

bool inference::areCompatibleTensors(TypeRange inferred, TypeRange actual) {
  if (inferred.size() != actual.size())
    return false;
  return llvm::all_of(llvm::zip(inferred, actual), [](auto pair) {
    auto expected = dyn_cast<RankedTensorType>(std::get<0>(pair));
    auto found = dyn_cast<RankedTensorType>(std::get<1>(pair));
    return expected && found && expected.getElementType() == found.getElementType() &&
           succeeded(verifyCompatibleShape(expected, found));
  });
}

SmallVector<OpFoldResult> inference::matchSizes(OpBuilder &builder, Location loc,
                                                ArrayRef<OpFoldResult> sizes, Type type) {
  SmallVector<OpFoldResult> result;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(type).getShape();
  for (auto [size, known] : llvm::zip_equal(sizes, shape))
    result.push_back(ShapedType::isDynamic(known)
                         ? OpFoldResult(getValueOrCreateConstantIndexOp(builder, loc, size))
                         : OpFoldResult(builder.getIndexAttr(known)));
  return result;
}
