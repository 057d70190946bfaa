# REQUIRES: importer, libdevice
# RUN: %python %s %build %t
"""Contractions on tensor cores: kernels on the emulator, compared with sums in float64.

Each case is compiled once, and called with all orders of threads and both ways of asynchronous copies
(as late and as early as they may happen), a large one with each order and each way once. What the
tensor cores round is rounded before the reference multiplies: the sum of products may differ by the
rounding of f32 sums, and by one of the result.
Where a case says so, each barrier and each wait is left out in turn: some run must notice.
"""
import argparse
import itertools
import os
import pathlib
import re
import sys
import time

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Integration" / "Inputs"))
from compare import Mismatch, compile_library, to_library  # noqa: E402

import torchlite  # noqa: E402

f16, bf16, f32 = torch.float16, torch.bfloat16, torch.float32
NAMES = {f16: "f16", bf16: "bf16", f32: "f32"}
DTYPES = {name: dtype for dtype, name in NAMES.items()}
MUTATION = "TORCHLITE_EMULATOR_MUTATION"
MODES = [dict(TORCHLITE_EMULATOR_COPIES=copies, TORCHLITE_EMULATOR_ORDER=order)
         for copies, order in itertools.product(("lazy", "eager"), ("forward", "reverse", "random"))]
FEW_MODES = [MODES[0], MODES[2], MODES[4]]
LARGE = 100000  # elements of a result


def round_to(tensor, precision):
    """What reaches the tensor cores, in float64."""
    if tensor.dtype != f32 or precision == "f32":
        return tensor.double()
    if precision == "tf32":  # ties away from zero, 13 bits less
        bits = tensor.view(torch.int32)
        rounded = ((bits + 0x1000) & ~0x1FFF).view(f32)
        return torch.where(tensor.isfinite(), rounded, tensor).double()
    return tensor.to(DTYPES[precision]).double()


class Product(nn.Module):
    """A product, and what may be around it. `forward` is compiled; `sums` has exact products."""

    def __init__(self, transposed=(False, False), epilogue="none"):
        super().__init__()
        self.transposed = transposed
        self.epilogue = epilogue

    def operands(self, a, b):
        return (a.mT if self.transposed[0] else a), (b.mT if self.transposed[1] else b)

    def product(self, a, b):
        a, b = self.operands(a, b)
        return a @ b

    def after(self, y, rest):
        if self.epilogue == "bias_relu":
            return torch.relu(y + rest[0])
        if self.epilogue == "residual_tanh":
            return torch.tanh(y * 0.5 + rest[0])
        return y

    def forward(self, a, b, *rest):
        return self.after(self.product(a, b), rest)


class Convolution(Product):
    def __init__(self, epilogue="none", **options):
        super().__init__(epilogue=epilogue)
        self.options = options

    def product(self, a, b):
        return nn.functional.conv2d(a, b, **self.options)


