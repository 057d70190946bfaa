//===- CheckedBuild.h - Building operations that may not fit ----*- C++ -*-===//
#ifndef TORCHLITE_LIB_SPECIALIZE_ATEN_CHECKEDBUILD_H
#define TORCHLITE_LIB_SPECIALIZE_ATEN_CHECKEDBUILD_H

#include "TorchLite/Specialize/Rules.h"
#include "mlir/IR/Diagnostics.h"

namespace torchlite::tl::specialize {

/// Builds an operation whose operands may not fit together. `OpTy::create` ends the process when
/// type inference fails; here it raises the message of the inference, as it does in PyTorch.
/// Arguments are those of `create` after the location. Null after a failure.
template <typename OpTy, typename... Args> OpTy checkedCreate(RuleContext &ctx, Args &&...args) {
  using namespace mlir;
  if (ctx.failed())
    return {};
  // Result types are not known yet: any tensor types hold the place.
  SmallVector<Type> types(OpTy::template hasTrait<OpTrait::OneResult>() ? 1 : 2,
                          RankedTensorType::get({}, ctx.b.getF32Type()));
  OpTy op = OpTy::create(ctx.b, ctx.loc, TypeRange(types), std::forward<Args>(args)...);
  std::string message;
  LogicalResult inferred = failure();
  types.clear();
  {
    ScopedDiagnosticHandler handler(ctx.context(), [&](Diagnostic &diagnostic) {
      message += diagnostic.str();
      return success();
    });
    inferred = OpTy::inferReturnTypes(ctx.context(), ctx.loc, op->getOperands(),
                                      op->getDiscardableAttrDictionary(),
                                      op->getPropertiesStorage(), op->getRegions(), types);
  }
  if (failed(inferred)) {
    op->erase();
    (void)ctx.raise(Twine(ctx.name()) + ": " + (message.empty() ? "operands do not fit" : message));
    return {};
  }
  for (auto [result, type] : llvm::zip(op->getResults(), types))
    result.setType(cast<RankedTensorType>(type));
  return op;
}

/// As `checkedCreate`, for an operation with one result: its value, null after a failure.
template <typename OpTy, typename... Args>
mlir::Value checkedValue(RuleContext &ctx, Args &&...args) {
  OpTy op = checkedCreate<OpTy>(ctx, std::forward<Args>(args)...);
  return op ? op->getResult(0) : mlir::Value();
}

/// Raises where one of a tensor's sizes from dimension `first` on is 0.
inline void requireNonEmpty(RuleContext &ctx, mlir::Value tensor, int64_t first) {
  int64_t rank = mlir::cast<mlir::RankedTensorType>(tensor.getType()).getRank();
  for (int64_t dim = first; dim < rank && !ctx.failed(); ++dim) {
    mlir::OpFoldResult size = ctx.size(tensor, dim);
    if (std::optional<int64_t> known = mlir::getConstantIntValue(size); known && *known != 0)
      continue;
    mlir::Value some = mlir::arith::CmpIOp::create(ctx.b, ctx.loc, mlir::arith::CmpIPredicate::ne,
                                                   ctx.intValue(size), ctx.intValue(ctx.fold(0)));
    ctx.check(some, ctx.name() + ": expected sizes above 0, but dimension " + llvm::Twine(dim) +
                        " is empty");
  }
}

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_ATEN_CHECKEDBUILD_H
