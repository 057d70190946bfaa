//===- RuntimeDialect.cpp - The tlrt dialect ------------------------------===//
#include "TorchLite/Dialect/Runtime/IR/BoxOps.h"
#include "TorchLite/Dialect/Runtime/IR/MatrixOps.h"
#include "TorchLite/Dialect/Runtime/IR/OperatorOps.h"
#include "TorchLite/Dialect/Runtime/IR/RandomOps.h"
#include "TorchLite/Dialect/Runtime/IR/RowsOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace torchlite::rt;

#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.cpp.inc"

#define GET_OP_CLASSES
#include "TorchLite/Dialect/Runtime/IR/RuntimeOps.cpp.inc"

#define GET_OP_CLASSES
#include "TorchLite/Dialect/Runtime/IR/RowsOps.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "TorchLite/Dialect/Runtime/IR/BoxTypes.cpp.inc"

#define GET_OP_CLASSES
#include "TorchLite/Dialect/Runtime/IR/BoxOps.cpp.inc"

#define GET_OP_CLASSES
#include "TorchLite/Dialect/Runtime/IR/MatrixOps.cpp.inc"

#define GET_OP_CLASSES
#include "TorchLite/Dialect/Runtime/IR/OperatorOps.cpp.inc"

#define GET_OP_CLASSES
#include "TorchLite/Dialect/Runtime/IR/RandomOps.cpp.inc"

void RuntimeDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "TorchLite/Dialect/Runtime/IR/BoxTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "TorchLite/Dialect/Runtime/IR/RuntimeOps.cpp.inc"
      ,
#define GET_OP_LIST
#include "TorchLite/Dialect/Runtime/IR/RowsOps.cpp.inc"
      ,
#define GET_OP_LIST
#include "TorchLite/Dialect/Runtime/IR/BoxOps.cpp.inc"
      ,
#define GET_OP_LIST
#include "TorchLite/Dialect/Runtime/IR/MatrixOps.cpp.inc"
      ,
#define GET_OP_LIST
#include "TorchLite/Dialect/Runtime/IR/OperatorOps.cpp.inc"
      ,
#define GET_OP_LIST
#include "TorchLite/Dialect/Runtime/IR/RandomOps.cpp.inc"
      >();
}

static LogicalResult verifyContiguous(Operation *op, Type type) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref || memref.getLayout().isIdentity())
    return success();
  return op->emitOpError("expected a contiguous row-major memref, but got ") << type;
}

LogicalResult ArgOp::verify() { return verifyContiguous(*this, getType()); }

LogicalResult OutputOp::verify() {
  auto type = dyn_cast<MemRefType>(getType());
  if (!type)
    return emitOpError("expected a ranked memref, but got ") << getType();
  if (type.getNumDynamicDims() != static_cast<int64_t>(getSizes().size()))
    return emitOpError("expected ")
           << type.getNumDynamicDims() << " sizes, but got " << getSizes().size();
  return verifyContiguous(*this, type);
}

LogicalResult WeightsOp::verify() {
  if (getOffset() % 64)
    return emitOpError("expected an offset that is a multiple of 64, but got ") << getOffset();
  return verifyContiguous(*this, getType());
}

LogicalResult ParallelForOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // After lowering of the body to LLVM the symbol is another kind of function.
  auto body = symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getBodyAttr());
  if (!body)
    return emitOpError("expected a function named '") << getBody() << "'";
  SmallVector<Type> expected(2, IndexType::get(getContext()));
  llvm::append_range(expected, getOperands_().getTypes());
  if (!llvm::equal(body.getArgumentTypes(), expected) || body.getNumResults())
    return emitOpError("expected a body of type ") << FunctionType::get(getContext(), expected, {})
                                                   << ", but got " << body.getFunctionType();
  return success();
}
