// RUN: tl-opt %s --tl-cpu-expand-floats=integer-conversions=false | FileCheck %s
// RUN: tl-opt %s --tl-cpu-expand-floats | FileCheck %s --check-prefix=INT

// CHECK-LABEL: func.func @add
// CHECK: %[[A:.*]] = arith.extf %{{.*}} : f16 to f32
// CHECK: %[[B:.*]] = arith.extf %{{.*}} : f16 to f32
// CHECK: %[[S:.*]] = arith.addf %[[A]], %[[B]] : f32
// CHECK: arith.truncf %[[S]] : f32 to f16
// INT-LABEL: func.func @add
// INT-NOT: arith.extf
// INT-NOT: arith.truncf
// INT: return
func.func @add(%a: f16, %b: f16) -> f16 {
  %s = arith.addf %a, %b : f16
  return %s : f16
}

// From f64 and integers through f32, as PyTorch does it.
// CHECK-LABEL: func.func @convert
// CHECK: %[[F:.*]] = arith.truncf %{{.*}} : f64 to f32
// CHECK: arith.truncf %[[F]] : f32 to f16
// CHECK: %[[I:.*]] = arith.sitofp %{{.*}} : i64 to f32
// CHECK: arith.truncf %[[I]] : f32 to f16
func.func @convert(%a: f64, %b: i64) -> (f16, f16) {
  %0 = arith.truncf %a : f64 to f16
  %1 = arith.sitofp %b : i64 to f16
  return %0, %1 : f16, f16
}

// bf16 needs no instruction on any processor.
// CHECK-LABEL: func.func @bfloat
// CHECK-NOT: bf16 to f32
// CHECK: math.exp %{{.*}} : f32
func.func @bfloat(%a: bf16) -> bf16 {
  %s = math.exp %a : bf16
  return %s : bf16
}
