// Tensors of a hand-written object graph stay in their storages; sizes that overflow are none.
// RUN: tl-opt %s --split-input-file --verify-diagnostics
tl.class @C { tl.attr "w" : !tl.tensor }
tl.storage @s = dense<[1.0, 2.0]> : tensor<2xf32>
tl.object @inside : !tl.object<@C> {slots = {w = #tl.tensor_ref<@s, offset = 1, sizes = [3], strides = [0], f32>}}
tl.object @empty : !tl.object<@C> {slots = {w = #tl.tensor_ref<@s, offset = 9, sizes = [0, 4], strides = [4, 1], f32>}}

// -----
tl.class @C { tl.attr "w" : !tl.tensor }
tl.storage @s = dense<[1.0, 2.0]> : tensor<2xf32>
// expected-error @+1 {{the tensor 'w': it reaches element 2 of a storage of 2}}
tl.object @o : !tl.object<@C> {slots = {w = #tl.tensor_ref<@s, offset = 1, sizes = [2], strides = [1], f32>}}

// -----
tl.class @C { tl.attr "w" : !tl.tensor }
tl.storage @s = dense<[1.0, 2.0]> : tensor<2xf32>
// expected-error @+1 {{the tensor 'w': its sizes and strides exceed 64 bits}}
tl.object @o : !tl.object<@C> {slots = {w = #tl.tensor_ref<@s, offset = 0, sizes = [4611686018427387904, 16], strides = [0, 0], f32>}}

// -----
tl.class @C { tl.attr "w" : !tl.list<!tl.tensor> }
tl.storage @s = dense<[1.0, 2.0]> : tensor<2xf32>
// expected-error @+1 {{the tensor 'w': 2 sizes but 1 strides}}
tl.object @o : !tl.object<@C> {slots = {w = [#tl.tensor_ref<@s, offset = 0, sizes = [1, 1], strides = [1], f32>]}}

// -----
tl.class @C { tl.attr "w" : !tl.tensor }
// expected-error @+1 {{the tensor 'w': expected a tl.storage @none}}
tl.object @o : !tl.object<@C> {slots = {w = #tl.tensor_ref<@none, offset = 0, sizes = [1], strides = [1], f32>}}

// -----
tl.class @C { tl.attr "w" : !tl.tensor }
tl.storage @s = dense<[1.0, 2.0]> : tensor<2xf32>
// expected-error @+1 {{the tensor 'w': its elements are 'f64', those of @s are 'f32'}}
tl.object @o : !tl.object<@C> {slots = {w = #tl.tensor_ref<@s, offset = 0, sizes = [1], strides = [1], f64>}}

// -----
// expected-error @+1 {{its resource has 4 bytes, which is not what 'tensor<2xf32>' takes}}
tl.storage @s = dense_resource<short> : tensor<2xf32>
{-# dialect_resources: { builtin: { short: "0x040000000000803F" } } #-}
