#!/usr/bin/env bash
# Builds the compiler, the importer and the tools under AddressSanitizer and UBSan into build/sanitize (an hour of
# processor time) and runs the lit tests with them.
#   scripts/sanitize.sh [PATH...]    (default: all; build/sanitize/test/Import is one folder)
set -euo pipefail
paths=("$@")
source "$(dirname "${BASH_SOURCE[0]}")/build.sh" sanitize
exec "$venv/bin/python3" scripts/run_tests.py --build "$build" "${paths[@]}"
