# Operations carry the line and column of the user's Python, scripted and traced, with and without
# the archive's debug records.
# RUN: %python %s | FileCheck %s
import os
import tempfile
import zipfile

import torch
from torch import nn

from importing import show, tl_translate


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)

    def forward(self, x):
        y = self.linear(x)  # CALL
        if y.sum() > 0:
            y = torch.relu(y)  # RELU
        return y


def traced(x):
    y = torch.tanh(x)  # TANH
    return y * 2


# CHECK-LABEL: === scripted
# CHECK: func.func @__torch__.Model.forward
# CHECK: tl.call_method "forward"{{.*}} loc([[CALL:#.*]])
# CHECK: tl.aten "relu"{{.*}} loc([[RELU:#.*]])
# CHECK: func.func @__torch__.torch.nn.modules.linear.Linear.forward({{.*}}torch/nn/modules/linear.py":{{[0-9]+}}:{{[0-9]+}})
# CHECK-DAG: [[CALL]] = loc("{{.*}}locations.py":[[#@LINE-16]]:13)
# CHECK-DAG: [[RELU]] = loc("{{.*}}locations.py":[[#@LINE-15]]:17)
show("scripted", torch.jit.script(Model()), "--mlir-print-debuginfo")

# CHECK-LABEL: === traced
# CHECK: tl.aten "tanh"{{.*}} loc([[TANH:#.*]])
# CHECK: [[TANH]] = loc("{{.*}}locations.py":[[#@LINE-15]]:1)
show("traced", torch.jit.trace(traced, torch.rand(2)), "--mlir-print-debuginfo")

# Without debug records, the archive's own text is what there is to name.
# CHECK-LABEL: === stripped
# CHECK: tl.aten "relu"{{.*}} loc([[RELU:#.*]])
# CHECK: [[RELU]] = loc("code/__torch__.py":{{[0-9]+}}:{{[0-9]+}})
with tempfile.TemporaryDirectory() as folder:
    full, stripped = os.path.join(folder, "full.pt"), os.path.join(folder, "stripped.pt")
    torch.jit.save(torch.jit.script(Model()), full)
    with zipfile.ZipFile(full) as source, zipfile.ZipFile(stripped, "w") as target:
        for name in source.namelist():
            if not name.endswith(".debug_pkl"):
                target.writestr(name, source.read(name))
    print("=== stripped")
    print(tl_translate(stripped, "--mlir-print-debuginfo").stdout)
