//===- Fallback.cpp - Operators that are called through LibTorch ----------===//
//
// An operator without a rule, or whose rule refuses what it is given, becomes a `tl.call_operator`
// if somebody tells what it gives (OperatorOracle.h). The call works on values: what the operator
// writes is written here, and a result that may share memory with an operand is a copy that may not
// be written, as long as the other is in use.
//
//===----------------------------------------------------------------------===//
#include "Boxes.h"
#include "RunTimeLists.h"
#include "TorchLite/Dialect/TorchLite/IR/OperatorOps.h"
#include "TorchLite/Dialect/TorchLite/IR/OperatorText.h"
#include "Walker.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
namespace tl = torchlite::tl;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {

/// What an operator is given, taken apart.
struct CallArguments {
  Walker &w;
  /// As `takes` of the operation has it, and as the oracle is asked.
  SmallVector<Attribute> takes, asked;
  SmallVector<Value> operands;
  /// The operands as they are in the program.
  SmallVector<SpecValue> given;
  std::string why;

  bool add(const SpecValue &value);

private:
  bool addList(ArrayRef<SpecValue> elements);
  bool addOperand(const SpecValue &value, Value operand, bool isNumber = false);
  bool addConstant(Attribute value) { return takes.push_back(value), asked.push_back(value), true; }
  bool refuse(const Twine &reason) { return why = reason.str(), false; }
};

} // namespace

bool CallArguments::addOperand(const SpecValue &value, Value operand, bool isNumber) {
  if (!operand)
    return refuse("an argument cannot be read");
  Builder &b = w.b;
  Attribute type = TypeAttr::get(operand.getType());
  takes.push_back(isNumber ? numberOperand(b.getContext()) : Attribute(b.getUnitAttr()));
  asked.push_back(isNumber ? b.getDictionaryAttr(b.getNamedAttr("number", type)) : type);
  operands.push_back(operand);
  given.push_back(value);
  return true;
}

bool CallArguments::addList(ArrayRef<SpecValue> elements) {
  SmallVector<Attribute> outerTakes = std::move(takes), outerAsked = std::move(asked);
  takes.clear();
  asked.clear();
  bool added = llvm::all_of(elements, [&](const SpecValue &element) { return add(element); });
  outerTakes.push_back(w.b.getArrayAttr(takes));
  outerAsked.push_back(w.b.getArrayAttr(asked));
  takes = std::move(outerTakes);
  asked = std::move(outerAsked);
  return added;
}

bool CallArguments::add(const SpecValue &value) {
  switch (value.kind()) {
  case ValueKind::None:
    return addConstant(NoneAttr::get(w.b.getContext()));
  case ValueKind::Tensor:
    return addOperand(value, w.readTensor(value), value.getTensor().isNumber);
  case ValueKind::Int:
  case ValueKind::Float:
  case ValueKind::Bool:
    return value.isConstant() ? addConstant(value.getConstant())
                              : addOperand(value, w.scalarValue(value));
  case ValueKind::String:
  case ValueKind::Device:
    if (std::optional<StringRef> text = value.getString())
      return addConstant(w.b.getStringAttr(*text));
    return refuse("a string that is known only at run time cannot be passed");
  case ValueKind::List:
    if (isRunTimeList(w, value))
      return refuse("a list whose length is known only at run time cannot be passed");
    if (isBoxed(w, value))
      return refuse("a list whose structure is known only at run time cannot be passed");
    return addList(std::vector<SpecValue>(w.cell(value.getCell()).elements));
  case ValueKind::Tuple:
    return addList(value.getElements());
  default:
    return refuse("a value of kind " + value.kindName() + " cannot be passed");
  }
}

/// Operators that look at how a tensor lies in memory, or change what it is. The call works on
/// values, which may lie otherwise.
static bool looksAtMemory(StringRef name) {
  static const llvm::StringSet<> names = {"_reshape_alias",
                                          "_version",
                                          "as_strided",
                                          "as_strided_",
                                          "as_strided_copy",
                                          "as_strided_scatter",
                                          "data_ptr",
                                          "is_alias_of",
                                          "is_contiguous",
                                          "is_non_overlapping_and_dense",
                                          "is_pinned",
                                          "is_set_to",
                                          "resize_",
                                          "resize_as_",
                                          "set_",
                                          "set_data",
                                          "storage_offset",
                                          "stride",
                                          "strides",
                                          "swap_",
                                          "view",
                                          "view_as"};
  name.consume_front("aten::");
  return names.contains(name.split('.').first);
}

