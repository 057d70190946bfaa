# RUN: %python %s
"""Transpositions to machine code, by element size and whether sizes are even, odd or not known: no kernel
spills, a multiprocessor keeps all its threads, and each side has the accesses that it is written for. The
lines printed say with what registers."""
import concurrent.futures
import itertools
import os
import re
import subprocess
import sys

# Bytes of one access to global memory, and of shared memory of a block, by element and form.
FORMS = {"even": ("256", "512"), "odd": ("255", "513"), "dynamic": ("?", "?")}
EXPECTED = {("f32", "even"): (4, 32 * 33 * 4), ("f32", "odd"): (4, 32 * 33 * 4), ("f32", "dynamic"): (4, 32 * 33 * 4),
            ("f16", "even"): (4, 64 * 66 * 2), ("f16", "odd"): (2, 64 * 66 * 2), ("f16", "dynamic"): (2, 64 * 66 * 2),
            ("i8", "even"): (4, 128 * 132), ("i8", "odd"): (1, 64 * 68), ("i8", "dynamic"): (1, 64 * 68),
            ("f64", "even"): (8, 32 * 33 * 8), ("f64", "odd"): (8, 32 * 33 * 8), ("f64", "dynamic"): (8, 32 * 33 * 8)}
THREADS, MOST_REGISTERS = 256, 32


def module(element, sizes):
    m, n = sizes
    x, y = f"tensor<3x{m}x{n}x{element}>", f"tensor<3x{n}x{m}x{element}>"
    dims = "".join(f"%{name} = tensor.dim %x, %c{number} : {x}\n"
                   for name, number, size in (("n", 2, n), ("m", 1, m)) if size == "?")
    arguments = ", ".join(f"%{name}" for name, size in (("n", n), ("m", m)) if size == "?")
    return f"""
func.func @forward(%x: {x}) -> {y} attributes {{tl.method = "forward", tl.variant = 0 : i64}} {{
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  {dims}
  %e = tensor.empty({arguments}) : {y}
  %r = linalg.transpose ins(%x : {x}) outs(%e : {y}) permutation = [0, 2, 1]
  return %r : {y}
}}
"""


def access(text, what):
    """The widest access to a memory, in bytes."""
    found = re.findall(rf"{what}(?:\.nc)?(?:\.v(\d))?\.[bfsu](\d+)", text)
    return max(int(count or 1) * int(bits) // 8 for count, bits in found) if found else 0


def check(case, arch):
    element, form = case
    label = f"{element}, {form}, {arch}"
    pipeline = (f"builtin.module(tl-nvgpu-pipeline{{arch={arch} stage=gpu strategy=transpose}},"
                f"gpu.module(tl-nvgpu-lower-kernels,tl-nvgpu-emit-image{{arch={arch} report}}))")
    done = subprocess.run(["tl-opt", f"--pass-pipeline={pipeline}"], input=module(element, FORMS[form]),
                          text=True, capture_output=True)
    found = re.search(r"takes (\d+) registers, .* 0 bytes of stack; no spills", done.stderr)
    if done.returncode or not found:
        return f"{label}: {done.stderr.strip()}"
    width, shared = EXPECTED[case]
    for what in ("ld.global", "st.global", "ld.shared", "st.shared"):
        if access(done.stderr + done.stdout, what) != width:
            return f"{label}: expected {what} of {width} bytes"
    if f"arith.constant {shared} : i32" not in done.stdout:
        return f"{label}: expected {shared} bytes of shared memory"
    if done.stderr.count("bar.sync") + done.stdout.count("bar.sync") != 1:
        return f"{label}: expected one barrier"
    if int(found.group(1)) > MOST_REGISTERS:
        return f"{label}: {found.group(1)} registers for each of {THREADS} threads"
    return int(found.group(1))


def main():
    work = list(itertools.product(EXPECTED, ("sm_80", "sm_90")))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda item: check(*item), work))
    for ((element, form), arch), result in zip(work, results):
        print(result if isinstance(result, str) else f"{element}, {form}, {arch}: {result} registers")
    return any(isinstance(result, str) for result in results)


if __name__ == "__main__":
    sys.exit(main())
