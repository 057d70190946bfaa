//===- ModelDescription.cpp - What a compiled module offers ---------------===//
#include "TorchLite/Driver/ModelDescription.h"

#include "TorchLite/Codegen/Common/Weights.h"
#include "TorchLite/Codegen/NVGPU/Passes.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

namespace torchlite::driver {
using namespace mlir;

int64_t ValueType::numLeaves() const {
  if (kind == TL_TENSOR || anyLength || isBoxed || isOptional || (kind == TL_STRING && !fixed))
    return 1;
  if (kind == TL_INT || kind == TL_FLOAT || kind == TL_BOOL)
    return fixed ? 0 : 1;
  int64_t leaves = 0;
  for (const ValueType &child : children)
    leaves += child.numLeaves();
  return leaves;
}

static const char *dtypeName(tl_dtype dtype) {
  static const char *const names[] = {"f32", "f64", "f16", "bf16", "i8",        "i16",
                                      "i32", "i64", "ui8", "i1",   "complex64", "complex128"};
  return names[dtype];
}

static void print(llvm::raw_ostream &os, const ValueType &type);

static void printPlain(llvm::raw_ostream &os, const ValueType &type) {
  if (type.fixed) {
    switch (type.kind) {
    case TL_INT:
      os << type.bits;
      return;
    case TL_BOOL:
      os << (type.bits ? "true" : "false");
      return;
    case TL_FLOAT: {
      SmallString<32> text;
      llvm::APFloat(llvm::APFloat::IEEEdouble(), llvm::APInt(64, type.bits)).toString(text);
      os << text;
      return;
    }
    default:
      os << '"' << type.text << '"';
      return;
    }
  }
  auto printChildren = [&](StringRef open, StringRef close) {
    os << open;
    for (auto [index, child] : llvm::enumerate(type.children)) {
      if (index)
        os << (type.kind == TL_DICT && index % 2 ? ": " : ", ");
      print(os, child);
    }
    os << close;
  };
  switch (type.kind) {
  case TL_TENSOR:
    for (int64_t dim : type.dims)
      if (dim < 0)
        os << "?x";
      else
        os << dim << 'x';
    os << dtypeName(type.dtype);
    return;
  case TL_LIST:
    return printChildren("[", type.anyLength || type.isBoxed ? ", ...]" : "]");
  case TL_TUPLE:
    return printChildren("(", type.children.size() == 1 ? ",)" : ")");
  case TL_DICT:
    return printChildren("{", type.isBoxed ? ", ...}" : "}");
  case TL_NONE:
    os << "none";
    return;
  case TL_INT:
    os << "int";
    return;
  case TL_FLOAT:
    os << "float";
    return;
  case TL_BOOL:
    os << "bool";
    return;
  case TL_STRING:
    os << "str";
    return;
  }
}

static void print(llvm::raw_ostream &os, const ValueType &type) {
  printPlain(os, type);
  if (type.isOptional)
    os << '?';
}

std::string ValueType::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os, *this);
  return text;
}

std::string Method::format(const Variant &variant) const {
  std::string text = name + "(";
  for (auto [index, argument] : llvm::enumerate(variant.arguments))
    text += (index ? ", " : "") + argument.name + ": " + argument.type.str();
  return text + ") -> " + variant.result.str();
}

//===----------------------------------------------------------------------===//
// Structures
//===----------------------------------------------------------------------===//

static std::optional<tl_dtype> readElementType(Type type) {
  if (type.isF32())
    return TL_F32;
  if (type.isF64())
    return TL_F64;
  if (type.isF16())
    return TL_F16;
  if (type.isBF16())
    return TL_BF16;
  if (type.isInteger(1))
    return TL_I1;
  if (type.isUnsignedInteger(8))
    return TL_UI8;
  if (type.isUnsignedInteger())
    return std::nullopt;
  if (type.isInteger(8))
    return TL_I8;
  if (type.isInteger(16))
    return TL_I16;
  if (type.isInteger(32))
    return TL_I32;
  if (type.isInteger(64))
    return TL_I64;
  if (auto complex = dyn_cast<ComplexType>(type))
    return complex.getElementType().isF32() ? TL_COMPLEX64 : TL_COMPLEX128;
  return std::nullopt;
}

