"""Names that stand for one of several things: tensors, views, lists and dicts that are one object or two,
depending on conditions and trips; copies that depend on strides; state that shares memory. A call gives
what PyTorch gives, or the method is refused with a reason; `refused` says which are.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import itertools
import pathlib
import subprocess
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import compile_library, to_library  # noqa: E402
from sources import check, define, outcome  # noqa: E402

import torchlite  # noqa: E402

# Methods of a tensor `x` of 3x4 and two conditions.
SOURCE = """
def windows_written(self, x: Tensor, c: bool, d: bool):
    y = x.clone()
    w = y.unfold(1, 2, 2)
    w.mul_(10.0)
    v = y.unfold(0, 1, 2)
    v.add_(1.0)
    y[2, 3] = 5.0
    return y, w, v, y.unfold(1, 3, 1)
def strided_written(self, x: Tensor, c: bool, d: bool):
    y = x.clone()
    v = y.as_strided([3, 2], [4, 1], 1)
    v.add_(100.0)
    y[0, 1] = -7.0
    overlapping = y.as_strided([4, 3], [1, 1])
    y[0, 2] += 1.0
    return y, v, overlapping
def two_deep(self, x: Tensor, c: bool, d: bool):
    a = x.clone()
    b = x * 2.0
    j = a if c else b
    k = j if d else x * 3.0
    k.add_(1.0)
    return a, b, k
def two_deep_read(self, x: Tensor, c: bool, d: bool):
    a = x.clone()
    b = x * 2.0
    j = a if c else b
    k = j if d else x * 3.0
    a.add_(100.0)
    b.mul_(2.0)
    return k, j
def no_write(self, x: Tensor, c: bool, d: bool):
    a = -x
    b = a if c else x * 3.0
    k = b if d else a
    return b, x, a, k
def fresh_in_arms(self, x: Tensor, c: bool, d: bool):
    if c:
        a = x * 2.0
        b = a
    else:
        a = x * 2.0
        b = x * 2.0
    a.add_(10.0)
    return b
def view_in_arm(self, x: Tensor, c: bool, d: bool):
    if c:
        a = x * 2.0
        b = a[1:]
    else:
        a = x * 2.0
        b = x[1:] * 2.0
    a.add_(10.0)
    return b
def list_in_arms(self, x: Tensor, c: bool, d: bool):
    if c:
        a = [x]
        b = a
    else:
        a = [x]
        b = [x]
    a.append(x * 2.0)
    return len(b), b[0]
def ints_in_arms(self, x: Tensor, c: bool, d: bool):
    if c:
        a = [1, 2]
        b = a
    else:
        a = [1, 2]
        b = [1, 2]
    a[0] = 10
    return b[0]
def dict_in_arms(self, x: Tensor, c: bool, d: bool):
    if c:
        a = {"k": x}
        b = a
    else:
        a = {"k": x}
        b = {"k": x + 1.0}
    a["k"] = x * 10.0
    return b["k"]
def nested_lists(self, x: Tensor, c: bool, d: bool):
    inner = [x]
    other = [x * 2.0]
    l = [inner if c else other]
    inner.append(x)
    return len(l[0])
def reshape_of_reshape(self, x: Tensor, c: bool, d: bool):
    y = x.clone()
    s = y[:, :2].reshape(6).reshape(3, 2)
    s.add_(100.0)
    return y, s
def reshape_kept(self, x: Tensor, c: bool, d: bool):
    y = x.clone()
    s = y[:2].reshape(2, 2, 2).flatten()
    y.add_(100.0)
    return s
def transposed(self, x: Tensor, c: bool, d: bool):
    y = x.clone()
    a = y.t().contiguous()
    b = y.t().t().contiguous()
    a.add_(1.0)
    b.mul_(2.0)
    return y, a, b, y.t().stride(), y.t().clone().is_contiguous()
def expanded_copied_to_itself(self, x: Tensor, c: bool, d: bool):
    m = x[0].expand(2, 4)
    if c:
        m.copy_(m)
    return m, x
