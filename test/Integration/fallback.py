"""Operators that LibTorch computes (docs/Fallback.md): what they give and write, what they raise, calls side by side;
a library that is missing or of another version.

RUN: %python %s %build %t %cxx
"""
import os
import pathlib
import shutil
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "Inputs"))
sys.path.insert(0, str(HERE.parents[1] / "examples" / "operator"))

import torch  # noqa: E402
from compare import compare, compile_library, to_library  # noqa: E402
from make import Model, compile_operators  # noqa: E402
import torchlite  # noqa: E402

SOURCE = """
def lists(self, x, n: int):
    s, v = torch.linalg.eigh(x @ x.t())
    a, b = torch.gradient(x, spacing=1.0)
    q, r = torch.linalg.qr(x)
    return s, a, b, torch.logcumsumexp(x, n).sum(), q @ r
def decisions(self, x, steps: int):
    h = torch.zeros(3)
    total = 0.0
    for i in range(steps):
        h = torch.logcumsumexp(h + x[0], 0)
        if float(h.sum()) > 20.0:
            h = torch.logcumsumexp(-h, 0)
        total += float(h.max())
    return h, total
def writes(self, x):
    y = x.clone()
    y[0].exponential_().zero_()
    torch._foreach_exp_([y[1], y[2]])
    z = torch.empty(2, 3)
    torch.logcumsumexp(y[:2], 0, out=z)
    return y, z
def shares(self, x):
    parts = torch.hsplit(x, [1])
    return torch.logcumsumexp(parts[1], 0), torch.view_as_real(torch.fft.rfft(x))
def shares_written(self, x):
    y = x + 1
    z = torch.fft.ifftshift(torch.view_as_real(torch.fft.rfft(y)))
    half = torch.ops.aten._fw_primal(y, 0)
    half += 1
    return y, half
def resizes(self, x):
    return x.clone().resize_([2, 3])
def in_training(self, x):
    # Writes the running statistics, which its schema does not say.
    y = torch.native_batch_norm(x, None, None, self.mean, self.variance, True, 0.5, 1e-5)[0]
    return y, self.mean + 0, self.variance + 0
def complex_numbers(self, x):
    z = x.to(torch.complex64) * 2
    return torch.linalg.solve(z[:3] @ z[:3].t(), z[:3]), torch.view_as_complex(x.half().float()[:, :2].contiguous())
def raises(self, x):
    return torch.histogram(x + float('nan'), 3)[0]
"""

SIGNATURES = ["lists(?x3xf32, int)", "decisions(3x3xf32, int)", "raises(?x3xf32)", "writes(?x3xf32)",
              "shares(?x3xf32)", "in_training(?x3xf32)", "complex_numbers(?x3xf32)"]


def check(condition, what):
    if not condition:
        sys.exit(f"fallback: {what}")


