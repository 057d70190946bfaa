"""When results agree: how far rounding may carry them is measured, not guessed.

The reference is run again a few times with noise of a few units in the last place on what every inexact
operator reads and returns, and, where products may be computed in a narrower type (--precision), noise of
that type's size on their operands. An element may differ from LibTorch's by a small multiple of what the
noise does to it. So ill-conditioned programs get the tolerance they need and exact ones get none.
Elements that are integers, booleans, infinite or NaN must be equal, unless the noise changes them too: those
are not compared.
"""
import dataclasses

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map

# Standard deviations of the noise, relative to an element.
NOISE = {torch.float64: 2.0**-50, torch.float32: 2.0**-21, torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8}
# The spacing of the smallest numbers, which may also be flushed to zero.
SMALLEST = {torch.float64: 1e-300, torch.float32: 3e-38, torch.float16: 1.3e-7, torch.bfloat16: 3e-38}
PRODUCTS = {"f32": 0, "tf32": 2.0**-11, "f16": 2.0**-11, "bf16": 2.0**-8}
FACTOR = 6
CONTRACTIONS = {"matmul", "__matmul__", "__rmatmul__", "linear", "bmm", "mm", "mv", "einsum", "baddbmm", "addmm",
                "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
                "scaled_dot_product_attention", "bilinear"}
# What moves, chooses or compares elements.
EXACT = {
    "relu", "neg", "__neg__", "abs", "sign", "clamp", "maximum", "minimum", "where", "masked_fill", "to", "float",
    "double", "half", "bfloat16", "long", "int", "bool", "clone", "contiguous", "detach", "permute", "transpose", "t",
    "view", "reshape", "flatten", "unsqueeze", "squeeze", "expand", "expand_as", "slice", "narrow", "select", "cat",
    "stack", "split", "chunk", "unbind", "flip", "roll", "tile", "repeat", "repeat_interleave", "pad", "__getitem__",
    "__setitem__", "gather", "index_select", "take", "take_along_dim", "max_pool1d", "max_pool2d", "max_pool3d",
    "amax", "amin", "max", "min", "argmax", "argmin", "sort", "argsort", "topk", "kthvalue", "cummax", "cummin",
    "nonzero", "masked_select", "any", "all", "gt", "lt", "ge", "le", "eq", "ne", "isnan", "isinf", "isfinite",
    "logical_and", "logical_or", "logical_not", "logical_xor", "floor", "ceil", "round", "trunc", "triu", "tril",
    "diagonal", "movedim", "size", "dim", "numel", "item", "__bool__", "__int__", "__float__", "__get__", "__len__",
    "__iter__", "zeros_like", "ones_like", "full_like", "new_zeros", "empty_like", "type_as", "unfold", "scatter",
    "index_copy", "masked_scatter", "pixel_shuffle", "adaptive_max_pool1d", "adaptive_max_pool2d", "embedding",
    "one_hot", "is_floating_point", "copy_", "fill_", "index_put", "index_fill", "unflatten", "searchsorted",
    "bucketize", "nan_to_num", "frac", "heaviside", "unique"}
IN_PLACE = {"__iadd__", "__isub__", "__imul__", "__itruediv__", "__idiv__", "__iand__", "__ior__", "__ixor__"}
ROUNDS, MORE_ROUNDS = 3, 24


class Mismatch(Exception):
    """The library and LibTorch disagree."""


