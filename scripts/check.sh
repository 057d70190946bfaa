#!/usr/bin/env bash
# Looks for what no compiler and no test finds: layout, stray files, passes and operators without a test, commands
# of the documents that are none. scripts/test.sh runs it.
#   scripts/check.sh [BUILD]    the build folder, for the tools' options (default: build/release)
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
exec python3 "$root/scripts/check.py" "$@"
