"""One archive, compiled again, gives the same bytes, though functions are compiled side by side: methods and
signatures that read one weight, on the CPU and for GPUs.

RUN: %python %s %build %t.cpu
RUN: %python %s %build %t.gpu --target=cuda --cuda-arch=sm_90
"""
import pathlib
import subprocess
import sys

import torch

RUNS = 5


class Attention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x):
        return self.inner(x, x, x, need_weights=False)[0]

    @torch.jit.export
    def weights(self, x):
        return self.inner(x, x, x)

    @torch.jit.export
    def cross(self, x, y):
        return self.inner(x, y, y)


SIGNATURES = ["forward(2x5x16xf32)", "forward(?x?x16xf32)", "weights(2x5x16xf32)", "cross(2x5x16xf32, 2x7x16xf32)"]


def compile_once(build, archive, output, options):
    subprocess.run([str(build / "bin" / "tl-compile"), str(archive), *(f"--signature={s}" for s in SIGNATURES), *options,
                    "-o", str(output)], check=True)
    return output.read_bytes()


def main(build, folder, options):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    archive = folder / "attention.pt"
    torch.jit.save(torch.jit.script(Attention().eval()), str(archive))
    first = compile_once(build, archive, folder / "attention.o", options)
    for run in range(1, RUNS):
        if compile_once(build, archive, folder / "attention.o", options) != first:
            sys.exit(f"run {run} gave another object than the first one")
    print(f"{RUNS} runs gave the same {len(first)} bytes")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:])
