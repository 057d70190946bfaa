# The object graph: classes, objects, parameters, buffers, attributes of every kind.
# RUN: %python %s | FileCheck %s
from enum import Enum
from typing import Dict, List, Optional, Tuple

import torch
from torch import nn

from importing import show


class Cell(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x, h):
        new_h = torch.tanh(self.linear(x) + h)
        return new_h, new_h


# CHECK-LABEL: === scripted cell
# CHECK: module attributes {tl.root = @root}
# CHECK: tl.class @__torch__.Cell {
# CHECK-NEXT: tl.attr "training" : i1
# CHECK: tl.attr "linear" : !tl.object<@__torch__.torch.nn.modules.linear.Linear>
# CHECK-NEXT: tl.method "forward" @__torch__.Cell.forward {exported}
# CHECK: tl.class @__torch__.torch.nn.modules.linear.Linear
# CHECK-NEXT: tl.attr "weight" : !tl.tensor {is_parameter}
# CHECK: tl.method "forward" @__torch__.torch.nn.modules.linear.Linear.forward{{$}}
# CHECK: tl.object @root : !tl.object<@__torch__.Cell> {slots = {{{.*}}linear = @linear, training = true}}
# CHECK: tl.object @linear
# CHECK-SAME: bias = #tl.tensor_ref<@linear.bias, offset = 0, sizes = [4], strides = [1], f32>
# CHECK-SAME: weight = #tl.tensor_ref<@linear.weight, offset = 0, sizes = [4, 4], strides = [4, 1], f32>
# CHECK: tl.storage @linear.weight = dense_resource<linear.weight> : tensor<16xf32>
# CHECK: func.func @__torch__.Cell.forward(%arg0: !tl.object<@__torch__.Cell> {tl.name = "self"}, %arg1: !tl.tensor {tl.name = "x"}, %arg2: !tl.tensor {tl.name = "h"}) -> !tl.tuple<!tl.tensor, !tl.tensor> {
# CHECK: [[LINEAR:%.*]] = tl.get_attr %arg0 "linear"
# CHECK: [[Y:%.*]] = tl.call_method "forward"([[LINEAR]], %arg1)
# CHECK: [[SUM:%.*]] = tl.aten "add.Tensor"([[Y]], %arg2, %{{.*}}) : (!tl.tensor, !tl.tensor, i64) -> !tl.tensor
# CHECK: [[H:%.*]] = tl.aten "tanh"([[SUM]]) : (!tl.tensor) -> !tl.tensor
# CHECK: [[PAIR:%.*]] = tl.tuple_construct [[H]], [[H]]
# CHECK: return [[PAIR]]
# CHECK: func.func @__torch__.torch.nn.modules.linear.Linear.forward
# CHECK: tl.aten "linear"
show("scripted cell", torch.jit.script(Cell()))

# CHECK-LABEL: === traced cell
# CHECK: tl.class @__torch__.{{.*}}Cell {
# CHECK: func.func @__torch__.{{.*}}Cell.forward
# CHECK: tl.call_method "forward"
# CHECK: tl.aten "tanh"
show("traced cell", torch.jit.trace(Cell(), (torch.rand(3, 4), torch.rand(3, 4))))


class Views(nn.Module):
    """Tensors that share storages, with and without gaps."""

    def __init__(self):
        super().__init__()
        base = torch.arange(24, dtype=torch.float32)
        self.register_buffer("base", base)
        self.register_buffer("matrix", base.view(4, 6))
        self.register_buffer("transposed", base.view(4, 6).t())
        self.register_buffer("part", base.view(4, 6)[1:3, ::2])
        self.register_buffer("expanded", base[5:6].expand(3))
        self.register_buffer("scalar", torch.tensor(2.5))
        self.register_buffer("empty", torch.zeros([0]))
        self.register_buffer("empty_matrix", torch.zeros([3, 0, 2]))
        self.tied = nn.Parameter(torch.ones(2))
        self.other = self.tied

    def forward(self):
        return self.base


