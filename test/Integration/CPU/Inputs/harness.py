"""Compiles linalg modules through tl-opt to a library, and calls their functions on numpy arrays."""
import ctypes
import os
import pathlib
import re
import subprocess
import tempfile

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[3]
BUILD = pathlib.Path(os.environ.get("TORCHLITE_BUILD", ROOT / "build" / "dev"))
CC = os.environ.get("TORCHLITE_CC", "/usr/lib/llvm-22/bin/clang")


class Raised(Exception):
    pass


class Slot(ctypes.Union):
    class Tensor(ctypes.Structure):
        _fields_ = [("data", ctypes.c_void_p), ("sizes", ctypes.POINTER(ctypes.c_int64))]
    _fields_ = [("tensor", Tensor), ("i", ctypes.c_int64), ("f", ctypes.c_double)]


class Module:
    """One compiled module."""

    def __init__(self, text, cpu="native", keep=None, kernels=True):
        self.folder = tempfile.TemporaryDirectory(prefix="torchlite-test-")
        folder = pathlib.Path(keep or self.folder.name)
        source = folder / "module.mlir"
        source.write_text(text)
        target = f"target-cpu={cpu}"
        done = subprocess.run(
            [BUILD / "bin" / "tl-opt", source, f"--tl-cpu-pipeline={target} kernels={str(kernels).lower()}",
             f"--tl-emit-object=output={folder}/module.o {target}", "-o", folder / "llvm.mlir"],
            capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        lowered = (folder / "llvm.mlir").read_text()
        self.arena = {}
        for name, attributes in re.findall(
                r"llvm\.func hidden @([\w.$]+)\(%.*?attributes \{(.*)\} \{$", lowered, re.M):
            self.arena[name] = int(re.search(r"tl\.arena_bytes = (\d+)", attributes).group(1))
        subprocess.run([CC, "-c", "-O1", "-fPIC", f"-I{ROOT}/runtime/include",
                        HERE / "runtime.c", "-o", folder / "runtime.o"], check=True)
        # Entries are hidden: a table of them is what the library exports.
        table = "".join(f'extern char e{i}[] __asm__("{n}");\nvoid *entry_{i}(void) {{ return e{i}; }}\n'
                        for i, n in enumerate(self.arena))
        (folder / "entries.c").write_text(table)
        subprocess.run([CC, "-shared", "-fPIC", "-Wl,--no-undefined", "-nodefaultlibs",
                        "-o", folder / "module.so", folder / "entries.c", folder / "module.o",
                        folder / "runtime.o", "-lc", "-lm", "-lpthread"], check=True)
        self.library = ctypes.CDLL(folder / "module.so")
        self.object = (folder / "module.o").read_bytes() if keep is None else None
        self.library.test_constant.restype = ctypes.c_void_p
        self.library.test_constant.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]

    def call(self, name, *args, results, threads=2):
        """`results`: (numpy dtype, rank) for a tensor; int, float or bool for a scalar."""
        entry = getattr(self.library, f"entry_{list(self.arena).index(name)}")
        entry.restype = ctypes.c_void_p
        slots = (Slot * max(1, len(args)))()
        keep = []
        for slot, value in zip(slots, args):
            if isinstance(value, (bool, int)):
                slot.i = int(value)
            elif isinstance(value, float):
                slot.f = value
            else:
                value = np.ascontiguousarray(value)
                sizes = (ctypes.c_int64 * max(1, value.ndim))(*value.shape)
                slot.tensor.data = self.library.test_constant(
                    value.ctypes.data, value.nbytes, value.itemsize)
                slot.tensor.sizes = sizes
                keep.append((value, sizes))
        out = (Slot * max(1, len(results)))()
        message = ctypes.create_string_buffer(512)
        counts = (ctypes.c_int64 * 4)()
        raised = self.library.test_call(
            ctypes.c_void_p(entry()), slots, out, ctypes.c_int64(self.arena[name]),
            ctypes.c_int64(threads), message, counts)
        self.live, self.peak, self.total, self.regions = counts
        if raised:
            raise Raised(message.value.decode())
        values = []
        for slot, kind in zip(out, results):
            if kind is int:
                values.append(slot.i)
            elif kind is bool:
                values.append(bool(slot.i))
            elif kind is float:
                values.append(slot.f)
            else:
                dtype, rank = np.dtype(kind[0]), kind[1]
                shape = tuple(slot.tensor.sizes[d] for d in range(rank))
                count = int(np.prod(shape, dtype=np.int64))
                data = ctypes.string_at(slot.tensor.data, count * dtype.itemsize) if count else b""
                values.append(np.frombuffer(data, dtype).reshape(shape))
        return values


def close(got, want, rtol=1e-4, atol=1e-5):
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, f"expected shape {want.shape}, but got {got.shape}"
    np.testing.assert_allclose(got, want, rtol=rtol, atol=atol, equal_nan=True)
