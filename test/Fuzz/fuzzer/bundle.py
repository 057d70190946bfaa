"""Compiles many stories as one library, runs them beside LibTorch, and tells what went wrong."""
import itertools
import json
import os
import pathlib
import re
import select
import signal
import sys
import traceback
import warnings

import torch

from .execute import COMPILE_SECONDS, SILENT_SECONDS, run_compiler, torchlite
from .simulator import Simulator, device_of, target_of
from .stories import difference, outcome, same, write_archive

# What the library refuses at the call: arguments that share memory, where one is written, and what it says that it
# does not support. Documented, and no fault.
REFUSES_AT_CALL = ("overlap", "share memory", "shares memory", "is not contiguous, but has to be", "one place in memory",
                   "which is not supported")
_numbers = itertools.count()


class Bundle:
    def __init__(self, build, folder, device="cpu", options=(), plant=None):
        self.plant = plant  # (old, new): other text is compiled than LibTorch runs, which must fail
        self.build, self.folder, self.device, self.options = build, pathlib.Path(folder), device, list(options)
        self.failures, self.refused, self.calls = [], [], 0  # (story, kind, text); (story, text)
        self.folder.mkdir(parents=True, exist_ok=True)

    def run(self, stories):
        """Runs the stories; what is refused or crashes does not take the others with it."""
        # State that is lists and dicts takes several forms, which those of many stories multiply.
        alone = [s for s in stories if s.types]
        pending = [[s for s in stories if not s.types], *(alone[at:at + 2] for at in range(0, len(alone), 2))]
        while pending:
            group = pending.pop()
            if not group:
                continue
            stem = self.folder / f"stories_{os.getpid()}_{next(_numbers)}"
            archive, library = stem.with_suffix(".pt"), stem.with_suffix(".so")
            places = write_archive(group, archive)
            compiled = archive
            if self.plant:
                compiled = stem.with_suffix(".planted.pt")
                write_archive([s.with_text(*self.plant) for s in group], compiled)
            left, error = self.compile(group, places, compiled, library)
            if error is None and left:
                self.run_group(left, archive, library)
            elif error and len(left) == 1:
                self.failures.append((left[0], *error))
            elif error:
                pending += [left[:len(left) // 2], left[len(left) // 2:]]
            for path in (archive, compiled, library, stem.with_suffix(".h")):
                path.unlink(missing_ok=True)

    def compile(self, group, places, archive, library):
        """Compiles those that can be. Returns (the stories compiled, None), or what is left and what
        failed without a line of a story."""
        while group:
            command = [str(self.build / "bin" / "tl-compile"), str(archive), "-o", str(library), f"--target={target_of(self.device)}",
                       *self.options, *(f"--signature={s}" for story in group for s in story.signatures())]
            result = run_compiler(command)
            if result.returncode == -signal.SIGXCPU:
                return group, ("hang", f"tl-compile takes more than {COMPILE_SECONDS} s")
            if result.returncode == 0:
                return group, None
            if result.returncode != 1:
                return group, ("crash", f"tl-compile ({result.returncode}): {result.stderr.strip()[-1500:]}")
            if "forms, from call to call" in result.stderr and len(group) > 1:
                return group, ("forms", "")  # the states of many stories multiply
            refused = self.refused_of(group, places, result.stderr)
            if not refused:
                return group, ("unlocated", result.stderr.strip()[-600:])
            self.refused += refused.values()
            group = [s for s in group if s.name not in refused]
        return [], None

    @staticmethod
    def refused_of(group, places, text):
        """The stories that errors are in, with the first of each."""
        refused = {}
        for line, message in re.findall(r"^[^\n:]*:(\d+):\d+: ((?:error|note): [^\n]*)", text, re.MULTILINE):
            for story in group:
                first, last = places[story.name]
                if first <= int(line) < last:
                    refused.setdefault(story.name, (story, message))
        return refused

    def run_group(self, group, archive, library):
        while group:
            ended, at = self.read_child(lambda emit: self.run_stories(group, archive, library, emit), group)
            if not ended:
                return
            if at is None:
                self.failures.append((group[0], "crash", f"before the first call: {ended}"))
                return
            self.failures.append((group[at], "hang" if ended == "hang" else "crash", ended))
            group = group[at + 1:]

    def read_child(self, function, group):
        """Runs `function` in a process of its own. Returns how it ended, if not by itself, and the number
        of the story at which it was."""
        reader, writer = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if not child:
            status = 1
            try:
                os.close(reader)
                function(lambda message: os.write(writer, (json.dumps(message) + "\n").encode()))
                status = 0
            except BaseException:  # pylint: disable=broad-except
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(status)  # pylint: disable=protected-access
        os.close(writer)
        at, rest, hung = None, b"", False
        while not hung:
            if not select.select([reader], [], [], SILENT_SECONDS)[0]:
                hung = True
                os.kill(child, signal.SIGKILL)
                break
            data = os.read(reader, 65536)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                at, kind, text = json.loads(line)
                if kind == "calls":
                    self.calls += int(text)
                elif kind == "refused":
                    self.refused.append((group[at], text))
                elif kind:
                    self.failures.append((group[at], kind, text))
        os.close(reader)
        _, status = os.waitpid(child, 0)
        if hung:
            return "hang", at
        if os.WIFSIGNALED(status):
            return signal.Signals(os.WTERMSIG(status)).name, at
        return (f"exit status {os.WEXITSTATUS(status)}" if status else None), at

    def run_stories(self, group, archive, library, emit):
        warnings.simplefilter("ignore")
        torch.set_num_threads(1)
        with torch.jit.optimized_execution(False):
            reference = torch.jit.load(str(archive))
            simulator = Simulator(self.build, "sm_80") if self.device == "ptxsim" else None
            instance = torchlite.Model(library).instance(1, device_of(self.device))
            for number, story in enumerate(group):
                emit((number, "", ""))
                calls, refused = 0, False
                for failure in self.run_story(story, reference, instance):
                    finding = simulator.finding() if simulator else ""
                    if finding or failure is not None:
                        if finding or failure[0] != "refused" or not refused:
                            emit((number, *(("finding", finding) if finding else failure)))
                        refused = not finding and failure[0] == "refused" and not story.state
                        if not refused:
                            break
                        continue
                    calls += 1
                emit((number, "calls", str(calls)))

    @staticmethod
    def run_story(story, reference, instance):
        """Yields None after a call that is right, otherwise what is wrong."""
        pairs = zip(story.run_calls(), story.run_calls())
        for number, ((method, ours), (_, theirs)) in enumerate(pairs):
            name = f"{story.name}_{method}"
            expected = outcome(getattr(reference, name), theirs, Exception)
            actual = outcome(lambda *a: instance.call(name, *a), ours, torchlite.Error)
            where = f"call {number} of {method}: "
            if actual[0] == "raises" and any(text in actual[1] for text in REFUSES_AT_CALL):
                yield "refused", where + actual[1]
            elif expected[0] != actual[0]:
                yield ("raised" if actual[0] == "raises" else "silent"), f"{where}{actual[0]} {actual[1]}, expected {expected[1]}"
            elif expected[0] == "returns" and not same(expected[1], actual[1], story.inexact):
                yield "wrong", where + difference(actual[1], expected[1], story.inexact)
            elif expected[0] == "returns" and not same(expected[2], actual[2], story.inexact):
                yield "wrong", f"{where}arguments afterwards: {difference(actual[2], expected[2], story.inexact)}"
            yield None
            if expected[0] == "raises" and story.state:
                return
