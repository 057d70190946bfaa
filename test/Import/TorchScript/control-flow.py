# Conditions, loops, exceptions, context managers; calls of functions, methods and interfaces.
# RUN: %python %s | FileCheck %s
import warnings
from typing import List, Optional, Tuple

import torch
from torch import Tensor, nn

from importing import show


@torch.jit.script
def foo(len: int) -> Tensor:
    rv = torch.zeros(3, 4)
    for i in range(len):
        if i < 10:
            rv = rv - 1.0
        else:
            rv = rv + 1.0
    return rv


# A function is saved as the method `forward` of a module that holds nothing.
# CHECK-LABEL: === for
# CHECK: tl.method "forward" @__torch__.PlaceholderModule.forward {exported}
# CHECK: func.func @__torch__.PlaceholderModule.forward(%arg0: {{.*}} %arg1: i64 {tl.name = "len"}) -> !tl.tensor
# CHECK: [[TRUE:%.*]] = tl.constant true -> i1
# CHECK: [[ZEROS:%.*]] = tl.aten "zeros"
# CHECK: [[R:%.*]] = tl.loop %arg1 while [[TRUE]] iter([[ZEROS]]) : (!tl.tensor) -> (!tl.tensor) {
# CHECK-NEXT: ^bb0([[I:%.*]]: i64, [[RV:%.*]]: !tl.tensor):
# CHECK: [[LESS:%.*]] = tl.aten "lt.int"([[I]], %{{.*}}) : (i64, i64) -> i1
# CHECK: [[NEXT:%.*]] = tl.if [[LESS]] -> (!tl.tensor) {
# CHECK: tl.aten "sub.Scalar"([[RV]]
# CHECK: tl.yield
# CHECK: } else {
# CHECK: tl.aten "add.Scalar"([[RV]]
# CHECK: tl.continue [[TRUE]] iter([[NEXT]] : !tl.tensor)
# CHECK: return [[R]]
show("for", foo)


@torch.jit.script
def collatz(n: int) -> int:
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
        if steps > 100:
            break
    return steps


# CHECK-LABEL: === while
# CHECK-DAG: [[MAX:%.*]] = tl.constant 9223372036854775807 : i64 -> i64
# CHECK: tl.loop [[MAX]] while %{{.*}} iter(%{{.*}}) : (i64, i64{{.*}}) -> (i64, i64{{.*}}) {
# CHECK: tl.continue %{{[0-9a-z#]+}} iter
show("while", collatz)


class Refine(nn.Module):
    def forward(self, x: Optional[Tensor], n: int) -> Optional[Tensor]:
        y: Optional[Tensor] = None
        if x is not None:
            y = x + 1
        for _ in range(n):
            if y is None:
                y = torch.zeros(1)
        return y


# Where a value stands for one of a wider type, there is a cast.
# CHECK-LABEL: === optional
# CHECK: tl.aten "__isnot__"
# CHECK: [[Y:%.*]] = tl.if %{{.*}} -> (!tl.optional<!tl.tensor>) {
# CHECK: [[X:%.*]] = tl.unchecked_cast %arg1 : !tl.optional<!tl.tensor> -> !tl.tensor
# CHECK: [[SUM:%.*]] = tl.aten "add.Scalar"([[X]]
# CHECK: [[OPT:%.*]] = tl.unchecked_cast [[SUM]] : !tl.tensor -> !tl.optional<!tl.tensor>
# CHECK: tl.yield [[OPT]] : !tl.optional<!tl.tensor>
# CHECK: } else {
# CHECK: tl.yield %{{.*}} : !tl.optional<!tl.tensor>
# CHECK: tl.loop %arg2 while %{{.*}} iter([[Y]]) : (!tl.optional<!tl.tensor>)
show("optional", torch.jit.script(Refine()))


