//===- PickleCheck.cpp - The values of an archive's pickles ---------------===//
//
// A pickle is a program for a stack machine (Python's `pickletools` documents it). It is run here
// without making anything but a tree of notes; work and memory are linear in its length.
//
//===----------------------------------------------------------------------===//
#include "ArchiveCheck.h"

#include "TorchLite/Dialect/TorchLite/IR/StorageView.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"

#include <vector>

using namespace llvm;
using namespace torchlite::import;

namespace {
enum class Kind { Other, Int, String, Global, Tuple, List, Dict, Object, Call, Storage };

struct Node {
  Kind kind = Kind::Other;
  int64_t number = 0;
  StringRef text; // Of a string; the name of a global or of what a call calls.
  std::vector<uint32_t> items;
};

/// Runs the pickle's instructions. LibTorch knows a part of these; what it does not know is none of
/// ours either.
class PickleMachine {
public:
  explicit PickleMachine(StringRef data) : data(data) {}

  /// Whether the pickle is well formed; then `root()` is its value.
  bool run();
  uint32_t root() const { return stack.back(); }
  uint64_t failedAt() const { return position; }

  std::vector<Node> nodes;

private:
  template <typename T> T read() {
    if (data.size() - position < sizeof(T)) {
      ok = false;
      return 0;
    }
    T value = support::endian::read<T, endianness::little>(data.data() + position);
    position += sizeof(T);
    return value;
  }
  StringRef readBytes(uint64_t size) {
    if (data.size() - position < size) {
      ok = false;
      return {};
    }
    StringRef bytes = data.substr(position, size);
    position += size;
    return bytes;
  }
  StringRef readLine() {
    size_t end = data.find('\n', position);
    if (end == StringRef::npos) {
      ok = false;
      return {};
    }
    StringRef line = data.slice(position, end);
    position = end + 1;
    return line;
  }
  uint32_t make(Kind kind, StringRef text = {}, int64_t number = 0) {
    nodes.push_back({kind, number, text, {}});
    return nodes.size() - 1;
  }
  void push(Kind kind, StringRef text = {}, int64_t number = 0) {
    stack.push_back(make(kind, text, number));
  }
  uint32_t pop() {
    // What lies below a mark belongs to somebody else.
    if (stack.size() <= (marks.empty() ? 0 : marks.back())) {
      ok = false;
      return make(Kind::Other);
    }
    return stack.pop_back_val();
  }
  std::vector<uint32_t> popMark() {
    if (marks.empty()) {
      ok = false;
      return {};
    }
    size_t mark = marks.pop_back_val();
    std::vector<uint32_t> items(stack.begin() + mark, stack.end());
    stack.resize(mark);
    return items;
  }
  void pushTuple(unsigned count) {
    std::vector<uint32_t> items(count);
    for (unsigned i = count; i-- > 0;)
      items[i] = pop();
    push(Kind::Tuple);
    nodes.back().items = std::move(items);
  }
  void pushAll(Kind kind, std::vector<uint32_t> items) {
    push(kind);
    nodes.back().items = std::move(items);
  }
  /// Adds to the container on top.
  void extend(ArrayRef<uint32_t> items, bool isDict) {
    if (stack.empty() || (isDict && items.size() % 2)) {
      ok = false;
      return;
    }
    Node &top = nodes[stack.back()];
    // A dictionary may have been made by a call of `OrderedDict`.
    ok &= isDict ? top.kind == Kind::Dict || top.kind == Kind::Call : top.kind == Kind::List;
    top.items.insert(top.items.end(), items.begin(), items.end());
  }
  void put(uint32_t index) {
    if (stack.empty())
      ok = false;
    else
      memo[index] = stack.back();
  }
  void get(uint32_t index) {
    auto it = memo.find(index);
    if (it == memo.end())
      ok = false;
    else
      stack.push_back(it->second);
  }
  void readLong(uint64_t size);
  /// A call, an object or a storage of what lies on the stack.
  void combine(char opcode);
  bool readScalar(char opcode);
  bool readContainer(char opcode);