# CHECK-LABEL: === views
# CHECK: tl.object @root
# CHECK-SAME: base = #tl.tensor_ref<@base, offset = 0, sizes = [24], strides = [1], f32>
# CHECK-SAME: empty = #tl.tensor_ref<@empty, offset = 0, sizes = [0], strides = [1], f32>
# CHECK-SAME: empty_matrix = #tl.tensor_ref<@empty_matrix, offset = 0, sizes = [3, 0, 2], strides = [2, 2, 1], f32>
# CHECK-SAME: expanded = #tl.tensor_ref<@base, offset = 5, sizes = [3], strides = [0], f32>
# CHECK-SAME: matrix = #tl.tensor_ref<@base, offset = 0, sizes = [4, 6], strides = [6, 1], f32>
# CHECK-SAME: other = #tl.tensor_ref<@[[TIED:[a-z]+]], offset = 0, sizes = [2], strides = [1], f32>
# CHECK-SAME: part = #tl.tensor_ref<@base, offset = 6, sizes = [2, 3], strides = [6, 2], f32>
# CHECK-SAME: scalar = #tl.tensor_ref<@scalar, offset = 0, sizes = [], strides = [], f32>
# CHECK-SAME: tied = #tl.tensor_ref<@[[TIED]], offset = 0, sizes = [2], strides = [1], f32>
# CHECK-SAME: transposed = #tl.tensor_ref<@base, offset = 0, sizes = [6, 4], strides = [1, 6], f32>
# CHECK-COUNT-5: tl.storage
# CHECK-NOT: tl.storage
# CHECK: func.func
show("views", torch.jit.script(Views()))


class Types(nn.Module):
    def __init__(self):
        super().__init__()
        for name in ("float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8",
                     "bool", "complex64", "complex128"):
            self.register_buffer(f"b_{name}", torch.ones(3).to(getattr(torch, name)))

    def forward(self):
        return self.b_bool


# CHECK-LABEL: === element types
# CHECK: tl.attr "b_float64" : !tl.tensor {is_buffer}
# CHECK-DAG: tl.storage @b_float64 = dense_resource<b_float64> : tensor<3xf64>
# CHECK-DAG: tl.storage @b_float16 = dense_resource<b_float16> : tensor<3xf16>
# CHECK-DAG: tl.storage @b_bfloat16 = dense_resource<b_bfloat16> : tensor<3xbf16>
# CHECK-DAG: tl.storage @b_int8 = dense_resource<b_int8> : tensor<3xi8>
# CHECK-DAG: tl.storage @b_int16 = dense_resource<b_int16> : tensor<3xi16>
# CHECK-DAG: tl.storage @b_int32 = dense_resource<b_int32> : tensor<3xi32>
# CHECK-DAG: tl.storage @b_int64 = dense_resource<b_int64> : tensor<3xi64>
# CHECK-DAG: tl.storage @b_uint8 = dense_resource<b_uint8> : tensor<3xui8>
# CHECK-DAG: tl.storage @b_bool = dense_resource<b_bool> : tensor<3xi1>
# CHECK-DAG: tl.storage @b_complex64 = dense_resource<b_complex64> : tensor<3xcomplex<f32>>
# CHECK-DAG: tl.storage @b_complex128 = dense_resource<b_complex128> : tensor<3xcomplex<f64>>
show("element types", torch.jit.script(Types()))