def parts_that_do_not_overlap(self, x: Tensor, c: bool, d: bool):
    y = x * 1.0
    y[0].add_(y[1])
    y[:, 0] = y[:, 1]
    y[1:].mul_(y[1:])
    y.view(12).sub_(y.view(6, 2).reshape(12))
    y[0, 1:3].copy_(y[2, :2])
    return y
def expanded_by_one(self, x: Tensor, c: bool, d: bool):
    y = x.clone()
    y.expand(1, 3, 4).add_(1.0)
    return y
def rebound_in_loop(self, x: Tensor, c: bool, d: bool):
    a = x.clone()
    b = x * 2.0
    k = x + 1.0
    for i in range(int(c) * 2):
        a, b = b, a
    if d:
        b = k
    return a, b, k
"""

# Which of two is written depends on the number of trips: the program has to tell (Identities.cpp).
LOOPS = """
def loop_tensor(self, x: Tensor, n: int):
    a = x.clone()
    k = x * 2.0
    for i in range(n):
        k = a
    k.add_(1.0)
    return a, k
def previous(self, x: Tensor, n: int):
    before = x * 1.0
    now = x * 2.0
    for i in range(n):
        before = now
        now.mul_(2.0)
    now.add_(1.0)
    return before, now
def swapped(self, x: Tensor, n: int):
    a = x.clone()
    b = x + 10.0
    for i in range(n):
        a, b = b, a
        a += 1.0
    b[0] = 7.0
    return a, b
def one_new_tensor(self, x: Tensor, n: int):
    a = x * 1.0
    b = x * 2.0
    for i in range(n):
        t = a + b
        a = t
        b = t
    a.add_(10.0)
    return a, b
def three_back(self, x: Tensor, n: int):
    a = x * 1.0
    b = x * 2.0
    c = x * 3.0
    for i in range(n):
        c = b
        b = a
        a = a + 1.0
        if i % 3 == 2:
            a = c
        c.mul_(2.0)
    a.sub_(5.0)
    return a, b, c
def nested(self, x: Tensor, n: int):
    a = x * 1.0
    b = x * 2.0
    k = a
    for i in range(n):
        for j in range(i):
            a, b = b, a + float(j)
            k.add_(1.0)
        k = b
        b.mul_(2.0)
    k.neg_()
    return a, b, k
def by_condition_in_loop(self, x: Tensor, n: int):
    a = x * 1.0
    b = x * 2.0
    k = b
    while n > 0:
        if n % 2 == 0:
            k = a
        else:
            t = x * float(n)
            k = t
            b = t
        k.add_(1.0)
        n -= 1
    b.mul_(3.0)
    return a, b, k
def then_by_condition(self, x: Tensor, n: int):
    a = x * 1.0
    b = x * 2.0
    k = b
    for i in range(n):
        k = a
    m = k if n < 3 else x * 3.0
    m.add_(100.0)
    return a, b, m
def element_of_list(self, x: Tensor, n: int):
    a = x * 1.0
    l = [x * 2.0, x * 3.0]
    for i in range(n):
        l[0] = a
        a = l[1]
    l[0].add_(100.0)
    return a, l[0], l[1]
def argument(self, x: Tensor, n: int):
    k = x * 2.0
    for i in range(n):
        k = x
    k[1:] = 3.0
    return k, x + 0.0
def same_values(self, x: Tensor, n: int):
    a = x.clone()
    k = x + 1.0
    a.copy_(k)
    for i in range(n):
        k = a
        a = a + 1.0
    a.add_(1.0)
    return a, k
def argument_reshaped(self, x: Tensor, n: int):
    v = x.reshape(-1)
    k = x * 2.0
    for i in range(n):
        k = x
    k.add_(1.0)
    return v, x + 0.0
def two_loops(self, x: Tensor, n: int):
    a = x.clone()
    b = x + 1.0
    k = a
    for i in range(n):
        a, b = b, a
    for i in range(n - 1):
        k = b
        b.add_(1.0)
    k.t().mul_(2.0)
    return a, b, k
