"""Programs of a few lines with sizes, amounts and steps that are known at run time only.

Each is compiled, called with many values, and compared with eager PyTorch. A program is a name with its
arguments and their types, its body, and its calls.
"""
import os
import subprocess
import sys
import warnings

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "python"))
import torchlite  # noqa: E402

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
INTS = [0, 1, -1, -2, 2, 3, 4, 5, 12, 100, 2**31, 2**32, 2**62, 2**63 - 1, -2**63, -2**31]
FEW = [0, 1, -1, 2, 3, 2**40, 2**62, -2**63]
SIZES = [0, 1, 2, 3]


def grid(*shape):
    count = int(np.prod(shape))
    return (torch.arange(count, dtype=torch.float32) * 0.75 - count / 3).reshape(shape)


def ints(count, tensor=(3, 4), few=False):
    """Calls with a tensor and every combination of ints (or ints alone, for no tensor)."""
    values = FEW if few or count > 2 else INTS
    calls = [()]
    for _ in range(count):
        calls = [(*call, value) for call in calls for value in values]
    return [((grid(*tensor),) if tensor is not None else ()) + call for call in calls]


def pairs(first, second):
    """Calls with tensors of all sizes that stand for None."""
    fill = [lambda shape, n=n: grid(*(n if size is None else size for size in shape)) for n in SIZES]
    return [(f(first), g(second)) for f in fill for g in fill]


def compile_programs(programs, folder):
    module = torch.jit.script(torch.nn.Module())
    flags = []
    for name, (arguments, body, _) in programs.items():
        lines = "\n".join("    " + line for line in body.split("\n"))
        names = ", ".join(argument for argument, _ in arguments)
        module.define(f"def {name}(self, {names}):\n{lines}\n")
        flags.append(f"--signature={name}({', '.join(type for _, type in arguments)})")
    os.makedirs(folder, exist_ok=True)
    module.save(f"{folder}/programs.pt")
    tool = os.path.join(os.environ["TORCHLITE_BUILD"], "bin", "tl-compile")
    subprocess.run([tool, f"{folder}/programs.pt", "-o", f"{folder}/programs.so", *flags], check=True)
    return torchlite.Model(f"{folder}/programs.so").instance(threads=1)


def flat(value):
    if isinstance(value, (list, tuple)):
        return [leaf for element in value for leaf in flat(element)]
    return [value.numpy() if isinstance(value, torch.Tensor) else np.asarray(value)]


def outcome(call, arguments):
    """What a call gives, or its exception. Eager kernels must not allocate what is not there."""
    try:
        return [array.copy() for array in flat(call(*arguments))]
    except (RuntimeError, IndexError, ValueError, torchlite.Error, torch.jit.Error) as error:
        return error


def is_absurd(arguments, expected):
    """Tensors without elements that have a size beyond any memory are refused."""
    return not isinstance(expected, Exception) and any(a.size == 0 for a in expected) and any(
        isinstance(a, int) and abs(a) >= 2**40 for a in arguments)


def has_reason(expected, got):
    """What is wrong with a size is said by its line; a lack of memory is what is left."""
    return "out of memory" not in str(got) or any(
        word in str(expected) for word in ("memory", "overflow", "too large", "nvalid size"))


def agree(expected, got):
    if isinstance(expected, Exception) or isinstance(got, Exception):
        return isinstance(expected, Exception) and isinstance(got, Exception) and has_reason(expected, got)
    return len(expected) == len(got) and all(
        x.shape == y.shape and x.dtype == y.dtype and np.allclose(x, y, tolerance(x), tolerance(x), True)
        for x, y in zip(expected, got))


def tolerance(array):
    """What an f64 was computed from must not have been an f32. Numbers may: they are those of its items."""
    return 1e-9 if array.dtype == np.float64 and array.ndim else 1e-5


def check_programs(programs, folder):
    """How many calls differ."""
    instance = compile_programs(programs, folder)
    reference = torch.jit.load(f"{folder}/programs.pt")
    wrong = 0
    for name, (_, _, calls) in programs.items():
        shown = 0
        for arguments in calls:
            with torch.jit.optimized_execution(False):
                expected = outcome(getattr(reference, name), arguments)
            if is_absurd(arguments, expected):
                continue
            got = outcome(lambda *a, name=name: instance.call(name, *a), arguments)
            if agree(expected, got):
                continue
            wrong += 1
            shown += 1
            if shown > 4:
                continue
            text = [tuple(a.shape) if isinstance(a, torch.Tensor) else a for a in arguments]
            print(f"{name}{text}: expected {str(expected)[-300:]}, got {str(got)[:300]}", flush=True)
    print(f"{wrong} calls differ")
    return wrong


def main(programs):
    """usage: program.py FOLDER [--apart] [NAME...]: all programs, or those named, compiled as one library
    or each as its own."""
    folder, names = sys.argv[1], [name for name in sys.argv[2:] if name != "--apart"]
    programs = {name: program for name, program in programs.items() if not names or name in names}
    if "--apart" not in sys.argv:
        return check_programs(programs, folder) > 0
    failed = False
    for name, program in programs.items():
        print(name, flush=True)
        try:
            failed |= check_programs({name: program}, os.path.join(folder, name)) > 0
        except subprocess.CalledProcessError:
            failed = True
    return failed
