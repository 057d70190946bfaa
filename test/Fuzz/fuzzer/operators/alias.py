"""Writes through views, several views of one tensor, and values that must not change with them."""
import torch

from . import operator


def view(g, name, x):
    """A view of a tensor like x: an expression, and the view of x itself."""
    forms = [f"{name}.view(-1)"]
    if x.dim():
        dim, size = g.below(x.dim()), max(x.shape[0], 1)
        at = g.below(size)
        forms += [f"{name}[{at}]", f"{name}[{at}:]", f"{name}[::2]", f"{name}[-1]", f"{name}.unsqueeze({dim})",
                  f"{name}.select({dim}, 0)", f"{name}[..., 0]", f"{name}[..., 1::2]", f"{name}.narrow({dim}, 0, 1)",
                  f"{name}.split(2, {dim})[0]", f"{name}.unbind({dim})[-1]", f"{name}.flatten()", f"{name}.chunk(2, {dim})[-1]"]
    if x.dim() > 1:
        forms += [f"{name}.transpose(0, 1)", f"{name}.t()" if x.dim() == 2 else f"{name}.transpose(-1, -2)",
                  f"{name}.transpose(0, -1)[0]", f"{name}[:, {g.below(x.shape[1])}]", f"{name}.diagonal()",
                  f"{name}.permute({list(reversed(range(x.dim())))})[..., 1:]", f"{name}[1:, :-1]"]
    text = g.choose(forms)
    try:
        return text, eval(text, {name: x})  # pylint: disable=eval-used
    except Exception:  # pylint: disable=broad-except
        return f"{name}.view(-1)", x.reshape(-1)


def write(g, name, x, indent=""):
    """A statement that writes `name`, which is like x."""
    forms = ["{n} += 1", "{n}.add_(2)", "{n}.mul_({n})", "{n}.zero_()", "{n}.fill_(3)", "{n}.copy_({n} * 2 + 1)", "{n}.clamp_(-1, 1)",
             "{n} *= 2", "{n}.sub_({n} * 3)", "{n}.masked_fill_({n} > 0, 4)", "{n}.neg_()", "{n}.abs_()", "{n}[...] = 5"]
    if x.dim():
        other = g.operand(list(x.shape[1:]) if g.chance(0.5) else list(x.shape), x.dtype)
        forms += [f"{{n}}.copy_({other})", f"{{n}}.add_({other})", f"{{n}}[:] = {other}", f"{{n}}[:1] = {{n}}[-1:]",
                  "{n}[1:] = {n}[:-1].clone()", "{n}[0] = {n}[-1] + 1", f"{{n}}.mul_({other})"]
    return indent + g.choose(forms).format(n=name)


def usable(x):
    return x.dim() > 0 and x.numel() > 0 and x.dtype not in (torch.bool,)


@operator("alias", 3)
def through_view(g, x):
    """A view is written; the tensor has changed."""
    if not usable(x):
        return None
    n = g.fresh()
    text, part = view(g, f"{n}_b", x)
    lines = [f"{n}_b = {{x}}.clone()", f"{n}_v = {text}", write(g, f"{n}_v", part)]
    if g.chance(0.5):
        deeper, part = view(g, f"{n}_v", part)
        lines += [f"{n}_w = {deeper}", write(g, f"{n}_w", part)]
    if g.chance(0.3):
        lines.append(write(g, f"{n}_v", part if part.dim() else x.view(-1)[:1]))
    lines.append(f"{n} = {n}_b" + g.choose(["", f" + {n}_v.sum()", " * 2", f" + {{x}}"]))
    return "\n".join(lines)


@operator("alias", 3)
def read_view(g, x):
    """The tensor is written; the view has changed, a copy has not."""
    if not usable(x):
        return None
    n = g.fresh()
    text, _ = view(g, f"{n}_b", x)
    copy = g.choose([f"{n}_b.clone()", f"{n}_b + 0", f"{n}_b.sum()", f"{n}_b * 2", f"{n}_b[0].clone()"])
    lines = [f"{n}_b = {{x}} * 1", f"{n} = {text}", f"{n}_c = {copy}", write(g, f"{n}_b", x)]
    lines.append(g.choose([f"{n} = {n} + {n}_c.sum()", f"{n} = {n}_c + {n}_b", f"{n} = {n} * 2", f"{n} = {n}"]))
    return "\n".join(lines)


