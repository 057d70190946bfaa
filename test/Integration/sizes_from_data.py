# RUN: env TORCHLITE_BUILD=%build %python %s %t
"""Sizes, amounts and steps that are ints of the call, and sizes that are 1 at run time only: every
program gives what eager PyTorch gives, or raises where it raises."""
import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "Inputs"))
from run_time_sizes import SIZES, grid, ints, main, pairs  # noqa: E402

X1, X2, X3 = ("x: Tensor", "?xf32"), ("x: Tensor", "?x?xf32"), ("x: Tensor", "?x?x?xf32")
A, B, STEP = ("a: int", "int"), ("b: int", "int"), ("s: int", "int")
Y2 = ("y: Tensor", "?x?xf32")
XY = [("x: Tensor", "?x3xf32"), ("y: Tensor", "?x3xf32")]
PROGRAMS = {
    "view": ([X2, A, B], "return x.view(a, b)", ints(2)),
    "view0": ([X2, A, B], "return x.view(a, b)", ints(2, (0, 4), True)),
    "view3": ([X2, A, B], "return x.view(a, b, -1)", ints(2)),
    "reshape": ([X2, A, B], "return x.reshape(a, 2, b)", ints(2)),
    "unflatten": ([X2, A, B], "return x.unflatten(1, [a, b])", ints(2)),
    "expand": ([X2, A, B], "return x.expand(a, b) + 1", ints(2, (1, 1), True)),
    "expand_rows": ([X2, A], "return x.expand(a, 4) + 1", [c for n in SIZES for c in ints(1, (n, 4))
                                                           if n != 1 or c[1] < 101]),
    "zeros": ([A, B], "return (torch.zeros(a, b) + 1).sum(0)", ints(2, None, True)),
    "full": ([A, B], "return torch.full([a, b], 2.0).sum()",
             [(a, b) for a in (0, 1, -1, -2, 3) for b in (0, 1, -1, -2, 3)] + [(3, 2**62)]),
    "eye": ([A, B], "return torch.eye(a, b)",
            [(a, b) for a in (0, 1, -1, -2, 3, 2**62) for b in (0, 1, -1, -2, 3, 2**62)]),
    "narrow": ([X2, A, B], "return x.narrow(0, a, b)", ints(2)),
    "slice": ([X2, A, B, STEP], "return x[a:b:s]", ints(3)),
    "select": ([X2, A], "return x[a], x.select(1, a)", ints(1)),
    "pad": ([X2, A, B], "return torch.nn.functional.pad(x, [a, b])", ints(2, few=True)),
    "reflect": ([X2, A, B], "return torch.nn.functional.pad(x, [a, b], 'reflect')",
                [c for c in ints(2, few=True) if c[1:].count(-2**63) != 1]),
    "replicate": ([X2, A, B], "return torch.nn.functional.pad(x, [a, b], 'replicate')",
                  [c for c in ints(2, few=True) if c[1:].count(-2**63) != 1]),
    "circular": ([X2, A, B], "return torch.nn.functional.pad(x, [a, b], 'circular')",
                 [c for c in ints(2, few=True) if min(c[1:]) >= 0]),
    "repeat": ([X2, A, B], "return x.repeat(a, b)",
               [c for c in ints(2, (1, 2), True)]),
    "interleave": ([X1, A], "return x.repeat_interleave(a)",
                   [(grid(3), a) for a in (2, 0, -1, 1, 2**62, 6148914691236517206)]),
    "unfold": ([X2, A, B], "return x.unfold(1, a, b)", ints(2)),
    "roll": ([X2, A], "return x.roll(a, 0), x.roll(a)",
             [c for n in (3, 1, 0) for c in ints(1, (n, 4)) if c[1] != -2**63]),
    "tril": ([X2, A], "return x.tril(a), x.triu(a)", ints(1)),
    "arange": ([A, B, STEP], "return torch.arange(a, b, s)",
               [(0, 10, 3), (0, 10, 0), (10, 0, 1), (0, 10, -1), (10, 0, -3), (-2**63, 2**63 - 1, 1),
                (0, 2**63 - 1, 2**63 - 1), (5, 5, 1), (5, 5, -1), (-2**63, 0, 2**62), (0, 1, 2**62),
                (0, 2**62, 1), (3, -2**63, -2**63)]),
    "count": ([A], "return torch.arange(a)", [(0,), (3,), (-1,), (-2**63,), (2**62,)]),
    "topk": ([X2, A], "return x.topk(a)", ints(1)),
    "item": ([X1], "n = int(x[0].item())\nreturn torch.ones(n, 2)",
             [(torch.tensor([v]),) for v in (0.0, 3.0, -1.0, -1e30, 2.5)]),
    # Elements are read behind the checks of their positions, though they are sizes.
    "element": ([("x: Tensor", "?xi64"), A], "return torch.ones(int(x[a]), 2)",
                [(torch.tensor([1, 0, -2]), a) for a in (0, 1, 2, -1, -3, 3, -4, 2**40, -2**50)]),
    "quotient": ([A, B], "return torch.ones(a // b), torch.ones(a % b)",
                 [(a, b) for a in (0, 4, -2**63 + 1) for b in (0, 2, -1, -2**63)]),
    "window": ([X2, Y2, A], "z = x.clone()\nz[a:a + 2] = y\nreturn z",
               [(grid(4, 3), grid(n, 3), a) for n in (1, 2) for a in (0, 1, 3, -1, -4, 2**62)]),
    # Other sizes of the same types: the result's buffer does not fit what is reshaped.
    "turned": ([X2], "return x.t().reshape(x.size(0), -1), (x * 2).view(x.size(1), x.size(0))",
               [(grid(m, n),) for m in SIZES[1:] for n in SIZES[1:]]),
    "turned_part": ([X2], "y = torch.zeros(7, 9)\ny[:x.size(1), :x.size(0)] = (x + 1).view(x.size(1), -1)\n"
                    "return y", [(grid(m, n),) for m in SIZES[1:] for n in SIZES[1:]]),
    "turned_batches": ([X3], "return x.transpose(1, 2).reshape(x.size(0), x.size(1), -1), "
                       "(x * 2).view(x.size(2), -1, x.size(0))",
                       [(grid(2, 3, 4),), (grid(1, 2, 3),), (grid(2, 1, 4),)]),
    "heads": ([X2, A], "return x.view(x.size(0), a, -1).transpose(1, 2)",
              [(grid(2, 16), a) for a in (5, 4, 0, -4, -1, 2**62)]),
    "diagonal": ([X2], "return x.diagonal(), x.diagonal(1), x.diagonal(-1), x.diagonal(5)",
                 [(grid(m, n),) for m in SIZES for n in SIZES]),
    "chunk": ([X2], "a, b = x.chunk(2, 0)\nreturn a + 1, b + 1", [(grid(n, 3),) for n in (0, 2, 3, 7)]),
    # Sizes that are 1 at run time.
    "add": (XY, "return x + y, x * 2 - y, x + 1", pairs((None, 3), (None, 3))),
    "add2": ([X2, Y2], "return x + y",
             [(grid(*a), grid(*b)) for a in ((1, 1), (1, 3), (2, 1), (2, 3), (0, 3))
              for b in ((1, 1), (1, 3), (2, 1), (2, 3), (0, 3))]),
    "add_static": ([("x: Tensor", "?x?xf32"), ("y: Tensor", "2x3xf32")], "return x + y, y * x",
                   [(grid(*a), grid(2, 3)) for a in ((1, 1), (1, 3), (2, 1), (2, 3), (3, 3), (0, 3))]),
    "compare": (XY, "return x < y, torch.maximum(x, y), (x == y).sum()",
                pairs((None, 3), (None, 3))),
    "where": (XY, "return torch.where(x > 0, x, y), torch.where(x > y, x, 0.0)",
              pairs((None, 3), (None, 3))),
    "fused": (XY, "return torch.lerp(x, y, 0.5), torch.addcmul(x, y, y), torch.addcdiv(x, x, y)",
              pairs((None, 3), (None, 3))),
    "masked_fill": (XY, "return x.masked_fill(y > 0, 1.0)", pairs((None, 3), (None, 3))),
    "masked_select": (XY, "return x.masked_select(y > 0)", pairs((None, 3), (None, 3))),
    "add_": (XY, "z = x.clone()\nz += y\nreturn z", pairs((None, 3), (None, 3))),
    "copy_": (XY, "z = x.clone()\nz.copy_(y)\nreturn z", pairs((None, 3), (None, 3))),
    "assign": (XY, "z = x.clone()\nz[:] = y\nreturn z", pairs((None, 3), (None, 3))),
    "residual": (XY, "z = x\nfor i in range(3):\n    z = z + torch.tanh(z * y)\nreturn z + x",
                 pairs((None, 3), (None, 3))),
    "last": ([X2], "return x * x[-1:], x[:1] + x", [(grid(n, 3),) for n in SIZES]),
    "first": ([X2, A], "return x * x[:a]", ints(1, few=True)),
    "best": ([X1, A], "return x + x.topk(min(a, x.size(0)))[0]", [(grid(4), a) for a in (1, 4, 9, 2)]),
    "column": ([X2], "return x + x.sum(1).view(-1, 1)", [(grid(n, 3),) for n in SIZES]),
    "expand_as": (XY, "return x.expand_as(y) * 1", pairs((None, 3), (None, 3))),
    "broadcast": (XY, "a, b = torch.broadcast_tensors(x, y)\nreturn a * 1, b * 1",
                  pairs((None, 3), (None, 3))),
    "batches": ([X3, ("y: Tensor", "?x?x?xf32")], "return torch.matmul(x, y)",
                [(grid(a, 2, 3), grid(b, 3, 2)) for a in SIZES for b in SIZES]),
    "bmm": ([X3, ("y: Tensor", "?x?x?xf32")], "return torch.bmm(x, y)",
            [(grid(a, 2, 3), grid(b, 3, 2)) for a in (1, 2) for b in (1, 2)]),
    "addmm": ([X2, Y2], "return torch.addmm(x, y, y.t())",
              [(grid(*a), grid(2, 3)) for a in ((1, 1), (1, 2), (2, 1), (2, 2), (3, 3))]),
    "tensordot": ([X2, Y2], "return torch.tensordot(x, y, dims=[[1], [0]])",
                  [(grid(2, a), grid(b, 3)) for a in (1, 2) for b in (1, 2)]),
    "einsum": ([X2, Y2], "return torch.einsum('ij,jk->ik', x, y)",
               [(grid(2, a), grid(b, 3)) for a in (1, 2, 3) for b in (1, 2, 3)]),
    "indices": ([("x: Tensor", "?x?xf32"), ("i: Tensor", "?xi64"), ("j: Tensor", "?xi64")],
                "return x[i, j]",
                [(grid(3, 3), torch.arange(a), torch.arange(b)) for a in (1, 2, 3) for b in (1, 2, 3)]),
    "concatenate": (XY, "return torch.cat([x, y]), torch.stack([x, y])", pairs((None, 3), (None, 3))),
}

sys.exit(main(PROGRAMS))
