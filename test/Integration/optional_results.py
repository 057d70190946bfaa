"""Results, and parts of them, that a condition makes None or something: tensors, numbers, texts, lists and tuples,
from call to call.

RUN: %python %s %build %t
"""
import pathlib
import sys
from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import check_calls  # noqa: E402


class Optionals(torch.nn.Module):
    last: Optional[Tensor]

    def __init__(self):
        super().__init__()
        self.last = torch.jit.annotate(Optional[Tensor], None)
        self.register_buffer("total", torch.zeros(1))

    def forward(self, x: Tensor, n: int):
        if n > 2:
            return None
        return x + n

    @torch.jit.export
    def argument(self, x: Tensor, n: int) -> Optional[Tensor]:
        return x if n > 2 else None

    @torch.jit.export
    def numbers(self, n: int, a: float):
        i = n if n > 2 else None
        f = a if n < 5 else None
        b: Optional[bool] = None
        if n > 2:
            b = n > 4
        return i, f, b

    @torch.jit.export
    def several(self, x: Tensor, n: int) -> Tuple[Optional[Tensor], Optional[Tensor], Optional[str]]:
        a: Optional[Tensor] = None
        b: Optional[Tensor] = None
        s: Optional[str] = None
        if n > 2:
            a = x[:n]
        if n < 5:
            b = x.sum().half()
        if n == 3:
            s = "three"
        return a, b, s

    @torch.jit.export
    def lists(self, x: Tensor, n: int) -> Optional[List[Tensor]]:
        if n > 2:
            return [x, x + 1]
        return None

    @torch.jit.export
    def tuples(self, x: Tensor, n: int) -> Optional[Tuple[Tensor, int]]:
        if n > 2:
            return (x, n)
        return None

    @torch.jit.export
    def tuples_and_state(self, x: Tensor, n: int) -> Optional[Tuple[Tensor, Tensor]]:
        self.total += x.sum()
        if n > 2:
            return (x, self.total + 1)
        return None

    @torch.jit.export
    def dicts(self, x: Tensor, n: int):
        d: Dict[str, Optional[Tensor]] = {"a": None, "b": x}
        if n > 2:
            d["a"] = x * 2
        return d, [d["a"], d["b"]]

    @torch.jit.export
    def previous(self, x: Tensor, n: int) -> Optional[Tensor]:
        old = self.last
        self.last = x * n
        if n > 2:
            return old
        return None

    @torch.jit.export
    def found(self, x: Tensor, n: int) -> Optional[Tensor]:
        y = x + 1
        r: Optional[Tensor] = None
        for i in range(n):
            if i == 2:
                r = y
        y.add_(5)
        return r


def main(build, folder):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(9)
    archive = folder / "optionals.pt"
    torch.jit.script(Optionals()).save(str(archive))
    x = torch.randn(2, 3)
    names = ["forward", "argument", "several", "lists", "tuples", "tuples_and_state", "dicts", "previous", "found"]
    calls = [(name, [x + n, n]) for n in (1, 3, 5, 2, 3) for name in names]
    calls += [("numbers", [n, 0.25]) for n in (1, 3, 5)]
    signatures = [f"{name}(2x3xf32, int)" for name in names] + ["numbers(int, float)"]
    check_calls(build, archive, signatures, calls, folder)
    header = next(folder.glob("*.h")).read_text()
    for text in ("-> 2x3xf32?", "-> (?x3xf32?, f16?, str?)", "-> [2x3xf32, ...]?", "-> (int?, float?, bool?)"):
        if text not in header:
            raise SystemExit(f"the header does not say {text}:\n{header}")
    print(f"{len(calls)} calls agree")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
