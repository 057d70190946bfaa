# Lists, tuples, dictionaries, strings, enumerations, classes, type tests.
# RUN: %python %s | FileCheck %s
from enum import Enum
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import torch
from torch import Tensor, nn

from importing import show


@torch.jit.script
def lists(x: Tensor, n: int) -> List[Tensor]:
    a = [x, x + 1]
    a.append(x)
    first, second = torch.split(x, 2)
    h, w = [n, 2]
    empty: List[int] = []
    empty += [h, w]
    a[0] = first
    b = a[1:]
    squares = [i * i for i in empty]
    return b + [second.sum() + squares[0]]


# CHECK-LABEL: === lists
# CHECK: tl.list_construct %arg1, %{{.*}} : (!tl.tensor, !tl.tensor) -> !tl.list<!tl.tensor>
# CHECK: tl.aten "append.t"
# CHECK: %{{.*}}:2 = tl.list_unpack %{{.*}} : <!tl.tensor> -> !tl.tensor, !tl.tensor
# CHECK: %{{.*}}:2 = tl.list_unpack %{{.*}} : <i64> -> i64, i64
# CHECK: tl.list_construct{{ +}}: () -> !tl.list<i64>
# CHECK: tl.aten "add_.t"
# CHECK: tl.aten "_set_item.t"
# CHECK: tl.aten "slice.t"
# CHECK: tl.loop
# CHECK: tl.aten "append.t"
show("lists", lists)


class Point(NamedTuple):
    x: Tensor
    n: int


class Tuples(nn.Module):
    def make(self, x: Tensor):
        return Point(x, 1), (1, 2, x)

    def forward(self, x: Tensor, i: int) -> Tuple[int, int, Tuple[int, int], int]:
        p, t = self.make(x)
        a, b, c = t
        return p.n, b, t[0:2], (1, 2)[i]


# CHECK-LABEL: === tuples
# CHECK: func.func @__torch__.Tuples.forward
# CHECK: %{{.*}}:2 = tl.tuple_unpack
# CHECK: %{{.*}}:3 = tl.tuple_unpack
# CHECK: tl.tuple_index %{{.*}}[%{{.*}}] : <!tl.tensor, i64> -> i64
# CHECK-COUNT-2: tl.tuple_index %{{.*}}[%{{.*}}] : <i64, i64, !tl.tensor> -> i64
# CHECK: tl.tuple_construct %{{.*}} : (i64, i64) -> !tl.tuple<i64, i64>
# CHECK: tl.tuple_index %{{.*}}[%arg2] : <i64, i64> -> i64
# CHECK: func.func @__torch__.Tuples.make
# CHECK: tl.tuple_construct {{.*}} -> !tl.tuple<!tl.tensor, i64>
# CHECK: tl.tuple_construct {{.*}} -> !tl.tuple<i64, i64, !tl.tensor>
show("tuples", torch.jit.script(Tuples()))


@torch.jit.script
def dicts(x: Tensor) -> Dict[str, Tensor]:
    d = {"a": x, "b": x + 1}
    d["c"] = d["a"]
    e: Dict[int, float] = {}
    if "b" in d:
        e[1] = 0.5
    total = 0.0
    for k, v in e.items():
        total += v * k
    for name in d.keys():
        d[name] = d[name] * total
    return d


# CHECK-LABEL: === dicts
# CHECK: tl.dict_construct %{{.*}}, %arg1, %{{.*}}, %{{.*}} : (!tl.str, !tl.tensor, !tl.str, !tl.tensor) -> !tl.dict<!tl.str, !tl.tensor>
# CHECK: tl.aten "__getitem__.Dict_str"
# CHECK: tl.aten "_set_item.str"
# CHECK: tl.dict_construct{{ +}}: () -> !tl.dict<i64, f64>
# CHECK: tl.aten "__contains__.str"
# CHECK: tl.aten "items.int"
# CHECK: tl.aten "keys.str"
show("dicts", dicts)


class Color(Enum):
    RED = "r"
    GREEN = "g"


@torch.jit.script
def enums(c: Color, x: Tensor) -> Tuple[str, bool, str, Color]:
    return c.name, c == Color.RED, c.value, Color.GREEN


