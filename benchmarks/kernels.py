#!/usr/bin/env python3
"""Single kernels beside LibTorch's operators and the machine's multiply-add peak, on one thread.

Each kernel is a linalg function through tl-opt's CPU pipeline, with constant weights where a model
would have them. A figure is the least thread CPU time of many calls. Printed: microseconds, GFLOP/s,
their part of the peak, and the time relative to LibTorch (more than 1: faster than LibTorch).

usage: benchmarks/kernels.py [--build build/release] [--only conv]
"""
import argparse
import ctypes
import pathlib
import re
import subprocess
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
f32 = np.float32
RNG = np.random.default_rng(0)
METHOD = 'attributes {tl.method = "f"}'


def t(*shape):
    return "tensor<" + "".join(f"{n}x" for n in shape) + "f32>"


def resource(array):
    """A module's suffix that holds the weights `w`."""
    return ('{-#\n  dialect_resources: {\n    builtin: {\n      w: "0x40000000'
            + array.tobytes().hex().upper() + '"\n    }\n  }\n#-}\n')


def generic(inputs, maps, out, type_, kinds, body):
    names = ", ".join(name for name, _ in inputs)
    types = ", ".join(type_ for _, type_ in inputs)
    block = ", ".join(f"%v{i}: f32" for i in range(len(inputs) + 1))
    return (f"linalg.generic {{indexing_maps = [{', '.join(maps)}], iterator_types = [{kinds}]}} "
            f"ins({names} : {types}) outs({out} : {type_}) {{ ^bb0({block}): {body} }} -> {type_}")


def matmul(m, n, k, constant=True):
    import torch
    x, w, b = RNG.random((m, k), f32), RNG.random((n, k), f32), RNG.random(n, f32)
    arguments = "" if constant else f", %w: {t(n, k)}"
    text = f"""func.func @f(%x: {t(m, k)}, %b: {t(n)}{arguments}) -> {t(m, n)} {METHOD} {{
  {f"%w = arith.constant dense_resource<w> : {t(n, k)}" if constant else ""}
  %e = tensor.empty() : {t(m, n)}
  %i = linalg.broadcast ins(%b : {t(n)}) outs(%e : {t(m, n)}) dimensions = [0]
  %r = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %w : {t(m, k)}, {t(n, k)}) outs(%i : {t(m, n)}) -> {t(m, n)}
  return %r : {t(m, n)}
}}
""" + (resource(w) if constant else "")
    tw, tb = torch.from_numpy(w), torch.from_numpy(b)
    return (text, [x, b] + ([] if constant else [w]), 2 * m * n * k,
            lambda a: torch.nn.functional.linear(torch.from_numpy(a[0]), tw, tb))


def convolution(channels, filters, size, kernel, stride, depthwise=False):
    import torch
    pad = kernel // 2
    out = (size + 2 * pad - kernel) // stride + 1
    outer = size + 2 * pad
    x = RNG.random((1, size, size, channels), f32)
    w = RNG.random((kernel, kernel, channels) + (() if depthwise else (filters,)), f32)
    b = RNG.random(filters, f32)
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    name = "depthwise_conv_2d_nhwc_hwc" if depthwise else "conv_2d_nhwc_hwcf"
    result = t(1, out, out, filters)
    identity = "affine_map<(a, b, c, d) -> (a, b, c, d)>"
    relu = generic([("%r", result)], [identity] * 2, "%e", result,
                   ", ".join(['"parallel"'] * 4),
                   "%y = arith.maximumf %v0, %zero : f32 linalg.yield %y : f32")
    text = f"""func.func @f(%x: {t(1, outer, outer, channels)}, %b: {t(filters)}) -> {result} {METHOD} {{
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense_resource<w> : {t(*w.shape)}
  %e = tensor.empty() : {result}
  %i = linalg.broadcast ins(%b : {t(filters)}) outs(%e : {result}) dimensions = [0, 1, 2]
  %r = linalg.{name} {{strides = dense<{stride}> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}}
      ins(%x, %w : {t(1, outer, outer, channels)}, {t(*w.shape)}) outs(%i : {result}) -> {result}
  %y = {relu}
  return %y : {result}
}}
""" + resource(w)
    order = (2, 0, 1) if depthwise else (3, 2, 0, 1)
    tw = torch.from_numpy(np.ascontiguousarray(w.transpose(order)))
    tw = tw.unsqueeze(1) if depthwise else tw
    tx = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    tw = tw.contiguous(memory_format=torch.channels_last)
    tb = torch.from_numpy(b)
    flops = 2 * out * out * filters * kernel * kernel * (1 if depthwise else channels)

    def run(_):
        y = torch.nn.functional.conv2d(tx, tw, tb, stride, pad,
                                       groups=channels if depthwise else 1)
        return torch.relu_(y).permute(0, 2, 3, 1)
    return text, [padded, b], flops, run


