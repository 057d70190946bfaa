"""The comparison with PyTorch, run on the processor: ratios, JSON, what fails and what is left out.

REQUIRES: importer, libdevice
RUN: rm -rf %t && %python %source/benchmarks/gpu/build.py --build %build --output %t --target emulated --small \
RUN:     --only time_matmul_bf16,time_softmax,model_mlp
RUN: env PYTHON=%python %t/run.sh --device=emulated | FileCheck %s
RUN: %python %s %build %t

CHECK: {{^}}ok      model_mlp.batch2{{$}}
CHECK: yardsticks: a copy takes {{.*}} GB/s; emulated on the processor, so that times mean nothing
CHECK: {{^}}time_matmul_bf16.1 {{.*}} TFLOP/s {{.*}} GB/s ({{.*}}% of a copy)
CHECK: {{^}}ok      times{{$}}
CHECK: 6 compared, 0 failed
CHECK: {{^}}ok      comparison with PyTorch{{$}}
CHECK: {{^}}4 passed, 0 failed{{$}}
"""
import contextlib
import io
import json
import pathlib
import subprocess
import sys

import torch

build, folder = map(pathlib.Path, sys.argv[1:])
sys.path.insert(0, str(folder))
import cases  # noqa: E402
import compare  # noqa: E402


def run(*arguments, fresh=False):
    """Exit status of compare.py, what it says, and its JSON. `fresh`: in a process that has no library open."""
    command = ["compare.py", "--device=emulated", "--samples=1", "--json", folder / "out.json", *arguments]
    command = list(map(str, command))
    if fresh:
        done = subprocess.run([sys.executable, folder / command[0], *command[1:]], capture_output=True, text=True)
        status, text = done.returncode, done.stdout
    else:
        sys.argv, stream = command, io.StringIO()
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            try:
                status = compare.main()
            except SystemExit as leave:
                status = leave.code
        text = stream.getvalue()
    print(text)
    return status, text, json.loads((folder / "out.json").read_text())


# All goes well: each row has all ways, and its ratio is to the best of PyTorch's.
status, text, result = run("--ways=eager,torchscript", "--only=time_matmul_bf16")
assert status == 0 and "2 compared, 0 failed" in text, status
assert "mean nothing" in text and "mean nothing" in result["note"]
assert [row["name"] for row in result["rows"]] == ["time_matmul_bf16.0", "time_matmul_bf16.1"]
for row in result["rows"]:
    times = row["us"]
    assert list(times) == ["torchlite", "eager", "torchscript"] and all(t > 0 for t in times.values()), row
    assert row["ratio_to_best"] == min(times["eager"], times["torchscript"]) / times["torchlite"], row
    assert row["tflops"] > 0 and row["gbs"] > 0 and not row["left_out"], row
# Times and rates are of the same calls.
size = 2 * 65**3
row = result["rows"][1]
assert abs(row["tflops"] * 1e12 * row["us"]["torchlite"] * 1e-6 / size - 1) < 1e-6, row

# A plot, where there is what draws it.
status, text, _ = run("--ways=eager", "--only=model_mlp", "--plot", folder / "out.png")
assert status == 0 and "model_mlp.batch2" in text, status
assert (folder / "out.png").exists() != ("no plot" in text)

# Nothing to compare is no success; a way that there is not.
assert run("--only=nothing")[0] == 1
status, text, _ = run("--ways=eagr")
assert status == 2 and "--ways=eagr: unknown; expected eager, torchscript, compile" in text, text


# A library that computes something else, and one that is missing: both fail, the others go on.
class Wrong(torch.nn.Module):
    def forward(self, x: torch.Tensor):
        return torch.softmax(x, -1) + 0.001


torch.jit.save(torch.jit.script(Wrong()), folder / "wrong.pt")
case = next(c for c in cases.timed(small=True) if c.name == "time_softmax")
subprocess.run([build / "bin" / "tl-compile", folder / "wrong.pt", "-o", folder / "time_softmax.so",
                "--target=emulated", *[f"--signature={s}" for s in case.signatures()]], check=True)
(folder / "time_matmul_bf16.so").unlink()
status, text, result = run("--ways=eager", fresh=True)
assert status == 1, status
assert result["failed"]["time_softmax.0"].startswith("Tensor-likes are not close"), result["failed"]
assert "time_matmul_bf16.0" in result["failed"]
assert [row["name"] for row in result["rows"]] == ["model_mlp.batch1", "model_mlp.batch2"], result["rows"]


# A way of PyTorch that cannot run is left out, with the reason.
class Unscriptable(torch.nn.Module):
    def forward(self, *x):
        return x[0] + 1


module = Unscriptable()
ways, reasons = compare.ways_of(module, [torch.ones(2)], ["eager", "torchscript"], lambda: torch.jit.script(module))
assert list(ways) == ["eager"] and list(reasons) == ["torchscript"] and reasons["torchscript"], reasons
