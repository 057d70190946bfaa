#!/usr/bin/env bash
# Installs what is missing, builds TorchLite, and does the main job on a real model: a TorchScript
# archive with ResNet-18 becomes a native library, which runs and is compared with LibTorch.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/build.sh" release
out=$root/build/quickstart
mkdir -p "$out"

step() { printf '\n==> %s\n' "$*"; }

step "examples/mean_resnet18.py writes mean_resnet18.pt (TorchScript, 45 MB)"
"$venv/bin/python3" "$root/examples/mean_resnet18.py" "$out"

step "tl-compile mean_resnet18.pt --input-type=1x3x224x224xf32 -o mean_resnet18.so"
time "$build/bin/tl-compile" "$out/mean_resnet18.pt" --input-type=1x3x224x224xf32 -o "$out/mean_resnet18.so"
ls -l "$out/mean_resnet18.pt" "$out/mean_resnet18.so"

step "tl-run mean_resnet18.pt --check: the same model, compiled, beside LibTorch"
"$build/bin/tl-run" "$out/mean_resnet18.pt" --input=1x3x224x224xf32=rand --check

step "tl-run mean_resnet18.so --benchmark (needs neither Python nor LibTorch)"
"$build/bin/tl-run" "$out/mean_resnet18.so" --input=1x3x224x224xf32=rand --benchmark
