// RUN: tl-opt %s --tl-nvgpu-pipeline="arch=sm_80 strategy=matmul" --tl-nvgpu-emit-image="arch=sm_80 report" -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,ASYNC
// RUN: tl-opt %s --tl-nvgpu-pipeline="arch=sm_90 strategy=matmul" --tl-nvgpu-emit-image="arch=sm_90 report" -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,ASYNC
// RUN: tl-opt %s --tl-nvgpu-pipeline="arch=sm_75 strategy=matmul" --tl-nvgpu-emit-image="arch=sm_75 report" -o /dev/null 2>&1 | FileCheck %s --check-prefixes=CHECK,REGISTERS

// A tile of 128 x 128: registers for two blocks on a multiprocessor, accesses of 16 bytes to both
// memories, and nothing but multiply-adds in between. Slices of both operands are two steps ahead of the
// products: rows, which have to be turned, element by element. Without cp.async one step ahead, through
// registers.

// CHECK: remark: {{.*}}: kernel 'matmul' takes {{([0-9]|[0-9][0-9]|1[01][0-9]|12[0-8])}} registers, {{.*}} 0 bytes of stack; no spills
// CHECK: .visible .entry matmul(
// CHECK: .reqntid 256, 1, 1

// ASYNC-NOT: {{ld.global|st.shared}}
// ASYNC-COUNT-4: cp.async.ca.shared.global {{.*}}, 4;
// ASYNC: cp.async.cg.shared.global {{.*}}, 16;
// ASYNC: cp.async.commit_group;
// ASYNC-NOT: {{ld.global|st.shared}}
// ASYNC: cp.async.commit_group;
// ASYNC-NOT: {{ld.global|st.shared|mul.f32|mul.rn.f32}}
// ASYNC: cp.async.commit_group;
// ASYNC: ld.shared.v4
// ASYNC-COUNT-512: fma.rn.f32
// ASYNC-NOT: {{fma.rn.f32|ld.global|st.shared|mul.f32|mul.rn.f32}}
// ASYNC: cp.async.wait_group 1;
// ASYNC-NEXT: bar.sync
// ASYNC-COUNT-4: cp.async.ca.shared.global {{.*}}, 4;
// ASYNC: cp.async.cg.shared.global {{.*}}, 16;
// ASYNC-NOT: {{fma.rn.f32|bar.sync|st.shared|ld.global.b32}}
// ASYNC: st.global.v4

// REGISTERS-NOT: cp.async
// REGISTERS: ld.global.v4
// REGISTERS: st.shared
// REGISTERS: bar.sync
// REGISTERS-NOT: mul.f32
// REGISTERS-NOT: mul.rn.f32
// REGISTERS: ld.shared.v4
// REGISTERS-COUNT-512: fma.rn.f32
// REGISTERS: bar.sync
// REGISTERS-COUNT-512: fma.rn.f32
// REGISTERS-NOT: fma.rn.f32
// REGISTERS-NOT: ld.global.b32
// REGISTERS: st.global.v4
#map = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (j)>
func.func @forward(%x: tensor<2048x1024xf32>, %w: tensor<1024x4096xf32>, %b: tensor<4096xf32>) -> tensor<2048x4096xf32>
    attributes {tl.method = "forward", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2048x4096xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2048x4096xf32>) -> tensor<2048x4096xf32>
  %y = linalg.matmul ins(%x, %w : tensor<2048x1024xf32>, tensor<1024x4096xf32>) outs(%init : tensor<2048x4096xf32>) -> tensor<2048x4096xf32>
  %r = linalg.generic {indexing_maps = [#map, #row, #map], iterator_types = ["parallel", "parallel"]}
       ins(%y, %b : tensor<2048x4096xf32>, tensor<4096xf32>) outs(%empty : tensor<2048x4096xf32>) {
  ^bb0(%in: f32, %bias: f32, %out: f32):
    %s = arith.addf %in, %bias : f32
    %m = arith.maximumf %s, %zero : f32
    linalg.yield %m : f32
  } -> tensor<2048x4096xf32>
  return %r : tensor<2048x4096xf32>
}
