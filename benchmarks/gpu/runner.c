/*===- runner.c - Checks and times compiled models on a GPU ----------------------===*\
|*
|* tl-gpu-runner [--device=cuda:N] --probe | --check MANIFEST | --time MANIFEST [--json=FILE]
|*
|* MANIFEST (benchmarks/gpu/build.py writes it) has a line for each case:
|*   check|NAME|LIBRARY|rtol|atol|CALL|@expected.npy
|*   time|NAME|LIBRARY|operations|bytes|CALL
|* Needs nothing but libc and the GPU's driver, which is opened where it is. Times are those of the
|* device (CUDA events around many calls, tensors on the device): least and median of 20 samples.
|*
|* Exit status: 0; 1 where a check failed; 3 where there is no such device.
\*===----------------------------------------------------------------------===*/
#include "Run.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*===-- The driver ---------------------------------------------------------===*/

/* Of the CUDA driver API, what timing needs; see its reference manual. */
static struct {
  int (*cuInit)(unsigned);
  int (*cuDriverGetVersion)(int *);
  int (*cuDeviceGet)(int *, int);
  int (*cuDeviceGetName)(char *, int, int);
  int (*cuDeviceGetAttribute)(int *, int, int);
  int (*cuDeviceTotalMem_v2)(size_t *, int);
  int (*cuDevicePrimaryCtxRetain)(void **, int);
  int (*cuCtxSetCurrent)(void *);
  int (*cuMemAlloc_v2)(unsigned long long *, size_t);
  int (*cuMemFree_v2)(unsigned long long);
  int (*cuMemcpyHtoD_v2)(unsigned long long, const void *, size_t);
  int (*cuStreamCreate)(void **, unsigned);
  int (*cuStreamSynchronize)(void *);
  int (*cuEventCreate)(void **, unsigned);
  int (*cuEventRecord)(void *, void *);
  int (*cuEventElapsedTime_v2)(float *, void *, void *);
} cu;

