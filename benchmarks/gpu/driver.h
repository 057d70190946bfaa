/*===- driver.h - What timing asks of the GPU's driver -----------------------------===*\
|*
|* A few functions of CUDA's driver API (see its reference manual), found when they are first
needed, and
|* the yardsticks that times are held against.
\*===----------------------------------------------------------------------===*/
#ifndef TORCHLITE_BENCHMARKS_GPU_DRIVER_H
#define TORCHLITE_BENCHMARKS_GPU_DRIVER_H

#include <stdbool.h>
#include <stddef.h>

/* Types, values and names follow the CUDA Driver API Reference (cuda.h). */
typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
typedef void *CUcontext, *CUstream, *CUevent;
enum {
  CU_DEVICE_ATTRIBUTE_CLOCK_RATE = 13, /* kHz, the highest */
  CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76,
};
enum { CU_EVENT_DEFAULT = 0, CU_STREAM_NON_BLOCKING = 1 };

/* X(name in libcuda, arguments) */
#define DRIVER_FUNCTIONS(X)                                                                        \
  X(cuInit, unsigned)                                                                              \
  X(cuDriverGetVersion, int *)                                                                     \
  X(cuDeviceGet, CUdevice *, int)                                                                  \
  X(cuDeviceGetName, char *, int, CUdevice)                                                        \
  X(cuDeviceGetAttribute, int *, int, CUdevice)                                                    \
  X(cuDeviceTotalMem_v2, size_t *, CUdevice)                                                       \
  X(cuDevicePrimaryCtxRetain, CUcontext *, CUdevice)                                               \
  X(cuCtxSetCurrent, CUcontext)                                                                    \
  X(cuMemAlloc_v2, CUdeviceptr *, size_t)                                                          \
  X(cuMemFree_v2, CUdeviceptr)                                                                     \
  X(cuMemcpyHtoD_v2, CUdeviceptr, const void *, size_t)                                            \
  X(cuMemcpyDtoDAsync_v2, CUdeviceptr, CUdeviceptr, size_t, CUstream)                              \
  X(cuStreamCreate, CUstream *, unsigned)                                                          \
  X(cuStreamSynchronize, CUstream)                                                                 \
  X(cuEventCreate, CUevent *, unsigned)                                                            \
  X(cuEventRecord, CUevent, CUstream)                                                              \
  X(cuEventDestroy_v2, CUevent)

struct driver {
#define DECLARE(name, ...) int (*name)(__VA_ARGS__);
  DRIVER_FUNCTIONS(DECLARE)
#undef DECLARE
  int (*cuEventElapsedTime)(float *, CUevent, CUevent);
};
extern struct driver cu;

/* Opens the driver and makes GPU `number` current; returns what is wrong, or null. */
const char *openDriver(int number, int *device);

/* What the GPU could do at most. */
typedef struct yardsticks {
  char name[128];
  double copy; /* bytes per second that a large copy on the device reads and writes */
  /* Operations per second, from the number of units and their highest clock; 0: unknown, or the
     architecture has no such units. */
  double f32, tf32, f16, bf16;
} yardsticks;

/* Prints one line about the GPU; the exit status. */
int probe(int number);
/* Measures and computes them. On the processor (`stream` null) the copy is one of memory, and
   nothing else is known. False: the GPU has no memory for it, or fails. */
bool measureYardsticks(yardsticks *result, int device, void *stream);
/* The operations per second that a precision ("f32", "tf32", "f16", "bf16") is held against. */
double peakOf(const yardsticks *it, const char *precision);

double now(void); /* seconds */

#endif
