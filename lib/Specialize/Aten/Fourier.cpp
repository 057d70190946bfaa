//===- Fourier.cpp - Rules of Fourier transforms --------------------------===//

#include "CheckedBuild.h"
#include "Families.h"
#include "FourierBuild.h"
#include "MatrixBuild.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// What a transform of one kind starts from and gives.
enum class Domain { ComplexToComplex, RealToComplex, ComplexToReal };

/// The operand's element type as PyTorch promotes it: complex, or a float for real operands.
static Type promotedType(RuleContext &ctx, Domain domain) {
  Type type = ctx.tensorType(0).getElementType();
  if (ctx.failed())
    return type;
  if (domain == Domain::RealToComplex && isComplex(type)) {
    (void)ctx.raise(ctx.name() + " expects a real input tensor, but got " + dtypeName(type));
    return type;
  }
  if (type.isF16() || type.isBF16()) {
    (void)ctx.raise("Unsupported dtype " + dtypeName(type));
    return type;
  }
  if (!isFloat(type) && !isComplex(type))
    type = ctx.b.getF32Type();
  return domain == Domain::RealToComplex ? type : complexType(type);
}

/// Raises unless a size is at least another one.
static void requireAtLeast(RuleContext &ctx, OpFoldResult size, int64_t least, const Twine &message,
                           ValueRange values = {}) {
  if (ctx.failed())
    return;
  if (std::optional<int64_t> known = getConstantIntValue(size)) {
    if (*known < least)
      (void)ctx.raise(message, values);
    return;
  }
  Value isEnough = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::sge,
                                         ctx.intValue(size), ctx.intValue(ctx.fold(least)));
  ctx.check(isEnough, message, values);
}

static void requirePoints(RuleContext &ctx, OpFoldResult size) {
  if (!ctx.failed())
    requireAtLeast(ctx, size, 1, "Invalid number of data points ({}) specified",
                   ctx.intValue(size));
}

/// "backward", "forward" or "ortho".
static StringRef normOperand(RuleContext &ctx, unsigned i) {
  if (ctx.isNone(i))
    return "backward";
  StringRef norm = ctx.constantString(i);
  if (!ctx.failed() && norm != "backward" && norm != "forward" && norm != "ortho")
    (void)ctx.raise("Invalid normalization mode: \"" + norm + "\"");
  return norm;
}

namespace {
/// The dimensions of a transform, and the sizes to which they are cut or filled up.
struct Plan {
  SmallVector<int64_t> dims;
  SmallVector<OpFoldResult> sizes;
  StringRef norm;
};
} // namespace

/// fft_fft and the like (self, n?, dim, norm?).
static Plan planOfOne(RuleContext &ctx, Domain domain) {
  RankedTensorType type = ctx.tensorType(0);
  if (!ctx.failed() && !type.getRank())
    (void)ctx.raise("Dimension specified as {} but tensor has no dimensions", ctx.scalar(2));
  if (ctx.failed())
    return {};
  int64_t dim = ctx.dim(2, type.getRank());
  OpFoldResult size = ctx.failed() ? ctx.fold(1) : ctx.size(ctx.tensor(0), dim);
  if (!ctx.isNone(1))
    size = ctx.index(1);
  else if (domain == Domain::ComplexToReal)
    size = ctx.mul(ctx.sub(size, ctx.fold(1)), ctx.fold(2));
  return {{dim}, {size}, normOperand(ctx, 3)};
}

