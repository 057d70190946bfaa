"""Lists and dicts whose structure is known only at run time: lists of lists, of tuples, of tensors of different
sizes, in loops of unknown length, as references to each other; dicts with keys from data. A call gives what
PyTorch gives and raises where PyTorch raises, time after time.

RUN: %python %s %build %t
"""
import itertools
import pathlib
import subprocess
import sys
from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import compile_library  # noqa: E402
from sources import check, define, methods  # noqa: E402

import torchlite  # noqa: E402

# Methods of a matrix and a number.
LISTS = """
def of_lists(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(n):
        row: List[int] = []
        for j in range(i):
            row.append(i * j)
        rows.append(row)
    total = 0
    for row in rows:
        for v in row:
            total += v
    last = rows[-1] if len(rows) > 0 else [7]
    return total, len(rows), last
def references(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(n):
        rows.append([i])
    row = rows[n // 2]
    row.append(100)
    other = rows[n // 2]
    other[0] = -5
    rows.append(row)
    row.append(200)
    return rows[n // 2], rows[-1], len(rows), row
def by_index(self, x: Tensor, n: int):
    rows = [[0] for i in range(n)]
    for t in range(3 * n):
        rows[t % n].append(t)
    total = 0
    for i in range(n):
        total += rows[i][-1] * (i + 1)
    return total, rows[n - 1]
def shared_row(self, x: Tensor, n: int):
    row = [1]
    rows: List[List[int]] = []
    for i in range(n):
        rows.append(row)
    rows[0].append(9)
    return row, rows[-1], len(rows[n // 2])
def of_tuples(self, x: Tensor, n: int):
    hyps: List[Tuple[Tensor, float, List[int]]] = [(x[0], 0.0, [1])]
    for i in range(n):
        state, score, tokens = hyps[-1]
        hyps.append((torch.tanh(state + x[i % x.size(0)]), score + float(i), tokens + [i]))
    best = 0
    for i in range(len(hyps)):
        if hyps[i][1] > hyps[best][1]:
            best = i
    return hyps[best][0], hyps[best][1], hyps[best][2]
def beam(self, x: Tensor, n: int):
    hyps: List[Tuple[List[int], float, Tensor]] = [([1], 0.0, x[0])]
    for step in range(n):
        cand: List[Tuple[List[int], float, Tensor]] = []
        for h in hyps:
            s = torch.tanh(h[2] * 1.5 + x[h[0][-1] % x.size(0)])
            top, idx = s.topk(2)
            for j in range(2):
                cand.append((h[0] + [int(idx[j].item())], h[1] + float(top[j].item()), s))
        order = torch.tensor([c[1] for c in cand]).argsort(descending=True, stable=True)
        hyps = [cand[int(order[k].item())] for k in range(min(3, len(cand)))]
    return hyps[0][0], hyps[0][1], hyps[-1][2], len(hyps)
def of_sizes(self, x: Tensor, n: int):
    parts: List[Tensor] = []
    sizes: List[List[int]] = []
    for i in range(n):
        part = x[:i % (x.size(0) + 1)]
        parts.append(part * float(i))
        sizes.append([i, i % 2])
    y = torch.cat(parts, 0)
    widest = 0
    for p in parts:
        widest = max(widest, p.size(0))
    padded: List[Tensor] = []
    for p in parts:
        padded.append(torch.nn.functional.pad(p, [0, 0, 0, widest - p.size(0)]))
    return y, torch.stack(padded), parts[n // 2], sizes[-1]
def worked_off(self, x: Tensor, n: int):
    stack: List[List[int]] = [[0]]
    seen = 0
    while len(stack) > 0:
        top = stack.pop()
        seen += top[0] + len(top)
        if top[0] < n:
            stack.append([top[0] + 1] + top)
            stack.insert(0, [top[0] + 3, seen])
    return seen
def cut(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(n):
        rows.append([i, i + 1])
    first = rows[:n // 2]
    every = rows[1::2]
    last = rows[-2:]
    first.append([9])
    last[0].append(77)
    del rows[0]
    rows.reverse()
    rows.extend(first)
    both = rows + every
    rows.clear()
    total = 0
    for r in both:
        total = total * 3 + r[-1]
    return total, len(rows), len(first), len(every), both[-1]
def compared(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    found = 0
    for i in range(n):
        row = [i % 3, i % 2]
        if i < 3 or rows[-1] != row:
            rows.append(row)
        if rows[0] == row:
            found += 1
        if 2 in rows[-1]:
            found += 10
    return found, len(rows)
def chosen(self, x: Tensor, n: int):
    done: List[Tuple[List[int], float]] = []
    live: List[Tuple[List[int], float]] = []
    for i in range(n):
        if i % 2 == 0:
            done.append(([i], float(i)))
        else:
            live.append(([i, i], -float(i)))
    best = done if len(done) > 2 else live
    if len(best) > 0:
        best.append(([3], 0.5))
    return len(done), len(live), best[-1][1] if len(best) > 0 else 0.25
def optionals(self, x: Tensor, n: int):
    cache: List[Optional[Tensor]] = []
    for i in range(n):
        if i % 2 == 0:
            cache.append(None)
        else:
            cache.append(x * float(i))
    total = x * 0.
    missing = 0
    for c in cache:
        if c is None:
            missing += 1
        else:
            total = total + c
    return total, missing
def until_done(self, x: Tensor, n: int):
    even: List[float] = []
    odd: List[float] = []
    outs = [even, odd]
    t = 0
    while True:
        v = float(x[t % x.size(0), 0].item()) + float(t)
        outs[t % 2].append(v)
        t += 1
        if t >= n:
            break
    return outs[0], outs[1]
def of_types(self, x: Tensor, n: int):
    rows: List[Tuple[Tensor, Tensor, Tensor, Tensor, Tensor]] = []
    bytes: List[List[Tensor]] = []
    for i in range(n):
        y = x * 200. - 30.
        rows.append((y.abs().to(torch.uint8), (x * 100.).to(torch.int8), x > 0.5, x.to(torch.float16), y.to(torch.int64)))
        bytes.append([y.abs().to(torch.uint8)])
    total = x.to(torch.int64) * 0
    for b in bytes:
        total = total + b[0]
    return rows, bytes, total
def texts_and_first_trip(self, x: Tensor, n: int):
    s = "a"
    h: Optional[Tensor] = None
    names: List[str] = []
    for i in range(n):
        s = "b" if i % 2 == 0 else "cc"
        names.append(s + "a")
        if h is None:
            h = x
        else:
            h = h + 1.
    return s, names, len(s)
def tree_of_parents(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    outer: List[List[List[int]]] = []
    for i in range(n):
        rows.append([i])
        outer.append(rows)
        outer[0].append([i, i])
    return rows, len(outer), outer
def raised_half_way(self, x: Tensor, n: int):
    d: Dict[int, List[Tensor]] = {}
    for i in range(n):
        d[i] = [x * float(i)]
        assert i < 4, "too many"
    return d
def left_early(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(n):
        row: List[int] = []
        for j in range(i):
            row.append(j)
            if j > 2:
                return rows, row
        rows.append(row)
    return rows, [7]
def exchanged(self, x: Tensor, n: int):
    a: List[List[int]] = [[0], [1]]
    for i in range(n):
        a.append([i])
        t = a[0]
        a[0] = a[-1]
        a[-1] = t
        t.append(i)
    return a
def of_nothing_or_lists(self, x: Tensor, n: int):
    rows: List[Optional[List[int]]] = []
    for i in range(n):
        rows.append(None if i % 2 == 0 else [i])
    for row in rows:
        if row is not None:
            row.append(5)
    return rows
def numbers(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(n):
        rows.append([i, -1])
    return max(rows[-1]), min(rows[0]), sum(rows[-1]), torch.tensor(rows[n // 2])
def repeated(self, x: Tensor, n: int):
    rows = [[0] * n for i in range(n)]
    rows[n - 1][0] = 5
    same = [[1]] * n
    same[0].append(2)
    return rows[n - 1], rows[0], same[n - 1], len(same)
def past_the_end(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(n):
        rows.append([i])
    return rows[2][0]
def popped_empty(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(n):
        rows.append([i])
    rows.pop()
    rows.pop()
    return len(rows)
def wrong_sizes(self, x: Tensor, n: int):
    rows: List[Tensor] = []
    for i in range(n):
        rows.append(x[:i % 2 + 1])
    return torch.stack(rows)
"""

