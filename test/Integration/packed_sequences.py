"""Recurrent networks over packed sequences: scripted modules of all kinds, in both layouts, sorted or not,
with batches, times and lengths that are known at the call only; and what PyTorch raises.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import sys

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import check_calls  # noqa: E402
from sources import check_source  # noqa: E402


class Lstm(nn.Module):
    def __init__(self, layers, bidirectional, batch_first, is_sorted, train=False):
        super().__init__()
        self.layers = nn.LSTM(4, 3, layers, bidirectional=bidirectional, batch_first=batch_first,
                              dropout=0.3 if train else 0.0)
        self.batch_first, self.is_sorted = batch_first, is_sorted

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=self.batch_first, enforce_sorted=self.is_sorted)
        output, (h, c) = self.layers(packed)
        padded, again = pad_packed_sequence(output, batch_first=self.batch_first, padding_value=-1.0)
        return padded, again, h, c, output.data.sum()


class Gru(nn.Module):
    """With a state of its own, padded to the size of the input."""

    def __init__(self):
        super().__init__()
        self.layers = nn.GRU(4, 3, 2, bidirectional=True, batch_first=True)
        self.classes = nn.Linear(6, 2)

    def forward(self, x, lengths, h):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        output, last = self.layers(packed, h)
        padded, _ = pad_packed_sequence(output, batch_first=True, total_length=x.size(1))
        return self.classes(padded), last


class Rnn(nn.Module):
    def __init__(self, nonlinearity):
        super().__init__()
        self.layers = nn.RNN(4, 3, 1, nonlinearity=nonlinearity)

    def forward(self, x, lengths):
        return self.layers(pack_padded_sequence(x, lengths))[1]


SOURCE = """
def packed(self, x, lengths):
    return torch._pack_padded_sequence(x, lengths, True)
def padded(self, x, sizes, n: int):
    return torch._pad_packed_sequence(x, sizes, True, 7, n)
def around(self, x, lengths):
    data, sizes = torch._pack_padded_sequence(x, lengths, False)
    back, again = torch._pad_packed_sequence(data * 2, sizes, False, 0.5, x.size(0) + 1)
    return data, sizes, back, again
"""


def check_module(build, folder, device, name, module, signature, inputs, seed=None):
    torch.manual_seed(1)
    archive = folder / f"{name}.pt"
    torch.jit.script(module).save(str(archive))
    check_calls(build, archive, [signature], [("forward", list(i)) for i in inputs], folder, device=device, seed=seed)


def check_modules(build, folder, device):
    randn, tensor = torch.randn, torch.tensor
    sequences = [(randn(3, 5, 4), tensor([5, 3, 1])), (randn(2, 6, 4), tensor([4, 4])), (randn(1, 2, 4), tensor([2]))]
    shuffled = [(randn(4, 5, 4), tensor([2, 5, 1, 3]))] + sequences
    times = [(x.transpose(0, 1).contiguous(), lengths) for x, lengths in sequences]
    forms = [(2, True, True, False, shuffled)]
    if device == "cpu":
        forms += [(1, False, True, True, sequences), (2, False, False, True, times)]
    for layers, bidirectional, batch_first, is_sorted, inputs in forms:
        module = Lstm(layers, bidirectional, batch_first, is_sorted).eval()
        check_module(build, folder, device, f"lstm{layers}{bidirectional}", module, "forward(?x?x4xf32, ?xi64)", inputs)
    check_module(build, folder, device, "train", Lstm(3, True, True, False, True).train(), "forward(?x?x4xf32, ?xi64)",
                 shuffled, seed=3)
    check_module(build, folder, device, "gru", Gru().eval(), "forward(?x?x4xf32, ?xi64, 4x?x3xf32)",
                 [(x, lengths, randn(4, x.size(0), 3)) for x, lengths in shuffled])
    if device != "cpu":
        return
    for nonlinearity in ("tanh", "relu"):
        check_module(build, folder, device, nonlinearity, Rnn(nonlinearity).eval(), "forward(?x?x4xf32, ?xi64)", times)
    check_module(build, folder, device, "double", Rnn("tanh").double().eval(), "forward(?x3x4xf64, 3xi64)",
                 [(times[0][0].double(), times[0][1])])


def main():
    build, folder = map(pathlib.Path, sys.argv[1:3])
    tensor = torch.tensor
    x = torch.arange(60).float().reshape(3, 5, 2, 2)
    calls = [("packed", [x, tensor([5, 2, 1])]), ("packed", [x, tensor([1, 1, 1])]),
             ("packed", [x[:, :, :, :1], tensor([4, 4, 2])]),
             ("packed", [x, tensor([2, 5, 1])], "sorted in decreasing order"),
             ("packed", [x, tensor([2, 1, 0])], "greater than 0"), ("packed", [x, tensor([2, 1])], "equal to batch_size"),
             ("padded", [x[0, :, 0], tensor([3, 1, 1]), 0]), ("padded", [x[0, :, 0], tensor([3, 2]), 4]),
             ("padded", [x[0, :, 0], tensor([3, 2]), 1], "total_length"),
             ("around", [x, tensor([3, 2, 2, 1, 1])]), ("around", [x[:1], tensor([1, 1, 1, 1, 1])])]
    check_source(SOURCE, ["packed(?x?x?x?xf32, ?xi64)", "padded(?x?xf32, ?xi64, 0)", "padded(?x?xf32, ?xi64, 4)",
                          "padded(?x?xf32, ?xi64, 1)", "around(?x?x2x2xf32, ?xi64)"], calls)
    check_modules(build, folder, (sys.argv[3:] or ["cpu"])[0])


if __name__ == "__main__":
    main()
