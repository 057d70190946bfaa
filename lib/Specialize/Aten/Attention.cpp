//===- Attention.cpp - Rules of attention and transformer layers ----------===//

#include "CheckedBuild.h"
#include "Families.h"
#include "LinearBuild.h"
#include "RandomBuild.h"
#include "TensorExpr.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

//===----------------------------------------------------------------------===//
// Scaled dot-product attention
//===----------------------------------------------------------------------===//

/// A mask whose sizes are those of the scores or known to be 1: what is 1 only at run time is
/// expanded.
static Value fitMask(RuleContext &ctx, Value mask, ArrayRef<OpFoldResult> scores) {
  SmallVector<OpFoldResult> own = ctx.sizes(mask), wanted = own;
  if (own.size() > scores.size()) {
    (void)ctx.raise(ctx.name() + ": the mask has more dimensions than the scores");
    return mask;
  }
  for (auto [i, size] : llvm::enumerate(own)) {
    OpFoldResult target = scores[scores.size() - own.size() + i];
    if (isConstantIntValue(size, 1))
      continue;
    const char *message = "scaled_dot_product_attention: the mask does not fit the scores";
    wanted[i] = target;
    if (getConstantIntValue(size)) {
      if (!ctx.requireEqual(target, size, message))
        return mask;
      wanted[i] = size;
      continue;
    }
    if (ctx.equal(size, target) == Known::Yes)
      continue;
    auto equals = [&](OpFoldResult other) -> Value {
      return arith::CmpIOp::create(ctx.b, ctx.loc, arith::CmpIPredicate::eq, ctx.intValue(size),
                                   ctx.intValue(other));
    };
    ctx.check(arith::OrIOp::create(ctx.b, ctx.loc, equals(target), equals(ctx.fold(1))), message);
  }
  return ctx.expandOnes(mask, wanted);
}

/// What is masked gets no share: -inf where a mask is false, the sum with one of floats.
static Expr maskScores(RuleContext &ctx, const Expr &scores, Value mask) {
  if (scores.isNull() || !mask)
    return scores;
  mask = ctx.broadcastTo(mask, ctx.sizes(scores.value()));
  Expr m(ctx, mask);
  if (m.isNull() || !isBool(m.elementType()))
    return scores + m;
  return where(m, scores, scores.constant(-std::numeric_limits<double>::infinity()));
}

/// Attention as PyTorch computes it where a part `p` of the shares is dropped: step by step. Query,
/// key and value have the same leading dimensions.
static Value droppingAttention(RuleContext &ctx, ArrayRef<Value> inputs, Value mask, double scale,
                               bool isCausal, double p) {
  int64_t rank = rankOf(inputs[0]);
  SmallVector<OpFoldResult> sizes = ctx.sizes(inputs[0]);
  OpFoldResult rows = sizes[rank - 2], keys = ctx.size(inputs[1], rank - 2);
  sizes[rank - 1] = keys;
  OpFoldResult matrices = ctx.product(ArrayRef(sizes).drop_back(2));
  SmallVector<Value> flat;
  for (Value input : inputs)
    flat.push_back(
        ctx.reshape(input, {matrices, ctx.size(input, rank - 2), ctx.size(input, rank - 1)}));
  double root = std::sqrt(scale);
  Expr query = Expr(ctx, flat[0]) * root, key = Expr(ctx, flat[1]) * root;
  if (query.isNull() || key.isNull())
    return {};
  Value products = MatmulOp::create(ctx.b, ctx.loc, query.value(), key.value(),
                                    /*transpose_a=*/false, /*transpose_b=*/true);
  Expr scores = maskScores(ctx, Expr(ctx, ctx.reshape(products, sizes)), mask);
  if (isCausal) {
    Type i64 = ctx.b.getI64Type();
    OpFoldResult one = ctx.fold(1);
    Expr row(ctx, IotaOp::create(ctx.b, ctx.loc, i64, ArrayRef<OpFoldResult>{rows, one}, 0));
    Expr column(ctx, IotaOp::create(ctx.b, ctx.loc, i64, ArrayRef<OpFoldResult>{one, keys}, 1));
    scores = maskScores(ctx, scores, (column <= row).value());
  }
  if (scores.isNull())
    return {};
  Expr shares(ctx, checkedValue<SoftmaxOp>(ctx, scores.value(), static_cast<uint64_t>(rank - 1)));
  // A row without any key has no shares.
  Expr most = reduce(ReduceKind::Max, scores, {rank - 1}, /*keepdim=*/true);
  shares = where(most == -std::numeric_limits<double>::infinity(), 0.0, shares);
  Value dropped = shares.isNull() ? Value() : dropOut(ctx, shares.value(), p);
  if (!dropped)
    return {};
  Value result = MatmulOp::create(ctx.b, ctx.loc, ctx.reshape(dropped, {matrices, rows, keys}),
                                  flat[2], /*transpose_a=*/false, /*transpose_b=*/false);
  sizes[rank - 1] = ctx.size(inputs[2], rank - 1);
  return ctx.reshape(result, sizes);
}

