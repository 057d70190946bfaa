/*===- Driver.h - NVIDIA's driver, loaded when it is first needed -------*- C -*-===*\
|*
|* The part of the CUDA driver API that the runtime uses, declared here so that neither CUDA's
headers
|* nor its libraries are needed to build or to start a program. Types, values and names follow the
|* CUDA Driver API Reference (cuda.h); names ending in _v2 are those that cuda.h's macros stand for.
\*===----------------------------------------------------------------------===*/
#ifndef TORCHLITE_RUNTIME_GPU_DRIVER_H
#define TORCHLITE_RUNTIME_GPU_DRIVER_H

#include "TorchLite.h"

typedef int CUresult;
typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUstream_st *CUstream;
typedef struct CUgraph_st *CUgraph;
typedef struct CUgraphNode_st *CUgraphNode;
typedef struct CUgraphExec_st *CUgraphExec;
typedef struct CUevent_st *CUevent;
typedef int CUstreamCaptureStatus;

enum { /* CUresult */
       CUDA_SUCCESS = 0,
       CUDA_ERROR_OUT_OF_MEMORY = 2,
       CUDA_ERROR_NOT_INITIALIZED = 3,
       CUDA_ERROR_STUB_LIBRARY = 34,
       CUDA_ERROR_DEVICE_UNAVAILABLE = 46,
       CUDA_ERROR_NO_DEVICE = 100,
       CUDA_ERROR_INVALID_DEVICE = 101,
       CUDA_ERROR_NO_BINARY_FOR_GPU = 209,
       CUDA_ERROR_INVALID_PTX = 218,
       CUDA_ERROR_JIT_COMPILER_NOT_FOUND = 221,
       CUDA_ERROR_UNSUPPORTED_PTX_VERSION = 222,
       CUDA_ERROR_ECC_UNCORRECTABLE = 214,
       CUDA_ERROR_ILLEGAL_ADDRESS = 700,
       CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES = 701,
       CUDA_ERROR_LAUNCH_TIMEOUT = 702,
       CUDA_ERROR_ASSERT = 710,
       CUDA_ERROR_HARDWARE_STACK_ERROR = 714,
       CUDA_ERROR_ILLEGAL_INSTRUCTION = 715,
       CUDA_ERROR_MISALIGNED_ADDRESS = 716,
       CUDA_ERROR_INVALID_ADDRESS_SPACE = 717,
       CUDA_ERROR_INVALID_PC = 718,
       CUDA_ERROR_LAUNCH_FAILED = 719,
       CUDA_ERROR_SYSTEM_NOT_READY = 802,
       CUDA_ERROR_SYSTEM_DRIVER_MISMATCH = 803,
       CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE = 804,
       CUDA_ERROR_UNKNOWN = 999,
};
enum { /* CUdevice_attribute */
       CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
       CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76,
       CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN = 97,
       CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED = 115,
};
enum { CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8 }; /* CUfunction_attribute */
enum {                                                        /* CUjit_option */
       CU_JIT_ERROR_LOG_BUFFER = 5,
       CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES = 6,
};
enum { CU_STREAM_NON_BLOCKING = 1 };
enum { CU_EVENT_DISABLE_TIMING = 2 };
enum { CU_STREAM_CAPTURE_STATUS_NONE = 0 };
enum { CU_MEMHOSTALLOC_PORTABLE = 1 };
enum { CU_MEMORYTYPE_DEVICE = 2 };

typedef struct CUDA_KERNEL_NODE_PARAMS {
  CUfunction func;
  unsigned gridDimX, gridDimY, gridDimZ, blockDimX, blockDimY, blockDimZ, sharedMemBytes;
  void **kernelParams, **extra;
} CUDA_KERNEL_NODE_PARAMS;
typedef struct CUDA_MEMCPY3D {
  size_t srcXInBytes, srcY, srcZ, srcLOD;
  int srcMemoryType;
  const void *srcHost;
  CUdeviceptr srcDevice;
  void *srcArray, *reserved0;
  size_t srcPitch, srcHeight, dstXInBytes, dstY, dstZ, dstLOD;
  int dstMemoryType;
  void *dstHost;
  CUdeviceptr dstDevice;
  void *dstArray, *reserved1;
  size_t dstPitch, dstHeight, WidthInBytes, Height, Depth;
} CUDA_MEMCPY3D;

/* X(name in libcuda, arguments): what every driver must have. CUDA 11.0 brought the architecture
   sm_80, so older drivers could not run the kernels anyway. */