  StringRef data;
  uint64_t position = 0;
  bool ok = true;
  SmallVector<uint32_t> stack;
  SmallVector<size_t> marks;
  DenseMap<uint64_t, uint32_t> memo;
};
} // namespace

void PickleMachine::readLong(uint64_t size) {
  StringRef bytes = readBytes(size);
  if (bytes.size() > 8)
    return push(Kind::Other);
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;)
    value = value << 8 | uint8_t(bytes[i]);
  unsigned unused = 64 - 8 * bytes.size();
  push(Kind::Int, {}, unused == 64 ? 0 : int64_t(value << unused) >> unused);
}

void PickleMachine::combine(char opcode) {
  uint32_t last = pop();
  if (opcode == 'Q') {
    ok &= nodes[last].kind == Kind::Tuple;
    std::vector<uint32_t> items = nodes[last].items;
    return pushAll(Kind::Storage, std::move(items));
  }
  uint32_t callee = pop();
  if (opcode == 'b') { // BUILD: the state of an object.
    nodes[callee].items.push_back(last);
    ok &= nodes[callee].kind == Kind::Object || nodes[callee].kind == Kind::Call;
    stack.push_back(callee);
    return;
  }
  StringRef text = nodes[callee].text;
  ok &= nodes[callee].kind == Kind::Global;
  // The argument of an enumeration is its value.
  bool isTuple = nodes[last].kind == Kind::Tuple;
  std::vector<uint32_t> items = isTuple ? nodes[last].items : std::vector<uint32_t>{last};
  pushAll(opcode == 'R' ? Kind::Call : Kind::Object, std::move(items));
  nodes.back().text = text;
}

bool PickleMachine::readScalar(char opcode) {
  switch (opcode) {
  case 'K':
    push(Kind::Int, {}, read<uint8_t>());
    return true;
  case 'M':
    push(Kind::Int, {}, read<uint16_t>());
    return true;
  case 'J':
    push(Kind::Int, {}, read<int32_t>());
    return true;
  case '\x8a':
    readLong(read<uint8_t>());
    return true;
  case 'G':
    readBytes(8);
    push(Kind::Other);
    return true;
  case 'N':
  case '\x88':
  case '\x89':
    push(Kind::Other);
    return true;
  case 'X':
    push(Kind::String, readBytes(read<uint32_t>()));
    return true;
  case '\x8d':
    push(Kind::String, readBytes(read<uint64_t>()));
    return true;
  case 'c': {
    readLine();
    push(Kind::Global, readLine());
    return true;
  }
  default:
    return false;
  }
}

bool PickleMachine::readContainer(char opcode) {
  switch (opcode) {
  case ']':
    push(Kind::List);
    return true;
  case '}':
    push(Kind::Dict);
    return true;
  case ')':
    push(Kind::Tuple);
    return true;
  case '(':
    marks.push_back(stack.size());
    return true;
  case 't':
    pushAll(Kind::Tuple, popMark());
    return true;
  case 'l':
    pushAll(Kind::List, popMark());
    return true;
  case '\x85':
  case '\x86':
  case '\x87':
    pushTuple(uint8_t(opcode) - 0x84);
    return true;
  case 'e':
    extend(popMark(), /*isDict=*/false);
    return true;
  case 'a':
    extend({pop()}, /*isDict=*/false);
    return true;
  case 'u':
    extend(popMark(), /*isDict=*/true);
    return true;
  case 's': {
    uint32_t value = pop(), key = pop();
    extend({key, value}, /*isDict=*/true);
    return true;
  }
  default:
    return false;
  }
}

bool PickleMachine::run() {
  while (ok && position < data.size()) {
    char opcode = data[position++];
    switch (opcode) {
    case '\x80':
      read<uint8_t>();
      break;
    case 'q':
      put(read<uint8_t>());
      break;
    case 'r':
      put(read<uint32_t>());
      break;
    case 'h':
      get(read<uint8_t>());
      break;
    case 'j':
      get(read<uint32_t>());
      break;
    case 'R':
    case 'Q':
    case 'b':
    case '\x81':
      combine(opcode);
      break;
    case '.':
      return ok && stack.size() == 1 && marks.empty();
    default:
      ok &= readScalar(opcode) || readContainer(opcode);
    }
  }
  return false;
}

