/*===- Cuda.c - Kernels on NVIDIA GPUs ------------------------------------------===*\
|*
|* A device is opened once for each model: it holds the model's module and weights, and all instances
|* share it. Everything happens in the device's primary context, which the process's other users of
|* CUDA share as well, and which is current only while one of these functions runs.
\*===----------------------------------------------------------------------===*/
#include "Driver.h"
#include "Internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Dynamic shared memory that a kernel has without asking for more. */
#define SHARED_MEMORY_DEFAULT (48 << 10)

struct tl_gpu_device {
  tl_gpu_device *next;
  const tl_gpu_code *code;
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

struct tl_gpu_stream {
  tl_gpu_device *device;
  CUstream queue;   /* where the caller's order is */
  CUstream capture; /* a stream of our own to record on: nobody else's work gets into the graph */
  CUstream active;  /* one of them */
  bool owned;
};

static pthread_mutex_t devices_lock = PTHREAD_MUTEX_INITIALIZER;
static tl_gpu_device *devices; /* the open ones */

/*===-- Contexts -----------------------------------------------------------===*/

/* Makes the context current; *pushed says whether that was needed. */
static CUresult enter(const tl_gpu_device *it, bool *pushed) {
  CUcontext current = NULL;
  *pushed = it->driver->cuCtxGetCurrent(&current) || current != it->context;
  return *pushed ? it->driver->cuCtxPushCurrent_v2(it->context) : CUDA_SUCCESS;
}

static void leave(const tl_gpu_device *it, bool pushed) {
  CUcontext context;
  if (pushed)
    it->driver->cuCtxPopCurrent_v2(&context);
}

/* `result = call` in the device's context. */
#define IN_CONTEXT(device, result, call)                                                           \
  do {                                                                                             \
    bool pushed_;                                                                                  \
    result = enter(device, &pushed_);                                                              \
    if (!result) {                                                                                 \
      result = (call);                                                                             \
      leave(device, pushed_);                                                                      \
    }                                                                                              \
  } while (0)

/*===-- Images -------------------------------------------------------------===*/

/* How well an image suits the device: 0 not at all; compiled code is better than PTX, and code for
   a newer architecture better than for an older one. */
static int suitability(const tl_gpu_device *it, const tl_gpu_image *image) {
  int arch = 10 * it->major + it->minor;
  if (image->arch > arch)
    return 0;
  if (image->kind == TL_IMAGE_PTX)
    return 1 + image->arch;
  return image->arch / 10 == it->major ? 10000 + image->arch : 0;
}

static void addImages(tl_text *text, const tl_gpu_code *code) {
  for (int64_t i = 0; i < code->image_count; ++i)
    tl_text_add(text, "%ssm_%d%s", i ? ", " : "", (int)code->images[i].arch,
                code->images[i].kind == TL_IMAGE_PTX ? " (PTX)" : "");
}

static tl_status noImage(const tl_gpu_device *it, tl_error *error) {
  char images[256] = "";
  tl_text text = {images, sizeof images, 0};
  addImages(&text, it->code);
  bool too_old = true;
  for (int64_t i = 0; i < it->code->image_count; ++i)
    too_old &= it->code->images[i].arch > 10 * it->major + it->minor;
  if (too_old)
    return tl_fail(error, TL_INCOMPATIBLE,
                   "cuda:%d: %s is too old a GPU: it has compute capability %d.%d, and the model is "
                   "compiled for %s; kernels need %d.%d at least",
                   (int)it->number, it->name, it->major, it->minor, images,
                   (int)it->code->arch / 10, (int)it->code->arch % 10);
  return tl_fail(error, TL_INCOMPATIBLE,
                 "cuda:%d: the model is compiled for %s, which %s of compute capability %d.%d cannot "
                 "run; compile it with --cuda-arch=sm_%d%d",
                 (int)it->number, images, it->name, it->major, it->minor, it->major, it->minor);
}

static tl_status loadImage(tl_gpu_device *it, const tl_gpu_image *image, tl_error *error) {
  char log[1024] = "";
  int options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, (void *)(uintptr_t)(sizeof log - 1)};
  CUresult result = it->driver->cuModuleLoadDataEx(&it->module, image->data, 2, options, values);
  if (!result)
    return TL_OK;
  it->module = NULL;
  return tl_driver_fail(it->driver, result, error,
                        "cuda:%d: loading the kernels for sm_%d%s into %s of compute capability "
                        "%d.%d%s%s",
                        (int)it->number, (int)image->arch,
                        image->kind == TL_IMAGE_PTX ? " (PTX)" : "", it->name, it->major, it->minor,
                        log[0] ? ": " : "", log);
}

