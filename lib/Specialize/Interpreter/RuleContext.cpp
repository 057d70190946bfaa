//===- RuleContext.cpp - Operands of an operator call ---------------------===//
#include "Boxes.h"
#include "RunTimeLists.h"
#include "TorchLite/Specialize/Rules.h"
#include "Walker.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

LogicalResult RuleContext::fail(const Twine &message) {
  if (!hasFailed)
    (void)walker.error(loc, Twine("'") + opName + "': " + message);
  hasFailed = true;
  return failure();
}

LogicalResult RuleContext::raise(const Twine &message, ValueRange values) {
  if (!hasFailed)
    walker.raise(loc, message.str(), values);
  hasFailed = true;
  return failure();
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

const SpecValue &RuleContext::operand(unsigned i) const {
  static const SpecValue none = SpecValue::none();
  return i < args.size() ? args[i] : none;
}

/// "operand #1 of 'cat' is expected to be ..., but is ...".
static std::string expected(unsigned i, StringRef what, const SpecValue &value) {
  return ("expected operand #" + Twine(i) + " to be " + what + ", but it is " +
          (value.isNumber() && !value.isConstant() ? "known only at run time"
                                                   : value.kindName().str()))
      .str();
}

Value RuleContext::tensor(unsigned i) {
  if (isTensor(i))
    if (Value value = walker.readTensor(operand(i)))
      return value;
  (void)fail(expected(i, "a tensor", operand(i)));
  return walker.constant(DenseElementsAttr::get(RankedTensorType::get({}, b.getF32Type()), 0.0f));
}

Value RuleContext::optionalTensor(unsigned i) { return isNone(i) ? Value() : tensor(i); }

RankedTensorType RuleContext::tensorType(unsigned i) {
  return llvm::cast<RankedTensorType>(tensor(i).getType());
}

Known RuleContext::contiguous(unsigned i) {
  return isTensor(i) ? operand(i).getTensor().contiguous : Known::Maybe;
}

SmallVector<Value> RuleContext::optionalTensorList(unsigned i) {
  SmallVector<Value> values;
  if (!operand(i).is(ValueKind::List) && !operand(i).is(ValueKind::Tuple)) {
    (void)fail(expected(i, "a list of tensors", operand(i)));
    return values;
  }
  for (const SpecValue &element : elements(operand(i))) {
    if (element.isTensor())
      values.push_back(walker.readTensor(element));
    else if (element.isNone())
      values.push_back({});
    else
      (void)fail("expected a list of tensors as operand #" + Twine(i) + ", but it holds " +
                 element.kindName());
  }
  return values;
}

SmallVector<Value> RuleContext::tensorList(unsigned i) {
  SmallVector<Value> values = optionalTensorList(i);
  if (llvm::any_of(values, [](Value value) { return !value; })) {
    (void)fail("expected a list of tensors as operand #" + Twine(i) + ", but it holds None");
    values.clear();
  }
  return values;
}

Value RuleContext::tensorOrScalar(unsigned i, Type elementType) {
  if (isTensor(i))
    return cast(tensor(i), elementType);
  if (auto number = operand(i).getFloat()) {
    if (auto integer = operand(i).getInt())
      return constantTensor(*integer, elementType);
    return constantTensor(*number, elementType);
  }
  if (operand(i).isNumber())
    return cast(fromScalar(walker.scalarValue(operand(i))), elementType);
  (void)fail(expected(i, "a tensor or a number", operand(i)));
  return constantTensor(0, elementType);
}

int64_t RuleContext::constantInt(unsigned i) {
  if (std::optional<int64_t> value = operand(i).getInt())
    return *value;
  (void)fail(expected(i, "an int known at compile time", operand(i)));
  return 0;
}

double RuleContext::constantFloat(unsigned i) {
  if (std::optional<double> value = operand(i).getFloat())
    return *value;
  (void)fail(expected(i, "a number known at compile time", operand(i)));
  return 0;
}

bool RuleContext::constantBool(unsigned i) {
  if (std::optional<bool> value = operand(i).getBool())
    return *value;
  (void)fail(expected(i, "a bool known at compile time", operand(i)));
  return false;
}

StringRef RuleContext::constantString(unsigned i) {
  if (std::optional<StringRef> value = operand(i).getString())
    return *value;
  (void)fail(expected(i, "a string known at compile time", operand(i)));
  return "";
}

int64_t RuleContext::constantInt(unsigned i, int64_t fallback) {
  return isNone(i) ? fallback : constantInt(i);
}
double RuleContext::constantFloat(unsigned i, double fallback) {
  return isNone(i) ? fallback : constantFloat(i);
}
bool RuleContext::constantBool(unsigned i, bool fallback) {
  return isNone(i) ? fallback : constantBool(i);
}

Value RuleContext::scalar(unsigned i) {
  if (operand(i).isNumber())
    return walker.scalarValue(operand(i));
  (void)fail(expected(i, "a number", operand(i)));
  return walker.constant(b.getI64IntegerAttr(0));
}

Value RuleContext::scalarAs(unsigned i, Type type) {
  if (operand(i).isConstant() && operand(i).isNumber()) {
    if (std::optional<int64_t> value = operand(i).getInt();
        value && isa<IntegerType>(type) && !type.isInteger(1))
      return walker.constant(
          b.getIntegerAttr(type, APInt(type.getIntOrFloatBitWidth(), *value, /*isSigned=*/true,
                                       /*implicitTrunc=*/true)));
    return constantScalar(*operand(i).getFloat(), type);
  }
  Value value = scalar(i);
  if (value.getType() == type)
    return value;
  return tensor::ExtractOp::create(b, loc, cast(fromScalar(value), type), ValueRange{});
}

OpFoldResult RuleContext::index(unsigned i) {
  if (std::optional<int64_t> value = operand(i).getInt())
    return b.getIndexAttr(*value);
  if (operand(i).is(ValueKind::Int))
    return indexValue(operand(i).getScalar());
  (void)fail(expected(i, "an int", operand(i)));
  return b.getIndexAttr(0);
}

SmallVector<OpFoldResult> RuleContext::indexList(unsigned i) {
  if (operand(i).is(ValueKind::Int))
    return {index(i)};
  SmallVector<OpFoldResult> sizes;
  if (!operand(i).is(ValueKind::List) && !operand(i).is(ValueKind::Tuple)) {
    (void)fail(expected(i, "a list of ints", operand(i)));
    return sizes;
  }
  for (const SpecValue &element : elements(operand(i))) {
    if (std::optional<int64_t> value = element.getInt())
      sizes.push_back(b.getIndexAttr(*value));
    else if (element.is(ValueKind::Int))
      sizes.push_back(indexValue(element.getScalar()));
    else if (element.isTensor()) // traces pass 0-dim tensors where ints are meant
      sizes.push_back(indexValue(toScalar(walker.readTensor(element))));
    else
      (void)fail("expected a list of ints as operand #" + Twine(i) + ", but it holds " +
                 element.kindName());
  }
  return sizes;
}

SmallVector<int64_t> RuleContext::constantIntList(unsigned i, unsigned count) {
  SmallVector<int64_t> values;
  for (OpFoldResult size : indexList(i)) {
    std::optional<int64_t> value = getConstantIntValue(size);
    if (!value) {
      (void)fail("expected operand #" + Twine(i) + " to be known at compile time");
      return SmallVector<int64_t>(std::max(count, 1u), 1);
    }
    values.push_back(*value);
  }
  if (count && values.size() == 1)
    values.assign(count, values.front());
  if (count && values.size() != count) {
    (void)fail("expected " + Twine(count) + " ints as operand #" + Twine(i) + ", but got " +
               Twine(values.size()));
    values.resize(count, 1);
  }
  return values;
}

SmallVector<double> RuleContext::constantFloatList(unsigned i) {
  SmallVector<double> values;
  if (!operand(i).is(ValueKind::List) && !operand(i).is(ValueKind::Tuple)) {
    (void)fail(expected(i, "a list of floats", operand(i)));
    return values;
  }
  for (const SpecValue &element : elements(operand(i))) {
    if (std::optional<double> value = element.getFloat())
      values.push_back(*value);
    else
      (void)fail("expected operand #" + Twine(i) + " to be known at compile time");
  }
  return values;
}

int64_t RuleContext::dim(unsigned i, int64_t rank) {
  int64_t dim = constantInt(i), bound = std::max<int64_t>(rank, 1);
  if (dim < -bound || dim >= bound) {
    (void)raise("Dimension out of range (expected to be in range of [" + Twine(-bound) + ", " +
                Twine(bound - 1) + "], but got " + Twine(dim) + ")");
    return 0;
  }
  return dim < 0 ? dim + bound : dim;
}

SmallVector<int64_t> RuleContext::dimList(unsigned i, int64_t rank) {
  SmallVector<int64_t> dims;
  if (!isNone(i))
    dims = constantIntList(i);
  if (dims.empty())
    return llvm::to_vector(llvm::seq<int64_t>(0, rank));
  int64_t bound = std::max<int64_t>(rank, 1);
  for (int64_t &dim : dims) {
    if (dim < -bound || dim >= bound) {
      (void)raise("Dimension out of range (expected to be in range of [" + Twine(-bound) + ", " +
                  Twine(bound - 1) + "], but got " + Twine(dim) + ")");
      return {};
    }
    dim = dim < 0 ? dim + bound : dim;
  }
  for (auto [position, dim] : llvm::enumerate(dims))
    if (llvm::is_contained(ArrayRef<int64_t>(dims).take_front(position), dim)) {
      (void)raise("dim " + Twine(dim) + " appears multiple times in the list of dims");
      return {};
    }
  if (rank == 0)
    dims.clear();
  return dims;
}

Type RuleContext::dtype(unsigned i, Type fallback) {
  if (isNone(i))
    return fallback;
  int64_t number = constantInt(i);
  if (Type type = dtypeToType(context(), number))
    return type;
  (void)fail("expected a dtype that is supported, but got number " + Twine(number));
  return fallback;
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

OpFoldResult RuleContext::size(Value tensor, int64_t dim) { return walker.sizeOf(tensor, dim); }

SmallVector<OpFoldResult> RuleContext::sizes(Value tensor) {
  SmallVector<OpFoldResult> result;
  for (int64_t i : llvm::seq<int64_t>(0, llvm::cast<RankedTensorType>(tensor.getType()).getRank()))
    result.push_back(size(tensor, i));
  return result;
}

Known RuleContext::equal(OpFoldResult a, OpFoldResult b) { return walker.equalSizes(a, b); }

bool RuleContext::requireEqual(OpFoldResult lhs, OpFoldResult rhs, const Twine &message) {
  if (hasFailed)
    return false;
  switch (equal(lhs, rhs)) {
  case Known::Yes:
    return true;
  case Known::No:
    (void)raise(message + " (" + Twine(getConstantIntValue(lhs).value_or(-1)) + " and " +
                Twine(getConstantIntValue(rhs).value_or(-1)) + ")");
    return false;
  case Known::Maybe:
    break;
  }
  Value left = intValue(lhs), right = intValue(rhs);
  Value same = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, left, right);
  CheckOp::create(b, loc, same, message + " ({} and {})", ValueRange{left, right});
  walker.assumeEqual(lhs, rhs);
  return true;
}

Value RuleContext::indexValue(OpFoldResult size) {
  if (auto attr = dyn_cast<Attribute>(size))
    return walker.constant(b.getIndexAttr(llvm::cast<IntegerAttr>(attr).getInt()));
  Value value = llvm::cast<Value>(size);
  if (value.getType().isIndex())
    return value;
  if (auto castOp = value.getDefiningOp<arith::IndexCastOp>())
    if (castOp.getIn().getType().isIndex())
      return castOp.getIn();
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return walker.constant(b.getIndexAttr(constant.getSExtValue()));
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), value);
}

