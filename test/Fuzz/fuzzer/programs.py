"""Programs: a function of tensors as text, the types it is compiled for, and the calls to make."""
import dataclasses
import json
import re
import types
import typing
import warnings

import torch
import torch.nn.functional as F

from .tensors import Spec, make

GLOBALS = {"torch": torch, "F": F, "Tensor": torch.Tensor, "List": typing.List}


@dataclasses.dataclass
class Statement:
    """Lines that assign `name`; other names in them start with `name` and an underscore."""
    name: str
    text: str


@dataclasses.dataclass
class Program:
    name: str
    scripted: bool = False
    parameters: list = dataclasses.field(default_factory=list)  # names; those of integers end with "_int"
    dynamic: list = dataclasses.field(default_factory=list)  # for each parameter the dimensions of any size
    buffers: dict = dataclasses.field(default_factory=dict)  # name -> Spec, read as `self.name`
    statements: list = dataclasses.field(default_factory=list)
    results: list = dataclasses.field(default_factory=list)  # names that are returned
    # Calls, all on one instance: for each parameter a Spec or an integer.
    calls: list = dataclasses.field(default_factory=list)

    def source(self):
        declared = [f"{p}: int" if p.endswith("_int") else f"{p}: Tensor" for p in self.parameters]
        lines = [line for s in self.statements for line in s.text.splitlines()]
        lines.append("return " + ", ".join(self.results))
        return f"def {self.name}(self, {', '.join(declared)}):\n" + "".join(f"    {line}\n" for line in lines)

    def signature(self):
        parts = []
        for value, dynamic in zip(self.calls[0], self.dynamic):
            if isinstance(value, int):
                parts.append("int" if dynamic else str(value))
            else:
                sizes = ["?" if i in dynamic else str(n) for i, n in enumerate(value.shape)]
                parts.append("x".join([*sizes, value.type]))
        return f"{self.name}({', '.join(parts)})"

    def used(self):
        """Without parameters and buffers that nothing reads."""
        text = self.source().split("\n", 1)[1]
        keep = [i for i, p in enumerate(self.parameters) if i == 0 or re.search(rf"\b{p}\b", text)]
        return dataclasses.replace(
            self, parameters=[self.parameters[i] for i in keep], dynamic=[self.dynamic[i] for i in keep],
            calls=[[call[i] for i in keep] for call in self.calls],
            buffers={n: s for n, s in self.buffers.items() if re.search(rf"self\.{n}\b", text)})

    @staticmethod
    def write_archive(programs, target):
        write_archive(programs, target)

    def function(self):
        """The program as a function of Python."""
        scope = dict(GLOBALS)
        exec(self.source(), scope)  # pylint: disable=exec-used
        holder = types.SimpleNamespace(**{n: make(s) for n, s in self.buffers.items()})
        return lambda *arguments: scope[self.name](holder, *arguments)

    def describe(self):
        """The whole program for a reader."""
        lines = [f"# {'scripted' if self.scripted else 'traced'}, compiled for {self.signature()}"]
        lines += [f"# self.{n} = {describe(s)}" for n, s in self.buffers.items()]
        lines += [f"# call: {', '.join(map(describe, call))}" for call in self.calls]
        return "\n".join(lines) + "\n" + self.source()


def describe(spec):
    if isinstance(spec, int):
        return str(spec)
    layout = "" if spec.layout == "contiguous" else f" {spec.layout}"
    return f"{spec.kind} {'x'.join(map(str, [*spec.shape, spec.type]))}{layout} (seed {spec.seed})"


def save(program, path, **more):
    path.write_text(json.dumps({"program": dataclasses.asdict(program), **more}, indent=1) + "\n")


def load(path):
    """The program of a file and what else it holds."""
    data = json.loads(path.read_text())
    fields = data.pop("program")
    fields["statements"] = [Statement(**s) for s in fields["statements"]]
    fields["buffers"] = {n: Spec(**s) for n, s in fields["buffers"].items()}
    fields["calls"] = [[v if isinstance(v, int) else Spec(**v) for v in call] for call in fields["calls"]]
    return Program(**fields), data


def make_arguments(call):
    return [v if isinstance(v, int) else make(v) for v in call]


def write_archive(programs, target):
    """Writes an archive with a method for each program to a path (as text) or a stream."""
    traced, scripted = [p for p in programs if not p.scripted], [p for p in programs if p.scripted]
    body = {}
    for program in traced:
        scope = dict(GLOBALS)
        exec(program.source(), scope)  # pylint: disable=exec-used
        body[program.name] = scope[program.name]
    module = type("Programs", (torch.nn.Module,), body)().eval()
    for program in programs:
        for name, spec in program.buffers.items():
            module.register_buffer(name, make(spec))
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        if traced:
            inputs = {p.name: tuple(make_arguments(p.calls[0])) for p in traced}
            module = torch.jit.trace_module(module, inputs, check_trace=False)
        else:
            module = torch.jit.script(module)
        for program in scripted:
            # Names in the text are looked up in this function's frame.
            getattr(module, "_actual_script_module", module).define(program.source())
    torch.jit.save(module, target)
