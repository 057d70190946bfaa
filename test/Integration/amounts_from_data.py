# RUN: env TORCHLITE_BUILD=%build %python %s %t
"""Operators that take amounts, offsets, steps and sizes (split, chunk, unbind, roll, pad, interpolate,
arange, linspace, ...), given as ints of the call and to tensors of unknown sizes."""
import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "Inputs"))
from run_time_sizes import SIZES, grid, ints, main  # noqa: E402

X1, X2, X3 = ("x: Tensor", "?xf32"), ("x: Tensor", "?x?xf32"), ("x: Tensor", "?x?x?xf32")
X4, STATIC = ("x: Tensor", "?x?x?x?xf32"), ("x: Tensor", "5x4xf32")
A, B, STEP = ("a: int", "int"), ("b: int", "int"), ("s: int", "int")
IDS = ("i: Tensor", "?xi64")
F, G, H = ("f: float", "float"), ("g: float", "float"), ("h: float", "float")
SHAPES = [(m, n) for m in SIZES for n in SIZES] + [(5, 4), (7, 3)]
AMOUNTS = [0, 1, -1, 2, 3, 5, 7, -2, -8, 2**40, 2**63 - 1, -2**63]
FACTORS = [0.0, 0.5, 1.0, 1.1, 2.0, 2.6, -1.0, 0.1]


def tensors(shapes=SHAPES):
    return [(grid(*shape),) for shape in shapes]


def amounts(shapes, values=AMOUNTS, count=1):
    """Calls with tensors and every combination of values."""
    calls = tensors(shapes)
    for _ in range(count):
        calls = [(*call, value) for call in calls for value in values]
    return calls


ROWS = [(0, 3), (1, 3), (2, 3), (5, 3), (6, 0)]
IMAGES = [(1, 1, 3, 4), (2, 1, 5, 1), (1, 2, 1, 1), (1, 1, 4, 4)]
SIGNALS = [(1, 2, 5), (2, 1, 1), (1, 1, 8)]
EACH = "s = torch.zeros(3)\nfor t in {}:\n    s = s * 0.5 + t.sum(0)\nreturn s"


def resize(mode, options=""):
    return f"return torch.nn.functional.interpolate(x, [a, b], mode='{mode}'{options})"


def rescale(mode, options=""):
    return f"return torch.nn.functional.interpolate(x, scale_factor=[f, g], mode='{mode}'{options})"


