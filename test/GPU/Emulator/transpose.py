"""Transpositions through shared memory against LibTorch, on the emulated GPU.

RUN: %python %s %build %t

Which dimensions are turned and which stay, sizes at which tiles and words do not come out even, element
types of one to eight bytes and mixtures, views as operands and parts of a tensor as result, what is fused
around, sizes that are not known. Each method says how many of its kernels the strategy has to take.
"""
import collections
import pathlib
import re
import subprocess
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Integration" / "Inputs"))
from compare import Mismatch, check_calls  # noqa: E402

torch.manual_seed(5)

TYPES = {torch.float32: "f32", torch.float64: "f64", torch.float16: "f16", torch.bfloat16: "bf16",
         torch.int64: "i64", torch.int32: "i32", torch.int16: "i16", torch.int8: "i8",
         torch.uint8: "ui8", torch.bool: "i1"}


def tensor(*shape, dtype=torch.float32):
    if dtype == torch.bool:
        return torch.randint(0, 2, shape).bool()
    if dtype.is_floating_point:
        return torch.randn(*shape).to(dtype)
    return torch.randint(0, 100, shape).to(dtype)


class Cases:
    def __init__(self):
        self.source, self.signatures, self.calls, self.taken = "", [], [], []

    def add(self, body, *calls, dynamic=(), taken=1):
        """`body` is an expression in a, b, c. All calls have the types of the first, but for the sizes that
        `dynamic` names: (argument, dimension). `taken`: how many kernels are transpositions."""
        name = f"m{len(self.signatures)}"
        arguments = "abc"[:len(calls[0])]
        self.source += f"def {name}(self, {', '.join(arguments)}):\n  return {body}\n"
        types = []
        for number, value in enumerate(calls[0]):
            sizes = ["?" if (number, dim) in dynamic else str(size) for dim, size in enumerate(value.shape)]
            types.append("x".join([*sizes, TYPES[value.dtype]]))
        self.signatures.append(f"{name}({', '.join(types)})")
        self.calls += [(name, list(call)) for call in calls]
        self.taken.append(taken)


