# RUN: env TORCHLITE_BUILD=%build TORCHLITE_CC=%cc %python %s 1 30
"""Vectorised kernels against plain loops, over random shapes: kernels.py SEED COUNT [CPU...]"""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "Inputs"))
from harness import Module  # noqa: E402
from shapes import KINDS  # noqa: E402


def differs(got, expected):
    """What is wrong with `got`, or None. Sums are taken in another order."""
    for name, test in (("NaN", np.isnan), ("inf", np.isinf)):
        if (test(got) != test(expected)).any():
            return f"{name} in other places"
    finite = np.isfinite(expected)
    scale = max(1, np.abs(expected[finite]).max(initial=0))
    error = np.abs(got - expected)[finite].max(initial=0)
    return None if error <= 2e-5 * scale else f"error {error} of {scale}"


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    failed = 0
    for cpu in sys.argv[3:] or ("native", "x86-64-v3", "x86-64"):
        rng = np.random.default_rng(seed)
        functions = [KINDS[i % len(KINDS)](rng) for i in range(count)]
        text = "\n\n".join(f.text(f"f{i}") for i, f in enumerate(functions))
        kernels, loops = Module(text, cpu=cpu), Module(text, cpu=cpu, kernels=False)
        for i, function in enumerate(functions):
            arrays = [array for _, array, _ in function.arguments]
            got, expected = (m.call(f"f{i}", *arrays, results=[(np.float32, function.rank)])[0]
                             for m in (kernels, loops))
            problem = differs(got, expected)
            if problem:
                failed += 1
                print(f"{cpu} f{i}: {problem}\n{function.text(f'f{i}')}")
    print(f"{failed} of {count} functions failed")
    return failed > 0


sys.exit(main())
