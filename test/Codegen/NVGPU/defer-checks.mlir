// Checks of what the device computes move to the end of a call where nothing can go wrong before.
// RUN: tl-opt %s --tl-nvgpu-defer-checks -split-input-file | FileCheck %s

// One check: the index of the table is clamped, the position in the row is not.
// CHECK-LABEL: func.func @one
// CHECK: linalg.generic
// CHECK: %[[ROW:.*]] = arith.index_cast
// CHECK: %[[COLUMN:.*]] = linalg.index 1
// CHECK: %[[LOW:.*]] = arith.maxsi %[[ROW]], %{{.*}} : index
// CHECK: %[[INSIDE:.*]] = arith.minsi %[[LOW]], %{{.*}} : index
// CHECK: tensor.extract %{{.*}}[%[[INSIDE]], %[[COLUMN]]]
// CHECK: bufferization.materialize_in_destination
// CHECK-NEXT: %[[OK:.*]] = tensor.extract %{{.*}}[] : tensor<i1>
// CHECK-NEXT: tl.check %[[OK]], "IndexError"
// CHECK-NEXT: return
#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>
func.func @one(%flag: tensor<i1>, %init: tensor<i1>, %indices: tensor<8xi64>, %table: tensor<100x16xf32>, %out: memref<8x16xf32>)
    attributes {tl.method = "forward"} {
  %f = linalg.copy ins(%flag : tensor<i1>) outs(%init : tensor<i1>) -> tensor<i1>
  %ok = tensor.extract %f[] : tensor<i1>
  tl.check %ok, "IndexError"
  %empty = tensor.empty() : tensor<8x16xf32>
  %rows = linalg.generic {indexing_maps = [#row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%indices : tensor<8xi64>) outs(%empty : tensor<8x16xf32>) {
  ^bb0(%in: i64, %o: f32):
    %row = arith.index_cast %in : i64 to index
    %column = linalg.index 1 : index
    %element = tensor.extract %table[%row, %column] : tensor<100x16xf32>
    linalg.yield %element : f32
  } -> tensor<8x16xf32>
  bufferization.materialize_in_destination %rows in restrict writable %out : (tensor<8x16xf32>, memref<8x16xf32>) -> ()
  return
}

// -----

// Several: one boolean is read, and each only where it is false. Their order stays.
// CHECK-LABEL: func.func @several
// CHECK-NOT: tl.check
// CHECK: %[[ALL:.*]] = linalg.generic
// CHECK: arith.andi
// CHECK: %[[OK:.*]] = tensor.extract %[[ALL]][]
// CHECK: %[[FAILED:.*]] = arith.xori %[[OK]], %true
// CHECK: scf.if %[[FAILED]] {
// CHECK-NEXT: %[[A:.*]] = tensor.extract
// CHECK-NEXT: %[[B:.*]] = tensor.extract
// CHECK-NEXT: tl.check %[[A]], "first"
// CHECK-NEXT: tl.check %[[B]], "second"
// CHECK-NEXT: }
// CHECK-NEXT: return
func.func @several(%x: tensor<i1>, %y: tensor<i1>, %init: tensor<i1>) attributes {tl.method = "forward"} {
  %f = linalg.copy ins(%x : tensor<i1>) outs(%init : tensor<i1>) -> tensor<i1>
  %a = tensor.extract %f[] : tensor<i1>
  tl.check %a, "first"
  %g = linalg.copy ins(%y : tensor<i1>) outs(%init : tensor<i1>) -> tensor<i1>
  %b = tensor.extract %g[] : tensor<i1>
  tl.check %b, "second"
  return
}

// -----

// What the host knows is checked before; the other order would be another error.
// CHECK-LABEL: func.func @host_before
// CHECK: tl.check %{{.*}}, "host"
// CHECK: linalg.copy
// CHECK: %[[E:.*]] = tensor.empty
// CHECK: tl.check %{{.*}}, "device"
// CHECK-LABEL: func.func @host_after
// CHECK: tl.check %{{.*}}, "device"
// CHECK: tl.check %{{.*}}, "host"
// CHECK: tensor.empty
func.func @host_before(%x: tensor<i1>, %init: tensor<i1>, %known: i1) attributes {tl.method = "a"} {
  tl.check %known, "host"
  %f = linalg.copy ins(%x : tensor<i1>) outs(%init : tensor<i1>) -> tensor<i1>
  %ok = tensor.extract %f[] : tensor<i1>
  tl.check %ok, "device"
  %e = tensor.empty() : tensor<4xf32>
  return
}
func.func @host_after(%x: tensor<i1>, %init: tensor<i1>, %known: i1) attributes {tl.method = "b"} {
  %f = linalg.copy ins(%x : tensor<i1>) outs(%init : tensor<i1>) -> tensor<i1>
  %ok = tensor.extract %f[] : tensor<i1>
  tl.check %ok, "device"
  tl.check %known, "host"
  %e = tensor.empty() : tensor<4xf32>
  return
}

// -----

// Each of these keeps its check where it is: a value that the host reads, a division by a number that
// may be zero, a table without elements, a size known at run time, a check in a branch.
// CHECK-LABEL: func.func @reads
// CHECK: tl.check
// CHECK: tensor.empty
// CHECK-LABEL: func.func @divides
// CHECK: tl.check
// CHECK: linalg.generic
// CHECK-LABEL: func.func @nothing
// CHECK: tl.check
// CHECK: linalg.generic
// CHECK-NOT: arith.maxsi
// CHECK-LABEL: func.func @dynamic
// CHECK: tl.check
// CHECK: tensor.empty
// CHECK-LABEL: func.func @branch
// CHECK: scf.if
// CHECK: tl.check
// CHECK: tensor.empty
#v = affine_map<(d0) -> (d0)>
func.func @reads(%x: tensor<i1>, %init: tensor<i1>, %n: tensor<4xi64>) -> i64 attributes {tl.method = "a"} {
  %f = linalg.copy ins(%x : tensor<i1>) outs(%init : tensor<i1>) -> tensor<i1>
  %ok = tensor.extract %f[] : tensor<i1>
  tl.check %ok, "device"
  %c0 = arith.constant 0 : index
  %e = tensor.empty() : tensor<4xf32>
  %value = tensor.extract %n[%c0] : tensor<4xi64>
  return %value : i64
}
func.func @divides(%x: tensor<i1>, %init: tensor<i1>, %n: tensor<4xi64>, %m: tensor<4xi64>) -> tensor<4xi64> attributes {tl.method = "b"} {
  %f = linalg.copy ins(%x : tensor<i1>) outs(%init : tensor<i1>) -> tensor<i1>
  %ok = tensor.extract %f[] : tensor<i1>
  tl.check %ok, "device"
  %r = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]}
      ins(%n : tensor<4xi64>) outs(%m : tensor<4xi64>) {
  ^bb0(%in: i64, %o: i64):
    %q = arith.divsi %o, %in : i64
    linalg.yield %q : i64
  } -> tensor<4xi64>
  return %r : tensor<4xi64>
}
func.func @nothing(%x: tensor<i1>, %init: tensor<i1>, %n: tensor<4xi64>, %table: tensor<0xi64>, %m: tensor<4xi64>) -> tensor<4xi64> attributes {tl.method = "c"} {
  %f = linalg.copy ins(%x : tensor<i1>) outs(%init : tensor<i1>) -> tensor<i1>
  %ok = tensor.extract %f[] : tensor<i1>
  tl.check %ok, "device"
  %r = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]}
      ins(%n : tensor<4xi64>) outs(%m : tensor<4xi64>) {
  ^bb0(%in: i64, %o: i64):
    %row = arith.index_cast %in : i64 to index
    %element = tensor.extract %table[%row] : tensor<0xi64>
    linalg.yield %element : i64
  } -> tensor<4xi64>
  return %r : tensor<4xi64>
}
func.func @dynamic(%x: tensor<i1>, %init: tensor<i1>, %n: index) attributes {tl.method = "d"} {
  %f = linalg.copy ins(%x : tensor<i1>) outs(%init : tensor<i1>) -> tensor<i1>
  %ok = tensor.extract %f[] : tensor<i1>
  tl.check %ok, "device"
  %e = tensor.empty(%n) : tensor<?xf32>
  return
}
func.func @branch(%x: tensor<i1>, %init: tensor<i1>, %known: i1) attributes {tl.method = "e"} {
  %f = linalg.copy ins(%x : tensor<i1>) outs(%init : tensor<i1>) -> tensor<i1>
  scf.if %known {
    %ok = tensor.extract %f[] : tensor<i1>
    tl.check %ok, "device"
  }
  %e = tensor.empty() : tensor<4xf32>
  return
}
