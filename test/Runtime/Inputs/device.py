"""Calls the stand-in model on the stand-in GPU through python/torchlite.py."""
import sys

import numpy as np
import torch
import torchlite

model = torchlite.Model(sys.argv[1])
x = np.arange(6, dtype=np.float32).reshape(2, 3)
weights = np.array([[10, 20, 30], [40, 50, 60]], np.float32)
for instance in (model.instance(), model.instance(device="cpu"), model.instance(device="cuda:1")):
    y, scale = instance.call("affine", x, 2.0)
    assert (y == 2 * x + weights).all() and scale == 3
    # PyTorch's tensors, by DLPack.
    y, _ = instance.call("affine", torch.from_numpy(x).T.contiguous().T, 2.0)
    assert (y == 2 * x + weights).all()

# Results that stay on the device are arguments of other calls there.
stays = model.instance(device="cuda", results_on_device=True)
hosts = model.instance(device="cuda")
y, _ = stays.call("affine", x, 2.0)
assert isinstance(y, torchlite.DeviceTensor) and y.shape == (2, 3)
assert y.__dlpack_device__() == (2, 0)
for _ in range(4):
    z, _ = hosts.call("affine", y, 3.0)
    assert (z == 3 * (2 * x + weights) + weights).all()
run = stays.prepare("affine", y, 1.0)
for _ in range(3):
    run()
kept, _ = run.values()
run.clear()
stays.close()
z, _ = hosts.call("affine", kept, 0.0)
assert (z == weights).all()
hosts.close()
del y, kept

for arguments in ({"device": "cuda:7"}, {"device": "emulated"}):
    try:
        model.instance(**arguments)
        assert False
    except torchlite.Error as error:
        assert error.status == 6, error
        print(error)
try:
    model.instance(device="gpu")
    assert False
except ValueError as error:
    print(error)

# What cannot be passed, and an instance that has been closed.
instance = model.instance(device="cpu")
run = instance.prepare("affine", x, 2.0)
for argument, kind in ((2 ** 63, OverflowError), ("a\0b", ValueError), (x.astype(">f4"), TypeError),
                       (np.array(["text"]), TypeError),
                       (np.zeros(3, [("a", "<f4"), ("b", "i1")])["a"], ValueError)):
    try:
        instance.call("affine", argument, 2.0)
        assert False
    except kind:
        pass
run()
with instance:
    pass
instance.close()
for use in (run, lambda: instance.call("affine", x, 2.0), lambda: instance.prepare("affine", x, 2.0)):
    try:
        use()
        assert False
    except torchlite.Error as error:
        assert "has been closed" in str(error)
assert (run.values()[0] == 2 * x + weights).all()
run.clear()