Value RuleContext::intValue(OpFoldResult size) {
  if (auto attr = dyn_cast<Attribute>(size))
    return walker.constant(b.getI64IntegerAttr(llvm::cast<IntegerAttr>(attr).getInt()));
  Value value = llvm::cast<Value>(size);
  if (value.getType().isInteger(64))
    return value;
  if (auto castOp = value.getDefiningOp<arith::IndexCastOp>())
    if (castOp.getIn().getType().isInteger(64))
      return castOp.getIn();
  return arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
}

namespace {
/// Folds constants and neutral elements, and makes an operation on indices otherwise.
template <typename OpTy>
OpFoldResult fold(RuleContext &ctx, OpFoldResult a, OpFoldResult b,
                  llvm::function_ref<int64_t(int64_t, int64_t)> compute) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return ctx.b.getIndexAttr(compute(*x, *y));
  return OpTy::create(ctx.b, ctx.loc, ctx.indexValue(a), ctx.indexValue(b)).getResult();
}
} // namespace

OpFoldResult RuleContext::add(OpFoldResult lhs, OpFoldResult rhs) {
  if (isZeroInteger(rhs))
    return lhs;
  if (isZeroInteger(lhs))
    return rhs;
  return ::fold<arith::AddIOp>(*this, lhs, rhs, [](int64_t x, int64_t y) { return x + y; });
}

