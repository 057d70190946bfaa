//===- TensorOf.cpp - Between numbers in lists and tensors ----------------===//
#include "../Interpreter/RunTimeLists.h"
#include "../Interpreter/Walker.h"
#include "TorchLite/Specialize/Rules.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {

using Results = SmallVectorImpl<SpecValue>;

/// int64 for ints, f32 (the default type) for floats, bool for bools.
Type defaultType(RuleContext &ctx, const SpecValue &number) {
  if (number.is(ValueKind::Float))
    return ctx.b.getF32Type();
  return number.is(ValueKind::Bool) ? Type(ctx.b.getI1Type()) : Type(ctx.b.getI64Type());
}

/// A number as a 0-dim tensor of an element type.
Value scalarTensor(RuleContext &ctx, const SpecValue &number, Type type) {
  if (std::optional<int64_t> known = number.getInt())
    return ctx.constantTensor(*known, type);
  if (std::optional<double> known = number.getFloat())
    return ctx.constantTensor(*known, type);
  return ctx.cast(ctx.fromScalar(number.getScalar()), type);
}

/// tensor.float(t, dtype, device, requires_grad), as_tensor.float(t, dtype, device).
LogicalResult ofNumber(RuleContext &ctx, Results &results) {
  const SpecValue &number = ctx.operand(0);
  if (!number.isNumber())
    return ctx.fail("expected a number, but got " + number.kindName());
  Type type = ctx.dtype(1, defaultType(ctx, number));
  if (ctx.failed())
    return failure();
  results.push_back(ctx.makeTensor(scalarTensor(ctx, number, type)));
  return success();
}

/// Collects the numbers of nested lists, row-major; false if lists of one depth differ in length.
bool flatten(RuleContext &ctx, const SpecValue &value, unsigned depth,
             SmallVectorImpl<int64_t> &shape, SmallVectorImpl<SpecValue> &numbers) {
  if (value.isNumber()) {
    numbers.push_back(value);
    return depth == shape.size();
  }
  if (value.isTensor()) {
    // A 0-dim tensor stands for its element.
    Value scalar = ctx.toScalar(ctx.tensorValue(value));
    numbers.push_back(SpecValue::scalar(scalar));
    return depth == shape.size();
  }
  if (!value.is(ValueKind::List))
    return false;
  std::vector<SpecValue> elements = ctx.elements(value);
  int64_t size = elements.size();
  if (depth == shape.size()) {
    if (!numbers.empty())
      return false;
    shape.push_back(size);
  }
  if (shape[depth] != size)
    return false;
  return llvm::all_of(elements, [&](const SpecValue &element) {
    return flatten(ctx, element, depth + 1, shape, numbers);
  });
}

/// tensor(t[] data, dtype, device, requires_grad), as_tensor.list(t[] data, dtype, device).
LogicalResult ofList(RuleContext &ctx, Results &results) {
  SmallVector<int64_t> shape;
  SmallVector<SpecValue> numbers;
  if (!ctx.operand(0).is(ValueKind::List) || !flatten(ctx, ctx.operand(0), 0, shape, numbers))
    return ctx.fail("expected nested lists of numbers, equally long at each depth");
  // The declared type of an empty list says what it would hold.
  Type inferred = ctx.getWalker().cell(ctx.operand(0).getCell()).type;
  while (auto list = dyn_cast<ListType>(inferred))
    inferred = list.getElementType();
  if (!inferred.isInteger(64) && !inferred.isInteger(1))
    inferred = ctx.b.getF32Type();
  if (!numbers.empty()) {
    inferred = defaultType(ctx, numbers.front());
    for (const SpecValue &number : numbers)
      inferred = promoteTypes(inferred, defaultType(ctx, number));
  }
  Type type = ctx.dtype(1, inferred);
  if (ctx.failed())
    return failure();
  auto tensorType = RankedTensorType::get(shape, type);
  if (numbers.empty()) {
    results.push_back(ctx.makeTensor(
        ctx.full(llvm::map_to_vector(shape, [&](int64_t s) { return ctx.fold(s); }), 0.0, type)));
    return success();
  }
  // Numbers of one kind become one constant or one tensor, which is then converted.
  bool allInts = llvm::none_of(numbers, [](const SpecValue &n) { return n.is(ValueKind::Float); });
  bool allBools = llvm::all_of(numbers, [](const SpecValue &n) { return n.is(ValueKind::Bool); });
  bool known = llvm::all_of(numbers, [](const SpecValue &n) { return n.isConstant(); });
  OpBuilder &b = ctx.b;
  Walker &w = ctx.getWalker();
  Value value;
  if (known) {
    if (allBools) {
      auto values = llvm::map_to_vector(numbers, [](const SpecValue &n) { return *n.getBool(); });
      value = w.constant(DenseElementsAttr::get(tensorType.clone(b.getI1Type()), values));
    } else if (allInts) {
      auto values = llvm::map_to_vector(numbers, [](const SpecValue &n) { return *n.getInt(); });
      value = w.constant(
          DenseElementsAttr::get(tensorType.clone(b.getI64Type()), ArrayRef<int64_t>(values)));
    } else if (type.isF32()) {
      auto values = llvm::map_to_vector(
          numbers, [](const SpecValue &n) { return static_cast<float>(*n.getFloat()); });
      value = w.constant(DenseElementsAttr::get(tensorType, ArrayRef<float>(values)));
    } else {
      auto values = llvm::map_to_vector(numbers, [](const SpecValue &n) { return *n.getFloat(); });
      value = w.constant(
          DenseElementsAttr::get(tensorType.clone(b.getF64Type()), ArrayRef<double>(values)));
    }
  } else {
    Type common = allBools  ? Type(b.getI1Type())
                  : allInts ? Type(b.getI64Type())
                            : Type(b.getF64Type());
    SmallVector<Value> elements;
    for (const SpecValue &number : numbers) {
      Value scalar = ctx.scalarValue(number);
      if (scalar.getType() != common)
        scalar =
            tensor::ExtractOp::create(b, ctx.loc, scalarTensor(ctx, number, common), ValueRange());
      elements.push_back(scalar);
    }
    value = tensor::FromElementsOp::create(b, ctx.loc, tensorType.clone(common), elements);
  }
  results.push_back(ctx.makeTensor(ctx.cast(value, type)));
  return success();
}

