/*===- TorchLite.h - Calling a compiled model ------------------------*- C -*-===*\
|*
|* The interface of every library that tl-compile makes. A model is compiled code with its weights,
|* an instance is a model with its own state (the attributes that its methods write). Usage:
|*
|*   const tl_model *model;              // or cell_model(), declared in cell.h beside cell.a
|*   tl_instance *instance;
|*   tl_error error;
|*   if (tl_model_open("./cell.so", &model, &error) ||
|*       tl_instance_create(model, NULL, &instance, &error))
|*     return fprintf(stderr, "%s\n", error.message), 1;
|*   tl_value arguments[] = {tl_tensor(&x), tl_int(3)};
|*   tl_value result = tl_none();
|*   if (tl_call(instance, "forward", arguments, 2, &result, &error))
|*     fprintf(stderr, "%s\n", error.message);
|*   ...
|*   tl_value_clear(&result);
|*   tl_instance_destroy(instance);
|*   tl_model_close(model);
|*
|* A model that is compiled for NVIDIA GPUs (tl-compile --target=cuda, or cpu,cuda) runs on one
where
|* the options say so; tensors stay where they are, in the processor's memory or on the GPU:
|*
|*   tl_options options = {.device = TL_DEVICE_CUDA, .device_id = 0};
|*   if (tl_instance_create(model, &options, &instance, &error)) ...   // TL_NO_DEVICE:
error.message
|*   DLTensor x = tl_dltensor(gpu_memory, TL_F32, 2, shape);           // from cudaMalloc
|*   x.device.device_type = kDLCUDA;
|*
|* How to get these functions: link a compiled library (model.so or model.a), which holds one model
|* and the whole runtime; or link the runtime alone (libTorchLiteRuntime.a) and open any number of
|* compiled shared libraries. Objects of several libraries may be mixed freely: each one remembers
|* the runtime that it was compiled with.
|*
|* Errors are values: a function that can fail returns a tl_status and, where `error` is not null,
|* writes a message there. Nothing aborts the process, and a failed call changes neither the
|* instance's state nor the arguments.
|*
|* Threads: every function may be called from any thread. Calls on one instance run side by side;
|* methods that write the instance's state wait for each other. An instance must not be destroyed,
|* nor a model closed, while it is in use. Readers and writers of the state wait for each other in
|* turn. A forked child may go on with the instances, on the processor. Signals are never handled on
|* the library's own threads.
\*===----------------------------------------------------------------------===*/
#ifndef TORCHLITE_H
#define TORCHLITE_H

#include "TorchLite/dlpack.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TL_API __attribute__((visibility("default")))
#else
#define TL_API
#endif

/*===-- Status and errors --------------------------------------------------===*/

typedef enum tl_status {
  TL_OK = 0,
  TL_INVALID_ARGUMENT = 1, /* no compiled variant takes these arguments; a wrong result buffer */
  TL_NOT_FOUND = 2,        /* no such method, no such file */
  TL_RAISED = 3,           /* the model raised an exception or a check in it failed */
  TL_OUT_OF_MEMORY = 4,
  TL_INCOMPATIBLE = 5,  /* not a TorchLite library, or one for another version or processor */
  TL_NO_DEVICE = 6,     /* no such device here, or the library has no code for it */
  TL_DEVICE_FAILED = 7, /* a launch or copy on the device failed */
} tl_status;

/* What went wrong, for a person: one line or a few, ending in zero, cut off where too long. */
typedef struct tl_error {
  char message[2048];
} tl_error;

/* The name of a status, such as "invalid argument". */
TL_API const char *tl_status_name(tl_status status);

/* The version of this runtime, such as "0.1.0". */
TL_API const char *tl_version(void);

/*===-- Types --------------------------------------------------------------===*/

typedef enum tl_kind {
  TL_NONE = 0,
  TL_INT = 1,
  TL_FLOAT = 2,
  TL_BOOL = 3,
  TL_STRING = 4,
  TL_TENSOR = 5,
  TL_LIST = 6,
  TL_TUPLE = 7,
  TL_DICT = 8,
} tl_kind;

