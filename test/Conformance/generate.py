#!/usr/bin/env python3
"""Writes conformance cases: PyTorch's operator database as saved TorchScript models.

Walks `torch.testing._internal.common_methods_invocations.op_db`. Each entry is taken with samples of
the element types asked for (`--dtypes`), and each sample becomes a module whose `forward` takes the
sample's tensors and holds everything else as constants:

  trace    the function, traced
  method   the Tensor method, traced (where its graph differs from the function's)
  inplace  the in-place method on the first argument, traced
  script   the call as source text, compiled by TorchScript
  out      the function with empty tensors as `out=`, traced (where there are several samples)

The output folder holds the models (`*.pt`), `data.bin` with the elements of all tensors, and
`manifest.jsonl`, one case a line:

  {"case": 7, "op": "add", "variant": "trace", "dtype": "f32", "sample": 0, "model": "7.pt",
   "inputs": [VALUE...], "expected": VALUE, "inputs_after": {"0": VALUE}, "values": true}

`values` is false where only dtype and shape are defined (`empty`). Cases of f16, bf16 and ill-conditioned ones have
`"exact": {"result": VALUE, "0": VALUE}` as well: result and changed arguments computed in f64 from the
same inputs and rounded once. PyTorch's kernels compute 16-bit floats in f32 and round at their end, but
not all of them: some round after each step on the way (`logit`, `addr` on CPUs), and operators that are
made of others round in between, at other places on a GPU than on a CPU. So an element is right if it
is PyTorch's or the exact one, up to the tolerance. A VALUE is
`{"tensor": "f32", "sizes": [2, 3], "offset": 128}` (bytes into data.bin, row-major), an int, a
bool, null, a string, `{"float": "nan"}`, `{"list": [...]}`, `{"tuple": [...]}` or
`{"dict": [[key, value]...]}`.

What gives no case is a line too: `{"op": ..., "dtype": ..., "skipped": "why"}`.
"""
import argparse
import hashlib
import io
import itertools
import json
import linecache
import pathlib
import random
import re
import signal
import sys
import warnings

import torch
from torch.utils import _pytree as pytree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Integration" / "Inputs"))
from draws import draws_as_elsewhere  # noqa: E402

NAMES = {
    torch.float32: "f32", torch.float64: "f64", torch.float16: "f16", torch.bfloat16: "bf16",
    torch.int64: "i64", torch.int32: "i32", torch.int16: "i16", torch.int8: "i8",
    torch.uint8: "ui8", torch.bool: "i1", torch.complex64: "c64", torch.complex128: "c128",
}
DTYPES = {name: dtype for dtype, name in NAMES.items()}
# What is also compared with what was computed in f64.
ROUNDED = (torch.float16, torch.bfloat16, torch.float32)
# The contents of these results are whatever the memory held.
UNDEFINED_VALUES = {"empty", "empty_like", "empty_strided", "empty_permuted", "new_empty",
                    "new_empty_strided"}
# Random, if with the same result for two seeds by chance.
RANDOM = {"multinomial", "pca_lowrank", "svd_lowrank"}
# What random cases are drawn with; that of the operator database itself.
SEED = 42
# Which of several equal elements these name is not defined: with integers and bool, where ties are
# common, only dtype and shape of the indices count.
FREE_INDICES = {"argsort", "kthvalue", "median", "mode", "nanmedian", "sort", "topk"}
# Signs of vectors, and any basis where values are equal, are free: compared by what is unique of them.
DECOMPOSITIONS = {"linalg.eigh", "linalg.svd", "svd"}
# The error of f32 grows with the norm, in PyTorch too: the exact result is right as well.
ILL_CONDITIONED = {"matrix_exp"}
MAX_ELEMENTS = 1 << 18  # per tensor: larger samples test nothing that small ones do not
MAX_SAMPLES_SEEN = 400  # of one operator and dtype
CASE_SECONDS = 20


class Skip(Exception):
    """This sample gives no case, for the reason in the message."""


