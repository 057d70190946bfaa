"""The device that the runtime finds: libcuda.c, and what it asks for."""
import ctypes as C
import os
import pathlib
import subprocess
import traceback

import numpy as np

from .memory import GlobalMemory
from .parse import parse
from .run import launch
from .values import Fault

TAG = 1 << 60
SOURCE = pathlib.Path(__file__).resolve().parents[1] / "libcuda.c"
HOOKS = {  # by name: the result and the arguments
    "prepare": (C.c_long, C.c_int, C.POINTER(C.c_void_p), C.POINTER(C.c_uint)), "run": (C.c_int, C.c_long),
    "load": (C.c_int, C.c_char_p), "find": (C.c_int, C.c_int, C.c_char_p),
    "allocated": (None, C.c_ulonglong, C.c_ulonglong), "freed": (None, C.c_ulonglong)}


def build(folder, compiler="cc"):
    """Compiles the stand-in; TORCHLITE_LIBCUDA names it from now on."""
    library = pathlib.Path(folder) / "libcuda-ptxsim.so"
    if not library.exists() or library.stat().st_mtime < SOURCE.stat().st_mtime:
        library.parent.mkdir(parents=True, exist_ok=True)
        own = library.with_suffix(f".{os.getpid()}")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", str(SOURCE), "-o", str(own)], check=True)
        own.replace(library)
    os.environ["TORCHLITE_LIBCUDA"] = str(library)
    return library


class Device:
    """One for a process: make it before a model is opened on cuda:0. `change`, where given, gets the text of each
    module and returns what runs instead."""

    def __init__(self, library, change=None):
        self.library = C.CDLL(str(library), mode=C.RTLD_GLOBAL)
        self.library.cuInit(0)
        self.change = change
        base = self.variable("memory", C.c_void_p).value
        size = self.variable("memory_bytes", C.c_size_t).value
        self.memory = GlobalMemory(np.ctypeslib.as_array((C.c_uint8 * size).from_address(base)), base + TAG)
        self.modules, self.kernels, self.launches = [], [], []
        self.error, self.done = "", 0
        self.hooks = {}
        for name, (result, *arguments) in HOOKS.items():
            self.hooks[name] = C.CFUNCTYPE(result, *arguments)(getattr(self, name))
            self.variable(name, C.c_void_p).value = C.cast(self.hooks[name], C.c_void_p).value

    def variable(self, name, kind=C.c_int):
        return kind.in_dll(self.library, "sim_" + name)

    def be(self, capability):
        """Another GPU, which has not failed."""
        self.variable("capability").value = capability
        self.variable("broken").value = 0
        self.error = ""

    def allocated(self, address, size):
        self.memory.allocate(address, size)

    def freed(self, address):
        self.memory.free(address)

    def load(self, text):
        try:
            text = text.decode()
            kernels = parse(self.change(text) if self.change else text)
        except Exception:  # pylint: disable=broad-except
            self.error = traceback.format_exc()
            return 0
        for name, data in next(iter(kernels.values())).constants.items() if kernels else ():
            address = C.c_ulonglong()
            self.library.cuMemAlloc_v2(C.byref(address), C.c_size_t(len(data)))
            at = address.value - self.memory.first
            self.memory.data[at:at + len(data)] = np.frombuffer(data, np.uint8)
            for kernel in kernels.values():
                kernel.addresses[name] = address.value
        self.modules.append(kernels)
        return len(self.modules)

    def find(self, module, name):
        kernel = self.modules[module - 1].get(name.decode())
        if not kernel:
            return 0
        self.kernels.append(kernel)
        return len(self.kernels)

    def prepare(self, number, params, dims):
        kernel = self.kernels[number - 1]
        arguments = {name: C.string_at(params[i], size) for i, (name, size) in enumerate(kernel.params)}
        self.launches.append((kernel, arguments, [dims[i] for i in range(7)]))
        return len(self.launches) - 1

    def run(self, number):
        try:
            with np.errstate(all="ignore"):
                launch(self.memory, *self.launches[number])
            self.done += 1
            return 0
        except Fault as fault:
            self.error = str(fault)
        except Exception:  # pylint: disable=broad-except
            self.error = f"kernel '{self.launches[number][0].name}': {traceback.format_exc()}"
        self.variable("error", C.c_char * 2048).value = self.error.encode()[:2000]
        return 1
