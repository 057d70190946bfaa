//===- Registry.cpp - All operator rules ----------------------------------===//
#include "Aten/Families.h"
#include "TorchLite/Specialize/Rules.h"

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
  auto [base, overload] = name.split('.');
  if (!base.consume_back("_") || base.ends_with("_"))
    return nullptr;
  std::string functional = base.str();
  if (!overload.empty())
    functional += "." + overload.str();
  return lookup(functional);
}
