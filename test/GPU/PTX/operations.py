# Every operation that kernels may use, on every type that it takes: to machine code, in one kernel
# each, none of which spills. (That they compute the right numbers is for tests that execute.)
# RUN: %python %s %build sm_80
import re
import subprocess
import sys
import tempfile

UNARY = """absf acos acosh asin asinh atan atanh cbrt ceil cos cosh erf erfc exp exp2 expm1 floor log
log10 log1p log2 round roundeven rsqrt sin sinh sqrt tan tanh trunc""".split()
BINARY = ["math.atan2", "math.copysign", "math.powf"] + [
    "arith." + name for name in """addf subf mulf divf remf maximumf minimumf maxnumf
minnumf""".split()]
PREDICATES = ["isfinite", "isinf", "isnan"]
FLOATS = {"f16": 16, "bf16": 16, "f32": 32, "f64": 64}
INTEGERS = ["i1", "i8", "i16", "i32", "i64", "index"]
INTEGER_BINARY = """addi subi muli divsi divui remsi remui ceildivsi ceildivui floordivsi andi ori
xori shli shrsi shrui maxsi maxui minsi minui""".split()
INTEGER_UNARY = ["absi", "ctlz", "cttz", "ctpop"]
COMPLEX_UNARY = "exp expm1 log log1p neg sin cos sqrt rsqrt tanh tan conj sign".split()
COMPLEX_BINARY = "add sub mul div pow".split()


class Kernels:
    def __init__(self):
        self.texts = []

    def add(self, name, element, body, result=None, lanes=1):
        """A kernel that loads %a and %b of `element` and stores %r of `result`."""
        result = result or element
        name = re.sub(r"\W", "_", name)
        lines = []
        for value, pointer in (("a", "x"), ("b", "y")):
            lines += self.load(value, pointer, element, lanes)
        lines += body
        lines += self.store("z", result, lanes)
        self.texts.append(
            f"gpu.func @{name}(%x: memref<{element}>, %y: memref<{element}>, "
            f"%z: memref<{result}>, %i: i32) kernel {{\n" + "\n".join(lines) + "\ngpu.return\n}\n")

    @staticmethod
    def load(value, pointer, element, lanes):
        if lanes == 1:
            return [f"%{value} = memref.load %{pointer}[] : memref<{element}>"]
        return [f"%{value}m = memref.reinterpret_cast %{pointer} to offset: [0], sizes: [64], "
                f"strides: [1] : memref<{element}> to memref<64x{element}>",
                f"%{value}c = arith.constant 0 : index",
                f"%{value} = vector.load %{value}m[%{value}c] : memref<64x{element}>, "
                f"vector<{lanes}x{element}>"]

    @staticmethod
    def store(pointer, element, lanes):
        if lanes == 1:
            return [f"memref.store %r, %{pointer}[] : memref<{element}>"]
        return [f"%zm = memref.reinterpret_cast %{pointer} to offset: [0], sizes: [64], "
                f"strides: [1] : memref<{element}> to memref<64x{element}>",
                "%zc = arith.constant 0 : index",
                f"vector.store %r, %zm[%zc] : memref<64x{element}>, vector<{lanes}x{element}>"]


def add_float(kernels, element, lanes):
    type = element if lanes == 1 else f"vector<{lanes}x{element}>"
    for name in UNARY:
        kernels.add(f"{name}_{type}", element, [f"%r = math.{name} %a : {type}"], lanes=lanes)
    for name in BINARY:
        kernels.add(f"{name}_{type}", element, [f"%r = {name} %a, %b : {type}"], lanes=lanes)
    kernels.add(f"fma_{type}", element, [f"%r = math.fma %a, %b, %a : {type}"], lanes=lanes)
    kernels.add(f"negf_{type}", element, [f"%r = arith.negf %a : {type}"], lanes=lanes)
    kernels.add(f"clampf_{type}", element, [f"%r = math.clampf %a to [%b, %a] : {type}"],
                lanes=lanes)
    kernels.add(f"cmpf_{type}", element,
                [f"%p = arith.cmpf olt, %a, %b : {type}",
                 "%r = arith.select %p, %a, %b : " +
                 (type if lanes == 1 else f"vector<{lanes}xi1>, {type}")], lanes=lanes)


