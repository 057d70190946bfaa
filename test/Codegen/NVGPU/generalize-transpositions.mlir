// A transposition merges with what is elementwise around it: one kernel for all.
// RUN: tl-opt %s --tl-nvgpu-generalize-transpositions | FileCheck %s --check-prefix=GENERIC
// RUN: tl-opt %s --tl-nvgpu-pipeline="stage=launches report=true" -o /dev/null 2>&1 | FileCheck %s --check-prefix=ONE

// GENERIC: #[[$TURNED:.*]] = affine_map<(d0, d1) -> (d1, d0)>
// GENERIC-LABEL: func.func @forward
// GENERIC: math.tanh
// GENERIC-NOT: linalg.transpose
// GENERIC: linalg.generic {indexing_maps = [#[[$TURNED]], #{{.*}}], iterator_types = ["parallel", "parallel"]}
// GENERIC-NEXT: ^bb0(%[[IN:.*]]: f32, %{{.*}}: f32):
// GENERIC-NEXT: linalg.yield %[[IN]]
// GENERIC: arith.addf

// ONE: kernel 'generic' by strategy 'transpose'
// ONE-NOT: remark
#same = affine_map<(i, j) -> (i, j)>
func.func @forward(%x: tensor<64x96xf32>, %y: tensor<96x64xf32>) -> tensor<96x64xf32>
    attributes {tl.method = "forward", tl.variant = 0 : i64} {
  %rows = tensor.empty() : tensor<64x96xf32>
  %columns = tensor.empty() : tensor<96x64xf32>
  %tanh = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<64x96xf32>) outs(%rows : tensor<64x96xf32>) {
  ^bb0(%a: f32, %out: f32):
    %t = math.tanh %a : f32
    linalg.yield %t : f32
  } -> tensor<64x96xf32>
  %turned = linalg.transpose ins(%tanh : tensor<64x96xf32>) outs(%columns : tensor<96x64xf32>) permutation = [1, 0]
  %sum = linalg.generic {indexing_maps = [#same, #same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%turned, %y : tensor<96x64xf32>, tensor<96x64xf32>) outs(%columns : tensor<96x64xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<96x64xf32>
  return %sum : tensor<96x64xf32>
}
