# RUN: env TORCHLITE_BUILD=%build %python %s %t
"""Values that are None or not, which a condition decides at run time: every program gives what
eager PyTorch gives, or raises where it raises; and eight of them in a row take no more code than
their number says."""
import os
import subprocess
import sys
from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor
from torch.nn import functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "python"))
import torchlite  # noqa: E402


def or_zero(y: Optional[Tensor], x: Tensor) -> Tensor:
    return torch.zeros_like(x) if y is None else y + 1


class Pair:
    def __init__(self, first: Optional[Tensor]):
        self.first = first


class Programs(torch.nn.Module):
    def forward(self, x: Tensor, c: bool, d: bool):
        return x

    @torch.jit.export
    def plain(self, x: Tensor, c: bool, d: bool):
        y: Optional[Tensor] = None
        if c:
            y = x * 2
        z = x.sum()
        if y is not None:
            z = z + y.sum()
        return z if y is None else z * 2, y is None, y is not None

    @torch.jit.export
    def alias(self, x: Tensor, c: bool, d: bool):
        a = x.clone()
        y: Optional[Tensor] = a if c else None
        a.add_(1)
        if y is not None:
            y.mul_(3)
        b = a.sum()
        z: Optional[Tensor] = None
        if d:
            z = a[1:]
        a.add_(1)
        return a, b, or_zero(z, x[1:]), or_zero(y, x)

    @torch.jit.export
    def again(self, x: Tensor, c: bool, d: bool):
        y: Optional[Tensor] = None
        if c:
            y = x + 1
        if d:
            y = None
        elif y is None:
            y = x - 1
        z = y
        if c:
            z = x
        return or_zero(y, x), or_zero(z, x)

    @torch.jit.export
    def asserted(self, x: Tensor, c: bool, d: bool):
        y: Optional[Tensor] = None
        if c:
            y = x + 1
        assert y is not None, "it is None"
        return y * 2

    @torch.jit.export
    def unwrapped(self, x: Tensor, c: bool, d: bool):
        y: Optional[Tensor] = None
        if c:
            y = x + 1
        return torch.jit._unwrap_optional(y) * 2

    @torch.jit.export
    def both(self, x: Tensor, c: bool, d: bool):
        y: Optional[Tensor] = x * 2 if c else None
        z: Optional[Tensor] = x * 3 if d else None
        if y is not None and z is not None:
            return y + z
        if y is not None or z is not None:
            return x
        return -x

    @torch.jit.export
    def operand(self, x: Tensor, c: bool, d: bool):
        bias: Optional[Tensor] = x[0] if c else None
        low: Optional[float] = 0.25 if d else None
        y = F.linear(x, torch.ones(3, 3), bias)
        y = torch.clamp(y, low, 5.0)
        return y, F.layer_norm(x, [3], bias, None)

    @torch.jit.export
    def indices(self, x: Tensor, c: bool, d: bool):
        i: Optional[Tensor] = torch.tensor([1, 0]) if c else None
        j: Optional[Tensor] = torch.tensor([2, 0]) if d else None
        assert i is not None or j is not None
        return torch.ops.aten.index(x, [i, j]).sum(), x

    @torch.jit.export
    def numbers(self, x: Tensor, c: bool, d: bool):
        n: Optional[int] = 2 if c else None
        m: Optional[int] = n
        if d:
            m = 5 if n is None else n + 1
        return x * (0 if n is None else n), -1 if m is None else m, n is None, m is None

    @torch.jit.export
    def structures(self, x: Tensor, c: bool, d: bool):
        state: Optional[Tuple[Tensor, Tensor]] = None
        if c:
            state = (x, x + 1)
        names: Optional[List[Tensor]] = None
        if d:
            names = [x, x * 2]
        if state is not None:
            h, s = state
            x = h * s
        if names is not None:
            names.append(x)
            x = torch.stack(names).sum(0)
        return x

    @torch.jit.export
    def contained(self, x: Tensor, c: bool, d: bool):
        y: Optional[Tensor] = x * 2 if c else None
        many: List[Optional[Tensor]] = [y, None, x]
        many.append(y)
        table: Dict[str, Optional[Tensor]] = {"a": y, "b": x}
        if d:
            many[1] = x + 7
            table["b"] = None
        total = torch.zeros_like(x)
        for element in many:
            if element is not None:
                total = total + element
        for key in ["a", "b"]:
            value = table[key]
            total = total * 2 if value is None else total + value
        pair = (y, x)
        first, second = pair
        return total, second if first is None else first, len(many)

    @torch.jit.export
    def attribute(self, x: Tensor, c: bool, d: bool):
        pair = Pair(None)
        if c:
            pair.first = x * 2
        other = pair
        if d:
            other.first = None
        first = pair.first
        return x if first is None else first

    @torch.jit.export
    def loop(self, x: Tensor, c: bool, d: bool):
        best: Optional[Tensor] = None
        last: Optional[Tensor] = None
        n = int(x.sum().item())
        for i in range(n):
            row = x[i % 2] * i
            if best is None:
                best = row
            elif bool(row.sum() > best.sum()) and c:
                best = row
            if d and i % 2 == 1:
                last = row
        return x[0] if best is None else best, x[0] if last is None else last, n

    @torch.jit.export
    def unrolled(self, x: Tensor, c: bool, d: bool):
        parts: List[Tensor] = []
        best: Optional[Tensor] = None
        for i in range(3):
            if bool(x[0, i] > 1):
                best = x[:, i]
            parts.append(x[:, i] if best is None else best)
        return torch.stack(parts)

    @torch.jit.export
    def shapes(self, x: Tensor, c: bool, d: bool):
        y: Optional[Tensor] = None
        if c:
            y = x
        elif d:
            y = x[:1]
        return x if y is None else x + y, or_zero(y, x).shape

    @torch.jit.export
    def early(self, x: Tensor, c: bool, d: bool) -> Tensor:
        y: Optional[Tensor] = None
        if c:
            if d:
                return x * 5
            y = x
        for i in range(2):
            if y is None:
                return x
            x = x + y
        return x