/* Loads the best image that the driver takes. The message is that of the best. */
static tl_status loadModule(tl_gpu_device *it, tl_error *error) {
  tl_status status = TL_OK;
  for (int before = INT_MAX;;) {
    const tl_gpu_image *best = NULL;
    for (int64_t i = 0; i < it->code->image_count; ++i) {
      const tl_gpu_image *image = &it->code->images[i];
      int suits = suitability(it, image);
      if (suits && suits < before && (!best || suits > suitability(it, best)))
        best = image;
    }
    if (!best)
      return status ? status : noImage(it, error);
    before = suitability(it, best);
    tl_status failure = loadImage(it, best, status ? NULL : error);
    if (!failure)
      return TL_OK;
    status = status ? status : failure;
  }
}

static tl_status findKernels(tl_gpu_device *it, tl_error *error) {
  int64_t count = it->code->kernel_count;
  it->functions = calloc((size_t)count + 1, sizeof *it->functions);
  it->shared_limits = calloc((size_t)count + 1, sizeof *it->shared_limits);
  if (!it->functions || !it->shared_limits)
    return tl_fail(error, TL_OUT_OF_MEMORY, "cuda:%d: out of memory", (int)it->number);
  for (int64_t i = 0; i < count; ++i) {
    CUresult result =
        it->driver->cuModuleGetFunction(&it->functions[i], it->module, it->code->kernels[i]);
    if (result)
      return tl_driver_fail(it->driver, result, error, "cuda:%d: looking for the kernel '%s'",
                            (int)it->number, it->code->kernels[i]);
    atomic_init(&it->shared_limits[i], SHARED_MEMORY_DEFAULT);
  }
  return TL_OK;
}

static tl_status uploadWeights(tl_gpu_device *it, tl_error *error) {
  int64_t bytes = it->code->weights_bytes;
  CUresult result = it->driver->cuMemAlloc_v2(&it->weights, bytes ? (size_t)bytes : 1);
  if (result) {
    it->weights = 0;
    size_t unused = 0, total = 0;
    it->driver->cuMemGetInfo_v2(&unused, &total);
    return tl_driver_fail(it->driver, result, error,
                          "cuda:%d: out of memory for the weights of %lld bytes; %zu of %zu bytes "
                          "are free",
                          (int)it->number, (long long)bytes, unused, total);
  }
  if (!bytes)
    return TL_OK;
  CUstream stream;
  result = it->driver->cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING);
  if (!result) {
    result = it->driver->cuMemcpyHtoDAsync_v2(it->weights, it->code->weights, (size_t)bytes, stream);
    CUresult done = it->driver->cuStreamSynchronize(stream);
    result = result ? result : done;
    it->driver->cuStreamDestroy_v2(stream);
  }
  return result ? tl_driver_fail(it->driver, result, error, "cuda:%d: copying the weights",
                                 (int)it->number)
                : TL_OK;
}

/*===-- Devices ------------------------------------------------------------===*/

static void destroyDevice(tl_gpu_device *it) {
  bool pushed;
  if (it->context && enter(it, &pushed) == CUDA_SUCCESS) {
    if (it->weights)
      it->driver->cuMemFree_v2(it->weights);
    if (it->module)
      it->driver->cuModuleUnload(it->module);
    leave(it, pushed);
  }
  if (it->context)
    it->driver->cuDevicePrimaryCtxRelease_v2(it->device);
  free(it->functions);
  free(it->shared_limits);
  free(it);
}

