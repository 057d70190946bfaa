"""Stories whose statements are tried on eager PyTorch as they are drawn, so that most calls return: what sizes, lengths
and state do is known only then. The parts that such kinds share: names by their types, blocks, choices."""
import sys
import types
import typing

import torch
from torch.overrides import TorchFunctionMode

from .stories import SCOPE, Story

MOST_ELEMENTS, LARGEST, MOST_LINES = 400, 100000, 20000
_GLOBALS = SCOPE | {"Tensor": torch.Tensor} | {n: getattr(typing, n) for n in ("List", "Dict", "Optional", "Tuple")}


class Unfit(Exception):
    """What cannot be compared: numbers that grow out of what is exact, and writes whose order PyTorch does not tell."""


def places(tensor):
    """Where the elements lie."""
    index = torch.arange(tensor.untyped_storage().nbytes() // tensor.element_size())
    return set(index.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset()).flatten().tolist())


class Overlaps(TorchFunctionMode):
    """Finds writes to a tensor from another one that lies in part where the first does."""

    def __torch_function__(self, func, types_, args=(), kwargs=None):
        name = func.__name__
        written = name.endswith("_") and not name.endswith("__") or name in ("__iadd__", "__isub__", "__imul__", "__setitem__")
        if written and isinstance(args[0], torch.Tensor):
            into = args[0][args[1]] if name == "__setitem__" else args[0]
            for value in args[1:]:
                if isinstance(value, torch.Tensor) and value.untyped_storage().data_ptr() == into.untyped_storage().data_ptr():
                    alike = (value.shape, value.stride(), value.storage_offset()) == (into.shape, into.stride(), into.storage_offset())
                    if not alike and (value.dtype != into.dtype or places(value) & places(into)):
                        raise Unfit
        return func(*args, **(kwargs or {}))


def measure(value):
    """Raises where a value grows out of what is compared exactly."""
    if isinstance(value, torch.Tensor):
        finite = value[torch.isfinite(value)] if value.is_floating_point() else value
        if value.numel() > MOST_ELEMENTS or value.dtype in (torch.float32, torch.int64) and finite.numel() and finite.abs().max() > LARGEST:
            raise Unfit
    elif isinstance(value, (list, tuple, dict)):
        if len(value) > 40:
            raise Unfit
        for part in value.values() if isinstance(value, dict) else value:
            measure(part)


class Steps:
    """Ends a call that executes more lines than a story may: a loop without an end."""

    def __enter__(self):
        self.left = MOST_LINES
        sys.settrace(lambda frame, *_: self.line if frame.f_code.co_filename == "<string>" else None)

    def __exit__(self, *_):
        sys.settrace(None)

    def line(self, *_):
        self.left -= 1
        if self.left < 0:
            raise Unfit
        return self.line


def returning(story, unfinished=None):
    """For each call whether eager PyTorch returns, and stays small. The method `unfinished` has no `return` yet."""
    scope, outcomes = dict(_GLOBALS), []
    for name, (parameters, body) in story.methods.items():
        lines = body + ["return list(locals().values())"] * (name == unfinished)
        exec(f"def {name}(self, {parameters}):\n" + "\n".join("    " + line for line in lines), scope)  # pylint: disable=exec-used
    state = dict(SCOPE)
    for name, value in story.state.items():
        state[name] = eval(value, state)  # pylint: disable=eval-used
    holder = types.SimpleNamespace(**{n: state[n] for n in story.state})
    for name in story.methods:
        setattr(holder, name, types.MethodType(scope[name], holder))
    for method, arguments in story.run_calls():
        try:
            with torch.no_grad(), Overlaps(), Steps():
                result = getattr(holder, method)(*arguments)
            for value in [result[1:] if method == unfinished else result, *(getattr(holder, n) for n in story.state)]:
                measure(value)
            outcomes.append(True)
        except Unfit:
            return []
        except Exception:  # pylint: disable=broad-except
            outcomes.append(False)
    return outcomes


