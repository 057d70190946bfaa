// RUN: tl-opt %s --split-input-file --verify-diagnostics --tl-specialize="signature=forward(3x4xf32,int)"

// Which of two tensors is written is known only at run time, and one of them is used behind it.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}, %n: i64) -> !tl.tensor {
  %zero = tl.constant 0 : i64 -> i64
  %one = tl.constant 1 : i64 -> i64
  %a = tl.aten "relu"(%x) : (!tl.tensor) -> !tl.tensor
  %b = tl.aten "sigmoid"(%x) : (!tl.tensor) -> !tl.tensor
  %c = tl.aten "gt.int"(%n, %zero) : (i64, i64) -> i1
  %t = tl.if %c -> (!tl.tensor) {
    tl.yield %a : !tl.tensor
  } else {
    tl.yield %b : !tl.tensor
  }
  // expected-error@+1 {{a write in place to a tensor that may share memory with another one}}
  %r = tl.aten "add_.Scalar"(%t, %one, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
  return %a : !tl.tensor
}
}

// -----

// An expanded tensor has no memory of its own.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}, %n: i64) -> !tl.tensor {
  %two = tl.constant 2 : i64 -> i64
  %m = tl.constant -1 : i64 -> i64
  %f = tl.constant false -> i1
  %l = tl.list_construct %two, %m, %m : (i64, i64, i64) -> !tl.list<i64>
  %e = tl.aten "expand"(%x, %l, %f) : (!tl.tensor, !tl.list<i64>, i1) -> !tl.tensor
  // expected-error@+1 {{a write in place to an expanded tensor: several elements refer to a single memory location}}
  %r = tl.aten "relu_"(%e) : (!tl.tensor) -> !tl.tensor
  return %r : !tl.tensor
}
}
