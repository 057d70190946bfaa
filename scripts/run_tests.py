#!/usr/bin/env python3
"""Runs every test suite of a build folder and adds up the totals.

Each suite prints its own report; the last line of this program is `N passed, N failed`, with
`, N skipped` where tests were skipped. Exit status 1 if anything failed.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def run_lit(build, paths):
    """All lit tests below test/; returns (passed, failed, skipped)."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = [
            "/usr/lib/llvm-22/bin/lit" if os.path.exists("/usr/lib/llvm-22/bin/lit") else "lit",
            "-sv", f"--output={report.name}",
            *[str(p) for p in paths],
        ]
        status = subprocess.run(command, cwd=ROOT).returncode
        try:
            tests = json.load(open(report.name))["tests"]
        except (OSError, ValueError):
            return 0, 1, 0
    codes = [t["code"] for t in tests]
    passed = sum(c in ("PASS", "XFAIL", "FLAKYPASS") for c in codes)
    skipped = sum(c in ("UNSUPPORTED", "SKIPPED") for c in codes)
    failed = len(codes) - passed - skipped
    return passed, max(failed, 1 if status else 0), skipped


def run_conformance(build, *options):
    """PyTorch's operator or module database through the compiler; returns (passed, failed, skipped), one for the
    whole of it."""
    runner = build / "bin" / "tl-conformance"
    if not runner.exists():
        return 0, 0, 1
    command = [sys.executable, ROOT / "test" / "Conformance" / "conformance.py", "--quiet", "--runner", runner,
               *options]
    status = subprocess.run(command, cwd=ROOT).returncode
    return (1, 0, 0) if status == 0 else (0, 1, 0)


def run_check(build):
    """scripts/check.sh; one for the whole of it."""
    status = subprocess.run([ROOT / "scripts" / "check.sh", build], cwd=ROOT).returncode
    return (1, 0, 0) if status == 0 else (0, 1, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder")
    parser.add_argument("paths", nargs="*", type=pathlib.Path, help="only these lit paths")
    parser.add_argument("--conformance", action="store_true",
                        help="also compare with PyTorch's operator and module databases (minutes)")
    parser.add_argument("--check", action="store_true", help="also scripts/check.sh: layout, stray files, documents")
    arguments = parser.parse_args()
    totals = [0, 0, 0]
    suites = [run_lit(arguments.build, arguments.paths or [arguments.build / "test"])]
    if arguments.check:
        suites.append(run_check(arguments.build.resolve()))
    if arguments.conformance:
        suites += [run_conformance(arguments.build, *options) for options in
                   ([], ["--device=emulated"], ["--database=modules"])]
    for suite in suites:
        totals = [a + b for a, b in zip(totals, suite)]
    passed, failed, skipped = totals
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.stdout.flush()
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
