// RUN: tl-opt %s --tl-cpu-share-math="min-total=4 min-uses=3" | FileCheck %s
// RUN: tl-opt %s --tl-cpu-share-math="min-total=5 min-uses=3" | FileCheck %s --check-prefix=FEW

// Three of one kind, wherever they are, become calls; scalars, other flags and operations that
// are short stay.
// FEW-NOT: call
// CHECK-LABEL: func.func @first
// CHECK: %[[A:.*]] = call @tl_tanh(%{{.*}}) : (vector<8xf32>) -> vector<8xf32>
// CHECK: call @tl_tanh(%[[A]])
// CHECK: math.tanh %{{.*}} fastmath<nnan> : vector<8xf32>
func.func @first(%x: vector<8xf32>) -> vector<8xf32> {
  %0 = math.tanh %x : vector<8xf32>
  %1 = math.tanh %0 : vector<8xf32>
  %2 = math.tanh %1 fastmath<nnan> : vector<8xf32>
  return %2 : vector<8xf32>
}

// CHECK-LABEL: func.func @second
// CHECK: call @tl_tanh(
// CHECK: math.tanh %{{.*}} : f32
// CHECK-COUNT-3: math.absf
func.func @second(%x: vector<8xf32>, %y: f32) -> (vector<8xf32>, f32) {
  %0 = math.tanh %x : vector<8xf32>
  %1 = math.tanh %y : f32
  %2 = math.absf %0 : vector<8xf32>
  %3 = math.absf %2 : vector<8xf32>
  %4 = math.absf %3 : vector<8xf32>
  return %4, %1 : vector<8xf32>, f32
}

// CHECK: func.func private @tl_tanh(%[[X:.*]]: vector<8xf32>) -> vector<8xf32> attributes {no_inline}
// CHECK: math.tanh %[[X]] : vector<8xf32>
