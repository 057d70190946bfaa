"""Complex tensors as arguments, results and attributes: arithmetic, functions, parts that are views, products of
matrices, rotary embeddings; with sizes that are known at the call only, as LibTorch computes them.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from sources import check_source, of_single_precision  # noqa: E402

torch.manual_seed(8)

SOURCE = """
def arithmetic(self, a, b, x):
    return (a + b, a - b, a * b, a / b, -a, a * x, x * a, a + x, x - a, a / x, x / a, a * 2.5, 3 - a, 1 / a, a.reciprocal(),
            torch.add(a, b, alpha=2), torch.rsub(a, b), a == b, a != a, a == x, a * a, a.square(), torch.addcmul(a, a, b, value=0.5))
def functions(self, a):
    return (a.abs(), a.angle(), a.exp(), a.log(), a.sqrt(), a.sin(), a.cos(), a.tan(), a.sinh(), a.cosh(), a.tanh(), a.sgn(),
            torch.sigmoid(a), a.rsqrt(), a.log2(), a.log10())
def powers(self, a, b):
    return a ** 2, a ** 3, a ** 0.5, a ** -1, a ** -2, a ** 4, a ** 1.5, a ** b, 2.0 ** a, a ** 0
def parts(self, a, x):
    return (a.real, a.imag, torch.view_as_real(a), a.conj(), a.conj_physical(), torch.complex(x, -x), torch.polar(x.abs(), x), a.conj() * a,
            torch.view_as_complex(torch.stack([x, x * 2], -1)), a.to(torch.complex128), x.to(torch.complex64), a.resolve_conj(),
            a.is_complex(), torch.is_complex(x), a.to(torch.bool), a.isnan(), a.isinf(), a.isfinite(), a.isreal(), x.angle(), x.real)
def sums(self, a):
    return (a.sum(), a.sum(-1), a.mean(), a.mean(0, keepdim=True), a.cumsum(1), a.abs().max(), torch.linalg.vector_norm(a),
            a.any(), a.count_nonzero(), a.norm())
def products(self, a, b, v):
    return (a @ b, torch.mm(a, b), torch.mv(a, v), torch.dot(v, v), torch.vdot(v, v), torch.outer(v, v),
            torch.einsum("ij,jk->ik", a, b), torch.einsum("ij,j->i", a, v), torch.addmm(a @ b, a, b, beta=0.5, alpha=2),
            torch.bmm(a.unsqueeze(0), b.unsqueeze(0)), torch.nn.functional.linear(b.mT, a, v[:1]))
def moved(self, a, m):
    return (torch.cat([a, a.conj()]), torch.where(m, a, a * 2), torch.where(m, a, 0.0), a.transpose(0, 1).flatten(), torch.stack([a, a]).flip(0),
            torch.nn.functional.pad(a, [1, 2]), a.unsqueeze(0).expand(2, -1, -1) + 0, torch.zeros_like(a), torch.ones_like(a) * a, a[:, 0], a.masked_fill(m, 1.0))
def writes(self, a, x):
    b = a.clone()
    b.real.mul_(2)
    b.imag.add_(x)
    c = a.clone()
    torch.view_as_real(c)[..., 0] = x
    d = torch.stack([x, x], -1)
    torch.view_as_complex(d).mul_(a)
    e = a.clone()
    e.conj().mul_(a)
    e += x
    a *= 2
    return b, c, d, e
def rotary(self, q, f):
    c = torch.view_as_complex(q.float().reshape(q.size(0), q.size(1), q.size(2), -1, 2))
    r = torch.polar(torch.ones_like(f), f).view(1, f.size(0), 1, f.size(1))
    return torch.view_as_real(c * r).flatten(3).type_as(q)
def scalars(self, x):
    return x * 1j, x + (2 - 1j), torch.exp(0.5j * x), (x * 1j) ** 1j, 1j - x
def imaginary(self, x):
    return torch.view_as_real(torch.view_as_complex(x))
