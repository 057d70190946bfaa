//===- Methods.cpp - One method for one signature and state ---------------===//
#include "Methods.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
namespace tl = torchlite::tl;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Structures
//===----------------------------------------------------------------------===//

static ArrayAttr member(Attribute structure, StringRef name) {
  auto dictionary = dyn_cast<DictionaryAttr>(structure);
  return dictionary ? dyn_cast_if_present<ArrayAttr>(dictionary.get(name)) : ArrayAttr();
}

static std::string keyText(Attribute key) {
  if (auto text = dyn_cast<StringAttr>(key))
    return text.getValue().str();
  if (auto integer = dyn_cast<IntegerAttr>(key))
    return std::to_string(integer.getInt());
  return printStructure(key);
}

void specialize::forEachLeaf(Attribute structure, const std::string &path,
                             llvm::function_ref<void(const std::string &, Attribute)> use) {
  for (StringRef name : {"list", "tuple"})
    if (ArrayAttr elements = member(structure, name)) {
      for (auto [index, element] : llvm::enumerate(elements))
        forEachLeaf(element, path + "." + std::to_string(index), use);
      return;
    }
  if (ArrayAttr entries = member(structure, "dict")) {
    for (Attribute entry : entries)
      forEachLeaf(cast<ArrayAttr>(entry)[1], path + "." + keyText(cast<ArrayAttr>(entry)[0]), use);
    return;
  }
  use(path, structure);
}

