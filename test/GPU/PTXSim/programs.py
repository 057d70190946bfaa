"""The PTX of programs of every strategy, for several architectures, on the simulator, compared with LibTorch.

RUN: %python %s %build %t %cc

Calls come three times, so that graphs are recorded and replayed; nothing may be captured. Exit status 1 if a result
differs, or if the simulator finds an access out of bounds or a race. Names of programs as further arguments:
only these.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from simulated import Program, compile_for, make_device, run_all  # noqa: E402

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

torch.manual_seed(3)
# An architecture of each kind of matrix instructions and copies, with the precision of products of f32.
TARGETS = [("sm_75", "f16"), ("sm_80", "f32"), ("sm_86", "bf16"), ("sm_90", "tf32"), ("sm_120", "f16")]
TOLERANCES = {"f32": (1e-5, 1e-5), "tf32": (1e-2, 1e-2), "f16": (1e-2, 1e-2), "bf16": (5e-2, 5e-2)}


@torch.jit.script
def halved(x: torch.Tensor):
    trips = 0
    while bool(x.abs().sum() > 1.0) and trips < 20:
        x = x * 0.5
        trips += 1
    return x + trips


@torch.jit.script
def rows_in_turn(x: torch.Tensor):
    state = torch.zeros(x.size(1))
    for i in range(x.size(0)):
        state = torch.tanh(state * 0.5 + x[i])
    return state


def thrice(name, function, types, *calls, **more):
    return Program(name, function, types, [list(call) for call in calls] * 3, **more)


def programs():
    randn = torch.randn
    yield thrice("pointwise", lambda x, y: (torch.sigmoid(x) * y.exp() - x / 3, (x > y) & (x > 0)),
                 ["7x33xf32", "33xf32"], (randn(7, 33), randn(33)))
    yield thrice("integers", lambda x, y: (x // 3 + y % 5, x << 2, x.to(torch.uint8)), ["100xi64", "100xi32"],
                 (torch.randint(-90, 90, (100,)), torch.randint(0, 90, (100,), dtype=torch.int32)))
    yield thrice("halves", lambda x, y: (x * 2 + y.half(), x.float().sum(1)), ["5x40xf16", "5x40xbf16"],
                 (randn(5, 40).half(), randn(5, 40).bfloat16()))
    yield thrice("sums", lambda x, y: (x.sum(), y.sum(), x.sum(0), y.mean(1), x.amax(), y.amax()),
                 ["20x70xf32", "20x70xf32"], (randn(20, 70), randn(20, 70)))
    yield thrice("long_sum", lambda x: x.sum(), ["40x1024xf32"], (randn(40, 1024),))
    yield thrice("softmax", lambda x: (torch.softmax(x, 1), torch.log_softmax(x, 0)), ["9x130xf32"], (randn(9, 130),))
    yield thrice("norm", lambda x, w: F.layer_norm(x, (48,), w) + F.gelu(x), ["6x48xf32", "48xf32"],
                 (randn(6, 48), randn(48)))
    yield thrice("largest", lambda x: (x.argmax(1), x.argmin(0), x.max(1)[0], x.median(1)[0]), ["12x77xf32"],
                 (torch.randint(-9, 9, (12, 77)).float(),))
    yield thrice("sorted", lambda x: (x.sort(stable=True, dim=1), x.topk(3, 0), x.cumsum(1)), ["4x37xf32"], (randn(4, 37),))
    yield thrice("picked", lambda x, i: (x[i], x.index_add(0, i, x[:5]), x.t().contiguous()), ["33x40xf32", "5xi64"],
                 (randn(33, 40), torch.tensor([0, 32, 7, 7, 1])))
    yield thrice("loop", halved, ["3x7xf32"], (randn(3, 7),))
    yield thrice("recurrent", rows_in_turn, ["5x40xf32"], (randn(5, 40),))
    yield thrice("sizes", lambda x: (x.softmax(1), x.sum(0), x.t() * 2, x.argmax(1)), ["?x?xf32"],
                 (randn(3, 5),), (randn(1, 1),), (randn(40, 33),), (randn(0, 4),))


def products(precision):
    """Those that tensor cores compute, where precision allows."""
    randn, exact = torch.randn, TOLERANCES[precision]
    yield thrice("matmul", lambda x, y: x @ y, ["70x48xf32", "48x72xf32"], (randn(70, 48), randn(48, 72)), exact=exact)
    yield thrice("ragged", lambda x, y: x @ y, ["33x29xf32", "29x17xf32"], (randn(33, 29), randn(29, 17)), exact=exact)
    yield thrice("batches", lambda x, y: torch.relu(torch.bmm(x, y)), ["3x32x24xf32", "3x24x40xf32"],
                 (randn(3, 32, 24), randn(3, 24, 40)), exact=exact)
    yield thrice("matvec", lambda x, y: x @ y, ["1x64xf32", "64x80xf32"], (randn(1, 64), randn(64, 80)), exact=exact)
    yield thrice("conv", lambda x, w: F.max_pool2d(torch.relu(F.conv2d(x, w, padding=1)), 2),
                 ["1x3x12x12xf32", "8x3x3x3xf32"], (randn(1, 3, 12, 12), randn(8, 3, 3, 3) / 5), exact=exact)
    yield thrice("half_product", lambda x, y: x @ y, ["64x64xf16", "64x64xf16"],
                 (randn(64, 64).half(), randn(64, 64).half()), exact=TOLERANCES["f16"])
    if precision == "f32":
        yield thrice("two_products", lambda x, y: (x @ y, x @ (y + 1)), ["16x32xf32", "32x16xf32"],
                     (randn(16, 32), randn(32, 16)))


def main(build, folder, compiler, *names):
    build, folder = pathlib.Path(build), pathlib.Path(folder)
    simulator = make_device(folder, compiler)
    failed = 0
    for number, (arch, precision) in enumerate(TARGETS):
        # Products for each, the others for two.
        chosen = list(products(precision)) + (list(programs()) if number in (1, 3) else [])
        chosen = [p for p in chosen if not names or p.name in names]
        if not chosen:
            continue
        library = compile_for(build, folder, chosen, arch, precision)
        found = run_all(simulator, library, chosen, int(arch[3:]))
        failed += len(found)
        for program, text in found:
            print(f"FAILED  {arch} {precision} {program}: {text}")
        print(f"{arch} {precision}: {len(chosen)} programs, {simulator.done} launches", flush=True)
    assert simulator.variable("captures").value == 0, "a stream was captured"
    assert names or simulator.variable("graph_launches").value > 0, "no graph was replayed"
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
