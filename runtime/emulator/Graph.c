/*===- Graph.c - Recorded launches -----------------------------------------------------------===*\
|*
|* So that the runtime replays calls here as it does on a GPU: a graph holds the launches and copies
|* with the values that their parameters had when they were recorded.
\*===----------------------------------------------------------------------------===*/
#include "Internal.h"

#include <stdlib.h>
#include <string.h>

/* A launch, or a copy on the device. */
typedef struct emu_node {
  struct emu_node *next;
  int32_t kernel; /* -1: a copy */
  int64_t grid[3], block[3], shared_bytes;
  void *to;
  const void *from;
  int64_t bytes;
  void **params; /* in the same piece of memory, as are the values */
} emu_node;

typedef struct emu_graph {
  emu_node *first, **last;
} emu_graph;

static tl_status exhausted(tl_error *error) {
  return emu_error(error, TL_OUT_OF_MEMORY, "emulator: out of memory for a graph");
}

static emu_node *add(tl_gpu_stream *stream, size_t more) {
  emu_node *node = calloc(1, sizeof *node + more);
  if (!node)
    return NULL;
  *stream->recording->last = node;
  stream->recording->last = &node->next;
  return node;
}

/* Parameters take 8 bytes at most, or 16 for a vector; each value begins at a multiple of 16. */
static size_t value_bytes(const tl_emu_kernel *about, int32_t i) {
  return ((size_t)about->parameter_bytes[i] + 15) & ~(size_t)15;
}

tl_status emu_record_launch(tl_gpu_stream *stream, const tl_emu_kernel *about, int32_t kernel,
                            const int64_t grid[3], const int64_t block[3], int64_t shared_bytes,
                            void **params, tl_error *error) {
  size_t pointers = ((size_t)about->parameter_count * sizeof(void *) + 15) & ~(size_t)15;
  size_t bytes = pointers + 16;
  for (int32_t i = 0; i < about->parameter_count; ++i)
    bytes += value_bytes(about, i);
  emu_node *node = add(stream, bytes);
  if (!node)
    return exhausted(error);
  node->kernel = kernel;
  memcpy(node->grid, grid, sizeof node->grid);
  memcpy(node->block, block, sizeof node->block);
  node->shared_bytes = shared_bytes;
  char *at = (char *)(((uintptr_t)(node + 1) + 15) & ~(uintptr_t)15);
  node->params = (void **)at;
  at += pointers;
  for (int32_t i = 0; i < about->parameter_count; ++i) {
    node->params[i] = memcpy(at, params[i], (size_t)about->parameter_bytes[i]);
    at += value_bytes(about, i);
  }
  return TL_OK;
}

tl_status emu_record_copy(tl_gpu_stream *stream, void *to, const void *from, int64_t bytes,
                          int kind, tl_error *error) {
  if (kind != TL_COPY_ON_DEVICE)
    return emu_error(error, TL_INVALID_ARGUMENT,
                     "emulator: a copy from or to the host while a graph is recorded");
  emu_node *node = add(stream, 0);
  if (!node)
    return exhausted(error);
  node->kernel = -1;
  node->to = to;
  node->from = from;
  node->bytes = bytes;
  return TL_OK;
}

tl_status emu_graph_begin(tl_gpu_stream *stream, tl_error *error) {
  stream->recording = calloc(1, sizeof *stream->recording);
  if (!stream->recording)
    return exhausted(error);
  stream->recording->last = &stream->recording->first;
  return TL_OK;
}

tl_status emu_graph_end(tl_gpu_stream *stream, void **graph, tl_error *error) {
  *graph = stream->recording;
  stream->recording = NULL;
  return TL_OK;
}

tl_status emu_graph_launch(tl_gpu_stream *stream, void *graph, tl_error *error) {
  tl_status status = TL_OK;
  for (emu_node *node = ((emu_graph *)graph)->first; node && !status; node = node->next)
    status = node->kernel < 0
                 ? emu_copy(stream, node->to, node->from, node->bytes, TL_COPY_ON_DEVICE, error)
                 : emu_launch_kernel(stream, node->kernel, node->grid, node->block,
                                     node->shared_bytes, node->params, error);
  return status;
}

void emu_graph_destroy(tl_gpu_stream *stream, void *graph) {
  emu_graph *it = graph;
  while (it->first) {
    emu_node *node = it->first;
    it->first = node->next;
    free(node);
  }
  free(it);
}
