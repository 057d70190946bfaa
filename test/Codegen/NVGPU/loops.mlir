// RUN: tl-opt %s --split-input-file --tl-nvgpu-pipeline="stage=launches strategy=loops" | FileCheck %s
// RUN: not tl-opt %S/Inputs/loops-invalid.mlir --split-input-file --tl-nvgpu-pipeline="stage=launches strategy=loops" 2>&1 | FileCheck %s --check-prefix=REASON

// REASON: error: no strategy for kernel 'generic': loops: expected loops of scalar code
// REASON: error: no strategy for kernel 'swap': loops: expected tensors to stay in their buffers
// REASON: error: no strategy for kernel 'late': loops: expected tensors to be read before they are written
// REASON: error: no strategy for kernel 'input': loops: expected each output to be yielded from its own buffer

// Columns are independent: a thread has one. Rows are taken one after the other, since two of them may
// write the same element.

// CHECK-LABEL: func.func @scatter
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %c1, %{{.*}} = %c1, %{{.*}} = %c1) threads({{.*}}) in (%{{.*}} = %c128,
// CHECK: arith.cmpi ult, %[[NUMBER:.*]], %c100
// CHECK: scf.if
// CHECK: scf.for %[[A:.*]] = %c0 to %c3 step %c1 {
// CHECK: memref.load %{{.*}}[%[[A]], %[[NUMBER]]] : memref<3x100xi64
// CHECK: %[[ROW:.*]] = arith.index_cast
// CHECK: memref.load %{{.*}}[%[[ROW]], %[[NUMBER]]]
// CHECK: arith.addf
// CHECK: memref.store %{{.*}}[%[[ROW]], %[[NUMBER]]]
// CHECK-NOT: scf.for
func.func @scatter(%x: tensor<10x100xf32>, %i: tensor<3x100xi64>, %s: tensor<3x100xf32>) -> tensor<10x100xf32>
    attributes {tl.method = "f", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c100 = arith.constant 100 : index
  %r = scf.for %a = %c0 to %c3 step %c1 iter_args(%t = %x) -> (tensor<10x100xf32>) {
    %q = scf.for %b = %c0 to %c100 step %c1 iter_args(%u = %t) -> (tensor<10x100xf32>) {
      %position = tensor.extract %i[%a, %b] : tensor<3x100xi64>
      %row = arith.index_cast %position : i64 to index
      %value = tensor.extract %s[%a, %b] : tensor<3x100xf32>
      %old = tensor.extract %u[%row, %b] : tensor<10x100xf32>
      %sum = arith.addf %old, %value : f32
      %w = tensor.insert %sum into %u[%row, %b] : tensor<10x100xf32>
      scf.yield %w : tensor<10x100xf32>
    }
    scf.yield %q : tensor<10x100xf32>
  }
  return %r : tensor<10x100xf32>
}

// -----

// Each element depends on its neighbour: one thread.

// CHECK-LABEL: func.func @chain
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %c1, %{{.*}} = %c1, %{{.*}} = %c1) threads({{.*}}) in (%{{.*}} = %c1, %{{.*}} = %c1, %{{.*}} = %c1)
// CHECK-NEXT: scf.for
func.func @chain(%x: tensor<100xf32>) -> tensor<100xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %c1 = arith.constant 1 : index
  %c100 = arith.constant 100 : index
  %r = scf.for %a = %c1 to %c100 step %c1 iter_args(%t = %x) -> (tensor<100xf32>) {
    %b = arith.subi %a, %c1 : index
    %old = tensor.extract %t[%b] : tensor<100xf32>
    %w = tensor.insert %old into %t[%a] : tensor<100xf32>
    scf.yield %w : tensor<100xf32>
  }
  return %r : tensor<100xf32>
}

// -----

// Both loops are independent: with a step, over i64, of a size that is known at run time only. The inner
// one starts at what the host knows.

// CHECK-LABEL: func.func @grid
// CHECK: %[[N:.*]] = memref.dim
// CHECK: arith.maxsi
// CHECK: arith.ceildivui
// CHECK: gpu.launch
// CHECK-NOT: scf.for
// CHECK: memref.store
func.func @grid(%x: tensor<?x?xf32>, %from: i64) -> tensor<?x?xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : i64
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %end = arith.index_cast %n : index to i64
  %two = arith.constant 2.0 : f32
  %r = scf.for %a = %c0 to %m step %c1 iter_args(%t = %x) -> (tensor<?x?xf32>) {
    %q = scf.for %b = %from to %end step %c3 iter_args(%u = %t) -> (tensor<?x?xf32>) : i64 {
      %j = arith.index_cast %b : i64 to index
      %old = tensor.extract %u[%a, %j] : tensor<?x?xf32>
      %double = arith.mulf %old, %two : f32
      %w = tensor.insert %double into %u[%a, %j] : tensor<?x?xf32>
      scf.yield %w : tensor<?x?xf32>
    }
    scf.yield %q : tensor<?x?xf32>
  }
  return %r : tensor<?x?xf32>
}

// -----

// The inner loop's end depends on the outer one, which alone is spread over threads.

// CHECK-LABEL: func.func @triangle
// CHECK: gpu.launch
// CHECK: scf.for
// CHECK: memref.store
// CHECK-NOT: scf.for
func.func @triangle(%x: tensor<50x50xf32>) -> tensor<50x50xf32> attributes {tl.method = "f", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c50 = arith.constant 50 : index
  %zero = arith.constant 0.0 : f32
  %r = scf.for %a = %c0 to %c50 step %c1 iter_args(%t = %x) -> (tensor<50x50xf32>) {
    %q = scf.for %b = %c0 to %a step %c1 iter_args(%u = %t) -> (tensor<50x50xf32>) {
      %w = tensor.insert %zero into %u[%a, %b] : tensor<50x50xf32>
      scf.yield %w : tensor<50x50xf32>
    }
    scf.yield %q : tensor<50x50xf32>
  }
  return %r : tensor<50x50xf32>
}
