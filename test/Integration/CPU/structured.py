# RUN: env TORCHLITE_BUILD=%build TORCHLITE_CC=%cc %python %s
"""Contractions, pooling, normalisation, indexing and resampling, compiled for the CPU, against PyTorch.

Cases come with static and with dynamic sizes. Shapes are random but the same in every run; a sample of
the cases is run, and more of them with TORCHLITE_SAMPLES=1000.
"""
import itertools
import os
import random
import subprocess
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "Inputs"))
from harness import BUILD, Module, Raised  # noqa: E402

random.seed(7)
torch.manual_seed(7)

NAN, INF = float("nan"), float("inf")
NAMES = {torch.float32: "f32", torch.float64: "f64", torch.float16: "f16", torch.bfloat16: "bf16",
         torch.int8: "i8", torch.uint8: "ui8", torch.int32: "i32", torch.int64: "i64",
         torch.bool: "i1"}
TOLERANCE = {torch.float16: (2e-3, 2e-3), torch.bfloat16: (1.6e-2, 1e-2),
             torch.float64: (1e-9, 1e-10)}
CASES = []
# Compiling takes most of the time: how many of the cases of each family are run.
SAMPLES = int(os.environ.get("TORCHLITE_SAMPLES", "12"))


def type_of(tensor, dynamic=()):
    sizes = "".join(f"{'?' if i in dynamic else s}x" for i, s in enumerate(tensor.shape))
    return f"tensor<{sizes}{NAMES[tensor.dtype]}>"


def add(text, inputs, outputs, dynamic_inputs=None, dynamic_outputs=None):
    """`text` names operands {0}, {1}, ..., their types {t0}, ..., and the results' types {r0}, ...

    `dynamic_inputs` and `dynamic_outputs` list which dimensions may be dynamic, for each tensor.
    """
    outputs = [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)
    every = [range(t.dim()) for t in inputs], [range(t.dim()) for t in outputs]
    dims = dynamic_inputs or every[0], dynamic_outputs or every[1]
    for ins, outs in (([()] * len(inputs), [()] * len(outputs)), dims):
        CASES.append((text, inputs, [type_of(t, d) for t, d in zip(inputs, ins)],
                      outputs, [type_of(t, d) for t, d in zip(outputs, outs)]))


def numbers(shape, dtype=torch.float32):
    if dtype == torch.bool:
        return torch.rand(shape) > 0.5
    if dtype.is_floating_point:
        return torch.randn(shape).to(dtype)
    return torch.randint(0 if dtype == torch.uint8 else -9, 200 if dtype == torch.uint8 else 9,
                         shape).to(dtype)


def wide(tensor):
    """What PyTorch computes half precision from here: f32."""
    if tensor is not None and tensor.dtype in (torch.float16, torch.bfloat16):
        return tensor.float()
    return tensor


def text_of(values):
    return "[" + ", ".join(map(str, values)) + "]"


def add_matmuls():
    for dtype, ta, tb, batch in itertools.product(
            (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64),
            (0, 1), (0, 1), (None, 3)):
        for m, n, k in ((4, 5, 6), (37, 70, 33), (1, 64, 17)):
            lead = [batch] if batch else []
            a, b = numbers(lead + [m, k], dtype), numbers(lead + [k, n], dtype)
            product = (wide(a) @ wide(b)).to(dtype)
            add("tl.matmul {0}, {1}" + " transpose_a" * ta + " transpose_b" * tb
                + " : {t0}, {t1} -> {r0}",
                [a.mT.contiguous() if ta else a, b.mT.contiguous() if tb else b], product)


