// RUN: tl-opt %s --split-input-file --verify-diagnostics --tl-nvgpu-pipeline="stage=launches strategy=mma"
// RUN: not tl-opt %s --split-input-file --tl-nvgpu-pipeline="stage=launches arch=sm_75 precision=tf32 strategy=mma" 2>&1 | FileCheck %s --check-prefix=TURING
// RUN: not tl-opt %s --split-input-file --tl-nvgpu-pipeline="stage=launches arch=sm_70 precision=f16 strategy=mma" 2>&1 | FileCheck %s --check-prefix=VOLTA

// What tensor cores do not do: another strategy takes it.

// TURING: error: no strategy for kernel 'matmul': mma: sm_75 has no mma.sync on tf32
// TURING: error: no strategy for kernel 'matmul': mma: sm_75 has no mma.sync on bf16
// VOLTA: error: no strategy for kernel 'matmul': mma: sm_70 has no mma.sync on f16
func.func @exact(%a: tensor<8x8xf32>, %b: tensor<8x8xf32>) -> tensor<8x8xf32> attributes {tl.method = "exact", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x8xf32>) -> tensor<8x8xf32>
  // expected-error @+1 {{no strategy for kernel 'matmul': mma: products of f32 are exact at this precision}}
  %p = linalg.matmul ins(%a, %b : tensor<8x8xf32>, tensor<8x8xf32>) outs(%f : tensor<8x8xf32>) -> tensor<8x8xf32>
  return %p : tensor<8x8xf32>
}

// -----

func.func @row(%a: tensor<1x8xbf16>, %b: tensor<8x8xbf16>) -> tensor<1x8xf32> attributes {tl.method = "row", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x8xf32>) -> tensor<1x8xf32>
  // expected-error @+1 {{mma: expected more than one row and column: a vector is limited by memory, not by products}}
  %p = linalg.matmul ins(%a, %b : tensor<1x8xbf16>, tensor<8x8xbf16>) outs(%f : tensor<1x8xf32>) -> tensor<1x8xf32>
  return %p : tensor<1x8xf32>
}

// -----

func.func @integers(%a: tensor<8x8xi8>, %b: tensor<8x8xi8>) -> tensor<8x8xi32> attributes {tl.method = "integers", tl.variant = 0 : i64} {
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<8x8xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<8x8xi32>) -> tensor<8x8xi32>
  // expected-error @+1 {{mma: expected operands of one type and products that are summed in f32}}
  %p = linalg.matmul ins(%a, %b : tensor<8x8xi8>, tensor<8x8xi8>) outs(%f : tensor<8x8xi32>) -> tensor<8x8xi32>
  return %p : tensor<8x8xi32>
}
