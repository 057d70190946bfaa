//===- Objects.cpp - Constants and the object graph of the archive --------===//
#include "Join.h"
#include "Methods.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <complex>

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

//===----------------------------------------------------------------------===//
// Program
//===----------------------------------------------------------------------===//

template <typename OpTy> static OpTy lookup(Program &program, FlatSymbolRefAttr symbol) {
  return symbol ? program.symbols.lookupSymbolIn<OpTy>(program.module, symbol) : OpTy();
}

ObjectOp Program::lookupObject(FlatSymbolRefAttr symbol) { return lookup<ObjectOp>(*this, symbol); }
ClassOp Program::lookupClass(FlatSymbolRefAttr symbol) { return lookup<ClassOp>(*this, symbol); }
StorageOp Program::lookupStorage(FlatSymbolRefAttr symbol) {
  return lookup<StorageOp>(*this, symbol);
}
func::FuncOp Program::lookupFunction(FlatSymbolRefAttr symbol) {
  return lookup<func::FuncOp>(*this, symbol);
}

using UseReference = llvm::function_ref<void(Attribute, const std::string &path)>;

/// The tensors and objects of an attribute's value, each as often as it is there, with their paths.
static void forEachReference(Attribute value, const std::string &path, UseReference use) {
  if (isa<TensorRefAttr, FlatSymbolRefAttr>(value))
    return use(value, path);
  if (auto array = dyn_cast<ArrayAttr>(value))
    for (auto [i, element] : llvm::enumerate(array))
      forEachReference(element, path + "." + std::to_string(i), use);
  if (auto dict = dyn_cast<DictAttr>(value)) {
    for (auto [i, key] : llvm::enumerate(dict.getKeys()))
      forEachReference(key, path + ".key" + std::to_string(i), use);
    for (auto [key, element] : llvm::zip_equal(dict.getKeys(), dict.getValues()))
      forEachReference(element, path + "." + keyText(key), use);
  }
}

