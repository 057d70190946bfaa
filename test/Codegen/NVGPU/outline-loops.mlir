// RUN: tl-opt %s --split-input-file --tl-nvgpu-outline-loops --cse | FileCheck %s
// RUN: tl-opt %s --split-input-file --tl-nvgpu-pipeline=stage=buffers -o - | FileCheck %s --check-prefix=READS

// A scatter: the tensor that is written is the output, what is read an input.

// CHECK-LABEL: func.func @scatter
// CHECK-SAME: %[[X:.*]]: tensor<10x4xf32>, %[[I:.*]]: tensor<3x4xi64>, %[[S:.*]]: tensor<3x4xf32>
// CHECK: %[[R:.*]] = tlrt.kernel "loops" ins(%[[I]], %[[S]] : tensor<3x4xi64>, tensor<3x4xf32>) outs(%[[X]] : tensor<10x4xf32>) {
// CHECK: ^bb0(%{{.*}}: tensor<3x4xi64>, %{{.*}}: tensor<3x4xf32>, %[[OUT:.*]]: tensor<10x4xf32>):
// CHECK: %[[LOOP:.*]] = scf.for {{.*}} iter_args(%{{.*}} = %[[OUT]])
// CHECK: tlrt.yield %[[LOOP]]
// CHECK: return %[[R]]
// READS-LABEL: func.func @scatter
// READS-NOT: tlrt.read
func.func @scatter(%x: tensor<10x4xf32>, %i: tensor<3x4xi64>, %s: tensor<3x4xf32>) -> tensor<10x4xf32>
    attributes {tl.method = "f", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %r = scf.for %a = %c0 to %c3 step %c1 iter_args(%t = %x) -> (tensor<10x4xf32>) {
    %q = scf.for %b = %c0 to %c4 step %c1 iter_args(%u = %t) -> (tensor<10x4xf32>) {
      %position = tensor.extract %i[%a, %b] : tensor<3x4xi64>
      %row = arith.index_cast %position : i64 to index
      %value = tensor.extract %s[%a, %b] : tensor<3x4xf32>
      %old = tensor.extract %u[%row, %b] : tensor<10x4xf32>
      %sum = arith.addf %old, %value : f32
      %w = tensor.insert %sum into %u[%row, %b] : tensor<10x4xf32>
      scf.yield %w : tensor<10x4xf32>
    }
    scf.yield %q : tensor<10x4xf32>
  }
  return %r : tensor<10x4xf32>
}

// -----

// Numbers that a loop returns are read once. What is written may be read, too, as it was before.

// CHECK-LABEL: func.func @count
// CHECK-SAME: %[[X:.*]]: tensor<8xf32>
// CHECK: %[[NUMBER:.*]] = bufferization.alloc_tensor() : tensor<i64>
// CHECK: %[[R:.*]]:2 = tlrt.kernel "loops" ins(%[[X]] : tensor<8xf32>) outs(%[[X]], %[[NUMBER]] : tensor<8xf32>, tensor<i64>) {
// CHECK: ^bb0(%[[OLD:.*]]: tensor<8xf32>, %[[OUT:.*]]: tensor<8xf32>, %[[PLACE:.*]]: tensor<i64>):
// CHECK: %[[LOOP:.*]]:2 = scf.for {{.*}} iter_args(%{{.*}} = %[[OUT]], %{{.*}} = %{{.*}})
// CHECK: tensor.extract %[[OLD]]
// CHECK: %[[KEPT:.*]] = tensor.insert %[[LOOP]]#1 into %[[PLACE]][]
// CHECK: tlrt.yield %[[LOOP]]#0, %[[KEPT]]
// CHECK: tensor.extract %[[R]]#1[]
// READS-LABEL: func.func @count
// READS: tlrt.copy
// READS-COUNT-1: tlrt.read
// READS-NOT: tlrt.read
func.func @count(%x: tensor<8xf32>) -> (tensor<8xf32>, i64)
    attributes {tl.method = "f", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c7 = arith.constant 7 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  %none = arith.constant 0 : i64
  %more = arith.constant 1 : i64
  %r:2 = scf.for %a = %c0 to %c8 step %c1 iter_args(%t = %x, %n = %none) -> (tensor<8xf32>, i64) {
    %b = arith.subi %c7, %a : index
    %value = tensor.extract %x[%b] : tensor<8xf32>
    %w = tensor.insert %value into %t[%a] : tensor<8xf32>
    %holds = arith.cmpf ogt, %value, %zero : f32
    %next = scf.if %holds -> (i64) {
      %m = arith.addi %n, %more : i64
      scf.yield %m : i64
    } else {
      scf.yield %n : i64
    }
    scf.yield %w, %next : tensor<8xf32>, i64
  }
  return %r#0, %r#1 : tensor<8xf32>, i64
}