static FailureOr<ValueType> readType(Type type, function_ref<InFlightDiagnostic()> emitError) {
  ValueType result;
  if (auto tensor = dyn_cast<RankedTensorType>(type)) {
    std::optional<tl_dtype> dtype = readElementType(tensor.getElementType());
    if (!dtype)
      return emitError() << "tensors of " << tensor.getElementType()
                         << " cannot cross the interface";
    result.kind = TL_TENSOR;
    result.dtype = *dtype;
    for (int64_t dim : tensor.getShape())
      result.dims.push_back(ShapedType::isDynamic(dim) ? -1 : dim);
    return result;
  }
  if (type.isInteger(64))
    result.kind = TL_INT;
  else if (type.isF64())
    result.kind = TL_FLOAT;
  else if (type.isInteger(1))
    result.kind = TL_BOOL;
  else if (isa<tl::StringType>(type))
    result.kind = TL_STRING;
  else
    return emitError() << "expected a tensor, i64, f64 or i1, but got " << type;
  return result;
}

static ValueType fixedValue(tl_kind kind, int64_t bits) {
  ValueType result;
  result.kind = kind;
  result.fixed = true;
  result.bits = bits;
  return result;
}

FailureOr<ValueType> readStructure(Attribute structure,
                                   function_ref<InFlightDiagnostic()> emitError) {
  if (auto type = dyn_cast_if_present<TypeAttr>(structure))
    return readType(type.getValue(), emitError);
  if (isa_and_present<tl::NoneAttr>(structure))
    return ValueType();
  if (auto boolean = dyn_cast_if_present<BoolAttr>(structure))
    return fixedValue(TL_BOOL, boolean.getValue());
  if (auto integer = dyn_cast_if_present<IntegerAttr>(structure))
    return fixedValue(TL_INT, integer.getValue().getSExtValue());
  if (auto real = dyn_cast_if_present<FloatAttr>(structure)) {
    double value = real.getValueAsDouble();
    return fixedValue(TL_FLOAT, llvm::bit_cast<int64_t>(value));
  }
  if (auto text = dyn_cast_if_present<StringAttr>(structure)) {
    ValueType result = fixedValue(TL_STRING, 0);
    result.text = text.str();
    return result;
  }
  auto container = dyn_cast_if_present<DictionaryAttr>(structure);
  if (!container || container.size() != 1)
    return emitError() << "expected the structure of a value, but got " << structure;
  NamedAttribute entry = *container.begin();
  ValueType result;
  result.kind = llvm::StringSwitch<tl_kind>(entry.getName().strref())
                    .Cases({"list", "list_of", "items"}, TL_LIST)
                    .Case("tuple", TL_TUPLE)
                    .Cases({"dict", "entries"}, TL_DICT)
                    .Default(TL_NONE);
  auto items = dyn_cast<ArrayAttr>(entry.getValue());
  if (entry.getName() == "optional" && items && items.size() == 1) {
    FailureOr<ValueType> inner = readStructure(items[0], emitError);
    if (succeeded(inner))
      inner->isOptional = true;
    return inner;
  }
  if (result.kind == TL_NONE || !items)
    return emitError() << "expected {list = [...]}, {list_of = [...]}, {tuple = [...]} or {dict = "
                          "[...]}, but got "
                       << structure;
  for (Attribute item : items) {
    SmallVector<Attribute> parts{item};
    if (result.kind == TL_DICT) {
      auto pair = dyn_cast<ArrayAttr>(item);
      if (!pair || pair.size() != 2)
        return emitError() << "expected [key, structure], but got " << item;
      parts.assign(pair.begin(), pair.end());
    }
    for (Attribute part : parts) {
      FailureOr<ValueType> child = readStructure(part, emitError);
      if (failed(child))
        return failure();
      result.children.push_back(std::move(*child));
    }
  }
  result.isBoxed = entry.getName() == "items" || entry.getName() == "entries";
  result.anyLength = entry.getName() == "list_of";
  if (result.anyLength && (result.children.size() != 1 || result.children.front().numLeaves() != 1))
    return emitError() << "expected the type of a tensor or number in " << structure;
  return result;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

static int64_t getInteger(Operation *op, StringRef name, int64_t fallback) {
  auto attribute = op->getAttrOfType<IntegerAttr>(name);
  return attribute ? attribute.getInt() : fallback;
}

/// What the operands (`tl.operands`) or results (`tl.results`) of a function are: recorded when
/// they moved into the frame, attributes of the signature before that.
static SmallVector<DictionaryAttr> getSignatureAttributes(Operation *op, bool results) {
  SmallVector<DictionaryAttr> attributes;
  if (auto recorded = op->getAttrOfType<ArrayAttr>(results ? "tl.results" : "tl.operands")) {
    for (Attribute entry : recorded)
      attributes.push_back(dyn_cast<DictionaryAttr>(entry));
    return attributes;
  }
  auto function = cast<FunctionOpInterface>(op);
  for (unsigned i = 0; i < (results ? function.getNumResults() : function.getNumArguments()); ++i)
    attributes.push_back(results ? function.getResultAttrDict(i) : function.getArgAttrDict(i));
  return attributes;
}

namespace {
struct Reader {
  ModelDescription model;
  size_t numSets = 1; // of kernels
  llvm::StringMap<int32_t> slots;

  LogicalResult readStateSlot(tl::StateOp op);
  LogicalResult readVariant(Operation *op);
  FailureOr<int32_t> findSlot(Operation *op, StringRef path);
};
} // namespace

FailureOr<int32_t> Reader::findSlot(Operation *op, StringRef path) {
  auto slot = slots.find(path);
  if (slot == slots.end())
    return op->emitError("uses the state '") << path << "', which no tl.state declares";
  return slot->second;
}

/// The bytes of a slot's first value.
static LogicalResult readInitial(tl::StateOp op, const ValueType &type, StateSlot &slot) {
  Attribute initial = op.getInitial();
  std::vector<char> &bytes = slot.initial;
  if (type.kind == TL_TENSOR) {
    auto elements = dyn_cast<ElementsAttr>(initial);
    SmallVector<char> storage;
    FailureOr<ArrayRef<char>> raw = failure();
    if (elements)
      raw = getRawElements(elements, storage);
    if (failed(raw))
      return op.emitError("expected the elements of a tensor as the initial value of '")
             << op.getPath() << "', but got " << initial;
    bytes.assign(raw->begin(), raw->end());
    ArrayRef<int64_t> sizes = cast<ShapedType>(elements.getType()).getShape();
    slot.initialSizes.assign(sizes.begin(), sizes.end());
    return success();
  }
  int64_t bits;
  if (auto integer = dyn_cast<IntegerAttr>(initial))
    bits = type.kind == TL_BOOL ? static_cast<int64_t>(integer.getValue().getZExtValue())
                                : integer.getValue().getSExtValue();
  else if (auto real = dyn_cast<FloatAttr>(initial))
    bits = llvm::bit_cast<int64_t>(real.getValueAsDouble());
  else
    return op.emitError("expected a number as the initial value of '")
           << op.getPath() << "', but got " << initial;
  bytes.resize(sizeof bits);
  memcpy(bytes.data(), &bits, sizeof bits);
  return success();
}

LogicalResult Reader::readStateSlot(tl::StateOp op) {
  StateSlot slot;
  slot.path = op.getPath().str();
  for (Attribute structure : op.getTypes()) {
    if (isa<UnitAttr>(structure)) { // no such leaf in that signature
      slot.types.emplace_back();
      continue;
    }
    FailureOr<ValueType> type = readStructure(structure, [&] { return op.emitError(); });
    if (failed(type))
      return failure();
    slot.types.push_back(std::move(*type));
  }
  if (!slot.types.empty() && slot.types.front().numLeaves() &&
      failed(readInitial(op, slot.types.front(), slot)))
    return failure();
  model.numStates = std::max<int64_t>(model.numStates, slot.types.size());
  slots[slot.path] = model.slots.size();
  model.slots.push_back(std::move(slot));
  return success();
}

/// Whether two variants are for a same set of kernels.
static bool hasSame(const Variant &a, const Variant &b) {
  for (size_t i = 0; i < std::min(a.device.size(), b.device.size()); ++i)
    if (a.device[i].function && b.device[i].function)
      return true;
  return false;
}

LogicalResult Reader::readVariant(Operation *op) {
  auto emitError = [&] { return op->emitError(); };
  Variant variant;
  bool isDevice = op->hasAttr("tl.device");
  if (!isDevice) {
    variant.function = op;
    variant.arenaBytes = getInteger(op, "tl.arena_bytes", 0);
  } else {
    DeviceCode code{op, getInteger(op, "tl.arena_bytes", 0), op->hasAttr("tl.replayable")};
    variant.device.resize(numSets);
    auto sets = op->getAttrOfType<DenseI64ArrayAttr>(nvgpu::setsAttrName);
    for (size_t set = 0; set < numSets; ++set)
      if (!sets || llvm::is_contained(sets.asArrayRef(), static_cast<int64_t>(set)))
        variant.device[set] = code;
  }
  variant.number = getInteger(op, "tl.variant", 0);
  variant.contiguous = op->hasAttr("tl.contiguous");
  variant.stateIn = getInteger(op, "tl.state_in", -1);
  variant.stateOut = getInteger(op, "tl.state_out", -1);
  auto arguments = op->getAttrOfType<ArrayAttr>("tl.arguments");
  Attribute result = op->getAttr("tl.result");
  if (!arguments || !result)
    return emitError()
           << "expected the attributes 'tl.arguments' and 'tl.result' beside 'tl.method'";
  int64_t leaves = 0;
  for (Attribute entry : arguments) {
    auto fields = dyn_cast<DictionaryAttr>(entry);
    auto name = fields ? fields.getAs<StringAttr>("name") : StringAttr();
    if (!name)
      return emitError() << "expected {name, type} in 'tl.arguments', but got " << entry;
    FailureOr<ValueType> type = readStructure(fields.get("type"), emitError);
    if (failed(type))
      return failure();
    leaves += type->numLeaves();
    variant.arguments.push_back({name.str(), std::move(*type)});
  }
  FailureOr<ValueType> resultType = readStructure(result, emitError);
  if (failed(resultType))
    return failure();
  variant.result = std::move(*resultType);

  for (auto [index, fields] : llvm::enumerate(getSignatureAttributes(op, /*results=*/false))) {
    auto state = fields ? fields.getAs<StringAttr>("tl.state") : StringAttr();
    if ((static_cast<int64_t>(index) >= leaves) != static_cast<bool>(state))
      return emitError() << "operand " << index << " of " << leaves << " argument leaves is "
                         << (state ? "state" : "neither an argument nor state");
    if (!state)
      continue;
    FailureOr<int32_t> slot = findSlot(op, state);
    if (failed(slot))
      return failure();
    variant.stateOperands.push_back(*slot);
  }
  int64_t resultLeaves = variant.result.numLeaves();
  for (auto [index, fields] : llvm::enumerate(getSignatureAttributes(op, /*results=*/true))) {
    auto state = fields ? fields.getAs<StringAttr>("tl.state") : StringAttr();
    auto change = fields ? fields.getAs<IntegerAttr>("tl.changes") : IntegerAttr();
    if ((static_cast<int64_t>(index) >= resultLeaves) != (state || change))
      return emitError() << "result " << index << " of " << resultLeaves << " result leaves is "
                         << (state || change ? "a change or state"
                                             : "neither a result, a change nor state");
    if (change && !variant.stateResults.empty())
      return emitError() << "result " << index << ": expected changed arguments before state";
    if (change)
      variant.changes.push_back(change.getInt());
    if (!state)
      continue;
    FailureOr<int32_t> slot = findSlot(op, state);
    if (failed(slot))
      return failure();
    variant.stateResults.push_back(*slot);
  }

  StringRef name = op->getAttrOfType<StringAttr>("tl.method").getValue();
  auto method = llvm::find_if(model.methods, [&](Method &it) { return it.name == name; });
  if (method == model.methods.end())
    method = model.methods.insert(method, Method{name.str(), {}});
  model.numStates = std::max<int64_t>({model.numStates, variant.stateIn + 1, variant.stateOut + 1});
  auto known = llvm::find_if(method->variants, [&](const Variant &other) {
    return other.number == variant.number &&
           (isDevice ? !hasSame(other, variant) : !other.function);
  });
  if (known == method->variants.end()) {
    method->variants.push_back(std::move(variant));
    return success();
  }
  // The same for another target, or with another set of kernels.
  if (method->format(*known) != method->format(variant) || known->changes != variant.changes ||
      known->stateOperands != variant.stateOperands || known->stateResults != variant.stateResults)
    return emitError() << "differs from the same method for the other target, "
                       << method->format(*known);
  if (isDevice) {
    known->device.resize(numSets);
    for (auto [mine, other] : llvm::zip(known->device, variant.device))
      if (other.function)
        mine = other;
  } else {
    known->function = op;
    known->arenaBytes = variant.arenaBytes;
  }
  return success();
}

FailureOr<ModelDescription> describeModel(ModuleOp module) {
  Reader reader;
  if (auto sets = module->getAttrOfType<ArrayAttr>(nvgpu::setsAttrName))
    reader.numSets = sets.size();
  for (tl::StateOp op : module.getOps<tl::StateOp>())
    if (failed(reader.readStateSlot(op)))
      return failure();
  for (Operation &op : *module.getBody())
    if (op.hasAttrOfType<StringAttr>("tl.method") && isa<FunctionOpInterface>(op) &&
        failed(reader.readVariant(&op)))
      return failure();
  // The runtime looks up every slot's type by the number of the state.
  for (StateSlot &slot : reader.model.slots)
    slot.types.resize(reader.model.numStates);
  for (Method &method : reader.model.methods)
    llvm::sort(method.variants,
               [](const Variant &a, const Variant &b) { return a.number < b.number; });
  if (reader.model.methods.empty())
    return module.emitError("the module has no compiled method (a function with 'tl.method')");
  return std::move(reader.model);
}

} // namespace torchlite::driver
