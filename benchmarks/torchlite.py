"""The part of TorchLite's C interface (runtime/include/TorchLite.h) that the benchmarks call."""
import ctypes as C

import numpy as np


class DLTensor(C.Structure):
    _fields_ = [("data", C.c_void_p), ("device_type", C.c_int32), ("device_id", C.c_int32),
                ("ndim", C.c_int32), ("code", C.c_uint8), ("bits", C.c_uint8), ("lanes", C.c_uint16),
                ("shape", C.POINTER(C.c_int64)), ("strides", C.POINTER(C.c_int64)),
                ("byte_offset", C.c_uint64)]


class _Tensor(C.Structure):
    _fields_ = [("tensor", C.POINTER(DLTensor)), ("owner", C.c_void_p)]


class _Items(C.Structure):
    _fields_ = [("data", C.c_void_p), ("count", C.c_size_t)]


class _As(C.Union):
    _fields_ = [("i", C.c_int64), ("f", C.c_double), ("b", C.c_bool), ("tensor", _Tensor),
                ("items", _Items)]


class Value(C.Structure):
    _fields_ = [("kind", C.c_int32), ("owned", C.c_int32), ("value", _As)]


class Error(C.Structure):
    _fields_ = [("message", C.c_char * 2048)]


class Options(C.Structure):
    _fields_ = [("threads", C.c_int32)]


NONE, INT, TENSOR = 0, 1, 5
CODES = {"f": 2, "i": 0, "u": 1, "b": 6}


def dltensor(array):
    """A DLTensor over a contiguous NumPy array, which must outlive it."""
    shape = (C.c_int64 * max(array.ndim, 1))(*array.shape)
    tensor = DLTensor(array.ctypes.data, 1, 0, array.ndim, CODES[array.dtype.kind],
                      array.dtype.itemsize * 8, 1, shape, None, 0)
    tensor.keep = (shape, array)
    return tensor


class Instance:
    """An instance of a compiled library."""

    def __init__(self, path, threads):
        self.library = C.CDLL(str(path))
        self.library.tl_library_model.restype = C.c_void_p
        self.error = Error()
        self.handle = C.c_void_p()
        status = self.library.tl_instance_create(
            C.c_void_p(self.library.tl_library_model()), C.byref(Options(threads)),
            C.byref(self.handle), C.byref(self.error))
        if status:
            raise RuntimeError(self.error.message.decode())

    def prepare(self, method, *arguments):
        """A function without arguments that calls `method`; the result's memory is used again."""
        keep, values = [], (Value * max(len(arguments), 1))()
        for value, argument in zip(values, arguments):
            if isinstance(argument, int):
                value.kind, value.value.i = INT, argument
            else:
                tensor = dltensor(np.ascontiguousarray(argument))
                keep.append(tensor)
                value.kind, value.value.tensor.tensor = TENSOR, C.pointer(tensor)
        result = Value()
        call, name = self.library.tl_call, method.encode()
        packed = (self.handle, C.c_char_p(name), values, C.c_size_t(len(arguments)), C.byref(result),
                  C.byref(self.error))

        def run(keep=keep):
            if call(*packed):
                raise RuntimeError(self.error.message.decode())
            return result

        return run

    def close(self):
        self.library.tl_instance_destroy(self.handle)


def to_numpy(value):
    """The first tensor of a result, copied."""
    while value.kind in (6, 7):
        value = C.cast(value.value.items.data, C.POINTER(Value))[0]
    tensor = value.value.tensor.tensor.contents
    shape = [tensor.shape[i] for i in range(tensor.ndim)]
    kind = {2: "f", 0: "i", 1: "u", 6: "b"}[tensor.code]
    dtype = np.dtype(f"{kind}{tensor.bits // 8}")
    count = int(np.prod(shape)) if shape else 1
    data = C.string_at(tensor.data, count * dtype.itemsize)
    return np.frombuffer(data, dtype).reshape(shape).copy()
