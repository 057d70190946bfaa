"""Random linalg functions over shapes that kernels find awkward: ragged, tiny, unknown, NaN, inf."""
import numpy as np

f32 = np.float32
LOW = "0xFF800000"  # -inf


def tensor(shape, unknown=(), element="f32"):
    sizes = "".join(f"{'?' if i in unknown else n}x" for i, n in enumerate(shape))
    return f"tensor<{sizes}{element}>"


def dense(array):
    if array.size == 1:
        return f"dense<{float(array.ravel()[0])!r}> : {tensor(array.shape)}"
    return f'dense<"0x{array.tobytes().hex().upper()}"> : {tensor(array.shape)}'


def loops(rank, results):
    names = ", ".join(f"d{i}" for i in range(rank))
    return f"affine_map<({names}) -> ({', '.join(f'd{i}' for i in results)})>"


class Function:
    """One function: text, arguments, and what it returns."""

    def __init__(self, rng):
        self.rng = rng
        self.lines = []
        self.arguments = []  # name, array, type
        self.constant("zero", "0.0")

    def pick(self, *choices):
        return choices[self.rng.integers(len(choices))]

    def size(self):
        return int(self.pick(1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 24, 31, 32, 33, 48, 50, 64, 65, 100))

    def chance(self, n):
        return self.rng.integers(n) == 0

    def unknown(self, rank):
        return {i for i in range(rank) if self.chance(4)}

    def array(self, shape, special=False):
        values = self.rng.standard_normal(shape, dtype=f32)
        if special and self.chance(3):
            values.ravel()[::7] = np.nan
        if special and self.chance(3):
            values.ravel()[3::11] = -np.inf
        return values

    def line(self, text):
        self.lines.append("  " + text)

    def constant(self, name, value):
        self.line(f"%{name} = arith.constant {value} : f32")

    def argument(self, name, array, unknown=()):
        self.arguments.append((name, array, tensor(array.shape, unknown)))
        return self.arguments[-1][2]

    def weight(self, name, array, constant):
        if constant:
            self.line(f"%{name} = arith.constant {dense(array)}")
            return tensor(array.shape)
        return self.argument(name, array)

    def empty(self, name, shape, sources):
        """`sources`: unknown dimension -> (value, its type, its dimension)."""
        sizes = []
        for dim, (value, type_, source) in sorted(sources.items()):
            self.line(f"%{name}c{dim} = arith.constant {source} : index")
            self.line(f"%{name}d{dim} = tensor.dim %{value}, %{name}c{dim} : {type_}")
            sizes.append(f"%{name}d{dim}")
        self.line(f"%{name} = tensor.empty({', '.join(sizes)}) : {tensor(shape, sources)}")

    def generic(self, name, inputs, maps, out, type_, body, reduced=()):
        """`inputs`: (value, type); `body`: lines that use %v0, ... and define %y."""
        rank = int(maps[0].split(")")[0].count("d"))
        kinds = ", ".join('"reduction"' if i in reduced else '"parallel"' for i in range(rank))
        ins = ", ".join(f"%{v}" for v, _ in inputs)
        types = ", ".join(t for _, t in inputs)
        block = ", ".join(f"%v{i}: f32" for i in range(len(inputs) + 1))
        self.line(f"%{name} = linalg.generic {{indexing_maps = [{', '.join(maps)}], "
                  f"iterator_types = [{kinds}]}} ins({ins} : {types}) outs(%{out} : {type_}) {{")
        self.line(f"^bb0({block}):")
        for text in body:
            self.line("  " + text)
        self.line(f"  linalg.yield %y : f32 }} -> {type_}")

    def epilogue(self, value, type_, shape):
        """ReLU or tanh, with or without a residual; defines %out."""
        rank = len(shape)
        inputs, total = [(value, type_)], "%v0"
        body = []
        if self.chance(2):
            unknown = {i for i, n in enumerate(type_[7:-1].split("x")[:rank]) if n == "?"}
            self.argument("residual", self.array(shape), unknown)
            inputs.append(("residual", type_))
            body.append("%sum = arith.addf %v0, %v1 : f32")
            total = "%sum"
        body.append(self.pick(f"%y = arith.maximumf {total}, %zero : f32",
                              f"%y = math.tanh {total} : f32"))
        identity = loops(rank, range(rank))
        self.generic("out", inputs, [identity] * (len(inputs) + 1), "e", type_, body)
        return self.finish(type_, rank)

    def finish(self, type_, rank):
        self.type, self.rank = type_, rank
        return self

    def text(self, name):
        arguments = ", ".join(f"%{n}: {t}" for n, _, t in self.arguments)
        return "\n".join([f'func.func @{name}({arguments}) -> {self.type} '
                          f'attributes {{tl.method = "{name}"}} {{',
                          *self.lines, f"  return %out : {self.type}", "}"])


