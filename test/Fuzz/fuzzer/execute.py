"""Compiles programs, runs them, and tells what went wrong."""
import dataclasses
import io
import itertools
import json
import os
import pathlib
import resource
import select
import signal
import subprocess
import sys
import traceback
import warnings

import numpy as np
import torch

from . import agree, sanitize
from .programs import make_arguments
from .simulator import Simulator, device_of, target_of
from .tensors import Spec, as_argument, make

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "python"))
import torchlite  # noqa: E402  pylint: disable=wrong-import-position

MODES = list(itertools.product(("lazy", "eager"), ("forward", "reverse", "random")))
COMPILE_SECONDS, SILENT_SECONDS = 300, 900  # of the processor, so that a busy machine changes nothing; of the clock
# What the compiler assumes of sizes that it does not know, and says when it does not hold.
ASSUMPTIONS = ("must match at non-singleton dimension", "the batch sizes of the matrices differ",
               "is not contiguous, but has to be", "was compiled for sizes other than 1, for which the rank would differ")
# Kinds of failures. A refusal with a location is none.
FAILURES = ("crash", "hang", "wrong", "raised", "silent", "finding", "unlocated")


@dataclasses.dataclass
class Setting:
    """How programs are compiled and run."""
    build: pathlib.Path
    folder: pathlib.Path
    devices: tuple = ("cpu", "emulated")
    arch: str = "sm_80"
    precision: str = "f32"
    threads: int = 1
    modes: tuple = (("lazy", "forward"),)  # of the emulator
    seed: int = 0  # of its random order
    plant: str = ""  # FROM=TO: compiles the program with other text, to test the tests
    sanitize: str = ""  # what tl-compile --sanitize takes

    def options(self):
        options = ["--target=" + ",".join(map(target_of, self.devices)),
                   *sanitize.compiler_options(self.sanitize)]
        if set(self.devices) != {"cpu"}:
            options.append(f"--cuda-arch={self.arch}")
            if self.precision != "f32":
                options.append(f"--precision={self.precision}")
        return options


@dataclasses.dataclass
class Outcome:
    program: str
    kind: str  # one of FAILURES, or "refused"
    text: str
    device: str = ""
    mode: tuple = ()
    call: int = -1

    def describe(self):
        where = f" {self.device}" + (f" {'/'.join(self.mode)}" if self.device == "emulated" else "") if self.device else ""
        return f"{self.kind.upper()} {self.program}{where}{f' call {self.call}' if self.call >= 0 else ''}: {self.text}"


@dataclasses.dataclass
class Report:
    outcomes: list = dataclasses.field(default_factory=list)
    calls: dict = dataclasses.field(default_factory=dict)  # device -> calls
    unstable: int = 0  # elements that were not compared

    def failures(self):
        return [o for o in self.outcomes if o.kind in FAILURES]


_numbers = itertools.count()


def run_compiler(command):
    """Runs it; SIGXCPU ends it where it takes too long."""
    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (COMPILE_SECONDS, COMPILE_SECONDS + 10))

    return subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=limit)  # pylint: disable=subprocess-popen-preexec-fn


def compile_programs(programs, setting):
    """Returns (error or None, library, archive)."""
    # A name of its own: the loader takes two libraries of one path for the same.
    archive = setting.folder / f"{programs[0].name}_{next(_numbers)}.pt"
    library = archive.with_suffix(".so")
    programs[0].write_archive([planted(p, setting.plant) for p in programs], str(archive))
    command = [str(setting.build / "bin" / "tl-compile"), str(archive), "-o", str(library), *setting.options()]
    command += [f"--signature={p.signature()}" for p in programs]
    result = run_compiler(command)
    if result.returncode == -signal.SIGXCPU:
        return Outcome(programs[0].name, "hang", f"tl-compile takes more than {COMPILE_SECONDS} s"), library, archive
    if result.returncode == 0:
        return None, library, archive
    errors = [line for line in result.stderr.splitlines() if "error:" in line]
    first = (errors or [result.stderr.strip()[-400:]])[0][:400]
    if result.returncode != 1:
        return Outcome(programs[0].name, "crash", f"tl-compile ({result.returncode}): {result.stderr.strip()[-1500:]}"), library, archive
    kind = "refused" if errors and ":" in errors[0].split(" error:")[0] else "unlocated"
    return Outcome(programs[0].name, kind, first), library, archive


