#!/bin/sh
# The fourth tier of tests: numerics, compute-sanitizer and benchmarks on an NVIDIA GPU.
#
# usage: scripts/test-gpu.sh [--build-only] [folder]
#
# Builds `folder` (default build/gpu-tests) where the compiler can be built, and runs it. The folder can
# be copied to a machine with a GPU and run there (folder/run.sh): it needs neither MLIR nor LibTorch.
# Without a GPU everything is skipped; the last line says so.
set -e
cd "$(dirname "$0")/.."
run=1
[ "$1" = --build-only ] && { run=0; shift; }
folder=${1:-build/gpu-tests}
if [ ! -f "$folder/MANIFEST" ]; then
  scripts/build.sh release
  .venv/bin/python3 benchmarks/gpu/build.py --build build/release --output "$folder"
fi
[ $run = 0 ] || exec "$folder/run.sh"
