"""Control flow, lists, and loops over elements, for scripted programs.

`g.inner` gives an expression of the same shape and type as its tensor.
"""
import torch

from . import operator


def indent(text, spaces=4):
    return "\n".join(" " * spaces + line for line in text.splitlines())


def condition(g, name, x):
    """A condition on a tensor's values or sizes."""
    forms = [f"{name}.size(0) > {g.below(20)}" if x.dim() else "True", f"{name}.numel() % 2 == 0"]
    if x.dtype != torch.bool:
        forms += [f"bool({name}.sum() > 0)", f"bool(({name} > 1).any())", f"int(({name} > 0).sum()) > {g.below(30)}"]
    return g.choose(forms)


@operator("control", 3, scripted=True)
def choice(g, x):
    n = g.fresh()
    first, second = g.inner(x, "{x}"), g.inner(x, "{x}")
    return f"if {condition(g, '{x}', x)}:\n    {n} = {first}\nelse:\n    {n} = {second}"


@operator("control", 3, scripted=True)
def count(g, x):
    n = g.fresh()
    times = g.choose(["3", "1", g.integer([0, 1, 2, 5]), "{x}.dim()"])
    return f"{n} = {{x}}\nfor {n}_i in range({times}):\n    {n} = {g.inner(x, n)}"


@operator("control", 2, scripted=True)
def loop_with_condition(g, x):
    if not x.dim():
        return None
    n = g.fresh()
    return (f"{n} = {{x}}\nfor {n}_i in range({g.choose(['4', g.integer([0, 2, 3])])}):\n    if {condition(g, n, x)}:\n"
            f"        {n} = {g.inner(x, n)}\n    else:\n        {g.choose([f'{n} = {g.inner(x, n)}', 'break', 'continue'])}")


@operator("control", 2, scripted=True)
def until(g, x):
    if not x.is_floating_point():
        return None
    n = g.fresh()
    return (f"{n} = {{x}}\n{n}_i = 0\nwhile {n}_i < 6 and bool({n}.abs().sum() > {g.choose(['1.', '20.', '300.'])}):\n"
            f"    {n} = {n} * {g.choose(['0.5', '0.7'])}\n    {n}_i += 1\n{n} = {n} + {n}_i")


@operator("control", 3, scripted=True)
def gather_list(g, x):
    """The rows of a tensor, one by one, put together again."""
    if not x.dim() or x.shape[0] > 40 or x.dtype == torch.bool:
        return None
    n = g.fresh()
    row = g.inner(x[0], f"{n}_x") if x.shape[0] else f"{n}_x"
    body = f"{n}_x = {{x}}[{n}_i]\n{n}_list.append({row})"
    if g.chance(0.3):
        body = f"if {n}_i % 2 == 0:\n" + indent(body)
    end = g.choose([f"{n} = torch.stack({n}_list)", f"{n} = torch.stack({n}_list[1:])", f"{n} = torch.cat({n}_list)",
                    f"{n} = torch.stack({n}_list, -1)", f"{n} = {n}_list[-1] + len({n}_list)"])
    return f"{n}_list : List[Tensor] = []\nfor {n}_i in range({{x}}.size(0)):\n{indent(body)}\n{end}"


@operator("control", 3, scripted=True)
def recurrence(g, x):
    if x.dim() < 2 or not x.is_floating_point() or x.shape[0] > 40:
        return None
    n = g.fresh()
    step = g.inner(x[0], f"({n}_h * 0.5 + {{x}}[{n}_t])") if x.shape[0] else f"{n}_h"
    if x.dim() in (2, 3) and g.chance(0.4):
        k = x.shape[-1]
        w = g.operand([k, k], x.dtype, scale=max(k, 1) ** -0.5)
        step = f"torch.tanh(torch.matmul({n}_h, {w}) + {{x}}[{n}_t])"
    return (f"{n}_h = torch.zeros_like({{x}}.sum(0))\n{n}_list : List[Tensor] = []\nfor {n}_t in range({{x}}.size(0)):\n"
            f"    {n}_h = {step}\n    {n}_list.append({n}_h)\n"
            + g.choose([f"{n} = torch.stack({n}_list)", f"{n} = {n}_h"]))


@operator("control", 3, scripted=True)
def elements(g, x):
    """Single elements are read and written."""
    if not x.dim() or not x.numel() or x.numel() > 400 or x.dtype == torch.bool:
        return None
    n = g.fresh()
    start = f"{n} = {{x}}.clone()\n{n}_f = {n}.view(-1)\n"
    return start + g.choose([
        f"for {n}_i in range(1, {n}_f.size(0)):\n    {n}_f[{n}_i] = {n}_f[{n}_i] + {n}_f[{n}_i - 1]",
        f"for {n}_i in range({n}_f.size(0)):\n    if bool({n}_f[{n}_i] > 0):\n        {n}_f[{n}_i] = {n}_f[{n}_i] * 2",
        f"{n}_s = 0\nfor {n}_i in range({n}_f.size(0)):\n    if bool({n}_f[{n}_i] < 1):\n        {n}_s += 1\n{n} = {n} + {n}_s",
        f"for {n}_i in range({n}_f.size(0) // 2):\n    {n}_f[{n}_i] = {n}_f[{n}_f.size(0) - 1 - {n}_i]",
        f"{n}_b = 0\nfor {n}_i in range({n}_f.size(0)):\n    if bool({n}_f[{n}_i] > {n}_f[{n}_b]):\n        {n}_b = {n}_i\n"
        f"{n} = {n} + {n}_b"])


@operator("control", 1, scripted=True)
def update_rows(g, x):
    if x.dim() < 2 or not x.shape[0] or x.shape[0] > 40 or x.dtype == torch.bool:
        return None
    n = g.fresh()
    return (f"{n} = {{x}}.clone()\nfor {n}_i in range({g.choose(['0', '1'])}, {n}.size(0)):\n    "
            + g.choose([f"{n}[{n}_i] = {g.inner(x[0], f'{n}[{n}_i - 1]')}", f"{n}[{n}_i] += {{x}}[0]",
                        f"{n}[:, 0] = {n}[:, 0] + {n}_i", f"{n}[{n}_i] = {g.inner(x[0], f'{{x}}[{n}_i]')}"]))


@operator("control", 1, scripted=True)
def tuples(g, x):
    n = g.fresh()
    return (f"{n} = {{x}}\n{n}_o = {g.inner(x, '{x}')}\nfor {n}_i in range(3):\n    {n}, {n}_o = {n}_o, {g.inner(x, n)}")


@operator("control", 1, scripted=True)
def early_break(g, x):
    if not x.dim() or not x.is_floating_point():
        return None
    n = g.fresh()
    return (f"{n} = {{x}}\n{n}_i = 0\nwhile True:\n    {n} = {g.inner(x, n)}\n    {n}_i += 1\n"
            f"    if {n}_i >= {g.choose(['2', '4'])} or bool({n}.max() > 3.):\n        break")


@operator("control", 1, scripted=True)
def numbers(g, x):
    """Numbers of the host that come from tensors."""
    if not x.dim() or not x.numel() or x.dtype == torch.bool:
        return None
    return g.choose(["{x} * float({x}.float().sum())" if x.is_floating_point() else "{x} * int({x}.sum() % 5)",
                     "{x}[: int(({x} > 0).sum()) % ({x}.size(0) + 1)]", "{x} + int(torch.argmax({x}))",
                     "{x}[int(torch.argmin({x}.flatten())) % {x}.size(0)]"])
