"""Types of PTX as numpy knows them."""
import re

import numpy as np

UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
SIGNED = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}
FLOATS = {2: np.float16, 4: np.float32, 8: np.float64}


class Fault(Exception):
    """What the kernel does is an error, or an instruction is unknown here."""


def size_of(kind):
    """Bytes of a type such as f32, b64, f16x2, pred."""
    if kind == "pred":
        return 1
    pair = kind.endswith("x2")
    return int(re.sub(r"\D", "", kind.removesuffix("x2")) or 0) // 8 * (2 if pair else 1)


def is_float(kind):
    return kind in ("f16", "f32", "f64", "bf16")


def from_bf16(bits):
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)


def to_bf16(values):
    """The bits, rounded to the nearest, ties to even."""
    bits = values.astype(np.float32).view(np.uint32)
    rounded = ((bits + ((bits >> np.uint32(16)) & np.uint32(1)) + np.uint32(0x7FFF)) >> np.uint32(16)).astype(np.uint16)
    return np.where(np.isnan(values), np.uint16(0x7FFF), rounded)


def halves_of(words, kind):
    """The two values of each word of f16x2 or bf16x2, as f32."""
    parts = [((words >> np.uint32(shift)) & np.uint32(0xFFFF)).astype(np.uint16) for shift in (0, 16)]
    return [p.view(np.float16).astype(np.float32) if kind == "f16" else from_bf16(p) for p in parts]


def half_bits(values, kind):
    return values.astype(np.float16).view(np.uint16) if kind == "f16" else to_bf16(values)


def words_of(low, high, kind):
    return half_bits(low, kind).astype(np.uint32) | (half_bits(high, kind).astype(np.uint32) << np.uint32(16))
