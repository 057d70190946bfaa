"""Draws random programs: operators one after the other, each tried on PyTorch at once."""
import io
import random
import re
import types
import warnings

import torch

from .operators import FAMILIES, load_families
from .programs import GLOBALS, Program, Statement, make_arguments, write_archive
from .tensors import LAYOUTS, NAMES, Spec, make

SIZES = [1, 1, 2, 3, 4, 5, 7, 8, 11, 13, 16, 17, 24, 31, 32, 33, 40, 63, 64, 65, 96, 97, 127, 128, 129, 130, 256, 257]
LONG = [512, 1000, 1024, 1536, 2048, 2500, 3072, 4096, 4097, 8192, 12000]
MOST_ELEMENTS, MOST_INPUT = 200000, 30000
# Larger numbers overflow f16, in which products of f32 may be computed.
LARGEST = 2000


class Refused(Exception):
    """A drawing that makes no program."""


class Builder:
    """Builds one program; operators call its methods."""

    def __init__(self, name, rng, families):
        self.rng, self.families = rng, families
        self.program = Program(name)
        self.program.calls.append([])
        self.holder = types.SimpleNamespace()
        self.env = {"self": self.holder}
        self.made = 0

    # What operators draw.

    def choose(self, options):
        return self.rng.choice(options)

    def below(self, limit):
        return self.rng.randrange(max(limit, 1))

    def chance(self, probability):
        return self.rng.random() < probability

    def size(self, most=300):
        return self.rng.choice([n for n in SIZES if n <= most])

    def fresh(self):
        """The name of the value that the statement defines; several times the same."""
        return f"v{self.made}"

    def operand(self, shape, dtype, kind=None, scale=1.0, low=-9, high=9):
        """A further tensor, as an argument or as a constant of the model."""
        kind = kind or self.choose(["normal", "normal", "grid"])
        spec = Spec(NAMES[dtype], list(shape), kind, self.below(1 << 30), "contiguous", scale, low, high)
        if self.chance(0.5):
            return self.parameter(spec)
        name = f"{self.program.name}_w{len(self.program.buffers)}"
        self.program.buffers[name] = spec
        setattr(self.holder, name, make(spec))
        return f"self.{name}"

    def parameter(self, spec):
        name = "abcdefghijklmnopqrst"[len(self.program.parameters)]
        if self.chance(0.15):
            spec.layout = self.choose(LAYOUTS)
        self.add_parameter(name, spec, [])
        self.env[name] = make(spec)
        return name

    def integer(self, values):
        """An argument that is a number, known at the call only."""
        name = "abcdefghijklmnopqrst"[len(self.program.parameters)] + "_int"
        self.add_parameter(name, self.choose(values), [0])
        self.env[name] = self.program.calls[0][-1]
        return name

    def writes_argument(self, flat):
        """The first argument is written: it must lie where it is read from. `flat`: through `view`, which is
        an error in LibTorch where elements are not neighbours, and not in a library."""
        spec = self.program.calls[0][0]
        if flat or spec.layout == "backwards":
            spec.layout = "contiguous" if flat else "strided"

    def add_parameter(self, name, value, dynamic):
        self.program.parameters.append(name)
        self.program.dynamic.append(dynamic)
        self.program.calls[0].append(value)

    def earlier(self, test):
        """The name of an earlier value that passes the test."""
        names = [n for n, v in self.env.items() if isinstance(v, torch.Tensor) and re.fullmatch(r"v\d+|[a-z]", n) and test(v)]
        return self.choose(names) if names else None

    def inner(self, x, text):
        """An expression on `text`, a tensor like x, whose value is like x."""
        for _ in range(12):
            function, _, scripted = self.draw(["pointwise", "pointwise", "layout", "reduce", "contract", "search"])
            state = self.state()
            expression = function(self, x)
            if expression and not scripted and "\n" not in expression:
                try:
                    value = eval(expression.replace("{x}", "x"), dict(GLOBALS), {**self.env, "x": x})  # pylint: disable=eval-used
                    if value.shape == x.shape and value.dtype == x.dtype and acceptable(value):
                        return "(" + expression.replace("{x}", text) + ")"
                except Exception:  # pylint: disable=broad-except
                    pass
            self.restore(state)
        return f"({text} + 1)" if x.dtype != torch.bool else f"(~{text})"

    # How statements are made.

    def draw(self, names):
        family = self.families[self.choose(names)]
        return self.rng.choices(family, [weight for _, weight, _ in family])[0]

    def state(self):
        return len(self.program.parameters), dict(self.program.buffers)

    def restore(self, state):
        count, buffers = state
        for name in self.program.parameters[count:]:
            self.env.pop(name, None)
        del self.program.parameters[count:], self.program.dynamic[count:], self.program.calls[0][count:]
        self.program.buffers = buffers

    def statement(self, previous, names, scripted):
        """Adds a statement on the value `previous`; returns the name of its own."""
        for _ in range(30):
            state, x = self.state(), self.env[previous]
            function, _, needs_script = self.draw(names)
            text = function(self, x) if scripted or not needs_script else None
            name = self.fresh()
            if text:
                assigns = re.search(rf"^\s*{name}\b", text, re.MULTILINE)
                text = (text if assigns else f"{name} = {text}").replace("{x}", previous)
                # Copies: a statement that is not taken may have written an argument.
                env = {k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in self.env.items()}
                try:
                    exec(text, dict(GLOBALS), env)  # pylint: disable=exec-used
                    if acceptable(env[name]):
                        self.env = {k: v for k, v in env.items() if k in self.env or k == name}
                        self.program.statements.append(Statement(name, text))
                        self.made += 1
                        return name
                except Exception:  # pylint: disable=broad-except
                    pass
            self.restore(state)
        raise Refused


