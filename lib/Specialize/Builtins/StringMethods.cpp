//===- StringMethods.cpp - Methods of strings -----------------------------===//
//
// Of strings that are known at compile time, as TorchScript has them: bytes, of which only ASCII's
// letters have a case. Where TorchScript differs from Python (a range of positions, splitlines of
// "\r\n", zfill of a sign), a rule does as TorchScript does, or refuses.
//
//===----------------------------------------------------------------------===//
#include "../Interpreter/Walker.h"
#include "TorchLite/Specialize/Rules.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace torchlite::tl;
using namespace torchlite::tl::specialize;

namespace {

using Results = SmallVectorImpl<SpecValue>;
using Texts = std::vector<std::string>;

//===----------------------------------------------------------------------===//
// Characters
//===----------------------------------------------------------------------===//

bool isSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool isUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool isLower(char c) { return c >= 'a' && c <= 'z'; }
bool isPrintable(char c) { return c >= ' ' && c <= '~'; }

/// Whether there are characters, and all of them are of a kind.
template <bool (*is)(char)> bool areAll(StringRef text) {
  return !text.empty() && llvm::all_of(text, is);
}

/// Whether there are letters, and all of them have a case.
template <bool (*is)(char)> bool haveCase(StringRef text) {
  return llvm::any_of(text, llvm::isAlpha) &&
         llvm::all_of(text, [](char c) { return !llvm::isAlpha(c) || is(c); });
}

bool isPrintableText(StringRef text) { return llvm::all_of(text, isPrintable); }

/// Upper case behind what is no letter, lower case behind letters.
bool isTitle(StringRef text) {
  bool isInside = false;
  for (char c : text) {
    if (llvm::isAlpha(c) && isUpper(c) == isInside)
      return false;
    isInside = llvm::isAlpha(c);
  }
  return llvm::any_of(text, llvm::isAlpha);
}

std::string title(StringRef text) {
  std::string result;
  bool isInside = false;
  for (char c : text) {
    result += isInside ? llvm::toLower(c) : llvm::toUpper(c);
    isInside = llvm::isAlpha(c);
  }
  return result;
}

std::string capitalize(StringRef text) {
  std::string result = text.lower();
  if (!result.empty())
    result[0] = llvm::toUpper(result[0]);
  return result;
}

std::string swapCase(StringRef text) {
  std::string result;
  for (char c : text)
    result += isUpper(c) ? llvm::toLower(c) : llvm::toUpper(c);
  return result;
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

/// At runs of white space.
Texts words(StringRef text) {
  Texts parts;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && !isSpace(text[end]))
      ++end;
    if (end > i)
      parts.push_back(text.slice(i, end).str());
    i = end + 1;
  }
  return parts;
}

Texts split(StringRef text, StringRef separator, int64_t most) {
  Texts parts;
  for (;;) {
    size_t at = text.find(separator);
    if (at == StringRef::npos || (most >= 0 && static_cast<int64_t>(parts.size()) == most))
      break;
    parts.push_back(text.take_front(at).str());
    text = text.drop_front(at + separator.size());
  }
  parts.push_back(text.str());
  return parts;
}

Texts splitFromBehind(StringRef text, StringRef separator, int64_t most) {
  Texts parts;
  for (;;) {
    size_t at = text.rfind(separator);
    if (at == StringRef::npos || (most >= 0 && static_cast<int64_t>(parts.size()) == most))
      break;
    parts.push_back(text.drop_front(at + separator.size()).str());
    text = text.take_front(at);
  }
  parts.push_back(text.str());
  return Texts(parts.rbegin(), parts.rend());
}

std::string replaced(StringRef text, StringRef from, StringRef to, int64_t most) {
  return llvm::join(split(text, from, most), to);
}

