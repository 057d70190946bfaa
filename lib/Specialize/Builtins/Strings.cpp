//===- Strings.cpp - Strings ----------------------------------------------===//
//
// Strings are known at compile time, but for run-time numbers that are formatted into them: these
// stay as holes that are filled when a message is raised or printed, or when the program
// looks at the text, which is a box then (Boxes.h).
//
//===----------------------------------------------------------------------===//
#include "../Interpreter/Boxes.h"
#include "TorchLite/Specialize/Rules.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
namespace rt = torchlite::rt;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {

using Results = SmallVectorImpl<SpecValue>;

/// A text under construction, with its holes.
struct Text {
  /// Pieces between the holes; one more than holes.
  SmallVector<std::string> pieces = {""};
  std::vector<SpecValue> holes;

  void add(StringRef text) { pieces.back() += text; }
  void addHole(const SpecValue &value) {
    holes.push_back(value);
    pieces.push_back("");
  }
  SpecValue get(RuleContext &ctx) const {
    MLIRContext *context = ctx.context();
    if (holes.empty())
      return SpecValue::string(context, pieces.front());
    if (llvm::any_of(holes, [](const SpecValue &hole) { return hole.is(ValueKind::Text); }))
      return SpecValue::text(
          rt::BoxFormatOp::create(ctx.b, ctx.loc, piecesAttribute(ctx), values(ctx)));
    if (llvm::any_of(pieces, [](StringRef piece) { return piece.contains(holeMark); })) {
      (void)ctx.fail(
          "a number known only at run time in a text with a character 1 is not supported");
      return SpecValue::unknown();
    }
    return SpecValue::formatted(context, llvm::join(pieces, holeMark), holes);
  }
  ArrayAttr piecesAttribute(RuleContext &ctx) const {
    return ctx.b.getStrArrayAttr(llvm::map_to_vector(pieces, [](auto &s) { return StringRef(s); }));
  }
  /// The holes' values.
  SmallVector<Value> values(RuleContext &ctx) const {
    return llvm::map_to_vector(holes, [&](const SpecValue &hole) {
      return hole.is(ValueKind::Text) ? hole.getBox() : ctx.scalarValue(hole);
    });
  }
};

/// Appends a string value.
void append(Text &text, const SpecValue &string) {
  StringRef content = cast<StringAttr>(string.getConstant()).getValue();
  if (string.getElements().empty())
    return text.add(content);
  for (const SpecValue &hole : string.getElements()) {
    size_t at = content.find(holeMark);
    text.add(content.take_front(at));
    text.addHole(hole);
    content = content.drop_front(at + holeMark.size());
  }
  text.add(content);
}

/// A float as TorchScript writes it: whole numbers with a point behind them, others with all of
/// their digits.
std::string floatText(double value) {
  constexpr double limit = 9223372036854775808.0; // 2^63
  if (value >= -limit && value < limit && value == std::trunc(value))
    return std::to_string(static_cast<int64_t>(value)) + ".";
  char digits[40];
  snprintf(digits, sizeof digits, "%.17g", value);
  return digits;
}

/// Whether a text is for people alone: part of what the program raises, or warns of.
bool isForMessages(Operation *op, unsigned depth = 8) {
  static const llvm::StringSet<> texts = {"format", "percentFormat", "add.str", "join",
                                          "str",    "prim::str",     "warn",    "warn_once"};
  return depth && !isa<PrintOp>(op) && llvm::all_of(op->getUsers(), [&](Operation *user) {
           auto aten = dyn_cast<AtenOp>(user);
           return isa<RaiseOp>(user) ||
                  (aten && texts.contains(aten.getName()) && isForMessages(user, depth - 1));
         });
}

void print(RuleContext &ctx, Text &text, const SpecValue &value);

/// Appends elements between brackets; those of a dict in pairs.
void printAll(RuleContext &ctx, Text &text, StringRef open, ArrayRef<SpecValue> elements,
              StringRef close, bool isDict = false) {
  text.add(open);
  for (auto [index, element] : llvm::enumerate(elements)) {
    if (index)
      text.add(isDict && index % 2 ? ": " : ", ");
    print(ctx, text, element);
  }
  text.add(close);
}

/// A value as a box, whose text is written at run time; null after a failure, or if there is none.
Value boxOf(RuleContext &ctx, const SpecValue &value) {
  Walker &w = ctx.getWalker();
  if (value.is(ValueKind::Text))
    return value.getBox();
  if (value.isTensor())
    return packed(ctx.b, ctx.loc, ctx.tensorValue(value));
  if (isBoxed(w, value))
    return Boxer(w, ctx.loc).boxOf(value);
  return value.is(ValueKind::Optional) ? Boxer(w, ctx.loc).optionalBox(value).first : Value();
}

/// Appends what is known only at run time; where nobody computes with it, what stands for it.
void printUnknown(RuleContext &ctx, Text &text, const SpecValue &value) {
  if (!isForMessages(ctx.getWalker().current)) {
    if (Value box = boxOf(ctx, value))
      return text.addHole(SpecValue::text(box));
    return (void)ctx.fail("the text of a value of type " + value.kindName() +
                          " is not supported but in what is raised");
  }
  // A single number is printed as such; what is longer is named.
  if (value.isTensor()) {
    RankedTensorType type = value.getTensor().type;
    if (type.getRank() == 0 && !isComplex(type.getElementType()))
      return text.addHole(SpecValue::scalar(ctx.toScalar(ctx.tensorValue(value))));
    return text.add("<tensor>");
  }
  text.add(("<" + value.kindName() + ">").str());
}

/// Appends any value as TorchScript's `str` and `format` write it.
void print(RuleContext &ctx, Text &text, const SpecValue &value) {
  switch (value.kind()) {
  case ValueKind::String:
    return append(text, value);
  case ValueKind::Device:
    return text.add(*value.getString());
  case ValueKind::None:
    return text.add("None");
  case ValueKind::Bool:
    if (std::optional<bool> known = value.getBool())
      return text.add(*known ? "True" : "False");
    return text.addHole(value);
  case ValueKind::Int:
    if (std::optional<int64_t> known = value.getInt())
      return text.add(std::to_string(*known));
    return text.addHole(value);
  case ValueKind::Float:
    if (std::optional<double> known = value.getFloat())
      return text.add(floatText(*known));
    return text.addHole(value);
  case ValueKind::List:
    if (isBoxed(ctx.getWalker(), value))
      return printUnknown(ctx, text, value);
    return printAll(ctx, text, "[", ctx.elements(value), "]");
  case ValueKind::Tuple:
    return printAll(ctx, text, "(", value.getElements(),
                    value.getElements().size() == 1 ? ",)" : ")");
  case ValueKind::Dict:
    if (isBoxed(ctx.getWalker(), value))
      return printUnknown(ctx, text, value);
    return printAll(ctx, text, "{", ctx.getWalker().cell(value.getCell()).elements, "}",
                    /*isDict=*/true);
  default:
    return printUnknown(ctx, text, value);
  }
}

/// Appends a value as `%d` or `%f` write it; false if that is not known.
bool printNumber(Text &text, char kind, const SpecValue &value) {
  if (kind == 'd' && value.is(ValueKind::Int)) {
    if (std::optional<int64_t> known = value.getInt())
      text.add(std::to_string(*known));
    else
      text.addHole(value);
    return true;
  }
  std::optional<double> known = value.getFloat();
  if (kind != 'f' || value.is(ValueKind::Bool) || !known)
    return false;
  char digits[400]; // as a 32-bit float
  snprintf(digits, sizeof digits, "%f", static_cast<double>(static_cast<float>(*known)));
  text.add(digits);
  return true;
}

/// `str.format` with positional `{}`.
LogicalResult format(RuleContext &ctx, Results &results) {
  std::optional<StringRef> pattern = ctx.operand(0).getString();
  if (!pattern)
    return ctx.fail("expected a format that is known at compile time");
  Text text;
  unsigned next = 1;
  StringRef rest = *pattern;
  for (;;) {
    size_t at = rest.find("{}");
    text.add(rest.take_front(at));
    if (at == StringRef::npos)
      break;
    if (next >= ctx.size())
      return ctx.raise("Too few arguments for format string: " + *pattern);
    print(ctx, text, ctx.operand(next++));
    rest = rest.drop_front(at + 2);
  }
  if (ctx.failed())
    return failure();
  results.push_back(text.get(ctx));
  return success();
}

/// `"..." % (...)`: %s, %d, %i, %f and %%; widths are refused.
LogicalResult percentFormat(RuleContext &ctx, Results &results) {
  std::optional<StringRef> pattern = ctx.operand(0).getString();
  if (!pattern)
    return ctx.fail("expected a format that is known at compile time");
  SmallVector<SpecValue> values;
  for (unsigned i = 1; i < ctx.size(); ++i)
    values.push_back(ctx.operand(i));
  if (values.size() == 1 && values.front().is(ValueKind::Tuple)) {
    ArrayRef<SpecValue> elements = values.front().getElements();
    values = SmallVector<SpecValue>(elements);
  }
  Text text;
  unsigned next = 0;
  for (size_t i = 0; i < pattern->size(); ++i) {
    char c = (*pattern)[i];
    if (c != '%') {
      text.add(StringRef(&c, 1));
      continue;
    }
    char kind = i + 1 < pattern->size() ? (*pattern)[++i] : '\0';
    if (kind == '%') {
      text.add("%");
      continue;
    }
    bool isKnown = next < values.size() && StringRef("sdif").contains(kind);
    if (isKnown && kind == 's')
      print(ctx, text, values[next]);
    else if (!isKnown || !printNumber(text, kind == 'i' ? 'd' : kind, values[next]))
      return ctx.fail("the format '" + *pattern + "' is not supported");
    ++next;
  }
  if (ctx.failed())
    return failure();
  results.push_back(text.get(ctx));
  return success();
}

LogicalResult stringOf(RuleContext &ctx, Results &results) {
  Text text;
  print(ctx, text, ctx.operand(0));
  if (ctx.failed())
    return failure();
  results.push_back(text.get(ctx));
  return success();
}

LogicalResult concat(RuleContext &ctx, Results &results) {
  if (!ctx.operand(0).is(ValueKind::String) || !ctx.operand(1).is(ValueKind::String))
    return ctx.fail("expected two strings");
  Text text;
  append(text, ctx.operand(0));
  append(text, ctx.operand(1));
  if (ctx.failed())
    return failure();
  results.push_back(text.get(ctx));
  return success();
}

/// A rule on constant strings.
template <typename Function> SpecialRule onStrings(unsigned count, Function function) {
  return [count, function](RuleContext &ctx, Results &results) -> LogicalResult {
    SmallVector<StringRef> strings;
    for (unsigned i = 0; i < count; ++i)
      strings.push_back(ctx.constantString(i));
    if (ctx.failed())
      return failure();
    results.push_back(function(ctx, ArrayRef<StringRef>(strings)));
    return ctx.failed() ? failure() : success();
  };
}

LogicalResult join(RuleContext &ctx, Results &results) {
  auto isText = [](const SpecValue &value) {
    return value.is(ValueKind::String) || value.is(ValueKind::Text);
  };
  const SpecValue &list = ctx.operand(1);
  if (!isText(ctx.operand(0)) || !list.is(ValueKind::List) || isBoxed(ctx.getWalker(), list))
    return ctx.fail("expected a string and a list of strings of known length");
  Text text;
  for (auto [index, element] : llvm::enumerate(ctx.elements(list))) {
    if (!isText(element))
      return ctx.fail("expected a list of strings");
    if (index)
      print(ctx, text, ctx.operand(0));
    print(ctx, text, element);
  }
  if (ctx.failed())
    return failure();
  results.push_back(text.get(ctx));
  return success();
}

LogicalResult getItem(RuleContext &ctx, Results &results) {
  StringRef text = ctx.constantString(0);
  int64_t index = ctx.constantInt(1), size = text.size();
  if (ctx.failed())
    return failure();
  if (index < -size || index >= size)
    return ctx.raise("string index out of range");
  results.push_back(ctx.makeString(text.substr(index < 0 ? index + size : index, 1)));
  return success();
}

} // namespace

