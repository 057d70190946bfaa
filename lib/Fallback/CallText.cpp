//===- CallText.cpp - What a call of an operator says ---------------------===//
#include "CallText.h"

#include <cstring>
#include <sstream>
#include <stdexcept>

namespace torchlite::fallback {

static std::string fromHex(std::string_view digits) {
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  return bytes;
}

/// `<element type>/<rank>` or `<element type>:<size>,<size>`.
static void parseTensor(const std::string &text, Entry &entry) {
  size_t end = 0;
  entry.elementType = std::stoi(text, &end);
  if (text[end] == '/') {
    entry.rank = std::stoi(text.substr(end + 1));
    return;
  }
  std::istringstream sizes(text.substr(end + 1));
  for (std::string size; std::getline(sizes, size, ',');)
    entry.sizes.push_back(size == "?" ? -1 : std::stoll(size));
  entry.rank = static_cast<int>(entry.sizes.size());
}

static Entry parseEntry(const std::string &token) {
  using Kind = Entry::Kind;
  Entry entry;
  std::string rest = token.substr(1);
  switch (token[0]) {
  case 'T':
  case 'W':
    entry.kind = token[0] == 'T' ? Kind::Tensor : Kind::NumberTensor;
    parseTensor(rest, entry);
    break;
  case 'i':
    entry.kind = Kind::Int;
    break;
  case 'f':
    entry.kind = Kind::Float;
    break;
  case 'b':
    entry.kind = Kind::Bool;
    break;
  case 'n':
    break;
  case 'x':
    entry.kind = Kind::Argument;
    break;
  case 'I':
    entry.kind = Kind::ConstantInt;
    entry.integer = std::stoll(rest);
    break;
  case 'F': {
    entry.kind = Kind::ConstantFloat;
    uint64_t bits = std::stoull(rest, nullptr, 16);
    memcpy(&entry.number, &bits, sizeof bits);
    break;
  }
  case 'B':
    entry.kind = Kind::ConstantBool;
    entry.integer = rest == "1";
    break;
  case 'S':
    entry.kind = Kind::ConstantString;
    entry.string = fromHex(rest);
    break;
  default:
    throw std::invalid_argument("unknown entry '" + token + "'");
  }
  return entry;
}

/// Up to the end, or to the `]` that closes a list.
static std::vector<Entry> parseEntries(std::istringstream &tokens) {
  std::vector<Entry> entries;
  for (std::string token; tokens >> token;) {
    if (token == "]")
      break;
    if (token == "[") {
      Entry list;
      list.kind = Entry::Kind::List;
      list.elements = parseEntries(tokens);
      entries.push_back(std::move(list));
    } else {
      entries.push_back(parseEntry(token));
    }
  }
  return entries;
}

std::vector<Entry> parseEntries(std::string_view text) {
  std::istringstream tokens{std::string(text)};
  return parseEntries(tokens);
}

CallText parseCall(std::string_view text) {
  std::vector<std::string> parts;
  std::istringstream stream{std::string(text)};
  for (std::string part; std::getline(stream, part, '|');)
    parts.push_back(part);
  parts.resize(5); // nothing behind the last bar is no part
  CallText call;
  size_t dot = parts[0].find('.');
  call.name = parts[0].substr(0, dot);
  if (dot != std::string::npos)
    call.overload = parts[0].substr(dot + 1);
  call.arguments = parseEntries(parts[1]);
  call.results = parseEntries(parts[2]);
  std::istringstream writes(parts[3]);
  for (size_t operand; writes >> operand;)
    call.writes.push_back(operand);
  call.mayAlias = parts[4] == "a";
  return call;
}

} // namespace torchlite::fallback