/// fft_fft2, fft_fftn and the like (self, s?, dim?, norm?).
static Plan planOfMany(RuleContext &ctx, Domain domain) {
  Value self = ctx.tensor(0);
  int64_t rank = rankOf(self);
  Plan plan = {{}, {}, normOperand(ctx, 3)};
  bool hasSizes = !ctx.isNone(1), hasDims = !ctx.isNone(2);
  SmallVector<OpFoldResult> given;
  if (hasSizes)
    given = ctx.indexList(1);
  if (ctx.failed())
    return plan;
  if (hasDims && !ctx.constantIntList(2).empty())
    plan.dims = ctx.dimList(2, rank);
  int64_t count = hasDims ? plan.dims.size() : hasSizes ? given.size() : rank;
  if (hasSizes && count != static_cast<int64_t>(given.size()))
    return (void)ctx.raise("When given, dim and shape arguments must have the same length"), plan;
  if (count > rank)
    return (void)ctx.raise("Got shape with more values than the input tensor has dimensions."),
           plan;
  for (int64_t i = 0; i < count; ++i) {
    if (!hasDims)
      plan.dims.push_back(rank - count + i);
    OpFoldResult own = ctx.size(self, plan.dims[i]);
    if (domain == Domain::ComplexToReal && i == count - 1)
      own = ctx.mul(ctx.sub(own, ctx.fold(1)), ctx.fold(2));
    plan.sizes.push_back(hasSizes ? ctx.sizeOrOwn(given[i], own) : own);
  }
  if (plan.dims.empty() && domain != Domain::ComplexToComplex)
    (void)ctx.raise(ctx.name() + " must transform at least one axis");
  return plan;
}

//===----------------------------------------------------------------------===//
// Transforms
//===----------------------------------------------------------------------===//

/// Self, each dimension of the plan cut or filled up.
static Value resizedSelf(RuleContext &ctx, const Plan &plan, Type type, bool isToReal) {
  Value self = ctx.failed() ? Value() : ctx.cast(ctx.tensor(0), type);
  for (auto [i, dim] : llvm::enumerate(plan.dims)) {
    OpFoldResult size = plan.sizes[i];
    requirePoints(ctx, size);
    if (isToReal && i + 1 == plan.dims.size())
      size = ctx.add(ctx.floorDiv(size, ctx.fold(2)), ctx.fold(1));
    self = resizedTo(ctx, self, dim, size);
  }
  return ctx.failed() ? Value() : self;
}

static FailureOr<Value> complexToComplex(RuleContext &ctx, const Plan &plan, bool isInverse) {
  Type type = promotedType(ctx, Domain::ComplexToComplex);
  Complex x = partsOf(ctx, resizedSelf(ctx, plan, type, false));
  for (auto [dim, size] : llvm::zip(plan.dims, plan.sizes))
    x = normalized(fourier(x, dim, isInverse), plan.norm, size, !isInverse);
  return done(ctx, x, partType(type));
}

/// The last dimension first; `isInverse` for what `ihfft` computes.
static FailureOr<Value> realToComplex(RuleContext &ctx, const Plan &plan, bool isInverse) {
  Type type = promotedType(ctx, Domain::RealToComplex);
  Value self = resizedSelf(ctx, plan, type, false);
  if (ctx.failed())
    return failure();
  Complex x = fourierOfReal(Expr(ctx, self), plan.dims.back());
  x = normalized(isInverse ? conj(x) : x, plan.norm, plan.sizes.back(), !isInverse);
  for (auto [dim, size] : llvm::drop_end(llvm::zip(plan.dims, plan.sizes)))
    x = normalized(fourier(x, dim, isInverse), plan.norm, size, !isInverse);
  return done(ctx, x, type);
}

/// The last dimension last; `isForward` for what `hfft` computes.
static FailureOr<Value> complexToReal(RuleContext &ctx, const Plan &plan, bool isForward) {
  Type type = promotedType(ctx, Domain::ComplexToReal);
  Complex x = partsOf(ctx, resizedSelf(ctx, plan, type, true));
  for (auto [dim, size] : llvm::drop_end(llvm::zip(plan.dims, plan.sizes)))
    x = normalized(fourier(x, dim, !isForward), plan.norm, size, isForward);
  if (ctx.failed() || x.isNull())
    return failure();
  Expr y = fourierToReal(isForward ? conj(x) : x, plan.dims.back(), plan.sizes.back());
  return done(ctx, normalized(y, plan.norm, plan.sizes.back(), isForward));
}

template <bool isInverse, bool isMany> static FailureOr<Value> complexRule(RuleContext &ctx) {
  Domain domain = Domain::ComplexToComplex;
  return complexToComplex(ctx, isMany ? planOfMany(ctx, domain) : planOfOne(ctx, domain),
                          isInverse);
}
template <bool isInverse, bool isMany> static FailureOr<Value> fromRealRule(RuleContext &ctx) {
  Domain domain = Domain::RealToComplex;
  return realToComplex(ctx, isMany ? planOfMany(ctx, domain) : planOfOne(ctx, domain), isInverse);
}
template <bool isForward, bool isMany> static FailureOr<Value> toRealRule(RuleContext &ctx) {
  Domain domain = Domain::ComplexToReal;
  return complexToReal(ctx, isMany ? planOfMany(ctx, domain) : planOfOne(ctx, domain), isForward);
}

