/*===- Run.c - Calls from the command line --------------------------------------===*/
#include "Run.h"
#include "Internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct call {
  const char *method;
  tl_value *arguments;
  size_t count;
} call;

static int fail(const tl_error *error) {
  fflush(stdout);
  fprintf(stderr, "error: %s\n", error->message);
  return 1;
}

/*===-- Changed arguments --------------------------------------------------===*/

/* A copy of the tensors in a value, packed one after the other; null and size 0 without tensors. */
static void pack(const tl_value *value, char **buffer, size_t *size) {
  if (value->kind == TL_TENSOR) {
    const DLTensor *tensor = value->as.tensor.tensor;
    size_t element = tl_dtype_bytes(tl_tensor_dtype(tensor));
    size_t bytes = (size_t)tl_byte_count(tensor->ndim, tensor->shape, (int64_t)element);
    char *more = realloc(*buffer, *size + bytes + 1);
    if (!more)
      return;
    *buffer = more;
    tl_tensor_gather(tensor, more + *size, element);
    *size += bytes;
  } else if (value->kind >= TL_LIST) {
    size_t count = value->as.items.count * (value->kind == TL_DICT ? 2 : 1);
    for (size_t i = 0; i < count; ++i)
      pack(&value->as.items.data[i], buffer, size);
  }
}

static bool mayChangeArguments(const tl_method *method) {
  for (int64_t v = 0; v < method->variant_count; ++v)
    if (method->variants[v].change_count)
      return true;
  return false;
}

/*===-- Benchmark ----------------------------------------------------------===*/

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* Repeats a call for a second (10 times at least) and prints least, median and 99th percentile. */
static bool benchmark(tl_instance *instance, const call *it, tl_value *result, tl_error *error) {
  enum { LIMIT = 100000 };
  int64_t *times = malloc(LIMIT * sizeof *times), total = 0;
  size_t count = 0;
  while (times && count < LIMIT && (count < 10 || total < 1000000000)) {
    int64_t start = now();
    if (tl_call(instance, it->method, it->arguments, it->count, result, error)) {
      free(times);
      return false;
    }
    total += times[count++] = now() - start;
  }
  if (!times)
    return tl_fail(error, TL_OUT_OF_MEMORY, "out of memory"), false;
  qsort(times, count, sizeof *times, compare);
  printf("%s: minimum %.4g us, median %.4g us, 99th percentile %.4g us (%zu calls)\n", it->method,
         (double)times[0] / 1e3, (double)times[count / 2] / 1e3,
         (double)times[(count - 1) * 99 / 100] / 1e3, count);
  free(times);
  return true;
}

/*===-- The calls ----------------------------------------------------------===*/

static bool makeCall(tl_instance *instance, const tl_model *model, const call *it, size_t index,
                     const tl_run_options *options, tl_error *error) {
  const tl_run_observer *observer = options->observer;
  const tl_method *method = tl_model_find_method(model, it->method);
  bool *changed = calloc(it->count + 1, sizeof *changed);
  char **before = calloc(it->count + 1, sizeof *before);
  bool ok = changed && before;
  if (!ok)
    tl_fail(error, TL_OUT_OF_MEMORY, "out of memory");
  if (ok && observer)
    ok = observer->before(observer->context, it->method, it->arguments, it->count);
  bool watch = ok && method && mayChangeArguments(method);
  for (size_t i = 0; watch && i < it->count; ++i) {
    size_t size = 0;
    pack(&it->arguments[i], &before[i], &size);
  }
  tl_value result = tl_none();
  if (ok && tl_call(instance, it->method, it->arguments, it->count, &result, error)) {
    ok = observer && observer->failed(observer->context, it->method, error->message);
    if (ok)
      goto done;
  }
  for (size_t i = 0; ok && watch && i < it->count; ++i) {
    char *after = NULL;
    size_t size = 0;
    pack(&it->arguments[i], &after, &size);
    changed[i] = size && memcmp(before[i], after, size) != 0;
    free(after);
  }
  if (ok && options->output_dir)
    ok = tl_write_outputs(options->output_dir, index, &result, it->arguments, changed, it->count,
                          error);
  if (ok && observer)
    ok = observer->after(observer->context, it->method, it->arguments, it->count, &result);
  if (ok && !options->output_dir && !options->benchmark && !observer) {
    tl_print_value(&result);
    fputc('\n', stdout);
  }
  if (ok && options->benchmark)
    ok = benchmark(instance, it, &result, error);
  if (ok && (fflush(stdout) || ferror(stdout)))
    ok = (tl_fail(error, TL_NOT_FOUND, "standard output: cannot be written: %s", strerror(errno)),
          false);
done:
  tl_value_clear(&result);
  for (size_t i = 0; before && i < it->count; ++i)
    free(before[i]);
  free(before);
  free(changed);
  return ok;
}

