//===- ExpandMath.cpp - Mathematical functions ----------------------------===//
#include "TorchLite/Codegen/CPU/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/StringSet.h"

namespace torchlite::cpu {
#define GEN_PASS_DEF_EXPANDMATH
#include "TorchLite/Codegen/CPU/Passes.h.inc"

namespace {
using namespace mlir;

/// Functions whose upstream polynomials are accurate for every f32 (test/Integration/CPU).
bool isPolynomial(StringRef name) {
  static const llvm::StringSet<> names = {"exp", "expm1", "log", "log2", "log1p", "tanh", "erf"};
  return names.contains(name.substr(name.find('.') + 1));
}

struct ExpandMath : impl::ExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns, isPolynomial);
    math::populateExpansionPatterns(patterns, {"rsqrt"}); // libm has none
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace torchlite::cpu
