# RUN: env TORCHLITE_BUILD=%build %python %s %t
"""Ranges with ends and steps from the whole of int64, and the ints that floats and tensors give: what PyTorch gives,
or an error where it raises."""
import itertools
import math
import os
import subprocess
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../python"))
import torchlite  # noqa: E402

LEAST, MOST = -2**63, 2**63 - 1
ENDS = [0, 1, -1, 3, 7, -7, LEAST, LEAST + 1, MOST, MOST - 1, 2**62]
STEPS = [1, -1, 2, -3, 0, LEAST, MOST, 2**62]
FLOATS = [0.0, -2.7, 3.7, math.nan, math.inf, -math.inf, 1e20, -1e20, 2.0**62, -2.0**63]
BODY = """
    count, last = 0, 0
    for i in range({}):
        count, last = count + 1, i
        if count == 6:
            break
    return count, last
"""


def ranges():
    """Methods with the ranges that they run; Python's own say what is right. LibTorch wraps where the ends are more
    than 2^63 apart."""
    triples = [t for t in itertools.product(ENDS, ENDS, STEPS) if abs(t[1] - t[0]) <= MOST]
    yield "abc", "a: int, b: int, c: int", "int, int, int", BODY.format("a, b, c"), [(t, t) for t in triples]
    for i, step in enumerate(s for s in STEPS if s != 0):
        text = f"a, b, {step}" if step != LEAST else "a, b, -9223372036854775807 - 1"
        yield (f"step{i}", "a: int, b: int", "int, int", BODY.format(text),
               [((a, b), (a, b, c)) for a, b, c in triples if c == step])
    for i, start in enumerate((1, -7)):
        yield (f"start{i}", "b: int", "int", BODY.format(f"{start}, b"),
               [((b,), (a, b, c)) for a, b, c in triples if a == start and c == 1])
    yield "stop", "b: int", "int", BODY.format("b"), [((b,), (0, b, 1)) for b in ENDS]


def trips(triple):
    if triple[2] == 0:
        return None
    run = list(itertools.islice(range(*triple), 6))
    return len(run), run[-1] if run else 0


def main():
    scripted, signatures, wrong = torch.jit.script(torch.nn.Module()), [], []
    methods = list(ranges())
    for name, arguments, types, body, _ in methods:
        scripted.define(f"def {name}(self, {arguments}):{body}")
        signatures.append(f"--signature={name}({types})")
    for name, text in (("int_of", "int(x)"), ("int_of_item", "int(x.item())")):
        scripted.define(f"def {name}(self, x: torch.Tensor):\n    return {text}\n")
        signatures += [f"--signature={name}({t})" for t in ("f32", "f64")]
    archive, library = sys.argv[1] + ".pt", sys.argv[1] + ".so"
    torch.jit.save(scripted, archive)
    subprocess.run([os.path.join(os.environ["TORCHLITE_BUILD"], "bin/tl-compile"), archive, "-o", library] + signatures,
                   check=True)
    instance = torchlite.Model(library).instance(threads=1)

    def check(name, arguments, want):
        try:
            got = instance.call(name, *arguments)
        except torchlite.Error:
            got = None
        if got != want:
            wrong.append(f"{name} of {arguments}: {got}, not {want}")

    for name, _, _, _, calls in methods:
        for arguments, triple in calls:
            check(name, arguments, trips(triple))
    for name, value, dtype in itertools.product(("int_of", "int_of_item"), FLOATS, ("float32", "float64")):
        fits = math.isfinite(value) and -2.0**63 <= value < 2.0**63
        check(name, [np.array(value, dtype)], math.trunc(float(np.array(value, dtype))) if fits else None)
    print("\n".join(wrong[:40]), f"{len(wrong)} wrong", sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