//===----------------------------------------------------------------------===//
// Frequencies
//===----------------------------------------------------------------------===//

/// fft_fftfreq, fft_rfftfreq (n, d, dtype?, ...): k / (n d), those above the middle negative.
template <bool isHalf> static FailureOr<Value> frequencies(RuleContext &ctx) {
  OpFoldResult size = ctx.index(0), two = ctx.fold(2), one = ctx.fold(1);
  Type type = ctx.dtype(2, ctx.b.getF32Type());
  if (ctx.failed() || !ctx.requireSizes({size}))
    return failure();
  if (!isFloat(type))
    return ctx.fail(ctx.name() + ": expected a floating-point dtype");
  Type i64 = ctx.b.getI64Type();
  OpFoldResult count = isHalf ? ctx.add(ctx.floorDiv(size, two), one) : size;
  Expr k(ctx, IotaOp::create(ctx.b, ctx.loc, i64, {count}, 0));
  if (!isHalf) {
    Expr middle = sizeTensor(ctx, ctx.floorDiv(ctx.add(size, one), two), i64);
    k = where(k >= middle, k - sizeTensor(ctx, size, i64), k);
  }
  Type f64 = ctx.b.getF64Type();
  Expr step = sizeTensor(ctx, size, f64) * Expr(ctx, ctx.operandAs(1, f64));
  return done(ctx, k.cast(type) * (1.0 / step).cast(type));
}

//===----------------------------------------------------------------------===//
// Spectrograms
//===----------------------------------------------------------------------===//

namespace {
/// What stft and istft have in common.
struct Frames {
  int64_t points, hop, windowLength;
  Value window; ///< of `points` numbers, null if there is none
};
} // namespace

/// n_fft, hop_length, win_length and window, operands 1 to 4; a window is filled up on both sides.
static Frames frameOperands(RuleContext &ctx, Type part) {
  Frames frames;
  frames.points = ctx.constantInt(1);
  frames.hop = ctx.constantInt(2, frames.points / 4);
  frames.windowLength = ctx.constantInt(3, frames.points);
  Value window = ctx.optionalTensor(4);
  auto raise = [&](const Twine &message) { (void)ctx.raise(ctx.name() + ": " + message); };
  if (ctx.failed())
    return frames;
  if (frames.points <= 0)
    raise("expected 0 < n_fft < len, but got n_fft=" + Twine(frames.points));
  else if (frames.hop <= 0)
    raise("expected hop_length > 0, but got hop_length=" + Twine(frames.hop));
  else if (frames.windowLength <= 0 || frames.windowLength > frames.points)
    raise("expected 0 < win_length <= n_fft, but got win_length=" + Twine(frames.windowLength));
  if (ctx.failed())
    return frames;
  OpFoldResult length = ctx.fold(frames.windowLength);
  std::string expected =
      (ctx.name() +
       ": expected a 1D window tensor of size equal to win_length=" + Twine(frames.windowLength))
          .str();
  if (window && rankOf(window) != 1)
    return (void)ctx.raise(expected), frames;
  if (window && !ctx.requireEqual(ctx.size(window, 0), length, expected))
    return frames;
  if (!window && frames.windowLength == frames.points)
    return frames;
  window = window ? ctx.cast(window, part) : ctx.full({length}, 1.0, part);
  int64_t left = (frames.points - frames.windowLength) / 2;
  if (left)
    window = ConcatOp::create(ctx.b, ctx.loc,
                              ValueRange{ctx.full({ctx.fold(left)}, 0.0, part), window}, 0);
  frames.window = resizedTo(ctx, window, 0, ctx.fold(frames.points));
  return frames;
}

