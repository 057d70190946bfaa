"""Reductions of rows and what is around them on the emulator, compared with LibTorch.

RUN: %python %s %build %t

All programs are one library, which is called in every order of threads and of copies. Exit status 1 if
a result differs. Names of programs as further arguments: only these.
"""
import pathlib
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Integration" / "Inputs"))
from strategies import Program, check  # noqa: E402

torch.manual_seed(3)
NAN, INF = float("nan"), float("inf")


def special(rows, length):
    """Rows with not-a-numbers, infinities, and numbers of all sizes."""
    x = torch.randn(rows, length) * 10
    x[0, length // 2] = NAN
    x[1 % rows] = -INF
    x[2 % rows, -1] = INF
    x[3 % rows, 0] = -INF
    return x


def programs():
    randn = torch.randn

    def softmax(x):
        return torch.softmax(x, -1)

    # Lengths: less than a warp, ragged, many pieces of a thread, a block per row, more than fits.
    for length in (1, 2, 3, 7, 32, 65, 100, 512, 1022):
        yield Program(f"softmax_{length}", softmax, [f"5x{length}xf32"], [[special(5, length)]])
    for length in (1500, 4096, 33000):
        yield Program(f"softmax_{length}", softmax, [f"2x{length}xf32"], [[randn(2, length)]])
    yield Program("softmax_many", softmax, ["3x50x64xf32"], [[randn(3, 50, 64)]])
    yield Program("softmax_vector", softmax, ["130xf32"], [[randn(130)]])
    yield Program("softmax_f16", softmax, ["3x72xf16"], [[randn(3, 72).half()]])
    yield Program("softmax_bf16", softmax, ["3x72xbf16"], [[randn(3, 72).bfloat16()]])
    yield Program("softmax_f64", softmax, ["3x70xf64"], [[randn(3, 70).double()]])
    yield Program("softmax_rows", softmax, ["?x33xf32"], [[randn(n, 33)] for n in (1, 17, 0)])
    yield Program("softmax_lengths", softmax, ["?x?xf32"],
                  [[randn(n, m)] for n, m in ((3, 1), (2, 127), (2, 129), (1, 1300), (4, 0), (0, 4))])
    yield Program("log_softmax", lambda x: torch.log_softmax(x, -1), ["4x30xf32"], [[randn(4, 30)]])
    yield Program("log_softmax_long", lambda x: torch.log_softmax(x, -1), ["2x30522xf32"],
                  [[randn(2, 30522)]])
    yield Program("attention", lambda x, m: torch.softmax(x * 0.125 + m, -1),
                  ["2x3x9x24xf32", "2x1x1x24xf32"], [[randn(2, 3, 9, 24), randn(2, 1, 1, 24)]])

    for length in (4, 30, 128, 1280):
        yield Program(f"layer_norm_{length}",
                      lambda x, r, w, b: F.layer_norm(x + r, x.shape[-1:], w, b),
                      [f"2x3x{length}xf32"] * 2 + [f"{length}xf32"] * 2,
                      [[randn(2, 3, length), randn(2, 3, length), randn(length), randn(length)]])
    yield Program("layer_norm_rows", lambda x, w, b: F.layer_norm(x, x.shape[-1:], w, b),
                  ["?x48xf32", "48xf32", "48xf32"],
                  [[randn(n, 48), randn(48), randn(48)] for n in (9, 1)])
    yield Program("rms_norm", lambda x, w: x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-6) * w,
                  ["4x96xf32", "96xf32"], [[randn(4, 96), randn(96)]])
    yield Program("instance_norm", lambda x: F.instance_norm(x), ["2x3x50xf32"], [[randn(2, 3, 50)]])

    reductions = {
        "sum": lambda x: x.sum(-1), "mean": lambda x: x.mean(-1), "amax": lambda x: x.amax(-1),
        "amin": lambda x: x.amin(-1), "prod": lambda x: x.prod(-1), "var": lambda x: x.var(-1),
    }
    for name, function in reductions.items():
        yield Program(f"{name}_f32", function, ["6x45xf32"], [[special(6, 45)], [randn(6, 45)]])
        yield Program(f"{name}_long", function, ["2x1100xf32"], [[randn(2, 1100) / 10]])
    for name in ("sum", "amax", "amin", "prod"):
        for kind, type in (("i64", torch.int64), ("i32", torch.int32), ("i8", torch.int8)):
            yield Program(f"{name}_{kind}", reductions[name], [f"5x37x{kind}"],
                          [[torch.randint(-5, 5, (5, 37)).to(type)]])
    flags = torch.rand(6, 40) > 0.9
    flags[0], flags[1] = False, True
    yield Program("any", lambda x: x.any(-1), ["6x40xi1"], [[flags]])
    yield Program("all", lambda x: x.all(-1), ["6x40xi1"], [[~flags], [flags]])
    yield Program("any_lengths", lambda x: x.any(-1), ["?x?xi1"], [[flags], [flags[:, :0]]])
    yield Program("sum_f64", reductions["sum"], ["5x2100xf64"], [[randn(5, 2100).double()]])
    yield Program("amax_f16", reductions["amax"], ["5x40xf16"], [[special(5, 40).half()]])


if __name__ == "__main__":
    sys.exit(check(programs(), sys.argv))
