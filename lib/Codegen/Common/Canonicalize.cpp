//===- Canonicalize.cpp - Canonicalization that believes no cast ----------===//
#include "TorchLite/Codegen/Common/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

std::unique_ptr<Pass> torchlite::createCanonicalizer() {
  GreedyRewriteConfig config;
  config.setUseTopDownTraversal(true); // as the pass does by itself
  // The first gives a producer the static sizes of a cast behind it. Where a check between both
  // makes sure of them, the producer would run before it, on a tensor that is too small.
  //
  // The second gives what a loop carries the static sizes that it has before the first trip, and
  // casts what a trip leaves to them, though it may have grown.
  return createCanonicalizerPass(config, {"(anonymous namespace)::FoldTensorCastConsumerOp",
                                          "(anonymous namespace)::ForOpTensorCastFolder"});
}