# From the first trip on, a name stands for another list or part: the first trip is walked apart.
def loop_list(self, x: Tensor, n: int):
    l = [x]
    m = [x * 2.0]
    for i in range(n):
        l = m
    m[0] = x * 5.0
    return l[0]
def loop_list_of_before(self, x: Tensor, n: int):
    l = [x]
    k = l
    m = [x * 2.0]
    for i in range(n):
        l = m
    k[0] = x * 7.0
    return l[0], k[0]
def loop_list_written_inside(self, x: Tensor, n: int):
    l = [x, x + 1.0]
    k = l
    m = [x * 2.0, x * 4.0]
    for i in range(n):
        l[0] = l[1] + 1.0
        l = m
    m[1] = x * 5.0
    return l[0], l[1], k[0]
def loop_list_until(self, x: Tensor, n: int):
    l = [x]
    m = [x * 2.0]
    k = 0
    while k < n:
        l = m
        k += 2
        if k == 4:
            break
    m[0] = x * 5.0
    return l[0] + k
def loop_dict(self, x: Tensor, n: int):
    d = {"a": x}
    e = {"a": x * 2.0}
    for i in range(n):
        d = e
        d["a"] = d["a"] + 1.0
    e["a"] = x * 5.0
    return d["a"]
def loop_part(self, x: Tensor, n: int):
    a = x.clone()
    k = x[1:] * 2.0
    for i in range(n):
        k = a[1:]
    k.add_(1.0)
    return a, k
def loop_part_of_two(self, x: Tensor, n: int):
    a = x.clone()
    k = a[1:]
    for i in range(n):
        k.mul_(2.0)
        k = a[:2]
    k.add_(1.0)
    a[1].sub_(3.0)
    return a, k
def loop_part_reshaped(self, x: Tensor, n: int):
    a = (x * 1.0).unsqueeze(2).repeat(1, 1, 2)
    k = torch.zeros(6, 4)
    for i in range(n):
        k = a[:, :, :2].reshape(6, 4)
    k.add_(1.0)
    return a, k
def loop_rank(self, x: Tensor, n: int):
    h = x.sum()
    for i in range(n):
        h = x[i % 3] * h
    return (h * 2.0).sum()
"""

# These must be refused: which list, or which part of a tensor, depends on more than whether there was a trip.
REFUSED = """
def loop_list_nested(self, x: Tensor, n: int):
    l = [1, 2]
    m = [3, 4]
    for i in range(n):
        m[1] += 1
        for j in range(n - 2):
            l = m
    m[0] = 50
    return l[0] + l[1]
def loop_swapped_lists(self, x: Tensor, n: int):
    l = [x]
    m = [x * 2.0]
    for i in range(n):
        l, m = m, l
    m[0] = x * 5.0
    return l[0], m[0]
def loop_swapped_parts(self, x: Tensor, n: int):
    a = x.clone()
    k, q = a[1:], a[:2]
    for i in range(n):
        k, q = q, k
    k.add_(1.0)
    return a, k, q
"""

# These raise in PyTorch, so they raise here.
RAISE = """
def view_of_transposed(self, x: Tensor, c: bool, d: bool):
    y = x * 1.0
    z = y
    if c:
        z = y.t().view(12).reshape(3, 4)
    return z
def next_to_itself(self, x: Tensor, c: bool, d: bool):
    y = x * 1.0
    if c:
        y[1:].add_(y[:2])
    return y
def shifted_by_one(self, x: Tensor, c: bool, d: bool):
    y = x.flatten() * 1.0
    if c:
        y[1:] = y[:-1]
    return y
def transposed_to_itself(self, x: Tensor, c: bool, d: bool):
    y = x.flatten()[:9].view(3, 3) * 1.0
    if d:
        y.mul_(y.t())
    return y
def part_to_whole(self, x: Tensor, c: bool, d: bool):
    y = x * 1.0
    y.sub_(y[0] if c else x[0])
    return y
