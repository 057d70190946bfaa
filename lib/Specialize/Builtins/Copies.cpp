//===- Copies.cpp - copy and copy_ ----------------------------------------===//
#include "TorchLite/Specialize/Rules.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// copy(self, src, non_blocking): src in the shape and type of self.
static FailureOr<Value> copy(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Value source = ctx.cast(ctx.tensor(1), getElementTypeOrSelf(self));
  if (ctx.failed())
    return failure();
  Value value = ctx.broadcastTo(source, ctx.sizes(self));
  if (ctx.failed())
    return failure();
  return value;
}

void specialize::registerCopyRules(RuleRegistry &registry) { registry.value("copy", copy); }
