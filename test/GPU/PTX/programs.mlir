// What the strategies make of programs, to machine code for each architecture: nothing spills, and no
// kernel has a stack.
// RUN: tl-opt %s --tl-nvgpu-pipeline="arch=sm_80" --tl-nvgpu-serialize="archs=sm_80,sm_90 report" -o /dev/null 2>&1 | FileCheck %s
// RUN: tl-opt %s --tl-nvgpu-pipeline="arch=sm_80 precision=tf32" --tl-nvgpu-serialize="archs=sm_80 report" -o /dev/null 2>&1 | FileCheck %s --check-prefix=REDUCED
// RUN: tl-opt %s --tl-nvgpu-pipeline="arch=sm_80 precision=bf16" --tl-nvgpu-serialize="archs=sm_80 report" -o /dev/null 2>&1 | FileCheck %s --check-prefix=REDUCED
// RUN: tl-opt %s --tl-nvgpu-pipeline="arch=sm_75" --tl-nvgpu-serialize="archs=sm_75 report" -o /dev/null 2>&1 | FileCheck %s --check-prefix=SM75

// CHECK-NOT: {{it spills|error:|[1-9][0-9]* bytes of stack}}
// CHECK: remark: sm_80: kernel
// CHECK-NOT: {{it spills|error:|[1-9][0-9]* bytes of stack}}
// CHECK: remark: sm_90: kernel
// CHECK-NOT: {{it spills|error:|[1-9][0-9]* bytes of stack}}
// REDUCED-NOT: {{it spills|error:|[1-9][0-9]* bytes of stack}}
// REDUCED: remark: sm_80: kernel
// REDUCED-NOT: {{it spills|error:|[1-9][0-9]* bytes of stack}}
// SM75-NOT: {{it spills|error:|[1-9][0-9]* bytes of stack}}
// SM75: remark: sm_75: kernel
// SM75-NOT: {{it spills|error:|[1-9][0-9]* bytes of stack}}

func.func @matmul_f32(%x: tensor<256x512xf32>, %w: tensor<512x384xf32>) -> tensor<256x384xf32> attributes {tl.method = "matmul_f32", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<256x384xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<256x384xf32>) -> tensor<256x384xf32>
  %y = linalg.matmul ins(%x, %w : tensor<256x512xf32>, tensor<512x384xf32>) outs(%init : tensor<256x384xf32>) -> tensor<256x384xf32>
  return %y : tensor<256x384xf32>
}

func.func @large_matmul_f32(%x: tensor<4096x1024xf32>, %w: tensor<1024x4096xf32>) -> tensor<4096x4096xf32> attributes {tl.method = "large_matmul_f32", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4096x4096xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4096x1024xf32>, tensor<1024x4096xf32>) outs(%init : tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  return %y : tensor<4096x4096xf32>
}

func.func @dynamic_matmul_f32(%x: tensor<?x512xf32>, %w: tensor<512x384xf32>) -> tensor<?x384xf32> attributes {tl.method = "dynamic_matmul_f32", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x512xf32>
  %empty = tensor.empty(%n) : tensor<?x384xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x384xf32>) -> tensor<?x384xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x512xf32>, tensor<512x384xf32>) outs(%init : tensor<?x384xf32>) -> tensor<?x384xf32>
  return %y : tensor<?x384xf32>
}

func.func @conv_f32(%x: tensor<4x32x32x64xf32>, %w: tensor<3x3x64x128xf32>) -> tensor<4x30x30x128xf32> attributes {tl.method = "conv_f32", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4x30x30x128xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x30x30x128xf32>) -> tensor<4x30x30x128xf32>
  %y = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<4x32x32x64xf32>, tensor<3x3x64x128xf32>) outs(%init : tensor<4x30x30x128xf32>) -> tensor<4x30x30x128xf32>
  return %y : tensor<4x30x30x128xf32>
}

