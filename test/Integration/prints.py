"""print, and texts that hold what is known only at run time, are those of LibTorch, character by character.

RUN: %python %s %build %t.cpu
"""
import ctypes
import itertools
import math
import os
import pathlib
import sys
import tempfile
from typing import Dict, List, Optional, Tuple  # noqa: F401

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import compile_library, to_library, torchlite  # noqa: E402
from sources import define, outcome  # noqa: E402

SOURCE = '''
def constants(self, x: Tensor, n: int, f: float, b: bool):
    print("a", 1, 2.5, True, None, [1, 2], (3,), {"k": 1}, "{}", "")
    print()
    return x
def numbers(self, x: Tensor, n: int, f: float, b: bool):
    print("n", n, f, b, [n, n + 1], (f, b), {"f": f}, [f, 2.0], [b], [["x"], ["y"]])
    print(x.size(0), x.shape, n // 2, f / 2)
    return x
def tensors(self, x: Tensor, n: int, f: float, b: bool):
    print(x)
    print("x:", x * 1000000, [x], {"x": x * 0.5}, x.size(0))
    return x + 1
def choice(self, x: Tensor, n: int, f: float, b: bool):
    if b:
        print("yes", n)
    else:
        print("no", x)
    for i in range(n):
        print(i, x > i)
        x = x + 1
    return x
def grows(self, x: Tensor, n: int, f: float, b: bool):
    words: List[str] = []
    parts: List[Tuple[int, Tensor]] = []
    counts: Dict[int, float] = {}
    for i in range(n):
        words.append("w" + str(i))
        parts.append((i, x + i))
        counts[i * 2] = f
    print(words, parts, counts)
    return x
def raises(self, x: Tensor, n: int, f: float, b: bool):
    print("before", n)
    if n > 1:
        raise ValueError("too many")
    print("behind")
    return x
def texts(self, x: Tensor, n: int, f: float, b: bool):
    s = "{} of {}".format(n, f)
    t = "%d-%s" % (n, b)
    u = str(x) + "|{}|{}".format(n, x.size(0))
    e: Dict[int, float] = {}
    return s, t, u, len(s), s == "2 of 0.5", ", ".join([s, t]), "{}: {} {}".format(e, n, "{}")
def keys(self, x: Tensor, n: int, f: float, b: bool):
    d: Dict[str, int] = {}
    for i in range(n):
        d["k" + str(i % 3)] = i
    return d, "k{}".format(n) in d, d["k0"] if n > 0 else -1
def joined(self, x: Tensor, n: int, f: float, b: bool):
    a = [n]
    d: Dict[int, List[int]] = {}
    d[n] = [n]
    a.clear()
    a.append(n)
    if n > 1:
        d[n + 0] = a
        a.reverse()
    return d, str(a)
def optional(self, x: Tensor, n: int, f: float, b: bool):
    y: Optional[int] = None
    z: Optional[Tensor] = x
    if b:
        y = n
        z = None
    print(y, z)
    return x
'''

TENSORS = [torch.tensor(3.5), torch.tensor(-1234567.0), torch.tensor([1.5, -2.0, 1e-3]), torch.zeros(0), torch.zeros(2, 0),
           torch.tensor([math.nan, 1.0, math.inf]), torch.tensor([-math.inf, 0.5]), torch.tensor([1e10, 1.0]),
           torch.tensor([1e-8, 2e-8]), torch.tensor([1e-8, 1.0]), torch.tensor([1e30, 1e-30]), torch.tensor([123456.7]),
           torch.tensor([1234567.0]), torch.tensor([0.0, -0.0]), torch.tensor([[99999.5, 1000.25]]),
           torch.tensor([[1e5 + 0.5, 3e5]] * 2), torch.tensor([[12345678.0, -1.0]])]
SHAPES = [(3,), (2, 3), (2, 30), (1, 100), (2, 2, 3), (3, 1, 2), (2, 3, 2, 2), (1, 1, 1, 1), (3, 0, 2), (2, 2, 25)]
OTHERS = {torch.float64: "f64", torch.int64: "i64", torch.int32: "i32", torch.uint8: "ui8", torch.bool: "i1",
          torch.float16: "f16", torch.bfloat16: "bf16", torch.int8: "i8", torch.int16: "i16"}
SCALARS = [(0, 2.0, True), (1, 0.1, False), (2, 0.5, True), (5, math.nan, False), (3, -math.inf, True), (2, 1e19, False),
           (4, 123456789012.0, True), (1, 5e-324, True), (2, -0.0, False)]


def printed(call):
    """What a call does, and what it writes to the standard output."""
    libc = ctypes.CDLL(None)
    sys.stdout.flush()
    libc.fflush(None)
    saved = os.dup(1)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        try:
            result = outcome(call)
            sys.stdout.flush()  # where Python runs LibTorch, its prints are Python's
            libc.fflush(None)
        finally:
            os.dup2(saved, 1)
            os.close(saved)
        file.seek(0)
        return result, file.read().decode()


def check_prints(instance, reference, name, arguments):
    (expected, raised), text = printed(lambda: getattr(reference, name)(*arguments))
    (got, failed), ours = printed(lambda: instance.call(name, *map(to_library, arguments)))
    problem = ""
    if bool(raised) != bool(failed):
        problem = f"PyTorch {raised or 'answers'}, here {failed or 'an answer'}"
    elif text != ours:
        problem = f"expected {text!r}, got {ours!r}"
    elif not raised and not isinstance(expected, torch.Tensor) and got != expected:
        problem = f"expected {expected!r}, got {got!r}"
    if problem:
        print(f"{name}{tuple(arguments)}: {problem}")
    return bool(problem)


def signatures(names):
    for name in names:
        for rank in range(5) if name == "tensors" else [2]:
            yield f"{name}({'x'.join(['?'] * rank + ['f32'])}, int, float, bool)"
    for dtype in OTHERS.values():
        yield f"tensors(?x?x{dtype}, int, float, bool)"


def handled(instance):
    """The prints of one call, as the handler gets them."""
    texts = []
    instance.set_print(texts.append)
    instance.call("choice", torch.ones(1, 1).numpy(), 2, 0.5, True)
    instance.set_print(None)
    return texts


def main(build, folder):
    folder.mkdir(parents=True, exist_ok=True)
    names = define(SOURCE, folder / "prints.pt")
    compile_library(build, folder / "prints.pt", folder / "prints.so", list(signatures(names)))
    reference = torch.jit.load(str(folder / "prints.pt"))
    instance = torchlite.Model(str(folder / "prints.so")).instance()
    torch.manual_seed(0)
    calls = [("tensors", [x, 1, 0.5, True]) for x in TENSORS + [torch.randn(shape) for shape in SHAPES]]
    calls += [("tensors", [torch.randn(2, 3).mul(100).abs().to(dtype), 1, 0.5, True]) for dtype in OTHERS]
    calls += [(name, [torch.randn(2, 2), *scalars]) for name, scalars in itertools.product(names, SCALARS)]
    failed = sum(check_prints(instance, reference, name, arguments) for name, arguments in calls)
    texts = handled(instance)
    if texts != ["yes 2\n", "0  1\n[ CPUBoolType{1,1} ]\n", "1  1\n[ CPUBoolType{1,1} ]\n"]:
        print("the handler got", texts)
        failed += 1
    print(f"{len(calls)} calls, {failed} disagree")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])))
