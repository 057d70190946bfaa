"""Tensors that become others in place: `unsqueeze_`, `t_` and their like for every name of the tensor, and `out=`
with empty tensors, tensors of the result's size, views, and the operand itself.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from sources import check_source  # noqa: E402

SOURCE = """
def every_name(self, x):
    y = x + 1
    z = y
    names = [y, x]
    pair = (y, 1)
    y.unsqueeze_(0)
    z.squeeze_(0)
    y.t_()
    z.transpose_(0, 1)
    names[0].t_()
    z[0, 1] = 7.0
    return y, z, names, pair[0]
def given(self, t: Tensor):
    t.unsqueeze_(-1)
    return t
def through_calls(self, x):
    y = x.relu()
    z = self.given(y)
    return y, z
def in_loops(self, x, n: int):
    y = x + 1
    for i in range(2):
        y.unsqueeze_(0)
    s = torch.zeros(x.size(1))
    for i in range(n):
        z = x * i
        z.t_()
        s = s + z.sum(1)
    return y, y.squeeze_().add_(1), s
def itself(self, x):
    y = x * 2
    z = y.float()
    z.t_()
    return y
def kept(self, x):
    self.h = x * 2
    self.h.t_()
    return self.h + 1
def out(self, x):
    y = x + 2
    o = torch.empty(0)
    torch.add(x, y, out=o)
    p = torch.zeros(2, 3)
    row = p[0]
    torch.mul(x, y, out=p)
    values, indices = torch.max(x, dim=1, max=torch.empty(0), max_values=torch.empty(0, dtype=torch.long))
    wide = torch.empty(2, 3, dtype=torch.double)
    torch.sub(x, y, out=wide)
    torch.exp(y, out=y)
    part = torch.zeros(3, 2)
    torch.neg(x, out=part.t())
    return (o, p, row, values, indices, wide, y, part, torch.mm(x, x.t(), out=torch.empty(2, 2)),
            torch.sum(x, dim=[1], out=torch.empty(2)), torch.cat([x, x], out=torch.empty(0)))
def out_of_names(self, x):
    o = torch.empty(0)
    names = [o]
    view = o.view(0)
    torch.stack([x, x], out=o)
    return names[0], o.dim(), view
def out_of_argument(self, x):
    torch.add(x, 1.0, out=x)
    return x.sum()
def out_of_integers(self, x):
    return torch.div(x, 2, out=torch.zeros(2, 3, dtype=torch.long))
"""

SIGNATURES = ["every_name(2x3xf32)", "through_calls(2x3xf32)", "through_calls(?x?xf32)", "in_loops(2x3xf32, int)",
              "itself(2x3xf32)", "kept(2x3xf32)", "out(2x3xf32)", "out_of_names(2x3xf32)", "out_of_argument(2x3xf32)",
              "out_of_integers(2x3xf32)"]


def main():
    torch.manual_seed(8)
    x, y = torch.randn(2, 3), torch.randn(2, 3)
    calls = [("every_name", [x]), ("through_calls", [x]), ("through_calls", [torch.randn(4, 1)]), ("in_loops", [x, 3]),
             ("in_loops", [y, 0]), ("itself", [x]), ("kept", [x]), ("kept", [y]), ("out", [x]), ("out", [y]),
             ("out_of_names", [x]), ("out_of_argument", [x]), ("out_of_argument", [y]),
             ("out_of_integers", [x], "can't be cast to the desired output type Long")]
    module = torch.nn.Identity()
    module.register_buffer("h", torch.zeros(2, 3))
    check_source(SOURCE, SIGNATURES, calls, module)


if __name__ == "__main__":
    main()
