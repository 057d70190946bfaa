"""Stories: methods on one state, called one after the other, as text. Numbers are small and whole where
they can be, so that every way to compute them gives the same, and results are compared exactly.

Many stories are methods of one archive and one library, under names of their own, so that thousands take
minutes. What is refused is left out by the line that the compiler names, and the others go on.
"""
import dataclasses
import json
import math
import os
import re
import typing
import warnings

import numpy as np
import torch

from .execute import torchlite

BFloat16 = torchlite.BFloat16
TYPES = {torch.float32: "f32", torch.float64: "f64", torch.float16: "f16", torch.bfloat16: "bf16", torch.int8: "i8",
         torch.uint8: "ui8", torch.int16: "i16", torch.int32: "i32", torch.int64: "i64", torch.bool: "i1"}


def T(seed, *shape):
    """A tensor of small whole numbers, other ones for every seed."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-4, 5, shape, generator=generator).to(torch.float32)


def I(seed, *shape):
    return T(seed, *shape).long()


def D(seed, type_, *shape):
    """Numbers that only their type holds: f64 with all its digits, integers up to their ends."""
    generator, dtype = torch.Generator().manual_seed(seed), next(d for d, name in TYPES.items() if name == type_)
    if dtype.is_floating_point:
        return (torch.randn(shape, generator=generator, dtype=torch.float64) * 3).to(dtype)
    if dtype == torch.bool:
        return torch.rand(shape, generator=generator) > 0.5
    limits = torch.iinfo(dtype)
    numbers = torch.tensor([limits.max, limits.min, limits.max - 1, limits.max // 2 + 1, 0, 1, 3, 7, limits.min // 3, 100], dtype=dtype)
    return numbers[torch.randint(len(numbers), shape, generator=generator)]


def S(seed, type_, *shape):
    """The same, with special numbers among those of floats."""
    data = D(seed, type_, *shape)
    if not data.is_floating_point():
        return data
    numbers = torch.tensor([math.nan, math.inf, -math.inf, -0.0, 0.0, torch.finfo(data.dtype).max, torch.finfo(data.dtype).tiny], dtype=data.dtype)
    generator = torch.Generator().manual_seed(seed)
    special = numbers[torch.randint(len(numbers), shape, generator=generator)]
    return torch.where(torch.rand(shape, generator=generator) < 0.6, special, data)


SCOPE = {"torch": torch, "T": T, "I": I, "D": D, "S": S, "inf": math.inf, "nan": math.nan}
# By how much numbers of a type may differ, relatively; of them, what was computed from numbers that are not whole.
TOLERANCES = {"f64": 1e-12, "f32": 3e-6, "f16": 2e-3, "bf16": 1.6e-2}


@dataclasses.dataclass
class Story:
    name: str
    methods: dict  # name -> (parameters as text, lines of the body)
    calls: list  # "method(arguments)", or "name = tensor" for arguments that overlap
    state: dict = dataclasses.field(default_factory=dict)  # name -> expression, of earlier ones, too
    types: dict = dataclasses.field(default_factory=dict)  # name -> type, of lists and dicts
    dynamic: bool = False  # sizes of arguments are not known to the compiler
    inexact: str = ""  # a type that numbers of more exact types come from

    def source(self):
        """The methods, under names of their own."""
        text = "\n".join(f"def {name}(self{', ' + parameters if parameters else ''}):\n"
                         + "\n".join("    " + line for line in body) for name, (parameters, body) in self.methods.items())
        text = re.sub(r"\bself\.(\w+)", rf"self.{self.name}_\1", text)
        return re.sub(r"^def (\w+)", rf"def {self.name}_\1", text, flags=re.MULTILINE) + "\n"

    def with_text(self, old, new):
        """The story with other text in its bodies."""
        methods = {n: (parameters, [line.replace(old, new) for line in body]) for n, (parameters, body) in self.methods.items()}
        return dataclasses.replace(self, methods=methods)

    def describe(self):
        lines = [f"# {self.name}, sizes {'not known' if self.dynamic else 'known'}"]
        lines += [f"# self.{name} = {value}" for name, value in self.state.items()]
        lines += [f"# {call}" for call in self.calls]
        for name, (parameters, body) in self.methods.items():
            lines += [f"def {name}(self{', ' + parameters if parameters else ''}):", *("    " + line for line in body)]
        return "\n".join(lines)

    def size(self):
        return sum(len(body) for _, body in self.methods.values()) + len(self.calls)

    def run_calls(self):
        """(method, arguments) for every call; arguments are made anew."""
        scope = dict(SCOPE)
        for call in self.calls:
            if match := re.match(r"(\w+) = (.*)", call):
                scope[match[1]] = eval(match[2], scope)  # pylint: disable=eval-used
            else:
                method, text = re.match(r"(\w+)\((.*)\)$", call).groups()
                yield method, list(eval(f"({text},)" if text else "()", scope))  # pylint: disable=eval-used

    def signatures(self):
        result = []
        for method, arguments in self.run_calls():
            text = f"{self.name}_{method}({', '.join(type_of(a, self.dynamic) for a in arguments)})"
            if text not in result:
                result.append(text)
        return result

    def save(self, path):
        path.write_text(json.dumps({"story": dataclasses.asdict(self)}, indent=1) + "\n")


def load(path):
    return Story(**json.loads(path.read_text())["story"])


def type_of(value, dynamic):
    if isinstance(value, torch.Tensor):
        return "x".join(["?" if dynamic else str(n) for n in value.shape] + [TYPES[value.dtype]])
    if isinstance(value, (list, tuple)):
        inner = ", ".join(type_of(v, dynamic) for v in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {type_of(v, dynamic)}" for k, v in value.items()) + "}"
    return "none" if value is None else type(value).__name__


def write_archive(stories, path):
    """One archive with all stories. Returns for each the lines [first, last) of its text."""
    state, annotations = {}, {}
    for story in stories:
        scope = dict(SCOPE)
        for name, value in story.state.items():
            scope[name] = state[f"{story.name}_{name}"] = eval(value, scope)  # pylint: disable=eval-used
        for name, type_ in story.types.items():
            annotations[f"{story.name}_{name}"] = eval(type_, vars(typing) | {"Tensor": torch.Tensor})  # pylint: disable=eval-used
    module = type("Stories", (torch.nn.Module,), {"__annotations__": annotations})().eval()
    for name, value in state.items():
        if isinstance(value, torch.Tensor):
            module.register_buffer(name, value)
        else:
            setattr(module, name, value)
    source, places, line = "", {}, 1
    for story in stories:
        text = story.source()
        places[story.name] = (line, line + text.count("\n"))
        line += text.count("\n")
        source += text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.jit.script(module)
        module.define(source)
        torch.jit.save(module, str(path))
    return places


def scripts(story):
    """Why LibTorch does not take the story, or None."""
    try:
        path = f"/dev/shm/tl-story-{os.getpid()}.pt"
        write_archive([story], path)
        with torch.no_grad(), torch.jit.optimized_execution(False):
            module = torch.jit.load(path)
            outcomes = [outcome(getattr(module, f"{story.name}_{m}"), a, Exception) for m, a in story.run_calls()]
        os.unlink(path)
        return None if any(o[0] == "returns" for o in outcomes) else outcomes[0][1]
    except Exception as error:  # pylint: disable=broad-except
        return str(error).strip().splitlines()[-1] if str(error).strip() else repr(error)


def tree(value):
    """A value that can be compared with another, and stays what it is."""
    if isinstance(value, torch.Tensor):
        bits = value.detach().clone().contiguous().flatten()
        # Adding 0 leaves out the sign of zeros: PyTorch's vectors and their remainders have other ones (relu, max).
        return ("tensor", TYPES[value.dtype], list(value.shape), (bits.double() + 0.0 if bits.is_floating_point() else bits).tolist())
    if isinstance(value, BFloat16):
        return tree(torch.from_numpy(value.bits.copy()).view(torch.bfloat16))
    if isinstance(value, np.ndarray):
        return tree(torch.from_numpy(value.copy()))
    if isinstance(value, dict):
        return ("dict", [(k, tree(v)) for k, v in value.items()])
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, [tree(v) for v in value])
    return (type(value).__name__, value)


def same(a, b, inexact="", tolerance=1e-12, least=0.0):
    """Whether two trees are equal; numbers of an inexact type as far as it is exact, those of tensors as if they were at
    least 1, since they may be differences of larger ones. `inexact`: a type that the numbers of others come from."""
    if isinstance(a, (list, tuple)):
        if is_tensor(a) and is_tensor(b):
            return a[:3] == b[:3] and same(a[3], b[3], inexact, tolerance_of(a[1], inexact), 1.0)
        return type(a) is type(b) and len(a) == len(b) and all(same(x, y, inexact, tolerance, least) for x, y in zip(a, b))
    if isinstance(a, float) and isinstance(b, float):
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) and math.isnan(b)
        signs = least > 0 or math.copysign(1, a) == math.copysign(1, b)
        return signs and (a == b or abs(a - b) <= tolerance * max(abs(b), least))
    return type(a) is type(b) and a == b


def is_tensor(value):
    return isinstance(value, tuple) and len(value) == 4 and value[0] == "tensor"


def tolerance_of(type_, inexact):
    return max(TOLERANCES[type_], TOLERANCES.get(inexact, 0)) if type_ in TOLERANCES else 0


def difference(a, b, inexact="", place=""):
    """The first part in which two trees differ, as text."""
    if is_tensor(a) and is_tensor(b) and a[1:3] == b[1:3]:
        places = [i for i, (x, y) in enumerate(zip(a[3], b[3])) if not same(x, y, inexact, tolerance_of(a[1], inexact), 1.0)]
        return f"at {place} {a[1]}{a[2]} in {len(places)} elements, first in {places[0]}: {a[3][places[0]]!r}, expected {b[3][places[0]]!r}"
    if isinstance(a, (list, tuple)) and not is_tensor(a) and type(a) is type(b) and len(a) == len(b):
        for number, (x, y) in enumerate(zip(a, b)):
            if not same(x, y, inexact):
                return difference(x, y, inexact, f"{place}/{number}" if isinstance(a, list) else place)
    return f"at {place or 'top'}: {a}, expected {b}"


def outcome(function, arguments, error):
    """What a call returns or raises, and what its arguments are afterwards."""
    try:
        with torch.no_grad():
            result = ("returns", tree(function(*arguments)))
    except error as raised:
        lines = str(raised).strip().splitlines()
        return ("raises", lines[-1][:300] if lines else "", None)
    return (*result, [tree(a) for a in arguments])
