"""Arithmetic of integers, bits and predicates; what it shares with floats goes to floats.py."""
import numpy as np

from . import floats
from .values import SIGNED, UNSIGNED, is_float, size_of


def arguments(group, it, kind):
    return [group.typed(operand, kind) for operand in it.operands[1:]]


def or_floats(function):
    """The operation on integers where the type is one."""
    def run(group, it):
        kind = it.parts[-1]
        if is_float(kind) or kind in ("f16x2", "bf16x2"):
            floats.arithmetic(group, it)
        else:
            group.put(it.operands[0], function(it, kind, *arguments(group, it, kind)))
    return run


def divide(x, y, signed):
    """Quotient towards zero; what PTX leaves open by zero is not looked at."""
    y = np.where(y == 0, 1, y).astype(y.dtype)
    quotient = x // y
    return quotient + ((x % y != 0) & ((x < 0) != (y < 0))).astype(x.dtype) if signed else quotient


def div(_it, kind, x, y):
    return divide(x, y, kind[0] == "s")


def rem(_it, kind, x, y):
    return x - divide(x, y, kind[0] == "s") * np.where(y == 0, 1, y).astype(y.dtype)


def high_product(x, y):
    width = x.dtype.itemsize
    if width < 8:
        wide = (SIGNED if x.dtype.kind == "i" else UNSIGNED)[2 * width]
        return ((x.astype(wide) * y.astype(wide)) >> wide(8 * width)).astype(x.dtype)
    bits = [int(a) * int(b) >> 64 & (1 << 64) - 1 for a, b in zip(x, y)]
    return np.array(bits, np.uint64).view(x.dtype)


def multiply(group, it):
    kind = it.parts[-1]
    if is_float(kind) or kind in ("f16x2", "bf16x2"):
        floats.arithmetic(group, it)
        return
    x, y = (group.typed(operand, kind) for operand in it.operands[1:3])
    if it.has("wide"):
        size = 2 * size_of(kind)
        wide = (SIGNED if kind[0] == "s" else UNSIGNED)[size]
        result = (x.astype(wide) * y.astype(wide)).view(UNSIGNED[size])
    else:
        size = size_of(kind)
        result = (high_product(x, y) if it.has("hi") else x * y).view(UNSIGNED[size])
    if it.parts[0] == "mad":
        result = result + group.value(it.operands[3], size)
    group.put(it.operands[0], result)


COMPARISONS = {"eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal, "gt": np.greater,
               "ge": np.greater_equal, "lo": np.less, "ls": np.less_equal, "hi": np.greater, "hs": np.greater_equal}


def compare(name, x, y, floating):
    if not floating:
        return COMPARISONS[name](x, y)
    unordered = np.isnan(x) | np.isnan(y)
    if name in ("num", "nan"):
        return unordered if name == "nan" else ~unordered
    if name in COMPARISONS:
        return COMPARISONS[name](x, y) & ~unordered
    return COMPARISONS[name[:-1]](x, y) | unordered  # equ, ltu, ...


def set_predicate(group, it):
    kind = it.parts[-1]
    result = compare(it.parts[1], group.typed(it.operands[1], kind), group.typed(it.operands[2], kind), is_float(kind))
    inverse = ~result
    if len(it.operands) > 3:
        other = group.predicate(it.operands[3])
        combine = {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}[it.parts[2]]
        result, inverse = combine(result, other), combine(inverse, other)
    for name, value in zip(it.operands[0].split("|"), (result, inverse)):
        group.put(name, value)


def logic(group, it):
    kind = it.parts[-1]
    values = [group.predicate(o) if kind == "pred" else group.value(o, size_of(kind)) for o in it.operands[1:]]
    function = {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "not": np.invert}[it.parts[0]]
    group.put(it.operands[0], function(*values))


def look_up(group, it):
    """lop3: any function of three bits, given by its table."""
    a, b, c = (group.value(operand, 4) for operand in it.operands[1:4])
    table, result = int(it.operands[4], 0), np.zeros(group.count, np.uint32)
    for row in range(8):
        if table >> row & 1:
            result |= (a if row & 4 else ~a) & (b if row & 2 else ~b) & (c if row & 1 else ~c)
    group.put(it.operands[0], result)


def shift(group, it):
    kind = it.parts[-1]
    bits = 8 * size_of(kind)
    values, amount = group.typed(it.operands[1], kind), group.value(it.operands[2], 4).astype(np.int64)
    beyond = amount >= bits
    amount = np.minimum(amount, bits - 1).astype(values.dtype)
    if it.parts[0] == "shl":
        result = np.where(beyond, 0, values << amount).astype(values.dtype)
    elif kind[0] == "s":
        result = values >> amount
    else:
        result = np.where(beyond, 0, values >> amount).astype(values.dtype)
    group.put(it.operands[0], result)


