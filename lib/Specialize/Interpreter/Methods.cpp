//===- Methods.cpp - One method for one signature and state ---------------===//
#include "MethodBuilder.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
namespace tl = torchlite::tl;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// State
//===----------------------------------------------------------------------===//

SmallVector<std::string> specialize::statePaths(Program &program) {
  SmallVector<std::string> paths;
  for (auto [object, name] : program.stateAttributes) {
    std::string path = program.objectPaths.lookup(object);
    paths.push_back((path.empty() ? "" : path + ".") + cast<StringAttr>(name).getValue().str());
  }
  size_t numAttributes = paths.size();
  for (Attribute storage : program.stateStorages) {
    std::string path = program.storagePaths.lookup(storage);
    // An attribute that may come to refer to something else, or what it holds, is not its storage.
    auto isTaken = [&](const std::string &attribute) {
      return path == attribute || StringRef(path).starts_with(attribute + ".");
    };
    if (llvm::any_of(ArrayRef(paths).take_front(numAttributes), isTaken))
      path += ".storage";
    while (llvm::is_contained(paths, path))
      path += "'";
    paths.push_back(path);
  }
  return paths;
}

/// The structure of a tensor that has its memory for itself, with its initial value.
static FailureOr<Attribute> describeTensor(Program &program, TensorRefAttr ref,
                                           const std::string &path, const StateWidening &widening,
                                           std::map<std::string, Attribute> &initial) {
  StorageOp storage = program.lookupStorage(ref.getStorage());
  TypedAttr elements = storage ? viewElements(storage, ref) : TypedAttr();
  if (!elements)
    return emitError(program.module.getLoc(), "the initial value of '")
           << path << "' cannot be read";
  initial[path] = elements;
  SmallVector<int64_t> shape(ref.getSizes());
  if (auto dims = widening.dims.find(path);
      dims != widening.dims.end() && dims->second.size() == shape.size())
    for (auto [size, dynamic] : llvm::zip_equal(shape, dims->second))
      if (dynamic)
        size = ShapedType::kDynamic;
  return Attribute(TypeAttr::get(RankedTensorType::get(shape, ref.getElementType())));
}

/// The structure of an initial value, with the constants of its leaves. A tensor whose memory
/// something else of the archive refers to, too, is no leaf, but the `#tl.tensor_ref` that it is in
/// the archive.
static FailureOr<Attribute> describeInitial(Program &program, Attribute value, Type declared,
                                            const std::string &path, const StateWidening &widening,
                                            std::map<std::string, Attribute> &initial) {
  Builder b(value.getContext());
  auto wrap = [&](StringRef name, ArrayRef<Attribute> elements) -> Attribute {
    return b.getDictionaryAttr(b.getNamedAttr(name, b.getArrayAttr(elements)));
  };
  Type inner = unwrap(declared);
  if (auto ref = dyn_cast<TensorRefAttr>(value)) {
    if (program.isShared(ref))
      return Attribute(ref);
    return describeTensor(program, ref, path, widening, initial);
  }
  if (isa<IntegerAttr, FloatAttr>(value)) {
    TypedAttr number = cast<TypedAttr>(value);
    if (auto integer = dyn_cast<IntegerAttr>(value); integer && inner && inner.isF64())
      number = b.getF64FloatAttr(static_cast<double>(integer.getInt()));
    if (!widening.scalars.count(path))
      return Attribute(number);
    initial[path] = number;
    return Attribute(TypeAttr::get(number.getType()));
  }
  if (isa<NoneAttr, StringAttr>(value))
    return value;
  if (auto array = dyn_cast<ArrayAttr>(value)) {
    auto tuple = dyn_cast_if_present<tl::TupleType>(inner);
    auto list = dyn_cast_if_present<ListType>(inner);
    SmallVector<Attribute> elements;
    for (auto [index, element] : llvm::enumerate(array)) {
      FailureOr<Attribute> structure =
          describeInitial(program, element,
                          tuple && index < tuple.getTypes().size() ? tuple.getTypes()[index]
                          : list                                   ? list.getElementType()
                                                                   : Type(),
                          path + "." + std::to_string(index), widening, initial);
      if (failed(structure))
        return failure();
      elements.push_back(*structure);
    }
    return wrap(tuple ? "tuple" : "list", elements);
  }
  if (auto dict = dyn_cast<DictAttr>(value)) {
    auto dictType = dyn_cast_if_present<DictType>(inner);
    SmallVector<Attribute> entries;
    for (auto [key, element] : llvm::zip_equal(dict.getKeys(), dict.getValues())) {
      FailureOr<Attribute> structure =
          describeInitial(program, element, dictType ? dictType.getValueType() : Type(),
                          path + "." + keyText(key), widening, initial);
      if (failed(structure))
        return failure();
      entries.push_back(b.getArrayAttr({key, *structure}));
    }
    return wrap("dict", entries);
  }
  return emitError(program.module.getLoc(), "the attribute '")
         << path << "' is set by a method, but its value cannot be state: " << value;
}