# CHECK-LABEL: === enums
# CHECK: %arg1: !tl.enum<"__torch__.Color", !tl.str> {tl.name = "c"}
# CHECK-DAG: tl.constant #tl.enum_value<"RED", "r"> -> !tl.enum<"__torch__.Color", !tl.str>
# CHECK-DAG: tl.constant #tl.enum_value<"GREEN", "g">
# CHECK: tl.aten "prim::EnumName"
# CHECK: tl.aten "prim::EnumValue"
show("enums", enums)


@torch.jit.script
def strings(s: str, n: int) -> str:
    t = s + "/" + str(n)
    if t.startswith("a") or "q" in t:
        t = t.upper()
    u = "{}-{}".format(t, n)
    return u[0] + u[1:3] + "%d" % n + ",".join([t, u])


# CHECK-LABEL: === strings
# CHECK: tl.aten "str"
# CHECK: tl.aten "startswith"
# CHECK: tl.aten "upper"
# CHECK: tl.aten "format"
# CHECK: tl.aten "__getitem__.str"
# CHECK: tl.aten "slice.str"
# CHECK: tl.aten "percentFormat"
# CHECK: tl.aten "join"
show("strings", strings)


@torch.jit.script
class Counter:
    def __init__(self, start: int):
        self.value = start

    def add(self, n: int) -> int:
        self.value += n
        return self.value


class UsesClass(nn.Module):
    def forward(self, n: int) -> int:
        counter = Counter(n)
        counter.add(2)
        return counter.value


# CHECK-LABEL: === class
# CHECK: tl.class @__torch__.Counter {
# CHECK-NEXT: tl.attr "value" : i64
# CHECK: func.func @__torch__.UsesClass.forward
# CHECK: [[C:%.*]] = tl.create_object : <@__torch__.Counter>
# CHECK: tl.call_method "__init__"([[C]], %arg1)
# CHECK: tl.call_method "add"([[C]]
# CHECK: tl.get_attr [[C]] "value"
# CHECK-DAG: func.func @__torch__.Counter.__init__
# CHECK-DAG: func.func @__torch__.Counter.add
show("class", torch.jit.script(UsesClass()))


@torch.jit.script
def types(x: Any, y: Union[int, str, Tensor], z: Optional[List[int]]) -> int:
    n = 0
    if isinstance(x, int):
        n += x
    if isinstance(x, (str, list)):
        n += 1
    if isinstance(x, tuple):
        n += 2
    if isinstance(y, str):
        n += len(y)
    elif isinstance(y, int):
        n += y
    if z is not None:
        n += z[0]
    return n


# CHECK-LABEL: === types
# CHECK: %arg1: !tl.any
# CHECK-SAME: %arg2: !tl.union<
# CHECK-SAME: %arg3: !tl.optional<!tl.list<i64>>
# CHECK: tl.isinstance %arg1 of [i64] : !tl.any
# CHECK: tl.unchecked_cast %arg1 : !tl.any -> i64
# CHECK: tl.isinstance %{{.*}} of [!tl.str, !tl.any_list] : !tl.any
# CHECK: tl.isinstance %{{.*}} of [!tl.any_tuple] : !tl.any
# CHECK: tl.isinstance %arg2 of [!tl.str]
# CHECK: tl.unchecked_cast %arg3 : !tl.optional<!tl.list<i64>> -> !tl.list<i64>
show("types", types)


@torch.jit.script
def scalars(x: Tensor, n: int, f: float) -> Tuple[int, float, List[int], complex]:
    a = min(n, 3) + max([1, 2, n]) + int(f) + len(x) + x.size(0)
    b = float(n) / 2 + float(x.item()) + abs(f)
    values: List[int] = x.to(torch.int64).tolist()
    z = complex(1.0, f)
    y = torch.zeros([2], dtype=x.dtype, device=x.device)
    return a, b if y.requires_grad else 0.0, values, z


# CHECK-LABEL: === scalars
# CHECK: -> !tl.tuple<i64, f64, !tl.list<i64>, complex<f64>>
# CHECK: tl.aten "prim::min.int"
# CHECK: tl.aten "prim::max.self_int"
# CHECK: tl.aten "Int.float"
# CHECK: tl.aten "len.Tensor"
# CHECK: tl.aten "size.int"
# CHECK: tl.aten "item"({{.*}}) : (!tl.tensor) -> !tl.number
# CHECK: tl.aten "prim::abs.float"
# CHECK: tl.aten "prim::tolist"
# CHECK: tl.aten "Complex
# CHECK: tl.aten "prim::dtype"
# CHECK: tl.aten "prim::device"
# CHECK: tl.aten "prim::requires_grad"
show("scalars", scalars)