class Data:
    """The file that holds the elements of all tensors."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.offset = 0

    def add(self, tensor):
        content = tensor.detach().contiguous()
        if content.is_conj() or content.is_neg():
            content = content.resolve_conj().resolve_neg()
        raw = content.reshape(-1).view(torch.uint8).numpy().tobytes() if content.numel() else b""
        start = self.offset
        padding = -len(raw) % 64
        self.file.write(raw + b"\0" * padding)
        self.offset += len(raw) + padding
        return start


def encode(value, data):
    """A VALUE of the manifest; raises Skip for what no compiled function can take or return."""
    if isinstance(value, torch.Tensor):
        if value.layout != torch.strided or value.is_quantized or value.is_nested:
            raise Skip(f"tensor layout {value.layout}")
        if value.dtype not in NAMES:
            raise Skip(f"dtype {value.dtype}")
        return {"tensor": NAMES[value.dtype], "sizes": list(value.shape), "offset": data.add(value)}
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, dict):
        return {"dict": [[encode(k, data), encode(v, data)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [encode(v, data) for v in value]}
    raise Skip(f"a value of type {type(value).__name__}")


def same(a, b):
    """Whether two results are the same, NaN being equal to NaN."""
    a_leaves, a_spec = pytree.tree_flatten(a)
    b_leaves, b_spec = pytree.tree_flatten(b)
    if len(a_leaves) != len(b_leaves):
        return False
    for x, y in zip(a_leaves, b_leaves):
        if isinstance(x, torch.Tensor) != isinstance(y, torch.Tensor):
            return False
        if not isinstance(x, torch.Tensor):
            if x != y and not (x != x and y != y):
                return False
            continue
        if x.layout != torch.strided or y.layout != torch.strided:
            return True  # refused later, by encode
        if x.dtype != y.dtype or x.shape != y.shape:
            return False
        if not torch.allclose(x, y, rtol=1e-5, atol=1e-6, equal_nan=True):
            return False
    return True


class Sample:
    """One sample: the tensors that become arguments, and how to rebuild the call from them."""

    def __init__(self, sample):
        leaves, self.spec = pytree.tree_flatten((sample.input, tuple(sample.args), dict(sample.kwargs)))
        self.leaves = leaves
        self.positions = [i for i, leaf in enumerate(leaves) if isinstance(leaf, torch.Tensor)]
        for i in self.positions:
            t = leaves[i]
            if t.layout != torch.strided or t.is_nested or t.is_quantized or t.device.type != "cpu":
                raise Skip("sample with a tensor that is not dense and on the CPU")
            if t.dtype not in NAMES:
                raise Skip(f"dtype {t.dtype}")
            if t.numel() > MAX_ELEMENTS:
                raise Skip("large sample")
        if any(isinstance(leaf, torch.Generator) for leaf in leaves):
            raise Skip("random")
        self.input_is_tensor = isinstance(sample.input, torch.Tensor)
        self.broadcasts_input = getattr(sample, "broadcasts_input", False)
        self.tensors = tuple(
            leaves[i].detach().clone(memory_format=torch.contiguous_format) for i in self.positions)

    def fresh(self):
        return tuple(t.clone() for t in self.tensors)

    def rebuild(self, tensors):
        leaves = list(self.leaves)
        for i, t in zip(self.positions, tensors):
            leaves[i] = t
        return pytree.tree_unflatten(leaves, self.spec)


class Wrapper(torch.nn.Module):
    def __init__(self, function, sample):
        super().__init__()
        self.function = function
        self.sample = sample

    def forward(self, *tensors):
        first, args, kwargs = self.sample.rebuild(tensors)
        return self.function(first, *args, **kwargs)


class FreeIndices:
    """A function without the values of the indices that it returns."""

    def __init__(self, function):
        self.function = function

    def __call__(self, *args, **kwargs):
        result = self.function(*args, **kwargs)
        if isinstance(result, torch.Tensor):
            return result * 0 if self.function is torch.argsort else result
        return result[0], result[1] * 0


class Invariants:
    """A decomposition by its values, the product of its factors, and those of each orthogonal factor with itself."""

    def __init__(self, name, function):
        self.name = name
        self.function = function

    def __call__(self, *args, **kwargs):
        factors = self.function(*args, **kwargs)
        if self.name == "linalg.eigh":
            values, left = factors
            right = left.transpose(-2, -1)
        else:
            left, values, right = factors
            right = right if self.name == "linalg.svd" else right.transpose(-2, -1)
        count = values.shape[-1]
        product = (left[..., :count] * values.unsqueeze(-2)) @ right[..., :count, :]
        return values, product, left.transpose(-2, -1) @ left, right @ right.transpose(-2, -1)


def run_eagerly(function, sample, inplace):
    first, args, kwargs = sample.rebuild(sample.fresh())
    result = function(first, *args, **kwargs)
    return first if inplace else result


def compute_exactly(function, sample, inplace):
    """(result, arguments afterwards) of the function in f64 where the sample has narrower floats; None where
    PyTorch has no such function."""
    halves = [t for t in sample.tensors if t.dtype in ROUNDED[:2]]
    wide = dict.fromkeys(ROUNDED[:2] if halves else ROUNDED, torch.float64)

    def widen(leaf):
        if isinstance(leaf, torch.Tensor):
            return leaf.to(wide.get(leaf.dtype, leaf.dtype))
        return wide.get(leaf, leaf) if isinstance(leaf, torch.dtype) else leaf

    tensors = [widen(t) for t in sample.fresh()]
    first, args, kwargs = pytree.tree_map(widen, sample.rebuild(tensors))
    try:
        result = function(first, *args, **kwargs)
    except Exception:
        return None
    return (first if inplace else result), tensors


def round_like(exact, expected):
    """Exact tensors rounded to the narrower floats that were expected; what was expected otherwise."""
    leaves, spec = pytree.tree_flatten(expected)
    exact_leaves, exact_spec = pytree.tree_flatten(exact)
    if len(leaves) != len(exact_leaves):
        return None
    result = []
    for leaf, value in zip(leaves, exact_leaves):
        fits = isinstance(leaf, torch.Tensor) and leaf.dtype in ROUNDED and (
            isinstance(value, torch.Tensor) and value.dtype == torch.float64 and value.shape == leaf.shape)
        result.append(value.to(leaf.dtype) if fits else leaf)
    return pytree.tree_unflatten(result, spec)


class InplaceWrapper(Wrapper):
    def forward(self, *tensors):
        first, args, kwargs = self.sample.rebuild(tensors)
        self.function(first, *args, **kwargs)
        return first


class OutWrapper(Wrapper):
    """Gives the function the tensors of its results, empty, and returns these."""

    def __init__(self, function, sample):
        super().__init__(function, sample)
        first, args, kwargs = sample.rebuild(sample.fresh())
        self.expected, self.structure = pytree.tree_flatten(function(first, *args, **kwargs))

    def forward(self, *tensors):
        first, args, kwargs = self.sample.rebuild(tensors)
        outs = pytree.tree_unflatten([torch.empty(0, dtype=t.dtype) for t in self.expected], self.structure)
        self.function(first, *args, **kwargs, out=outs)
        return outs


def trace(wrapper, sample):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(wrapper.eval(), sample.fresh(), check_trace=False, strict=False)


def source_literal(value):
    """A constant as TorchScript source; raises Skip where there is none."""
    if value is None or isinstance(value, (bool, int, str)):
        return repr(value)
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return f'float("{value}")'
        return repr(value)
    if isinstance(value, (torch.dtype, torch.layout, torch.memory_format)):
        return repr(value)
    if isinstance(value, torch.device):
        return f'torch.device("{value}")'
    if isinstance(value, (list, torch.Size)):
        return "[" + ", ".join(source_literal(v) for v in value) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(source_literal(v) for v in value) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, Name):
        return value.text
    raise Skip(f"no source text for a {type(value).__name__}")


class Name:
    def __init__(self, text):
        self.text = text


def script(op, sample):
    """The call as source text, compiled."""
    names = [f"t{i}" for i in range(len(sample.tensors))]
    first, args, kwargs = sample.rebuild([Name(n) for n in names])
    words = [source_literal(v) for v in (first, *args)]
    words += [f"{k}={source_literal(v)}" for k, v in kwargs.items()]
    parameters = "".join(f", {n}: torch.Tensor" for n in names)
    target = torch
    for part in op.name.split("."):
        target = getattr(target, part, None)
    call = f"torch.{op.name}({', '.join(words)})"
    if target is None:
        call = f"{words[0]}.{op.name}({', '.join(words[1:])})"
    text = ("class Script(torch.nn.Module):\n"
            f"    def forward(self{parameters}):\n"
            f"        return {call}\n")
    # TorchScript asks inspect for the source, which asks linecache for the file.
    file = f"<{op.name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    scope = {"torch": torch, "__name__": "conformance"}
    try:
        exec(compile(text, file, "exec"), scope)
        return torch.jit.script(scope["Script"]().eval())
    except Exception as error:  # TorchScript has no such function, or not with these arguments
        raise Skip(f"not scriptable: {first_line(error)}") from None


def first_line(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:160] if lines else ''}"


class Timeout(Exception):
    pass


def on_alarm(*_):
    raise Timeout()


def spread(count, wanted):
    """`wanted` positions (0: all) in a list of samples, whose order goes from the plain to the special."""
    if not wanted or count <= wanted:
        return range(count)
    step = (count - 1) / max(wanted - 1, 1)
    return sorted({round(i * step) for i in range(wanted)})


class Generator:
    def __init__(self, options):
        self.options = options
        self.out = options.output
        self.out.mkdir(parents=True, exist_ok=True)
        self.data = Data(self.out / "data.bin")
        self.manifest = open(self.out / "manifest.jsonl", "w")
        self.count = 0

    def line(self, fields):
        self.manifest.write(json.dumps(fields) + "\n")

    def exact(self, function, inplace, sample, result, after, changed):
        """The field `exact`: names of values, and the values."""
        computed = compute_exactly(function, sample, inplace)
        if computed is None:
            return {}
        values = {"result": round_like(computed[0], result)}
        values |= {name: round_like(computed[1][int(name)], after[int(name)]) for name in changed}
        return {"exact": {name: encode(value, self.data) for name, value in values.items() if value is not None}}

    def case(self, op_name, variant, dtype, index, module, sample, function, inplace):
        """Saves one case; raises Skip."""
        buffer = io.BytesIO()
        torch.jit.save(module, buffer)
        buffer.seek(0)
        module = torch.jit.load(buffer)
        results = []
        for seed in (SEED, SEED + 1):
            torch.manual_seed(seed)
            inputs = sample.fresh()
            results.append((module(*inputs), inputs))
        (result, after), (again, _) = results
        values = op_name.split(".")[0] not in UNDEFINED_VALUES
        is_random = values and (not same(result, again) or op_name.split(".")[0] in RANDOM)
        if values:
            torch.manual_seed(SEED)
            if not same(result, run_eagerly(function, sample, inplace)):
                raise Skip("the traced model gives another result than the function")
        changed = {str(i): encode(t, self.data)
                   for i, (t, before) in enumerate(zip(after, sample.tensors))
                   if t.shape != before.shape or not same(t, before)}
        fields = {
            "case": self.count, "op": op_name, "variant": variant, "dtype": dtype, "sample": index,
            "model": f"{self.count}.pt", "inputs": [encode(t, self.data) for t in sample.tensors],
            "expected": encode(result, self.data), "inputs_after": changed, "values": values,
        }
        if is_random:
            fields["seed"] = SEED
            fields["values"] = draws_as_elsewhere()
        elif dtype in ("f16", "bf16") and values or dtype == "f32" and op_name in ILL_CONDITIONED:
            fields |= self.exact(function, inplace, sample, result, after, changed)
        (self.out / fields["model"]).write_bytes(buffer.getvalue())
        self.count += 1
        self.line(fields)

    def attempt(self, op_name, variant, dtype, index, make, sample, function, inplace=False):
        """One case, or a line that tells why there is none; returns the module's graph."""
        signal.alarm(CASE_SECONDS)
        try:
            module = make()
            self.case(op_name, variant, dtype, index, module, sample, function, inplace)
            return True
        except Skip as skip:
            reason = str(skip)
        except Timeout:
            reason = "too slow in PyTorch"
        except Exception as error:
            reason = f"PyTorch: {first_line(error)}"
        finally:
            signal.alarm(0)
        self.line({"op": op_name, "variant": variant, "dtype": dtype, "sample": index,
                   "skipped": reason})
        return False

    def operator(self, op, dtype_name, wanted, brief):
        name = op.name + (f".{op.variant_test_name}" if op.variant_test_name else "")
        dtype = DTYPES[dtype_name]
        if not op.supports_dtype(dtype, "cpu"):
            return
        seed = int(hashlib.sha256(f"{name} {dtype_name}".encode()).hexdigest()[:8], 16)
        torch.manual_seed(seed)
        random.seed(seed)
        signal.alarm(CASE_SECONDS)
        samples, seen = [], 0
        try:
            for raw in itertools.islice(op.sample_inputs("cpu", dtype, requires_grad=False), MAX_SAMPLES_SEEN):
                seen += 1
                try:
                    samples.append(Sample(raw))
                except Skip:
                    pass
        except Timeout:
            pass
        except Exception as error:
            self.line({"op": name, "dtype": dtype_name, "skipped": f"samples: {first_line(error)}"})
        finally:
            signal.alarm(0)
        if not samples:
            self.line({"op": name, "dtype": dtype_name, "skipped": f"no dense sample of {seen}"})
            return
        for position, index in enumerate(spread(len(samples), wanted)):
            sample = samples[index]
            self.sample(op, name, dtype_name, index, sample, extra=(position == 0 or not wanted) and not brief)

    def sample(self, op, name, dtype_name, index, sample, extra):
        graphs = {}

        def make_trace(variant, function, kind=Wrapper):
            def make():
                module = trace(kind(function, sample), sample)
                graph = re.sub(r" # .*|___torch_mangle_\d+\.", "", str(module.graph))
                if graph in graphs:
                    raise Skip(f"same graph as {graphs[graph]}")
                graphs[graph] = variant
                return module
            return make

        free = name in FREE_INDICES and dtype_name != "f32"
        function = FreeIndices(op.op) if free else op.op
        if name in DECOMPOSITIONS:
            free, function = True, Invariants(name, op.op)
        self.attempt(name, "trace", dtype_name, index, make_trace("trace", function), sample, function)
        method, inplace = op.method_variant, op.inplace_variant
        if free:
            method = inplace = None
        if extra and method is not None and sample.input_is_tensor:
            self.attempt(name, "method", dtype_name, index, make_trace("method", method), sample, method)
        if extra and inplace is not None and sample.input_is_tensor and not sample.broadcasts_input:
            self.attempt(name, "inplace", dtype_name, index,
                         make_trace("inplace", inplace, InplaceWrapper), sample, inplace, inplace=True)
        if extra and not free:
            self.attempt(name, "script", dtype_name, index, lambda: script(op, sample), sample, op.op)
        if extra and not free and op.supports_out and self.options.samples != 1:
            self.attempt(name, "out", dtype_name, index, make_trace("out", function, OutWrapper), sample, function)


