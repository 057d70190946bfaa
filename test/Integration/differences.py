"""Numerical gradients, running sums of exponentials, common divisors, and the normalisations that traces
contain, of sizes that are known at the call only.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from sources import check_source  # noqa: E402

SOURCE = """
def gradients(self, x, h: float):
    return (torch.gradient(x), torch.gradient(x, spacing=2.0, dim=1),
            torch.gradient(x, spacing=h, dim=[1, 0], edge_order=2))
def sums(self, x):
    return torch.logcumsumexp(x, 0), torch.logcumsumexp(x, -1), torch.logcumsumexp(x.double(), 1)
def divisors(self, a, b):
    return torch.gcd(a, b), torch.lcm(a, b), torch.gcd(a.int(), b.int()), torch.gcd(a.abs().to(torch.uint8), b[:1].abs().to(torch.uint8))
def batch(self, x, mean, var, w):
    y = torch.native_batch_norm(x, w, None, mean, var, True, 0.1, 1e-5)
    z = torch.native_batch_norm(x, w, w, mean, var, False, 0.1, 1e-5)
    u = torch._native_batch_norm_legit(x, None, None, mean, var, True, 0.3, 1e-3)
    return y, z, u, torch.ops.aten._batch_norm_with_update(x, w, w, mean, var, 0.2, 1e-5)
def group(self, x, w):
    return torch.native_group_norm(x, w, w, x.size(0), x.size(1), x.size(2) * x.size(3), 2, 1e-5)
"""

SIGNATURES = ["gradients(?x?xf32, float)", "sums(?x?xf32)", "divisors(?x?xi64, ?x?xi64)",
              "batch(?x?x?xf32, ?xf32, ?xf32, ?xf32)", "group(?x?x?x?xf32, ?xf32)"]


def main():
    randn, tensor, infinity = torch.randn, torch.tensor, float("inf")
    calls = [("gradients", [randn(3, 4), 0.5]), ("gradients", [randn(5, 3), 2.0]),
             ("gradients", [randn(2, 4), 0.5], "edge_order"),
             ("sums", [randn(3, 5) * 20]), ("sums", [randn(1, 1)]), ("sums", [randn(8, 9)]), ("sums", [randn(0, 3)]),
             ("sums", [tensor([[-infinity, -infinity, 1.0], [infinity, 3.0, float("nan")]])]),
             ("divisors", [tensor([[12, -18, 0, 7], [0, 100, 2**40, -5]]), tensor([[8, 27, 0, 0], [-9, 75, 2**35, 10]])]),
             ("divisors", [tensor([[12], [35]]), tensor([[8, 14, 5]])]),
             ("batch", [randn(4, 3, 5), randn(3), torch.rand(3) + 0.5, randn(3)]),
             ("group", [randn(2, 4, 3, 5), randn(4)]), ("group", [randn(1, 2, 1, 3), randn(2)])]
    check_source(SOURCE, SIGNATURES, calls)


if __name__ == "__main__":
    main()
