#!/usr/bin/env python3
"""A streaming recogniser: convolutions and an LSTM cell whose state lives in attributes.

The state starts as zeros([0]), is filled by the first call and carried from call to call; reset()
is a second exported method; a wrong number of samples raises ValueError with a formatted message.
"""
import torch

from common import output_folder, save


class Recogniser(torch.nn.Module):
    h: torch.Tensor
    c: torch.Tensor

    def __init__(self, chunk: int = 512, width: int = 64):
        super().__init__()
        self.chunk = chunk
        self.width = width
        self.conv1 = torch.nn.Conv1d(1, 32, 16, stride=8, padding=4)
        self.conv2 = torch.nn.Conv1d(32, width, 3, stride=2, padding=1)
        self.cell = torch.nn.LSTMCell(width, width)
        self.out = torch.nn.Linear(width, 1)
        self.calls = 0
        self.h = torch.zeros([0])
        self.c = torch.zeros([0])

    @torch.jit.export
    def reset(self):
        self.h = torch.zeros([0])
        self.c = torch.zeros([0])
        self.calls = 0

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        if samples.dim() == 1:
            samples = samples.unsqueeze(0)
        if samples.size(-1) != self.chunk:
            raise ValueError("expected {} samples, but got {}".format(self.chunk, samples.size(-1)))
        batch = samples.size(0)
        if self.h.size(0) == 0:
            self.h = torch.zeros(batch, self.width)
            self.c = torch.zeros(batch, self.width)
        x = torch.relu(self.conv1(samples.unsqueeze(1)))
        x = torch.relu(self.conv2(x))
        x = x.mean(2)
        h, c = self.cell(x, (self.h, self.c))
        self.h = h
        self.c = c
        self.calls += 1
        return torch.sigmoid(self.out(h))


def main():
    folder, _ = output_folder(__doc__)
    save(torch.jit.script(Recogniser().eval()), folder / "streaming_recogniser.pt")


if __name__ == "__main__":
    main()
