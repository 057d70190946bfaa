/*===- Cuda.h - Shared by the CUDA backend's sources --------------------*- C -*-===*/
#ifndef TORCHLITE_RUNTIME_GPU_CUDA_H
#define TORCHLITE_RUNTIME_GPU_CUDA_H

#include "Driver.h"
#include "Internal.h"

/* Dynamic shared memory that a kernel has without asking for more. */
#define SHARED_MEMORY_DEFAULT (48 << 10)

struct tl_gpu_device {
  tl_gpu_device *next;
  const tl_gpu_code *code;
  const tl_gpu_set *set; /* of kernels, which the device runs */
  const tl_driver *driver;
  int32_t number;
  int references;
  CUdevice device;
  CUcontext context; /* null: not retained */
  CUmodule module, copier_module;
  CUfunction copier; /* of strided tensors; null: not loaded */
  CUfunction *functions;
  atomic_int *shared_limits; /* by kernel: the dynamic shared memory that it may have */
  CUdeviceptr weights;
  int major, minor, shared_memory;
  bool pools; /* memory can be allocated in the order of a stream */
  char name[128];
};

struct tl_gpu_stream {
  tl_gpu_device *device;
  CUstream queue;   /* where the caller's order is */
  CUgraph graph;    /* that launches and copies go into; null: they run */
  CUgraphNode last; /* of the graph; null: it is empty */
  bool owned;
};

/*===-- Contexts -----------------------------------------------------------===*/

/* Makes the context current; *pushed says whether that was needed. */
static inline CUresult tl_cuda_enter(const tl_gpu_device *it, bool *pushed) {
  CUcontext current = NULL;
  *pushed = it->driver->cuCtxGetCurrent(&current) || current != it->context;
  return *pushed ? it->driver->cuCtxPushCurrent_v2(it->context) : CUDA_SUCCESS;
}

static inline void tl_cuda_leave(const tl_gpu_device *it, bool pushed) {
  CUcontext context;
  if (pushed)
    it->driver->cuCtxPopCurrent_v2(&context);
}

/* `result = call` in the device's context. */
#define IN_CONTEXT(device, result, call)                                                           \
  do {                                                                                             \
    bool pushed_;                                                                                  \
    result = tl_cuda_enter(device, &pushed_);                                                      \
    if (!result) {                                                                                 \
      result = (call);                                                                             \
      tl_cuda_leave(device, pushed_);                                                              \
    }                                                                                              \
  } while (0)

/*===-- CudaDevice.c -------------------------------------------------------===*/

tl_status tl_cuda_open(const tl_gpu_code *code, int32_t number, tl_gpu_device **result,
                       tl_error *error);
void tl_cuda_close(tl_gpu_device *it);
int32_t tl_cuda_set(tl_gpu_device *it);
const void *tl_cuda_weights(tl_gpu_device *it);

/*===-- CudaGraph.c --------------------------------------------------------===*/

bool tl_cuda_has_graphs(const tl_driver *driver);
tl_status tl_cuda_graph_begin(tl_gpu_stream *stream, tl_error *error);
/* With the context current. */
CUresult tl_cuda_graph_launch_node(tl_gpu_stream *stream, const CUDA_KERNEL_NODE_PARAMS *launch);
CUresult tl_cuda_graph_copy_node(tl_gpu_stream *stream, CUdeviceptr to, CUdeviceptr from,
                                 size_t bytes);
tl_status tl_cuda_graph_end(tl_gpu_stream *stream, void **graph, tl_error *error);
tl_status tl_cuda_graph_launch(tl_gpu_stream *stream, void *graph, tl_error *error);
void tl_cuda_graph_destroy(tl_gpu_stream *stream, void *graph);

/*===-- CudaStrided.c ------------------------------------------------------===*/

extern const char tl_cuda_strided_ptx[];
tl_status tl_cuda_copy_strided(tl_gpu_stream *stream, void *contiguous, const tl_strided *tensor,
                               bool scatters, tl_error *error);

#endif /* TORCHLITE_RUNTIME_GPU_CUDA_H */