typedef enum tl_dtype {
  TL_F32 = 0,
  TL_F64 = 1,
  TL_F16 = 2,
  TL_BF16 = 3,
  TL_I8 = 4,
  TL_I16 = 5,
  TL_I32 = 6,
  TL_I64 = 7,
  TL_UI8 = 8,
  TL_I1 = 9, /* bool: one byte, 0 or 1; in arguments any byte that is not 0 is true */
  TL_COMPLEX64 = 10,
  TL_COMPLEX128 = 11,
} tl_dtype;

/* The type of an argument or result, as it was compiled. */
typedef struct tl_type {
  int32_t kind;        /* tl_kind */
  int32_t fixed;       /* 1: int, float, bool and str that may only have the value below; 2: a
                          result, or a part of one, that may be None */
  int32_t dtype;       /* tensor: tl_dtype */
  int32_t count;       /* tensor: rank; list, tuple: number of items; dict: number of pairs; -1: a
                          list of any length, whose items are numbers or tensors of one size; -2:
                          a list or dict of any length. `children`: the item, or key and value */
  const int64_t *dims; /* tensor: `count` sizes, -1 where any size is taken */
  const struct tl_type
      *children;    /* list, tuple: `count` types; dict: key, value, key, value, ...; list of any
                       length: the type of every item, and `dtype` that of its elements */
  int64_t bits;     /* fixed int, bool: the value; fixed float: its bits */
  const char *text; /* fixed str: the value; otherwise null */
} tl_type;

/* Writes a type as `1x3xf32`, `int`, `(f, [g])`, `[int, ...]`, ... Returns the length that the text
   needs without its ending zero; `buffer` may be null when `size` is 0. */
TL_API size_t tl_type_format(const tl_type *type, char *buffer, size_t size);

/*===-- Models and their methods -------------------------------------------===*/

typedef struct tl_model tl_model;
typedef struct tl_method tl_method;

/* Loads a compiled shared library. Fails with TL_NOT_FOUND or TL_INCOMPATIBLE. */
TL_API tl_status tl_model_open(const char *path, const tl_model **model, tl_error *error);

/* Unloads a library that tl_model_open has loaded, after its instances have been destroyed and its
   results cleared. Does nothing for a model that is linked. */
TL_API void tl_model_close(const tl_model *model);

/* The model that is linked into the program or library that calls (the first of several; each
   model's own header declares a function that names it, such as cell_model()). Compiled libraries
   define it; the runtime alone does not. */
TL_API const tl_model *tl_library_model(void);

TL_API const char *tl_model_name(const tl_model *model);
TL_API size_t tl_model_method_count(const tl_model *model);
TL_API const tl_method *tl_model_method(const tl_model *model, size_t index);
/* Null where there is no such method. */
TL_API const tl_method *tl_model_find_method(const tl_model *model, const char *name);

TL_API const char *tl_method_name(const tl_method *method);
/* A method is compiled once or more, for different argument types. A model with state may repeat
   the same types, once for every type that its state takes. */
TL_API size_t tl_method_variant_count(const tl_method *method);
TL_API size_t tl_method_argument_count(const tl_method *method, size_t variant);
TL_API const char *tl_method_argument_name(const tl_method *method, size_t variant, size_t index);
TL_API const tl_type *tl_method_argument_type(const tl_method *method, size_t variant,
                                              size_t index);
TL_API const tl_type *tl_method_result_type(const tl_method *method, size_t variant);
/* Writes `forward(x: ?x3xf32, n: int) -> (?x3xf32, float)`; returns as tl_type_format does. */
TL_API size_t tl_method_format(const tl_method *method, size_t variant, char *buffer, size_t size);

/*===-- Values -------------------------------------------------------------===*/

/* An argument or a result. Make arguments with the functions below. */
typedef struct tl_value {
  int32_t kind;  /* tl_kind */
  int32_t owned; /* 1: `as.items.data` or `as.string.data` is freed by tl_value_clear */
  union {
    int64_t i; /* int */
    double f;  /* float */
    bool b;    /* bool */
    struct {
      const char *data; /* ends in zero */
    } string;
    struct {
      DLTensor *tensor;
      DLManagedTensor *owner; /* null: somebody else owns the tensor */
    } tensor;
    struct {
      struct tl_value *data; /* dict: key, value, key, value, ... */
      size_t count;          /* list, tuple: items; dict: pairs */
    } items;
  } as;
} tl_value;