std::string expandTabs(StringRef text, int64_t size) {
  std::string result;
  int64_t column = 0;
  for (char c : text) {
    int64_t spaces = size > 0 ? size - column % size : 0;
    if (c == '\t')
      result.append(spaces, ' ');
    else
      result += c;
    column = c == '\n' || c == '\r' ? 0 : column + (c == '\t' ? spaces : 1);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

SpecValue listOf(RuleContext &ctx, const Texts &parts) {
  std::vector<SpecValue> elements;
  for (const std::string &part : parts)
    elements.push_back(ctx.makeString(part));
  return ctx.getWalker().newList(std::move(elements), StringType::get(ctx.context()));
}

/// A rule that makes a value of a constant string and of other constants.
template <typename Function> SpecialRule method(Function function) {
  return [function](RuleContext &ctx, Results &results) -> LogicalResult {
    StringRef self = ctx.constantString(0);
    if (ctx.failed())
      return failure();
    SpecValue result = function(ctx, self);
    if (ctx.failed())
      return failure();
    results.push_back(std::move(result));
    return success();
  };
}

template <bool (*is)(StringRef)> SpecialRule question() {
  return method([](RuleContext &ctx, StringRef self) { return ctx.makeBool(is(self)); });
}

template <std::string (*change)(StringRef)> SpecialRule changed() {
  return method([](RuleContext &ctx, StringRef self) { return ctx.makeString(change(self)); });
}

/// What a string is searched for; the rule fails for a range of positions.
StringRef needle(RuleContext &ctx) {
  StringRef text = ctx.constantString(1);
  if (!ctx.failed() && (ctx.constantInt(2) != 0 || ctx.constantInt(3) != -1) && !ctx.failed())
    (void)ctx.fail(ctx.name() + " in a range of positions is not supported");
  return text;
}

/// find, rfind, index, rindex.
template <bool fromBehind, bool raises> SpecValue find(RuleContext &ctx, StringRef self) {
  StringRef text = needle(ctx);
  size_t at = fromBehind ? self.rfind(text) : self.find(text);
  if (at == StringRef::npos && raises)
    (void)ctx.raise("ValueError: substring not found");
  return ctx.makeInt(at == StringRef::npos ? -1 : static_cast<int64_t>(at));
}

SpecValue count(RuleContext &ctx, StringRef self) {
  StringRef text = needle(ctx);
  if (!ctx.failed() && text.empty())
    (void)ctx.fail("count of an empty string is not supported");
  return ctx.makeInt(ctx.failed() ? 0 : static_cast<int64_t>(self.count(text)));
}

template <bool left, bool right> SpecValue strip(RuleContext &ctx, StringRef self) {
  StringRef chars = ctx.constantString(1);
  if (left)
    self = self.ltrim(chars);
  return ctx.makeString(right ? self.rtrim(chars) : self);
}

/// split, rsplit (self, separator?, max).
template <bool fromBehind> SpecValue splitRule(RuleContext &ctx, StringRef self) {
  bool isWords = ctx.isNone(1);
  StringRef separator = isWords ? "" : ctx.constantString(1);
  int64_t most = ctx.constantInt(2);
  if (!ctx.failed() && isWords && most != -1)
    (void)ctx.fail("split at white space, a number of times, is not supported");
  if (!ctx.failed() && !isWords && separator.empty())
    (void)(fromBehind ? ctx.fail("rsplit at an empty string is not supported")
                      : ctx.raise("ValueError: empty separator"));
  if (ctx.failed())
    return SpecValue::unknown();
  return listOf(ctx, isWords      ? words(self)
                     : fromBehind ? splitFromBehind(self, separator, most)
                                  : split(self, separator, most));
}

/// What is in front of a separator, it, and what is behind it.
template <bool fromBehind> SpecValue partition(RuleContext &ctx, StringRef self) {
  StringRef separator = ctx.constantString(1);
  if (!ctx.failed() && separator.empty())
    (void)ctx.fail("partition at an empty string is not supported");
  size_t at = fromBehind ? self.rfind(separator) : self.find(separator);
  StringRef before = self.take_front(at), behind;
  if (at == StringRef::npos) {
    separator = "";
    if (fromBehind)
      std::swap(before, behind);
  } else {
    behind = self.drop_front(at + separator.size());
  }
  return SpecValue::tuple(
      {ctx.makeString(before), ctx.makeString(separator), ctx.makeString(behind)});
}

SpecValue splitLines(RuleContext &ctx, StringRef self) {
  if (ctx.constantBool(1))
    (void)ctx.fail("splitlines that keeps the line breaks is not supported");
  Texts lines;
  while (!self.empty()) {
    size_t at = self.find_first_of("\n\r\v\f\x1c\x1d\x1e");
    lines.push_back(self.take_front(at).str());
    self = at == StringRef::npos ? "" : self.drop_front(at + 1);
  }
  return listOf(ctx, lines);
}

SpecValue replace(RuleContext &ctx, StringRef self) {
  StringRef from = ctx.constantString(1), to = ctx.constantString(2);
  int64_t most = ctx.constantInt(3);
  if (!ctx.failed() && from.empty())
    (void)ctx.fail("replacing an empty string is not supported");
  return ctx.failed() ? SpecValue::unknown() : ctx.makeString(replaced(self, from, to, most));
}

/// ljust ('l'), rjust ('r'), center ('c') (self, width, fill).
template <char where> SpecValue justify(RuleContext &ctx, StringRef self) {
  int64_t width = ctx.constantInt(1);
  StringRef fill = ctx.constantString(2);
  if (!ctx.failed() && fill.size() != 1)
    (void)ctx.raise("TypeError: The fill character must be exactly one character long");
  int64_t missing = width - static_cast<int64_t>(self.size());
  if (ctx.failed() || missing <= 0)
    return ctx.makeString(self);
  int64_t left = where == 'l' ? 0 : where == 'r' ? missing : (missing + width % 2) / 2;
  return ctx.makeString(std::string(left, fill[0]) + self.str() +
                        std::string(missing - left, fill[0]));
}

SpecValue zeroFill(RuleContext &ctx, StringRef self) {
  int64_t missing = ctx.constantInt(1) - static_cast<int64_t>(self.size());
  return ctx.makeString(std::string(std::max<int64_t>(missing, 0), '0') + self.str());
}

/// slice.str(string, start?, end?, step).
SpecValue slice(RuleContext &ctx, StringRef self) {
  int64_t size = self.size(), step = ctx.constantInt(3);
  if (!ctx.failed() && step < 1)
    (void)ctx.fail("a slice of a string with a step below 1 is not supported");
  auto bound = [&](unsigned i, int64_t otherwise) {
    int64_t at = ctx.isNone(i) ? otherwise : ctx.constantInt(i);
    return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size);
  };
  int64_t start = bound(1, 0), end = bound(2, size);
  std::string result;
  for (int64_t i = start; i < end && !ctx.failed(); i += step)
    result += self[i];
  return ctx.makeString(result);
}

SpecValue characters(RuleContext &ctx, StringRef self) {
  Texts parts;
  for (char c : self)
    parts.push_back(std::string(1, c));
  return listOf(ctx, parts);
}

SpecValue ordinal(RuleContext &ctx, StringRef self) {
  if (self.size() != 1)
    (void)ctx.raise("String for ord() must be 1 character, found " + Twine(self.size()));
  return ctx.makeInt(self.empty() ? 0 : static_cast<unsigned char>(self[0]));
}

/// hex, oct, bin of an int.
template <unsigned radix> LogicalResult digits(RuleContext &ctx, Results &results) {
  int64_t value = ctx.constantInt(0);
  if (ctx.failed())
    return failure();
  SmallString<70> text;
  APInt(65, static_cast<uint64_t>(value), /*isSigned=*/true).abs().toStringUnsigned(text, radix);
  StringRef prefix = radix == 16 ? "0x" : radix == 8 ? "0o" : "0b";
  results.push_back(ctx.makeString((value < 0 ? "-" : "") + prefix.str() + text.str().lower()));
  return success();
}

LogicalResult character(RuleContext &ctx, Results &results) {
  int64_t value = ctx.constantInt(0);
  if (ctx.failed())
    return failure();
  if (value < 1 || value > 127)
    return ctx.fail("chr beyond ASCII's characters is not supported");
  results.push_back(ctx.makeString(std::string(1, static_cast<char>(value))));
  return success();
}

void registerQuestions(RuleRegistry &registry) {
  registry.special("isalnum", question<areAll<llvm::isAlnum>>());
  registry.special("isalpha", question<areAll<llvm::isAlpha>>());
  for (const char *name : {"isdecimal", "isdigit", "isnumeric"})
    registry.special(name, question<areAll<llvm::isDigit>>());
  registry.special("isspace", question<areAll<isSpace>>());
  registry.special("isupper", question<haveCase<isUpper>>());
  registry.special("islower", question<haveCase<isLower>>());
  registry.special("isprintable", question<isPrintableText>());
  registry.special("istitle", question<isTitle>());
  registry.special("startswith", method([](RuleContext &ctx, StringRef self) {
                     return ctx.makeBool(self.starts_with(needle(ctx)));
                   }));
  registry.special("endswith", method([](RuleContext &ctx, StringRef self) {
                     return ctx.makeBool(self.ends_with(needle(ctx)));
                   }));
}

} // namespace