/// Where element j of frame t lies: `[points, count]`.
static Value frameTable(RuleContext &ctx, const Frames &frames, OpFoldResult count) {
  Type i64 = ctx.b.getI64Type();
  SmallVector<OpFoldResult> sizes = {ctx.fold(frames.points), count};
  Expr j(ctx, IotaOp::create(ctx.b, ctx.loc, i64, sizes, 0));
  Expr t(ctx, IotaOp::create(ctx.b, ctx.loc, i64, sizes, 1));
  return (j + t * static_cast<double>(frames.hop)).value();
}

/// The window as a column.
static Expr windowColumn(RuleContext &ctx, const Frames &frames) {
  return {ctx, ctx.unsqueeze(frames.window, 1)};
}

/// Both ends filled up by half a frame, as `pad_mode` says.
static Value padded(RuleContext &ctx, Value signal, int64_t amount, StringRef name) {
  auto mode = llvm::StringSwitch<std::optional<PadMode>>(name)
                  .Case("constant", PadMode::Constant)
                  .Case("reflect", PadMode::Reflect)
                  .Case("replicate", PadMode::Replicate)
                  .Case("circular", PadMode::Circular)
                  .Default(std::nullopt);
  if (!mode)
    return (void)ctx.raise("Unrecognised padding mode " + name), Value();
  if (*mode != PadMode::Constant) {
    int64_t least = *mode == PadMode::Reflect    ? amount + 1
                    : *mode == PadMode::Circular ? amount
                                                 : 1;
    requireAtLeast(ctx, ctx.size(signal, 1), least,
                   "Padding size should be less than the corresponding input dimension");
    if (ctx.failed())
      return {};
  }
  Value zero;
  if (*mode == PadMode::Constant)
    zero = ctx.constantScalar(0.0, getElementTypeOrSelf(signal));
  SmallVector<int64_t> amounts = {0, amount};
  return checkedValue<PadOp>(ctx, signal, zero, ValueRange(), ValueRange(), amounts, amounts,
                             *mode);
}

/// The signals `[batch, samples]`.
static Value signalOperand(RuleContext &ctx) {
  Value self = ctx.tensor(0);
  Type type = getElementTypeOrSelf(self);
  if (ctx.failed())
    return {};
  if (!isFloat(type) && !isComplex(type))
    return (void)ctx.raise("stft: expected a tensor of floating point or complex values"), Value();
  if (type.isF16() || type.isBF16())
    return (void)ctx.raise("Unsupported dtype " + dtypeName(type)), Value();
  if (rankOf(self) < 1 || rankOf(self) > 2)
    return (void)ctx.raise("stft: expected a 1D or 2D tensor"), Value();
  return rankOf(self) == 1 ? ctx.unsqueeze(self, 0) : self;
}

/// Frames of signals as columns: `[batch, points, count]`. Frame t begins with sample t * hop, so
/// that all are made of blocks of that many samples: block k as column k has in its rows what is in
/// these rows of frame k, in those that follow of frame k - 1, and so on. With `parity` only the
/// rows at even (0) or odd (1) places, where hop is even.
static Expr framesOf(RuleContext &ctx, const Expr &signal, const Frames &frames, OpFoldResult count,
                     std::optional<int64_t> parity) {
  if (signal.isNull())
    return signal;
  int64_t every = parity ? 2 : 1, rows = frames.hop / every, wanted = frames.points / every;
  int64_t pieces = llvm::divideCeil(frames.points, frames.hop);
  OpFoldResult batch = ctx.size(signal.value(), 0);
  OpFoldResult blocks = ctx.add(count, ctx.fold(pieces - 1));
  Value whole = resizedTo(ctx, signal.value(), 1, ctx.mul(blocks, ctx.fold(frames.hop)));
  if (!whole)
    return {ctx, {}};
  if (parity) {
    whole = ctx.reshape(whole, {batch, blocks, ctx.fold(rows), ctx.fold(2)});
    whole = ctx.squeeze(ctx.slice(whole, 3, ctx.fold(*parity), ctx.fold(1)), 3);
  } else {
    whole = ctx.reshape(whole, {batch, blocks, ctx.fold(rows)});
  }
  whole = ctx.transpose(whole, 1, 2);
  SmallVector<Value> parts;
  for (int64_t piece = 0; piece < pieces; ++piece) {
    Value part = ctx.slice(whole, 2, ctx.fold(piece), count);
    int64_t left = wanted - piece * rows;
    parts.push_back(left < rows ? ctx.slice(part, 1, ctx.fold(0), ctx.fold(left)) : part);
  }
  Value all = parts.size() == 1 ? parts[0] : ConcatOp::create(ctx.b, ctx.loc, parts, 1).getResult();
  Expr columns(ctx, all);
  if (!frames.window || ctx.failed())
    return columns;
  Value window = frames.window;
  if (parity)
    window = ctx.slice(window, 0, ctx.fold(*parity), ctx.fold(wanted), 2);
  return columns * Expr(ctx, ctx.unsqueeze(window, 1));
}

