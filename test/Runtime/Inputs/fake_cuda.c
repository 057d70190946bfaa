/* A stand-in for libcuda.so.1, to test the CUDA backend without a GPU. It is stricter than a GPU:
   - device memory is host memory, but its addresses are not those of the host, so whoever touches
   it from the host crashes;
   - streams do nothing until they are waited for, so whoever forgets to wait reads old data, and
     pinned memory that is written too early reaches the device changed;
   - functions fail where the context is not current;
   - waiting for the context while a stream records fails, and ends the recording.
   What it does wrong on purpose is set by environment variables, read at each call:
   FAKE_CUDA_VERSION=10020, FAKE_CUDA_INIT=100 (what cuInit returns), FAKE_CUDA_DEVICES=2,
   FAKE_CUDA_CAPABILITY=75, FAKE_CUDA_REFUSE=cubin (images starting so are not loaded),
   FAKE_CUDA_ANY=1 (every kernel is there and does nothing), FAKE_CUDA_REPORT=1 (prints the counters
   at the end); and by the counters in `fake_cuda`: the nth call from now fails. FAKE_WITHOUT_LAUNCH
   and FAKE_OLD leave functions out. */
#include "fake_cuda.h"

#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default")))
/* Device addresses are host addresses with this added. */
#define TAG (1ull << 60)

API struct fake_cuda fake_cuda;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread int context_depth;
static char the_context[2];

static int setting(const char *name, int otherwise) {
  const char *text = getenv(name);
  return text && *text ? atoi(text) : otherwise;
}
/* Whether the countdown ends with this call. */
static int fails(int *countdown) { return *countdown > 0 && --*countdown == 0; }
static char *host(unsigned long long address) { return (char *)(uintptr_t)(address - TAG); }

/*===-- Kernels ------------------------------------------------------------===*/

/* Kernels have up to 5 parameters of 8 bytes, or one structure; floats are passed as double. */
typedef struct arguments {
  unsigned long long p[21];
} arguments;
#define F32(i) ((float *)host(a->p[i]))
#define I64(i) ((int64_t *)host(a->p[i]))
static double real(const arguments *a, int i) {
  double value;
  memcpy(&value, &a->p[i], 8);
  return value;
}

static void scale(const arguments *a) { /* in, out, factor, n */
  for (unsigned long long i = 0; i < a->p[3]; ++i)
    F32(1)[i] = F32(0)[i] * (float)real(a, 2);
}
static void add(const arguments *a) { /* left, right, out, n */
  for (unsigned long long i = 0; i < a->p[3]; ++i)
    F32(2)[i] = F32(0)[i] + F32(1)[i];
}
static void countPositive(const arguments *a) { /* in, out, n */
  *I64(1) = 0;
  for (unsigned long long i = 0; i < a->p[2]; ++i)
    *I64(1) += F32(0)[i] > 0;
}
static void positive(const arguments *a) { /* in, out, n */
  float *out = F32(1);
  for (unsigned long long i = 0; i < a->p[2]; ++i)
    if (F32(0)[i] > 0)
      *out++ = F32(0)[i];
}
/* The runtime's own copy of strided tensors, as CudaStrided.c describes its parameter. */
static void copyStrided(const arguments *a) {
  struct {
    unsigned long long contiguous, strided;
    int64_t count;
    int32_t rank, element_bytes, scatters, booleans;
    int64_t sizes[8], strides[8];
  } job;
  memcpy(&job, a, sizeof job);
  for (int64_t i = 0; i < job.count; ++i) {
    int64_t rest = i, offset = 0;
    for (int d = 0; d < job.rank; rest /= job.sizes[d++])
      offset += rest % job.sizes[d] * job.strides[d];
    char *packed = host(job.contiguous) + i * job.element_bytes;
    char *element = host(job.strided) + offset * job.element_bytes;
    memcpy(job.scatters ? element : packed, job.scatters ? packed : element,
           (size_t)job.element_bytes);
    if (job.booleans)
      *packed = *packed != 0;
  }
}
static const struct kernel {
  const char *name;
  int count; /* -1: a structure */
  void (*run)(const arguments *);
} kernels[] = {{"scale", 4, scale},
               {"add", 4, add},
               {"count_positive", 3, countPositive},
               {"positive", 3, positive},
               {"tl_copy_strided", -1, copyStrided}},
  anything = {"anything", 0, NULL};