/// Bytes of an element of the storage class; 0: there is none of this name.
static unsigned elementBytes(StringRef storageClass) {
  if (!storageClass.consume_back("Storage"))
    return 0;
  if (storageClass.starts_with("Float8_"))
    return 1;
  return StringSwitch<unsigned>(storageClass)
      .Cases({"Char", "Byte", "Bool", "QInt8", "QUInt8", "QUInt4x2", "QUInt2x4", "Bits8",
              "Float4_e2m1fn_x2", "Untyped", "Bits1x8", "Bits2x4", "Bits4x2"},
             1)
      .Cases({"Half", "BFloat16", "Short", "UInt16", "Bits16"}, 2)
      .Cases({"Float", "Int", "UInt32", "QInt32", "ComplexHalf"}, 4)
      .Cases({"Double", "Long", "UInt64", "ComplexFloat"}, 8)
      .Case("ComplexDouble", 16)
      .Default(0);
}

namespace {
/// Walks the values without recursion and compares what they claim.
class ValueChecker {
public:
  ValueChecker(const std::vector<Node> &nodes, RecordSize recordSize, uint64_t maxValues,
               bool isDebug)
      : nodes(nodes), recordSize(recordSize), maxValues(maxValues), isDebug(isDebug),
        heights(nodes.size()), counts(nodes.size()), states(nodes.size()) {}

  Error checkAll(uint32_t root) {
    if (Error error = check(root))
      return error;
    // LibTorch makes what is dropped, too.
    for (uint32_t i = 0; i != nodes.size(); ++i)
      if (states[i] == State::New)
        if (Error error = check(i))
          return error;
    return Error::success();
  }

private:
  enum class State : char { New, Open, Done };
  struct Frame {
    uint32_t node;
    size_t next = 0;
  };

  Error fault(const Twine &message) {
    return createStringError(inconvertibleErrorCode(), "'" + path() + "': " + message);
  }
  std::string path() const {
    SmallVector<std::string> parts;
    for (const Frame &frame : frames) {
      const Node &node = nodes[frame.node];
      if (frame.next == 0 || node.kind == Kind::Object || node.kind == Kind::Call)
        continue;
      size_t index = frame.next - 1;
      if (node.kind == Kind::Dict && index % 2 && nodes[node.items[index - 1]].kind == Kind::String)
        parts.push_back(nodes[node.items[index - 1]].text.take_front(80).str());
      else
        parts.push_back(std::to_string(node.kind == Kind::Dict ? index / 2 : index));
      if (parts.size() == 16) {
        parts.push_back("...");
        break;
      }
    }
    return join(parts, ".");
  }

  Error check(uint32_t root);
  Error close(uint32_t index);
  Error checkStorage(const Node &storage, int64_t &count);
  Error checkTensor(const Node &tensor);

  const std::vector<Node> &nodes;
  RecordSize recordSize;
  uint64_t maxValues;
  bool isDebug;
  std::vector<unsigned> heights;
  std::vector<uint64_t> counts;
  std::vector<State> states;
  SmallVector<Frame> frames;
};
} // namespace

Error ValueChecker::check(uint32_t root) {
  frames.push_back({root});
  states[root] = State::Open;
  while (!frames.empty()) {
    Frame &frame = frames.back();
    const Node &node = nodes[frame.node];
    if (frame.next != node.items.size()) {
      uint32_t child = node.items[frame.next++];
      if (states[child] == State::Open)
        return fault("a value that holds itself is not supported");
      if (states[child] == State::New) {
        states[child] = State::Open;
        frames.push_back({child});
        if (frames.size() > kMaxValueDepth)
          return fault("values are nested more than " + Twine(kMaxValueDepth) + " deep");
      }
      continue;
    }
    uint32_t index = frame.node;
    frames.pop_back();
    if (Error error = close(index))
      return error;
    states[index] = State::Done;
  }
  return Error::success();
}

