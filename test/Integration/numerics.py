"""Shapes and roundings that are easily got wrong, on the CPU and on the emulator.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated

Names of programs as further arguments: only these. Exit status 1 if a result differs.
"""
import pathlib
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from strategies import Program, check  # noqa: E402

torch.manual_seed(4)
randn = torch.randn
NAN, INF = float("nan"), float("inf")
# Half a unit in the last place, with a little for the errors of f32: what one rounding may do, and two
# do not keep to.
ROUNDED_ONCE = {torch.float16: ("f16", (2.0**-11 * 1.01, 3e-8)), torch.bfloat16: ("bf16", (2.0**-8 * 1.01, 0))}


def matrix_products():
    """Operands of all ranks, which fold rows and batches and drop vectors."""
    left = {1: (5,), 2: (5, 5), 3: (5, 5, 5), 4: (2, 3, 5, 5)}
    right = {1: (5,), 2: (5, 5), 3: (5, 5, 5), 4: (2, 3, 5, 5)}
    for i, a in left.items():
        for j, b in right.items():
            if {i, j} == {3, 4}:
                a, b = a if i == 4 else (3, 5, 5), b if j == 4 else (3, 5, 5)
            arguments = [randn(a), randn(b)]
            for name, sizes in (("static", str), ("dynamic", lambda n: "?")):
                types = ["x".join([*map(sizes, s), "f32"]) for s in (a, b)]
                yield Program(f"matmul_{i}_{j}_{name}", torch.matmul, types, [arguments])
    yield Program("linear_vector", F.linear, ["2x3x4xf32", "4xf32"], [[randn(2, 3, 4), randn(4)]])
    yield Program("linear_rows", F.linear, ["?x?x4xf32", "3x4xf32", "3xf32"],
                  [[randn(n, m, 4), randn(3, 4), randn(3)] for n, m in ((2, 5), (1, 1), (0, 3))])


def normalisations():
    """Rows far from 0, where the sum of a row has errors as large as what is left of its elements."""
    for length in (16, 1000, 4096):
        yield Program(f"layer_norm_{length}", lambda x: F.layer_norm(x, x.shape[-1:]), [f"3x{length}xf32"],
                      [[randn(3, length) + 1000]], exact=(1e-5, 1e-4))
    yield Program("layer_norm_planes", lambda x: F.layer_norm(x, x.shape[-2:]), ["2x50x41xf32"],
                  [[randn(2, 50, 41) + 1000]], exact=(1e-5, 1e-4))
    yield Program("group_norm", lambda x: F.group_norm(x, 2), ["2x4x31x31xf32"], [[randn(2, 4, 31, 31) + 1000]],
                  exact=(1e-5, 1e-4))
    yield Program("instance_norm", lambda x: F.instance_norm(x), ["2x4x31x31xf32"],
                  [[randn(2, 4, 31, 31) + 1000]], exact=(1e-5, 1e-4))


def wide_parameters():
    """Half-precision inputs whose parameters are f32, as autocast records them."""
    functions = {
        "layer_norm": lambda x, w, b: F.layer_norm(x, (4,), w, b),
        "layer_norm_weight": lambda x, w, b: F.layer_norm(x, (4,), w),
        "layer_norm_bias": lambda x, w, b: F.layer_norm(x, (4,), None, b),
        "group_norm": lambda x, w, b: F.group_norm(x, 2, w, b),
        "batch_norm": lambda x, w, b: F.batch_norm(x, b, w, w, b),
        "batch_norm_plain": lambda x, w, b: F.batch_norm(x, b, w),
        "batch_norm_training": lambda x, w, b: F.batch_norm(x, None, None, w, b, True),
    }
    weight, bias = randn(4).abs() + 0.5, randn(4)
    for dtype, (name, (rtol, _)) in ROUNDED_ONCE.items():
        for function, apply in functions.items():
            yield Program(f"{function}_wide_{name}", apply, [f"3x4x{name}", "4xf32", "4xf32"],
                          [[randn(3, 4).to(dtype), weight, bias]], exact=(rtol, 1e-6))