// -----

// A while: its tensors and numbers are passed on in another order.

// CHECK-LABEL: func.func @search
// CHECK: tlrt.kernel "loops" ins(%{{.*}} : tensor<8xi64>) outs(%{{.*}} : tensor<8xi64>, tensor<index>)
// READS-LABEL: func.func @search
// READS-NOT: scf.while
// READS: tlrt.kernel "loops"
// READS: scf.while
// READS: tlrt.yield
// READS: tlrt.read %{{.*}}[] : memref<index>
func.func @search(%x: tensor<8xi64>) -> (tensor<8xi64>, i64)
    attributes {tl.method = "f", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i64
  %empty = tensor.empty() : tensor<8xi64>
  %r:2 = scf.while (%i = %c0, %t = %empty) : (index, tensor<8xi64>) -> (tensor<8xi64>, index) {
    %value = tensor.extract %x[%i] : tensor<8xi64>
    %w = tensor.insert %value into %t[%i] : tensor<8xi64>
    %isLast = arith.cmpi ne, %value, %zero : i64
    scf.condition(%isLast) %w, %i : tensor<8xi64>, index
  } do {
  ^bb0(%t: tensor<8xi64>, %i: index):
    %next = arith.addi %i, %c1 : index
    scf.yield %next, %t : index, tensor<8xi64>
  }
  %n = arith.index_cast %r#1 : index to i64
  return %r#0, %n : tensor<8xi64>, i64
}

// -----

// What stays on the host: tensors that change places, that are read after they were written, that a loop
// writes without carrying them; checks; structured operations; loops without tensors.

// CHECK-LABEL: func.func @host
// CHECK-NOT: tlrt.kernel
// READS-LABEL: func.func @host
func.func @host(%x: tensor<8xf32>, %y: tensor<8xf32>, %n: i64)
    -> (tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, i64)
    attributes {tl.method = "f", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %one = arith.constant 1.0 : f32
  %swapped:2 = scf.for %a = %c0 to %c8 step %c1 iter_args(%t = %x, %u = %y) -> (tensor<8xf32>, tensor<8xf32>) {
    %w = tensor.insert %one into %t[%a] : tensor<8xf32>
    scf.yield %u, %w : tensor<8xf32>, tensor<8xf32>
  }
  %late = scf.for %a = %c0 to %c8 step %c1 iter_args(%t = %x) -> (tensor<8xf32>) {
    %w = tensor.insert %one into %t[%a] : tensor<8xf32>
    %old = tensor.extract %t[%c0] : tensor<8xf32>
    %v = tensor.insert %old into %w[%c1] : tensor<8xf32>
    scf.yield %v : tensor<8xf32>
  }
  %uncarried = scf.for %a = %c0 to %c8 step %c1 iter_args(%t = %x) -> (tensor<8xf32>) {
    %sum = scf.for %b = %c0 to %c8 step %c1 iter_args(%s = %one) -> (f32) {
      %w = tensor.insert %s into %t[%b] : tensor<8xf32>
      %e = tensor.extract %w[%a] : tensor<8xf32>
      scf.yield %e : f32
    }
    %v = tensor.insert %sum into %t[%a] : tensor<8xf32>
    scf.yield %v : tensor<8xf32>
  }
  %checked = scf.for %a = %c0 to %c8 step %c1 iter_args(%t = %x) -> (tensor<8xf32>) {
    %e = tensor.extract %t[%a] : tensor<8xf32>
    %good = arith.cmpf olt, %e, %one : f32
    tl.check %good, "expected less than one"
    %w = tensor.insert %one into %t[%a] : tensor<8xf32>
    scf.yield %w : tensor<8xf32>
  }
  %structured = scf.for %a = %c0 to %c8 step %c1 iter_args(%t = %x) -> (tensor<8xf32>) {
    %e = tensor.extract %y[%a] : tensor<8xf32>
    %w = linalg.fill ins(%e : f32) outs(%t : tensor<8xf32>) -> tensor<8xf32>
    scf.yield %w : tensor<8xf32>
  }
  %number = scf.while (%m = %n) : (i64) -> i64 {
    %go = arith.cmpi sgt, %m, %n : i64
    scf.condition(%go) %m : i64
  } do {
  ^bb0(%m: i64):
    %next = arith.addi %m, %n : i64
    scf.yield %next : i64
  }
  return %swapped#0, %swapped#1, %late, %uncarried, %checked, %structured, %number
    : tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, i64
}
