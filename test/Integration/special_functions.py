"""Special functions at ordinary and at odd places, as LibTorch computes them.

RUN: %python %s %build %t.cpu cpu
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from sources import check_source  # noqa: E402

torch.manual_seed(5)

FUNCTIONS = ["lgamma", "digamma", "special_erfcx", "special_log_ndtr", "special_ndtri", "special_i0", "special_i0e",
             "special_i1", "special_i1e", "special_bessel_j0", "special_bessel_j1", "special_bessel_y0",
             "special_bessel_y1", "special_modified_bessel_k0", "special_modified_bessel_k1",
             "special_scaled_modified_bessel_k0", "special_scaled_modified_bessel_k1", "special_airy_ai",
             "special_spherical_bessel_j0"]


def method(function):
    return f"def {function}_(self, x):\n    return torch.ops.aten.{function}(x)\n"


SOURCE = "".join(method(f) for f in FUNCTIONS)


def main():
    inf, nan = float("inf"), float("nan")
    odd = torch.tensor([0.0, -0.0, 1, 2, -1, -2, -2.5, 0.5, -0.5, 1e-3, -1e-3, 10, 30.5, nan, inf, -inf, 0.3, 1.7, 2.2])
    some = torch.cat([odd, torch.randn(40) * 3, torch.rand(20) * 40])
    names = [f + "_" for f in FUNCTIONS]
    calls = [(name, [some]) for name in names]
    check_source(SOURCE, [f"{name}(?xf32)" for name in names], calls)


if __name__ == "__main__":
    main()