/*===-- Queues -------------------------------------------------------------===*/

typedef struct operation {
  struct operation *next;
  const struct kernel *kernel;
  arguments arguments;
  char *to;
  const char *from;
  char *held; /* what pageable memory held when the copy was queued */
  size_t bytes;
  void *released;
  struct CUstream_st *after; /* waits until this stream has run so many */
  long count;
} operation;

struct CUgraph_st {
  operation *first, **last;
};
struct CUstream_st {
  struct CUstream_st *next;
  operation *first, **last;
  struct CUgraph_st *recording;
  int invalid; /* the recording */
  long queued, run;
};
/* Null, 1 (CU_STREAM_LEGACY) and 2 are the default stream, which cannot record. */
static struct CUstream_st default_stream = {NULL, NULL, &default_stream.first, NULL, 0, 0, 0};
static struct CUstream_st *streams = &default_stream;
static struct CUstream_st *named(struct CUstream_st *stream) {
  return (uintptr_t)stream <= 2 ? &default_stream : stream;
}

typedef struct range {
  struct range *next;
  char *begin;
  size_t bytes;
} range;
static range *pinned, *memory;

static range *find(range *list, const char *address) {
  for (; list; list = list->next)
    if (address >= list->begin && address < list->begin + list->bytes)
      return list;
  return NULL;
}
static char *make(range **list, size_t bytes) {
  range *it = malloc(sizeof *it);
  it->bytes = bytes;
  it->begin = aligned_alloc(256, (bytes + 255) & ~(size_t)255);
  memset(it->begin, 0xcd, bytes);
  it->next = *list;
  *list = it;
  return it->begin;
}
static int drop(range **list, char *begin) {
  for (range **at = list; *at; at = &(*at)->next)
    if ((*at)->begin == begin) {
      range *it = *at;
      *at = it->next;
      free(it->begin);
      free(it);
      return 0;
    }
  return 1;
}

static void drainTo(struct CUstream_st *stream, long count);
static void waitFor(const operation *it) {
  for (struct CUstream_st *stream = streams; stream; stream = stream->next)
    if (stream == it->after)
      drainTo(stream, it->count);
}
static void execute(const operation *it) {
  if (it->after) {
    waitFor(it);
  } else if (it->kernel) {
    if (it->kernel->run)
      it->kernel->run(&it->arguments);
    ++fake_cuda.kernels_run;
  } else if (it->released) {
    if (drop(&memory, it->released))
      abort();
    --fake_cuda.live_memory;
  } else {
    memcpy(it->to, it->held ? it->held : it->from, it->bytes);
  }
}
static void drainTo(struct CUstream_st *stream, long count) {
  while (stream->first && stream->run < count) {
    operation *it = stream->first;
    stream->first = it->next;
    if (!stream->first)
      stream->last = &stream->first;
    ++stream->run;
    execute(it);
    free(it->held);
    free(it);
  }
}
static void drain(struct CUstream_st *stream) { drainTo(stream, stream->queued); }
static void drainAll(void) {
  for (struct CUstream_st *it = streams; it; it = it->next)
    drain(it);
}
static void queue(struct CUstream_st *stream, operation value) {
  operation *it = malloc(sizeof *it);
  *it = value;
  it->next = NULL;
  operation ***last = stream->recording ? &stream->recording->last : &stream->last;
  **last = it;
  *last = &it->next;
  if (!stream->recording)
    ++stream->queued;
  if (!stream->recording && setting("FAKE_CUDA_EAGER", 0))
    drain(stream);
}

/* Locks for the rest of the function, which returns through RETURN. */
#define BEGIN_BROKEN                                                                               \
  pthread_mutex_lock(&lock);                                                                       \
  int result_ = 0;                                                                                 \
  if (!context_depth) {                                                                            \
    result_ = 201; /* CUDA_ERROR_INVALID_CONTEXT */                                                \
    goto end;                                                                                      \
  }
#define BEGIN                                                                                      \
  BEGIN_BROKEN                                                                                     \
  if (fake_cuda.broken) {                                                                          \
    result_ = 719;                                                                                 \
    goto end;                                                                                      \
  }
#define RETURN(value)                                                                              \
  do {                                                                                             \
    result_ = (value);                                                                             \
    goto end;                                                                                      \
  } while (0)
#define END                                                                                        \
  end:                                                                                             \
  pthread_mutex_unlock(&lock);                                                                     \
  return result_;

