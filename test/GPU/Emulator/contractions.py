# RUN: %python %s %build %t
"""Products of matrices and convolutions on the emulator, compared with LibTorch: every kind of operand
that the strategies tell apart, and sizes at which tiles, steps and vectors do not come out even.

One archive with a method for each case; a line for what fails.
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Integration" / "Inputs"))
from compare import Mismatch, check_calls  # noqa: E402

torch.manual_seed(3)


def tensor(*shape, dtype=torch.float32):
    if dtype.is_floating_point:
        return torch.randn(*shape).to(dtype)
    return torch.randint(-8, 8, shape).to(dtype)


def type_of(value, dynamic):
    sizes = ["?" if dim in dynamic else str(size) for dim, size in enumerate(value.shape)]
    name = {torch.float32: "f32", torch.float64: "f64", torch.float16: "f16", torch.bfloat16: "bf16",
            torch.int64: "i64", torch.int32: "i32", torch.int8: "i8"}[value.dtype]
    return "x".join([*sizes, name])


class Cases:
    def __init__(self, name):
        self.name = name
        self.source, self.signatures, self.calls = "", [], []

    def add(self, body, *calls, dynamic=()):
        """`body` is an expression in a, b, c, d. All calls have the types of the first, but for the sizes
        that `dynamic` names: (argument, dimension)."""
        name = f"{self.name}{len(self.signatures)}"
        first = calls[0]
        arguments = "abcd"[:len(first)]
        parameters = ", ".join(arguments)
        self.source += f"def {name}(self, {parameters}):\n  return {body}\n"
        types = [type_of(value, [dim for which, dim in dynamic if which == number])
                 for number, value in enumerate(first)]
        self.signatures.append(f"{name}({', '.join(types)})")
        self.calls += [(name, list(call)) for call in calls]


def matrices(cases):
    # Even and odd sizes around the tiles of 32, 64 and 128, one of everything, and vectors of 4.
    for m, n, k in [(64, 64, 64), (128, 132, 36), (33, 65, 17), (31, 30, 1), (5, 3, 2), (2, 2, 200),
                    (129, 127, 40), (300, 8, 12)]:
        cases.add("torch.matmul(a, b)", (tensor(m, k), tensor(k, n)))
        cases.add("torch.matmul(a, b.t())", (tensor(m, k), tensor(n, k)))
        cases.add("torch.matmul(a.t(), b)", (tensor(k, m), tensor(k, n)))
    for m, n, k in [(1, 70, 40), (3, 70, 40), (70, 1, 33), (1, 1, 100), (1, 1000, 64), (8, 130, 512),
                    (2, 3601, 36), (5, 4002, 68), (8, 3500, 33)]:
        cases.add("torch.matmul(a, b)", (tensor(m, k), tensor(k, n)))
        cases.add("torch.matmul(a, b.t())", (tensor(m, k), tensor(n, k)))
    cases.add("torch.matmul(a, b)", (tensor(40, 33), tensor(33)))
    cases.add("torch.matmul(b, a)", (tensor(33, 40), tensor(33)))
    # Nothing at all.
    cases.add("torch.matmul(a, b)", (tensor(4, 0), tensor(0, 6)))
    cases.add("torch.matmul(a, b)", (tensor(0, 5), tensor(5, 6)))
    # Batches, also of transposed operands and of views.
    cases.add("torch.matmul(a, b)", (tensor(3, 2, 33, 20), tensor(3, 2, 20, 34)))
    cases.add("torch.matmul(a, b.transpose(-1, -2))", (tensor(5, 17, 32), tensor(5, 64, 32)))
    cases.add("torch.matmul(a.transpose(1, 2), b.transpose(1, 2))",
              (tensor(2, 9, 4, 16), tensor(2, 16, 4, 16)))
    cases.add("torch.matmul(a[:, 3:36], b[1:])", (tensor(20, 40), tensor(34, 21)))
    cases.add("torch.matmul(a, b)", (tensor(2, 3, 16, 24), tensor(24, 20)))
    # Sizes that are known when it is called.
    sizes = [(n, m, k) for n in (1, 40) for m in (1, 33) for k in (4, 70)] + [(0, 3, 3), (3, 0, 3), (3, 3, 0)]
    cases.add("torch.matmul(a, b)", *[(tensor(n, k), tensor(k, m)) for n, m, k in sizes],
              dynamic=[(0, 0), (0, 1), (1, 0), (1, 1)])
    # Operands that begin where only the call knows.
    cases.add("torch.matmul(torch.cat([a, a * 2], 1)[:, a.size(1) - 1:-1], b)",
              *[(tensor(n, k), tensor(k, 40)) for n, k in ((40, 36), (20, 64), (1, 5))], dynamic=[(0, 0), (0, 1), (1, 0)])
    cases.add("torch.matmul(a[a.size(0) // 2:], b)", *[(tensor(n, k), tensor(k, 40)) for n, k in ((80, 36), (41, 64), (2, 5))],
              dynamic=[(0, 0), (0, 1), (1, 0)])
    cases.add("torch.matmul(a, b.t()) + c", *[(tensor(n, 64), tensor(48, 64), tensor(48)) for n in (1, 2, 9, 70, 0)],
              dynamic=[(0, 0)])
    cases.add("torch.matmul(a, b.transpose(1, 2))", *[(tensor(2, n, 16), tensor(2, n, 16)) for n in (1, 37, 64)],
              dynamic=[(0, 1), (1, 1)])
    # Element types.
    for dtype in (torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int8):
        for m, n, k in [(40, 36, 24), (3, 70, 40)]:
            cases.add("torch.matmul(a, b)", (tensor(m, k, dtype=dtype), tensor(k, n, dtype=dtype)))
            cases.add("torch.matmul(a, b.t())", (tensor(m, k, dtype=dtype), tensor(n, k, dtype=dtype)))
    # What is fused: initial values, activations, residuals, a transposed result.
    cases.add("torch.relu(torch.addmm(c, a, b)) + d",
              (tensor(70, 20), tensor(20, 44), tensor(44), tensor(70, 44)))
    cases.add("torch.tanh(torch.addmm(c, a, b)).t().contiguous()", (tensor(70, 20), tensor(20, 44), tensor(44)))
    cases.add("torch.nn.functional.gelu(torch.matmul(a, b.t()) + c)", (tensor(4, 70), tensor(44, 70), tensor(44)))
    cases.add("torch.baddbmm(c, a, b, beta=0.5, alpha=2.0)", (tensor(3, 9, 20), tensor(3, 20, 44), tensor(3, 9, 44)))
    # Results that are not numbers.
    for dtype in (torch.float32, torch.float16):
        cases.add("torch.matmul(a, b) > 0.5", (tensor(70, 64, dtype=dtype), tensor(64, 96, dtype=dtype)))
        cases.add("torch.matmul(a, b) > 0.5", (tensor(4, 64, dtype=dtype), tensor(64, 96, dtype=dtype)))
    # Numbers that are not finite go where they belong, and nowhere else.
    odd = tensor(40, 33)
    odd[3, 4], odd[39, 32], odd[20, 0] = float("nan"), float("inf"), float("-inf")
    cases.add("torch.matmul(a, b)", (odd, tensor(33, 40)))
    cases.add("torch.matmul(b, a)", (odd, tensor(7, 40)))
    cases.add("torch.matmul(b, a.t())", (odd, tensor(2, 33)))


def convolutions(cases):
    def conv(x, w, *rest, function="conv2d"):
        return f"torch.{function}(a, b, None, {', '.join(map(str, rest))})", (tensor(*x), tensor(*w))

    for x, w, *rest in [
            ((2, 16, 9, 9), (32, 16, 3, 3), [1, 1], [1, 1], [1, 1], 1),
            ((1, 3, 17, 15), (20, 3, 7, 7), [2, 2], [3, 3], [1, 1], 1),
            ((2, 8, 12, 10), (12, 8, 3, 2), [1, 2], [2, 0], [2, 3], 1),
            ((1, 6, 5, 5), (4, 6, 5, 5), [1, 1], [0, 0], [1, 1], 1),
            ((3, 8, 7, 7), (16, 8, 1, 1), [1, 1], [0, 0], [1, 1], 1),
            ((3, 8, 7, 7), (16, 8, 1, 1), [2, 2], [0, 0], [1, 1], 1),
            ((2, 8, 7, 7), (16, 8, 1, 1), [1, 1], [1, 1], [1, 1], 1),
            ((2, 12, 8, 8), (18, 4, 3, 3), [1, 1], [1, 1], [1, 1], 3),
            ((1, 12, 8, 8), (6, 6, 3, 3), [2, 1], [1, 1], [1, 1], 2),
            ((2, 6, 8, 8), (6, 1, 3, 3), [1, 1], [1, 1], [1, 1], 6),
            ((2, 5, 6, 6), (1, 5, 3, 3), [1, 1], [1, 1], [1, 1], 1)]:
        body, arguments = conv(x, w, *rest)
        cases.add(body, arguments)
    body, arguments = conv((2, 4, 19), (6, 4, 5), [2], [3], [1], 1, function="conv1d")
    cases.add(body, arguments)
    body, arguments = conv((1, 4, 5, 6, 7), (6, 4, 2, 3, 2), [1, 2, 1], [1, 1, 0], [1, 1, 2], 1, function="conv3d")
    cases.add(body, arguments)
    cases.add("torch.conv_transpose2d(a, b, None, [2, 2], [1, 1])", (tensor(2, 8, 5, 5), tensor(8, 6, 3, 3)))
    # Padding of what is spread: the zeros before it count by the stride.
    cases.add("torch.conv_transpose2d(torch.constant_pad_nd(a, [2, 0, 1, 0]), b, None, [3, 2], [1, 0])",
              (tensor(2, 8, 5, 4), tensor(8, 6, 3, 4)))
    # Bias, residual and activation; images whose number or size is known when it is called.
    w, bias = tensor(12, 8, 3, 3), tensor(12)
    cases.add("torch.relu(torch.conv2d(a, b, c, [1, 1], [1, 1]) + d)",
              *[(tensor(n, 8, 6, 6), w, bias, tensor(n, 12, 6, 6)) for n in (1, 3, 0)], dynamic=[(0, 0), (3, 0)])
    cases.add("torch.sigmoid(torch.conv2d(a, b, c, [2, 2], [1, 1]))",
              *[(tensor(2, 8, h, 7), w, bias) for h in (5, 12, 1)], dynamic=[(0, 2)])
    for dtype in (torch.float64, torch.float16):
        cases.add("torch.conv2d(a, b, None, [1, 1], [1, 1])",
                  (tensor(2, 8, 6, 6, dtype=dtype), tensor(12, 8, 3, 3, dtype=dtype)))


def main():
    build, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    for fill in (matrices, convolutions):
        cases = Cases(fill.__name__)
        fill(cases)
        module = torch.jit.ScriptModule()
        module.define(cases.source)
        module.eval()
        archive = folder / f"{fill.__name__}.pt"
        module.save(str(archive))
        try:
            check_calls(build, archive, cases.signatures, cases.calls, folder, device="emulated")
            print(f"ok      {fill.__name__}: {len(cases.calls)} calls")
        except Mismatch as mismatch:
            failed += 1
            print(f"FAILED  {fill.__name__}: {mismatch}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
