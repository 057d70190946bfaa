//===- Walker.cpp - The walk over operations ------------------------------===//
#include "Walker.h"
#include "Boxes.h"
#include "RunTimeLists.h"
#include "Strides.h"
#include "SymbolicStrides.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Problems
//===----------------------------------------------------------------------===//

Location Walker::locOf(Operation *op) {
  if (!op)
    return function.getLoc();
  if (callStack.empty())
    return op->getLoc();
  return CallSiteLoc::get(op->getLoc(), callStack.back().second);
}

LogicalResult Walker::error(const Twine &message) { return error(locOf(current), message); }

LogicalResult Walker::error(Location loc, const Twine &message) {
  problems.push_back({loc, message.str(), ""});
  return failure();
}

/// A message with its holes filled with the constants among the values, for a person to read.
static std::string readable(StringRef message, ValueRange values) {
  std::string text = message.str();
  for (Value value : values) {
    size_t hole = text.find("{}");
    APInt number;
    if (hole == std::string::npos)
      break;
    text.replace(hole, 2,
                 matchPattern(value, m_ConstantInt(&number)) ? std::to_string(number.getSExtValue())
                                                             : "?");
  }
  return text;
}

void Walker::raise(Location loc, StringRef message, ValueRange values) {
  if (undecided == 0)
    alwaysRaises = Problem{loc, "this always raises: " + readable(message, values), ""};
  Value never = constant(b.getBoolAttr(false));
  CheckOp::create(b, loc, never, message, values);
  dead = true;
}