/// Frames of signals times the window, transformed: `[batch, frequencies, count]`.
static Complex transformFrames(RuleContext &ctx, Value signal, const Frames &frames,
                               bool isOneSided) {
  OpFoldResult length = ctx.size(signal, 1), points = ctx.fold(frames.points);
  Expr none(ctx, {});
  requireAtLeast(ctx, length, frames.points,
                 "stft: expected 0 < n_fft < len, but got n_fft=" + Twine(frames.points) +
                     " and len={}",
                 ctx.intValue(length));
  if (ctx.failed())
    return {none, none};
  OpFoldResult count =
      ctx.add(ctx.floorDiv(ctx.sub(length, points), ctx.fold(frames.hop)), ctx.fold(1));
  auto cut = [&](const Expr &part, std::optional<int64_t> parity = std::nullopt) {
    return framesOf(ctx, part, frames, count, parity);
  };
  if (isComplex(getElementTypeOrSelf(signal))) {
    Complex x = partsOf(ctx, signal);
    return fourier({cut(x.re), cut(x.im)}, 1, /*isInverse=*/false);
  }
  Expr real(ctx, signal);
  if (isOneSided && frames.points % 2 == 0 && frames.hop % 2 == 0)
    return fourierOfHalves({cut(real, 0), cut(real, 1)}, frames.points / 2);
  Expr taken = cut(real);
  if (taken.isNull())
    return {none, none};
  return isOneSided ? fourierOfReal(taken, 1)
                    : fourier({taken, taken.constant(0.0)}, 1, /*isInverse=*/false);
}

/// stft(self, n_fft, hop_length?, win_length?, window?, [center, pad_mode,] normalized, onesided?,
/// return_complex?, align_to_window?).
template <bool hasCenter> static FailureOr<Value> stft(RuleContext &ctx) {
  constexpr unsigned next = hasCenter ? 7 : 5;
  Value signal = signalOperand(ctx);
  bool isNormalized = ctx.constantBool(next);
  Value window = ctx.optionalTensor(4);
  if (ctx.failed())
    return failure();
  bool ofComplex = isComplex(getElementTypeOrSelf(signal));
  if (window && (isComplex(getElementTypeOrSelf(window)) ||
                 partType(getElementTypeOrSelf(window)).getIntOrFloatBitWidth() >
                     partType(getElementTypeOrSelf(signal)).getIntOrFloatBitWidth()))
    return ctx.fail("stft: a complex window, or one wider than the signal, is not supported");
  bool isOneSided = ctx.constantBool(next + 1, !ofComplex);
  bool asComplex = ctx.constantBool(next + 2, ofComplex);
  if (ctx.constantBool(next + 3, false))
    return ctx.fail("stft: align_to_window is not supported");
  Type part = partType(getElementTypeOrSelf(signal));
  Frames frames = frameOperands(ctx, part);
  if (ctx.failed())
    return failure();
  if (ctx.isNone(next + 2) && !ofComplex)
    return ctx.raise("stft requires the return_complex parameter be given for real inputs");
  if (ofComplex && isOneSided)
    return ctx.raise("Cannot have onesided output if window or input is complex");
  if (hasCenter && ctx.constantBool(5))
    signal = padded(ctx, signal, frames.points / 2, ctx.constantString(6));
  if (ctx.failed())
    return failure();
  Complex x = transformFrames(ctx, signal, frames, isOneSided);
  if (isNormalized)
    x = normalized(x, "ortho", ctx.fold(frames.points), true);
  Value result = done(ctx, x, part).value_or(Value());
  if (!result)
    return failure();
  if (rankOf(ctx.tensor(0)) == 1)
    result = ctx.squeeze(result, 0);
  return asComplex ? done(ctx, result) : done(ctx, asReal(ctx, result));
}