func.func @gelu_f32(%x: tensor<?x?xf32>) -> tensor<?x?xf32> attributes {tl.method = "gelu_f32", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %scale = arith.constant 0.70710678 : f32
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %empty = tensor.empty(%m, %n) : tensor<?x?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
       ins(%x : tensor<?x?xf32>) outs(%empty : tensor<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %a = arith.mulf %in, %scale : f32
    %b = math.erf %a : f32
    %c = arith.addf %b, %one : f32
    %d = arith.mulf %in, %half : f32
    %e = arith.mulf %c, %d : f32
    linalg.yield %e : f32
  } -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

func.func @softmax_f32(%x: tensor<?x?xf32>) -> tensor<?x?xf32> attributes {tl.method = "softmax_f32", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %rows = tensor.empty(%m) : tensor<?xf32>
  %empty = tensor.empty(%m, %n) : tensor<?x?xf32>
  %lows = linalg.fill ins(%low : f32) outs(%rows : tensor<?xf32>) -> tensor<?xf32>
  %max = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                         iterator_types = ["parallel", "reduction"]}
       ins(%x : tensor<?x?xf32>) outs(%lows : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %a = arith.maximumf %in, %out : f32
    linalg.yield %a : f32
  } -> tensor<?xf32>
  %e = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
       ins(%x, %max : tensor<?x?xf32>, tensor<?xf32>) outs(%empty : tensor<?x?xf32>) {
  ^bb0(%in: f32, %top: f32, %out: f32):
    %a = arith.subf %in, %top : f32
    %b = math.exp %a : f32
    linalg.yield %b : f32
  } -> tensor<?x?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%rows : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                         iterator_types = ["parallel", "reduction"]}
       ins(%e : tensor<?x?xf32>) outs(%zeros : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %a = arith.addf %in, %out : f32
    linalg.yield %a : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
       ins(%e, %sum : tensor<?x?xf32>, tensor<?xf32>) outs(%empty : tensor<?x?xf32>) {
  ^bb0(%in: f32, %total: f32, %out: f32):
    %a = arith.divf %in, %total : f32
    linalg.yield %a : f32
  } -> tensor<?x?xf32>
  return %y : tensor<?x?xf32>
}

func.func @matmul_f16(%x: tensor<256x512xf16>, %w: tensor<512x384xf16>) -> tensor<256x384xf32> attributes {tl.method = "matmul_f16", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<256x384xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<256x384xf32>) -> tensor<256x384xf32>
  %y = linalg.matmul ins(%x, %w : tensor<256x512xf16>, tensor<512x384xf16>) outs(%init : tensor<256x384xf32>) -> tensor<256x384xf32>
  return %y : tensor<256x384xf32>
}

func.func @large_matmul_f16(%x: tensor<4096x1024xf16>, %w: tensor<1024x4096xf16>) -> tensor<4096x4096xf32> attributes {tl.method = "large_matmul_f16", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4096x4096xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4096x1024xf16>, tensor<1024x4096xf16>) outs(%init : tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  return %y : tensor<4096x4096xf32>
}

func.func @dynamic_matmul_f16(%x: tensor<?x512xf16>, %w: tensor<512x384xf16>) -> tensor<?x384xf32> attributes {tl.method = "dynamic_matmul_f16", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x512xf16>
  %empty = tensor.empty(%n) : tensor<?x384xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x384xf32>) -> tensor<?x384xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x512xf16>, tensor<512x384xf16>) outs(%init : tensor<?x384xf32>) -> tensor<?x384xf32>
  return %y : tensor<?x384xf32>
}

func.func @conv_f16(%x: tensor<4x32x32x64xf16>, %w: tensor<3x3x64x128xf16>) -> tensor<4x30x30x128xf32> attributes {tl.method = "conv_f16", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4x30x30x128xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x30x30x128xf32>) -> tensor<4x30x30x128xf32>
  %y = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<4x32x32x64xf16>, tensor<3x3x64x128xf16>) outs(%init : tensor<4x30x30x128xf32>) -> tensor<4x30x30x128xf32>
  return %y : tensor<4x30x30x128xf32>
}