OpFoldResult RuleContext::sub(OpFoldResult lhs, OpFoldResult rhs) {
  if (isZeroInteger(rhs))
    return lhs;
  if (equal(lhs, rhs) == Known::Yes)
    return b.getIndexAttr(0);
  return ::fold<arith::SubIOp>(*this, lhs, rhs, [](int64_t x, int64_t y) { return x - y; });
}

OpFoldResult RuleContext::mul(OpFoldResult lhs, OpFoldResult rhs) {
  if (isOneInteger(rhs) || isZeroInteger(lhs))
    return lhs;
  if (isOneInteger(lhs) || isZeroInteger(rhs))
    return rhs;
  return ::fold<arith::MulIOp>(*this, lhs, rhs, [](int64_t x, int64_t y) { return x * y; });
}

OpFoldResult RuleContext::floorDiv(OpFoldResult lhs, OpFoldResult rhs) {
  std::optional<int64_t> divisor = getConstantIntValue(rhs);
  if (!divisor)
    rhs = maximum(rhs, b.getIndexAttr(1)); // Nothing may trap; whoever divides checks the divisor.
  else if (*divisor <= 1)
    return lhs;
  return ::fold<arith::FloorDivSIOp>(
      *this, lhs, rhs, [](int64_t x, int64_t y) { return llvm::divideFloorSigned(x, y); });
}

