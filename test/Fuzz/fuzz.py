#!/usr/bin/env python3
"""Random programs, compiled, run and compared with LibTorch.

    fuzz.py                                   # seeds from 1 on, until it is stopped
    fuzz.py --seeds=100:200 --device=cpu      # [100, 200), on the CPU only
    fuzz.py --seeds=17 --shrink               # one seed; what fails is made smaller
    fuzz.py --seeds=17 --list                 # prints its programs
    fuzz.py --replay build/fuzz/17-p3.json    # runs a failing program again (--shrink: makes it smaller)

A seed determines a batch of programs, the architecture, the precision and the emulator's orders; the batch is
one library for all devices. Traced and scripted programs (a third) of one to four operators are drawn from the
families in fuzzer/operators; a seed stresses one of them (--focus). Each is called several times on one
instance: with other data, which recorded graphs are replayed with, and, where it was compiled for dynamic sizes,
with other sizes, 0 and 1 among them. Arguments may be strided, contain NaN and infinities, or be empty.

What is reported, with a file for --replay in --work, and the exit status 1:

    WRONG      results, their types or shapes, or arguments afterwards, differ (tolerances: fuzzer/agree.py)
    CRASH      of the compiler or of what it made;  HANG: more than minutes without an answer
    FINDING    of the emulator or the PTX simulator: races, accesses out of bounds, ... (docs/Emulator.md)
    RAISED     the library returned an error where LibTorch did not;  SILENT: the other way round
    UNLOCATED  the compiler refused without saying where

What the compiler refuses with a location is counted, and listed with --verbose.
"""
import argparse
import collections
import itertools
import pathlib
import random
import shutil
import sys
import time

import torch

from fuzzer import sanitize
from fuzzer.execute import MODES, Setting, check
from fuzzer.generate import draw_batch
from fuzzer.operators import FAMILIES
from fuzzer.programs import load, save
from fuzzer.shrink import shrink

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release", help="the build folder")
    parser.add_argument("--work", type=pathlib.Path, help="where failing programs are written (default: BUILD/fuzz)")
    parser.add_argument("--device", default="cpu,emulated", help="a list of cpu, emulated, ptxsim (default: cpu,emulated)")
    parser.add_argument("--seeds", default="1:", help="N, FROM:TO, or FROM: without an end")
    parser.add_argument("--programs", type=int, default=10, help="programs of a seed")
    parser.add_argument("--focus", choices=FAMILIES, help="the family that programs contain (default: by the seed)")
    parser.add_argument("--minutes", type=float, help="stop after these")
    parser.add_argument("--sanitize", choices=["address"], help="run code that checks its accesses to memory")
    parser.add_argument("--shrink", action="store_true", help="make failing programs smaller")
    parser.add_argument("--list", action="store_true", help="print the programs and do no more")
    parser.add_argument("--verbose", action="store_true", help="tell what is refused")
    parser.add_argument("--replay", type=pathlib.Path, nargs="+", help="files of programs to run")
    parser.add_argument("--plant", default=[], action="append", metavar="OLD=NEW",
                        help="compile replayed programs with other text, which must be reported: tests this program")
    options = parser.parse_args()
    options.work = options.work or options.build / "fuzz"
    options.devices = tuple(options.device.split(","))
    if not set(options.devices) <= {"cpu", "emulated", "ptxsim"}:
        parser.error(f"--device: expected a list of cpu, emulated and ptxsim, found '{options.device}'")
    return options


def seeds(text):
    first, colon, last = text.partition(":")
    if not colon:
        return range(int(first), int(first) + 1)
    return range(int(first), int(last)) if last else itertools.count(int(first))


def setting_of(seed, options):
    """How a seed's programs are compiled and run."""
    rng = random.Random(seed)
    arch = rng.choice(["sm_70", "sm_75", "sm_80", "sm_80", "sm_86", "sm_90", "sm_90"])
    if arch == "sm_70" and "ptxsim" in options.devices:
        arch = "sm_75"  # assemblers of today do not know the older one
    precision = rng.choice(["f32", "f32", "tf32", "f16", "bf16"])
    if arch in ("sm_70", "sm_75") and precision != "f32":
        precision = "f16" if arch == "sm_75" else "f32"
    modes = (MODES[0], rng.choice(MODES[1:]))
    return Setting(options.build, options.work / f"{seed}.tmp", options.devices, arch, precision, rng.choice([1, 1, 2, 3]),
                   modes, seed, sanitize=options.sanitize or "")


