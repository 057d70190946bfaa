"""Random operators draw what PyTorch draws on the CPU from the same seed: of all kinds, element types and
sizes, in loops and branches, from call to call; and raise where PyTorch does.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import subprocess
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import compare, compile_library, torchlite  # noqa: E402
from sources import check_source  # noqa: E402

SOURCE = """
def sizes(self, n: int, m: int):
    return torch.rand(n, m), torch.randn(n, m), torch.rand(n, m), torch.randint(n, (m,)), torch.randperm(n)
def types(self, n: int):
    return (torch.rand(n, dtype=torch.float64), torch.rand(n, dtype=torch.float16), torch.rand(n, dtype=torch.bfloat16),
            torch.randn(n, dtype=torch.float64), torch.randn(n, dtype=torch.float16),
            torch.randn(n, dtype=torch.bfloat16), torch.randint(-5, 100, (n,), dtype=torch.int8),
            torch.randint(0, 2, (n,), dtype=torch.bool), torch.randint(-5, 1 << 40, (n,)),
            torch.randint(0, 200, (n,), dtype=torch.uint8), torch.randint(-50, 50, (n,), dtype=torch.float32),
            torch.randperm(n, dtype=torch.int32), torch.randperm(n, dtype=torch.float32))
def like(self, x):
    return (torch.rand_like(x), torch.randn_like(x), torch.randint_like(x, 9), torch.randint_like(x, -3, 9),
            torch.rand_like(x, dtype=torch.float64), torch.randn_like(x.double()))
def filled(self, x):
    y, z = torch.empty_like(x), torch.empty_like(x)
    return (y.uniform_(-1.5, 2.5), z.normal_(1.5, 0.25), torch.empty_like(x).exponential_(1.5),
            torch.empty_like(x).bernoulli_(0.3), torch.empty_like(x).cauchy_(0.5, 2.0),
            torch.empty_like(x).log_normal_(0.5, 0.25), torch.empty_like(x).geometric_(0.25),
            torch.empty_like(x).random_(7), torch.empty_like(x).random_(-7, 9))
def changed(self, x):
    x.normal_()
    x[1:].uniform_()
    return x.sum()
def integers(self, x, y, b):
    return (torch.empty_like(x).random_(), torch.empty_like(y).random_(), torch.empty_like(b).random_(),
            torch.empty_like(x).random_(5, None), torch.empty_like(x).random_(-9223372036854775808, None),
            torch.empty_like(y).random_(200), torch.empty_like(b).bernoulli_(0.6), torch.empty_like(x).geometric_(0.1))
def weighted(self, p):
    return (torch.bernoulli(p), torch.empty(p.size(0), p.size(1), dtype=torch.int64).bernoulli_(p),
            torch.bernoulli(p, 0.25), torch.normal(p, 2.0), torch.normal(1.0, p), torch.normal(p, p[:1]),
            torch.normal(1.0, 2.0, (3, p.size(0))), torch.poisson(p * 3), torch.poisson(p * 30))
def drawn(self, p, n: int):
    return torch.multinomial(p, n), torch.multinomial(p, 1, True), torch.multinomial(p, 7, replacement=True)
def transposed(self, x):
    y = x.t()
    z = torch.empty(5, 4).t()
    return torch.rand_like(y), torch.randn_like(y), torch.nn.functional.dropout(y, 0.5, True), z.normal_()
def loops(self, n: int):
    total = torch.zeros(3)
    rows: List[Tensor] = []
    for i in range(n):
        if i % 2 == 0:
            total = total + torch.rand(3)
        else:
            total = total - torch.randn(3)
        rows.append(torch.rand(2))
    torch.rand(5)  # nobody uses it, but the next ones are others
    return total, torch.stack(rows), torch.rand(1)
def shared(self, x):
    a = torch.rand(3)
    b = torch.rand(3)
    a.add_(1)
    return a, b, a + torch.rand(3) + torch.rand(3), torch.cat([torch.rand(2, 3), x, torch.randn(1, 3)])
def until(self, limit: float):
    count = 0
    while bool(torch.rand(1) < limit):
        count += 1
    return count, torch.rand(1).item()