def softmax(rows, columns):
    import torch
    x = RNG.random((rows, columns), f32)
    ty, tr = t(rows, columns), t(rows)
    all_, row = "affine_map<(i, j) -> (i, j)>", "affine_map<(i, j) -> (i)>"
    both, reduces = '"parallel", "parallel"', '"parallel", "reduction"'
    steps = [
        ("max", [("%x", ty)], [all_, row], "%low", tr, reduces,
         "%y = arith.maximumf %v0, %v1 : f32 linalg.yield %y : f32"),
        ("exp", [("%x", ty), ("%max", tr)], [all_, row, all_], "%e", ty, both,
         "%s = arith.subf %v0, %v1 : f32 %y = math.exp %s : f32 linalg.yield %y : f32"),
        ("sum", [("%exp", ty)], [all_, row], "%none", tr, reduces,
         "%y = arith.addf %v0, %v1 : f32 linalg.yield %y : f32"),
        ("out", [("%exp", ty), ("%sum", tr)], [all_, row, all_], "%e", ty, both,
         "%y = arith.divf %v0, %v1 : f32 linalg.yield %y : f32")]
    body = "\n  ".join(f"%{s[0]} = {generic(*s[1:])}" for s in steps)
    text = f"""func.func @f(%x: {ty}) -> {ty} {METHOD} {{
  %zero = arith.constant 0.0 : f32
  %ninf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : {ty}
  %er = tensor.empty() : {tr}
  %low = linalg.fill ins(%ninf : f32) outs(%er : {tr}) -> {tr}
  %none = linalg.fill ins(%zero : f32) outs(%er : {tr}) -> {tr}
  {body}
  return %out : {ty}
}}
"""
    return text, [x], 0, lambda a: torch.softmax(torch.from_numpy(a[0]), 1)


KERNELS = {
    "matmul 512x512x512": lambda: matmul(512, 512, 512),
    "matmul 128x768x768": lambda: matmul(128, 768, 768),
    "matmul 128x3072x768": lambda: matmul(128, 3072, 768),
    "matmul 128x768x3072": lambda: matmul(128, 768, 3072),
    "matmul 197x768x768": lambda: matmul(197, 768, 768),
    "matmul 128x128x64, B argument": lambda: matmul(128, 128, 64, constant=False),
    "gemv 768x3072": lambda: matmul(1, 3072, 768),
    "gemv 512x1000": lambda: matmul(1, 1000, 512),
    "conv 7x7/2 3->64, 224": lambda: convolution(3, 64, 224, 7, 2),
    "conv 3x3 64->64, 56": lambda: convolution(64, 64, 56, 3, 1),
    "conv 3x3 128->128, 28": lambda: convolution(128, 128, 28, 3, 1),
    "conv 3x3 256->256, 14": lambda: convolution(256, 256, 14, 3, 1),
    "conv 3x3 512->512, 7": lambda: convolution(512, 512, 7, 3, 1),
    "conv 3x3/2 64->128, 56": lambda: convolution(64, 128, 56, 3, 2),
    "conv 1x1 64->256, 56": lambda: convolution(64, 256, 56, 1, 1),
    "conv 1x1 96->24, 56": lambda: convolution(96, 24, 56, 1, 1),
    "conv 1x1 960->160, 7": lambda: convolution(960, 160, 7, 1, 1),
    "depthwise 3x3 32, 112": lambda: convolution(32, 32, 112, 3, 1, True),
    "depthwise 3x3 144, 56": lambda: convolution(144, 144, 56, 3, 1, True),
    "depthwise 3x3/2 144, 56": lambda: convolution(144, 144, 56, 3, 2, True),
    "depthwise 3x3 960, 7": lambda: convolution(960, 960, 7, 3, 1, True),
    "softmax 1536x128": lambda: softmax(1536, 128),
    "softmax 128x1000": lambda: softmax(128, 1000),
}


