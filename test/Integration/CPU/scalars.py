# RUN: env TORCHLITE_BUILD=%build %python %s %t
"""Python's numbers over a table of edge values, against LibTorch: every operator on every pair, with both
operands known at run time, one of them, and none.

LibTorch itself dies of `%` of ints by 0, which raises here, and of the least int by -1, which wraps.
"""
import itertools
import math
import os
import re
import struct
import subprocess
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../python"))
import torchlite  # noqa: E402

torch._C._set_graph_executor_optimize(False)
LEAST = -2**63
INTS = [0, 1, -1, 2, 3, -7, 63, 64, -65, LEAST, LEAST + 1, 2**63 - 1, 2**31, -2**32, 2**53 + 1, 2**62 + 1]
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, math.inf, -math.inf, math.nan, -1e-20, 1e308, 5e-324,
          -2.2250738585072014e-308, 2.0**53, 2.0**63, -2.0**63, 0.1, -7.0]
TABLE = {"int": INTS, "float": FLOATS, "bool": [False, True]}
# What rounds as the processor does; the others may be one unit off in the last place.
EXACT = """a + b; a - b; a * b; a / b; a // b; a % b; min(a, b); max(a, b); a < b; a <= b; a > b; a >= b; a == b;
a != b; a & b; a | b; a ^ b; a << b; a >> b; a and b; a or b; not a; -a; abs(a); float(a); int(a); bool(a); round(a);
divmod(a, b); math.floor(a); math.ceil(a); math.fabs(a); math.sqrt(a); math.copysign(a, b); math.fmod(a, b);
math.remainder(a, b); math.isnan(a); math.isinf(a); math.isfinite(a); math.modf(a); math.degrees(a); math.radians(a);
math.ldexp(a, b); math.frexp(a); math.factorial(a); math.gcd(a, b); a if a < b else b; 1 if a else 2;
sum([a, b, a]); max([a, b, a]); min([a, b, b])"""
ROUNDED = """a ** b; math.pow(a, b); math.exp(a); math.log(a); math.log(a, b); math.log2(a); math.log10(a);
math.log1p(a); math.expm1(a); math.sin(a); math.cos(a); math.tan(a); math.asin(a); math.acos(a); math.atan(a);
math.atan2(a, b); math.sinh(a); math.cosh(a); math.tanh(a); math.asinh(a); math.acosh(a); math.atanh(a); math.erf(a);
math.erfc(a)"""
# Compiled with operands known at compile time only.
KNOWN = "math.gamma(a); math.lgamma(a)"


def dies(expression, a, b):
    """Whether LibTorch itself does, or takes for ever."""
    if "factorial" in expression:
        return not -8 < a <= 64  # An int of 32 bits there.
    if "gcd" in expression:
        return LEAST in (a, b)
    if expression in ("math.floor(a)", "math.ceil(a)"):
        # Raises here, for LibTorch is one off in its check. Large ints are rounded by it, not by Python.
        return a == 2.0**63 or isinstance(a, int) and abs(a) > 2**53
    if expression == "divmod(a, b)" and isinstance(a, float) and isinstance(b, int):
        return abs(a) == 2.0**63  # Off as well.
    return isinstance(a, int) and isinstance(b, int) and (
        (expression in ("a % b", "divmod(a, b)") and b == 0)
        or (expression in ("a % b", "a // b", "divmod(a, b)") and a == LEAST and b == -1))


def bits(value):
    if isinstance(value, tuple):
        return tuple(map(bits, value))
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack("<d", value)
    return type(value).__name__, value


def agree(got, want, exact):
    if isinstance(got, tuple) and isinstance(want, tuple) and len(got) == len(want):
        return all(agree(g, w, exact) for g, w in zip(got, want))
    if got == want or exact or not isinstance(got, bytes) or not isinstance(want, bytes):
        return got == want
    return math.isclose(*(struct.unpack("<d", x)[0] for x in (got, want)), rel_tol=1e-14, abs_tol=5e-324)


def outcome(call, *errors):
    try:
        return bits(call())
    except errors:
        return "raises"


class Table:
    """An expression on operands of given types, with what LibTorch gives for all values."""

    def __init__(self, expression, types, exact):
        self.expression, self.exact = expression, exact
        self.names = [n for n in "ab" if re.search(rf"\b{n}\b", expression)]
        self.types = types[:len(self.names)]

    def evaluate(self):
        """False where LibTorch has no such operator."""
        arguments = ", ".join(f"{n}: {t}" for n, t in zip(self.names, self.types))
        try:
            scripted = torch.jit.CompilationUnit(f"def f({arguments}):\n    return {self.expression}\n")
        except RuntimeError:
            return False
        # By position: 0.0 and -0.0 are one key.
        places = itertools.product(*(range(len(TABLE[t])) for t in self.types))
        self.wanted = {p: outcome(lambda: scripted.f(*self.values(p)), RuntimeError) for p in places
                       if not dies(self.expression, *(*self.values(p), None)[:2])}
        return True

    def values(self, place):
        return [TABLE[t][i] for t, i in zip(self.types, place)]

    def text(self, place):
        """The expression with operands as attributes, but for those whose place is None."""
        text = self.expression
        for name, type, i in zip(self.names, self.types, place):
            if i is not None:
                text = re.sub(rf"\b{name}\b", f"self.{type}{i}", text)
        return f"({text})"


