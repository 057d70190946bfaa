//===- Registry.cpp - All operator rules ----------------------------------===//
#include "Aten/Families.h"
#include "AtenRules.h"

using namespace torchlite::tl::specialize;

const RuleRegistry &RuleRegistry::get() {
  static const RuleRegistry registry = [] {
    RuleRegistry all;
    registerContainerRules(all);
    registerCopyRules(all);
    registerQueryRules(all);
    registerScalarRules(all);
    registerStringRules(all);
    registerTensorOfRules(all);
    // Last: where a name of the language is a tensor operator too (`exp`), the tensor operator counts.
    registerAtenRules(all);
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
