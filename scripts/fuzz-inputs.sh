#!/usr/bin/env bash
# What archives and command lines of strangers are read by, under libFuzzer and sanitizers, from the corpora in
# test/Fuzz/targets/corpus on; one target after the other. What fails is told, and lies in build/release/fuzz.
#   scripts/fuzz-inputs.sh [SECONDS] [TARGET...]    (default: 600 each; archive values)
set -euo pipefail
seconds=${1:-600}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(archive values)
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
cd "$root"
[ -f build/release/build.ninja ] ||
  cmake --preset release -DTORCHLITE_PYTHON="$venv/bin/python3" > /dev/null
cmake --build build/release --target "${targets[@]/#/fuzz-}"
# libLLVM and libMLIR are not instrumented: their memory is not marked.
export ASAN_OPTIONS=allow_user_poisoning=0:max_allocation_size_mb=1100:allocator_may_return_null=1
status=0
for target in "${targets[@]}"; do
  work=build/release/fuzz/$target
  mkdir -p "$work/corpus"
  arguments=()
  # Longer inputs are not read otherwise.
  [ "$target" = archive ] && arguments+=(-max_len=8192)
  say "$target: $seconds seconds"
  build/release/bin/fuzz-$target "$work/corpus" "test/Fuzz/targets/corpus/$target" "${arguments[@]}" -timeout=20 \
    -rss_limit_mb=4096 -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$work/" 2> "$work/log.txt" ||
    status=1
  grep -E "^stat::(number_of_executed|new_units)|ERROR|SUMMARY|Test unit written" "$work/log.txt" || tail -5 "$work/log.txt"
done
exit $status
