"""Compiles programs for GPUs and runs their PTX on the simulator, beside LibTorch."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "Integration" / "Inputs")]
from compare import Mismatch, compile_library, torchlite  # noqa: E402,F401
from ptxsim import device  # noqa: E402
from strategies import Program, archive, run  # noqa: E402,F401


def make_device(folder, compiler):
    """The simulator as this process's driver."""
    return device.Device(device.build(folder, compiler))


def compile_for(build, folder, programs, arch, precision="f32"):
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{arch}_{precision}"
    archive(programs, stem.with_suffix(".pt"))
    signatures = [f"{p.name}({', '.join(p.types)})" for p in programs]
    options = [f"--cuda-arch={arch}", f"--precision={precision}"]
    compile_library(build, stem.with_suffix(".pt"), stem.with_suffix(".so"), signatures, "cuda", options)
    return stem.with_suffix(".so")


def run_all(simulator, library, programs, capability):
    """Calls the programs; returns what is wrong, as (program, text)."""
    simulator.be(capability)
    instance = torchlite.Model(library).instance(1, "cuda:0")
    found = []
    for program in programs:
        try:
            run(program, instance)
        except Mismatch as mismatch:
            found.append((program.name, str(mismatch)))
            simulator.be(capability)
    instance.close()
    return found
