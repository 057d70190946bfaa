"""Lists whose length, or the position in which, is known only at run time: appended to in loops of unknown
length, indexed, cut, emptied, stacked. A call gives what PyTorch gives and raises where PyTorch raises; what
shares memory with an element is not written.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import gc
import itertools
import pathlib
import subprocess
import sys
from typing import List

import torch
from torch import Tensor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import compare, compile_library, to_library  # noqa: E402
from sources import check, define, outcome  # noqa: E402

import torchlite  # noqa: E402

# Methods of a matrix and a number.
SOURCE = """
def stacked(self, x: Tensor, n: int):
    h = x[0] * 0.5
    out: List[Tensor] = []
    for t in range(n):
        h = torch.tanh(h + x[t % x.size(0)])
        out.append(h)
    return torch.stack(out), torch.stack(out, -1), h
def by_rows(self, x: Tensor, n: int):
    rows: List[Tensor] = []
    for t in range(x.size(0)):
        rows.append(x[t] * float(n))
    return torch.stack(rows)
def joined(self, x: Tensor, n: int):
    out = [x]
    for t in range(n):
        if t % 3 != 1:
            out.append(x * float(t))
    return torch.cat(out, 1), torch.cat(out), len(out), out[-1], out[0]
def ints(self, x: Tensor, n: int):
    ids = [7]
    while n > 0:
        ids.append(n * 2)
        n -= 1
    total = 0
    for i in ids:
        total += i
    return torch.tensor(ids), total, ids[-1], len(ids)
def floats_and_bools(self, x: Tensor, n: int):
    values: List[float] = []
    flags: List[bool] = []
    for i in range(n):
        values.append(float(x[0, 0]) * float(i))
        flags.append(i % 2 == 0)
    total = 0.5
    for i in range(len(values)):
        if flags[i]:
            total += values[-i - 1]
    return total
def concatenated(self, x: Tensor, n: int):
    best: List[int] = []
    for i in range(n):
        best = best + [i * 3]
    part = best[:-1] if len(best) > 1 else best
    number = 0
    for v in part:
        number = number * 2 + v
    return number, len(part), len(best[1:4]), len(best[-2:]), len(best[5:2])
def indexed(self, x: Tensor, n: int):
    tensors = [x, x * 2.0, x + 1.0]
    numbers = [1.5, 2.5, 3.5]
    return tensors[n % 3] * numbers[-1 - n % 2]
def layers(self, x: Tensor, n: int):
    states = [x, x * 2.0]
    for t in range(n):
        for i in range(2):
            states[i] = states[i] + float(t + i)
    return states[0], states[1]
def stack_of_a_machine(self, x: Tensor, n: int):
    todo: List[Tensor] = []
    for i in range(n):
        todo.append(x + float(i))
    total = x * 0.0
    while len(todo) > 0:
        v = todo.pop()
        total = total * 2.0 + v
        if len(todo) > 3:
            todo.append(v)
            todo.pop()
    return total
def nested(self, x: Tensor, n: int):
    outs = [x]
    for i in range(n):
        inner: List[Tensor] = []
        for j in range(i + 1):
            inner.append(x * float(j))
        outs.append(torch.stack(inner).sum(0))
    return torch.stack(outs, 1)
def emptied(self, x: Tensor, n: int):
    window: List[Tensor] = []
    total = x[0] * 0.0
    for i in range(n):
        window.append(x[i % 2])
        if len(window) == 3:
            total = total + torch.stack(window).sum(0)
            window.clear()
    return total, len(window)
def extended(self, x: Tensor, n: int):
    a = [n]
    for i in range(n):
        a.extend([i, i + 1])
        b = a.copy()
        b.append(5)
        a += b[-1:] if False else [i]
    first = a[0]
    return torch.tensor(a), first
def unpacked(self, x: Tensor, n: int):
    a = [n]
    for i in range(2):
        a.append(i)
        if n > 100:
            a.append(n)
    b: List[int] = []
    for v in a:
        b.append(v + 1)
    p, q, r = b
    return p * 100 + q * 10 + r
def past_the_end(self, x: Tensor, n: int):
    a: List[int] = []
    for i in range(n):
        a.append(i)
    return a[2] + a[-3]
def nothing_to_pop(self, x: Tensor, n: int):
    a: List[int] = []
    for i in range(n):
        a.append(i)
    return a.pop() + a.pop()
def new_dimension(self, x: Tensor, n: int):
    outs: List[Tensor] = []
    for i in range(n):
        outs.append(x[:, :1])
    return torch.cat(outs, -1).sum(1)
def written_afterwards(self, x: Tensor, n: int):
    outs: List[Tensor] = []
    for i in range(n):
        outs.append(x + float(i))
    all = torch.stack(outs)
    all.mul_(2.0)
    return all, torch.stack(outs)
