//===- Operators.cpp - What LibTorch's operators give ---------------------===//
#include "TorchLite/Import/Operators.h"

#include "Probe.h"
#include "TorchLite/Dialect/TorchLite/IR/OperatorText.h"
#include "TorchLite/Dialect/TorchLite/IR/TorchLiteDialect.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <dlfcn.h>

using namespace mlir;
using namespace torchlite;
using namespace torchlite::fallback;

namespace {

/// LibTorch's warnings are about values that were made up.
struct SilentWarnings : c10::WarningHandler {
  void process(const c10::Warning &) override {}
};

/// One question.
class Question {
public:
  Question(StringRef name, ArrayAttr arguments, std::string &why)
      : name(name), arguments(arguments), b(arguments.getContext()), why(why) {}

  DictionaryAttr answer();

private:
  DictionaryAttr refuse(const Twine &reason) { return why = reason.str(), DictionaryAttr(); }
  Attribute toTakes(Attribute asked);
  bool readSchema();
  bool canUseMeta() const;
  void probe(c10::DeviceType device);
  Attribute describe(const c10::IValue &value, bool keepsSizes, std::string &reason);
  ArrayAttr describe(const Probe &probe, std::string &reason);

  StringRef name;
  ArrayAttr arguments;
  Builder b;
  std::string &why;
  std::shared_ptr<torch::jit::Operator> op;
  SmallVector<Type> operandTypes;
  std::vector<OperandForm> forms;
  std::vector<Entry> entries;
  /// Nothing about the operands is left to guess.
  bool isKnown = true;
  bool mayAlias = false;
  SmallVector<int64_t> writes;
  /// Results that are an argument itself, by their number; -1: they are not.
  SmallVector<int64_t> same;
  c10::DeviceType device = c10::DeviceType::Meta;
  std::vector<Probe> probes;
  std::string raised;
};

} // namespace

/// What is asked without types; these are collected, with the forms of tensors.
Attribute Question::toTakes(Attribute asked) {
  if (auto list = dyn_cast<ArrayAttr>(asked))
    return b.getArrayAttr(
        llvm::map_to_vector(list, [&](Attribute element) { return toTakes(element); }));
  auto number = dyn_cast<DictionaryAttr>(asked);
  auto type = number ? number.getAs<TypeAttr>("number") : dyn_cast<TypeAttr>(asked);
  if (!type)
    return asked;
  operandTypes.push_back(type.getValue());
  OperandForm form;
  if (auto tensor = dyn_cast<RankedTensorType>(type.getValue())) {
    for (int64_t size : tensor.getShape())
      form.sizes.push_back(ShapedType::isDynamic(size) ? -1 : size);
    isKnown &= tensor.hasStaticShape();
  } else {
    isKnown = false;
  }
  forms.push_back(std::move(form));
  return number ? tl::numberOperand(b.getContext()) : Attribute(b.getUnitAttr());
}

static void countOperands(Attribute asked, int64_t &count) {
  if (auto list = dyn_cast<ArrayAttr>(asked))
    for (Attribute element : list)
      countOperands(element, count);
  else
    count += isa<TypeAttr, DictionaryAttr>(asked);
}

/// Whether an annotation of a list is about the tensors that it holds, and not about the list.
static bool isOfElements(const c10::AliasInfo &alias) {
  return alias.beforeSets().empty() && !alias.containedTypes().empty();
}

/// Normalizations in training write the running statistics, whatever their schemas say.
static bool writesStatistics(const c10::FunctionSchema &schema, const c10::Argument &argument,
                             ArrayAttr given) {
  if (!StringRef(argument.name()).starts_with("running_") ||
      !StringRef(schema.name()).starts_with("aten::"))
    return false;
  for (auto [other, value] : llvm::zip_equal(schema.arguments(), given))
    if (other.name() == "training" || other.name() == "use_input_stats") {
      auto flag = dyn_cast<BoolAttr>(value);
      return !flag || flag.getValue();
    }
  return true;
}