LogicalResult Program::analyze() {
  root = module->getAttrOfType<FlatSymbolRefAttr>("tl.root");
  if (!root || !lookupObject(root))
    return emitError(module.getLoc(),
                     "expected the module attribute 'tl.root' to name a tl.object");

  // Breadth first, so that names are short.
  std::vector<std::pair<FlatSymbolRefAttr, std::string>> queue = {{root, ""}};
  objectPaths[root] = "";
  for (size_t i = 0; i < queue.size(); ++i) {
    auto [symbol, path] = queue[i];
    ObjectOp object = lookupObject(symbol);
    if (!object)
      return emitError(module.getLoc(), "expected a tl.object ") << symbol;
    for (NamedAttribute slot : object.getSlots()) {
      std::string name = (path.empty() ? "" : path + ".") + slot.getName().str();
      forEachReference(slot.getValue(), name, [&](Attribute attr, const std::string &place) {
        if (auto ref = dyn_cast<TensorRefAttr>(attr)) {
          storagePaths.try_emplace(ref.getStorage(), place);
          storageViews[ref.getStorage()].insert(ref);
          ++storageUses[ref.getStorage()];
        } else if (auto other = cast<FlatSymbolRefAttr>(attr);
                   lookupObject(other) && objectPaths.try_emplace(other, place).second) {
          queue.push_back({other, place});
        }
      });
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// A complex number of Python, as the 0-dim tensor that a trace would have in its place.
SpecValue Walker::complexNumber(ArrayAttr parts, ComplexType type) {
  auto part = [&](unsigned i) { return cast<FloatAttr>(parts[i]).getValue(); };
  std::complex<APFloat> number(part(0), part(1));
  SpecValue tensor =
      newTensor(constant(DenseElementsAttr::get(RankedTensorType::get({}, type), number)),
                Known::Yes, /*given=*/false);
  change(tensor.getTensor().storage).isConstant = true;
  TensorRef ref = tensor.getTensor();
  ref.isNumber = true;
  return SpecValue::tensor(std::move(ref));
}

SpecValue Walker::fromAttribute(Attribute attr, Type type) {
  while (auto optional = dyn_cast<OptionalType>(type)) {
    if (isa<NoneAttr>(attr))
      return SpecValue::none();
    type = optional.getElementType();
  }
  if (isa<NoneAttr>(attr))
    return SpecValue::none();
  if (auto integer = dyn_cast<IntegerAttr>(attr)) {
    if (type.isF64())
      return SpecValue::floating(b.getContext(), static_cast<double>(integer.getInt()));
    if (integer.getType().isInteger(1))
      return SpecValue::boolean(b.getContext(), !integer.getValue().isZero());
    return SpecValue::integer(b.getContext(), integer.getInt());
  }
  if (auto number = dyn_cast<FloatAttr>(attr))
    return SpecValue::floating(b.getContext(), number.getValueAsDouble());
  if (auto string = dyn_cast<StringAttr>(attr))
    return SpecValue::constant(isa<DeviceType>(type) ? ValueKind::Device : ValueKind::String,
                               StringAttr::get(b.getContext(), string.getValue()));
  if (isa<EnumValueAttr>(attr))
    return SpecValue::constant(ValueKind::Enum, attr);
  if (auto array = dyn_cast<ArrayAttr>(attr)) {
    if (auto complex = dyn_cast<ComplexType>(type))
      return complexNumber(array, complex);
    std::vector<SpecValue> elements;
    auto tuple = dyn_cast<TupleType>(type);
    auto list = dyn_cast<ListType>(type);
    Type anyType = AnyType::get(b.getContext());
    for (auto [index, element] : llvm::enumerate(array)) {
      Type elementType = tuple && index < tuple.getTypes().size() ? tuple.getTypes()[index]
                         : list                                   ? list.getElementType()
                                                                  : anyType;
      elements.push_back(fromAttribute(element, elementType));
    }
    if (tuple)
      return SpecValue::tuple(std::move(elements));
    return newList(std::move(elements), list ? list.getElementType() : anyType);
  }
  if (auto dict = dyn_cast<DictAttr>(attr)) {
    auto dictType = dyn_cast<DictType>(type);
    Type anyType = AnyType::get(b.getContext());
    std::vector<SpecValue> elements;
    for (auto [key, value] : llvm::zip_equal(dict.getKeys(), dict.getValues())) {
      elements.push_back(fromAttribute(key, dictType ? dictType.getKeyType() : anyType));
      elements.push_back(fromAttribute(value, dictType ? dictType.getValueType() : anyType));
    }
    return newDict(std::move(elements), type);
  }
  if (auto symbol = dyn_cast<FlatSymbolRefAttr>(attr)) {
    if (isa<FunctionType>(type))
      return SpecValue::constant(ValueKind::Function, attr);
    return objectOf(symbol);
  }
  if (auto ref = dyn_cast<TensorRefAttr>(attr))
    return tensorOfArchive(ref);
  if (auto elements = dyn_cast<ElementsAttr>(attr))
    if (auto tensorType = dyn_cast<RankedTensorType>(elements.getType())) {
      SpecValue tensor = newTensor(constant(cast<TypedAttr>(attr)), Known::Yes, /*given=*/false);
      change(tensor.getTensor().storage).isConstant = true;
      return tensor;
    }
  std::string text;
  llvm::raw_string_ostream(text) << attr;
  (void)error("the constant " + text + " is not supported");
  return SpecValue::unknown();
}

SpecValue Walker::objectOf(FlatSymbolRefAttr symbol) {
  auto it = archiveCells.find(symbol);
  if (it != archiveCells.end())
    return SpecValue::cell(ValueKind::Object, it->second);
  ObjectOp object = program.lookupObject(symbol);
  if (!object) {
    (void)error("expected a tl.object " + symbol.getValue());
    return SpecValue::unknown();
  }
  Cell cell;
  cell.kind = Cell::Kind::Object;
  cell.className = object.getType().getClassName();
  cell.object = symbol;
  CellId id = allocate(std::move(cell));
  archiveCells[symbol] = id;
  ClassOp classOp = program.lookupClass(object.getType().getClassName());
  for (NamedAttribute slot : object.getSlots()) {
    // Attributes that are state come from the state.
    if (program.stateAttributes.contains({symbol, slot.getName()}))
      continue;
    Type type = classOp ? classOp.getAttrType(slot.getName()) : Type();
    CellId first = nextCell;
    SpecValue value =
        fromAttribute(slot.getValue(), type ? type : Type(AnyType::get(b.getContext())));
    // Containers that the archive holds: changing them changes the attribute.
    for (CellId inside = first; inside < nextCell; ++inside) {
      CellRef held = state.heap.lookup(inside);
      pristine[inside] = held;
      if (held && (held->kind == Cell::Kind::List || held->kind == Cell::Kind::Dict))
        archiveContainers.try_emplace(inside,
                                      std::make_pair(Attribute(symbol), Attribute(slot.getName())));
    }
    change(id).attributes[slot.getName().str()] = value;
  }
  pristine[id] = state.heap.lookup(id);
  return SpecValue::cell(ValueKind::Object, id);
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// The order of dimensions in which a strided tensor is contiguous; nothing if there is none.
static std::optional<SmallVector<int64_t>> orderInMemory(TensorRefAttr ref) {
  SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, ref.getSizes().size()));
  llvm::stable_sort(
      order, [&](int64_t a, int64_t b) { return ref.getStrides()[a] > ref.getStrides()[b]; });
  int64_t expected = 1;
  for (int64_t dim : llvm::reverse(order)) {
    if (ref.getSizes()[dim] != 1 && ref.getStrides()[dim] != expected)
      return std::nullopt;
    expected *= ref.getSizes()[dim];
  }
  return order;
}

/// A view of memory that several tensors share and some method writes.
SpecValue Walker::viewOfArchive(CellId whole, TensorRefAttr ref, Known contiguous) {
  auto flat = cast<RankedTensorType>(cell(whole).value.getType());
  std::optional<SmallVector<int64_t>> order = orderInMemory(ref);
  if (!order || flat.getElementType() != ref.getElementType()) {
    (void)error(function.getLoc(), "the tensors of '" +
                                       program.storagePaths.lookup(ref.getStorage()) +
                                       "' share memory that is written, and one of them has gaps "
                                       "or is of another type");
    return SpecValue::unknown();
  }
  SmallVector<OpFoldResult> sizes;
  SmallVector<int64_t> permutation(order->size());
  int64_t count = 1;
  for (auto [place, dim] : llvm::enumerate(*order)) {
    sizes.push_back(b.getIndexAttr(ref.getSizes()[dim]));
    permutation[dim] = place;
    count *= ref.getSizes()[dim];
  }
  ViewChain steps = {
      viewSlice({b.getIndexAttr(ref.getOffset())}, {b.getIndexAttr(count)}, {b.getIndexAttr(1)}),
      viewReshape(sizes)};
  if (!llvm::is_sorted(permutation))
    steps.push_back(viewPermute(permutation));
  SpecValue base = SpecValue::tensor({whole, nullptr, flat, Known::Yes, /*given=*/false});
  return viewOf(base, steps, contiguous);
}

TensorRefAttr Walker::archiveRef(const SpecValue &tensor) {
  auto storage = cellStorages.find(tensor.getTensor().storage);
  if (storage == cellStorages.end())
    return {};
  for (Attribute view : program.storageViews[storage->second]) {
    SpecValue known = tensorOfArchive(cast<TensorRefAttr>(view));
    if (known.isTensor() && sameView(known.getTensor(), tensor.getTensor()))
      return cast<TensorRefAttr>(view);
  }
  return {};
}

SpecValue Walker::tensorOfArchive(TensorRefAttr ref) {
  auto type = RankedTensorType::get(ref.getSizes(), ref.getElementType());
  SmallVector<int64_t> strides = computeStrides(ref.getSizes());
  Known contiguous = Known::Yes;
  for (auto [size, stride, expected] : llvm::zip_equal(ref.getSizes(), ref.getStrides(), strides))
    if (size != 1 && stride != expected)
      contiguous = Known::No;
  Strides own(ref.getStrides());
  auto it = archiveCells.find(ref);
  if (it != archiveCells.end())
    return SpecValue::tensor({it->second, nullptr, type, contiguous, /*given=*/false, own});
  if (auto whole = archiveCells.find(ref.getStorage()); whole != archiveCells.end())
    return viewOfArchive(whole->second, ref, contiguous);
  Cell cell;
  cell.kind = Cell::Kind::Storage;
  CellId id = allocate(std::move(cell));
  pristine[id] = state.heap.lookup(id);
  archiveCells[ref] = id;
  externalCells.push_back(id);
  cellTensors[id] = ref;
  cellStorages[id] = ref.getStorage();
  return SpecValue::tensor({id, nullptr, type, contiguous, /*given=*/false, own});
}

/// The elements of a strided view of a storage, as an attribute of the view's shape.
TypedAttr specialize::viewElements(StorageOp storage, TensorRefAttr ref) {
  auto type = RankedTensorType::get(ref.getSizes(), ref.getElementType());
  ElementsAttr value = storage.getValue();
  auto storageType = cast<ShapedType>(value.getType());
  if (storageType.getElementType() != ref.getElementType())
    return {};
  int64_t count = type.getNumElements(), total = storageType.getNumElements();
  bool whole = ref.getOffset() == 0 && count == total &&
               llvm::all_of(llvm::zip_equal(ref.getSizes(), ref.getStrides(),
                                            computeStrides(ref.getSizes())),
                            [](auto t) {
                              auto [size, stride, expected] = t;
                              return size == 1 || stride == expected;
                            });
  // Positions of the view's elements in the storage, row-major.
  auto forEachPosition = [&](llvm::function_ref<void(int64_t)> use) {
    SmallVector<int64_t> index(ref.getSizes().size(), 0);
    for (int64_t i = 0; i < count; ++i) {
      int64_t position = ref.getOffset();
      for (auto [at, stride] : llvm::zip_equal(index, ref.getStrides()))
        position += at * stride;
      use(position);
      for (size_t d = index.size(); d-- > 0;) {
        if (++index[d] < ref.getSizes()[d])
          break;
        index[d] = 0;
      }
    }
  };
  bool inside = true;
  if (!whole)
    forEachPosition([&](int64_t position) { inside &= position >= 0 && position < total; });
  if (!inside)
    return {};

  if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
    if (whole)
      return dense.reshape(type);
    if (dense.isSplat())
      return dense.resizeSplat(type);
    SmallVector<Attribute> all(dense.getValues<Attribute>()), elements;
    forEachPosition([&](int64_t position) { elements.push_back(all[position]); });
    return DenseElementsAttr::get(type, elements);
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  if (!resource)
    return {};
  AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  // Small ones are written out, so that they fold.
  constexpr int64_t smallCount = 16;
  Type elementType = type.getElementType();
  unsigned bits = elementType.isIntOrFloat() ? elementType.getIntOrFloatBitWidth() : 0;
  bool small = count <= smallCount && (bits == 1 || (bits >= 8 && bits % 8 == 0));
  if (whole && (!small || !blob))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  if (!blob)
    return {};
  ArrayRef<char> bytes = blob->getData();
  if (total == 0 || bytes.size() % total)
    return total == 0 ? TypedAttr(DenseResourceElementsAttr::get(type, resource.getRawHandle()))
                      : TypedAttr();
  size_t width = bytes.size() / total;
  std::vector<char> copy;
  copy.reserve(count * width);
  forEachPosition([&](int64_t position) {
    copy.insert(copy.end(), bytes.begin() + position * width,
                bytes.begin() + (position + 1) * width);
  });
  if (small && bits == 1) {
    // A byte for each in the archive, a bit for each in a raw buffer.
    SmallVector<bool> flags = llvm::map_to_vector(copy, [](char byte) { return byte != 0; });
    return DenseElementsAttr::get(type, flags);
  }
  if (small)
    return DenseElementsAttr::getFromRawBuffer(type, copy);
  return DenseResourceElementsAttr::get(
      type, storage.getSymName(),
      HeapAsmResourceBlob::allocateAndCopyWithAlign(copy, blob->getDataAlignment()));
}

Value Walker::storageValue(CellId id) {
  if (Value value = cell(id).value)
    return value;
  auto it = cellTensors.find(id);
  if (it == cellTensors.end())
    return {};
  TensorRefAttr ref = it->second;
  Value &known = archiveConstants[ref];
  if (known)
    return known;
  StorageOp storage = program.lookupStorage(ref.getStorage());
  TypedAttr elements = storage ? viewElements(storage, ref) : TypedAttr();
  if (!elements) {
    std::string text;
    llvm::raw_string_ostream(text) << ref;
    (void)error("the tensor " + text + " is no view of its storage");
    elements = DenseElementsAttr::get(RankedTensorType::get({}, b.getF32Type()), 0.0f);
  }
  return known = constant(elements);
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

FailureOr<SpecValue> Walker::getAttribute(const SpecValue &object, StringRef name) {
  if (object.is(ValueKind::Unknown))
    return failure();
  if (!object.is(ValueKind::Object))
    return error("expected an object to read '" + name + "' of, but got " + object.kindName());
  const Cell &c = cell(object.getCell());
  auto it = c.attributes.find(name.str());
  if (it == c.attributes.end())
    return error("the attribute '" + name + "' of " + c.className.getValue() +
                 " is read before it is set");
  return it->second;
}

LogicalResult Walker::setAttribute(const SpecValue &object, StringRef name,
                                   const SpecValue &value) {
  if (object.is(ValueKind::Unknown))
    return failure();
  if (!object.is(ValueKind::Object))
    return error("expected an object to set '" + name + "' of, but got " + object.kindName());
  Cell &c = change(object.getCell());
  c.attributes[name.str()] = value;
  if (c.object) {
    auto key = std::make_pair(Attribute(c.object), Attribute(b.getStringAttr(name)));
    if (!program.stateAttributes.contains(key))
      newStateAttributes.insert(key);
  }
  return success();
}

bool Walker::isInstance(const SpecValue &value, Type type) {
  if (isa<AnyType>(type))
    return true;
  if (auto optional = dyn_cast<OptionalType>(type))
    return value.isNone() || isInstance(value, optional.getElementType());
  if (auto unionType = dyn_cast<UnionType>(type))
    return llvm::any_of(unionType.getTypes(), [&](Type t) { return isInstance(value, t); });
  switch (value.kind()) {
  case ValueKind::None:
    return isa<NoneType>(type);
  case ValueKind::Tensor:
    return isa<TensorType>(type);
  case ValueKind::Int:
    return type.isInteger(64) || isa<NumberType>(type);
  case ValueKind::Float:
    return type.isF64() || isa<NumberType>(type);
  case ValueKind::Bool:
    return type.isInteger(1) || isa<NumberType>(type);
  case ValueKind::String:
    return isa<StringType>(type);
  case ValueKind::Device:
    return isa<DeviceType>(type);
  case ValueKind::List: {
    auto list = dyn_cast<ListType>(type);
    if (!list)
      return false;
    Type elementType = cell(value.getCell()).type;
    return isa<AnyType>(list.getElementType()) || list.getElementType() == elementType ||
           (isa<AnyType>(elementType) &&
            llvm::all_of(cell(value.getCell()).elements, [&](const SpecValue &element) {
              return isInstance(element, list.getElementType());
            }));
  }
  case ValueKind::Dict:
    return isa<DictType>(type) &&
           (cell(value.getCell()).type == type || isa<AnyType>(cell(value.getCell()).type));
  case ValueKind::Tuple: {
    auto tuple = dyn_cast<TupleType>(type);
    return tuple && tuple.getTypes().size() == value.getElements().size() &&
           llvm::all_of(llvm::zip_equal(value.getElements(), tuple.getTypes()), [&](auto pair) {
             return isInstance(std::get<0>(pair), std::get<1>(pair));
           });
  }
  case ValueKind::Object:
    return isa<ObjectType>(type) &&
           cast<ObjectType>(type).getClassName() == cell(value.getCell()).className;
  case ValueKind::Enum:
    return isa<EnumType>(type);
  default:
    return false;
  }
}
