//===- Recurrent.cpp - Rules of recurrent networks ------------------------===//
//
// The input's products with the weights are computed for all times at once; the recurrence is a
// `tl.loop` over time.

#include "Families.h"
#include "PackedRows.h"
#include "RandomBuild.h"
#include "TensorExpr.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

static int64_t rankOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getRank(); }

namespace {
enum class CellKind { LSTM, GRU, Tanh, Relu };

/// The weights of one layer and direction.
struct CellWeights {
  Value input, hidden, inputBias, hiddenBias;
};
} // namespace

static int64_t gateCount(CellKind kind) {
  return kind == CellKind::LSTM ? 4 : kind == CellKind::GRU ? 3 : 1;
}

/// x * weight^T + bias, for matrices, in the type in which PyTorch computes.
static Expr affineProduct(RuleContext &ctx, Value x, Value weight, Value bias) {
  if (ctx.failed() || !x || !weight)
    return Expr(ctx, {});
  if (rankOf(x) != 2 || rankOf(weight) != 2 || (bias && rankOf(bias) != 1)) {
    (void)ctx.fail(Twine(ctx.name()) + ": expected matrices, and biases that are vectors");
    return Expr(ctx, {});
  }
  if (!ctx.requireEqual(ctx.size(x, 1), ctx.size(weight, 1),
                        Twine(ctx.name()) +
                            ": the features of input or state differ from the weight's"))
    return Expr(ctx, {});
  Type type = getElementTypeOrSelf(x), wide = computeType(type);
  Expr product(ctx, MatmulOp::create(ctx.b, ctx.loc, x, weight, /*transpose_a=*/false,
                                     /*transpose_b=*/true,
                                     /*to_f32=*/type != wide));
  return bias ? product + Expr(ctx, bias).cast(wide) : product;
}

/// Columns `i * hidden` to `(i + 1) * hidden` of the gates.
static Expr gate(const Expr &gates, int64_t i, OpFoldResult hidden) {
  RuleContext &ctx = gates.ctx();
  if (gates.isNull())
    return gates;
  return Expr(ctx, ctx.slice(gates.value(), 1, ctx.mul(ctx.fold(i), hidden), hidden));
}

/// One step: the next state (h, and c for an LSTM) from the input's share of the gates. f16 and
/// bf16 are rounded once, where they become the state.
static SmallVector<Value> cellStep(RuleContext &ctx, CellKind kind, const Expr &fromInput,
                                   ArrayRef<Value> state, const CellWeights &weights,
                                   OpFoldResult hidden) {
  Type type = getElementTypeOrSelf(state[0]), wide = computeType(type);
  Expr h = Expr(ctx, state[0]).cast(wide);
  Expr fromHidden = affineProduct(ctx, state[0], weights.hidden, weights.hiddenBias);
  if (fromInput.isNull() || fromHidden.isNull())
    return {};
  if (kind == CellKind::LSTM) {
    Expr gates = fromInput + fromHidden;
    Expr in = sigmoid(gate(gates, 0, hidden)), forget = sigmoid(gate(gates, 1, hidden));
    Expr cell = tanh(gate(gates, 2, hidden)), out = sigmoid(gate(gates, 3, hidden));
    Expr c = forget * Expr(ctx, state[1]).cast(wide) + in * cell;
    return {(out * tanh(c)).cast(type).value(), c.cast(type).value()};
  }
  if (kind == CellKind::GRU) {
    Expr reset = sigmoid(gate(fromInput, 0, hidden) + gate(fromHidden, 0, hidden));
    Expr update = sigmoid(gate(fromInput, 1, hidden) + gate(fromHidden, 1, hidden));
    Expr fresh = tanh(gate(fromInput, 2, hidden) + reset * gate(fromHidden, 2, hidden));
    return {((h - fresh) * update + fresh).cast(type).value()};
  }
  Expr sum = fromInput + fromHidden;
  return {(kind == CellKind::Tanh ? tanh(sum) : maximum(sum, 0.0)).cast(type).value()};
}

