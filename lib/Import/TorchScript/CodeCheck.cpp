//===- CodeCheck.cpp - Is an archive's code nested too deeply? ------------===//
//
// LibTorch parses and compiles by recursion, without a limit: code that is nested deeply enough
// overflows its stack. What `torch.jit.save` writes keeps expressions short, a statement for each.
//
//===----------------------------------------------------------------------===//
#include "ArchiveCheck.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace torchlite::import;

namespace {
/// Reads code token by token. The length of a branch of the syntax tree is bounded by the tokens
/// that stand before its end in the same element of each bracket that is open.
class NestingReader {
public:
  explicit NestingReader(StringRef code) : code(code) {}

  /// The line where a limit is exceeded, or 0.
  unsigned findExcess() {
    while (position < code.size()) {
      // A line of spaces may be the last.
      bool isWithin = isLineStart ? readIndentation() : readToken();
      if (!isWithin)
        return line;
    }
    return 0;
  }

private:
  /// Of a line that is not empty; nothing for one inside of brackets.
  bool readIndentation() {
    isLineStart = false;
    size_t end = code.find_first_not_of(" \t\r", position);
    size_t width = (end == StringRef::npos ? code.size() : end) - position;
    position += width;
    if (open.size() != 1 || position == code.size() || code[position] == '\n' ||
        code[position] == '#')
      return true;
    while (indentations.back() > width)
      indentations.pop_back();
    if (indentations.back() < width)
      indentations.push_back(width);
    return indentations.size() <= kMaxBlocks;
  }

  bool readToken() {
    char c = code[position];
    if (c == '\n') {
      ++line;
      ++position;
      isLineStart = true;
      if (open.size() == 1)
        total = open.back() = 0;
      return true;
    }
    if (c == '#') {
      position = std::min(code.find('\n', position), code.size());
      return true;
    }
    if (c == ' ' || c == '\t' || c == '\r') {
      ++position;
      return true;
    }
    if (c == '"' || c == '\'')
      skipString(c);
    else if (isAlnum(c) || c == '_')
      position = std::min(code.find_if_not([](char c) { return isAlnum(c) || c == '_'; }, position),
                          code.size());
    else
      ++position;
    return count(c);
  }

  bool count(char c) {
    if (c == '(' || c == '[' || c == '{') {
      open.push_back(0);
    } else if ((c == ')' || c == ']' || c == '}') && open.size() > 1) {
      total -= open.pop_back_val();
      return true; // The opening one was counted.
    } else if (c == ',' && open.size() > 1) {
      total -= open.back();
      open.back() = 0;
      return true;
    }
    // An opening bracket counts where it stands, so that `f()()()` is long, too.
    ++open[c == '(' || c == '[' || c == '{' ? open.size() - 2 : open.size() - 1];
    return ++total <= kMaxExpression;
  }

  void skipString(char quote) {
    char triple[] = {quote, quote, quote};
    StringRef end = code.substr(position).starts_with(StringRef(triple, 3)) ? StringRef(triple, 3)
                                                                            : StringRef(triple, 1);
    position += end.size();
    while (position < code.size() && !code.substr(position).starts_with(end)) {
      line += code[position] == '\n';
      position += code[position] == '\\' ? 2 : 1;
    }
    position = std::min(position + end.size(), code.size());
  }

  StringRef code;
  size_t position = 0;
  unsigned line = 1;
  bool isLineStart = true;
  SmallVector<size_t> indentations{0};
  /// For each bracket that is open, the tokens of its element so far; first, of the statement.
  SmallVector<unsigned> open{0};
  unsigned total = 0;
};
} // namespace

Error torchlite::import::checkCode(StringRef code, StringRef name) {
  if (unsigned line = NestingReader(code).findExcess())
    return createStringError(inconvertibleErrorCode(),
                             "its code is nested too deeply: " + name + ":" + Twine(line) +
                                 " has more than " + Twine(kMaxBlocks) +
                                 " blocks or an expression of more than " + Twine(kMaxExpression) +
                                 " parts");
  return Error::success();
}
