// RUN: tl-opt %s --split-input-file --tl-nvgpu-pipeline="arch=sm_80 strategy=matvec" --tl-nvgpu-emit-image="arch=sm_80 report" -o /dev/null > %t.ptx 2> %t.txt
// RUN: FileCheck %s < %t.ptx
// RUN: FileCheck %s --check-prefix=REPORT < %t.txt

// REPORT: remark: sm_80: kernel 'matmul' takes {{[0-9][0-9]}} registers, {{.*}} 0 bytes of stack; no spills
// REPORT: remark: sm_80: kernel 'matmul' takes {{[0-9][0-9]}} registers, {{.*}} 0 bytes of stack; no spills

// Weights whose neighbours are along K: four reads of 16 bytes in flight, lanes add by shuffles.

// CHECK: .visible .entry matmul(
// CHECK-COUNT-4: ld.global.v4
// CHECK: fma.rn.f32
// CHECK-COUNT-5: shfl.sync.bfly
// CHECK: st.global
func.func @along_k(%x: tensor<1x4096xf32>, %w: tensor<2048x4096xf32>) -> tensor<1x2048xf32> attributes {tl.method = "along_k", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x2048xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x2048xf32>) -> tensor<1x2048xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
       ins(%x, %w : tensor<1x4096xf32>, tensor<2048x4096xf32>) outs(%init : tensor<1x2048xf32>) -> tensor<1x2048xf32>
  return %y : tensor<1x2048xf32>
}

// -----

// Along N, warps add through shared memory.

// CHECK: .visible .entry matmul(
// CHECK: ld.global.v4
// CHECK: fma.rn.f32
// CHECK: st.shared
// CHECK: bar.sync
// CHECK: ld.shared
// CHECK: st.global
func.func @along_n(%x: tensor<4x1024xf32>, %w: tensor<1024x65536xf32>) -> tensor<4x65536xf32> attributes {tl.method = "along_n", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4x65536xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x65536xf32>) -> tensor<4x65536xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x1024xf32>, tensor<1024x65536xf32>) outs(%init : tensor<4x65536xf32>) -> tensor<4x65536xf32>
  return %y : tensor<4x65536xf32>
}