static tl_status findDevice(tl_gpu_device *it, tl_error *error) {
  const tl_driver *driver = it->driver;
  if (it->number < 0 || it->number >= driver->device_count)
    return driver->device_count == 1
               ? tl_fail(error, TL_NO_DEVICE, "there is no cuda:%d here, only cuda:0",
                         (int)it->number)
               : tl_fail(error, TL_NO_DEVICE, "there is no cuda:%d here, only cuda:0 to cuda:%d",
                         (int)it->number, driver->device_count - 1);
  CUresult result = driver->cuDeviceGet(&it->device, it->number);
  if (!result)
    result = driver->cuDeviceGetName(it->name, sizeof it->name, it->device);
  int pools = 0;
  const struct {
    int attribute, *value;
  } wanted[] = {{CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, &it->major},
                {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, &it->minor},
                {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, &it->shared_memory}};
  for (size_t i = 0; !result && i < sizeof wanted / sizeof *wanted; ++i)
    result = driver->cuDeviceGetAttribute(wanted[i].value, wanted[i].attribute, it->device);
  if (result)
    return tl_driver_fail(driver, result, error, "cuda:%d: asking for its properties",
                          (int)it->number);
  /* Drivers before CUDA 11.2 do not know this attribute. */
  it->pools = driver->cuMemAllocAsync && driver->cuMemFreeAsync &&
              !driver->cuDeviceGetAttribute(&pools, CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED,
                                            it->device) &&
              pools;
  return TL_OK;
}

static tl_status openDevice(tl_gpu_device *it, tl_error *error) {
  tl_status status = findDevice(it, error);
  if (status)
    return status;
  CUresult result = it->driver->cuDevicePrimaryCtxRetain(&it->context, it->device);
  bool pushed = false;
  if (result)
    it->context = NULL;
  else
    result = enter(it, &pushed);
  if (result)
    return tl_driver_fail(it->driver, result, error, "cuda:%d: making a context on %s",
                          (int)it->number, it->name);
  status = loadModule(it, error);
  if (!status)
    status = findKernels(it, error);
  if (!status)
    status = uploadWeights(it, error);
  leave(it, pushed);
  return status;
}

static tl_status cudaOpen(const tl_gpu_code *code, int32_t number, tl_gpu_device **result,
                          tl_error *error) {
  const tl_driver *driver = tl_driver_get(error);
  if (!driver)
    return TL_NO_DEVICE;
  tl_status status = TL_OK;
  pthread_mutex_lock(&devices_lock);
  tl_gpu_device *it = devices;
  while (it && (it->code != code || it->number != number))
    it = it->next;
  if (it) {
    ++it->references;
  } else if (!(it = calloc(1, sizeof *it))) {
    status = tl_fail(error, TL_OUT_OF_MEMORY, "cuda:%d: out of memory", (int)number);
  } else {
    it->code = code;
    it->driver = driver;
    it->number = number;
    it->references = 1;
    status = openDevice(it, error);
    if (status) {
      destroyDevice(it);
    } else {
      it->next = devices;
      devices = it;
    }
  }
  pthread_mutex_unlock(&devices_lock);
  if (!status)
    *result = it;
  return status;
}

static void cudaClose(tl_gpu_device *it) {
  pthread_mutex_lock(&devices_lock);
  if (--it->references == 0) {
    tl_gpu_device **at = &devices;
    while (*at != it)
      at = &(*at)->next;
    *at = it->next;
    destroyDevice(it);
  }
  pthread_mutex_unlock(&devices_lock);
}

static const void *cudaWeights(tl_gpu_device *it) { return (const void *)(uintptr_t)it->weights; }

/*===-- Streams and memory -------------------------------------------------===*/