/// scaled_dot_product_attention(query, key, value, attn_mask?, dropout_p, is_causal, scale?,
/// enable_gqa).
static FailureOr<Value> attention(RuleContext &ctx) {
  Value query = ctx.tensor(0), key = ctx.tensor(1), value = ctx.tensor(2),
        mask = ctx.optionalTensor(3);
  double dropout = ctx.constantFloat(4);
  bool isCausal = ctx.constantBool(5), groupedQueries = ctx.constantBool(7, false);
  FloatAttr scale;
  if (!ctx.isNone(6))
    scale = ctx.b.getF64FloatAttr(ctx.constantFloat(6));
  if (ctx.failed())
    return failure();
  if (mask && isCausal)
    return ctx.raise(
        "scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True");
  Type type = getElementTypeOrSelf(query);
  if (!isFloat(type) || getElementTypeOrSelf(key) != type || getElementTypeOrSelf(value) != type)
    return ctx.fail("scaled_dot_product_attention: expected floating-point tensors of one dtype");
  int64_t rank = rankOf(query);
  if (rank < 2 || rankOf(key) != rank || rankOf(value) != rank)
    return ctx.fail(
        "scaled_dot_product_attention: expected query, key and value of one rank, 2 or more");
  if (groupedQueries && rank != 4)
    return ctx.fail("scaled_dot_product_attention: enable_gqa needs tensors of rank 4");

  // Keys and values that serve several heads are repeated next to each other.
  auto repeatHeads = [&](Value tensor) -> Value {
    OpFoldResult heads = ctx.size(query, 1), own = ctx.size(tensor, 1);
    if (ctx.equal(heads, own) == Known::Yes)
      return tensor;
    OpFoldResult times = ctx.floorDiv(heads, own);
    if (!ctx.requireEqual(heads, ctx.mul(times, own),
                          "Number of heads in key and value must divide the number "
                          "of heads in query"))
      return {};
    SmallVector<OpFoldResult> sizes = ctx.sizes(tensor), wide = sizes;
    wide.insert(wide.begin() + 2, times);
    Value repeated = ctx.broadcastTo(ctx.unsqueeze(tensor, 2), wide);
    sizes[1] = heads;
    return ctx.reshape(repeated, sizes);
  };
  if (groupedQueries) {
    key = repeatHeads(key);
    value = repeatHeads(value);
    if (!key || !value)
      return failure();
  }

  // Leading dimensions broadcast; the core operation takes one or two of them.
  SmallVector<OpFoldResult> batch =
      llvm::to_vector(ArrayRef<OpFoldResult>(ctx.sizes(query)).drop_back(2));
  for (Value other : {key, value})
    for (int64_t i = 0; i < rank - 2; ++i) {
      std::optional<OpFoldResult> size = ctx.broadcastSize(
          batch[i], ctx.size(other, i), "scaled_dot_product_attention: batch sizes differ");
      if (!size)
        return failure();
      batch[i] = *size;
    }
  auto widen = [&](Value tensor) -> Value {
    SmallVector<OpFoldResult> sizes = ctx.sizes(tensor), wide = batch;
    wide.append(sizes.end() - 2, sizes.end());
    tensor = ctx.broadcastTo(tensor, wide);
    if (rank == 3 || rank == 4)
      return tensor;
    return ctx.reshape(tensor, {ctx.product(batch), sizes[rank - 2], sizes[rank - 1]});
  };
  OpFoldResult rows = ctx.size(query, rank - 2), keys = ctx.size(key, rank - 2);
  OpFoldResult columns = ctx.size(value, rank - 1);
  if (!ctx.requireEqual(ctx.size(query, rank - 1), ctx.size(key, rank - 1),
                        "scaled_dot_product_attention: query and key differ in their last size") ||
      !ctx.requireEqual(keys, ctx.size(value, rank - 2),
                        "scaled_dot_product_attention: key and value differ in their length"))
    return failure();
  query = widen(query);
  key = widen(key);
  value = widen(value);
  if (mask) {
    if (!isBool(getElementTypeOrSelf(mask)) && getElementTypeOrSelf(mask) != type)
      return ctx.raise(
          "Expected attn_mask dtype to be bool or float or to match query dtype, but got " +
          dtypeName(getElementTypeOrSelf(mask)));
    if (rank != 3 && rank != 4 && rankOf(mask) > 2) {
      SmallVector<OpFoldResult> wide = batch;
      wide.append({rows, keys});
      mask = ctx.reshape(ctx.broadcastTo(mask, wide), {ctx.product(batch), rows, keys});
    } else {
      SmallVector<OpFoldResult> scores = batch;
      scores.append({rows, keys});
      mask = fitMask(ctx, mask, scores);
    }
    if (ctx.failed())
      return failure();
  }
  if (dropout != 0) {
    // Sizes in front of the last two make no difference to the order of the shares.
    double factor = scale ? scale.getValueAsDouble() : 0;
    if (std::optional<int64_t> width = getConstantIntValue(ctx.size(query, rankOf(query) - 1));
        width && !scale)
      factor = 1 / std::sqrt(static_cast<double>(*width));
    if (!(factor > 0))
      return ctx.fail("scaled_dot_product_attention: dropout needs a scale that is known");
    Value result = droppingAttention(ctx, {query, key, value}, mask, factor, isCausal, dropout);
    if (!result)
      return failure();
    if (rank == 3 || rank == 4)
      return done(ctx, result);
    SmallVector<OpFoldResult> sizes = batch;
    sizes.append({rows, columns});
    return done(ctx, ctx.reshape(result, sizes));
  }
  Value result = checkedValue<AttentionOp>(ctx, query, key, value, mask, scale, isCausal);
  if (!result)
    return failure();
  Expr output(ctx, result);
  if (mask) {
    // A row whose keys are all masked gives 0 in PyTorch, where the plain formula gives NaN.
    int64_t maskRank = rankOf(mask);
    if (maskRank) {
      Expr m(ctx, mask);
      Expr takesPart = isBool(getElementTypeOrSelf(mask))
                           ? reduce(ReduceKind::Or, m, {maskRank - 1}, true)
                           : reduce(ReduceKind::Max, m, {maskRank - 1}, true) !=
                                 -std::numeric_limits<double>::infinity();
      output = where(takesPart, output, 0.0);
    }
  }
  if (rank == 3 || rank == 4)
    return done(ctx, output);
  if (output.isNull())
    return failure();
  SmallVector<OpFoldResult> sizes = batch;
  sizes.append({rows, columns});
  return done(ctx, ctx.reshape(output.value(), sizes));
}