"""

SINGLE, DOUBLE = "?x?xcomplex64", "?x?xcomplex128"
SIGNATURES = ["arithmetic(?x?xcomplex64, ?x?xcomplex64, ?x?xf32)", "arithmetic(?x?xcomplex128, ?x?xcomplex64, ?x?xf64)",
              "arithmetic(3x5xcomplex64, 5xcomplex64, 3x1xi64)", f"functions({SINGLE})", f"functions({DOUBLE})", "functions(4xcomplex64)",
              f"powers({SINGLE}, {SINGLE})", f"powers({DOUBLE}, {DOUBLE})", "parts(?x?xcomplex64, ?x?xf32)", "parts(2x3xcomplex128, 2x3xf64)",
              f"sums({SINGLE})", f"sums({DOUBLE})", f"products({SINGLE}, {SINGLE}, ?xcomplex64)", "products(4x3xcomplex128, 3x5xcomplex128, 3xcomplex128)",
              f"moved({SINGLE}, ?x?xi1)", "writes(?x?xcomplex64, ?x?xf32)", "rotary(?x?x?x8xf32, ?x4xf32)", "rotary(1x?x2x8xf16, ?x4xf32)", "imaginary(?x2xf32)", "scalars(?xf32)", "scalars(?xf64)",
              "imaginary(?x?xf32)"]


def main():
    randn, single, double = torch.randn, torch.complex64, torch.complex128
    inf, nan = float("inf"), float("nan")
    odd = torch.tensor([[0, 1, -1, 1j, -1j, complex(-2, -0.0), 3 + 4j, 1e-30 + 1e-30j, 9e18 - 1e18j, -1e-3j]], dtype=single)
    edges = torch.tensor([complex(inf, 1), complex(nan, 0), complex(-inf, 2), complex(1, inf)], dtype=single)
    calls = [
        ("arithmetic", [randn(3, 4, dtype=single), randn(3, 4, dtype=single), randn(3, 4)]),
        ("arithmetic", [randn(1, 1, dtype=single), randn(1, 1, dtype=single), randn(1, 1)]),
        ("arithmetic", [randn(0, 4, dtype=single), randn(0, 4, dtype=single), randn(0, 4)]),
        ("arithmetic", [randn(2, 9, dtype=double), randn(2, 9, dtype=single), randn(2, 9, dtype=torch.float64)]),
        ("arithmetic", [randn(3, 5, dtype=single), randn(5, dtype=single), torch.tensor([[1], [2], [-3]])]),
        ("functions", [randn(5, 7, dtype=single)]), ("functions", [randn(5, 7, dtype=double)]), ("functions", [randn(4, dtype=single)]),
        ("powers", [randn(5, 7, dtype=single), randn(5, 7, dtype=single)]), ("powers", [randn(2, 7, dtype=double), randn(2, 7, dtype=double)]),
        ("parts", [randn(3, 4, dtype=single), randn(3, 4)]), ("parts", [randn(2, 3, dtype=double), randn(2, 3, dtype=torch.float64)]),
        ("parts", [odd, randn(1, 10)]), ("parts", [edges.unsqueeze(0), randn(1, 4)]),
        ("sums", [randn(3, 70, dtype=single)]), ("sums", [randn(4, 2, dtype=double)]), ("sums", [odd]),
        ("products", [randn(4, 3, dtype=single), randn(3, 6, dtype=single), randn(3, dtype=single)]),
        ("products", [randn(4, 3, dtype=double), randn(3, 5, dtype=double), randn(3, dtype=double)]),
        ("products", [randn(4, 3, dtype=single), randn(4, 6, dtype=single), randn(3, dtype=single)], "size"),
        ("moved", [randn(3, 4, dtype=single), randn(3, 4) > 0]), ("writes", [randn(3, 4, dtype=single), randn(3, 4)]),
        ("rotary", [randn(2, 5, 3, 8), randn(5, 4)]), ("rotary", [randn(1, 1, 1, 8), randn(1, 4)]),
        ("rotary", [randn(1, 7, 2, 8).half(), randn(7, 4)]), ("imaginary", [randn(4, 2)]),
        ("scalars", [randn(5)]), ("scalars", [randn(1)]), ("scalars", [randn(3, dtype=torch.float64)]),
        ("imaginary", [randn(4, 3)], "last dimension of size 2"), ("imaginary", [randn(5, 2)])]
    emulated = sys.argv[3] == "emulated"
    check_source(SOURCE, *(of_single_precision(SIGNATURES, calls) if emulated else (SIGNATURES, calls)))


if __name__ == "__main__":
    main()
