// An element of what is computed, at an index that nobody checks.
func.func @forward(%x: tensor<4xf32>, %i: i64) -> tensor<f32>
    attributes {tl.arguments = [{name = "x", type = tensor<4xf32>}, {name = "i", type = i64}],
                tl.method = "forward", tl.result = tensor<f32>, tl.variant = 0 : i64} {
  %sum = tl.add %x, %x : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %at = arith.index_cast %i : i64 to index
  %part = tensor.extract_slice %sum[%at] [1] [1] : tensor<4xf32> to tensor<1xf32>
  %element = tl.reshape %part : tensor<1xf32> to tensor<f32>
  return %element : tensor<f32>
}
