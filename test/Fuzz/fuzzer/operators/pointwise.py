"""Operators of single elements, with and without broadcasting, and conversions."""
import torch

from ..tensors import TYPES
from . import operator

FLOAT = ["torch.relu({x})", "torch.tanh({x})", "torch.sigmoid({x})", "F.gelu({x})", "F.gelu({x}, approximate='tanh')",
         "torch.neg({x})", "torch.abs({x})", "F.silu({x})", "torch.exp(torch.clamp({x}, -4., 4.))", "{x} * {x} * 0.1",
         "F.leaky_relu({x}, 0.1)", "F.elu({x})", "F.softplus({x})", "F.hardswish({x})", "F.hardtanh({x}, -0.5, 2.)",
         "torch.erf({x})", "torch.sin({x})", "torch.cos({x})", "torch.atan({x})", "torch.sqrt(torch.abs({x}))",
         "torch.rsqrt(torch.abs({x}) + 0.5)", "torch.log(torch.abs({x}) + 0.1)", "torch.log1p(torch.abs({x}))",
         "torch.reciprocal({x} * {x} + 1.)", "torch.floor({x})", "torch.round({x})", "torch.trunc({x})", "torch.sign({x})",
         "torch.clamp({x}, -1., 1.)", "torch.clamp({x}, min=-0.5)", "{x} - 1.5", "2 * {x} + 1", "{x} / 3", "1. / ({x}.abs() + 1)",
         "torch.nan_to_num({x}, 0.5, 3., -3.)", "torch.pow(torch.abs({x}), 1.5)", "torch.pow({x}, 3)", "F.mish({x})",
         "torch.where({x} > 0, {x}, {x} * 0.3)", "{x}.masked_fill({x} < -0.5, 2.)", "F.relu6({x})", "F.logsigmoid({x})",
         "torch.expm1(torch.clamp({x}, -3., 3.))", "torch.remainder({x}, 1.5)", "torch.fmod({x}, 1.5)", "F.hardsigmoid({x})",
         "torch.floor_divide({x}, 2)", "{x} ** 2", "torch.frac({x})", "F.softshrink({x})", "torch.sinh(torch.clamp({x}, -3., 3.))"]
INTEGER = ["torch.neg({x})", "torch.abs({x})", "{x} * 3 - 1", "{x} // 3", "{x} % 3", "{x} / 4", "torch.clamp({x}, -3, 5)",
           "torch.sign({x})", "{x} * {x}", "torch.remainder({x}, -4)", "torch.fmod({x}, 4)", "{x} & 6", "{x} | 9", "{x} ^ 5",
           "torch.where({x} > 0, {x}, -{x})", "{x}.masked_fill({x} < 0, 7)", "torch.floor_divide({x}, -2)",
           "torch.div({x}, 3, rounding_mode='trunc')", "torch.div({x}, 3, rounding_mode='floor')", "torch.pow({x}, 2)",
           "{x} * 1.5", "{x} + 0.25", "{x} << 1", "{x} >> 1", "torch.maximum({x}, -{x})", "torch.bitwise_not({x})"]
BOOLEAN = ["torch.logical_not({x})", "{x} & {x}.flip(0)", "{x}.float() * 2.", "{x}.long() - 1", "~{x}"]


@operator("pointwise", 4)
def unary(g, x):
    return g.choose(FLOAT if x.is_floating_point() else BOOLEAN if x.dtype == torch.bool else INTEGER)


