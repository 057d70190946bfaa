"""Products, distances, order statistics and running extrema of tensors whose sizes are known at the call only,
as LibTorch computes them; and what LibTorch raises.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from sources import check_source  # noqa: E402

torch.manual_seed(6)

SOURCE = """
def pairs(self, x, y):
    return (torch.cartesian_prod([x, y]), torch.combinations(x, 2), torch.combinations(x, 2, True),
            torch.diag(x, 1), torch.ops.aten.linalg_vander(x), torch.trapezoid(x, dx=0.5))
def matrices(self, x):
    return (torch.cov(x), torch.corrcoef(x), torch.diag(x, -1), torch.renorm(x, 2.0, 0, 1.0), torch.pdist(x),
            torch.ops.aten.fft_fftshift(x), torch.ops.aten.fft_ifftshift(x, [1]), torch._weight_norm(x, x[:, :1]))
def distances(self, x, y):
    return torch.cdist(x, y), torch.cdist(x, y, 1.0)
def products(self, x, y, weight):
    return torch.cross(x, y, 1), torch.ops.aten.linalg_multi_dot([x[0], weight[0], y[0]]), torch.bilinear(x, y, weight, None)
def order(self, x):
    return (torch.cummax(x, 1), torch.cummin(x, 0), torch.mode(x, 1), torch.nanmedian(x, 1), torch.nanmedian(x),
            torch.quantile(x, 0.3, 1), torch.nanquantile(x, 0.5, 0, True))
def counts(self, x, y):
    return (torch.bincount(x), torch.bincount(x, y, 4), torch.histc(y, 5), torch._unique2(x, True, True, True),
            torch.unique_consecutive(x, True, True), torch.nonzero_static(x, size=3))
def gradients(self, g, x):
    return (torch.ops.aten.gelu_backward(g, x), torch.ops.aten.sigmoid_backward(g, x), torch.ops.aten.tanh_backward(g, x),
            torch.ops.aten.threshold_backward(g, x, 0.1), torch.ops.aten._softmax_backward_data(g, x, 1, 6),
            torch.ops.aten._log_softmax_backward_data(g, x, 1, 6), torch.ops.aten.native_dropout_backward(g, x > 0, 2.0))
def strided_far(self, x, n: int):
    return x.as_strided([n], [1099511627776])
def strided(self, x):
    return x.as_strided([3, 2], [2, 1], 1), x.sum_to_size([1, x.size(1)])
"""

SIGNATURES = ["pairs(?xf32, ?xf32)", "matrices(?x?xf32)", "distances(?x?xf32, ?x?xf32)",
              "products(?x3xf32, ?x3xf32, ?x?x?xf32)", "order(?x?xf32)", "counts(?xi64, ?xf32)",
              "gradients(?x?xf32, ?x?xf32)", "strided(?x?xf32)", "strided_far(?xf32, int)"]


def main():
    rand, randn, tensor = torch.rand, torch.randn, torch.tensor
    odd = randn(4, 5).round()
    odd[1, 2] = odd[3, 0] = float("nan")
    calls = [("pairs", [randn(4), randn(3)]), ("pairs", [randn(2), randn(1)]), ("matrices", [randn(3, 5)]),
             ("distances", [randn(3, 4), randn(2, 4)]), ("distances", [randn(3, 4), randn(2, 5)], "number of columns"),
             ("products", [randn(3, 3), randn(3, 3), randn(2, 3, 3)]),
             ("order", [randn(4, 5)]), ("order", [odd]), ("order", [torch.ones(2, 0)], "non-zero size"),
             ("counts", [tensor([3, 3, 0, 1, 1, 5]), rand(6)]), ("counts", [tensor([-1]), rand(1)], "non-negative"),
             ("gradients", [randn(3, 4), rand(3, 4)]), ("strided", [randn(3, 4)]),
             ("strided_far", [randn(3), 1]), ("strided_far", [randn(3), 2], "out of bounds"),
             ("strided_far", [randn(3), 2**24 + 1], "out of bounds"),
             ("strided", [randn(2, 2)], "out of bounds")]
    check_source(SOURCE, SIGNATURES, calls)


if __name__ == "__main__":
    main()
