// RUN: tl-opt %s --tl-bind-frame -split-input-file -verify-diagnostics

// expected-error @below {{expected argument 0 to be a tensor, i64, f64 or i1, but got 'i32'}}
func.func @argument(%x: i32) attributes {tl.method = "f"} {
  return
}

// -----

// expected-error @below {{expected result 0 to be a tensor, i64, f64 or i1, but got 'index'}}
func.func @result() -> index attributes {tl.method = "f"} {
  %c0 = arith.constant 0 : index
  return %c0 : index
}
