#!/usr/bin/env python3
"""A model with operators of one's own: compiles myops.cpp to libmyops.so and scripts a module that uses it.

    python examples/operator/make.py OUTDIR
    tl-compile OUTDIR/own_operator.pt --input-type='?x4xf32' --fallback=libtorch \
        --load-library=OUTDIR/libmyops.so -o OUTDIR/own_operator.so
    TORCHLITE_FALLBACK=.../libTorchLiteFallback.so tl-run OUTDIR/own_operator.so --input=2x4xf32=rand
"""
import pathlib
import subprocess
import sys

import torch

HERE = pathlib.Path(__file__).resolve().parent


def compile_operators(source, library, compiler="c++"):
    torch_root = pathlib.Path(torch.__file__).parent
    subprocess.run([compiler, "-std=c++20", "-O1", "-shared", "-fPIC", str(source), "-o", str(library),
                    f"-I{torch_root}/include", f"-L{torch_root}/lib", "-ltorch_cpu", "-lc10",
                    f"-Wl,-rpath,{torch_root}/lib"], check=True)


class Model(torch.nn.Module):
    def forward(self, x, limit: float):
        y = torch.ops.myops.soft_clip(x, limit) + 1
        row = y[0]
        torch.ops.myops.halve_(row)
        found, count = torch.ops.myops.above(y, 1.0)
        return y, found.sum(), count


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    compile_operators(HERE / "myops.cpp", folder / "libmyops.so", *sys.argv[2:3])
    torch.ops.load_library(str(folder / "libmyops.so"))
    torch.jit.script(Model()).save(str(folder / "own_operator.pt"))


if __name__ == "__main__":
    main()
