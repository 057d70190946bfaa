/*===- Cuda.c - Kernels on NVIDIA GPUs ------------------------------------------===*\
|*
|* Everything happens in the device's primary context, which the process's other users of CUDA
share,
|* and which is current only while one of these functions runs.
\*===----------------------------------------------------------------------===*/
#include "Cuda.h"

#include <stdlib.h>

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
  *result = stream;
  return TL_OK;
}

static tl_status cudaReady(tl_gpu_device *it, void *callers_stream, tl_error *error) {
  CUstreamCaptureStatus capturing = CU_STREAM_CAPTURE_STATUS_NONE;
  CUresult result = CUDA_SUCCESS;
  if (it->driver->cuStreamIsCapturing)
    IN_CONTEXT(it, result, it->driver->cuStreamIsCapturing(callers_stream, &capturing));
  if (result)
    return tl_driver_fail(it->driver, result, error, "cuda:%d: the caller's stream",
                          (int)it->number);
  /* Addresses of arguments and of memory for results would be frozen into the caller's graph, and a
     call may wait for the stream. */
  if (capturing != CU_STREAM_CAPTURE_STATUS_NONE)
    return tl_fail(
        error, TL_INVALID_ARGUMENT,
        "cuda:%d: the caller's stream is recording a graph, of which a call cannot be a part: "
        "call before or after; calls with the same addresses replay a graph of their own",
        (int)it->number);
  return TL_OK;
}

