#!/usr/bin/env python3
"""MobileNet-V2 (https://arxiv.org/abs/1801.04381), traced: depthwise convolutions, ReLU6."""
import torch
from torch import nn

from common import output_folder, save, settle_batch_norm


class ConvNormActivation(nn.Sequential):
    def __init__(self, inputs, outputs, kernel=3, stride=1, groups=1):
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs), nn.ReLU6(inplace=True))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, stride, expand):
        super().__init__()
        hidden = inputs * expand
        self.use_residual = stride == 1 and inputs == outputs
        layers = [] if expand == 1 else [ConvNormActivation(inputs, hidden, 1)]
        layers += [ConvNormActivation(hidden, hidden, stride=stride, groups=hidden),
                   nn.Conv2d(hidden, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.conv = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.conv(x) if self.use_residual else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, settings, classes=1000, last=1280):
        super().__init__()
        width = 32
        layers = [ConvNormActivation(3, width, stride=2)]
        for expand, channels, repeats, stride in settings:
            for i in range(repeats):
                layers.append(InvertedResidual(width, channels, stride if i == 0 else 1, expand))
                width = channels
        layers.append(ConvNormActivation(width, last, 1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(last, classes))

    def forward(self, x):
        x = self.features(x)
        x = nn.functional.adaptive_avg_pool2d(x, (1, 1))
        return self.classifier(torch.flatten(x, 1))


FULL = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
        (6, 320, 1, 1)]
SMALL = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 1, 2)]


def main():
    folder, small = output_folder(__doc__, small=True)
    model = MobileNetV2(SMALL, 10, 96) if small else MobileNetV2(FULL)
    size = 64 if small else 224
    settle_batch_norm(model, torch.rand(4, 3, size, size))
    name = "mobilenet_v2_small.pt" if small else "mobilenet_v2.pt"
    save(torch.jit.trace(model, torch.rand(1, 3, size, size)), folder / name)


if __name__ == "__main__":
    main()
