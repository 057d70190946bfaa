"""Models of many equal layers. They compute what LibTorch does; layers that are equal share their
kernels, however many there are, and a layer more adds calls and few loops.

RUN: %python %s %build %t
"""
import pathlib
import subprocess
import sys

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Inputs"))
from compare import Mismatch, check_calls  # noqa: E402

# Blocks of control flow that a layer may add to the function of the whole model: those of copies
# that are no kernels.
MAX_BLOCKS = 20


class Residual(nn.Module):
    """Its last convolution is followed by a transpose, since the sum is of tensors of PyTorch's layout."""

    def __init__(self):
        super().__init__()
        self.first, self.second = (nn.Conv2d(8, 8, 3, padding=1, bias=False) for _ in range(2))
        self.norm1, self.norm2 = nn.BatchNorm2d(8), nn.BatchNorm2d(8)

    def forward(self, x):
        return torch.relu(x + self.norm2(self.second(torch.relu(self.norm1(self.first(x))))))


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(8, 8)

    def forward(self, x):
        h, c = self.cell(x)
        return h + torch.tanh(c)


class PreNorm(nn.Module):
    """Everything that is known by rows hangs together through the sums."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(16), nn.LayerNorm(16)
        self.mix, self.up, self.down = nn.Linear(16, 16), nn.Linear(16, 32), nn.Linear(32, 16)

    def forward(self, x):
        y = self.mix(self.norm1(x))
        x = x + torch.softmax(torch.matmul(y, x.transpose(1, 2)) * 0.25, -1).matmul(y)
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


def scripted(make):
    return lambda n: torch.jit.script(nn.Sequential(*(make() for _ in range(n))).eval())


def encoder(n):
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    model = nn.TransformerEncoder(layer, n, enable_nested_tensor=False).eval()
    return torch.jit.trace(model, torch.randn(1, 8, 16), check_trace=False)


MODELS = {
    "residual": (scripted(Residual), [1, 8, 8, 8]),
    "layers": (scripted(lambda: nn.Sequential(nn.Linear(16, 16), nn.Tanh())), [4, 16]),
    "cells": (scripted(Cell), [2, 8]),
    "pre_norm": (scripted(PreNorm), [1, 8, 16]),
    "encoder": (encoder, [1, 8, 16]),
}


def count(build, archive, signature):
    """Functions of the compiled model, those that LLVM may not inline, calls, blocks and lines."""
    command = [build / "bin" / "tl-compile", archive, f"--signature={signature}", "--emit=llvm", "-o", "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = text.splitlines()
    functions = [line for line in lines if "llvm.func internal @tl_" in line]
    kept = sum("no_inline" in line for line in functions)
    calls = sum("llvm.call @tl_" in line and "@tl_rt_" not in line for line in lines)
    blocks = sum(line.lstrip().startswith("^bb") for line in lines)
    return len(functions), kept, calls, blocks, len(lines)


def faults(build, prefix, name, make, shape):
    signature = f"forward({'x'.join(map(str, shape))}xf32)"
    counts = []
    for n in (4, 8, 16):
        archive = prefix.with_suffix(f".{name}_{n}.pt")
        make(n).save(str(archive))
        counts.append(count(build, archive, signature))
        if n == 8:
            try:
                check_calls(build, archive, [signature], [("forward", [torch.randn(shape)])], prefix.parent)
            except Mismatch as error:
                yield str(error)
    functions, kept, calls, blocks, lines = zip(*counts)
    if calls[2] > 64 and kept[2] < functions[2]:
        yield f"of {functions[2]} kernels of 16 layers {kept[2]} are not inlined"
    if len(set(functions)) > 1:
        yield f"kernels of 4, 8 and 16 layers: {functions}"
    if blocks[2] - blocks[1] > 8 * MAX_BLOCKS:
        yield f"blocks of 4, 8 and 16 layers: {blocks}"
    if lines[2] - lines[1] > 2.2 * (lines[1] - lines[0]):
        yield f"lines of 4, 8 and 16 layers: {lines}"


def main():
    build, prefix = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    torch.manual_seed(1)
    torch._C._set_graph_executor_optimize(False)
    failures = 0
    for name, (make, shape) in MODELS.items():
        for fault in faults(build, prefix, name, make, shape):
            failures += 1
            print(f"{name}: {fault}")
    print(f"{len(MODELS)} models, {failures} faults")
    return failures != 0


if __name__ == "__main__":
    sys.exit(main())
