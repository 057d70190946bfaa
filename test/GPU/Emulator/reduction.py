"""Reductions of any dimensions on the emulator, compared with LibTorch.

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

torch.manual_seed(4)
NAN, INF = float("nan"), float("inf")


def special(rows, columns):
    """Rows and columns with not-a-numbers, infinities, and many equal numbers."""
    x = torch.randint(-3, 4, (rows, columns)).float()
    x[rows // 2, columns // 3] = NAN
    x[rows // 3] = -INF
    x[:, columns // 2] = -INF
    x[-1, -1] = INF
    x[0, :2] = NAN
    return x


def programs():
    randn = torch.randn

    # Leading and middle dimensions, few and many results.
    for rows, columns in ((1, 5), (7, 33), (100, 64), (1000, 3), (300, 130)):
        yield Program(f"sum0_{rows}_{columns}", lambda x: x.sum(0), [f"{rows}x{columns}xf32"],
                      [[randn(rows, columns)]])
    yield Program("sum1", lambda x: x.sum(1), ["3x40x20xf32"], [[randn(3, 40, 20)]])
    yield Program("sum02", lambda x: x.sum((0, 2)), ["6x5x70xf32"], [[randn(6, 5, 70)]])
    yield Program("sum0_sizes", lambda x: x.sum(0), ["?x?xf32"],
                  [[randn(*s)] for s in ((5, 3), (1, 1), (0, 4), (4, 0), (513, 40))])
    yield Program("amax0", lambda x: x.amax(0), ["40x50xf32"], [[special(40, 50)]])
    yield Program("prod0_i64", lambda x: x.prod(0), ["9x20xi64"], [[torch.randint(-3, 4, (9, 20))]])
    yield Program("var0", lambda x: x.var(0), ["64x40xf32"], [[randn(64, 40)]])
    yield Program("softmax0", lambda x: torch.softmax(x, 0), ["50x30xf32"], [[special(50, 30)]])
    yield Program("batch_norm", lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
                  ["8x6x5x7xf32", "6xf32", "6xf32"], [[randn(8, 6, 5, 7), randn(6), randn(6)]])
    yield Program("pool", lambda x: F.adaptive_avg_pool2d(x, 1), ["2x24x7x7xf32"], [[randn(2, 24, 7, 7)]])
    yield Program("mean_image", lambda x: x.mean((2, 3)), ["2x24x9x9xf32"], [[randn(2, 24, 9, 9)]])
    yield Program("mean_f16", lambda x: x.mean(0), ["50x24xf16"], [[randn(50, 24).half()]])
    yield Program("sum_f64", lambda x: x.sum(0), ["50x24xf64"], [[randn(50, 24).double()]])

    # To one number.
    for shape in ((3,), (10, 10), (50, 70), (3, 200, 70)):
        text = "x".join(map(str, shape))
        yield Program(f"mean_{text}", lambda x: x.mean(), [f"{text}xf32"], [[randn(*shape)]])
    yield Program("sum_sizes", lambda x: x.sum(), ["?x?xf32"],
                  [[randn(*s)] for s in ((5, 3), (0, 4), (100, 41))])
    yield Program("max_i64", lambda x: x.max(), ["30x50xi64"], [[torch.randint(-90, 90, (30, 50))]])
    flags = torch.zeros(40, 50, dtype=torch.bool)
    one = flags.clone()
    one[39, 49] = True
    yield Program("any", lambda x: x.any(), ["40x50xi1"], [[flags], [one]])
    yield Program("all", lambda x: (x > 0).all(), ["?x50xi64"],
                  [[torch.ones(40, 50, dtype=torch.int64)], [torch.arange(100).view(2, 50)],
                   [torch.ones(0, 50, dtype=torch.int64)]])
    yield Program("norm", lambda x: x.norm(), ["60x40xf32"], [[randn(60, 40)]])

    # Long ones with few results, which blocks share: parts of whole dimensions and of cut ones.
    long = randn(300, 1024)
    for name, function in (("sum", lambda x: x.sum()), ("mean", lambda x: x.mean()), ("std", lambda x: x.std()),
                           ("max", lambda x: x.max()), ("prod", lambda x: (1 + x.double() * 1e-3).prod()),
                           ("sum_f16", lambda x: x.half().sum()), ("sums0", lambda x: x.view(-1, 4).sum(0)),
                           ("sums1", lambda x: x.view(2, -1).sum(1)), ("any", lambda x: (x > 4.9).any()),
                           ("count", lambda x: (x > 0).sum()), ("softmax", lambda x: torch.softmax(x.view(1, -1), 1)),
                           ("argmax", lambda x: x.argmax())):
        yield Program(f"long_{name}", function, ["300x1024xf32"], [[long]])
    nan = long.clone()
    nan[150, 77] = NAN
    yield Program("long_max_nan", lambda x: (x.max(), x.amin()), ["300x1024xf32"], [[nan], [long - INF]])

    # The first of the greatest, not-a-number before all others.
    for length in (1, 5, 33, 300, 3000):
        x = special(6, length) if length > 2 else randn(6, length)
        yield Program(f"argmax_{length}", lambda x: x.argmax(1), [f"6x{length}xf32"], [[x]])
        yield Program(f"argmin_{length}", lambda x: x.argmin(1), [f"6x{length}xf32"], [[x]])
    yield Program("argmax0", lambda x: x.argmax(0), ["70x40xf32"], [[special(70, 40)]])
    yield Program("argmax_all", lambda x: x.argmax(), ["30x40xf32"], [[randn(30, 40)], [special(30, 40)]])
    yield Program("argmax_i64", lambda x: x.argmax(1), ["8x90xi64"], [[torch.randint(-3, 3, (8, 90))]])
    yield Program("argmax_sizes", lambda x: x.argmax(1), ["?x?xf32"],
                  [[randn(*s)] for s in ((5, 3), (0, 4), (3, 1000))])
    yield Program("max_where", lambda x: tuple(x.max(1)), ["20x77xf32"], [[special(20, 77)]])
    yield Program("min_where0", lambda x: tuple(x.min(0)), ["77x20xf32"], [[special(77, 20)]])


if __name__ == "__main__":
    sys.exit(check(programs(), sys.argv))
