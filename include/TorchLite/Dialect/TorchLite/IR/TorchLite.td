// All of the `tl` dialect, for its page of documentation.
include "TorchLite/Dialect/TorchLite/IR/TorchLiteOps.td"
include "TorchLite/Dialect/TorchLite/IR/OperatorOps.td"
include "TorchLite/Dialect/TorchLite/IR/RandomOps.td"
