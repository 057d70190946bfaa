"""Operands whose sizes are known at the call only: those that do not fit are errors, before
anything is read or written outside of a tensor.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import check_calls  # noqa: E402

torch.manual_seed(2)

SOURCE = """
def gather(self, x, index):
    return torch.gather(x, 1, index)
def scatter(self, x, index, source):
    return x.scatter(1, index, source)
def scatter_add(self, x, index, source):
    return x.scatter_add(1, index, source)
def index_add(self, x, index, source):
    return x.index_add(1, index, source)
def index_copy(self, x, index, source):
    return x.index_copy(1, index, source)
def product(self, x, weight):
    return torch.matmul(torch.softmax(x, -1), weight)
"""


def indices(*shape):
    return (torch.arange(torch.Size(shape).numel()) % max(shape[-1], 1)).view(shape)


def main(build, folder, device):
    folder.mkdir(parents=True, exist_ok=True)
    module = torch.jit.script(torch.nn.Module())
    module.define(SOURCE)
    torch.jit.save(module, str(folder / "indices.pt"))
    x, randn = torch.randn(4, 6), torch.randn
    calls = [("gather", [x, indices(4, 5)]), ("gather", [x, indices(2, 6)]), ("gather", [x, indices(9, 0)]),
             ("gather", [x, indices(5, 2)], "no larger than self in dimension 0")]
    for name in ("scatter", "scatter_add"):
        calls += [(name, [x, indices(4, 5), randn(4, 5)]), (name, [x, indices(2, 3), randn(3, 4)]),
                  (name, [x, indices(5, 2), randn(5, 2)], "no larger than self in dimension 0"),
                  (name, [x, indices(4, 5), randn(3, 5)], "no larger than src in dimension 0"),
                  (name, [x, indices(4, 5), randn(4, 4)], "no larger than src in dimension 1")]
    for name in ("index_add", "index_copy"):
        calls += [(name, [x, indices(3), randn(4, 3)]), (name, [x, indices(0), randn(4, 0)]),
                  (name, [x, indices(3), randn(4, 2)], "the source's size in dimension 1 does not match"),
                  (name, [x, indices(3), randn(5, 3)], "the source's size in dimension 0 does not match")]
    # What comes before the check may not take the size for the one that it is to be.
    calls += [("product", [randn(2, 2500), randn(2500, 8)]),
              ("product", [randn(2, 5), randn(2500, 8)], "the inner sizes of the matrices differ")]
    types = {"gather": "?x?xi64", "scatter": "?x?xi64, ?x?xf32", "scatter_add": "?x?xi64, ?x?xf32",
             "index_add": "?xi64, ?x?xf32", "index_copy": "?xi64, ?x?xf32"}
    check_calls(build, folder / "indices.pt", [f"{name}(?x?xf32, {rest})" for name, rest in types.items()] +
                ["product(2x?xf32, 2500x8xf32)"], calls,
                folder, device=device)
    print(f"{len(calls)} calls agree")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3])
