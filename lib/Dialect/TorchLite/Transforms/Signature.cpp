//===- Signature.cpp - Entry signatures -----------------------------------===//
#include "TorchLite/Dialect/TorchLite/Transforms/Signature.h"

#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace torchlite::tl;

namespace {

class Parser {
public:
  Parser(MLIRContext *context, StringRef text, std::string &error)
      : b(context), text(text), error(error) {}

  FailureOr<MethodSignature> signature() {
    MethodSignature result;
    skipSpace();
    size_t begin = at;
    while (at < text.size() && (llvm::isAlnum(text[at]) || text[at] == '_'))
      ++at;
    result.method = text.slice(begin, at).str();
    if (result.method.empty())
      return fail("expected the name of a method");
    if (!take('('))
      return fail("expected '(' after the method's name");
    FailureOr<SmallVector<Attribute>> arguments = list(')');
    if (failed(arguments))
      return failure();
    result.arguments = std::move(*arguments);
    if (failed(finish()))
      return failure();
    return result;
  }

  FailureOr<Attribute> onlyType() {
    FailureOr<Attribute> result = type();
    if (failed(result) || failed(finish()))
      return failure();
    return result;
  }

private:
  LogicalResult fail(const Twine &message) {
    if (error.empty())
      error = ("'" + text + "': " + message + " at position " + Twine(at + 1)).str();
    return failure();
  }
  void skipSpace() {
    while (at < text.size() && llvm::isSpace(text[at]))
      ++at;
  }
  bool take(char c) {
    skipSpace();
    if (at >= text.size() || text[at] != c)
      return false;
    ++at;
    return true;
  }
  LogicalResult finish() {
    skipSpace();
    return at == text.size() ? success() : fail("expected the end");
  }

  /// Types up to the closing bracket; a trailing comma is allowed.
  FailureOr<SmallVector<Attribute>> list(char close) {
    SmallVector<Attribute> elements;
    while (!take(close)) {
      if (!elements.empty()) {
        if (!take(','))
          return fail(Twine("expected ',' or '") + Twine(close) + "'");
        if (take(close))
          break;
      }
      FailureOr<Attribute> element = type();
      if (failed(element))
        return failure();
      elements.push_back(*element);
    }
    return elements;
  }

  FailureOr<StringRef> quoted() {
    size_t end = text.find('"', at);
    if (end == StringRef::npos)
      return fail("expected '\"' to end the string");
    StringRef content = text.slice(at, end);
    at = end + 1;
    return content;
  }

  Attribute named(StringRef name, ArrayRef<Attribute> elements) {
    return b.getDictionaryAttr(b.getNamedAttr(name, b.getArrayAttr(elements)));
  }

  FailureOr<Attribute> type() {
    if (depth == kMaxDepth)
      return fail("types are nested more than " + Twine(kMaxDepth) + " deep");
    ++depth;
    FailureOr<Attribute> result = oneType();
    --depth;
    return result;
  }

  FailureOr<Attribute> oneType() {
    for (auto [open, close, name] : {std::tuple('[', ']', "list"), std::tuple('(', ')', "tuple")})
      if (take(open)) {
        FailureOr<SmallVector<Attribute>> elements = list(close);
        if (failed(elements))
          return failure();
        return named(name, *elements);
      }
    if (take('{')) {
      SmallVector<Attribute> entries;
      while (!take('}')) {
        if (!entries.empty() && !take(','))
          return fail("expected ',' or '}'");
        FailureOr<Attribute> key = type();
        if (failed(key))
          return failure();
        if (!isa<StringAttr, IntegerAttr, FloatAttr>(*key))
          return fail("expected a string or number as key");
        if (!take(':'))
          return fail("expected ':' after the key");
        FailureOr<Attribute> value = type();
        if (failed(value))
          return failure();
        entries.push_back(b.getArrayAttr({*key, *value}));
      }
      return named("dict", entries);
    }
    if (take('"')) {
      FailureOr<StringRef> content = quoted();
      if (failed(content))
        return failure();
      return Attribute(b.getStringAttr(*content));
    }
    return word();
  }