DictionaryAttr Program::askOracle(StringRef name, ArrayAttr arguments, std::string &why) {
  std::string key;
  llvm::raw_string_ostream os(key);
  os << name << "(";
  llvm::interleaveComma(arguments, os);
  os << ")";
  if (auto recorded = module->getAttrOfType<DictionaryAttr>("tl.operators"))
    if (auto answer = recorded.getAs<DictionaryAttr>(key))
      return answer;
  auto [known, isNew] = answers.try_emplace(key);
  if (!isNew)
    return why = known->second.second, known->second.first;
  if (oracle)
    known->second.first = oracle(name, arguments, known->second.second);
  return why = known->second.second, known->second.first;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// `gives` as the operation has it, from an answer; appends the types of the results.
static Attribute toEntry(Attribute given, SmallVectorImpl<Type> &types, Builder &b) {
  if (auto list = dyn_cast<ArrayAttr>(given)) {
    SmallVector<Attribute> entries;
    for (Attribute element : list)
      entries.push_back(toEntry(element, types, b));
    return b.getArrayAttr(entries);
  }
  auto type = dyn_cast<TypeAttr>(given);
  if (!type)
    return given;
  types.push_back(type.getValue());
  return b.getUnitAttr();
}

/// The abstract value of an entry. Tensors are copies; `tensors` receives them.
static SpecValue toValue(Walker &w, Attribute entry, Type declared, ValueRange &results,
                         ArrayRef<SpecValue> arguments, SmallVectorImpl<SpecValue> &tensors) {
  if (auto list = dyn_cast<ArrayAttr>(entry)) {
    auto type = dyn_cast<ListType>(declared);
    Type elementType = type ? type.getElementType() : Type(tl::TensorType::get(w.b.getContext()));
    std::vector<SpecValue> elements;
    for (Attribute element : list)
      elements.push_back(toValue(w, element, elementType, results, arguments, tensors));
    return w.newList(std::move(elements), elementType);
  }
  if (auto number = dyn_cast<IntegerAttr>(entry))
    return arguments[number.getInt()];
  if (isa<NoneAttr>(entry))
    return SpecValue::none();
  Value result = results.front();
  results = results.drop_front();
  if (!isa<RankedTensorType>(result.getType()))
    return SpecValue::scalar(result);
  tensors.push_back(w.newTensor(result, Known::Maybe));
  return tensors.back();
}

//===----------------------------------------------------------------------===//
// The call
//===----------------------------------------------------------------------===//

LogicalResult Walker::callOperator(AtenOp op, ArrayRef<SpecValue> arguments, std::string &why) {
  std::string name = qualifiedOperatorName(op.getName());
  CallArguments call{*this, {}, {}, {}, {}, ""};
  // Views of a contiguous tensor are there, of another one they may be an error.
  bool needsContiguity = name == "aten::view_as_complex";
  if (looksAtMemory(name) ||
      (needsContiguity && llvm::any_of(arguments, [](const SpecValue &argument) {
         return argument.isTensor() && argument.getTensor().contiguous != Known::Yes;
       })))
    return why = "it looks at how tensors lie in memory", failure();
  for (const SpecValue &argument : arguments)
    if (!call.add(argument))
      return why = call.why, failure();
  DictionaryAttr answer = program.askOracle(name, b.getArrayAttr(call.asked), why);
  if (!answer)
    return failure();
  SmallVector<Type> types;
  auto gives = cast<ArrayAttr>(toEntry(answer.get("gives"), types, b));
  SmallVector<int64_t> writes;
  auto storageOf = [&](int64_t operand) { return call.given[operand].getTensor().storage; };
  if (auto given = answer.getAs<DenseI64ArrayAttr>("writes"))
    writes.assign(given.asArrayRef().begin(), given.asArrayRef().end());
  for (int64_t operand : writes)
    for (int64_t other : llvm::seq<int64_t>(0, call.given.size()))
      if (other != operand && call.given[other].isTensor() &&
          storageOf(other) == storageOf(operand))
        return why = "it writes an argument that shares memory with another", failure();
  for (int64_t operand : writes)
    types.push_back(call.given[operand].getTensor().type);
  Location loc = locOf(op);
  auto callOp = CallOperatorOp::create(b, loc, types, b.getStringAttr(name), call.operands,
                                       b.getArrayAttr(call.takes), gives,
                                       b.getDenseI64ArrayAttr(writes), answer.contains("aliases"));
  program.called.insert(op);
  ValueRange results = callOp.getResults();
  SmallVector<SpecValue> values, tensors;
  for (auto [entry, declared] : llvm::zip(gives, op.getResultTypes()))
    values.push_back(toValue(*this, entry, declared, results, arguments, tensors));
  if (values.size() != op.getNumResults())
    return why = "it gives another number of results than the program expects", failure();
  for (auto [operand, value] :
       llvm::zip_equal(writes, callOp.getResults().take_back(writes.size()))) {
    // The sizes stay as they are: the call sees to it.
    state.sizes[value] = sizesOf(call.operands[operand]);
    if (failed(writeTensor(call.given[operand], value)))
      return failure();
  }
  if (answer.contains("aliases"))
    for (auto [index, tensor] : llvm::enumerate(tensors)) {
      for (const SpecValue &operand : call.given)
        if (operand.isTensor())
          noteMaybeCopy(tensor.getTensor().storage, operand.getTensor().storage);
      for (const SpecValue &other : ArrayRef<SpecValue>(tensors).take_front(index))
        noteMaybeCopy(tensor.getTensor().storage, other.getTensor().storage);
    }
  bind(op.getResults(), values);
  return success();
}
