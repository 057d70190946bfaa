#!/bin/sh
# Runs the prebuilt tests and benchmarks in this folder on the GPU of this machine.
#
# usage: run.sh [--device=cuda:N] [results folder]
# Numerics; compute-sanitizer's tools, times, and the comparison with PyTorch, each of which counts as one
# test, where they can be had. PYTHON names the interpreter that has PyTorch (default: python3).
# The last line is `N passed, N failed`, with `, N skipped` where there is no GPU.
here=$(cd "$(dirname "$0")" && pwd)
device=cuda
case "$1" in --device=*) device=${1#--device=}; shift ;; esac
out=${1:-$here/results}
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 1
cd "$here" || exit 1
total=$(grep -c '^check|' MANIFEST)
python=${PYTHON:-python3}

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
# What did not come to an end has not passed.
passed=$(grep -c '^ok ' "$out/check.txt")
failed=$((total - passed))
if [ $status -ne 0 ] && [ $failed -eq 0 ]; then
  failed=1
fi

# What a part of the run says, and whether it has gone well (its exit status).
part() {
  if [ "$2" -eq 0 ]; then
    passed=$((passed + 1))
    echo "ok      $1"
  else
    failed=$((failed + 1))
    echo "FAILED  $1: $3"
  fi
}

# Out-of-bounds accesses, races between threads of a block, misused barriers, on the small cases.
case "$device" in
cuda*)
  if command -v compute-sanitizer > /dev/null; then
    grep -v '^check|model_' MANIFEST > "$out/SMALL" # of whole models it would take hours
    for tool in memcheck racecheck synccheck; do
      compute-sanitizer --tool $tool --error-exitcode 9 ./tl-gpu-runner --device="$device" --check "$out/SMALL" \
          > "$out/$tool.txt" 2>&1
      part "compute-sanitizer $tool" $? "see $out/$tool.txt"
    done
  else
    echo "compute-sanitizer is not here: memory, races and barriers are not looked at"
  fi ;;
esac

if grep -q '^time|' MANIFEST; then
  ./tl-gpu-runner --device="$device" --time MANIFEST --json="$out/times.json" > "$out/times.txt" 2>&1
  status=$?
  cat "$out/times.txt"
  part "times" $status "see $out/times.txt"
  case "$device" in
  cuda*) has_torch='import torch, sys; sys.exit(not torch.cuda.is_available())' ways=eager,torchscript,compile ;;
  *) has_torch='import torch' ways=eager,torchscript ;; # torch.compile takes minutes on a processor
  esac
  if "$python" -c "$has_torch" > /dev/null 2>&1; then
    "$python" compare.py --device="$device" --ways=$ways --json "$out/compare.json" --plot "$out/compare.png" \
        > "$out/compare.txt" 2>&1
    status=$?
    cat "$out/compare.txt"
    part "comparison with PyTorch" $status "see $out/compare.txt"
  else
    echo "PyTorch for this device is not here: no ratios to cuBLAS, cuDNN and torch.compile"
  fi
fi
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