static bool parseCalls(tl_store *store, const tl_run_options *options, call **calls, size_t *count,
                       tl_error *error) {
  *count = options->call_count ? options->call_count : 1;
  *calls = tl_store_alloc(store, *count * sizeof **calls);
  if (!*calls)
    return tl_fail(error, TL_OUT_OF_MEMORY, "out of memory"), false;
  for (size_t i = 0; i < options->call_count; ++i)
    if (!tl_parse_call(store, options->calls[i], &(*calls)[i].method, &(*calls)[i].arguments,
                       &(*calls)[i].count, error))
      return false;
  if (options->call_count)
    return true;
  call *forward = &(*calls)[0];
  forward->method = "forward";
  forward->count = options->input_count;
  forward->arguments = tl_store_alloc(store, (options->input_count + 1) * sizeof(tl_value));
  for (size_t i = 0; i < options->input_count; ++i)
    if (!tl_parse_value(store, options->inputs[i], &forward->arguments[i], error))
      return false;
  return true;
}

int tl_run_model(const tl_model *model, const tl_run_options *options) {
  tl_error error = {""};
  tl_store store = {NULL};
  call *calls = NULL;
  size_t count = 0;
  tl_options instance_options = {
      .threads = options->threads, .device = options->device, .device_id = options->device_id};
  tl_instance *instance = NULL;
  bool ok = parseCalls(&store, options, &calls, &count, &error) &&
            tl_instance_create(model, &instance_options, &instance, &error) == TL_OK &&
            (!options->seeded || tl_instance_seed(instance, options->seed, &error) == TL_OK);
  for (size_t i = 0; ok && i < count; ++i)
    ok = makeCall(instance, model, &calls[i], i, options, &error);
  tl_instance_destroy(instance);
  tl_store_free(&store);
  if (ok)
    return 0;
  return error.message[0] ? fail(&error) : 1;
}

/*===-- Devices ------------------------------------------------------------===*/

bool tl_parse_device(const char *text, int32_t *device, int32_t *device_id, tl_error *error) {
  static const char *const names[] = {"cpu", "cuda", "emulated"};
  *device_id = 0;
  for (int32_t i = 0; i < 3; ++i)
    if (strcmp(text, names[i]) == 0) {
      *device = TL_DEVICE_CPU + i;
      return true;
    }
  if (strncmp(text, "cuda:", 5) == 0 && text[5] >= '0' && text[5] <= '9') {
    char *end;
    long number = strtol(text + 5, &end, 10);
    if (!*end && number <= 1024) {
      *device = TL_DEVICE_CUDA;
      *device_id = (int32_t)number;
      return true;
    }
  }
  tl_fail(error, TL_INVALID_ARGUMENT,
          "--device: expected cpu, cuda, cuda:N or emulated, got '%.100s'", text);
  return false;
}

/*===-- The executable's command line --------------------------------------===*/

