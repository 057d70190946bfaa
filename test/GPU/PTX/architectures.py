"""The target table has every architecture that the assembler has, and kernels assemble for each.

RUN: %python %s %build %t

One library for all: machine code of ordinary and tensor cores, shared memory, shuffles and barriers.
"""
import pathlib
import re
import subprocess
import sys

import torch


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True)


def assembler_names():
    text = run("ptxas", "--help").stdout
    allowed = text[text.index("--gpu-name"):]
    allowed = allowed[:allowed.index("Default value")]
    return set(re.findall(r"'(sm_\w+)'", allowed))


def main(build, folder):
    compiler = pathlib.Path(build) / "bin" / "tl-compile"
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "program.pt"
    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.LayerNorm(64), torch.nn.Softmax(1)).half()
    torch.jit.trace(model, torch.rand(64, 64).half()).save(archive)

    refusal = run(compiler, archive, "--target=cuda", "--input-type=64x64xf16", "--cuda-arch=sm_1",
                  "-o", folder / "none.so").stderr
    table = refusal.split("expected one of ")[1].split()
    table = [name.rstrip(",") for name in table]
    assembler = assembler_names()
    missing = assembler - set(table)
    assert assembler and not missing, f"the target table lacks {sorted(missing)}"

    known = [name for name in table if name in assembler]
    done = run(compiler, archive, "--target=cuda", "--input-type=64x64xf16", "--cuda-arch=" + ",".join(known),
               "--report-kernels", "-o", folder / "all.so")
    assert done.returncode == 0, done.stderr
    reported = set(re.findall(r"remark: (sm_\w+): kernel", done.stderr))
    assert reported == set(known), sorted(set(known) - reported)


if __name__ == "__main__":
    main(*sys.argv[1:])