/// Checks that the weights have the gates of the cell; the hidden size.
static std::optional<OpFoldResult> checkWeights(RuleContext &ctx, CellKind kind,
                                                const CellWeights &weights, Value h) {
  if (ctx.failed())
    return std::nullopt;
  OpFoldResult hidden = ctx.size(h, rankOf(h) - 1);
  OpFoldResult rows = ctx.mul(ctx.fold(gateCount(kind)), hidden);
  Type type = getElementTypeOrSelf(h);
  for (Value weight : {weights.input, weights.hidden, weights.inputBias, weights.hiddenBias}) {
    if (!weight)
      continue;
    if (getElementTypeOrSelf(weight) != type || !isFloat(type)) {
      (void)ctx.fail(Twine(ctx.name()) + ": expected floating-point tensors of one dtype");
      return std::nullopt;
    }
    if (!ctx.requireEqual(ctx.size(weight, 0), rows,
                          Twine(ctx.name()) +
                              ": the weights do not have the rows of the hidden state's gates"))
      return std::nullopt;
  }
  return hidden;
}

/// lstm_cell(input, hx, w_ih, w_hh, b_ih?, b_hh?) -> (h, c); gru_cell and others with one state
/// tensor.
template <CellKind kind> static FailureOr<SmallVector<Value>> cell(RuleContext &ctx) {
  Value input = ctx.tensor(0);
  SmallVector<Value> state =
      kind == CellKind::LSTM ? ctx.tensorList(1) : SmallVector<Value>{ctx.tensor(1)};
  CellWeights weights{ctx.tensor(2), ctx.tensor(3), ctx.optionalTensor(4), ctx.optionalTensor(5)};
  if (ctx.failed())
    return failure();
  if (kind == CellKind::LSTM && state.size() != 2)
    return ctx.fail("lstm_cell expects two hidden states");
  bool isVector = rankOf(input) == 1;
  for (Value &h : state) {
    if (rankOf(h) != rankOf(input))
      return ctx.fail(ctx.name() + ": expected input and state of one rank");
    if (isVector)
      h = ctx.unsqueeze(h, 0);
  }
  if (isVector)
    input = ctx.unsqueeze(input, 0);
  std::optional<OpFoldResult> hidden = checkWeights(ctx, kind, weights, state[0]);
  if (!hidden)
    return failure();
  if (!ctx.requireEqual(ctx.size(input, 0), ctx.size(state[0], 0),
                        "cell: batch sizes of input and state differ"))
    return failure();
  Expr fromInput = affineProduct(ctx, input, weights.input, weights.inputBias);
  SmallVector<Value> next = cellStep(ctx, kind, fromInput, state, weights, *hidden);
  for (Value &h : next)
    if (h && isVector)
      h = ctx.squeeze(h, 0);
  if (ctx.failed() || next.empty() || llvm::is_contained(next, Value()))
    return failure();
  return next;
}

template <CellKind kind> static FailureOr<Value> singleCell(RuleContext &ctx) {
  FailureOr<SmallVector<Value>> next = cell<kind>(ctx);
  if (failed(next))
    return failure();
  return next->front();
}

