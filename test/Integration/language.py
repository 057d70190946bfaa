"""Parts of the language around the tensors: fork and wait, enumerations, `with` of a program's own classes, lists
of known length whose elements are known only when the program runs.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import sys
from enum import Enum
from typing import Any, List

import torch
from torch import Tensor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import check_calls  # noqa: E402


class Mode(Enum):
    ADD = 1
    SCALE = 3


@torch.jit.script
class Counting(object):
    """A context manager that counts how often it was entered and left."""

    def __init__(self, start: int):
        self.count = start

    def __enter__(self):
        self.count += 1
        return self.count

    def __exit__(self, kind: Any, value: Any, trace: Any):
        self.count += 10


def scaled(x: Tensor, by: int):
    return x * by


class Language(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)])
        self.register_buffer("calls", torch.zeros(1))

    @torch.jit.export
    def ensemble(self, x: Tensor):
        futures: List[torch.jit.Future[Tensor]] = []
        for layer in self.layers:
            futures.append(torch.jit.fork(layer, x))
        first = torch.jit.fork(scaled, x, 2)
        outs = [torch.jit.wait(f) for f in futures]
        return torch.stack(outs).sum(0) + torch.jit.wait(first)

    def count(self, x: Tensor):
        self.calls += x.sum()
        return x + self.calls

    @torch.jit.export
    def forked_state(self, x: Tensor):
        future = torch.jit.fork(self.count, x)
        return torch.jit.wait(future), self.calls + 0.0

    @torch.jit.export
    def modes(self, x: Tensor, n: int):
        mode = Mode.ADD if x.dim() == 2 else Mode.SCALE
        if mode == Mode.ADD:
            x = x + n
        return x * mode.value, mode.name

    @torch.jit.export
    def managed(self, x: Tensor, n: int):
        counting = Counting(n)
        with counting as inside:
            y = x * inside
        with torch.no_grad():
            y = y + counting.count
        with Counting(1) as one, counting as more:
            y = y * one + more
        return y, counting.count

    @torch.jit.export
    def lists(self, n: int, a: float):
        values = [3, 1, n, 2]
        floats = [a, 2.5, a]
        ordered = [n, 5, 1]
        ordered.sort(reverse=True)
        fewer = [1, n, 3]
        fewer.remove(n)
        return (values.count(n), values.count(9), values.index(2), floats.count(a), ordered, fewer, values[::-1],
                values[2:0:-1], values[-3:-1], values[::2], values[3:0:-2], [1, 2, 3][5::-4])

    @torch.jit.export
    def texts(self, x: Tensor):
        return [str(2.0), "{}".format(0.1), f"{1e20}", str(-0.0), str([0.1, 2.0]), "%f" % 123456.789, str({1: 2.5}),
                "{} {}".format(["a"], None), str((1,)), str((x.dim(), "b", True)), "%s %d" % ("c", 3), str(1e15),
                str(float("nan")), str(-float("inf")), str(123456.789)]

    @torch.jit.export
    def to_lists(self, x: Tensor):
        rows: List[List[float]] = x.tolist()
        row: List[float] = x[0].tolist()
        flags: List[bool] = (x[0] > 0).tolist()
        one: int = x[0, 0].long().tolist()
        return rows, row, flags, one, sum(row), rows[-1][0] * 2.0

    @torch.jit.export
    def to_long_lists(self, x: Tensor):
        rows: List[List[float]] = x.tolist()
        row: List[float] = x[0].tolist()
        return rows, row[-1], len(row)

    @torch.jit.export
    def to_wrong_list(self, x: Tensor):
        ints: List[int] = x[0].tolist()
        return ints

    @torch.jit.export
    def searched(self, n: int):
        values = [4, n, 7]
        return values.index(7 - n), values


def main(build, folder, device):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(4)
    archive = folder / "language.pt"
    torch.jit.script(Language()).save(str(archive))
    x = torch.randn(2, 3)
    calls = [("ensemble", [x]), ("forked_state", [x]), ("forked_state", [x]), ("modes", [x, 2]), ("managed", [x, 4]),
             ("lists", [7, 0.5]), ("lists", [2, 2.5]), ("texts", [x]), ("to_lists", [x]),
             ("to_long_lists", [torch.randn(2, 5)]), ("to_wrong_list", [x], "must match"), ("searched", [0]),
             ("searched", [3]), ("searched", [5], "not in")]
    signatures = ["ensemble(2x3xf32)", "forked_state(2x3xf32)", "modes(2x3xf32, int)", "managed(2x3xf32, int)",
                  "lists(int, float)", "texts(2x3xf32)", "to_lists(2x3xf32)", "to_long_lists(2x?xf32)",
                  "to_wrong_list(2x3xf32)", "searched(int)"]
    check_calls(build, archive, signatures, calls, folder, device=device)
    print(f"{len(calls)} calls agree")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3])