class Kernel:
    """A compiled function `f` with its arguments in place."""

    def __init__(self, build, text, arguments, shape):
        self.folder = tempfile.TemporaryDirectory(prefix="torchlite-bench-")
        folder = pathlib.Path(self.folder.name)
        (folder / "f.mlir").write_text(text)
        target = "target-cpu=native"
        lowered = subprocess.run(
            [build / "bin" / "tl-opt", folder / "f.mlir", f"--tl-cpu-pipeline={target}",
             f"--tl-emit-object=output={folder}/f.o {target}",
             "--mlir-elide-resource-strings-if-larger=10"],
            capture_output=True, text=True, check=True).stdout
        arena = int(re.search(r"tl\.arena_bytes = (\d+)", lowered).group(1))
        (folder / "entry.c").write_text('extern char f[];\nvoid *entry(void) { return f; }\n')
        subprocess.run(["/usr/lib/llvm-22/bin/clang", "-O2", "-shared", "-fPIC",
                        f"-I{ROOT}/runtime/include", ROOT / "benchmarks" / "kernels.c",
                        folder / "entry.c", folder / "f.o", "-lm", "-o", folder / "f.so"],
                       check=True)
        library = ctypes.CDLL(folder / "f.so")
        library.entry.restype = ctypes.c_void_p
        library.bench_run.restype = ctypes.c_double
        self.arguments = [aligned(a) for a in arguments]
        self.sizes = [(ctypes.c_int64 * a.ndim)(*a.shape) for a in arguments]
        slots = (ctypes.c_void_p * (2 * len(arguments)))()
        for i, (array, sizes) in enumerate(zip(self.arguments, self.sizes)):
            slots[2 * i] = array.ctypes.data
            slots[2 * i + 1] = ctypes.addressof(sizes)
        self.result = aligned(np.zeros(shape, f32))
        self.arena = aligned(np.zeros(arena // 4 + 16, f32))
        self.run = lambda seconds: library.bench_run(
            ctypes.c_void_p(library.entry()), slots, ctypes.c_void_p(self.result.ctypes.data),
            ctypes.c_void_p(self.arena.ctypes.data), ctypes.c_double(seconds))


def aligned(array):
    """A copy at a multiple of 64 bytes."""
    buffer = np.empty(array.nbytes + 64, np.uint8)
    start = -buffer.ctypes.data % 64
    copy = buffer[start:start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def least(function, seconds):
    """Least thread CPU time of a call, in microseconds."""
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.thread_time_ns()
        function()
        best = min(best, time.thread_time_ns() - start)
    return best / 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--only", default="", help="kernels whose name contains this")
    options = parser.parse_args()
    import torch
    torch.set_num_threads(1)
    peak = float(subprocess.run([options.build / "bin" / "tl-peak"], capture_output=True, text=True,
                                check=True).stdout.split()[0])
    print(f"multiply-add peak of one core: {peak:.0f} GFLOP/s")
    print(f"{'':32}{'us':>9}{'GFLOP/s':>9}{'of peak':>9}{'vs torch':>9}")
    for name, make in KERNELS.items():
        if options.only not in name:
            continue
        text, arguments, flops, reference = make()
        with torch.inference_mode():
            want = reference(arguments).numpy()
            kernel = Kernel(options.build, text, arguments, want.shape)
            kernel.run(0)
            got = kernel.result
            scale = max(1, np.abs(want).max())
            assert np.abs(got - want).max() <= 1e-4 * scale, f"{name}: wrong result"
            ours, theirs = float("inf"), float("inf")
            for _ in range(3):  # in turn, so that both see the same machine
                ours = min(ours, kernel.run(0.2))
                theirs = min(theirs, least(lambda: reference(arguments), 0.2))
        rate = flops / ours / 1e3
        print(f"{name:32}{ours:9.1f}{rate:9.1f}{rate / peak:9.0%}{theirs / ours:9.2f}", flush=True)


if __name__ == "__main__":
    main()