def planted(program, plant):
    if not plant:
        return program
    old, new = plant.split("=")
    statements = [dataclasses.replace(s, text=s.text.replace(old, new)) for s in program.statements]
    return dataclasses.replace(program, statements=statements)


def check(programs, setting):
    """Compiles the programs, all in one library if it can be, and runs them."""
    report = Report()
    setting.folder.mkdir(parents=True, exist_ok=True)
    pending = [programs]
    while pending:
        group = pending.pop()
        error, library, archive = compile_programs(group, setting)
        if error is None:
            run_group(group, library, setting, report)
        elif len(group) == 1:
            report.outcomes.append(error)
        else:
            half = len(group) // 2
            pending += [group[:half], group[half:]]
        for file in (library, archive, library.with_suffix(".h")):
            file.unlink(missing_ok=True)
    return report


def run_group(group, library, setting, report):
    """Runs the programs in a child, and in another one without those that crashed."""
    while group:
        ended, at = read_child(lambda emit: Runner(group, library, setting, emit).run(), report)
        if not ended:
            return
        if not at:
            report.outcomes.append(Outcome(group[0].name, "crash", f"before the first call: {ended}"))
            return
        report.outcomes.append(Outcome(at[0], "hang" if ended == "hang" else "crash", ended, at[1], tuple(at[2]), at[3]))
        group = [p for p in group if p.name != at[0]]


def read_child(function, report):
    """Runs `function` in a process of its own, which tells what it finds. Returns how it ended if that
    was not by itself, and the call at which it was."""
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
    while True:
        if not select.select([reader], [], [], SILENT_SECONDS)[0]:
            hung = True
            os.kill(child, signal.SIGKILL)
            break
        data = os.read(reader, 65536)
        if not data:
            break
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "at" in message:
                at = message["at"]
            elif "outcome" in message:
                message["outcome"]["mode"] = tuple(message["outcome"]["mode"])
                report.outcomes.append(Outcome(**message["outcome"]))
            else:
                report.unstable += message["unstable"]
                report.calls[message["device"]] = report.calls.get(message["device"], 0) + message["calls"]
    os.close(reader)
    _, status = os.waitpid(child, 0)
    if hung:
        return "hang", at
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name, at
    return (f"exit status {os.WEXITSTATUS(status)}" if status else None), at