class Totals:
    def __init__(self):
        self.programs, self.failures, self.unstable = 0, 0, 0
        self.calls, self.refused = collections.Counter(), collections.Counter()

    def add(self, programs, report):
        self.programs += len(programs)
        self.failures += len(report.failures())
        self.unstable += report.unstable
        self.calls.update(report.calls)
        self.refused.update(o.text.split("error: ")[-1][:100] for o in report.outcomes if o.kind == "refused")

    def describe(self):
        calls = ", ".join(f"{n} calls on {device}" for device, n in sorted(self.calls.items()))
        return (f"{self.programs} programs, {calls or 'no calls'}, {sum(self.refused.values())} refused, "
                f"{self.failures} failures")


def process(programs, title, setting, options, totals):
    """Runs the programs and tells what fails."""
    report = check(programs, setting)
    shutil.rmtree(setting.folder, ignore_errors=True)
    totals.add(programs, report)
    told = set()
    for outcome in report.outcomes:
        if outcome.kind == "refused":
            if options.verbose:
                print(f"{title}: {outcome.describe()}", flush=True)
            continue
        print(f"{title}: {outcome.describe()}", flush=True)
        if outcome.program in told:
            continue
        told.add(outcome.program)
        program = next(p for p in programs if p.name == outcome.program)
        if options.shrink:
            # Shrinking goes by the device that fails.
            if outcome.device:
                setting.devices = (outcome.device,)
                setting.modes = (outcome.mode,) if outcome.mode else setting.modes
            program, smaller = shrink(program, outcome.kind, setting)
            shutil.rmtree(setting.folder, ignore_errors=True)
            setting.devices = options.devices
            if smaller:
                print(f"smaller: {smaller.describe()}")
        print(program.describe(), flush=True)
        options.work.mkdir(parents=True, exist_ok=True)
        path = options.work / f"{title.split()[0]}-{outcome.program}.json"
        save(program, path, arch=setting.arch, precision=setting.precision, seed=setting.seed, threads=setting.threads,
             modes=setting.modes, outcome=outcome.describe())
        print(f"again: fuzz.py --replay {path}", flush=True)
    return report


def main():
    options, totals, start = parse_arguments(), Totals(), time.time()
    if options.sanitize:
        sanitize.enter()
    torch.set_num_threads(1)
    for path, plant in itertools.product(options.replay or [], options.plant or [""]):
        program, data = load(path)
        setting = Setting(options.build, options.work / f"{path.stem}.tmp", options.devices, data.get("arch", "sm_80"),
                          data.get("precision", "f32"), data.get("threads", 1),
                          tuple(map(tuple, data.get("modes", MODES))), data.get("seed", 0), plant,
                          options.sanitize or "")
        process([program], path.stem + f" with {plant}" * bool(plant), setting, options, totals)
    for seed in [] if options.replay else seeds(options.seeds):
        if options.minutes and time.time() - start > options.minutes * 60:
            break
        focus = options.focus or [None, *FAMILIES][seed % (len(FAMILIES) + 1)]
        programs = draw_batch(seed, options.programs, focus)
        setting = setting_of(seed, options)
        title = f"{seed} {focus or 'any'} {setting.arch} {setting.precision}"
        if options.list:
            print(f"# {title}\n" + "\n".join(p.describe() for p in programs))
            continue
        before = time.time()
        report = process(programs, title, setting, options, totals)
        print(f"{title}: {len(programs)} programs, {sum(report.calls.values())} calls, "
              f"{sum(o.kind == 'refused' for o in report.outcomes)} refused, {len(report.failures())} failures, "
              f"{report.unstable} elements not compared, {time.time() - before:.0f} s", flush=True)
    if not options.list:
        print(totals.describe())
        if options.verbose:
            for text, count in totals.refused.most_common():
                print(f"refused {count}: {text}")
    return 1 if totals.failures else 0


if __name__ == "__main__":
    sys.exit(main())
