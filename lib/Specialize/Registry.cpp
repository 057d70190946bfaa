//===- Registry.cpp - All operator rules ----------------------------------===//
#include "Aten/Families.h"
#include "Factories.h"
#include "TorchLite/Specialize/Rules.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"

using namespace torchlite::tl::specialize;

static std::vector<std::function<void(RuleRegistry &)>> &extensions() {
  static std::vector<std::function<void(RuleRegistry &)>> all;
  return all;
}

void RuleRegistry::extend(std::function<void(RuleRegistry &)> registerRules) {
  extensions().push_back(std::move(registerRules));
}

const RuleRegistry &RuleRegistry::get() {
  static const RuleRegistry registry = [] {
    RuleRegistry all;
    registerBoxRules(all);
    registerContainerRules(all);
    registerCopyRules(all);
    registerMathRules(all);
    registerQueryRules(all);
    registerRunTimeListRules(all);
    registerRunTimeListSearchRules(all);
    registerScalarRules(all);
    registerStringRules(all);
    registerStringMethodRules(all);
    registerTensorOfRules(all);
    // Last: where a name of the language is a tensor operator too (`exp`), the tensor operator
    // counts.
    registerAtenRules(all);
    for (const auto &registerRules : extensions())
      registerRules(all);
    return all;
  }();
  return registry;
}

const Rule *RuleRegistry::lookup(llvm::StringRef name) const {
  auto it = rules.find(name);
  return it == rules.end() ? nullptr : &it->second;
}

const Rule *RuleRegistry::lookupInPlace(llvm::StringRef name) const {
  // Those whose overloads have other names.
  llvm::StringRef known = llvm::StringSwitch<llvm::StringRef>(name)
                              .Case("transpose_", "transpose.int")
                              .Case("pow_.Tensor", "pow.Tensor_Tensor")
                              .Case("pow_.Scalar", "pow.Tensor_Scalar")
                              .Case("floor_divide_.Tensor", "floor_divide")
                              .Default("");
  if (!known.empty())
    return lookup(known);
  auto [base, overload] = name.split('.');
  if (!base.consume_back("_") || base.ends_with("_"))
    return nullptr;
  std::string functional = base.str();
  if (!overload.empty())
    functional += "." + overload.str();
  return lookup(functional);
}

/// The functional operators of `out=` variants whose overloads are not named alike.
static llvm::StringRef functionalOf(llvm::StringRef name) {
  return llvm::StringSwitch<llvm::StringRef>(name)
      .Cases({"all.out", "any.out", "frobenius_norm.out", "mean.out", "std.out", "var.out"}, "dim")
      .Cases({"max.dim_max", "min.dim_min"}, "dim")
      .Cases({"max.out", "min.out"}, "other")
      .Cases({"clamp.out", "clamp_max.out", "clamp_min.out"}, "-")
      .Cases({"all.all_out", "any.all_out", "max.unary_out", "min.unary_out", "mean.dtype_out"},
             "-")
      .Case("arange.start_out", "start_step")
      .Case("bernoulli.out", "-")
      .Case("div.out_mode", "Tensor_mode")
      .Case("empty.out", "memory_format")
      .Case("prod.int_out", "dim_int")
      .Case("sort.values_stable", "stable")
      .Case("sum.IntList_out", "dim_IntList")
      .Case("xlogy.OutTensor", "Tensor")
      .Case("xlogy.OutScalar_Self", "Scalar_Self")
      .Case("xlogy.OutScalar_Other", "Scalar_Other")
      .Default("");
}

bool torchlite::tl::specialize::isFactory(llvm::StringRef base) {
  static const llvm::StringSet<> names = {
      "_to_copy", "arange",   "empty",         "empty_permuted", "empty_strided", "eye",
      "full",     "linspace", "logspace",      "ones",           "rand",          "randint",
      "randn",    "randperm", "scalar_tensor", "tril_indices",   "triu_indices",  "zeros"};
  return names.contains(base) || base.ends_with("_like") || base.starts_with("new_");
}

const Rule *RuleRegistry::lookupOut(llvm::StringRef name, std::string &functional) const {
  auto [base, overload] = name.split('.');
  auto find = [&](llvm::StringRef of) {
    functional = (base + (of.empty() ? "" : "." + of)).str();
    return lookup(functional);
  };
  if (llvm::StringRef known = functionalOf(name); !known.empty())
    return find(known == "-" ? "" : known);
  if (overload == "out" && !isFactory(base))
    if (const Rule *rule = find("Tensor"))
      return rule;
  if (overload == "out" || overload == "values" || overload == "grad_input")
    return find("");
  if (overload.consume_back("_out") || overload.consume_back("_values"))
    return find(overload);
  return nullptr;
}
