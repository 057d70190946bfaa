#!/usr/bin/env python3
"""Leaves out the barriers and the waits for asynchronous copies of a model's kernels, one at a time,
and runs the model on the emulator: are all of them missed?

    mutate.py model.so --input=64x64xf32=rand --input=64x64xf32=rand
    mutate.py model.pt --input-type=64x64xf32 --input=64x64xf32=rand

A mutation is caught where the emulator finds an error, or results differ from those of the kernels as
they are. Every mutation runs with lazy and eager copies, in forward, reverse and random order. One
that is never caught is a barrier or a wait that does nothing (remove it), or an error that the emulator
cannot see; the exit status is 1 then.

Options of this program come first; everything else goes to tl-compile (--input-type, --signature,
--precision) or to tl-run (--input, --call).
"""
import argparse
import filecmp
import os
import pathlib
import re
import subprocess
import sys
import tempfile

MODES = [(copies, order) for copies in ("lazy", "eager") for order in ("forward", "reverse", "random")]
COMPILE_OPTIONS = ("--input-type", "--signature", "--precision", "--cuda-path", "--name")


def run(program, arguments, folder, mode=None, mutation=None, checks=True):
    """Runs the model; returns the error's text, or None. `program` is how it is called."""
    environment = dict(os.environ)
    environment["TORCHLITE_EMULATOR_CHECKS"] = str(int(checks))
    if mode:
        environment["TORCHLITE_EMULATOR_COPIES"], environment["TORCHLITE_EMULATOR_ORDER"] = mode
    if mutation is not None:
        environment["TORCHLITE_EMULATOR_MUTATION"] = str(mutation)
    result = subprocess.run(
        [*program, "--device=emulated", f"--output-dir={folder}", *arguments],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return result.stdout.strip() if result.returncode else None


def same_files(first, second):
    filecmp.clear_cache()  # it goes by size and time
    names = sorted(os.listdir(first))
    match, _, _ = filecmp.cmpfiles(first, second, names, shallow=False)
    return names == sorted(os.listdir(second)) and len(match) == len(names)


def list_mutations(program, arguments, folder):
    """What may be left out, as the emulator tells it when asked for something else."""
    text = run(program, arguments, folder, mutation="list") or ""
    found = re.search(r"expected a number below (\d+)(?:, a line of\n)?", text)
    if not found:
        sys.exit(f"mutate.py: the model does not run on the emulator:\n{text}")
    return text[found.end():].splitlines()[:int(found.group(1))]


def shorten(text):
    """The end of the emulator's message: what is wrong."""
    line = text.splitlines()[-1] if text else ""
    return re.sub(r"^.*?thread \(\d+, \d+, \d+\): |^.*emulator: ", "", line)


def test(program, arguments, mutation, folder, reference, checks):
    """The modes that catch the mutation, with the reason of the first."""
    caught = []
    for mode in MODES:
        error = run(program, arguments, folder, mode, mutation, checks)
        if error is not None:
            caught.append((mode, shorten(error)))
        elif not same_files(folder, reference):
            caught.append((mode, "other results"))
    return caught


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path, help="a library for the emulator, a .pt or a .mlir")
    parser.add_argument("--no-checks", action="store_true",
                        help="compare results only, without the emulator's checks")
    options, rest = parser.parse_known_args()
    compiling = [a for a in rest if a.startswith(COMPILE_OPTIONS)]
    running = [a for a in rest if a not in compiling]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if options.model.suffix == ".so":
            program = ["tl-run", str(options.model)]
        else:
            # An executable: it starts in a fraction of the time that tl-run takes.
            program = [str(folder / "model")]
            subprocess.run(["tl-compile", str(options.model), "--target=emulated", "-o", *program,
                            *compiling], check=True)
        reference, results = folder / "reference", folder / "results"
        for mode in [None] + MODES:
            # Correct kernels do not depend on the order.
            target = results if mode else reference
            error = run(program, running, target, mode)
            if error is not None:
                sys.exit(f"mutate.py: the model fails as it is, {mode}:\n{error}")
            if mode and not same_files(results, reference):
                sys.exit(f"mutate.py: the model's results are others with {' '.join(mode)}")
        mutations = list_mutations(program, running, results)
        missed = 0
        for number, what in enumerate(mutations):
            caught = test(program, running, number, results, reference, not options.no_checks)
            if caught:
                print(f"{number} {what}: caught in {len(caught)} of {len(MODES)} modes: {caught[0][1]}")
            else:
                print(f"{number} {what}: NOT CAUGHT")
                missed += 1
        print(f"{len(mutations)} mutations, {len(mutations) - missed} caught, {missed} not caught")
        return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
