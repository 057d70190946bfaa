#!/usr/bin/env python3
"""Builds the folder that the fourth tier runs on a machine with a GPU.

The folder holds compiled libraries, inputs and saved results of PyTorch, the runner, and scripts: it
needs neither MLIR nor LibTorch there. It stays below 60 MiB.

usage: benchmarks/gpu/build.py --output build/gpu-tests [--build build/release] [--target cuda] [--numerics-only]

`--target=emulated --small` makes a folder whose every part runs without a GPU, to test the parts.
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import zlib
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


def sample(shape, dtype, generator):
    """Values of moderate size, so that sums of thousands of products stay finite in f16."""
    return (torch.randn(shape, generator=generator) * 0.5).to(dtype)


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


def save_all(folder, stem, values):
    """One tensor, or a tuple of them."""
    if isinstance(values, torch.Tensor):
        return save(folder / f"{stem}.npy", values)
    return "(" + ", ".join(save(folder / f"{stem}{i}.npy", v) for i, v in enumerate(values)) + ")"


def timed_line(name, case, library, variant):
    operations, size = case.work[variant] if case.work else (0, 0)
    arguments = ", ".join("x".join(map(str, (*shape, cases.NAMES[dtype]))) + "=rand"
                          for shape, dtype in case.inputs[variant])
    return f"time|{name}|{library}|{case.precision}|{operations}|{size}|forward({arguments})"


def build_case(options, case, archive):
    """Compiles a case and saves what belongs to it; its lines of the manifest."""
    lines = []
    library = options.output / f"{case.name}.so"
    compile_case(options, archive, library, case.signatures(), case.precision)
    archive.unlink()
    # Cases are built side by side, and in any order.
    generator = torch.Generator().manual_seed(zlib.crc32(case.name.encode()))
    for variant, signature in enumerate(case.inputs):
        stem = f"{case.name}.{variant}"
        if case.work:
            lines.append(timed_line(stem, case, library.name, variant))
            continue
        values = [sample(shape, dtype, generator) for shape, dtype in signature]
        arguments = [save(options.output / f"{stem}.in{i}.npy", v) for i, v in enumerate(values)]
        expected = save(options.output / f"{stem}.out.npy", reference(case, values))
        rtol, atol = case.tolerance
        lines.append(f"check|{stem}|{library.name}|1|{rtol}|{atol}|forward({', '.join(arguments)})|{expected}")
    return lines


def build_model(options, name, lines):
    model = cases.Model(name, options.small)
    case = model.case
    archive = options.output / f"{case.name}.pt"
    library = options.output / f"{case.name}.so"
    torch.jit.save(model.traced(), archive)
    compile_case(options, archive, library, case.signatures(), case.precision)
    archive.unlink()
    x = model.inputs(1)
    with torch.inference_mode():
        expected = save_all(options.output, f"{case.name}.out", model.module(x))
    argument = save(options.output / f"{case.name}.in.npy", x)
    rtol, atol = case.tolerance
    for variant, batch in enumerate(cases.batches(options.small)):
        stem = f"{case.name}.batch{batch}"
        # One sample is saved, and repeated: the results of a batch are the same for each.
        lines.append(f"check|{stem}|{library.name}|{batch}|{rtol}|{atol}|forward({argument})|{expected}")
        lines.append(timed_line(stem, case, library.name, variant))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--target", default="cuda")
    parser.add_argument("--arch", default="sm_80,sm_90", help="--cuda-arch of the libraries")
    parser.add_argument("--numerics-only", action="store_true", help="without what is timed")
    parser.add_argument("--small", action="store_true", help="what is timed at sizes for the emulator")
    parser.add_argument("--only", default="", help="cases whose name contains one of these (a,b)")
    options = parser.parse_args()
    shutil.rmtree(options.output, ignore_errors=True)
    options.output.mkdir(parents=True)
    chosen = [*cases.numerics()] + ([] if options.numerics_only else [*cases.timed(options.small)])
    wanted = lambda name: any(part in name for part in options.only.split(","))  # noqa: E731
    chosen = [c for c in chosen if wanted(c.name)]
    parts = []
    with ThreadPoolExecutor(2) as pool:
        for case in chosen:
            archive = options.output / f"{case.name}.pt"
            # Not side by side: the compiler of TorchScript is not made for that.
            torch.jit.save(torch.jit.script(case.module.float()), archive)
            parts.append(pool.submit(build_case, options, case, archive))
    lines = [line for part in parts for line in part.result()]
    if not options.numerics_only:
        for name in cases.MODELS:
            if wanted(f"model_{name}"):
                build_model(options, name, lines)

    (options.output / "MANIFEST").write_text("\n".join(lines) + "\n")
    for source in (options.build / "bin" / "tl-gpu-runner", HERE / "run.sh", HERE / "compare.py", HERE / "cases.py",
                   ROOT / "examples" / "mobilenet_v2.py", ROOT / "examples" / "bert_base.py",
                   ROOT / "examples" / "common.py", ROOT / "python" / "torchlite.py"):
        shutil.copy(source, options.output)
    revision = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    size = sum(f.stat().st_size for f in options.output.iterdir())
    (options.output / "ABOUT.json").write_text(
        json.dumps({"revision": revision, "bytes": size, "arch": options.arch, "target": options.target,
                    "small": options.small, "torch": torch.__version__}))
    print(f"{options.output}: {len(lines)} cases, {size / 2**20:.1f} MiB")
    if size > LIMIT:
        sys.exit(f"{options.output}: larger than {LIMIT >> 20} MiB")


if __name__ == "__main__":
    main()