bool Walker::loseStructure(const Twine &reason) {
  if (!inLoopAttempt())
    return false;
  if (!structureLost) {
    structureLost = reason.str();
    structureLostAt = locOf(current);
  }
  dead = true;
  return true;
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

SpecValue Walker::get(Value written) {
  auto it = state.env.find(written);
  if (it == state.env.end())
    return SpecValue::unknown();
  const SpecValue &value = it->second;
  if (value.is(ValueKind::Optional) || value.is(ValueKind::Tuple))
    return decided(value);
  // What is known here may have made a run-time value a constant.
  if (Value scalar = value.getScalar()) {
    if (value.is(ValueKind::Bool)) {
      if (std::optional<bool> known = knownCondition(scalar))
        return SpecValue::boolean(b.getContext(), *known);
    } else if (value.is(ValueKind::Int)) {
      for (auto &[left, right] : state.equalities)
        if (left == scalar)
          if (auto attr = dyn_cast<Attribute>(right))
            return SpecValue::integer(b.getContext(), cast<IntegerAttr>(attr).getInt());
    }
  }
  return value;
}

SmallVector<SpecValue> Walker::get(ValueRange written) {
  SmallVector<SpecValue> values;
  for (Value value : written)
    values.push_back(get(value));
  return values;
}

void Walker::bind(ValueRange written, ArrayRef<SpecValue> values) {
  for (auto [index, value] : llvm::enumerate(written))
    bind(value, index < values.size() ? values[index] : SpecValue::unknown());
}

//===----------------------------------------------------------------------===//
// Blocks and calls
//===----------------------------------------------------------------------===//

OutcomePtr Walker::walkFrom(Block &block, Block::iterator it) {
  for (; it != block.end(); ++it) {
    Operation *op = &*it;
    current = op;
    if (op->hasTrait<OpTrait::IsTerminator>())
      return makeLeaf(get(op->getOperands()));

    OutcomePtr outcome;
    if (auto ifOp = dyn_cast<IfOp>(op))
      outcome = walkIf(ifOp);
    else if (auto loop = dyn_cast<LoopOp>(op))
      outcome = walkLoop({loop, get(loop.getInitialValues()), get(loop.getMaxTripCount()),
                          get(loop.getInitialCondition())});
    else if (isa<CallOp, CallMethodOp>(op))
      outcome = walkCall(op);
    else if (isa<EnterOp, ExitOp>(op))
      outcome = walkWith(op);
    else if (Value present = presenceFor(op))
      outcome = walkByPresence(op, present);
    if (!outcome) {
      if (!stepAlone(op))
        return makeDead();
      continue;
    }
    current = op;
    switch (outcome->kind) {
    case Outcome::Kind::Dead:
      return makeDead();
    case Outcome::Kind::Leaf: {
      SmallVector<SpecValue> yields = std::move(outcome->yields);
      enter(*outcome);
      bind(op->getResults(), yields);
      continue;
    }
    case Outcome::Kind::Branch:
      // The rest of the block follows in every arm, until they agree.
      forEachLeaf(outcome, [&](OutcomePtr leaf) {
        SmallVector<SpecValue> yields = std::move(leaf->yields);
        enter(*leaf);
        bind(op->getResults(), yields);
        return walkFrom(block, std::next(it));
      });
      current = block.getTerminator();
      collapse(outcome);
      return outcome;
    }
  }
  return makeLeaf({});
}

bool Walker::stepAlone(Operation *op) {
  if (failed(step(op)))
    for (Value result : op->getResults())
      bind(result, SpecValue::unknown());
  return !std::exchange(dead, false);
}

/// Calls within calls. The walk takes some 10 KB of its stack for each (`walkStackBytes`).
static constexpr unsigned maxCallDepth = 2000;

OutcomePtr Walker::walkFunction(func::FuncOp callee, ArrayRef<SpecValue> arguments,
                                Operation *call) {
  Block &body = callee.getBody().front();
  if (callStack.size() > maxCallDepth) {
    (void)error("calls are nested more than " + Twine(maxCallDepth) +
                " deep; recursion is not supported");
    return makeDead();
  }
  if (arguments.size() > body.getNumArguments()) {
    (void)error("expected at most " + Twine(body.getNumArguments()) + " arguments for " +
                callee.getSymName() + ", but got " + Twine(arguments.size()));
    return makeDead();
  }
  for (auto [index, argument] : llvm::enumerate(body.getArguments())) {
    if (index < arguments.size()) {
      bind(argument, arguments[index]);
      continue;
    }
    Attribute value = callee.getArgAttr(index, "tl.default");
    if (!value) {
      (void)error("expected a value for argument #" + Twine(index) + " of " + callee.getSymName());
      return makeDead();
    }
    bind(argument, fromAttribute(value, argument.getType()));
  }
  if (call)
    callStack.push_back({call, locOf(call)});
  OutcomePtr outcome = walkFrom(body, body.begin());
  if (call)
    callStack.pop_back();
  current = call;
  return outcome;
}

OutcomePtr Walker::unknownResults(Operation *op) {
  return makeLeaf(SmallVector<SpecValue>(op->getNumResults(), SpecValue::unknown()));
}

OutcomePtr Walker::walkCall(Operation *op) {
  SmallVector<SpecValue> arguments = get(op->getOperands());
  if (auto call = dyn_cast<CallOp>(op))
    return walkSymbol(call.getCalleeAttr(), arguments, op);
  return walkMethod(cast<CallMethodOp>(op).getMethod(), arguments, op);
}

OutcomePtr Walker::walkMethod(StringRef name, ArrayRef<SpecValue> arguments, Operation *op) {
  const SpecValue &self = arguments.front();
  if (!self.is(ValueKind::Object)) {
    if (!self.is(ValueKind::Unknown))
      (void)error("expected an object to call '" + name + "' of, but got " + self.kindName());
    return unknownResults(op);
  }
  FlatSymbolRefAttr className = cell(self.getCell()).className;
  ClassOp classOp = program.lookupClass(className);
  FlatSymbolRefAttr symbol = classOp ? classOp.getMethod(name) : FlatSymbolRefAttr();
  if (!symbol) {
    (void)error("the class " + className.getValue() + " has no method '" + name + "'");
    return unknownResults(op);
  }
  return walkSymbol(symbol, arguments, op);
}

OutcomePtr Walker::walkSymbol(FlatSymbolRefAttr symbol, ArrayRef<SpecValue> arguments,
                              Operation *op) {
  func::FuncOp callee = program.lookupFunction(symbol);
  if (!callee || callee.isExternal()) {
    (void)error("expected a function " + symbol.getValue());
    return unknownResults(op);
  }
  return walkFunction(callee, arguments, op);
}

OutcomePtr Walker::walkWith(Operation *op) {
  SpecValue object = get(op->getOperand(0));
  // no_grad and its like.
  if (object.is(ValueKind::Object) &&
      cell(object.getCell()).className.getValue().contains("torch.autograd"))
    return makeLeaf(SmallVector<SpecValue>(op->getNumResults(), SpecValue::none()));
  SpecValue none = SpecValue::none();
  if (isa<EnterOp>(op))
    return walkMethod("__enter__", {object}, op);
  // What raises leaves the call: the method is told of no exception.
  return walkMethod("__exit__", {object, none, none, none}, op);
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

LogicalResult Walker::step(Operation *op) {
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](AtenOp aten) { return stepAten(aten); })
      .Case<ConstantOp, GetAttrOp, SetAttrOp, HasAttrOp, CreateObjectOp, ListConstructOp,
            ListUnpackOp, TupleConstructOp, TupleUnpackOp, TupleIndexOp, TupleSliceOp,
            DictConstructOp, UncheckedCastOp, IsInstanceOp, UninitializedOp, RaiseOp, PrintOp>(
          [&](auto known) { return step(known); })
      .Default([&](Operation *other) {
        return error("the operation '" + other->getName().getStringRef() +
                     "' is not supported here");
      });
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

/// Whether a value is, or holds, the result of something that was already reported.
static bool containsUnknown(Walker &w, const SpecValue &value, unsigned depth = 3) {
  if (value.is(ValueKind::Unknown))
    return true;
  if (depth == 0)
    return false;
  auto inside = [&](const SpecValue &element) { return containsUnknown(w, element, depth - 1); };
  if (value.is(ValueKind::Tuple) || value.is(ValueKind::Optional) || value.is(ValueKind::Pieces))
    return llvm::any_of(value.getElements(), inside);
  if (value.is(ValueKind::List) || value.is(ValueKind::Dict))
    return llvm::any_of(w.cell(value.getCell()).elements, inside);
  return false;
}

/// Whether cells have changed since.
static bool hasChanged(const Heap &before, const Heap &now) {
  return llvm::any_of(llvm::seq<CellId>(0, before.size()),
                      [&](CellId id) { return before.lookup(id) != now.lookup(id); });
}

/// What a rule has refused LibTorch may do. The problems from `first` on go if it does.
bool Walker::callInstead(AtenOp op, ArrayRef<SpecValue> operands, size_t first) {
  std::vector<Problem> refusals(problems.begin() + first, problems.end());
  problems.erase(problems.begin() + first, problems.end());
  std::string why;
  if (succeeded(callOperator(op, operands, why)))
    return true;
  problems.insert(problems.end(), refusals.begin(), refusals.end());
  return false;
}

LogicalResult Walker::stepAten(AtenOp op) {
  StringRef name = op.getName();
  name.consume_front("aten::");
  SmallVector<SpecValue> operands = get(op.getOperands());
  const RuleRegistry &registry = RuleRegistry::get();
  const Rule *rule = registry.lookup(name);
  const Rule *inPlace = rule ? nullptr : registry.lookupInPlace(name);
  std::string functional;
  const Rule *out = rule || inPlace ? nullptr : registry.lookupOut(name, functional);
  if (!rule && !inPlace && !out)
    return stepUnruled(op, operands);
  for (const SpecValue &operand : operands) {
    if (containsUnknown(*this, operand))
      return failure();
    if (operand.is(ValueKind::Uninitialized))
      return error("'" + name + "' uses a value that is not initialized");
  }
  if (failed(checkOverlap(name, operands)))
    return failure();
  RuleContext ctx(*this, b, locOf(op), name, operands, op.getResultTypes());
  SmallVector<SpecValue> results;
  size_t knownProblems = problems.size();
  Heap before; // of no interest unless something may be changed
  if (program.callsOperators() && (!rule || rule->special || rule->runTimeList || rule->boxed))
    before = state.heap;
  LogicalResult done = rule      ? applyRule(ctx, *rule, results)
                       : inPlace ? applyInPlace(ctx, *inPlace, results)
                                 : applyOut(op, *out, functional, operands, results);
  bool isRefused = !dead && problems.size() > knownProblems;
  if (isRefused && program.callsOperators() && !hasChanged(before, state.heap) &&
      callInstead(op, operands, knownProblems))
    return success();
  if (failed(done) || ctx.failed()) {
    // A rule must say why.
    if (!ctx.failed() && !dead && problems.size() == knownProblems)
      return ctx.fail("this use is not supported");
    return failure();
  }
  if (results.size() < op.getNumResults())
    return error("the rule of '" + name + "' gave " + Twine(results.size()) +
                 " results, expected " + Twine(op.getNumResults()));
  bind(op.getResults(), results);
  return success();
}

/// An operator without a rule.
LogicalResult Walker::stepUnruled(AtenOp op, ArrayRef<SpecValue> operands) {
  StringRef name = op.getName();
  name.consume_front("aten::");
  if (!program.callsOperators()) {
    problems.push_back({locOf(op), "", name.str()});
    return failure();
  }
  if (llvm::any_of(operands, [&](const SpecValue &it) { return containsUnknown(*this, it); }))
    return failure();
  size_t knownProblems = problems.size();
  std::string why;
  if (succeeded(callOperator(op, operands, why)))
    return success();
  if (dead || problems.size() > knownProblems)
    return failure();
  return error("the operator '" + name + "' has no rule, and cannot be called through LibTorch: " +
               (why.empty() ? "nobody says what it gives" : why));
}

/// Whether a fresh result of an operator is contiguous: surely if all its tensor operands are, as
/// most operators keep the layout of their operands.
static Known resultContiguity(StringRef name, ArrayRef<SpecValue> operands) {
  // Some make it anew, whatever their operands are.
  static const llvm::StringSet<> fresh = {"_pack_padded_sequence",
                                          "gru.data",
                                          "lstm.data",
                                          "rnn_relu.data",
                                          "rnn_tanh.data",
                                          "addmm",
                                          "bmm",
                                          "embedding",
                                          "layer_norm",
                                          "linear",
                                          "mm",
                                          "native_layer_norm",
                                          "softmax.int"};
  if (fresh.contains(name))
    return Known::Yes;
  // Some give their result in another layout, or in one that depends on the kernel.
  for (StringRef prefix :
       {"lstm", "gru", "rnn_", "einsum", "tensordot", "linalg_", "scaled_dot_product_attention",
        "_native_multi_head_attention", "fft_", "stft", "istft"})
    if (name.starts_with(prefix))
      return Known::Maybe;
  for (const SpecValue &operand : operands)
    if (operand.isTensor() && operand.getTensor().contiguous != Known::Yes)
      return Known::Maybe;
  return Known::Yes;
}

/// Whether the layout of a fresh result may follow that of tensors among the operands, also of
/// those in a list.
static bool followsOperands(const Walker &w, ArrayRef<SpecValue> operands) {
  auto isGiven = [](const SpecValue &value) { return value.isTensor() && value.getTensor().given; };
  return llvm::any_of(operands, [&](const SpecValue &operand) {
    return isGiven(operand) || (operand.is(ValueKind::List) &&
                                llvm::any_of(w.cell(operand.getCell()).elements, isGiven));
  });
}

/// `is_contiguous` of a view, from its steps.
static Known viewContiguity(ArrayRef<ViewStep> steps, RankedTensorType base, Known contiguous) {
  RankedTensorType type = base;
  for (const ViewStep &step : steps) {
    switch (step.kind) {
    case ViewStep::Kind::Same:
      continue;
    case ViewStep::Kind::Reshape:
      break; // of a contiguous tensor contiguous, of another one unknown
    case ViewStep::Kind::Permute: {
      // Moving dimensions of size 1 changes nothing.
      SmallVector<int64_t> order;
      bool dynamic = false;
      for (int64_t dim : step.permutation) {
        if (dim < type.getRank() && type.getDimSize(dim) != 1)
          order.push_back(dim);
        dynamic |= dim < type.getRank() && type.isDynamicDim(dim);
      }
      if (!llvm::is_sorted(order))
        contiguous = contiguous == Known::Yes && !dynamic ? Known::No : Known::Maybe;
      break;
    }
    case ViewStep::Kind::Slice:
    case ViewStep::Kind::Broadcast:
    case ViewStep::Kind::Custom:
      contiguous = Known::Maybe;
      break;
    }
    if (step.kind != ViewStep::Kind::Permute)
      type = RankedTensorType::get(SmallVector<int64_t>(step.sizes.size(), ShapedType::kDynamic),
                                   type.getElementType());
    if (contiguous == Known::No && step.kind == ViewStep::Kind::Reshape)
      contiguous = Known::Maybe;
    if (contiguous == Known::Maybe)
      return Known::Maybe;
  }
  return contiguous;
}

/// Notes that a fresh tensor lies in memory as `like` does, as far as that is known.
static void keepOrder(RuleContext &ctx, const SpecValue &fresh, const TensorRef &like) {
  CellId storage = fresh.getTensor().storage;
  Walker &w = ctx.getWalker();
  if (!w.cell(storage).order)
    if (std::optional<DimOrder> order = orderOf(ctx, like))
      w.change(storage).order = std::move(order);
}

/// The same of the result of an elementwise operator: of its operands the first one decides that
/// is not a number, if it is not expanded.
static void keepOperandsOrder(RuleContext &ctx, const SpecValue &fresh,
                              ArrayRef<SpecValue> operands) {
  // Most results are contiguous, and nothing is to be found out.
  if (ctx.getWalker().cell(fresh.getTensor().storage).order || !isElementwise(ctx.name()))
    return;
  const auto *first = llvm::find_if(operands, [](const SpecValue &operand) {
    return operand.isTensor() && operand.getTensor().type.getRank() > 0;
  });
  if (first == operands.end())
    return;
  SmallVector<OpFoldResult> own = ctx.sizes(ctx.tensorValue(*first)),
                            sizes = ctx.sizes(ctx.tensorValue(fresh));
  if (own.size() == sizes.size() && llvm::all_of(llvm::zip_equal(own, sizes), [&](auto pair) {
        return ctx.equal(std::get<0>(pair), std::get<1>(pair)) == Known::Yes;
      }))
    keepOrder(ctx, fresh, first->getTensor());
}

/// A copy in the format of what it was made of.
static SpecValue withPreservedStrides(const SpecValue &copy, const TensorRef &base) {
  std::optional<Strides> strides = stridesOf(base);
  TensorRef ref = copy.getTensor();
  if (!strides || !ref.type.hasStaticShape())
    return copy;
  ref.strides = preservedStrides(ref.type.getShape(), *strides);
  ref.contiguous = !ref.strides                                       ? Known::Maybe
                   : areContiguous(ref.type.getShape(), *ref.strides) ? Known::Yes
                                                                      : Known::No;
  return SpecValue::tensor(std::move(ref));
}

/// Whether the length of the list at operand 0 is not known, or that of another list of its type at
/// operand 1.
static bool takesRunTimeList(const Walker &w, RuleContext &ctx) {
  const SpecValue &list = ctx.operand(0);
  if (isRunTimeList(w, list))
    return true;
  return list.is(ValueKind::List) && ctx.size() > 1 && isRunTimeList(w, ctx.operand(1)) &&
         w.cell(list.getCell()).type == w.cell(ctx.operand(1).getCell()).type;
}

LogicalResult Walker::applyRule(RuleContext &ctx, const Rule &rule,
                                SmallVectorImpl<SpecValue> &results) {
  SmallVector<SpecValue> operands;
  for (unsigned i : llvm::seq<unsigned>(0, ctx.size()))
    operands.push_back(ctx.operand(i));
  if (takesBox(ctx))
    return applyBoxed(ctx, rule, results);
  if (rule.runTimeList && takesRunTimeList(*this, ctx))
    return rule.runTimeList(ctx, results);
  if (rule.special)
    return rule.special(ctx, results);

  if (rule.value) {
    FailureOr<Value> value = rule.value(ctx);
    if (failed(value) || ctx.failed() || !*value)
      return failure();
    results.push_back(newTensor(*value, resultContiguity(ctx.name(), operands),
                                followsOperands(*this, operands)));
    keepOperandsOrder(ctx, results.back(), operands);
    return success();
  }

  if (rule.values) {
    FailureOr<SmallVector<Value>> values = rule.values(ctx);
    if (failed(values) || ctx.failed())
      return failure();
    std::vector<SpecValue> tensors;
    for (Value value : *values) {
      if (!value)
        return failure();
      tensors.push_back(newTensor(value, resultContiguity(ctx.name(), operands),
                                  followsOperands(*this, operands)));
    }
    if (rule.asList)
      results.push_back(newList(std::move(tensors), TensorType::get(b.getContext())));
    else
      results.append(tensors.begin(), tensors.end());
    return success();
  }

  auto answerOne = [&](const ViewAnswer &answer) -> SpecValue {
    const SpecValue &base = ctx.operand(0);
    Known contiguous = answer.contiguous ? *answer.contiguous
                                         : viewContiguity(answer.steps, base.getTensor().type,
                                                          base.getTensor().contiguous);
    if (answer.aliases == Known::Yes)
      return viewOf(base, answer.steps, contiguous);
    Value value = readTensor(base);
    for (const ViewStep &step : answer.steps)
      if (value)
        value = applyStep(step, value);
    if (!value)
      return SpecValue::unknown();
    SpecValue copy = newTensor(value, contiguous, base.getTensor().given);
    // A copy as it is (clone) keeps the order of its dimensions in memory.
    if (answer.steps.empty() && contiguous != Known::Yes) {
      copy = withPreservedStrides(copy, base.getTensor());
      keepOrder(ctx, copy, base.getTensor());
    }
    bool isIfContiguous =
        llvm::any_of(answer.steps, [](const ViewStep &step) { return step.ifContiguous; });
    if (answer.aliases == Known::No && isIfContiguous && base.getTensor().given)
      noteCopy(copy.getTensor().storage, base.getTensor().storage);
    if (answer.aliases == Known::Maybe)
      noteMaybeCopy(copy.getTensor().storage, base.getTensor().storage);
    return copy;
  };
  if (rule.view || rule.viewList) {
    if (!ctx.isTensor(0))
      return ctx.fail("expected a tensor as operand #0, but got " + ctx.operand(0).kindName());
    if (rule.view) {
      FailureOr<ViewAnswer> answer = rule.view(ctx);
      if (failed(answer) || ctx.failed())
        return failure();
      results.push_back(answerOne(*answer));
      return success();
    }
    if (rule.pieces) {
      std::optional<SpecValue> pieces = rule.pieces(ctx);
      if (ctx.failed())
        return failure();
      if (pieces)
        return results.push_back(*pieces), success();
    }
    FailureOr<std::vector<ViewAnswer>> answers = rule.viewList(ctx);
    if (failed(answers) || ctx.failed())
      return failure();
    std::vector<SpecValue> views;
    for (const ViewAnswer &answer : *answers)
      views.push_back(answerOne(answer));
    results.push_back(newList(std::move(views), TensorType::get(b.getContext())));
    return success();
  }
  return ctx.fail("no rule");
}