def fill(cases):
    # Images: height and width are one dimension, or in the batch where a view keeps them apart.
    for shape in [(2, 40, 7, 7), (1, 64, 8, 12), (3, 33, 5, 11), (1, 32, 1, 32), (2, 130, 9, 4)]:
        cases.add("a.permute(0, 2, 3, 1).contiguous()", (tensor(*shape),))
        n, c, h, w = shape
        cases.add("a.permute(0, 3, 1, 2).contiguous()", (tensor(n, h, w, c),))
    cases.add("a[:, :, 1:-1, 2:].permute(0, 2, 3, 1).contiguous()", (tensor(2, 36, 9, 40),))
    cases.add("a.permute(0, 2, 3, 4, 1).contiguous()", (tensor(2, 34, 3, 4, 5),))
    # Attention: keys, and what stays as it is in memory.
    cases.add("a.view(2, 48, 3, 16).permute(0, 2, 3, 1).contiguous()", (tensor(2, 48, 48),))
    cases.add("a.transpose(0, 2).contiguous()", (tensor(33, 3, 40),))
    cases.add("a.permute(2, 1, 0).contiguous(), a.transpose(0, 1).contiguous()", (tensor(64, 2, 35),))
    cases.add("a.permute(3, 0, 2, 1).contiguous()", (tensor(3, 36, 2, 34),))
    # Too small for tiles.
    cases.add("a.t().contiguous()", (tensor(500, 3),), taken=0)
    cases.add("a.t().contiguous()", (tensor(3, 500),), taken=0)
    cases.add("a.t().contiguous()", (tensor(31, 70),), taken=0)
    # Types: even and odd sizes (words and single elements), sizes below and above a tile of each width.
    for dtype in TYPES:
        for m, n in [(64, 64), (33, 67), (128, 132), (132, 260), (34, 98), (35, 64), (96, 45)]:
            cases.add("a.t().contiguous()", (tensor(m, n, dtype=dtype),))
    for first in (torch.float32, torch.float16, torch.int8, torch.float64):
        for name, second in [("float32", torch.float32), ("half", torch.float16), ("int8", torch.int8),
                             ("float64", torch.float64)]:
            if first != second:
                cases.add(f"a.t().to(torch.{name}) * 2", (tensor(68, 72, dtype=first),))
    cases.add("a.t() > 0", (tensor(132, 40),))
    cases.add("a.t() > b", (tensor(132, 40, dtype=torch.float64), tensor(40, 132, dtype=torch.float64)))
    cases.add("torch.where(a.t(), b, c.t())",
              (tensor(64, 68, dtype=torch.bool), tensor(68, 64), tensor(64, 68)))
    # Fused operands: of the result's form, rows, columns, single numbers, a batch less, the same twice.
    cases.add("torch.tanh(a.permute(0, 2, 3, 1) * b + c)", (tensor(2, 40, 6, 6), tensor(40), tensor(6, 1)))
    cases.add("a.t() + b * c", (tensor(70, 44), tensor(44, 70), tensor(44, 1)))
    cases.add("a.t() + b * c", (tensor(70, 44).half(), tensor(44, 70).half(), tensor(70).half()))
    cases.add("a + a.t()", (tensor(65, 65),))
    cases.add("a + a.t()", (tensor(66, 66).half(),))
    cases.add("a.t() * b.t() - a", (tensor(40, 40), tensor(40, 40)))
    cases.add("a.t() + b.t() + c", (tensor(64, 70).half(), tensor(64, 70), tensor(70, 64).double()))
    cases.add("a.transpose(1, 2) + b.t()", (tensor(3, 40, 33), tensor(40, 33)))
    cases.add("a.transpose(1, 2) + b.permute(1, 2, 0)", (tensor(34, 36, 40), tensor(36, 34, 40)))
    # Views with strides and offsets as operands; parts of a result.
    cases.add("a[1:, 3:].t().contiguous()", (tensor(50, 60),))
    cases.add("a[:, 2:].t().contiguous()", (tensor(50, 60).half(),))
    cases.add("a[::2, ::3].t().contiguous()", (tensor(80, 120),), taken=0)
    cases.add("a[3].t().contiguous()", (tensor(5, 40, 44),))
    cases.add("torch.cat([a.t(), b], 1)", (tensor(40, 50), tensor(50, 3)))
    cases.add("torch.cat([a.t().tanh(), b], 0)", (tensor(40, 50), tensor(7, 40)))
    cases.add("torch.cat([a.t(), b], 1)", (tensor(64, 50).half(), tensor(50, 3).half()))
    # Numbers that are not finite.
    odd = tensor(40, 36)
    odd[3, 4], odd[39, 35], odd[20, 0] = float("nan"), float("inf"), float("-inf")
    cases.add("a.t().contiguous()", (odd,))
    # Nothing at all.
    cases.add("a.transpose(1, 2).contiguous()", (tensor(0, 40, 40),), taken=0)
    # Sizes that are known when it is called.
    sizes = [(1, 1), (33, 5), (64, 32), (70, 131), (0, 4), (4, 0)]
    for dtype in (torch.float32, torch.float16, torch.int8):
        cases.add("a.t().contiguous()", *[(tensor(m, n, dtype=dtype),) for m, n in sizes],
                  dynamic=[(0, 0), (0, 1)])
    # Parts of a result that begin where only the call knows.
    cases.add("torch.cat([b, a.t()], 1)", *[(tensor(m, n), tensor(n, k)) for m, n, k in [(40, 33, 2), (35, 64, 40), (3, 2, 1)]],
              dynamic=[(0, 0), (0, 1), (1, 0), (1, 1)])
    cases.add("torch.cat([b, a.t()], 0)", *[(tensor(m, n), tensor(k, m)) for m, n, k in [(40, 33, 2), (35, 64, 40), (3, 2, 1)]],
              dynamic=[(0, 0), (0, 1), (1, 0), (1, 1)])
    cases.add("a.t() * b", *[(tensor(m, 40), tensor(m)) for m in (1, 32, 77, 0)], dynamic=[(0, 0), (1, 0)])
    cases.add("a.permute(0, 2, 3, 1) + b", *[(tensor(n, 34, h, 6), tensor(34)) for n, h in [(1, 7), (3, 1), (0, 2)]],
              dynamic=[(0, 0), (0, 2)])
    cases.add("a.permute(0, 3, 1, 2) + b", *[(tensor(n, h, w, 34), tensor(34, 1, 1))
                                            for n, h, w in [(1, 7, 9), (3, 1, 40), (2, 0, 3)]],
              dynamic=[(0, 0), (0, 1), (0, 2)])
    cases.add("a.view(a.size(0), a.size(1), 2, 36).permute(0, 2, 3, 1).contiguous()",
              *[(tensor(b, s, 72),) for b, s in [(1, 5), (2, 64)]], dynamic=[(0, 0), (0, 1)])


def count_taken(build, archive, signatures, folder):
    """How many kernels the strategy takes, by method."""
    linalg = folder / "linalg.mlir"
    subprocess.run([str(build / "bin" / "tl-compile"), str(archive), "--emit=linalg", "-o", str(linalg),
                    *(f"--signature={signature}" for signature in signatures)], check=True)
    report = subprocess.run([str(build / "bin" / "tl-opt"), str(linalg), "-o", "/dev/null",
                             "--tl-nvgpu-pipeline=stage=launches report=true"],
                            capture_output=True, text=True, check=True).stderr
    methods, method = [], None
    for line in linalg.read_text().splitlines():
        found = re.search(r'tl.method = "(\w+)"', line)
        method = found.group(1) if found else method
        methods.append(method)
    lines = re.findall(r"linalg.mlir:(\d+):\d+: remark: .* by strategy 'transpose'", report)
    return collections.Counter(methods[int(line) - 1] for line in lines)


def main():
    build, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    cases = Cases()
    fill(cases)
    module = torch.jit.ScriptModule()
    module.define(cases.source)
    module.eval()
    archive = folder / "transpose.pt"
    module.save(str(archive))
    failed = 0
    counts = count_taken(build, archive, cases.signatures, folder)
    for signature, taken in zip(cases.signatures, cases.taken):
        got = counts[signature.split("(")[0]]
        if got != taken:
            failed += 1
            print(f"FAILED  {signature}: expected {taken} transpositions, but got {got}")
    try:
        check_calls(build, archive, cases.signatures, cases.calls, folder, device="emulated")
        print(f"ok      {len(cases.calls)} calls")
    except Mismatch as mismatch:
        failed += 1
        print(f"FAILED  {mismatch}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
