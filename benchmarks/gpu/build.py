#!/usr/bin/env python3
"""Builds the folder that the fourth tier runs on a machine with a GPU.

The folder holds compiled libraries, inputs and saved results of PyTorch, the runner, and scripts: it
needs neither MLIR nor LibTorch there. It stays below 60 MiB.

usage: benchmarks/gpu/build.py --output build/gpu-tests [--build build/release] [--target cuda] [--numerics-only]
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
import cases  # noqa: E402

LIMIT = 60 << 20


def save(path, tensor):
    """A tensor as a .npy file; bfloat16 as its bits. Returns the value's text."""
    if tensor.dtype == torch.bfloat16:
        np.save(path, tensor.view(torch.uint16).numpy())
        return f"@{path.name}:bf16"
    np.save(path, tensor.numpy())
    return f"@{path.name}"


def sample(shape, dtype):
    """Values of moderate size, so that sums of thousands of products stay finite in f16."""
    return (torch.randn(shape) * 0.5).to(dtype)


def compile_case(options, archive, library, signatures, precision):
    command = [options.build / "bin" / "tl-compile", archive, "-o", library, f"--target={options.target}",
               f"--precision={precision}", *[f"--signature={s}" for s in signatures]]
    if "cuda" in options.target:
        command.append(f"--cuda-arch={options.arch}")
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{library.name}: {done.stderr}")
    library.with_suffix(".h").unlink(missing_ok=True)


def reference(case, values):
    """The result, computed in float64 from operands as they are."""
    result = case.module.double()(*[v.double() for v in values])
    return result.to(values[0].dtype)


def build_case(options, case, lines):
    archive = options.output / f"{case.name}.pt"
    torch.jit.save(torch.jit.script(case.module.float()), archive)
    library = options.output / f"{case.name}.so"
    compile_case(options, archive, library, case.signatures(), case.precision)
    archive.unlink()
    for variant, signature in enumerate(case.inputs):
        stem = f"{case.name}.{variant}"
        if case.work:
            operations, size = case.work[variant]
            arguments = ", ".join("x".join(map(str, (*shape, cases.NAMES[dtype]))) + "=rand" for shape, dtype in signature)
            lines.append(f"time|{stem}|{library.name}|{operations}|{size}|forward({arguments})")
            continue
        values = [sample(shape, dtype) for shape, dtype in signature]
        arguments = [save(options.output / f"{stem}.in{i}.npy", v) for i, v in enumerate(values)]
        expected = save(options.output / f"{stem}.out.npy", reference(case, values))
        rtol, atol = case.tolerance
        lines.append(f"check|{stem}|{library.name}|{rtol}|{atol}|forward({', '.join(arguments)})|{expected}")


def build_model(options, name, lines):
    script, archive_name, variants = cases.MODELS[name]
    subprocess.run([sys.executable, ROOT / "examples" / script, options.output], check=True, stdout=subprocess.DEVNULL)
    archive = options.output / archive_name
    library = options.output / f"model_{name}.so"
    case = cases.Case(name, None, variants)
    compile_case(options, archive, library, case.signatures(), "f32")
    module = torch.jit.load(str(archive)).eval()
    for variant in variants:
        (shape, _), = variant
        x = torch.randn(shape)
        stem = f"model_{name}.batch{shape[0]}"
        if shape[0] == 1:
            with torch.inference_mode():
                expected = save(options.output / f"{stem}.out.npy", module(x))
            argument = save(options.output / f"{stem}.in0.npy", x)
            lines.append(f"check|{stem}|{library.name}|1e-3|1e-4|forward({argument})|{expected}")
        lines.append(f"time|{stem}|{library.name}|0|0|forward({'x'.join(map(str, shape))}xf32=rand)")
    for other in options.output.glob("*.pt"):
        other.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--target", default="cuda")
    parser.add_argument("--arch", default="sm_80,sm_90", help="--cuda-arch of the libraries")
    parser.add_argument("--numerics-only", action="store_true", help="without what is timed")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    options = parser.parse_args()
    torch.manual_seed(0)
    shutil.rmtree(options.output, ignore_errors=True)
    options.output.mkdir(parents=True)
    chosen = [*cases.numerics()] + ([] if options.numerics_only else [*cases.timed()])
    chosen = [c for c in chosen if options.only in c.name]
    collected = [[] for _ in chosen]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda pair: build_case(options, *pair), zip(chosen, collected)))
    lines = [line for part in collected for line in part]
    if not options.numerics_only:
        for name in cases.MODELS:
            if options.only in f"model_{name}":
                build_model(options, name, lines)

    (options.output / "MANIFEST").write_text("\n".join(lines) + "\n")
    for source in (options.build / "bin" / "tl-gpu-runner", HERE / "run.sh", HERE / "compare.py", HERE / "cases.py",
                   ROOT / "examples" / "mobilenet_v2.py", ROOT / "examples" / "common.py",
                   ROOT / "python" / "torchlite.py"):
        shutil.copy(source, options.output)
    revision = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    size = sum(f.stat().st_size for f in options.output.iterdir())
    (options.output / "ABOUT.json").write_text(json.dumps({"revision": revision, "bytes": size, "arch": options.arch}))
    print(f"{options.output}: {len(lines)} cases, {size / 2**20:.1f} MiB")
    if size > LIMIT:
        sys.exit(f"{options.output}: larger than {LIMIT >> 20} MiB")


if __name__ == "__main__":
    main()