static void cudaStreamDestroy(tl_gpu_stream *stream) {
  const tl_gpu_device *it = stream->device;
  bool pushed;
  if (tl_cuda_enter(it, &pushed) == CUDA_SUCCESS) {
    it->driver->cuStreamSynchronize(stream->queue);
    if (stream->owned)
      it->driver->cuStreamDestroy_v2(stream->queue);
    tl_cuda_leave(it, pushed);
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

/* What is queued on `then` from now on comes after what is on `first`. */
static CUresult orderStreams(const tl_gpu_device *it, CUstream first, CUstream then) {
  const tl_driver *driver = it->driver;
  CUevent event = NULL;
  CUresult result = driver->cuEventCreate(&event, CU_EVENT_DISABLE_TIMING);
  if (result)
    return result;
  result = driver->cuEventRecord(event, first);
  if (!result)
    result = driver->cuStreamWaitEvent(then, event, 0);
  driver->cuEventDestroy_v2(event); /* goes when it has happened */
  return result;
}

static tl_status cudaOrder(tl_gpu_stream *stream, void *consumer, tl_error *error) {
  const tl_gpu_device *it = stream->device;
  CUresult result;
  IN_CONTEXT(it, result, orderStreams(it, stream->queue, consumer));
  return result ? tl_driver_fail(it->driver, result, error, "cuda:%d: ordering another stream",
                                 (int)it->number)
                : TL_OK;
}

static bool cudaFollow(tl_gpu_stream *stream, void *other) {
  const tl_gpu_device *it = stream->device;
  CUstreamCaptureStatus capturing = CU_STREAM_CAPTURE_STATUS_NONE;
  CUresult result = CUDA_SUCCESS;
  if (it->driver->cuStreamIsCapturing)
    IN_CONTEXT(it, result, it->driver->cuStreamIsCapturing(other, &capturing));
  /* The event would become a part of the other's graph. */
  if (result || capturing != CU_STREAM_CAPTURE_STATUS_NONE)
    return false;
  IN_CONTEXT(it, result, orderStreams(it, other, stream->queue));
  return !result;
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
                   (int)it->number, it->set->kernels[kernel], (long long)bytes, it->name,
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
                          (int)it->number, it->set->kernels[kernel], it->shared_memory);
  atomic_store_explicit(&it->shared_limits[kernel], it->shared_memory, memory_order_relaxed);
  return TL_OK;
}

static CUresult queueLaunch(tl_gpu_stream *stream, const CUDA_KERNEL_NODE_PARAMS *it) {
  if (stream->graph)
    return tl_cuda_graph_launch_node(stream, it);
  return stream->device->driver->cuLaunchKernel(
      it->func, it->gridDimX, it->gridDimY, it->gridDimZ, it->blockDimX, it->blockDimY,
      it->blockDimZ, it->sharedMemBytes, stream->queue, it->kernelParams, NULL);
}

static tl_status cudaLaunch(tl_gpu_stream *stream, int32_t kernel, const int64_t grid[3],
                            const int64_t block[3], int64_t shared_bytes, void **params,
                            tl_error *error) {
  /* CUDA's limits for every architecture that is supported. */
  static const int64_t grid_limits[3] = {INT32_MAX, 65535, 65535},
                       block_limits[3] = {1024, 1024, 64};
  static const char axes[] = "xyz";
  tl_gpu_device *it = stream->device;
  if (kernel < 0 || kernel >= it->code->kernel_count || !it->functions[kernel])
    return tl_fail(error, TL_INCOMPATIBLE, "cuda:%d: the model has no kernel %d", (int)it->number,
                   (int)kernel);
  for (int i = 0; i < 3; ++i) {
    if (grid[i] == 0)
      return TL_OK;
    if (grid[i] < 0 || grid[i] > grid_limits[i] || block[i] < 1 || block[i] > block_limits[i])
      return tl_fail(error, TL_DEVICE_FAILED,
                     "cuda:%d: the kernel '%s' cannot be launched with %lld blocks of %lld threads "
                     "along %c: tensors of these sizes are too large for it",
                     (int)it->number, it->set->kernels[kernel], (long long)grid[i],
                     (long long)block[i], axes[i]);
  }
  tl_status status = allowShared(it, kernel, shared_bytes, error);
  if (status)
    return status;
  CUDA_KERNEL_NODE_PARAMS launch = {it->functions[kernel],
                                    (unsigned)grid[0],
                                    (unsigned)grid[1],
                                    (unsigned)grid[2],
                                    (unsigned)block[0],
                                    (unsigned)block[1],
                                    (unsigned)block[2],
                                    (unsigned)shared_bytes,
                                    params,
                                    NULL};
  CUresult result;
  IN_CONTEXT(it, result, queueLaunch(stream, &launch));
  if (!result)
    return TL_OK;
  return tl_driver_fail(it->driver, result, error,
                        "cuda:%d: launching the kernel '%s' (%lldx%lldx%lld blocks of "
                        "%lldx%lldx%lld threads, %lld bytes of shared memory)",
                        (int)it->number, it->set->kernels[kernel], (long long)grid[0],
                        (long long)grid[1], (long long)grid[2], (long long)block[0],
                        (long long)block[1], (long long)block[2], (long long)shared_bytes);
}

static tl_status cudaCopy(tl_gpu_stream *stream, void *to, const void *from, int64_t bytes,
                          int kind, tl_error *error) {
  static const char *const ways[] = {"to the device", "to the host", "on the device"};
  const tl_gpu_device *it = stream->device;
  CUdeviceptr target = (CUdeviceptr)(uintptr_t)to, source = (CUdeviceptr)(uintptr_t)from;
  size_t size = (size_t)bytes;
  CUresult result;
  if (!bytes)
    return TL_OK;
  if (stream->graph && kind != TL_COPY_ON_DEVICE)
    return tl_fail(error, TL_INVALID_ARGUMENT, "cuda:%d: copying %s in a graph", (int)it->number,
                   ways[kind]);
  if (stream->graph)
    IN_CONTEXT(it, result, tl_cuda_graph_copy_node(stream, target, source, size));
  else if (kind == TL_COPY_TO_DEVICE)
    IN_CONTEXT(it, result, it->driver->cuMemcpyHtoDAsync_v2(target, from, size, stream->queue));
  else if (kind == TL_COPY_TO_HOST)
    IN_CONTEXT(it, result, it->driver->cuMemcpyDtoHAsync_v2(to, source, size, stream->queue));
  else
    IN_CONTEXT(it, result, it->driver->cuMemcpyDtoDAsync_v2(target, source, size, stream->queue));
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

const tl_gpu_backend tl_gpu_cuda = {
    .name = "cuda",
    .open = tl_cuda_open,
    .close = tl_cuda_close,
    .set = tl_cuda_set,
    .weights = tl_cuda_weights,
    .stream_create = cudaStreamCreate,
    .stream_destroy = cudaStreamDestroy,
    .ready = cudaReady,
    .alloc = cudaAlloc,
    .free = cudaFree,
    .launch = cudaLaunch,
    .copy = cudaCopy,
    .synchronize = cudaSynchronize,
    .graph_begin = tl_cuda_graph_begin,
    .graph_end = tl_cuda_graph_end,
    .graph_launch = tl_cuda_graph_launch,
    .graph_destroy = tl_cuda_graph_destroy,
    .device_type = kDLCUDA,
    .host_alloc = cudaHostAlloc,
    .host_free = cudaHostFree,
    .copy_strided = tl_cuda_copy_strided,
    .memory_info = cudaMemoryInfo,
    .order = cudaOrder,
    .follow = cudaFollow,
};