"""


class State(torch.nn.Module):
    """Attributes that share a storage: one tensor, a view, the elements of a list."""

    def __init__(self):
        super().__init__()
        whole = torch.zeros(4)
        self.register_buffer("a", whole[:3])
        self.register_buffer("b", whole[1:])
        matrix = torch.ones(3, 3)
        self.register_buffer("w", matrix)
        self.register_buffer("wt", matrix.t())
        self.l = [whole, whole]
        self.register_buffer("cache", torch.zeros(0, 3))

    def forward(self, x):
        self.a.add_(x)
        self.w[0].add_(x)
        return self.b + 0.0, self.wt @ x, self.l[1] * 1.0

    @torch.jit.export
    def assign(self, x):
        self.a = x * 2.0
        self.l[0].add_(1.0)
        return self.b + 0.0, self.l[1] + 0.0

    @torch.jit.export
    def grow(self, x):
        self.cache = torch.cat([self.cache, x.view(1, 3)])
        return self.cache.sum(0), self.cache.size(0)


def check_functions(build, prefix, target):
    source, wrong = SOURCE + RAISE.lstrip("\n"), 0
    archive = prefix.with_suffix(".pt")
    names = define(source, archive)
    library = prefix.with_suffix(".so")
    compile_library(build, archive, library, [f"{name}(3x4xf32, bool, bool)" for name in names], target)
    instance, reference = torchlite.Model(library).instance(), torch.jit.load(str(archive))
    for name, c, d in itertools.product(names, (True, False), (True, False)):
        wrong += check(instance, reference, name, [torch.randn(3, 4), c, d])
    print(f"{len(names)} functions")
    return wrong


def check_loops(build, prefix, target):
    archive, wrong = prefix.with_suffix(".loops.pt"), 0
    names = define(LOOPS, archive)
    for sizes in ("3x4", "?x?"):
        library = prefix.with_suffix(".loops.so")
        compile_library(build, archive, library, [f"{name}({sizes}xf32, int)" for name in names], target)
        instance, reference = torchlite.Model(library).instance(), torch.jit.load(str(archive))
        for name, n in itertools.product(names, (0, 1, 2, 3, 6)):
            wrong += check(instance, reference, name, [torch.randn(3, 4), n])
        # What a reshape shares depends on strides, and on the trips what is written.
        _, refused = outcome(lambda: instance.call("argument_reshaped", to_library(torch.randn(4, 3).t()), 1))
        if "is not contiguous" not in str(refused):
            print(f"argument_reshaped: {refused or 'answers'}")
            wrong += 1
    return wrong


def check_refused(build, prefix):
    archive, wrong = prefix.with_suffix(".refused.pt"), 0
    for name in define(REFUSED, archive):
        run = subprocess.run([build / "bin" / "tl-compile", archive, f"--signature={name}(3x4xf32, int)",
                              "-o", prefix.with_suffix(".refused.so")], capture_output=True, text=True)
        if run.returncode == 0 or "may share memory" not in run.stderr or "note: which one" not in run.stderr:
            print(f"{name}: expected a refusal that names both lines, but got {run.stderr!r}")
            wrong += 1
    return wrong


def check_state(build, prefix, target):
    archive, library, wrong = prefix.with_suffix(".state.pt"), prefix.with_suffix(".state.so"), 0
    torch.jit.script(State()).save(str(archive))
    order = ["forward", "forward", "grow", "assign", "forward", "grow", "grow", "assign", "forward", "grow", "grow"]
    compile_library(build, archive, library, [f"{name}(3xf32)" for name in sorted(set(order))], target)
    instance, reference = torchlite.Model(library).instance(), torch.jit.load(str(archive))
    for name in order:
        wrong += check(instance, reference, name, [torch.randn(3)])
    return wrong


def main():
    build, prefix, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    torch.manual_seed(1)
    wrong = check_functions(build, prefix, target) + check_state(build, prefix, target)
    wrong += check_loops(build, prefix, target)
    if target == "cpu":
        wrong += check_refused(build, prefix)
    print(f"{wrong} wrong")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
