"""Products of matrices, convolutions, attention."""
import torch

from . import operator


def weight(g, shape, dtype):
    """An operand whose products neither grow nor vanish."""
    contracted = 1
    for size in shape[1:] if len(shape) != 2 else shape:
        contracted *= size
    return g.operand(shape, dtype, scale=max(contracted, 1) ** (-0.25 if len(shape) == 2 else -0.5))


@operator("contract", 3)
def linear(g, x):
    if not x.dim() or not x.is_floating_point():
        return None
    n = g.size(200)
    bias = g.operand([n], x.dtype) if g.chance(0.6) else "None"
    return f"F.linear({{x}}, {weight(g, [n, x.shape[-1]], x.dtype)}, {bias})"


@operator("contract", 3)
def matmul(g, x):
    if not x.dim() or x.dtype in (torch.bool, torch.uint8, torch.int8, torch.int16):
        return None
    n, batch = g.size(200), []
    if x.dim() >= 3 and g.chance(0.5):
        batch = list(x.shape[:-2])
    k = x.shape[-1]
    if g.chance(0.1):
        return f"torch.matmul({{x}}, {weight(g, [k], x.dtype)})"
    if g.chance(0.3):
        return f"torch.matmul({{x}}, {weight(g, batch + [n, k], x.dtype)}.transpose(-1, -2))"
    return f"torch.matmul({{x}}, {weight(g, batch + [k, n], x.dtype)})"


@operator("contract", 2)
def left(g, x):
    if x.dim() < 2 or not x.is_floating_point():
        return None
    n, k = g.size(200), x.shape[-2]
    if g.chance(0.3):
        return f"torch.matmul({weight(g, [k, n], x.dtype)}.t(), {{x}})"
    return f"torch.matmul({weight(g, [n, k], x.dtype)}, {{x}})"


@operator("contract", 2)
def with_itself(g, x):
    if x.dim() < 2 or not x.is_floating_point():
        return None
    return g.choose(["torch.matmul({x}, {x}.transpose(-1, -2)) * 0.1", "torch.matmul({x}.transpose(-1, -2), {x}) * 0.1"])


@operator("contract", 2)
def einsum(g, x):
    if x.dim() not in (2, 3) or not x.is_floating_point():
        return None
    n = g.size(60)
    if x.dim() == 2:
        i, j = x.shape
        return g.choose([f"torch.einsum('ij,kj->ki', {{x}}, {weight(g, [n, j], x.dtype)})",
                         f"torch.einsum('ij,ik->jk', {{x}}, {weight(g, [i, n], x.dtype)})",
                         f"torch.einsum('ij,ij->i', {{x}}, {weight(g, [i, j], x.dtype)})"])
    b, i, j = x.shape
    return g.choose([f"torch.einsum('bij,bkj->bki', {{x}}, {weight(g, [b, n, j], x.dtype)})",
                     f"torch.einsum('bij,bij->b', {{x}}, {weight(g, [b, i, j], x.dtype)})",
                     f"torch.einsum('bij,ik->bkj', {{x}}, {weight(g, [i, n], x.dtype)})"])


@operator("contract", 6)
def convolution(g, x):
    if x.dim() not in (3, 4, 5) or not x.is_floating_point() or not x.shape[1]:
        return None
    n, channels = x.dim() - 2, x.shape[1]
    groups = g.choose([k for k in (1, 1, 1, 2, 3, 4, channels) if channels % k == 0])
    out = groups * g.choose([1, 2, 3, 5, 8, 16, 17, 32])
    if out > 260:
        out = groups
    kernel = [g.choose([1, 2, 3, 3, 5, 7]) for _ in range(n)]
    stride = [g.choose([1, 1, 2, 3]) for _ in range(n)]
    dilation = [g.choose([1, 1, 2]) for _ in range(n)]
    padding = [g.choose([0, 1, 2]) for _ in range(n)]
    bias = g.operand([out], x.dtype) if g.chance(0.5) else "None"
    w = weight(g, [out, channels // groups, *kernel], x.dtype)
    return f"F.conv{n}d({{x}}, {w}, {bias}, {stride}, {padding}, {dilation}, {groups})"


@operator("contract", 2)
def transposed_convolution(g, x):
    if x.dim() not in (3, 4) or not x.is_floating_point() or not x.shape[1]:
        return None
    n, channels = x.dim() - 2, x.shape[1]
    groups = g.choose([k for k in (1, 1, 2, channels) if channels % k == 0])
    each = g.choose([1, 2, 3, 8, 17])
    kernel = [g.choose([1, 2, 3, 4]) for _ in range(n)]
    stride = [g.choose([1, 2, 3]) for _ in range(n)]
    padding = [g.choose([0, 1]) for _ in range(n)]
    more = [g.choose([0, 1]) if s > 1 else 0 for s in stride]
    bias = g.operand([each * groups], x.dtype) if g.chance(0.5) else "None"
    w = weight(g, [channels, each, *kernel], x.dtype)
    return (f"F.conv_transpose{n}d({{x}}, {w}, {bias}, {stride}, {padding}, {more}, {groups}, "
            f"{[g.choose([1, 1, 2])] * n})")


@operator("contract", 2)
def attention(g, x):
    if x.dim() < 2 or not x.is_floating_point():
        return None
    if x.dim() in (3, 4) and g.chance(0.5):
        # LibTorch's own ways do not agree where something is not finite.
        x = "{x}.nan_to_num(0., 3., -3.)"
        return f"F.scaled_dot_product_attention({x}, {x} * 0.5, {x} + 1, is_causal={g.chance(0.3)})"
    return "torch.matmul(torch.softmax(torch.matmul({x}, {x}.transpose(-1, -2)) * 0.2, -1), {x})"


@operator("contract", 1)
def add_product(g, x):
    if x.dim() != 2 or not x.is_floating_point():
        return None
    k, (i, j) = g.size(100), x.shape
    a, b = weight(g, [i, k], x.dtype), weight(g, [k, j], x.dtype)
    return g.choose([f"torch.addmm({{x}}, {a}, {b})", f"torch.addmm({{x}}, {a}, {b}, beta=0.5, alpha=2.)",
                     f"torch.addmm({{x}}[:1], {a}, {b})"])
