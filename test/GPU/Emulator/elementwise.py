"""Kernels of parallel loops against LibTorch, on the emulated GPU.

RUN: %python %s %build %t

Forms and sizes that take different ways: contiguous or not, lanes in one row or not, a rest or none,
sizes that are known or not, nothing at all; element types of 1 to 16 bytes; special numbers.
"""
import pathlib
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Integration" / "Inputs"))
from compare import Mismatch, check_calls  # noqa: E402

torch.manual_seed(3)


class Functions(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Parameter(torch.randn(11, 8), requires_grad=False)
        self.narrow = torch.nn.Parameter(torch.randn(5, 3), requires_grad=False)

    def forward(self, x):
        return x * 2

    @torch.jit.export
    def binary(self, x, y):
        return torch.tanh(x + y) * x - y

    @torch.jit.export
    def affine(self, x, row, column):
        return x * row + column.unsqueeze(1)

    @torch.jit.export
    def compare(self, x, y):
        return torch.where(x > y, x, y), x.isnan() | (x == y)

    @torch.jit.export
    def convert(self, x):
        return x.half(), x.to(torch.bfloat16), x.double(), (x * 3).to(torch.int8), x.to(torch.int64)

    @torch.jit.export
    def both(self, x, y):
        return x & ~y

    @torch.jit.export
    def concat(self, x, y):
        return torch.cat([x, y.exp(), x], 1), torch.cat([x, x], 0)

    @torch.jit.export
    def pad(self, x):
        return F.pad(x, (0, 0, 1, 2)), F.pad(x, (3, 1)), F.pad(x, (4, 4, 1, 1), value=1.5)

    @torch.jit.export
    def slices(self, x):
        return x[1:, 4:] * 2, x[:, 1:].contiguous(), x[::2, ::3] + 1

    @torch.jit.export
    def nothing(self, x, y):
        z = x.clone()
        z[:, 1:] += 1
        return x[1:, :, 2:] * 2, y[2:2] + 1, torch.cat([y, y[5:], y[1:]], 0), torch.cat([x, x], 0), z

    @torch.jit.export
    def embed(self, indices):
        return F.embedding(indices, self.table), F.embedding(indices, self.narrow) + 1

    @torch.jit.export
    def expand(self, x):
        return x.unsqueeze(1).expand(-1, 3, -1) + 1, torch.full_like(x, 7.0), x.sum() * x

    @torch.jit.export
    def reshape(self, x):
        y = (x * 2).view(x.size(1), x.size(0)) + 1
        return y.reshape(x.size(0), x.size(1) // 2, 2).sum(1), y.reshape(2, -1, x.size(0)).exp()


def calls():
    """(signatures, calls) of one library each."""
    randn = torch.randn
    special = torch.tensor([[float("nan"), float("inf"), -0.0, 1.0], [float("-inf"), 0.0, -2.5, 3e38]])
    shapes = [(3, 8), (7, 5), (1, 1), (64, 12), (5, 6), (0, 4), (33, 32)]
    for m, n in shapes:
        x, y = randn(m, n), randn(m, n)
        t = f"{m}x{n}xf32"
        made = [(f"forward({t})", "forward", [x]), (f"binary({t}, {t})", "binary", [x, y]),
                (f"affine({t}, {n}xf32, {m}xf32)", "affine", [x, randn(n), randn(m)]),
                (f"compare({t}, {t})", "compare", [x, x.round()]), (f"convert({t})", "convert", [x]),
                (f"both({m}x{n}xi1, {m}x{n}xi1)", "both", [x > 0, y > 0]),
                (f"concat({t}, {m}x4xf32)", "concat", [x, randn(m, 4)]), (f"pad({t})", "pad", [x]),
                (f"expand({t})", "expand", [x])]
        if n > 4 and m > 1:
            made.append((f"slices({t})", "slices", [x]))
        half = x.half()
        made.append((f"forward({m}x{n}xf16)", "forward", [half]))
        made.append((f"forward({m}x{n}xbf16)", "forward", [x.to(torch.bfloat16)]))
        made.append((f"forward({m}x{n}xf64)", "forward", [x.double()]))
        made.append((f"forward({m}x{n}xi8)", "forward", [(x * 9).to(torch.int8)]))
        made.append((f"forward({m}x{n}xi32)", "forward", [(x * 9).to(torch.int32)]))
        made.append((f"embed({m}xi64)", "embed", [torch.randint(0, 5, (m,))]))
        yield made
    yield [("nothing(3x0x5xf32, 5x4xf32)", "nothing", [randn(3, 0, 5), randn(5, 4)])]
    # Sizes that are not known.
    t = "?x?xf32"
    yield [(f"forward({t})", "forward", [randn(m, n)]) for m, n in shapes] + [
        (f"binary({t}, {t})", "binary", [randn(m, n), randn(m, n)]) for m, n in shapes] + [
        (f"affine({t}, ?xf32, ?xf32)", "affine", [randn(m, n), randn(n), randn(m)]) for m, n in shapes] + [
        (f"compare({t}, {t})", "compare", [special, special.flip(1)]),
        ("both(?x?xi1, ?x?xi1)", "both", [randn(9, 5) > 0, randn(9, 5) > 0]),
        ("embed(?xi64)", "embed", [torch.randint(0, 5, (6,))]),
        ("concat(?x8xf32, ?x4xf32)", "concat", [randn(5, 8), randn(5, 4)]),
        ("pad(?x8xf32)", "pad", [randn(5, 8)]), ("reshape(?x?xf32)", "reshape", [randn(3, 4)]),
        ("reshape(?x?xf32)", "reshape", [randn(5, 2)]), ("expand(?x?xf32)", "expand", [randn(3, 4)])]


def main():
    build, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "elementwise.pt"
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