func.func @gelu_f16(%x: tensor<?x?xf16>) -> tensor<?x?xf16> attributes {tl.method = "gelu_f16", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %half = arith.constant 0.5 : f16
  %one = arith.constant 1.0 : f16
  %scale = arith.constant 0.70710678 : f16
  %m = tensor.dim %x, %c0 : tensor<?x?xf16>
  %n = tensor.dim %x, %c1 : tensor<?x?xf16>
  %empty = tensor.empty(%m, %n) : tensor<?x?xf16>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
       ins(%x : tensor<?x?xf16>) outs(%empty : tensor<?x?xf16>) {
  ^bb0(%in: f16, %out: f16):
    %a = arith.mulf %in, %scale : f16
    %b = math.erf %a : f16
    %c = arith.addf %b, %one : f16
    %d = arith.mulf %in, %half : f16
    %e = arith.mulf %c, %d : f16
    linalg.yield %e : f16
  } -> tensor<?x?xf16>
  return %y : tensor<?x?xf16>
}

func.func @softmax_f16(%x: tensor<?x?xf16>) -> tensor<?x?xf16> attributes {tl.method = "softmax_f16", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f16
  %low = arith.constant 0xFC00 : f16
  %m = tensor.dim %x, %c0 : tensor<?x?xf16>
  %n = tensor.dim %x, %c1 : tensor<?x?xf16>
  %rows = tensor.empty(%m) : tensor<?xf16>
  %empty = tensor.empty(%m, %n) : tensor<?x?xf16>
  %lows = linalg.fill ins(%low : f16) outs(%rows : tensor<?xf16>) -> tensor<?xf16>
  %max = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                         iterator_types = ["parallel", "reduction"]}
       ins(%x : tensor<?x?xf16>) outs(%lows : tensor<?xf16>) {
  ^bb0(%in: f16, %out: f16):
    %a = arith.maximumf %in, %out : f16
    linalg.yield %a : f16
  } -> tensor<?xf16>
  %e = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
       ins(%x, %max : tensor<?x?xf16>, tensor<?xf16>) outs(%empty : tensor<?x?xf16>) {
  ^bb0(%in: f16, %top: f16, %out: f16):
    %a = arith.subf %in, %top : f16
    %b = math.exp %a : f16
    linalg.yield %b : f16
  } -> tensor<?x?xf16>
  %zeros = linalg.fill ins(%zero : f16) outs(%rows : tensor<?xf16>) -> tensor<?xf16>
  %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                         iterator_types = ["parallel", "reduction"]}
       ins(%e : tensor<?x?xf16>) outs(%zeros : tensor<?xf16>) {
  ^bb0(%in: f16, %out: f16):
    %a = arith.addf %in, %out : f16
    linalg.yield %a : f16
  } -> tensor<?xf16>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
       ins(%e, %sum : tensor<?x?xf16>, tensor<?xf16>) outs(%empty : tensor<?x?xf16>) {
  ^bb0(%in: f16, %total: f16, %out: f16):
    %a = arith.divf %in, %total : f16
    linalg.yield %a : f16
  } -> tensor<?x?xf16>
  return %y : tensor<?x?xf16>
}

func.func @matmul_bf16(%x: tensor<256x512xbf16>, %w: tensor<512x384xbf16>) -> tensor<256x384xf32> attributes {tl.method = "matmul_bf16", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<256x384xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<256x384xf32>) -> tensor<256x384xf32>
  %y = linalg.matmul ins(%x, %w : tensor<256x512xbf16>, tensor<512x384xbf16>) outs(%init : tensor<256x384xf32>) -> tensor<256x384xf32>
  return %y : tensor<256x384xf32>
}

func.func @large_matmul_bf16(%x: tensor<4096x1024xbf16>, %w: tensor<1024x4096xbf16>) -> tensor<4096x4096xf32> attributes {tl.method = "large_matmul_bf16", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4096x4096xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4096x1024xbf16>, tensor<1024x4096xbf16>) outs(%init : tensor<4096x4096xf32>) -> tensor<4096x4096xf32>
  return %y : tensor<4096x4096xf32>
}

func.func @dynamic_matmul_bf16(%x: tensor<?x512xbf16>, %w: tensor<512x384xbf16>) -> tensor<?x384xf32> attributes {tl.method = "dynamic_matmul_bf16", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x512xbf16>
  %empty = tensor.empty(%n) : tensor<?x384xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x384xf32>) -> tensor<?x384xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x512xbf16>, tensor<512x384xbf16>) outs(%init : tensor<?x384xf32>) -> tensor<?x384xf32>
  return %y : tensor<?x384xf32>
}

