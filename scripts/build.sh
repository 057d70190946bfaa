#!/usr/bin/env bash
# Installs what is missing, configures a preset and builds it.  usage: scripts/build.sh [preset]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
preset=${1:-release}
build=$root/build/$preset
cd "$root"
say "configuring preset '$preset'"
cmake --preset "$preset" -DTORCHLITE_PYTHON="$venv/bin/python3" > "$root/build-$preset.log" 2>&1 ||
  { cat "$root/build-$preset.log"; exit 1; }
rm -f "$root/build-$preset.log"
say "building into build/$preset"
cmake --build "$build"
