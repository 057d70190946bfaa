"""What tensors are made of: a type, a shape, a kind of data, a layout, and a seed for all that is random.

A specification is written to a program's file instead of the data, which it determines.
"""
import dataclasses

import torch

TYPES = {"f32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16,
         "i64": torch.int64, "i32": torch.int32, "i16": torch.int16, "i8": torch.int8, "ui8": torch.uint8,
         "i1": torch.bool}
NAMES = {dtype: name for name, dtype in TYPES.items()}
FLOATS = ("f32", "f64", "f16", "bf16")

# normal    of the standard deviation `scale`
# grid      multiples of 1/4, whose sums are exact, with ties
# positive  between 0.1 and 2.1
# distinct  no two are equal
# special   normal, with NaN and infinities
# index     whole numbers from `low` to `high` - 1
KINDS = ("normal", "grid", "positive", "distinct", "special", "index")
# How elements lie in memory: without gaps; with the last two dimensions exchanged; every second element
# of the last dimension; a part of something larger; backwards, which only NumPy has.
LAYOUTS = ("contiguous", "transposed", "strided", "sliced", "backwards")


@dataclasses.dataclass
class Spec:
    type: str
    shape: list
    kind: str = "normal"
    seed: int = 0
    layout: str = "contiguous"
    scale: float = 1.0
    low: int = -9
    high: int = 9

    def resized(self, shape, seed):
        return dataclasses.replace(self, shape=list(shape), seed=seed)


def make_data(spec):
    """The elements, without gaps."""
    generator = torch.Generator().manual_seed(spec.seed)
    dtype, shape = TYPES[spec.type], list(spec.shape)
    if dtype == torch.bool:
        return torch.rand(shape, generator=generator) > 0.5
    if not dtype.is_floating_point or spec.kind == "index":
        low, high = (spec.low, spec.high) if spec.kind == "index" else (-9, 9)
        if dtype == torch.uint8:
            low = max(low, 0)
        return torch.randint(low, max(high, low + 1), shape, generator=generator).to(dtype)
    if spec.kind == "grid":
        return (torch.randint(-8, 9, shape, generator=generator) / 4).to(dtype)
    if spec.kind == "positive":
        return (torch.rand(shape, generator=generator) * 2 + 0.1).to(dtype)
    if spec.kind == "distinct":
        count = 1
        for size in shape:
            count *= size
        return ((torch.randperm(count, generator=generator) - count // 2) / 16).view(shape).to(dtype)
    data = torch.randn(shape, generator=generator) * spec.scale
    if spec.kind == "special" and data.numel():
        places = torch.randint(data.numel(), (6,), generator=generator)
        values = torch.tensor([float("nan"), float("inf"), -float("inf")]).repeat(2)
        some = torch.rand(6, generator=generator) < 0.5
        data.view(-1)[places[some]] = values[some]
    return data.to(dtype)


def allocate(spec):
    """A tensor of the shape and the layout, whose surroundings are not zero."""
    dtype, shape = TYPES[spec.type], list(spec.shape)
    if not shape or spec.layout in ("contiguous", "backwards"):
        return torch.empty(shape, dtype=dtype)
    if spec.layout == "transposed" and len(shape) > 1:
        shape[-1], shape[-2] = shape[-2], shape[-1]
        return torch.empty(shape, dtype=dtype).transpose(-1, -2)
    if spec.layout == "strided":
        shape[-1] *= 2
        return torch.full(shape, 77).to(dtype)[..., ::2]
    shape[0] += 2
    shape[-1] += 3
    return torch.full(shape, 77).to(dtype)[1:shape[0] - 1, ..., 2:shape[-1] - 1] if len(shape) > 1 else \
        torch.full(shape, 77).to(dtype)[2:shape[0] - 3]


def make(spec):
    tensor = allocate(spec)
    return tensor.copy_(make_data(spec))


def as_argument(tensor, spec, torchlite):
    """The tensor as python/torchlite.py takes it, without a copy: NumPy's where it can, half of the time
    PyTorch's own by DLPack."""
    if spec.layout == "backwards" and tensor.dim() and tensor.dtype != torch.bfloat16:
        # The same elements from an array in the other direction.
        array = tensor.flip(0).contiguous().numpy()
        return array[::-1]
    if tensor.dtype == torch.bfloat16:
        if tensor.is_contiguous() and spec.seed % 2:
            return torchlite.BFloat16(tensor.view(torch.uint16).numpy())
        return tensor
    return tensor if spec.seed % 2 else tensor.numpy()
