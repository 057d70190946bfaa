#!/usr/bin/env python3
"""All small programs of a grammar: what names, views, writes, choices, loops and lists may do together.

    smallscope.py                             # all of them
    smallscope.py --shard=3/8                 # every eighth, from the third on
    smallscope.py --sample=200                # so many, spread over all; --seed chooses others

A program is three statements between a start, in which two tensors get three names, and a return of all names.
Every name may be read and written later, so what one statement says of names, the others have to find. Programs
run with both values of two conditions and with several numbers of trips, and are compared with LibTorch exactly.
"""
import argparse
import collections
import itertools
import random
import sys

import torch

from fuzzer import sanitize
from fuzzer.stories import Story
from stories import add_common, bundle_of, report, summary

PARAMETERS = "x: Tensor, c: bool, d: bool, n: int"
CALLS = [f"forward(T({i}, 4), {c}, {d}, {n})" for i, (c, d, n) in
         enumerate([(True, True, 2), (True, False, 0), (False, True, 1), (False, False, 3)])]
# a and b are two tensors, k is a name for either.
STARTS = {
    "fresh": ["a = x.clone()", "b = x * 2.", "k = x + 1."],
    "choice": ["a = x.clone()", "b = x * 2.", "k = a if c else b"],
}
NAMING = {
    "same": ["k = a"], "choice": ["k = a if c else b"], "again": ["k = k if d else a"], "third": ["k = k if d else x * 3."],
    "view": ["k = a[:]"], "copy or view": ["k = a.view(2, 2).t().reshape(4) if c else b.view(2, 2).reshape(4)"],
    "swap": ["a, b = b, a"], "loop": ["for i in range(n):", "    k = a"], "loop swap": ["for i in range(n):", "    a, b = b, a"],
    "loop on": ["for i in range(n):", "    k = a", "    a = a + 1."], "arms": ["if c:", "    a = x * 5.", "    k = a", "else:",
                                                                              "    a = x * 5.", "    k = x * 5."],
    "rebind": ["if d:", "    b = k"],
}
WRITES = {
    "a": ["a.add_(1.)"], "b": ["b.mul_(3.)"], "k": ["k.add_(10.)"], "part": ["k[1:] = 7."], "view": ["k.view(2, 2).t().add_(1.)"],
    "if": ["if d:", "    k.zero_()"], "loop": ["for i in range(n):", "    k.add_(a)"], "from": ["a.copy_(k)"],
    "loop name": ["for i in range(n):", "    k.mul_(2.)", "    k = b"], "x": ["x.sub_(1.)"],
}
LISTS = {
    "pair": ["l = [a, b]"], "pair of k": ["m = [k, a]"], "same": ["m = l"], "choice": ["m = l if c else [a, b]"], "set": ["l[0] = k"],
    "set other": ["m[0] = b"], "append": ["m.append(a)"], "write": ["l[0].add_(1.)"], "write last": ["m[-1].mul_(2.)"],
    "loop": ["for i in range(n):", "    l = m"], "loop set": ["for i in range(n):", "    l[0] = k", "    k = l[1]"],
    "name": ["k = l[0]"], "arms": ["if d:", "    l = [a, a]", "    m = l", "else:", "    l = [a, b]", "    m = [a, b]"],
    "write a": ["a.add_(1.)"], "rebind": ["a = a + 2."], "swap": ["l, m = m, l"],
}
REDUCED = ["return a.sum(), b.sum(), k.sum(), a + 0., k"]
PLAIN = ["return a, b, k, x"]


def bodies():
    """All programs, in an order that stays the same."""
    steps = list(NAMING.values()) + list(WRITES.values())
    for start, (one, two, three) in itertools.product(STARTS.values(), itertools.product(steps, repeat=3)):
        if one in WRITES.values() and two in WRITES.values() and three in WRITES.values() and one > two:
            continue  # writes of one after the other: an order is enough
        yield start + one + two + three + (REDUCED if (len(one) + len(two)) % 2 else PLAIN)
    steps = list(LISTS.values())
    start = ["a = x.clone()", "b = x * 2.", "k = x + 1.", "l = [a, b]", "m = [b, k]"]
    for one, two, three in itertools.product(steps, repeat=3):
        yield start + one + two + three + ["return a, b, k, l, m"]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_common(parser)
    parser.add_argument("--shard", default="1/1", help="N/OF")
    parser.add_argument("--sample", type=int, help="only so many")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--bundle", type=int, default=150, help="programs of a library")
    parser.add_argument("--list", action="store_true", help="print the programs and do no more")
    return parser.parse_args()


def main():
    options, totals = parse_arguments(), collections.Counter()
    if options.sanitize:
        sanitize.enter()
    torch.set_num_threads(1)
    stories = [Story(f"p{i}", {"forward": (PARAMETERS, body)}, CALLS, {}, {}, i % 7 == 0) for i, body in enumerate(bodies())]
    shard, of = map(int, options.shard.split("/"))
    stories = stories[shard - 1::of]
    if options.sample and options.sample < len(stories):
        stories = random.Random(options.seed).sample(stories, options.sample)
    for at in range(0, 0 if options.list else len(stories), options.bundle):
        bundle = bundle_of(options)
        bundle.run(stories[at:at + options.bundle])
        report(bundle, options, totals)
    if options.list:
        print("\n\n".join(s.describe() for s in stories))
    return summary(totals, len(stories))


if __name__ == "__main__":
    sys.exit(main())
