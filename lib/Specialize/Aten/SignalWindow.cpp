//===- SignalWindow.cpp - Rules of windows for spectrograms ---------------===//

#include "Families.h"
#include "ReductionHelpers.h"
#include <cmath>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

/// A window of a length from the places of its points, 0 to 1; a periodic one is that of a point
/// more, without the last.
static FailureOr<Value> windowOf(RuleContext &ctx, bool periodic, unsigned dtype,
                                 llvm::function_ref<Expr(const Expr &)> compute) {
  OpFoldResult length = ctx.index(0);
  Type type = ctx.dtype(dtype, ctx.b.getF32Type());
  if (ctx.failed() || !ctx.requireSizes({length}))
    return failure();
  if (!isFloat(type))
    return ctx.raise(ctx.name() + " expects floating point dtypes, got: " + dtypeName(type));
  Type f64 = ctx.b.getF64Type();
  OpFoldResult steps = periodic ? length : ctx.sub(length, ctx.fold(1));
  Expr k(ctx, IotaOp::create(ctx.b, ctx.loc, ctx.b.getI64Type(), {length}, 0));
  Expr place = k.cast(f64) / sizeTensor(ctx, ctx.maximum(steps, ctx.fold(1)), f64);
  Expr isOne = sizeTensor(ctx, length, f64) == 1.0;
  return done(ctx, where(isOne, 1.0, compute(place)).cast(type));
}

static Expr wave(const Expr &place, double turns) { return cos(place * (2 * M_PI * turns)); }

static Expr hann(const Expr &place) { return 0.5 - 0.5 * wave(place, 1); }
static Expr hamming(const Expr &place) { return 0.54 - 0.46 * wave(place, 1); }
static Expr bartlett(const Expr &place) { return 1.0 - abs(place * 2.0 - 1.0); }
static Expr blackman(const Expr &place) {
  return 0.42 - 0.5 * wave(place, 1) + 0.08 * wave(place, 2);
}

/// hann_window and the like (window_length, dtype?, ...) and `.periodic` (window_length, periodic,
/// dtype?, ...).
template <Expr (*compute)(const Expr &)>
static void registerWindow(RuleRegistry &registry, const std::string &name) {
  registry.value(name, [](RuleContext &ctx) { return windowOf(ctx, true, 1, compute); });
  registry.value(name + ".periodic",
                 [](RuleContext &ctx) { return windowOf(ctx, ctx.constantBool(1), 2, compute); });
}

/// hamming_window.periodic_alpha, .periodic_alpha_beta (window_length, periodic, alpha, beta?,
/// dtype?, ...).
template <bool hasBeta> static FailureOr<Value> generalHamming(RuleContext &ctx) {
  double alpha = ctx.constantFloat(2), beta = hasBeta ? ctx.constantFloat(3) : 0.46;
  return windowOf(ctx, ctx.constantBool(1), hasBeta ? 4 : 3,
                  [=](const Expr &place) { return alpha - beta * wave(place, 1); });
}

void specialize::registerSignalWindowRules(RuleRegistry &registry) {
  registerWindow<hann>(registry, "hann_window");
  registerWindow<hamming>(registry, "hamming_window");
  registerWindow<bartlett>(registry, "bartlett_window");
  registerWindow<blackman>(registry, "blackman_window");
  registry.value("hamming_window.periodic_alpha", generalHamming<false>);
  registry.value("hamming_window.periodic_alpha_beta", generalHamming<true>);
}
