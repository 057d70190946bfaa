//===- MethodBuilder.cpp - Operands and results of a method ---------------===//
#include "MethodBuilder.h"
#include "Boxes.h"
#include "RunTimeLists.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
namespace tl = torchlite::tl;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Structures
//===----------------------------------------------------------------------===//

ArrayAttr specialize::member(Attribute structure, StringRef name) {
  auto dictionary = dyn_cast<DictionaryAttr>(structure);
  return dictionary ? dyn_cast_if_present<ArrayAttr>(dictionary.get(name)) : ArrayAttr();
}

std::string specialize::keyText(Attribute key) {
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
  if (ArrayAttr listOf = member(structure, "list_of"))
    structure = TypeAttr::get(listOfType(listOf[0]));
  // A whole storage and its views (StateAliases.cpp).
  if (ArrayAttr view = member(structure, "view"))
    structure = view[0];
  use(path, structure);
}

RankedTensorType specialize::listOfType(Attribute element) {
  Type type = cast<TypeAttr>(element).getValue();
  auto tensor = dyn_cast<RankedTensorType>(type);
  SmallVector<int64_t> shape = {ShapedType::kDynamic};
  if (tensor)
    llvm::append_range(shape, tensor.getShape());
  return RankedTensorType::get(shape, tensor ? tensor.getElementType() : type);
}

Type specialize::unwrap(Type type) {
  while (auto optional = dyn_cast_if_present<OptionalType>(type))
    type = optional.getElementType();
  return type;
}

std::string specialize::typeName(Type type) {
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

bool specialize::accepts(Type declared, Attribute structure) {
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

//===----------------------------------------------------------------------===//
// Operands and results
//===----------------------------------------------------------------------===//

SpecValue MethodBuilder::instantiate(Attribute structure, Type declared, const std::string &path,
                                     bool isState) {
  MLIRContext *context = w.b.getContext();
  Type inner = unwrap(declared);
  if (isState)
    if (std::optional<SpecValue> shared = instantiateShared(structure, path))
      return *shared;
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
    if (isState) {
      w.stateCells[storage] = path;
      stateValues[path] = tensor;
    }
    return tensor;
  }
  if (isa<NoneAttr>(structure))
    return SpecValue::none();
  auto anyType = AnyType::get(context);
  if (ArrayAttr listOf = member(structure, "list_of")) {
    Block &entry = w.function.getBody().front();
    BlockArgument all = entry.addArgument(listOfType(listOf[0]), w.function.getLoc());
    operands.push_back({all, path, std::nullopt, isState});
    auto list = dyn_cast_if_present<ListType>(inner);
    Type elementType = list ? list.getElementType() : Type(anyType);
    return noteContainer(runTimeListOf(w, all, listOf[0], elementType), path, isState);
  }
  if (ArrayAttr elements = member(structure, "list")) {
    auto list = dyn_cast_if_present<ListType>(inner);
    Type elementType = list ? list.getElementType() : Type(anyType);
    std::vector<SpecValue> values;
    for (auto [index, element] : llvm::enumerate(elements))
      values.push_back(
          instantiate(element, elementType, path + "." + std::to_string(index), isState));
    return noteContainer(w.newList(std::move(values), elementType), path, isState);
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
    return noteContainer(w.newDict(std::move(values), dict ? Type(dict) : Type(anyType)), path,
                         isState);
  }
  return w.fromAttribute(structure, inner ? inner : Type(anyType));
}

/// A list or dict that is passed, or that the state holds.
SpecValue MethodBuilder::noteContainer(const SpecValue &container, const std::string &path,
                                       bool isState) {
  CellId id = container.getCell();
  if (isState) {
    w.stateCells[id] = path;
    stateValues[path] = container;
  } else {
    containers.push_back({id, w.cellRef(id)});
    w.argumentContainers.insert(id);
  }
  return container;
}

/// Two leaves of the state that are, or may be, in one storage, or one in a storage of the archive.
void MethodBuilder::noteAliases(CellId storage, const std::string &path) {
  SmallVector<CellId> same = w.state.heap.partners(storage);
  same.push_back(storage);
  for (CellId other : same) {
    if (auto held = finalStorages.find(other);
        held != finalStorages.end() && !requireApart(storage, other, path, held->second))
      aliasedLeaves.insert({path, held->second});
    if (!w.cellStorages.count(other))
      continue;
    auto leaf = w.stateCells.find(other);
    aliasedLeaves.insert({path, leaf == w.stateCells.end() ? path : leaf->second});
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
    if (!isState) {
      Attribute structure = describeBox(w, value, path, leaves);
      return structure || !w.problems.empty() ? structure : refuse();
    }
    (void)w.error(value.getPresent().getLoc(),
                  "what this condition decides at run time gives results or state of different "
                  "structure: " +
                      what + Twine(path.empty() ? "" : " '") + path + (path.empty() ? "" : "'") +
                      " is None or " + value.getPayload().kindName());
    return {};
  case ValueKind::None:
    return NoneAttr::get(b.getContext());
  case ValueKind::Tensor: {
    // A complex number of Python is a tensor only inside of the program.
    if (value.getTensor().isNumber && isComplex(value.getTensor().type.getElementType())) {
      (void)w.error(w.function.getLoc(),
                    what + Twine(path.empty() ? "" : " '") + path + (path.empty() ? "" : "'") +
                        " is a complex number, which cannot leave the program");
      return {};
    }
    if (isState)
      if (TensorRefAttr ref = w.archiveRef(value))
        return ref;
    if (isState)
      noteMove(value.getTensor().storage, path);
    if (isState && widening.aliases.count(path))
      if (Attribute shared = describeShared(value.getTensor(), path, leaves))
        return shared;
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
  case ValueKind::Text: {
    Attribute structure = isState ? Attribute() : describeBox(w, value, path, leaves);
    return structure ? structure : refuse();
  }
  case ValueKind::String:
  case ValueKind::Device:
    if (!value.getElements().empty() && !isState)
      return describe(SpecValue::text(w.textBox(value)), path, isState, leaves, what);
    if (!value.isConstant())
      return refuse();
    return value.getConstant();
  case ValueKind::Tuple:
  case ValueKind::List: {
    if (isBoxed(w, value)) {
      Attribute structure = isState ? Attribute() : describeBox(w, value, path, leaves);
      return structure ? structure : refuse();
    }
    if (isState && value.is(ValueKind::List)) {
      if (widening.lists.count(path) && !isRunTimeList(w, value))
        (void)makeRunTimeList(w, value.getCell());
      if (Attribute shared = describeShared(value.getCell(), path))
        return shared;
      if (isRunTimeList(w, value)) {
        noteMove(*w.cell(value.getCell()).elementStorage, path);
        noteAliases(*w.cell(value.getCell()).elementStorage, path);
      }
    }
    if (isRunTimeList(w, value))
      return describeRunTimeList(w, value, path, leaves);
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
    if (isBoxed(w, value)) {
      Attribute structure = isState ? Attribute() : describeBox(w, value, path, leaves);
      return structure ? structure : refuse();
    }
    if (isState)
      if (Attribute shared = describeShared(value.getCell(), path))
        return shared;
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