def funnel_shift(group, it):
    low, high, amount = (group.value(operand, 4).astype(np.uint64) for operand in it.operands[1:4])
    amount = amount & np.uint64(31) if it.has("wrap") else np.minimum(amount, np.uint64(32))
    both = (high << np.uint64(32)) | low
    result = (both << amount) >> np.uint64(32) if it.parts[1] == "l" else both >> amount
    group.put(it.operands[0], result.astype(np.uint32))


def permute(group, it):
    low, high, choice = (group.value(operand, 4) for operand in it.operands[1:4])
    both, result = (high.astype(np.uint64) << np.uint64(32)) | low, np.zeros(group.count, np.uint32)
    for number in range(4):
        selector = (choice >> np.uint32(4 * number)) & np.uint32(15)
        byte = (both >> ((selector & np.uint32(7)).astype(np.uint64) * np.uint64(8))) & np.uint64(255)
        byte = np.where(selector & 8, np.where(byte & np.uint64(128), 255, 0), byte).astype(np.uint32)
        result |= byte << np.uint32(8 * number)
    group.put(it.operands[0], result)


def extract_bits(group, it):
    kind = it.parts[-1]
    bits = 8 * size_of(kind)
    values = group.value(it.operands[1], size_of(kind)).astype(np.uint64)
    position, length = (group.value(operand, 4).astype(np.uint64) & np.uint64(255) for operand in it.operands[2:4])
    one, last = np.uint64(1), np.uint64(63)
    mask = np.where(length > last, ~np.uint64(0), (one << np.minimum(length, last)) - one)
    result = np.where(position > last, np.uint64(0), values >> np.minimum(position, last)) & mask
    if kind[0] == "s":
        top = np.minimum(position + np.maximum(length, one) - one, np.uint64(bits - 1))
        negative = (length > 0) & ((values >> top) & one == one)
        result = np.where(negative, result | ~mask, result)
    group.put(it.operands[0], result.astype(UNSIGNED[size_of(kind)]))


def insert_bits(group, it):
    size = size_of(it.parts[-1])
    value, into = (group.value(operand, size) for operand in it.operands[1:3])
    position, length = (group.value(operand, 4).astype(np.int64) & 255 for operand in it.operands[3:5])
    one = UNSIGNED[size](1)
    mask = ((one << np.minimum(length, 8 * size - 1).astype(UNSIGNED[size])) - one) << position.astype(UNSIGNED[size])
    group.put(it.operands[0], (into & ~mask) | ((value << position.astype(UNSIGNED[size])) & mask))


def count_bits(group, it):
    size = size_of(it.parts[-1])
    values = group.value(it.operands[1], size)
    bits = np.unpackbits(values.byteswap().view(np.uint8).reshape(group.count, size), axis=1)
    some, first = bits.any(1), bits.argmax(1)
    if it.parts[0] == "brev":
        group.put(it.operands[0], np.packbits(bits[:, ::-1], axis=1).view(UNSIGNED[size]).reshape(-1).byteswap())
        return
    result = {"popc": bits.sum(1), "clz": np.where(some, first, 8 * size),
              "bfind": np.where(some, 8 * size - 1 - first, 2**32 - 1)}[it.parts[0]]
    group.put(it.operands[0], result.astype(np.uint32))


def negate(_it, _kind, x):
    return -x if x.dtype.kind == "i" else ~x + x.dtype.type(1)


OPERATIONS = {
    "add": or_floats(lambda it, kind, x, y: x + y), "sub": or_floats(lambda it, kind, x, y: x - y),
    "div": or_floats(div), "rem": or_floats(rem), "neg": or_floats(negate),
    "min": or_floats(lambda it, kind, x, y: np.minimum(x, y)), "max": or_floats(lambda it, kind, x, y: np.maximum(x, y)),
    "abs": or_floats(lambda it, kind, x: np.abs(x)), "mul": multiply, "mad": multiply,
    "setp": set_predicate, "and": logic, "or": logic, "xor": logic, "not": logic, "lop3": look_up,
    "shl": shift, "shr": shift, "shf": funnel_shift, "prmt": permute, "bfe": extract_bits, "bfi": insert_bits,
    "popc": count_bits, "clz": count_bits, "bfind": count_bits, "brev": count_bits,
}
