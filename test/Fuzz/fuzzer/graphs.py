"""Graphs that NNSmith draws, as programs (programs.py): each a traced method whose results are all its leaves.

NNSmith chooses operators, types and sizes by a solver, so that every graph is valid; nobody of this project has
chosen its operators. A seed determines the graph, its weights and its arguments.
"""
import dataclasses
import random
import warnings

import torch
from torch.overrides import TorchFunctionMode

from .programs import describe
from .tensors import NAMES, Spec, make

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what draws pictures is not installed
    from nnsmith.abstract.dtype import DType
    from nnsmith.abstract.op import Input
    from nnsmith.graph_gen import model_gen
    from nnsmith.materialize.torch import TorchModelCPU
    from nnsmith.materialize.torch.forward import forward_fn

TorchModelCPU.add_seed_setter()
LARGEST = 2**12  # elements of a tensor
TYPES = {DType.from_torch(dtype) for dtype in NAMES if dtype != torch.bfloat16}


def operators():
    """All of NNSmith's, less the types that it knows and the compiler does not."""
    for operator in TorchModelCPU.operators():
        operator.in_dtypes = [types for types in operator.in_dtypes if TYPES.issuperset(types)]
        operator.out_dtypes = [types for types in operator.out_dtypes if TYPES.issuperset(types)]
    return [o for o in TorchModelCPU.operators() if o.in_dtypes and o.out_dtypes]


OPERATORS = operators()


class Undefined(Exception):
    """The result is not defined: PyTorch's own ways give different ones."""


class Conversions(TorchFunctionMode):
    """Raises Undefined where a float is converted to an integer that cannot hold it."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        source = args[0] if args else None
        if func.__name__ == "to" and source.is_floating_point() and not (
                result.is_floating_point() or result.dtype == torch.bool):
            with torch._C.DisableTorchFunction():
                limit = 2.0**(8 * result.element_size() - 1)
                if not bool((source.abs() < limit).all()):
                    raise Undefined(f"conversion to {result.dtype}")
        return result


class Network(torch.nn.Module):
    """The instructions of a graph that its results need, in order."""

    def __init__(self, ir, seed, inputs, results):
        super().__init__()
        torch.manual_seed(seed)
        self.inputs, self.results, self.parts, self.steps = inputs, results, torch.nn.ModuleList(), []
        for inst in ir.insts:
            function = None if isinstance(inst.iexpr.op, Input) else forward_fn(inst.iexpr.op)
            if function is not None and needed(ir, results).issuperset(inst.retvals()):
                if isinstance(function, torch.nn.Module):
                    self.parts.append(function)
                self.steps.append((function, inst.iexpr.args, inst.retvals()))
        for parameter in self.parameters():
            parameter.requires_grad_(False)

    def forward(self, *arguments):
        values = dict(zip(self.inputs, arguments))
        for function, arguments, names in self.steps:
            results = function(*(values[a] for a in arguments))
            values.update(zip(names, results if isinstance(results, (list, tuple)) else [results]))
        return tuple(values[name] for name in self.results)


def needed(ir, results):
    """The names that results are computed from, and they themselves."""
    names = set(results)
    for inst in reversed(ir.insts):
        if names.intersection(inst.retvals()):
            names.update(inst.iexpr.args, inst.retvals())
    return names


@dataclasses.dataclass
class Graph:
    """See programs.Program, of which this is another kind."""
    name: str
    seed: int
    ir: object
    inputs: list  # names of arguments
    results: list  # names
    calls: list
    dynamic: bool

    def network(self):
        return Network(self.ir, self.seed, self.inputs, self.results).eval()

    def signature(self):
        sizes = (["?" if self.dynamic else str(n) for n in spec.shape] + [spec.type] for spec in self.calls[0])
        return f"{self.name}({', '.join('x'.join(s) for s in sizes)})"

    def function(self):
        return self.network()

    def of_results(self, results):
        """The part that these results need."""
        names = needed(self.ir, results)
        keep = [i for i, name in enumerate(self.inputs) if name in names]
        return dataclasses.replace(self, inputs=[self.inputs[i] for i in keep], results=results,
                                   calls=[[call[i] for i in keep] for call in self.calls])

    def describe(self):
        lines = [f"# compiled for {self.signature()}"]
        for call in self.calls:
            lines.append("# call: " + ", ".join(f"{n} = {describe(s)}" for n, s in zip(self.inputs, call)))
        names = needed(self.ir, self.results)
        for inst in self.ir.insts:
            if names.intersection(inst.retvals()) and not isinstance(inst.iexpr.op, Input):
                shape = "x".join(map(str, [*inst.iexpr.op.output_like[0].shape, inst.iexpr.op.output_like[0].dtype.short()]))
                lines.append(f"{', '.join(inst.retvals())} = {inst.iexpr.op}({', '.join(inst.iexpr.args)})  # {shape}")
        return "\n".join([*lines, f"return {', '.join(self.results)}"])

    @staticmethod
    def write_archive(graphs, target):
        """All graphs as methods of one traced module."""
        scope, methods = {}, {}
        for graph in graphs:
            names = "".join(f", a{i}" for i in range(len(graph.inputs)))
            exec(f"def {graph.name}(self{names}): return self.net_{graph.name}({names[2:]})", scope)  # pylint: disable=exec-used
            methods[graph.name] = scope[graph.name]
        module = type("Graphs", (torch.nn.Module,), methods)().eval()
        for graph in graphs:
            setattr(module, f"net_{graph.name}", graph.network())
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            inputs = {g.name: tuple(make(spec) for spec in g.calls[0]) for g in graphs}
            torch.jit.save(torch.jit.trace_module(module, inputs, check_trace=False), target)


def draw_arguments(ir, inputs, rng):
    """Most numbers are near 0; some are of NNSmith's range, near 5, and some not finite."""
    call = []
    for name in inputs:
        type_ = NAMES[ir.vars[name].dtype.torch()]
        kind = rng.choice(["normal", "normal", "grid", "positive", "special" if rng.random() < 0.3 else "normal"])
        call.append(Spec(type_, [int(n) for n in ir.vars[name].shape], kind, rng.randrange(10**6), scale=rng.choice([1.0, 1.0, 5.0])))
    return call


def draw_graph(seed, nodes):
    """The graph of a seed; raises Undefined where no arguments were found that it is defined for."""
    rng = random.Random(f"nnsmith {seed}")
    generator = model_gen(OPERATORS, "symbolic-cinit", nodes or rng.randint(2, 12), seed, 30000,
                          max_elem_per_tensor=LARGEST)
    ir = generator.make_concrete()
    inputs = ir.input_var()
    # Every leaf is a result, and every value in a quarter of the graphs.
    values = [name for inst in ir.insts for name in inst.retvals() if name not in inputs]
    results = values if rng.random() < 0.25 else ir.leaf_var()
    graph = Graph(f"g{seed}", seed, ir, inputs, results, [], rng.random() < 0.25)
    network = graph.network()
    for _ in range(20):
        call = draw_arguments(ir, inputs, rng)
        try:
            with torch.no_grad(), Conversions():
                network(*map(make, call))
        except Undefined as error:
            reason = error
            continue
        except RuntimeError as error:
            # A division of integers by 0: the library is to raise, too, if the graph can be traced.
            reason = Undefined(f"PyTorch: {str(error).splitlines()[0]}")
            if not graph.calls:
                continue
        graph.calls.append(call)
        if len(graph.calls) == 2:
            return graph
    raise reason
