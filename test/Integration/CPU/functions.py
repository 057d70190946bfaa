# RUN: env TORCHLITE_BUILD=%build TORCHLITE_CC=%cc %python %s
"""Mathematical functions over the whole range of their arguments, against PyTorch in f64."""
import os
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "Inputs"))
from harness import Module  # noqa: E402

UNARY = {
    "exp": torch.exp, "exp2": torch.exp2, "expm1": torch.expm1, "log": torch.log,
    "log2": torch.log2, "log10": torch.log10, "log1p": torch.log1p, "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan,
    "asin": torch.asin, "acos": torch.acos, "atan": torch.atan, "sinh": torch.sinh,
    "cosh": torch.cosh, "tanh": torch.tanh, "asinh": torch.asinh, "acosh": torch.acosh,
    "atanh": torch.atanh, "erf": torch.erf, "erfc": torch.erfc, "ceil": torch.ceil,
    "floor": torch.floor, "roundeven": torch.round, "trunc": torch.trunc, "absf": torch.abs,
}
BINARY = {"powf": torch.pow, "atan2": torch.atan2, "copysign": torch.copysign}
SUFFIX = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32,
          "f64": torch.float64}
# torch: relative and absolute tolerance by type
TOLERANCE = {"f16": (2e-3, 1e-5), "bf16": (1.6e-2, 1e-5), "f32": (1e-4, 1e-5),
             "f64": (1e-7, 1e-9)}
# Results that are denormal are right as well.
CLOSE = {("exp", "f32"): (3e-7, 2e-45), ("exp", "f64"): (1e-15, 1e-323), ("exp2", "f32"): (3e-7, 2e-45)}


def source(name, count, type):
    names = ["a", "b"][:count]
    arguments = ", ".join(f"%{n}: tensor<?x{type}>" for n in names)
    maps = ", ".join(["affine_map<(i) -> (i)>"] * (count + 1))
    ins = ", ".join(f"%{n}" for n in names)
    types = ", ".join([f"tensor<?x{type}>"] * count)
    block = ", ".join(f"%x{n}: {type}" for n in names)
    operands = ", ".join(f"%x{n}" for n in names)
    return f'''
func.func @{name}_{type}({arguments}) -> tensor<?x{type}>
    attributes {{tl.method = "{name}"}} {{
  %c0 = arith.constant 0 : index
  %n = tensor.dim %a, %c0 : tensor<?x{type}>
  %e = tensor.empty(%n) : tensor<?x{type}>
  %r = linalg.generic {{indexing_maps = [{maps}], iterator_types = ["parallel"]}}
      ins({ins} : {types}) outs(%e : tensor<?x{type}>) {{
  ^bb0({block}, %o: {type}):
    %y = math.{name} {operands} : {type}
    linalg.yield %y : {type}
  }} -> tensor<?x{type}>
  return %r : tensor<?x{type}>
}}
'''


def values(dtype, count):
    """Every f16, or many f32 of all exponents, and what is special."""
    special = torch.tensor([0.0, -0.0, float("inf"), -float("inf"), float("nan"), 1, -1, 0.5, 2,
                            1e-40, -1e-40, 1e-45, 88.7, 88.8, -87.3, -87.4, -103.9, -104.1, 9.0,
                            3.4e38, -3.4e38, 1.0000001, 0.99999994, -0.99999994], dtype=torch.float64)
    generator = torch.Generator().manual_seed(1)
    bits = torch.randint(-2**31, 2**31, (count,), generator=generator).to(torch.int32)
    wide = bits.view(torch.float32).to(torch.float64)
    narrow = torch.randn(count, generator=generator, dtype=torch.float64) * 4
    near = 1 + torch.randn(count, generator=generator, dtype=torch.float64) * 1e-3
    limits = torch.linspace(-110, 90, 2000, dtype=torch.float64)
    return torch.cat([special, wide, narrow, near, limits]).to(dtype)


def to_numpy(x):
    return x.view(torch.int16).numpy() if x.dtype in (torch.bfloat16, torch.float16) else x.numpy()


def main():
    failures = []
    for cpu in ("native", "x86-64"):
        types = ["f32", "f64", "f16", "bf16"]
        module = Module("".join(
            source(name, count, type) for type in types
            for table, count in ((UNARY, 1), (BINARY, 2)) for name in table), cpu=cpu)
        for type in types:
            dtype = SUFFIX[type]
            for table, count in ((UNARY, 1), (BINARY, 2)):
                for name, reference in table.items():
                    rtol, atol = CLOSE.get((name, type), TOLERANCE[type])
                    size = 30_000 if type == "f32" else 10_000
                    inputs = [values(dtype, size)]
                    if count == 2:
                        order = torch.randperm(len(inputs[0]),
                                               generator=torch.Generator().manual_seed(2))
                        inputs.append(inputs[0][order])
                    kind = {"f16": np.int16, "bf16": np.int16, "f32": np.float32,
                            "f64": np.float64}[type]
                    got = module.call(f"{name}_{type}", *map(to_numpy, inputs),
                                      results=[(kind, 1)])[0]
                    got = torch.from_numpy(got.copy()).view(dtype).to(torch.float64)
                    want = reference(*[x.to(torch.float64) for x in inputs])
                    want = want.to(dtype).to(torch.float64)
                    with np.errstate(all="ignore"):
                        bad = ~np.isclose(got, want, rtol=rtol, atol=atol, equal_nan=True)
                    if bad.any():
                        i = int(np.flatnonzero(bad)[0])
                        failures.append(
                            f"{cpu} {name} {type}: {int(bad.sum())} of {len(bad)} wrong; "
                            f"f({', '.join(str(float(x[i])) for x in inputs)}) is "
                            f"{float(got[i])}, expected {float(want[i])}")
    assert not failures, "\n".join(failures)


main()
