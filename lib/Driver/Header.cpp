//===- Header.cpp - A C header for a compiled model -----------------------===//
#include "TorchLite/Driver/Header.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

namespace torchlite::driver {
using namespace mlir;

/// The C type of a parameter, and the expression that makes a tl_value of it.
static std::pair<StringRef, StringRef> parameterType(tl_kind kind) {
  switch (kind) {
  case TL_TENSOR:
    return {"DLTensor *", "tl_tensor"};
  case TL_INT:
    return {"int64_t ", "tl_int"};
  case TL_FLOAT:
    return {"double ", "tl_float"};
  case TL_BOOL:
    return {"bool ", "tl_bool"};
  case TL_STRING:
    return {"const char *", "tl_string"};
  default:
    return {"tl_value ", ""};
  }
}

/// A name that C and C++ take: Python's names may be their keywords.
static std::string parameterName(StringRef name) {
  static const StringSet<> reserved{
      "auto",     "bool",      "break",  "case",     "char",     "class",    "const",
      "continue", "default",   "delete", "do",       "double",   "else",     "enum",
      "extern",   "float",     "for",    "goto",     "if",       "inline",   "int",
      "long",     "namespace", "new",    "operator", "private",  "public",   "register",
      "restrict", "return",    "short",  "signed",   "sizeof",   "static",   "struct",
      "switch",   "template",  "this",   "typedef",  "typename", "union",    "unsigned",
      "using",    "virtual",   "void",   "volatile", "while",    "instance", "result",
      "error",    "arguments"};
  std::string safe;
  for (char c : name)
    safe.push_back(llvm::isAlnum(c) || c == '_' ? c : '_');
  if (safe.empty() || llvm::isDigit(safe[0]) || reserved.contains(safe))
    safe += "_";
  return safe;
}

/// Text for a C comment.
static std::string commentText(std::string text) {
  for (size_t at = 0; (at = text.find("*/", at)) != std::string::npos;)
    text.replace(at, 2, "* /");
  return text;
}

static void writeMethod(const Method &method, StringRef name, llvm::raw_ostream &os) {
  StringSet<> written;
  os << "\n/*";
  bool first = true;
  for (const Variant &variant : method.variants) {
    std::string line = commentText(method.format(variant));
    if (!written.insert(line).second)
      continue;
    os << (first ? " " : "\n   ") << line;
    first = false;
  }
  os << " */\n";
  // One function serves all variants: a parameter has a C type where all of them agree on it.
  size_t count = method.variants.front().arguments.size();
  for (const Variant &variant : method.variants)
    if (variant.arguments.size() != count)
      return;
  std::string parameters, values;
  for (size_t i = 0; i < count; ++i) {
    tl_kind kind = method.variants.front().arguments[i].type.kind;
    for (const Variant &variant : method.variants)
      if (variant.arguments[i].type.kind != kind)
        kind = TL_NONE;
    auto [type, make] = parameterType(kind);
    std::string parameter = parameterName(method.variants.front().arguments[i].name);
    parameters += ", " + type.str() + parameter;
    values += (i ? ", " : "") + (make.empty() ? parameter : make.str() + "(" + parameter + ")");
  }
  std::string symbol = name.str() + "_" + parameterName(method.name);
  os << "static inline tl_status " << symbol << "(tl_instance *instance" << parameters
     << ", tl_value *result, tl_error *error) {\n";
  if (count)
    os << "  tl_value arguments[] = {" << values << "};\n";
  os << "  return tl_call(instance, \"" << method.name << "\", "
     << (count ? "arguments, " : "NULL, ") << count << ", result, error);\n}\n";
}

void writeHeader(const ModelDescription &model, StringRef name, llvm::raw_ostream &os) {
  std::string guard = "TORCHLITE_MODEL_" + name.upper() + "_H";
  os << "/* The model '" << name
     << "', compiled by TorchLite. See TorchLite.h for how to call it. */\n"
     << "#ifndef " << guard << "\n#define " << guard << "\n\n#include \"TorchLite.h\"\n\n"
     << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
     << "/* The model, where its library is linked to the program. */\n"
     << "TL_API const tl_model *" << name << "_model(void);\n";
  for (const Method &method : model.methods)
    writeMethod(method, name, os);
  os << "\n#ifdef __cplusplus\n}\n#endif\n#endif /* " << guard << " */\n";
}

} // namespace torchlite::driver
