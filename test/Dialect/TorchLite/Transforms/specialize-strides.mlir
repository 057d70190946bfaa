// A reshape shares memory where what it reshapes is contiguous, and copies elsewhere. Where a write may be
// seen through it, the method is for contiguous arguments.
// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(3x4xf32)" | FileCheck %s

module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// The caller sees the write.
// CHECK-LABEL: func.func @forward
// CHECK-SAME: tl.contiguous
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
  %one = tl.constant 1 : i64 -> i64
  %m = tl.constant -1 : i64 -> i64
  %l = tl.list_construct %m : (i64) -> !tl.list<i64>
  %v = tl.aten "reshape"(%x, %l) : (!tl.tensor, !tl.list<i64>) -> !tl.tensor
  %w = tl.aten "add_.Scalar"(%v, %one, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
  return %w : !tl.tensor
}
}

// -----

module attributes {tl.root = @root} {
tl.class @C { tl.method "forward" @C.forward {exported} }
tl.object @root : !tl.object<@C> { slots = {} }
// Nobody reads what was reshaped after the write.
// CHECK-LABEL: func.func @forward
// CHECK-NOT: tl.contiguous
func.func @C.forward(%self: !tl.object<@C>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
  %one = tl.constant 1 : i64 -> i64
  %m = tl.constant -1 : i64 -> i64
  %y = tl.aten "add.Scalar"(%x, %one, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
  %l = tl.list_construct %m : (i64) -> !tl.list<i64>
  %v = tl.aten "reshape"(%y, %l) : (!tl.tensor, !tl.list<i64>) -> !tl.tensor
  %w = tl.aten "add_.Scalar"(%v, %one, %one) : (!tl.tensor, i64, i64) -> !tl.tensor
  return %w : !tl.tensor
}
}
