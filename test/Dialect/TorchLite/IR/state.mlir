// RUN: tl-opt %s --split-input-file --verify-diagnostics

tl.state @a "h" [tensor<0xf32>, tensor<2x?xf32>] initial dense<> : tensor<0xf32>
tl.state @b "cache.0" [unit, tensor<2xf32>] initial unit
tl.state @c "count" [0 : i64, 1 : i64] initial unit
tl.state @d "steps" [i64] initial 3 : i64

// -----

// expected-error@+1 {{expected a type for state signature 0}}
tl.state @a "h" [] initial unit

// -----

// expected-error@+1 {{expected an initial value of type 'tensor<2xf32>', but got 'tensor<3xf32>'}}
tl.state @a "h" [tensor<2xf32>] initial dense<0.0> : tensor<3xf32>

// -----

// expected-error@+1 {{expected an initial value of type 'i64'}}
tl.state @a "h" [i64] initial unit

// -----

// expected-error@+1 {{expected no initial value, as the leaf holds none in state signature 0}}
tl.state @a "h" [#tl.none] initial 1 : i64
