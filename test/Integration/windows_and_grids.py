"""Windows, grids, bags and repetitions of tensors whose sizes are known at the call only, as LibTorch
computes them; and what LibTorch raises.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from sources import check_source  # noqa: E402

torch.manual_seed(4)

SOURCE = """
def sample(self, x, grid):
    return (torch.nn.functional.grid_sample(x, grid, align_corners=False),
            torch.nn.functional.grid_sample(x, grid, padding_mode='border', align_corners=True),
            torch.nn.functional.grid_sample(x, grid, padding_mode='reflection', align_corners=False),
            torch.nn.functional.grid_sample(x, grid, padding_mode='reflection', align_corners=True),
            torch.nn.functional.grid_sample(x, grid, mode='nearest', align_corners=False),
            torch.nn.functional.grid_sample(x, grid, mode='bicubic', align_corners=False))
def sample3d(self, x, grid):
    return (torch.nn.functional.grid_sample(x, grid, align_corners=False),
            torch.nn.functional.grid_sample(x, grid, mode='nearest', padding_mode='border', align_corners=True))
def grid(self, theta, x):
    return (torch.nn.functional.affine_grid(theta, x.size(), align_corners=False),
            torch.ops.aten.affine_grid_generator(theta, x.size(), True))
def unfold(self, x):
    windows = torch.nn.functional.unfold(x, [3, 2], dilation=[1, 2], padding=1, stride=[2, 1])
    return windows, torch.nn.functional.fold(windows, [x.size(2), x.size(3)], [3, 2], dilation=[1, 2], padding=1,
                                             stride=[2, 1])
def pool(self, x):
    return torch.nn.functional.adaptive_max_pool2d(x, [3, 2], return_indices=True)
def unpool(self, x):
    values, indices = torch.nn.functional.max_pool2d(x, [2, 2], return_indices=True)
    return torch.nn.functional.max_unpool2d(values, indices, [2, 2], output_size=[x.size(2), x.size(3)])
def bags(self, weight, indices, offsets):
    return (torch.nn.functional.embedding_bag(indices, weight, offsets),
            torch.nn.functional.embedding_bag(indices, weight, offsets, mode='sum', padding_idx=1),
            torch.nn.functional.embedding_bag(indices, weight, offsets, mode='max'))
def repeat(self, x, repeats):
    return torch.repeat_interleave(x, repeats, dim=1)
"""

SIGNATURES = ["sample(?x?x?x?xf32, ?x?x?x2xf32)", "sample3d(?x?x?x?x?xf32, ?x?x?x?x3xf32)",
              "grid(?x2x3xf32, ?x?x?x?xf32)", "unfold(?x?x?x?xf32)", "pool(?x?x?x?xf32)", "unpool(?x?x?x?xf32)",
              "bags(?x?xf32, ?xi64, ?xi64)", "repeat(?x?xf32, ?xi64)"]


def main():
    rand, randn, tensor = torch.rand, torch.randn, torch.tensor
    nan = randn(2, 2, 5, 7)
    nan[0, 0, 1, 1] = nan[0, 0, 1, 3] = float("nan")
    calls = [("sample", [randn(2, 3, 5, 4), rand(2, 3, 6, 2) * 4 - 2]), ("sample", [randn(1, 1, 1, 1), randn(1, 2, 2, 2)]),
             ("sample", [randn(2, 3, 5, 4), rand(1, 3, 6, 2)], "same batch size"),
             ("sample3d", [randn(1, 2, 3, 4, 5), rand(1, 2, 3, 2, 3) * 3 - 1.5]),
             ("grid", [randn(2, 2, 3), randn(2, 1, 4, 5)]), ("grid", [randn(1, 2, 3), randn(1, 1, 1, 2)]),
             ("grid", [randn(1, 2, 3), randn(2, 1, 1, 2)], "batch of affine matrices"),
             ("unfold", [randn(2, 3, 6, 7)]), ("unfold", [randn(1, 1, 1, 1)]),
             ("pool", [randn(2, 2, 5, 7)]), ("pool", [randn(1, 1, 2, 1)]), ("pool", [nan]),
             ("unpool", [randn(2, 2, 4, 6)]),
             ("bags", [randn(5, 3), tensor([0, 1, 4, 1, 2]), tensor([0, 2, 2, 4])]),
             ("bags", [randn(5, 3), tensor([0, 1]), tensor([1, 2])], "offsets.0. has to be 0"),
             ("repeat", [randn(2, 4), tensor([2, 0, 3, 1])]), ("repeat", [randn(2, 3), tensor([2])]),
             ("repeat", [randn(2, 3), tensor([1, -1, 1])], "repeats can not be negative"),
             ("repeat", [randn(2, 3), tensor([1, 1])], "repeats must have the same size")]
    check_source(SOURCE, SIGNATURES, calls)


if __name__ == "__main__":
    main()