def add_convolutions():
    functions = {1: (F.conv1d, F.conv_transpose1d), 2: (F.conv2d, F.conv_transpose2d),
                 3: (F.conv3d, F.conv_transpose3d)}
    for rank, trial in itertools.product((1, 2, 3), range(14)):
        groups, channels, features = random.choice(
            [(1, 3, 4), (1, 5, 40), (2, 4, 6), (4, 4, 4), (4, 4, 8)])
        transposed = trial % 3 == 2
        sizes = [random.randint(5, 9) for _ in range(rank)]
        kernel = [random.randint(1, 3) for _ in range(rank)]
        stride = [random.randint(1, 3) for _ in range(rank)]
        padding = [random.randint(0, 2) for _ in range(rank)]
        dilation = [random.choice([1, 1, 2]) for _ in range(rank)]
        x = numbers([2, channels] + sizes)
        w = numbers([channels, features // groups] + kernel if transposed
                    else [features, channels // groups] + kernel)
        bias = numbers([features]) if trial % 2 else None
        extra = [random.randrange(max(s, d)) for s, d in zip(stride, dilation)]
        options = dict(stride=stride, padding=padding, dilation=dilation, groups=groups)
        if transposed:
            options["output_padding"] = extra
        try:
            y = functions[rank][transposed](x, w, bias, **options)
        except RuntimeError:  # The kernel does not fit.
            continue
        inputs = [x, w] + ([bias] if bias is not None else [])
        spatial = [0] + list(range(2, rank + 2))
        add("tl.conv {0}, {1}" + (" bias {2}" if bias is not None else "")
            + f" stride {stride} padding {padding} dilation {dilation} groups {groups}"
            + " transposed" * transposed
            + f" output_padding {extra if transposed else [0] * rank} : {{t0}}, {{t1}}"
            + (", {t2}" if bias is not None else "") + " -> {r0}",
            inputs, y, [spatial, [], []][:len(inputs)], [spatial])


def add_pools():
    maxima = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
    means = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
    adaptive = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}
    for rank, trial in itertools.product((1, 2, 3), range(14)):
        dtype = random.choice([torch.float32, torch.float32, torch.float64, torch.float16])
        x = numbers([2, 3] + [random.randint(3, 9) for _ in range(rank)], dtype)
        if trial % 3 == 0:
            x.view(-1)[torch.randint(x.numel(), (4,))] = torch.tensor([NAN, -INF, INF, NAN]).to(dtype)
        kernel = [random.randint(1, 3) for _ in range(rank)]
        stride = [random.randint(1, 3) for _ in range(rank)]
        padding = [random.randint(0, k // 2) for k in kernel]
        ceil = trial % 2
        window = (f" {{0}} kernel {kernel} stride {stride} padding {padding}")
        y, where = maxima[rank](x, kernel, stride, padding, 1, ceil_mode=bool(ceil),
                                return_indices=True)
        tail = f" dilation {[1] * rank}" + " ceil_mode" * ceil + " : {t0} -> {r0}"
        add("tl.max_pool" + window + tail, [x], y)
        add("tl.max_pool_with_indices" + window + tail + ", {r1}", [x], [y, where])
        count = random.randrange(2)
        y = means[rank](wide(x), kernel, stride, padding, ceil_mode=bool(ceil),
                        count_include_pad=bool(count)).to(dtype)
        add("tl.avg_pool" + window + " ceil_mode" * ceil + " count_include_pad" * count
            + " : {t0} -> {r0}", [x], y)
        out = random.choice([[1] * rank, [random.randint(1, 7) for _ in range(rank)]])
        add(f"tl.adaptive_avg_pool {{0}} output_size {out} : {{t0}} -> {{r0}}",
            [x], adaptive[rank](wide(x), out).to(dtype), None, [[0, 1]])


def add_norms():
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
        for shape, dim in (((4, 7), 1), ((4, 7), 0), ((2, 3, 4, 5), 1), ((3, 300), 1), ((0, 3), 1)):
            x = numbers(shape, dtype)
            for name, function in (("softmax", F.softmax), ("log_softmax", F.log_softmax)):
                add(f"tl.{name} {{0}} dim {dim} : {{t0}} -> {{r0}}", [x],
                    function(wide(x), dim).to(dtype))
        x = torch.tensor([[-INF] * 3, [INF, 1, 2], [NAN, 1, 2], [-INF, 1, 2], [1000, 1001, 0]]).to(dtype)
        add("tl.softmax {0} dim 1 : {t0} -> {r0}", [x], F.softmax(wide(x), 1).to(dtype))
        for shape, count in (((4, 64), 1), ((2, 3, 8), 2), ((2, 300), 1)):
            inner = shape[-count:]
            x, w, b = numbers(shape, dtype), numbers(inner, dtype), numbers(inner, dtype)
            y = F.layer_norm(wide(x), inner, wide(w), wide(b), 1e-5).to(dtype)
            add(f"tl.layer_norm {{0}} weight {{1}} bias {{2}} num_dims {count} eps 1.0e-5"
                " : {t0} weight {t1} bias {t2} -> {r0}", [x, w, b], y)
        x, m, v, w = (numbers(s, dtype) for s in ((2, 3, 4, 5), (3,), (3,), (3,)))
        v = v.abs()
        add("tl.batch_norm {0} mean {1} variance {2} weight {3} eps 1.0e-3"
            " : {t0}, {t1}, {t2} weight {t3} -> {r0}", [x, m, v, w],
            F.batch_norm(wide(x), wide(m), wide(v), wide(w), eps=1e-3).to(dtype))
        for batch, (rows, keys, width, out) in itertools.product(
                ((2, 3), (4,)), ((5, 5, 4, 4), (3, 6, 16, 2))):
            q, k, v = (numbers((*batch, *s), dtype)
                       for s in ((rows, width), (keys, width), (keys, out)))
            add("tl.attention {0}, {1}, {2} is_causal : {t0}, {t1}, {t2} -> {r0}", [q, k, v],
                F.scaled_dot_product_attention(wide(q), wide(k), wide(v), is_causal=True).to(dtype))
            mask = torch.rand(rows, keys) > 0.3
            mask[0] = False  # A row without keys gives zeros.
            add("tl.attention {0}, {1}, {2} mask {3} : {t0}, {t1}, {t2} mask {t3} -> {r0}",
                [q, k, v, mask],
                F.scaled_dot_product_attention(wide(q), wide(k), wide(v), attn_mask=mask).to(dtype))


def add_indexing():
    for dtype in (torch.float32, torch.float16, torch.uint8, torch.int64, torch.bool):
        for shape, dim, count in (((5, 3), 0, (4,)), ((2, 5, 3), 1, (2, 2)), ((4,), 0, (3, 0))):
            x, i = numbers(shape, dtype), torch.randint(shape[dim], count)
            flat = i.reshape(-1)
            taken = shape[:dim] + tuple(count) + shape[dim + 1:]
            add(f"tl.take {{0}}, {{1}} dim {dim} : {{t0}}, {{t1}} -> {{r0}}", [x, i],
                x.index_select(dim, flat).reshape(taken))
            source, y = numbers(taken, dtype), x.clone()
            rows = source.reshape(shape[:dim] + (flat.numel(),) + shape[dim + 1:])
            for position, index in enumerate(flat.tolist()):
                y.select(dim, index).copy_(rows.select(dim, position))
            add(f"tl.put {{0}}, {{1}}, {{2}} dim {dim} : {{t0}}, {{t1}}, {{t2}} -> {{r0}}",
                [x, i, source], y)
        for shape, dim, count in (((5, 3), 0, (4, 3)), ((2, 5, 3), 1, (2, 9, 1))):
            x, i = numbers(shape, dtype), torch.randint(shape[dim], count)
            add(f"tl.gather {{0}}, {{1}} dim {dim} : {{t0}}, {{t1}} -> {{r0}}", [x, i],
                x.gather(dim, i))
            source = numbers(count, dtype)
            for how in ("sum", "prod", "amax", "amin") if dtype != torch.bool else ():
                add(f"tl.scatter {how} {{0}}, {{1}}, {{2}} dim {dim} : {{t0}}, {{t1}}, {{t2}}"
                    " -> {r0}", [x, i, source], x.scatter_reduce(dim, i, source, how))
        for shape, dim in (((1,), 0), ((9, 4), 0), ((3, 100), 1), ((2, 0), 1)):
            x = numbers(shape, dtype)
            if dtype.is_floating_point and x.numel() > 4:
                x.view(-1)[:4] = torch.tensor([NAN, INF, -INF, NAN])
            for down in (0, 1):
                add(f"tl.sort {{0}} dim {dim}" + " descending" * down + " : {t0} -> {r0}, {r1}",
                    [x], x.sort(dim=dim, descending=bool(down), stable=True))
        for shape in ((5,), (2, 3, 2), (0, 3)):
            x = numbers(shape, dtype) * (torch.rand(shape) > 0.5).to(dtype)
            add("tl.nonzero {0} : {t0} -> tensor<?x%dxi64>" % len(shape), [x], x.nonzero(),
                None, [[0]])
            CASES[-2][4][0] = CASES[-1][4][0]


def add_resizes():
    for rank, trial in itertools.product((1, 2, 3), range(8)):
        mode = random.choice(["nearest", "nearest-exact", "linear", "cubic" if rank == 2 else "linear"])
        name = {"linear": {1: "linear", 2: "bilinear", 3: "trilinear"}[rank],
                "cubic": "bicubic"}.get(mode, mode)
        x = numbers([2, 3] + [random.randint(1, 7) for _ in range(rank)])
        corners = trial % 2 if mode in ("linear", "cubic") else 0
        options = dict(align_corners=bool(corners)) if mode in ("linear", "cubic") else {}
        scales = [random.choice([1.0, 1.5, 2.0, 2.7]) for _ in range(rank)] if trial % 3 else []
        sizes = [random.choice([1, 2, 5, 8]) for _ in range(rank)]
        y = F.interpolate(x, mode=name, **options,
                          **(dict(scale_factor=scales) if scales else dict(size=sizes)))
        add(f"tl.resize {mode.replace('-', '_')} {{0}}" + " align_corners" * corners
            + f" scales {scales} : {{t0}} to {{r0}}", [x], y, None, [[]])


def as_numpy(tensor):
    return tensor.view(torch.int16).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()


def compile_all(cases):
    functions = []
    for number, (text, inputs, input_types, outputs, output_types) in enumerate(cases):
        names = {f"t{i}": t for i, t in enumerate(input_types)}
        names.update({f"r{i}": t for i, t in enumerate(output_types)})
        arguments = ", ".join(f"%a{i}: {t}" for i, t in enumerate(input_types))
        results = ", ".join(f"%r{i}" for i in range(len(outputs)))
        body = text.format(*[f"%a{i}" for i in range(len(inputs))], **names)
        types = ", ".join(output_types)
        functions.append(
            f'func.func @f{number}({arguments}) -> ({types}) attributes {{tl.method = "f{number}"}} '
            f"{{\n  {results} = {body}\n  return {results} : {types}\n}}\n")
    done = subprocess.run(
        [BUILD / "bin" / "tl-opt", "--convert-tl-to-linalg", "--tl-propagate-layout"],
        input="".join(functions), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Module(done.stdout)


def run(module, number, case):
    text, inputs, input_types, outputs, _ = case
    kinds = [(as_numpy(t).dtype, t.dim()) for t in outputs]
    found = module.call(f"f{number}", *[as_numpy(t) for t in inputs], results=kinds)
    for got, want in zip(found, outputs):
        where = f"{text}: {input_types}"
        got = torch.from_numpy(got.copy())
        got = got.view(torch.bfloat16) if want.dtype == torch.bfloat16 else got
        assert got.shape == want.shape, f"{where}: expected {want.shape}, but got {got.shape}"
        if not want.dtype.is_floating_point:
            assert torch.equal(got, want), f"{where}: expected {want}, but got {got}"
            continue
        rtol, atol = TOLERANCE.get(want.dtype, (1e-4, 1e-5))
        assert torch.allclose(got, want, rtol=rtol, atol=atol, equal_nan=True), (
            f"{where}: differs by {(got.double() - want.double()).abs().max()}")
    assert module.live == 0, f"{text}: {module.live} bytes are left"


def main():
    families = (add_matmuls, add_convolutions, add_pools, add_norms, add_indexing, add_resizes)
    for family in families:
        CASES.clear()
        family()
        CASES[:] = random.sample(CASES, min(len(CASES), SAMPLES))
        module = compile_all(CASES)
        for number, case in enumerate(CASES):
            run(module, number, case)
        print(f"{family.__name__}: {len(CASES)} cases")

    CASES.clear()
    table, index = torch.randn(5, 3), torch.tensor([0, 5])
    add("tl.take {0}, {1} dim 0 : {t0}, {t1} -> {r0}", [table, index], torch.zeros(2, 3))
    module = compile_all(CASES)
    for wrong in (5, -1):
        try:
            module.call("f1", table.numpy(), np.array([0, wrong]), results=[(np.float32, 2)])
            raise AssertionError("expected an IndexError")
        except Raised as error:
            assert "index out of range in self" in str(error), error


main()
