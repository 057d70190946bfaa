"""Checks how kernels for GPUs (on the emulator) and CPUs compute: small programs compared with LibTorch.

All programs of a test are methods of one library. They are called in each order in which the emulator
can run threads and asynchronous copies: results may not depend on it.
"""
import dataclasses
import itertools
import os
import pathlib
import typing

import torch
from compare import Mismatch, compare, compile_library, to_library, to_torch, torchlite

MODES = list(itertools.product(("lazy", "eager"), ("forward", "reverse", "random")))


@dataclasses.dataclass
class Program:
    """A function of tensors."""
    name: str
    function: typing.Callable
    types: list  # of its arguments, as tl-compile takes them
    calls: list  # lists of arguments
    # (rtol, atol) against the function computed in f64, instead of the usual ones against LibTorch.
    exact: typing.Optional[tuple] = None


def archive(programs, path):
    """Writes an archive with a method for each program."""
    methods = {p.name: (lambda self, *arguments, f=p.function: f(*arguments)) for p in programs}
    module = type("Programs", (torch.nn.Module,), methods)().eval()
    torch.jit.save(torch.jit.trace_module(module, {p.name: tuple(p.calls[0]) for p in programs},
                                          check_trace=False), str(path))


def run(program, instance):
    """Calls the program on what is open; raises Mismatch."""
    for number, arguments in enumerate(program.calls):
        where = f"call {number} of {program.name}"
        with torch.inference_mode():
            expected = program.function(*arguments)
        try:
            actual = instance.call(program.name, *map(to_library, arguments))
        except torchlite.Error as error:
            raise Mismatch(f"{where}: the library raised: {error}") from error
        if program.exact is None:
            compare(actual, expected, where)
        else:
            compare_exact(program, arguments, to_torch(actual), expected, where)


def compare_exact(program, arguments, actual, expected, where):
    """Raises Mismatch unless the tensor is of LibTorch's type and shape, and near to what f64 gives."""
    if actual.dtype != expected.dtype or actual.shape != expected.shape:
        raise Mismatch(f"{where}: expected {expected.dtype}{list(expected.shape)}, "
                       f"but got {actual.dtype}{list(actual.shape)}")
    with torch.inference_mode():
        exact = program.function(*[a.double() if a.is_floating_point() else a for a in arguments])
    rtol, atol = program.exact
    far = ~torch.isclose(actual.double(), exact, rtol=rtol, atol=atol, equal_nan=True)
    if far.any():
        raise Mismatch(f"{where}: {int(far.sum())} of {far.numel()} values are farther from the exact ones than "
                       f"{rtol:g} (relative) + {atol:g}, by up to {(actual.double() - exact).abs()[far].max():.3g}")


def check(programs, command, device="emulated"):
    """The main program of a test: `BUILD FOLDER [NAME ...]`. Returns the exit status."""
    build, folder, *names = command[1:]
    build, folder = pathlib.Path(build), pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    programs = [p for p in programs if not names or p.name in names]
    archive(programs, folder / "programs.pt")
    signatures = [f"{p.name}({', '.join(p.types)})" for p in programs]
    compile_library(build, folder / "programs.pt", folder / "programs.so", signatures, device)
    model = torchlite.Model(folder / "programs.so")
    failed = 0
    modes = MODES if device == "emulated" else MODES[:1]
    for copies, order in modes:
        os.environ.update(TORCHLITE_EMULATOR_COPIES=copies, TORCHLITE_EMULATOR_ORDER=order)
        instance = model.instance(2, device)
        for program in programs:
            try:
                run(program, instance)
            except Mismatch as mismatch:
                failed += 1
                print(f"FAILED  {copies}, {order}: {mismatch}")
        instance.close()
    print(f"{len(programs)} programs, {len(modes)} modes, {failed} failures")
    return 1 if failed else 0
