# What the importer refuses: one message, with the Python line or the attribute's name.
# RUN: %python %s | FileCheck %s
from typing import List, Tuple

import torch
from torch import Tensor, nn

from importing import show_error


def delayed(x: Tensor):
    return torch.relu(x)


class Await(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        later = torch.jit._awaitable(delayed, x)
        return torch.jit._awaitable_wait(later)


# CHECK-LABEL: === await
# CHECK-NEXT: {{.*}}unsupported.py:[[#@LINE-5]]:{{[0-9]+}}: error: {{.*}}is not supported
show_error("await", torch.jit.script(Await()))


class Quantized(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("weight", torch.quantize_per_tensor(torch.ones(2), 0.5, 0, torch.qint8))

    def forward(self) -> Tensor:
        return self.weight


# CHECK-LABEL: === quantized
# CHECK-NEXT: error: 'weight': a quantized tensor is not supported
show_error("quantized", torch.jit.script(Quantized()))


class Sparse(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("weight", torch.ones(2, 2).to_sparse())

    def forward(self) -> Tensor:
        return self.weight


# CHECK-LABEL: === sparse
# CHECK-NEXT: error: 'weight': a sparse tensor is not supported
show_error("sparse", torch.jit.script(Sparse()))


class Packed(nn.Module):
    """Dynamically quantized weights are objects of a C++ class."""

    def __init__(self):
        super().__init__()
        self.linear = torch.ao.nn.quantized.dynamic.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


# CHECK-LABEL: === C++ class
# CHECK-NEXT: error: {{.*}}'__torch__.torch.classes.quantized.LinearPackedParamsBase' is not supported
show_error("C++ class", torch.jit.script(Packed()))


class Hooked(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 1


def double(self, inputs: Tuple[Tensor], output: Tensor) -> Tensor:
    return output * 2


hooked = Hooked()
hooked.register_forward_hook(double)
# CHECK-LABEL: === hooks of the root
# CHECK-NEXT: error: the model has forward hooks, which are not supported
show_error("hooks of the root", torch.jit.script(hooked))
