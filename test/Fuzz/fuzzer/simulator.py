"""The device `ptxsim`: the PTX of a library on the simulator of test/GPU/PTXSim."""
import os
import pathlib
import shutil
import sys

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "GPU" / "PTXSim" / "Inputs"
# What tl-compile and the library call it.
TARGETS, DEVICES = {"ptxsim": "cuda"}, {"ptxsim": "cuda:0"}


def target_of(device):
    return TARGETS.get(device, device)


def device_of(device):
    return DEVICES.get(device, device)


class Simulator:
    """The driver of this process, from its first library for CUDA on."""

    def __init__(self, build, arch):
        sys.path.insert(0, str(FOLDER))
        from ptxsim import device  # pylint: disable=import-outside-toplevel,import-error
        compiler = os.environ.get("CC") or shutil.which("cc") or "clang"
        self.device = device.Device(device.build(build / "fuzz", compiler))
        self.capability = int(arch.removeprefix("sm_").rstrip("af"))
        self.device.be(self.capability)

    def finding(self):
        """What it has found since the last time, or an empty text."""
        error = self.device.error
        self.device.be(self.capability)
        return error
