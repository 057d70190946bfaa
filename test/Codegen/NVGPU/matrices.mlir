// RUN: tl-opt %s --tl-nvgpu-pipeline=stage=kernels | FileCheck %s --check-prefix=KERNELS
// RUN: tl-opt %s --tl-nvgpu-pipeline=stage=launches | FileCheck %s

// A thread for each matrix, 32 of them in a block.

// KERNELS-LABEL: func.func @factor
// KERNELS: tlrt.kernel "cholesky" outs(%{{.*}}, %{{.*}} : tensor<?x4x4xf32>, tensor<?xi32>)
// KERNELS: tlrt.kernel "triangular_solve" ins(%{{.*}} : tensor<?x4x4xf32>) outs(%{{.*}} : tensor<?x4x4xf32>)
// CHECK-LABEL: func.func @factor
// CHECK: gpu.launch blocks({{.*}}) threads({{.*}}) in (%{{.*}} = %c32
// CHECK: scf.for
// CHECK-NOT: vector
// CHECK: gpu.launch
func.func @factor(%a: tensor<?x4x4xf32>, %b: tensor<?x4x4xf32>) -> (tensor<?x4x4xf32>, tensor<?x4x4xf32>)
    attributes {tl.method = "f", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %a, %c0 : tensor<?x4x4xf32>
  %empty = tensor.empty(%n) : tensor<?xi32>
  %l:2 = tlrt.matrices cholesky outs(%a, %empty : tensor<?x4x4xf32>, tensor<?xi32>) -> tensor<?x4x4xf32>, tensor<?xi32>
  %x = tlrt.matrices triangular_solve ins(%l#0 : tensor<?x4x4xf32>) outs(%b : tensor<?x4x4xf32>) -> tensor<?x4x4xf32>
  return %l#0, %x : tensor<?x4x4xf32>, tensor<?x4x4xf32>
}