class Runner:
    """Calls the programs of a library on all devices, beside LibTorch."""

    def __init__(self, programs, library, setting, emit):
        self.programs, self.setting, self.emit = programs, setting, emit
        self.model = torchlite.Model(library)
        stream = io.BytesIO()
        programs[0].write_archive(programs, stream)
        stream.seek(0)
        self.reference_module = torch.jit.load(stream)
        self.references = {}
        self.simulator = None

    def run(self):
        warnings.simplefilter("ignore")
        if "ptxsim" in self.setting.devices:
            self.simulator = Simulator(self.setting.build, self.setting.arch)
        with torch.jit.optimized_execution(False):  # LibTorch's own optimizer is wrong at times
            self.run_devices()

    def run_devices(self):
        for device in self.setting.devices:
            for mode in self.setting.modes if device == "emulated" else ((),):
                if mode:
                    os.environ.update(TORCHLITE_EMULATOR_COPIES=mode[0], TORCHLITE_EMULATOR_ORDER=mode[1],
                                      TORCHLITE_EMULATOR_SEED=str(self.setting.seed % 1000))
                instance = self.model.instance(self.setting.threads, device_of(device))
                for program in self.programs:
                    self.run_program(program, instance, device, mode)
                instance.close()

    def run_program(self, program, instance, device, mode):
        unstable, places, number = 0, {}, 0
        for number, call in enumerate(program.calls):
            self.emit({"at": [program.name, device, mode, number]})
            try:
                unstable += self.run_call(program, instance, device, number, call, places)
            except agree.Mismatch as mismatch:
                kind, _, text = str(mismatch).partition("|")
                self.emit({"outcome": dataclasses.asdict(Outcome(program.name, kind, text, device, mode, number))})
                if kind != "refused":
                    break
        self.emit({"device": device, "calls": number + 1, "unstable": unstable})

    def run_call(self, program, instance, device, number, call, places):
        precision = "f32" if device == "cpu" else self.setting.precision
        reference = self.reference(program, number, precision)
        arguments = [place(i, value, places) for i, value in enumerate(call)]
        given = [as_argument(a, v, torchlite) if isinstance(v, Spec) else a for a, v in zip(arguments, call)]
        try:
            results = instance.call(program.name, *given)
        except torchlite.Error as error:
            is_finding = str(error).startswith("emulator:") or bool(device == "ptxsim" and self.simulator.finding())
            if reference.results is None and not is_finding:
                return 0
            kind = "finding" if is_finding else "refused" if any(a in str(error) for a in ASSUMPTIONS) else "raised"
            raise agree.Mismatch(f"{kind}|{error}") from error
        if reference.results is None:
            raise agree.Mismatch(f"silent|LibTorch raised, the library did not: {reference.error}")
        results = results if isinstance(results, tuple) else (results,)
        if len(results) != len(reference.results):
            raise agree.Mismatch(f"wrong|expected {len(reference.results)} results, but got {len(results)}")
        unstable = 0
        try:
            for index, value in enumerate(results):
                unstable += agree.compare(as_tensor(value), reference, index, f"result {index}")
            for index, (value, after) in enumerate(zip(given, reference.arguments)):
                if isinstance(after, torch.Tensor) and not torch.equal(bits(as_tensor(value)), bits(after)):
                    raise agree.Mismatch(f"argument {index} is another afterwards")
        except agree.Mismatch as mismatch:
            raise agree.Mismatch(f"wrong|{mismatch}") from mismatch
        return unstable

    def reference(self, program, number, precision):
        key = program.name, number, precision
        if key not in self.references:
            call = program.calls[number]
            arguments = make_arguments(call)
            function = program.function()
            error = None
            try:
                with torch.no_grad():
                    results = agree.tuple_of(getattr(self.reference_module, program.name)(*arguments))
            except Exception as raised:  # pylint: disable=broad-except
                results, error = None, str(raised).strip().splitlines()[-1]

            def noisy(seed):
                try:
                    with torch.no_grad(), agree.Noise(precision, seed):
                        return agree.tuple_of(function(*make_arguments(call)))
                except Exception:  # pylint: disable=broad-except
                    return None

            reference = agree.Reference(results, noisy)
            reference.arguments, reference.error = arguments, error
            self.references[key] = reference
        return self.references[key]


def place(number, value, places):
    """The argument in the memory that an equal one had in an earlier call, so that calls are replayed."""
    if not isinstance(value, Spec):
        return value
    key = number, value.type, tuple(value.shape), value.layout
    fresh = make(value)
    if key not in places:
        places[key] = fresh
    return places[key].copy_(fresh)


def as_tensor(value):
    if isinstance(value, torchlite.BFloat16):
        return torch.from_numpy(value.bits.copy()).view(torch.bfloat16)
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    return value


def bits(tensor):
    """Elements whose NaN are equal."""
    return tensor.nan_to_num(12345.0, 23456.0, -23456.0) if tensor.is_floating_point() else tensor
