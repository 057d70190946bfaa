// All of the `tlrt` dialect, for its page of documentation.
include "TorchLite/Dialect/Runtime/IR/RuntimeOps.td"
include "TorchLite/Dialect/Runtime/IR/RowsOps.td"
include "TorchLite/Dialect/Runtime/IR/BoxOps.td"
include "TorchLite/Dialect/Runtime/IR/MatrixOps.td"
include "TorchLite/Dialect/Runtime/IR/OperatorOps.td"
include "TorchLite/Dialect/Runtime/IR/RandomOps.td"