OpFoldResult RuleContext::minimum(OpFoldResult lhs, OpFoldResult rhs) {
  if (equal(lhs, rhs) == Known::Yes)
    return lhs;
  return ::fold<arith::MinSIOp>(*this, lhs, rhs,
                                [](int64_t x, int64_t y) { return std::min(x, y); });
}

OpFoldResult RuleContext::maximum(OpFoldResult lhs, OpFoldResult rhs) {
  if (equal(lhs, rhs) == Known::Yes)
    return lhs;
  return ::fold<arith::MaxSIOp>(*this, lhs, rhs,
                                [](int64_t x, int64_t y) { return std::max(x, y); });
}

OpFoldResult RuleContext::product(ArrayRef<OpFoldResult> sizes) {
  // Static factors first, so that equal products look equal.
  int64_t factor = 1;
  OpFoldResult result;
  for (OpFoldResult size : sizes) {
    if (std::optional<int64_t> value = getConstantIntValue(size))
      factor *= *value;
    else
      result = result ? mul(result, size) : size;
  }
  if (!result || factor == 0)
    return b.getIndexAttr(factor);
  return mul(result, b.getIndexAttr(factor));
}

SmallVector<int64_t> RuleContext::staticSizes(ArrayRef<OpFoldResult> sizes) {
  return llvm::map_to_vector(sizes, [](OpFoldResult size) {
    return getConstantIntValue(size).value_or(ShapedType::kDynamic);
  });
}

