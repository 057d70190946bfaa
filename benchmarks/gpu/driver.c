/*===- driver.c - What timing asks of the GPU's driver -----------------------------===*/
#include "driver.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct driver cu;

double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

const char *openDriver(int number, int *device) {
  static char problem[256];
  const char *path = getenv("TORCHLITE_LIBCUDA");
  void *library = dlopen(path ? path : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(problem, sizeof problem, "no NVIDIA driver: %s", dlerror());
    return problem;
  }
#define FIND(name, ...)                                                                            \
  if (!(*(void **)&cu.name = dlsym(library, #name)))                                               \
    return "the NVIDIA driver lacks " #name;
  DRIVER_FUNCTIONS(FIND)
#undef FIND
  /* The newer name has the same arguments. */
  *(void **)&cu.cuEventElapsedTime = dlsym(library, "cuEventElapsedTime_v2");
  if (!cu.cuEventElapsedTime)
    *(void **)&cu.cuEventElapsedTime = dlsym(library, "cuEventElapsedTime");
  if (!cu.cuEventElapsedTime)
    return "the NVIDIA driver lacks cuEventElapsedTime";
  int status = cu.cuInit(0);
  if (status) {
    snprintf(problem, sizeof problem, "the NVIDIA driver finds no GPU that it can use (error %d)",
             status);
    return problem;
  }
  if (cu.cuDeviceGet(device, number)) {
    snprintf(problem, sizeof problem, "there is no GPU with the number %d", number);
    return problem;
  }
  void *context;
  if (cu.cuDevicePrimaryCtxRetain(&context, *device) || cu.cuCtxSetCurrent(context))
    return "the GPU cannot be used";
  return NULL;
}

static int attribute(int device, int which) {
  int value = 0;
  cu.cuDeviceGetAttribute(&value, which, device);
  return value;
}
static int major(int device) {
  return attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
}
static int minor(int device) {
  return attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
}
static int multiprocessors(int device) {
  return attribute(device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
}
static double hertz(int device) { return 1e3 * attribute(device, CU_DEVICE_ATTRIBUTE_CLOCK_RATE); }

int probe(int number) {
  int device, version = 0;
  size_t memory = 0;
  char name[128] = "";
  const char *problem = openDriver(number, &device);
  if (problem)
    return fprintf(stderr, "%s\n", problem), 3;
  cu.cuDriverGetVersion(&version);
  cu.cuDeviceGetName(name, sizeof name, device);
  cu.cuDeviceTotalMem_v2(&memory, device);
  printf("%s, compute capability %d.%d, %d multiprocessors, %.2f GHz, %.0f GiB; driver for CUDA "
         "%d.%d\n",
         name, major(device), minor(device), multiprocessors(device), hertz(device) * 1e-9,
         (double)memory / (1 << 30), version / 1000, version % 1000 / 10);
  return 0;
}

/*===-- Yardsticks ---------------------------------------------------------===*/

/* Multiply-adds of a multiprocessor in a clock. Sources: CUDA C++ Programming Guide, "Arithmetic
   Instructions" (f32 on ordinary cores); NVIDIA's white papers of the architectures (tensor cores,
   dense, sums in f32 at the full rate, which GeForce boards halve). */
static const struct units {
  int arch, f32, tf32, f16, bf16;
} units[] = {
    {70, 64, 0, 512, 0},          {75, 64, 0, 512, 0},      {80, 64, 512, 1024, 1024},
    {86, 128, 256, 512, 512},     {89, 128, 256, 512, 512}, {90, 128, 1024, 2048, 2048},
    {100, 128, 2048, 4096, 4096},
};

static void computePeaks(yardsticks *it, int device) {
  int arch = 10 * major(device) + minor(device);
  double rate = 2 * hertz(device) * multiprocessors(device);
  for (size_t i = 0; i < sizeof units / sizeof *units; ++i)
    if (units[i].arch == arch) {
      it->f32 = rate * units[i].f32;
      it->tf32 = rate * units[i].tf32;
      it->f16 = rate * units[i].f16;
      it->bf16 = rate * units[i].bf16;
    }
}

double peakOf(const yardsticks *it, const char *precision) {
  return strcmp(precision, "f32") == 0    ? it->f32
         : strcmp(precision, "tf32") == 0 ? it->tf32
         : strcmp(precision, "f16") == 0  ? it->f16
         : strcmp(precision, "bf16") == 0 ? it->bf16
                                          : 0;
}

enum { COPIES = 10, ROUNDS = 5 };

static bool copyOnDevice(double *rate, void *stream) {
  const size_t bytes = 256u << 20; /* larger than any cache */
  unsigned long long from = 0, to = 0;
  void *begin = NULL, *end = NULL;
  bool ok = !cu.cuMemAlloc_v2(&from, bytes) && !cu.cuMemAlloc_v2(&to, bytes) &&
            !cu.cuEventCreate(&begin, CU_EVENT_DEFAULT) &&
            !cu.cuEventCreate(&end, CU_EVENT_DEFAULT);
  for (int round = 0; ok && round < ROUNDS; ++round) {
    float milliseconds = 0;
    ok = !cu.cuEventRecord(begin, stream);
    for (int i = 0; ok && i < COPIES; ++i)
      ok = !cu.cuMemcpyDtoDAsync_v2(to, from, bytes, stream);
    ok = ok && !cu.cuEventRecord(end, stream) && !cu.cuStreamSynchronize(stream) &&
         !cu.cuEventElapsedTime(&milliseconds, begin, end) && milliseconds > 0;
    double reached = ok ? 2.0 * COPIES * (double)bytes / (milliseconds * 1e-3) : 0;
    *rate = reached > *rate ? reached : *rate;
  }
  if (from)
    cu.cuMemFree_v2(from);
  if (to)
    cu.cuMemFree_v2(to);
  if (begin)
    cu.cuEventDestroy_v2(begin);
  if (end)
    cu.cuEventDestroy_v2(end);
  return ok;
}

static bool copyOnProcessor(double *rate) {
  const size_t bytes = 32u << 20;
  char *from = calloc(1, bytes), *to = malloc(bytes);
  for (int round = 0; from && to && round < ROUNDS; ++round) {
    double start = now();
    memcpy(to, from, bytes);
    double reached = 2 * (double)bytes / (now() - start);
    *rate = reached > *rate ? reached : *rate;
    from[0] = to[bytes - 1]; /* so that the copy is made */
  }
  bool ok = from && to;
  free(from);
  free(to);
  return ok;
}

bool measureYardsticks(yardsticks *result, int device, void *stream) {
  memset(result, 0, sizeof *result);
  if (!stream) {
    snprintf(result->name, sizeof result->name, "the processor");
    return copyOnProcessor(&result->copy);
  }
  cu.cuDeviceGetName(result->name, sizeof result->name, device);
  computePeaks(result, device);
  return copyOnDevice(&result->copy, stream);
}
