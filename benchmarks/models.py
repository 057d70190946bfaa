#!/usr/bin/env python3
"""Compiled models beside LibTorch: time, compile time, memory and size, in one run.

For each model the archive is made (examples/), compiled with tl-compile, and called through the C
interface in this process, in turn with LibTorch's ways of running the same archive: as loaded,
after torch.jit.freeze, and after torch.jit.optimize_for_inference. Each figure is the least of many
calls: thread CPU time on one thread, wall time on more. The multiply-add peak of one core is
measured at the start and at the end. Ratios, not times, are to be quoted: machines differ.

With --before the archive is compiled by another build's compiler as well and its library is called in
turn with the others, so that a change of the compiler is judged in one run.

usage: benchmarks/models.py [--build build/release] [--models resnet18,mlp] [--threads 1,2] [--json out.json]
                            [--before OTHER/build/release]
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))
import torchlite  # noqa: E402

# name: (example script, archive, input types, input arrays, seconds per measurement)
RNG = np.random.default_rng(0)


def image(batch, size):
    return RNG.standard_normal((batch, 3, size, size), dtype=np.float32)


MODELS = {
    "my_cell": ("my_cell.py", "my_cell_scripted.pt", ["3x4xf32", "3x4xf32"],
                lambda: [RNG.random((3, 4), dtype=np.float32) for _ in range(2)]),
    "loop": ("loop_foo.py", "loop_foo.pt", ["int"], lambda: [1000]),
    "mlp": ("mlp.py", "mlp.pt", ["64x784xf32"], lambda: [RNG.random((64, 784), dtype=np.float32)]),
    "resnet18": ("mean_resnet18.py", "mean_resnet18.pt", ["1x3x224x224xf32"], lambda: [image(1, 224)]),
    "mobilenet_v2": ("mobilenet_v2.py", "mobilenet_v2.pt", ["1x3x224x224xf32"], lambda: [image(1, 224)]),
    "bert_base": ("bert_base.py", "bert_base.pt", ["1x128xi64"],
                  lambda: [RNG.integers(0, 30000, (1, 128))]),
}


def to_torch(arguments):
    return [a if isinstance(a, int) else torch.from_numpy(a) for a in arguments]


def least(functions, clock, budget):
    """Least seconds of each function, called in turn until each has had `budget` seconds."""
    functions = list(functions)
    best, spent = [float("inf")] * len(functions), 0.0
    for f in functions:
        f()
    rounds = 0
    while rounds < 5 or (spent < budget * len(functions) and rounds < 20000):
        for index, f in enumerate(functions):
            start = clock()
            f()
            elapsed = clock() - start
            best[index] = min(best[index], elapsed)
            spent += elapsed
        rounds += 1
    return best


def measure_compile(command):
    """(CPU seconds, peak megabytes) of a command."""
    pid = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"benchmarks/models.py: {' '.join(command)} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def peak(build):
    pinned = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    return float(subprocess.run([*pinned, build / "bin" / "tl-peak"], capture_output=True, text=True,
                                check=True).stdout)


def weights_bytes(module):
    storages = {}
    for tensor in [*module.parameters(), *module.buffers()]:
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
    return sum(storages.values())


def variants(archive):
    """LibTorch's ways of running an archive."""
    eager = torch.jit.load(str(archive))
    result = {"loaded": eager}
    if isinstance(eager, torch.jit.ScriptModule) and hasattr(eager, "training"):
        eager.eval()
        result["frozen"] = torch.jit.freeze(torch.jit.load(str(archive)).eval())
        result["optimized"] = torch.jit.optimize_for_inference(torch.jit.load(str(archive)).eval())
    return result


