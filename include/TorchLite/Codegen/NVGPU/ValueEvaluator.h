//===- ValueEvaluator.h - Elements of what a kernel computes ----*- C++ -*-===//
//
// A kernel's body says what is computed, as operations on whole tensors. The evaluator emits code
// for one element of any of these tensors, from the elements that it depends on: backwards through
// structured operations, padding and slices, down to loads of the kernel's buffers. A strategy
// computes what it is good at in its own way, binds these tensors to what it has in registers, and
// leaves what is fused around them to the evaluator.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_CODEGEN_NVGPU_VALUEEVALUATOR_H
#define TORCHLITE_CODEGEN_NVGPU_VALUEEVALUATOR_H

#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include <functional>

namespace torchlite::nvgpu {

class ValueEvaluator {
public:
  /// Elements of a tensor at given coordinates (one index per dimension).
  using Source = std::function<mlir::Value(mlir::OpBuilder &, mlir::ValueRange coordinates)>;

  /// `kernel` is on buffers. Code is emitted where `builder` stands at each call.
  ValueEvaluator(mlir::OpBuilder &builder, rt::KernelOp kernel)
      : builder(builder), kernel(kernel) {}

  /// Takes the elements of `tensor`, a value of the body, from `source` from now on.
  void bind(mlir::Value tensor, Source source) { bound[tensor] = std::move(source); }

  /// The element of `tensor` at `coordinates`, or null where the body has an operation that is not
  /// supported; `getError` then says which.
  mlir::Value evaluate(mlir::Value tensor, mlir::ValueRange coordinates);

  /// A scalar of the body (an index or a number), or null.
  mlir::Value evaluateScalar(mlir::Value scalar);

  /// The size of a tensor of the body. A constant where it is static.
  mlir::Value sizeOf(mlir::Value tensor, int64_t dim);

  /// The number of iterations of loop `loop` of an operation of the body.
  mlir::Value loopSize(mlir::linalg::LinalgOp op, unsigned loop);

  /// Emits the scalar body of `op` for one iteration: `iteration` has an index per loop,
  /// `accumulators` the values of the operation's outputs so far. Returns the yielded values; empty
  /// on an error.
  llvm::SmallVector<mlir::Value> evaluateBody(mlir::linalg::LinalgOp op, mlir::ValueRange iteration,
                                              mlir::ValueRange accumulators);

  llvm::StringRef getError() const { return error; }

private:
  mlir::Value fail(llvm::StringRef what);
  mlir::Value evaluateStructured(mlir::linalg::LinalgOp op, unsigned result,
                                 mlir::ValueRange coordinates);
  mlir::Value evaluatePad(mlir::Operation *pad, mlir::ValueRange coordinates);
  mlir::Value evaluateOp(mlir::Operation *op, unsigned result, mlir::ValueRange coordinates);
  /// Clones one operation of a scalar body; operands are looked up in `map`.
  bool cloneScalar(mlir::Operation &op, mlir::IRMapping &map, mlir::ValueRange iteration);
  /// Emits `then` where `condition` holds and `otherwise` where not.
  mlir::Value select(mlir::Value condition, mlir::Type type, llvm::function_ref<mlir::Value()> then,
                     llvm::function_ref<mlir::Value()> otherwise);
  mlir::Value index(int64_t value);
  mlir::Location loc() { return kernel.getLoc(); }

  mlir::OpBuilder &builder;
  rt::KernelOp kernel;
  llvm::DenseMap<mlir::Value, Source> bound;
  std::string error;
};

} // namespace torchlite::nvgpu

#endif // TORCHLITE_CODEGEN_NVGPU_VALUEEVALUATOR_H
