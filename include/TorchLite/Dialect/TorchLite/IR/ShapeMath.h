//===- ShapeMath.h - Arithmetic on sizes ------------------------*- C++ -*-===//
//
// Sizes at compile time (`int64_t`, unknown ones are ShapedType::kDynamic) and at run time
// (`OpFoldResult`: an index attribute or an index value), and the size rules of windowed operations
// for both. What is constant folds; the rest becomes `arith` operations.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_SHAPEMATH_H
#define TORCHLITE_DIALECT_TORCHLITE_IR_SHAPEMATH_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace torchlite::tl {

/// Builds index arithmetic at one place, folding constants.
class ShapeMath {
public:
  ShapeMath(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  mlir::OpFoldResult constant(int64_t value) { return builder.getIndexAttr(value); }
  mlir::OpFoldResult add(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult sub(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult mul(mlir::OpFoldResult a, mlir::OpFoldResult b);
  /// Division that rounds towards zero; the divisor must not be zero.
  mlir::OpFoldResult div(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult rem(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult max(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult min(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult add(mlir::OpFoldResult a, int64_t b) { return add(a, constant(b)); }
  mlir::OpFoldResult sub(mlir::OpFoldResult a, int64_t b) { return sub(a, constant(b)); }
  mlir::OpFoldResult mul(mlir::OpFoldResult a, int64_t b) { return mul(a, constant(b)); }
  mlir::OpFoldResult div(mlir::OpFoldResult a, int64_t b) { return div(a, constant(b)); }
  /// a where `a >= b`, else c.
  mlir::OpFoldResult selectGreaterEqual(mlir::OpFoldResult lhs, mlir::OpFoldResult rhs,
                                        mlir::OpFoldResult yes, mlir::OpFoldResult no);
  /// The size as an index value.
  mlir::Value value(mlir::OpFoldResult size);
  /// The product of sizes.
  mlir::OpFoldResult product(llvm::ArrayRef<mlir::OpFoldResult> sizes);

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
};

/// How many windows of `kernel` elements, `dilation` apart, fit at steps of `stride` into `size`
/// elements with `padding` on both sides. With `ceilMode` a last window may be cut off at the end,
/// provided that it begins within the input or its near padding (`torch.nn.MaxPool2d`). Unknown for
/// an unknown size; zero or less where no window fits.
int64_t getWindowedSize(int64_t size, int64_t kernel, int64_t stride, int64_t padding,
                        int64_t dilation, bool ceilMode = false);
mlir::OpFoldResult getWindowedSize(ShapeMath &math, mlir::OpFoldResult size,
                                   mlir::OpFoldResult kernel, int64_t stride, int64_t padding,
                                   int64_t dilation, bool ceilMode = false);

/// The size of a transposed convolution's result. Known sizes may give a negative one, which is no
/// result; at run time it is at least zero.
int64_t getTransposedConvSize(int64_t size, int64_t kernel, int64_t stride, int64_t padding,
                              int64_t dilation, int64_t outputPadding);
mlir::OpFoldResult getTransposedConvSize(ShapeMath &math, mlir::OpFoldResult size,
                                         mlir::OpFoldResult kernel, int64_t stride, int64_t padding,
                                         int64_t dilation, int64_t outputPadding);

namespace inference {

/// Whether every actual type is a ranked tensor of the inferred element type and of a compatible
/// shape.
bool areCompatibleTensors(mlir::TypeRange inferred, mlir::TypeRange actual);

/// Whether two sizes may be equal.
inline bool mayBeEqual(int64_t a, int64_t b) {
  return mlir::ShapedType::isDynamic(a) || mlir::ShapedType::isDynamic(b) || a == b;
}

/// The sizes of `shaped`, as reification wants them for a result of type `type`: attributes where
/// the type knows a size.
llvm::SmallVector<mlir::OpFoldResult> matchSizes(mlir::OpBuilder &builder, mlir::Location loc,
                                                 llvm::ArrayRef<mlir::OpFoldResult> sizes,
                                                 mlir::Type type);

} // namespace inference
} // namespace torchlite::tl

#endif // TORCHLITE_DIALECT_TORCHLITE_IR_SHAPEMATH_H