SMALL = [0, 1, 2, 3, 5, 9, -1, -3]
WIDE = [(*call, factor, other) for call in tensors(IMAGES) for factor in FACTORS for other in (1.0, 2.0, 0.7)]
# name: arguments with types, body, calls
PROGRAMS = {
    # Pieces whose number is not known: as many as are unpacked, or each in a loop.
    "split_unpack": ([X2, A], "p, q = x.split(a)\nreturn p + 1, q.sum(0), q", amounts(ROWS)),
    "split_columns": ([X2, A], "p, q, r = x.split(a, 1)\nreturn p + 1, q.sum(0), r", amounts(SHAPES)),
    "split_static": ([STATIC, A], "p, q = x.split(a)\nreturn p + 1, q.sum(0), q", amounts([(5, 4)])),
    "split_each": ([X2, A], EACH.format("x.split(a)"), amounts(ROWS[:4])),
    "split_each_static": ([("x: Tensor", "5x3xf32"), A], EACH.format("x.split(a)"), amounts([(5, 3)])),
    "split_two": ([X2], EACH.format("x.split(2)"), tensors(ROWS[:4])),
    "split_at": ([X2, A, B], "return x.split(a)[b]", amounts([(5, 3), (0, 3)], AMOUNTS, 2)),
    "split_count": ([X2, A], "return len(x.split(a)), len(x.split(2, 1)), len(x.unbind(0))", amounts(ROWS)),
    "split_cat": ([X2, A], "return torch.cat(x.split(a)), torch.cat(x.split(a), 1)", amounts(ROWS)),
    "split_stack": ([X2, A], "return torch.stack(x.split(a)), torch.stack(x.split(a), -1)", amounts(ROWS)),
    "split_write": ([X2, A], "y = x.clone()\nfor t in y.split(a):\n    t += t.sum()\nreturn y", amounts(ROWS)),
    "split_sizes": ([X2, A, B], "p, q = x.split([a, b])\nreturn p + 1, q.sum(0)", ints(2, (5, 3), True)),
    "split_pairs": ([X2, A], "s = torch.zeros(3)\nfor p, q in zip(x.split(a), x.split(1)):\n"
                    "    s = s * 0.5 + p.sum(0) * q.sum(0)\nreturn s", amounts(ROWS[:4])),
    "chunk_unpack": ([X2, A], "p, q = x.chunk(a)\nreturn p + 1, q.sum(0), q", amounts(ROWS, AMOUNTS[:10])),
    "chunk_each": ([X2, A], EACH.format("x.chunk(a)"), amounts(ROWS[:4], AMOUNTS[:9])),
    "chunk_three": ([X2], EACH.format("x.chunk(3)"), tensors(ROWS[:4] + [(4, 3)])),
    "chunk_append": ([X2], "r = [x.sum(0)]\nfor t in x.chunk(3):\n    r.append(t.sum(0))\nreturn r",
                     tensors([(0, 3), (3, 3), (5, 3), (6, 3)])),
    "chunk_at": ([X2, A], "return x.chunk(3)[a]", amounts(ROWS + [(4, 3)])),
    "chunk_columns": ([X2], "p, q, r = x.chunk(3, 1)\nreturn p + 1, q.sum(0), r", tensors()),
    "unbind_unpack": ([X2], "p, q = x.unbind()\nreturn p + q", tensors()),
    "unbind_each": ([X2], "s = torch.zeros(3)\nfor t in x.unbind(0):\n    s = s * 0.5 + t\nreturn s",
                    tensors(ROWS[:4])),
    "unbind_columns": ([X2], "s = torch.zeros(2)\nfor i, t in enumerate(torch.unbind(x, 1)):\n"
                       "    s = s * 0.5 + t * i\nreturn s", tensors([(2, n) for n in SIZES])),
    "unbind_at": ([X2, A], "return x.unbind(1)[a] + 1", amounts([(2, 3), (2, 0)])),
    "unbind_stack": ([X3], "return torch.stack(x.unbind(1)), torch.stack(x.unbind(0), 2), torch.cat(x.unbind(1))",
                     tensors([(2, 3, 4), (2, 0, 3), (2, 1, 1), (1, 2, 3)])),
    "unbind_write": ([X2], "y = x.clone()\nfor t in y.unbind(0):\n    t *= t.sum()\nreturn y", tensors()),
    "iterate": ([X2], "s = torch.zeros(3)\nfor t in x:\n    s = s * 0.5 + t\nreturn s", tensors(ROWS[:4])),
    "tensor_split": ([X2], "p, q, r = torch.tensor_split(x, 3)\nreturn p + 1, q.sum(0), r", tensors()),
    "tensor_split_at": ([X2, A, B], "p, q, r = torch.tensor_split(x, [a, b])\nreturn p + 1, q.sum(0), r",
                        amounts([(5, 3), (0, 3)], AMOUNTS, 2)),
    # The place of an element in the order of a dimension.
    "median": ([X2], "return x.median(0), x.median(1, True), x.flatten().median()", tensors()),
    "kthvalue": ([X2, A], "return x.kthvalue(a), x.kthvalue(a, 0, True)", amounts(SHAPES)),
    "diff": ([X2], "return x.diff(), x.diff(2, 0), x.diff(1, 1, x[:, :1])", tensors()),
    # Indices and diagonals.
    "one_hot": ([IDS, A], "return torch.nn.functional.one_hot(i, a)",
                [(torch.tensor(i), a) for i in ([0, 1, 2], [3], [0, -1]) for a in (3, 4, 1, 0, -1, -2)] +
                [(torch.zeros(0, dtype=torch.int64), a) for a in (3, 0, -1)]),
    "one_hot_open": ([IDS, X2], "return torch.nn.functional.one_hot(i), torch.nn.functional.one_hot(i, x.size(0))",
                     [(torch.tensor(i), grid(n, 1)) for i in ([0, 1, 2], [3], [0]) for n in (1, 3, 4)]),
    "diag_embed": ([X2, A], "return torch.diag_embed(x, a), torch.diag_embed(x, a, 0, 2), torch.diagflat(x, a)",
                   amounts(SHAPES, [0, 1, -1, 3, -5, 2**62, -2**63])),
    "triangles": ([A, B, STEP], "return torch.tril_indices(a, b, s), torch.triu_indices(a, b, s)",
                  [(a, b, s) for a in (0, 1, 3, -1) for b in (0, 1, 4, -1) for s in (0, 1, -2, 9, -2**40)]),
    # One view, with amounts from data.
    "squeeze_step": ([X2, A], "return x[a:a + 1].squeeze(0), (x[:1] * 2 + x[-1:]).squeeze(0)",
                     [(*call, a) for call in tensors([(2, 3), (5, 1), (1, 3)]) for a in (0, -2)
                      if call[0].size(0) > -a - 1]),
    "squeeze": ([X3], "return x[:, :1].squeeze(1), x.sum(0, keepdim=True).squeeze(0)",
                tensors([(2, 3, 4), (1, 1, 1), (0, 2, 3)])),
    "squeeze_other": ([X2], "return x.squeeze(0)", tensors([(2, 3), (0, 1)])),
    "diagonal": ([X2, A], "return x.diagonal(a), torch.diagonal(x, a, 1, 0)", amounts(SHAPES)),
    "diagonal_write": ([X2, A], "y = x.clone()\ny.diagonal(a).fill_(7.0)\nreturn y", amounts(SHAPES)),
    "unfold": ([X2, A, B], "return x.unfold(0, a, b), x.unfold(1, 2, b)",
               amounts([(5, 4), (0, 4), (2, 1)], [v for v in AMOUNTS if v < 2**62], 2)),
    "roll": ([X2, A, B], "return x.roll([a, b], [0, 1]), x.roll(a), x.roll(a, 1)",
             amounts(ROWS, [v for v in AMOUNTS if v > -2**63], 2)),
    "tril": ([X2, A], "return x.tril(a), x.triu(a)", amounts(SHAPES)),
    "strided": ([X2, A, B, STEP], "return x[a:b:s], x[:, ::s], x[a::2], x[:b:3]",
                amounts([(5, 4), (0, 3)], [0, 1, -1, 2, 3, -2, 7], 3)),
    "strided_write": ([X2, A, B, STEP], "y = x.clone()\ny[a:b:s] = 7.0\ny[:, ::s] *= 2.0\nreturn y",
                      amounts([(5, 4), (0, 3)], [0, 1, -1, 2, 3, -2, 7], 3)),
    "movement": ([X2, A], "return x.narrow(1, 0, a), x.repeat(2, a), x.select(0, a)",
                 amounts(ROWS, AMOUNTS[:9])),
    "repeat_each": ([X2, A], "return x.repeat_interleave(a, 0), x.repeat_interleave(a, 1)",
                    amounts(ROWS, AMOUNTS[:9])),
    "expand": ([X2, A, B], "return x.unsqueeze(1).expand(-1, a, b)", amounts(ROWS, AMOUNTS[:9], 2)),
    "unflatten": ([X2, A, B], "return x.unflatten(0, [a, b])", amounts([(6, 2), (0, 2), (1, 1)], AMOUNTS, 2)),
    "as_batches": ([X2], "return x.view(x.size(0), -1), x.reshape(-1, x.size(1)), x.flatten(1)", tensors()),
    "as_heads": ([X3], "return x.view(x.size(0), -1, 2, 2).transpose(1, 2), x.flatten(1), x.reshape(x.size(0), -1)",
                 tensors([(2, 3, 4), (0, 3, 4), (1, 1, 4), (2, 0, 4), (1, 3, 2), (1, 3, 5)])),
    # Padding.
    "pad": ([X3, A, B], "return torch.nn.functional.pad(x, [a, b, b, a], value=3.0)",
            amounts([(1, 3, 4), (2, 0, 1)], [0, 1, -1, 2, -3, 5, -2**63, 2**62], 2)),
    "pad_reflect": ([X4, A, B], "return torch.nn.functional.pad(x, [a, b, b, a], 'reflect')",
                    amounts([(1, 1, 4, 5), (2, 1, 3, 3)], [0, 1, -1, 2, 3, 5, -3, -5], 2)),
    "pad_replicate": ([X4, A, B], "return torch.nn.functional.pad(x, [a, b, b, a], 'replicate')",
                      amounts([(1, 1, 4, 5), (2, 1, 3, 3)], [0, 1, -1, 2, 3, 5, -3, -5], 2)),
    "pad_circular": ([X4, A, B], "return torch.nn.functional.pad(x, [a, b, b, a], 'circular')",
                     amounts([(1, 1, 3, 4), (2, 1, 1, 2)], [0, 1, 2, 3, 5], 2)),
    # Where more is repeated than is left, LibTorch reads memory that nobody has written.
    "pad_cropped": ([X4, A, B], "return torch.nn.functional.pad(x, [a, b, b, a], 'circular')",
                    amounts([(1, 1, 5, 5), (2, 1, 4, 6)], [0, 1, -1, 2, -2], 2)),
    "pad_known": ([X3], "return torch.nn.functional.pad(x, [-1, 2], 'circular'), "
                  "torch.nn.functional.pad(x, [1, -2], 'circular'), torch.nn.functional.pad(x, [-1, 2], 'reflect'), "
                  "torch.nn.functional.pad(x, [2, -3], 'replicate'), torch.nn.functional.pad(x, [-2, -2], 'circular')",
                  tensors([(1, 2, 5), (2, 1, 8), (1, 1, 4)])),
    "pad_signal": ([X3, A, B], "return torch.nn.functional.pad(x, [a, b], 'reflect'), "
                   "torch.nn.functional.pad(x, [b, a], 'replicate')",
                   amounts([(1, 3, 4), (2, 1, 3), (2, 1, 1)], [0, 1, -1, 2, 3, 5, -2], 2)),
    # Interpolation.
    "nearest": ([X4, A, B], resize("nearest"), amounts(IMAGES, SMALL, 2)),
    "nearest_exact": ([X4, A, B], resize("nearest-exact"), amounts(IMAGES, SMALL, 2)),
    "bilinear": ([X4, A, B], resize("bilinear"), amounts(IMAGES, SMALL, 2)),
    "bilinear_corners": ([X4, A, B], resize("bilinear", ", align_corners=True"), amounts(IMAGES, SMALL, 2)),
    "bicubic": ([X4, A, B], resize("bicubic"), amounts(IMAGES, SMALL, 2)),
    "bicubic_corners": ([X4, A, B], resize("bicubic", ", align_corners=True"), amounts(IMAGES, SMALL, 2)),
    "linear": ([X3, A], "return torch.nn.functional.interpolate(x, a, mode='linear')", amounts(SIGNALS, SMALL)),
    "nearest_scale": ([X4, F, G], rescale("nearest"), WIDE),
    "exact_scale": ([X4, F, G], rescale("nearest-exact"), WIDE),
    "bilinear_scale": ([X4, F, G], rescale("bilinear"), WIDE),
    "bilinear_recompute": ([X4, F, G], rescale("bilinear", ", recompute_scale_factor=True"), WIDE),
    "bicubic_scale": ([X4, F, G], rescale("bicubic"), WIDE),
    "upsample": ([X4], "return torch.nn.functional.interpolate(x, scale_factor=2.0, mode='nearest'), "
                 "torch.nn.functional.interpolate(x, scale_factor=2.0, mode='bilinear', align_corners=True)",
                 tensors(IMAGES)),
    "like": ([X4, ("y: Tensor", "?x?x?x?xf32")],
             "return torch.nn.functional.interpolate(x, y.shape[2:], mode='bilinear', align_corners=False) + y",
             [(grid(1, 2, 3, 4), grid(1, 2, m, n)) for m in (1, 3, 6) for n in (1, 4, 5)]),
    "area": ([X4, A, B], resize("area"), amounts(IMAGES, SMALL, 2)),
    "area_by_factor": ([X4, F, G], rescale("area"), WIDE),
    "area_line": ([X3, A], "return torch.nn.functional.adaptive_avg_pool1d(x, a)", amounts(SIGNALS, SMALL)),
    "area_volume": ([("x: Tensor", "1x2x3x5x4xf64"), A, B], "return torch.nn.functional.interpolate(x, [a, 3, b], mode='area')",
                    [(grid(1, 2, 3, 5, 4).double(), a, b) for a in SMALL for b in (1, 2, 6)]),
    "to_static": ([X4], "return torch.nn.functional.interpolate(x, [6, 5], mode='bilinear')", tensors(IMAGES)),
    # Sequences of numbers.
    "arange_float": ([F, G, H], "return torch.arange(f, g, h)",
                     [(f, g, h) for f in (0.0, 0.25, -1.5) for g in (0.0, 1.0, 3.3, -2.0)
                      for h in (1.0, 0.25, -0.5, 0.7, 0.0, float("nan"), float("inf"))] +
                     [(0.0, v, 1.0) for v in (float("inf"), float("nan"), 1e300, -float("inf"))]),
    "arange_double": ([F, G, H], "return torch.arange(f, g, h, dtype=torch.float64)",
                      [(0.0, 1.0, 0.1), (1.0, 0.0, -0.1), (0.3, 7.7, 1.3), (0.0, 1.0, 1e-300)]),
    "arange_end": ([F], "return torch.arange(f)", [(0.0,), (2.5,), (-1.0,), (3.0,)]),
    "arange_mixed": ([X2, A], "return torch.arange(0.5, x.size(0)), torch.arange(x.size(1)) * a, "
                     "torch.arange(a, a + 3, dtype=torch.float32)", amounts(ROWS, [0, 1, -5, 3])),
    "linspace": ([F, G, A], "return torch.linspace(f, g, a)",
                 [(f, g, a) for f in (0.0, -1.5) for g in (0.0, 1.0, 3.3)
                  for a in (0, 1, 2, 5, 8, -1, -2**63, 2**62)]),
    "linspace_steps": ([X2, A], "return torch.linspace(0, 1, a), torch.linspace(-1.0, 1.0, x.size(0)), "
                       "torch.linspace(0, 10, a, dtype=torch.int64)", amounts(ROWS, [0, 1, 2, 7, -1])),
    "logspace": ([A], "return torch.logspace(0.0, 2.0, a)", [(a,) for a in (0, 1, 2, 5, -1)]),
}

sys.exit(main(PROGRAMS))