FailureOr<StateSignature> specialize::initialState(Program &program, const StateWidening &widening,
                                                   std::map<std::string, Attribute> &initial) {
  SmallVector<Attribute> structures;
  SmallVector<std::string> paths = statePaths(program);
  for (auto [index, key] : llvm::enumerate(program.stateAttributes)) {
    ObjectOp object = program.lookupObject(cast<FlatSymbolRefAttr>(key.first));
    auto name = cast<StringAttr>(key.second);
    Attribute value = object ? object.getSlots().get(name) : Attribute();
    ClassOp classOp = object ? program.lookupClass(object.getType().getClassName()) : ClassOp();
    if (!value || !classOp)
      return emitError(program.module.getLoc(), "expected a value of the attribute '")
             << paths[index] << "'";
    FailureOr<Attribute> structure =
        describeInitial(program, value, classOp.getAttrType(name), paths[index], widening, initial);
    if (failed(structure))
      return failure();
    structures.push_back(*structure);
  }
  for (auto [index, symbol] : llvm::enumerate(program.stateStorages)) {
    const std::string &path = paths[program.stateAttributes.size() + index];
    auto storage = program.lookupStorage(cast<FlatSymbolRefAttr>(symbol));
    const auto &views = program.storageViews[symbol];
    if (views.size() == 1) {
      FailureOr<Attribute> structure = describeTensor(program, cast<TensorRefAttr>(views.front()),
                                                      path, StateWidening(), initial);
      if (failed(structure))
        return failure();
      structures.push_back(*structure);
      continue;
    }
    // Several tensors share it: the whole memory, flat.
    auto type = cast<RankedTensorType>(storage.getValue().getType());
    initial[path] = storage.getValue();
    structures.push_back(TypeAttr::get(type));
  }
  return ArrayAttr::get(program.module.getContext(), structures);
}

//===----------------------------------------------------------------------===//
// The method
//===----------------------------------------------------------------------===//

/// Operations and operands that nothing needs.
static void cleanUp(func::FuncOp function) {
  IRRewriter rewriter(function.getContext());
  DominanceInfo dominance(function);
  eliminateCommonSubExpressions(rewriter, dominance, function);
  (void)runRegionDCE(rewriter, function->getRegions());
}

namespace {

/// One walk of a method: its arguments and state, the walk, its results and the state behind it.
/// Conditionals in `keepOpen` are not joined; `identities`: Identities.cpp.
class MethodWalk {
public:
  MethodWalk(Program &program, const MethodSignature &signature, func::FuncOp method,
             StateSignature state, const StateWidening &widening, func::FuncOp function,
             const llvm::DenseSet<Operation *> &keepOpen, bool identities,
             const llvm::DenseSet<Operation *> &boxes, bool boxesAreLastResort)
      : program(program), signature(signature), method(method), state(state), loc(method.getLoc()),
        function(function), entry(&function.getBody().front()), builder(method.getContext()),
        walker(program, OpBuilder::atBlockEnd(entry)), mb(walker, widening),
        paths(statePaths(program)) {
    walker.function = function;
    walker.keepOpen = keepOpen;
    walker.tracksIdentities = identities;
    walker.boxes.sites = boxes;
    walker.boxes.areLastResort = boxesAreLastResort;
    result.variant.signature = signature;
  }

  /// Builds the function's body. `variant.function` is null after a problem.
  MethodResult run();
  /// What the walk found that is not to be joined.
  const llvm::SetVector<Operation *> &newKeepOpen() const { return walker.newKeepOpen; }
  /// Containers that would have to be boxes.
  const llvm::SetVector<Operation *> &newBoxes() const { return walker.boxes.newSites; }
  /// What could be unrolled was not, as boxes may do without.
  bool stoppedUnrolling() const { return walker.boxes.stoppedUnrolling; }
  /// The walk found that it needs identities, and did not track them.
  bool needsIdentities() const { return walker.needsIdentities && !walker.tracksIdentities; }

private:
  bool makeArguments();
  bool makeArgument(unsigned i);
  bool makeDefault(unsigned i);
  void makeState();
  bool walk();
  void returnResult();
  void returnChangedArguments();
  void returnState();
  void addState(ArrayRef<std::pair<std::string, Value>> leaves);
  void addResult(Value value, StringRef attr = {}, Attribute attrValue = {});
  void finishFunction();