# Lists that are known until they are put somewhere; and what is one object.
OBJECTS = """
def box_in_arm(self, x: Tensor, n: int):
    a = [1, 2]
    rows: List[List[int]] = []
    for i in range(n):
        rows.append([i])
    if n > 2:
        rows.append(a)
    rows[-1].append(7)
    a.append(8)
    return a, rows[-1]
def box_in_both_arms(self, x: Tensor, n: int):
    a = [1, 2]
    b = [3]
    rows: List[List[int]] = []
    for i in range(n):
        rows.append([i])
    if n > 2:
        rows.append(a)
    else:
        rows.append(b)
    rows[-1].append(7)
    return a, b, rows[-1], len(rows)
def box_in_loop(self, x: Tensor, n: int):
    a = [1, 2]
    rows: List[List[int]] = []
    for i in range(n):
        a.append(i)
        rows.append(a)
    a[0] = 77
    return a, len(rows), rows
def box_behind(self, x: Tensor, n: int):
    a = [1, 2]
    b = a
    rows: List[List[int]] = []
    for i in range(n):
        rows.append([i])
    rows.append(b)
    a.append(5)
    rows[-1].append(6)
    return a, b, rows
def nested_static(self, x: Tensor, n: int):
    inner = [1]
    pair = [inner, [2]]
    rows: List[List[List[int]]] = []
    for i in range(n):
        rows.append([[i]])
    rows.append(pair)
    inner.append(9)
    rows[-1][0].append(10)
    pair[1].append(11)
    return inner, pair, rows
def nan_equal(self, x: Tensor, n: int):
    v = float(n) * float('inf') - float(n) * float('inf')
    rows: List[List[float]] = []
    for i in range(n):
        rows.append([v])
    rows.append([v])
    return rows[0] == rows[0], rows[0] == rows[-1], rows[0] != rows[-1], v in rows[0]
def twice(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(n):
        rows.append([i])
    return rows, rows, {"a": rows}, [rows, rows], (rows, n)
def empties(self, x: Tensor, n: int):
    a: List[List[int]] = []
    t: List[Tuple[Tensor, int]] = []
    d: Dict[int, List[int]] = {}
    for i in range(n):
        if i > 100:
            a.append([i])
            t.append((x, i))
            d[i] = [i]
    return a, t, d
def empty_tensors(self, x: Tensor, n: int):
    a: List[List[Tensor]] = []
    for i in range(n):
        b: List[Tensor] = []
        a.append(b)
    return a
def is_same(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(n):
        rows.append([i])
    rows.append(rows[0])
    return rows[0] is rows[-1], rows[0] is rows[1], rows[0] is not rows[-1]
def negatives(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(3):
        for j in range(n):
            rows.append([i, j])
    return rows[-n], rows[-1], rows[n - 1]
def out_of_range(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(4):
        if n > 0:
            rows.append([i])
    return rows[n]
def out_of_range_neg(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(n):
        rows.append([i])
    return rows[-n - 1 + n // 3]
def set_range(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(3):
        if n > -1:
            rows.append([i])
    rows[n] = [5]
    rows[-n] = [6]
    return rows
def slices(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(6):
        if n > -1:
            rows.append([i])
    return rows[n:], rows[:-n], rows[-n:n + 2], rows[n:1], rows[::2], rows[1:n:3], rows[-100:100], rows[n - 3:n]
def deleted(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(5):
        if n > -10:
            rows.append([i])
    del rows[n - 1]
    rows.insert(-n, [9])
    rows.insert(100, [10])
    rows.insert(-100, [11])
    a = rows.pop(n - 2)
    return rows, a
def grown_while_read(self, x: Tensor, n: int):
    rows: List[List[int]] = []
    for i in range(n):
        rows.append([i])
    for r in rows:
        if len(rows) > 2:
            rows.pop()
    return rows
def widened(self, x: Tensor, n: int):
    ts: List[Tensor] = [x[0]]
    out: List[List[Tensor]] = []
    for i in range(n):
        last = ts[-1]
        ts.append(torch.cat([last, x[0]]))
        out.append([last])
    return ts, out
def arms_of_lists(self, x: Tensor, n: int):
    rows = [[1], [2, 3]]
    if n > 2:
        rows = [[4]]
    elif n > 1:
        rows.append([5])
    rows[0].append(n)
    return rows
def calls_itself(self, x: Tensor, n: int):
    a = [0]
    out: List[List[int]] = []
    for k in range(2):
        rows: List[List[int]] = []
        for i in range(n):
            rows.append(a)
        out.extend(rows)
        a = [k]
    return out, a
def write_before(self, x: Tensor, n: int):
    h = x[0].clone()
    h.add_(1.0)
    rows: List[Tuple[Tensor, int]] = []
    for i in range(n):
        rows.append((h, i))
    return rows[0][0], len(rows)
"""

