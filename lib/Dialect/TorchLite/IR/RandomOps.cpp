//===- RandomOps.cpp - Random numbers -------------------------------------===//
#include "TorchLite/Dialect/TorchLite/IR/RandomOps.h"
#include "ShapeInference.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace torchlite;
using namespace torchlite::tl;

namespace {
/// What a kind of random numbers takes and gives.
struct Form {
  /// 'f' or 'i' for each parameter.
  StringRef parameters;
  bool hasEach;
  /// Elements: 'f' floats, 'n' numbers, 'a' any.
  char elements;
};
} // namespace

static std::optional<Form> formOf(StringRef kind) {
  return llvm::StringSwitch<std::optional<Form>>(kind)
      .Cases({"uniform", "normal", "normal_serial", "cauchy", "log_normal"}, Form{"ff", false, 'f'})
      .Case("exponential", Form{"f", false, 'f'})
      .Case("geometric", Form{"f", false, 'n'})
      .Case("bernoulli", Form{"f", false, 'a'})
      .Case("bernoulli_each", Form{"", true, 'a'})
      .Case("rrelu", Form{"ff", true, 'f'})
      .Case("poisson", Form{"", true, 'f'})
      .Case("integers", Form{"ii", false, 'a'})
      .Case("bits", Form{"", false, 'a'})
      .Case("permutation", Form{"", false, 'n'})
      .Default(std::nullopt);
}

static bool takesEach(StringRef kind, Type type) {
  return kind == "rrelu"     ? type.isInteger(1)
         : kind == "poisson" ? type.isF64()
                             : type.isF32() || type.isF64();
}

void RandomOp::build(OpBuilder &builder, OperationState &state, StringRef kind,
                     ValueRange parameters, Value each, Type elementType,
                     ArrayRef<OpFoldResult> sizes) {
  SmallVector<Value> dynamicSizes;
  Type type = inference::getSizedType(sizes, elementType, dynamicSizes);
  build(builder, state, type, builder.getStringAttr(kind), parameters, each, dynamicSizes);
}

LogicalResult RandomOp::verify() {
  std::optional<Form> form = formOf(getKind());
  if (!form)
    return emitOpError("knows no random numbers of kind '") << getKind() << "'";
  std::string given;
  for (Type type : getParameters().getTypes())
    given += type.isF64() ? 'f' : 'i';
  if (given != form->parameters)
    return emitOpError("expected ") << form->parameters.size() << " parameters of kind '"
                                    << form->parameters << "', but got '" << given << "'";
  RankedTensorType type = getType();
  Type element = type.getElementType();
  if ((form->elements == 'f' && !isa<FloatType>(element)) ||
      (form->elements == 'n' && element.isInteger(1)))
    return emitOpError("expected ")
           << (form->elements == 'f' ? "floats" : "numbers") << ", but got " << element;
  if (static_cast<int64_t>(getSizes().size()) != type.getNumDynamicDims())
    return emitOpError("expected ")
           << type.getNumDynamicDims() << " sizes, but got " << getSizes().size();
  if (getKind() == "permutation" && type.getRank() != 1)
    return emitOpError("expected a tensor of rank 1");
  if (bool(getEach()) != form->hasEach)
    return emitOpError(form->hasEach ? "expected a tensor with a number for each element"
                                     : "takes no tensor");
  if (!getEach())
    return success();
  auto each = cast<RankedTensorType>(getEach().getType());
  if (!takesEach(getKind(), each.getElementType()) ||
      failed(verifyCompatibleShape(each.getShape(), type.getShape())))
    return emitOpError("cannot take ") << each << " for the elements of " << type;
  return success();
}

LogicalResult RandomOp::reifyResultShapes(OpBuilder &builder, ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(getMixedValues(getType().getShape(), getSizes(), builder));
  return success();
}
