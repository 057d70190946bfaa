#!/usr/bin/env python3
"""Graphs of NNSmith, a public generator of valid graphs, traced, compiled, run and compared with LibTorch.

    graphs.py --graphs=1000                  # a graph for every seed from 1 on, on the CPU
    graphs.py --seeds=500:600 --device=cpu,emulated
    graphs.py --seeds=17 --shrink            # one graph; what fails is made smaller
    graphs.py --seeds=17 --list              # prints it
    graphs.py --seeds=17 --results=v3_0      # what it computes up to one name

Every leaf of a graph is a result. Failures are those of fuzz.py, as are the tolerances (fuzzer/agree.py). Graphs
that a float is converted to an integer in that cannot hold it, for all arguments tried, are left out and counted.
It needs the Python packages that scripts/setup.sh lists as nnsmith_packages.
"""
import argparse
import collections
import pathlib
import random
import shutil
import sys
import time

import torch

from fuzz import ROOT, Totals, seeds
from fuzzer.execute import Setting, check
from fuzzer.graphs import Undefined, draw_graph


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release", help="the build folder")
    parser.add_argument("--work", type=pathlib.Path, help="a folder for what is compiled (default: BUILD/fuzz)")
    parser.add_argument("--device", default="cpu", help="cpu (default), emulated or both")
    parser.add_argument("--seeds", default="1:", help="N, FROM:TO, or FROM: without an end")
    parser.add_argument("--graphs", type=int, help="stop after so many")
    parser.add_argument("--nodes", type=int, help="operators of a graph (default: 2 to 12)")
    parser.add_argument("--bundle", type=int, default=20, help="graphs of a library")
    parser.add_argument("--minutes", type=float, help="stop after these")
    parser.add_argument("--results", nargs="+", help="return these names only")
    parser.add_argument("--shrink", action="store_true", help="make failing graphs smaller")
    parser.add_argument("--list", action="store_true", help="print the graphs and do no more")
    parser.add_argument("--verbose", action="store_true", help="tell what is refused")
    options = parser.parse_args()
    options.work = options.work or options.build / "fuzz"
    return options


def draw(options, undefined):
    """Graphs, in bundles."""
    group, count, start = [], 0, time.time()
    for seed in seeds(options.seeds):
        if count == options.graphs or options.minutes and time.time() - start > options.minutes * 60:
            break
        try:
            graph = draw_graph(seed, options.nodes)
        except Undefined as reason:
            undefined[str(reason)] += 1
            continue
        group.append(graph.of_results(options.results) if options.results else graph)
        count += 1
        if len(group) == options.bundle:
            yield group
            group = []
    if group:
        yield group


def shrink(graph, outcome, setting):
    """The first value that fails by itself, with all that it is computed from."""
    for inst in graph.ir.insts:
        for name in inst.retvals():
            if name in graph.inputs:
                continue
            smaller = graph.of_results([name])
            found = [o for o in check([smaller], setting).outcomes if o.kind == outcome.kind]
            if found:
                return smaller, found[0]
    return graph, outcome


def run(group, options, totals):
    rng = random.Random(group[0].name)
    setting = Setting(options.build, options.work / f"{group[0].name}.tmp", tuple(options.device.split(",")),
                      threads=rng.choice([1, 1, 2]), seed=group[0].seed)
    report = check(group, setting)
    totals.add(group, report)
    told = set()
    for outcome in report.outcomes:
        if outcome.kind == "refused" and not options.verbose or outcome.program in told:
            continue
        told.add(outcome.program)
        graph = next(g for g in group if g.name == outcome.program)
        if options.shrink:
            graph, outcome = shrink(graph, outcome, setting)
        print(f"{outcome.describe()}\n{graph.describe()}\nagain: graphs.py --seeds={graph.seed} "
              f"--results {' '.join(graph.results)}", flush=True)
    shutil.rmtree(setting.folder, ignore_errors=True)


def main():
    options, totals, undefined = parse_arguments(), Totals(), collections.Counter()
    torch.set_num_threads(1)
    for group in draw(options, undefined):
        if options.list:
            print("\n\n".join(g.describe() for g in group))
        else:
            run(group, options, totals)
    if not options.list:
        for text, count in totals.refused.most_common():
            print(f"refused {count}: {text}")
        for text, count in undefined.most_common():
            print(f"left out {count}: {text[:110]}")
        print(f"{totals.describe()}, {totals.unstable} elements and {sum(undefined.values())} graphs not compared")
    return 1 if totals.failures else 0


if __name__ == "__main__":
    sys.exit(main())
