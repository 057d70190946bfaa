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
  CUmodule module;
  CUfunction *functions;
  atomic_int *shared_limits; /* by kernel: the dynamic shared memory that it may have */
  CUdeviceptr weights;
  int major, minor, shared_memory;
  bool pools; /* memory can be allocated in the order of a stream */
  char name[128];
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

#endif /* TORCHLITE_RUNTIME_GPU_CUDA_H */