LogicalResult Walker::step(PrintOp op) {
  SmallVector<SpecValue> operands =
      llvm::map_to_vector(op->getOperands(), [&](Value operand) { return get(operand); });
  RuleContext ctx(*this, b, locOf(op), "print", operands, {});
  Text text;
  for (auto [index, operand] : llvm::enumerate(operands)) {
    if (index)
      text.add(" ");
    print(ctx, text, operand);
  }
  text.add("\n");
  if (ctx.failed())
    return failure();
  if (llvm::any_of(text.pieces, [](const std::string &s) { return s.find('\0') != s.npos; }))
    return ctx.fail("a text with a character 0 is not supported");
  rt::BoxPrintOp::create(b, ctx.loc, text.piecesAttribute(ctx), text.values(ctx));
  return success();
}

void specialize::registerStringRules(RuleRegistry &registry) {
  registry.special("format", format);
  registry.special("percentFormat", percentFormat);
  registry.special("str", stringOf);
  registry.special("prim::str", stringOf);
  registry.special("add.str", concat);
  registry.special("join", join);
  registry.special("__getitem__.str", getItem);
  using Strings = ArrayRef<StringRef>;
  registry.special("eq.str", onStrings(2, [](RuleContext &ctx, Strings s) {
                     return ctx.makeBool(s[0] == s[1]);
                   }));
  registry.special("ne.str", onStrings(2, [](RuleContext &ctx, Strings s) {
                     return ctx.makeBool(s[0] != s[1]);
                   }));
  registry.special("eq.device", onStrings(2, [](RuleContext &ctx, Strings s) {
                     return ctx.makeBool(s[0] == s[1]);
                   }));
  registry.special("ne.device", onStrings(2, [](RuleContext &ctx, Strings s) {
                     return ctx.makeBool(s[0] != s[1]);
                   }));
  registry.special("len.str", onStrings(1, [](RuleContext &ctx, Strings s) {
                     return ctx.makeInt(static_cast<int64_t>(s[0].size()));
                   }));
  registry.special("lower", onStrings(1, [](RuleContext &ctx, Strings s) {
                     return ctx.makeString(s[0].lower());
                   }));
  registry.special("upper", onStrings(1, [](RuleContext &ctx, Strings s) {
                     return ctx.makeString(s[0].upper());
                   }));
}