//===----------------------------------------------------------------------===//
// Multi-head attention as torch.nn runs it for inference
//===----------------------------------------------------------------------===//

namespace {

/// What `_native_multi_head_attention` is given.
struct Heads {
  int64_t embedDim, count;
  Value inputWeight, inputBias, outputWeight, outputBias;
  Value mask;                      ///< null: none; not zero: does not take part
  std::optional<int64_t> maskType; ///< 0: [L, L], 1: [B, L] of keys, 2: [B, heads, L, L]
};

/// The result, and the probabilities [B, heads, L, L].
struct Attended {
  Value output, probabilities;
};

} // namespace

/// Query, key and value, [B, L, 3 * embed_dim] in this order; one product where they come of one
/// tensor.
static std::array<Value, 3> projectInputs(RuleContext &ctx, ArrayRef<Value> inputs,
                                          const Heads &heads) {
  OpFoldResult dim = ctx.fold(heads.embedDim);
  std::array<Value, 3> projected;
  Value all;
  if (inputs[0] == inputs[1] && inputs[1] == inputs[2])
    all = buildLinear(ctx, inputs[0], heads.inputWeight, heads.inputBias);
  for (int64_t i = 0; i < 3 && !ctx.failed(); ++i) {
    OpFoldResult begin = ctx.fold(i * heads.embedDim);
    projected[i] = all ? ctx.slice(all, 2, begin, dim)
                       : buildLinear(ctx, inputs[i], ctx.slice(heads.inputWeight, 0, begin, dim),
                                     ctx.slice(heads.inputBias, 0, begin, dim));
  }
  return projected;
}

