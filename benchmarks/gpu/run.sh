#!/bin/sh
# Runs the prebuilt tests and benchmarks in this folder on the GPU of this machine.
#
# usage: run.sh [--device=cuda:N] [results folder]
# The last line is `N passed, N failed`, with `, N skipped` where there is no GPU.
here=$(cd "$(dirname "$0")" && pwd)
device=cuda
case "$1" in --device=*) device=${1#--device=}; shift ;; esac
out=${1:-$here/results}
mkdir -p "$out" || exit 1
cd "$here" || exit 1
total=$(grep -c '^check|' MANIFEST)

./tl-gpu-runner --device="$device" --probe > "$out/device.txt" 2>&1
status=$?
cat "$out/device.txt"
if [ $status -eq 3 ]; then
  echo "no NVIDIA GPU can be used here: the tests of the fourth tier are skipped"
  echo "0 passed, 0 failed, $total skipped"
  exit 0
fi
[ $status -eq 0 ] || { echo "0 passed, $total failed"; exit 1; }

./tl-gpu-runner --device="$device" --check MANIFEST > "$out/check.txt" 2>&1
status=$?
cat "$out/check.txt"
summary=$(tail -1 "$out/check.txt")

# Out-of-bounds accesses, races between threads of a block, misused barriers, on the small cases.
if [ "$device" != emulated ] && command -v compute-sanitizer > /dev/null; then
  for tool in memcheck racecheck synccheck; do
    if compute-sanitizer --tool $tool --error-exitcode 9 ./tl-gpu-runner --device="$device" --check MANIFEST \
        > "$out/$tool.txt" 2>&1; then
      echo "compute-sanitizer $tool: nothing found"
    else
      echo "compute-sanitizer $tool: see $out/$tool.txt"
      status=1
    fi
  done
fi

if grep -q '^time|' MANIFEST; then
  ./tl-gpu-runner --device="$device" --time MANIFEST --json="$out/times.json" | tee "$out/times.txt"
  if python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2> /dev/null; then
    python3 compare.py --json "$out/compare.json" --plot "$out/compare.png" | tee "$out/compare.txt"
  else
    echo "PyTorch with CUDA is not here: no ratios to cuBLAS, cuDNN and torch.compile"
  fi
fi
echo "$summary"
exit $status