static void help(const tl_model *model, const char *program) {
  printf("usage: %s [--input=VALUE]... [--call='METHOD(VALUE, ...)']... [options]\n\n"
         "Runs the compiled model '%s', which offers:\n",
         program, tl_model_name(model));
  for (size_t m = 0; m < tl_model_method_count(model); ++m) {
    const tl_method *method = tl_model_method(model, m);
    for (size_t v = 0; v < tl_method_variant_count(method); ++v) {
      char text[4096];
      tl_method_format(method, v, text, sizeof text);
      printf("  %s\n", text);
    }
  }
  puts("\n"
       "  --input=VALUE       one argument of forward; give it once for each\n"
       "  --call=METHOD(...)  a call; several are made in order, on one instance\n"
       "  --output-dir=DIR    write results to DIR/call0.json and DIR/call0.out0.npy, ...\n"
       "                      (without it they are printed)\n"
       "  --benchmark         repeat each call and print its times\n"
       "  --threads=N         threads of one call (default: what the model was compiled for)\n"
       "  --device=DEVICE     cpu, cuda (a GPU of NVIDIA), cuda:N (the one with this number), or\n"
       "                      emulated (the GPU's code on the CPU, slowly)\n"
       "                      (default: the first that the model was compiled for)\n"
       "  --seed=N            seed of the random generator (default: another one each time)\n"
       "  --version, --help\n\n"
       "A VALUE is a tensor, @x.npy (@x.npy:bf16 for 16-bit integers that hold bfloat16),\n"
       "2x2xf32='1 2 3 4', 1x3xf32=0.5 or 1x3xf32=rand; or 10, 1.5, true, none, \"text\";\n"
       "or [a, b], (a, b), {\"key\": a} of these.");
}

int tl_run_main(const tl_model *model, int argc, char **argv) {
  const char **inputs = calloc((size_t)argc, sizeof *inputs);
  const char **calls = calloc((size_t)argc, sizeof *calls);
  tl_run_options options = {.inputs = inputs, .calls = calls};
  int status = inputs && calls ? -1 : 1;
  for (int i = 1; i < argc && status < 0; ++i) {
    char *argument = argv[i];
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
      help(model, argv[0]);
      status = 0;
      continue;
    }
    if (strcmp(argument, "--version") == 0) {
      printf("TorchLite %s\n", tl_version());
      status = 0;
      continue;
    }
    if (strcmp(argument, "--benchmark") == 0) {
      options.benchmark = true;
      continue;
    }
    /* `--name=value`, or the value as the next argument. */
    char *equals = strchr(argument, '=');
    size_t length = equals ? (size_t)(equals - argument) : strlen(argument);
    const char *value = equals ? equals + 1 : argv[i + 1];
#define IS(option) (length == sizeof option - 1 && memcmp(argument, option, length) == 0)
    bool known = IS("--input") || IS("--call") || IS("--output-dir") || IS("--threads") ||
                 IS("--device") || IS("--seed");
    if (!known || !value) {
      fprintf(stderr, "error: %s '%s'; see --help\n", known ? "no value for" : "unknown argument",
              argument);
      status = 1;
      continue;
    }
    i += !equals;
    if (IS("--input"))
      inputs[options.input_count++] = value;
    else if (IS("--call"))
      calls[options.call_count++] = value;
    else if (IS("--output-dir"))
      options.output_dir = value;
    else if (IS("--device")) {
      tl_error error;
      if (!tl_parse_device(value, &options.device, &options.device_id, &error)) {
        fprintf(stderr, "error: %s\n", error.message);
        status = 1;
      }
    } else if (IS("--seed")) {
      char *end;
      options.seed = strtoull(value, &end, 0);
      options.seeded = true;
      if (*end || end == value || *value == '-') {
        fprintf(stderr, "error: --seed: expected a number, got '%s'\n", value);
        status = 1;
      }
    } else {
      char *end;
      long threads = strtol(value, &end, 10);
      if (*end || end == value || threads < 0 || threads > 1024) {
        fprintf(stderr, "error: --threads: expected a number from 0 to 1024, got '%s'\n", value);
        status = 1;
      }
      options.threads = (int32_t)threads;
    }
#undef IS
  }
  if (status < 0 && options.input_count && options.call_count) {
    fprintf(stderr, "error: --input gives the arguments of forward, and --call names a method with "
                    "its own: use one of them\n");
    status = 1;
  }
  if (status < 0)
    status = tl_run_model(model, &options);
  free(inputs);
  free(calls);
  return status;
}
