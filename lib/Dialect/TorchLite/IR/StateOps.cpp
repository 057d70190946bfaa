//===- StateOps.cpp - The state of an instance ----------------------------===//
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

using namespace mlir;
using namespace torchlite::tl;

LogicalResult StateOp::verify() {
  if (getTypes().empty())
    return emitOpError("expected a type for state signature 0");
  auto type = dyn_cast<TypeAttr>(getTypes()[0]);
  if (!type) {
    if (!isa<UnitAttr>(getInitial()))
      return emitOpError("expected no initial value, as the leaf holds none in state signature 0");
    return success();
  }
  auto initial = dyn_cast<TypedAttr>(getInitial());
  if (!initial)
    return emitOpError("expected an initial value of type ") << type.getValue();
  // A size may be dynamic.
  auto expected = dyn_cast<RankedTensorType>(type.getValue());
  auto actual = dyn_cast<RankedTensorType>(initial.getType());
  bool fits = initial.getType() == type.getValue() ||
              (expected && actual && expected.getElementType() == actual.getElementType() &&
               succeeded(verifyCompatibleShape(expected, actual)));
  if (!fits)
    return emitOpError("expected an initial value of type ")
           << type.getValue() << ", but got " << initial.getType();
  return success();
}
