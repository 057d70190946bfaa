"""Checks of indices that wait for the end of a call: wrong indices are errors all the same, before which
nothing is read outside of a table, and the instance works on.

RUN: %python %s %build %t
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Integration" / "Inputs"))
from compare import Mismatch, compare, compile_library, to_library, torchlite  # noqa: E402

torch.manual_seed(0)


class Tables(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(50, 24)
        self.kinds = torch.nn.Embedding(3, 24)
        self.out = torch.nn.Linear(24, 7)

    def one(self, words: torch.Tensor):
        return torch.relu(self.out(self.words(words)))

    def two(self, words: torch.Tensor, kinds: torch.Tensor):
        x = self.words(words) + self.kinds(kinds)
        return torch.softmax(self.out(x), -1), x.sum(1)

    def picked(self, x: torch.Tensor, index: torch.Tensor):
        return torch.gather(x, 1, index) * 2, x.index_select(0, index[:, 0])


def refused(instance, method, message, *arguments):
    try:
        instance.call(method, *map(to_library, arguments))
    except torchlite.Error as error:
        if message not in str(error) or ", line " not in str(error) and ".py:" not in str(error):
            raise Mismatch(f"{method}: expected '{message}' and a Python line, found: {error}")
        return
    raise Mismatch(f"{method}: expected an error")


def main(build, folder):
    folder.mkdir(parents=True, exist_ok=True)
    module = Tables().eval()
    words, kinds = torch.randint(50, (2, 6)), torch.randint(3, (2, 6))
    x, index = torch.randn(5, 4), torch.randint(4, (5, 2))
    methods = {"one": [words], "two": [words, kinds], "picked": [x, index]}
    archive = torch.jit.trace_module(module, {name: tuple(a) for name, a in methods.items()})
    torch.jit.save(archive, str(folder / "tables.pt"))
    compile_library(build, folder / "tables.pt", folder / "tables.so",
                    ["one(2x6xi64)", "two(2x6xi64, 2x6xi64)", "picked(5x4xf32, 5x2xi64)"], "emulated")
    instance = torchlite.Model(folder / "tables.so").instance(2, "emulated")

    def agree():
        for name, arguments in methods.items():
            with torch.inference_mode():
                expected = getattr(module, name)(*arguments)
            compare(instance.call(name, *map(to_library, arguments)), expected, name)

    agree()
    for wrong in (-1, 50, 1 << 40, -(1 << 62)):
        bad = words.clone()
        bad[1, 3] = wrong
        refused(instance, "one", "IndexError", bad)
        refused(instance, "two", "IndexError", bad, kinds)
        refused(instance, "two", "IndexError", bad, kinds + 7)
        agree()
    refused(instance, "two", "IndexError", words, kinds - 1)
    bad = index.clone()
    bad[4, 1] = 4
    refused(instance, "picked", "IndexError", x, bad)
    agree()
    print("agrees")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