/// What the schema says of writes and aliases; false, with a reason, if it cannot be expressed.
bool Question::readSchema() {
  const c10::FunctionSchema &schema = op->schema();
  if (schema.is_vararg() || schema.is_varret())
    return why = "it takes or gives any number of values", false;
  if (schema.arguments().size() != arguments.size())
    return why = "it takes another number of arguments", false;
  int64_t operand = 0;
  for (auto [argument, asked] : llvm::zip_equal(schema.arguments(), arguments)) {
    int64_t first = operand;
    countOperands(asked, operand);
    bool isWritten = argument.alias_info() && argument.alias_info()->isWrite();
    if (!isWritten && !writesStatistics(schema, argument, arguments))
      continue;
    for (int64_t number = first; number < operand; ++number) {
      if (!isa<RankedTensorType>(operandTypes[number]))
        return why = "it writes an argument that is no tensor", false;
      writes.push_back(number);
    }
    // Of a list the schema may mean the elements, or what it holds.
    if (isWritten && isa<ArrayAttr>(asked) && !isOfElements(*argument.alias_info()))
      return why = "it changes a list", false;
  }
  for (const c10::Argument &result : schema.returns()) {
    same.push_back(-1);
    const c10::AliasInfo *alias = result.alias_info();
    if (!alias)
      continue;
    if (alias->isWrite())
      for (auto [number, argument] : llvm::enumerate(schema.arguments()))
        if (argument.alias_info() && argument.alias_info()->isWrite() &&
            argument.alias_info()->beforeSets() == alias->beforeSets() &&
            isa<TypeAttr>(arguments[number]))
          same.back() = static_cast<int64_t>(number);
    bool isTensor = result.type()->isSubtypeOf(*c10::OptionalType::ofTensor());
    if (!isTensor && !isOfElements(*alias))
      return why = "it gives a value that may be an argument, which is no tensor", false;
    mayAlias |= same.back() < 0;
  }
  return true;
}

/// Whether the operator may be given tensors without elements. A kernel for all devices that a user
/// wrote may look at them nevertheless.
bool Question::canUseMeta() const {
  if (name.starts_with("aten::"))
    return true;
  const c10::FunctionSchema &schema = op->schema();
  auto handle = c10::Dispatcher::singleton().findSchema({schema.name(), schema.overload_name()});
  return handle && handle->hasKernelForDispatchKey(c10::DispatchKey::Meta);
}

