// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(4x3xcomplex64,4x3xcomplex64)" | FileCheck %s

// mul: on the parts.
// CHECK-LABEL: func.func @forward
// CHECK-SAME: %[[X:arg0]]: tensor<4x3xcomplex<f32>>{{.*}}, %[[Y:arg1]]: tensor<4x3xcomplex<f32>>
// CHECK-DAG: %[[A:.*]] = tl.real %[[X]] 
// CHECK-DAG: %[[B:.*]] = tl.imag %[[X]] 
// CHECK-DAG: %[[C:.*]] = tl.real %[[Y]] 
// CHECK-DAG: %[[D:.*]] = tl.imag %[[Y]] 
// CHECK-DAG: %[[AC:.*]] = tl.mul %[[A]], %[[C]]
// CHECK-DAG: %[[BD:.*]] = tl.mul %[[B]], %[[D]]
// CHECK-DAG: %[[RE:.*]] = tl.sub %[[AC]], %[[BD]]
// CHECK: tl.complex %[[RE]], %{{.*}} -> tensor<4x3xcomplex<f32>>
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tensor {
    %0 = tl.aten "mul.Tensor"(%x, %y) : (!tl.tensor, !tl.tensor) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// A write through the imaginary part reaches the whole, whose real part stays.
// CHECK-LABEL: func.func @forward
// CHECK-SAME: %[[X:arg0]]: tensor<4x3xcomplex<f32>>
// CHECK: %[[IM:.*]] = tl.imag %[[X]] :
// CHECK: %[[NEG:.*]] = tl.neg %[[IM]] :
// CHECK: %[[RE:.*]] = tl.real %[[X]] :
// CHECK: tl.complex %[[RE]], %[[NEG]] :
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %y: !tl.tensor {tl.name = "y"}) -> !tl.tensor {
    %none = tl.constant #tl.none -> !tl.none
    %0 = tl.aten "clone"(%x, %none) : (!tl.tensor, !tl.none) -> !tl.tensor
    %1 = tl.aten "imag"(%0) : (!tl.tensor) -> !tl.tensor
    %2 = tl.aten "neg_"(%1) : (!tl.tensor) -> !tl.tensor
    return %0 : !tl.tensor
  }
}
