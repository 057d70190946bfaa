"""Checks how kernels for GPUs compute, on the emulator: small programs compared with LibTorch.

All programs of a test are methods of one library. They are called in each order in which the emulator
can run threads and asynchronous copies: results may not depend on it.
"""
import dataclasses
import itertools
import os
import pathlib
import typing

import torch
from compare import Mismatch, compare, compile_library, to_library, torchlite

MODES = list(itertools.product(("lazy", "eager"), ("forward", "reverse", "random")))


@dataclasses.dataclass
class Program:
    """A function of tensors."""
    name: str
    function: typing.Callable
    types: list  # of its arguments, as tl-compile takes them
    calls: list  # lists of arguments


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
        compare(actual, expected, where)


def check(programs, command):
    """The main program of a test: `BUILD FOLDER [NAME ...]`. Returns the exit status."""
    build, folder, *names = command[1:]
    build, folder = pathlib.Path(build), pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    programs = [p for p in programs if not names or p.name in names]
    archive(programs, folder / "programs.pt")
    signatures = [f"{p.name}({', '.join(p.types)})" for p in programs]
    compile_library(build, folder / "programs.pt", folder / "programs.so", signatures, "emulated")
    model = torchlite.Model(folder / "programs.so")
    failed = 0
    for copies, order in MODES:
        os.environ.update(TORCHLITE_EMULATOR_COPIES=copies, TORCHLITE_EMULATOR_ORDER=order)
        instance = model.instance(2, "emulated")
        for program in programs:
            try:
                run(program, instance)
            except Mismatch as mismatch:
                failed += 1
                print(f"FAILED  {copies}, {order}: {mismatch}")
        instance.close()
    print(f"{len(programs)} programs, {len(MODES)} modes, {failed} failures")
    return 1 if failed else 0
