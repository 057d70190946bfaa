# RUN: %python %s
"""Products of matrices on tensor cores to machine code: every tile of the target table, the largest on
every layout of the operands too. No kernel spills, all use the instructions that they are written for, and
two blocks fit on a multiprocessor: the lines printed say with what registers and shared memory."""
import concurrent.futures
import itertools
import os
import re
import subprocess
import sys
import tempfile

# Sizes for which each tile is the first that fills the device (see tensorTiles in TargetInfo.cpp), and
# how many tiles of 16x8 a warp has.
TILES = {"128x128": (4096, 32), "128x64": (1280, 16), "64x64": (768, 8), "32x32": (256, 2)}
DEPTH = 512
# Bytes of shared memory of a multiprocessor; each block takes 1 KB more than it asks for.
SHARED = {"sm_80": 164 << 10, "sm_90": 228 << 10}
# Operands and precision, and what multiplies them.
KINDS = {("f16", "f32"): "m16n8k16.row.col.f32.f16.f16.f32",
         ("bf16", "f32"): "m16n8k16.row.col.f32.bf16.bf16.f32",
         ("f32", "tf32"): "m16n8k8.row.col.f32.tf32.tf32.f32",
         ("f32", "f16"): "m16n8k16.row.col.f32.f16.f16.f32",
         ("f32", "bf16"): "m16n8k16.row.col.f32.bf16.bf16.f32"}


def product(m, n, k, element, transposed):
    """A linear layer with an activation."""
    a = ("d2, d0", f"{k}x{m}") if transposed[0] else ("d0, d2", f"{m}x{k}")
    b = ("d1, d2", f"{n}x{k}") if transposed[1] else ("d2, d1", f"{k}x{n}")
    maps = ", ".join(f"affine_map<(d0, d1, d2) -> ({m})>" for m in (a[0], b[0], "d0, d1"))
    convert = "" if element == "f32" else f"%t = arith.truncf %r : f32 to {element}"
    result = "%r" if element == "f32" else "%t"
    return f"""
func.func @forward(%a: tensor<{a[1]}x{element}>, %b: tensor<{b[1]}x{element}>, %bias: tensor<{n}xf32>)
    -> tensor<{m}x{n}x{element}> attributes {{tl.method = "forward", tl.variant = 0 : i64}} {{
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<{m}x{n}xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<{m}x{n}xf32>) -> tensor<{m}x{n}xf32>
  %p = linalg.matmul indexing_maps = [{maps}]
    ins(%a, %b : tensor<{a[1]}x{element}>, tensor<{b[1]}x{element}>)
    outs(%f : tensor<{m}x{n}xf32>) -> tensor<{m}x{n}xf32>
  %o = tensor.empty() : tensor<{m}x{n}x{element}>
  %y = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>,
                                        affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}}
      ins(%p, %bias : tensor<{m}x{n}xf32>, tensor<{n}xf32>)
      outs(%o : tensor<{m}x{n}x{element}>) {{
  ^bb0(%x: f32, %c: f32, %old: {element}):
    %s = arith.addf %x, %c : f32
    %r = arith.maximumf %s, %zero : f32
    {convert}
    linalg.yield {result} : {element}
  }} -> tensor<{m}x{n}x{element}>
  return %y : tensor<{m}x{n}x{element}>
}}
"""


def check(tile, kind, transposed, arch, odd=False):
    """Registers and shared memory of one kernel, or what is wrong with it. Rows of odd length are not
    aligned: those of 16-bit elements are copied through registers."""
    size, fragments = TILES[tile]
    element, precision = kind
    through_registers = odd and element != "f32"
    label = f"{tile} {element} at {precision}, transposed {transposed}, {arch}, odd {odd}"
    with tempfile.TemporaryDirectory() as folder:
        ptx, host = (os.path.join(folder, name) for name in ("kernel.ptx", "host.mlir"))
        pipeline = (f"builtin.module(tl-nvgpu-pipeline{{arch={arch} precision={precision} stage=gpu "
                    "strategy=mma},gpu.module(tl-nvgpu-lower-kernels,"
                    f"tl-nvgpu-emit-image{{arch={arch} report output={ptx}}}))")
        done = subprocess.run(["tl-opt", f"--pass-pipeline={pipeline}", "-o", host],
                              input=product(size - odd, size - odd, DEPTH + odd, element, transposed), text=True,
                              capture_output=True)
        found = re.search(r"takes (\d+) registers, .* 0 bytes of stack; no spills", done.stderr)
        if done.returncode or not found:
            return f"{label}: {done.stderr.strip()}"
        text, launch = open(ptx).read(), open(host).read()
    expected = [f"mma.sync.aligned.{KINDS[kind]}", "st.global"]
    if through_registers:
        expected += ["ld.global", "st.shared"]
    elif odd:
        expected += ["cp.async.ca.shared.global", "cp.async.wait_group"]
    else:
        expected += ["cp.async.cg.shared.global", "cp.async.wait_group"]
    if element == "f32" and precision != "tf32":
        expected.append(f"cvt.rn.{precision}x2.f32")
    elif element != "f32" or transposed != (True, False):  # tf32 cannot be transposed by ldmatrix
        expected.append("ldmatrix.sync.aligned.m8n8.x4")
    if precision == "tf32":
        expected.append("cvt.rna.tf32.f32")
    missing = [what for what in expected if what not in text]
    if missing:
        return f"{label}: no {', '.join(missing)}"
    steps = 1 if element == "f32" and precision != "tf32" else 2
    if through_registers:  # smaller tiles for warps, to have registers for copies
        fragments = min(fragments, 16)
    counts = {"bar.sync": 1, "mma.sync.aligned": fragments * steps}
    for what, count in counts.items():
        if text.count(what) != count:
            return f"{label}: expected {count} of {what}, but got {text.count(what)}"
    name = re.search(r"dynamic_shared_memory_size (%\w+)", launch).group(1)
    shared = int(re.search(rf"{name} = arith.constant (\d+)", launch).group(1))
    registers, threads = int(found.group(1)), int(re.search(r"\.reqntid (\d+)", text).group(1))
    if (1 if odd else 2) * registers * threads > 65536:
        return f"{label}: {registers} registers for each of {threads} threads"
    if 2 * (shared + 1024) > SHARED[arch]:
        return f"{label}: {shared} bytes of shared memory"
    return registers, shared


def main():
    layouts = list(itertools.product((False, True), repeat=2))
    work = [(tile, kind, layout, arch)
            for tile, kind, layout, arch in itertools.product(TILES, KINDS, layouts, SHARED)
            if tile == "128x128" and arch == "sm_80" or layout == (False, True)]
    work += [(tile, kind, layout, "sm_80", True) for tile in TILES
             for kind in (("f16", "f32"), ("f32", "tf32"))
             for layout in ((False, False), (True, True))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda item: check(*item), work))
    most = {}
    for (tile, _, _, arch, *odd), result in zip(work, results):
        if isinstance(result, str):
            print(result)
        elif not odd:
            most[tile, arch] = max(most.get((tile, arch), (0, 0)), result)
    for (tile, arch), (registers, shared) in most.items():
        print(f"{tile}, {arch}: at most {registers} registers; {shared} bytes of shared memory")
    return any(isinstance(result, str) for result in results)


if __name__ == "__main__":
    sys.exit(main())
