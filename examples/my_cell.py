#!/usr/bin/env python3
"""A recurrent cell, traced and scripted: new_h = tanh(Linear(4, 4)(x) + h), returned twice."""
import torch

from common import output_folder, save


class MyCell(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 4)

    def forward(self, x, h):
        new_h = torch.tanh(self.linear(x) + h)
        return new_h, new_h


def main():
    folder, _ = output_folder(__doc__)
    cell = MyCell().eval()
    inputs = torch.rand(3, 4), torch.rand(3, 4)
    save(torch.jit.trace(cell, inputs), folder / "my_cell_traced.pt")
    save(torch.jit.script(cell), folder / "my_cell_scripted.pt")


if __name__ == "__main__":
    main()
