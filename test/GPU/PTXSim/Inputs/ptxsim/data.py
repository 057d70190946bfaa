"""Loads, stores, copies, moves and conversions."""
import numpy as np

from .group import LOCAL_WINDOW, SHARED_WINDOW
from .values import FLOATS, SIGNED, UNSIGNED, Fault, is_float, size_of, to_bf16, words_of


def vector_of(it):
    return next((int(p[1]) for p in it.parts if p in ("v2", "v4", "v8")), 1)


def load(group, it):
    space, kind = group.space_of(it), it.parts[-1]
    width, names = size_of(kind), group.names(it.operands[0])
    if space == "param":
        data = group.parameter(it.operands[1])
        for number, name in enumerate(names):
            value = int.from_bytes(data[number * width:(number + 1) * width], "little")
            group.put(name, np.full(group.count, value, UNSIGNED[width]))
        return
    memory, places = group.access(space, group.address(it.operands[1]), width * vector_of(it), False)
    for number, name in enumerate(names):
        values = group.read(memory, places + number * width, width)
        if kind[0] == "s" and name != "_":
            values = values.view(SIGNED[width]).astype(SIGNED[size_of(group.kernel.type_of(name))])
        group.put_active(name, values)


def store(group, it):
    width = size_of(it.parts[-1])
    memory, places = group.access(group.space_of(it), group.address(it.operands[0]), width * vector_of(it), True)
    for number, name in enumerate(group.names(it.operands[1])):
        size = max(width, size_of(group.kernel.type_of(name))) if name[0] == "%" and name not in group.special else width
        group.write(memory, places + number * width, group.value(name, size)[group.active].astype(UNSIGNED[width]), width)


# ---- Asynchronous copies: they arrive when they are waited for -----------------------------------


def copy(group, it):
    if it.has("commit_group"):
        group.committed[group.active] += 1
    elif it.has("wait_group"):
        arrive(group, int(it.operands[0]))
    elif it.has("wait_all"):
        group.committed[group.active] += 1
        arrive(group, 0)
    else:
        start(group, it)


