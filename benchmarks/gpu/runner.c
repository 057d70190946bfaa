/*===- runner.c - Checks and times compiled models on a GPU ----------------------===*\
|*
|* tl-gpu-runner [--device=cuda:N] --probe | --check MANIFEST | --time MANIFEST [--json=FILE]
|*
|* MANIFEST (benchmarks/gpu/build.py writes it) has a line for each case:
|*   check|NAME|LIBRARY|copies|rtol|atol|CALL|@expected.npy
|*   time|NAME|LIBRARY|precision|operations|bytes|CALL
|* With `copies` above 1 the tensors of a check are repeated that often along their first dimension.
|* Needs nothing but libc and the GPU's driver, which is opened where it is. Times are those of the
|* device (CUDA events around many calls, tensors on the device): least and median of 20 samples.
Beside
|* them stand two yardsticks of the same run: the bandwidth of a large copy on the device, and what
its
|* units could multiply at their highest clock.
|*
|* Exit status: 0; 1 where a check failed; 3 where there is no such device.
\*===----------------------------------------------------------------------===*/
#include "Run.h"
#include "driver.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The same for a result of several tensors. */
static const char *valueDiffers(const tl_value *got, const tl_value *want, double rtol, double atol,
                                char *text, size_t size) {
  if (got->kind != want->kind)
    return "a value of another kind";
  if (got->kind == TL_TENSOR)
    return differs(got->as.tensor.tensor, want->as.tensor.tensor, rtol, atol, text, size);
  if (got->kind != TL_TUPLE && got->kind != TL_LIST)
    return "neither a tensor nor a tuple or list of tensors";
  if (got->as.items.count != want->as.items.count)
    return "another number of values";
  for (size_t i = 0; i < got->as.items.count; ++i) {
    const char *problem =
        valueDiffers(&got->as.items.data[i], &want->as.items.data[i], rtol, atol, text, size);
    if (problem)
      return problem;
  }
  return NULL;
}

/* Repeats the tensors of a value along their first dimension. */
static bool repeat(tl_store *store, tl_value *value, int64_t copies, tl_error *error) {
  bool contains = value->kind == TL_TUPLE || value->kind == TL_LIST;
  for (size_t i = 0; contains && i < value->as.items.count; ++i)
    if (!repeat(store, &value->as.items.data[i], copies, error))
      return false;
  if (value->kind != TL_TENSOR || copies == 1)
    return true;
  DLTensor *tensor = value->as.tensor.tensor;
  size_t bytes = tensor->dtype.bits / 8u;
  for (int32_t i = 0; i < tensor->ndim; ++i)
    bytes *= (size_t)tensor->shape[i];
  char *data = tl_store_alloc(store, bytes * (size_t)copies);
  if (!data || tensor->ndim == 0 || copies < 1) {
    snprintf(error->message, sizeof error->message, "cannot make %lld copies of a tensor",
             (long long)copies);
    return false;
  }
  for (int64_t i = 0; i < copies; ++i)
    memcpy(data + (size_t)i * bytes, (char *)tensor->data + tensor->byte_offset, bytes);
  tensor->data = data;
  tensor->byte_offset = 0;
  tensor->shape[0] *= copies;
  return true;
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
            tl_parse_call(&store, fields[6], &method, &arguments, &count, error) &&
            tl_parse_value(&store, fields[7], &expected, error) &&
            repeat(&store, &expected, atoll(fields[3]), error);
  for (size_t i = 0; ok && i < count; ++i)
    ok = repeat(&store, &arguments[i], atoll(fields[3]), error);
  /* Three times: plain launches, what is recorded, what is replayed. */
  for (int round = 0; ok && round < 3; ++round) {
    tl_value_clear(&result);
    result = tl_none();
    ok = tl_call(s->instance, method, arguments, count, &result, error) == TL_OK;
    const char *problem =
        ok ? valueDiffers(&result, &expected, atof(fields[4]), atof(fields[5]), text, sizeof text)
           : NULL;
    if (problem)
      ok = false, snprintf(error->message, sizeof error->message, "call %d: %s", round, problem);
  }
  tl_value_clear(&result);
  tl_store_free(&store);
  return ok;
}

/*===-- Times --------------------------------------------------------------===*/

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
    cu.cuEventElapsedTime(&milliseconds, events[0], events[1]);
  }
  *seconds = (s->stream ? milliseconds * 1e-3 : now() - start) / calls;
  return true;
}

static void report(const yardsticks *sticks, char **fields, const double *seconds, FILE *json,
                   bool first) {
  double least = seconds[0], operations = atof(fields[4]) / least, bytes = atof(fields[5]) / least;
  double peak = peakOf(sticks, fields[3]);
  printf("%-40s %10.2f us", fields[1], least * 1e6);
  if (operations > 0)
    printf(" %8.2f TFLOP/s", operations * 1e-12);
  if (operations > 0 && peak > 0)
    printf(" (%3.0f%% of %s)", 100 * operations / peak, fields[3]);
  if (bytes > 0)
    printf(" %8.1f GB/s (%3.0f%% of a copy)", bytes * 1e-9, 100 * bytes / sticks->copy);
  putchar('\n');
  if (!json)
    return;
  fprintf(
      json,
      "%s\n  {\"name\": \"%s\", \"precision\": \"%s\", \"least_us\": %.3f, \"median_us\": %.3f, "
      "\"operations\": %s, \"bytes\": %s",
      first ? "" : ",", fields[1], fields[3], least * 1e6, seconds[SAMPLES / 2] * 1e6, fields[4],
      fields[5]);
  if (operations > 0 && peak > 0)
    fprintf(json, ", \"of_peak\": %.4f", operations / peak);
  if (bytes > 0)
    fprintf(json, ", \"of_copy\": %.4f", bytes / sticks->copy);
  fputc('}', json);
}

