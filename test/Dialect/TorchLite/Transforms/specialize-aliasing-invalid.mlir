// RUN: tl-opt %s --split-input-file --verify-diagnostics --tl-specialize="signature=forward(3x4xf32,int)"

// How an operator lays out its result where its operand is not contiguous is not known, so neither is whether
// a reshape of it is a copy.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}, %n: i64) -> !tl.tensor {
  %m = tl.constant -1 : i64 -> i64
  %t = tl.aten "t"(%x) : (!tl.tensor) -> !tl.tensor
  %l = tl.list_construct %m : (i64) -> !tl.list<i64>
  %y = tl.aten "relu"(%t) : (!tl.tensor) -> !tl.tensor
  // expected-note@+1 {{which one is decided here}}
  %f = tl.aten "reshape"(%y, %l) : (!tl.tensor, !tl.list<i64>) -> !tl.tensor
  // expected-error@+1 {{a write in place to a tensor that may share memory with another one}}
  %r = tl.aten "relu_"(%f) : (!tl.tensor) -> !tl.tensor
  return %y : !tl.tensor
}
}

// -----

// An expanded tensor has no memory of its own. PyTorch raises, but for fills.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}, %n: i64) -> !tl.tensor {
  %two = tl.constant 2 : i64 -> i64
  %m = tl.constant -1 : i64 -> i64
  %f = tl.constant false -> i1
  %l = tl.list_construct %two, %m, %m : (i64, i64, i64) -> !tl.list<i64>
  %e = tl.aten "expand"(%x, %l, %f) : (!tl.tensor, !tl.list<i64>, i1) -> !tl.tensor
  // expected-error@+1 {{a write in place to an expanded tensor is not supported: more than one element}}
  %r = tl.aten "zero_"(%e) : (!tl.tensor) -> !tl.tensor
  return %r : !tl.tensor
}
}

// -----

// The first arms stay open up to the end, as the write asks for it of the second ones: what is returned is
// compared there, though no name of the method is used behind its end.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}, %n: i64) -> !tl.tuple<!tl.tensor, !tl.dict<!tl.str, !tl.tensor>> {
  %r = tl.constant "r" -> !tl.str
  %p = tl.constant "p" -> !tl.str
  %two = tl.constant 2 : i64 -> i64
  %none = tl.constant #tl.none -> !tl.none
  %a = tl.aten "clone"(%x, %none) : (!tl.tensor, !tl.none) -> !tl.tensor
  %y = tl.aten "relu"(%x) : (!tl.tensor) -> !tl.tensor
  %d = tl.dict_construct %p, %a : (!tl.str, !tl.tensor) -> !tl.dict<!tl.str, !tl.tensor>
  %c = tl.aten "gt.int"(%n, %two) : (i64, i64) -> i1
  // expected-error@+1 {{the arms give a dict of length 2 and one of length 1}}
  tl.if %c {
    tl.aten "_set_item.str"(%d, %r, %a) : (!tl.dict<!tl.str, !tl.tensor>, !tl.str, !tl.tensor) -> ()
    tl.yield
  } else {
    tl.yield
  }
  %e = tl.aten "lt.int"(%n, %two) : (i64, i64) -> i1
  %k = tl.if %e -> (!tl.tensor) {
    tl.yield %a : !tl.tensor
  } else {
    tl.yield %y : !tl.tensor
  }
  // expected-note@+1 {{it cannot live at run time either: a write in place to a tensor that a list or dict holds}}
  %w = tl.aten "relu_"(%a) : (!tl.tensor) -> !tl.tensor
  %t = tl.tuple_construct %k, %d : (!tl.tensor, !tl.dict<!tl.str, !tl.tensor>) -> !tl.tuple<!tl.tensor, !tl.dict<!tl.str, !tl.tensor>>
  return %t : !tl.tuple<!tl.tensor, !tl.dict<!tl.str, !tl.tensor>>
}
}

// -----

// What becomes another tensor in place has to be known by all its names: an argument's caller has one, too.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}, %n: i64) -> !tl.tensor {
  // expected-error@+1 {{a tensor that becomes another one in place is not supported unless it is the result of an operator of this method}}
  %r = tl.aten "t_"(%x) : (!tl.tensor) -> !tl.tensor
  return %r : !tl.tensor
}
}

// -----

// `contiguous` gives the tensor itself, or another one.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}, %n: i64) -> (!tl.tuple<!tl.tensor, !tl.tensor>) {
  %format = tl.constant 0 : i64 -> i64
  %y = tl.aten "relu"(%x) : (!tl.tensor) -> !tl.tensor
  %z = tl.aten "contiguous"(%y, %format) : (!tl.tensor, i64) -> !tl.tensor
  // expected-error@+1 {{a tensor that becomes another one in place is not supported if another name may mean the same tensor}}
  %r = tl.aten "t_"(%y) : (!tl.tensor) -> !tl.tensor
  %t = tl.tuple_construct %z, %r : (!tl.tensor, !tl.tensor) -> !tl.tuple<!tl.tensor, !tl.tensor>
  return %t : !tl.tuple<!tl.tensor, !tl.tensor>
}
}

// -----

// PyTorch resizes it, with a warning.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}, %n: i64) -> !tl.tensor {
  %zero = tl.constant 0 : i64 -> i64
  %y = tl.aten "select.int"(%x, %zero, %zero) : (!tl.tensor, i64, i64) -> !tl.tensor
  %z = tl.aten "relu"(%y) : (!tl.tensor) -> !tl.tensor
  // expected-error@+1 {{out= a tensor that is neither empty nor known to have the size of the result is not supported}}
  %r = tl.aten "exp.out"(%x, %z) : (!tl.tensor, !tl.tensor) -> !tl.tensor
  return %r : !tl.tensor
}
}

// -----

// Also where an operand in a list shares its memory. PyTorch raises.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}, %n: i64) -> !tl.tensor {
  %zero = tl.constant 0 : i64 -> i64
  %one = tl.constant 1 : i64 -> i64
  %three = tl.constant 3 : i64 -> i64
  %y = tl.aten "relu"(%x) : (!tl.tensor) -> !tl.tensor
  %a = tl.aten "slice.Tensor"(%y, %zero, %one, %three, %one) : (!tl.tensor, i64, i64, i64, i64) -> !tl.tensor
  %b = tl.aten "slice.Tensor"(%y, %zero, %zero, %one, %one) : (!tl.tensor, i64, i64, i64, i64) -> !tl.tensor
  %l = tl.list_construct %a, %b : (!tl.tensor, !tl.tensor) -> !tl.list<!tl.tensor>
  // expected-error@+1 {{out= a tensor that shares memory with an operand is not supported}}
  %r = tl.aten "cat.out"(%l, %zero, %y) : (!tl.list<!tl.tensor>, i64, !tl.tensor) -> !tl.tensor
  return %r : !tl.tensor
}
}

// -----

// Two results in one tensor.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}, %n: i64) -> !tl.tensor {
  %zero = tl.constant 0 : i64 -> i64
  %false = tl.constant false -> i1
  %o = tl.aten "select.int"(%x, %zero, %zero) : (!tl.tensor, i64, i64) -> !tl.tensor
  %y = tl.aten "relu"(%o) : (!tl.tensor) -> !tl.tensor
  // expected-error@+1 {{out= two tensors that share memory is not supported}}
  %r:2 = tl.aten "aminmax.out"(%x, %zero, %false, %y, %y) : (!tl.tensor, i64, i1, !tl.tensor, !tl.tensor) -> (!tl.tensor, !tl.tensor)
  return %r#0 : !tl.tensor
}
}
