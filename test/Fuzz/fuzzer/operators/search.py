"""Sorting, gathering, scattering, and results whose sizes depend on values."""
import torch

from . import operator


def indices(g, shape, size):
    return g.operand(shape, torch.int64, "index", low=0, high=max(size, 1))


@operator("search", 3)
def gather(g, x):
    if not x.dim() or not min(x.shape):
        return None
    dim = g.below(x.dim())
    size = x.shape[dim]
    count = g.choose([1, 3, 8, 17])
    shape = list(x.shape)
    shape[dim] = count
    along = ":, " * dim
    return g.choose([f"torch.index_select({{x}}, {dim}, {indices(g, [count], size)})",
                     f"torch.gather({{x}}, {dim}, {indices(g, shape, size)})",
                     f"torch.take_along_dim({{x}}, {indices(g, shape, size)}, {dim})",
                     f"{{x}}[{along}{indices(g, [count], size)}]", f"{{x}}[{along}{indices(g, [2, 3], size)}]"])


@operator("search", 1)
def index_two(g, x):
    if x.dim() < 2 or not min(x.shape):
        return None
    a, b = indices(g, [5], x.shape[0]), indices(g, [5], x.shape[1])
    return g.choose([f"{{x}}[{a}, {b}]", f"{{x}}[{a}.unsqueeze(1), {b}]"])


@operator("search", 3)
def sort(g, x):
    if not x.dim() or x.dtype == torch.bool:
        return None
    dim, down = g.below(x.dim()), g.chance(0.5)
    part = g.choose(["[0]", "[1]"])
    return g.choose([f"torch.sort({{x}}, dim={dim}, descending={down}, stable=True){part}",
                     f"torch.argsort({{x}}, dim={dim}, descending={down}, stable=True)"])


@operator("search", 3)
def topk(g, x):
    """Which of equal elements comes first is LibTorch's secret: values, or what indices point to."""
    if not x.dim() or x.dtype == torch.bool or not min(x.shape):
        return None
    dim, largest = g.below(x.dim()), g.chance(0.6)
    k = 1 + g.below(min(x.shape[dim], 40))
    call = f"torch.topk({{x}}, {k}, {dim}, {largest})"
    return g.choose([f"{call}[0]", f"torch.gather({{x}}, {dim}, {call}[1])"])


@operator("search", 1)
def kth(g, x):
    if not x.dim() or x.dtype == torch.bool or not min(x.shape):
        return None
    dim = g.below(x.dim())
    return g.choose([f"torch.kthvalue({{x}}, {1 + g.below(x.shape[dim])}, {dim})[0]", f"torch.median({{x}}, {dim})[0]"])


@operator("search", 2)
def scatter(g, x):
    """With indices that meet no place twice, except where values are added."""
    if not x.dim() or not min(x.shape) or x.dtype == torch.bool:
        return None
    dim = g.below(x.dim())
    size, count = x.shape[dim], min(x.shape[dim], g.choose([1, 2, 5, 9]))
    shape = list(x.shape)
    shape[dim] = count
    source = g.operand(shape, x.dtype)
    forms = [f"{{x}}.scatter_add({dim}, {indices(g, shape, size)}, {source})",
             f"{{x}}.scatter({dim}, torch.argsort({{x}}, dim={dim}, stable=True).narrow({dim}, 0, {count}), {source})",
             f"{{x}}.index_add({dim}, {indices(g, [count], size)}, {source})",
             f"{{x}}.index_copy({dim}, torch.arange({count}) * {max(size // count, 1)}, {source})",
             f"{{x}}.index_fill({dim}, {indices(g, [3], size)}, 5)",
             f"{{x}}.scatter_reduce({dim}, {indices(g, shape, size)}, {source}, 'amax')",
             f"{{x}}.scatter_reduce({dim}, {indices(g, shape, size)}, {source}, 'sum', include_self=False)"]
    return g.choose(forms)


@operator("search", 2)
def put(g, x):
    if not x.dim() or not min(x.shape) or x.dtype == torch.bool:
        return None
    name, count = g.fresh(), 4
    rest = list(x.shape[1:])
    index, values = indices(g, [count], x.shape[0]), g.operand([count, *rest], x.dtype)
    forms = [f"{{x}}.index_put([{index}], {values}, accumulate=True)",
             f"{name} = {{x}}.clone()\n{name}[{index}] = 3", f"{name} = {{x}}.clone()\n{name}[{{x}} > 0] = 1",
             f"{name} = {{x}}.clone()\n{name}[{index}] = {name}[{index}] * 2"]
    if x.dim() > 1:
        other = indices(g, [count], x.shape[1])
        forms.append(f"{name} = {{x}}.clone()\n{name}[{index}, {other}] = 2")
    return g.choose(forms)


@operator("search", 3)
def of_unknown_size(g, x):
    if not x.dim():
        return None
    test = "{x}" if x.dtype == torch.bool else "({x} > 0)"
    return g.choose([f"torch.nonzero({test})", f"{{x}}[{test}]", f"torch.masked_select({{x}}, {test})",
                     f"torch.nonzero({test}).float() * 2", f"{{x}}[{test}].sum()",
                     f"{{x}}[torch.nonzero({test}).select(1, 0)]", f"torch.nonzero({test}.flatten()).size(0) + {{x}}"])


@operator("search", 1)
def lookup(g, x):
    if x.dtype != torch.int64:
        return None
    rows = g.choose([3, 10, 50])
    table = g.operand([rows, g.size(40)], torch.float32)
    return f"F.embedding({{x}}.remainder({rows}), {table})"


@operator("search", 1)
def classes(g, x):
    if x.dtype != torch.int64:
        return None
    return "F.one_hot({x}.remainder(7), 7)"


@operator("search", 1)
def bucket(g, x):
    if x.dtype == torch.bool:
        return None
    return f"torch.bucketize({{x}}, torch.arange(-2, 3), right={g.chance(0.5)})"
