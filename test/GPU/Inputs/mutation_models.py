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
        self.convolution = torch.nn.Conv2d(16, 32, 3, padding=1)

    def forward(self, x):
        return torch.relu(self.convolution(x))


class Rows(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.LayerNorm(4096)

    def forward(self, x):
        return torch.softmax(self.norm(x), -1)


folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)
for name, model in (("product", Product()), ("convolution", Convolution()), ("rows", Rows())):
    torch.jit.script(model.eval()).save(folder / f"{name}.pt")