DICTS = """
def counted(self, x: Tensor, n: int):
    counts: Dict[int, int] = {}
    for i in range(3 * n):
        key = (i * i) % 7
        if key in counts:
            counts[key] += 1
        else:
            counts[key] = 1
    total = 0
    for k, v in counts.items():
        total = total * 5 + k * v
    return total, len(counts), [k for k in counts.keys()], [v for v in counts.values()]
def groups_of_lists(self, x: Tensor, n: int):
    groups: Dict[int, List[int]] = {}
    for i in range(n):
        if i % 3 not in groups:
            empty: List[int] = []
            groups[i % 3] = empty
        groups[i % 3].append(i)
    group = groups[0]
    group.append(50)
    return groups[0], len(groups), group
def of_tensors(self, x: Tensor, n: int):
    states: Dict[int, Tensor] = {}
    for i in range(n):
        old = states.get(i % 2)
        if old is None:
            states[i % 2] = x[i % x.size(0)]
        else:
            states[i % 2] = old * 0.5 + 1.
    return states[0], states.get(1, x[0])
def removed(self, x: Tensor, n: int):
    d: Dict[int, float] = {}
    for i in range(n):
        d[i] = float(i) * 0.5
    if n > 2:
        del d[1]
        last = d.pop(2)
        d[1] = last + 10.
    e = d.copy()
    e.update({0: 9., 100: 1.})
    return d.pop(77, -1.), len(d), [v for v in d.values()], [k for k in e.keys()], d.get(1, 3.), e.setdefault(5, 8.)
def by_float(self, x: Tensor, n: int):
    d: Dict[float, int] = {}
    for i in range(n):
        d[float(i % 3) * 0.5] = i
    return d[0.0], len(d), 0.5 in d
def by_name(self, x: Tensor, n: int):
    d: Dict[str, int] = {"a": 1}
    names = ["a", "bb", "c"]
    for i in range(n):
        name = names[i % 3]
        if name in d:
            d[name] += i
        else:
            d[name] = 100
    return d["a"], len(d), d.get("c", -1)
def missing(self, x: Tensor, n: int):
    d: Dict[int, int] = {}
    for i in range(n):
        d[i] = i
    return d[2]
def missing_popped(self, x: Tensor, n: int):
    d: Dict[int, int] = {}
    for i in range(n):
        d[i * 2] = i
    d.pop(3)
    return len(d)
def nan_keys(self, x: Tensor, n: int):
    d: Dict[float, int] = {}
    for i in range(n):
        v = float(i) * float('inf') - float('inf')
        d[v] = i
        d[float(i % 2) * -0.0] = i
        d[0.0] = 5 + i
    ks = [k for k in d.keys()]
    return len(d), [v for v in d.values()], ks
def zero_key(self, x: Tensor, n: int):
    d: Dict[float, int] = {}
    for i in range(n + 1):
        d[-0.0 * float(i + 1)] = i
        d[0.0 * float(i + 1)] = i + 10
    return d
def bool_keys(self, x: Tensor, n: int):
    d: Dict[int, int] = {}
    for i in range(n):
        d[int(i > 1)] = i
        d[i] = 3
    return d, 1 in d, d.get(int(n > 0), 5)
def bool_dict(self, x: Tensor, n: int):
    d: Dict[bool, List[int]] = {}
    for i in range(n):
        if (i > 1) not in d:
            e: List[int] = []
            d[i > 1] = e
        d[i > 1].append(i)
    return len(d), d
def order2(self, x: Tensor, n: int):
    d: Dict[int, int] = {}
    for i in range(n):
        d[i * 7 % 5] = i
    if n > 2:
        d[2] = 50
        del d[0]
        d[0] = 60
        d.pop(2)
        d.update({3: 3, 2: 2})
    return d, [k for k in d.keys()]
"""