class Case:
    def __init__(self, name, module, shapes, dtype, precision="f32", calls=None,
                 special=False, arch="sm_80", mutates=False):
        self.name, self.module, self.dtype, self.precision = name, module, dtype, precision
        self.shapes, self.special, self.arch, self.mutates = shapes, special, arch, mutates
        self.calls = calls or [[]]  # sizes for each None of the shapes

    def signature(self):
        types = ["x".join("?" if n is None else str(n) for n in shape) + f"x{NAMES[self.dtype]}"
                 for shape in self.shapes]
        return f"forward({', '.join(types)})"

    def arguments(self, sizes):
        sizes = iter(sizes)
        out = []
        for shape in self.shapes:
            concrete = [n if n is not None else next(sizes) for n in shape]
            out.append(torch.randn(concrete).to(self.dtype))
        if self.special:
            out[0].view(-1)[3] = float("nan")
            out[0].view(-1)[-1] = float("inf")
        return out

    def expected(self, arguments):
        """The result in float64, and how far from it one may be."""
        a, b, *rest = arguments
        x, y = round_to(a, self.precision), round_to(b, self.precision)
        product = self.module.product(x, y)
        size = self.module.product(x.abs(), y.abs())
        exact = self.module.after(product, [r.double() for r in rest])
        result = {f16: 2.0**-10, bf16: 2.0**-7, f32: 2.0**-22}[self.dtype]
        if self.dtype != f32 and rest:
            # The product is rounded before the epilogue.
            return exact, result * (product.abs() + exact.abs() + 1) + 2.0**-20 * size
        return exact, result * exact.abs() + 2.0**-20 * size + 2.0**-24

    def check_result(self, library, arguments):
        """Calls the library in all modes; raises at the first wrong result."""
        exact, bound = self.expected(arguments)
        for mode in MODES if exact.numel() < LARGE else FEW_MODES:
            os.environ.update(mode)
            instance = torchlite.Model(library).instance(2, "emulated")
            got = instance.call("forward", *[to_library(a) for a in arguments])
            instance.close()
            if self.dtype == bf16:
                got = torch.from_numpy(got.bits).view(bf16)
            else:
                got = torch.from_numpy(got)
            if got.dtype != self.dtype or got.shape != exact.shape:
                raise Mismatch(f"expected {self.dtype}{list(exact.shape)}, but got "
                               f"{got.dtype}{list(got.shape)}")
            wrong = ~((got.double() - exact).abs() <= bound)
            wrong &= ~(got.isnan() & exact.isnan())
            wrong &= ~((got.double() == exact) & exact.isinf())
            if wrong.any():
                at = tuple(wrong.nonzero()[0].tolist())
                raise Mismatch(f"{int(wrong.sum())} of {got.numel()} values are wrong, the first at "
                               f"{list(at)}: {got[at]} for {exact[at]} ({mode})")

    def check_mutations(self, library, arguments):
        """Every barrier and every wait must be needed. Returns how many there are."""
        os.environ[MUTATION] = "all"
        try:
            torchlite.Model(library).instance(1, "emulated")
            raise Mismatch(f"{MUTATION}=all was taken for a number")
        except torchlite.Error as error:
            count, *sites = re.search(r"a number below (\d+), a line of\n(.*)", str(error),
                                      re.S).group(1, 2)
            sites = sites[0].splitlines()
        for number in range(int(count)):
            os.environ[MUTATION] = str(number)
            try:
                self.check_result(library, arguments)
            except (Mismatch, torchlite.Error):
                continue
            raise Mismatch(f"'{sites[number]}', number {number}, can be left out")
        del os.environ[MUTATION]
        return int(count)

    def check(self, build, folder):
        archive, library = folder / f"{self.name}.pt", folder / f"{self.name}.so"
        all_arguments = [self.arguments(sizes) for sizes in self.calls]
        torch.jit.trace(self.module, tuple(all_arguments[0]), check_trace=False).save(str(archive))
        compile_library(build, archive, library, [self.signature()], target="emulated",
                        options=[f"--precision={self.precision}", f"--cuda-arch={self.arch}"])
        try:
            for arguments in all_arguments:
                self.check_result(library, arguments)
            return self.check_mutations(library, all_arguments[0]) if self.mutates else 0
        finally:
            os.environ.pop(MUTATION, None)


def matrix(name, m, n, k, dtype, precision="f32", batch=(), transposed=(False, False), **options):
    epilogue = options.pop("epilogue", "none")
    shapes = [[*batch, k, m] if transposed[0] else [*batch, m, k],
              [*batch, n, k] if transposed[1] else [*batch, k, n]]
    if epilogue == "bias_relu":
        shapes.append([n])
    elif epilogue == "residual_tanh":
        shapes.append([*batch, m, n])
    label = f"{name}_{NAMES[dtype]}" + (f"_{precision}" if dtype == f32 else "")
    return Case(label, Product(transposed, epilogue), shapes, dtype, precision, **options)


