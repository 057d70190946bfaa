// RUN: tl-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{expected a one-dimensional value, but got 'tensor<1x2xf32>'}}
tl.storage @s0 = dense<[[1.0, 2.0]]> : tensor<1x2xf32>

// -----

// expected-error @+1 {{expected a tl.class @C}}
tl.object @root : !tl.object<@C> {slots = {}}

// -----

tl.class @C {
  tl.attr "n" : i64
}
// expected-error @+1 {{expected a value for the attribute 'n'}}
tl.object @root : !tl.object<@C> {slots = {}}

// -----

tl.class @C {
}
// expected-error @+1 {{the class has no attribute 'n'}}
tl.object @root : !tl.object<@C> {slots = {n = 1}}

// -----

func.func @f(%c: i1, %x: i64) {
  // expected-error @+1 {{expected the body's first argument to be the trip number of type i64}}
  tl.loop %x while %c {
    tl.continue %c
  }
  return
}

// -----

func.func @f(%c: i1, %x: i64) {
  %0 = tl.if %c -> (i64) {
    tl.yield %x : i64
  } else {
    // expected-error @+1 {{expected 1 values, but got 0}}
    tl.yield
  }
  return
}

// -----

func.func @f(%x: i64) {
  // expected-error @+1 {{expected the object as first operand}}
  tl.call_method "forward"(%x) : (i64) -> ()
  return
}

// -----

func.func @f(%t: !tl.tuple<i64, i1>) {
  // expected-error @+1 {{expected 2 results, but got 1}}
  %0 = tl.tuple_unpack %t : !tl.tuple<i64, i1> -> i64
  return
}

// -----

func.func @f(%x: i64) {
  // expected-error @+1 {{expected keys and values in pairs, but got 1 operands}}
  %0 = tl.dict_construct %x : (i64) -> !tl.dict<i64, i64>
  return
}

// -----

// expected-error @+1 {{expected as many values as keys (1), but got 0}}
func.func private @g() attributes {a = #tl.dict<["a"], []>}
