"""The runtime's kernel that copies strided tensors, in the simulator, and in the assembler where there is one.

RUN: %cc %S/Inputs/strided.c -std=c11 -D_GNU_SOURCE -DTORCHLITE_VERSION=\"test\" -I%source/runtime/include -I%source/runtime/lib -I%source/runtime/gpu %source/runtime/gpu/*.c %source/runtime/lib/*.c -ldl -lpthread -lm -o %t
RUN: %t > %t.ptx
RUN: %python %s %t.ptx
"""
import pathlib
import shutil
import struct
import subprocess
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from ptxsim.memory import GlobalMemory  # noqa: E402
from ptxsim.parse import parse  # noqa: E402
from ptxsim.run import launch  # noqa: E402
from ptxsim.values import Fault  # noqa: E402

FIRST, SIZE = 1 << 40, 1 << 16
CASES = [  # sizes and strides, the innermost first
    ([7], [1]), ([3, 5], [5, 1]), ([5, 3], [-1, 5]), ([2, 3, 4], [12, 4, 1]), ([300], [2]), ([4, 3], [1, 0]), ([], []),
    ([2] * 8, [3 ** n for n in range(8)])]


def copy(kernel, kind, sizes, strides, scatters, booleans):
    """What the kernel makes of it, and what it should."""
    data = np.zeros(SIZE, np.uint64).view(np.uint8)
    memory, width = GlobalMemory(data, FIRST), np.dtype(kind).itemsize
    count = int(np.prod(sizes, dtype=np.int64))
    low = sum(min(0, (n - 1) * s) for n, s in zip(sizes, strides))
    high = sum(max(0, (n - 1) * s) for n, s in zip(sizes, strides))
    packed, strided = 4096, 1 << 18
    memory.allocate(FIRST + packed, count * width)
    memory.allocate(FIRST + strided, (high - low + 1) * width)
    rng = np.random.default_rng(1)
    data[packed:packed + count * width] = rng.integers(0, 255, count * width)
    data[strided:strided + (high - low + 1) * width] = rng.integers(0, 255, (high - low + 1) * width)
    expected = data.copy()
    for number, place in enumerate(np.ndindex(*sizes[::-1])):
        at = strided + (sum(i * s for i, s in zip(place[::-1], strides)) - low) * width
        element, own = slice(at, at + width), slice(packed + number * width, packed + (number + 1) * width)
        if scatters:
            expected[element] = expected[own]
        else:
            expected[own] = expected[element] != 0 if booleans else expected[element]
    job = struct.pack("<QQqiiii", FIRST + packed, FIRST + strided - low * width, count, len(sizes), width, scatters, booleans)
    job += struct.pack("<8q", *sizes, *[1] * (8 - len(sizes))) + struct.pack("<8q", *strides, *[0] * (8 - len(sizes)))
    blocks = min(3, -(-count // 256))
    launch(memory, kernel, {"job": job}, [blocks, 1, 1, 256, 1, 1, 0])
    return data, expected


def main(path):
    text = pathlib.Path(path).read_text()
    kernel = parse(text)["tl_copy_strided"]
    for kind in ("u1", "u2", "u4", "u8", "c16"):
        for sizes, strides in CASES:
            for scatters in (False, True):
                if scatters and 0 in strides:
                    continue
                got, expected = copy(kernel, kind, sizes, strides, scatters, kind == "u1" and not scatters)
                assert (got == expected).all(), (kind, sizes, strides, scatters)
    try:
        copy(kernel, "u4", [4, 3], [1, 0], True, False)
        raise AssertionError("two threads write one element, and nobody notices")
    except Fault as fault:
        assert "race" in str(fault), fault
    if shutil.which("ptxas"):
        for arch in ("sm_75", "sm_90", "sm_121"):
            subprocess.run(["ptxas", f"-arch={arch}", path, "-o", path + ".cubin"], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
