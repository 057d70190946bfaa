#!/usr/bin/env python3
"""How the time of tl-compile grows with the program.

Programs of one kind, N and 2N long, are generated, scripted and compiled to a library; CPU time and
memory of tl-compile are printed with their ratio from one size to the next: 2 is linear. What is
generated is checked against LibTorch with --check. With --where the passes that take most are listed,
by CPU time and again with their ratios. Nothing passes or fails by a time.

usage: benchmarks/compile_time.py [--build build/release] [--kinds chain,calls] [--sizes 100,200]
                                  [--before OTHER/build/release] [--where] [--check] [--json out.json]
"""
import argparse
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import torch

ROOT = pathlib.Path(__file__).resolve().parent.parent
OPERATORS = ["{} + b", "torch.relu({})", "{} * b", "torch.sigmoid({})", "{} - b", "torch.tanh({})", "{}.neg()",
             "{}.abs()"]


def module(source):
    """A scripted module of the methods in `source`."""
    result = type("Program", (torch.jit.ScriptModule,), {})()  # a class of its own, or methods would clash
    result.define(source)
    return result


def method(lines, arguments="x: Tensor, b: Tensor", result="Tensor", name="forward"):
    return f"def {name}(self, {arguments}) -> {result}:\n" + "".join(f"    {line}\n" for line in lines)


def operator(index, operand):
    return OPERATORS[index % len(OPERATORS)].format(operand)


TENSORS = ["4x16xf32", "4x16xf32"]


def chain(n):
    """One chain of elementwise operators."""
    return module(method([*(f"x = {operator(i, 'x')}" for i in range(n)), "return x"])), TENSORS


def varied(n):
    """One chain of elementwise operators in no order, a quarter of them tanh, sigmoid, exp or GELU: no part is like
    another."""
    pick = random.Random(1)
    cheap = [o for o in OPERATORS if "sigmoid" not in o and "tanh" not in o]
    cheap += [f"{{}} * 0.{i}" for i in range(1, 10)] + [f"{{}} + {i}" for i in range(1, 10)]
    dear = [*(f"torch.{name}({{}})" for name in ("tanh", "sigmoid", "exp")), "torch.nn.functional.gelu({})"]
    lines = [f"x = {pick.choice(cheap if i % 4 else dear).format('x')}"
             for i in range(n)]
    return module(method([*lines, "return x"])), TENSORS


def chains(n):
    """Chains of ten elementwise operators, each a result of its own until all are added."""
    lines = []
    for start in range(0, n, 10):
        lines += [f"y{start} = x.sum({start // 10 % 2}, keepdim=True)"]
        lines += [f"y{start} = {operator(i, f'y{start}')}" for i in range(start, min(start + 9, n))]
    return module(method([*lines, "return [" + ", ".join(f"y{s}" for s in range(0, n, 10)) + "]"],
                         result="List[Tensor]")), TENSORS


