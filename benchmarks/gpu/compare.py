#!/usr/bin/env python3
"""Compiled models beside PyTorch on one GPU, in one process: ratios, as JSON and a plot.

Run in the prebuilt folder (benchmarks/gpu/build.py) on a machine with a GPU and PyTorch with CUDA.
PyTorch's ways: eager (cuBLAS, cuDNN), TorchScript, and torch.compile with CUDA graphs. All take
tensors on the device; each figure is the least of many samples by CUDA events, the competitors in
turn. The results are compared before anything is timed. PyTorch computes f32 products exactly for
f32 cases and in tf32 for tf32 cases, as the compiled code does.

`--device=emulated` runs the same on the processor, the compiled kernels in the emulator: it shows that
this program works, and its times mean nothing.

usage: compare.py [--device cuda:0] [--only matmul] [--ways eager,compile] [--json out.json] [--plot out.png]
"""
import argparse
import contextlib
import json
import pathlib
import sys
import time

import torch

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import cases  # noqa: E402
import torchlite  # noqa: E402

WAYS = ("eager", "torchscript", "compile")
MEANINGLESS = "emulated on the processor: these times mean nothing"


class Cuda:
    """Tensors on a GPU; everything is queued on one stream."""

    def __init__(self, device):
        self.device = torch.device(device)
        self.name, self.note = torch.cuda.get_device_name(self.device), ""
        torch.cuda.set_device(self.device)
        torch.backends.cudnn.benchmark = True  # cuDNN at its best for shapes that stay
        self.stream = torch.cuda.Stream()
        self.options = {"device": f"cuda:{self.device.index or 0}", "results_on_device": True,
                        "stream": self.stream.cuda_stream}

    def queue(self):
        return torch.cuda.stream(self.stream)

    def wait(self):
        torch.cuda.synchronize()

    def seconds(self, function, calls):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(calls):
            function()
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end) * 1e-3 / calls


class Emulated:
    """The same on the processor."""

    def __init__(self):
        self.device, self.name, self.note = torch.device("cpu"), "emulated", MEANINGLESS
        self.options = {"device": "emulated", "results_on_device": True}

    def queue(self):
        return contextlib.nullcontext()

    def wait(self):
        pass

    def seconds(self, function, calls):
        start = time.perf_counter()
        for _ in range(calls):
            function()
        return (time.perf_counter() - start) / calls


def set_precision(precision):
    allowed = precision == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def to_torch(value):
    """A result of torchlite as PyTorch's tensors."""
    if isinstance(value, (list, tuple)):
        return tuple(to_torch(v) for v in value)
    if isinstance(value, torchlite.BFloat16):
        return torch.from_numpy(value.bits).view(torch.bfloat16)
    if isinstance(value, torchlite.DeviceTensor):
        return torch.from_dlpack(value)
    return torch.from_numpy(value)


def first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def ways_of(module, arguments, wanted, script):
    """PyTorch's ways of running a module: name -> function. What fails is left out, with the reason."""
    # What was compiled for other shapes must not count against these, nor lead to dynamic ones.
    torch._dynamo.reset()
    makers = {"eager": lambda: module, "torchscript": script,
              "compile": lambda: torch.compile(module, mode="reduce-overhead", dynamic=False)}
    ways, reasons = {}, {}
    for name in wanted:
        try:
            made = makers[name]()
            for _ in range(3):
                made(*arguments)
            ways[name] = lambda made=made: made(*arguments)
        except Exception as error:  # noqa: BLE001: a competitor that cannot run is reported
            reasons[name] = first_line(error)
    return ways, reasons


def least(device, functions, samples):
    """Least microseconds of each function, in turn."""
    counts = []
    for function in functions:
        function()
        device.wait()
        counts.append(int(max(1, min(200, 5e-3 / max(device.seconds(function, 1), 1e-6)))))
    best = [float("inf")] * len(functions)
    for _ in range(samples):
        for index, (function, count) in enumerate(zip(functions, counts)):
            best[index] = min(best[index], device.seconds(function, count) * 1e6)
    return best


def check(actual, expected, tolerance):
    """The compiled result beside PyTorch's own, on this device."""
    if isinstance(expected, tuple):
        if len(actual) != len(expected):
            raise AssertionError(f"{len(actual)} results, expected {len(expected)}")
        for a, e in zip(actual, expected):
            check(a, e, tolerance)
        return
    rtol, atol = tolerance
    torch.testing.assert_close(actual, expected, rtol=rtol, atol=atol * max(1, expected.abs().max().item()))


