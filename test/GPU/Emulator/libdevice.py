# REQUIRES: libdevice
# RUN: %python %s %libdevice
"""Functions of libdevice on the emulator against Python's: every intrinsic and all the assembly that
they are made of is known, and computes what it should."""
import math
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Inputs"))
import emulate  # noqa: E402

cbrt = lambda x: math.copysign(abs(x) ** (1 / 3), x)
FUNCTIONS = {
    "tanh": math.tanh, "exp": math.exp, "exp2": lambda x: 2.0 ** x, "exp10": lambda x: 10.0 ** x,
    "expm1": math.expm1, "erf": math.erf, "erfc": math.erfc, "log": math.log, "log2": math.log2,
    "log10": math.log10, "log1p": math.log1p, "sin": math.sin, "cos": math.cos, "tan": math.tan,
    "asin": math.asin, "acos": math.acos, "atan": math.atan, "sinh": math.sinh, "cosh": math.cosh,
    "asinh": math.asinh, "acosh": math.acosh, "atanh": math.atanh, "sqrt": math.sqrt,
    "rsqrt": lambda x: 1 / math.sqrt(x), "cbrt": cbrt, "tgamma": math.gamma,
    "lgamma": math.lgamma, "floor": math.floor, "ceil": math.ceil, "rint": round,
    "round": lambda x: math.copysign(math.floor(abs(x) + 0.5), x), "trunc": math.trunc,
    "fabs": abs,
}
PAIRS = {
    "pow": math.pow, "atan2": math.atan2, "fmod": math.fmod, "remainder": math.remainder,
    "hypot": math.hypot, "fmin": min, "fmax": max, "copysign": math.copysign,
}
VALUES = [0.1, 0.5, 0.9, 1.0, 1.5, 2.5, 3.7, -0.3, -1.5, -7.25, 12.0, 40.0, 1e-5, 1e5, 123456.0,
          -98765.5, 3e8]
SECOND = [2.5, -1.5, 0.3]
# Units in the last place of f32 (of the argument's size for the approximations of fast math).
TOLERANCE = {"float": 2e-6, "double": 4e-15}


def expect(function, *arguments):
    """None where the real function has no finite value."""
    try:
        value = function(*arguments)
    except (ValueError, OverflowError, ZeroDivisionError):
        return None
    return float(value) if not isinstance(value, complex) and math.isfinite(value) else None


def make_module():
    """One kernel a type; thread i applies every function to number i."""
    lines, declarations, names = [], [], []
    for dtype, suffix in (("float", "f"), ("double", "")):
        lines += [f"define ptx_kernel void @{dtype}_kernel(ptr %in, ptr %second, ptr %out, i32 %n) {{",
                  "  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()",
                  f"  %p = getelementptr {dtype}, ptr %in, i32 %i",
                  f"  %x = load {dtype}, ptr %p"]
        for k in range(len(SECOND)):
            lines += [f"  %ps{k} = getelementptr {dtype}, ptr %second, i32 {k}",
                      f"  %s{k} = load {dtype}, ptr %ps{k}"]
        calls = [(f, [dtype], ["%x"]) for f in FUNCTIONS]
        calls += [(f, [dtype] * 2, ["%x", f"%s{k}"]) for f in PAIRS for k in range(len(SECOND))]
        for number, (name, types, values) in enumerate(calls):
            arguments = ", ".join(f"{t} {v}" for t, v in zip(types, values))
            lines += [f"  %r{number} = call {dtype} @__nv_{name}{suffix}({arguments})",
                      f"  %row{number} = mul i32 %n, {number}",
                      f"  %at{number} = add i32 %row{number}, %i",
                      f"  %q{number} = getelementptr {dtype}, ptr %out, i32 %at{number}",
                      f"  store {dtype} %r{number}, ptr %q{number}"]
            declarations.append(f"declare {dtype} @__nv_{name}{suffix}({', '.join(types)})")
        lines += ["  ret void", "}"]
    declarations.append("declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()")
    return emulate.HEADER + "\n".join(lines + sorted(set(declarations))) + "\n"


def link(module, libdevice):
    """As the compiler does: libdevice's functions become internal, and are optimised for NVPTX."""
    with tempfile.TemporaryDirectory() as folder:
        source, linked, result = (os.path.join(folder, n) for n in ("a.ll", "b.bc", "c.ll"))
        with open(source, "w") as file:
            file.write(module)
        subprocess.run(["llvm-link", "--only-needed", source, libdevice, "-o", linked], check=True,
                       stderr=subprocess.DEVNULL)
        subprocess.run(["opt", "-mtriple=nvptx64-nvidia-cuda", "-mcpu=sm_80",
                        "--internalize-public-api-list=float_kernel,double_kernel",
                        "--passes=internalize,default<O3>", "-S", linked, "-o", result], check=True)
        with open(result) as file:
            return file.read()


def main():
    module = link(make_module(), sys.argv[1])
    n = len(VALUES)
    rows = [(name, function, ()) for name, function in FUNCTIONS.items()]
    rows += [(name, function, (s,)) for name, function in PAIRS.items() for s in SECOND]
    failures = 0
    for dtype, short in (("float", "f32"), ("double", "f64")):
        output = emulate.run(module, f"{dtype}_kernel", emulate.buffer(short, VALUES),
                             emulate.buffer(short, SECOND), f"{short}[{n * len(rows)}]=unset",
                             f"i32={n}", block=n)
        values, seconds = output[0], output[1]
        for row, (name, function, rest) in enumerate(rows):
            rest = [seconds[SECOND.index(s)] for s in rest]
            for i, x in enumerate(values):
                expected = expect(function, x, *rest)
                if expected is None or (dtype == "float" and not 1e-37 < abs(expected) < 3e38):
                    continue
                found = output[2][row * n + i]
                # Near zeros of the function the error is one of the argument.
                scale = max(abs(expected), abs(x) * 1e-3 if abs(x) < 100 else 1)
                if not abs(found - expected) <= 4 * TOLERANCE[dtype] * scale:
                    failures += 1
                    print(f"{dtype} {name}({x}, {rest}): {found}, expected {expected}")
    assert failures == 0, f"{failures} values are wrong"


main()
