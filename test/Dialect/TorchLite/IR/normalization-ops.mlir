// RUN: tl-opt %s | FileCheck %s

// CHECK-LABEL: func @norms
func.func @norms(%x: tensor<8x?x64xf32>, %w: tensor<64xf32>, %c: tensor<?xf32>) {
  // CHECK: tl.softmax %{{.*}} dim 1 : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
  %0 = tl.softmax %x dim 1 : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
  // CHECK: tl.log_softmax %{{.*}} dim 2 : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
  %1 = tl.log_softmax %x dim 2 : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
  // CHECK: tl.layer_norm %{{.*}} weight %{{.*}} num_dims 1 eps 1.000000e-05 : tensor<8x?x64xf32> weight tensor<64xf32> -> tensor<8x?x64xf32>
  %2 = tl.layer_norm %x weight %w num_dims 1 eps 1.0e-5
     : tensor<8x?x64xf32> weight tensor<64xf32> -> tensor<8x?x64xf32>
  // CHECK: tl.layer_norm %{{.*}} num_dims 2 eps 1.000000e-05 : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
  %3 = tl.layer_norm %x num_dims 2 eps 1.0e-5 : tensor<8x?x64xf32> -> tensor<8x?x64xf32>
  // CHECK: tl.batch_norm %{{.*}} mean %{{.*}} variance %{{.*}} bias %{{.*}} eps 1.000000e-03 : {{.*}} bias tensor<?xf32> -> tensor<8x?x64xf32>
  %4 = tl.batch_norm %x mean %c variance %c bias %c eps 1.0e-3
     : tensor<8x?x64xf32>, tensor<?xf32>, tensor<?xf32> bias tensor<?xf32> -> tensor<8x?x64xf32>
  return
}

// CHECK-LABEL: func @attention
func.func @attention(%q: tensor<1x8x?x64xf32>, %v: tensor<1x8x?x32xf32>, %m: tensor<?x?xi1>) {
  // CHECK: tl.attention %{{.*}}, %{{.*}}, %{{.*}} is_causal : {{.*}} -> tensor<1x8x?x32xf32>
  %0 = tl.attention %q, %q, %v is_causal
     : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x32xf32> -> tensor<1x8x?x32xf32>
  // CHECK: tl.attention %{{.*}}, %{{.*}}, %{{.*}} mask %{{.*}} scale 2.000000e+00 : {{.*}} mask tensor<?x?xi1> -> tensor<1x8x?x32xf32>
  %1 = tl.attention %q, %q, %v mask %m scale 2.0
     : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x32xf32> mask tensor<?x?xi1>
    -> tensor<1x8x?x32xf32>
  return
}
