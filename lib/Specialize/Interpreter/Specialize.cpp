//===- Specialize.cpp - tl-specialize -------------------------------------===//
//
// Walks every requested method for every state that is reached, until no new state is found.
//
//===----------------------------------------------------------------------===//
#include "Methods.h"

#include "TorchLite/Dialect/Runtime/IR/RuntimeDialect.h"
#include "TorchLite/Dialect/TorchLite/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/Support/thread.h"

namespace torchlite::tl {
#define GEN_PASS_DEF_SPECIALIZEPASS
#include "TorchLite/Dialect/TorchLite/Transforms/Passes.h.inc"
} // namespace torchlite::tl

using namespace mlir;
namespace tl = torchlite::tl;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {

/// The methods to compile, with the functions that implement them.
struct Request {
  MethodSignature signature;
  func::FuncOp function;
};

class SpecializePass : public torchlite::tl::impl::SpecializePassBase<SpecializePass> {
public:
  using SpecializePassBase::SpecializePassBase;

  OperatorOracle oracle;

private:
  void runOnOperation() override;
  FailureOr<SmallVector<Request>> findRequests(Program &program);
  LogicalResult explore(Program &program, ArrayRef<Request> requests);
  bool widen(Program &program, ArrayRef<StateSignature> states, StateWidening &widening);
  void emitState(Program &program, ArrayRef<StateSignature> states,
                 const std::map<std::string, Attribute> &initial);
  void report(std::vector<Problem> &problems);
  void countCalls(Program &program);

  SmallVector<Variant> variants;
};

} // namespace

/// A structure for an argument of a declared type that needs no more information, or null.
static Attribute defaultStructure(Type declared) {
  if (declared.isInteger(64) || declared.isF64() || declared.isInteger(1))
    return TypeAttr::get(declared);
  if (isa<tl::NoneType>(declared))
    return NoneAttr::get(declared.getContext());
  return {};
}

FailureOr<SmallVector<Request>> SpecializePass::findRequests(Program &program) {
  ClassOp rootClass =
      program.lookupClass(program.lookupObject(program.root).getType().getClassName());
  std::string exported;
  auto lookupMethod = [&](StringRef name) -> func::FuncOp {
    for (auto method : rootClass.getBody().getOps<MethodOp>())
      if (method.getExported() && method.getName() == name)
        return program.lookupFunction(method.getFunctionAttr());
    return {};
  };
  for (auto method : rootClass.getBody().getOps<MethodOp>())
    if (method.getExported())
      exported += (exported.empty() ? "" : ", ") + method.getName().str();

  SmallVector<Request> requests;
  for (const std::string &text : signatures) {
    std::string error;
    FailureOr<MethodSignature> signature = parseSignature(&getContext(), text, error);
    if (failed(signature))
      return emitError(getOperation().getLoc(), "signature ") << error;
    func::FuncOp function = lookupMethod(signature->method);
    if (!function)
      return emitError(getOperation().getLoc(), "there is no method '")
             << signature->method << "'; the model exports "
             << (exported.empty() ? "no methods" : exported);
    requests.push_back({std::move(*signature), function});
  }
  if (!requests.empty())
    return requests;

  func::FuncOp forward = lookupMethod("forward");
  if (!forward)
    return emitError(getOperation().getLoc(),
                     "the model has no method 'forward': give a signature of one of ")
           << exported;
  MethodSignature signature{"forward", {}};
  for (BlockArgument argument : forward.getBody().front().getArguments().drop_front()) {
    if (forward.getArgAttr(argument.getArgNumber(), "tl.default"))
      break;
    Attribute structure = defaultStructure(argument.getType());
    if (!structure) {
      std::string names;
      for (unsigned i = 1; i < forward.getNumArguments(); ++i)
        if (auto name = forward.getArgAttrOfType<StringAttr>(i, "tl.name"))
          names += (names.empty() ? "" : ", ") + name.getValue().str();
      return emitError(getOperation().getLoc(), "the types of the arguments of 'forward(")
             << names
             << ")' are not known: give a signature, as in signature=forward(1x3x224x224xf32)";
    }
    signature.arguments.push_back(structure);
  }
  requests.push_back({std::move(signature), forward});
  return requests;
}

