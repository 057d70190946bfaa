// RUN: tl-opt %s --tl-link | FileCheck %s

// What no exported method reaches goes; what is called, held by an object or named by a type stays.
module attributes {tl.root = @root} {
// CHECK: tl.class @C
// CHECK: tl.method "forward" @C.forward {exported}
// CHECK-NOT: @C.unused
tl.class @C {
  tl.attr "child" : !tl.object<@D>
  tl.method "forward" @C.forward {exported}
  tl.method "unused" @C.unused
}
// CHECK: tl.class @D
// CHECK: tl.method "helper" @D.helper
tl.class @D {
  tl.attr "w" : !tl.tensor
  tl.method "helper" @D.helper
}
// CHECK-NOT: @Unused
tl.class @Unused {}
// CHECK: tl.storage @s0
tl.storage @s0 = dense<1.0> : tensor<2xf32>
// CHECK-NOT: tl.storage @s1
tl.storage @s1 = dense<1.0> : tensor<2xf32>
// CHECK: tl.object @child
tl.object @child : !tl.object<@D> {
  slots = {w = #tl.tensor_ref<@s0, offset = 0, sizes = [2], strides = [1], f32>}
}
// CHECK: tl.object @root
tl.object @root : !tl.object<@C> { slots = {child = @child} }
// CHECK: func.func @C.forward
func.func @C.forward(%self: !tl.object<@C>) -> !tl.tensor {
  %d = tl.get_attr %self "child" : !tl.object<@C> -> !tl.object<@D>
  %r = tl.call_method "helper"(%d) : (!tl.object<@D>) -> !tl.tensor
  return %r : !tl.tensor
}
// CHECK: func.func @D.helper
func.func @D.helper(%self: !tl.object<@D>) -> !tl.tensor {
  %w = tl.get_attr %self "w" : !tl.object<@D> -> !tl.tensor
  %r = tl.call @called(%w) : (!tl.tensor) -> !tl.tensor
  return %r : !tl.tensor
}
// CHECK: func.func @called
func.func @called(%x: !tl.tensor) -> !tl.tensor {
  return %x : !tl.tensor
}
// CHECK-NOT: func.func
func.func @C.unused(%self: !tl.object<@C>) -> !tl.none {
  %none = tl.constant #tl.none -> !tl.none
  return %none : !tl.none
}
}