def results(self, x: Tensor, n: int):
    outs: List[Tensor] = []
    ids: List[int] = []
    halves: List[float] = []
    flags: List[bool] = []
    for i in range(n):
        outs.append(x * float(i))
        ids.append(i * 3)
        halves.append(float(i) / 2.0)
        flags.append(i % 3 == 0)
    return outs, ids, halves, (flags, {"some": ids[1:4]}), x
def reduced(self, x: Tensor, n: int):
    ids: List[int] = []
    for i in range(n):
        ids.append((i * 7) % 5 - 2)
    total = sum(ids)
    ids.reverse()
    ids.append(9)
    return total, ids, max(ids), min(ids)
def no_maximum(self, x: Tensor, n: int):
    ids: List[int] = []
    for i in range(n - 1):
        ids.append(i)
    return max(ids)
def in_containers(self, x: Tensor, n: int):
    ids: List[int] = []
    for i in range(n):
        ids.append(i + 5)
    named = {"a": ids}
    named["b"] = ids[1:]
    pair = [ids]
    pair.append(named["b"])
    ids.append(3)
    return named, len(pair[1]), len(named["a"]), pair
def until_stop(self, x: Tensor, n: int):
    out: List[int] = []
    token = 0
    h = x
    while True:
        h = torch.sin(h + float(token))
        token = token + 1
        out.append(token)
        if token >= n:
            break
    return torch.tensor(out), out, h
def at_most(self, x: Tensor, n: int):
    out: List[int] = []
    token = 0
    for i in range(100):
        token = token * 3 + 1
        out.append(token)
        if i >= n:
            break
    return out
def known_trips(self, x: Tensor, n: int):
    out: List[Tensor] = []
    i = 0
    while i < 4:
        out.append(x * float(i))
        i += 1
    return out, len(out)
def one_list(self, x: Tensor, n: int):
    rows: List[Tensor] = []
    for i in range(n):
        rows.append(x[i % 2, 0])
    return rows
def searched(self, x: Tensor, n: int):
    ids: List[int] = []
    fs: List[float] = []
    bs: List[bool] = []
    for i in range(n):
        ids.append((i * 7) % 5)
        fs.append(1.5 - float(i % 3))
        bs.append(i % 2 == 1)
    at = ids.index(3) if 3 in ids else -1
    return (at, 4 in ids, 0.5 in fs, ids.count(2), fs.count(-0.5), bs.count(True), any(ids), all(ids), any(bs), all(bs),
            ids == [0, 2, 4], ids != ids[1:], fs == fs[:2], bs == bs[:])
def sorted_lists(self, x: Tensor, n: int):
    ids: List[int] = []
    fs: List[float] = []
    for i in range(n):
        ids.append((i * 7) % 5 - 2)
        fs.append(1.5 - float(i % 3))
    up = sorted(ids)
    ids.sort(reverse=True)
    fs.sort()
    return up, ids, fs, sorted([n, 3, -n])
