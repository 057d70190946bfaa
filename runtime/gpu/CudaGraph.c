/*===- CudaGraph.c - Graphs of launches and copies ------------------------------===*\
|*
|* Nodes are added one by one, each after the one before: no stream captures, which other users of
|* CUDA in the process would notice, and which they could end.
\*===----------------------------------------------------------------------===*/
#include "Cuda.h"

/* Of one node: the driver has a limit for the width of a copy. */
#define COPY_BYTES ((size_t)1 << 30)

bool tl_cuda_has_graphs(const tl_driver *driver) {
  return driver->cuGraphCreate && driver->cuGraphAddKernelNode && driver->cuGraphAddMemcpyNode &&
         driver->cuGraphInstantiateWithFlags && driver->cuGraphLaunch && driver->cuGraphDestroy &&
         driver->cuGraphExecDestroy;
}

tl_status tl_cuda_graph_begin(tl_gpu_stream *stream, tl_error *error) {
  const tl_gpu_device *it = stream->device;
  CUresult result;
  if (!tl_cuda_has_graphs(it->driver))
    return tl_fail(error, TL_NO_DEVICE, "the NVIDIA driver is too old for graphs");
  stream->last = NULL;
  IN_CONTEXT(it, result, it->driver->cuGraphCreate(&stream->graph, 0));
  if (!result)
    return TL_OK;
  stream->graph = NULL;
  return tl_driver_fail(it->driver, result, error, "cuda:%d: making a graph", (int)it->number);
}

/* The context is current. */
CUresult tl_cuda_graph_launch_node(tl_gpu_stream *stream, const CUDA_KERNEL_NODE_PARAMS *launch) {
  CUgraphNode before = stream->last;
  return stream->device->driver->cuGraphAddKernelNode(&stream->last, stream->graph, &before,
                                                      before != NULL, launch);
}

CUresult tl_cuda_graph_copy_node(tl_gpu_stream *stream, CUdeviceptr to, CUdeviceptr from,
                                 size_t bytes) {
  const tl_gpu_device *it = stream->device;
  CUresult result = CUDA_SUCCESS;
  for (size_t at = 0; at < bytes && !result; at += COPY_BYTES) {
    size_t width = bytes - at < COPY_BYTES ? bytes - at : COPY_BYTES;
    CUDA_MEMCPY3D copy = {.srcMemoryType = CU_MEMORYTYPE_DEVICE,
                          .srcDevice = from + at,
                          .srcPitch = width,
                          .srcHeight = 1,
                          .dstMemoryType = CU_MEMORYTYPE_DEVICE,
                          .dstDevice = to + at,
                          .dstPitch = width,
                          .dstHeight = 1,
                          .WidthInBytes = width,
                          .Height = 1,
                          .Depth = 1};
    CUgraphNode before = stream->last;
    result = it->driver->cuGraphAddMemcpyNode(&stream->last, stream->graph, &before, before != NULL,
                                              &copy, it->context);
  }
  return result;
}

tl_status tl_cuda_graph_end(tl_gpu_stream *stream, void **graph, tl_error *error) {
  const tl_gpu_device *it = stream->device;
  const tl_driver *driver = it->driver;
  CUgraphExec executable = NULL;
  bool pushed;
  CUresult result = tl_cuda_enter(it, &pushed);
  *graph = NULL;
  if (!result) {
    result = driver->cuGraphInstantiateWithFlags(&executable, stream->graph, 0);
    driver->cuGraphDestroy(stream->graph);
    tl_cuda_leave(it, pushed);
  }
  stream->graph = NULL;
  if (result)
    return tl_driver_fail(driver, result, error, "cuda:%d: making a graph", (int)it->number);
  *graph = executable;
  return TL_OK;
}

tl_status tl_cuda_graph_launch(tl_gpu_stream *stream, void *graph, tl_error *error) {
  const tl_gpu_device *it = stream->device;
  CUresult result;
  IN_CONTEXT(it, result, it->driver->cuGraphLaunch(graph, stream->queue));
  return result ? tl_driver_fail(it->driver, result, error, "cuda:%d: launching a graph",
                                 (int)it->number)
                : TL_OK;
}

void tl_cuda_graph_destroy(tl_gpu_stream *stream, void *graph) {
  const tl_gpu_device *it = stream->device;
  CUresult result;
  IN_CONTEXT(it, result, it->driver->cuGraphExecDestroy(graph));
  (void)result;
}