METHODS = [name for name, value in vars(Programs).items() if callable(value) and name != "forward"]
TOOL = os.path.join(os.environ["TORCHLITE_BUILD"], "bin")


def check_programs(folder):
    module = torch.jit.script(Programs())
    module.save(f"{folder}/optionals.pt")
    flags = [f"--signature={name}({shape}, bool, bool)" for name in METHODS
             for shape in ("2x3xf32", "?x?xf32")]
    subprocess.run([f"{TOOL}/tl-compile", f"{folder}/optionals.pt", "-o", f"{folder}/optionals.so",
                    *flags], check=True)
    instance = torchlite.Model(f"{folder}/optionals.so").instance(threads=1)
    failures = 0
    for name in METHODS:
        for x in (torch.arange(6.0).reshape(2, 3), torch.zeros(2, 3), torch.ones(3, 3)):
            for c in (False, True):
                for d in (False, True):
                    failures += not agree(getattr(module, name), instance, name, (x, c, d))
    return failures


def leaves(value):
    if isinstance(value, (list, tuple)):
        return [leaf for element in value for leaf in leaves(element)]
    return [torch.as_tensor(value)]


def outcome(call):
    try:
        return leaves(call())
    except (RuntimeError, AssertionError, torchlite.Error, torch.jit.Error) as error:
        return error


def agree(reference, instance, name, arguments):
    with torch.jit.optimized_execution(False):
        expected = outcome(lambda: reference(*arguments))
    got = outcome(lambda: instance.call(name, *arguments))
    if isinstance(expected, Exception) or isinstance(got, Exception):
        same = isinstance(expected, Exception) and isinstance(got, Exception)
    else:
        same = len(expected) == len(got) and all(
            a.shape == b.shape and a.dtype == b.dtype and torch.allclose(a, b)
            for a, b in zip(expected, got))
    if not same:
        print(f"{name}{arguments}: expected {expected}, got {got}")
    return same


def operations(folder, count):
    """How many operations a method with so many optional values is compiled to."""
    flags = ", ".join(f"c{i}: bool" for i in range(count))
    lines = [f"def row{count}(self, x, {flags}):"]
    for i in range(count):
        lines += [f"    y{i}: Optional[Tensor] = None", f"    if c{i}:", f"        y{i} = x + {i}"]
    for i in range(count):
        lines += [f"    if y{i} is not None:", f"        x = torch.sin(x) * y{i}"]
    module = torch.jit.script(torch.nn.Module())
    module.define("\n".join([*lines, "    return x"]) + "\n")
    path = f"{folder}/row{count}.pt"
    module.save(path)
    types = ",".join(["4xf32", *["bool"] * count])
    imported = subprocess.run([f"{TOOL}/tl-translate", "--import-torchscript", path],
                              check=True, capture_output=True, text=True).stdout
    done = subprocess.run([f"{TOOL}/tl-opt", f"--tl-specialize=signature='row{count}({types})'"],
                          input=imported, check=True, capture_output=True, text=True).stdout
    return sum(" = tl." in line for line in done.splitlines())


def main(folder):
    os.makedirs(folder, exist_ok=True)
    failures = check_programs(folder)
    counts = [operations(folder, count) for count in (2, 4, 8, 16)]
    print("operations of 2, 4, 8, 16 optional values:", counts)
    if counts[3] - counts[2] > 2 * (counts[2] - counts[1]) + 8:
        failures += 1
        print("the code is not linear in their number")
    print(f"{failures} failures")
    return failures > 0


sys.exit(main(sys.argv[1]))
