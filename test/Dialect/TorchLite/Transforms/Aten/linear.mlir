// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(2x5x4xf32,3x4xf32)" | FileCheck %s

// linear folds the leading dimensions.
// CHECK-LABEL: func.func @forward
// CHECK: %[[X:.*]] = tl.reshape %arg0 : tensor<2x5x4xf32> to tensor<10x4xf32>
// CHECK: %[[P:.*]] = tl.matmul %[[X]], %arg1 transpose_b : tensor<10x4xf32>, tensor<3x4xf32> -> tensor<10x3xf32>
// CHECK: tl.reshape %[[P]] : tensor<10x3xf32> to tensor<2x5x3xf32>
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %w: !tl.tensor {tl.name = "w"}) -> !tl.tensor {
    %n = tl.constant #tl.none -> !tl.none
    %0 = tl.aten "linear"(%x, %w, %n) : (!tl.tensor, !tl.tensor, !tl.none) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// einsum is one batched product.
// CHECK-LABEL: func.func @forward
// CHECK: tl.matmul %{{.*}}, %{{.*}} : tensor<1x10x4xf32>, tensor<1x4x3xf32> -> tensor<1x10x3xf32>
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}, %w: !tl.tensor {tl.name = "w"}) -> !tl.tensor {
    %e = tl.constant "bik,jk->bij" -> !tl.str
    %n = tl.constant #tl.none -> !tl.none
    %l = tl.list_construct %x, %w : (!tl.tensor, !tl.tensor) -> !tl.list<!tl.tensor>
    %0 = tl.aten "einsum"(%e, %l, %n) : (!tl.str, !tl.list<!tl.tensor>, !tl.none) -> !tl.tensor
    return %0 : !tl.tensor
  }
}
