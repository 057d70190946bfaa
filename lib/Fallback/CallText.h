//===- CallText.h - What a call of an operator says -------------*- C++ -*-===//
//
// Reads the text of runtime/include/TorchLite/Runtime/Fallback.h. Needs neither LibTorch nor LLVM.
//
//===----------------------------------------------------------------------===//
#ifndef TORCHLITE_LIB_FALLBACK_CALLTEXT_H
#define TORCHLITE_LIB_FALLBACK_CALLTEXT_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace torchlite::fallback {

/// One argument or result.
struct Entry {
  enum class Kind {
    Tensor,       ///< an operand or result
    NumberTensor, ///< a 0-dim operand that counts as a number
    Int,          ///< an operand or result
    Float,
    Bool,
    None,
    ConstantInt,
    ConstantFloat,
    ConstantBool,
    ConstantString,
    List,
    Argument, ///< a result that is an argument itself
  };
  Kind kind = Kind::None;
  int elementType = 0; ///< of tensors
  int rank = 0;
  std::vector<int64_t> sizes; ///< of results; -1: not known
  int64_t integer = 0;        ///< of constants
  double number = 0;
  std::string string;
  std::vector<Entry> elements;
};

struct CallText {
  std::string name, overload;
  std::vector<Entry> arguments, results;
  std::vector<size_t> writes;
  bool mayAlias = false;
};

/// Throws std::invalid_argument where the text is none.
CallText parseCall(std::string_view text);
/// Arguments or results alone.
std::vector<Entry> parseEntries(std::string_view text);

} // namespace torchlite::fallback

#endif // TORCHLITE_LIB_FALLBACK_CALLTEXT_H