class Checked(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 2:
            raise ValueError(f"expected 2 dimensions, got {x.dim()}")
        assert x.size(0) > 0, "empty"
        with torch.no_grad():
            x = x * 2
        print("x is", x.size(1))
        return x


# CHECK-LABEL: === exceptions
# CHECK: tl.constant "{{[A-Za-z_.]*}}ValueError" -> !tl.str
# CHECK: tl.if
# CHECK: [[TEXT:%.*]] = tl.aten "format"
# CHECK: tl.raise [[TEXT]], %{{.*}} : !tl.str, !tl.str
# CHECK: [[GRAD:%.*]] = tl.create_object : <@__torch__.torch.autograd.grad_mode.no_grad>
# CHECK: tl.enter [[GRAD]]
# CHECK: tl.exit [[GRAD]]
# CHECK: tl.print
# CHECK: func.func @__torch__.torch.autograd.grad_mode.no_grad.__enter__
show("exceptions", torch.jit.script(Checked()))


@torch.jit.script
def early(x: Tensor, n: int) -> Tensor:
    if n > 0:
        return x
    return x + 1


@torch.jit.script
def never(x: int) -> int:
    if x > 0:
        y = x
    else:
        raise RuntimeError("negative")
    return y


# CHECK-LABEL: === uninitialized
# CHECK: [[U:%.*]] = tl.uninitialized : i64
# CHECK: tl.if
# CHECK: tl.raise
# CHECK: tl.yield [[U]] : i64
show("uninitialized", never)


def traced(x, y):
    return 2 * x + y


traced_function = torch.jit.trace(traced, (torch.rand(3), torch.rand(3)))


@torch.jit.script
def helper(x: Tensor, n: int = 3) -> Tuple[Tensor, int]:
    return x * n, n


class Calls(nn.Module):
    def helper(self, x):
        return x - 1

    def forward(self, x: Tensor) -> Tensor:
        y, n = helper(x)
        return traced_function(x, y) + self.helper(x) + early(x, n)


# CHECK-LABEL: === calls
# CHECK: func.func @__torch__.Calls.forward
# CHECK: [[P:%.*]] = tl.call @__torch__.helper(%arg1, %{{.*}}) : (!tl.tensor, i64) -> !tl.tuple<!tl.tensor, i64>
# CHECK: %{{.*}}:2 = tl.tuple_unpack [[P]]
# CHECK: tl.call @__torch__.traced(
# CHECK: tl.call_method "helper"(%arg0, %arg1)
# CHECK: tl.call @__torch__.early(
# CHECK-DAG: func.func @__torch__.Calls.helper
# CHECK-DAG: func.func @__torch__.helper(%arg0: !tl.tensor {tl.name = "x"}, %arg1: i64 {tl.default = 3 : i64, tl.name = "n"})
# CHECK-DAG: func.func @__torch__.early
# CHECK-DAG: func.func @__torch__.traced
show("calls", torch.jit.script(Calls()))


@torch.jit.interface
class Layer(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        pass


class Double(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 2


class ByInterface(nn.Module):
    layer: Layer

    def __init__(self):
        super().__init__()
        self.layer = Double()

    def forward(self, x: Tensor) -> Tensor:
        return self.layer.forward(x)


# CHECK-LABEL: === interface
# CHECK-DAG: tl.class @__torch__.Layer attributes {tl.interface} {
# CHECK-DAG: tl.attr "layer" : !tl.object<@__torch__.Layer>
# CHECK: tl.object @layer : !tl.object<@__torch__.Double>
# CHECK: tl.call_method "forward"(%{{.*}}, %arg1) : (!tl.object<@__torch__.Layer>, !tl.tensor) -> !tl.tensor
# CHECK: func.func @__torch__.Double.forward
show("interface", torch.jit.script(ByInterface()))


def traced_caller(x, y):
    return branch(x, y) * 2


@torch.jit.script
def branch(x, y):
    if bool(x.max() > y.max()):
        r = x
    else:
        r = y
    return r


# CHECK-LABEL: === traced calls scripted
# CHECK: tl.call @__torch__.branch
# CHECK: func.func @__torch__.branch
# CHECK: tl.aten "Bool.Tensor"
# CHECK: tl.if
show("traced calls scripted", torch.jit.trace(traced_caller, (torch.rand(3), torch.rand(3))))


@torch.jit.script
def warns(x: Tensor) -> Tensor:
    if x.dim() == 0:
        warnings.warn("no dimensions")
    return x


# CHECK-LABEL: === warning
# CHECK: tl.aten "warn"(%{{.*}}, %{{.*}}) : (!tl.str, i64) -> ()
show("warning", warns)