class Noise(TorchFunctionMode):
    """Perturbs what inexact operators read and return."""

    def __init__(self, precision, seed):
        super().__init__()
        self.products = PRODUCTS[precision]
        self.generator = torch.Generator().manual_seed(seed)

    def disturb(self, value, least=0.0, also=None):
        if not isinstance(value, torch.Tensor) or value.dtype not in NOISE:
            return value
        amount = NOISE[value.dtype]
        if value.dtype == torch.float32:
            amount = max(amount, least)
        with torch._C.DisableTorchFunction():
            size = value.double().abs()
            if also is not None:
                size = size + also.double().abs()
            noise = torch.randn(value.shape, generator=self.generator, dtype=torch.float64) * amount
            moved = (value.double() + noise * size).to(value.dtype)
            return torch.where(torch.isfinite(value), moved, value)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = func.__name__
        if name in EXACT:
            return func(*args, **kwargs)
        least = self.products if name in CONTRACTIONS else 0.0
        if name in IN_PLACE or (name.endswith("_") and not name.endswith("__")):  # what it writes must stay itself
            rest = tree_map(lambda v: self.disturb(v, least), args[1:])
            return func(args[0], *rest, **kwargs)
        args = tree_map(lambda v: self.disturb(v, least), args)
        result = func(*args, **kwargs)
        # Approximations near 0 err by units of what they are given.
        first = args[0] if args and isinstance(args[0], torch.Tensor) and args[0].is_floating_point() else None
        if isinstance(result, torch.Tensor):
            same = first is not None and first.shape == result.shape and name not in CONTRACTIONS
            return self.disturb(result, also=first if same else None)
        return tree_map(self.disturb, result)


@dataclasses.dataclass
class Reference:
    """What LibTorch returned, and how to run the program with noise."""
    results: tuple
    run: object  # seed -> results, or None where it fails
    noisy: list = dataclasses.field(default_factory=list)

    def runs(self, count):
        while len(self.noisy) < count:
            self.noisy.append(self.run(len(self.noisy)))
        return [n for n in self.noisy[:count] if n is not None]


def tuple_of(value):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def compare(actual, reference, index, where):
    """Compares one result. Returns how many elements were not compared; raises Mismatch."""
    expected = reference.results[index]
    if not isinstance(expected, torch.Tensor):
        if type(actual) is not type(expected) or (actual != expected and expected == expected):
            raise Mismatch(f"{where}: expected {expected!r}, but got {actual!r}")
        return 0
    if not isinstance(actual, torch.Tensor):
        raise Mismatch(f"{where}: expected a tensor, but got {actual!r}")
    if actual.dtype != expected.dtype or actual.shape != expected.shape:
        noisy = [n[index] for n in reference.runs(MORE_ROUNDS)]
        if actual.dtype == expected.dtype and any(n.shape != expected.shape for n in noisy):
            return expected.numel()
        raise Mismatch(f"{where}: expected {expected.dtype}{list(expected.shape)}, but got "
                       f"{actual.dtype}{list(actual.shape)}")
    same = actual == expected
    if expected.is_floating_point():
        same |= torch.isnan(actual) & torch.isnan(expected)
    if bool(same.all()):
        return 0
    for rounds in (ROUNDS, MORE_ROUNDS):
        wrong, open_ = judge(actual, expected, [n[index] for n in reference.runs(rounds)], same)
        if not bool(wrong.any()):
            return int(open_.sum())
    place = wrong.nonzero()[0].tolist()
    at = tuple(place)
    raise Mismatch(f"{where}: {int(wrong.sum())} of {expected.numel()} elements of {expected.dtype}"
                   f"{list(expected.shape)} differ, first at {place}: {actual[at].item()!r}, expected "
                   f"{expected[at].item()!r}; largest difference "
                   f"{float((actual.double() - expected.double()).abs()[wrong].max()):.3g}")


def judge(actual, expected, noisy, same):
    """Which elements are wrong, and which the noise makes unpredictable."""
    unstable = torch.zeros_like(same)
    if any(n.shape != expected.shape for n in noisy):
        return unstable, ~unstable
    if not expected.is_floating_point():
        for n in noisy:
            unstable |= n != expected
        return ~same & ~unstable, unstable & ~same
    finite = torch.isfinite(expected)
    allowed = torch.full(expected.shape, 2 * SMALLEST[expected.dtype], dtype=torch.float64)
    for n in noisy:
        unstable |= torch.isfinite(n) != finite
        unstable |= ~finite & ~((n == expected) | (torch.isnan(n) & torch.isnan(expected)))
        moved = (n.double() - expected.double()).abs() * FACTOR
        allowed = torch.maximum(allowed, moved.nan_to_num(0.0, 0.0, 0.0))
    near = finite & torch.isfinite(actual) & ((actual.double() - expected.double()).abs() <= allowed)
    return ~same & ~near & ~unstable, unstable & ~same
