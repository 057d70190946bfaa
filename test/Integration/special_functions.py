"""Special functions at ordinary and at odd places, as LibTorch computes them.

RUN: %python %s %build %t.cpu cpu
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import check_calls  # noqa: E402

torch.manual_seed(5)

FUNCTIONS = ["lgamma", "digamma", "special.erfcx", "special.log_ndtr", "special.ndtri", "special.i0", "special.i0e",
             "special.i1", "special.i1e", "special.bessel_j0", "special.bessel_j1", "special.bessel_y0",
             "special.bessel_y1", "special.modified_bessel_k0", "special.modified_bessel_k1",
             "special.scaled_modified_bessel_k0", "special.scaled_modified_bessel_k1", "special.airy_ai",
             "special.spherical_bessel_j0"]


def method(function):
    name = function.replace("special.", "special_")
    return f"def {name}_(self, x):\n    return torch.ops.aten.{name}(x)\n"


SOURCE = "".join(method(f) for f in FUNCTIONS)


def main(build, folder, device):
    folder.mkdir(parents=True, exist_ok=True)
    module = torch.jit.script(torch.nn.Module())
    module.define(SOURCE)
    torch.jit.save(module, str(folder / "special.pt"))
    inf, nan = float("inf"), float("nan")
    odd = torch.tensor([0.0, -0.0, 1, 2, -1, -2, -2.5, 0.5, -0.5, 1e-3, -1e-3, 10, 30.5, nan, inf, -inf, 0.3, 1.7, 2.2])
    some = torch.cat([odd, torch.randn(40) * 3, torch.rand(20) * 40])
    names = [f.replace("special.", "special_") + "_" for f in FUNCTIONS]
    calls = [(name, [some]) for name in names]
    check_calls(build, folder / "special.pt", [f"{name}(?xf32)" for name in names], calls, folder, device=device)
    print(f"{len(calls)} calls agree")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3])