/*===-- Driver, devices, contexts ------------------------------------------===*/

API int cuInit(unsigned flags) {
  (void)flags;
  return setting("FAKE_CUDA_INIT", 0);
}
API int cuDriverGetVersion(int *version) {
  *version = setting("FAKE_CUDA_VERSION", 13000);
  return 0;
}
__attribute__((destructor)) static void report(void) {
  if (setting("FAKE_CUDA_REPORT", 0))
    printf("launches %d, run %d, graphs %d, loads %d; left: memory %d, streams %d, modules %d\n",
           fake_cuda.launches, fake_cuda.kernels_run, fake_cuda.graph_launches, fake_cuda.loads,
           fake_cuda.live_memory, fake_cuda.live_streams, fake_cuda.live_modules);
}
API int cuGetErrorName(int result, const char **name) {
  *name = result == 1     ? "CUDA_ERROR_INVALID_VALUE"
          : result == 2   ? "CUDA_ERROR_OUT_OF_MEMORY"
          : result == 100 ? "CUDA_ERROR_NO_DEVICE"
          : result == 222 ? "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"
          : result == 500 ? "CUDA_ERROR_NOT_FOUND"
          : result == 719 ? "CUDA_ERROR_LAUNCH_FAILED"
                          : NULL;
  return *name ? 0 : 1;
}
API int cuGetErrorString(int result, const char **text) {
  *text = result == 719 ? "unspecified launch failure" : "as the name says";
  return 0;
}
API int cuDeviceGetCount(int *count) {
  *count = setting("FAKE_CUDA_DEVICES", 2);
  return 0;
}
API int cuDeviceGet(int *device, int number) {
  *device = 10 + number;
  return 0;
}
API int cuDeviceGetName(char *name, int size, int device) {
  snprintf(name, (size_t)size, "Fake GPU %d", device - 10);
  return 0;
}
API int cuDeviceGetAttribute(int *value, int attribute, int device) {
  int capability = setting("FAKE_CUDA_CAPABILITY", 90);
  (void)device;
  *value = attribute == 75    ? capability / 10
           : attribute == 76  ? capability % 10
           : attribute == 13  ? 1000000
           : attribute == 16  ? 100
           : attribute == 97  ? 100000
           : attribute == 115 ? 1
                              : 0;
  return 0;
}
API int cuDevicePrimaryCtxRetain(void **context, int device) {
  pthread_mutex_lock(&lock);
  ++fake_cuda.live_contexts;
  *context = &the_context[device - 10];
  pthread_mutex_unlock(&lock);
  return 0;
}
API int cuDevicePrimaryCtxRelease_v2(int device) {
  (void)device;
  pthread_mutex_lock(&lock);
  --fake_cuda.live_contexts;
  pthread_mutex_unlock(&lock);
  return 0;
}
static __thread void *context_stack[8];
API int cuCtxGetCurrent(void **context) {
  *context = context_depth ? context_stack[context_depth - 1] : NULL;
  return 0;
}
API int cuCtxPushCurrent_v2(void *context) {
  context_stack[context_depth++] = context;
  return 0;
}
API int cuCtxPopCurrent_v2(void **context) {
  if (!context_depth)
    return 201;
  *context = context_stack[--context_depth];
  return 0;
}
API int cuCtxSetCurrent(void *context) {
  context_depth = 1;
  context_stack[0] = context;
  return 0;
}
API int cuDeviceTotalMem_v2(size_t *bytes, int device) {
  (void)device;
  *bytes = 1ull << 30;
  return 0;
}
API int cuCtxSynchronize(void) {
  BEGIN
  ++fake_cuda.context_waits;
  for (struct CUstream_st *it = streams; it; it = it->next)
    if (it->recording) {
      it->invalid = 1;
      result_ = 900; /* CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED */
      ++fake_cuda.bad_waits;
    }
  if (!result_)
    drainAll();
  END
}

/*===-- Modules ------------------------------------------------------------===*/