static inline tl_value tl_none(void) {
  tl_value value;
  value.kind = TL_NONE;
  value.owned = 0;
  value.as.items.data = NULL;
  value.as.items.count = 0;
  return value;
}
static inline tl_value tl_int(int64_t i) {
  tl_value value = tl_none();
  value.kind = TL_INT;
  value.as.i = i;
  return value;
}
static inline tl_value tl_float(double f) {
  tl_value value = tl_none();
  value.kind = TL_FLOAT;
  value.as.f = f;
  return value;
}
static inline tl_value tl_bool(bool b) {
  tl_value value = tl_none();
  value.kind = TL_BOOL;
  value.as.b = b;
  return value;
}
/* The text must live as long as the value. */
static inline tl_value tl_string(const char *text) {
  tl_value value = tl_none();
  value.kind = TL_STRING;
  value.as.string.data = text;
  return value;
}
/* Refers to a tensor without owning it. Any strides and any alignment are taken; tensors that are
   not contiguous or not aligned to their elements are copied for the call. */
static inline tl_value tl_tensor(DLTensor *tensor) {
  tl_value value = tl_none();
  value.kind = TL_TENSOR;
  value.as.tensor.tensor = tensor;
  value.as.tensor.owner = NULL;
  return value;
}
static inline tl_value tl_items(tl_kind kind, tl_value *items, size_t count) {
  tl_value value = tl_none();
  value.kind = kind;
  value.as.items.data = items;
  value.as.items.count = count;
  return value;
}
static inline tl_value tl_list(tl_value *items, size_t count) {
  return tl_items(TL_LIST, items, count);
}
static inline tl_value tl_tuple(tl_value *items, size_t count) {
  return tl_items(TL_TUPLE, items, count);
}
/* `items` holds 2 * `pairs` values: key, value, key, value, ... */
static inline tl_value tl_dict(tl_value *items, size_t pairs) {
  return tl_items(TL_DICT, items, pairs);
}

/* A DLTensor over memory of the caller; `shape` must live as long as the tensor is used. */
static inline DLTensor tl_dltensor(void *data, tl_dtype dtype, int32_t rank, int64_t *shape) {
  static const uint8_t codes[] = {kDLFloat, kDLFloat, kDLFloat, kDLBfloat, kDLInt,     kDLInt,
                                  kDLInt,   kDLInt,   kDLUInt,  kDLBool,   kDLComplex, kDLComplex};
  static const uint8_t bits[] = {32, 64, 16, 16, 8, 16, 32, 64, 8, 8, 64, 128};
  DLTensor tensor;
  tensor.data = data;
  tensor.device.device_type = kDLCPU;
  tensor.device.device_id = 0;
  tensor.ndim = rank;
  tensor.dtype.code = codes[dtype];
  tensor.dtype.bits = bits[dtype];
  tensor.dtype.lanes = 1;
  tensor.shape = shape;
  tensor.strides = NULL;
  tensor.byte_offset = 0;
  return tensor;
}

/* Frees what a value owns and makes it none. */
TL_API void tl_value_clear(tl_value *value);

/* Takes the tensor out of a result, which becomes none: the caller calls its deleter. Null where
   the value is no tensor or does not own it. */
TL_API DLManagedTensor *tl_value_release(tl_value *value);

/* Lets what is queued on `stream` (of the same kind as tl_options.stream) from now on come after
   the calls that have been made on the stream of the instance that the tensor is a result of. Call
   it before the tensor is used on another stream than that one; it does not wait. When the tensor
   is deleted, its memory is used again only after what is queued on `stream` then: the stream must
   exist as long as the tensor. */
TL_API tl_status tl_tensor_order(DLManagedTensor *tensor, void *stream, tl_error *error);

/*===-- Instances and calls ------------------------------------------------===*/

typedef struct tl_instance tl_instance;

/* Where an instance runs. A library holds code for one kind or more. */
typedef enum tl_device {
  TL_DEVICE_DEFAULT = 0, /* the first of the following that the library has code for */
  TL_DEVICE_CPU = 1,
  TL_DEVICE_CUDA = 2,     /* an NVIDIA GPU */
  TL_DEVICE_EMULATED = 3, /* GPU code run by the processor, slowly: to test it without a GPU */
} tl_device;