/// Runs the operator for several guesses, and keeps what succeeds.
void Question::probe(c10::DeviceType where) {
  static const Guess guesses[] = {{4, 1, 0.5, false},
                                  {6, 2, 0.25, true},
                                  {2, 0, 1.0, false},
                                  {9, 3, 2.0, true},
                                  {12, 1, 0.5, true}};
  static const Guess last = {1, 1, 0.5, false};
  device = where;
  auto run = [&](const Guess &guess) {
    try {
      probes.push_back(runProbe(*op, entries, forms, {writes.begin(), writes.end()}, guess, where));
    } catch (const c10::Error &error) {
      if (raised.empty())
        raised = error.what_without_backtrace();
    } catch (const std::exception &error) {
      if (raised.empty())
        raised = error.what();
    }
  };
  for (const Guess &guess : guesses) {
    run(guess);
    // Values, of integers say, may matter on the processor, even where all sizes are known.
    if (!probes.empty() && isKnown)
      return;
  }
  if (probes.empty())
    run(last);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

static Type elementType(MLIRContext *context, at::ScalarType type) {
  Builder b(context);
  for (Type candidate :
       {Type(b.getF32Type()), Type(b.getF64Type()), Type(b.getF16Type()), Type(b.getBF16Type()),
        Type(b.getI8Type()), Type(b.getI16Type()), Type(b.getI32Type()), Type(b.getI64Type()),
        Type(b.getIntegerType(8, /*isSigned=*/false)), Type(b.getI1Type()),
        Type(ComplexType::get(b.getF32Type())), Type(ComplexType::get(b.getF64Type()))})
    if (tl::scalarTypeNumber(candidate) == static_cast<int64_t>(type))
      return candidate;
  return {};
}

/// The entry of `gives` for a value.
Attribute Question::describe(const c10::IValue &value, bool keepsSizes, std::string &reason) {
  if (value.isNone() || (value.isTensor() && !value.toTensor().defined()))
    return tl::NoneAttr::get(b.getContext());
  if (value.isInt())
    return TypeAttr::get(b.getI64Type());
  if (value.isDouble())
    return TypeAttr::get(b.getF64Type());
  if (value.isBool())
    return TypeAttr::get(b.getI1Type());
  if (value.isList()) {
    SmallVector<Attribute> elements;
    for (const c10::IValue &element : value.toListRef())
      if (Attribute entry = describe(element, keepsSizes, reason))
        elements.push_back(entry);
      else
        return {};
    return b.getArrayAttr(elements);
  }
  if (!value.isTensor())
    return reason = "it gives a value of kind " + value.tagKind(), Attribute();
  const at::Tensor &tensor = value.toTensor();
  Type type = elementType(b.getContext(), tensor.scalar_type());
  if (!type || tensor.layout() != at::kStrided || tensor.is_quantized())
    return reason = std::string("it gives a tensor of an unsupported kind (") +
                    c10::toString(tensor.scalar_type()) + ")",
           Attribute();
  SmallVector<int64_t> sizes(tensor.dim(), ShapedType::kDynamic);
  if (keepsSizes)
    sizes.assign(tensor.sizes().begin(), tensor.sizes().end());
  return TypeAttr::get(RankedTensorType::get(sizes, type));
}

ArrayAttr Question::describe(const Probe &probe, std::string &reason) {
  // On the processor sizes may follow from values, which were made up.
  bool keepsSizes = isKnown && device == c10::DeviceType::Meta;
  SmallVector<Attribute> gives;
  for (auto [value, argument] : llvm::zip_equal(probe.results, same)) {
    Attribute entry = argument >= 0 ? Attribute(b.getI64IntegerAttr(argument))
                                    : describe(value, keepsSizes, reason);
    if (!entry)
      return {};
    gives.push_back(entry);
  }
  return b.getArrayAttr(gives);
}

/// The first line, which says it.
static StringRef firstLine(StringRef message) { return message.split('\n').first; }

DictionaryAttr Question::answer() {
  auto [qualified, overload] = name.split('.');
  op = findOperator(qualified.str(), overload.str());
  if (!op)
    return refuse("no library that is loaded defines it; --load-library names one that does");
  auto takes = cast<ArrayAttr>(toTakes(arguments));
  std::optional<std::string> text = tl::argumentsText(takes, operandTypes);
  if (!text)
    return refuse("an argument cannot be passed");
  if (!readSchema())
    return {};
  entries = parseEntries(*text);
  if (canUseMeta())
    probe(c10::DeviceType::Meta);
  if (probes.empty()) {
    raised.clear();
    probe(c10::DeviceType::CPU);
  }
  if (probes.empty())
    return refuse("what it gives cannot be told, as it raises for what stands for its operands: " +
                  firstLine(raised));
  ArrayAttr gives;
  for (const Probe &probe : probes) {
    if (probe.results.size() != same.size())
      return refuse("it gives another number of results than its schema says");
    if (probe.writesOther)
      return refuse("it writes an argument, but its schema does not say so");
    // Sizes that were guessed may be others than those that an `out` argument is for.
    if (probe.changesRank || (probe.changesSizes && isKnown))
      return refuse("it changes the sizes of an argument");
    ArrayAttr other = describe(probe, why);
    if (!other)
      return {};
    if (gives && gives != other)
      return refuse("the element types, ranks or number of its results depend on sizes or values "
                    "that are known only at run time");
    gives = other;
    mayAlias |= probe.aliases;
  }
  NamedAttrList answer;
  answer.set("gives", gives);
  if (!writes.empty())
    answer.set("writes", b.getDenseI64ArrayAttr(writes));
  if (mayAlias)
    answer.set("aliases", b.getUnitAttr());
  return answer.getDictionary(b.getContext());
}

DictionaryAttr torchlite::askLibTorch(StringRef name, ArrayAttr arguments, std::string &why) {
  SilentWarnings silent;
  c10::WarningUtils::WarningHandlerGuard warnings(&silent);
  try {
    return Question(name, arguments, why).answer();
  } catch (const c10::Error &error) {
    why = firstLine(error.what_without_backtrace()).str();
  } catch (const std::exception &error) {
    why = firstLine(error.what()).str();
  }
  return {};
}

llvm::Error torchlite::loadOperators(StringRef path) {
  std::string message;
  try {
    // A name without a slash would be looked for in the system's folders.
    std::string file = path.contains('/') ? path.str() : "./" + path.str();
    if (dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL))
      return llvm::Error::success();
    message = dlerror();
  } catch (const c10::Error &error) {
    message = error.what_without_backtrace();
  } catch (const std::exception &error) {
    message = error.what();
  }
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 "'" + path + "' cannot be loaded: " + firstLine(message));
}