  LogicalResult error(const Twine &message) { return walker.error(loc, message); }
  std::string argumentName(unsigned i) {
    auto attr = method.getArgAttrOfType<StringAttr>(i + 1, "tl.name");
    return attr ? attr.getValue().str() : std::to_string(i);
  }
  Type declaredType(unsigned i) { return method.getBody().front().getArgument(i + 1).getType(); }

  Program &program;
  const MethodSignature &signature;
  func::FuncOp method;
  StateSignature state;
  Location loc;
  func::FuncOp function;
  Block *entry;
  Builder builder;
  Walker walker;
  MethodBuilder mb;
  SmallVector<std::string> paths;
  MethodResult result;

  SmallVector<SpecValue> arguments = {SpecValue()};
  SmallVector<Attribute> argumentAttrs, stateOut;
  unsigned numArgumentLeaves = 0;
  SpecValue returned;
  SmallVector<Value> results;
  SmallVector<DictionaryAttr> resultAttrs;
};

} // namespace

//===----------------------------------------------------------------------===//
// Arguments and state in front of the call
//===----------------------------------------------------------------------===//

/// An argument that the signature leaves out has its default value.
bool MethodWalk::makeDefault(unsigned i) {
  Attribute value = method.getArgAttr(i + 1, "tl.default");
  if (!value)
    return (void)error("'" + signature.method + "' takes " + Twine(method.getNumArguments() - 1) +
                       " arguments, but the signature gives " + Twine(signature.arguments.size()) +
                       ": expected " + typeName(declaredType(i)) + " for argument '" +
                       argumentName(i) + "'"),
           false;
  arguments.push_back(walker.fromAttribute(value, declaredType(i)));
  SmallVector<std::pair<std::string, Value>> none;
  Attribute structure =
      mb.describe(arguments.back(), argumentName(i), false, none, "the default value of");
  if (!structure || !none.empty()) {
    if (walker.problems.empty())
      (void)error("the default value of argument '" + argumentName(i) +
                  "' cannot be fixed: name it in the signature");
    return false;
  }
  argumentAttrs.push_back(structure);
  return true;
}

bool MethodWalk::makeArgument(unsigned i) {
  if (i >= signature.arguments.size())
    return makeDefault(i);
  Attribute structure = signature.arguments[i];
  Type declared = declaredType(i);
  if (!accepts(declared, structure))
    return (void)error("expected " + typeName(declared) + " for argument '" + argumentName(i) +
                       "' of '" + signature.method + "', but the signature gives " +
                       printStructure(structure)),
           false;
  arguments.push_back(mb.instantiate(structure, declared, argumentName(i), /*isState=*/false));
  argumentAttrs.push_back(structure);
  return true;
}

bool MethodWalk::makeArguments() {
  unsigned expected = method.getBody().front().getNumArguments() - 1;
  unsigned given = signature.arguments.size();
  if (given > expected)
    return (void)error("'" + signature.method + "' takes " + Twine(expected) +
                       " arguments, but the signature gives " + Twine(given)),
           false;
  for (unsigned i : llvm::seq<unsigned>(0, expected)) {
    if (!makeArgument(i))
      return false;
    argumentAttrs.back() = builder.getDictionaryAttr(
        {builder.getNamedAttr("name", builder.getStringAttr(argumentName(i))),
         builder.getNamedAttr("type", argumentAttrs.back())});
  }
  numArgumentLeaves = mb.operands.size();
  return true;
}

/// Storages before the objects that refer to them.
void MethodWalk::makeState() {
  size_t numAttributes = program.stateAttributes.size();
  for (auto [index, symbol] : llvm::enumerate(program.stateStorages)) {
    SpecValue tensor =
        mb.instantiate(state[numAttributes + index], tl::TensorType::get(method.getContext()),
                       paths[numAttributes + index], /*isState=*/true);
    CellId id = tensor.getTensor().storage;
    walker.cellStorages[id] = symbol;
    const auto &views = program.storageViews[symbol];
    walker.archiveCells[views.size() == 1 ? views.front() : symbol] = id;
  }
  arguments.front() = walker.objectOf(program.root);
  for (auto [index, key] : llvm::enumerate(program.stateAttributes)) {
    auto object = cast<FlatSymbolRefAttr>(key.first);
    SpecValue cell = walker.objectOf(object);
    ClassOp classOp = program.lookupClass(walker.cell(cell.getCell()).className);
    StringRef attribute = cast<StringAttr>(key.second).getValue();
    SpecValue value = mb.instantiate(state[index], classOp.getAttrType(attribute), paths[index],
                                     /*isState=*/true);
    walker.change(cell.getCell()).attributes[attribute.str()] = value;
  }
}

