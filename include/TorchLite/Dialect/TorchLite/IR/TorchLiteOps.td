// All operations of the `tl` dialect.
#ifndef TORCHLITE_DIALECT_TORCHLITE_IR_TORCHLITEOPS_TD
#define TORCHLITE_DIALECT_TORCHLITE_IR_TORCHLITEOPS_TD

include "TorchLite/Dialect/TorchLite/IR/ComplexOps.td"
include "TorchLite/Dialect/TorchLite/IR/ContractionOps.td"
include "TorchLite/Dialect/TorchLite/IR/ControlOps.td"
include "TorchLite/Dialect/TorchLite/IR/ElementwiseOps.td"
include "TorchLite/Dialect/TorchLite/IR/IndexingOps.td"
include "TorchLite/Dialect/TorchLite/IR/LanguageOps.td"
include "TorchLite/Dialect/TorchLite/IR/MatrixOps.td"
include "TorchLite/Dialect/TorchLite/IR/ModuleOps.td"
include "TorchLite/Dialect/TorchLite/IR/NormalizationOps.td"
include "TorchLite/Dialect/TorchLite/IR/PoolingOps.td"
include "TorchLite/Dialect/TorchLite/IR/ReductionOps.td"
include "TorchLite/Dialect/TorchLite/IR/ResizeOps.td"
include "TorchLite/Dialect/TorchLite/IR/ShapeOps.td"
include "TorchLite/Dialect/TorchLite/IR/StateOps.td"

#endif
