// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(2x3xi64)" --verify-diagnostics

// PyTorch refuses it too.

module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %n = tl.constant #tl.none -> !tl.none
    // expected-warning @+1 {{this always raises: mean(): could not infer output dtype}}
    %0 = tl.aten "mean"(%x, %n) : (!tl.tensor, !tl.none) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// Random numbers.

module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %p = tl.constant 5.0e-1 : f64 -> f64
    %t = tl.constant true -> i1
    // expected-error @+1 {{dropout: training draws random numbers, which is not supported}}
    %0 = tl.aten "dropout"(%x, %p, %t) : (!tl.tensor, f64, i1) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// Sizes that do not fit.

module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %n = tl.constant #tl.none -> !tl.none
    // expected-warning @+1 {{this always raises: mm: the inner sizes of the matrices differ}}
    %0 = tl.aten "mm"(%x, %x) : (!tl.tensor, !tl.tensor) -> !tl.tensor
    return %0 : !tl.tensor
  }
}
