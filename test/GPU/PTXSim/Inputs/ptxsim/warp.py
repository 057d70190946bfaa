"""What the threads of a warp do together: shuffles, votes, matrices."""
import re

import numpy as np

from .group import WARP
from .values import Fault, halves_of

LANE = np.arange(WARP)
# For these the threads of a warp wait for each other.
COLLECTIVE = {"shfl", "vote", "ldmatrix", "mma", "redux"}


def whole_warps(group, what):
    if len(group.active) % WARP:
        raise Fault(f"{what} by a part of a warp")


def shuffle(group, it):
    names, mode = it.operands[0].split("|"), it.parts[2]
    values, mask = group.value(it.operands[1], 4).reshape(-1, WARP), group.mask.reshape(-1, WARP)
    amount, control = (group.value(o, 4).astype(np.int64).reshape(-1, WARP) for o in it.operands[2:4])
    segment, clamp, amount = (control >> 8) & 31, control & 31, amount & 31
    limit = (LANE & segment) | (clamp & ~segment)
    source = {"bfly": LANE ^ amount, "down": LANE + amount, "up": LANE - amount,
              "idx": (LANE & segment) | (amount & ~segment)}[mode]
    inside = source >= limit if mode == "up" else source <= limit
    source = np.where(inside, source, LANE) & 31
    if (mask & ~np.take_along_axis(mask, source, 1)).any():
        raise Fault("a shuffle reads from a thread that takes no part")
    result = np.take_along_axis(values, source, 1).reshape(-1)
    group.put(names[0], result)
    if len(names) > 1:
        group.put(names[1], inside.reshape(-1))


def bits_of(lanes):
    return np.repeat((lanes.astype(np.uint64) << LANE.astype(np.uint64)).sum(1).astype(np.uint32), WARP)


def vote(group, it):
    mask = group.mask.reshape(-1, WARP)
    holds = (group.predicate(it.operands[1]) & group.mask).reshape(-1, WARP)
    if it.has("ballot"):
        group.put(it.operands[0], bits_of(holds))
    else:
        group.put(it.operands[0], np.repeat(holds.any(1) if it.has("any") else (holds | ~mask).all(1), WARP))


def active_mask(group, it):
    group.put(it.operands[0], bits_of(group.mask.reshape(-1, WARP)))


def load_matrices(group, it):
    """Rows of 8 values of 16 bits: the i-th matrix has its rows where lanes 8i to 8i+7 say."""
    whole_warps(group, "ldmatrix")
    names = group.names(it.operands[0])
    threads = group.active.reshape(-1, WARP)[:, :8 * len(names)].reshape(-1)
    memory, places = group.access("shared", group.address(it.operands[1]), 16, False, threads)
    rows = memory.view(np.uint16)[places[:, None] // 2 + np.arange(8)].reshape(-1, len(names), 8, 8).astype(np.uint32)
    if it.has("trans"):
        rows = rows.transpose(0, 1, 3, 2)
    for number, name in enumerate(names):
        row, column = LANE // 4, 2 * (LANE % 4)
        group.put_active(name, (rows[:, number, row, column] | rows[:, number, row, column + 1] << np.uint32(16)).reshape(-1))


def fragment(group, names, kind, shape, first_is_row):
    """A matrix of each warp, as f64, from registers with one or two values. A: rows are those of groups of four
    lanes; B: columns are."""
    whole, part = LANE // 4, LANE % 4
    matrix = np.zeros((len(group.active) // WARP, *shape))

    def put(across, along, values):
        if first_is_row:
            matrix[:, across, along] = values
        else:
            matrix[:, along, across] = values

    for number, name in enumerate(names):
        words = group.value(name, 4)[group.active].reshape(-1, WARP)
        across = whole + 8 * (number % 2) if first_is_row else whole
        step = number // 2 if first_is_row else number
        if kind == "tf32":
            put(across, part + 4 * step, (words & np.uint32(0xFFFFE000)).view(np.float32))
        else:
            for half, values in enumerate(halves_of(words, kind)):
                put(across, 2 * part + half + 8 * step, values)
    return matrix


def multiply_matrices(group, it):
    whole_warps(group, "mma")
    depth = int(next(p for p in it.parts if re.match(r"m16n8k\d+", p)).split("k")[1])
    kind = it.parts[-3]
    if kind not in ("f16", "bf16", "tf32") or it.parts[-1] != "f32":
        raise Fault("unknown instruction")
    results, a, b, c = (group.names(operand) for operand in it.operands)
    row, column = LANE // 4, 2 * (LANE % 4)
    sums = np.zeros((len(group.active) // WARP, 16, 8))
    for number, name in enumerate(c):
        values = group.value(name, 4)[group.active].reshape(-1, WARP).view(np.float32)
        sums[:, row + 8 * (number // 2), column + number % 2] = values
    product = fragment(group, a, kind, (16, depth), True) @ fragment(group, b, kind, (depth, 8), False)
    sums = (sums + product).astype(np.float32)
    for number, name in enumerate(results):
        group.put_active(name, sums[:, row + 8 * (number // 2), column + number % 2].reshape(-1))


def reduce_words(group, it):
    kind, threads = it.parts[-1], group.mask.reshape(-1, WARP)
    values = group.typed(it.operands[1], kind).reshape(-1, WARP)
    result = np.zeros(values.shape, values.dtype)
    function = next({"add": np.sum, "min": np.min, "max": np.max}[p] for p in it.parts if p in ("add", "min", "max"))
    for number, taking in enumerate(threads):
        if taking.any():
            result[number] = function(values[number][taking])
    group.put(it.operands[0], result.reshape(-1))


OPERATIONS = {"shfl": shuffle, "vote": vote, "activemask": active_mask, "ldmatrix": load_matrices,
              "mma": multiply_matrices, "redux": reduce_words}