def acceptable(value):
    if not isinstance(value, torch.Tensor) or value.numel() > MOST_ELEMENTS or value.dim() > 5 or value.dtype not in NAMES:
        return False
    if value.is_floating_point() and value.numel():
        finite = value[torch.isfinite(value)]
        return not finite.numel() or float(finite.abs().max()) < LARGEST
    return not value.dim() or value.dtype == torch.bool or not value.numel() or int(value.abs().max()) < 1 << 30


def draw_shape(rng, focus):
    rank = rng.choice([1, 2, 2, 3, 3, 4, 4, 4])
    if rng.random() < (0.35 if focus in ("reduce", "contract") else 0.08):
        # Long: one dimension has nearly all elements.
        shape = [rng.choice([1, 1, 2, 3, 5, 16, 17, 31, 32, 33, 48, 64]) for _ in range(rng.choice([0, 1, 1, 2]))]
        shape.insert(rng.randrange(len(shape) + 1), rng.choice(LONG))
        limit = 3 * MOST_INPUT
    elif rank == 4 and rng.random() < 0.7:
        shape = [rng.choice([1, 2, 3]), rng.choice([n for n in SIZES if n <= 64]), rng.choice([3, 5, 7, 8, 12, 14, 16]),
                 rng.choice([4, 5, 7, 9, 14, 15])]
        limit = MOST_INPUT
    else:
        shape = [0 if rng.random() < 0.02 else rng.choice(SIZES) for _ in range(rank)]
        limit = MOST_INPUT
    while torch.Size(shape).numel() > limit:
        at = max((i for i in range(len(shape)) if shape[i] not in LONG or len(shape) == 1), key=lambda i: shape[i])
        shape[at] = max(1, shape[at] // 2)
    return shape


def draw_program(name, rng, focus):
    """A program, tried on LibTorch."""
    families = load_families()
    for _ in range(100):
        builder = Builder(name, rng, families)
        program = builder.program
        program.scripted = scripted = rng.random() < (0.9 if focus == "control" else 0.5 if focus == "alias" else 0.3)
        type_ = rng.choice(["f32"] * 6 + ["f16", "f16", "bf16", "bf16", "f64", "i64", "i32", "i1", "i8"])
        if focus == "contract":
            type_ = rng.choice(["f32"] * 4 + ["f16", "f16", "bf16", "bf16", "f64"])
        kinds = ["normal", "normal", "normal", "grid", "grid", "positive", "distinct"]
        kind = "special" if rng.random() < 0.08 else rng.choice(kinds)
        builder.parameter(Spec(type_, draw_shape(rng, focus), kind, rng.randrange(1 << 30)))
        try:
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                previous = "a"
                count = rng.randint(1, 4)
                special = rng.randrange(count)
                for i in range(count):
                    names = [focus] if focus and i == special else [*FAMILIES, "pointwise", "layout", "reduce", "contract"]
                    previous = builder.statement(previous, names, scripted)
            program.results = [previous]
            if rng.random() < 0.2:
                program.results.insert(0, builder.earlier(lambda _: True))
            program = program.used()
            add_calls(program, rng)
            return program
        except Refused:
            continue
    raise RuntimeError("no program could be drawn")


def add_calls(program, rng):
    """Further calls on the same instance: other data, which a recorded graph is replayed with, other
    sizes where they may change, and the first again."""
    first = program.calls[0]

    def again(call):
        fresh = []
        for parameter, value in zip(program.parameters, call):
            if isinstance(value, int):
                fresh.append(rng.choice([value, value, max(0, value + rng.choice([-1, 1]))]))
            else:
                kind = "special" if value.kind == "normal" and rng.random() < 0.05 and parameter == "a" else value.kind
                new = value.resized(value.shape, rng.randrange(1 << 30))
                new.kind = kind
                fresh.append(new)
        return fresh

    try:
        reference = archived(program)
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reference(*make_arguments(first))
            others = resize(program, rng, reference) if rng.random() < 0.35 else []
    except Exception as error:
        raise Refused from error
    calls = [first, again(first)]
    for call in others:
        calls += [call, again(first)]
    if rng.random() < 0.5 and others:
        calls.append(again(others[0]))
    program.calls = calls


def archived(program):
    """The program as LibTorch runs it."""
    buffer = io.BytesIO()
    write_archive([program], buffer)
    buffer.seek(0)
    return getattr(torch.jit.load(buffer), program.name)


def resize(program, rng, reference):
    """Makes dimensions dynamic, and calls with other sizes. All dimensions of one size may change
    together. A call on which LibTorch raises is kept now and then: the library must raise as well."""
    first, calls, shape = program.calls[0], [], first_shape(program)
    places = [i for i in range(len(shape)) if rng.random() < 0.5]
    sizes = {}
    for place in places:
        other = rng.choice([0, 1, 2, 3, 9, 17, 33, 65, 130, shape[place] + 1])
        together = rng.random() < 0.6
        call = change(first, sizes | {place: (other, together)})
        try:
            reference(*make_arguments(call))
        except Exception:  # pylint: disable=broad-except
            if rng.random() > 0.1:
                continue
        sizes[place] = (other, together)
        calls = [call]
    if not sizes:
        return []
    for number, value in enumerate(first):
        if isinstance(value, Spec):
            new = calls[0][number].shape
            program.dynamic[number] = [i for i, n in enumerate(value.shape)
                                       if n != new[i] or (number == 0 and i in sizes)]
    return calls


def first_shape(program):
    return program.calls[0][0].shape


def change(call, sizes):
    """The call with other sizes of the first tensor, and of equal ones of the other tensors."""
    first = call[0]
    shape = [sizes[i][0] if i in sizes else n for i, n in enumerate(first.shape)]
    equal = {first.shape[i]: new for i, (new, together) in sizes.items() if together}
    result = [first.resized(shape, first.seed + 1)]
    for value in call[1:]:
        if isinstance(value, Spec):
            value = value.resized([equal.get(n, n) if n > 1 else n for n in value.shape], value.seed + 1)
            if value.kind == "index":
                # LibTorch does not find all indices that are out of range.
                value.high = max(1, min([value.high, *(new for new, _ in sizes.values())]))
        result.append(value)
    return result


def draw_batch(seed, count, focus):
    rng = random.Random(f"{seed} {focus}")
    return [draw_program(f"p{i}", rng, focus) for i in range(count)]