def matmul(rng):
    """Plain, batched or transposed, with a constant or an argument as weights."""
    f = Function(rng)
    m, n, k = (1 if f.chance(4) else f.size()), f.size(), f.size()
    batch = [int(f.pick(1, 2, 5))] if f.chance(3) else []
    constant = not batch and f.chance(2)
    transposed = not batch and f.chance(2)
    unknown_m = f.chance(3)
    unknown_n, unknown_k = (False, False) if constant or transposed else (f.chance(3), f.chance(3))
    o = len(batch)
    dims = lambda *flags: {o + i for i, flag in enumerate(flags) if flag}  # noqa: E731
    a = f.argument("a", f.array(batch + [m, k]), dims(unknown_m, unknown_k))
    w = f.array(batch + ([n, k] if transposed else [k, n]))
    if constant:
        b = f.weight("b", w, True)
    else:
        b = f.argument("b", w, dims(unknown_k, unknown_n))
    bias = f.argument("bias", f.array([n]), {0} if unknown_n else ())
    sources = {}
    if unknown_m:
        sources[o] = ("a", a, o)
    if unknown_n:
        sources[o + 1] = ("b", b, o + 1)
    shape = batch + [m, n]
    type_ = tensor(shape, sources)
    f.empty("e", shape, sources)
    f.line(f"%i = linalg.broadcast ins(%bias : {bias}) outs(%e : {type_}) "
           f"dimensions = {list(range(len(shape) - 1))}")
    maps = ("indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, "
            "affine_map<(m, n, k) -> (m, n)>] " if transposed else "")
    f.line(f"%r = linalg.{'batch_' if batch else ''}matmul {maps}ins(%a, %b : {a}, {b}) "
           f"outs(%i : {type_}) -> {type_}")
    return f.epilogue("r", type_, shape)