static const char *openDriver(int number, int *device) {
  const char *path = getenv("TORCHLITE_LIBCUDA");
  void *library = dlopen(path ? path : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return "no NVIDIA driver (libcuda.so.1)";
#define FIND(name)                                                                                 \
  if (!(*(void **)&cu.name = dlsym(library, #name)))                                               \
    return "the NVIDIA driver lacks " #name;
  FIND(cuInit) FIND(cuDriverGetVersion) FIND(cuDeviceGet) FIND(cuDeviceGetName)
  FIND(cuDeviceGetAttribute) FIND(cuDeviceTotalMem_v2) FIND(cuDevicePrimaryCtxRetain)
  FIND(cuCtxSetCurrent) FIND(cuMemAlloc_v2) FIND(cuMemFree_v2) FIND(cuMemcpyHtoD_v2)
  FIND(cuStreamCreate) FIND(cuStreamSynchronize) FIND(cuEventCreate) FIND(cuEventRecord)
#undef FIND
  /* The newer name has the same arguments. */
  *(void **)&cu.cuEventElapsedTime_v2 = dlsym(library, "cuEventElapsedTime_v2");
  if (!cu.cuEventElapsedTime_v2)
    *(void **)&cu.cuEventElapsedTime_v2 = dlsym(library, "cuEventElapsedTime");
  void *context;
  if (!cu.cuEventElapsedTime_v2 || cu.cuInit(0) || cu.cuDeviceGet(device, number))
    return "no GPU with this number";
  if (cu.cuDevicePrimaryCtxRetain(&context, *device) || cu.cuCtxSetCurrent(context))
    return "the GPU cannot be used";
  return NULL;
}

static int probe(int number) {
  enum { MULTIPROCESSORS = 16, MAJOR = 75, MINOR = 76, CLOCK_KHZ = 13 };
  int device, version = 0, processors = 0, major = 0, minor = 0, clock = 0;
  size_t memory = 0;
  char name[128] = "";
  const char *problem = openDriver(number, &device);
  if (problem)
    return fprintf(stderr, "%s\n", problem), 3;
  cu.cuDriverGetVersion(&version);
  cu.cuDeviceGetName(name, sizeof name, device);
  cu.cuDeviceGetAttribute(&processors, MULTIPROCESSORS, device);
  cu.cuDeviceGetAttribute(&major, MAJOR, device);
  cu.cuDeviceGetAttribute(&minor, MINOR, device);
  cu.cuDeviceGetAttribute(&clock, CLOCK_KHZ, device);
  cu.cuDeviceTotalMem_v2(&memory, device);
  printf("%s, compute capability %d.%d, %d multiprocessors, %.2f GHz, %.0f GiB; driver for CUDA %d.%d\n",
         name, major, minor, processors, clock / 1e6, (double)memory / (1 << 30), version / 1000,
         version % 1000 / 10);
  return 0;
}

/*===-- Cases --------------------------------------------------------------===*/

typedef struct session {
  int32_t device, device_id;
  void *stream; /* timing on a GPU */
  char library[512];
  const tl_model *model;
  tl_instance *instance;
} session;

static void closeModel(session *s) {
  tl_instance_destroy(s->instance);
  if (s->model)
    tl_model_close(s->model);
  s->instance = NULL;
  s->model = NULL;
  s->library[0] = 0;
}

/* Neighbouring cases share a library: its weights are loaded once. */
static bool openModel(session *s, const char *library, tl_error *error) {
  if (s->instance && strcmp(s->library, library) == 0)
    return true;
  closeModel(s);
  char path[520];
  snprintf(path, sizeof path, "./%s", library);
  tl_options options = {.device = s->device,
                        .device_id = s->device_id,
                        .results_on_device = s->stream != NULL,
                        .stream = s->stream};
  if (tl_model_open(path, &s->model, error) ||
      tl_instance_create(s->model, &options, &s->instance, error)) {
    closeModel(s);
    return false;
  }
  snprintf(s->library, sizeof s->library, "%s", library);
  return true;
}

static double element(const DLTensor *tensor, int64_t index) {
  const char *data = (const char *)tensor->data + tensor->byte_offset;
  if (tensor->dtype.code == kDLFloat && tensor->dtype.bits == 32)
    return ((const float *)data)[index];
  if (tensor->dtype.code == kDLFloat && tensor->dtype.bits == 64)
    return ((const double *)data)[index];
  if (tensor->dtype.code == kDLFloat && tensor->dtype.bits == 16) {
    uint16_t h = ((const uint16_t *)data)[index];
    int exponent = h >> 10 & 31, mantissa = h & 1023;
    double value = exponent == 31 ? (mantissa ? NAN : INFINITY)
                   : exponent     ? ldexp(1024 + mantissa, exponent - 25)
                                  : ldexp(mantissa, -24);
    return h >> 15 ? -value : value;
  }
  if (tensor->dtype.code == kDLBfloat) {
    uint32_t bits = (uint32_t)((const uint16_t *)data)[index] << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
  }
  if (tensor->dtype.bits == 64)
    return (double)((const int64_t *)data)[index];
  return NAN;
}

/* What is wrong with a result, or null. */
static const char *differs(const DLTensor *got, const DLTensor *want, double rtol, double atol,
                           char *text, size_t size) {
  int64_t count = 1;
  if (got->ndim != want->ndim || got->dtype.code != want->dtype.code ||
      got->dtype.bits != want->dtype.bits)
    return "another type or rank";
  for (int32_t i = 0; i < got->ndim; ++i) {
    if (got->shape[i] != want->shape[i])
      return "another shape";
    count *= want->shape[i];
  }
  for (int64_t i = 0; i < count; ++i) {
    double a = element(got, i), b = element(want, i);
    if (a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= atol + rtol * fabs(b))
      continue;
    snprintf(text, size, "element %lld is %.9g, expected %.9g", (long long)i, a, b);
    return text;
  }
  return NULL;
}

/* Splits a line at bars; returns the number of fields. */
static int split(char *line, char **fields, int limit) {
  int count = 0;
  line[strcspn(line, "\n")] = 0;
  for (char *at = line; at && count < limit;) {
    fields[count++] = at;
    at = strchr(at, '|');
    if (at)
      *at++ = 0;
  }
  return count;
}

static bool check(session *s, char **fields, tl_error *error) {
  tl_store store = {NULL};
  const char *method;
  tl_value *arguments, result = tl_none(), expected;
  size_t count;
  char text[256];
  bool ok = openModel(s, fields[2], error) &&
            tl_parse_call(&store, fields[5], &method, &arguments, &count, error) &&
            tl_parse_value(&store, fields[6], &expected, error);
  /* Three times: plain launches, what is recorded, what is replayed. */
  for (int round = 0; ok && round < 3; ++round) {
    tl_value_clear(&result);
    result = tl_none();
    ok = tl_call(s->instance, method, arguments, count, &result, error) == TL_OK;
    if (ok && result.kind != TL_TENSOR)
      ok = false, snprintf(error->message, sizeof error->message, "the result is no tensor");
    const char *problem = ok ? differs(result.as.tensor.tensor, expected.as.tensor.tensor,
                                       atof(fields[3]), atof(fields[4]), text, sizeof text)
                             : NULL;
    if (problem)
      ok = false, snprintf(error->message, sizeof error->message, "call %d: %s", round, problem);
  }
  tl_value_clear(&result);
  tl_store_free(&store);
  return ok;
}

/*===-- Times --------------------------------------------------------------===*/

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Puts a tensor's elements on the GPU. */
static bool upload(tl_value *value, int device_id, unsigned long long *memory) {
  DLTensor *tensor = value->as.tensor.tensor;
  size_t bytes = (size_t)tensor->dtype.bits / 8;
  for (int32_t i = 0; i < tensor->ndim; ++i)
    bytes *= (size_t)tensor->shape[i];
  if (cu.cuMemAlloc_v2(memory, bytes ? bytes : 1) ||
      cu.cuMemcpyHtoD_v2(*memory, (char *)tensor->data + tensor->byte_offset, bytes))
    return false;
  tensor->data = (void *)(uintptr_t)*memory;
  tensor->byte_offset = 0;
  tensor->device.device_type = kDLCUDA;
  tensor->device.device_id = device_id;
  return true;
}

enum { SAMPLES = 20, ARGUMENTS = 8 };

/* Seconds of a call, `calls` in a row. */
static bool sample(session *s, const char *method, tl_value *arguments, size_t count,
                   tl_value *result, void *events[2], int calls, double *seconds, tl_error *error) {
  double start = now();
  if (s->stream)
    cu.cuEventRecord(events[0], s->stream);
  for (int i = 0; i < calls; ++i)
    if (tl_call(s->instance, method, arguments, count, result, error))
      return false;
  float milliseconds = 0;
  if (s->stream) {
    cu.cuEventRecord(events[1], s->stream);
    if (cu.cuStreamSynchronize(s->stream)) {
      snprintf(error->message, sizeof error->message, "the GPU reports an error");
      return false;
    }
    cu.cuEventElapsedTime_v2(&milliseconds, events[0], events[1]);
  }
  *seconds = (s->stream ? milliseconds * 1e-3 : now() - start) / calls;
  return true;
}

static bool measure(session *s, char **fields, FILE *json, bool first, tl_error *error) {
  tl_store store = {NULL};
  const char *method;
  tl_value *arguments, result = tl_none();
  size_t count;
  unsigned long long memory[ARGUMENTS] = {0};
  void *events[2] = {NULL, NULL};
  double seconds[SAMPLES];
  bool ok = openModel(s, fields[2], error) &&
            tl_parse_call(&store, fields[5], &method, &arguments, &count, error);
  for (size_t i = 0; ok && s->stream && i < count && i < ARGUMENTS; ++i)
    if (arguments[i].kind == TL_TENSOR && !upload(&arguments[i], s->device_id, &memory[i]))
      ok = false, snprintf(error->message, sizeof error->message, "out of memory on the GPU");
  if (ok && s->stream)
    ok = !cu.cuEventCreate(&events[0], 0) && !cu.cuEventCreate(&events[1], 0);
  double once = 0;
  for (int round = 0; ok && round < 3; ++round)
    ok = sample(s, method, arguments, count, &result, events, 1, &once, error);
  int calls = once > 0 && once < 5e-3 ? (int)fmin(5e-3 / once, 1000) + 1 : 1;
  for (int i = 0; ok && i < SAMPLES; ++i)
    ok = sample(s, method, arguments, count, &result, events, calls, &seconds[i], error);
  if (ok) {
    qsort(seconds, SAMPLES, sizeof *seconds, ascending);
    double least = seconds[0], operations = atof(fields[3]), bytes = atof(fields[4]);
    printf("%-48s %10.2f us", fields[1], least * 1e6);
    if (operations > 0)
      printf(" %8.2f TFLOP/s", operations / least * 1e-12);
    if (bytes > 0)
      printf(" %8.1f GB/s", bytes / least * 1e-9);
    putchar('\n');
    if (json)
      fprintf(json, "%s\n {\"name\": \"%s\", \"least_us\": %.3f, \"median_us\": %.3f, \"operations\": %s, \"bytes\": %s}",
              first ? "" : ",", fields[1], least * 1e6, seconds[SAMPLES / 2] * 1e6, fields[3], fields[4]);
  }
  tl_value_clear(&result);
  for (int i = 0; i < ARGUMENTS; ++i)
    if (memory[i])
      cu.cuMemFree_v2(memory[i]);
  tl_store_free(&store);
  return ok;
}

/*===-- Main ---------------------------------------------------------------===*/

static int run(session *s, const char *manifest, bool checks, const char *json_path) {
  FILE *file = fopen(manifest, "r"), *json = json_path ? fopen(json_path, "w") : NULL;
  if (!file || (json_path && !json))
    return fprintf(stderr, "error: cannot open '%s'\n", file ? json_path : manifest), 1;
  static char line[65536];
  char *fields[8];
  int passed = 0, failed = 0;
  if (json)
    fputs("[", json);
  while (fgets(line, sizeof line, file)) {
    int count = split(line, fields, 8);
    bool wanted = checks ? count == 7 && strcmp(fields[0], "check") == 0
                         : count == 6 && strcmp(fields[0], "time") == 0;
    if (!wanted)
      continue;
    tl_error error = {""};
    bool ok = checks ? check(s, fields, &error) : measure(s, fields, json, passed == 0, &error);
    passed += ok;
    failed += !ok;
    if (!ok)
      printf("FAILED  %s: %s\n", fields[1], error.message);
    else if (checks)
      printf("ok      %s\n", fields[1]);
    fflush(stdout);
  }
  closeModel(s);
  if (json) {
    fputs("\n]\n", json);
    fclose(json);
  }
  fclose(file);
  if (checks)
    printf("%d passed, %d failed\n", passed, failed);
  return failed ? 1 : 0;
}

int main(int argc, char **argv) {
  session s = {.device = TL_DEVICE_CUDA};
  const char *manifest = NULL, *json = NULL;
  bool probing = false, checks = false;
  tl_error error = {""};
  for (int i = 1; i < argc; ++i) {
    if (strncmp(argv[i], "--device=", 9) == 0) {
      if (!tl_parse_device(argv[i] + 9, &s.device, &s.device_id, &error))
        return fprintf(stderr, "error: %s\n", error.message), 1;
    } else if (strcmp(argv[i], "--probe") == 0) {
      probing = true;
    } else if (strncmp(argv[i], "--json=", 7) == 0) {
      json = argv[i] + 7;
    } else if ((strcmp(argv[i], "--check") == 0 || strcmp(argv[i], "--time") == 0) && i + 1 < argc) {
      checks = argv[i][2] == 'c';
      manifest = argv[++i];
    } else {
      return fprintf(stderr, "error: unknown argument '%s'\n", argv[i]), 1;
    }
  }
  bool cuda = s.device == TL_DEVICE_CUDA;
  if (probing)
    return cuda ? probe(s.device_id) : (puts("no GPU: emulated or on the processor"), 0);
  if (!manifest)
    return fprintf(stderr, "error: expected --probe, --check or --time\n"), 1;
  int device;
  if (cuda && !checks) {
    const char *problem = openDriver(s.device_id, &device);
    if (problem || cu.cuStreamCreate(&s.stream, 1))
      return fprintf(stderr, "%s\n", problem ? problem : "no stream"), 3;
  }
  return run(&s, manifest, checks, json);
}
