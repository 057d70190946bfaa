// 2 * x, as tl-specialize leaves it.
func.func @forward(%x: tensor<3xf32>) -> tensor<3xf32>
    attributes {tl.method = "forward", tl.variant = 0 : i64,
                tl.arguments = [{name = "x", type = tensor<3xf32>}],
                tl.result = tensor<3xf32>} {
  %0 = tl.add %x, %x : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
  return %0 : tensor<3xf32>
}
