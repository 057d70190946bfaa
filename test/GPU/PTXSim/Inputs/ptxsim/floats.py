"""Arithmetic of floating-point numbers. Approximations are computed as well as f64 allows."""
import numpy as np

from .values import FLOATS, Fault, halves_of, size_of, to_bf16, words_of

FUNCTIONS = {"sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x), "rcp": lambda x: 1 / x, "ex2": np.exp2, "lg2": np.log2,
             "sin": np.sin, "cos": np.cos, "tanh": np.tanh}
PLAIN = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}


def extreme(it, operation, x, y):
    """The greater or the lesser: a number, where one is none; -0 is less than 0."""
    greater = operation == "max"
    if it.has("NaN"):
        result = (np.maximum if greater else np.minimum)(x, y)
    else:
        result = (np.fmax if greater else np.fmin)(x, y)
    negative = np.signbit(x) & np.signbit(y) if greater else np.signbit(x) | np.signbit(y)
    zero = np.where(negative, x.dtype.type(-0.0), x.dtype.type(0))
    return np.where((x == 0) & (y == 0), zero, result)


def plain(it, function, x, y):
    wide = np.longdouble if x.dtype == np.float64 else np.float64
    direction = next((part for part in it.parts if part in ("rz", "rm", "rp")), None)
    if not direction:
        return function(x, y) if x.dtype != np.float16 else function(x.astype(np.float32), y.astype(np.float32)).astype(x.dtype)
    exact = function(x.astype(wide), y.astype(wide))
    result = exact.astype(x.dtype)
    back = result.astype(wide)
    wrong = {"rz": np.abs(back) > np.abs(exact), "rm": back > exact, "rp": back < exact}[direction]
    towards = {"rz": 0, "rm": -np.inf, "rp": np.inf}[direction]
    return np.where(wrong, np.nextafter(result, x.dtype.type(towards)), result)


def compute(it, values):
    operation, kind = it.parts[0], values[0].dtype
    if operation in PLAIN:
        return plain(it, PLAIN[operation], *values)
    if operation in ("fma", "mad"):
        wide = np.longdouble if kind == np.float64 else np.float64
        x, y, z = (value.astype(wide) for value in values)
        return (x * y + z).astype(kind)
    if operation in ("max", "min"):
        result = extreme(it, operation, *values[:2])
        return extreme(it, operation, result, values[2]) if len(values) > 2 else result
    if operation == "neg":
        return -values[0]
    if operation == "abs":
        return np.abs(values[0])
    if operation == "copysign":
        return np.copysign(values[1], values[0])
    if operation in FUNCTIONS:
        return FUNCTIONS[operation](values[0].astype(np.float64)).astype(kind)
    raise Fault("unknown instruction")


def arithmetic(group, it):
    kind = it.parts[-1]
    if kind in ("f16x2", "bf16x2"):
        pairs(group, it, kind[:-2])
        return
    values = [group.typed(operand, kind) for operand in it.operands[1:]]
    if it.has("ftz") and kind == "f32":
        values = [np.where(np.abs(v) < np.float32(2**-126), np.copysign(np.float32(0), v), v) for v in values]
    result = compute(it, values)
    if it.has("relu"):
        result = np.where(result > 0, result, result.dtype.type(0))
    if it.has("sat"):
        result = np.clip(np.where(np.isnan(result), 0, result), 0, 1).astype(values[0].dtype)
    group.put(it.operands[0], to_bf16(result) if kind == "bf16" else result.astype(FLOATS[size_of(kind)]))


def pairs(group, it, kind):
    values = [halves_of(group.value(operand, 4), kind) for operand in it.operands[1:]]
    low, high = (compute(it, [value[half] for value in values]) for half in (0, 1))
    group.put(it.operands[0], words_of(low, high, kind))


def test(group, it):
    values = group.typed(it.operands[1], it.parts[-1])
    smallest = np.finfo(values.dtype).tiny
    result = {"infinite": np.isinf(values), "finite": np.isfinite(values), "notanumber": np.isnan(values),
              "number": ~np.isnan(values), "normal": np.isfinite(values) & (np.abs(values) >= smallest),
              "subnormal": (values != 0) & (np.abs(values) < smallest)}[it.parts[1]]
    group.put(it.operands[0], result)


OPERATIONS = {**{name: arithmetic for name in FUNCTIONS}, "fma": arithmetic, "copysign": arithmetic, "testp": test}
