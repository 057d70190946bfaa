/*===- Gpu.h - What runs a model's kernels ----------------------------*- C -*-===*\
|*
|* The interface between the runtime and a backend: CUDA's driver (libTorchLiteCuda.a), or the
|* emulator (libTorchLiteEmulator.a). Only libraries with code for a GPU link a backend, by naming
it
|* in tl_gpu_code. Internal: programs use TorchLite.h.
|*
|* Functions may be called from any thread; those of one stream by one thread at a time. Errors are
|* values: `error` may be null, and nothing ends the process. Memory is given by its address on the
|* device, which the host may not dereference.
\*===----------------------------------------------------------------------===*/
#ifndef TORCHLITE_RUNTIME_GPU_H
#define TORCHLITE_RUNTIME_GPU_H

#include "TorchLite/Runtime/Descriptor.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An opened device with the model's code and weights. */
typedef struct tl_gpu_device tl_gpu_device;
/* A queue of launches and copies, which run in order. */
typedef struct tl_gpu_stream tl_gpu_stream;

/* The kinds of tl_gpu_backend's copy. */
enum { TL_COPY_TO_DEVICE = 0, TL_COPY_TO_HOST = 1, TL_COPY_ON_DEVICE = 2 };

/* A tensor in device memory; strides in elements. */
typedef struct tl_strided {
  void *data;
  int32_t rank;
  bool booleans; /* of any byte: they arrive as 0 and 1 */
  int64_t element_bytes;
  const int64_t *sizes, *strides;
} tl_strided;

typedef struct tl_gpu_backend {
  const char *name; /* as --device takes it: "cuda", "emulated" */

  /* Opens device number `device`, loads the image that suits it best, and copies the weights there.
     A second opening of the same code on the same device gives the same object; each needs a close.
     TL_NO_DEVICE, TL_INCOMPATIBLE or TL_OUT_OF_MEMORY with a message that says what to do. */
  tl_status (*open)(const tl_gpu_code *code, int32_t device, tl_gpu_device **result,
                    tl_error *error);
  void (*close)(tl_gpu_device *device);
  /* The number of the set of kernels that it has chosen (tl_gpu_code). */
  int32_t (*set)(tl_gpu_device *device);
  /* The address of the weights on the device; aligned to 256 bytes. */
  const void *(*weights)(tl_gpu_device *device);

  /* A stream; `callers_stream`, where not null, is the backend's own kind of stream to queue on. */
  tl_status (*stream_create)(tl_gpu_device *device, void *callers_stream, tl_gpu_stream **result,
                             tl_error *error);
  /* Waits for what is queued. Not the caller's stream, which is left as it is. */
  void (*stream_destroy)(tl_gpu_stream *stream);

  /* Memory, aligned to 256 bytes, that may be used by what is queued on the stream from now on;
     null: out of memory. It may be freed on any stream of the device: what is queued on that one
     before still uses it. */
  void *(*alloc)(tl_gpu_stream *stream, int64_t bytes);
  void (*free)(tl_gpu_stream *stream, void *memory);

  /* As tl_rt_launch. */
  tl_status (*launch)(tl_gpu_stream *stream, int32_t kernel, const int64_t grid[3],
                      const int64_t block[3], int64_t shared_bytes, void **params, tl_error *error);
  /* Queues a copy. Host memory must stay as it is until the stream has been waited for. */
  tl_status (*copy)(tl_gpu_stream *stream, void *to, const void *from, int64_t bytes, int kind,
                    tl_error *error);
  /* Waits for what is queued; an error of anything that was queued may come out here. */
  tl_status (*synchronize)(tl_gpu_stream *stream, tl_error *error);

  /* Graphs: all null where the backend has none. Between begin and end, launches and copies on the
     stream go into the graph instead, where each comes after the one before; no copies from or to
     the host. graph_end may fail without harm: *graph is null then. */
  tl_status (*graph_begin)(tl_gpu_stream *stream, tl_error *error);
  tl_status (*graph_end)(tl_gpu_stream *stream, void **graph, tl_error *error);
  tl_status (*graph_launch)(tl_gpu_stream *stream, void *graph, tl_error *error);
  void (*graph_destroy)(tl_gpu_stream *stream, void *graph);

  /* ---- may be left out ---- */

  /* DLPack's type of the device whose tensors calls take and give in place: kDLCUDA. 0: none, all
     tensors are in host memory (the emulator). */
  int32_t device_type;
  /* Host memory that copies reach faster; null: the runtime uses its own. */
  void *(*host_alloc)(tl_gpu_device *device, int64_t bytes);
  void (*host_free)(tl_gpu_device *device, void *memory);
  /* Queues a copy of a strided tensor of the device to contiguous memory there, or back. Null where
     device_type is 0. */
  tl_status (*copy_strided)(tl_gpu_stream *stream, void *contiguous, const tl_strided *tensor,
                            bool scatters, tl_error *error);
  /* Bytes that are free and that there are, for messages; null: unknown. */
  void (*memory_info)(tl_gpu_device *device, int64_t *free_bytes, int64_t *total_bytes);
  /* Whether calls may queue work on the caller's stream now, a clear error where not: not while the
     caller records a graph there. Null: always. */
  tl_status (*ready)(tl_gpu_device *device, void *callers_stream, tl_error *error);
  /* What is queued on `consumer`, a stream of the backend's own kind, from now on runs after what
     is queued on `stream`. Null: nothing is ever pending. */
  tl_status (*order)(tl_gpu_stream *stream, void *consumer, tl_error *error);
  /* The other way round, without waiting; false: that is not possible now, as while `other` records
     a graph. Null: nothing is ever pending. */
  bool (*follow)(tl_gpu_stream *stream, void *other);
} tl_gpu_backend;

/* In libTorchLiteCuda.a. */
extern const tl_gpu_backend tl_gpu_cuda;
/* In libTorchLiteEmulator.a. */
extern const tl_gpu_backend tl_gpu_emulated;

#ifdef __cplusplus
}
#endif
#endif /* TORCHLITE_RUNTIME_GPU_H */