SmallVector<Value> RuleContext::dynamicSizes(ArrayRef<OpFoldResult> sizes) {
  SmallVector<Value> values;
  for (OpFoldResult size : sizes)
    if (!getConstantIntValue(size))
      values.push_back(indexValue(size));
  return values;
}

RankedTensorType RuleContext::makeType(ArrayRef<OpFoldResult> sizes, Type elementType) {
  return RankedTensorType::get(staticSizes(sizes), elementType);
}

//===----------------------------------------------------------------------===//
// Builders
//===----------------------------------------------------------------------===//

Value RuleContext::cast(Value tensor, Type elementType) {
  if (getElementTypeOrSelf(tensor) == elementType)
    return tensor;
  if (isComplex(elementType) || isComplex(getElementTypeOrSelf(tensor)))
    return castComplex(tensor, elementType);
  return CastOp::create(b, loc, tensor, elementType);
}

/// Real numbers have the imaginary part 0, and lose another one; bool is whether one part is not 0.
Value RuleContext::castComplex(Value tensor, Type elementType) {
  auto from = dyn_cast<ComplexType>(getElementTypeOrSelf(tensor));
  auto to = dyn_cast<ComplexType>(elementType);
  Value re = from ? RealOp::create(b, loc, tensor).getResult() : tensor, im;
  if (to) {
    Type part = to.getElementType();
    im = from ? cast(ImagOp::create(b, loc, tensor), part) : constantTensor(0, part);
    return ComplexOp::create(b, loc, cast(re, part), im);
  }
  if (!isBool(elementType))
    return cast(re, elementType);
  im = ImagOp::create(b, loc, tensor);
  return OrOp::create(b, loc, cast(re, elementType), cast(im, elementType));
}

/// A number as attribute of any element type, converted as PyTorch does.
static TypedAttr numberAttr(Builder &b, double value, Type type) {
  if (isa<FloatType>(type))
    return b.getFloatAttr(type, value);
  if (type.isInteger(1))
    return b.getBoolAttr(value != 0);
  // Out of range and for NaN the least int, as at run time.
  int64_t integer = value >= -0x1p63 && value < 0x1p63 ? static_cast<int64_t>(value)
                                                       : std::numeric_limits<int64_t>::min();
  return b.getIntegerAttr(type, APInt(type.getIntOrFloatBitWidth(), integer, /*isSigned=*/true,
                                      /*implicitTrunc=*/true));
}

static TypedAttr numberAttr(Builder &b, int64_t value, Type type) {
  // Rounded once, to f32 for all that is narrower than f64.
  if (isa<FloatType>(type))
    return b.getFloatAttr(type, type.isF64() ? static_cast<double>(value)
                                             : static_cast<double>(static_cast<float>(value)));
  if (type.isInteger(1))
    return b.getBoolAttr(value != 0);
  return b.getIntegerAttr(type, APInt(type.getIntOrFloatBitWidth(), value, /*isSigned=*/true,
                                      /*implicitTrunc=*/true));
}

