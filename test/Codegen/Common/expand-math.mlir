// RUN: tl-opt %s --tl-expand-math | FileCheck %s

// CHECK-LABEL: func.func @polynomial
// CHECK-NOT: math.exp
// The power of two that scales it may be a denormal number: it is a product of two that are not.
// CHECK: %[[SUM:.*]] = math.fma
// CHECK: %[[E:.*]] = math.fma
// CHECK-COUNT-5: math.fma
// CHECK: %[[BITS:.*]] = arith.bitcast %[[SUM]] : f32 to i32
// CHECK: %[[HALF:.*]] = arith.andi
// CHECK: %[[REST:.*]] = arith.subi %{{.*}}, %[[HALF]]
// CHECK: arith.bitcast %[[HALF]] : i32 to f32
// CHECK: arith.bitcast %[[REST]] : i32 to f32
// CHECK-COUNT-2: arith.mulf
func.func @polynomial(%x: f32) -> f32 {
  %y = math.exp %x : f32
  return %y : f32
}

// CHECK-LABEL: func.func @library
// CHECK: math.acosh %{{.*}} : f32
// CHECK: math.exp %{{.*}} : f64
func.func @library(%x: f32, %z: f64) -> (f32, f64) {
  %y = math.acosh %x : f32
  %w = math.exp %z : f64
  return %y, %w : f32, f64
}
