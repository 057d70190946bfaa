#!/usr/bin/env python3
"""What scripts/check.sh does: prints what is wrong, a line each; exit status 1 if there is anything."""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = (".cpp", ".h", ".c")
BINARIES = (".npy", ".npz", ".pt", ".bin", ".zip", ".ptx")  # inputs and corpora of tests
MOST_LINES, MOST_BYTES = 1000, 1 << 20
GENERATED = re.compile(r"docs/(Dialect|DialectRuntime|Passes)\.md|test/Conformance/expected.*\.json")
# Passes that are no use alone: tests run them in a pipeline.
IN_PIPELINES = {"tl-lower-to-llvm": "tl-cpu-pipeline", "tl-form-kernels": "tl-nvgpu-pipeline",
                "tl-nvgpu-version-functions": "tl-nvgpu-pipeline", "tl-nvgpu-merge-versions": "tl-nvgpu-pipeline",
                "tl-nvgpu-free-buffers": "tl-nvgpu-pipeline"}


def read(path):
    return (ROOT / path).read_text(errors="replace")


def check_format(files):
    program = shutil.which("clang-format-22")
    if not program:
        yield "clang-format-22 is missing: scripts/setup.sh installs it"
        return
    sources = [f for f in files if f.endswith(SOURCES)]
    result = subprocess.run([program, "--dry-run", "-Werror", *sources], cwd=ROOT, capture_output=True, text=True)
    for path in sorted(set(re.findall(r"^([^\s:]+):\d+:\d+: error", result.stderr, re.MULTILINE))):
        yield f"{path}: clang-format-22 -i lays it out otherwise"
    if result.returncode and "error" not in result.stderr:
        yield f"clang-format-22 failed: {result.stderr.strip()[:300]}"


def check_files(files):
    """Names that a slip makes, files that are no text or too large, lines over the limits."""
    for path in files:
        if not re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9_./+-]*", path) or re.search(r"(^|/)-|~$|\.(orig|rej|swp)$", path):
            yield f"{path}: a stray file"
            continue
        if (ROOT / path).is_symlink() or path.endswith(BINARIES) or "/corpus/" in path.lower():
            continue
        data = (ROOT / path).read_bytes()
        if b"\0" in data:
            yield f"{path}: a binary file"
        elif not GENERATED.fullmatch(path):
            if len(data) > MOST_BYTES:
                yield f"{path}: {len(data)} bytes"
            lines = data.decode(errors="replace").split("\n")
            if len(lines) - 1 > MOST_LINES:
                yield f"{path}: {len(lines) - 1} lines, not more than {MOST_LINES}"
            if path.endswith(SOURCES):
                for number, line in enumerate(lines, 1):
                    # Lines that tests are run and checked by cannot be broken.
                    if len(line) > 100 and not re.search(r"\b[A-Z][A-Z0-9-]*:", line):
                        yield f"{path}:{number}: {len(line)} columns, not more than 100"


def check_tests(files):
    """Every pass is named in a test, and of every file of operators' rules an operator is."""
    # The examples are run by a test.
    tests = [f for f in files if f.startswith(("test/", "examples/")) and f.endswith((".mlir", ".test", ".py"))]
    text = "\n".join(map(read, tests))
    for path in files:
        if path.endswith("Passes.td"):
            for name in re.findall(r'Pass<"([\w-]+)"', read(path)):
                if not re.search(rf"{re.escape(IN_PIPELINES.get(name, name))}(?![\w-])", text):
                    yield f"{path}: no test runs --{name}"
        if re.match(r"lib/Specialize/(Aten|Builtins)/.*\.cpp", path):
            names = re.findall(r'registry\s*\.\s*\w+\(\s*"([\w.:]+)"', read(path))
            if names and not any(re.search(rf"\b{re.escape(n.split('.')[0].split('::')[-1])}\b", text, re.IGNORECASE)
                                 for n in names):
                yield f"{path}: no test has one of its operators ({', '.join(names[:3])}, ...)"


def commands(text):
    """The shell lines of a document's code blocks and tables; (line, words)."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            continue
        for part in [line] if fenced else re.findall(r"`([^`]+)`", line):
            part = re.sub(r"^==>\s*|\s#.*$", "", part.strip())
            part = re.sub(r"^(\w+=\S+\s+)+|^\S*python3?\s+", "", part)
            if re.match(r"(tl-[a-z]+(\s|$))|\S+/\S+\.(py|sh)(\s|$)", part):
                yield number, part.split()


def check_documents(files, build):
    """Programs in the documents' commands exist and know the options."""
    helps = {}
    passes = {n for f in files if f.endswith("Passes.td") for n in re.findall(r'Pass<"([\w-]+)"', read(f))}
    for path in files:
        if not path.endswith(".md") or GENERATED.fullmatch(path):
            continue
        for number, (program, *arguments) in commands(read(path)):
            if program in passes:
                continue
            if program not in helps:
                helps[program] = help_of(program, files, build)
            known = helps[program]
            if known is None:
                yield f"{path}:{number}: there is no {program}"
                continue
            for option in re.findall(r"(?:^|\s)(--[a-z][\w-]*)", " ".join(arguments)):
                if known and not re.search(rf"{option}(?![\w-])", known):
                    yield f"{path}:{number}: {program} has no option {option}"


def help_of(program, files, build):
    """Text that names its options, "" where that cannot be asked, None where there is no such program."""
    if not program.startswith("tl-"):
        matches = [f for f in files if f == program or f.endswith("/" + program)]
        # Options may be added in a module that it includes.
        return "\n".join(read(f) for f in files if f.startswith(str(pathlib.Path(matches[0]).parent))
                         and f.endswith((".py", ".sh"))) if matches else None
    if not any(re.search(rf"\b{program}\b", read(f)) for f in files if f.endswith("CMakeLists.txt")):
        return None
    path = build / "bin" / program
    if not path.exists():
        return ""
    result = subprocess.run([path, "--help-hidden"], capture_output=True, text=True)
    if result.returncode:
        result = subprocess.run([path, "--help"], capture_output=True, text=True)
    return "" if result.returncode else result.stdout


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "release")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        print("check: not a git checkout, nothing is checked")
        return 0
    files = [f for f in listed.stdout.split("\0") if f and (ROOT / f).exists()]
    wrong = [*check_format(files), *check_files(files), *check_tests(files), *check_documents(files, build)]
    print("".join(f"check: {text}\n" for text in wrong), end="")
    print(f"check: {len(files)} files, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