def cases():
    # Without cp.async, and with half of the instruction only.
    for dtype, precision in [(f16, "f32"), (f32, "f16")]:
        for transposed in itertools.product((False, True), repeat=2):
            name = "turing" + "".join("01"[t] for t in transposed)
            yield matrix(name, 72, 80, 104, dtype, precision, transposed=transposed, arch="sm_75")
            yield matrix(name + "_odd", 33, 47, 51, dtype, precision, transposed=transposed, arch="sm_75")
    kinds = [(f16, "f32"), (bf16, "f32"), (f32, "tf32"), (f32, "f16"), (f32, "bf16")]
    both = (False, True)
    for dtype, precision in kinds:
        # One tile and several, sizes that no tile divides, and rows that are not aligned.
        label = f"{NAMES[dtype]}_{precision}"
        yield matrix("square", 128, 64, 96, dtype, precision)
        yield matrix("ragged", 197, 1000, 65, dtype, precision)
        yield matrix("aligned", 70, 136, 200, dtype, precision, epilogue="bias_relu")
        yield matrix("short", 40, 24, 8, dtype, precision)
        # Of f16, one operand by cp.async and one through registers, up to the end of both.
        yield matrix("one_async", 64, 33, 64, dtype, precision)
        yield matrix("special", 64, 32, 64, dtype, precision, special=True)
        yield Case(f"conv_{label}", Convolution(stride=2, padding=1),
                   [[2, 16, 9, 11], [24, 16, 3, 3]], dtype, precision)
        # Each of the larger tiles: they are taken where they fill the device.
        yield matrix("tile128x128", 1500, 1100, 72, dtype, precision)
        # Only the conversions of bf16 differ from those of f16.
        if bf16 in (dtype, DTYPES.get(precision)):
            continue
        yield matrix("tile128x128_transposed", 1500, 1100, 71, dtype, precision,
                     transposed=(True, True))
        yield matrix("tile128x64", 900, 902, 72, dtype, precision, epilogue="bias_relu")
        yield matrix("tile64x64", 640, 700, 72, dtype, precision, transposed=(False, True))
        # Reductions in parts: see tl-nvgpu-split-reductions.
        yield matrix("parts", 49, 64, 2048, dtype, precision, epilogue="bias_relu")
        yield matrix("parts_batch", 33, 40, 1056, dtype, precision, batch=[3], transposed=(False, True))
        yield Case(f"parts_conv_{label}", Convolution(padding=1, epilogue="bias_relu"),
                   [[1, 512, 5, 5], [40, 512, 3, 3], [40, 1, 1]], dtype, precision)
        yield matrix("mutated", 40, 64, 224, dtype, precision, mutates=True)
        yield matrix("mutated_odd", 40, 33, 225, dtype, precision, mutates=True)
        yield matrix("tiny", 2, 3, 5, dtype, precision)
        for transposed in itertools.product(both, both):
            if any(transposed):
                name = "transposed" + "".join("01"[t] for t in transposed)
                yield matrix(name, 72, 80, 48, dtype, precision, transposed=transposed)
                yield matrix(name + "_odd", 33, 47, 51, dtype, precision, transposed=transposed)
        yield matrix("batch", 33, 40, 72, dtype, precision, batch=[3], epilogue="residual_tanh")
        yield Case(f"conv_image_{label}", Convolution(stride=2, padding=3, epilogue="bias_relu"),
                   [[1, 3, 20, 18], [16, 3, 7, 7], [16, 1, 1]], dtype, precision)
        yield Case(f"tile128x64_conv_{label}", Convolution(stride=2, padding=3),
                   [[2, 3, 168, 167], [64, 3, 7, 7]], dtype, precision)
        yield Case(f"conv_groups_{label}", Convolution(groups=2, dilation=2, padding=2),
                   [[1, 32, 8, 8], [48, 16, 3, 3]], dtype, precision)
        yield Case(f"rows_{label}", Product(), [[None, 64], [64, 48]], dtype, precision,
                   calls=[[5], [130], [0]])
        yield Case(f"sizes_{label}", Product(), [[None, None], [None, None]], dtype, precision,
                   calls=[[7, 30, 30, 9], [65, 129, 129, 34], [3, 0, 0, 4]])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path, help="where archives and libraries go")
    parser.add_argument("names", nargs="*", help="only cases whose names contain one of these")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    failed = 0
    for case in cases():
        if options.names and not any(name in case.name for name in options.names):
            continue
        start = time.time()
        try:
            mutations = case.check(options.build, options.folder)
            note = f", noticed {mutations} mutations" if case.mutates else ""
            print(f"ok      {case.name}: {time.time() - start:.1f} s{note}", flush=True)
        except (Mismatch, torchlite.Error, OSError) as error:
            failed += 1
            print(f"FAILED  {case.name}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
