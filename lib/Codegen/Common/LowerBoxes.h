//===- LowerBoxes.h - Operations on boxes to calls of the runtime -*- C++ -*-===//
#ifndef TORCHLITE_LIB_CODEGEN_COMMON_LOWERBOXES_H
#define TORCHLITE_LIB_CODEGEN_COMMON_LOWERBOXES_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

namespace torchlite {

/// What the lowering of the runtime's operations (LowerRuntime.cpp) lends to that of boxes.
class BoxLowering {
public:
  explicit BoxLowering(mlir::MLIRContext *context)
      : builder(context), pointer(mlir::LLVM::LLVMPointerType::get(context)),
        i64(builder.getI64Type()) {}
  virtual ~BoxLowering() = default;

  /// At the builder's insertion point, in front of `op`, which is replaced.
  llvm::LogicalResult lowerBox(mlir::Operation *op);

protected:
  virtual mlir::Value frameOf(mlir::Operation *op) = 0;
  virtual mlir::LLVM::LLVMFuncOp runtimeFunction(llvm::StringRef name, mlir::Type result,
                                                 llvm::ArrayRef<mlir::Type> arguments) = 0;
  virtual mlir::Value textAddress(mlir::Location loc, llvm::StringRef text) = 0;
  virtual mlir::Value stackSlot(mlir::Location loc, mlir::Type type, int64_t count,
                                mlir::Operation *at) = 0;
  virtual mlir::Value constant(mlir::Location loc, int64_t value) = 0;
  virtual mlir::Value load(mlir::Location loc, mlir::Type type, mlir::Value base,
                           int64_t bytes) = 0;
  virtual void store(mlir::Location loc, mlir::Value value, mlir::Value base, int64_t bytes) = 0;
  virtual mlir::Value cast(mlir::Location loc, mlir::Type type, mlir::Value value) = 0;
  virtual mlir::Value makeMemRef(mlir::Location loc, mlir::MemRefType type, mlir::Value data,
                                 llvm::ArrayRef<mlir::Value> sizes) = 0;
  virtual int64_t elementBytes(mlir::MemRefType type) = 0;
  virtual const mlir::LLVMTypeConverter &typeConverter() = 0;

  mlir::OpBuilder builder;
  mlir::Type pointer, i64;

private:
  mlir::Value call(mlir::Operation *op, llvm::StringRef name, mlir::Type result,
                   llvm::ArrayRef<mlir::Value> operands, bool needsFrame);
  llvm::SmallVector<mlir::Value, 2> item(mlir::Location loc, mlir::Value value);
  mlir::Value pointerTo(mlir::Location loc, mlir::Value box) { return cast(loc, pointer, box); }
  mlir::Value message(mlir::Operation *op, llvm::StringRef text);
  llvm::LogicalResult replaceBy(mlir::Operation *op, mlir::Value value);
  llvm::LogicalResult lowerPack(mlir::Operation *op);
  llvm::LogicalResult lowerUnpack(mlir::Operation *op);
  llvm::LogicalResult lowerTogether(mlir::Operation *op);
  llvm::LogicalResult lowerGet(mlir::Operation *op);
  llvm::LogicalResult lowerKeep(mlir::Operation *op);
  llvm::SmallVector<mlir::Value> textWithItems(mlir::Operation *op, mlir::ArrayAttr pieces,
                                               mlir::ValueRange values);
  mlir::Value booleanOf(mlir::Location loc, mlir::Value number);
};

/// Boxes are addresses.
void addBoxConversion(mlir::LLVMTypeConverter &converter);

/// The innermost file and line of a location, empty if it has none.
std::string describeLocation(mlir::Location loc);

} // namespace torchlite

#endif // TORCHLITE_LIB_CODEGEN_COMMON_LOWERBOXES_H