API int cuModuleLoadDataEx(void **module, const void *image, unsigned count, int *options,
                           void **values) {
  BEGIN
  const char *refused = getenv("FAKE_CUDA_REFUSE");
  ++fake_cuda.loads;
  if (refused && *refused && strncmp(image, refused, strlen(refused)) == 0) {
    for (unsigned i = 0; i < count; ++i)
      if (options[i] == 5)
        snprintf(values[i], 64, "ptxas: no");
    RETURN(222);
  }
  if (!strstr(image, "tl_copy_strided"))
    snprintf(fake_cuda.image, sizeof fake_cuda.image, "%s", (const char *)image);
  ++fake_cuda.live_modules;
  *module = &fake_cuda;
  END
}
API int cuModuleUnload(void *module) {
  (void)module;
  BEGIN
  --fake_cuda.live_modules;
  END
}
API int cuModuleGetFunction(const struct kernel **function, void *module, const char *name) {
  (void)module;
  BEGIN
  for (size_t i = 0; i < sizeof kernels / sizeof *kernels; ++i)
    if (strcmp(kernels[i].name, name) == 0) {
      *function = &kernels[i];
      goto end;
    }
  *function = &anything;
  result_ = setting("FAKE_CUDA_ANY", 0) ? 0 : 500;
  END
}
API int cuFuncSetAttribute(const struct kernel *function, int attribute, int value) {
  (void)function;
  BEGIN
  if (attribute != 8)
    RETURN(1);
  fake_cuda.shared_limit = value;
  END
}
typedef struct launch_params { /* CUDA_KERNEL_NODE_PARAMS */
  const struct kernel *function;
  unsigned grid[3], block[3], shared;
  void **params, **extra;
} launch_params;
/* The operation, or an error. The lock is held. */
static int prepare(const launch_params *it, operation *result) {
  int threads = 1;
  for (int i = 0; i < 3; ++i) {
    if (!it->grid[i] || !it->block[i])
      return 1;
    threads *= (int)it->block[i];
  }
  if (it->extra || threads > 1024)
    return 1;
  if (it->shared > 48 << 10 && it->shared > (unsigned)fake_cuda.shared_limit)
    return 1;
  if (fails(&fake_cuda.fail_launch))
    return 719;
  *result = (operation){.kernel = it->function};
  for (int i = 0; i < it->function->count; ++i)
    memcpy(&result->arguments.p[i], it->params[i], 8);
  if (it->function->count < 0)
    memcpy(&result->arguments, it->params[0], sizeof result->arguments);
  ++fake_cuda.launches;
  return 0;
}
#ifndef FAKE_WITHOUT_LAUNCH
API int cuLaunchKernel(const struct kernel *function, unsigned gx, unsigned gy, unsigned gz,
                       unsigned bx, unsigned by, unsigned bz, unsigned shared,
                       struct CUstream_st *stream, void **params, void **extra) {
  BEGIN
  launch_params launch = {function, {gx, gy, gz}, {bx, by, bz}, shared, params, extra};
  operation it;
  if ((result_ = prepare(&launch, &it)))
    goto end;
  queue(named(stream), it);
  END
}
#endif

/*===-- Streams and memory -------------------------------------------------===*/

