/* A stand-in for libcuda.so.1 whose kernels are PTX, run by callbacks into Python
   (ptxsim/device.py). Everything happens when it is queued. Device memory is host memory with other
   addresses, and is never given out again: whoever uses what is freed is found. The driver's
   counters are read by tests. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define API __attribute__((visibility("default")))
#define TAG (1ull << 60)
enum {
  INVALID = 1,
  NO_MEMORY = 2,
  NO_BINARY = 209,
  INVALID_PTX = 218,
  NOT_FOUND = 500,
  FAILED = 719,
  CAPTURES = 900
};

typedef unsigned long long address;
typedef struct operation {
  long launch; /* prepared; -1: a copy */
  char *to;
  const char *from;
  size_t bytes;
} operation;
typedef struct CUgraph_st {
  int count, limit;
  operation *operations;
} *CUgraph;
typedef struct launch_params { /* CUDA_KERNEL_NODE_PARAMS */
  void *function;
  unsigned grid[3], block[3], shared;
  void **params, **extra;
} launch_params;
typedef struct copy_params { /* CUDA_MEMCPY3D */
  size_t from_x, from_y, from_z, from_lod;
  int from_type;
  const void *from_host;
  address from;
  void *from_array, *reserved0;
  size_t from_pitch, from_height, to_x, to_y, to_z, to_lod;
  int to_type;
  void *to_host;
  address to;
  void *to_array, *reserved1;
  size_t to_pitch, to_height, width, height, depth;
} copy_params;

API char *sim_memory;
API size_t sim_memory_bytes = 1ull << 30;
static size_t used;
API long (*sim_prepare)(int kernel, void **params, unsigned *dims);
API int (*sim_run)(long launch);
API int (*sim_load)(const char *text);
API int (*sim_find)(int module, const char *name);
API void (*sim_allocated)(address at, address bytes);
API void (*sim_freed)(address at);
API char sim_error[2048] = "?"; /* what a kernel has done */
API int sim_capability = 80, sim_launches, sim_graph_launches, sim_captures, sim_broken;

static char *host(address at) { return (char *)(uintptr_t)(at - TAG); }

static int execute(operation it) {
  if (sim_broken)
    return FAILED;
  if (it.launch < 0)
    memmove(it.to, it.from, it.bytes);
  else if (sim_run(it.launch))
    sim_broken = 1;
  return sim_broken ? FAILED : 0;
}

static operation prepared(const launch_params *it) {
  unsigned dims[7] = {it->grid[0],  it->grid[1],  it->grid[2], it->block[0],
                      it->block[1], it->block[2], it->shared};
  return (operation){sim_prepare((int)(intptr_t)it->function, it->params, dims), NULL, NULL, 0};
}

/*===-- Driver, devices, contexts ------------------------------------------===*/

API int cuInit(unsigned flags) {
  if (!sim_memory)
    sim_memory = mmap(NULL, sim_memory_bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return flags ? INVALID : 0;
}
API int cuDriverGetVersion(int *version) { return *version = 13000, 0; }
API int cuGetErrorName(int result, const char **name) {
  *name = result == FAILED ? "CUDA_ERROR_LAUNCH_FAILED" : "CUDA_ERROR";
  return 0;
}
API int cuGetErrorString(int result, const char **text) {
  *text = result == FAILED ? sim_error : "?";
  return 0;
}
API int cuDeviceGetCount(int *count) { return *count = 1, 0; }
API int cuDeviceGet(int *device, int number) { return *device = number, 0; }
API int cuDeviceGetName(char *name, int size, int device) {
  snprintf(name, (size_t)size, "PTX simulator %d", device);
  return 0;
}
API int cuDeviceGetAttribute(int *value, int attribute, int device) {
  *value = attribute == 75    ? sim_capability / 10
           : attribute == 76  ? sim_capability % 10
           : attribute == 97  ? 232448
           : attribute == 115 ? 1
                              : 0;
  return device;
}
API int cuDevicePrimaryCtxRetain(void **context, int device) {
  return *context = &sim_memory, device;
}
API int cuDevicePrimaryCtxRelease_v2(int device) { return device; }
static __thread void *contexts[16];
static __thread int depth;
API int cuCtxGetCurrent(void **context) { return *context = depth ? contexts[depth - 1] : NULL, 0; }
API int cuCtxPushCurrent_v2(void *context) { return contexts[depth++] = context, 0; }
API int cuCtxPopCurrent_v2(void **context) { return *context = contexts[--depth], 0; }
API int cuCtxSynchronize(void) { return sim_broken ? FAILED : 0; }

/*===-- Modules ------------------------------------------------------------===*/

API int cuModuleLoadDataEx(void **module, const char *image, unsigned count, int *options,
                           void **values) {
  (void)count, (void)options, (void)values;
  if (image[0] == 0x7f) /* machine code */
    return NO_BINARY;
  *module = (void *)(intptr_t)sim_load(image);
  return *module ? 0 : INVALID_PTX;
}
API int cuModuleUnload(void *module) { return module ? 0 : INVALID; }
API int cuModuleGetFunction(void **function, void *module, const char *name) {
  *function = (void *)(intptr_t)sim_find((int)(intptr_t)module, name);
  return *function ? 0 : NOT_FOUND;
}
API int cuFuncSetAttribute(void *function, int attribute, int value) {
  return function && attribute == 8 && value >= 0 ? 0 : INVALID;
}
API int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                       unsigned by, unsigned bz, unsigned shared, void *stream, void **params,
                       void **extra) {
  launch_params it = {function, {gx, gy, gz}, {bx, by, bz}, shared, params, extra};
  (void)stream;
  ++sim_launches;
  return execute(prepared(&it));
}

