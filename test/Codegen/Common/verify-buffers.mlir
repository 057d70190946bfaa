// RUN: tl-opt %s --tl-bind-frame --tl-bufferize --tl-verify-buffers | FileCheck %s
// RUN: tl-opt %S/bufferize.mlir --tl-bind-frame --tl-bufferize --tl-verify-buffers -o /dev/null

// One value twice, a view of a result, an argument, what a conditional chooses: all are right.
// CHECK-LABEL: func.func @right
func.func @right(%x: tensor<4xf32>, %c: i1)
    -> (tensor<4xf32>, tensor<4xf32>, tensor<2xf32>, tensor<4xf32>, tensor<4xf32>)
    attributes {tl.method = "right"} {
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.square ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %part = tensor.extract_slice %y[1] [2] [1] : tensor<4xf32> to tensor<2xf32>
  %chosen = scf.if %c -> tensor<4xf32> {
    scf.yield %y : tensor<4xf32>
  } else {
    %d = tensor.empty() : tensor<4xf32>
    %z = linalg.exp ins(%x : tensor<4xf32>) outs(%d : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %z : tensor<4xf32>
  }
  return %y, %y, %part, %x, %chosen
      : tensor<4xf32>, tensor<4xf32>, tensor<2xf32>, tensor<4xf32>, tensor<4xf32>
}
