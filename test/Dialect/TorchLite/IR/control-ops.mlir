// RUN: tl-opt %s | FileCheck %s
// RUN: tl-opt %s -canonicalize | FileCheck %s --check-prefix=CANON

// CHECK-LABEL: func.func @check
// CANON-LABEL: func.func @check
func.func @check(%ok: i1, %n: i64, %f: f64) {
  // CHECK: tl.check %{{.*}}, "no values"
  // CANON: tl.check %{{.*}}, "no values"
  tl.check %ok, "no values"
  // CHECK: tl.check %{{.*}}, "expected {}, but got {}"{{ *}}[%{{.*}}, %{{.*}} : i64, f64]
  tl.check %ok, "expected {}, but got {}" [%n, %f : i64, f64]
  // CANON-NOT: always
  %true = arith.constant true
  tl.check %true, "always"
  return
}
