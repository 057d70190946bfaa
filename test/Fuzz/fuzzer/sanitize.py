"""Runs this program again with AddressSanitizer's runtime, which has to be the process's first."""
import os
import pathlib
import subprocess
import sys

# Allocations of Python and LibTorch that are never freed are not ours; an error ends the process with a signal.
OPTIONS = "detect_leaks=0:abort_on_error=1:allocator_may_return_null=1"
MARK = "TORCHLITE_FUZZ_SANITIZED"


def find_runtime():
    """The library of a compiler on this machine."""
    machine = os.uname().machine
    for compiler, name in (("clang-22", f"libclang_rt.asan-{machine}.so"), ("clang", f"libclang_rt.asan-{machine}.so"),
                           ("gcc", "libasan.so")):
        try:
            command = [compiler, f"-print-file-name={name}"]
            path = pathlib.Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
        except (OSError, subprocess.CalledProcessError):
            continue
        if path.is_absolute() and path.exists():
            return path
    sys.exit("error: no runtime of AddressSanitizer was found; scripts/setup.sh installs libclang-rt-22-dev")


def enter():
    """To be called before anything is computed. Programs that are started do not inherit the runtime."""
    if os.environ.pop(MARK, None):
        del os.environ["LD_PRELOAD"]
        return
    environment = dict(os.environ, LD_PRELOAD=str(find_runtime()), ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", OPTIONS))
    os.execve(sys.executable, [sys.executable, *sys.argv], {**environment, MARK: "1"})


def compiler_options(name):
    return [f"--sanitize={name}"] if name else []
