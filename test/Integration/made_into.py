"""Operators that make a tensor, given the one to write: it has their element type, and their size if it is
empty. Operators in place whose names differ from those that they are in place of.

RUN: %python %s %build %t
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from sources import check_source  # noqa: E402

SOURCE = """
def made(self, x, i):
    torch.zeros(3, out=x)
    y = torch.empty(0, dtype=torch.float64)
    torch.linspace(0, 1, 5, out=y)
    z = torch.empty(0)
    torch.logspace(0, 2, 4, out=z)
    a = torch.empty(0, dtype=torch.int64)
    torch.arange(1, 9, 2, out=a)
    b = torch.empty(4)
    torch.arange(4, out=b)
    torch.eye(2, 3, out=i)
    e = torch.empty(2, 2, dtype=torch.float64)
    torch.eye(2, out=e)
    f = torch.empty(2, 3, dtype=torch.int32)
    torch.full([2, 3], 7, out=f)
    g = torch.empty(0, dtype=torch.bfloat16)
    torch.ones([2, 2], out=g)
    return x, y, z, a, b, i, e, f, g
def drawn(self, n: int):
    x = torch.empty(0, dtype=torch.float64)
    torch.rand(n, 3, out=x)
    y = torch.empty(0)
    torch.randn([n, 3], out=y)
    i = torch.empty(0, dtype=torch.int64)
    torch.randint(2, 9, [n], out=i)
    p = torch.empty(0, dtype=torch.int32)
    torch.randperm(n, out=p)
    z = torch.zeros(4)
    torch.bernoulli(torch.full([4], 0.5), out=z)
    return x, y, i, p, z
def powers(self, x, e, i):
    x.pow_(e)
    y = x * 1.0
    y.pow_(2)
    i.floor_divide_(torch.tensor(3))
    z = x + 1
    z.floor_divide_(e)
    return x, y, i, z
def found(self, edges, i):
    return (torch.searchsorted(edges, 2.5), torch.searchsorted(edges, 2, right=True), torch.searchsorted(i, 2.5),
            torch.searchsorted(edges, 3, out_int32=True, side='right'))
"""

SIGNATURES = ["made(3xf32, 2x3xi64)", "drawn(int)", "powers(?x3xf32, ?x3xf32, ?xi64)", "found(?xf32, ?xi64)"]


def main():
    calls = [("made", [torch.ones(3), torch.ones(2, 3, dtype=torch.int64)]), ("drawn", [4]), ("drawn", [7]),
             ("powers", [torch.rand(2, 3) + 1, torch.rand(2, 3) * 3, torch.arange(-4, 5)]),
             ("found", [torch.arange(5).float(), torch.arange(6)]), ("found", [torch.zeros(1), torch.tensor([3])])]
    check_source(SOURCE, SIGNATURES, calls, seed=4)


if __name__ == "__main__":
    main()
