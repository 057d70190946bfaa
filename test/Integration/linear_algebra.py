"""Factorisations of matrices, systems of equations, eigenvalues and singular values of batches whose sizes are
known at the call only, as LibTorch computes them, or by what is unique of them; and what LibTorch raises.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import sys
import warnings

import torch

warnings.filterwarnings("ignore", message="torch.triangular_solve")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from sources import check_source  # noqa: E402

torch.manual_seed(6)

SOURCE = """
def triangular(self, a, b):
    return (torch.linalg.solve_triangular(a, b, upper=False), torch.linalg.solve_triangular(a, b, upper=True),
            torch.linalg.solve_triangular(a, b.mT, upper=True, left=False),
            torch.linalg.solve_triangular(a, b, upper=False, unitriangular=True),
            torch.triangular_solve(b, a, True, True, False)[0])
def cholesky(self, a, b):
    l = torch.linalg.cholesky(a)
    return (l, torch.linalg.cholesky(a, upper=True), torch.cholesky_solve(b, l), torch.cholesky_inverse(l),
            torch.linalg.cholesky_ex(a), torch.cholesky_solve(b, l.mT.contiguous(), True))
def cholesky_info(self, a):
    return torch.linalg.cholesky_ex(a)[1]
def determinants(self, a):
    return torch.linalg.det(a), torch.linalg.slogdet(a), torch.logdet(a), a.det()
def inverses(self, a, b):
    f, p = torch.linalg.lu_factor(a)
    return (torch.linalg.inv(a), torch.linalg.inv_ex(a), torch.linalg.solve(a, b), torch.linalg.solve_ex(a, b)[0],
            torch.linalg.solve(a, b.mT, left=False), torch.linalg.lu_solve(f, p, b), torch.linalg.lu_solve(f, p, b, adjoint=True),
            torch.linalg.lu_solve(f, p, b.mT, left=False), a.inverse())
def factors(self, a):
    return torch.linalg.lu(a), torch.linalg.lu_factor_ex(a), torch.lu_unpack(*torch.linalg.lu_factor(a))
def reflections(self, a, b):
    f, tau = torch.geqrf(a)
    return (torch.linalg.qr(a), torch.linalg.qr(a, "complete"), torch.linalg.qr(a, "r")[1], f, tau,
            torch.ormqr(f, tau, b), torch.ormqr(f, tau, b.mT, False), torch.ormqr(f, tau, b, True, True))
def product_of_reflections(self, a):
    return torch.linalg.householder_product(*torch.geqrf(a))
def eigen(self, a):
    s = a + a.mT
    w, v = torch.linalg.eigh(s)
    u, x = torch.linalg.eigh(a, "U")
    return (w, (v * w.unsqueeze(-2)) @ v.mT, v.mT @ v, torch.linalg.eigvalsh(s), u, (x * u.unsqueeze(-2)) @ x.mT)
def singular(self, a):
    u, s, v = torch.linalg.svd(a, full_matrices=False)
    x, y, z = torch.linalg.svd(a)
    return ((u * s.unsqueeze(-2)) @ v, u.mT @ u, v @ v.mT, s, x.mT @ x, z @ z.mT, torch.linalg.svdvals(a),
            torch.linalg.matrix_norm(a, "nuc"), torch.nuclear_norm(a, [1, 2]), torch.linalg.matrix_norm(a, 2), torch.linalg.matrix_norm(a, -2))
def pseudo(self, a):
    s = a @ a.mT
    return torch.linalg.pinv(a), torch.linalg.pinv(s, hermitian=True, rtol=0.001), torch.linalg.matrix_rank(a), torch.pinverse(a, 0.1)
def norms(self, a):
    return (torch.linalg.matrix_norm(a), torch.linalg.matrix_norm(a, 1), torch.linalg.matrix_norm(a, float("-inf"), keepdim=True),
            torch.linalg.cond(a), torch.linalg.cond(a, 1), torch.linalg.cond(a, "fro"))
def functions(self, a):
    return torch.linalg.matrix_exp(a), torch.linalg.matrix_power(a, 5), torch.linalg.matrix_power(a, -2), torch.linalg.matrix_power(a, 0)
def internal(self, a, b):
    u, s, v = torch.ops.aten._linalg_svd(a, False, True)
    w, x = torch.ops.aten._linalg_eigh(a, "L", True)
    return ((u * s.unsqueeze(-2)) @ v, (x * w.unsqueeze(-2)) @ x.mT, torch.ops.aten._linalg_det(a)[0], torch.svd(a, True, False)[1],
            torch.ops.aten._linalg_slogdet(a)[:2], torch.ops.aten._linalg_solve_ex(a, b)[0], torch.ops.aten._linalg_svd(a, False, False)[1])
def least(self, a, b):
    return torch.linalg.lstsq(a, b)
def least_squares(self, a, b):
    return (torch.linalg.lstsq(a, b, driver="gels")[:2], torch.linalg.lstsq(a, b, driver="gelsd"),
            torch.linalg.lstsq(a, b, 0.01, driver="gelss"))
def tensors(self, a, b):
    return torch.linalg.tensorinv(a, 2), torch.linalg.tensorsolve(a, b)
def invert(self, a):
    return torch.linalg.inv(a)
def solve(self, a, b):
    return torch.linalg.solve(a, b)
def factor(self, a):
    return torch.linalg.cholesky(a)
