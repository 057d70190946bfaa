"""Calls compiled libraries from Python: a thin ctypes binding of runtime/include/TorchLite.h.

    model = torchlite.Model("cell.so")
    instance = model.instance(threads=2)
    y = instance.call("forward", x)                 # numpy arrays, int, float, bool, str, None,
                                                    # lists, tuples and dicts of these
    run = instance.prepare("forward", x)            # for timing: run() calls with the same values

bfloat16 tensors are passed as `torchlite.BFloat16(array_of_uint16)` and returned as such. Tensors of
other libraries are taken by DLPack, without copying: PyTorch's, in the processor's memory or on a GPU.

    instance = model.instance(device="cuda:0", results_on_device=True,
                              stream=torch.cuda.current_stream().cuda_stream)
    y = torch.from_dlpack(instance.call("forward", x.cuda()))

Without `results_on_device` results are numpy arrays.
Errors raise torchlite.Error with the library's message.
"""
import ctypes as C

import numpy as np

# What an instance may run on.
DEVICES = {"default": 0, "cpu": 1, "cuda": 2, "emulated": 3}
NONE, INT, FLOAT, BOOL, STRING, TENSOR, LIST, TUPLE, DICT = range(9)
# DLPack type codes by NumPy kind.
_CODES = {"i": 0, "u": 1, "f": 2, "c": 5, "b": 6}
_KINDS = {code: kind for kind, code in _CODES.items()}
_BFLOAT = 4