//===----------------------------------------------------------------------===//
// The walk
//===----------------------------------------------------------------------===//

bool MethodWalk::walk() {
  State before = walker.state;
  OutcomePtr outcome = walker.walkFunction(method, arguments, nullptr);
  walker.current = nullptr;
  if (outcome->kind == Outcome::Kind::Branch && walker.problems.empty())
    (void)walker.error(outcome->branch.getLoc(),
                       "what this condition decides at run time gives results or state of "
                       "different structure: " +
                           outcome->whyOpen);
  if (outcome->kind == Outcome::Kind::Dead && walker.problems.empty()) {
    // It raises before it gets to its end, at which nothing has changed therefore.
    result.alwaysRaises =
        walker.alwaysRaises.value_or(Problem{loc, "'" + signature.method + "' always raises", ""});
    walker.state = std::move(before);
    walker.b.setInsertionPointToEnd(entry);
    outcome = walker.makeLeaf({});
  }
  if (outcome->kind != Outcome::Kind::Leaf || !walker.problems.empty())
    return false;
  returned = outcome->yields.empty() ? SpecValue::none() : outcome->yields.front();
  walker.enter(*outcome);
  return true;
}

//===----------------------------------------------------------------------===//
// Results and state behind the call
//===----------------------------------------------------------------------===//

void MethodWalk::addResult(Value value, StringRef attr, Attribute attrValue) {
  results.push_back(value);
  resultAttrs.push_back(attr.empty()
                            ? builder.getDictionaryAttr({})
                            : builder.getDictionaryAttr(builder.getNamedAttr(attr, attrValue)));
}

void MethodWalk::returnResult() {
  SmallVector<std::pair<std::string, Value>> leaves;
  result.variant.result = mb.describe(returned, "", /*isState=*/false, leaves, "the result");
  for (auto &[path, value] : leaves)
    addResult(value);
}

/// Arguments that were written.
void MethodWalk::returnChangedArguments() {
  for (auto &[id, before] : mb.containers)
    if (walker.cellRef(id) != before &&
        !(walker.cell(id).elements.size() == before->elements.size() &&
          llvm::all_of(llvm::zip_equal(walker.cell(id).elements, before->elements),
                       [](auto pair) { return std::get<0>(pair).same(std::get<1>(pair)); })))
      (void)error("'" + signature.method +
                  "' changes a list or dict that it is given, which is not supported");
  for (unsigned i : llvm::seq<unsigned>(0, numArgumentLeaves)) {
    MethodBuilder::Operand &operand = mb.operands[i];
    if (!operand.storage)
      continue;
    Value now = walker.storageValue(*operand.storage);
    walker.noteRead(
        {*operand.storage, nullptr, cast<RankedTensorType>(now.getType())}); // by the caller
    if (now != operand.argument)
      addResult(now, "tl.changes", builder.getI64IntegerAttr(i));
  }
}

/// Leaves of the state; what is as it was needs no result.
void MethodWalk::addState(ArrayRef<std::pair<std::string, Value>> leaves) {
  for (auto &[path, value] : leaves) {
    bool unchanged = llvm::any_of(mb.operands, [&, &path = path, &value = value](auto &operand) {
      return operand.isState && operand.path == path && operand.argument == value;
    });
    if (!unchanged)
      addResult(value, "tl.state", builder.getStringAttr(path));
  }
}

void MethodWalk::returnState() {
  for (auto [index, key] : llvm::enumerate(program.stateAttributes)) {
    SpecValue object = walker.objectOf(cast<FlatSymbolRefAttr>(key.first));
    const SpecValue value =
        walker.cell(object.getCell()).attributes.at(cast<StringAttr>(key.second).getValue().str());
    SmallVector<std::pair<std::string, Value>> leaves;
    Attribute structure =
        mb.describe(value, paths[index], /*isState=*/true, leaves, "the attribute");
    if (!structure)
      break;
    stateOut.push_back(structure);
    addState(leaves);
  }
  for (auto &operand : mb.operands) {
    if (!operand.isState || !operand.storage || !walker.cellStorages.count(*operand.storage))
      continue;
    Value now = walker.storageValue(*operand.storage);
    stateOut.push_back(TypeAttr::get(operand.argument.getType()));
    addState({{operand.path, now}});
  }
}