/// The mask as booleans [B or 1, heads or 1, L or 1, L], true where a key does not take part; null
/// after a failure.
static Value headMask(RuleContext &ctx, const Heads &heads, OpFoldResult batch,
                      OpFoldResult length) {
  Value mask = heads.mask;
  OpFoldResult one = ctx.fold(1);
  SmallVector<OpFoldResult> expected, shape;
  switch (heads.maskType.value_or(-1)) {
  case 0:
    expected = {length, length};
    shape = {one, one, length, length};
    break;
  case 1:
    expected = {batch, length};
    shape = {batch, one, one, length};
    break;
  case 2:
    expected = shape = {batch, ctx.fold(heads.count), length, length};
    break;
  default:
    (void)ctx.raise(
        "Mask Type should be 0 (src_mask) or 1 (src_key_padding_mask), or 2 (default_mask)");
    return {};
  }
  if (rankOf(mask) != static_cast<int64_t>(expected.size())) {
    (void)ctx.raise(Twine(ctx.name()) + ": expected a mask of rank " + Twine(expected.size()));
    return {};
  }
  for (auto [index, size] : llvm::enumerate(expected))
    if (!ctx.requireEqual(ctx.size(mask, index), size,
                          Twine(ctx.name()) + ": the mask does not fit the query"))
      return {};
  if (!isBool(getElementTypeOrSelf(mask)))
    mask = (Expr(ctx, mask) != 0.0).value();
  return ctx.failed() || !mask ? Value() : ctx.reshape(mask, shape);
}

