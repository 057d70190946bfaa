// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @f(%ok: i1, %n: i64) {
  // expected-error @+1 {{expected as many values as '{}' in the message (2), but got 1}}
  tl.check %ok, "expected {}, but got {}" [%n : i64]
  return
}