def run_example(build, folder, compiler):
    """The documented example, with a state: what the operator writes is seen through the view."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    library = folder / "libmyops.so"
    compile_operators(HERE.parents[1] / "examples" / "operator" / "myops.cpp", library, compiler)
    torch.ops.load_library(str(library))
    model = torch.jit.script(Model())
    model.save(str(folder / "own.pt"))
    options = ["--fallback=libtorch", f"--load-library={library}"]
    signature = ["forward(?x4xf32, float)"]

    # Without the option it is refused, and what allows it is said.
    plain = subprocess.run([build / "bin" / "tl-compile", folder / "own.pt", "-o", folder / "no.so", options[1],
                            f"--signature={signature[0]}"], capture_output=True, text=True)
    check(plain.returncode == 1 and "'myops::soft_clip' is not supported; --fallback=libtorch" in plain.stderr,
          plain.stderr)
    report = compile_library(build, folder / "own.pt", folder / "own.so", signature, options=options)
    check("3 of " in report and "myops::above (make.py:" in report, report)

    # What LibTorch has told is in the module: it goes on without, through tl-opt too.
    compile_library(build, folder / "own.pt", folder / "core.mlir", signature, options=options)
    subprocess.run([build / "bin" / "tl-opt", folder / "core.mlir", "-o", folder / "again.mlir"], check=True)
    compile_library(build, folder / "again.mlir", folder / "again.so", [])

    instance = torchlite.Model(str(folder / "own.so")).instance()
    missing(instance, folder)
    os.environ["TORCHLITE_FALLBACK"] = str(build / "lib" / "torchlite" / "libTorchLiteFallback.so")
    for rows in (1, 3, 8):
        x = torch.randn(rows, 4)
        given = x.clone()
        compare(instance.call("forward", to_library(x), 2.0), model(x, 2.0))
        check(torch.equal(x, given), "an argument has changed")
    expect_error(instance, [torch.randn(2, 4), -1.0], "soft_clip: the limit must be positive, but is -1 (make.py:")
    compare(torchlite.Model(str(folder / "again.so")).instance().call("forward", to_library(x), 2.0), model(x, 2.0))
    side_by_side(instance, model)
    # The library beside the model comes first.
    shutil.move(library, folder / "elsewhere.so")
    run = subprocess.run([build / "bin" / "tl-run", folder / "own.so", "--input=2x4xf32=1", "--input=2.0"],
                         capture_output=True, text=True)
    check(run.returncode and "the library of operators cannot be loaded" in run.stderr + run.stdout,
          run.stderr + run.stdout)
    shutil.move(folder / "elsewhere.so", library)
    checked = subprocess.run([build / "bin" / "tl-run", folder / "own.pt", "--check", *options,
                              "--input=2x4xf32=1", "--input=2.0"], capture_output=True, text=True)
    check(checked.returncode == 0 and "agrees with LibTorch" in checked.stderr, checked.stderr)


def expect_error(instance, arguments, text, method="forward"):
    try:
        instance.call(method, *map(to_library, arguments))
    except torchlite.Error as error:
        check(text in str(error), f"expected '{text}' in '{error}'")
        return
    sys.exit(f"fallback: expected an error with '{text}'")


def missing(instance, folder):
    """One clear error, and the instance works on: the next call finds the library."""
    x = torch.randn(2, 4)
    os.environ.pop("TORCHLITE_FALLBACK", None)
    expect_error(instance, [x, 2.0], "libTorchLiteFallback.so was not found beside")
    old = folder / "old.c"
    old.write_text("static const struct { int version; } table = {0}; const void *tl_fallback(void) { return &table; }")
    subprocess.run(["cc", "-shared", "-fPIC", old, "-o", folder / "old.so"], check=True)
    os.environ["TORCHLITE_FALLBACK"] = str(folder / "old.so")
    expect_error(instance, [x, 2.0], "old.so' is of version 0, this model needs version")


def side_by_side(instance, model):
    failures = []

    def work(seed):
        generator = torch.Generator().manual_seed(seed)
        for _ in range(50):
            x = torch.randn(2 + seed, 4, generator=generator)
            try:
                compare(instance.call("forward", to_library(x), 2.0), model(x, 2.0))
            except Exception as error:  # noqa: BLE001 reported below
                failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not failures, failures[:1])


def run_operators(build, folder):
    """Operators of LibTorch itself, in loops and conditionals, with numbers known only at run time."""
    statistics = torch.nn.Module()
    statistics.register_buffer("mean", torch.zeros(3))
    statistics.register_buffer("variance", torch.ones(3))
    module = torch.jit.script(statistics)
    module.define(SOURCE)
    module.save(str(folder / "operators.pt"))
    compile_library(build, folder / "operators.pt", folder / "operators.so", SIGNATURES,
                    options=["--fallback=libtorch"])
    instance = torchlite.Model(str(folder / "operators.so")).instance()
    for rows in (3, 5):
        x = torch.randn(rows, 3)
        expected = module.lists(x, 1)
        compare(instance.call("lists", to_library(x), 1), expected)
    expect_error(instance, [torch.randn(3, 3), 7], "Dimension out of range", "lists")
    for steps in (0, 1, 9):
        x = torch.rand(3, 3)
        compare(instance.call("decisions", to_library(x), steps), module.decisions(x, steps))
    expect_error(instance, [torch.randn(3, 3)], "(<string>:", "raises")
    for rows in (3, 6):
        x = torch.randn(rows, 3)
        compare(instance.call("writes", to_library(x)), module.writes(x))
        compare(instance.call("shares", to_library(x)), module.shares(x))
        compare(instance.call("in_training", to_library(x)), module.in_training(x))
        compare(instance.call("complex_numbers", to_library(x)), module.complex_numbers(x))
    check("the operator 'resize_' has no rule, and cannot be called through LibTorch" in
          refusal(build, folder, "resizes(4x3xf32)", "--fallback=libtorch"), "expected a refusal of a change of sizes")
    # A write that another tensor may see.
    check("which one is decided here" in refusal(build, folder, "shares_written(4x3xf32)", "--fallback=libtorch"),
          "expected a refusal of a write")
    check("which code for GPUs does not do" in refusal(build, folder, "raises(4x3xf32)", "--fallback=libtorch",
                                                       "--target=emulated"), "expected a refusal for GPUs")
    check("--fallback=torch: unknown; expected none or libtorch" in
          refusal(build, folder, "raises(4x3xf32)", "--fallback=torch"), "expected an error of the option")
    check("'none.so' cannot be loaded" in refusal(build, folder, "raises(4x3xf32)", "--load-library=none.so"),
          "expected an error of the library")


BAD = """
def writes(self, x):
    return torch.ops.bad.writes(x)
