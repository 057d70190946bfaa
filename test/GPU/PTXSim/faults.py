"""What the simulator must find: PTX that is changed before it runs.

RUN: %python %s %build %t %cc

Each change must be found, and in the way that is expected; unchanged, the same programs pass. A change that finds
nothing to change is an error, too.
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from simulated import Program, compile_for, make_device, run_all  # noqa: E402

import torch  # noqa: E402

torch.manual_seed(5)
PROGRAMS = [
    Program("pointwise", lambda x: x * 2 + 1, ["4x100xf32"], [[torch.randn(4, 100)]]),
    Program("total", lambda x: x.sum(), ["30x64xf32"], [[torch.randn(30, 64)]]),
    Program("turned", lambda x: x.t().contiguous(), ["64x64xf32"], [[torch.randn(64, 64)]]),
    Program("product", lambda x, y: x @ y, ["64x64xf16", "64x64xf16"], [[torch.randn(64, 64).half(), torch.randn(64, 64).half()]]),
]


def without(pattern):
    return lambda text: re.subn(pattern, "", text)


def replaced(pattern, text):
    return lambda source: re.subn(pattern, text, source)


WRONG, RACE, OUTSIDE, WAITS = "values differ", "race: ", "out of bounds: ", "reads"
# The program, the change, and what is said of it.
CHANGES = [
    ("total", "no barrier", without(r"bar\.sync\s+0;|barrier\.sync\s+0;"), (RACE,)),
    ("turned", "no barrier", without(r"bar\.sync\s+0;|barrier\.sync\s+0;"), (RACE,)),
    ("product", "no barrier", without(r"bar\.sync\s+0;|barrier\.sync\s+0;"), (RACE,)),
    ("product", "no wait for copies", without(r"cp\.async\.wait_group\s+\d+;|cp\.async\.wait_all;"), (WRONG,)),
    ("product", "products that come to nothing", replaced(r"mma\.sync([^;]*)\{([^}]*)\};", r"mma.sync\1{0f00000000, 0f00000000, 0f00000000, 0f00000000};"), (WRONG,)),
    ("pointwise", "a write far outside", replaced(r"(st\.global[.\w]*\s+\[%\w+)(\+\d+)?\]", r"\1+1048576]"), (OUTSIDE,)),
    ("pointwise", "a write just outside", replaced(r"(st\.global[.\w]*\s+\[%\w+)\]", r"\1+1600]"), (OUTSIDE,)),
    ("pointwise", "a read far outside", replaced(r"(ld\.global[.\w]*\s+[^\[]*\[%\w+)(\+\d+)?\]", r"\1+1048576]"), (OUTSIDE,)),
    ("pointwise", "all threads do the same", replaced(r"(mov\.u32\s+%r\w+), %tid\.x;", r"\1, 0;"), (RACE,)),
    ("pointwise", "another operation", replaced(r"(add|fma)\.rn\.f32", r"min.f32"), (WRONG,)),
    ("total", "a shuffle of other lanes", replaced(r"(shfl\.sync\.bfly\.b32[^;]*, )1(, \d+, -1;)", r"\g<1>2\2"), (WRONG,)),
]


def check(simulator, library, program, name, change, expected):
    changed = []

    def apply(text):
        text, count = change(text)
        changed.append(count)
        return text

    simulator.change = apply
    found = run_all(simulator, library, [program], 80)
    simulator.change = None
    if not sum(changed):
        return f"{program.name}, {name}: there is nothing to change"
    if not found:
        return f"{program.name}, {name}: not found"
    if not any(text in found[0][1] for text in expected):
        return f"{program.name}, {name}: found something else: {found[0][1]}"
    print(f"found   {program.name}, {name}: {found[0][1][:200]}")
    return None


def main(build, folder, compiler):
    build, folder = pathlib.Path(build), pathlib.Path(folder)
    simulator = make_device(folder, compiler)
    failures = []
    for program in PROGRAMS:
        # A library for each: a change is one of its kernels.
        library = compile_for(build, folder / program.name, [program], "sm_80")
        failures += [f"{name}, unchanged: {text}" for name, text in run_all(simulator, library, [program], 80)]
        for subject, name, change, expected in CHANGES:
            if subject == program.name:
                failures.append(check(simulator, library, program, name, change, expected))
    failures = [failure for failure in failures if failure]
    print("\n".join(f"FAILED  {failure}" for failure in failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