/// The frames, one at its place after the other, summed up: `[batch, length]`.
static Expr overlapped(const Expr &pieces, Value table, OpFoldResult batch, OpFoldResult length) {
  if (pieces.isNull() || !table)
    return pieces;
  RuleContext &ctx = pieces.ctx();
  Value zeros = ctx.full({batch, length}, 0.0, pieces.elementType());
  return {ctx, checkedValue<PutOp>(ctx, zeros, table, pieces.value(), uint64_t(1), true)};
}

/// Frames `[batch, points, count]` of spectra, with the factor.
static Complex framesOf(RuleContext &ctx, Value spectra, const Frames &frames, bool isNormalized,
                        bool isOneSided, bool asComplex) {
  OpFoldResult points = ctx.fold(frames.points);
  StringRef norm = isNormalized ? "ortho" : "backward";
  Complex x = partsOf(ctx, spectra);
  if (asComplex)
    return normalized(fourier(x, 1, /*isInverse=*/true), norm, points, false);
  if (!isOneSided) {
    OpFoldResult half = ctx.fold(frames.points / 2 + 1);
    x = partsOf(ctx, ctx.slice(spectra, 1, ctx.fold(0), half));
  }
  Expr none(ctx, {});
  return {normalized(fourierToReal(x, 1, points), norm, points, false), none};
}

/// Raises where the windows leave a sample out.
static void requireCovered(RuleContext &ctx, const Expr &envelope) {
  Expr isLow = abs(envelope) < 1e-11;
  Expr count = sum(isLow.cast(ctx.b.getI64Type()), {0, 1}, false);
  if (count.isNull())
    return;
  Value none = arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::eq,
                                     ctx.toScalar(count.value()), ctx.intValue(ctx.fold(0)));
  ctx.check(none, "istft: window overlap add min: 1");
}

namespace {
/// The spectra `[batch, frequencies, count]` of istft, and what is asked for.
struct Spectra {
  Value value;
  bool isCentered, isNormalized, isOneSided, asComplex;
};

/// The samples of all frames that are asked for: without the halves of frames at the ends, or a
/// length of them, which may be more than there are.
struct Span {
  OpFoldResult whole, start, kept, length;
};
} // namespace

/// istft's operands but those of the frames; checked against them.
static Spectra spectraOperand(RuleContext &ctx, const Frames &frames) {
  Spectra spectra = {ctx.tensor(0), ctx.constantBool(5), ctx.constantBool(6), false,
                     ctx.constantBool(9, false)};
  if (ctx.failed())
    return spectra;
  int64_t rank = rankOf(spectra.value);
  if (rank != 2 && rank != 3)
    return (void)ctx.raise("istft: expected a tensor with 3 or 4 dimensions"), spectra;
  if (rank == 2)
    spectra.value = ctx.unsqueeze(spectra.value, 0);
  if (frames.hop > frames.windowLength)
    return (void)ctx.raise("istft: expected 0 < hop_length <= win_length"), spectra;
  OpFoldResult bins = ctx.size(spectra.value, 1);
  std::optional<int64_t> known = getConstantIntValue(bins);
  if (ctx.isNone(7) && !known)
    return (void)ctx.fail("istft: onesided must be given where the number of frequencies is not "
                          "known"),
           spectra;
  spectra.isOneSided = ctx.constantBool(7, known && *known != frames.points);
  if (spectra.asComplex && spectra.isOneSided)
    return (void)ctx.raise("istft: cannot have onesided input with return_complex"), spectra;
  requireNonEmpty(ctx, spectra.value, 0);
  int64_t wanted = spectra.isOneSided ? frames.points / 2 + 1 : frames.points;
  (void)ctx.requireEqual(bins, ctx.fold(wanted),
                         "istft: expected the frequency dimension (3rd to the last) of the input "
                         "tensor to match n_fft");
  return spectra;
}

