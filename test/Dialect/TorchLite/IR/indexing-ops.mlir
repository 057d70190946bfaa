// RUN: tl-opt %s | FileCheck %s

// CHECK-LABEL: func @indexing
func.func @indexing(%x: tensor<4x10x3xf32>, %i: tensor<2x?xi64>, %g: tensor<4x2x?xi64>,
                    %s: tensor<4x2x?x3xf32>, %t: tensor<4x5x3xf32>, %b: tensor<4x?xi1>) {
  // CHECK: tl.take %{{.*}}, %{{.*}} dim 1 : tensor<4x10x3xf32>, tensor<2x?xi64> -> tensor<4x2x?x3xf32>
  %0 = tl.take %x, %i dim 1 : tensor<4x10x3xf32>, tensor<2x?xi64> -> tensor<4x2x?x3xf32>
  // CHECK: tl.gather %{{.*}}, %{{.*}} dim 1 : tensor<4x10x3xf32>, tensor<4x2x?xi64> -> tensor<4x2x?xf32>
  %1 = tl.gather %x, %g dim 1 : tensor<4x10x3xf32>, tensor<4x2x?xi64> -> tensor<4x2x?xf32>
  // CHECK: tl.put %{{.*}}, %{{.*}}, %{{.*}} dim 1 accumulate : {{.*}} -> tensor<4x10x3xf32>
  %2 = tl.put %x, %i, %s dim 1 accumulate
     : tensor<4x10x3xf32>, tensor<2x?xi64>, tensor<4x2x?x3xf32> -> tensor<4x10x3xf32>
  // CHECK: tl.scatter amax %{{.*}}, %{{.*}}, %{{.*}} dim 1 : {{.*}} -> tensor<4x10x3xf32>
  %3 = tl.scatter amax %x, %g, %t dim 1
     : tensor<4x10x3xf32>, tensor<4x2x?xi64>, tensor<4x5x3xf32> -> tensor<4x10x3xf32>
  // CHECK: tl.sort %{{.*}} dim 2 descending : tensor<4x10x3xf32> -> tensor<4x10x3xf32>, tensor<4x10x3xi64>
  %4, %5 = tl.sort %x dim 2 descending
     : tensor<4x10x3xf32> -> tensor<4x10x3xf32>, tensor<4x10x3xi64>
  // CHECK: tl.nonzero %{{.*}} : tensor<4x?xi1> -> tensor<?x2xi64>
  %6 = tl.nonzero %b : tensor<4x?xi1> -> tensor<?x2xi64>
  return
}
