//===- OperatorOps.cpp - Operators that are called through LibTorch -------===//
#include "TorchLite/Dialect/TorchLite/IR/OperatorOps.h"
#include "TorchLite/Dialect/TorchLite/IR/OperatorText.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace torchlite;
using namespace torchlite::tl;

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

static bool isNumberOperand(Attribute entry) {
  auto dictionary = dyn_cast<DictionaryAttr>(entry);
  return dictionary && dictionary.size() == 1 && dictionary.contains("number");
}

static bool isOperand(Attribute entry) { return isa<UnitAttr>(entry) || isNumberOperand(entry); }

/// Counts operands or results; false where there is something that may not be there.
static bool countUnits(ArrayAttr entries, size_t &count,
                       function_ref<bool(Attribute)> isOtherEntry) {
  return llvm::all_of(entries, [&](Attribute entry) {
    if (auto list = dyn_cast<ArrayAttr>(entry))
      return countUnits(list, count, isOtherEntry);
    if (isOperand(entry))
      return ++count, true;
    return isOtherEntry(entry);
  });
}

LogicalResult CallOperatorOp::verify() {
  size_t operands = 0, results = getWrites().size();
  if (!countUnits(getTakes(), operands, [](Attribute entry) {
        return isa<NoneAttr, IntegerAttr, FloatAttr, StringAttr>(entry);
      }))
    return emitOpError("expected unit, None, numbers, strings and lists of these as arguments");
  if (operands != getOperands().size())
    return emitOpError("takes ") << operands << " operands, but has " << getOperands().size();
  int64_t arguments = getTakes().size();
  if (!countUnits(getGives(), results, [&](Attribute entry) {
        auto number = dyn_cast<IntegerAttr>(entry);
        return isa<NoneAttr>(entry) ||
               (number && number.getInt() >= 0 && number.getInt() < arguments);
      }))
    return emitOpError("expected unit, None, numbers of arguments and lists of these as results");
  if (results != getNumResults())
    return emitOpError("gives ") << results << " results, but has " << getNumResults();
  TypeRange written = TypeRange(getResultTypes()).take_back(getWrites().size());
  for (auto [operand, type] : llvm::zip_equal(getWrites(), written)) {
    auto from = operand >= 0 && operand < int64_t(getOperands().size())
                    ? dyn_cast<RankedTensorType>(getOperands()[operand].getType())
                    : RankedTensorType();
    auto to = dyn_cast<RankedTensorType>(type);
    if (!from || !to || from.getElementType() != to.getElementType() ||
        failed(verifyCompatibleShape(from.getShape(), to.getShape())))
      return emitOpError("expected a result of the type of operand #")
             << operand << ", which it writes, but got " << type;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

int64_t tl::scalarTypeNumber(Type type) {
  if (auto complex = dyn_cast<ComplexType>(type))
    return complex.getElementType().isF32() ? 9 : complex.getElementType().isF64() ? 10 : -1;
  if (type.isUnsignedInteger(8))
    return 0;
  if (type.isInteger(1))
    return 11;
  if (auto integer = dyn_cast<IntegerType>(type); integer && integer.isSignless()) {
    switch (integer.getWidth()) {
    case 8:
      return 1;
    case 16:
      return 2;
    case 32:
      return 3;
    case 64:
      return 4;
    }
  }
  if (type.isF16())
    return 5;
  if (type.isF32())
    return 6;
  if (type.isF64())
    return 7;
  return type.isBF16() ? 15 : -1;
}

Attribute tl::numberOperand(MLIRContext *context) {
  Builder b(context);
  return b.getDictionaryAttr(b.getNamedAttr("number", b.getUnitAttr()));
}

/// A tensor as `<letter><element type>/<rank>`, a number as its letter.
static std::string operandText(Type type, char letter = 'T') {
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    return letter + std::to_string(scalarTypeNumber(tensor.getElementType())) + "/" +
           std::to_string(tensor.getRank());
  return type.isF64() ? "f" : type.isInteger(1) ? "b" : "i";
}

static bool addArgument(Attribute entry, TypeRange operands, size_t &next, std::string &text) {
  auto add = [&](const std::string &token) { text += (text.empty() ? "" : " ") + token; };
  if (auto list = dyn_cast<ArrayAttr>(entry)) {
    add("[");
    for (Attribute element : list)
      if (!addArgument(element, operands, next, text))
        return false;
    add("]");
    return true;
  }
  if (isOperand(entry))
    add(operandText(operands[next++], isNumberOperand(entry) ? 'W' : 'T'));
  else if (isa<NoneAttr>(entry))
    add("n");
  else if (auto boolean = dyn_cast<BoolAttr>(entry))
    add(boolean.getValue() ? "B1" : "B0");
  else if (auto integer = dyn_cast<IntegerAttr>(entry))
    add("I" + std::to_string(integer.getInt()));
  else if (auto number = dyn_cast<FloatAttr>(entry))
    add("F" + llvm::utohexstr(llvm::bit_cast<uint64_t>(number.getValueAsDouble())));
  else if (auto string = dyn_cast<StringAttr>(entry))
    add("S" + llvm::toHex(string.getValue()));
  else
    return false;
  return true;
}

std::optional<std::string> tl::argumentsText(ArrayAttr takes, TypeRange operands) {
  std::string text;
  size_t next = 0;
  for (Attribute entry : takes)
    if (!addArgument(entry, operands, next, text))
      return std::nullopt;
  return text;
}

/// A tensor as `T<element type>:<size>,<size>`, with `?` where a size is not known.
static std::string resultText(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return operandText(type);
  std::string text = "T" + std::to_string(scalarTypeNumber(tensor.getElementType())) + ":";
  for (auto [dim, size] : llvm::enumerate(tensor.getShape()))
    text += (dim ? "," : "") + (ShapedType::isDynamic(size) ? "?" : std::to_string(size));
  return text;
}

static void addResult(Attribute entry, TypeRange results, size_t &next, std::string &text) {
  auto add = [&](const std::string &token) { text += (text.empty() ? "" : " ") + token; };
  if (auto list = dyn_cast<ArrayAttr>(entry)) {
    add("[");
    for (Attribute element : list)
      addResult(element, results, next, text);
    add("]");
  } else if (isa<UnitAttr>(entry)) {
    add(resultText(results[next++]));
  } else {
    add(isa<NoneAttr>(entry) ? "n" : "x");
  }
}

std::string tl::callText(CallOperatorOp op) {
  std::string results, writes;
  size_t next = 0;
  for (Attribute entry : op.getGives())
    addResult(entry, op.getResultTypes(), next, results);
  for (int64_t operand : op.getWrites())
    writes += (writes.empty() ? "" : " ") + std::to_string(operand);
  return (op.getName() + "|" + *argumentsText(op.getTakes(), op.getOperands().getTypes()) + "|" +
          results + "|" + writes + (op.getAliases() ? "|a" : ""))
      .str();
}