def fails(self, low: int, high: int, p: float, d: float):
    return torch.randint(low, high, (2,)), torch.empty(3).bernoulli_(p), torch.empty(3).normal_(0.0, d)
"""

SIGNATURES = ["sizes(int, int)", "types(int)", "like(?x?xf32)", "filled(?x?xf32)", "filled(?x?xf64)", "filled(3x7xf16)",
              "filled(3x7xbf16)", "changed(?x?xf32)", "integers(?xi64, ?xui8, ?xi1)", "weighted(?x?xf32)",
              "weighted(3x4xf64)", "weighted(3x4xbf16)", "drawn(?x?xf32, int)", "drawn(?xf64, int)",
              "transposed(3x5xf32)", "transposed(4x6xf32)", "loops(int)", "shared(?x3xf32)", "until(float)",
              "fails(int, int, float, float)"]


def main():
    ones = torch.ones
    calls = [("sizes", [2, 3]), ("sizes", [5, 7]), ("sizes", [1, 1]), ("sizes", [40, 25])]
    calls += [("types", [n]) for n in (1, 5, 15, 16, 17, 33, 100)]
    calls += [("like", [ones(n, m)]) for n, m in ((1, 1), (3, 5), (6, 6), (0, 3))]
    calls += [("filled", [ones(n, m, dtype=t)]) for n, m in ((2, 3), (3, 7)) for t in (torch.float32, torch.float64)]
    calls += [("filled", [ones(3, 7, dtype=t)]) for t in (torch.float16, torch.bfloat16)]
    calls += [("changed", [ones(3, 8)]), ("changed", [ones(2, 3)])]
    calls += [("integers", [ones(9, dtype=torch.int64), ones(7, dtype=torch.uint8), ones(5, dtype=torch.bool)])]
    p = (torch.arange(12) + 1).reshape(3, 4) / 13
    calls += [("weighted", [p.to(t)]) for t in (torch.float32, torch.float64, torch.bfloat16)]
    calls += [("drawn", [p, 1]), ("drawn", [p, 4]), ("drawn", [p.reshape(12).double(), 5])]
    calls += [("transposed", [ones(3, 5)]), ("transposed", [ones(4, 6)])]
    calls += [("loops", [n]) for n in (1, 4, 5)] + [("shared", [ones(2, 3)]), ("shared", [ones(4, 3)])]
    calls += [("until", [0.9]), ("until", [0.5]), ("types", [0]), ("fails", [2, 3, 1.0, 0.0]),
              ("fails", [3, 3, 0.5, 1.0], "to be less than 'to'"), ("fails", [0, 3, 1.5, 1.0], "p to be in"),
              ("fails", [0, 3, 0.5, -1.0], "std >= 0"),
              ("weighted", [p * 2], "p_in"), ("drawn", [p, 5], "n_sample"), ("drawn", [-p, 2], "element < 0"),
              ("drawn", [p * 0, 2], "sum of probabilities")]
    check_source(SOURCE, SIGNATURES, calls, seed=11)
    check_repeated()


def check_repeated():
    """The same call again and again, with the same memory: a device may not replay what it drew."""
    build, folder = map(pathlib.Path, sys.argv[1:3])
    device = (sys.argv[3:] or ["cpu"])[0]
    compile_library(build, folder / "methods.pt", folder / "repeated.so", ["shared(2x3xf32)"], target=device)
    instance = torchlite.Model(folder / "repeated.so").instance(1, device)
    reference = torch.jit.load(str(folder / "methods.pt"))
    run = instance.prepare("shared", torch.ones(2, 3).numpy())
    instance.seed(6)
    torch.manual_seed(6)
    for number in range(6):
        run()
        compare(run.values(), reference.shared(torch.ones(2, 3)), f"call {number}")
    run.clear()
    instance.close()
    for seed in ([], ["--seed=9"]):
        subprocess.run([build / "bin" / "tl-run", folder / "methods.pt", "--call=sizes(3, 20)", "--call=sizes(5, 4)",
                        "--check", *seed], check=True, capture_output=True)


if __name__ == "__main__":
    main()