template <typename T> static TypedAttr tensorAttr(Builder &b, T value, Type elementType) {
  auto type = RankedTensorType::get({}, elementType);
  if (auto complex = dyn_cast<ComplexType>(elementType)) {
    auto real = cast<FloatAttr>(numberAttr(b, value, complex.getElementType()));
    std::complex<APFloat> number(real.getValue(), APFloat::getZero(real.getValue().getSemantics()));
    return DenseElementsAttr::get(type, number);
  }
  return DenseElementsAttr::get(type, Attribute(numberAttr(b, value, elementType)));
}

Value RuleContext::constantTensor(double value, Type elementType) {
  return walker.constant(tensorAttr(b, value, elementType));
}
Value RuleContext::constantTensor(int64_t value, Type elementType) {
  return walker.constant(tensorAttr(b, value, elementType));
}

Value RuleContext::constantScalar(double value, Type type) {
  // arith.constant knows no ui8: taken out of a tensor constant.
  if (isa<ComplexType>(type) || (isa<IntegerType>(type) && !type.isSignlessInteger()))
    return tensor::ExtractOp::create(b, loc, constantTensor(value, type), ValueRange{});
  return walker.constant(numberAttr(b, value, type));
}

Value RuleContext::fromScalar(Value scalar) {
  return tensor::FromElementsOp::create(b, loc, RankedTensorType::get({}, scalar.getType()),
                                        ValueRange{scalar});
}

/// The constant that a small value is, or null. Traces compute sizes on 0-dim tensors
/// (`torch.mul(bsz, 8)`): these fold here, so that shapes stay static.
static Attribute foldToConstant(Value value, unsigned depth = 0) {
  constexpr unsigned maxDepth = 32;
  Attribute constant;
  if (matchPattern(value, m_Constant(&constant)))
    return constant;
  Operation *op = value.getDefiningOp();
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!op || depth == maxDepth || op->getNumRegions() || !isMemoryEffectFree(op) ||
      (type && (!type.hasStaticShape() || type.getNumElements() != 1)))
    return {};
  SmallVector<Attribute> operands;
  for (Value operand : op->getOperands()) {
    operands.push_back(foldToConstant(operand, depth + 1));
    if (!operands.back())
      return {};
  }
  SmallVector<OpFoldResult> results;
  if (failed(op->fold(operands, results)) || results.size() != op->getNumResults())
    return {};
  OpFoldResult result = results[cast<OpResult>(value).getResultNumber()];
  auto other = dyn_cast<Value>(result);
  return other ? foldToConstant(other, depth + 1) : cast<Attribute>(result);
}

Value RuleContext::toScalar(Value tensor) {
  auto type = llvm::cast<RankedTensorType>(tensor.getType());
  for (int64_t i : llvm::seq<int64_t>(0, type.getRank()))
    if (!requireEqual(size(tensor, i), b.getIndexAttr(1),
                      "a Tensor with more or less than one element cannot be converted to Scalar"))
      return walker.constant(b.getI64IntegerAttr(0));
  Type element = type.getElementType();
  Type wanted = isFloat(element)  ? Type(b.getF64Type())
                : isBool(element) ? Type(b.getI1Type())
                                  : Type(b.getI64Type());
  if (isComplex(element)) {
    (void)fail("complex numbers as scalars are not supported");
    return walker.constant(b.getI64IntegerAttr(0));
  }
  // A small constant folds.
  if (type.getRank() == 0 || type.hasStaticShape()) {
    auto constant = dyn_cast_or_null<DenseElementsAttr>(foldToConstant(tensor));
    if (constant && constant.getNumElements() == 1) {
      if (isFloat(element))
        return walker.constant(
            b.getF64FloatAttr((*constant.getValues<APFloat>().begin()).convertToDouble()));
      APInt integer = *constant.getValues<APInt>().begin();
      if (isBool(element))
        return walker.constant(b.getBoolAttr(!integer.isZero()));
      return walker.constant(b.getI64IntegerAttr(
          element.isUnsignedInteger() ? integer.getZExtValue() : integer.getSExtValue()));
    }
  }
  Value converted = cast(tensor, wanted);
  SmallVector<Value> zeros(type.getRank(), walker.constant(b.getIndexAttr(0)));
  // `from_elements` of a scalar gives the scalar back.
  if (auto elements = converted.getDefiningOp<tensor::FromElementsOp>())
    if (elements.getElements().size() == 1)
      return elements.getElements().front();
  return tensor::ExtractOp::create(b, loc, converted, zeros);
}

