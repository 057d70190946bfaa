"""Values whose structure is known only at run time, and attributes: constants of the model are read at any place;
what would have to be state is refused with its line; a call that raises leaves the state as it was.

RUN: %python %s %build %t
"""
import pathlib
import sys
from typing import Dict, List, Optional

import torch
from torch import Tensor, nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import Mismatch, compile_library  # noqa: E402
from sources import check  # noqa: E402

import torchlite  # noqa: E402


class Names(nn.Module):
    """Lists of constants that are read at a place that the run tells."""

    def __init__(self):
        super().__init__()
        self.names: List[str] = ["a", "bb", "c"]
        self.others: List[str] = ["d", "e", "ff"]

    def forward(self, x: Tensor, n: int):
        out: List[str] = []
        for i in range(n):
            out.append(self.names[i % 3] + self.others[-1])
        return out, self.names[n], self.others[-n]


class Numbers(nn.Module):
    """A list that is changed between two reads."""

    def __init__(self):
        super().__init__()
        self.numbers: List[int] = [1, 2, 3]

    def forward(self, x: Tensor, n: int):
        self.numbers[1] = 5
        a = self.numbers[n]
        self.numbers[1] = 7
        return a, self.numbers[n]


class Counted(nn.Module):
    """A call that raises in the middle leaves the counter."""

    def __init__(self):
        super().__init__()
        self.count: int = 0

    def forward(self, x: Tensor, n: int):
        d: Dict[int, List[int]] = {}
        for i in range(n):
            d[i] = [i]
        last = d[3 * n - 4]
        self.count += 1
        return last, self.count


class Missing(nn.Module):
    """Elements that may be None, as the header and the library's description say."""

    def forward(self, x: Tensor, n: int):
        found: Dict[int, Optional[Tensor]] = {}
        rows: List[Optional[List[int]]] = []
        for i in range(n):
            found[i * i] = None if i == 1 else x[:i]
            rows.append([i] if i == 2 else None)
        return found, rows


class ChangedInLoop(nn.Module):
    """expected: a list is indexed with a value known only at run time"""

    def __init__(self):
        super().__init__()
        self.names: List[str] = ["a", "b", "c"]

    def forward(self, x: Tensor, n: int):
        s = ""
        for i in range(n):
            s = s + self.names[i % 3]
            self.names[1] = "z"
        return s


class Rows(nn.Module):
    """expected: the attribute 'rows' is List, which cannot leave the program"""

    def __init__(self):
        super().__init__()
        self.rows: List[List[int]] = [[1]]

    def forward(self, x: Tensor, n: int):
        rows: List[List[int]] = []
        for i in range(n):
            rows.append([i])
        self.rows = rows
        return len(rows)


class Mode(nn.Module):
    """expected: the attribute 'mode' is str known only at run time, which cannot leave the program"""

    def __init__(self):
        super().__init__()
        self.mode: str = "a"

    def forward(self, x: Tensor, n: int):
        if n > 1:
            self.mode = "b"
        return self.mode == "b"


class EndsInTheMiddle(nn.Module):
    """expected: the arms give one str and another"""

    def forward(self, x: Tensor, n: int):
        return "a\0b" if n > 0 else "c"


def main():
    build, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    for kind in (Names, Numbers, Counted, Missing, ChangedInLoop, Rows, Mode, EndsInTheMiddle):
        archive, library = folder / f"{kind.__name__}.pt", folder / f"{kind.__name__}.so"
        torch.jit.script(kind()).save(str(archive))
        expected = kind.__doc__.partition("expected: ")[2]
        try:
            compile_library(build, archive, library, ["forward(3xf32, int)"])
        except Mismatch as error:
            if not expected or expected not in str(error) or "run_time_attributes.py:" not in str(error):
                print(f"{kind.__name__}: {error}")
                failed += 1
            continue
        if expected:
            print(f"{kind.__name__}: expected to be refused")
            failed += 1
            continue
        model, reference = torchlite.Model(library), torch.jit.load(str(archive))
        instance = model.instance()
        if model.methods()[0] not in library.with_suffix(".h").read_text():
            print(f"{kind.__name__}: the header does not say '{model.methods()[0]}'")
            failed += 1
        failed += sum(check(instance, reference, "forward", [torch.ones(3), n]) for n in (2, 0, 1, 3, -1, 2, 5, -4))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