/// One layer in one direction over [time, batch, features], or over packed rows; gives the output
/// and leaves the last state. A sequence that is shorter than others keeps its state where it has
/// no row.
static Value runLayer(RuleContext &ctx, CellKind kind, Value input, SmallVector<Value> &state,
                      const CellWeights &weights, bool reverse, const PackedRows *packed) {
  std::optional<OpFoldResult> hidden = checkWeights(ctx, kind, weights, state[0]);
  if (!hidden)
    return {};
  SmallVector<OpFoldResult> sizes = ctx.sizes(input);
  OpFoldResult time = packed ? packed->time : sizes[0];
  OpFoldResult batch = packed ? packed->batch : sizes[1];
  if (!ctx.requireEqual(batch, ctx.size(state[0], 0),
                        Twine(ctx.name()) + ": batch sizes of input and state differ"))
    return {};
  OpFoldResult rows = ctx.mul(ctx.fold(gateCount(kind)), *hidden);
  Type type = getElementTypeOrSelf(input);
  Value flat = packed ? input : ctx.reshape(input, {ctx.mul(time, batch), sizes[2]});
  Expr projected = affineProduct(ctx, flat, weights.input, weights.inputBias);
  if (projected.isNull())
    return {};
  Value allGates = packed ? unpackRows(ctx, *packed, projected.value())
                          : ctx.reshape(projected.value(), {time, batch, rows});
  Value output = ctx.full({time, batch, *hidden}, 0.0, type);
  // Every size is computed out here: values made in the body must not be used outside of it.
  Value count = ctx.intValue(time), batchSize = ctx.indexValue(batch),
        hiddenSize = ctx.indexValue(*hidden);
  Value last = ctx.indexValue(ctx.sub(time, ctx.fold(1)));
  (void)batchSize;
  (void)hiddenSize;
  if (ctx.failed())
    return {};

  auto makeState = [&](Value tensor) {
    return ctx.refine(tensor, ctx.makeType({batch, *hidden}, type));
  };
  SmallVector<Value> carried = {output};
  for (Value h : state)
    carried.push_back(makeState(h));
  SmallVector<Type> types = llvm::map_to_vector(carried, [](Value v) { return v.getType(); });
  Value always = arith::ConstantOp::create(ctx.b, ctx.loc, ctx.b.getBoolAttr(true));
  auto loop = LoopOp::create(ctx.b, ctx.loc, types, count, always, carried);
  OpBuilder::InsertionGuard guard(ctx.b);
  SmallVector<Type> argumentTypes = {ctx.b.getI64Type()};
  argumentTypes.append(types);
  Block *body = ctx.b.createBlock(&loop.getBody(), {}, argumentTypes,
                                  SmallVector<Location>(argumentTypes.size(), ctx.loc));
  Value step =
      arith::IndexCastOp::create(ctx.b, ctx.loc, ctx.b.getIndexType(), body->getArgument(0));
  if (reverse)
    step = arith::SubIOp::create(ctx.b, ctx.loc, last, step);
  OpFoldResult zero = ctx.fold(0), one = ctx.fold(1);
  SmallVector<OpFoldResult> offsets = {step, zero, zero}, strides(3, one);
  RankedTensorType rowType = ctx.makeType({batch, rows}, projected.elementType());
  Value now = tensor::ExtractSliceOp::create(ctx.b, ctx.loc, rowType, allGates, offsets,
                                             ArrayRef<OpFoldResult>{one, batch, rows}, strides);
  SmallVector<Value> before(body->getArguments().begin() + 2, body->getArguments().end());
  SmallVector<Value> next = cellStep(ctx, kind, Expr(ctx, now), before, weights, *hidden);
  if (ctx.failed() || next.empty() || llvm::is_contained(next, Value()))
    return {};
  if (packed) {
    Type maskType = ctx.makeType({batch}, ctx.b.getI1Type());
    Value mask = tensor::ExtractSliceOp::create(ctx.b, ctx.loc, cast<RankedTensorType>(maskType),
                                                packed->isThere, ArrayRef<OpFoldResult>{step, zero},
                                                ArrayRef<OpFoldResult>{one, batch},
                                                ArrayRef<OpFoldResult>{one, one});
    Expr isThere(ctx, ctx.unsqueeze(mask, 1));
    for (auto [h, old] : llvm::zip_equal(next, before))
      h = where(isThere, Expr(ctx, h), Expr(ctx, old)).value();
  }
  for (Value &h : next)
    h = makeState(h);
  Value written =
      tensor::InsertSliceOp::create(ctx.b, ctx.loc, next[0], body->getArgument(1), offsets,
                                    ArrayRef<OpFoldResult>{one, batch, *hidden}, strides);
  SmallVector<Value> values = {written};
  values.append(next);
  ContinueOp::create(ctx.b, ctx.loc, always, values);
  state.assign(loop.getResults().begin() + 1, loop.getResults().end());
  ctx.b.setInsertionPointAfter(loop);
  return packed ? packRows(ctx, *packed, loop.getResult(0)) : loop.getResult(0);
}

namespace {
/// Layers of cells, in one direction or both.
struct Network {
  CellKind kind;
  /// The first states: h, and c for an LSTM, each [layers * directions, batch, hidden].
  SmallVector<Value> initial;
  SmallVector<Value> parameters;
  bool hasBiases;
  int64_t layers;
  double dropout;
  bool train, bidirectional;

