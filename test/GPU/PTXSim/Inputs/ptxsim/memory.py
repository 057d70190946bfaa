"""Global memory: what is allocated, and who accessed what in a launch."""
import numpy as np

from .values import UNSIGNED, Fault


class Shadow:
    """Who wrote and who read each granule last. Two threads of a launch that access the same one, one of
    them writing, race: unless a barrier of their block, or of their warp, lies between."""

    def __init__(self, granules):
        # The first and the last reader since the last order: of these one is another thread than the writer.
        self.who = {name: np.zeros(granules, np.int64) for name in ("writer", "first", "last")}
        self.when = {name: np.zeros(granules, np.int64) for name in ("writer", "first", "last")}

    def conflicts(self, name, places, threads, group):
        """Where the access that `name` has noted is not before one by `threads`."""
        other = self.who[name][places]
        unordered = (other >= group.first_thread) & (other != threads)
        if not unordered.any():
            return unordered
        return unordered & ~group.is_ordered(other, threads, self.when[name][places])

    def access(self, places, threads, writes, group):
        """Notes an access; returns where it races, and with what, or None."""
        checked = ("writer", "first", "last") if writes else ("writer",)
        found = None
        for name in checked:
            races = self.conflicts(name, places, threads, group)
            if races.any() and found is None:
                at = int(np.nonzero(races)[0][0])
                found = at, "written" if name == "writer" else "read", int(self.who[name][places[at]])
        if writes:
            # Several lanes of one instruction that write one place.
            self.who["writer"][places] = threads
            last = self.who["writer"][places]
            if found is None and (last != threads).any():
                at = int(np.nonzero(last != threads)[0][0])
                found = at, "written", int(last[at])
            self.when["writer"][places] = group.step
            return found
        fresh = (self.who["first"][places] < group.first_thread) | group.is_ordered(
            self.who["first"][places], threads, self.when["first"][places])
        begins = places[fresh][::-1]
        self.who["first"][begins], self.when["first"][begins] = threads[fresh][::-1], group.step
        self.who["last"][places], self.when["last"][places] = threads, group.step
        return found


class GlobalMemory:
    """`base` is where it lies in this process; the device knows it by addresses that begin at `first`."""

    def __init__(self, data, first):
        self.data, self.first = data, first
        self.views = {width: data.view(kind) for width, kind in UNSIGNED.items()}
        self.live = {}  # address to bytes
        self.sorted = None
        self.shadow = Shadow(len(data))
        self.next_thread = 1

    def allocate(self, address, size):
        self.live[address] = size
        self.sorted = None

    def free(self, address):
        self.live.pop(address, None)
        self.sorted = None

    def check(self, addresses, size, what):
        """Raises unless `size` bytes from each address on lie in one allocation and are aligned."""
        if self.sorted is None:
            starts = sorted(self.live)
            ends = [start + self.live[start] for start in starts]
            self.sorted = np.array(starts or [0], np.uint64), np.array(ends or [0], np.uint64)
        starts, ends = self.sorted
        place = np.searchsorted(starts, addresses, side="right") - 1
        outside = (place < 0) | (addresses + np.uint64(size) > ends[np.maximum(place, 0)])
        if outside.any():
            at = int(addresses[np.nonzero(outside)[0][0]]) - self.first
            raise Fault(f"out of bounds: {what} {size} bytes at {at:#x}, outside of all memory ({int(outside.sum())} threads)")
        if (addresses % np.uint64(size & -size)).any():
            raise Fault(f"misaligned: {what} {size} bytes")

    def offsets(self, addresses):
        return (addresses - np.uint64(self.first)).astype(np.int64)