def run_model(name, arguments, folder):
    script, archive_name, types, inputs = MODELS[name]
    subprocess.run([sys.executable, ROOT / "examples" / script, folder], check=True,
                   stdout=subprocess.DEVNULL)
    archive, library, before = folder / archive_name, folder / f"{name}.so", folder / f"{name}_before.so"
    compiler = [str(archive), *(f"--input-type={t}" for t in types)]
    seconds, megabytes = measure_compile(
        [str(arguments.build / "bin" / "tl-compile"), *compiler, "-o", str(library)])
    if arguments.before:
        measure_compile([str(arguments.before / "bin" / "tl-compile"), *compiler, "-o", str(before)])
    torch.set_num_threads(1)
    row = {"compile_cpu_s": seconds, "compile_mb": megabytes,
           "library_bytes": library.stat().st_size, "times": {}}
    values = inputs()
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        cpus = sorted(os.sched_getaffinity(0))
        clock = time.thread_time if threads == 1 else time.perf_counter
        if threads == 1:
            os.sched_setaffinity(0, cpus[:1])
        instance = torchlite.Model(library).instance(threads)
        ours = instance.prepare("forward", *values)
        earlier = torchlite.Model(before).instance(threads) if arguments.before else None
        with torch.inference_mode():
            modules = variants(archive)
            row.setdefault("weights_bytes", weights_bytes(modules["loaded"]))
            inputs_torch = to_torch(values)
            for module in modules.values():
                for _ in range(3):
                    expected = module(*inputs_torch)
            while isinstance(expected, (tuple, list)):
                expected = expected[0]
            ours()
            actual = ours.values()
            while isinstance(actual, (tuple, list)):
                actual = actual[0]
            if not np.allclose(actual, expected.numpy(), rtol=1e-3, atol=1e-4):
                sys.exit(f"{name}: the compiled model and LibTorch disagree")
            functions = {"torchlite": ours}
            functions |= {way: lambda m=m: m(*inputs_torch) for way, m in modules.items()}
            if earlier:
                functions["before"] = earlier.prepare("forward", *values)
            row["times"][threads] = dict(zip(functions, least(functions.values(), clock, arguments.seconds)))
        for used in filter(None, (instance, earlier)):
            used.close()
        os.sched_setaffinity(0, cpus)
    return row


def report(name, row):
    size = row["library_bytes"] - row["weights_bytes"]
    print(f"\n{name}: compiled in {row['compile_cpu_s']:.2f} s CPU, {row['compile_mb']:.0f} MB; "
          f"library = weights + {size / 1000:.0f} KB")
    for threads, times in row["times"].items():
        ours = times["torchlite"]
        before = times.pop("before", None)
        best = min(v for k, v in times.items() if k != "torchlite")
        others = "  ".join(f"{k} {v * 1e3:.4g} ms ({v / ours:.2f}x)" for k, v in times.items() if k != "torchlite")
        print(f"  {threads} thread{'s' if threads > 1 else ' '}: TorchLite {ours * 1e3:.4g} ms   LibTorch {others}"
              f"   least ratio {best / ours:.2f}" + (f"   before {before / ours:.3f}x" if before else ""))
    if 1 in row["times"] and 2 in row["times"]:
        print(f"  two threads against one: {row['times'][1]['torchlite'] / row['times'][2]['torchlite']:.2f}x")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--before", type=pathlib.Path, help="build folder of another compiler, for comparison")
    parser.add_argument("--models", type=lambda s: s.split(","), default=list(MODELS))
    parser.add_argument("--threads", type=lambda s: [int(t) for t in s.split(",")], default=[1, 2])
    parser.add_argument("--seconds", type=float, default=2.0, help="per model, way and thread count")
    parser.add_argument("--json", type=pathlib.Path, help="also write the figures here")
    arguments = parser.parse_args()
    result = {"peak_gflops": [peak(arguments.build)], "models": {}}
    print(f"multiply-add peak of one core: {result['peak_gflops'][0]:.0f} GFLOP/s (f32)")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.models:
            row = run_model(name, arguments, pathlib.Path(folder))
            result["models"][name] = row
            report(name, row)
    result["peak_gflops"].append(peak(arguments.build))
    print(f"\nmultiply-add peak at the end: {result['peak_gflops'][1]:.0f} GFLOP/s")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
