"""Models whose kernels need barriers: mutation_models.py FOLDER."""
import pathlib
import sys

import torch


class Product(torch.nn.Module):
    def forward(self, x, y):
        return torch.relu(torch.matmul(x, y))


class Convolution(torch.nn.Module):
    def __init__(self):
        super().__init__()
        # 216 products a result, in steps of 64: the last step's stage is the first, which lies where the
        # sums of groups of threads come to lie after it.
        self.convolution = torch.nn.Conv2d(24, 32, 3, padding=1)

    def forward(self, x):
        return torch.relu(self.convolution(x))


class Rows(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.LayerNorm(4096)

    def forward(self, x):
        return torch.softmax(self.norm(x), -1)


class Blocks(torch.nn.Module):
    """A block takes a row: elements in registers, and rows that are gone over again."""
    def forward(self, x, y, z):
        norm = torch.nn.functional.layer_norm(y, [y.size(-1)])
        return torch.softmax(x, -1), torch.log_softmax(z, -1), norm, x.mean(-1), z.amax(-1)


class Reductions(torch.nn.Module):
    """Threads share a result, in columns and in blocks, with one value for each and with two."""
    def forward(self, x, y):
        return x.sum(0), torch.argmax(x, 0), x.mean([0, 1]), torch.argmax(y, 0), y.max(), x.amin([0, 2])


class Transpose(torch.nn.Module):
    def forward(self, x):
        return x.transpose(1, 2).contiguous()


folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)
for name, model in (("product", Product()), ("convolution", Convolution()), ("rows", Rows()),
                    ("blocks", Blocks()), ("reductions", Reductions()), ("transpose", Transpose())):
    torch.jit.script(model.eval()).save(folder / f"{name}.pt")