/* Options that are zero have their defaults. */
typedef struct tl_options {
  /* Threads that one call may use, its own included; 0: as many as the library was compiled for,
     or as the process may run on. The threads are shared by all instances of a library; a call
     that finds them busy runs on its own thread. */
  int32_t threads;
  int32_t device;            /* tl_device */
  int32_t device_id;         /* which GPU, counted from 0 as the CUDA driver counts them */
  int32_t results_on_device; /* 1: results that the runtime allocates are tensors on the GPU
                                (kDLCUDA); 0: in the processor's memory */
  /* A CUDA stream of that GPU (CUstream, cudaStream_t; cudaStreamLegacy for the default stream) for
     all calls, which then follow what is queued there; it must live as long as the instance, and
     not record a graph of the caller's when a call is made. A call waits for the stream only where
     a tensor is in the processor's memory, so that with all tensors on the GPU it returns at once.
     Null: each call that runs at the same time has a stream of its own, tensors on the GPU must be
     ready when the call is made, and the call returns when all is done. */
  void *stream;
} tl_options;

/* Makes an instance with the model's initial state. `options` may be null. Memory for one call is
   allocated here; it grows with the number of calls that run at the same time. On a GPU the weights
   are copied there once for all instances. The driver is loaded here, never before: libcuda.so.1,
   or what the environment variable TORCHLITE_LIBCUDA names. Without a driver or GPU that can be
   used, TL_NO_DEVICE; with a GPU that the code does not suit, TL_INCOMPATIBLE; and another instance
   of the same model can still run on the CPU. */
TL_API tl_status tl_instance_create(const tl_model *model, const tl_options *options,
                                    tl_instance **instance, tl_error *error);
TL_API void tl_instance_destroy(tl_instance *instance);

/* Puts the instance back into its initial state. */
TL_API tl_status tl_instance_reset(tl_instance *instance, tl_error *error);

/* Takes what the program prints: one text a `print`, with its line break; `length` bytes, which are
   not 0-terminated and live until the handler returns. */
typedef void (*tl_print_handler)(void *user, const char *text, size_t length);

/* Sets where the prints of an instance go, `user` being handed over; null: to the standard output,
   as in the beginning. The handler is called on the thread of the call, on several at once if calls
   run at once, in the program's order; it must not call the instance. Not to be set while the
   instance is called. */
TL_API void tl_instance_set_print(tl_instance *instance, tl_print_handler handler, void *user);

/* Seeds the instance's random generator, as torch.manual_seed does PyTorch's: from then on calls
   draw the numbers that PyTorch would draw on the CPU, on a GPU too. Without a seed they differ
   from run to run. Calls that run at the same time draw from the one generator, each operator at
   once; what a call has drawn stays drawn where it fails. tl_instance_reset leaves the generator as
   it is; a forked child goes on with a copy. */
TL_API tl_status tl_instance_seed(tl_instance *instance, uint64_t seed, tl_error *error);

/* Calls a method. The variant is chosen by the number, structure and types of the arguments;
   arguments at the end that the signature fixes may be left out; an int is taken for a float.

   `result` says where the result goes, and must be initialised:
   - none (tl_none()): the result is allocated; free it with tl_value_clear;
   - a value of the result's structure (for one tensor: tl_tensor(&mine)): tensors are written into
     those that are given, which must be contiguous and of the right type and sizes; so a call with
     static shapes allocates nothing. A result of an earlier call may be passed again: its memory is
     used again where the sizes are the same, and replaced where they are not;
   - null: the result is dropped.
   When the call fails, `result` has the structure that it had; given tensors may have been written.

   Arguments that the method writes to (`x.add_(1)`) are changed, after the call has succeeded. Such
   a one may share memory with no other argument, nor with a tensor that is given for a result: that
   is TL_INVALID_ARGUMENT. (A result of an earlier call may be given as both; it gets new memory.)
   The call computes with the default floating-point environment, on all of its threads, and leaves
   the caller's as it was.

   On a GPU, tensors may be in the processor's memory or on that GPU, in any mixture. Those on the
   GPU are used in place where they are contiguous and aligned to 16 bytes, and copied on the GPU
   where they are not. Calls of a method with static shapes are recorded as a CUDA graph when the
   same addresses and scalars come a second time, and replayed from then on. */
TL_API tl_status tl_call(tl_instance *instance, const char *method, const tl_value *arguments,
                         size_t count, tl_value *result, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif /* TORCHLITE_H */
