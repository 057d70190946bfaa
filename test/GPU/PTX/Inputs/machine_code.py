"""Programs as IR to PTX and machine code, with what the assembler says about them."""
import pathlib
import re
import subprocess
import sys
import tempfile


def compile_kernels(build, name, text, arch, strategy=None):
    """The PTX of a program's kernels and a line for each ("takes 32 registers, ..."); ends the test where
    it cannot be compiled, or where a kernel spills."""
    options = f"={'strategy=' + strategy}" if strategy else ""
    with tempfile.TemporaryDirectory() as folder:
        lowered, ptx = pathlib.Path(folder, "lowered.mlir"), pathlib.Path(folder, "x.ptx")
        run = subprocess.run([f"{build}/bin/tl-opt", f"--tl-nvgpu-pipeline{options}", "-o", lowered], input=text,
                             capture_output=True, text=True)
        if run.returncode:
            sys.exit(f"{name}: {run.stderr}")
        pipeline = f"builtin.module(gpu.module(tl-nvgpu-emit-image{{arch={arch} report output={ptx}}}))"
        run = subprocess.run([f"{build}/bin/tl-opt", lowered, "-o", "/dev/null", f"--pass-pipeline={pipeline}"],
                             capture_output=True, text=True)
        remarks = re.findall(r"takes \d+ registers.*", run.stderr)
        if run.returncode or not remarks:
            sys.exit(f"{name}: {run.stderr}")
        if not all(remark.endswith("; no spills") for remark in remarks):
            sys.exit(f"{name} spills: {remarks}")
        return ptx.read_text(), remarks