static tl_status cudaStreamCreate(tl_gpu_device *it, void *callers_stream, tl_gpu_stream **result,
                                  tl_error *error) {
  tl_gpu_stream *stream = calloc(1, sizeof *stream);
  if (!stream)
    return tl_fail(error, TL_OUT_OF_MEMORY, "cuda:%d: out of memory", (int)it->number);
  stream->device = it;
  stream->queue = callers_stream;
  stream->owned = !callers_stream;
  CUresult status = CUDA_SUCCESS;
  if (stream->owned)
    IN_CONTEXT(it, status, it->driver->cuStreamCreate(&stream->queue, CU_STREAM_NON_BLOCKING));
  if (status) {
    free(stream);
    return tl_driver_fail(it->driver, status, error, "cuda:%d: making a stream", (int)it->number);
  }
  stream->active = stream->queue;
  *result = stream;
  return TL_OK;
}

static void cudaStreamDestroy(tl_gpu_stream *stream) {
  const tl_gpu_device *it = stream->device;
  bool pushed;
  if (enter(it, &pushed) == CUDA_SUCCESS) {
    it->driver->cuStreamSynchronize(stream->queue);
    if (stream->capture)
      it->driver->cuStreamDestroy_v2(stream->capture);
    if (stream->owned)
      it->driver->cuStreamDestroy_v2(stream->queue);
    leave(it, pushed);
  }
  free(stream);
}

static void *cudaAlloc(tl_gpu_stream *stream, int64_t bytes) {
  const tl_gpu_device *it = stream->device;
  CUdeviceptr memory = 0;
  CUresult result;
  size_t size = bytes ? (size_t)bytes : 1;
  if (it->pools)
    IN_CONTEXT(it, result, it->driver->cuMemAllocAsync(&memory, size, stream->queue));
  else
    IN_CONTEXT(it, result, it->driver->cuMemAlloc_v2(&memory, size));
  return result ? NULL : (void *)(uintptr_t)memory;
}

static void cudaFree(tl_gpu_stream *stream, void *memory) {
  const tl_gpu_device *it = stream->device;
  CUdeviceptr address = (CUdeviceptr)(uintptr_t)memory;
  CUresult result;
  if (it->pools)
    IN_CONTEXT(it, result, it->driver->cuMemFreeAsync(address, stream->queue));
  else
    IN_CONTEXT(it, result, it->driver->cuMemFree_v2(address)); /* waits for the device */
  (void)result;
}

static void cudaWait(tl_gpu_device *it) {
  CUresult result;
  IN_CONTEXT(it, result, it->driver->cuCtxSynchronize());
  (void)result;
}

static void *cudaHostAlloc(tl_gpu_device *it, int64_t bytes) {
  void *memory = NULL;
  CUresult result;
  IN_CONTEXT(it, result,
             it->driver->cuMemHostAlloc(&memory, (size_t)bytes, CU_MEMHOSTALLOC_PORTABLE));
  return result ? NULL : memory;
}

static void cudaHostFree(tl_gpu_device *it, void *memory) {
  CUresult result;
  IN_CONTEXT(it, result, it->driver->cuMemFreeHost(memory));
  (void)result;
}

static void cudaMemoryInfo(tl_gpu_device *it, int64_t *free_bytes, int64_t *total_bytes) {
  size_t unused = 0, total = 0;
  CUresult result;
  IN_CONTEXT(it, result, it->driver->cuMemGetInfo_v2(&unused, &total));
  if (result)
    return;
  *free_bytes = (int64_t)unused;
  *total_bytes = (int64_t)total;
}

/*===-- Launches and copies ------------------------------------------------===*/

/* Lets a kernel have more dynamic shared memory than every kernel may have. */
static tl_status allowShared(tl_gpu_device *it, int32_t kernel, int64_t bytes, tl_error *error) {
  if (bytes <= atomic_load_explicit(&it->shared_limits[kernel], memory_order_relaxed))
    return TL_OK;
  if (bytes > it->shared_memory)
    return tl_fail(error, TL_INCOMPATIBLE,
                   "cuda:%d: the kernel '%s' needs %lld bytes of shared memory, and %s has %d; "
                   "compile the model for sm_%d%d (--cuda-arch)",
                   (int)it->number, it->code->kernels[kernel], (long long)bytes, it->name,
                   it->shared_memory, it->major, it->minor);
  /* All that there is: threads that raise it side by side must not lower it again. */
  CUresult result;
  IN_CONTEXT(it, result,
             it->driver->cuFuncSetAttribute(it->functions[kernel],
                                            CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                                            it->shared_memory));
  if (result)
    return tl_driver_fail(it->driver, result, error,
                          "cuda:%d: giving the kernel '%s' %d bytes of shared memory",
                          (int)it->number, it->code->kernels[kernel], it->shared_memory);
  atomic_store_explicit(&it->shared_limits[kernel], it->shared_memory, memory_order_relaxed);
  return TL_OK;
}

