#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests. The last line is `N passed, N failed`.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/build.sh" "${1:-release}"
cd "$root"
exec "$venv/bin/python3" scripts/run_tests.py --build "$build" --check --conformance
