"""Writes to tensors that have a reshaped form: one memory or two, as the strides of what is given say.
Compiled code takes what it is given for contiguous; where a result would depend on it, the call asks for it.

RUN: %python %s %build %t.cpu cpu
RUN: %python %s %build %t.emulated emulated
"""
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import compile_library, to_library  # noqa: E402

import torchlite  # noqa: E402

SOURCE = """
def through_flatten(self, a, b):
    v = a.flatten()
    v[:] = b
    return a + a.sum()
def through_contiguous(self, a, b):
    v = a.contiguous()
    v.add_(1)
    return a * 1
def to_base(self, a, b):
    y = a + 1
    v = y.reshape(-1)
    y.mul_(2)
    return v + b
def in_loop(self, a, b):
    y = a * 2
    for i in range(3):
        v = y.flatten()
        v += 1
    return y
def in_branch(self, a, b):
    y = a * 2
    v = y.reshape(3, 2)
    if bool(b.sum() > 0):
        v[0] = 0
    return y
def copied(self, a, b):
    y = a.t().contiguous()
    y += 1
    return y.flatten() + b
def asked(self, a, b):
    return a * 2 if a.is_contiguous() else a * 3
def asked_of_view(self, a, b):
    return a * 2 if a.t().is_contiguous() else a * 3
def fresh(self, a, b):
    y = torch.zeros(2, 3)
    v = y.flatten()
    v[0] = a.sum()
    return y
def written_before(self, a, b):
    y = a * 2
    y.relu_()
    v = y.flatten()
    return v + y.sum()
def not_read(self, a, b):
    y = (a * 2).flatten()
    y.relu_()
    return y + b
def copied_first(self, a, b):
    y = a.t().contiguous()
    return y.flatten() + b
def only_ones(self, a, b):
    y = a * 2
    v = y.reshape(2, 1, 3)
    v[0] = 1
    return y
"""
BOUND = ("through_flatten", "through_contiguous", "to_base", "in_loop", "in_branch", "copied", "asked",
         "asked_of_view")
FREE = ("fresh", "written_before", "not_read", "only_ones", "copied_first")


def main(build, folder, device):
    folder.mkdir(parents=True, exist_ok=True)
    module = torch.jit.script(torch.nn.Module())
    module.define(SOURCE)
    torch.jit.save(module, str(folder / "strides.pt"))
    compile_library(build, folder / "strides.pt", folder / "strides.so",
                    [f"{name}(2x3xf32, 6xf32)" for name in BOUND + FREE], target=device)
    instance = torchlite.Model(folder / "strides.so").instance(1, device)
    torch.manual_seed(1)
    b = torch.arange(6.0)
    for name in BOUND + FREE:
        for a in (torch.randn(2, 3), torch.randn(3, 2).t(), torch.randn(2, 6)[:, ::2]):
            ours, theirs = a.clone(), a.clone()
            if not a.is_contiguous() and ours.is_contiguous():
                ours, theirs = (torch.empty(2, 6)[:, ::2].copy_(a) for _ in range(2))
            assert ours.is_contiguous() == theirs.is_contiguous() == a.is_contiguous()
            expected = getattr(module, name)(theirs, b)
            try:
                got = torch.from_numpy(instance.call(name, to_library(ours), to_library(b)))
            except torchlite.Error as error:
                assert name in BOUND and not a.is_contiguous(), (name, error)
                assert f"{name}: argument 0 'a' is not contiguous, but has to be" in str(error), error
                continue
            assert a.is_contiguous() or name in FREE, f"{name}: expected an error"
            torch.testing.assert_close(got, expected)
            torch.testing.assert_close(ours, theirs)  # what it is given changes in the same way


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3])