def windows():
    """Windows that lie wholly in padding, and of nothing but -inf and NaN."""
    def pool(x, kernel, padding, dilation):
        return F.max_pool2d(x, kernel, 1, padding, dilation, return_indices=True)

    plane = randn(1, 2, 3, 3)
    for dilation in (2, 3, 4):
        yield Program(f"max_pool_{dilation}", lambda x, d=dilation: pool(x, 2, 1, d), ["1x2x3x3xf32"], [[plane]])
    yield Program("max_pool_dynamic", lambda x: pool(x, (1, 2), (0, 1), (1, 4)), ["1x1x?x?xf32"],
                  [[plane[:, :1]], [randn(1, 1, 2, 6)]])
    special = torch.tensor([[NAN, NAN, 1, NAN], [-INF, -INF, -INF, -INF], [1, 1, 2, 2]])[None, None]
    yield Program("max_pool_special", lambda x: pool(x, (1, 2), 0, 1), ["1x1x3x4xf32"], [[special]])


def roundings():
    """Operators of several steps round 16-bit floats once, at their end."""
    for dtype, (name, once) in ROUNDED_ONCE.items():
        def program(kind, function, *arguments):
            types = ["x".join([*map(str, a.shape), name]) for a in arguments]
            return Program(f"{kind}_{name}", function, types, [[a.to(dtype) for a in arguments]], exact=once)

        x, y, z = randn(70) + 2, randn(70) + 2, randn(70) + 2
        yield program("add_alpha", lambda x, y: torch.add(x, y, alpha=0.3), x, y)
        yield program("mul_number", lambda x: x * 0.1003, x)
        yield program("div_number", lambda x: x / 0.1003, x)
        yield program("addcmul", lambda x, y, z: torch.addcmul(x, y, z, value=0.7), x, y, z)
        yield program("addcdiv", lambda x, y, z: torch.addcdiv(x, y, z, value=0.7), x, y, z.abs() + 1)
        yield program("cube", lambda x: x**3, x)
        yield program("rad2deg", torch.rad2deg, x)
        yield program("addr", lambda x, y: torch.addr(x, x, y, beta=0.3, alpha=0.7), x, y)
        # One element in the contracted dimension: nothing but roundings can differ.
        yield program("linear", F.linear, randn(9, 1) + 2, randn(8, 1) + 2, randn(8) + 2)
        yield program("addmm", lambda a, x, y: torch.addmm(a, x, y, beta=0.3, alpha=0.7), randn(9, 8) + 2,
                      randn(9, 1) + 2, randn(1, 8) + 2)
        yield program("baddbmm", lambda a, x, y: torch.baddbmm(a, x, y, beta=0.3, alpha=0.7), randn(2, 9, 8) + 2,
                      randn(2, 9, 1) + 2, randn(2, 1, 8) + 2)


def masks():
    """Boolean constants, small ones too."""
    for shape in ((1, 3), (1, 65), (40, 65)):
        mask = torch.rand(shape) > 0.5
        yield Program(f"mask_{shape[0]}_{shape[1]}", lambda x, m=mask: x.masked_fill(m, 2.0), ["40x65xf32"] if shape[1] > 3
                      else ["40x3xf32"], [[randn(40, shape[1])]])


def empty_rows():
    for size in (0, 1):
        x = randn(3, size)
        yield Program(f"sort_{size}", lambda x: torch.sort(x, 1)[1], [f"?x{size}xf32"], [[x]])
        yield Program(f"cumsum_{size}", lambda x: torch.cumsum(x, 1), [f"?x{size}xf32"], [[x]])


def nothing():
    """Of a tensor without elements, known to have none."""
    yield Program("nonzero_none", lambda x: torch.nonzero(x), ["0x3xf32"], [[randn(0, 3)]])
    yield Program("mask_none", lambda x: x[x > 0], ["3x0xf32"], [[randn(3, 0)]])
    yield Program("gather_none", lambda x, i: torch.gather(x, 0, i), ["3x0xf32", "0x4xi64"],
                  [[randn(3, 0), torch.zeros(0, 4, dtype=torch.long)]])


def programs():
    yield from nothing()
    yield from masks()
    yield from empty_rows()
    yield from matrix_products()
    yield from normalisations()
    yield from wide_parameters()
    yield from windows()
    yield from roundings()


if __name__ == "__main__":
    device = sys.argv.pop(3)
    sys.exit(check(programs(), sys.argv, device))