/// softmax(q * transpose(k) / sqrt(size of a head), masked) * v, all heads, then the last product.
/// A query without any key gives NaN, as in PyTorch.
static std::optional<Attended> attend(RuleContext &ctx, ArrayRef<Value> inputs,
                                      const Heads &heads) {
  Type type = getElementTypeOrSelf(inputs[0]);
  auto refuse = [&](const Twine &message) -> std::optional<Attended> {
    (void)ctx.raise(Twine(ctx.name()) + ": " + message);
    return std::nullopt;
  };
  if (!isFloat(type))
    return refuse("expected floating-point tensors");
  for (Value tensor : {inputs[1], inputs[2], heads.inputWeight, heads.inputBias, heads.outputWeight,
                       heads.outputBias})
    if (getElementTypeOrSelf(tensor) != type)
      return refuse("expected tensors of one dtype");
  if (heads.count <= 0 || heads.embedDim % heads.count)
    return refuse("embed_dim must be a multiple of the number of heads");
  for (Value input : inputs)
    if (rankOf(input) != 3)
      return refuse("expected a query, key and value of rank 3");
  OpFoldResult dim = ctx.fold(heads.embedDim);
  for (Value input : inputs) {
    for (int64_t i = 0; i < 2; ++i)
      if (!ctx.requireEqual(ctx.size(input, i), ctx.size(inputs[0], i),
                            "expected `query`/`key`/`value` shapes to match"))
        return std::nullopt;
    if (!ctx.requireEqual(ctx.size(input, 2), dim, "passed-in embed_dim does not match the input"))
      return std::nullopt;
  }
  if (rankOf(heads.inputWeight) != 2 || rankOf(heads.inputBias) != 1 ||
      !ctx.requireEqual(ctx.size(heads.inputWeight, 0), ctx.fold(3 * heads.embedDim),
                        "expected `qkv_weight` first dim to be 3x embed_dim") ||
      !ctx.requireEqual(ctx.size(heads.inputBias, 0), ctx.fold(3 * heads.embedDim),
                        "expected `qkv_bias` first dim to be 3x embed_dim"))
    return refuse("expected weights of 3 * embed_dim rows");

  OpFoldResult batch = ctx.size(inputs[0], 0), length = ctx.size(inputs[0], 1);
  OpFoldResult count = ctx.fold(heads.count), width = ctx.fold(heads.embedDim / heads.count);
  std::array<Value, 3> projected = projectInputs(ctx, inputs, heads);
  if (ctx.failed())
    return std::nullopt;
  // One batch of [L, width] per head.
  OpFoldResult matrices = ctx.mul(batch, count);
  for (Value &tensor : projected) {
    Value split = ctx.permute(ctx.reshape(tensor, {batch, length, count, width}), {0, 2, 1, 3});
    tensor = ctx.reshape(split, {matrices, length, width});
  }
  double scale = 1 / std::sqrt(static_cast<double>(heads.embedDim / heads.count));
  Expr query = Expr(ctx, projected[0]) * scale;
  if (query.isNull())
    return std::nullopt;
  Value scores = MatmulOp::create(ctx.b, ctx.loc, query.value(), projected[1],
                                  /*transpose_lhs=*/false, /*transpose_rhs=*/true);
  scores = ctx.reshape(scores, {batch, count, length, length});
  if (heads.mask) {
    Value mask = headMask(ctx, heads, batch, length);
    if (!mask)
      return std::nullopt;
    Expr all(ctx, scores);
    scores =
        where(Expr(ctx, mask), all.constant(-std::numeric_limits<double>::infinity()), all).value();
  }
  Value probabilities = checkedValue<SoftmaxOp>(ctx, scores, uint64_t(3));
  if (!probabilities)
    return std::nullopt;
  Value mixed = MatmulOp::create(
      ctx.b, ctx.loc, ctx.reshape(probabilities, {matrices, length, length}), projected[2],
      /*transpose_lhs=*/false, /*transpose_rhs=*/false);
  mixed = ctx.permute(ctx.reshape(mixed, {batch, count, length, width}), {0, 2, 1, 3});
  Value output = buildLinear(ctx, ctx.reshape(mixed, {batch, length, dim}), heads.outputWeight,
                             heads.outputBias);
  if (ctx.failed() || !output)
    return std::nullopt;
  return Attended{output, probabilities};
}

