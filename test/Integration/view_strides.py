"""Whether `view` answers or raises follows from strides, which follow from sizes; so does whether a write in place
raises, since what it reads overlaps with what it writes. (What PyTorch computes from overlaps that it does not
notice is nobody's promise, and not compared.) All pairs of a small set of steps, on tensors of unknown sizes,
called with sizes of 0, 1 and more.

RUN: %python %s %build %t.cpu
"""
import itertools
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import compile_library, to_library, torchlite  # noqa: E402
from sources import check, define, outcome  # noqa: E402

BASES = {"fresh": "x * 2", "turned": "x.transpose(0, -1) * 2", "given": "x"}
STEPS = ["", ".permute(2, 0, 1)", "[1:]", "[:, :, k:]", ".unsqueeze(0).expand(2, -1, -1, -1)[1]"]
VIEWS = [".view(-1)", ".view(v.size(0), -1)", ".view(-1, v.size(2))", ".view(v.size(0) * v.size(1), v.size(2))",
         ".view(v.size(0), 1, v.size(1), v.size(2), 1)", ".view(v.size(0), v.size(1), -1, 2)"]
SIZES = [(2, 3, 4), (1, 3, 4), (2, 1, 4), (2, 3, 1), (1, 1, 4), (4, 2, 2), (2, 0, 4)]
PARTS = ["y", "y[1:]", "y[:-1]", "y.t()", "y[k:k+1]", "y[:, :1]", "y.view(-1)[1:]"]
PART_SIZES = [(3, 3), (1, 3), (3, 1), (1, 1), (2, 2), (0, 2)]


def views():
    """A method for each pair of steps: the views are told apart by a number."""
    for base, text in BASES.items():
        for n, (first, second) in enumerate(itertools.product(STEPS, STEPS if base != "given" else [""])):
            lines = [f"def {base}_{n}(self, x, k: int, which: int):", f"    v = ({text}){first}{second}",
                     "    r = v.sum()"]
            lines += [f"    if which == {i}:\n        r = v{view}.sum() * (1 + v{view}.dim())"
                      for i, view in enumerate(VIEWS)]
            yield "\n".join(lines + ["    return r, v"])


def overlaps():
    for base, text in BASES.items():
        parts = [p for p in PARTS if base != "turned" or "view" not in p]
        for n, (a, b) in enumerate(itertools.product(parts, parts)):
            yield (f"def {base}_part_{n}(self, x, k: int):\n    y = {text}\n    a = {a}\n    b = {b}\n"
                   "    a.add_(b)\n    return y")


def raises_alike(instance, reference, name, arguments):
    own = [a.clone() if isinstance(a, torch.Tensor) else a for a in arguments]
    raised = outcome(getattr(reference, name), *own)[1]
    failed = outcome(lambda: instance.call(name, *map(to_library, arguments)))[1]
    if bool(raised) != bool(failed):
        print(f"{name}({arguments[0].shape}): PyTorch {raised or 'answers'}, here {failed or 'an answer'}")
    return bool(raised) != bool(failed)


def run(build, folder, name, sources, signature, calls, compared=check):
    """How many calls of all methods of some sources disagree, and how many there are."""
    names = define("\n".join(sources), folder / f"{name}.pt")
    compile_library(build, folder / f"{name}.pt", folder / f"{name}.so", [n + signature for n in names])
    reference = torch.jit.load(str(folder / f"{name}.pt"))
    instance = torchlite.Model(str(folder / f"{name}.so")).instance()
    failed = sum(compared(instance, reference, n, arguments) for n in names for arguments in calls())
    print(f"{name}: {len(names)} methods, {failed} calls disagree")
    return failed


def main(build, folder):
    folder.mkdir(parents=True, exist_ok=True)
    failed = run(build, folder, "views", views(), "(?x?x?xf32, int, int)", lambda: (
        [torch.randn(sizes), 1, which] for sizes in SIZES for which in range(len(VIEWS))))
    failed += run(build, folder, "overlaps", overlaps(), "(?x?xf32, int)", lambda: (
        [torch.randn(sizes), k] for sizes in PART_SIZES for k in (0, 1)), raises_alike)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])))