Value RuleContext::full(ArrayRef<OpFoldResult> sizes, Value scalar) {
  (void)requireSizes(sizes);
  return tensor::SplatOp::create(b, loc, scalar, makeType(sizes, scalar.getType()),
                                 dynamicSizes(sizes));
}

Value RuleContext::full(ArrayRef<OpFoldResult> sizes, double value, Type elementType) {
  RankedTensorType type = makeType(sizes, elementType);
  if (type.hasStaticShape() && !isComplex(elementType))
    return walker.constant(
        DenseElementsAttr::get(type, Attribute(numberAttr(b, value, elementType))));
  return broadcastTo(constantTensor(value, elementType), sizes);
}

Value RuleContext::reshape(Value tensor, ArrayRef<OpFoldResult> sizes) {
  if (makeType(sizes, getElementTypeOrSelf(tensor)) == tensor.getType() &&
      llvm::cast<RankedTensorType>(tensor.getType()).getNumDynamicDims() <= 1)
    return tensor;
  return ReshapeOp::create(b, loc, tensor, sizes);
}

Value RuleContext::permute(Value tensor, ArrayRef<int64_t> permutation) {
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size())))
    return tensor;
  return PermuteOp::create(b, loc, tensor, permutation);
}

Value RuleContext::transpose(Value tensor, int64_t dim0, int64_t dim1) {
  SmallVector<int64_t> permutation = llvm::to_vector(
      llvm::seq<int64_t>(0, llvm::cast<RankedTensorType>(tensor.getType()).getRank()));
  std::swap(permutation[dim0], permutation[dim1]);
  return permute(tensor, permutation);
}

Value RuleContext::unsqueeze(Value tensor, int64_t dim) {
  SmallVector<OpFoldResult> shape = sizes(tensor);
  shape.insert(shape.begin() + dim, b.getIndexAttr(1));
  return ReshapeOp::create(b, loc, tensor, shape);
}

Value RuleContext::squeeze(Value tensor, int64_t dim) {
  SmallVector<OpFoldResult> shape = sizes(tensor);
  shape.erase(shape.begin() + dim);
  return ReshapeOp::create(b, loc, tensor, shape);
}

Value RuleContext::slice(Value tensor, int64_t dim, OpFoldResult offset, OpFoldResult size,
                         int64_t step) {
  SmallVector<OpFoldResult> shape = sizes(tensor);
  SmallVector<OpFoldResult> offsets(shape.size(), b.getIndexAttr(0)),
      steps(shape.size(), b.getIndexAttr(1));
  offsets[dim] = offset;
  shape[dim] = size;
  steps[dim] = b.getIndexAttr(step);
  if (llvm::any_of(shape, isZeroInteger)) // MLIR has no slices of nothing
    return full(shape, 0.0, getElementTypeOrSelf(tensor));
  return tensor::ExtractSliceOp::create(b, loc, tensor, offsets, shape, steps);
}

Value RuleContext::refine(Value tensor, RankedTensorType type) {
  if (tensor.getType() == type)
    return tensor;
  return tensor::CastOp::create(b, loc, type, tensor);
}

void RuleContext::check(Value condition, const Twine &message, ValueRange values) {
  if (hasFailed)
    return;
  APInt constant;
  if (matchPattern(condition, m_ConstantInt(&constant))) {
    if (constant.isZero())
      (void)raise(message, values);
    return;
  }
  if (std::optional<bool> known = walker.knownCondition(condition); known && *known)
    return;
  CheckOp::create(b, loc, condition, message, values);
  walker.assume(condition, true);
}