def run(device, name, case, variant, module, arguments, tolerance, options, script):
    """A row of the table. Without a tolerance the results are not compared: other weights."""
    set_precision(case.precision)
    with device.queue(), torch.inference_mode():
        instance = torchlite.Model(HERE / f"{case.name}.so").instance(**device.options)
        try:
            ours = instance.prepare("forward", *arguments)
            actual = to_torch(instance.call("forward", *arguments))
            expected = module(*arguments)
            device.wait()
            if tolerance:
                check(actual, expected, tolerance)
            ways, reasons = ways_of(module, arguments, options.ways, script)
            times = dict(zip(["torchlite", *ways], least(device, [ours, *ways.values()], options.samples)))
            ours.clear()
        finally:
            instance.close()
    us = times["torchlite"]
    row = {"name": name, "us": times, "left_out": reasons}
    if ways:
        row["ratio_to_best"] = min(times[way] for way in ways) / us
    text = f"{name:40} {us:10.1f} us"
    operations, size = case.work[variant] if case.work else (0, 0)
    if operations:
        row["tflops"] = operations / us * 1e-6
        text += f"  {row['tflops']:7.2f} TFLOP/s"
    if size:
        row["gbs"] = size / us * 1e-3
        text += f"  {row['gbs']:7.1f} GB/s"
    text += "".join(f"  {way} {times[way] / us:.2f}x" for way in ways)
    text += "".join(f"  no {way}: {reason}" for way, reason in reasons.items())
    print(text, flush=True)
    return row


def plot(rows, path, note):
    try:
        import matplotlib
        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError:
        print("matplotlib is not here: no plot")
        return
    figure, axis = pyplot.subplots(figsize=(9, 0.22 * len(rows) + 1.6))
    for way, marker in zip(WAYS, "os^"):
        known = [(row["us"][way] / row["us"]["torchlite"], index) for index, row in enumerate(rows)
                 if way in row["us"]]
        if known:
            axis.scatter(*zip(*known), s=18, marker=marker, label=way, zorder=3)
    axis.axvline(1, color="black", linewidth=0.8)
    axis.set_xscale("log")
    axis.set_yticks(range(len(rows)), [row["name"] for row in rows], fontsize=6)
    axis.invert_yaxis()  # in the order of the table
    axis.set_xlabel("time of PyTorch / time of TorchLite (right of the line: TorchLite is faster)")
    if note:
        axis.set_title(note, fontsize=8)
    axis.legend()
    axis.grid(axis="x", alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def jobs(device, options, small, same_weights):
    """What is to be compared: (name, a function that gives the row)."""
    for case in cases.timed(small):
        for variant, signature in enumerate(case.inputs):
            def of_case(name, case=case, variant=variant, signature=signature):
                module = case.module.eval().to(device.device)
                arguments = [(torch.randn(shape, device=device.device) * 0.5).to(dtype) for shape, dtype in signature]
                return run(device, name, case, variant, module, arguments, case.tolerance, options,
                           lambda: torch.jit.script(module))
            yield f"{case.name}.{variant}", of_case
    for model_name in cases.MODELS:
        for variant, batch in enumerate(cases.batches(small)):
            def of_model(name, model_name=model_name, variant=variant, batch=batch):
                model = cases.Model(model_name, small)
                model.module.to(device.device)
                x = model.inputs(batch).to(device.device)
                return run(device, name, model.case, variant, model.module, [x],
                           model.case.tolerance if same_weights else None, options,
                           lambda: torch.jit.trace(model.module, [x]))
            yield f"model_{model_name}.batch{batch}", of_model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N or emulated")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--ways", default=",".join(WAYS), type=lambda text: text.split(","),
                        help="PyTorch's ways of running a model (default: all)")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--plot", type=pathlib.Path)
    parser.add_argument("--samples", type=int, default=15)
    options = parser.parse_args()
    unknown = [way for way in options.ways if way not in WAYS]
    if unknown:
        parser.error(f"--ways={unknown[0]}: unknown; expected {', '.join(WAYS)}")
    about = json.loads((HERE / "ABOUT.json").read_text())
    lines = [line.split("|") for line in (HERE / "MANIFEST").read_text().splitlines()]
    built = {fields[1] for fields in lines if fields[0] == "time"}
    device = Emulated() if options.device == "emulated" else Cuda(options.device)
    if device.note:
        print(device.note)
    rows, failures = [], {}
    for name, job in jobs(device, options, about["small"], about["torch"] == torch.__version__):
        if options.only not in name or name not in built:
            continue
        try:
            rows.append(job(name))
        except Exception as error:  # noqa: BLE001: the other cases go on
            failures[name] = first_line(error)
            print(f"{name:40} FAILED: {failures[name]}", flush=True)
    print(f"{len(rows)} compared, {len(failures)} failed")
    if options.json:
        options.json.write_text(json.dumps(
            {"device": device.name, "torch": torch.__version__, "revision": about["revision"], "note": device.note,
             "rows": rows, "failed": failures}, indent=1))
    if options.plot and rows:
        plot(rows, options.plot, device.note)
    return 1 if failures or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
