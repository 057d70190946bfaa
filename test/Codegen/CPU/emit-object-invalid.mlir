// RUN: tl-opt %s --tl-emit-object="output=%t.o" -split-input-file -verify-diagnostics

// expected-error@+1 {{invalid 'tl.host_bitcode': Invalid bitcode signature}}
module attributes {tl.host_bitcode = "BC"} {}

// -----

// expected-error@+1 {{invalid entry of 'tl.gpu_weights' at offset 0}}
module attributes {tl.gpu_weights = [{offset = 8 : i64, value = dense<3> : tensor<4xi64>},
                                     {offset = 0 : i64, value = dense<3> : tensor<4xi64>}]} {
  llvm.mlir.global external hidden constant @tl_gpu_weights() {dso_local} : !llvm.array<40 x i8>
}

// -----

// expected-error@+1 {{the data of 'tl_weights' are missing: no attribute 'tl.weights'}}
module {
  llvm.mlir.global external hidden constant @tl_weights() {dso_local} : !llvm.array<40 x i8>
}