def parse_dtypes(text, samples):
    """(dtype, samples, step, brief) for each of `f32,f16:1,bf16:1/9`: the number of samples, of every
    9th operator (an odd step deals them to an even number of shards). What has a number of its own is brief: only the traced function."""
    for word in text.split(","):
        dtype, _, rest = word.partition(":")
        count, _, step = rest.partition("/")
        yield dtype, int(count) if count else samples, int(step or 1), bool(rest)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, required=True, help="folder to write")
    parser.add_argument("--samples", type=int, default=3,
                        help="samples per operator and dtype; 0 takes all of them")
    parser.add_argument("--only", default="", help="regular expression of operator names")
    parser.add_argument("--dtypes", default="f32,i64,i1",
                        help="with a number: so many samples instead, and of the traced function only (f16:1); "
                             "with a step: of every so many'th operator (bf16:1/9)")
    parser.add_argument("--shard", default="0/1", help="i/n: every n-th operator, from the i-th")
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, on_alarm)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db

    shard, shards = (int(n) for n in options.shard.split("/"))
    generator = Generator(options)
    with torch.no_grad():
        for position, op in enumerate(op_db):
            if position % shards != shard or not re.search(options.only, op.name):
                continue
            for dtype_name, samples, step, brief in parse_dtypes(options.dtypes, options.samples):
                if position % step == 0:
                    generator.operator(op, dtype_name, samples, brief)
    generator.data.file.close()
    generator.manifest.close()
    print(f"{generator.count} cases in {options.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
