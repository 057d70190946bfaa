#map = affine_map<(i) -> (i)>
func.func @forward(%x: tensor<5xf32>, %y: tensor<3xf64>) -> (tensor<5xbf16>, tensor<3xbf16>)
    attributes {tl.method = "forward", tl.variant = 0 : i64,
                tl.result = {tuple = [tensor<5xbf16>, tensor<3xbf16>]},
                tl.arguments = [{name = "x", type = tensor<5xf32>}, {name = "y", type = tensor<3xf64>}]} {
  %empty = tensor.empty() : tensor<5xbf16>
  %0 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
      ins(%x : tensor<5xf32>) outs(%empty : tensor<5xbf16>) {
  ^bb0(%in: f32, %out: bf16):
    %t = arith.truncf %in : f32 to bf16
    linalg.yield %t : bf16
  } -> tensor<5xbf16>
  %empty2 = tensor.empty() : tensor<3xbf16>
  %1 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
      ins(%y : tensor<3xf64>) outs(%empty2 : tensor<3xbf16>) {
  ^bb0(%in: f64, %out: bf16):
    %t = arith.truncf %in : f64 to bf16
    linalg.yield %t : bf16
  } -> tensor<3xbf16>
  return %0, %1 : tensor<5xbf16>, tensor<3xbf16>
}
