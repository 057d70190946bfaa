func.func @forward(%x: tensor<3xf32>) -> tensor<3xf32>
    attributes {tl.method = "forward", tl.variant = 0 : i64, tl.result = tensor<3xf32>,
                tl.arguments = [{name = "x", type = tensor<3xf32>}]} {
  return %x : tensor<3xf32>
}
