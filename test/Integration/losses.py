"""Losses and distances of tensors whose sizes are known at the call only, as LibTorch computes them; and
what LibTorch raises.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from sources import check_source  # noqa: E402

torch.manual_seed(3)

SOURCE = """
def elementwise(self, x, y):
    return (torch.nn.functional.mse_loss(x, y), torch.nn.functional.l1_loss(x, y, reduction='sum'),
            torch.nn.functional.smooth_l1_loss(x, y, reduction='none', beta=0.5),
            torch.nn.functional.huber_loss(x, y, delta=0.7),
            torch.nn.functional.kl_div(x, torch.sigmoid(y), reduction='batchmean'),
            torch.nn.functional.soft_margin_loss(x, y),
            torch.nn.functional.poisson_nll_loss(x, torch.exp(y), full=True))
def binary(self, x, y, w):
    return (torch.nn.functional.binary_cross_entropy(x, y),
            torch.nn.functional.binary_cross_entropy_with_logits(x, y, pos_weight=w))
def distances(self, x, y):
    return (torch.nn.functional.pairwise_distance(x, y), torch.nn.functional.cosine_similarity(x, y),
            torch.nn.functional.triplet_margin_loss(x, y, -x, swap=True))
def classes(self, x, target, w):
    return (torch.nn.functional.cross_entropy(x, target, w, ignore_index=1, label_smoothing=0.1),
            torch.nn.functional.cross_entropy(x, target, reduction='none'),
            torch.nn.functional.nll_loss(x, target, w, reduction='sum'))
def margins(self, x, target):
    return (torch.nn.functional.multi_margin_loss(x, target, p=2, margin=0.5),
            torch.nn.functional.multilabel_margin_loss(x, (target.unsqueeze(1) - 1).expand_as(x).contiguous()))
def probabilities(self, x, y):
    return torch.nn.functional.cross_entropy(x, torch.softmax(y, 1), label_smoothing=0.2)
"""

SIGNATURES = ["elementwise(?x?xf32, ?x?xf32)", "binary(?x?xf32, ?x?xf32, ?xf32)", "distances(?x?xf32, ?x?xf32)",
              "classes(?x?xf32, ?xi64, ?xf32)", "margins(?x?xf32, ?xi64)", "probabilities(?x?x?xf32, ?x?x?xf32)"]


def main():
    rand, randn = torch.rand, torch.randn
    target = torch.tensor([0, 1, 3, 2])
    calls = [("elementwise", [randn(3, 5), randn(3, 5)]), ("elementwise", [randn(1, 1), randn(1, 1)]),
             ("binary", [rand(3, 4), rand(3, 4), rand(4)]),
             ("binary", [rand(3, 4) + 1, rand(3, 4), rand(4)], "between 0 and 1"),
             ("distances", [randn(3, 4), randn(3, 4)]), ("distances", [torch.zeros(2, 3), torch.zeros(2, 3)]),
             ("classes", [randn(4, 5), target, rand(5)]), ("classes", [randn(4, 4), target, rand(4)]),
             ("classes", [randn(4, 5), torch.full((4,), 1), rand(5)]),
             ("classes", [randn(4, 3), target, rand(3)], "out of bounds"),
             ("classes", [randn(4, 5), target, rand(4)], "for all classes or no classes"),
             ("classes", [randn(3, 5), target, rand(5)], "sizes of input and target do not match"),
             ("margins", [randn(4, 5), target]), ("margins", [randn(4, 2), target], "target out of range"),
             ("probabilities", [randn(2, 3, 4), randn(2, 3, 4)])]
    check_source(SOURCE, SIGNATURES, calls)


if __name__ == "__main__":
    main()