/// All problems at once: other errors first, then the operators without a rule, each with the
/// places where it is used.
void SpecializePass::report(std::vector<Problem> &problems) {
  std::set<std::pair<const void *, std::string>> seen;
  llvm::MapVector<StringRef, SmallVector<Location>> missing;
  for (Problem &problem : problems) {
    if (!seen.insert({problem.loc.getAsOpaquePointer(), problem.message + problem.missing}).second)
      continue;
    if (problem.missing.empty()) {
      InFlightDiagnostic diagnostic = emitError(problem.loc, problem.message);
      if (problem.other)
        diagnostic.attachNote(*problem.other) << "which one is decided here";
      if (problem.notBoxedAt)
        diagnostic.attachNote(*problem.notBoxedAt)
            << "it cannot live at run time either: " << problem.notBoxed;
    } else
      missing[problem.missing].push_back(problem.loc);
  }
  for (auto &[name, places] : missing) {
    InFlightDiagnostic diagnostic = emitError(places.front());
    diagnostic << "the operator '" << name << "' is not supported";
    if (places.size() > 1)
      diagnostic << " (" << places.size() << " uses)";
    diagnostic << "; --fallback=libtorch calls it through LibTorch";
    for (Location place : ArrayRef<Location>(places).drop_front())
      diagnostic.attachNote(place) << "and here";
  }
}

/// The lists of a structure, and what they hold.
static void forEachList(Attribute structure, const std::string &path,
                        llvm::function_ref<void(const std::string &, ArrayAttr)> use) {
  for (StringRef name : {"list", "tuple"})
    if (ArrayAttr elements = member(structure, name)) {
      if (name == "list")
        use(path, elements);
      for (auto [index, element] : llvm::enumerate(elements))
        forEachList(element, path + "." + std::to_string(index), use);
    }
  if (ArrayAttr entries = member(structure, "dict"))
    for (Attribute entry : entries)
      forEachList(cast<ArrayAttr>(entry)[1], path + "." + keyText(cast<ArrayAttr>(entry)[0]), use);
}

/// Lists of numbers or tensors that are of three lengths or more get one that is not known.
static bool widenLists(Program &program, ArrayRef<StateSignature> states, StateWidening &widening) {
  std::map<std::string, std::set<size_t>> lengths;
  SmallVector<std::string> paths = statePaths(program);
  for (StateSignature state : states)
    for (auto [path, structure] : llvm::zip_equal(paths, state))
      forEachList(structure, path, [&](const std::string &list, ArrayAttr elements) {
        if (llvm::all_of(elements, llvm::IsaPred<TypeAttr, IntegerAttr, FloatAttr>))
          lengths[list].insert(elements.size());
      });
  bool changed = false;
  for (auto &[list, found] : lengths)
    if (found.size() >= 3)
      changed |= widening.lists.insert(list).second;
  return changed;
}

/// Makes dynamic what differs between states: numbers that take ever new values, sizes that grow,
/// lists that do.
bool SpecializePass::widen(Program &program, ArrayRef<StateSignature> states,
                           StateWidening &widening) {
  std::map<std::string, llvm::SetVector<Attribute>> seen;
  SmallVector<std::string> paths = statePaths(program);
  for (StateSignature state : states)
    for (auto [path, structure] : llvm::zip_equal(paths, state))
      specialize::forEachLeaf(structure, path, [&](const std::string &leaf, Attribute what) {
        seen[leaf].insert(what);
      });
  bool changed = widenLists(program, states, widening);
  for (auto &[path, values] : seen) {
    if (values.size() < 3)
      continue;
    if (llvm::all_of(values, [](Attribute v) { return isa<IntegerAttr, FloatAttr>(v); })) {
      changed |= widening.scalars.insert(path).second;
      continue;
    }
    // Tensors of one rank and element type: dimensions with three sizes or more.
    std::map<std::pair<int64_t, const void *>, SmallVector<RankedTensorType>> groups;
    for (Attribute value : values)
      if (auto type = dyn_cast<TypeAttr>(value))
        if (auto tensor = dyn_cast<RankedTensorType>(type.getValue()))
          groups[{tensor.getRank(), tensor.getElementType().getAsOpaquePointer()}].push_back(
              tensor);
    for (auto &[key, types] : groups) {
      if (types.size() < 3)
        continue;
      SmallVector<bool> &dims = widening.dims[path];
      if (dims.size() != size_t(key.first))
        dims.assign(key.first, false);
      for (int64_t dim : llvm::seq<int64_t>(0, key.first)) {
        llvm::SetVector<int64_t> sizes;
        for (RankedTensorType type : types)
          sizes.insert(type.getDimSize(dim));
        if (sizes.size() > 1 && !dims[dim]) {
          dims[dim] = true;
          changed = true;
        }
      }
    }
  }
  return changed;
}

