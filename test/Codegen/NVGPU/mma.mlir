// RUN: tl-opt %s --split-input-file --tl-nvgpu-pipeline="stage=launches strategy=mma" | FileCheck %s
// RUN: tl-opt %s --split-input-file --tl-nvgpu-pipeline="stage=launches arch=sm_75 strategy=mma" | FileCheck %s --check-prefix=TURING

// Tiles of 32x32 and steps of 32: four stages, of which three are on their way; one barrier for each.
// Rows of A are along the reduction, those of B are not: they are read transposed. What lies outside
// is filled with zeros, and not stored. Neighbouring lanes exchange pairs for stores of 8 bytes.

// CHECK-LABEL: func.func @forward
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG: %[[NONE:.*]] = arith.constant 0 : i32
// CHECK-DAG: %[[ALL:.*]] = arith.constant 8 : i32
// CHECK-DAG: %[[BYTES:.*]] = arith.constant 16384 : i32
// CHECK-DAG: %[[ROWS:.*]] = arith.constant 40 : i32
// CHECK: gpu.launch {{.*}} threads({{.*}}) in ({{.*}} = %c128, {{.*}} = %c1, {{.*}} = %c1) dynamic_shared_memory_size %[[BYTES]]
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult, %{{.*}}, %[[ROWS]] : i32
// CHECK-COUNT-6: nvgpu.device_async_copy
// CHECK: scf.for {{.*}} iter_args({{.*}} = %[[ZERO]],
// CHECK-NEXT: nvvm.cp.async.wait.group 2
// CHECK-NEXT: gpu.barrier
// CHECK: scf.if
// CHECK: %[[READS:.*]] = arith.select %{{.*}}, %[[ALL]], %[[NONE]] : i32
// CHECK: %[[COUNT:.*]] = arith.index_cast %[[READS]] : i32 to index
// CHECK: nvgpu.device_async_copy {{.*}}, 8, %[[COUNT]] {bypassL1}
// CHECK: nvgpu.device_async_copy
// CHECK-NOT: nvgpu.device_async_copy
// CHECK: nvvm.cp.async.commit.group
// CHECK: nvgpu.ldmatrix {{.*}} {numTiles = 4 : i32, transpose = false}
// CHECK: nvgpu.ldmatrix {{.*}} {numTiles = 4 : i32, transpose = true}
// CHECK: nvvm.mma.sync
// CHECK-SAME: shape = #nvvm.shape<m = 16, n = 8, k = 16>
// CHECK-COUNT-3: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK: scf.yield
// CHECK-NOT: gpu.barrier
// CHECK: scf.if {{.*}} -> (i32)
// CHECK-COUNT-2: arith.truncf
// CHECK: gpu.shuffle xor
// CHECK: scf.if
// CHECK: vector.store {{.*}} vector<4xf16>

// Half of the instruction, and copies through registers: loaded before the products, stored after.
// TURING-LABEL: func.func @forward
// TURING-NOT: nvgpu.device_async_copy
// TURING: scf.for
// TURING-NEXT: gpu.barrier
// TURING: vector.load {{.*}} vector<8xf16>
// TURING: nvvm.mma.sync
// TURING-SAME: shape = #nvvm.shape<m = 16, n = 8, k = 8>
// TURING: vector.store {{.*}} vector<8xf16>
// TURING: scf.yield
func.func @forward(%a: tensor<40x72xf16>, %b: tensor<72x24xf16>) -> tensor<40x24xf16> attributes {tl.method = "forward", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<40x24xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<40x24xf32>) -> tensor<40x24xf32>
  %p = linalg.matmul ins(%a, %b : tensor<40x72xf16>, tensor<72x24xf16>)
                     outs(%f : tensor<40x24xf32>) -> tensor<40x24xf32>
  %o = tensor.empty() : tensor<40x24xf16>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<40x24xf32>) outs(%o : tensor<40x24xf16>) {
  ^bb0(%x: f32, %old: f16):
    %t = arith.truncf %x : f32 to f16
    linalg.yield %t : f16
  } -> tensor<40x24xf16>
  return %y : tensor<40x24xf16>
}
