# RUN: %python %s
"""shfl, vote, match and redux on random operands, against the PTX ISA."""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Inputs"))
import emulate  # noqa: E402

random.seed(0)
FULL = 0xFFFFFFFF


def signed(x):
    x &= FULL
    return x - (1 << 32) if x >> 31 else x


def kernel(result, name, types, values):
    """A kernel that calls the intrinsic with `values`, in which %x is a number of the lane's own, and
    stores what it gives as one or two integers."""
    arguments = ", ".join(f"{t} {v}" for t, v in zip(types, values))
    first, second = "%r", None
    convert = ""
    if result.startswith("{"):
        convert = (f"  %first = extractvalue {result} %r, 0\n  %flag = extractvalue {result} %r, 1\n"
                   "  %second = zext i1 %flag to i32\n")
        first, second = "%first", "%second"
    elif result == "i1":
        convert = "  %first = zext i1 %r to i32\n"
        first = "%first"
    store = f"  store i32 {first}, ptr %out\n"
    if second:
        store += f"  %q = getelementptr i32, ptr %out, i32 1\n  store i32 {second}, ptr %q\n"
    return f"""{emulate.HEADER}
declare i32 @llvm.nvvm.read.ptx.sreg.laneid()
declare {result} @llvm.nvvm.{name}({", ".join(types)})
define ptx_kernel void @kernel(ptr %in, ptr %result, i32 %b, i32 %c) {{
  %lane = call i32 @llvm.nvvm.read.ptx.sreg.laneid()
  %from = getelementptr i32, ptr %in, i32 %lane
  %out = getelementptr [2 x i32], ptr %result, i32 %lane
  %x = load i32, ptr %from
  %wide = sext i32 %x to i64
  %bit = trunc i32 %x to i1
  %r = call {result} @llvm.nvvm.{name}({arguments})
{convert}{store}  ret void
}}
"""


def run(module, numbers, b=0, c=0):
    output = emulate.run(module, "kernel", emulate.buffer("i32", map(signed, numbers)),
                         "i32[64]=0", f"i32={b}", f"i32={c}", block=len(numbers))
    return [(signed(int(output[1][2 * i])), int(output[1][2 * i + 1]))
            for i in range(len(numbers))]


def shuffle(mode, numbers, b, c):
    """The pseudo code of the PTX ISA, shfl.sync."""
    result = []
    for lane in range(32):
        value, clamp, segment = b & 31, c & 31, c >> 8 & 31
        last, first = (lane & segment) | (clamp & ~segment), lane & segment
        if mode == "up":
            j = lane - value
            flag = j >= last
        elif mode == "down":
            j = lane + value
            flag = j <= last
        elif mode == "bfly":
            j = lane ^ value
            flag = j <= last
        else:
            j = first | (value & ~segment)
            flag = j <= last
        result.append((signed(numbers[j if flag else lane]), int(flag)))
    return result


for mode in ("idx", "up", "down", "bfly"):
    module = kernel("{i32, i1}", f"shfl.sync.{mode}.i32p", ["i32"] * 4, ["-1", "%x", "%b", "%c"])
    for width in (32, 16, 8):
        for b in (0, 1, 3, 8, 17, 31):
            numbers = [random.getrandbits(32) for _ in range(32)]
            c = (32 - width) << 8 | (0 if mode == "up" else 31)
            assert run(module, numbers, b, c) == shuffle(mode, numbers, b, c), (mode, width, b)

for count in (32, 7):  # also a warp that is not full
    lanes = (1 << count) - 1
    for numbers in ([0] * count, [1] * count, [random.getrandbits(1) for _ in range(count)]):
        ballot = sum((x & 1) << i for i, x in enumerate(numbers))
        expected = {"all": ballot == lanes, "any": ballot != 0, "uni": ballot in (0, lanes)}
        for mode, value in expected.items():
            module = kernel("i1", f"vote.{mode}.sync", ["i32", "i1"], ["-1", "%bit"])
            assert run(module, numbers) == [(int(value), 0)] * count, (mode, numbers)
        module = kernel("i32", "vote.ballot.sync", ["i32", "i1"], ["-1", "%bit"])
        assert run(module, numbers) == [(signed(ballot), 0)] * count

for kind, value in (("i32", "%x"), ("i64", "%wide")):
    for numbers in ([5] * 32, [random.randrange(-3, 3) for _ in range(32)]):
        equal = [signed(sum((x == y) << i for i, y in enumerate(numbers))) for x in numbers]
        module = kernel("i32", f"match.any.sync.{kind}", ["i32", kind], ["-1", value])
        assert run(module, numbers) == [(mask, 0) for mask in equal]
        module = kernel("{i32, i1}", f"match.all.sync.{kind}p", ["i32", kind], ["-1", value])
        agree = len(set(numbers)) == 1
        assert run(module, numbers) == [(-1 if agree else 0, int(agree))] * 32

numbers = [random.getrandbits(32) for _ in range(32)]
unsigned = {"umin": min, "umax": max}
reductions = {"add": sum(numbers), "min": min(map(signed, numbers)),
              "max": max(map(signed, numbers)), "umin": min(numbers), "umax": max(numbers),
              "and": FULL, "or": 0, "xor": 0}
for x in numbers:
    reductions["and"] &= x
    reductions["or"] |= x
    reductions["xor"] ^= x
for mode, value in reductions.items():
    module = kernel("i32", f"redux.sync.{mode}", ["i32", "i32"], ["%x", "-1"])
    assert run(module, numbers) == [(signed(value), 0)] * 32, mode