  int64_t stateCount() const { return kind == CellKind::LSTM ? 2 : 1; }
  int64_t directions() const { return bidirectional ? 2 : 1; }
  int64_t parametersPerCell() const { return hasBiases ? 4 : 2; }
  CellWeights weightsOf(int64_t cell) const {
    ArrayRef<Value> own =
        ArrayRef(parameters).slice(cell * parametersPerCell(), parametersPerCell());
    return {own[0], own[1], hasBiases ? own[2] : Value(), hasBiases ? own[3] : Value()};
  }
};
} // namespace

/// Reads the operands from `first` on: hx, params, has_biases, num_layers, dropout, train,
/// bidirectional.
static FailureOr<Network> readNetwork(RuleContext &ctx, CellKind kind, unsigned first) {
  Network network{kind,
                  kind == CellKind::LSTM ? ctx.tensorList(first)
                                         : SmallVector<Value>{ctx.tensor(first)},
                  ctx.tensorList(first + 1),
                  ctx.constantBool(first + 2),
                  ctx.constantInt(first + 3),
                  ctx.constantFloat(first + 4),
                  ctx.constantBool(first + 5),
                  ctx.constantBool(first + 6)};
  if (ctx.failed())
    return failure();
  int64_t wanted = network.layers * network.directions() * network.parametersPerCell();
  if (static_cast<int64_t>(network.parameters.size()) != wanted)
    return ctx.fail(ctx.name() + ": expected " + Twine(wanted) +
                    " weights (projections are not supported), but got " +
                    Twine(network.parameters.size()));
  if (static_cast<int64_t>(network.initial.size()) != network.stateCount())
    return ctx.fail(ctx.name() + ": expected " + Twine(network.stateCount()) + " states");
  return network;
}

/// Whether the states suit an input of an element type.
static bool checkStates(RuleContext &ctx, const Network &network, Type type) {
  if (!isFloat(type)) {
    (void)ctx.fail(ctx.name() + ": expected a floating-point input");
    return false;
  }
  for (Value tensor : network.initial) {
    if (rankOf(tensor) != 3 || getElementTypeOrSelf(tensor) != type) {
      (void)ctx.fail(ctx.name() + ": expected states of the rank and dtype of the input");
      return false;
    }
    if (!ctx.requireEqual(ctx.size(tensor, 0), ctx.fold(network.layers * network.directions()),
                          Twine(ctx.name()) +
                              ": the states do not have one row for each layer and direction"))
      return false;
  }
  return true;
}

/// Runs all layers over [time, batch, features] or packed rows: the output, then the last states.
static SmallVector<Value> runNetwork(RuleContext &ctx, const Network &network, Value x,
                                     const PackedRows *packed) {
  SmallVector<SmallVector<Value>> finals(network.stateCount());
  for (int64_t layer = 0; layer < network.layers; ++layer) {
    SmallVector<Value> outputs;
    for (int64_t direction = 0; direction < network.directions(); ++direction) {
      int64_t cell = layer * network.directions() + direction;
      SmallVector<Value> state;
      for (Value tensor : network.initial)
        state.push_back(ctx.squeeze(ctx.slice(tensor, 0, ctx.fold(cell), ctx.fold(1)), 0));
      if (ctx.failed())
        return {};
      Value output = runLayer(ctx, network.kind, x, state, network.weightsOf(cell),
                              /*reverse=*/direction == 1, packed);
      if (!output)
        return {};
      outputs.push_back(output);
      for (auto [parts, last] : llvm::zip_equal(finals, state))
        parts.push_back(ctx.unsqueeze(last, 0));
    }
    x = outputs.size() == 1 ? outputs[0]
                            : Value(ConcatOp::create(ctx.b, ctx.loc, ValueRange(outputs),
                                                     static_cast<uint64_t>(packed ? 1 : 2)));
    if (network.train && network.dropout != 0 && layer + 1 < network.layers)
      x = dropOut(ctx, x, network.dropout);
    if (!x)
      return {};
  }
  SmallVector<Value> results = {x};
  for (SmallVector<Value> &parts : finals)
    results.push_back(parts.size() == 1 ? parts[0]
                                        : Value(ConcatOp::create(ctx.b, ctx.loc, ValueRange(parts),
                                                                 uint64_t(0))));
  return results;
}