@operator("pointwise", 4)
def binary(g, x):
    shape = [n if g.chance(0.7) else 1 for n in x.shape]
    if g.chance(0.3):
        shape = shape[g.below(len(shape) + 1):]
    dtype = x.dtype
    if g.chance(0.15):
        dtype = TYPES[g.choose(["f32", "i64", "f16", "bf16", "i32", "f64", "i1", "ui8"])]
    other = g.operand(shape, dtype)
    if x.dtype == torch.bool or dtype == torch.bool:
        return g.choose(["torch.logical_and({x}, %s)", "torch.logical_xor({x}, %s)", "{x} * %s", "{x} != %s"]) % other
    forms = ["{x} + %s", "{x} * %s", "{x} - %s", "torch.maximum({x}, %s)", "torch.minimum(%s, {x})", "torch.where({x} > %s, {x}, 1)",
             "torch.add({x}, %s, alpha=2)", "%s - {x}", "{x} / (torch.abs(%s) + 1)"]
    if x.is_floating_point():
        forms += ["torch.atan2({x}, %s)", "torch.lerp({x}, {x} * 0.5, 0.3) + %s", "torch.addcmul({x}, {x}, %s, value=0.5)"]
    else:
        forms += ["torch.floor_divide({x}, torch.abs(%s) + 1)", "torch.remainder({x}, torch.abs(%s) + 1)"]
    return g.choose(forms) % other


@operator("pointwise", 2)
def residual(g, x):
    """An earlier value of the same shape and type, which gives values several uses."""
    other = g.earlier(lambda v: v.shape == x.shape and v.dtype == x.dtype)
    if other is None or x.dtype == torch.bool:
        return None
    return g.choose(["{x} + %s", "{x} * %s", "torch.maximum({x}, %s)", "torch.cat([{x}, %s], -1)",
                     "torch.where({x} > %s, {x}, %s)" if not g.chance(0.5) else "{x} - %s"]).replace("%s", other)


@operator("pointwise", 1)
def where_mask(g, x):
    mask = g.operand([n if g.chance(0.6) else 1 for n in x.shape], torch.bool)
    if g.chance(0.4):
        return f"{{x}}.masked_fill({mask}, {g.choose(['0', '1', '-3'])})"
    return f"torch.where({mask}, {{x}}, {g.operand([n if g.chance(0.6) else 1 for n in x.shape], x.dtype)})"


@operator("pointwise", 1)
def convert(g, x):
    kinds = ["f32", "f16", "bf16", "f64", "i64", "i32", "i1", "i8"]
    if x.is_floating_point():
        # What does not fit is undefined.
        return "{x}.clamp(-100., 100.).nan_to_num(0.).to(%s)" % g.choose([TYPES[k] for k in kinds])
    return "{x}.to(%s)" % g.choose([TYPES[k] for k in kinds])


@operator("pointwise", 1)
def test(g, x):
    if x.dtype == torch.bool:
        return None
    forms = ["{x} > 0", "{x} <= 1", "{x} == 0", "{x} != 1"]
    if x.is_floating_point():
        forms += ["torch.isnan({x})", "torch.isfinite({x})", "torch.isinf({x})"]
    return g.choose(forms)


@operator("pointwise", 1)
def in_place(g, x):
    if x.dtype == torch.bool:
        return None
    name, index = g.fresh(), g.below(max(x.shape[0], 1)) if x.dim() else 0
    forms = ["{n} = {{x}}.clone()\n{n} += 2", "{n} = {{x}}.clone()\n{n}.mul_({{x}})", "{n} = {{x}} * 2\n{n}.clamp_(-1, 1)"]
    if x.dim():
        forms += ["{n} = {{x}}.clone()\n{n}[{i}] = 1", "{n} = {{x}}.clone()\n{n}[{i}:] += 1", "{n} = {{x}}.clone()\n{n}[..., ::2] *= 2",
                  "{n} = {{x}}.clone()\n{n}.select(0, {i}).add_({{x}}.sum(0))", "{n} = {{x}}.clone()\n{n}[{i}] = {n}[0] * 3",
                  "{n} = {{x}}.clone()\n{n}[1:] = {{x}}[:-1]", "{n} = {{x}}.clone()\n{n}[1:] += {n}[:-1].clone()"]
    return g.choose(forms).format(n=name, i=index)


