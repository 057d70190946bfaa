// All operations of the `tl` dialect.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_TORCHLITEOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_TORCHLITEOPS_TD

include "TorchLite/Dialect/TorchLite/IR/LanguageOps.td"
include "TorchLite/Dialect/TorchLite/IR/ModuleOps.td"

#endif
