"""Runs launches: in turn the threads that are least far in the code, as many as there are."""
import numpy as np

from . import data, floats, integers, warp
from .group import WARP, Group
from .values import Fault

OPERATIONS = {**data.OPERATIONS, **integers.OPERATIONS, **floats.OPERATIONS, **warp.OPERATIONS}
NOTHING = {"membar", "fence"}
# So many threads run together.
GROUP_THREADS = 1 << 16


def launch(memory, kernel, arguments, dims):
    blocks = dims[0] * dims[1] * dims[2]
    threads = -(-dims[3] * dims[4] * dims[5] // 32) * 32
    together = max(1, GROUP_THREADS // threads)
    try:
        for first in range(0, blocks, together):
            group = Group(memory, kernel, arguments, dims, first, min(together, blocks - first))
            run(group)
    except Fault as fault:
        raise Fault(f"kernel '{kernel.name}': {fault}; at {group.now}") from fault
    finally:
        memory.next_thread += blocks * threads


def run(group):
    while group.alive.any():
        ready = group.alive & ~group.waiting & ~group.parked
        if not ready.any() and group.parked.any():
            # Nobody else comes: those that have met go on together, and others are an error.
            group.parked[:] = False
            group.last_call = True
            continue
        if not ready.any():
            if not group.barrier():
                raise Fault("threads wait for each other forever")
            continue
        at = int(group.place[ready].min())
        run_straight(group, ready & (group.place == at), at)
        group.last_call = False


def meet(group, threads, at):
    """Which of the threads have met all others of their warp, which they do something with; those that have not
    wait for them."""
    warps, alive = threads.reshape(-1, WARP), group.alive.reshape(-1, WARP)
    partial = np.repeat(warps.any(1) & (alive & ~warps).any(1), WARP) & threads
    if partial.any() and group.last_call:
        raise Fault("threads of a warp that should meet are at other places")
    group.last_call = False
    group.parked |= partial
    group.place[partial] = at
    return threads & ~partial


def run_straight(group, threads, at):
    """From `at` on until the next branch, label or barrier."""
    code, leads = group.kernel.code, set(group.kernel.labels.values())
    first = at
    active = np.nonzero(threads)[0]
    full = len(active) == group.count
    while True:
        if at >= len(code):
            group.alive &= ~threads
            return
        if at in leads and at != first:
            group.place[active] = at
            return
        it = group.now = code[at]
        if it.parts[0] in warp.COLLECTIVE or it.parts[:2] == ["bar", "warp"]:
            threads = meet(group, threads, at)
            active = np.nonzero(threads)[0]
            full = len(active) == group.count
            if not len(active):
                return
        at += 1
        group.step += 1
        group.mask, group.active, group.full = threads, active, full
        if it.guard:
            chosen = group.register(it.guard)
            group.mask = threads & (~chosen if it.negated else chosen)
            group.active = np.nonzero(group.mask)[0]
            group.full = len(group.active) == group.count
        operation = it.parts[0]
        if operation == "bra":
            group.place[active] = at
            group.place[group.active] = group.kernel.labels[it.operands[0]]
            return
        if operation in ("ret", "exit"):
            group.alive &= ~group.mask
            threads = threads & ~group.mask
            active, full = np.nonzero(threads)[0], False
            if not len(active):
                return
        elif operation in ("bar", "barrier") and not it.has("warp"):
            group.waiting |= group.mask
            group.place[active] = at
            return
        elif len(group.active):
            execute(group, it)


def execute(group, it):
    operation = it.parts[0]
    if operation in NOTHING:
        return
    if operation in ("bar", "barrier"):
        group.warp_barrier()
    elif operation in ("trap", "brkpt"):
        raise Fault("trap")
    else:
        function = OPERATIONS.get(operation)
        if not function:
            raise Fault("unknown instruction")
        function(group, it)
