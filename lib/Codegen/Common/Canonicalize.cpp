//===- Canonicalize.cpp - Canonicalization that keeps checks before uses --===//
#include "TorchLite/Codegen/Common/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

std::unique_ptr<Pass> torchlite::createCanonicalizer() {
  GreedyRewriteConfig config;
  config.setUseTopDownTraversal(true); // as the pass does by itself
  // Gives a producer the static sizes of a cast behind it. Where a check between both makes sure of
  // them, the producer would run before it, on a tensor that is too small.
  return createCanonicalizerPass(config, {"(anonymous namespace)::FoldTensorCastConsumerOp"});
}