class Program:
    """Methods, and their calls with what is wanted of them."""

    def __init__(self):
        module = torch.nn.Module()
        for type, values in TABLE.items():
            for i, value in enumerate(values):
                setattr(module, f"{type}{i}", value)
        self.scripted, self.signatures, self.calls = torch.jit.script(module), [], []

    def method(self, arguments, *lines):
        name = f"m{len(self.signatures)}"
        declared = "".join(f", {n}: {t}" for n, t in arguments)
        self.scripted.define(f"def {name}(self{declared}):\n    " + "\n    ".join(lines) + "\n")
        self.signatures.append(f"--signature={name}({', '.join(t for _, t in arguments)})")
        return name

    def at_run_time(self, table):
        name = self.method(list(zip(table.names, table.types)), f"return {table.expression}")
        for place, want in table.wanted.items():
            self.calls.append((table, name, table.values(place), want, ""))

    def one_at_run_time(self, table, side):
        """One operand is an argument, the other one constant: those that raise for the same arguments share
        a method."""
        groups = {}
        for place, want in table.wanted.items():
            groups.setdefault(place[1 - side], {})[place[side]] = want
        bundles = {}
        for constant, row in groups.items():
            bundles.setdefault(tuple((p, w == "raises") for p, w in row.items()), []).append(constant)
        for pattern, constants in bundles.items():
            if all(raises for _, raises in pattern):
                continue  # Among those of `folded`.
            place = lambda c, p=None: (p, c) if side == 0 else (c, p)  # noqa: E731
            texts = [table.text(place(c)) for c in constants]
            name = self.method([(table.names[side], table.types[side])], f"return ({', '.join(texts)},)")
            known = "one of " + repr([TABLE[table.types[1 - side]][c] for c in constants])
            for p, raises in pattern:
                want = "raises" if raises else tuple(table.wanted[place(c, p)] for c in constants)
                self.calls.append((table, name, [TABLE[table.types[side]][p]], want, f"{known} known"))

    def folded(self, table):
        good = {p: w for p, w in table.wanted.items() if w != "raises"}
        if good:
            name = self.method([], f"return ({', '.join(map(table.text, good))},)")
            self.calls.append((table, name, [], tuple(good.values()), "folded"))
        bad = [p for p, w in table.wanted.items() if w == "raises"]
        if bad:
            arms = (f"if k == {i}:\n        return {table.text(p)}" for i, p in enumerate(bad))
            name = self.method([("k", "int")], *arms,
                               f"return {table.text(next(iter(good)))}" if good else "raise ValueError('none')")
            for i, place in enumerate(bad):
                self.calls.append((table, name, [i], "raises", f"folded {table.values(place)}"))

    def divisions(self):
        """Those of which LibTorch dies."""
        table = Table("(a // b, a % b)", ("int", "int"), True)
        wrapped, least, one = bits((LEAST, 0)), INTS.index(LEAST), INTS.index(-1)
        name = self.method([("a", "int"), ("b", "int")], f"return {table.expression}")
        self.calls += [(table, name, [LEAST, -1], wrapped, ""), (table, name, [7, 0], "raises", "")]
        self.calls.append((table, self.method([], f"return {table.text((least, one))}"), [], wrapped, "folded"))
        for text in ("a % b", "divmod(a, b)"):
            name = self.method([("a", "int"), ("b", "int")], f"return {text}")
            self.calls += [(table, name, [a, 0], "raises", text) for a in INTS]


def tables():
    """Those that never raise together, for fewer methods."""
    bundles = {}
    for (texts, exact), types in itertools.product(((EXACT, True), (ROUNDED, False), (KNOWN, False)),
                                                   itertools.product(TABLE, repeat=2)):
        for text in texts.replace("\n", " ").split("; "):
            table = Table(text, types, exact)
            if (len(table.types) == 1 and types[1] != "int") or not table.evaluate():
                continue
            if texts == KNOWN or "raises" in table.wanted.values():
                yield table
            else:
                bundles.setdefault((tuple(table.types), tuple(table.wanted), exact), []).append(table)
    for (types, _, exact), parts in bundles.items():
        for i in range(0, len(parts), 8):
            few = parts[i:i + 8]
            table = Table(f"({', '.join(p.expression for p in few)},)", types, exact)
            table.wanted = {p: tuple(part.wanted[p] for part in few) for p in few[0].wanted}
            yield table


def main(only=""):
    program = Program()
    for table in tables():
        if only not in table.expression:
            continue
        program.folded(table)
        if table.expression not in KNOWN:
            program.at_run_time(table)
            if len(table.types) == 2:
                program.one_at_run_time(table, 0)
                program.one_at_run_time(table, 1)
    program.divisions()
    archive, library = sys.argv[1] + ".pt", sys.argv[1] + ".so"
    torch.jit.save(program.scripted, archive)
    subprocess.run([os.path.join(os.environ["TORCHLITE_BUILD"], "bin/tl-compile"), archive, "-o", library]
                   + program.signatures, check=True)
    instance = torchlite.Model(library).instance(threads=1)
    wrong = []
    for table, name, arguments, want, how in program.calls:
        got = outcome(lambda: instance.call(name, *arguments), torchlite.Error)
        if not agree(got, want, table.exact):
            if isinstance(got, tuple) and isinstance(want, tuple):
                got, want = zip(*((g, w) for g, w in zip(got, want) if not agree(g, w, table.exact)))
            wrong.append(f"{table.expression} of {arguments} {how}: {str(got)[:200]}, not {str(want)[:200]}")
    print("\n".join(wrong[:40]), f"{len(wrong)} wrong of {len(program.calls)}", sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[2:]))