static tl_status cudaLaunch(tl_gpu_stream *stream, int32_t kernel, const int64_t grid[3],
                            const int64_t block[3], int64_t shared_bytes, void **params,
                            tl_error *error) {
  /* CUDA's limits for every architecture that is supported. */
  static const int64_t grid_limits[3] = {INT32_MAX, 65535, 65535}, block_limits[3] = {1024, 1024, 64};
  static const char axes[] = "xyz";
  tl_gpu_device *it = stream->device;
  if (kernel < 0 || kernel >= it->code->kernel_count)
    return tl_fail(error, TL_INCOMPATIBLE, "cuda:%d: the model has no kernel %d", (int)it->number,
                   (int)kernel);
  for (int i = 0; i < 3; ++i) {
    if (grid[i] == 0)
      return TL_OK;
    if (grid[i] < 0 || grid[i] > grid_limits[i] || block[i] < 1 || block[i] > block_limits[i])
      return tl_fail(error, TL_DEVICE_FAILED,
                     "cuda:%d: the kernel '%s' cannot be launched with %lld blocks of %lld threads "
                     "along %c: tensors of these sizes are too large for it",
                     (int)it->number, it->code->kernels[kernel], (long long)grid[i],
                     (long long)block[i], axes[i]);
  }
  tl_status status = allowShared(it, kernel, shared_bytes, error);
  if (status)
    return status;
  CUresult result;
  IN_CONTEXT(it, result,
             it->driver->cuLaunchKernel(it->functions[kernel], (unsigned)grid[0], (unsigned)grid[1],
                                        (unsigned)grid[2], (unsigned)block[0], (unsigned)block[1],
                                        (unsigned)block[2], (unsigned)shared_bytes, stream->active,
                                        params, NULL));
  if (!result)
    return TL_OK;
  return tl_driver_fail(it->driver, result, error,
                        "cuda:%d: launching the kernel '%s' (%lldx%lldx%lld blocks of "
                        "%lldx%lldx%lld threads, %lld bytes of shared memory)",
                        (int)it->number, it->code->kernels[kernel], (long long)grid[0],
                        (long long)grid[1], (long long)grid[2], (long long)block[0],
                        (long long)block[1], (long long)block[2], (long long)shared_bytes);
}

static tl_status cudaCopy(tl_gpu_stream *stream, void *to, const void *from, int64_t bytes, int kind,
                          tl_error *error) {
  static const char *const ways[] = {"to the device", "to the host", "on the device"};
  const tl_gpu_device *it = stream->device;
  CUdeviceptr target = (CUdeviceptr)(uintptr_t)to, source = (CUdeviceptr)(uintptr_t)from;
  size_t size = (size_t)bytes;
  CUresult result;
  if (!bytes)
    return TL_OK;
  if (kind == TL_COPY_TO_DEVICE)
    IN_CONTEXT(it, result, it->driver->cuMemcpyHtoDAsync_v2(target, from, size, stream->active));
  else if (kind == TL_COPY_TO_HOST)
    IN_CONTEXT(it, result, it->driver->cuMemcpyDtoHAsync_v2(to, source, size, stream->active));
  else
    IN_CONTEXT(it, result, it->driver->cuMemcpyDtoDAsync_v2(target, source, size, stream->active));
  return result ? tl_driver_fail(it->driver, result, error, "cuda:%d: copying %lld bytes %s",
                                 (int)it->number, (long long)bytes, ways[kind])
                : TL_OK;
}