/// Operand 8 is a length that is asked for.
static Span spanOf(RuleContext &ctx, const Frames &frames, const Spectra &spectra) {
  OpFoldResult steps = ctx.sub(ctx.size(spectra.value, 2), ctx.fold(1));
  OpFoldResult zero = ctx.fold(0), half = ctx.fold(frames.points / 2);
  Span span;
  span.whole = ctx.add(ctx.fold(frames.points), ctx.mul(ctx.fold(frames.hop), steps));
  span.start = spectra.isCentered ? half : zero;
  span.length = ctx.sub(span.whole, spectra.isCentered ? ctx.add(half, half) : zero);
  span.kept = span.length;
  if (!ctx.isNone(8)) {
    span.length = ctx.index(8);
    span.kept = ctx.minimum(span.length, ctx.sub(span.whole, span.start));
  }
  span.kept = ctx.maximum(span.kept, zero);
  return span;
}

/// istft(self, n_fft, hop_length?, win_length?, window?, center, normalized, onesided?, length?,
/// return_complex).
static FailureOr<Value> istft(RuleContext &ctx) {
  Type type = ctx.tensorType(0).getElementType(), part = partType(type);
  Value window = ctx.optionalTensor(4);
  if (ctx.failed())
    return failure();
  if (!isComplex(type))
    return ctx.raise("istft requires a complex-valued input tensor matching the output from stft "
                     "with return_complex=True.");
  if (window && getElementTypeOrSelf(window) != part)
    return ctx.fail("istft: a window of another dtype is not supported");
  Frames frames = frameOperands(ctx, part);
  Spectra spectra = spectraOperand(ctx, frames);
  if (ctx.failed())
    return failure();
  Span span = spanOf(ctx, frames, spectra);
  OpFoldResult batch = ctx.size(spectra.value, 0), count = ctx.size(spectra.value, 2);
  OpFoldResult points = ctx.fold(frames.points), one = ctx.fold(1);
  if (!frames.window)
    frames.window = ctx.full({points}, 1.0, part);
  Value table = frameTable(ctx, frames, count);
  Complex pieces = framesOf(ctx, spectra.value, frames, spectra.isNormalized, spectra.isOneSided,
                            spectra.asComplex);
  if (ctx.failed())
    return failure();
  Expr column = windowColumn(ctx, frames), squares = column * column;
  squares = Expr(ctx, ctx.broadcastTo(squares.value(), {one, points, count}));
  auto cut = [&](const Expr &y) -> Expr {
    return y.isNull() ? y : Expr(ctx, ctx.slice(y.value(), 1, span.start, span.kept));
  };
  Expr envelope = cut(overlapped(squares, table, one, span.whole));
  requireCovered(ctx, envelope);
  auto finish = [&](const Expr &part) -> Expr {
    Expr y = cut(overlapped(part * column, table, batch, span.whole)) / envelope;
    if (y.isNull())
      return y;
    Value signal = resizedTo(ctx, y.value(), 1, span.length);
    if (signal && rankOf(ctx.tensor(0)) == 2)
      signal = ctx.squeeze(signal, 0);
    return {ctx, signal};
  };
  if (!spectra.asComplex)
    return done(ctx, finish(pieces.re));
  return done(ctx, Complex{finish(pieces.re), finish(pieces.im)}, part);
}

void specialize::registerFourierRules(RuleRegistry &registry) {
  registry.value("fft_fft", complexRule<false, false>);
  registry.value("fft_ifft", complexRule<true, false>);
  registry.value("fft_rfft", fromRealRule<false, false>);
  registry.value("fft_ihfft", fromRealRule<true, false>);
  registry.value("fft_irfft", toRealRule<false, false>);
  registry.value("fft_hfft", toRealRule<true, false>);
  for (std::string many : {"2", "n"}) {
    registry.value("fft_fft" + many, complexRule<false, true>);
    registry.value("fft_ifft" + many, complexRule<true, true>);
    registry.value("fft_rfft" + many, fromRealRule<false, true>);
    registry.value("fft_ihfft" + many, fromRealRule<true, true>);
    registry.value("fft_irfft" + many, toRealRule<false, true>);
    registry.value("fft_hfft" + many, toRealRule<true, true>);
  }
  registry.value("fft_fftfreq", frequencies<false>);
  registry.value("fft_rfftfreq", frequencies<true>);
  registry.value("stft", stft<false>);
  registry.value("stft.center", stft<true>);
  registry.value("istft", istft);
}