#define CUDA_DRIVER_FUNCTIONS(X)                                                                   \
  X(cuInit, unsigned)                                                                              \
  X(cuDriverGetVersion, int *)                                                                     \
  X(cuGetErrorName, CUresult, const char **)                                                       \
  X(cuGetErrorString, CUresult, const char **)                                                     \
  X(cuDeviceGetCount, int *)                                                                       \
  X(cuDeviceGet, CUdevice *, int)                                                                  \
  X(cuDeviceGetName, char *, int, CUdevice)                                                        \
  X(cuDeviceGetAttribute, int *, int, CUdevice)                                                    \
  X(cuDevicePrimaryCtxRetain, CUcontext *, CUdevice)                                               \
  X(cuDevicePrimaryCtxRelease_v2, CUdevice)                                                        \
  X(cuCtxGetCurrent, CUcontext *)                                                                  \
  X(cuCtxPushCurrent_v2, CUcontext)                                                                \
  X(cuCtxPopCurrent_v2, CUcontext *)                                                               \
  X(cuCtxSynchronize, void)                                                                        \
  X(cuModuleLoadDataEx, CUmodule *, const void *, unsigned, int *, void **)                        \
  X(cuModuleUnload, CUmodule)                                                                      \
  X(cuModuleGetFunction, CUfunction *, CUmodule, const char *)                                     \
  X(cuFuncSetAttribute, CUfunction, int, int)                                                      \
  X(cuLaunchKernel, CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,        \
    unsigned, CUstream, void **, void **)                                                          \
  X(cuStreamCreate, CUstream *, unsigned)                                                          \
  X(cuEventCreate, CUevent *, unsigned)                                                            \
  X(cuEventRecord, CUevent, CUstream)                                                              \
  X(cuEventDestroy_v2, CUevent)                                                                    \
  X(cuStreamWaitEvent, CUstream, CUevent, unsigned)                                                \
  X(cuStreamDestroy_v2, CUstream)                                                                  \
  X(cuStreamSynchronize, CUstream)                                                                 \
  X(cuMemAlloc_v2, CUdeviceptr *, size_t)                                                          \
  X(cuMemFree_v2, CUdeviceptr)                                                                     \
  X(cuMemHostAlloc, void **, size_t, unsigned)                                                     \
  X(cuMemFreeHost, void *)                                                                         \
  X(cuMemGetInfo_v2, size_t *, size_t *)                                                           \
  X(cuMemcpyHtoDAsync_v2, CUdeviceptr, const void *, size_t, CUstream)                             \
  X(cuMemcpyDtoHAsync_v2, void *, CUdeviceptr, size_t, CUstream)                                   \
  X(cuMemcpyDtoDAsync_v2, CUdeviceptr, CUdeviceptr, size_t, CUstream)

/* What later drivers have (CUDA 11.2 and 11.4); null without it. */
#define CUDA_DRIVER_OPTIONAL_FUNCTIONS(X)                                                          \
  X(cuMemAllocAsync, CUdeviceptr *, size_t, CUstream)                                              \
  X(cuMemFreeAsync, CUdeviceptr, CUstream)                                                         \
  X(cuStreamIsCapturing, CUstream, CUstreamCaptureStatus *)                                        \
  X(cuGraphCreate, CUgraph *, unsigned)                                                            \
  X(cuGraphAddKernelNode, CUgraphNode *, CUgraph, const CUgraphNode *, size_t,                     \
    const CUDA_KERNEL_NODE_PARAMS *)                                                               \
  X(cuGraphAddMemcpyNode, CUgraphNode *, CUgraph, const CUgraphNode *, size_t,                     \
    const CUDA_MEMCPY3D *, CUcontext)                                                              \
  X(cuGraphInstantiateWithFlags, CUgraphExec *, CUgraph, unsigned long long)                       \
  X(cuGraphLaunch, CUgraphExec, CUstream)                                                          \
  X(cuGraphDestroy, CUgraph)                                                                       \
  X(cuGraphExecDestroy, CUgraphExec)

typedef struct tl_driver {
#define X(name, ...) CUresult (*name)(__VA_ARGS__);
  CUDA_DRIVER_FUNCTIONS(X)
  CUDA_DRIVER_OPTIONAL_FUNCTIONS(X)
#undef X
  int version; /* 1000 * major + 10 * minor of the CUDA version that it supports */
  int device_count;
} tl_driver;

/* The driver, initialised; null with a message where there is none that works. It is looked for
   again until it has been found, and then kept. The environment variable TORCHLITE_LIBCUDA names
   another library than libcuda.so.1. */
const tl_driver *tl_driver_get(tl_error *error);

/* Writes `what: NAME (text); what to do` and returns the status that fits. */
tl_status tl_driver_fail(const tl_driver *driver, CUresult result, tl_error *error,
                         const char *what, ...) __attribute__((format(printf, 4, 5)));

#endif /* TORCHLITE_RUNTIME_GPU_DRIVER_H */