static tl_status cudaSynchronize(tl_gpu_stream *stream, tl_error *error) {
  const tl_gpu_device *it = stream->device;
  CUresult result;
  IN_CONTEXT(it, result, it->driver->cuStreamSynchronize(stream->queue));
  return result ? tl_driver_fail(it->driver, result, error, "cuda:%d: running the model's kernels",
                                 (int)it->number)
                : TL_OK;
}

/*===-- Graphs -------------------------------------------------------------===*/

static tl_status cudaCaptureBegin(tl_gpu_stream *stream, tl_error *error) {
  const tl_gpu_device *it = stream->device;
  const tl_driver *driver = it->driver;
  if (!driver->cuStreamBeginCapture_v2 || !driver->cuStreamEndCapture ||
      !driver->cuGraphInstantiateWithFlags || !driver->cuGraphLaunch || !driver->cuGraphDestroy ||
      !driver->cuGraphExecDestroy)
    return tl_fail(error, TL_NO_DEVICE, "the NVIDIA driver is too old for graphs");
  CUresult result = CUDA_SUCCESS;
  if (!stream->capture)
    IN_CONTEXT(it, result, driver->cuStreamCreate(&stream->capture, CU_STREAM_NON_BLOCKING));
  if (result)
    stream->capture = NULL;
  else
    /* What other threads do with CUDA meanwhile does not matter. */
    IN_CONTEXT(it, result, driver->cuStreamBeginCapture_v2(stream->capture,
                                                           CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  if (result)
    return tl_driver_fail(driver, result, error, "cuda:%d: recording a graph", (int)it->number);
  stream->active = stream->capture;
  return TL_OK;
}

static tl_status cudaCaptureEnd(tl_gpu_stream *stream, void **graph, tl_error *error) {
  const tl_gpu_device *it = stream->device;
  const tl_driver *driver = it->driver;
  CUgraph recorded = NULL;
  CUgraphExec executable = NULL;
  bool pushed;
  *graph = NULL;
  stream->active = stream->queue;
  CUresult result = enter(it, &pushed);
  if (!result) {
    result = driver->cuStreamEndCapture(stream->capture, &recorded);
    if (!result)
      result = driver->cuGraphInstantiateWithFlags(&executable, recorded, 0);
    if (recorded)
      driver->cuGraphDestroy(recorded);
    leave(it, pushed);
  }
  if (result)
    return tl_driver_fail(driver, result, error, "cuda:%d: recording a graph", (int)it->number);
  *graph = executable;
  return TL_OK;
}

static tl_status cudaGraphLaunch(tl_gpu_stream *stream, void *graph, tl_error *error) {
  const tl_gpu_device *it = stream->device;
  CUresult result;
  IN_CONTEXT(it, result, it->driver->cuGraphLaunch(graph, stream->queue));
  return result ? tl_driver_fail(it->driver, result, error, "cuda:%d: launching a graph",
                                 (int)it->number)
                : TL_OK;
}

static void cudaGraphDestroy(tl_gpu_stream *stream, void *graph) {
  const tl_gpu_device *it = stream->device;
  CUresult result;
  IN_CONTEXT(it, result, it->driver->cuGraphExecDestroy(graph));
  (void)result;
}

const tl_gpu_backend tl_gpu_cuda = {
    .name = "cuda",
    .open = cudaOpen,
    .close = cudaClose,
    .weights = cudaWeights,
    .stream_create = cudaStreamCreate,
    .stream_destroy = cudaStreamDestroy,
    .alloc = cudaAlloc,
    .free = cudaFree,
    .launch = cudaLaunch,
    .copy = cudaCopy,
    .synchronize = cudaSynchronize,
    .capture_begin = cudaCaptureBegin,
    .capture_end = cudaCaptureEnd,
    .graph_launch = cudaGraphLaunch,
    .graph_destroy = cudaGraphDestroy,
    .device_type = kDLCUDA,
    .host_alloc = cudaHostAlloc,
    .host_free = cudaHostFree,
    .wait = cudaWait,
    .memory_info = cudaMemoryInfo,
};
