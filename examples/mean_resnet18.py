#!/usr/bin/env python3
"""A scripted module that subtracts channel means and calls a traced ResNet-18."""
import torch

from common import output_folder, save, settle_batch_norm
from resnet import ResNet


class MeanResNet(torch.nn.Module):
    def __init__(self, resnet, size):
        super().__init__()
        self.means = torch.nn.Parameter(
            torch.tensor([103.939, 116.779, 123.68]).resize_(1, 3, 1, 1) / 255)
        self.resnet = torch.jit.trace(resnet, torch.rand(1, 3, size, size))

    def forward(self, x):
        return self.resnet(x - self.means)


def main():
    folder, small = output_folder(__doc__, small=True)
    size = 64 if small else 224
    resnet = ResNet(widths=(16, 24, 32, 40), classes=10) if small else ResNet()
    settle_batch_norm(resnet, torch.rand(4, 3, size, size))
    name = "mean_resnet18_small.pt" if small else "mean_resnet18.pt"
    save(torch.jit.script(MeanResNet(resnet, size).eval()), folder / name)
    # The same network scripted: every branch of the Python source is still in it.
    name = "resnet18_scripted_small.pt" if small else "resnet18_scripted.pt"
    save(torch.jit.script(resnet), folder / name)


if __name__ == "__main__":
    main()
