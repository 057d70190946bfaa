# RUN: env TORCHLITE_BUILD=%build %python %s %t
"""Interpolation: each mode, lines, planes and volumes, f32 and f64 to the accuracy of their type, to sizes
and by factors that are constants, or those of the call and of tensors of unknown sizes."""
import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "Inputs"))
from run_time_sizes import main  # noqa: E402

MODES = {1: ["nearest", "nearest-exact", "linear", "linear:corners"],
         2: ["nearest", "nearest-exact", "bilinear", "bilinear:corners", "bicubic", "bicubic:corners"],
         3: ["nearest", "nearest-exact", "trilinear", "trilinear:corners"]}
# Of the last two dimensions: of planes 7x5, lines of 5, volumes 2x7x5.
TARGETS = [(7, 5), (9, 2), (14, 10), (1, 1)]
FACTORS = [(1.0, 1.1), (2.0, 1.7), (1.05, 2.5), (3.3, 0.21)]


def wave(shape, dtype):
    """Numbers, one of them infinite and one none."""
    count = torch.Size(shape).numel()
    data = torch.sin(torch.arange(count, dtype=torch.float64) * 1.7).to(dtype) * 3
    data[2], data[-2] = float("nan"), float("inf")
    return data.reshape(shape)


def last(values, spatial):
    return list(values[-spatial:]) if spatial < 3 else [2, *values]


def options(mode):
    name, _, corners = mode.partition(":")
    return f"mode='{name}'" + (", align_corners=True" if corners else "")


def program(spatial, mode, element, isStatic):
    """Arguments, body and calls: all targets and factors as constants, or those of the call."""
    dtype = {"f32": torch.float32, "f64": torch.float64}[element]
    shape = [1, 2, *[2, 7, 5][3 - spatial:]]
    sizes = "x".join(map(str, shape)) if isStatic else "x".join("?" * len(shape))
    x = ("x: Tensor", f"{sizes}x{element}")
    call = "torch.nn.functional.interpolate(x, {}, " + options(mode) + ")"
    data = wave(shape, dtype)
    constants = [call.format(f"size={last(target, spatial)}") for target in TARGETS]
    constants += [call.format(f"scale_factor={[float(f) for f in last(factors, spatial)]}") for factors in FACTORS]
    if isStatic:
        return [x], "return " + ", ".join(constants), [(data,)]
    amounts = ["a", "b"][-spatial:] if spatial < 3 else ["2", "a", "b"]
    factors = ["f", "g"][-spatial:] if spatial < 3 else ["2.0", "f", "g"]
    both = ", ".join([call.format(f"size=[{', '.join(amounts)}]"),
                      call.format(f"scale_factor=[{', '.join(factors)}]")])
    calls = [(data, *target, *factor) for target, factor in zip(TARGETS, FACTORS)]
    numbers = [("a: int", "int"), ("b: int", "int"), ("f: float", "float"), ("g: float", "float")]
    return [x, *numbers], "return " + both, calls


PROGRAMS = {}
for dims, modes in MODES.items():
    for mode in modes:
        for element in ("f32", "f64"):
            for isStatic in (True, False):
                name = f"{mode.replace('-', '_').replace(':', '_')}{dims}_{element}_{'static' if isStatic else 'any'}"
                PROGRAMS[name] = program(dims, mode, element, isStatic)

sys.exit(main(PROGRAMS))
