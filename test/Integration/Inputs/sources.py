"""Methods written as text: defined on one module, called in the library and in LibTorch, and compared."""
import pathlib
import sys

import torch

from compare import Mismatch, check_calls, compare, to_library, torchlite


def methods(source):
    """The text and the name of each method."""
    return [("def " + text.strip() + "\n", text.split("(")[0].strip()) for text in f"\n{source}".split("\ndef ")[1:]]


def define(source, archive, module=None):
    """Saves a module (by default one without attributes) with the methods; returns their names."""
    module = torch.jit.script(module or torch.nn.Identity())
    for text, _ in methods(source):
        module.define(text)
    module.save(str(archive))
    return [name for _, name in methods(source)]


def outcome(call, *arguments):
    """(result, None) or (None, exception)."""
    try:
        with torch.no_grad(), torch.jit.optimized_execution(False):
            return call(*arguments), None
    except (RuntimeError, IndexError, torch.jit.Error, torchlite.Error) as error:
        return None, error


def describe(arguments):
    return ", ".join(str(list(a.shape) if isinstance(a, torch.Tensor) else a) for a in arguments)


def check(instance, reference, name, arguments):
    """1, with a line of what differs, where a call does not do what LibTorch does; otherwise 0."""
    expected, raised = outcome(getattr(reference, name), *[
        a.clone() if isinstance(a, torch.Tensor) else a for a in arguments])
    got, failed = outcome(lambda: instance.call(name, *[to_library(a) for a in arguments]))
    where = f"{name}({describe(arguments)})"
    if bool(raised) != bool(failed):
        print(f"{where}: PyTorch {raised or 'answers'}, here {failed or 'an answer'}")
        return 1
    try:
        if not raised:
            compare(got, expected)
    except Mismatch as error:
        print(f"{where}: {error}")
        return 1
    return 0


def of_single_precision(signatures, calls):
    """The signatures that have unknown sizes and no type of 64 bits but integers, and the calls that these take; enough to
    see the kernels of a GPU at work on the emulator."""
    kept = [s for s in signatures if "?" in s and "f64" not in s and "complex128" not in s]
    return kept, [call for call in calls if any(takes(s, call[0], call[1]) for s in kept)]


def takes(signature, name, arguments):
    """Whether a signature of tensors and numbers is that of a call."""
    method, _, types = signature.rstrip(")").partition("(")
    dtypes = {"f32": torch.float32, "f16": torch.float16, "i64": torch.int64, "i1": torch.bool, "complex64": torch.complex64}

    def fits(type, argument):
        if not isinstance(argument, torch.Tensor):
            return "x" not in type
        *sizes, dtype = type.split("x") if "complex" not in type else [*type.split("xcomplex")[0].split("x"), "complex64"]
        return (len(sizes) == argument.dim() and dtypes.get(dtype) == argument.dtype
                and all(s == "?" or int(s) == n for s, n in zip(sizes, argument.shape)))
    types = types.split(", ")
    return method == name and len(types) == len(arguments) and all(map(fits, types, arguments))


def check_source(source, signatures, calls, module=None, seed=None):
    """The body of a test that is run as `test.py BUILD FOLDER [DEVICE]`: the methods are compiled for the
    signatures, and each call, (method, arguments) or (method, arguments, what is raised), is compared."""
    build, folder = map(pathlib.Path, sys.argv[1:3])
    folder.mkdir(parents=True, exist_ok=True)
    define(source, folder / "methods.pt", module)
    check_calls(build, folder / "methods.pt", signatures, calls, folder, device=(sys.argv[3:] or ["cpu"])[0],
                seed=seed)
    print(f"{len(calls)} calls agree")
