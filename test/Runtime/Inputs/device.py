"""Calls the stand-in model on the stand-in GPU through python/torchlite.py."""
import ctypes
import os
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

# A consumer's stream comes after the kernels that write a result, without anybody waiting for them.
cuda = ctypes.CDLL(os.environ["TORCHLITE_LIBCUDA"])
counters = (ctypes.c_int * 16).in_dll(cuda, "fake_cuda")
kernels_run = 1
context = ctypes.c_int()
cuda.cuCtxSetCurrent(ctypes.byref(context))
streams = [ctypes.c_void_p() for _ in range(2)]
for stream in streams:
    assert cuda.cuStreamCreate(ctypes.byref(stream), 1) == 0
stays = model.instance(device="cuda", results_on_device=True, stream=streams[0].value)
given, _ = stays.call("affine", x, 1.0)


def pending():
    run = stays.prepare("affine", given, 1.0)
    before = counters[kernels_run]
    run()
    result, _ = run.values()
    run.clear()
    return result, before


result, before = pending()
assert counters[kernels_run] == before, "the call waits"
for wrong in ({"stream": 0}, {"stream": -2}, {"copy": True}, {"dl_device": (1, 0)}):
    try:
        result.__dlpack__(**wrong)
        assert False
    except BufferError:
        pass
capsule = result.__dlpack__(stream=streams[1].value)
assert counters[kernels_run] == before, "taking a result waits"
assert cuda.cuStreamSynchronize(streams[1]) == 0
assert counters[kernels_run] > before, "the consumer's stream does not wait for the kernels"
for stream in (None, 1):
    result, before = pending()
    capsule = result.__dlpack__(stream=stream)
    assert cuda.cuStreamSynchronize(None) == 0 and counters[kernels_run] > before
result, before = pending()
capsule = result.__dlpack__(stream=-1)
assert cuda.cuStreamSynchronize(streams[1]) == 0 and counters[kernels_run] == before
# An instance with another stream is such a consumer.
result, before = pending()
other = model.instance(device="cuda", results_on_device=True, stream=streams[1].value)
other.prepare("affine", result, 1.0)
assert cuda.cuStreamSynchronize(streams[1]) == 0 and counters[kernels_run] > before
try:
    taken, _ = pending()
    capsule = taken.__dlpack__()
    other.prepare("affine", taken, 1.0)
    assert False
except BufferError:
    pass
del result
stays.close()
other.close()

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
