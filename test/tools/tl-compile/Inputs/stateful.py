"""Writes a module with a method without arguments beside forward."""
import sys

import torch


class Stateful(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("sum", torch.zeros(2))

    def forward(self, x: torch.Tensor):
        self.sum = self.sum + x
        return self.sum

    @torch.jit.export
    def reset(self):
        self.sum = torch.zeros(2)


torch.jit.script(Stateful()).save(sys.argv[1])
