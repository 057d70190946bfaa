# RUN: env TORCHLITE_BUILD=%build %python %s %t
"""Integer tensors over tables of edge values, against eager PyTorch: every elementwise operator on
tensors of all integer types and on numbers, known at compile time and at run time.

PyTorch itself dies of the least int divided by -1, which wraps here.
"""
import itertools
import math
import os
import re
import subprocess
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../python"))
import torchlite  # noqa: E402

torch._C._set_graph_executor_optimize(False)
TYPES = {"bool": "i1", "uint8": "ui8", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64"}
PAIRS = [(t, t) for t in TYPES] + [("uint8", "int8"), ("int64", "int8")]
NUMBERS = [0, 1, -1, 2, 3, -7, 31, 64, 200, 2**31, -2**63, 2**63 - 1, 2**53 + 1, 0.0, -0.0, 0.5, -1.5, 3.7, 1e20,
           math.inf, math.nan, False, True]
KNOWN_NUMBERS = [0, -1, 2, 200, 2**53 + 1, -1.5, math.nan, True]
BINARY = """a + b; a - b; a * b; a / b; a // b; a % b; a ** b; a & b; a | b; a ^ b; a << b; a >> b; a == b; a != b;
a < b; a <= b; a > b; a >= b; torch.maximum(a, b); torch.minimum(a, b); torch.fmod(a, b);
torch.div(a, b, rounding_mode='trunc'); torch.add(a, b, alpha=3); torch.sub(a, b, alpha=-7); torch.where(a < b, a, b);
torch.logical_xor(a, b)"""
# Of what a number adds to that: those that have it first, and those that it has to fit.
NUMBER = """b - a; b // a; b % a; b ** a; b / a; b << a; b >> a; torch.rsub(a, b, alpha=2); torch.full_like(a, b);
torch.masked_fill(a, a < 0, b); torch.fill(a, b); torch.add(a, a, alpha=b)"""
UNARY = """-a; torch.abs(a); ~a; torch.sign(a); torch.square(a); torch.logical_not(a); a.sum(); a.prod(); a.cumsum(0);
a.max(); a.min(); a.to(torch.bool); a.to(torch.uint8); a.to(torch.int8); a.to(torch.int16); a.to(torch.int32);
a.to(torch.int64); a.to(torch.float32); a.to(torch.float64); a.to(torch.float16); torch.bitwise_not(a);
torch.floor(a); torch.round(a); torch.trunc(a); a.any(); a.all(); torch.reciprocal(a); torch.abs(a)"""
DIVISIONS = ("//", "%", "fmod", "div(")


def values(name):
    if name == "bool":
        return [False, True]
    info = torch.iinfo(getattr(torch, name))
    table = [0, 1, 2, 3, 7, -1, -2, -7, info.bits - 1, info.bits, info.bits + 1, info.min, info.min + 1, info.max,
             info.max - 1, info.max // 2 + 1]
    return [v for v in table if info.min <= v <= info.max]


def literal(value):
    if isinstance(value, torch.Tensor):
        return f"torch.tensor({value.tolist()}, dtype={value.dtype})"
    if value == -2**63 and isinstance(value, int):
        return "(-9223372036854775807 - 1)"
    return repr(value) if math.isfinite(value) else f"float('{value}')"


def divisible(expression, pairs):
    """The pairs on which a division neither raises nor kills PyTorch."""
    if not any(d in expression for d in DIVISIONS):
        return pairs
    swapped = re.search(r"\bb\b.*\ba\b", expression)
    keep = []
    for pair in pairs:
        x, y = reversed(pair) if swapped else pair
        if y != 0 and not (y == -1 and isinstance(y, int) and x < -100):
            keep.append(pair)
    return keep


class Operand:
    def __init__(self, name, value, known):
        self.name, self.value, self.known = name, value, known

    def __str__(self):
        text = self.type() if isinstance(self.value, torch.Tensor) else str(self.value)
        return f"{self.name}: {text}{' known' * self.known}"

    def declared(self):
        return self.name + ": " + (type(self.value).__name__ if not isinstance(self.value, torch.Tensor) else "Tensor")

    def type(self):
        if not isinstance(self.value, torch.Tensor):
            return type(self.value).__name__
        return "?x" * self.value.dim() + TYPES[str(self.value.dtype).removeprefix("torch.")]


def evaluate(expression, operands):
    """What PyTorch gives, or None if it raises; False if it has no such operator."""
    try:
        unit = torch.jit.CompilationUnit(f"def f({', '.join(o.declared() for o in operands)}):\n"
                                         f"    return {expression}\n")
    except RuntimeError:
        return False
    try:
        return unit.f(*(o.value for o in operands))
    except RuntimeError as error:
        return None if re.search("ZeroDivision|without overflow", str(error)) else False


def same(got, want, expression=""):
    got = torch.from_numpy(np.array(got, copy=True))
    if got.dtype != want.dtype or got.shape != want.shape:
        return False
    if not want.is_floating_point():
        return torch.equal(got, want)
    if "**" in expression or "alpha" in expression:  # more than one rounding
        return torch.allclose(got, want, 1e-6, 0, equal_nan=True)
    nan = torch.isnan(want)
    return torch.equal(nan, torch.isnan(got)) and torch.equal(got[~nan], want[~nan]) and torch.equal(
        torch.signbit(got[~nan]), torch.signbit(want[~nan]))


class Program:
    """Methods of one model, and their calls with what is wanted of them: None if it has to raise."""

    def __init__(self):
        self.scripted, self.signatures, self.calls, self.names = torch.jit.script(torch.nn.Module()), [], [], {}

    def add(self, operands, cases):
        """A method that computes all cases, expressions with what is wanted of them."""
        open_, known = ([o for o in operands if o.known == k] for k in (False, True))
        lines = [f"    {o.name} = {literal(o.value)}\n" for o in known]
        key = (f"(self{''.join(', ' + o.declared() for o in open_)}):\n{''.join(lines)}"
               f"    return ({', '.join(e for e, _ in cases)},)\n", ", ".join(o.type() for o in open_))
        name = self.names.setdefault(key, f"m{len(self.names)}")
        if len(self.names) > len(self.signatures):
            self.scripted.define(f"def {name}{key[0]}")
            self.signatures.append(f"--signature={name}({key[1]})")
        self.calls.append((name, [o.value for o in open_], cases, operands))

    def add_all(self, operands, expressions):
        good = []
        for expression in expressions:
            want = evaluate(expression, operands)
            if isinstance(want, torch.Tensor):
                good.append((expression, want))
            elif want is None and not any(o.known for o in operands):
                self.add(operands, [(expression, None)])
        if good:
            self.add(operands, good)


def texts(table):
    return table.replace("\n", " ").split("; ")


def tensors(program, a, b):
    """Both operands are tensors: arguments, then constants."""
    groups = {}
    for expression in texts(BINARY):
        groups.setdefault(tuple(divisible(expression, list(itertools.product(values(a), values(b))))),
                          []).append(expression)
    for pairs, expressions in groups.items():
        x, y = (torch.tensor(v, dtype=getattr(torch, t)) for v, t in zip(zip(*pairs), (a, b)))
        program.add_all([Operand("a", x, False), Operand("b", y, False)], expressions)
        program.add_all([Operand("a", x[::5][:60], True), Operand("b", y[::5][:60], True)], expressions)


def numbers(program, dtype, number, ways):
    """A tensor and a number, and a tensor and one without dimensions."""
    groups = {}
    as_element = number
    if type(number) is int and dtype != "bool":
        as_element = torch.tensor(number).to(getattr(torch, dtype)).item()
    for expression in texts(BINARY) + texts(NUMBER):
        pairs = divisible(expression, [(v, as_element) for v in values(dtype)])
        groups.setdefault(tuple(v for v, _ in pairs) or tuple(values(dtype)), []).append(expression)
    for items, expressions in groups.items():
        x = torch.tensor(items, dtype=getattr(torch, dtype))
        for known in ways:
            program.add_all([Operand("a", x, known[0]), Operand("b", number, known[1])], expressions)


def main(only=""):
    program = Program()
    for a, b in PAIRS:
        tensors(program, a, b)
    for dtype in TYPES:
        for number in NUMBERS:
            numbers(program, dtype, number, [(False, False)])
        for number in KNOWN_NUMBERS if dtype in ("uint8", "int64") else []:
            numbers(program, dtype, number, [(False, True), (True, True)])
        x = torch.tensor(values(dtype), dtype=getattr(torch, dtype))
        for known in (False, True):
            program.add_all([Operand("a", x, known)], texts(UNARY))
    print(len(program.signatures), flush=True)
    archive, library = sys.argv[1] + ".pt", sys.argv[1] + ".so"
    torch.jit.save(program.scripted, archive)
    subprocess.run([os.path.join(os.environ["TORCHLITE_BUILD"], "bin/tl-compile"), archive, "-o", library]
                   + program.signatures, check=True)
    instance = torchlite.Model(library).instance(threads=1)
    wrong = []
    for name, arguments, cases, operands in program.calls:
        try:
            got = instance.call(name, *(a.numpy() if isinstance(a, torch.Tensor) else a for a in arguments))
        except torchlite.Error as error:
            got = [f"raises {error}"] * len(cases)
        for result, (expression, want) in zip(got, cases):
            if (want is None) != isinstance(result, str) or want is not None and not same(
                    result, want, expression):
                wrong.append(f"{expression} of {', '.join(map(str, operands))}: {difference(operands, result, want)}")
    count = sum(len(c[2]) for c in program.calls)
    print("\n".join(wrong[:40]), f"{len(wrong)} wrong of {count}", sep="\n")
    return bool(wrong)


def difference(operands, got, want):
    if isinstance(got, str) or want is None:
        return f"{got}, not {want}"
    got = torch.from_numpy(np.array(got))
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"{got.dtype}{list(got.shape)}, not {want.dtype}{list(want.shape)}"
    place = next((i for i in range(want.numel()) if not same(got.reshape(-1)[i], want.reshape(-1)[i])), 0)
    at = [o.value.reshape(-1)[place].item() if isinstance(o.value, torch.Tensor) and want.dim() else o.value
          for o in operands]
    return f"{got.reshape(-1)[place].item()}, not {want.reshape(-1)[place].item()} at {at}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[2:]))