  FailureOr<Attribute> word() {
    skipSpace();
    size_t begin = at;
    while (at < text.size() && (llvm::isAlnum(text[at]) || StringRef("?_.+-").contains(text[at])))
      ++at;
    StringRef word = text.slice(begin, at);
    if (word == "int")
      return Attribute(TypeAttr::get(b.getI64Type()));
    if (word == "float")
      return Attribute(TypeAttr::get(b.getF64Type()));
    if (word == "bool")
      return Attribute(TypeAttr::get(b.getI1Type()));
    if (word == "none" || word == "None")
      return Attribute(NoneAttr::get(b.getContext()));
    if (word == "true" || word == "True" || word == "false" || word == "False")
      return Attribute(b.getBoolAttr(word.lower() == "true"));
    if (word == "str") {
      at = begin;
      return fail("a string is part of the program: give its value, in quotes,");
    }
    int64_t integer;
    if (!word.getAsInteger(10, integer))
      return Attribute(b.getI64IntegerAttr(integer));
    double number;
    if (!word.empty() && (llvm::isDigit(word.front()) || StringRef("+-.").contains(word.front())) &&
        !word.contains('x') && !word.getAsDouble(number))
      return Attribute(b.getF64FloatAttr(number));

    // A tensor: sizes and an element type, separated by 'x'.
    SmallVector<int64_t> sizes;
    StringRef rest = word;
    while (!rest.empty() && (llvm::isDigit(rest.front()) || rest.front() == '?')) {
      int64_t size = ShapedType::kDynamic;
      if (!rest.consume_front("?") && rest.consumeInteger(10, size)) {
        at = begin;
        return fail("expected a size that fits 64 bits");
      }
      sizes.push_back(size);
      if (!rest.consume_front("x")) {
        at = text.size() - (text.size() - begin) + (word.size() - rest.size());
        return fail("expected 'x' and an element type after the size");
      }
    }
    Type element = llvm::StringSwitch<Type>(rest)
                       .Case("f16", b.getF16Type())
                       .Case("bf16", b.getBF16Type())
                       .Case("f32", b.getF32Type())
                       .Case("f64", b.getF64Type())
                       .Case("i8", b.getI8Type())
                       .Case("ui8", b.getIntegerType(8, /*isSigned=*/false))
                       .Case("i16", b.getI16Type())
                       .Case("i32", b.getI32Type())
                       .Case("i64", b.getI64Type())
                       .Case("i1", b.getI1Type())
                       .Case("complex64", ComplexType::get(b.getF32Type()))
                       .Case("complex128", ComplexType::get(b.getF64Type()))
                       .Default(Type());
    if (!element) {
      at = begin + (word.size() - rest.size());
      return fail("expected a type such as 1x3x?xf32, int, float, bool, none, a value, or a list, "
                  "tuple or dict of these, but got '" +
                  rest + "'");
    }
    return Attribute(TypeAttr::get(RankedTensorType::get(sizes, element)));
  }

  Builder b;
  StringRef text;
  std::string &error;
  size_t at = 0;
  /// As many as a value on tl-run's command line may have.
  static constexpr unsigned kMaxDepth = 200;
  unsigned depth = 0;
};

} // namespace

FailureOr<MethodSignature> torchlite::tl::parseSignature(MLIRContext *context, StringRef text,
                                                         std::string &error) {
  return Parser(context, text, error).signature();
}

FailureOr<Attribute> torchlite::tl::parseSignatureType(MLIRContext *context, StringRef text,
                                                       std::string &error) {
  return Parser(context, text, error).onlyType();
}

/// Reads back as the same float.
static std::string printNumber(const llvm::APFloat &number) {
  if (number.isInfinity())
    return number.isNegative() ? "-1e999" : "1e999";
  SmallString<32> text;
  number.toString(text);
  return (text + (text.find_first_of(".EN") == StringRef::npos ? ".0" : "")).str();
}

std::string torchlite::tl::printStructure(Attribute structure) {
  std::string out;
  llvm::raw_string_ostream os(out);
  auto elements = [&](Attribute array) {
    llvm::interleaveComma(cast<ArrayAttr>(array), os,
                          [&](Attribute element) { os << printStructure(element); });
  };
  if (auto type = dyn_cast<TypeAttr>(structure)) {
    auto tensor = dyn_cast<RankedTensorType>(type.getValue());
    if (!tensor) {
      os << (type.getValue().isF64() ? "float" : type.getValue().isInteger(1) ? "bool" : "int");
    } else {
      for (int64_t size : tensor.getShape())
        (size == ShapedType::kDynamic ? os << "?" : os << size) << "x";
      if (auto complex = dyn_cast<ComplexType>(tensor.getElementType()))
        os << (complex.getElementType().isF32() ? "complex64" : "complex128");
      else
        os << tensor.getElementType();
    }
  } else if (isa<NoneAttr>(structure)) {
    os << "none";
  } else if (auto boolean = dyn_cast<BoolAttr>(structure)) {
    os << (boolean.getValue() ? "true" : "false");
  } else if (auto integer = dyn_cast<IntegerAttr>(structure)) {
    os << integer.getInt();
  } else if (auto number = dyn_cast<FloatAttr>(structure)) {
    os << printNumber(number.getValue());
  } else if (auto dictionary = dyn_cast<DictionaryAttr>(structure)) {
    if (Attribute list = dictionary.get("list")) {
      os << "[";
      elements(list);
      os << "]";
    } else if (Attribute item = dictionary.get("list_of")) {
      os << "[";
      elements(item);
      os << ", ...]";
    } else if (Attribute tuple = dictionary.get("tuple")) {
      os << "(";
      elements(tuple);
      os << ")";
    } else if (auto dict = dyn_cast_if_present<ArrayAttr>(dictionary.get("dict"))) {
      os << "{";
      llvm::interleaveComma(dict, os, [&](Attribute entry) {
        auto pair = cast<ArrayAttr>(entry);
        os << printStructure(pair[0]) << ": " << printStructure(pair[1]);
      });
      os << "}";
    }
  } else {
    os << structure;
  }
  return out;
}