def start(group, it):
    size, threads = int(it.operands[2], 0), group.active
    counts = np.full(len(threads), size)
    if len(it.operands) > 3:
        counts = group.value(it.operands[3], 4)[threads].astype(np.int64)
    sources = group.address(it.operands[1])
    data = np.zeros((len(threads), size), np.uint8)
    for count in np.unique(counts[counts > 0]):
        chosen = counts == count
        if (sources[threads[chosen]] % np.uint64(size)).any():
            raise Fault(f"misaligned: copy of {size} bytes")
        whole = -(-count // 4) * 4
        memory, places = group.access("global", sources, int(whole), False, threads[chosen])
        data[chosen, :count] = memory[places[:, None] + np.arange(count)]
    group.pending.append((threads, group.committed[threads].copy(), group.address(it.operands[0]), data))


def arrive(group, allowed):
    waits = np.zeros(group.count, bool)
    waits[group.active] = True
    left = []
    for threads, numbers, targets, data in group.pending:
        lands = waits[threads] & (numbers < group.committed[threads] - allowed)
        if lands.any():
            memory, places = group.access("shared", targets, data.shape[1], True, threads[lands])
            memory[places[:, None] + np.arange(data.shape[1])] = data[lands]
        if not lands.all():
            left.append((threads[~lands], numbers[~lands], targets, data[~lands]))
    group.pending = left


# ---- Atomic operations ---------------------------------------------------------------------------

CHANGES = {"add": lambda old, x: old + x, "min": min, "max": max, "exch": lambda old, x: x,
           "and": lambda old, x: old & x, "or": lambda old, x: old | x, "xor": lambda old, x: old ^ x}


def atomic(group, it):
    """One thread after the other. They race with nobody."""
    kind, width = it.parts[-1], size_of(it.parts[-1])
    result = it.operands[0] if it.parts[0] == "atom" else None
    operands = it.operands[1:] if result else it.operands
    note, group.note = group.note, lambda *arguments: None
    memory, places = group.access(group.space_of(it), group.address(operands[0]), width, True)
    group.note = note
    values = group.typed(operands[1], kind)[group.active]
    old = np.zeros(len(places), values.dtype)
    cells = memory.view(values.dtype)
    change = next((CHANGES[p] for p in it.parts if p in CHANGES), None)
    for number, at in enumerate(places // width):
        old[number] = cells[at]
        if change:
            cells[at] = change(cells[at], values[number])
        elif cells[at] == values[number]:  # cas
            cells[at] = group.typed(operands[2], kind)[group.active[number]]
    if result:
        group.put_active(result, old)


# ---- Moves and conversions -----------------------------------------------------------------------


def move(group, it):
    kind, (to, source) = it.parts[-1], it.operands
    if to[0] == "{":
        names, size = group.names(to), size_of(kind)
        width, bits = size // len(names), group.value(source, size)
        for number, name in enumerate(names):
            group.put(name, (bits >> bits.dtype.type(8 * width * number)).astype(UNSIGNED[width]))
    elif source[0] == "{":
        names, size = group.names(source), size_of(kind)
        width, bits = size // len(names), np.zeros(group.count, UNSIGNED[size])
        for number, name in enumerate(names):
            bits |= group.value(name, width).astype(UNSIGNED[size]) << UNSIGNED[size](8 * width * number)
        group.put(to, bits)
    else:
        group.put(to, group.typed(source, "pred") if kind == "pred" else group.value(source, size_of(kind)))


def convert_address(group, it):
    value = group.value(it.operands[1], 8)
    window = SHARED_WINDOW if it.has("shared") else LOCAL_WINDOW if it.has("local") else 0
    group.put(it.operands[0], value - np.uint64(window) if it.has("to") else value + np.uint64(window))


def rounded(values, it):
    for part, function in (("rni", np.rint), ("rzi", np.trunc), ("rmi", np.floor), ("rpi", np.ceil)):
        if it.has(part):
            return function(values)
    return values


def to_integer(values, kind):
    width = size_of(kind)
    info = np.iinfo((SIGNED if kind[0] == "s" else UNSIGNED)[width])
    low, high = float(info.min), float(info.max)
    inside = np.clip(np.where(np.isnan(values), 0, values), low, np.nextafter(high, 0) if width == 8 else high).astype(info.dtype)
    return np.where(np.isnan(values), info.dtype.type(0), np.where(values >= high, info.max, inside)).astype(info.dtype)


def to_float(values, kind, it):
    if it.has("sat"):
        values = np.clip(np.where(np.isnan(values), 0, values), 0, 1)
    if kind == "bf16":
        return to_bf16(values.astype(np.float32))
    exact = values.astype(np.float64) if values.dtype.kind == "f" else values
    result = values.astype(FLOATS[size_of(kind)])
    if it.has("rz") and values.dtype.kind == "f":
        over = np.abs(result.astype(np.float64)) > np.abs(exact)
        result = np.where(over, np.nextafter(result, result.dtype.type(0)), result)
    return result


def convert(group, it):
    to, source = it.parts[-2:]
    if to in ("f16x2", "bf16x2"):
        high, low = group.typed(it.operands[1], "f32"), group.typed(it.operands[2], "f32")
        group.put(it.operands[0], words_of(low, high, to[:-2]))
        return
    if to == "tf32":
        bits = group.value(it.operands[1], 4)
        group.put(it.operands[0], (bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000))
        return
    values = group.typed(it.operands[1], source)
    if is_float(to):
        group.put(it.operands[0], to_float(rounded(values, it), to, it))
        return
    if is_float(source):
        values = to_integer(rounded(values.astype(np.float64), it), to)
    else:
        values = values.astype((SIGNED if source[0] == "s" else UNSIGNED)[size_of(to)])
    register = size_of(group.kernel.type_of(it.operands[0]))
    table = SIGNED if to[0] == "s" else UNSIGNED
    group.put(it.operands[0], values.view(table[size_of(to)]).astype(table[register]))


def select(group, it):
    size = size_of(it.parts[-1])
    chosen = group.predicate(it.operands[3])
    group.put(it.operands[0], np.where(chosen, group.value(it.operands[1], size), group.value(it.operands[2], size)))


def ignore(_group, _it):
    pass


OPERATIONS = {"ld": load, "ldu": load, "st": store, "cp": copy, "atom": atomic, "red": atomic, "mov": move,
              "cvta": convert_address, "cvt": convert, "selp": select, "prefetch": ignore, "griddepcontrol": ignore}
