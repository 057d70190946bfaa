// RUN: tl-opt %s --tl-bind-frame --tl-bufferize | FileCheck %s
// RUN: tl-opt %s --tl-bind-frame --tl-bufferize --tl-lower-runtime | FileCheck %s --check-prefix=LLVM

// Numbers are drawn where they are wanted.
// CHECK-LABEL: func.func @call()
// CHECK: %[[Y:.*]] = tlrt.output 0{{ ?}}[{{.*}}] : memref<?x4xf32>
// CHECK-NOT: memref.alloc
// CHECK: tlrt.random "normal" 6(%{{.*}}, %{{.*}} : f64, f64) outs(%[[Y]] : memref<?x4xf32>)
// LLVM-DAG: @[[$KIND:.*]]("normal\00")
// LLVM-LABEL: func.func @call(
// LLVM-SAME: %[[FRAME:.*]]: !llvm.ptr
// LLVM: llvm.mlir.addressof @[[$KIND]]
// LLVM: llvm.call @tl_rt_random(%[[FRAME]], %{{.*}}) : (!llvm.ptr, !llvm.ptr) -> ()
func.func @call(%n: i64, %a: f64, %b: f64) -> tensor<?x4xf32> attributes {tl.method = "call"} {
  %size = arith.index_cast %n : i64 to index
  %empty = tensor.empty(%size) : tensor<?x4xf32>
  %y = tlrt.random "normal" 6(%a, %b : f64, f64) outs(%empty : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
