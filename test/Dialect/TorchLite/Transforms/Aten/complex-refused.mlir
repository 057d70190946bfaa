// RUN: tl-opt %s --tl-specialize="signature=forward(2xf32)" --verify-diagnostics

// A complex number of Python is a tensor inside of the program, and nothing outside.
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  // expected-error @below {{the result is a complex number, which cannot leave the program}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> complex<f64> {
    %0 = tl.constant [0.0 : f64, 1.0 : f64] -> complex<f64>
    return %0 : complex<f64>
  }
}
