// RUN: tl-opt %s --tl-expand-math | FileCheck %s

// CHECK-LABEL: func.func @polynomial
// CHECK-NOT: math.exp
// CHECK: math.fma
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