REFUSED = {"cannot hold Tuple": """
def row_changes(self, x: Tensor, n: int):
    h = x[0].clone()
    rows: List[Tuple[Tensor, int]] = []
    for i in range(n):
        rows.append((h, i))
        h.add_(1.0)
    return rows[0][0]
def through_the_list(self, x: Tensor, n: int):
    rows: List[Tuple[Tensor, int]] = []
    for i in range(n):
        rows.append((x * 2., i))
    rows[n // 2][0].add_(1.)
    return rows[0][0]
""", "'is' between tuples": """
def is_tuple(self, x: Tensor, n: int):
    rows: List[Tuple[int, int]] = []
    for i in range(n):
        rows.append((i, i))
    return rows[0] is rows[0], len(rows)
"""}


def run(source, build, folder, options):
    archive = folder / "m.pt"
    names = define(source, archive)
    library = folder / f"m{next(COUNT)}.so"
    compile_library(build, archive, library, [f"{n}(?x4xf32, int)" for n in names], options=options)
    instance, reference = torchlite.Model(library).instance(), torch.jit.load(str(archive))
    torch.manual_seed(1)
    failed = 0
    for n in [3, 0, 1, 5, 2, 8, 3]:
        for name in names:
            if n == 8 and name == "worked_off":
                continue
            failed += check(instance, reference, name, [torch.rand(3, 4), n])
    return failed


def refused(build, folder):
    failed = 0
    for message, source in REFUSED.items():
        for text, name in methods(source):
            archive = folder / "refused.pt"
            define("\n" + text, archive)
            result = subprocess.run([build / "bin" / "tl-compile", archive, "-o", folder / "refused.so", f"--signature={name}(?x4xf32, int)"],
                                    capture_output=True, text=True)
            if result.returncode != 1 or message not in result.stderr or ".py" not in result.stderr + ".py":
                print(f"{name}: expected '{message}', but got {result.returncode}: {result.stderr}")
                failed += 1
    return failed


COUNT = itertools.count()


def main():
    build, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    sources = {"lists": LISTS, "objects": OBJECTS, "dicts": DICTS}
    if len(sys.argv) > 3:  # some methods, for a person
        wanted = sys.argv[3:]
        return sum(run("\n" + text, build, folder, []) for source in sources.values() for text, name in methods(source) if name in wanted)
    return sum(run(source, build, folder, []) for source in sources.values()) + refused(build, folder)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
