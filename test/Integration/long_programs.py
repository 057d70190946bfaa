"""Programs that are long where short ones are usual: chains of operators, calls within calls, lists
that an unrolled loop fills. They compute what LibTorch does, and their code grows with their length:
what a second half adds is no more than what the first one took.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import subprocess
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import Mismatch, check_calls  # noqa: E402

ARGUMENTS = "(self, x: Tensor, b: Tensor)"
OPERATORS = ["x + b", "torch.relu(x)", "x * 0.9", "x - b", "x.abs()", "torch.tanh(x)", "x.neg()"]


def method(name, lines, result="Tensor"):
    return f"def {name}{ARGUMENTS} -> {result}:\n" + "".join(f"    {line}\n" for line in lines)


def chain(n):
    return method("chain", [*(f"x = {OPERATORS[i % 7]}" for i in range(n)), "return x"])


def appended(n):
    """Each row is used by the next, too."""
    return method("appended", ["rows: List[Tensor] = []", f"for i in range({n}):",
                               "    x = torch.sin(x * 0.5 + b + i)", "    rows.append(x)", "return torch.stack(rows)"])


def row(n):
    """A row is changed in place after it has been joined, and the joined rows after that."""
    return method("row", ["rows: List[Tensor] = []", f"for i in range({n}):", "    rows.append(x[:, :1] + i)",
                          "y = torch.cat(rows, 1)", "rows[2].mul_(3.0)", "y[0] += 1.0",
                          "return y, rows[2], torch.cat([y, rows[2]], 1)"], "Tuple[Tensor, Tensor, Tensor]")


def nested(n):
    deepest = method(f"nested{n}", ["return x + b"])
    rest = [method(f"nested{i or ''}", [f"x = {OPERATORS[i % 7]}", f"return self.nested{i + 1}(x, b)"])
            for i in range(n - 1, -1, -1)]
    return "\n".join([deepest, *rest])


def program(source):
    module = type("Long", (torch.jit.ScriptModule,), {})()
    module.define(source)
    return module


def lines_of_code(build, archive, signature, stage):
    command = [build / "bin" / "tl-compile", archive, f"--signature={signature}", f"--emit={stage}", "-o", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.count("\n")


def grows_linearly(build, folder, name, make, size):
    archive = folder / f"{name}_growth.pt"
    lines = []
    for n in (size, 2 * size, 4 * size):
        program(make(n)).save(str(archive))
        lines.append([lines_of_code(build, archive, f"{name}(4x4xf32, 4x4xf32)", s) for s in ("core", "linalg")])
    for stage, (one, two, four) in zip(("core", "linalg"), zip(*lines)):
        if four - two > 2.2 * (two - one):
            print(f"{name}: lines at {stage} for {size}, {2 * size} and {4 * size}: {one}, {two}, {four}")
            return False
    return True


def main():
    build, prefix, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    torch.manual_seed(1)
    torch._C._set_graph_executor_optimize(False)
    sources = {"chain": chain(300), "appended": appended(40), "row": row(60), "nested": nested(250)}
    failures = 0
    for name, source in sources.items():
        archive = prefix.with_suffix(f".{name}.pt")
        program(source).save(str(archive))
        for size in ("4x4", "?x4"):
            calls = [(name, [torch.randn(4, 4), torch.randn(4, 4)]) for _ in range(2)]
            try:
                check_calls(build, archive, [f"{name}({size}xf32, {size}xf32)"], calls, prefix.parent, device=target)
            except Mismatch as error:
                failures += 1
                print(f"{name}, {size}: {error}")
    if target == "cpu":
        for name, make, size in (("chain", chain, 100), ("appended", appended, 20), ("nested", nested, 50)):
            failures += not grows_linearly(build, prefix.parent, name, make, size)
    print(f"{len(sources)} programs, {failures} wrong")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