@operator("alias", 2)
def two_views(g, x):
    if not usable(x):
        return None
    n = g.fresh()
    (first, a), (second, b) = view(g, f"{n}_b", x), view(g, f"{n}_b", x)
    return "\n".join([f"{n}_b = {{x}}.clone()", f"{n}_p = {first}", f"{n}_q = {second}", write(g, f"{n}_p", a), write(g, f"{n}_q", b),
                      write(g, f"{n}_p", a), f"{n} = {n}_b" + g.choose(["", f" + {n}_q.sum()", f" - {n}_p.sum()"])])


@operator("alias", 3, scripted=True)
def in_branches(g, x):
    if not usable(x):
        return None
    n = g.fresh()
    text, part = view(g, f"{n}_b", x)
    test = g.choose(["bool({x}.sum() > 0)", "{x}.size(0) > 3", "bool({x}.max() > 1)"])
    return "\n".join([f"{n}_b = {{x}}.clone()", f"{n}_v = {text}", f"if {test}:", write(g, f"{n}_v", part, "    "), "else:",
                      write(g, f"{n}_b", x, "    "), f"{n} = {n}_b" + g.choose(["", f" + {n}_v.sum()", f" * {n}_b"])])


@operator("alias", 3, scripted=True)
def in_loops(g, x):
    if not usable(x) or x.shape[0] > 40:
        return None
    n = g.fresh()
    text, part = view(g, f"{n}_b", x)
    step = g.choose([write(g, f"{n}_v", part), f"{n}_b[{n}_i] = {n}_v.sum()", f"{n}_b[{n}_i] += {n}_b[0]", f"{n}_b[{n}_i].mul_(2)",
                     f"{n}_v = {n}_b[{n}_i]\n    {n}_v += 1", f"{n}_b[:, {n}_i % {n}_b.size(1)] = {n}_i" if x.dim() > 1 else f"{n}_b[{n}_i] = {n}_i",
                     f"{n}_b.select(0, {n}_i).copy_({n}_b.select(0, 0))", f"{n}_b[{n}_i:] -= {n}_b[{n}_i].clone()"])
    after = g.choose(["", f"\n    if bool({n}_b.sum() > 10):\n        break", f"\n    {n}_s += int({n}_b.numel())"])
    return (f"{n}_s = 0\n{n}_b = {{x}}.clone()\n{n}_v = {text}\nfor {n}_i in range({g.choose(['3', f'{n}_b.size(0)', g.integer([0, 1])])}):\n"
            f"    {step}{after}\n{n} = {n}_b + {n}_s")


@operator("alias", 1, scripted=True)
def list_of_views(g, x):
    if not usable(x) or x.shape[0] > 20:
        return None
    n = g.fresh()
    return "\n".join([f"{n}_b = {{x}}.clone()", f"{n}_list : List[Tensor] = []", f"for {n}_i in range({n}_b.size(0)):",
                      f"    {n}_list.append({n}_b[{n}_i])", write(g, f"{n}_b", x), write(g, f"{n}_list[0]", x[0]),
                      g.choose([f"{n} = torch.stack({n}_list)", f"{n} = {n}_b + {n}_list[-1]", f"{n} = {n}_list[0] + {n}_b.sum()"])])


@operator("alias", 1)
def argument(g, x):
    """What is returned is a view, or the same twice."""
    if not usable(x):
        return None
    n = g.fresh()
    text, _ = view(g, f"{n}_b", x)
    return f"{n}_b = {{x}}\n{n} = {text}"


@operator("alias", 2)
def written_argument(g, x):
    """The caller's tensor is written."""
    if not usable(x) or "a" not in g.env or not usable(g.env["a"]):
        return None
    n = g.fresh()
    text, part = view(g, "a", g.env["a"])
    g.writes_argument("view" in text)
    return f"{n}_v = {text}\n{write(g, f'{n}_v', part)}\n{n} = {{x}} + a.sum()"
