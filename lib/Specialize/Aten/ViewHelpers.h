//===- ViewHelpers.h - What the rules of views share ------------*- C++ -*-===//
#ifndef TORCHLITE_LIB_SPECIALIZE_ATEN_VIEWHELPERS_H
#define TORCHLITE_LIB_SPECIALIZE_ATEN_VIEWHELPERS_H

#include "../Interpreter/Walker.h"
#include "TensorExpr.h"

namespace torchlite::tl::specialize {

inline int64_t rankOf(mlir::Value tensor) {
  return mlir::cast<mlir::RankedTensorType>(tensor.getType()).getRank();
}

/// The rule of an operator that returns its operand itself.
inline mlir::FailureOr<ViewAnswer> identity(RuleContext &ctx) {
  (void)ctx.tensor(0);
  if (ctx.failed())
    return mlir::failure();
  return ViewAnswer{};
}

inline ViewAnswer answer(llvm::ArrayRef<ViewStep> steps, Known aliases = Known::Yes,
                         std::optional<Known> contiguous = {}) {
  ViewAnswer result;
  result.steps.assign(steps.begin(), steps.end());
  result.aliases = aliases;
  result.contiguous = contiguous;
  return result;
}

using ViewAnswers = mlir::FailureOr<std::vector<ViewAnswer>>;

/// The steps that expand self to sizes, in which -1 keeps a size; checked.
mlir::FailureOr<ViewAnswer> expandTo(RuleContext &ctx, mlir::Value self,
                                     llvm::SmallVector<mlir::OpFoldResult> sizes);

/// The steps of atleast_1d, 2d, 3d.
ViewAnswer atLeastAnswer(RuleContext &ctx, mlir::Value self, int64_t minRank);

/// The rule of `<name>_copy`: the same view, copied.
inline ViewRule copyOf(ViewRule rule) {
  return [rule = std::move(rule)](RuleContext &ctx) -> mlir::FailureOr<ViewAnswer> {
    mlir::FailureOr<ViewAnswer> view = rule(ctx);
    if (mlir::failed(view))
      return mlir::failure();
    view->aliases = Known::No;
    view->contiguous = Known::Yes;
    return view;
  };
}
inline ViewListRule copyOf(ViewListRule rule) {
  return [rule = std::move(rule)](RuleContext &ctx) -> ViewAnswers {
    ViewAnswers views = rule(ctx);
    if (mlir::failed(views))
      return mlir::failure();
    for (ViewAnswer &view : *views) {
      view.aliases = Known::No;
      view.contiguous = Known::Yes;
    }
    return views;
  };
}

} // namespace torchlite::tl::specialize

#endif // TORCHLITE_LIB_SPECIALIZE_ATEN_VIEWHELPERS_H
