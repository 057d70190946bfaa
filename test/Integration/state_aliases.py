"""State that shares memory with other state from call to call: one tensor, views of it, lists and dicts that
are one object. Methods write in place, share and separate; every call gives what PyTorch gives.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import sys
from typing import Dict, List

import torch
from torch import Tensor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import Mismatch, compare, compile_library, to_library  # noqa: E402

import torchlite  # noqa: E402


class OneTensor(torch.nn.Module):
    """Two attributes that are one tensor after the first call."""

    def __init__(self):
        super().__init__()
        self.register_buffer("a", torch.zeros(3))
        self.register_buffer("b", torch.ones(3))

    def forward(self, x: Tensor):
        self.a.add_(1.0)
        result = self.b + x
        y = self.a + x
        self.a = y
        self.b = y
        return result

    @torch.jit.export
    def separate(self, x: Tensor):
        self.b = self.b + x
        self.b.mul_(2.0)
        return self.a + 0.0


class View(torch.nn.Module):
    """An attribute that is a part of another one, or not."""

    def __init__(self):
        super().__init__()
        self.register_buffer("base", torch.zeros(4))
        self.register_buffer("part", torch.zeros(3))

    def forward(self, x: Tensor):
        self.part.mul_(2.0)
        self.base[1] = 3.0
        return self.base + 0.0, self.part + x

    @torch.jit.export
    def share(self, x: Tensor):
        self.part = self.base[1:]
        self.part.add_(x)
        return self.base + 0.0

    @torch.jit.export
    def separate(self, x: Tensor):
        self.part = x + 1.0
        return self.base * 2.0


class Views(torch.nn.Module):
    """Two attributes that overlap in a tensor that no attribute is."""

    def __init__(self):
        super().__init__()
        self.register_buffer("rows", torch.zeros(2, 3))
        self.register_buffer("column", torch.zeros(3))

    def forward(self, x: Tensor):
        self.column.add_(1.0)
        result = self.rows + x
        t = torch.stack([self.column, x, x])
        self.rows = t[1:]
        self.column = t.t()[0]
        self.rows[0, 0] = 5.0
        return result, self.column + 0.0


class Elements(torch.nn.Module):
    """Elements of a list, and an attribute, that are one tensor."""
    tensors: List[Tensor]

    def __init__(self):
        super().__init__()
        self.tensors = [torch.zeros(3), torch.ones(3)]
        self.register_buffer("b", torch.zeros(3))

    def forward(self, x: Tensor):
        self.tensors[0].add_(x)
        self.b.mul_(2.0)
        return self.tensors[1] + 0.0, self.b + 0.0

    @torch.jit.export
    def share(self, x: Tensor):
        self.tensors[1] = self.tensors[0]
        self.b = self.tensors[0]
        return x


class Lists(torch.nn.Module):
    """Two attributes that are one list, or one dict, or two."""
    one: List[Tensor]
    two: List[Tensor]
    first: Dict[str, Tensor]
    second: Dict[str, Tensor]

    def __init__(self):
        super().__init__()
        self.one = [torch.zeros(3)]
        self.two = [torch.ones(3)]
        self.first = {"a": torch.zeros(3)}
        self.second = {"a": torch.ones(3)}

    def forward(self, x: Tensor):
        self.one[0] = x + self.one[0]
        self.first["a"] = self.first["a"] - x
        return self.two[0] + 0.0, self.second["a"] + 0.0

    @torch.jit.export
    def share(self, x: Tensor):
        self.two = self.one
        self.second = self.first
        return x

    @torch.jit.export
    def separate(self, x: Tensor):
        self.two = list(self.one)
        self.second = {"a": self.first["a"]}
        return x


class Constants(torch.nn.Module):
    """A list and a dict that no method sets or changes, until another attribute is them."""
    table: List[Tensor]
    tables: List[List[Tensor]]
    named: Dict[str, Tensor]
    row: List[Tensor]
    rows: List[Tensor]
    entries: Dict[str, Tensor]

    def __init__(self):
        super().__init__()
        self.table = [torch.zeros(3), torch.ones(3)]
        self.tables = [[torch.zeros(3)], [torch.ones(3)]]
        self.named = {"p": torch.ones(3)}
        self.row = [torch.full((3,), 2.0)]
        self.rows = [torch.full((3,), 3.0)]
        self.entries = {"p": torch.zeros(3)}

    def forward(self, x: Tensor):
        self.row.clear()
        self.row.append(x)
        self.rows[0] = self.rows[0] + x
        self.entries["p"] = x * 2.0
        return len(self.table), self.table[0] + 0.0, self.tables[1][0] + 0.0, self.named["p"] + 0.0

    @torch.jit.export
    def share(self, x: Tensor):
        self.row = self.table
        self.rows = self.tables[1]
        self.entries = self.named
        return x

    @torch.jit.export
    def separate(self, x: Tensor):
        self.rows = list(self.tables[1])
        self.row = [self.table[0]]
        return x


class Moved(torch.nn.Module):
    """An element that shares its memory, and is written where it was moved to in another call."""
    first: List[Tensor]
    second: List[Tensor]

    def __init__(self):
        super().__init__()
        self.register_buffer("a", torch.zeros(3))
        self.first = [torch.ones(3)]
        self.second = [torch.full((3,), 2.0)]

    def forward(self, x: Tensor):
        self.second[0].add_(x)
        return self.a + 0.0, self.first[0] + 0.0, self.second[0] + 0.0

    @torch.jit.export
    def share(self, x: Tensor):
        self.a = x + 2.0
        self.first[0] = self.a
        return x

    @torch.jit.export
    def move(self, x: Tensor):
        self.first, self.second = self.second, self.first
        return x


class Swapped(torch.nn.Module):
    """Two attributes that a loop swaps: which is which depends on the number of trips."""

    def __init__(self):
        super().__init__()
        self.register_buffer("front", torch.zeros(3))
        self.register_buffer("back", torch.ones(3))

    def forward(self, x: Tensor):
        for i in range(int(x[0].abs() * 7.0)):
            front = self.front
            self.front = self.back
            self.back = front
            self.front[i % 3] += x[i % 3]
        return self.front * 10.0 + self.back


class Caches(torch.nn.Module):
    """Lists and dicts that stay what they are, and whose tensors are written: each is state of its own."""
    caches: List[Tensor]
    named: Dict[str, Tensor]

    def __init__(self):
        super().__init__()
        self.caches = [torch.zeros(3), torch.ones(3), torch.full((3,), 2.0)]
        self.named = {"p": torch.zeros(3), "q": torch.ones(3)}

    def forward(self, x: Tensor):
        for i, cache in enumerate(self.caches):
            cache.add_(x * float(i + 1))
        self.named["q"].mul_(2.0)
        self.named["p"][0] += 1.0
        return [cache + 0.0 for cache in self.caches], self.named["p"] + 0.0, self.named["q"] + 0.0

    @torch.jit.export
    def share(self, x: Tensor):
        self.caches[-1].mul_(x)
        return self.caches[0] + self.caches[2], self.named["q"] + 0.0


# f: forward, s: share, p: separate, m: move.
METHODS = {"f": "forward", "s": "share", "p": "separate", "m": "move"}
ORDERS = {OneTensor: "fffpff", View: "fsffpfspfsf", Views: "ffff", Elements: "fsffsf", Lists: "fsffpfsf",
          Constants: "fsffpfsfsf", Moved: "fsmfmfsfmf", Swapped: "fffff",
          Caches: "fsfsf"}


def run(model, order, build, prefix, target):
    name = model.__name__
    archive, library = prefix.with_suffix(f".{name}.pt"), prefix.with_suffix(f".{name}.so")
    torch.jit.script(model()).save(str(archive))
    calls = [METHODS[letter] for letter in order]
    compile_library(build, archive, library, [f"{method}(3xf32)" for method in sorted(set(calls))], target)
    instance, reference = torchlite.Model(library).instance(), torch.jit.load(str(archive))
    for number, method in enumerate(calls):
        x = torch.randn(3)
        with torch.no_grad():
            expected = getattr(reference, method)(x.clone())
        try:
            compare(instance.call(method, to_library(x)), expected)
        except Mismatch as error:
            print(f"{name}, call {number}, {method}: {error}")
            return 1
    return 0


def main():
    build, prefix, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    torch.manual_seed(1)
    wrong = sum(run(model, order, build, prefix, target) for model, order in ORDERS.items())
    print(f"{len(ORDERS)} models, {wrong} wrong")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
