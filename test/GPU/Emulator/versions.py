"""A library with kernels of its own for several architectures: the emulator runs each set, and all are right.

REQUIRES: importer, libdevice
RUN: rm -rf %t && mkdir %t
RUN: env PYTHONPATH=%source/python %python %s %build %t
"""
import os
import pathlib
import re
import subprocess
import sys

import torch
import torchlite

build, folder = map(pathlib.Path, sys.argv[1:])


class Layer(torch.nn.Module):
    """A product, for which architectures differ, and constants, which they share."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(128, 96)

    def forward(self, x: torch.Tensor):
        return torch.relu(self.linear(x))


torch.manual_seed(0)
module = Layer().half()
torch.jit.save(torch.jit.script(module), folder / "layer.pt")


def compile_for(archs):
    library = folder / f"layer_{archs.replace(',', '_')}.so"
    subprocess.run([build / "bin" / "tl-compile", folder / "layer.pt", "--input-type=100x128xf16", "--target=emulated",
                    f"--cuda-arch={archs}", "-o", library], check=True)
    return library


def mutations(model):
    """The barriers and waits of the set that would run, by an error that lists them."""
    os.environ["TORCHLITE_EMULATOR_MUTATION"] = "100000"
    try:
        model.instance(device="emulated").close()
    except torchlite.Error as error:
        return re.sub(r"_\d+ ", " ", str(error))  # kernels of one name in several sets have numbers
    finally:
        del os.environ["TORCHLITE_EMULATOR_MUTATION"]


x = torch.randn(100, 128).half()
expected = torch.relu(torch.nn.functional.linear(x.double(), module.linear.weight.double(), module.linear.bias.double()))
both = torchlite.Model(compile_for("sm_75,sm_90"))
alone = {arch: mutations(torchlite.Model(compile_for(f"sm_{arch}"))) for arch in ("75", "90")}
assert alone["75"] != alone["90"]
for arch, like in ((None, "75"), ("75", "75"), ("80", "75"), ("90", "90"), ("100", "90")):
    os.environ.pop("TORCHLITE_EMULATOR_ARCH", None)
    if arch:
        os.environ["TORCHLITE_EMULATOR_ARCH"] = arch
    # What a library for that architecture alone has.
    assert mutations(both) == alone[like], (arch, mutations(both), alone[like])
    instance = both.instance(device="emulated")
    for _ in range(3):
        y = torch.from_numpy(instance.call("forward", x))
        torch.testing.assert_close(y.double(), expected, rtol=2e-2, atol=2e-2)
    instance.close()
os.environ["TORCHLITE_EMULATOR_ARCH"] = "70"
try:
    both.instance(device="emulated")
    assert False
except torchlite.Error as error:
    assert "TORCHLITE_EMULATOR_ARCH is '70': expected an architecture such as 75" in str(error), error
# Weights are there once.
size = {library.name: library.stat().st_size for library in folder.glob("*.so")}
assert size["layer_sm_75_sm_90.so"] < size["layer_sm_75.so"] + 20000, size
