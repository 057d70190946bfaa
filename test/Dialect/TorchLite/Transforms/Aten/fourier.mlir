// RUN: tl-opt %s --split-input-file --tl-specialize="signature=forward(16x12xf32)" | FileCheck %s

// rfft: 16 transforms are the columns of two matrices; numbers at even and odd places are the parts of a transform
// of half the length, from which the mirrored rows take what is asked for.
// CHECK-LABEL: func.func @forward
// CHECK: tl.permute %{{.*}} : tensor<2x8x6x2xf32> -> tensor<2x2x6x8xf32>
// CHECK: tl.fourier %{{.*}} : tensor<2x6x8xf32>, tensor<2x6x8xf32>, tensor<2x6xf32>
// CHECK: tl.concat
// CHECK: tl.flip
// CHECK: tl.complex %{{.*}} -> tensor<16x7xcomplex<f32>>
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %none = tl.constant #tl.none -> !tl.none
    %dim = tl.constant -1 : i64 -> i64
    %0 = tl.aten "fft_rfft"(%x, %none, %dim, %none) : (!tl.tensor, !tl.none, i64, !tl.none) -> !tl.tensor
    return %0 : !tl.tensor
  }
}

// -----

// Along another dimension there is nothing to move. The inverse exchanges the parts.
// CHECK-LABEL: func.func @forward
// CHECK-NOT: tl.permute
// CHECK: %[[RE:.*]], %[[IM:.*]] = tl.fourier %{{.*}} : tensor<1x16x12xf32>, tensor<1x16x12xf32>, tensor<2x16xf32>
// CHECK: tl.mul %{{.*}}, %{{.*}} : tensor<16x12xf32>, tensor<f32>
// CHECK: tl.complex %{{.*}} -> tensor<16x12xcomplex<f32>>
module attributes {tl.root = @root} {
  tl.class @M {
    tl.method "forward" @M.forward {exported}
  }
  tl.object @root : !tl.object<@M> {slots = {}}
  func.func @M.forward(%self: !tl.object<@M>, %x: !tl.tensor {tl.name = "x"}) -> !tl.tensor {
    %none = tl.constant #tl.none -> !tl.none
    %dim = tl.constant 0 : i64 -> i64
    %0 = tl.aten "fft_ifft"(%x, %none, %dim, %none) : (!tl.tensor, !tl.none, i64, !tl.none) -> !tl.tensor
    return %0 : !tl.tensor
  }
}
