"""Sorting, running sums, and scalar code that writes single elements, against LibTorch, on the
emulated GPU.

RUN: env TORCHLITE_EMULATOR_ORDER=reverse %python %s %build %t

Threads run in reverse order: of several writes to one element, the last of the program must win, not that
of the last thread.
Ties, NaN, both directions, rows that fit into shared memory and rows that do not, one and many rows, any
dimension; indices that occur more than once or are out of range; sizes that are known at run time only,
and none. No loop of the host may read from the device.
"""
import pathlib
import re
import subprocess
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Integration" / "Inputs"))
from compare import Mismatch, check_calls  # noqa: E402

torch.manual_seed(7)


class Functions(torch.nn.Module):
    def forward(self, x):
        up, order = torch.sort(x, stable=True, dim=-1)
        down, back = torch.sort(x, stable=True, dim=-1, descending=True)
        return up, order, down, back

    @torch.jit.export
    def first(self, x):
        return torch.sort(x, stable=True, dim=0), torch.argsort(x, dim=0, stable=True, descending=True)

    @torch.jit.export
    def top(self, x):
        return x.topk(2, 1), x.topk(1, 0, False), x.kthvalue(2, 1), x.median(1)

    @torch.jit.export
    def sums(self, x):
        return x.cumsum(-1), x.cumsum(0)

    @torch.jit.export
    def products(self, x):
        return x.cumprod(-1), x.cumprod(0)

    @torch.jit.export
    def put(self, x, i, s):
        a = x.clone()
        a[i] = s
        return a, x.index_put([i], s, True), x.index_add(0, i, s), x.index_copy(0, i, s)

    @torch.jit.export
    def columns(self, x, i, s):
        return x.index_add(1, i, s), x.index_fill(1, i, 7)

    @torch.jit.export
    def spread(self, x, i, s):
        return x.scatter(1, i, s), x.scatter_add(1, i, s), x.scatter(0, i, 2)

    @torch.jit.export
    def reduce(self, x, i, s):
        return (x.scatter_reduce(1, i, s, "amax"), x.scatter_reduce(1, i, s, "amin"),
                x.scatter_reduce(1, i, s, "prod"), x.scatter_reduce(1, i, s, "mean"))

    @torch.jit.export
    def last(self, x, i, s):
        return x.index_copy(0, i, s), x.t().index_copy(1, i, s.t()), x.scatter(0, i.unsqueeze(1).expand_as(s), s)

    @torch.jit.export
    def some(self, x):
        return x.nonzero(), x[x > 0], torch.masked_scatter(x, x > 0, x * 2)


SHAPES = [(3, 5), (1, 1), (4, 32), (2, 100), (2, 257), (40, 3), (1, 1000), (5, 2, 7), (17,)]


def tied(shape, dtype):
    """Few different values, so that many are equal; with NaN and infinities where there are any."""
    x = torch.randint(-3, 4, shape).to(dtype)
    if dtype.is_floating_point:
        flat = x.view(-1)
        flat[::7], flat[3::11], flat[5::13] = float("nan"), float("inf"), float("-inf")
        flat[2::17] = -0.0
    return x


def text(shape, name):
    return "x".join(map(str, shape)) + ("x" if shape else "") + name


