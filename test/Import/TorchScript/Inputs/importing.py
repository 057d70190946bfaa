"""Saves modules, imports them with tl-translate, and prints the IR for FileCheck.

`import torch` takes seconds, so that a test puts many models into one Python process.
"""
import os
import subprocess
import sys
import tempfile
import warnings

import torch

warnings.filterwarnings("ignore")  # torch.jit is deprecated: that is why this project exists.


def tl_translate(path, *options, stdin=None):
    """Runs tl-translate; returns the finished process with text output."""
    return subprocess.run(["tl-translate", "--import-torchscript", path, *options], text=True,
                          input=stdin, capture_output=True)


def show(name, module, *options):
    """Prints a headline, then the imported IR with weights elided.

    Fails unless tl-opt reads the same IR from bytecode and from text with locations.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.pt")
        torch.jit.save(module, path)
        texts = []
        for form in ("--mlir-print-debuginfo", "--emit-bytecode"):
            file = os.path.join(folder, "model.mlir")
            result = tl_translate(path, "-o", file, form)
            if result.returncode:
                sys.exit(f"{name}: {result.stderr}")
            result = subprocess.run(["tl-opt", file], text=True, capture_output=True)
            if result.returncode:
                sys.exit(f"{name}: {form}: {result.stderr}")
            texts.append(result.stdout)
        if texts[0] != texts[1]:
            sys.exit(f"{name}: text and bytecode differ")
        result = tl_translate(path, "--mlir-elide-resource-strings-if-larger=1", *options)
        print(f"=== {name}\n{result.stdout}{result.stderr}", flush=True)


def show_error(name, module):
    """Prints the message of an import that must fail, with `model.pt` for the file's name."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.pt")
        torch.jit.save(module, path)
        show_failure(name, path)


def show_failure(name, path):
    """The same for a file. Fails unless it ends in status 1, one error and no output file."""
    output = path + ".out"
    result = tl_translate(path, "-o", output)
    errors = result.stderr.count("error: ")
    if result.returncode != 1 or errors != 1 or result.stdout or os.path.exists(output):
        sys.exit(f"{name}: status {result.returncode}, {errors} errors:\n{result.stderr}")
    message = result.stderr.replace(os.path.dirname(path) + "/", "")
    print(f"=== {name}\n{message}", flush=True)
