"""Some blocks of a launch, which run together: their registers, memory, and the order of their threads."""
import re

import numpy as np

from .memory import Shadow
from .parse import names_in
from .values import FLOATS, SIGNED, UNSIGNED, Fault, from_bf16, size_of

WARP = 32
# Where generic addresses of shared and local memory begin.
SHARED_WINDOW, LOCAL_WINDOW = 1 << 58, 1 << 57


class Group:
    """Threads are numbered within the group; a block has whole warps, with threads that never run."""

    def __init__(self, memory, kernel, arguments, dims, first_block, blocks):
        self.memory, self.kernel, self.arguments = memory, kernel, arguments
        grid, block, dynamic = dims[:3], dims[3:6], dims[6]
        real = block[0] * block[1] * block[2]
        self.block_threads = -(-real // WARP) * WARP
        self.count, self.blocks = blocks * self.block_threads, blocks
        thread = np.tile(np.arange(self.block_threads), blocks)
        self.block = np.repeat(np.arange(blocks), self.block_threads)
        self.alive = thread < real
        self.place = np.zeros(self.count, np.int64)  # the next instruction of each thread
        self.waiting = np.zeros(self.count, bool)
        self.parked = np.zeros(self.count, bool)  # until the others of the warp come
        self.last_call = False
        self.registers, self.constants = {}, {}
        self.special = self.special_registers(thread, self.block + first_block, grid, block)
        # Numbers of threads never come again, so nothing is cleared between launches.
        self.launch_thread = memory.next_thread
        self.numbers = memory.next_thread + first_block * self.block_threads + np.arange(self.count)
        self.first_thread = memory.next_thread
        self.step = 1
        self.block_order = np.zeros(blocks, np.int64)  # the last barrier of each block, as a step
        self.warp_order = np.zeros(self.count // WARP, np.int64)
        self.make_memory(dynamic)
        self.pending, self.committed = [], np.zeros(self.count, np.int64)  # asynchronous copies
        self.mask = self.active = self.now = None
        self.full = False

    def special_registers(self, thread, block, grid, size):
        def u32(values):
            return values.astype(np.uint32)
        found = {"%laneid": u32(thread % WARP), "%warpid": u32(thread // WARP)}
        for axis, (of_thread, of_block) in enumerate((
                (thread % size[0], block % grid[0]), (thread // size[0] % size[1], block // grid[0] % grid[1]),
                (thread // (size[0] * size[1]), block // (grid[0] * grid[1])))):
            name = "xyz"[axis]
            found["%tid." + name], found["%ctaid." + name] = u32(of_thread), u32(of_block)
            found["%ntid." + name] = np.full(self.count, size[axis], np.uint32)
            found["%nctaid." + name] = np.full(self.count, grid[axis], np.uint32)
        return found

    def make_memory(self, dynamic):
        kernel = self.kernel
        self.shared_limit = max(max(kernel.shared.values(), default=0) + dynamic, kernel.static_bytes)
        self.shared_bytes = -(-self.shared_limit // 16) * 16 + 16
        words = np.full(self.blocks * self.shared_bytes // 8, 0xCDCDCDCDCDCDCDCD, np.uint64)
        self.shared = words.view(np.uint8)
        self.shared_shadow = Shadow(len(self.shared))
        self.local = np.zeros(self.count * -(-max(kernel.local_bytes, 1) // 16) * 16, np.uint8)
        self.local_stride = -(-max(kernel.local_bytes, 1) // 16) * 16

    # ---- order -----------------------------------------------------------------------------------

    def is_ordered(self, others, threads, when):
        """Whether accesses by `others` at the steps `when` come before `threads` by a barrier. Other groups of
        the launch have other blocks."""
        other, own = others - self.numbers[0], threads - self.numbers[0]
        here = (other >= 0) & (other < self.count)
        other = np.where(here, other, 0)
        same_block = here & (other // self.block_threads == own // self.block_threads)
        same_warp = here & (other // WARP == own // WARP)
        return (same_block & (when < self.block_order[own // self.block_threads])) | (
            same_warp & (when < self.warp_order[own // WARP]))

    def barrier(self):
        """Lets blocks go on of which all threads wait; false: there is none."""
        alive, waiting = (x.reshape(self.blocks, -1) for x in (self.alive, self.waiting))
        released = (~alive | waiting).all(1) & alive.any(1)
        self.step += 1
        self.block_order[released] = self.step
        self.waiting &= ~np.repeat(released, self.block_threads)
        return released.any()

    def warp_barrier(self):
        self.step += 1
        self.warp_order[np.unique(self.active // WARP)] = self.step

    # ---- registers -------------------------------------------------------------------------------

    def register(self, name):
        found = self.registers.get(name)
        if found is None:
            kind = self.kernel.type_of(name)
            found = self.registers[name] = np.zeros(self.count, bool if kind == "pred" else UNSIGNED[size_of(kind)])
        return found

    def predicate(self, operand):
        return ~self.register(operand[1:]) if operand[0] == "!" else self.typed(operand, "pred")

    def value(self, operand, size):
        """The bits of an operand in every thread."""
        if operand[0] == "%":
            found = self.special.get(operand)
            found = self.register(operand) if found is None else found
            return found if found.dtype == bool or found.dtype.itemsize == size else found.astype(UNSIGNED[size])
        key = operand, size
        if key not in self.constants:
            self.constants[key] = np.full(self.count, self.constant(operand) & ((1 << 8 * size) - 1), UNSIGNED[size])
        return self.constants[key]

    def constant(self, operand):
        if operand[:2] in ("0f", "0F", "0d", "0D"):
            return int(operand[2:], 16)
        for table in (self.kernel.shared, self.kernel.local, self.kernel.addresses):
            if operand in table:
                return table[operand]
        if operand == "WARP_SZ":
            return WARP
        if re.match(r"0x[0-9A-Fa-f]+|-?\d", operand):
            return int(operand.rstrip("U"), 0)
        raise Fault(f"unknown operand {operand}")

    def typed(self, operand, kind):
        if kind == "pred":
            return self.register(operand) if operand[0] == "%" else np.full(self.count, operand != "0")
        bits = self.value(operand, size_of(kind))
        if kind == "bf16":
            return from_bf16(bits)
        if kind[0] == "f" and not kind.endswith("x2"):
            return bits.view(FLOATS[size_of(kind)])
        return bits.view(SIGNED[size_of(kind)]) if kind[0] == "s" else bits

    def put(self, name, values):
        """Writes a register in the threads that run the instruction."""
        if name == "_":
            return
        kind = self.kernel.type_of(name)
        if kind == "pred":
            values = np.asarray(values, bool)
        else:
            width = size_of(kind)
            if values.dtype.kind == "f":
                values = values.view(UNSIGNED[values.dtype.itemsize])
            values = values.astype(UNSIGNED[width]) if values.dtype.itemsize != width or values.dtype == bool \
                else values.view(UNSIGNED[width])
        if self.full:
            self.registers[name] = np.array(values) if values.base is not None else values
        else:
            self.registers[name] = np.where(self.mask, values, self.register(name))

    def put_active(self, name, values):
        """The same with values of the active threads only."""
        every = np.zeros(self.count, values.dtype)
        every[self.active] = values
        self.put(name, every)

    # ---- memory ----------------------------------------------------------------------------------

    def address(self, operand):
        match = re.match(r"\[\s*([%\w$.]+)\s*(?:\+\s*(-?\w+))?\s*\]", operand)
        base = self.value(match[1], 8)
        return base + np.uint64(int(match[2], 0) & (2**64 - 1)) if match[2] else base

    def parameter(self, operand):
        match = re.match(r"\[\s*([\w$]+)\s*(?:\+\s*(\d+))?\s*\]", operand)
        return self.arguments[match[1]][int(match[2] or 0):]

    @staticmethod
    def space_of(instruction):
        return next((s for s in ("global", "shared", "local", "param", "const") if s in instruction.spaces), "generic")

    def access(self, space, addresses, size, writes, threads=None):
        """Checks an access of `size` bytes by `threads` (default: the active ones). Returns the memory, and the
        places there."""
        threads = self.active if threads is None else threads
        addresses = addresses[threads]
        if space == "generic":
            if ((addresses >> np.uint64(58)) == 1).all():
                space, addresses = "shared", addresses - np.uint64(SHARED_WINDOW)
            elif ((addresses >> np.uint64(57)) == 1).all():
                space, addresses = "local", addresses - np.uint64(LOCAL_WINDOW)
        what = "write of" if writes else "read of"
        if space == "shared":
            return self.shared, self.access_shared(addresses & np.uint64(0xFFFFFFFF), size, writes, threads, what)
        if space == "local":
            if (addresses + np.uint64(size) > self.kernel.local_bytes).any():
                raise Fault(f"out of bounds: {what} {size} bytes of local memory")
            return self.local, addresses.astype(np.int64) + threads * self.local_stride
        self.memory.check(addresses, size, what)
        places = self.memory.offsets(addresses)
        self.note(self.memory.shadow, places, size, threads, writes, "global")
        return self.memory.data, places

    def access_shared(self, addresses, size, writes, threads, what):
        if (addresses + np.uint64(size) > self.shared_limit).any():
            raise Fault(f"out of bounds: {what} {size} bytes of shared memory at byte {int(addresses.max())}, of which "
                        f"the block has {self.shared_limit}")
        if (addresses % np.uint64(size & -size)).any():
            raise Fault(f"misaligned: {what} {size} bytes of shared memory")
        places = addresses.astype(np.int64) + self.block[threads] * self.shared_bytes
        self.note(self.shared_shadow, places, size, threads, writes, "shared")
        return places

    def note(self, shadow, places, size, threads, writes, memory):
        numbers = self.numbers[threads]
        for part in range(0, size, self.kernel.granule):
            found = shadow.access(places + part, numbers, writes, self)
            if found:
                at, other_did, other = found
                raise Fault(f"race: thread {numbers[at] - self.launch_thread} {'writes' if writes else 'reads'} {memory} "
                            f"memory that thread {other - self.launch_thread} has {other_did} without an order between")

    @staticmethod
    def read(memory, places, width):
        return memory.view(UNSIGNED[width])[places // width]

    @staticmethod
    def write(memory, places, values, width):
        memory.view(UNSIGNED[width])[places // width] = values.view(UNSIGNED[width]) if values.dtype.itemsize == width \
            else values.astype(UNSIGNED[width])

    def names(self, operand):
        return names_in(operand)