/// lstm.input, gru.input, rnn_tanh.input, rnn_relu.input
/// (input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)
/// -> (output, h, and c for an LSTM); the output is [time, batch, features] always.
template <CellKind kind> static FailureOr<SmallVector<Value>> recurrent(RuleContext &ctx) {
  Value input = ctx.tensor(0);
  FailureOr<Network> network = readNetwork(ctx, kind, 1);
  bool batchFirst = ctx.constantBool(8);
  if (failed(network) || ctx.failed())
    return failure();
  if (rankOf(input) != 2 && rankOf(input) != 3)
    return ctx.fail(ctx.name() + ": expected an input of rank 2 or 3");
  bool isBatched = rankOf(input) == 3;
  if (!isBatched) {
    input = ctx.unsqueeze(input, 1);
    batchFirst = false;
    for (Value &tensor : network->initial)
      if (rankOf(tensor) == 2)
        tensor = ctx.unsqueeze(tensor, 1);
  }
  if (!checkStates(ctx, *network, getElementTypeOrSelf(input)))
    return failure();
  if (batchFirst)
    input = ctx.transpose(input, 0, 1);
  SmallVector<Value> results = runNetwork(ctx, *network, input, /*packed=*/nullptr);
  if (results.empty())
    return failure();
  if (!isBatched)
    for (Value &result : results)
      result = ctx.squeeze(result, 1);
  if (ctx.failed())
    return failure();
  return results;
}

/// lstm.data, gru.data, rnn_tanh.data, rnn_relu.data
/// (data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional)
/// -> (output, h, and c for an LSTM).
template <CellKind kind> static FailureOr<SmallVector<Value>> recurrentPacked(RuleContext &ctx) {
  Value data = ctx.tensor(0), batchSizes = ctx.tensor(1);
  FailureOr<Network> network = readNetwork(ctx, kind, 2);
  if (failed(network) || ctx.failed())
    return failure();
  if (rankOf(data) != 2)
    return ctx.fail(ctx.name() + ": expected packed data of rank 2");
  if (!checkStates(ctx, *network, getElementTypeOrSelf(data)))
    return failure();
  OpFoldResult batch = ctx.size(network->initial[0], 1);
  std::optional<PackedRows> packed = checkRows(ctx, batchSizes, batch, ctx.size(data, 0));
  if (!packed)
    return failure();
  SmallVector<Value> results = runNetwork(ctx, *network, data, &*packed);
  if (results.empty() || ctx.failed())
    return failure();
  return results;
}

/// The same as tensors of the program.
template <CellKind kind>
static LogicalResult recurrentTensors(RuleContext &ctx, SmallVectorImpl<SpecValue> &results) {
  FailureOr<SmallVector<Value>> values = recurrent<kind>(ctx);
  if (failed(values))
    return failure();
  Value output = values->front();
  results.push_back(makeSequences(ctx, output, rankOf(output) == 3 && ctx.constantBool(8)));
  for (Value state : ArrayRef(*values).drop_front())
    results.push_back(ctx.makeTensor(state));
  return failure(ctx.failed());
}

void specialize::registerRecurrentRules(RuleRegistry &registry) {
  registry.special("lstm.input", recurrentTensors<CellKind::LSTM>);
  registry.special("gru.input", recurrentTensors<CellKind::GRU>);
  registry.special("rnn_tanh.input", recurrentTensors<CellKind::Tanh>);
  registry.special("rnn_relu.input", recurrentTensors<CellKind::Relu>);
  registry.values("lstm.data", recurrentPacked<CellKind::LSTM>);
  registry.values("gru.data", recurrentPacked<CellKind::GRU>);
  registry.values("rnn_tanh.data", recurrentPacked<CellKind::Tanh>);
  registry.values("rnn_relu.data", recurrentPacked<CellKind::Relu>);
  registry.values("lstm_cell", cell<CellKind::LSTM>);
  registry.value("gru_cell", singleCell<CellKind::GRU>);
  registry.value("rnn_tanh_cell", singleCell<CellKind::Tanh>);
  registry.value("rnn_relu_cell", singleCell<CellKind::Relu>);
}