/// The function's type and attributes. State that is not read needs no operand.
void MethodWalk::finishFunction() {
  func::ReturnOp::create(walker.b, loc, results);
  function.setFunctionType(
      builder.getFunctionType(entry->getArgumentTypes(), ValueRange(results).getTypes()));
  walker.eraseUnusedOfOnce();
  cleanUp(function);

  SmallVector<DictionaryAttr> operandAttrs;
  llvm::BitVector unused(entry->getNumArguments());
  for (auto &operand : mb.operands) {
    operandAttrs.push_back(operand.isState ? builder.getDictionaryAttr(builder.getNamedAttr(
                                                 "tl.state", builder.getStringAttr(operand.path)))
                                           : builder.getDictionaryAttr({}));
    if (operand.isState && operand.argument.use_empty())
      unused.set(operand.argument.getArgNumber());
  }
  function.setAllArgAttrs(operandAttrs);
  function.setAllResultAttrs(resultAttrs);
  if (unused.any())
    (void)function.eraseArguments(unused);
  function->setAttr("tl.method", builder.getStringAttr(signature.method));
  function->setAttr("tl.arguments", builder.getArrayAttr(argumentAttrs));
  function->setAttr("tl.result", result.variant.result);
  if (walker.reliesOnContiguity)
    function->setAttr("tl.contiguous", builder.getUnitAttr());
}

MethodResult MethodWalk::run() {
  bool done = makeArguments();
  if (done) {
    makeState();
    done = walk();
  }
  if (done) {
    returnResult();
    returnChangedArguments();
    returnState();
    if (!result.variant.result && walker.problems.empty())
      (void)error("the result of '" + signature.method + "' is not known");
    done = walker.problems.empty();
  }
  if (done) {
    result.variant.stateOut = builder.getArrayAttr(stateOut);
    finishFunction();
    result.variant.function = function;
  } else {
    function->erase();
  }
  result.problems = std::move(walker.problems);
  result.newStateAttributes = std::move(walker.newStateAttributes);
  result.newStateStorages = std::move(walker.newStateStorages);
  result.writtenLeaves = std::move(walker.writtenStateLeaves);
  result.aliasedLeaves = std::move(mb.aliasedLeaves);
  result.movedLeaves = std::move(mb.movedLeaves);
  return std::move(result);
}

/// The problems of the first walk, without boxes, and why those with boxes failed.
static MethodResult withReason(MethodResult result, std::vector<Problem> first) {
  if (first.empty())
    return result;
  for (const Problem &problem : result.problems)
    if (problem.missing.empty() && problem.message != first.front().message) {
      first.front().notBoxed = problem.message;
      first.front().notBoxedAt = problem.loc;
      break;
    }
  result.problems = std::move(first);
  return result;
}

MethodResult specialize::specializeMethod(Program &program, const MethodSignature &signature,
                                          func::FuncOp method, StateSignature state,
                                          const StateWidening &widening, StringRef name) {
  llvm::DenseSet<Operation *> keepOpen, boxes;
  bool identities = false, stoppedUnrolling = false, boxesAreLastResort = false;
  // Of the first walk that fails, without boxes.
  std::vector<Problem> problems;
  for (;;) {
    OpBuilder builder(program.module.getBodyRegion());
    builder.setInsertionPointToEnd(program.module.getBody());
    auto function =
        func::FuncOp::create(builder, method.getLoc(), name, builder.getFunctionType({}, {}));
    function.addEntryBlock();
    MethodWalk walk(program, signature, method, state, widening, function, keepOpen, identities,
                    boxes, boxesAreLastResort);
    MethodResult result = walk.run();
    stoppedUnrolling |= walk.stoppedUnrolling();
    // Ends, as the sets of operations grow each time, but for one time.
    if (walk.newKeepOpen().empty() && !walk.needsIdentities()) {
      bool finds = !result.newStateAttributes.empty() || !result.newStateStorages.empty();
      if (result.problems.empty() || finds)
        return result;
      size_t before = boxes.size();
      boxes.insert_range(walk.newBoxes());
      bool isEnd = boxes.size() == before;
      if (boxesAreLastResort || (isEnd && !stoppedUnrolling))
        return withReason(std::move(result), std::move(problems));
      if (problems.empty())
        problems = result.problems;
      if (isEnd) {
        boxesAreLastResort = true;
        boxes.clear();
      }
      continue;
    }
    identities |= walk.needsIdentities();
    keepOpen.insert_range(walk.newKeepOpen());
    if (result.variant.function)
      result.variant.function->erase();
  }
}