namespace {

/// A declared type without the optional around it.
Type unwrap(Type type) {
  while (auto optional = dyn_cast_if_present<OptionalType>(type))
    type = optional.getElementType();
  return type;
}

/// A declared type as Python writes it.
std::string typeName(Type type) {
  if (!type)
    return "Any";
  if (isa<tl::TensorType>(type))
    return "Tensor";
  if (type.isInteger(64))
    return "int";
  if (type.isF64())
    return "float";
  if (type.isInteger(1))
    return "bool";
  if (isa<StringType>(type))
    return "str";
  if (isa<tl::NoneType>(type))
    return "None";
  if (isa<NumberType>(type))
    return "number";
  if (isa<DeviceType>(type))
    return "Device";
  if (auto optional = dyn_cast<OptionalType>(type))
    return "Optional[" + typeName(optional.getElementType()) + "]";
  if (auto list = dyn_cast<ListType>(type))
    return "List[" + typeName(list.getElementType()) + "]";
  if (auto dict = dyn_cast<DictType>(type))
    return "Dict[" + typeName(dict.getKeyType()) + ", " + typeName(dict.getValueType()) + "]";
  if (auto tuple = dyn_cast<tl::TupleType>(type)) {
    std::string text = "Tuple[";
    for (auto [index, element] : llvm::enumerate(tuple.getTypes()))
      text += (index ? ", " : "") + typeName(element);
    return text + "]";
  }
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// Whether a structure may be passed for a declared type.
bool accepts(Type declared, Attribute structure) {
  if (!declared || isa<AnyType>(declared))
    return true;
  if (auto optional = dyn_cast<OptionalType>(declared))
    return isa<NoneAttr>(structure) || accepts(optional.getElementType(), structure);
  if (auto unionType = dyn_cast<UnionType>(declared))
    return llvm::any_of(unionType.getTypes(), [&](Type t) { return accepts(t, structure); });
  if (auto type = dyn_cast<TypeAttr>(structure)) {
    if (isa<RankedTensorType>(type.getValue()))
      return isa<tl::TensorType>(declared);
    return type.getValue() == declared || isa<NumberType>(declared);
  }
  if (isa<NoneAttr>(structure))
    return isa<tl::NoneType>(declared);
  if (isa<BoolAttr>(structure))
    return declared.isInteger(1) || isa<NumberType>(declared);
  if (isa<IntegerAttr>(structure)) // Python takes an int where a float is declared
    return declared.isInteger(64) || declared.isF64() || isa<NumberType>(declared);
  if (isa<FloatAttr>(structure))
    return declared.isF64() || isa<NumberType>(declared);
  if (isa<StringAttr>(structure))
    return isa<StringType, DeviceType>(declared);
  if (ArrayAttr elements = member(structure, "list")) {
    auto list = dyn_cast<ListType>(declared);
    return list && llvm::all_of(elements, [&](Attribute element) {
             return accepts(list.getElementType(), element);
           });
  }
  if (ArrayAttr elements = member(structure, "tuple")) {
    auto tuple = dyn_cast<tl::TupleType>(declared);
    return tuple && tuple.getTypes().size() == elements.size() &&
           llvm::all_of(llvm::zip_equal(tuple.getTypes(), elements),
                        [](auto pair) { return accepts(std::get<0>(pair), std::get<1>(pair)); });
  }
  if (ArrayAttr entries = member(structure, "dict")) {
    auto dict = dyn_cast<DictType>(declared);
    return dict && llvm::all_of(entries, [&](Attribute entry) {
             return accepts(dict.getValueType(), cast<ArrayAttr>(entry)[1]);
           });
  }
  return false;
}

/// Builds the operands and results of one function around a walk.
class MethodBuilder {
public:
  MethodBuilder(Walker &walker, const StateWidening &widening) : w(walker), widening(widening) {}

  /// A function operand that is not a constant.
  struct Operand {
    BlockArgument argument;
    std::string path;
    /// Tensors: the storage that holds it.
    std::optional<CellId> storage;
    bool isState;
  };

  SpecValue instantiate(Attribute structure, Type declared, const std::string &path, bool isState);
  /// The structure of a value, and the SSA values of its leaves. Null, after an error, if a value
  /// cannot leave the program.
  Attribute describe(const SpecValue &value, const std::string &path, bool isState,
                     SmallVectorImpl<std::pair<std::string, Value>> &leaves, StringRef what);

  void noteAliases(CellId storage, const std::string &path);

  Walker &w;
  const StateWidening &widening;
  SmallVector<Operand> operands;
  /// Lists and dicts that the caller passes, as they were at the entry.
  SmallVector<std::pair<CellId, CellRef>> containers;
  /// Storages of the state's tensors at the end, with the paths that hold them.
  std::map<CellId, std::string> finalStorages;
  std::set<std::string> aliasedLeaves;
};

} // namespace

SpecValue MethodBuilder::instantiate(Attribute structure, Type declared, const std::string &path,
                                     bool isState) {
  MLIRContext *context = w.b.getContext();
  Type inner = unwrap(declared);
  if (auto type = dyn_cast<TypeAttr>(structure)) {
    Block &entry = w.function.getBody().front();
    BlockArgument argument = entry.addArgument(type.getValue(), w.function.getLoc());
    if (!isa<RankedTensorType>(type.getValue())) {
      operands.push_back({argument, path, std::nullopt, isState});
      return SpecValue::scalar(argument);
    }
    SpecValue tensor = w.newTensor(argument);
    CellId storage = tensor.getTensor().storage;
    operands.push_back({argument, path, storage, isState});
    w.externalCells.push_back(storage);
    if (isState)
      w.stateCells[storage] = path;
    return tensor;
  }
  if (isa<NoneAttr>(structure))
    return SpecValue::none();
  auto anyType = AnyType::get(context);
  if (ArrayAttr elements = member(structure, "list")) {
    auto list = dyn_cast_if_present<ListType>(inner);
    Type elementType = list ? list.getElementType() : Type(anyType);
    std::vector<SpecValue> values;
    for (auto [index, element] : llvm::enumerate(elements))
      values.push_back(
          instantiate(element, elementType, path + "." + std::to_string(index), isState));
    SpecValue value = w.newList(std::move(values), elementType);
    if (!isState)
      containers.push_back({value.getCell(), w.cellRef(value.getCell())});
    return value;
  }
  if (ArrayAttr elements = member(structure, "tuple")) {
    auto tuple = dyn_cast_if_present<tl::TupleType>(inner);
    std::vector<SpecValue> values;
    for (auto [index, element] : llvm::enumerate(elements))
      values.push_back(instantiate(
          element, tuple && index < tuple.getTypes().size() ? tuple.getTypes()[index] : anyType,
          path + "." + std::to_string(index), isState));
    return SpecValue::tuple(std::move(values));
  }
  if (ArrayAttr entries = member(structure, "dict")) {
    auto dict = dyn_cast_if_present<DictType>(inner);
    std::vector<SpecValue> values;
    for (Attribute entry : entries) {
      auto pair = cast<ArrayAttr>(entry);
      values.push_back(w.fromAttribute(pair[0], dict ? dict.getKeyType() : Type(anyType)));
      values.push_back(instantiate(pair[1], dict ? dict.getValueType() : Type(anyType),
                                   path + "." + keyText(pair[0]), isState));
    }
    SpecValue value = w.newDict(std::move(values), dict ? Type(dict) : Type(anyType));
    if (!isState)
      containers.push_back({value.getCell(), w.cellRef(value.getCell())});
    return value;
  }
  return w.fromAttribute(structure, inner ? inner : Type(anyType));
}

/// Two leaves of the state that are, or may be, in one storage, or one in a storage of the archive.
void MethodBuilder::noteAliases(CellId storage, const std::string &path) {
  SmallVector<CellId> same = w.state.heap.partners(storage);
  same.push_back(storage);
  for (CellId other : same) {
    auto held = finalStorages.find(other);
    if (held != finalStorages.end())
      aliasedLeaves.insert({path, held->second});
    if (!w.cellStorages.count(other))
      continue;
    aliasedLeaves.insert(path);
    if (auto leaf = w.stateCells.find(other); leaf != w.stateCells.end())
      aliasedLeaves.insert(leaf->second);
  }
  finalStorages.try_emplace(storage, path);
}

Attribute MethodBuilder::describe(const SpecValue &value, const std::string &path, bool isState,
                                  SmallVectorImpl<std::pair<std::string, Value>> &leaves,
                                  StringRef what) {
  Builder &b = w.b;
  auto wrap = [&](StringRef name, ArrayRef<Attribute> elements) -> Attribute {
    return b.getDictionaryAttr(b.getNamedAttr(name, b.getArrayAttr(elements)));
  };
  auto refuse = [&]() -> Attribute {
    (void)w.error(w.function.getLoc(), what + Twine(path.empty() ? "" : " '") + path +
                                           (path.empty() ? "" : "'") + " is " + value.kindName() +
                                           ", which cannot leave the program");
    return {};
  };
  switch (value.kind()) {
  case ValueKind::Optional:
    (void)w.error(value.getPresent().getLoc(),
                  "what this condition decides at run time gives results or state of different "
                  "structure: " +
                      what + Twine(path.empty() ? "" : " '") + path + (path.empty() ? "" : "'") +
                      " is None or " + value.getPayload().kindName());
    return {};
  case ValueKind::None:
    return NoneAttr::get(b.getContext());
  case ValueKind::Tensor: {
    if (isState)
      if (TensorRefAttr ref = w.archiveRef(value))
        return ref;
    Value tensor = w.readTensor(value);
    if (!tensor)
      return refuse();
    if (isState) {
      noteAliases(value.getTensor().storage, path);
      auto type = cast<RankedTensorType>(tensor.getType());
      auto dims = widening.dims.find(path);
      if (dims != widening.dims.end() && dims->second.size() == size_t(type.getRank())) {
        SmallVector<int64_t> shape(type.getShape());
        for (auto [size, dynamic] : llvm::zip_equal(shape, dims->second))
          if (dynamic)
            size = ShapedType::kDynamic;
        auto wide = RankedTensorType::get(shape, type.getElementType());
        if (wide != type)
          tensor = tensor::CastOp::create(w.b, w.function.getLoc(), wide, tensor);
      }
    }
    leaves.push_back({path, tensor});
    return TypeAttr::get(tensor.getType());
  }
  case ValueKind::Int:
  case ValueKind::Float:
  case ValueKind::Bool:
    if (value.isConstant() && !(isState && widening.scalars.count(path)))
      return value.getConstant();
    leaves.push_back({path, w.scalarValue(value)});
    return TypeAttr::get(leaves.back().second.getType());
  case ValueKind::String:
  case ValueKind::Device:
    if (!value.isConstant())
      return refuse();
    return value.getConstant();
  case ValueKind::Tuple:
  case ValueKind::List: {
    SmallVector<Attribute> elements;
    ArrayRef<SpecValue> values = value.is(ValueKind::Tuple)
                                     ? value.getElements()
                                     : ArrayRef<SpecValue>(w.cell(value.getCell()).elements);
    for (auto [index, element] : llvm::enumerate(SmallVector<SpecValue>(values))) {
      Attribute structure =
          describe(element, path + "." + std::to_string(index), isState, leaves, what);
      if (!structure)
        return {};
      elements.push_back(structure);
    }
    return wrap(value.is(ValueKind::Tuple) ? "tuple" : "list", elements);
  }
  case ValueKind::Dict: {
    SmallVector<Attribute> entries;
    std::vector<SpecValue> elements = w.cell(value.getCell()).elements;
    for (size_t i = 0; i < elements.size(); i += 2) {
      Attribute key = elements[i].getConstant();
      Attribute structure =
          describe(elements[i + 1], path + "." + keyText(key), isState, leaves, what);
      if (!structure)
        return {};
      entries.push_back(b.getArrayAttr({key, structure}));
    }
    return wrap("dict", entries);
  }
  default:
    if (value.is(ValueKind::Unknown) && !w.problems.empty())
      return {};
    return refuse();
  }
}

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
    // An attribute that may come to refer to something else is not its storage.
    if (llvm::is_contained(ArrayRef(paths).take_front(numAttributes), path))
      path += ".storage";
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

/// One walk; conditionals in `keepOpen` are not joined, and grow by those that the walk finds.
static MethodResult specializeOnce(Program &program, const MethodSignature &signature,
                                   func::FuncOp method, StateSignature state,
                                   const StateWidening &widening, StringRef name,
                                   llvm::DenseSet<Operation *> &keepOpen, bool &again) {
  MethodResult result;
  result.variant.signature = signature;
  MLIRContext *context = method.getContext();
  OpBuilder builder(context);
  Location loc = method.getLoc();
  builder.setInsertionPointToEnd(program.module.getBody());
  auto function = func::FuncOp::create(builder, loc, name, builder.getFunctionType({}, {}));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToEnd(entry);

  Walker walker(program, builder);
  walker.function = function;
  walker.keepOpen = keepOpen;
  MethodBuilder mb(walker, widening);
  auto finish = [&](bool keep) {
    result.problems = std::move(walker.problems);
    result.newStateAttributes = std::move(walker.newStateAttributes);
    result.newStateStorages = std::move(walker.newStateStorages);
    result.writtenLeaves = std::move(walker.writtenStateLeaves);
    again = !walker.newKeepOpen.empty();
    keepOpen.insert_range(walker.newKeepOpen);
    result.aliasedLeaves = std::move(mb.aliasedLeaves);
    if (!keep) {
      function->erase();
      result.variant.function = {};
    }
  };

  // Arguments.
  Block &body = method.getBody().front();
  unsigned expected = body.getNumArguments() - 1, given = signature.arguments.size();
  auto argumentName = [&](unsigned i) {
    auto attr = method.getArgAttrOfType<StringAttr>(i + 1, "tl.name");
    return attr ? attr.getValue().str() : std::to_string(i);
  };
  if (given > expected) {
    (void)walker.error(loc, "'" + signature.method + "' takes " + Twine(expected) +
                                " arguments, but the signature gives " + Twine(given));
    finish(false);
    return result;
  }
  SmallVector<SpecValue> arguments = {SpecValue()};
  SmallVector<Attribute> argumentAttrs;
  for (unsigned i : llvm::seq<unsigned>(0, expected)) {
    Type declared = body.getArgument(i + 1).getType();
    Attribute structure;
    if (i < given) {
      structure = signature.arguments[i];
      if (!accepts(declared, structure)) {
        (void)walker.error(loc, "expected " + typeName(declared) + " for argument '" +
                                    argumentName(i) + "' of '" + signature.method +
                                    "', but the signature gives " + printStructure(structure));
        finish(false);
        return result;
      }
      arguments.push_back(mb.instantiate(structure, declared, argumentName(i), /*isState=*/false));
    } else {
      Attribute value = method.getArgAttr(i + 1, "tl.default");
      if (!value) {
        (void)walker.error(loc, "'" + signature.method + "' takes " + Twine(expected) +
                                    " arguments, but the signature gives " + Twine(given) +
                                    ": expected " + typeName(declared) + " for argument '" +
                                    argumentName(i) + "'");
        finish(false);
        return result;
      }
      SpecValue fixed = walker.fromAttribute(value, declared);
      arguments.push_back(fixed);
      SmallVector<std::pair<std::string, Value>> none;
      structure = mb.describe(fixed, argumentName(i), false, none, "the default value of");
      if (!structure || !none.empty()) {
        if (walker.problems.empty())
          (void)walker.error(loc, "the default value of argument '" + argumentName(i) +
                                      "' cannot be fixed: name it in the signature");
        finish(false);
        return result;
      }
    }
    argumentAttrs.push_back(DictionaryAttr::get(
        context, {builder.getNamedAttr("name", builder.getStringAttr(argumentName(i))),
                  builder.getNamedAttr("type", structure)}));
  }
  unsigned numArgumentLeaves = mb.operands.size();

  // State: storages before the objects that refer to them.
  SmallVector<std::string> paths = statePaths(program);
  size_t numAttributes = program.stateAttributes.size();
  for (auto [index, symbol] : llvm::enumerate(program.stateStorages)) {
    SpecValue tensor = mb.instantiate(state[numAttributes + index], tl::TensorType::get(context),
                                      paths[numAttributes + index], /*isState=*/true);
    CellId id = tensor.getTensor().storage;
    walker.cellStorages[id] = symbol;
    const auto &views = program.storageViews[symbol];
    if (views.size() == 1)
      walker.archiveCells[views.front()] = id;
    else
      walker.archiveCells[symbol] = id;
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

  // The walk.
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
  if (outcome->kind != Outcome::Kind::Leaf || !walker.problems.empty()) {
    finish(false);
    return result;
  }
  SpecValue returned = outcome->yields.empty() ? SpecValue::none() : outcome->yields.front();
  walker.enter(*outcome);
  SmallVector<Value> results;
  SmallVector<DictionaryAttr> resultAttrs;
  auto addResult = [&](Value value, StringRef attr = {}, Attribute attrValue = {}) {
    results.push_back(value);
    resultAttrs.push_back(
        attr.empty() ? DictionaryAttr::get(context)
                     : DictionaryAttr::get(context, builder.getNamedAttr(attr, attrValue)));
  };

  SmallVector<std::pair<std::string, Value>> leaves;
  result.variant.result = mb.describe(returned, "", /*isState=*/false, leaves, "the result");
  for (auto &[path, value] : leaves)
    addResult(value);

  // Arguments that were written.
  for (auto &[id, before] : mb.containers)
    if (walker.cellRef(id) != before &&
        !(walker.cell(id).elements.size() == before->elements.size() &&
          llvm::all_of(llvm::zip_equal(walker.cell(id).elements, before->elements),
                       [](auto pair) { return std::get<0>(pair).same(std::get<1>(pair)); })))
      (void)walker.error(loc, "'" + signature.method +
                                  "' changes a list or dict that it is given, which is not "
                                  "supported");
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

  // The state behind the call.
  SmallVector<Attribute> stateOut;
  auto addState = [&](ArrayRef<std::pair<std::string, Value>> stateLeaves) {
    for (auto &[path, value] : stateLeaves) {
      bool unchanged = llvm::any_of(mb.operands, [&, &path = path, &value = value](auto &operand) {
        return operand.isState && operand.path == path && operand.argument == value;
      });
      if (!unchanged)
        addResult(value, "tl.state", builder.getStringAttr(path));
    }
  };
  for (auto [index, key] : llvm::enumerate(program.stateAttributes)) {
    SpecValue object = walker.objectOf(cast<FlatSymbolRefAttr>(key.first));
    const SpecValue value =
        walker.cell(object.getCell()).attributes.at(cast<StringAttr>(key.second).getValue().str());
    SmallVector<std::pair<std::string, Value>> stateLeaves;
    Attribute structure =
        mb.describe(value, paths[index], /*isState=*/true, stateLeaves, "the attribute");
    if (!structure)
      break;
    stateOut.push_back(structure);
    addState(stateLeaves);
  }
  for (auto &operand : mb.operands) {
    if (!operand.isState || !operand.storage || !walker.cellStorages.count(*operand.storage))
      continue;
    Value now = walker.storageValue(*operand.storage);
    stateOut.push_back(TypeAttr::get(operand.argument.getType()));
    addState({{operand.path, now}});
  }
  if (!walker.problems.empty() || !result.variant.result) {
    if (walker.problems.empty())
      (void)walker.error(loc, "the result of '" + signature.method + "' is not known");
    finish(false);
    return result;
  }
  result.variant.stateOut = ArrayAttr::get(context, stateOut);

  func::ReturnOp::create(walker.b, loc, results);
  function.setFunctionType(
      builder.getFunctionType(entry->getArgumentTypes(), ValueRange(results).getTypes()));
  cleanUp(function);

  // State that is not read needs no operand.
  SmallVector<DictionaryAttr> operandAttrs;
  llvm::BitVector unused(entry->getNumArguments());
  for (auto &operand : mb.operands) {
    unsigned number = operand.argument.getArgNumber();
    operandAttrs.push_back(
        operand.isState
            ? DictionaryAttr::get(
                  context, builder.getNamedAttr("tl.state", builder.getStringAttr(operand.path)))
            : DictionaryAttr::get(context));
    if (operand.isState && operand.argument.use_empty())
      unused.set(number);
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
  result.variant.function = function;
  finish(true);
  return result;
}

MethodResult specialize::specializeMethod(Program &program, const MethodSignature &signature,
                                          func::FuncOp method, StateSignature state,
                                          const StateWidening &widening, StringRef name) {
  llvm::DenseSet<Operation *> keepOpen;
  for (;;) {
    bool again = false;
    MethodResult result =
        specializeOnce(program, signature, method, state, widening, name, keepOpen, again);
    // Ends, as the set of operations grows each time.
    if (!again)
      return result;
  }
}