/// What is written in place after it moved to another leaf is written where it was before, too.
static void followMoves(const std::set<std::pair<std::string, std::string>> &moved,
                        std::map<std::string, Location> &written) {
  for (bool changed = true; changed;) {
    changed = false;
    for (auto &[from, to] : moved)
      if (auto it = written.find(to); it != written.end())
        changed |= written.try_emplace(from, it->second).second;
  }
}

/// What is written in place and shares memory is to be followed from call to call. False if all of
/// it is already.
static bool trackAliases(const std::set<std::pair<std::string, std::string>> &aliased,
                         const std::map<std::string, Location> &written, StateWidening &widening) {
  if (widening.ignoresAliases)
    return false;
  size_t before = widening.aliases.size();
  for (auto &[path, other] : aliased)
    if (written.count(path) || written.count(other))
      widening.aliases.insert({path, other});
  return widening.aliases.size() != before;
}

/// What remains cannot be followed.
static LogicalResult checkAliases(const std::set<std::pair<std::string, std::string>> &aliased,
                                  const std::map<std::string, Location> &written) {
  for (auto &[path, other] : aliased)
    for (const std::string &either : {path, other})
      if (auto it = written.find(either); it != written.end())
        return emitError(it->second, "the attribute '")
               << either
               << "' is written in place, and may share memory with another attribute or parameter "
                  "after some call, which is not supported";
  return success();
}

LogicalResult SpecializePass::explore(Program &program, ArrayRef<Request> requests) {
  StateWidening widening;
  for (unsigned round = 0; round < 64; ++round) {
    for (Variant &variant : variants)
      if (variant.function)
        variant.function->erase();
    variants.clear();
    std::map<std::string, Attribute> initial;
    FailureOr<StateSignature> first = initialState(program, widening, initial);
    if (failed(first))
      return failure();
    SmallVector<StateSignature> states = {*first};
    std::vector<Problem> problems, raised;
    std::set<std::pair<std::string, std::string>> aliased, moved;
    std::map<std::string, Location> written; // where the method is
    llvm::MapVector<Attribute, int> makes;   // how many states a method makes
    bool again = false;

    for (unsigned number = 0; number < states.size() && !again; ++number) {
      llvm::SetVector<std::pair<Attribute, Attribute>> attributes;
      llvm::SetVector<Attribute> storages;
      for (const Request &request : requests) {
        std::string name = request.signature.method;
        for (unsigned i = 1; program.module.lookupSymbol(name); ++i)
          name = request.signature.method + "_" + std::to_string(i);
        MethodResult result = specializeMethod(program, request.signature, request.function,
                                               states[number], widening, name);
        result.variant.stateIn = number;
        attributes.insert_range(result.newStateAttributes);
        storages.insert_range(result.newStateStorages);
        aliased.insert(result.aliasedLeaves.begin(), result.aliasedLeaves.end());
        moved.insert(result.movedLeaves.begin(), result.movedLeaves.end());
        for (const std::string &leaf : result.writtenLeaves)
          written.try_emplace(leaf, func::FuncOp(request.function).getLoc());
        problems.insert(problems.end(), result.problems.begin(), result.problems.end());
        if (result.alwaysRaises)
          raised.push_back(*result.alwaysRaises);
        if (result.variant.function && attributes.empty() && storages.empty() &&
            !llvm::is_contained(states, result.variant.stateOut)) {
          states.push_back(result.variant.stateOut);
          ++makes[LocationAttr(func::FuncOp(request.function).getLoc())];
        }
        variants.push_back(std::move(result.variant));
      }
      // What is written becomes state, and everything is walked again: constants were taken for
      // what they are not. Attributes first: they may explain the storages.
      if (!attributes.empty()) {
        program.stateAttributes.insert_range(attributes);
        again = true;
      } else if (!storages.empty()) {
        program.stateStorages.insert_range(storages);
        again = true;
      } else if (!problems.empty()) {
        report(problems);
        return failure();
      } else if (states.size() > maxStates) {
        if (!widening.aliases.empty()) {
          widening.aliases.clear();
          widening.ignoresAliases = true;
        } else if (!widen(program, states, widening)) {
          auto most = llvm::max_element(makes, llvm::less_second());
          return emitError(cast<LocationAttr>(most->first), "the state takes more than ")
                 << unsigned(maxStates) << " forms, from call to call";
        }
        again = true;
      }
    }
    followMoves(moved, written);
    if (!again)
      again = trackAliases(aliased, written, widening);
    if (again)
      continue;
    if (failed(checkAliases(aliased, written)))
      return failure();
    bool hasState = !program.stateAttributes.empty() || !program.stateStorages.empty();
    for (auto [index, variant] : llvm::enumerate(variants)) {
      Builder b(program.module.getContext());
      variant.function->setAttr("tl.variant", b.getI64IntegerAttr(index));
      if (hasState) {
        auto out = llvm::find(states, variant.stateOut);
        variant.function->setAttr("tl.state_in", b.getI64IntegerAttr(variant.stateIn));
        variant.function->setAttr("tl.state_out", b.getI64IntegerAttr(out - states.begin()));
      }
    }
    emitState(program, states, initial);
    for (const Problem &problem : raised)
      emitWarning(problem.loc, problem.message);
    return success();
  }
  return emitError(program.module.getLoc(), "the state of the model does not settle");
}

