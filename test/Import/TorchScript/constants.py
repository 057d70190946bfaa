# Constants of every kind in graphs.
# RUN: %python %s | FileCheck %s
from typing import Dict, List, Optional, Tuple

import torch
from torch import Tensor, nn

from importing import show


@torch.jit.script
def numbers(n: int) -> Tuple[List[float], int, int, bool, complex]:
    return ([float("inf"), -float("inf"), float("nan"), 1e-300, 0.1], 9223372036854775807,
            -9223372036854775807 - 1, True, 1 + 2j)


# CHECK-LABEL: === numbers
# CHECK-DAG: tl.constant 0x7FF0000000000000 : f64 -> f64
# CHECK-DAG: 0xFFF0000000000000
# CHECK-DAG: 0x7FF8000000000000
# CHECK-DAG: 1.000000e-300
# CHECK-DAG: 1.000000e-01
# CHECK-DAG: 9223372036854775807
# CHECK-DAG: -9223372036854775808
# CHECK-DAG: [1.000000e+00, 2.000000e+00]{{.*}} -> complex<f64>
show("numbers", numbers)


class Strings(nn.Module):
    def forward(self, x: Tensor) -> Tuple[str, str, str]:
        return "", 'quote " and \\ and\nline', "zażółć"


# CHECK-LABEL: === strings
# CHECK: tl.constant ["", "quote \22 and \\ and\0Aline", "za\C5\BC\C3\B3\C5\82\C4\87"] -> !tl.tuple<!tl.str, !tl.str, !tl.str>
show("strings", torch.jit.script(Strings()))


class Enumerations(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros([2], dtype=torch.float16, device=torch.device("cpu")).to(
            memory_format=torch.channels_last, dtype=torch.bool)


# dtype and memory_format are numbers, a device is a string.
# CHECK-LABEL: === enumerations
# CHECK-DAG: tl.constant 5 : i64 -> i64
# CHECK-DAG: tl.constant 11 : i64 -> i64
# CHECK-DAG: tl.constant 2 : i64 -> i64
# CHECK-DAG: tl.constant "cpu" -> !tl.device
show("enumerations", torch.jit.script(Enumerations()))


def with_table(x):
    return x + torch.tensor([1.0, 2.0, 3.0]) * torch.tensor(7)


# CHECK-LABEL: === trace constants
# CHECK-DAG: tl.storage @[[A:constant[_0-9]*]] = dense_resource<{{.*}}> : tensor<3xf32>
# CHECK-DAG: tl.storage @[[B:constant[_0-9]*]] = dense_resource<{{.*}}> : tensor<1xi64>
# CHECK: func.func
# CHECK-DAG: tl.constant #tl.tensor_ref<@[[A]], offset = 0, sizes = [3], strides = [1], f32> -> !tl.tensor
# CHECK-DAG: tl.constant #tl.tensor_ref<@[[B]], offset = 0, sizes = [], strides = [], i64> -> !tl.tensor
show("trace constants", torch.jit.trace(with_table, torch.rand(3)))


class Folded(nn.Module):
    """torch.jit.freeze turns attributes into constants: lists, dictionaries and objects too."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.table = {"a": 1}
        self.list = [1, 2, 3]
        self.strings = ["x", "y"]
        self.pairs = [(1, 0.5)]

    def forward(self, x: Tensor) -> Tuple[Tensor, int]:
        return self.linear(x), self.table["a"] + self.list[1] + len(self.strings) + self.pairs[0][0]


# CHECK-LABEL: === frozen
# CHECK: tl.constant #tl.tensor_ref<@constant
show("frozen", torch.jit.freeze(torch.jit.script(Folded()).eval()))


class Containers(nn.Module):
    def forward(self, n: int) -> Tuple[List[int], Dict[str, int], Optional[int], Tuple[int, float]]:
        names: Dict[str, int] = {"a": 1}
        return [1, 2, 3], names, None, (1, 0.5)


# CHECK-LABEL: === containers
# CHECK-DAG: tl.constant [1, 5.000000e-01] -> !tl.tuple<i64, f64>
# CHECK-DAG: tl.constant #tl.none -> !tl.none
# CHECK: tl.dict_construct
# CHECK: tl.list_construct
# CHECK: tl.unchecked_cast %{{.*}} : !tl.tuple<{{.*}}, !tl.none, {{.*}}> -> !tl.tuple<{{.*}}, !tl.optional<i64>, {{.*}}>
show("containers", torch.jit.script(Containers()))


def on_device(x):
    return x + torch.zeros(3, device="cpu", dtype=torch.float32)


# CHECK-LABEL: === device constant
# CHECK: tl.constant "cpu" -> !tl.device
show("device constant", torch.jit.trace(on_device, torch.rand(3)))