func.func @conv_bf16(%x: tensor<4x32x32x64xbf16>, %w: tensor<3x3x64x128xbf16>) -> tensor<4x30x30x128xf32> attributes {tl.method = "conv_bf16", tl.variant = 0 : i64} {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<4x30x30x128xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<4x30x30x128xf32>) -> tensor<4x30x30x128xf32>
  %y = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<4x32x32x64xbf16>, tensor<3x3x64x128xbf16>) outs(%init : tensor<4x30x30x128xf32>) -> tensor<4x30x30x128xf32>
  return %y : tensor<4x30x30x128xf32>
}

func.func @gelu_bf16(%x: tensor<?x?xbf16>) -> tensor<?x?xbf16> attributes {tl.method = "gelu_bf16", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %half = arith.constant 0.5 : bf16
  %one = arith.constant 1.0 : bf16
  %scale = arith.constant 0.70710678 : bf16
  %m = tensor.dim %x, %c0 : tensor<?x?xbf16>
  %n = tensor.dim %x, %c1 : tensor<?x?xbf16>
  %empty = tensor.empty(%m, %n) : tensor<?x?xbf16>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
       ins(%x : tensor<?x?xbf16>) outs(%empty : tensor<?x?xbf16>) {
  ^bb0(%in: bf16, %out: bf16):
    %a = arith.mulf %in, %scale : bf16
    %b = math.erf %a : bf16
    %c = arith.addf %b, %one : bf16
    %d = arith.mulf %in, %half : bf16
    %e = arith.mulf %c, %d : bf16
    linalg.yield %e : bf16
  } -> tensor<?x?xbf16>
  return %y : tensor<?x?xbf16>
}

func.func @softmax_bf16(%x: tensor<?x?xbf16>) -> tensor<?x?xbf16> attributes {tl.method = "softmax_bf16", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : bf16
  %low = arith.constant 0xFF80 : bf16
  %m = tensor.dim %x, %c0 : tensor<?x?xbf16>
  %n = tensor.dim %x, %c1 : tensor<?x?xbf16>
  %rows = tensor.empty(%m) : tensor<?xbf16>
  %empty = tensor.empty(%m, %n) : tensor<?x?xbf16>
  %lows = linalg.fill ins(%low : bf16) outs(%rows : tensor<?xbf16>) -> tensor<?xbf16>
  %max = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                         iterator_types = ["parallel", "reduction"]}
       ins(%x : tensor<?x?xbf16>) outs(%lows : tensor<?xbf16>) {
  ^bb0(%in: bf16, %out: bf16):
    %a = arith.maximumf %in, %out : bf16
    linalg.yield %a : bf16
  } -> tensor<?xbf16>
  %e = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
       ins(%x, %max : tensor<?x?xbf16>, tensor<?xbf16>) outs(%empty : tensor<?x?xbf16>) {
  ^bb0(%in: bf16, %top: bf16, %out: bf16):
    %a = arith.subf %in, %top : bf16
    %b = math.exp %a : bf16
    linalg.yield %b : bf16
  } -> tensor<?x?xbf16>
  %zeros = linalg.fill ins(%zero : bf16) outs(%rows : tensor<?xbf16>) -> tensor<?xbf16>
  %sum = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                         iterator_types = ["parallel", "reduction"]}
       ins(%e : tensor<?x?xbf16>) outs(%zeros : tensor<?xbf16>) {
  ^bb0(%in: bf16, %out: bf16):
    %a = arith.addf %in, %out : bf16
    linalg.yield %a : bf16
  } -> tensor<?xbf16>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
       ins(%e, %sum : tensor<?x?xbf16>, tensor<?xbf16>) outs(%empty : tensor<?x?xbf16>) {
  ^bb0(%in: bf16, %total: bf16, %out: bf16):
    %a = arith.divf %in, %total : bf16
    linalg.yield %a : bf16
  } -> tensor<?x?xbf16>
  return %y : tensor<?x?xbf16>
}