API int cuStreamCreate(struct CUstream_st **stream, unsigned flags) {
  BEGIN
  if (flags != 1)
    RETURN(1);
  struct CUstream_st *it = calloc(1, sizeof *it);
  it->last = &it->first;
  it->next = streams;
  *stream = streams = it;
  ++fake_cuda.live_streams;
  END
}
API int cuStreamDestroy_v2(struct CUstream_st *stream) {
  BEGIN
  stream = named(stream);
  drain(stream);
  struct CUstream_st **at = &streams;
  while (*at != stream)
    at = &(*at)->next;
  *at = stream->next;
  free(stream);
  --fake_cuda.live_streams;
  END
}
API int cuStreamSynchronize(struct CUstream_st *stream) {
  BEGIN
  stream = named(stream);
  ++fake_cuda.synchronizations;
  if (fails(&fake_cuda.fail_synchronize))
    RETURN(719);
  drain(stream);
  END
}
static int allocate(unsigned long long *address, size_t bytes) {
  ++fake_cuda.allocations;
  if (!bytes)
    return 1;
  if (bytes > 1ull << 40 || fails(&fake_cuda.fail_alloc))
    return 2;
  *address = (unsigned long long)(uintptr_t)make(&memory, bytes) + TAG;
  ++fake_cuda.live_memory;
  return 0;
}
API int cuMemAlloc_v2(unsigned long long *address, size_t bytes) {
  BEGIN
  RETURN(allocate(address, bytes));
  END
}
API int cuMemFree_v2(unsigned long long address) {
  BEGIN
#ifdef FAKE_OLD
  drainAll();
#endif
  if (drop(&memory, host(address)))
    RETURN(1);
  --fake_cuda.live_memory;
  END
}
API int cuMemHostAlloc(void **address, size_t bytes, unsigned flags) {
  (void)flags;
  BEGIN
  *address = make(&pinned, bytes);
  END
}
API int cuMemFreeHost(void *address) {
  BEGIN
  RETURN(drop(&pinned, address));
  END
}
API int cuMemGetInfo_v2(size_t *unused, size_t *total) {
  BEGIN
  *unused = 1000, *total = 4000;
  END
}
/* What lies outside of device memory is the caller's mistake. */
static int inside(unsigned long long address, size_t bytes) {
  range *it = find(memory, host(address));
  return it && host(address) + bytes <= it->begin + it->bytes;
}
API int cuMemcpyHtoDAsync_v2(unsigned long long to, const void *from, size_t bytes,
                             struct CUstream_st *stream) {
  BEGIN
  stream = named(stream);
  if (!inside(to, bytes) || stream->recording)
    RETURN(1);
  operation it = {.to = host(to), .from = from, .bytes = bytes};
  if (!find(pinned, from))
    it.held = memcpy(malloc(bytes), from, bytes);
  queue(stream, it);
  END
}
API int cuMemcpyDtoHAsync_v2(void *to, unsigned long long from, size_t bytes,
                             struct CUstream_st *stream) {
  BEGIN
  stream = named(stream);
  if (!inside(from, bytes) || stream->recording)
    RETURN(1);
  operation it = {.to = to, .from = host(from), .bytes = bytes};
  queue(stream, it);
  END
}
API int cuMemcpyDtoDAsync_v2(unsigned long long to, unsigned long long from, size_t bytes,
                             struct CUstream_st *stream) {
  BEGIN
  stream = named(stream);
  if (!inside(from, bytes) || !inside(to, bytes))
    RETURN(1);
  operation it = {.to = host(to), .from = host(from), .bytes = bytes};
  queue(stream, it);
  END
}

API int cuMemcpyHtoD_v2(unsigned long long to, const void *from, size_t bytes) {
  BEGIN
  if (!inside(to, bytes))
    RETURN(1);
  memcpy(host(to), from, bytes);
  END
}

/*===-- Events: a millisecond passes between any two -----------------------===*/

API int cuEventCreate(void **event, unsigned flags) {
  BEGIN
  if (flags & ~2u)
    RETURN(1);
  *event = calloc(1, sizeof(operation));
  ++fake_cuda.live_events;
  END
}
API int cuEventRecord(operation *event, struct CUstream_st *stream) {
  BEGIN
  event->after = named(stream);
  if (event->after->recording) { /* it would become a part of that graph */
    event->after->invalid = 1;
    RETURN(900);
  }
  event->count = event->after->queued;
  END
}
API int cuEventDestroy_v2(operation *event) {
  BEGIN
  free(event);
  --fake_cuda.live_events;
  END
}
API int cuStreamWaitEvent(struct CUstream_st *stream, operation *event, unsigned flags) {
  BEGIN
  if (flags || !event->after)
    RETURN(1);
  if (named(stream) != event->after)
    queue(named(stream), *event);
  ++fake_cuda.stream_waits;
  END
}
API int cuEventElapsedTime(float *milliseconds, const operation *start, const operation *end) {
  BEGIN
  if (!start->after || !end->after)
    RETURN(1);
  *milliseconds = 1;
  END
}

/*===-- What old drivers lack ----------------------------------------------===*/