def window(rng):
    """Convolutions, plain and depthwise, and pooling, of padded or plain inputs."""
    f = Function(rng)
    kind = f.pick("conv_2d_nhwc_hwcf", "depthwise_conv_2d_nhwc_hwc", "pooling_nhwc_max",
                  "pooling_nhwc_sum")
    pool = kind.startswith("pool")
    n, h, w = int(f.pick(1, 1, 2, 3)), int(f.pick(1, 5, 7, 14, 20)), int(f.pick(1, 7, 14, 15, 29))
    kh, kw = int(f.pick(1, 2, 3)), int(f.pick(1, 3))
    stride, dilation, channels = int(f.pick(1, 2)), int(f.pick(1, 1, 2)), f.size()
    filters = f.size() if kind.startswith("conv") else channels
    unknown = {0} if f.chance(3) else set()
    padded = [n, (h - 1) * stride + (kh - 1) * dilation + 1,
              (w - 1) * stride + (kw - 1) * dilation + 1, channels]
    low, high = [0] * 4, [0] * 4
    for dim in (1, 2):
        low[dim] = int(f.rng.integers(min(3, padded[dim])))
        high[dim] = int(f.rng.integers(min(3, padded[dim] - low[dim])))
    shape = [p - a - b for p, a, b in zip(padded, low, high)]
    x = f.argument("x", f.array(shape, special=pool), unknown)
    bias = f.argument("bias", f.array([filters]))
    value, type_ = "x", x
    if f.chance(2):
        f.empty("ex", shape, {0: ("x", x, 0)} if unknown else {})
        f.generic("act", [("x", x)], [loops(4, range(4))] * 2, "ex", x,
                  ["%y = math.absf %v0 : f32"])
        value = "act"
    if any(low + high):
        type_ = tensor(padded, unknown)
        f.constant("border", f.pick("0.0", LOW) if kind == "pooling_nhwc_max" else "0.0")
        f.line(f"%p = tensor.pad %{value} low{low} high{high} {{")
        f.line("^bb0(%i0: index, %i1: index, %i2: index, %i3: index):")
        f.line(f"  tensor.yield %border : f32 }} : {x} to {type_}")
        value = "p"
    size = [kh, kw] + ([] if pool else [channels] + ([filters] if filters and
                                                     kind.startswith("conv") else []))
    weight = f.weight("w", f.array(size), constant=f.chance(2))
    result = [n, h, w, filters]
    out = tensor(result, unknown)
    f.empty("e", result, {0: ("x", x, 0)} if unknown else {})
    f.line(f"%i = linalg.broadcast ins(%bias : {bias}) outs(%e : {out}) dimensions = [0, 1, 2]")
    f.line(f"%r = linalg.{kind} {{strides = dense<{stride}> : tensor<2xi64>, "
           f"dilations = dense<{dilation}> : tensor<2xi64>}} ins(%{value}, %w : {type_}, {weight}) "
           f"outs(%i : {out}) -> {out}")
    return f.epilogue("r", out, result)


def elementwise(rng):
    """A permuted and a broadcast operand, and an index."""
    f = Function(rng)
    rank = int(f.pick(1, 2, 3, 4))
    shape = [f.size() for _ in range(rank)]
    while np.prod(shape) > 100000:
        shape[int(rng.integers(rank))] = 1
    unknown = f.unknown(rank)
    order = list(rng.permutation(rank)) if f.chance(3) else list(range(rank))
    kept = [i for i in range(rank) if f.chance(2)]
    a = f.argument("a", f.array([shape[i] for i in order], special=True),
                   {j for j, i in enumerate(order) if i in unknown})
    b = f.argument("b", f.array([shape[i] for i in kept]),
                   {j for j, i in enumerate(kept) if i in unknown})
    f.empty("e", shape, {i: ("a", a, order.index(i)) for i in unknown})
    type_ = tensor(shape, unknown)
    f.generic("out", [("a", a), ("b", b)],
              [loops(rank, order), loops(rank, kept), loops(rank, range(rank))], "e", type_,
              ["%product = arith.mulf %v0, %v1 : f32", f"%at = linalg.index {rank - 1} : index",
               "%i = arith.index_cast %at : index to i32", "%x = arith.sitofp %i : i32 to f32",
               "%y = arith.addf %product, %x : f32"])
    return f.finish(type_, rank)