static bool measure(session *s, const yardsticks *sticks, char **fields, FILE *json, bool first,
                    tl_error *error) {
  tl_store store = {NULL};
  const char *method;
  tl_value *arguments, result = tl_none();
  size_t count;
  unsigned long long memory[ARGUMENTS] = {0};
  void *events[2] = {NULL, NULL};
  double seconds[SAMPLES];
  bool ok = openModel(s, fields[2], error) &&
            tl_parse_call(&store, fields[6], &method, &arguments, &count, error);
  for (size_t i = 0; ok && s->stream && i < count && i < ARGUMENTS; ++i)
    if (arguments[i].kind == TL_TENSOR && !upload(&arguments[i], s->device_id, &memory[i]))
      ok = false, snprintf(error->message, sizeof error->message, "out of memory on the GPU");
  if (ok && s->stream)
    ok = !cu.cuEventCreate(&events[0], CU_EVENT_DEFAULT) &&
         !cu.cuEventCreate(&events[1], CU_EVENT_DEFAULT);
  double once = 0;
  for (int round = 0; ok && round < 3; ++round)
    ok = sample(s, method, arguments, count, &result, events, 1, &once, error);
  int calls = once > 0 && once < 5e-3 ? (int)fmin(5e-3 / once, 1000) + 1 : 1;
  for (int i = 0; ok && i < SAMPLES; ++i)
    ok = sample(s, method, arguments, count, &result, events, calls, &seconds[i], error);
  if (ok) {
    qsort(seconds, SAMPLES, sizeof *seconds, ascending);
    report(sticks, fields, seconds, json, first);
  }
  tl_value_clear(&result);
  for (int i = 0; i < ARGUMENTS; ++i)
    if (memory[i])
      cu.cuMemFree_v2(memory[i]);
  for (int i = 0; i < 2; ++i)
    if (events[i])
      cu.cuEventDestroy_v2(events[i]);
  tl_store_free(&store);
  return ok;
}

/*===-- Main ---------------------------------------------------------------===*/

static void writeYardsticks(FILE *json, const yardsticks *it, bool cuda) {
  fprintf(json,
          "{\"device\": \"%s\",\n \"note\": \"%s\",\n \"copy_bytes_per_second\": %.6g,\n"
          " \"peak_operations_per_second\": {\"f32\": %.6g, \"tf32\": %.6g, \"f16\": %.6g, "
          "\"bf16\": %.6g},\n \"rows\": [",
          it->name, cuda ? "" : "emulated on the processor: these times mean nothing", it->copy,
          it->f32, it->tf32, it->f16, it->bf16);
}

static int run(session *s, const char *manifest, bool checks, int device, const char *json_path) {
  bool cuda = s->stream != NULL;
  yardsticks sticks;
  if (!checks && !measureYardsticks(&sticks, device, s->stream))
    return fprintf(stderr, "error: no copy of memory can be timed\n"), 1;
  FILE *file = fopen(manifest, "r"), *json = json_path ? fopen(json_path, "w") : NULL;
  if (!file || (json_path && !json))
    return fprintf(stderr, "error: cannot open '%s'\n", file ? json_path : manifest), 1;
  if (!checks) {
    printf("yardsticks: a copy takes %.1f GB/s", sticks.copy * 1e-9);
    for (const char *const *precision = (const char *const[]){"f32", "tf32", "f16", "bf16", NULL};
         *precision; ++precision)
      if (peakOf(&sticks, *precision) > 0)
        printf(", %s at most %.1f TFLOP/s", *precision, peakOf(&sticks, *precision) * 1e-12);
    puts(cuda ? "" : "; emulated on the processor, so that times mean nothing");
  }
  static char line[65536];
  char *fields[8];
  int passed = 0, failed = 0;
  if (json)
    writeYardsticks(json, &sticks, cuda);
  while (fgets(line, sizeof line, file)) {
    int count = split(line, fields, 8);
    bool wanted = checks ? count == 8 && strcmp(fields[0], "check") == 0
                         : count == 7 && strcmp(fields[0], "time") == 0;
    if (!wanted)
      continue;
    tl_error error = {""};
    bool ok =
        checks ? check(s, fields, &error) : measure(s, &sticks, fields, json, passed == 0, &error);
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
    fputs("]}\n", json);
    fclose(json);
  }
  fclose(file);
  printf("%d %s, %d failed\n", passed, checks ? "passed" : "timed", failed);
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
    } else if ((strcmp(argv[i], "--check") == 0 || strcmp(argv[i], "--time") == 0) &&
               i + 1 < argc) {
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
  int device = 0;
  if (cuda && !checks) {
    const char *problem = openDriver(s.device_id, &device);
    if (problem || cu.cuStreamCreate(&s.stream, CU_STREAM_NON_BLOCKING))
      return fprintf(stderr, "%s\n", problem ? problem : "no stream"), 3;
  }
  return run(&s, manifest, checks, device, json);
}