#ifndef FAKE_OLD
API int cuMemAllocAsync(unsigned long long *address, size_t bytes, struct CUstream_st *stream) {
  BEGIN
  stream = named(stream);
  if (stream->recording)
    RETURN(1);
  RETURN(allocate(address, bytes));
  END
}
API int cuMemFreeAsync(unsigned long long address, struct CUstream_st *stream) {
  BEGIN
  stream = named(stream);
  if (stream->recording)
    RETURN(1);
  operation it = {.released = host(address)};
  queue(stream, it);
  END
}
API int cuStreamBeginCapture_v2(struct CUstream_st *stream, int mode) {
  BEGIN
  stream = named(stream);
  ++fake_cuda.captures;
  if (stream->recording || stream == &default_stream || mode > 2)
    RETURN(1);
  stream->recording = calloc(1, sizeof *stream->recording);
  stream->recording->last = &stream->recording->first;
  END
}
API int cuStreamIsCapturing(struct CUstream_st *stream, int *status) {
  BEGIN
  stream = named(stream);
  *status = stream->invalid ? 2 : stream->recording ? 1 : 0;
  END
}
static void destroyGraph(struct CUgraph_st *graph) {
  while (graph->first) {
    operation *it = graph->first;
    graph->first = it->next;
    free(it);
  }
  free(graph);
}
API int cuStreamEndCapture(struct CUstream_st *stream, struct CUgraph_st **graph) {
  BEGIN
  stream = named(stream);
  *graph = stream->recording;
  stream->recording = NULL;
  if (stream->invalid) {
    destroyGraph(*graph);
    *graph = NULL;
    stream->invalid = 0;
    RETURN(901); /* CUDA_ERROR_STREAM_CAPTURE_INVALIDATED */
  }
  END
}
API int cuGraphCreate(struct CUgraph_st **graph, unsigned flags) {
  BEGIN
  if (flags || fails(&fake_cuda.fail_graph))
    RETURN(1);
  *graph = calloc(1, sizeof **graph);
  (*graph)->last = &(*graph)->first;
  END
}
/* Each node comes after the one before: its handle is the place where the next one goes. */
static int addNode(operation ***node, struct CUgraph_st *graph, operation **const *before,
                   size_t count, operation value) {
  bool first = !graph->first;
  if (first ? count != 0 : count != 1 || before[0] != graph->last)
    return 1;
  operation *it = malloc(sizeof *it);
  *it = value;
  it->next = NULL;
  *graph->last = it;
  graph->last = &it->next;
  *node = graph->last;
  return 0;
}
API int cuGraphAddKernelNode(operation ***node, struct CUgraph_st *graph, operation **const *before,
                             size_t count, const launch_params *launch) {
  BEGIN
  operation it;
  if ((result_ = prepare(launch, &it)))
    goto end;
  RETURN(addNode(node, graph, before, count, it));
  END
}
typedef struct copy_params { /* CUDA_MEMCPY3D */
  size_t from_place[4];
  int from_type;
  const void *from_host;
  unsigned long long from;
  void *from_array[2];
  size_t from_pitch, from_height, to_place[4];
  int to_type;
  void *to_host;
  unsigned long long to;
  void *to_array[2];
  size_t to_pitch, to_height, width, height, depth;
} copy_params;
API int cuGraphAddMemcpyNode(operation ***node, struct CUgraph_st *graph, operation **const *before,
                             size_t count, const copy_params *copy, void *context) {
  BEGIN
  static const size_t zero[4];
  if (!context || copy->from_type != 2 || copy->to_type != 2 || copy->height != 1 ||
      copy->depth != 1 || copy->from_pitch < copy->width || copy->to_pitch < copy->width ||
      memcmp(copy->from_place, zero, sizeof zero) || memcmp(copy->to_place, zero, sizeof zero) ||
      !inside(copy->from, copy->width) || !inside(copy->to, copy->width))
    RETURN(1);
  operation it = {.to = host(copy->to), .from = host(copy->from), .bytes = copy->width};
  RETURN(addNode(node, graph, before, count, it));
  END
}
API int cuGraphInstantiateWithFlags(struct CUgraph_st **executable, struct CUgraph_st *graph,
                                    unsigned long long flags) {
  BEGIN
  if (flags || fails(&fake_cuda.fail_instantiate))
    RETURN(1);
  *executable = calloc(1, sizeof **executable);
  (*executable)->last = &(*executable)->first;
  for (operation *it = graph->first; it; it = it->next) {
    operation *copy = malloc(sizeof *copy);
    *copy = *it;
    copy->next = NULL;
    *(*executable)->last = copy;
    (*executable)->last = &copy->next;
  }
  ++fake_cuda.live_graphs;
  END
}
API int cuGraphLaunch(struct CUgraph_st *executable, struct CUstream_st *stream) {
  BEGIN
  stream = named(stream);
  ++fake_cuda.graph_launches;
  for (operation *it = executable->first; it; it = it->next)
    queue(stream, *it);
  END
}
API int cuGraphDestroy(struct CUgraph_st *graph) {
  BEGIN_BROKEN
  destroyGraph(graph);
  END
}
API int cuGraphExecDestroy(struct CUgraph_st *graph) {
  BEGIN_BROKEN
  destroyGraph(graph);
  --fake_cuda.live_graphs;
  END
}
#endif