class Tried:
    """Draws one story. A kind says its parameters, calls, state, statements and results."""
    parameters = {}  # name -> (type of the language, kind of name)
    state, types, methods = {}, {}, ["forward"]
    lines = (4, 9)  # statements of a method
    blocks = 1.5  # how often conditionals and loops are drawn

    def __init__(self, rng):
        self.rng, self.count, self.depth = rng, 0, 0
        self.env, self.story = {}, None

    def pick(self, options):
        return self.rng.choice(list(options))

    def chance(self, probability):
        return self.rng.random() < probability

    def of(self, kinds):
        """A name of one of the kinds; later ones more often."""
        names = [n for n, k in self.env.items() if k in kinds]
        return self.rng.choices(names, range(1, len(names) + 1))[0] if names else None

    def new(self, kind):
        if self.chance(0.25) and (old := [n for n, k in self.env.items() if k == kind and n not in self.parameters]):
            return self.pick(old)
        self.count += 1
        return f"{kind}{self.count}"

    def assign(self, kind, text):
        name = self.new(kind)
        self.env[name] = kind
        return [f"{name} = {text}"]

    def filled(self, text):
        """`{q}` is a name of the kind q; None where there is none."""
        while (at := text.find("{")) >= 0:
            name = self.of(text[at + 1])
            if not name:
                return None
            text = text[:at] + name + text[at + 3:]
        return text

    def expression(self, kind, texts):
        text = self.filled(self.pick(texts))
        return self.assign(kind, text) if text else None

    def line(self, texts):
        """Statements that define no name; several lines are joined by newlines."""
        text = self.filled(self.pick(texts))
        return text.split("\n") if text else None

    def condition(self):
        return self.pick([n for n, k in self.env.items() if k == "b"] + ["n > 1"])

    def choice(self, kinds):
        kind = self.pick(kinds)
        names = [n for n, k in self.env.items() if k == kind]
        if len(names) < 2:
            return None
        one, two = self.rng.sample(names, 2)
        if self.chance(0.5):
            return self.assign(kind, f"{one} if {self.condition()} else {two}")
        name = self.new(kind)
        self.env[name] = kind
        return [f"if {self.condition()}:", f"    {name} = {one}", "else:", f"    {name} = {two}"]

    def rename(self, kinds):
        names = [n for n, k in self.env.items() if k in kinds and n not in self.parameters]
        same = [n for n in names if self.env[n] == self.env[names[0]]]
        if len(same) < 2:
            return None
        a, b = self.rng.sample(same, 2)
        return self.pick([[f"{a} = {b}"], [f"{a}, {b} = {b}, {a}"]])

    def block(self):
        """Lines under a condition or in a loop; their names stay inside."""
        outer, self.depth = dict(self.env), self.depth + 1
        lines = [line for _ in range(self.rng.randint(1, 3)) for line in self.statement() or []] or ["pass"]
        self.env, self.depth = outer, self.depth - 1
        return ["    " + line for line in lines]

    def branch(self):
        lines = [f"if {self.condition()}:", *self.block()]
        return lines + (["else:", *self.block()] if self.chance(0.5) else [])

    def loop(self):
        self.count += 1
        counter = f"t{self.count}"
        head = [f"for {counter} in range({self.pick(['n', 'n', 'n', '2'])}):"]
        outer = dict(self.env)
        self.env[counter] = "i"
        body = self.block()
        self.env = outer
        if self.chance(0.2):
            body += [f"    if {counter} > 0 and {self.condition()}:", "        break"]
        return head + body

    def statement(self):
        options = self.statements()
        if self.depth < 2:
            options |= {self.branch: self.blocks, self.loop: self.blocks}
        return self.rng.choices(list(options), options.values())[0]()

    def add(self, method, parameters):
        """One more statement of a method, if most calls return with it."""
        text, body = self.story.methods[method]
        env = dict(self.env)
        if lines := self.statement():
            self.story.methods[method] = (text, body + lines)
            outcomes = returning(self.story, method)
            if outcomes and outcomes[0] and sum(outcomes) * 3 >= len(outcomes) * 2:
                return
        self.story.methods[method], self.env = (text, body), env

    def draw(self, name):
        text = ", ".join(f"{n}: {t}" for n, (t, _) in self.parameters.items())
        self.story = Story(name, {}, [], dict(self.state), dict(self.types), self.dynamic())
        for method in self.methods:
            self.env = {n: k for n, (_, k) in self.parameters.items()}
            self.story.methods[method] = (text, self.start())
            calls = self.calls(list(self.story.methods))
            self.story.calls = calls
            for _ in range(self.rng.randint(*self.lines)):
                self.add(method, text)
            body = self.story.methods[method][1]
            self.story.methods[method] = (text, body + ["return " + ", ".join(self.results())])
        return self.story

    def dynamic(self):
        return True

    def start(self):
        return []