/// When all children of a value are done: its own height and number of values, and its claims.
Error ValueChecker::close(uint32_t index) {
  const Node &node = nodes[index];
  uint64_t count = 1;
  unsigned height = 0;
  for (uint32_t child : node.items) {
    // An object is a name wherever else it stands.
    count += nodes[child].kind == Kind::Object ? 1 : counts[child];
    // A source file is a tuple, of as many parts as it has lines, which every range of it holds;
    // LibTorch looks into it once.
    if (isDebug && nodes[child].kind == Kind::Tuple)
      counts[child] = 1;
    height = std::max(height, heights[child]);
    if (count > maxValues)
      return fault("values that are reached in several ways make more than " + Twine(maxValues));
  }
  heights[index] = height + 1;
  counts[index] = count;
  if (heights[index] > kMaxValueDepth)
    return fault("values are nested more than " + Twine(kMaxValueDepth) + " deep");
  if (node.kind == Kind::Storage) {
    int64_t unused;
    return checkStorage(node, unused);
  }
  if (node.kind == Kind::Call &&
      (node.text == "_rebuild_tensor_v2" || node.text == "_rebuild_qtensor"))
    return checkTensor(node);
  return Error::success();
}

/// ("storage", class, key, device, number of elements).
Error ValueChecker::checkStorage(const Node &storage, int64_t &count) {
  if (storage.items.size() < 5 || nodes[storage.items[1]].kind != Kind::Global ||
      nodes[storage.items[2]].kind != Kind::String || nodes[storage.items[4]].kind != Kind::Int)
    return fault("the description of a storage is not one");
  StringRef className = nodes[storage.items[1]].text, key = nodes[storage.items[2]].text;
  unsigned width = elementBytes(className);
  if (!width)
    return fault("a storage of the class '" + className + "' is not supported");
  count = nodes[storage.items[4]].number;
  std::optional<uint64_t> bytes = recordSize(key);
  // An empty storage needs no record.
  if (!bytes && count == 0)
    return Error::success();
  if (!bytes)
    return fault("there is no record of the storage '" + key + "'");
  if (count < 0 || *bytes / width != uint64_t(count))
    return fault("the storage '" + key + "' shall have " + Twine(count) + " elements of " +
                 Twine(width) + " bytes, but its record has " + Twine(*bytes) + " bytes");
  return Error::success();
}

/// (storage, offset, sizes, strides, ...).
Error ValueChecker::checkTensor(const Node &tensor) {
  auto isIntTuple = [&](uint32_t index) {
    return nodes[index].kind == Kind::Tuple &&
           all_of(nodes[index].items, [&](uint32_t i) { return nodes[i].kind == Kind::Int; });
  };
  if (tensor.items.size() < 4 || nodes[tensor.items[0]].kind != Kind::Storage ||
      nodes[tensor.items[1]].kind != Kind::Int || !isIntTuple(tensor.items[2]) ||
      !isIntTuple(tensor.items[3]))
    return fault("the description of a tensor is not one");
  auto numbers = [&](uint32_t index) {
    SmallVector<int64_t> values;
    for (uint32_t item : nodes[index].items)
      values.push_back(nodes[item].number);
    return values;
  };
  int64_t total = 0;
  if (Error error = checkStorage(nodes[tensor.items[0]], total))
    return error;
  std::string text = torchlite::tl::findViewFault(
      nodes[tensor.items[1]].number, numbers(tensor.items[2]), numbers(tensor.items[3]), total);
  return text.empty() ? Error::success()
                      : fault("the tensor is not a view of its storage: " + text);
}

Error torchlite::import::checkPickle(StringRef pickle, StringRef name, RecordSize recordSize) {
  PickleMachine machine(pickle);
  if (!machine.run())
    return createStringError(inconvertibleErrorCode(), "the archive is corrupt: '" + name +
                                                           "' cannot be read at byte " +
                                                           Twine(machine.failedAt()));
  return ValueChecker(machine.nodes, recordSize, kMaxValues + pickle.size(),
                      name.ends_with(".debug_pkl"))
      .checkAll(machine.root());
}
