"""Modules in training mode: dropout of all kinds, between the layers of recurrent networks, inside of
attention and transformers, with the numbers that PyTorch draws from the same seed.

RUN: %python %s %build %t
"""
import pathlib
import sys

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import check_calls  # noqa: E402
from sources import check_source  # noqa: E402

SOURCE = """
def all(self, x):
    return (torch.nn.functional.dropout(x, 0.3, True), torch.nn.functional.dropout(x, 0.3, False),
            torch.nn.functional.dropout1d(x, 0.5, True), torch.nn.functional.alpha_dropout(x, 0.4, True),
            torch.nn.functional.feature_alpha_dropout(x, 0.4, True), torch.native_dropout(x, 0.25, True),
            torch.nn.functional.dropout(x, 1.0, True), torch.nn.functional.dropout(x, 0.0, True))
def leaky(self, x):
    return torch.nn.functional.rrelu(x, 0.1, 0.3, True), torch.nn.functional.rrelu(x, 0.1, 0.3, False)
def written(self, x):
    y = x * 2
    torch.nn.functional.dropout(y, 0.5, True, True)
    z = torch.nn.functional.dropout(x, 0.5, False)
    return y, z
def attention(self, q, k, v):
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, dropout_p=0.3, is_causal=True)
"""


class Stack(nn.Module):
    """Recurrent layers with dropout between them and behind."""

    def __init__(self, kind, batch_first):
        super().__init__()
        self.layers = kind(4, 5, 3, dropout=0.4, bidirectional=True, batch_first=batch_first)
        self.dropout = nn.Dropout(0.3)

    def forward(self, x):
        return self.dropout(self.layers(x)[0])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout2d(0.25))
        self.classes = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2))

    def forward(self, x):
        return self.classes(self.convolution(x).mean([2, 3]))


def check_module(build, folder, name, module, signatures, inputs):
    torch.manual_seed(1)
    archive = folder / f"{name}.pt"
    torch.jit.script(module.train()).save(str(archive))
    check_calls(build, archive, signatures, [("forward", [x]) for x in inputs for _ in range(2)], folder, seed=5)


def main():
    build, folder = map(pathlib.Path, sys.argv[1:3])
    torch.manual_seed(3)
    randn = torch.randn
    calls = [("all", [randn(2, 3, 5)]), ("all", [randn(4, 1, 9)]), ("all", [randn(2, 3, 5).half()]),
             ("all", [randn(2, 3, 5).bfloat16()]), ("all", [randn(2, 3, 5).double()]),
             ("leaky", [randn(3, 7)]), ("leaky", [randn(3, 7).double()]), ("leaky", [randn(3, 7).bfloat16()]),
             ("written", [randn(3, 4)]), ("written", [randn(1, 2)]),
             ("attention", [randn(2, 3, 5, 4), randn(2, 3, 5, 4), randn(2, 3, 5, 6)]),
             ("attention", [randn(1, 2, 7, 4), randn(1, 2, 7, 4), randn(1, 2, 7, 6)])]
    check_source(SOURCE, ["all(?x?x?xf32)", "all(2x3x5xf16)", "all(2x3x5xbf16)", "all(?x3x5xf64)", "leaky(?x?xf32)", "leaky(3x7xf64)",
                          "leaky(3x7xbf16)", "written(?x?xf32)",
                          "attention(?x?x?x4xf32, ?x?x?x4xf32, ?x?x?x6xf32)"], calls, seed=2)
    for kind in (nn.LSTM, nn.GRU, nn.RNN):
        for batch_first in (False, True):
            check_module(build, folder, f"{kind.__name__}{batch_first}", Stack(kind, batch_first),
                         ["forward(?x?x4xf32)"], [randn(3, 2, 4), randn(2, 6, 4)])
    check_module(build, folder, "net", Net(), ["forward(?x3x?x?xf32)"], [randn(2, 3, 5, 6), randn(3, 3, 4, 4)])
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.2, batch_first=True)
    check_module(build, folder, "encoder", nn.TransformerEncoder(layer, 2), ["forward(2x5x8xf32)"], [randn(2, 5, 8)])


if __name__ == "__main__":
    main()