class Bits(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("bits", torch.tensor([1.0, -2.0]))

    def forward(self):
        return self.bits


# Blobs are little-endian bytes behind a 4-byte alignment of 16.
# CHECK-LABEL: === bits
# CHECK: bits: "0x100000000000803F000000C0"
show("bits", torch.jit.script(Bits()), "--mlir-elide-resource-strings-if-larger=100")


class Color(Enum):
    RED = 1
    GREEN = 2


class Attributes(nn.Module):
    count: int
    maybe: Optional[torch.Tensor]
    missing: Optional[int]
    table: Dict[str, List[int]]
    nothing: List[float]
    color: Color

    def __init__(self):
        super().__init__()
        self.count = -3
        self.rate = 0.5
        self.flag = False
        self.text = 'a "b"\n'
        self.maybe = torch.zeros(2)
        self.missing = None
        self.pair = (1, 2.0)
        self.table = {"z": [1, 2], "a": []}
        self.nothing = []
        self.color = Color.GREEN
        self.where = torch.device("cpu")
        self.tensors = [torch.zeros(1), torch.ones(2)]

    def forward(self):
        return self.count


# CHECK-LABEL: === attributes
# CHECK-DAG: tl.attr "count" : i64
# CHECK-DAG: tl.attr "rate" : f64
# CHECK-DAG: tl.attr "flag" : i1
# CHECK-DAG: tl.attr "text" : !tl.str
# CHECK-DAG: tl.attr "maybe" : !tl.optional<!tl.tensor>
# CHECK-DAG: tl.attr "pair" : !tl.tuple<i64, f64>
# CHECK-DAG: tl.attr "table" : !tl.dict<!tl.str, !tl.list<i64>>
# CHECK-DAG: tl.attr "color" : !tl.enum<"__torch__.Color", i64>
# CHECK-DAG: tl.attr "where" : !tl.device
# CHECK-DAG: tl.attr "tensors" : !tl.list<!tl.tensor>
# CHECK: tl.object @root
# CHECK-SAME: color = #tl.enum_value<"GREEN", 2 : i64>, count = -3 : i64, flag = false
# CHECK-SAME: maybe = #tl.tensor_ref<@maybe, offset = 0, sizes = [2], strides = [1], f32>, missing = #tl.none, nothing = [], pair = [1, 2.000000e+00], rate = 5.000000e-01 : f64
# CHECK-SAME: table = #tl.dict<["z", "a"], {{\[\[1, 2\], \[\]\]}}>
# CHECK-SAME: tensors = [#tl.tensor_ref<@tensors.0, {{.*}}>, #tl.tensor_ref<@tensors.1, {{.*}}>]
# CHECK-SAME: text = "a \22b\22\0A"
# CHECK-SAME: where = "cpu"
show("attributes", torch.jit.script(Attributes()))


class Shared(nn.Module):
    """One object under three names, and containers of modules."""

    def __init__(self):
        super().__init__()
        # torch.jit.script copies nn.Modules that are reached twice, but no scripted ones.
        self.a = torch.jit.script(nn.Linear(1, 1))
        self.b = self.a
        self.list = nn.ModuleList([self.a, nn.ReLU()])
        self.dict = nn.ModuleDict({"x": nn.ReLU()})

    def forward(self, x):
        for layer in self.list:
            x = layer(x)
        return self.dict["x"](x)


# CHECK-LABEL: === shared objects
# CHECK: tl.object @root {{.*}}a = @a, b = @a, dict = @dict, list = @list
# CHECK: tl.object @list {{.*}}"0" = @a, "1" = @list.1
# CHECK: tl.object @dict {{.*}}x = @dict.x
# CHECK-COUNT-2: tl.storage
# CHECK-NOT: tl.storage
# CHECK: func.func @__torch__.Shared.forward
# CHECK-COUNT-3: tl.call_method "forward"
show("shared objects", torch.jit.script(Shared()))


class Methods(nn.Module):
    SIZE: torch.jit.Final[int] = 7

    def __init__(self):
        super().__init__()
        self.register_buffer("state", torch.zeros([0]))

    def forward(self, x, scale: float = 0.5, shape: Tuple[int, int] = (1, 2),
                other: Optional[torch.Tensor] = None, rate: int = 16000, name: str = "n",
                flag: bool = True, sizes: List[int] = (1, 2)):
        self.state = x * scale
        return self.state + self.SIZE

    @torch.jit.export
    def reset(self):
        self.state = torch.zeros([0])


# CHECK-LABEL: === methods
# CHECK: tl.method "forward" @__torch__.Methods.forward {exported}
# CHECK: tl.method "reset" @__torch__.Methods.reset {exported}
# CHECK: func.func @__torch__.Methods.forward
# CHECK-SAME: %arg1: !tl.tensor {tl.name = "x"}
# CHECK-SAME: f64 {tl.default = 5.000000e-01 : f64, tl.name = "scale"}
# CHECK-SAME: !tl.tuple<i64, i64> {tl.default = [1, 2], tl.name = "shape"}
# CHECK-SAME: !tl.optional<!tl.tensor> {tl.default = #tl.none, tl.name = "other"}
# CHECK-SAME: i64 {tl.default = 16000 : i64, tl.name = "rate"}
# CHECK-SAME: !tl.str {tl.default = "n", tl.name = "name"}
# CHECK-SAME: i1 {tl.default = true, tl.name = "flag"}
# CHECK-SAME: !tl.list<i64> {tl.default = [1, 2], tl.name = "sizes"}
# CHECK: tl.constant 7 : i64 -> i64
# CHECK: tl.set_attr %arg0 "state" = %{{.*}} : <@__torch__.Methods>, !tl.tensor
# CHECK: func.func @__torch__.Methods.reset(%arg0: !tl.object<@__torch__.Methods> {tl.name = "self"}) -> !tl.none
show("methods", torch.jit.script(Methods()))
