/*===- Print.c - Results as JSON and as text ------------------------------------===*/
#include "Internal.h"
#include "Run.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct writer {
  FILE *file;
  const char *directory;
  size_t call, tensors;
  const char *prefix; /* of tensor files: `out` or `in` */
  tl_error *error;
} writer;

static void writeString(FILE *file, const char *text) {
  fputc('"', file);
  for (; *text; ++text) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\')
      fprintf(file, "\\%c", c);
    else if (c < 0x20)
      fprintf(file, "\\u%04x", c);
    else
      fputc(c, file);
  }
  fputc('"', file);
}

/* The shortest text that reads back as the same number, always with a point or exponent. */
static void writeFloat(FILE *file, double f, const char *quote) {
  if (isnan(f) || isinf(f)) {
    fprintf(file, "%s%s%s", quote, isnan(f) ? "nan" : f > 0 ? "inf" : "-inf", quote);
    return;
  }
  char text[40];
  for (int digits = 1; digits <= 17; ++digits) {
    snprintf(text, sizeof text, "%.*g", digits, f);
    if (strtod(text, NULL) == f)
      break;
  }
  fprintf(file, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

static bool writeJson(writer *w, const tl_value *value) {
  char name[64], path[4096];
  size_t count = value->as.items.count;
  switch (value->kind) {
  case TL_NONE:
    fputs("null", w->file);
    return true;
  case TL_INT:
    fprintf(w->file, "%" PRId64, value->as.i);
    return true;
  case TL_FLOAT:
    writeFloat(w->file, value->as.f, "\"");
    return true;
  case TL_BOOL:
    fputs(value->as.b ? "true" : "false", w->file);
    return true;
  case TL_STRING:
    writeString(w->file, value->as.string.data);
    return true;
  case TL_TENSOR:
    snprintf(name, sizeof name, "call%zu.%s%zu.npy", w->call, w->prefix, w->tensors++);
    fprintf(w->file, "\"@%s\"", name);
    if (snprintf(path, sizeof path, "%s/%s", w->directory, name) >= (int)sizeof path)
      return tl_fail(w->error, TL_INVALID_ARGUMENT, "%s: the path is too long", w->directory),
             false;
    return tl_npy_write(path, value->as.tensor.tensor, w->error);
  default:
    break;
  }
  bool dict = value->kind == TL_DICT;
  fputc(dict ? '{' : '[', w->file);
  for (size_t i = 0; i < count * (dict ? 2 : 1); ++i) {
    const tl_value *item = &value->as.items.data[i];
    if (i)
      fputs(dict && i % 2 ? ": " : ", ", w->file);
    if (dict && i % 2 == 0 && item->kind != TL_STRING) { /* JSON's keys are strings */
      fputc('"', w->file);
      if (item->kind == TL_INT)
        fprintf(w->file, "%" PRId64, item->as.i);
      else if (item->kind == TL_FLOAT)
        writeFloat(w->file, item->as.f, "");
      else
        fputs(item->as.b ? "true" : "false", w->file);
      fputc('"', w->file);
    } else if (!writeJson(w, item)) {
      return false;
    }
  }
  fputc(dict ? '}' : ']', w->file);
  return true;
}

bool tl_write_outputs(const char *directory, size_t call, const tl_value *result,
                      const tl_value *arguments, const bool *changed, size_t count,
                      tl_error *error) {
  char path[4096], temporary[4096 + 32];
  if (mkdir(directory, 0777) && errno != EEXIST)
    return tl_fail(error, TL_NOT_FOUND, "%s: cannot be made: %s", directory, strerror(errno)),
           false;
  snprintf(path, sizeof path, "%s/call%zu.json", directory, call);
  snprintf(temporary, sizeof temporary, "%s.%ld.tmp", path, (long)getpid());
  writer w = {fopen(temporary, "w"), directory, call, 0, "out", error};
  if (!w.file)
    return tl_fail(error, TL_NOT_FOUND, "%s: cannot be written: %s", path, strerror(errno)), false;
  fputs("{\"result\": ", w.file);
  bool ok = writeJson(&w, result);
  fputs(", \"inputs_after\": {", w.file);
  w.prefix = "in";
  w.tensors = 0;
  bool first = true;
  for (size_t i = 0; ok && i < count; ++i) {
    if (!changed[i])
      continue;
    fprintf(w.file, "%s\"%zu\": ", first ? "" : ", ", i);
    first = false;
    ok = writeJson(&w, &arguments[i]);
  }
  fputs("}}\n", w.file);
  bool closed = fclose(w.file) == 0;
  if (ok && (!closed || rename(temporary, path)))
    ok = (tl_fail(error, TL_NOT_FOUND, "%s: cannot be written: %s", path, strerror(errno)), false);
  if (!ok)
    unlink(temporary);
  return ok;
}

/*===-- For a person -------------------------------------------------------===*/

static double widen(uint16_t half, bool brain) {
  if (brain) {
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, 4);
    return value;
  }
  int exponent = half >> 10 & 31, mantissa = half & 1023;
  double value = exponent == 31 ? (mantissa ? NAN : INFINITY)
                 : exponent     ? ldexp(1024 + mantissa, exponent - 25)
                                : ldexp(mantissa, -24);
  return half & 0x8000 ? -value : value;
}

static void printElement(const char *at, int32_t dtype) {
  float f;
  double d;
  int16_t i16;
  int32_t i32;
  int64_t i64;
  uint16_t half;
  switch (dtype) {
  case TL_F32:
    memcpy(&f, at, 4);
    printf("%.7g", (double)f);
    return;
  case TL_F64:
    memcpy(&d, at, 8);
    printf("%.10g", d);
    return;
  case TL_F16:
  case TL_BF16:
    memcpy(&half, at, 2);
    printf("%.4g", widen(half, dtype == TL_BF16));
    return;
  case TL_I8:
    printf("%d", (int)(signed char)*at);
    return;
  case TL_I16:
    memcpy(&i16, at, 2);
    printf("%d", (int)i16);
    return;
  case TL_I32:
    memcpy(&i32, at, 4);
    printf("%d", (int)i32);
    return;
  case TL_I64:
    memcpy(&i64, at, 8);
    printf("%" PRId64, i64);
    return;
  case TL_UI8:
    printf("%d", (int)(unsigned char)*at);
    return;
  case TL_I1:
    fputs(*at ? "true" : "false", stdout);
    return;
  case TL_COMPLEX64:
    printElement(at, TL_F32);
    fputs("+", stdout);
    printElement(at + 4, TL_F32);
    fputs("j", stdout);
    return;
  default:
    printElement(at, TL_F64);
    fputs("+", stdout);
    printElement(at + 8, TL_F64);
    fputs("j", stdout);
  }
}

static void printTensor(const DLTensor *tensor) {
  int32_t dtype = tl_tensor_dtype(tensor);
  int64_t bytes = (int64_t)tl_dtype_bytes(dtype);
  int64_t count = tl_byte_count(tensor->ndim, tensor->shape, bytes) / bytes;
  for (int32_t i = 0; i < tensor->ndim; ++i)
    printf("%" PRId64 "x", tensor->shape[i]);
  printf("%s=", tl_dtype_name(dtype));
  const int64_t limit = 100;
  for (int64_t i = 0; i < count && i < limit; ++i) {
    /* The offset of element i in row-major order. */
    int64_t rest = i, offset = 0, stride = 1;
    for (int32_t d = tensor->ndim - 1; d >= 0; --d) {
      offset += rest % tensor->shape[d] * (tensor->strides ? tensor->strides[d] : stride);
      rest /= tensor->shape[d];
      stride *= tensor->shape[d];
    }
    if (i)
      fputc(' ', stdout);
    printElement(tl_tensor_data(tensor) + offset * bytes, dtype);
  }
  if (count > limit)
    printf(" ... (%" PRId64 " elements)", count);
}

void tl_print_value(const tl_value *value) {
  size_t count;
  switch (value->kind) {
  case TL_NONE:
    fputs("none", stdout);
    return;
  case TL_INT:
    printf("%" PRId64, value->as.i);
    return;
  case TL_FLOAT:
    writeFloat(stdout, value->as.f, "");
    return;
  case TL_BOOL:
    fputs(value->as.b ? "true" : "false", stdout);
    return;
  case TL_STRING:
    writeString(stdout, value->as.string.data);
    return;
  case TL_TENSOR:
    printTensor(value->as.tensor.tensor);
    return;
  default:
    break;
  }
  fputs(value->kind == TL_LIST ? "[" : value->kind == TL_DICT ? "{" : "(", stdout);
  count = value->as.items.count * (value->kind == TL_DICT ? 2 : 1);
  for (size_t i = 0; i < count; ++i) {
    if (i)
      fputs(value->kind == TL_DICT && i % 2 ? ": " : ", ", stdout);
    tl_print_value(&value->as.items.data[i]);
  }
  fputs(value->kind == TL_LIST   ? "]"
        : value->kind == TL_DICT ? "}"
        : count == 1             ? ",)"
                                 : ")",
        stdout);
}