def moved(self, x: Tensor, n: int):
    ids: List[int] = []
    rows: List[Tensor] = []
    for i in range(n):
        ids.append(i)
        ids.insert(i // 2, -i)
        ids.insert(-2, 100 + i)
        ids.insert(99, 7)
        rows.insert(0, x * float(i))
        rows.insert(1, x.flip(0) + float(i))
    if n > 1:
        ids.remove(7)
        del ids[1]
        del ids[-2]
        ids.append(ids.pop(0))
        rows.append(rows.pop(-2))
        rows.append(rows.pop(1) + 1.0)
    return ids, rows
def extended_by_another(self, x: Tensor, n: int):
    ids: List[int] = []
    rows: List[Tensor] = []
    for i in range(n):
        ids.append(i)
        rows.append(x * float(i))
    other = [1]
    other.extend(ids)
    more = [x, x + 1.0]
    more += rows
    rows.extend(more)
    ids.extend(ids)
    grown: List[int] = []
    for i in range(n):
        grown.extend(other)
        grown += [i]
    return other, [5, 6] + ids, ids + other, more, rows + [x], grown, len(ids + ids)
def not_contained(self, x: Tensor, n: int):
    ids: List[int] = []
    for i in range(n):
        ids.append(i)
    return ids.index(3)
def not_removed(self, x: Tensor, n: int):
    ids: List[int] = []
    for i in range(n):
        ids.append(i)
    ids.remove(2)
    return ids
def past_the_end_deleted(self, x: Tensor, n: int):
    ids: List[int] = []
    for i in range(n):
        ids.append(i)
    del ids[2]
    return ids
"""

# An element is the tensor that was appended; elements are of one form.
REFUSED = {"may share memory": """
def element_changes(self, x: Tensor, n: int):
    h = x.clone()
    outs: List[Tensor] = []
    for i in range(n):
        outs.append(h)
        h.add_(1.0)
    return torch.stack(outs)
def through_the_list(self, x: Tensor, n: int):
    h = x.clone()
    outs = [h]
    for i in range(n):
        outs.append(x)
    outs[n - 1].add_(1.0)
    return torch.stack(outs), h
""", "a list whose length is known only at run time is not supported here": """
def inside_of_another(self, x: Tensor, n: int):
    ids: List[int] = []
    for i in range(n):
        ids.append(i)
    return torch.tensor([ids, ids])
def as_sizes(self, x: Tensor, n: int):
    ids: List[int] = []
    for i in range(n):
        ids.append(i)
    return torch.zeros(ids)
""", "of different ranks or element types": """
def ranks(self, x: Tensor, n: int):
    outs = [x]
    for i in range(n):
        outs.append(x[0])
    return outs[0].sum()
"""}


class History(torch.nn.Module):
    """State that is a list of another length from call to call."""
    seen: List[Tensor]
    ids: List[int]

    def __init__(self):
        super().__init__()
        self.seen = [torch.ones(2, 3)]
        self.ids = []

    def forward(self, x: Tensor, n: int):
        self.seen.append(x * float(len(self.seen)))
        for i in range(n):
            self.ids.append(i)
        if len(self.seen) > 12:
            self.seen.pop()
        return torch.cat(self.seen), len(self.ids)

    @torch.jit.export
    def get(self, x: Tensor, n: int):
        return self.ids, self.seen

    @torch.jit.export
    def forget(self, x: Tensor, n: int):
        self.seen.clear()
        self.ids = self.ids[n:]
        return x


# The sizes of elements differ at run time: an error of the call.
SIZES = """
def sizes(self, x: Tensor, n: int):
    outs: List[Tensor] = []
    for i in range(n):
        outs.append(x[:i])
    return torch.cat(outs)
"""


def check_functions(build, prefix, target):
    archive, wrong = prefix.with_suffix(".pt"), 0
    names = define(SOURCE, archive)
    for sizes, shapes in (("2x3", [(2, 3)]), ("?x?", [(2, 3), (5, 1), (3, 0)])):
        library = prefix.with_suffix(f".{len(shapes)}.so")
        compile_library(build, archive, library, [f"{name}({sizes}xf32, int)" for name in names], target)
        instance, reference = torchlite.Model(library).instance(), torch.jit.load(str(archive))
        for name, shape, n in itertools.product(names, shapes, (0, 1, 2, 3, 8, 9, 20)):
            wrong += check(instance, reference, name, [torch.randn(shape), n])
    print(f"{len(names)} functions")
    return wrong


def check_sizes(build, prefix, target):
    archive, library = prefix.with_suffix(".sizes.pt"), prefix.with_suffix(".sizes.so")
    define(SIZES, archive)
    compile_library(build, archive, library, ["sizes(2x3xf32, int)"], target)
    instance, reference = torchlite.Model(library).instance(), torch.jit.load(str(archive))
    wrong = sum(check(instance, reference, "sizes", [torch.randn(2, 3), n]) for n in (0, 1))
    _, failed = outcome(lambda: instance.call("sizes", to_library(torch.randn(2, 3)), 2))
    if "have different sizes" not in str(failed):
        print(f"sizes: {failed}")
        wrong += 1
    return wrong


def check_state(build, prefix, target):
    archive, library = prefix.with_suffix(".state.pt"), prefix.with_suffix(".state.so")
    torch.jit.script(History()).save(str(archive))
    methods = ["forward", "get", "forget"]
    compile_library(build, archive, library, [f"{name}(2x3xf32, int)" for name in methods], target)
    instance, reference = torchlite.Model(library).instance(), torch.jit.load(str(archive))
    calls = ["get"] + ["forward"] * 14 + ["get", "forget", "get", "forward", "forward", "get"]
    return sum(check(instance, reference, name, [torch.randn(2, 3), n % 4]) for n, name in enumerate(calls))


def check_ownership(build, prefix, target):
    """Items of a result live on when others are gone, and can be given to the next call."""
    instance = torchlite.Model(prefix.with_suffix(".1.so")).instance()
    x = torch.randn(2, 3)
    items, numbers = instance.call("results", to_library(x), 5)[:2]
    last = items[-1]
    del items
    gc.collect()
    again = instance.call("results", last, 3)[0]
    compare((last, again[2], numbers), (x * 4.0, x * 4.0 * 2.0, [0, 3, 6, 9, 12]))


def check_refused(build, prefix):
    wrong = 0
    for message, source in REFUSED.items():
        archive = prefix.with_suffix(".refused.pt")
        for name in define(source, archive):
            run = subprocess.run([build / "bin" / "tl-compile", archive, f"--signature={name}(2x3xf32, int)", "-o",
                                  prefix.with_suffix(".refused.so")], capture_output=True, text=True)
            if run.returncode == 0 or message not in run.stderr:
                print(f"{name}: expected '{message}', but got {run.stderr!r}")
                wrong += 1
    return wrong


def main():
    build, prefix, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    torch.manual_seed(1)
    wrong = check_functions(build, prefix, target) + check_sizes(build, prefix, target)
    wrong += check_state(build, prefix, target)
    check_ownership(build, prefix, target)
    if target == "cpu":
        wrong += check_refused(build, prefix)
    print(f"{wrong} wrong")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
