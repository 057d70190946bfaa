"""Several results of one type: each is its own value, whatever they have in common on the way.
Compiled for known and for unknown sizes; every method is called twice on one instance.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import Mismatch, compare, compile_library, to_library  # noqa: E402

import torchlite  # noqa: E402

SOURCE = """
def sums(self, x: Tensor, y: Tensor):
    return x.sum(), y.sum(), x.sum(0), y.sum(0)
def largest(self, x: Tensor, y: Tensor):
    return x.amax(1), y.amax(1), x.argmax(1), y.argmax(1)
def products(self, x: Tensor, y: Tensor):
    return x @ y, y @ x, x @ x
def linears(self, x: Tensor, y: Tensor):
    return self.a(x), self.b(x), self.b(y)
def named(self, x: Tensor, y: Tensor):
    return {"x": x.sum(), "y": y.sum(), "mean": x.mean()}
def listed(self, x: Tensor, y: Tensor):
    return [x[:i + 1].sum() for i in range(3)]
def twice(self, x: Tensor, y: Tensor):
    s = x.sum(0)
    return s, s, s * 1, y.sum(0)
def views(self, x: Tensor, y: Tensor):
    p = x @ y
    return p, p.t(), p[0], p[:, 1], (y @ x)[0]
def arguments(self, x: Tensor, y: Tensor):
    return y, x, x + y, y.t()
def constants(self, x: Tensor, y: Tensor):
    return torch.zeros(4), torch.zeros(4), x.sum(0), torch.ones(4), y.sum(0)
def zeros_and_sum(self, x: Tensor, y: Tensor):
    z = torch.zeros(4)
    return z, z.index_add(0, torch.tensor([0, 2]), x[0, :2]), z
def after_first(self, x: Tensor, y: Tensor):
    p = x * 2
    q = p.clone()
    q[0] = 1.0
    return q, p
def grown(self, x: Tensor, y: Tensor):
    z = x
    for i in range(3):
        z = torch.cat([z, y])
    return z, z.sum(0)
def accumulated(self, x: Tensor, y: Tensor):
    p = x @ y
    return torch.addmm(p, y, x), p
def in_loop(self, x: Tensor, y: Tensor):
    p = x * 2
    q = p
    for i in range(3):
        q = q @ y * 0.1
    return q, p, q.sum(0), p.sum(0)
def changing_places(self, x: Tensor, y: Tensor):
    p, q = x @ y, y @ x
    for i in range(3):
        p, q = q, p * 2
    return p, q
def in_branches(self, x: Tensor, y: Tensor):
    p = x @ y
    if bool(x.sum() > 0):
        q, r = p, y.sum(0)
    else:
        q, r = y @ x, x.sum(0)
    return q, p, r, x.sum(0)
def state(self, x: Tensor, y: Tensor):
    self.last += x.sum(0)
    return self.last + 0, y.sum(0), self.last * 2
"""


def model():
    class Results(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.a = torch.nn.Linear(4, 4, bias=False)
            self.b = torch.nn.Linear(4, 4, bias=False)
            self.register_buffer("last", torch.zeros(4))

    module = torch.jit.script(Results().eval())
    for text in SOURCE.split("\ndef ")[1:]:
        module.define("def " + text.strip() + "\n")
    return module


def main():
    build, prefix, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    torch.manual_seed(1)
    archive = prefix.with_suffix(".pt")
    model().save(str(archive))
    names = [text.split("(")[0].strip() for text in SOURCE.split("\ndef ")[1:]]
    wrong = 0
    for size in ("4x4", "?x4"):
        library = prefix.with_suffix(f".{'any' if '?' in size else 'fixed'}.so")
        compile_library(build, archive, library,
                        [f"{name}({size}xf32, {size}xf32)" for name in names], target)
        instance = torchlite.Model(library).instance()
        reference = torch.jit.load(str(archive))
        for name in names:
            for call in range(2):
                inputs = [torch.randn(4, 4), torch.randn(4, 4)]
                with torch.no_grad(), torch.jit.optimized_execution(False):
                    expected = getattr(reference, name)(*[t.clone() for t in inputs])
                try:
                    compare(instance.call(name, *[to_library(t) for t in inputs]), expected)
                except (Mismatch, torchlite.Error) as error:
                    wrong += 1
                    print(f"{name}, {size}, call {call}: {error}")
    print(f"{len(names)} methods, {wrong} wrong")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