def add_float_scalar(kernels, type):
    kernels.add(f"fpowi_{type}", type, [f"%r = math.fpowi %a, %i : {type}, i32"])
    kernels.add(f"shuffle_{type}", type,
                ["%w = arith.constant 32 : i32", f"%r, %v = gpu.shuffle xor %a, %i, %w : {type}"])
    for name in PREDICATES:
        kernels.add(f"{name}_{type}", type, [f"%r = math.{name} %a : {type}"], "i1")
    for other in INTEGERS[:-1]:
        for name in ("fptosi", "fptoui"):
            kernels.add(f"{name}_{type}_{other}", type,
                        [f"%r = arith.{name} %a : {type} to {other}"], other)
        for name in ("sitofp", "uitofp"):
            kernels.add(f"{name}_{other}_{type}", other,
                        [f"%r = arith.{name} %a : {other} to {type}"], type)
    for other, bits in FLOATS.items():
        if bits != FLOATS[type]:
            name = "extf" if bits > FLOATS[type] else "truncf"
            kernels.add(f"{name}_{type}_{other}", type,
                        [f"%r = arith.{name} %a : {type} to {other}"], other)


def add_integer(kernels, element, lanes):
    type = element if lanes == 1 else f"vector<{lanes}x{element}>"
    for name in INTEGER_BINARY:
        kernels.add(f"{name}_{type}", element, [f"%r = arith.{name} %a, %b : {type}"], lanes=lanes)
    if element == "index":
        return
    for name in INTEGER_UNARY:
        kernels.add(f"{name}_{type}", element, [f"%r = math.{name} %a : {type}"], lanes=lanes)
    if lanes == 1:
        kernels.add(f"shuffle_{type}", element,
                    ["%w = arith.constant 32 : i32",
                     f"%r, %v = gpu.shuffle xor %a, %i, %w : {type}"])


def add_complex(kernels, part):
    type = f"complex<{part}>"
    join = [f"%c = complex.create %a, %b : {type}", f"%d = complex.create %b, %a : {type}"]
    split = [f"%re = complex.re %q : {type}", f"%im = complex.im %q : {type}",
             f"%r = arith.addf %re, %im : {part}"]
    for name in COMPLEX_UNARY:
        kernels.add(f"{name}_{type}", part, join + [f"%q = complex.{name} %c : {type}"] + split)
    for name in COMPLEX_BINARY:
        kernels.add(f"{name}_{type}", part, join + [f"%q = complex.{name} %c, %d : {type}"] + split)
    for name in ("abs", "angle"):
        kernels.add(f"{name}_{type}", part, join + [f"%r = complex.{name} %c : {type}"])


def main():
    build, arch = sys.argv[1:]
    kernels = Kernels()
    for element in FLOATS:
        add_float(kernels, element, 1)
        add_float_scalar(kernels, element)
    add_float(kernels, "f32", 4)
    add_float(kernels, "bf16", 8)
    for element in INTEGERS:
        add_integer(kernels, element, 1)
    add_integer(kernels, "i8", 4)
    for part in ("f32", "f64"):
        add_complex(kernels, part)
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [f"{build}/bin/tl-opt", "--tl-nvgpu-lower-kernels", "-o", "/dev/null",
             f"--tl-nvgpu-emit-image=arch={arch} report output={folder}/kernels.cubin"],
            input="gpu.module @tl_kernels {\n" + "".join(kernels.texts) + "}\n",
            capture_output=True, text=True)
    remarks = [line for line in run.stderr.splitlines() if f"remark: {arch}: kernel" in line]
    spills = [line for line in remarks if not line.endswith("; no spills")]
    if run.returncode or spills or len(remarks) != len(kernels.texts):
        print(run.stderr if run.returncode else "\n".join(spills))
        sys.exit(f"{len(remarks)} of {len(kernels.texts)} kernels compiled, {len(spills)} spill")


if __name__ == "__main__":
    main()
