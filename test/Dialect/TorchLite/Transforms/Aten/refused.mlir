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

// Random numbers of a generator that the program brings.

module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %g = tl.constant "a" -> !tl.str
    // expected-error @+1 {{a generator of the program's own is not supported}}
    %2 = tl.aten "random"(%x, %g) : (!tl.tensor, !tl.str) -> !tl.tensor
    return %2 : !tl.tensor
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