/*===-- Streams, events, memory --------------------------------------------===*/

API int cuStreamCreate(void **stream, unsigned flags) { return *stream = malloc(1), flags != 1; }
API int cuStreamDestroy_v2(void *stream) { return free(stream), 0; }
API int cuStreamSynchronize(void *stream) { return (void)stream, sim_broken ? FAILED : 0; }
API int cuEventCreate(void **event, unsigned flags) { return *event = malloc(1), flags & ~2u; }
API int cuEventRecord(void *event, void *stream) { return (void)stream, !event; }
API int cuEventDestroy_v2(void *event) { return free(event), 0; }
API int cuStreamWaitEvent(void *stream, void *event, unsigned flags) {
  return (void)stream, !event || flags;
}
API int cuMemAlloc_v2(address *at, size_t bytes) {
  size_t whole = (bytes + 255 + 256) & ~(size_t)255; /* nothing lies right behind it */
  if (whole > sim_memory_bytes - used)
    return NO_MEMORY;
  *at = (address)(uintptr_t)(sim_memory + used) + TAG;
  memset(sim_memory + used, 0xff, whole);
  used += whole;
  sim_allocated(*at, bytes);
  return 0;
}
API int cuMemFree_v2(address at) { return sim_freed(at), 0; }
API int cuMemAllocAsync(address *at, size_t bytes, void *stream) {
  return (void)stream, cuMemAlloc_v2(at, bytes);
}
API int cuMemFreeAsync(address at, void *stream) { return (void)stream, cuMemFree_v2(at); }
API int cuMemHostAlloc(void **at, size_t bytes, unsigned flags) {
  return (void)flags, !(*at = malloc(bytes));
}
API int cuMemFreeHost(void *at) { return free(at), 0; }
API int cuMemGetInfo_v2(size_t *unused, size_t *total) {
  *unused = sim_memory_bytes - used;
  *total = sim_memory_bytes;
  return 0;
}
API int cuMemcpyHtoDAsync_v2(address to, const void *from, size_t bytes, void *stream) {
  return (void)stream, execute((operation){-1, host(to), from, bytes});
}
API int cuMemcpyDtoHAsync_v2(void *to, address from, size_t bytes, void *stream) {
  return (void)stream, execute((operation){-1, to, host(from), bytes});
}
API int cuMemcpyDtoDAsync_v2(address to, address from, size_t bytes, void *stream) {
  return (void)stream, execute((operation){-1, host(to), host(from), bytes});
}

/*===-- Graphs: chains of nodes. Nothing may capture -----------------------===*/

API int cuStreamBeginCapture_v2(void *stream, int mode) {
  return (void)stream, (void)mode, ++sim_captures, CAPTURES;
}
API int cuStreamIsCapturing(void *stream, int *status) { return (void)stream, *status = 0, 0; }
API int cuStreamEndCapture(void *stream, CUgraph *graph) {
  return (void)stream, *graph = NULL, CAPTURES;
}

API int cuGraphCreate(CUgraph *graph, unsigned flags) {
  return *graph = calloc(1, sizeof **graph), flags;
}
static int add(void **node, CUgraph graph, void *const *before, size_t count, operation it) {
  /* Each node comes after the one before. */
  if (graph->count ? count != 1 || before[0] != (void *)(intptr_t)graph->count : count)
    return INVALID;
  if (graph->count == graph->limit) {
    graph->limit = 2 * graph->limit + 8;
    graph->operations = realloc(graph->operations, (size_t)graph->limit * sizeof it);
  }
  graph->operations[graph->count++] = it;
  *node = (void *)(intptr_t)graph->count;
  return 0;
}
API int cuGraphAddKernelNode(void **node, CUgraph graph, void *const *before, size_t count,
                             const launch_params *it) {
  return add(node, graph, before, count, prepared(it));
}
API int cuGraphAddMemcpyNode(void **node, CUgraph graph, void *const *before, size_t count,
                             const copy_params *it, void *context) {
  if (!context || it->from_type != 2 || it->to_type != 2 || it->height != 1 || it->depth != 1)
    return INVALID;
  return add(node, graph, before, count, (operation){-1, host(it->to), host(it->from), it->width});
}
API int cuGraphInstantiateWithFlags(CUgraph *executable, CUgraph graph, address flags) {
  size_t bytes = (size_t)graph->count * sizeof *graph->operations;
  *executable = calloc(1, sizeof **executable);
  (*executable)->count = graph->count;
  (*executable)->operations = memcpy(malloc(bytes + 1), graph->operations, bytes);
  return flags ? INVALID : 0;
}
API int cuGraphLaunch(CUgraph executable, void *stream) {
  int result = 0;
  (void)stream;
  ++sim_graph_launches;
  for (int i = 0; !result && i < executable->count; ++i)
    result = execute(executable->operations[i]);
  return result;
}
API int cuGraphDestroy(CUgraph graph) {
  free(graph->operations);
  free(graph);
  return 0;
}
API int cuGraphExecDestroy(CUgraph graph) { return cuGraphDestroy(graph); }