def rows(rng):
    """Reductions of the last dimension and what is computed around them."""
    f = Function(rng)
    kind = f.pick("max", "mean", "softmax", "log_softmax", "layer_norm")
    rank = int(f.pick(1, 2, 3, 4))
    shape = [int(f.pick(1, 2, 3, 8, 12)) for _ in range(rank - 1)]
    shape.append(int(f.pick(1, 3, 7, 16, 31, 64, 77, 128, 1000)))
    unknown = f.unknown(rank)
    a = f.argument("a", f.array(shape, special=True), unknown)
    row = tensor(shape[:-1], unknown - {rank - 1})
    f.empty("e", shape, {i: ("a", a, i) for i in unknown})
    f.empty("er", shape[:-1], {i: ("a", a, i) for i in unknown - {rank - 1}})
    all_, per_row = loops(rank, range(rank)), loops(rank, range(rank - 1))
    rows_ = loops(rank - 1, range(rank - 1))
    f.constant("low", LOW)
    f.constant("n", float(shape[-1]))
    f.constant("eps", "1.0e-05")

    def reduce(name, value, start, body):
        f.line(f"%{name}_init = linalg.fill ins(%{start} : f32) outs(%er : {row}) -> {row}")
        f.generic(name, [(value, a)], [all_, per_row], f"{name}_init", row, body, {rank - 1})

    add, maximum = "%y = arith.addf %v0, %v1 : f32", "%y = arith.maximumf %v0, %v1 : f32"
    if kind == "max":
        reduce("out", "a", "low", [maximum])
        return f.finish(row, rank - 1)
    if kind in ("softmax", "log_softmax"):
        reduce("max", "a", "low", [maximum])
        f.generic("shifted", [("a", a), ("max", row)], [all_, per_row, all_], "e", a,
                  ["%y = arith.subf %v0, %v1 : f32"])
        f.generic("exp", [("shifted", a)], [all_, all_], "e", a, ["%y = math.exp %v0 : f32"])
        reduce("sum", "exp", "zero", [add])
        if kind == "softmax":
            f.generic("out", [("exp", a), ("sum", row)], [all_, per_row, all_], "e", a,
                      ["%y = arith.divf %v0, %v1 : f32"])
        else:
            f.generic("log", [("sum", row)], [rows_, rows_], "er", row, ["%y = math.log %v0 : f32"])
            f.generic("out", [("shifted", a), ("log", row)], [all_, per_row, all_], "e", a,
                      ["%y = arith.subf %v0, %v1 : f32"])
        return f.finish(a, rank)
    reduce("sum", "a", "zero", [add])
    mean = ["%y = arith.divf %v0, %n : f32"]
    if kind == "mean":
        f.generic("out", [("sum", row)], [rows_, rows_], "er", row, mean)
        return f.finish(row, rank - 1)
    f.generic("mean", [("sum", row)], [rows_, rows_], "er", row, mean)
    f.generic("distance", [("a", a), ("mean", row)], [all_, per_row, all_], "e", a,
              ["%y = arith.subf %v0, %v1 : f32"])
    reduce("squares", "distance", "zero",
           ["%square = arith.mulf %v0, %v0 : f32", "%y = arith.addf %v1, %square : f32"])
    f.generic("scale", [("squares", row)], [rows_, rows_], "er", row,
              ["%variance = arith.divf %v0, %n : f32", "%x = arith.addf %variance, %eps : f32",
               "%y = math.rsqrt %x : f32"])
    weight = f.argument("weight", f.array(shape[-1:]), {0} if rank - 1 in unknown else ())
    f.generic("out", [("distance", a), ("scale", row), ("weight", weight)],
              [all_, per_row, loops(rank, [rank - 1]), all_], "e", a,
              ["%x = arith.mulf %v0, %v1 : f32", "%y = arith.mulf %x, %v2 : f32"])
    return f.finish(a, rank)


def reduction(rng):
    """A reduction of any dimension."""
    f = Function(rng)
    shape = [f.size() for _ in range(3)]
    unknown = f.unknown(3)
    dim = int(rng.integers(3))
    kept = [i for i in range(3) if i != dim]
    a = f.argument("a", f.array(shape, special=True), unknown)
    sources = {j: ("a", a, i) for j, i in enumerate(kept) if i in unknown}
    out = tensor([shape[i] for i in kept], sources)
    f.constant("low", LOW)
    start, op = f.pick(("zero", "addf"), ("low", "maximumf"))
    f.empty("e", [shape[i] for i in kept], sources)
    f.line(f"%i = linalg.fill ins(%{start} : f32) outs(%e : {out}) -> {out}")
    f.line(f"%out = linalg.reduce {{ arith.{op} }} ins(%a : {a}) outs(%i : {out}) "
           f"dimensions = [{dim}]")
    return f.finish(out, 2)


KINDS = (matmul, window, elementwise, rows, reduction)
