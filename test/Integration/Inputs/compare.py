"""Compiles archives, calls them through the C interface, and compares with LibTorch.

A `Case` is an archive with the signatures it is compiled for and the calls to make on one instance,
in order. Every call is made on LibTorch as well, on the same inputs, and values, element types,
shapes and structure must agree; where LibTorch raises, the library must return an error.
"""
import itertools
import pathlib
import re
import subprocess
import sys

import numpy as np
import torch

from draws import draws_as_elsewhere

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "python"))
import torchlite  # noqa: E402

RTOL, ATOL = 1e-4, 1e-5
_numbers = itertools.count()


class Mismatch(Exception):
    """The library and LibTorch disagree."""


def compile_library(build, archive, library, signatures, target="cpu", options=()):
    """Runs tl-compile; returns its messages. Raises on failure."""
    command = [str(build / "bin" / "tl-compile"), str(archive), "-o", str(library), f"--target={target}"]
    command += [f"--signature={s}" for s in signatures] + list(options)
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise Mismatch(f"tl-compile failed ({result.returncode}): {result.stderr.strip()[:2000]}")
    return result.stderr


def to_library(value):
    """A torch value as the binding takes it."""
    if isinstance(value, torch.Tensor):
        value = value.detach()
        if value.dtype == torch.bfloat16:
            return torchlite.BFloat16(value.view(torch.uint16).numpy())
        return value.numpy()
    if isinstance(value, (list, tuple)):
        return type(value)(to_library(v) for v in value)
    if isinstance(value, dict):
        return {k: to_library(v) for k, v in value.items()}
    return value


def to_torch(value):
    """A tensor that the binding returned, as a torch tensor."""
    if isinstance(value, torchlite.BFloat16):
        return torch.from_numpy(value.bits).view(torch.bfloat16)
    return torch.from_numpy(value)


def compare(actual, expected, where="result", values=True):
    """Raises Mismatch unless the values agree in structure, element type, shape and, unless told otherwise, value."""
    if isinstance(expected, torch.Tensor):
        if not isinstance(actual, (torchlite.BFloat16, np.ndarray)):
            raise Mismatch(f"{where}: expected a tensor, but got {type(actual).__name__}")
        actual = to_torch(actual)
        expected = expected.detach()
        if actual.dtype != expected.dtype or actual.shape != expected.shape:
            raise Mismatch(f"{where}: expected {expected.dtype}{list(expected.shape)}, "
                           f"but got {actual.dtype}{list(actual.shape)}")
        if not values:
            return
        if expected.is_floating_point() or expected.is_complex():
            # What an f64 was computed from must not have been an f32.
            scale = {torch.float16: 20, torch.bfloat16: 100, torch.float64: 1e-5}.get(expected.dtype, 1)
            close = torch.isclose(actual, expected, rtol=RTOL * scale, atol=ATOL * scale, equal_nan=True)
        else:
            close = actual == expected
        if not bool(close.all()):
            wrong = int((~close).sum())
            difference = (actual.double() - expected.double()).abs()
            raise Mismatch(f"{where}: {wrong} of {expected.numel()} values differ, by up to "
                           f"{difference[~close].max():.3g}")
    elif isinstance(expected, (list, tuple)):
        kind = list if isinstance(expected, list) else tuple
        if not isinstance(actual, kind) or len(actual) != len(expected):
            raise Mismatch(f"{where}: expected a {kind.__name__} of {len(expected)}, but got {actual!r}")
        for index, (a, e) in enumerate(zip(actual, expected)):
            compare(a, e, f"{where}[{index}]", values)
    elif isinstance(expected, dict):
        if not isinstance(actual, dict) or list(actual) != list(expected):
            raise Mismatch(f"{where}: expected keys {list(expected)}, but got {actual!r}")
        for key in expected:
            compare(actual[key], expected[key], f"{where}[{key!r}]", values)
    elif isinstance(expected, float):
        if not isinstance(actual, float) or values and not np.isclose(actual, expected, RTOL, ATOL, equal_nan=True):
            raise Mismatch(f"{where}: expected {expected!r}, but got {actual!r}")
    elif type(actual) is not type(expected) or values and actual != expected:
        raise Mismatch(f"{where}: expected {expected!r}, but got {actual!r}")


def check_calls(build, archive, signatures, calls, folder, threads=1, device="cpu", seed=None):
    """Compiles `archive` for a device and makes `calls`, a list of (method, arguments[, message]), on
    one instance. A third element is the regular expression that an error's message must match. `seed`: of
    the random numbers of all calls, ours and LibTorch's; where these differ, values are not compared."""
    values = seed is None or draws_as_elsewhere()
    # A name of its own: the loader takes two libraries of one path for the same.
    library = folder / f"{pathlib.Path(archive).stem}_{next(_numbers)}.so"
    compile_library(build, archive, library, signatures, target=device)
    try:
        instance = torchlite.Model(library).instance(threads, device)
    except OSError as error:
        raise Mismatch(f"the library does not load: {error}") from error
    reference = torch.jit.load(str(archive))
    if seed is not None:
        instance.seed(seed)
        torch.manual_seed(seed)
    try:
        for number, (method, arguments, *message) in enumerate(calls):
            where = f"call {number} of {method}"
            ours = [to_library(a.clone() if isinstance(a, torch.Tensor) else a) for a in arguments]
            try:
                with torch.inference_mode():
                    expected = getattr(reference, method)(*arguments)
            except Exception as error:  # LibTorch raises: so must the library
                if not message:
                    raise Mismatch(f"{where}: LibTorch raised: {error}") from error
                try:
                    instance.call(method, *ours)
                except torchlite.Error as raised:
                    if not re.search(message[0], str(raised)):
                        raise Mismatch(f"{where}: the error {str(raised)!r} does not match "
                                       f"{message[0]!r}") from raised
                    continue
                raise Mismatch(f"{where}: LibTorch raised, the library did not") from error
            if message:
                raise Mismatch(f"{where}: LibTorch did not raise")
            try:
                actual = instance.call(method, *ours)
            except torchlite.Error as raised:
                raise Mismatch(f"{where}: the library raised: {raised}") from raised
            compare(actual, expected, where, values)
            for index, (mine, theirs) in enumerate(zip(ours, arguments)):
                if isinstance(theirs, torch.Tensor):
                    compare(mine, theirs, f"{where}: argument {index} afterwards", values)
    finally:
        instance.close()