"""

BATCH, DOUBLE = "?x?x?xf32", "?x?x?xf64"
SIGNATURES = [f"{name}({', '.join([batch] * count)})" for batch in (BATCH, DOUBLE) for name, count in [
    ("triangular", 2), ("cholesky", 2), ("determinants", 1), ("inverses", 2), ("factors", 1), ("reflections", 2),
    ("product_of_reflections", 1), ("eigen", 1), ("singular", 1), ("pseudo", 1), ("norms", 1), ("functions", 1)]]
SIGNATURES += [f"least({DOUBLE}, {DOUBLE})", "tensors(2x3x6xf64, 2x3xf64)", f"invert({BATCH})", "invert(3x3xf32)",
               "invert(?x?xf64)", f"solve({BATCH}, ?xf32)", f"solve({BATCH}, {BATCH})", f"factor({BATCH})",
               f"cholesky_info({BATCH})", f"internal({BATCH}, {BATCH})",
               "least_squares(?x?xf64, ?x?xf64)"]


def well(*sizes, dtype=torch.float32):
    """Matrices far from singular ones."""
    a = torch.randn(*sizes, dtype=dtype)
    return a / 4 + 2 * torch.eye(sizes[-2], sizes[-1], dtype=dtype)


def positive(*sizes, dtype=torch.float32):
    a = torch.randn(*sizes, dtype=dtype)
    return a @ a.mT + torch.eye(sizes[-1], dtype=dtype)


def of_all_sizes(dtype):
    """Calls with one matrix, a batch, sizes that are no multiple of a vector's, no rows, and no matrix."""
    calls = []
    for batch, size in [(1, 1), (3, 4), (2, 19), (2, 0), (0, 3)]:
        b = torch.randn(batch, size, 5, dtype=dtype)
        calls += [("triangular", [well(batch, size, size, dtype=dtype), b]),
                  ("cholesky", [positive(batch, size, size, dtype=dtype), b]),
                  ("inverses", [well(batch, size, size, dtype=dtype), b]),
                  ("determinants", [torch.randn(batch, size, size, dtype=dtype)]),
                  ("functions", [well(batch, size, size, dtype=dtype)]),
                  ("eigen", [torch.randn(batch, size, size, dtype=dtype)])]
        if size:
            calls.append(("norms", [well(batch, size, size, dtype=dtype)]))
    for batch, rows, columns in [(2, 5, 3), (2, 3, 5), (1, 17, 9), (2, 1, 4), (1, 4, 1), (0, 3, 2)]:
        a = well(batch, rows, columns, dtype=dtype)
        calls += [("factors", [a]), ("reflections", [a, torch.randn(batch, rows, 4, dtype=dtype)]), ("singular", [a]),
                  ("pseudo", [a])]
        if rows >= columns:
            calls.append(("product_of_reflections", [a]))
    return calls


def main():
    randn, tensor = torch.randn, torch.tensor
    double = torch.float64
    deficient = randn(2, 6, 2, dtype=double) @ randn(2, 2, 4, dtype=double)
    singular = tensor([[1.0, 2.0], [2.0, 4.0]])
    indefinite = tensor([[1.0, 2.0], [2.0, 1.0]])
    calls = of_all_sizes(torch.float32) + of_all_sizes(double) + [
        ("singular", [deficient]), ("singular", [torch.zeros(1, 3, 2)]), ("singular", [torch.ones(1, 30, 30, dtype=double)]), ("singular", [randn(1, 4, 4) * 1e18]),
        ("pseudo", [deficient]), ("eigen", [torch.eye(3).repeat(2, 1, 1)]), ("eigen", [torch.zeros(1, 3, 3)]),
        ("least", [randn(2, 5, 3, dtype=double), randn(2, 5, 2, dtype=double)]),
        ("least", [randn(2, 3, 5, dtype=double), randn(2, 3, 2, dtype=double)]),
        ("least_squares", [randn(5, 3, dtype=double), randn(5, 2, dtype=double)]),
        ("least_squares", [randn(3, 3, dtype=double), randn(3, 2, dtype=double)]),
        ("least_squares", [randn(3, 5, dtype=double), randn(3, 2, dtype=double)]),
        ("tensors", [randn(2, 3, 6, dtype=double), randn(2, 3, dtype=double)]),
        ("determinants", [singular.unsqueeze(0)]), ("determinants", [-torch.eye(3).unsqueeze(0)]),
        ("cholesky_info", [torch.stack([torch.eye(2), indefinite])]),
        ("solve", [randn(2, 4, 4) + 4 * torch.eye(4), randn(4)]), ("solve", [well(1, 4, 4), randn(3, 4, 2)]),
        ("invert", [torch.stack([torch.eye(2), singular])], "Batch element 1"), ("invert", [well(1, 3, 3)]),
        ("invert", [torch.zeros(3, 3)], "The diagonal element 1 is zero"), ("invert", [well(3, 3)]),
        ("invert", [well(4, 4, dtype=double)]), ("invert", [randn(2, 3, dtype=double)], "square"),
        ("solve", [singular.unsqueeze(0), randn(1, 2, 1)], "singular"),
        ("solve", [well(1, 2, 2), randn(1, 3, 1)], "Incompatible shapes"),
        ("factor", [torch.stack([torch.eye(2), indefinite])], "minor of order 2 is not positive-definite"),
        ("factor", [positive(1, 2, 2)]), ("internal", [well(2, 4, 4), randn(2, 4, 3)]),
        ("eigen", [torch.full((1, 3, 3), float("nan"))], "failed to converge"),
        ("singular", [torch.full((1, 2, 2), float("nan"))], "non-finite")]
    check_source(SOURCE, SIGNATURES, calls)


if __name__ == "__main__":
    main()
