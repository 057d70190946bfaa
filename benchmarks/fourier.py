#!/usr/bin/env python3
"""Fourier transforms beside LibTorch's, on one thread, in one process.

Each line is the least time of many calls, which take turns, and the ratio LibTorch / TorchLite: above 1 is faster.

usage: benchmarks/fourier.py [--build build/release] [--only REGEX] [--seconds 1]
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import torch

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))
import torchlite  # noqa: E402

SOURCE = {
    "fft": "return torch.fft.fft(x)",
    "rfft": "return torch.fft.rfft(x)",
    "irfft": "return torch.fft.irfft(x)",
    "fft2": "return torch.fft.fft2(x)",
    "stft": "return torch.stft(x, 400, 160, window=torch.hann_window(400), return_complex=True)",
    "power": "return torch.stft(x, 512, 128, window=torch.hann_window(512), return_complex=True).abs().pow(2)",
    "istft": "return torch.istft(x, 512, 128, window=torch.hann_window(512))",
}
CASES = [("fft", (64, 512), "complex64"), ("fft", (64, 1024), "complex64"), ("fft", (64, 1000), "complex64"),
         ("fft", (64, 1024), "complex128"), ("rfft", (64, 512), "f32"), ("rfft", (64, 1024), "f32"),
         ("irfft", (64, 513), "complex64"), ("fft2", (4, 128, 128), "complex64"), ("stft", (160000,), "f32"),
         ("power", (160000,), "f32"), ("istft", (1, 257, 500), "complex64")]
DTYPES = {"complex64": torch.complex64, "complex128": torch.complex128, "f32": torch.float32}


def least(calls, seconds):
    """The least time of the thread for each of the calls, which take turns."""
    times = [float("inf")] * len(calls)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for i, call in enumerate(calls):
            start = time.thread_time_ns()
            call()
            times[i] = min(times[i], time.thread_time_ns() - start)
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name, sizes, dtype in CASES:
        label = f"{name} {'x'.join(map(str, sizes))} {dtype}"
        if not re.search(options.only, label):
            continue
        program = type("Program", (torch.jit.ScriptModule,), {})()
        program.define(f"def forward(self, x: Tensor) -> Tensor:\n    {SOURCE[name]}\n")
        x = torch.randn(sizes, dtype=DTYPES[dtype])
        with tempfile.TemporaryDirectory() as folder:
            archive, library = pathlib.Path(folder) / "m.pt", pathlib.Path(folder) / "m.so"
            program.save(str(archive))
            subprocess.run([options.build / "bin/tl-compile", archive, "-o", library,
                            f"--signature=forward({'x'.join(map(str, sizes))}x{dtype})"], check=True, stderr=subprocess.DEVNULL)
            instance = torchlite.Model(library).instance(threads=1)
            given = x.numpy()
            torch.testing.assert_close(torch.from_numpy(instance.call("forward", given)), program(x), rtol=1e-4, atol=1e-3)
            run = instance.prepare("forward", given)
            theirs, ours = least([lambda: program(x), run], options.seconds)
        print(f"{label:30} LibTorch {theirs / 1e3:9.1f} us   TorchLite {ours / 1e3:9.1f} us   ratio {theirs / ours:.2f}")


if __name__ == "__main__":
    main()
