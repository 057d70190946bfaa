"""Runs kernels in LLVM IR on the emulator, through tl-emulate."""
import subprocess
import tempfile

HEADER = 'target triple = "nvptx64-nvidia-cuda"\n'


def text(values):
    """Numbers as tl-emulate takes them."""
    return ",".join(repr(value) for value in values)


def buffer(dtype, values):
    """An argument: `values` in device memory."""
    values = list(values)
    return f"{dtype}[{len(values)}]={text(values)}"


def run(module, kernel, *arguments, grid=1, block=32, shared=0, environment=None):
    """Launches `kernel` of `module` (LLVM IR, a string); returns the buffers afterwards, as lists of
    floats. Raises CalledProcessError where the emulator finds an error."""
    with tempfile.NamedTemporaryFile("w", suffix=".ll") as file:
        file.write(module)
        file.flush()
        command = ["tl-emulate", file.name, f"--kernel={kernel}", f"--grid={grid}",
                   f"--block={block}", f"--shared={shared}", *arguments]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                                env=environment).stdout
    return [[float(word) for word in line.split(":")[1].split()] for line in output.splitlines()]
