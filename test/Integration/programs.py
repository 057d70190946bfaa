"""Every example program, compiled ahead of time and compared with LibTorch.

RUN: %python %s %build %t

One process makes the archives (small ones), compiles each for its signatures, and makes calls in
order on one instance. Prints a line per program; exit status 1 if any disagrees.
"""
import argparse
import pathlib
import subprocess
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import ROOT, Mismatch, check_calls  # noqa: E402

torch.manual_seed(1)


def programs():
    """(archive, signatures, calls, threads)"""
    rand, randn = torch.rand, torch.randn
    nan = torch.tensor([float("nan"), float("inf"), -0.0])
    yield ("two_x_plus_y", ["forward(3xf32, 3xf32)"],
           [("forward", [rand(3), rand(3)]), ("forward", [nan, rand(3)])], 1)
    for kind in ("traced", "scripted"):
        yield (f"my_cell_{kind}", ["forward(?x4xf32, ?x4xf32)"],
               [("forward", [rand(n, 4), rand(n, 4)]) for n in (3, 1, 0, 7)], 1)
    yield ("loop_foo", ["forward(int)"], [("forward", [n]) for n in (0, 9, 10, 11, 1000, -3)], 1)
    yield ("conv_view", ["forward(1x3x32x32xf32)"], [("forward", [randn(1, 3, 32, 32)])] * 2, 2)
    yield ("scripted_calls_traced", ["forward(3xf32, 3xf32)"], [("forward", [rand(3), rand(3)])], 1)
    x, y = rand(3), rand(3) + 1
    yield ("traced_calls_scripted", ["forward(3xf32, 3xf32, 3xf32)"],
           [("forward", [x, y, rand(3)]), ("forward", [y, x, rand(3)]), ("forward", [x, x, x])], 1)
    for name in ("mean_resnet18_small", "resnet18_scripted_small"):
        yield (name, ["forward(1x3x64x64xf32)"],
               [("forward", [randn(1, 3, 64, 64)]) for _ in range(2)], 2)
    step = ("forward", [randn(1, 512)])
    yield ("streaming_recogniser", ["forward(1x512xf32)", "reset()"],
           [step, ("forward", [randn(1, 512)]), step, ("reset", []), step, step], 1)
    yield ("streaming_recogniser", ["forward(?x?xf32)", "forward(512xf32)", "reset()"],
           [("forward", [randn(3, 512)]), ("forward", [randn(3, 500)], "expected 512 samples, but got 500"),
            ("forward", [randn(3, 512)]), ("reset", []), ("forward", [randn(512)]), step], 1)
    yield ("mobilenet_v2_small", ["forward(1x3x64x64xf32)"], [("forward", [randn(1, 3, 64, 64)])], 2)
    yield ("mobilenet_v2_small", ["forward(?x3x64x64xf32)"],
           [("forward", [randn(n, 3, 64, 64)]) for n in (1, 3)], 2)
    yield ("bert_small", ["forward(1x16xi64)"],
           [("forward", [torch.randint(0, 100, (1, 16))]),
            ("forward", [torch.full((1, 16), 100)], "index out of range")], 2)
    yield ("lstm_language_model_small", ["forward(2x5xi64, int)"],
           [("forward", [torch.randint(0, 50, (2, 5)), n]) for n in (4, 1, 9)], 1)
    yield ("mlp", ["forward(?x784xf32)"], [("forward", [randn(n, 784)]) for n in (1, 3, 8, 65)], 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path, help="where archives and libraries go")
    parser.add_argument("names", nargs="*", help="only these programs")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or emulated")
    options = parser.parse_args()
    build, folder, names = options.build, options.folder, options.names
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, ROOT / "examples" / "make_all.py", folder, "--small"], check=True,
                   stdout=subprocess.DEVNULL)
    failed = 0
    for archive, signatures, calls, threads in programs():
        if names and archive not in names:
            continue
        label = f"{archive} {' '.join(signatures)}"
        try:
            start = time.time()
            check_calls(build, folder / f"{archive}.pt", signatures, calls, folder, threads, options.device)
            print(f"ok      {label}: {len(calls)} calls, {time.time() - start:.1f} s")
        except Mismatch as mismatch:
            failed += 1
            print(f"FAILED  {label}: {mismatch}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
