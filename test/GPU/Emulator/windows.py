"""Pooling and depthwise convolution against LibTorch, on the emulated GPU.

RUN: %python %s %build %t

Channels that a vector divides or not, one and several places per thread (large images), strides,
dilation, padding, types, special numbers, batches of unknown size.
"""
import pathlib
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Integration" / "Inputs"))
from compare import Mismatch, check_calls  # noqa: E402

torch.manual_seed(4)


class Functions(torch.nn.Module):
    def forward(self, x, w, b):
        return F.relu6(F.conv2d(x, w, b, padding=1, groups=x.size(1)))

    @torch.jit.export
    def strided(self, x, w):
        return F.conv2d(x, w, stride=2, padding=2, dilation=2, groups=x.size(1)) * 2

    @torch.jit.export
    def line(self, x, w):
        return F.conv1d(x, w, padding=1, groups=x.size(1))

    @torch.jit.export
    def pool(self, x):
        return F.max_pool2d(x, 3, 2, 1), F.max_pool2d(x, 2), F.max_pool2d(x, 3, 1, 1, 1, True) + 1

    @torch.jit.export
    def average(self, x):
        return F.avg_pool2d(x, 2), F.avg_pool2d(x, 3, 1, 1), F.adaptive_avg_pool2d(x, 1)

    @torch.jit.export
    def small(self, x):
        return x.sum(1), x.amax(1), x.argmax(1), x.mean([1, 2])


def calls():
    """(signatures, calls) of one library each."""
    randn = torch.randn
    for n, c, h, w in [(1, 8, 9, 7), (2, 3, 6, 6), (1, 6, 5, 8), (1, 1, 4, 4), (3, 16, 8, 12)]:
        x = randn(n, c, h, w)
        t = f"{n}x{c}x{h}x{w}"
        special = x.clone().view(-1)
        special[::7], special[1::11], special[2::13] = float("nan"), float("inf"), float("-inf")
        special = special.view(x.shape)
        yield [(f"forward({t}xf32, {c}x1x3x3xf32, {c}xf32)", "forward", [x, randn(c, 1, 3, 3), randn(c)]),
               (f"strided({t}xf32, {c}x1x3x3xf32)", "strided", [x, randn(c, 1, 3, 3)]),
               (f"strided({t}xf64, {c}x1x2x3xf64)", "strided", [x.double(), randn(c, 1, 2, 3).double()]),
               (f"line({n}x{c}x{w}xf32, {c}x1x3xf32)", "line", [x[:, :, 0].contiguous(), randn(c, 1, 3)]),
               (f"pool({t}xf32)", "pool", [x]), (f"pool({t}xf32)", "pool", [special]),
               (f"pool({t}xf16)", "pool", [x.half()]), (f"average({t}xf32)", "average", [x]),
               (f"small({t}xf32)", "small", [x])]
    # Large enough for four places per thread.
    yield [("forward(1x128x128x128xf32, 128x1x3x3xf32, 128xf32)", "forward",
            [randn(1, 128, 128, 128), randn(128, 1, 3, 3), randn(128)])]
    t = "?x8x6x6xf32"
    yield [(f"forward({t}, 8x1x3x3xf32, 8xf32)", "forward", [randn(n, 8, 6, 6), randn(8, 1, 3, 3), randn(8)])
           for n in (1, 3)] + [(f"pool({t})", "pool", [randn(n, 8, 6, 6)]) for n in (2, 0)]
    t = "?x8x?x?xf32"
    yield [(f"forward({t}, 8x1x3x3xf32, 8xf32)", "forward", [randn(2, 8, 5, n), randn(8, 1, 3, 3), randn(8)])
           for n in (1, 3)] + [(f"pool({t})", "pool", [randn(1, 8, 7, 9)])]


def main():
    build, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "windows.pt"
    torch.jit.script(Functions()).save(str(archive))
    failed = 0
    for made in calls():
        signatures = list(dict.fromkeys(signature for signature, _, _ in made))
        try:
            check_calls(build, archive, signatures, [(method, values) for _, method, values in made],
                        folder, device="emulated")
        except Mismatch as mismatch:
            failed += 1
            print(f"FAILED {made[0][0]}: {mismatch}")
    return failed > 0


sys.exit(main())