class Error(RuntimeError):
    """A call failed; `status` is the library's tl_status."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class BFloat16:
    """A bfloat16 tensor, its bits in an array of uint16."""

    def __init__(self, bits):
        self.bits = np.asarray(bits, np.uint16, order="C")


class _DLTensor(C.Structure):
    _fields_ = [("data", C.c_void_p), ("device_type", C.c_int32), ("device_id", C.c_int32),
                ("ndim", C.c_int32), ("code", C.c_uint8), ("bits", C.c_uint8), ("lanes", C.c_uint16),
                ("shape", C.POINTER(C.c_int64)), ("strides", C.POINTER(C.c_int64)),
                ("byte_offset", C.c_uint64)]


class _Tensor(C.Structure):
    _fields_ = [("tensor", C.POINTER(_DLTensor)), ("owner", C.c_void_p)]


class _Items(C.Structure):
    _fields_ = [("data", C.c_void_p), ("count", C.c_size_t)]


class _As(C.Union):
    _fields_ = [("i", C.c_int64), ("f", C.c_double), ("b", C.c_bool), ("string", C.c_char_p),
                ("tensor", _Tensor), ("items", _Items)]


class _Managed(C.Structure):
    pass


_Managed._fields_ = [("tensor", _DLTensor), ("context", C.c_void_p),
                     ("deleter", C.CFUNCTYPE(None, C.POINTER(_Managed)))]
_CUDA = 2  # DLPack's kDLCUDA
_capsule_pointer = C.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype, _capsule_pointer.argtypes = C.c_void_p, [C.py_object, C.c_char_p]
_capsule_new = C.pythonapi.PyCapsule_New
_capsule_new.restype, _capsule_new.argtypes = C.py_object, [C.c_void_p, C.c_char_p, C.c_void_p]


class DeviceTensor:
    """A result on a GPU, for the `from_dlpack` of another library, once, or for further calls."""

    def __init__(self, pointer, library):
        self.pointer, self.library, self.exported = pointer, library, False
        tensor = pointer.contents.tensor
        self.shape = tuple(tensor.shape[i] for i in range(tensor.ndim))

    def __dlpack_device__(self):
        tensor = self.pointer.contents.tensor
        return tensor.device_type, tensor.device_id

    def order(self, stream):
        """Lets what is queued on the stream from now on come after the calls that made this tensor."""
        if self.exported:
            raise BufferError("this result has been taken already")
        error = _Error()
        status = self.library.tl_tensor_order(self.pointer, C.c_void_p(stream), C.byref(error))
        if status:
            raise Error(status, error.message.decode(errors="replace"))

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        """`stream` is the consumer's: None or 1 is the legacy default stream, 2 that of the thread, -1
        asks for no order."""
        if copy:
            raise BufferError("this result can be taken, not copied")
        if dl_device is not None and tuple(dl_device) != self.__dlpack_device__():
            raise BufferError(f"this result is on {self.__dlpack_device__()}, not on {tuple(dl_device)}")
        if stream is not None and (stream == 0 or stream < -1):
            raise BufferError(f"{stream} is no stream of CUDA: the default streams are 1 and 2")
        if stream != -1:
            self.order(1 if stream is None else stream)
        elif self.exported:
            raise BufferError("this result has been taken already")
        self.exported = True
        return _capsule_new(C.cast(self.pointer, C.c_void_p), b"dltensor", None)

    def __del__(self):
        if not self.exported:
            self.pointer.contents.deleter(self.pointer)


class Value(C.Structure):
    _fields_ = [("kind", C.c_int32), ("owned", C.c_int32), ("value", _As)]


class _Error(C.Structure):
    _fields_ = [("message", C.c_char * 2048)]


class _Options(C.Structure):
    _fields_ = [("threads", C.c_int32), ("device", C.c_int32), ("device_id", C.c_int32),
                ("results_on_device", C.c_int32), ("stream", C.c_void_p)]


def _pack(argument, value, keep, stream=None):
    """Writes a Python value into a tl_value; what must outlive it goes to `keep`."""
    if argument is None:
        value.kind = NONE
    elif isinstance(argument, (bool, np.bool_)):
        value.kind, value.value.b = BOOL, bool(argument)
    elif isinstance(argument, int):
        if not -2**63 <= argument < 2**63:
            raise OverflowError(f"{argument} does not fit into 64 bits")
        value.kind, value.value.i = INT, argument
    elif isinstance(argument, float):
        value.kind, value.value.f = FLOAT, argument
    elif isinstance(argument, str):
        text = argument.encode()
        if b"\0" in text:
            raise ValueError("a text with a zero in it cannot be passed")
        keep.append(text)
        value.kind, value.value.string = STRING, text
    elif isinstance(argument, (list, tuple, dict)):
        flat = [x for pair in argument.items() for x in pair] if isinstance(argument, dict) else argument
        items = (Value * max(len(flat), 1))()
        for item, element in zip(items, flat):
            _pack(element, item, keep, stream)
        keep.append(items)
        value.kind = {list: LIST, tuple: TUPLE, dict: DICT}[type(argument)]
        value.value.items.data = C.addressof(items)
        value.value.items.count = len(argument)
    elif isinstance(argument, DeviceTensor):
        argument.order(stream or 1)
        keep.append(argument)
        value.kind = TENSOR
        value.value.tensor.tensor = C.cast(argument.pointer, C.POINTER(_DLTensor))
    elif hasattr(argument, "__dlpack__") and not isinstance(argument, np.ndarray):
        on_gpu = argument.__dlpack_device__()[0] == _CUDA
        if on_gpu and not stream:
            raise ValueError("a tensor on a GPU is given to an instance without one; make the "
                             "instance with device='cuda'")
        # The library that made it lets what it has queued come before our stream.
        capsule = argument.__dlpack__(stream=stream) if on_gpu else argument.__dlpack__()
        keep.append(capsule)  # frees the tensor
        value.kind = TENSOR
        value.value.tensor.tensor = C.cast(_capsule_pointer(capsule, b"dltensor"),
                                           C.POINTER(_DLTensor))
    else:
        brain = isinstance(argument, BFloat16)
        array = argument.bits if brain else np.asarray(argument)
        if array.dtype.kind not in _CODES or not array.dtype.isnative:
            raise TypeError(f"arrays of '{array.dtype.str}' cannot be passed")
        if any(stride % array.itemsize for stride in array.strides):
            raise ValueError("an array whose elements lie apart by a fraction of an element cannot "
                             "be passed; give numpy.ascontiguousarray of it")
        shape = (C.c_int64 * max(array.ndim, 1))(*array.shape)
        strides = (C.c_int64 * max(array.ndim, 1))(*[s // array.itemsize for s in array.strides])
        tensor = _DLTensor(array.ctypes.data, 1, 0, array.ndim,
                           _BFLOAT if brain else _CODES[array.dtype.kind], array.itemsize * 8, 1,
                           shape, strides, 0)
        keep += [array, shape, strides, tensor]
        value.kind, value.value.tensor.tensor = TENSOR, C.pointer(tensor)


def _unpack(value, library):
    """The Python value of a tl_value; tensors are copied, those on a GPU taken out."""
    kind, data = value.kind, value.value
    if kind == NONE:
        return None
    if kind in (INT, FLOAT, BOOL):
        return {INT: data.i, FLOAT: data.f, BOOL: data.b}[kind]
    if kind == STRING:
        return data.string.decode()
    if kind == TENSOR:
        tensor = data.tensor.tensor.contents
        if tensor.device_type == _CUDA:
            return DeviceTensor(library.tl_value_release(C.byref(value)), library)
        shape = [tensor.shape[i] for i in range(tensor.ndim)]
        brain = tensor.code == _BFLOAT
        dtype = np.dtype("b1" if tensor.code == 6 else
                         f"{'u' if brain else _KINDS[tensor.code]}{tensor.bits // 8}")
        count = int(np.prod(shape, dtype=np.int64))
        raw = C.string_at(tensor.data + tensor.byte_offset, count * dtype.itemsize) if count else b""
        array = np.frombuffer(raw, dtype).reshape(shape).copy()
        return BFloat16(array) if brain else array
    count = data.items.count * (2 if kind == DICT else 1)
    items = C.cast(data.items.data, C.POINTER(Value))
    flat = [_unpack(items[i], library) for i in range(count)]
    if kind == DICT:
        return dict(zip(flat[::2], flat[1::2]))
    return flat if kind == LIST else tuple(flat)


class Model:
    """A compiled shared library."""

    def __init__(self, path):
        self.library = C.CDLL(str(path))
        for name in ("tl_library_model", "tl_model_method", "tl_model_find_method"):
            getattr(self.library, name).restype = C.c_void_p
        for name in ("tl_model_method_count", "tl_method_variant_count", "tl_method_format"):
            getattr(self.library, name).restype = C.c_size_t
        self.library.tl_method_name.restype = C.c_char_p
        self.library.tl_value_release.restype = C.POINTER(_Managed)
        self.handle = C.c_void_p(self.library.tl_library_model())

    def methods(self):
        """The text of every variant of every method, such as `forward(x: 4x4xf32) -> 4x4xf32`."""
        result = []
        for index in range(self.library.tl_model_method_count(self.handle)):
            method = C.c_void_p(self.library.tl_model_method(self.handle, C.c_size_t(index)))
            for variant in range(self.library.tl_method_variant_count(method)):
                text = C.create_string_buffer(4096)
                self.library.tl_method_format(method, C.c_size_t(variant), text, C.c_size_t(4096))
                result.append(text.value.decode())
        return result

    def instance(self, threads=1, device="default", results_on_device=False, stream=0):
        """`device`: cpu, cuda, cuda:1, emulated, or the first of these that the library has.
        On CUDA, calls are queued on `stream` (a handle; 0: the default stream), and are waited for only
        where a tensor is in the processor's memory. `results_on_device`: results are DeviceTensors."""
        return Instance(self, threads, device, results_on_device, stream)


