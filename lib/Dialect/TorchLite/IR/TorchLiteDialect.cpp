//===- TorchLiteDialect.cpp - Registers the tl dialect --------------------===//
#include "CoreFolds.h"
#include "ShapeInference.h"
#include "TorchLite/Dialect/TorchLite/IR/OperatorOps.h"
#include "TorchLite/Dialect/TorchLite/IR/RandomOps.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace torchlite::tl;

#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.cpp.inc"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteEnums.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteAttributes.cpp.inc"

#define GET_OP_CLASSES
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteOps.cpp.inc"

#define GET_OP_CLASSES
#include "TorchLite/Dialect/TorchLite/IR/OperatorOps.cpp.inc"

#define GET_OP_CLASSES
#include "TorchLite/Dialect/TorchLite/IR/RandomOps.cpp.inc"

LogicalResult DictAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, ArrayAttr keys,
                               ArrayAttr values) {
  if (keys.size() != values.size())
    return emitError() << "expected as many values as keys (" << keys.size() << "), but got "
                       << values.size();
  return success();
}

Operation *TorchLiteDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                                 Location loc) {
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

void TorchLiteDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteOps.cpp.inc"
      ,
#define GET_OP_LIST
#include "TorchLite/Dialect/TorchLite/IR/OperatorOps.cpp.inc"
      ,
#define GET_OP_LIST
#include "TorchLite/Dialect/TorchLite/IR/RandomOps.cpp.inc"
      >();
}