/// _native_multi_head_attention(query, key, value, embed_dim, num_head, qkv_weight, qkv_bias,
/// proj_weight, proj_bias, mask?, need_weights, average_attn_weights, mask_type?) -> (output,
/// probabilities or None).
static LogicalResult nativeMultiHeadAttention(RuleContext &ctx,
                                              SmallVectorImpl<SpecValue> &results) {
  SmallVector<Value> inputs = {ctx.tensor(0), ctx.tensor(1), ctx.tensor(2)};
  Heads heads{ctx.constantInt(3), ctx.constantInt(4), ctx.tensor(5),         ctx.tensor(6),
              ctx.tensor(7),      ctx.tensor(8),      ctx.optionalTensor(9), std::nullopt};
  bool needsWeights = ctx.constantBool(10, true), averages = ctx.constantBool(11, true);
  if (!ctx.isNone(12))
    heads.maskType = ctx.constantInt(12);
  if (ctx.failed())
    return failure();
  std::optional<Attended> attended = attend(ctx, inputs, heads);
  if (!attended)
    return failure();
  results.push_back(ctx.makeTensor(attended->output));
  if (!needsWeights) {
    results.push_back(SpecValue::none());
    return success();
  }
  Expr weights(ctx, attended->probabilities);
  if (averages)
    weights = reduce(ReduceKind::Sum, weights, {1}, false) / static_cast<double>(heads.count);
  if (weights.isNull())
    return failure();
  results.push_back(ctx.makeTensor(weights.value()));
  return success();
}

/// _transformer_encoder_layer_fwd(src, embed_dim, num_heads, qkv_weight, qkv_bias, proj_weight,
/// proj_bias, use_gelu, norm_first, eps, norm_weight_1, norm_bias_1, norm_weight_2, norm_bias_2,
/// ffn_weight_1, ffn_bias_1, ffn_weight_2, ffn_bias_2, mask?, mask_type?).
static FailureOr<Value> transformerEncoderLayer(RuleContext &ctx) {
  Value source = ctx.tensor(0);
  Heads heads{ctx.constantInt(1), ctx.constantInt(2), ctx.tensor(3),          ctx.tensor(4),
              ctx.tensor(5),      ctx.tensor(6),      ctx.optionalTensor(18), std::nullopt};
  bool usesGelu = ctx.constantBool(7), normalizesFirst = ctx.constantBool(8);
  double eps = ctx.constantFloat(9);
  SmallVector<Value> parameters; // by position, from 10
  for (unsigned i = 10; i < 18; ++i)
    parameters.push_back(ctx.tensor(i));
  if (!ctx.isNone(19))
    heads.maskType = ctx.constantInt(19);
  if (ctx.failed())
    return failure();

  auto normalize = [&](Value x, unsigned first) -> Value {
    return checkedValue<LayerNormOp>(ctx, x, parameters[first - 10], parameters[first - 9],
                                     ctx.b.getI64IntegerAttr(1), ctx.b.getF64FloatAttr(eps));
  };
  auto attention = [&](Value x) -> Value {
    std::optional<Attended> attended = attend(ctx, {x, x, x}, heads);
    return attended ? attended->output : Value();
  };
  auto feedForward = [&](Value x) -> Value {
    Expr hidden(ctx, buildLinear(ctx, x, parameters[4], parameters[5]));
    if (hidden.isNull())
      return {};
    hidden = usesGelu ? hidden * 0.5 * (1.0 + erf(hidden * 0.70710678118654752440))
                      : maximum(hidden, 0.0);
    return hidden.isNull() ? Value()
                           : buildLinear(ctx, hidden.value(), parameters[6], parameters[7]);
  };
  auto residual = [&](Value x, Value y) -> Value { return y ? ctx.binary<AddOp>(x, y) : Value(); };
  auto block = [&](Value x, auto &&compute, unsigned norm) -> Value {
    if (!x)
      return {};
    if (!normalizesFirst) {
      Value sum = residual(x, compute(x));
      return sum ? normalize(sum, norm) : Value();
    }
    Value normal = normalize(x, norm);
    return normal ? residual(x, compute(normal)) : Value();
  };
  return done(ctx, block(block(source, attention, 10), feedForward, 12));
}

void specialize::registerAttentionRules(RuleRegistry &registry) {
  registry.value("scaled_dot_product_attention", attention);
  registry.special("_native_multi_head_attention", nativeMultiHeadAttention);
  registry.value("_transformer_encoder_layer_fwd", transformerEncoderLayer);
}