void SpecializePass::emitState(Program &program, ArrayRef<StateSignature> states,
                               const std::map<std::string, Attribute> &initial) {
  Builder b(program.module.getContext());
  llvm::MapVector<StringRef, SmallVector<Attribute>> leaves;
  std::set<std::string> names;
  SmallVector<std::string> paths = statePaths(program);
  for (auto [number, state] : llvm::enumerate(states))
    for (auto [path, structure] : llvm::zip_equal(paths, state))
      specialize::forEachLeaf(structure, path,
                              [&, number = number](const std::string &leaf, Attribute what) {
                                auto &types = leaves[*names.insert(leaf).first];
                                types.resize(states.size(), b.getUnitAttr());
                                // What refers to the archive's memory, or to another leaf's, holds
                                // nothing of its own.
                                bool holds = !isa<TensorRefAttr>(what) && !member(what, "alias");
                                types[number] = holds ? what : Attribute(b.getUnitAttr());
                              });
  OpBuilder builder(program.module.getBodyRegion());
  builder.setInsertionPointToStart(program.module.getBody());
  for (auto [index, leaf] : llvm::enumerate(leaves)) {
    auto &[path, types] = leaf;
    auto it = initial.find(path.str());
    bool held = isa<TypeAttr>(types.front()) && it != initial.end();
    StateOp::create(builder, program.module.getLoc(), "tl_state_" + std::to_string(index),
                    path.str(), b.getArrayAttr(types),
                    held ? it->second : Attribute(b.getUnitAttr()));
  }
}

/// The walk calls itself for what the program calls, which may be deep: it has a stack of its own,
/// of which only what is used is memory.
static constexpr unsigned walkStackBytes = 1u << 28;

void SpecializePass::runOnOperation() {
  ModuleOp module = getOperation();
  Program program;
  program.module = module;
  program.oracle = oracle;
  variants.clear();
  if (failed(program.analyze()))
    return signalPassFailure();
  FailureOr<SmallVector<Request>> requests = findRequests(program);
  if (failed(requests))
    return signalPassFailure();
  llvm::SetVector<Operation *> written;
  for (Operation &op : *module.getBody())
    written.insert(&op);
  LogicalResult explored = success();
  llvm::thread walk(std::optional<unsigned>(walkStackBytes),
                    [&] { explored = explore(program, *requests); });
  walk.join();
  if (failed(explored)) {
    for (Variant &variant : variants)
      if (variant.function)
        variant.function->erase();
    variants.clear();
    return signalPassFailure();
  }
  if (!program.called.empty())
    countCalls(program);
  for (Operation *op : written)
    op->erase();
  module->removeAttr("tl.root");
  module->removeAttr("tl.operators");
}

/// How many of the operators that the program uses are called through LibTorch, for whoever
/// reports it.
void SpecializePass::countCalls(Program &program) {
  int64_t all = 0;
  program.module.walk([&](AtenOp) { ++all; });
  Builder b(&getContext());
  program.module->setAttr("tl.operator_counts",
                          b.getDenseI64ArrayAttr({int64_t(program.called.size()), all}));
}

std::unique_ptr<Pass> tl::createSpecializePass(SpecializePassOptions options,
                                               OperatorOracle oracle) {
  auto pass = std::make_unique<SpecializePass>(std::move(options));
  pass->oracle = std::move(oracle);
  return pass;
}