def fickle(self, x):
    return torch.ops.bad.fickle(x)
def text(self, x):
    return len(torch.ops.bad.text(x))
def late(self, x):
    return torch.ops.bad.late(x)
def itself(self, x):
    return torch.ops.bad.itself(x)
"""


def run_bad_operators(build, folder, compiler):
    """What an operator does that nobody said is refused or an error, and never a wrong result."""
    library = folder / "libbad.so"
    compile_operators(HERE / "Inputs" / "bad_operators.cpp", library, compiler)
    torch.ops.load_library(str(library))
    module = torch.jit.script(torch.nn.Module())
    module.define(BAD)
    module.save(str(folder / "bad.pt"))
    options = ["--fallback=libtorch", f"--load-library={library}"]
    for name, why in (("writes", "it writes an argument, but its schema does not say so"),
                      ("fickle", "depend on sizes or values that are known only at run time"),
                      ("text", "it gives a value of kind String")):
        check(why in refusal(build, folder, f"{name}(?x3xf32)", *options, model="bad.pt"), name)
    plain = refusal(build, folder, "late(?x3xf32)", "--fallback=libtorch", model="bad.pt")
    check("Unknown builtin op" in plain and "--load-library=FILE loads" in plain, plain)
    compile_library(build, folder / "bad.pt", folder / "bad.so", ["late(?x3xf32)", "itself(?x3xf32)"], options=options)
    instance = torchlite.Model(str(folder / "bad.so")).instance()
    for name, why in (("late", "bad::late: result 0 is a tensor of Float with sizes [], but the model was compiled for "
                               "?x?xFloat (<string>:"),
                      ("itself", "result 0 shares memory with an argument")):
        expect_error(instance, [torch.randn(101, 3)], why, name)
        x = torch.randn(100, 3)
        compare(instance.call(name, to_library(x)), x)


def refusal(build, folder, signature, *options, model="operators.pt"):
    """What tl-compile says; it must fail."""
    run = subprocess.run([build / "bin" / "tl-compile", folder / model, "-o", folder / "refused.so",
                          f"--signature={signature}", *options], capture_output=True, text=True)
    check(run.returncode == 1, run.stderr)
    return run.stderr


def main(build, folder, compiler):
    run_example(build, folder, compiler)
    run_operators(build, folder)
    run_bad_operators(build, folder, compiler)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3])