//===----------------------------------------------------------------------===//
// Abstract values
//===----------------------------------------------------------------------===//

SpecValue RuleContext::makeTensor(Value value, Known contiguous) {
  return walker.newTensor(value, contiguous);
}

Value RuleContext::tensorValue(const SpecValue &tensor) { return walker.readTensor(tensor); }

Value RuleContext::scalarValue(const SpecValue &number) { return walker.scalarValue(number); }

SpecValue RuleContext::makeInt(OpFoldResult size) {
  if (std::optional<int64_t> value = getConstantIntValue(size))
    return makeInt(*value);
  return SpecValue::scalar(intValue(size));
}

SpecValue RuleContext::makeList(std::vector<SpecValue> elements, Type elementType) {
  return walker.newList(std::move(elements), elementType);
}

ArrayRef<SpecValue> RuleContext::elements(const SpecValue &listOrTuple) {
  if (isRunTimeList(walker, listOrTuple))
    return (void)fail("a list whose length is known only at run time is not supported here"),
           ArrayRef<SpecValue>();
  if (isBoxed(walker, listOrTuple))
    return (void)fail("a list or dict whose structure is known only at run time is not supported "
                      "here"),
           ArrayRef<SpecValue>();
  if (listOrTuple.is(ValueKind::List))
    return walker.cell(listOrTuple.getCell()).elements;
  return listOrTuple.getElements();
}

bool RuleContext::writeTensor(const SpecValue &tensor, Value value) {
  if (hasFailed)
    return false;
  RankedTensorType type = tensor.getTensor().type;
  Value self = walker.readTensor(tensor);
  value = cast(value, type.getElementType());
  if (llvm::cast<RankedTensorType>(value.getType()).getRank() > type.getRank()) {
    (void)raise("output with shape of rank " + Twine(type.getRank()) +
                " doesn't match the broadcast shape");
    return false;
  }
  value = broadcastTo(value, sizes(self));
  if (hasFailed)
    return false;
  value = refine(value, type);
  if (mlir::failed(walker.writeTensor(tensor, value))) {
    hasFailed = true;
    return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// View steps
//===----------------------------------------------------------------------===//

ViewStep specialize::viewReshape(ArrayRef<OpFoldResult> sizes) {
  ViewStep step;
  step.kind = ViewStep::Kind::Reshape;
  step.sizes.assign(sizes.begin(), sizes.end());
  return step;
}

ViewStep specialize::viewPermute(ArrayRef<int64_t> permutation) {
  ViewStep step;
  step.kind = ViewStep::Kind::Permute;
  step.permutation.assign(permutation.begin(), permutation.end());
  return step;
}

ViewStep specialize::viewSlice(ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                               ArrayRef<OpFoldResult> steps) {
  ViewStep step;
  step.kind = ViewStep::Kind::Slice;
  step.offsets.assign(offsets.begin(), offsets.end());
  step.sizes.assign(sizes.begin(), sizes.end());
  step.steps.assign(steps.begin(), steps.end());
  return step;
}

ViewStep specialize::viewBroadcast(ArrayRef<OpFoldResult> sizes) {
  ViewStep step;
  step.kind = ViewStep::Kind::Broadcast;
  step.sizes.assign(sizes.begin(), sizes.end());
  return step;
}

ViewStep specialize::viewSliceDim(RuleContext &ctx, Value base, int64_t dim, OpFoldResult offset,
                                  OpFoldResult size, OpFoldResult step) {
  SmallVector<OpFoldResult> sizes = ctx.sizes(base);
  SmallVector<OpFoldResult> offsets(sizes.size(), ctx.fold(0)), steps(sizes.size(), ctx.fold(1));
  offsets[dim] = offset;
  sizes[dim] = size;
  steps[dim] = step;
  return viewSlice(offsets, sizes, steps);
}