def calls():
    """(signatures, calls) of one library each."""
    for shape in SHAPES:
        t = text(shape, "f32")
        x = torch.randn(shape)
        made = [(f"forward({t})", "forward", [x]), (f"forward({t})", "forward", [tied(shape, torch.float32)]),
                (f"first({t})", "first", [tied(shape, torch.float32)]),
                (f"sums({t})", "sums", [x]), (f"products({t})", "products", [x]),
                (f"some({t})", "some", [tied(shape, torch.float32).nan_to_num(0, 1, 2)])]
        # Behind a zero, products may not overflow.
        big = x.abs() * 1e30 + 1e20
        big.view(-1)[0] = 0
        made.append((f"products({t})", "products", [big]))
        for name, dtype in (("i64", torch.int64), ("i8", torch.int8), ("ui8", torch.uint8), ("i1", torch.bool),
                            ("f16", torch.float16), ("bf16", torch.bfloat16), ("f64", torch.float64)):
            y = tied(shape, dtype) if dtype != torch.uint8 else torch.randint(0, 256, shape).to(dtype)
            made.append((f"forward({text(shape, name)})", "forward", [y]))
            if dtype not in (torch.float16, torch.bfloat16):
                made.append((f"sums({text(shape, name)})", "sums", [y]))
        if len(shape) == 2 and min(shape) > 1:
            made.append((f"top({t})", "top", [x]))
        yield made
    # Rows that do not fit into shared memory; a size of which the compiler knows nothing.
    yield [("forward(2x5000xf32)", "forward", [tied((2, 5000), torch.float32)]),
           ("forward(2x5000xf32)", "forward", [torch.randn(2, 5000)]),
           ("first(5000xi64)", "first", [torch.randint(0, 99, (5000,))])]
    yield [("forward(?x?xf32)", "forward", [tied(shape, torch.float32)])
           for shape in ((3, 9), (1, 1), (2, 1000), (0, 5), (5, 0), (3, 8))]
    yield [("sums(?x?xf32)", "sums", [torch.randn(shape)])
           for shape in ((3, 9), (1, 300), (300, 2), (0, 5), (5, 0))]
    yield [("some(?x?xf32)", "some", [torch.randint(-1, 2, shape).float()])
           for shape in ((3, 9), (1, 300), (0, 5), (5, 0), (2, 2))]
    yield [("some(4x4xf32)", "some", [torch.zeros(4, 4)]), ("some(4x4xf32)", "some", [torch.ones(4, 4)])]

    for n, m, k in ((5, 3, 4), (10, 1, 3), (300, 40, 17), (1, 5, 1), (6, 0, 3)):
        x, s = torch.randn(n, k), torch.randn(m, k)
        i = torch.randint(0, n, (m,))
        # Of several writes to an element the last wins in ours, any in PyTorch: no duplicates in `put`. `last`
        # has as few elements as PyTorch goes through one after the other.
        unique = torch.randperm(n)[:m] if m <= n else None
        made = [(f"put({n}x{k}xf32, {m}xi64, {m}x{k}xf32)", "put", [x, unique, s])] if unique is not None else []
        made += [(f"columns({k}x{n}xf32, {m}xi64, {k}x{m}xf32)", "columns",
                  [torch.randn(k, n), i, torch.randn(k, m)]),
                 (f"columns({k}x{n}xi64, {m}xi64, {k}x{m}xi64)", "columns",
                  [torch.randint(0, 9, (k, n)), i, torch.randint(0, 9, (k, m))]),
                 (f"reduce({k}x{n}xf32, {k}x{m}xi64, {k}x{m}xf32)", "reduce",
                  [torch.randn(k, n), torch.randint(0, n, (k, m)), torch.randn(k, m)])]
        yield made
    yield [("last(5x4xi64, 9xi64, 9x4xi64)", "last",
            [torch.zeros(5, 4).long(), torch.tensor([2, 0, 2, 4, 2, 1, 0, 4, 1]), torch.arange(36).view(9, 4)])]
    x, s = torch.randn(4, 6), torch.randn(3, 2)
    i = torch.tensor([[0, 1], [2, 3], [3, 2]])
    yield [("spread(4x6xf32, 3x2xi64, 3x2xf32)", "spread", [x, i, s]),
           ("spread(4x6xf32, 3x2xi64, 3x2xf32)", "spread", [x, i + 9, s], "out of"),
           ("spread(4x6xf32, 3x2xi64, 3x2xf32)", "spread", [x, i, s]),
           ("spread(?x6xf32, ?x?xi64, ?x?xf32)", "spread", [x, i, s]),
           ("spread(?x6xf32, ?x?xi64, ?x?xf32)", "spread", [x, i[:0], s])]


def check_reads(build, archive, signature):
    """No loop on the host reads from the device."""
    linalg = archive.with_suffix(".mlir")
    subprocess.run([f"{build}/bin/tl-compile", str(archive), f"--signature={signature}", "--emit=linalg", "-o",
                    str(linalg)], check=True, capture_output=True, text=True)
    buffers = subprocess.run([f"{build}/bin/tl-opt", str(linalg), "--tl-nvgpu-pipeline=stage=buffers"], check=True,
                             capture_output=True, text=True).stdout
    loops = []
    for line in buffers.splitlines():
        indent = len(line) - len(line.lstrip())
        while loops and indent <= loops[-1] and line.strip():
            loops.pop()
        if re.search(r"\bscf\.(for|while)\b", line):
            loops.append(indent)
        elif loops and "tlrt.read" in line:
            raise Mismatch(f"{signature}: a loop of the host reads: {line.strip()}")


def main():
    build, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "loops.pt"
    torch.jit.script(Functions()).save(str(archive))
    failed, seen = 0, set()
    for made in calls():
        signatures = list(dict.fromkeys(call[0] for call in made))
        try:
            for signature in signatures:
                # One of each method will do, of those with sizes of each kind.
                if (kind := (signature.split("(")[0], "?" in signature)) not in seen:
                    check_reads(build, archive, signature)
                    seen.add(kind)
            check_calls(build, archive, signatures, [call[1:] for call in made], folder, device="emulated")
        except (Mismatch, subprocess.CalledProcessError) as error:
            failed += 1
            print(f"FAILED {signatures[0] if signatures else ''}: {error} {getattr(error, 'stderr', '')}")
    return failed > 0


sys.exit(main())
