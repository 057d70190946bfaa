//===- tl-conformance.cpp - Runs the cases of a folder --------------------===//
//
// Compiles and runs the cases that generate.py wrote, in one process as far as they let it live,
// and writes one line of JSON for each: {"case": 7, "outcome": "passed"} or with "reason", and for
// refusals "stage" and "missing". conformance.py makes the table.
//
//===----------------------------------------------------------------------===//

#include "Call.h"
#include "Compile.h"
#include "Value.h"
#include "Workers.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Regex.h"
#include <map>

using namespace llvm;
using namespace conformance;

static cl::opt<std::string> folder(cl::Positional, cl::Required, cl::desc("<folder of cases>"));
static cl::opt<std::string> output("output", cl::init("-"), cl::desc("Where outcomes are written"));
static cl::opt<std::string> only("only",
                                 cl::desc("Only operators that match this regular expression"));
static cl::opt<int> oneCase("case", cl::init(-1), cl::desc("Only this case, in this very process"));
static cl::opt<bool> dynamic("dynamic",
                             cl::desc("Compile for unknown sizes (where they are not 1)"));
static cl::opt<bool> emulated("emulated", cl::desc("Compile for GPUs, and run on the emulator"));
static cl::opt<bool> fallback("fallback", cl::desc("LibTorch computes what is not compiled"));
static cl::opt<unsigned> seconds("seconds", cl::init(60), cl::desc("Time limit of a case"));

/// A type of a signature.
static std::string formatType(const Value &value) {
  switch (value.kind) {
  case Value::Kind::Tensor: {
    std::string text;
    for (int64_t size : value.sizes)
      text += (dynamic && size != 1 ? "?" : std::to_string(size)) + "x";
    return text + (value.text == "c64"    ? "complex64"
                   : value.text == "c128" ? "complex128"
                                          : value.text);
  }
  case Value::Kind::Int:
    return "int";
  case Value::Kind::Bool:
    return "bool";
  case Value::Kind::Float:
    return "float";
  default:
    return "none";
  }
}

static json::Object runCase(Compiler &compiler, const json::Object &test, StringRef data) {
  auto fail = [](StringRef outcome, const Twine &reason) {
    return json::Object{{"outcome", outcome}, {"reason", json::fixUTF8(reason.str())}};
  };
  std::vector<Value> inputs;
  std::string signature = "forward(";
  for (const json::Value &input : *test.getArray("inputs")) {
    Expected<Value> value = parseValue(input, data);
    if (!value)
      return fail("crashed", toString(value.takeError()));
    signature += (inputs.empty() ? "" : ", ") + formatType(*value);
    inputs.push_back(std::move(*value));
  }
  signature += ")";
  Expected<Value> expected = parseValue(*test.get("expected"), data);
  if (!expected)
    return fail("crashed", toString(expected.takeError()));

  Refusal refusal;
  std::string path = folder + "/" + test.getString("model")->str();
  const tl_model *model = compiler.compile(path, signature, refusal);
  if (!model) {
    // What was compiled must load: a symbol that nobody has is no refusal.
    json::Object answer = fail(refusal.stage == "load" ? "crashed" : "refused",
                               refusal.stage + ": " + refusal.reason);
    answer["stage"] = refusal.stage;
    if (!refusal.missing.empty())
      answer["missing"] = json::Array(refusal.missing);
    return answer;
  }
  std::vector<Value> before = inputs;
  Expected<Value> result = callForward(model, inputs, test.getInteger("seed"));
  if (!result)
    return fail("wrong", "raised: " + toString(result.takeError()));
  bool values = *test.getBoolean("values");
  // What was computed in f64, of the result ("result") and of changed arguments ("0").
  std::map<std::string, Value> exact;
  if (const json::Object *object = test.getObject("exact"))
    for (const auto &[name, json] : *object) {
      Expected<Value> value = parseValue(json, data);
      if (!value)
        return fail("crashed", toString(value.takeError()));
      exact[name.str()] = std::move(*value);
    }
  auto exactOf = [&](const std::string &name) {
    auto found = exact.find(name);
    return found == exact.end() ? nullptr : &found->second;
  };
  std::string difference = compare(*result, *expected, values, "result", exactOf("result"));
  const json::Object &after = *test.getObject("inputs_after");
  for (size_t i = 0; i < inputs.size() && difference.empty(); ++i) {
    std::string name = "argument " + std::to_string(i);
    const json::Value *changed = after.get(std::to_string(i));
    if (!changed) {
      difference = compare(inputs[i], before[i], true, name);
      continue;
    }
    Expected<Value> wanted = parseValue(*changed, data);
    if (!wanted)
      return fail("crashed", toString(wanted.takeError()));
    difference = compare(inputs[i], *wanted, values, name, exactOf(std::to_string(i)));
  }
  if (!difference.empty())
    return fail("wrong", difference);
  return json::Object{{"outcome", "passed"}};
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "Runs TorchLite's conformance cases\n");
  auto manifest = MemoryBuffer::getFile(folder + "/manifest.jsonl");
  auto data = MemoryBuffer::getFile(folder + "/data.bin", false, /*RequiresNullTerminator=*/false);
  if (!manifest || !data) {
    errs() << "tl-conformance: no cases in '" << folder << "'\n";
    return 2;
  }
  std::vector<json::Object> cases;
  Regex wanted(only);
  SmallVector<StringRef> lines;
  (*manifest)->getBuffer().split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (StringRef line : lines) {
    Expected<json::Value> parsed = json::parse(line);
    if (!parsed || !parsed->getAsObject()) {
      errs() << "tl-conformance: malformed manifest: " << toString(parsed.takeError()) << "\n";
      return 2;
    }
    json::Object &object = *parsed->getAsObject();
    std::optional<int64_t> number = object.getInteger("case");
    if (number && (oneCase < 0 || *number == oneCase) &&
        (only.empty() || wanted.match(*object.getString("op"))))
      cases.push_back(std::move(object));
  }
  std::error_code error;
  raw_fd_ostream os(output, error);
  if (error) {
    errs() << "tl-conformance: cannot write '" << output << "': " << error.message() << "\n";
    return 2;
  }
  Compiler compiler({/*cpu=*/!emulated, /*cuda=*/false, emulated}, fallback);
  auto run = [&](size_t i) { return runCase(compiler, cases[i], (*data)->getBuffer()); };
  auto report = [&](size_t i, json::Object answer) {
    answer["case"] = *cases[i].getInteger("case");
    os << json::Value(std::move(answer)) << "\n";
    os.flush();
  };
  if (oneCase >= 0) {
    for (size_t i = 0; i < cases.size(); ++i)
      report(i, run(i));
    return 0;
  }
  runInWorkers(cases.size(), seconds, run, report);
  return 0;
}