/// as_tensor(Tensor data, dtype, device): the tensor itself if it has that type.
LogicalResult asTensor(RuleContext &ctx, Results &results) {
  if (!ctx.isTensor(0))
    return ctx.fail("expected a tensor, but got " + ctx.operand(0).kindName());
  Type own = ctx.operand(0).getTensor().type.getElementType(), type = ctx.dtype(1, own);
  if (ctx.failed())
    return failure();
  if (type == own)
    results.push_back(ctx.operand(0));
  else
    results.push_back(ctx.makeTensor(ctx.cast(ctx.tensor(0), type), ctx.contiguous(0)));
  return success();
}

/// More numbers than these are kept in a list as a tensor.
constexpr int64_t mostNumbers = 64;

/// The elements of a tensor, a list for each dimension.
std::optional<SpecValue> listOf(RuleContext &ctx, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (type.getRank() == 0)
    return SpecValue::scalar(ctx.toScalar(tensor));
  int64_t count = type.getDimSize(0);
  if (type.getRank() == 1 && (type.isDynamicDim(0) || count > mostNumbers))
    return runTimeListOf(ctx.getWalker(), tensor, TypeAttr::get(type.getElementType()),
                         type.getElementType());
  if (type.isDynamicDim(0)) {
    (void)ctx.fail("tolist: only the last dimension may be of unknown size");
    return std::nullopt;
  }
  SmallVector<OpFoldResult> inner = ctx.sizes(tensor);
  inner.erase(inner.begin());
  Type elementType = type.getElementType();
  for (int64_t dim = 1; dim < type.getRank(); ++dim)
    elementType = ListType::get(ctx.context(), elementType);
  std::vector<SpecValue> elements;
  for (int64_t i = 0; i < count; ++i) {
    Value part = ctx.reshape(ctx.slice(tensor, 0, ctx.fold(i), ctx.fold(1)), inner);
    std::optional<SpecValue> element = listOf(ctx, part);
    if (!element)
      return std::nullopt;
    elements.push_back(*element);
  }
  return ctx.makeList(std::move(elements), elementType);
}

/// prim::tolist(self, dimensions, element type): what is annotated has to be what there is.
LogicalResult toList(RuleContext &ctx, Results &results) {
  Value self = ctx.tensor(0);
  if (ctx.failed())
    return failure();
  Type annotated = ctx.resultTypes().front(), own = getElementTypeOrSelf(self);
  int64_t rank = 0;
  for (; isa<ListType>(annotated); ++rank)
    annotated = cast<ListType>(annotated).getElementType();
  if (!(annotated.isF64() && own.isF32()) && annotated != own)
    return ctx.raise("Output annotation element type and runtime tensor element type must match "
                     "for tolist()");
  if (rank != cast<RankedTensorType>(self.getType()).getRank())
    return ctx.raise("Output annotation list dimension and runtime tensor dimension must match "
                     "for tolist()");
  std::optional<SpecValue> list = listOf(ctx, ctx.cast(self, annotated));
  if (!list || ctx.failed())
    return failure();
  results.push_back(*list);
  return success();
}

} // namespace

void specialize::registerTensorOfRules(RuleRegistry &registry) {
  for (const char *name : {"tensor.float", "tensor.int", "tensor.bool", "as_tensor.float",
                           "as_tensor.int", "as_tensor.bool"})
    registry.special(name, ofNumber);
  registry.special("tensor", ofList);
  registry.special("as_tensor.list", ofList);
  registry.special("as_tensor", asTensor);
  registry.special("prim::tolist", toList);
}
