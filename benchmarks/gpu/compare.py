#!/usr/bin/env python3
"""Compiled models beside PyTorch on one GPU, in one process: ratios, as JSON and a plot.

Run in the prebuilt folder (benchmarks/gpu/build.py) on a machine with a GPU and PyTorch with CUDA.
PyTorch's ways: eager (cuBLAS, cuDNN), TorchScript, and torch.compile with CUDA graphs. All take
tensors on the device; each figure is the least of many samples by CUDA events, the competitors in
turn. The results are compared before anything is timed. PyTorch computes f32 products exactly for
f32 cases and in tf32 for tf32 cases, as the compiled code does.

usage: compare.py [--only matmul] [--json out.json] [--plot out.png] [--samples 15]
"""
import argparse
import json
import pathlib
import sys

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import cases  # noqa: E402
import torchlite  # noqa: E402


def set_precision(precision):
    allowed = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def ways_of(module, arguments):
    """PyTorch's ways of running a module: name -> function. What fails is left out, with the reason."""
    ways = {"eager": lambda: module(*arguments)}
    reasons = {}
    for name, make in (("torchscript", lambda: torch.jit.script(module)),
                       ("compile", lambda: torch.compile(module, mode="reduce-overhead"))):
        try:
            made = make()
            for _ in range(3):
                made(*arguments)
            ways[name] = lambda made=made: made(*arguments)
        except Exception as error:  # noqa: BLE001: a competitor that cannot run is reported
            reasons[name] = str(error).splitlines()[0]
    return ways, reasons


def least(functions, samples):
    """Least microseconds of each function, in turn."""
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    best = [float("inf")] * len(functions)
    counts = []
    for function in functions:
        function()
        torch.cuda.synchronize()
        start.record()
        function()
        end.record()
        torch.cuda.synchronize()
        counts.append(int(max(1, min(200, 5 / max(start.elapsed_time(end), 1e-3)))))
    for _ in range(samples):
        for index, (function, count) in enumerate(zip(functions, counts)):
            start.record()
            for _ in range(count):
                function()
            end.record()
            torch.cuda.synchronize()
            best[index] = min(best[index], start.elapsed_time(end) / count * 1e3)
    return best


def run(name, library, module, signature, precision, tolerance, samples):
    """A row of the table. Without a tolerance the results are not compared: other weights."""
    set_precision(precision)
    arguments = [(torch.randn(shape, device="cuda") * 0.5).to(dtype) for shape, dtype in signature]
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream), torch.inference_mode():
        instance = torchlite.Model(library).instance(device="cuda", results_on_device=True,
                                                     stream=stream.cuda_stream)
        ours = instance.prepare("forward", *arguments)
        ways, reasons = ways_of(module, arguments)
        expected = ways["eager"]()
        actual = torch.from_dlpack(instance.call("forward", *arguments))
        torch.cuda.synchronize()
        if tolerance:
            rtol, atol = tolerance
            torch.testing.assert_close(actual, expected, rtol=rtol,
                                       atol=atol * max(1, expected.abs().max().item()))
        times = dict(zip(["torchlite", *ways], least([ours, *ways.values()], samples)))
        instance.close()
    best = min(t for way, t in times.items() if way != "torchlite")
    row = {"name": name, "us": times, "ratio_to_best": best / times["torchlite"], "left_out": reasons}
    print(f"{name:56} {times['torchlite']:10.1f} us  " +
          "  ".join(f"{way} {t / times['torchlite']:.2f}x" for way, t in times.items() if way != "torchlite"), flush=True)
    return row


def plot(rows, path):
    try:
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        print("matplotlib is not here: no plot")
        return
    figure, axis = pyplot.subplots(figsize=(9, 0.25 * len(rows) + 1.5))
    for offset, way in enumerate(("eager", "torchscript", "compile")):
        values = [row["us"].get(way, np.nan) / row["us"]["torchlite"] for row in rows]
        axis.scatter(values, np.arange(len(rows)), s=14, label=way, zorder=3 + offset)
    axis.axvline(1, color="black", linewidth=0.8)
    axis.set_xscale("log")
    axis.set_yticks(np.arange(len(rows)), [row["name"] for row in rows], fontsize=6)
    axis.set_xlabel("time of PyTorch / time of TorchLite (right of the line: TorchLite is faster)")
    axis.legend()
    axis.grid(axis="x", alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--plot", type=pathlib.Path)
    parser.add_argument("--samples", type=int, default=15)
    options = parser.parse_args()
    rows, failed = [], 0
    for case in cases.timed():
        if options.only not in case.name:
            continue
        for index, signature in enumerate(case.inputs):
            name = f"{case.name}.{index}"
            try:
                rows.append(run(name, HERE / f"{case.name}.so", case.module.eval().cuda(), signature,
                                case.precision, case.tolerance, options.samples))
            except Exception as error:  # noqa: BLE001: the other cases go on
                failed += 1
                print(f"{name:56} FAILED: {str(error).strip().splitlines()[0]}", flush=True)
    for name, (_, _, variants) in cases.MODELS.items():
        if options.only not in f"model_{name}":
            continue
        module = cases.model(name)
        for signature in variants:
            label = f"model_{name}.batch{signature[0][0][0]}"
            try:
                rows.append(run(label, HERE / f"model_{name}.so", module.eval().cuda(), signature, "f32", None,
                                options.samples))
            except Exception as error:  # noqa: BLE001
                failed += 1
                print(f"{label:56} FAILED: {str(error).strip().splitlines()[0]}", flush=True)
    about = {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "rows": rows}
    if options.json:
        options.json.write_text(json.dumps(about, indent=1))
    if options.plot and rows:
        plot(rows, options.plot)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