def twice(n):
    """A chain in which each intermediate result is used twice."""
    lines = ["x0 = x", "x1 = x + b"]
    lines += [f"x{i} = {operator(i, f'x{i - 1}')} + x{i - 2}" for i in range(2, n // 2 + 2)]
    return module(method([*lines, f"return x{n // 2 + 1}"])), TENSORS


def reductions(n):
    """A chain of elementwise operators with a sum every ten, so that it cannot become one loop."""
    lines = [f"x = {operator(i, 'x')}" if i % 10 else "x = x - x.sum(1, keepdim=True)" for i in range(n)]
    return module(method([*lines, "return x"])), TENSORS


def unknown(n):
    """One chain on tensors of unknown sizes."""
    program, _ = chain(n)
    return program, ["?x?xf32", "?x?xf32"]


def append(n):
    """A loop with a static trip count that appends to a list."""
    return module(method(["outs: List[Tensor] = []", f"for i in range({n}):", "    x = torch.tanh(x * b + i)",
                          "    outs.append(x)", "return torch.stack(outs)"])), TENSORS


def append_cell(n):
    """A recurrent cell, unrolled over the rows of a tensor of known size."""
    lines = ["outs: List[Tensor] = []", "h = b", "for i in range(x.size(0)):",
             "    h = torch.tanh(torch.mm(x[i], h) * 0.1)", "    outs.append(h)", "return torch.cat(outs, 0)"]
    return module(method(lines)), [f"{n}x8x8xf32", "8x8xf32"]


def row(n):
    """A row is changed in place after it has been joined, and the joined rows after that."""
    return module(method(["rows: List[Tensor] = []", f"for i in range({n}):", "    rows.append(x[:, :1] + i)",
                          "y = torch.cat(rows, 1)", "rows[2].mul_(3.0)", "y[0] += 1.0",
                          "return [y, rows[2], torch.cat([y, rows[2]], 1)]"], result="List[Tensor]")), TENSORS


def calls(n):
    """Methods that call one another, n deep."""
    source = [method(["return x + b"], name=f"f{n}")]
    source += [method([f"return {operator(i, f'self.f{i + 1}(x, b)')}"], name=f"f{i}") for i in range(n - 1, 0, -1)]
    source.append(method(["return self.f1(x, b)"]))
    return module("\n".join(source)), TENSORS


class Outer(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return torch.relu(self.inner(x)) - x


def submodules(n):
    """Modules within modules, n deep, each of which calls the next one's forward."""
    result = torch.jit.script(torch.nn.Linear(16, 16).eval())
    for _ in range(n):
        result = torch.jit.script(Outer(result))
    return result, ["4x16xf32"]


def optionals(n):
    """Conditionals in sequence that leave None or a tensor, n of them."""
    lines = []
    for i in range(n):
        lines += [f"o{i}: Optional[Tensor] = None", f"if int(x[0, {i}]) > 0:", f"    o{i} = x * {i + 2}"]
    for i in range(n):
        lines += [f"if o{i} is not None:", f"    b = b + o{i}"]
    return module(method([*lines, "return b"])), TENSORS


def mlp(n):
    """Linear layers with relu."""
    layers = [layer for _ in range(n) for layer in (torch.nn.Linear(16, 16), torch.nn.ReLU())]
    return torch.jit.script(torch.nn.Sequential(*layers).eval()), ["4x16xf32"]


class Residual(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = (torch.nn.Conv2d(8, 8, 3, padding=1, bias=False) for _ in range(2))
        self.norm1, self.norm2 = torch.nn.BatchNorm2d(8), torch.nn.BatchNorm2d(8)

    def forward(self, x):
        return torch.relu(x + self.norm2(self.second(torch.relu(self.norm1(self.first(x))))))


def resnet(n):
    """Residual blocks of two convolutions."""
    return torch.jit.script(torch.nn.Sequential(*(Residual() for _ in range(n))).eval()), ["1x8x16x16xf32"]


def transformer(n):
    """Layers of nn.TransformerEncoder, traced."""
    layer = torch.nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    encoder = torch.nn.TransformerEncoder(layer, n, enable_nested_tensor=False).eval()
    return torch.jit.trace(encoder, torch.randn(1, 8, 16), check_trace=False), ["1x8x16xf32"]


class PreNorm(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = torch.nn.LayerNorm(16), torch.nn.LayerNorm(16)
        self.mix, self.out = torch.nn.Linear(16, 48), torch.nn.Linear(16, 16)
        self.up, self.down = torch.nn.Linear(16, 32), torch.nn.Linear(32, 16)

    def forward(self, x):
        b, t, d = x.shape
        q, k, v = self.mix(self.norm1(x)).view(b, t, 3, 2, d // 2).permute(2, 0, 3, 1, 4).unbind(0)
        y = torch.softmax(torch.matmul(q, k.transpose(-1, -2)) * 0.35, -1).matmul(v)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, d))
        return x + self.down(torch.nn.functional.gelu(self.up(self.norm2(x))))


def prenorm(n):
    """Layers of a decoder: norms first, sums throughout."""
    return torch.jit.script(torch.nn.Sequential(*(PreNorm() for _ in range(n))).eval()), ["1x8x16xf32"]


def prenorm_unknown(n):
    """The same for any batch and length."""
    return prenorm(n)[0], ["?x?x16xf32"]


class Lstm(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        self.lstm = torch.nn.LSTM(8, 8, n)

    def forward(self, x):
        return self.lstm(x)[0]


def lstm(n):
    """Layers of an LSTM."""
    return torch.jit.script(Lstm(n).eval()), ["5x2x8xf32"]


class Parameters(torch.nn.Module):
    def __init__(self, n):
        torch.nn.Module.__init__(self)
        for i in range(n):
            self.register_parameter(f"p{i}", torch.nn.Parameter(torch.randn(16)))


def parameters(n):
    """A module with n parameters and n methods."""
    result = torch.jit.script(type("Program", (Parameters,), {})(n))
    source = [method([f"return torch.relu(x) * self.p{i} + b"], name=f"m{i}") for i in range(n)]
    source.append(method([*(f"x = self.m{i}(x, b)" for i in range(n)), "return x"]))
    result.define("\n".join(source))
    return result, TENSORS


KINDS = {
    chain: [1000, 2500, 5000, 10000], chains: [1000, 2500, 5000, 10000], twice: [1000, 2500, 5000, 10000],
    varied: [1000, 2500, 5000, 10000], reductions: [1000, 2500, 5000, 10000], unknown: [1000, 2500, 5000, 10000],
    append: [25, 50, 100, 200], append_cell: [25, 50, 100, 200],
    calls: [50, 100, 200, 400], submodules: [50, 100, 200, 400], optionals: [2, 4, 6, 8],
    row: [75, 150, 300], mlp: [50, 100, 200], resnet: [25, 50, 100], transformer: [25, 50, 100],
    prenorm: [25, 50, 100], prenorm_unknown: [12, 25, 50], lstm: [12, 25, 50], parameters: [100, 200, 400],
}


def passes(text):
    """Seconds of each pass in a report of --mlir-timing, added up by name."""
    result = {}
    for line in text.splitlines():
        found = re.match(r"\s+([0-9.]+) \(\s*[0-9.]+%\)\s+(?:[0-9.]+ \(\s*[0-9.]+%\))?\s*(\S.*)", line)
        if found and not found[2].startswith(("'", "Total", "root", "(A)")):
            result[found[2]] = result.get(found[2], 0) + float(found[1])
    return result


def compile_program(build, archive, types, library, where):
    """CPU seconds and megabytes of tl-compile, and of its passes; None if it refuses."""
    command = [str(build / "bin" / "tl-compile"), str(archive), *(f"--input-type={t}" for t in types), "-o",
               str(library), *(["--mlir-timing", "--mlir-timing-display=list"] if where else [])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        print(f"    refused: {output.strip()[-300:]}")
        return None
    return {"cpu_s": usage.ru_utime + usage.ru_stime, "mb": usage.ru_maxrss / 1024, "passes": passes(output)}


def check(program, types, library):
    """Whether the library computes what LibTorch does, on one input."""
    sys.path.insert(0, str(ROOT / "python"))
    import numpy
    import torchlite
    torch._C._set_graph_executor_optimize(False)
    generator = torch.Generator().manual_seed(0)
    inputs = [torch.randn([3 if s == "?" else int(s) for s in t.split("x")[:-1]], generator=generator) for t in types]
    expected = program(*inputs)
    with torchlite.Model(library).instance(1) as instance:
        actual = instance.call("forward", *(i.numpy() for i in inputs))
    pairs = zip(expected, actual) if isinstance(expected, list) else [(expected, actual)]
    return all(numpy.allclose(numpy.asarray(a), e.detach().numpy(), 1e-3, 1e-4, equal_nan=True) for e, a in pairs)


def growth(row, last, size, last_size, key="cpu_s"):
    """The ratio of two figures, as if the second program were twice as long as the first."""
    if not last or last[key] <= 0:
        return ""
    ratio = row[key] / last[key]
    return f" ({ratio:.2f}x for {size / last_size:g}x)"


def run_kind(make, sizes, arguments, folder):
    print(f"\n{make.__name__}: {make.__doc__.strip()}")
    rows, last, last_size = {}, None, 0
    for size in sizes:
        program, types = make(size)
        archive, library = folder / "program.pt", folder / f"{make.__name__}_{size}.so"
        program.save(str(archive))
        row = compile_program(arguments.build, archive, types, library, arguments.where)
        if row is None:
            break
        row["library_bytes"] = library.stat().st_size
        line = (f"  {size:6}: {row['cpu_s']:7.2f} s{growth(row, last, size, last_size)}, {row['mb']:.0f} MB, "
                f"library {row['library_bytes'] / 1000:.0f} KB{growth(row, last, size, last_size, 'library_bytes')}")
        if arguments.before:
            before = compile_program(arguments.before, archive, types, folder / "before.so", False)
            line += f", before {before['cpu_s']:.2f} s" if before else ""
        if arguments.check:
            line += ", as LibTorch" if check(program, types, library) else ", NOT as LibTorch"
        print(line, flush=True)
        for name, seconds in sorted(row["passes"].items(), key=lambda p: -p[1])[:arguments.where]:
            earlier = last["passes"].get(name, 0) if last else 0
            print(f"          {seconds:7.2f} s  {name}" + (f" ({seconds / earlier:.1f}x)" if earlier else ""))
        rows[size], last, last_size = row, row, size
    return rows


def main():
    kinds = {kind.__name__: kind for kind in KINDS}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--before", type=pathlib.Path, help="build folder of another compiler, for comparison")
    parser.add_argument("--kinds", type=lambda s: s.split(","), default=list(kinds))
    parser.add_argument("--sizes", type=lambda s: [int(n) for n in s.split(",")], help="instead of each kind's own")
    parser.add_argument("--where", type=int, nargs="?", const=8, default=0, help="list this many of the slowest passes")
    parser.add_argument("--check", action="store_true", help="compare with LibTorch")
    parser.add_argument("--json", type=pathlib.Path, help="also write the figures here")
    arguments = parser.parse_args()
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.kinds:
            kind = kinds[name]
            result[name] = run_kind(kind, arguments.sizes or KINDS[kind], arguments, pathlib.Path(folder))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
