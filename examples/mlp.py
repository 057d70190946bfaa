#!/usr/bin/env python3
"""A multilayer perceptron, traced; compiled with a dynamic batch (`--input-type=?x784xf32`)."""
import torch
from torch import nn

from common import output_folder, save


def main():
    folder, _ = output_folder(__doc__)
    model = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(),
                          nn.Linear(256, 10), nn.Softmax(dim=1)).eval()
    save(torch.jit.trace(model, torch.rand(8, 784)), folder / "mlp.pt")


if __name__ == "__main__":
    main()
