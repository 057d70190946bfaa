// RUN: tl-opt %s --split-input-file --verify-diagnostics --tl-specialize="signature=forward(int)"

// Every operator without a rule is reported, with all its uses; what depends on it is not.
module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %a: i64 {tl.name = "a"}) -> i64 {
  // expected-error@+1 {{the operator 'first_missing' is not supported (2 uses)}}
  %x = tl.aten "first_missing"(%a) : (i64) -> i64
  %y = tl.aten "add.int"(%x, %x) : (i64, i64) -> i64
  // expected-note@+1 {{and here}}
  %z = tl.aten "first_missing"(%y) : (i64) -> i64
  // expected-error@+1 {{the operator 'second_missing' is not supported}}
  %w = tl.aten "second_missing"(%z) : (i64) -> i64
  return %w : i64
}
}

// -----

module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// expected-error@+1 {{'forward' takes 2 arguments, but the signature gives 1: expected List[Tensor] for argument 'b'}}
func.func @C.forward(%self: !tl.object<@C>, %a: i64 {tl.name = "a"}, %b: !tl.list<!tl.tensor> {tl.name = "b"}) -> i64 {
  return %a : i64
}
}

// -----

module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// expected-error@+1 {{expected Tensor for argument 'a' of 'forward', but the signature gives int}}
func.func @C.forward(%self: !tl.object<@C>, %a: !tl.tensor {tl.name = "a"}) -> !tl.tensor {
  return %a : !tl.tensor
}
}

// -----

module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.forward(%self: !tl.object<@C>, %a: i64 {tl.name = "a"}) -> !tl.none {
  %m = tl.constant "no {} here" -> !tl.str
  %c = tl.constant "" -> !tl.str
  // expected-warning@+1 {{this always raises: no { } here}}
  tl.raise %m, %c : !tl.str, !tl.str
  %none = tl.constant #tl.none -> !tl.none
  return %none : !tl.none
}
}

// -----

// expected-error@+1 {{there is no method 'forward'; the model exports step}}
module attributes {tl.root = @root} {
tl.class @C { tl.method "step" @C.step {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
func.func @C.step(%self: !tl.object<@C>, %a: i64) -> i64 {
  return %a : i64
}
}