void specialize::registerStringMethodRules(RuleRegistry &registry) {
  registerQuestions(registry);
  registry.special("title", changed<title>());
  registry.special("capitalize", changed<capitalize>());
  registry.special("swapcase", changed<swapCase>());
  registry.special("find", method(find<false, false>));
  registry.special("rfind", method(find<true, false>));
  registry.special("index.str", method(find<false, true>));
  registry.special("rindex", method(find<true, true>));
  registry.special("count", method(count));
  registry.special("strip", method(strip<true, true>));
  registry.special("lstrip", method(strip<true, false>));
  registry.special("rstrip", method(strip<false, true>));
  registry.special("split.str", method(splitRule<false>));
  registry.special("rsplit", method(splitRule<true>));
  registry.special("partition", method(partition<false>));
  registry.special("rpartition", method(partition<true>));
  registry.special("splitlines", method(splitLines));
  registry.special("replace", method(replace));
  registry.special("ljust", method(justify<'l'>));
  registry.special("rjust", method(justify<'r'>));
  registry.special("center", method(justify<'c'>));
  registry.special("zfill", method(zeroFill));
  registry.special("expandtabs", method([](RuleContext &ctx, StringRef self) {
                     return ctx.makeString(expandTabs(self, ctx.constantInt(1)));
                   }));
  registry.special("slice.str", method(slice));
  registry.special("list", method(characters));
  registry.special("ord", method(ordinal));
  registry.special("chr", character);
  registry.special("hex", digits<16>);
  registry.special("oct", digits<8>);
  registry.special("bin", digits<2>);
}
