"""Reductions, normalisations, softmax, running sums."""
import torch

from . import operator


def some_dims(g, x):
    return sorted(g.rng.sample(range(x.dim()), 1 + g.below(x.dim())))


@operator("reduce", 7)
def reduce(g, x):
    if not x.dim():
        return None
    names = ["sum", "mean", "amax", "amin", "logsumexp"] if x.is_floating_point() else ["sum", "amax", "amin"]
    name = g.choose(names) if x.dtype != torch.bool else "sum"
    return f"torch.{name}({{x}}, {some_dims(g, x)}, keepdim={g.chance(0.5)})"


@operator("reduce", 1)
def reduce_all(g, x):
    if x.dtype == torch.bool:
        return g.choose(["torch.any({x})", "torch.all({x})", "{x}.sum()"])
    return g.choose(["{x}.sum()", "{x}.max()", "{x}.min()", "torch.argmax({x})", "torch.argmin({x})"] +
                    (["{x}.mean()", "{x}.norm()", "{x}.var()"] if x.is_floating_point() else ["{x}.prod()"]))


@operator("reduce", 3)
def extreme(g, x):
    if not x.dim() or x.dtype == torch.bool:
        return None
    dim, keep = g.below(x.dim()), g.chance(0.5)
    name = g.choose(["argmax", "argmin", "max", "min"])
    part = g.choose(["[0]", "[1]"]) if name in ("max", "min") else ""
    return f"torch.{name}({{x}}, dim={dim}, keepdim={keep}){part}"


@operator("reduce", 1)
def truth(g, x):
    if not x.dim() or x.dtype != torch.bool:
        return None
    return f"torch.{g.choose(['any', 'all'])}({{x}}, dim={g.below(x.dim())}, keepdim={g.chance(0.5)})"


@operator("reduce", 2)
def variance(g, x):
    if not x.dim() or not x.is_floating_point():
        return None
    return f"torch.{g.choose(['var', 'std'])}({{x}}, {some_dims(g, x)}, unbiased={g.chance(0.5)}, keepdim={g.chance(0.5)})"


@operator("reduce", 1)
def product(g, x):
    if not x.dim() or x.dtype == torch.bool:
        return None
    # Products of large numbers depend on their order: a part may be infinite, and another 0.
    factors = "torch.tanh({x})" if x.is_floating_point() else "{x}"
    return f"torch.prod({factors}, {g.below(x.dim())})"


@operator("reduce", 1)
def norm(g, x):
    if not x.dim() or not x.is_floating_point():
        return None
    return g.choose([f"F.normalize({{x}}, dim={g.below(x.dim())})", f"torch.norm({{x}}, dim={g.below(x.dim())})",
                     f"torch.linalg.vector_norm({{x}}, 1, [{g.below(x.dim())}])"])


@operator("reduce", 4)
def softmax(g, x):
    if not x.dim() or not x.is_floating_point():
        return None
    scale = g.choose(["{x}", "{x} * 3", "{x}"])
    return f"torch.{g.choose(['softmax', 'log_softmax', 'softmax'])}({scale}, {g.below(x.dim())})"


@operator("reduce", 3)
def layer_norm(g, x):
    if not x.dim() or not x.is_floating_point():
        return None
    shape = list(x.shape[-g.choose([1, 1, 2]):])
    weight = g.operand(shape, x.dtype) if g.chance(0.6) else "None"
    bias = g.operand(shape, x.dtype) if weight != "None" and g.chance(0.8) else "None"
    return f"F.layer_norm({{x}}, {shape}, {weight}, {bias}, 1e-3)"


@operator("reduce", 2)
def channel_norm(g, x):
    if x.dim() < 2 or not x.is_floating_point() or not x.shape[1]:
        return None
    channels = x.shape[1]
    weight = g.operand([channels], x.dtype) if g.chance(0.6) else "None"
    groups = g.choose([k for k in (1, 2, 4, channels) if channels % k == 0])
    forms = [f"F.group_norm({{x}}, {groups}, {weight}, None, 1e-3)"] * 2
    forms.append(f"F.batch_norm({{x}}, {g.operand([channels], x.dtype)}, {g.operand([channels], x.dtype, 'positive')}, {weight})")
    if x.dim() in (3, 4):
        forms.append("F.instance_norm({x}, eps=1e-3)")
    return g.choose(forms)


@operator("reduce", 3)
def running(g, x):
    if not x.dim() or x.dtype == torch.bool:
        return None
    dim = g.below(x.dim())
    name = g.choose(["cumsum", "cumsum", "cumprod"])
    operand = "torch.tanh({x})" if name == "cumprod" and x.is_floating_point() else "{x}"
    return f"torch.{name}({operand}, {dim})"


@operator("reduce", 3)
def pool(g, x):
    if x.dim() not in (3, 4) or not x.is_floating_point():
        return None
    n = x.dim() - 2
    kernel = [g.choose([1, 2, 3]) for _ in range(n)]
    stride = [g.choose([1, 2, 3]) for _ in range(n)]
    padding = [min(k // 2, g.choose([0, 1])) for k in kernel]
    ceil = g.chance(0.2)
    return g.choose([f"F.max_pool{n}d({{x}}, {kernel}, {stride}, {padding}, ceil_mode={ceil})",
                     f"F.avg_pool{n}d({{x}}, {kernel}, {stride}, {padding}, {ceil}, {g.chance(0.5)})",
                     f"F.adaptive_avg_pool{n}d({{x}}, {g.choose([1, 2, 3])})",
                     f"F.adaptive_max_pool{n}d({{x}}, {g.choose([1, 2, 3])})"])