class Instance:
    """An instance of a model, with its own state."""

    def __init__(self, model, threads, device="default", results_on_device=False, stream=0):
        kind, _, number = device.partition(":")
        if kind not in DEVICES:
            raise ValueError(f"'{device}' is not cpu, cuda, cuda:N or emulated")
        # The default stream is 0, or 1 (CU_STREAM_LEGACY) where 0 stands for none.
        self.stream = (stream or 1) if kind == "cuda" else None
        options = _Options(threads, DEVICES[kind], int(number or 0), bool(results_on_device),
                           self.stream)
        self.model, self.library, self.handle = model, model.library, C.c_void_p()
        self._check(lambda error: self.library.tl_instance_create(
            model.handle, C.byref(options), C.byref(self.handle), error))

    def _open(self):
        """The handle, which close() has taken away."""
        if self.handle is None:
            raise Error(1, "the instance has been closed")
        return self.handle

    def set_print(self, handler):
        """What the program prints goes to `handler(text)`, a line or more at once; None: to the C library's
        standard output. An exception of the handler is reported and dropped."""
        self._print = C.CFUNCTYPE(None, C.c_void_p, C.POINTER(C.c_char), C.c_size_t)(
            (lambda _, text, length: handler(C.string_at(text, length).decode(errors="replace"))) if handler else 0)
        self.library.tl_instance_set_print(self._open(), self._print, None)

    @staticmethod
    def _check(call):
        error = _Error()
        status = call(C.byref(error))
        if status:
            raise Error(status, error.message.decode(errors="replace"))

    def prepare(self, method, *arguments):
        """A function without arguments that makes the call and returns the tl_value, which is
        written again at the next call. `run.values()` unpacks it."""
        keep, values, result, error = [], (Value * max(len(arguments), 1))(), Value(), _Error()
        handle = self._open()
        for value, argument in zip(values, arguments):
            _pack(argument, value, keep, self.stream)
        call = self.library.tl_call
        packed = (handle, C.c_char_p(method.encode()), values, C.c_size_t(len(arguments)),
                  C.byref(result), C.byref(error))

        def run(keep=keep):
            self._open()
            status = call(*packed)
            if status:
                raise Error(status, error.message.decode(errors="replace"))
            return result

        run.values = lambda: _unpack(result, self.library)
        run.clear = lambda: self.library.tl_value_clear(C.byref(result))
        return run

    def call(self, method, *arguments):
        run = self.prepare(method, *arguments)
        run()
        try:
            return run.values()
        finally:
            run.clear()

    def seed(self, seed):
        """Seeds the random generator, as torch.manual_seed does PyTorch's. Without a seed random
        numbers differ from run to run."""
        handle = self._open()
        self._check(lambda error: self.library.tl_instance_seed(
            handle, C.c_uint64(seed & (1 << 64) - 1), error))

    def close(self):
        """Frees the instance; calls raise an error from then on. Results live on."""
        if self.handle is not None:
            self.library.tl_instance_destroy(self.handle)
        self.handle = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
