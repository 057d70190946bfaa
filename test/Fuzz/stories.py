#!/usr/bin/env python3
"""Random stories: methods on one state, names for one of several things, edge values; compared exactly.

    stories.py --seeds=1:100                  # 30 stories a seed, on the CPU
    stories.py --seeds=7 --kind=lists --shrink
    stories.py --seeds=7 --list               # prints them
    stories.py --replay build/release/fuzz/s7_3.json

What fails is printed and written to --work for --replay, and the exit status is 1: WRONG results, arguments or
state; CRASH and HANG; RAISED, an error where LibTorch has none, and SILENT, none where it has one; UNLOCATED
refusals. Refusals with a line are counted (--verbose lists them).
"""
import argparse
import collections
import dataclasses
import pathlib
import re
import sys
import time

import torch

from fuzzer import sanitize
from fuzzer.bundle import Bundle
from fuzzer.names import KINDS, draw_stories
from fuzzer.stories import load, scripts

ROOT = pathlib.Path(__file__).resolve().parents[2]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common(parser)
    parser.add_argument("--seeds", default="1:", help="N, FROM:TO, or FROM: without an end")
    parser.add_argument("--stories", type=int, default=30, help="stories of a seed")
    parser.add_argument("--kind", choices=KINDS, help="only these (default: all in turn)")
    parser.add_argument("--minutes", type=float, help="stop after these")
    parser.add_argument("--list", action="store_true", help="print the stories and do no more")
    parser.add_argument("--replay", type=pathlib.Path, nargs="+", help="files of stories to run")
    return parser.parse_args()


def add_common(parser):
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release", help="the build folder")
    parser.add_argument("--work", type=pathlib.Path, help="where failing stories are written (default: BUILD/fuzz)")
    parser.add_argument("--device", default="cpu", choices=["cpu", "emulated", "ptxsim"])
    parser.add_argument("--option", default=[], action="append", help="a further option of tl-compile")
    parser.add_argument("--sanitize", choices=["address"], help="run code that checks its accesses to memory")
    parser.add_argument("--plant", help="OLD=>NEW: compile other text than LibTorch runs, which must fail")
    parser.add_argument("--shrink", action="store_true", help="make failing stories smaller")
    parser.add_argument("--verbose", action="store_true", help="tell what is refused")


def bundle_of(options):
    options.work = options.work or options.build / "fuzz"
    compiler = options.option + sanitize.compiler_options(options.sanitize)
    plant = options.plant.split("=>") if options.plant else None
    return Bundle(options.build, options.work, options.device, compiler, plant)


def fails(story, kind, options):
    if scripts(story) is not None:
        return False
    bundle = bundle_of(options)
    bundle.run([story])
    return any(k == kind for _, k, _ in bundle.failures)


def smaller(story):
    """Stories with a part less: a line, or a block; a call."""
    for name, (parameters, body) in story.methods.items():
        if len(story.methods) > 1 and not any(c.startswith(name + "(") for c in story.calls):
            yield dataclasses.replace(story, methods={n: m for n, m in story.methods.items() if n != name})
        for at in range(len(body) - 1):
            indent = len(body[at]) - len(body[at].lstrip())
            end = at + 1
            while end < len(body) and len(body[end]) - len(body[end].lstrip()) > indent:
                end += 1
            cuts = [body[:at] + body[end:]]
            if end > at + 1:
                cuts.append(body[:at] + [line[4:] for line in body[at + 1:end]] + body[end:])
            for cut in cuts:
                yield dataclasses.replace(story, methods={**story.methods, name: (parameters, cut)})
        parts = body[-1][len("return "):].split(", ")
        for at in range(len(parts) if len(parts) > 1 else 0):
            less = "return " + ", ".join(parts[:at] + parts[at + 1:])
            yield dataclasses.replace(story, methods={**story.methods, name: (parameters, body[:-1] + [less])})
    for at in range(len(story.calls)):
        yield dataclasses.replace(story, calls=story.calls[:at] + story.calls[at + 1:])


def shrink(story, kind, options):
    going = True
    while going:
        going = False
        for candidate in smaller(story):
            if candidate.calls and fails(candidate, kind, options):
                story, going = candidate, True
                break
    return story


def report(bundle, options, totals):
    for story, kind, text in bundle.failures:
        print(f"{kind.upper()} {story.name}: {text}")
        if options.shrink:
            story = shrink(story, kind, options)
        path = bundle.folder / f"{story.name}.json"
        story.save(path)
        print(story.describe() + f"\nagain: stories.py --replay {path}", flush=True)
        totals[kind] += 1
    for story, text in bundle.refused:
        totals["refused"] += 1
        # Without the names and numbers of the story, so that equal reasons are counted together.
        totals["refused: " + re.sub(r"^call \d+ of \w+: (s\w+: )?|'[\w.]+'|\d+ (?=')", "", text)[:150]] += 1
        if options.verbose:
            print(f"refused {story.name}: {text}\n{story.describe()}")
    totals["failures"] += len(bundle.failures)
    totals["calls"] += bundle.calls


def summary(totals, count):
    for text, number in sorted(totals.items(), key=lambda item: -item[1]):
        if text.startswith("refused: "):
            print(f"{number} {text}")
    print(f"{count} stories, {totals['calls']} calls, {totals['refused']} refused, {totals['failures']} failures")
    return 1 if totals["failures"] else 0


def main():
    options, totals, start, count = parse_arguments(), collections.Counter(), time.time(), 0
    if options.sanitize:
        sanitize.enter()
    torch.set_num_threads(1)
    first, colon, last = options.seeds.partition(":")
    seed = int(first)
    end = seed + 1 if not colon else int(last) if last else None
    groups = [[load(path) for path in options.replay]] if options.replay else None
    while groups or not options.replay and seed != end and not (options.minutes and time.time() - start > options.minutes * 60):
        stories = groups.pop() if groups else draw_stories(seed, options.stories, options.kind)
        seed += 1
        if options.list:
            print("\n\n".join(s.describe() for s in stories))
            continue
        bundle = bundle_of(options)
        bundle.run(stories)
        count += len(stories)
        report(bundle, options, totals)
    return summary(totals, count)


if __name__ == "__main__":
    sys.exit(main())
