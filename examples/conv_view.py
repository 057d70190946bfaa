#!/usr/bin/env python3
"""A scripted convolution, a view that turns pixels into a batch of 16, and a linear layer."""
import torch

from common import output_folder, save


class MyModel(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 64, 3, padding=1)
        self.fc = torch.nn.Linear(64 * 8 * 8, 10)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        x = x.view(-1, 64 * 8 * 8)
        return self.fc(x)


def main():
    folder, _ = output_folder(__doc__)
    save(torch.jit.script(MyModel().eval()), folder / "conv_view.pt")


if __name__ == "__main__":
    main()
