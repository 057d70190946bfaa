/*===- Npy.c - NumPy's file format ---------------------------------------------===*/
#include "Internal.h"
#include "Run.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* By tl_dtype; bf16 has no name in NumPy. */
static const char *const descriptions[] = {"<f4", "<f8", "<f2", "<u2", "|i1", "<i2",
                                           "<i4", "<i8", "|u1", "|b1", "<c8", "<c16"};

static DLTensor *fail(FILE *file, tl_error *error, const char *path, const char *message) {
  tl_fail(error, TL_INVALID_ARGUMENT, "%s: %s", path, message);
  if (file)
    fclose(file);
  return NULL;
}

/* The text after `'key':` in the header, or null. */
static const char *find(const char *header, const char *key) {
  const char *at = strstr(header, key);
  at = at ? strchr(at, ':') : NULL;
  while (at && (*++at == ' '))
    ;
  return at;
}

static int32_t findDtype(const char *at) {
  for (int32_t dtype = TL_F32; dtype <= TL_COMPLEX128; ++dtype) {
    size_t length = strlen(descriptions[dtype]);
    if (dtype != TL_BF16 && strncmp(at + 1, descriptions[dtype], length) == 0 &&
        at[length + 1] == *at)
      return dtype;
  }
  return -1;
}

DLTensor *tl_npy_read(tl_store *store, const char *path, int32_t dtype, tl_error *error) {
  FILE *file = fopen(path, "rb");
  if (!file)
    return fail(NULL, error, path, strerror(errno));
  unsigned char start[12];
  if (fread(start, 1, 10, file) != 10 || memcmp(start, "\x93NUMPY", 6) != 0 || start[6] < 1 ||
      start[6] > 3)
    return fail(file, error, path, "not a .npy file");
  size_t length = start[8] | (size_t)start[9] << 8;
  if (start[6] > 1) {
    if (fread(start + 10, 1, 2, file) != 2)
      return fail(file, error, path, "the file ends in its header");
    length |= (size_t)start[10] << 16 | (size_t)start[11] << 24;
  }
  char *header = length < 1 << 20 ? tl_store_alloc(store, length + 1) : NULL;
  if (!header || fread(header, 1, length, file) != length)
    return fail(file, error, path, "the file ends in its header");
  const char *description = find(header, "'descr'"), *order = find(header, "'fortran_order'"),
             *sizes = find(header, "'shape'");
  if (!description || !order || !sizes || *sizes != '(')
    return fail(file, error, path, "a .npy header without descr, fortran_order and shape");
  int32_t found = *description == '\'' ? findDtype(description) : -1;
  if (dtype == TL_BF16 && (strncmp(description, "'<u2'", 5) == 0 || found == TL_I16))
    found = TL_BF16;
  if (found < 0 || (dtype >= 0 && found != dtype)) {
    tl_fail(error, TL_INVALID_ARGUMENT, "%s: element type %.*s cannot be read%s%s", path,
            (int)strcspn(description, ","), description, dtype < 0 ? "" : " as ",
            dtype < 0 ? "" : tl_dtype_name(dtype));
    fclose(file);
    return NULL;
  }
  int64_t *shape = tl_store_alloc(store, 2 * sizeof(int64_t) * (length / 2 + 1));
  DLTensor *tensor = tl_store_alloc(store, sizeof *tensor);
  if (!shape || !tensor)
    return fail(file, error, path, "out of memory");
  int32_t rank = 0;
  for (const char *at = sizes + 1; *at && *at != ')';) {
    if (isdigit((unsigned char)*at))
      shape[rank++] = strtoll(at, (char **)&at, 10);
    else
      ++at;
  }
  size_t element = tl_dtype_bytes(found);
  int64_t bytes = tl_byte_count(rank, shape, (int64_t)element);
  /* Its size is known before memory is taken, so that a corrupt header costs none. */
  long position = ftell(file);
  fseek(file, 0, SEEK_END);
  long end = ftell(file);
  fseek(file, position, SEEK_SET);
  if (bytes < 0 || end - position < bytes)
    return fail(file, error, path, "the file ends before its elements do");
  void *data = tl_store_alloc(store, (size_t)bytes);
  if (!data || fread(data, 1, (size_t)bytes, file) != (size_t)bytes)
    return fail(file, error, path, data ? "cannot be read" : "out of memory");
  fclose(file);
  *tensor = tl_dltensor(data, (tl_dtype)found, rank, shape);
  if (strncmp(order, "True", 4) == 0) {
    int64_t stride = 1;
    tensor->strides = shape + rank;
    for (int32_t i = 0; i < rank; ++i) {
      tensor->strides[i] = stride;
      stride *= shape[i];
    }
  }
  return tensor;
}

bool tl_npy_write(const char *path, const DLTensor *tensor, tl_error *error) {
  char header[1024], temporary[4096];
  tl_text text = {header, sizeof header, 0};
  int32_t dtype = tl_tensor_dtype(tensor);
  tl_text_add(&text, "{'descr': '%s', 'fortran_order': False, 'shape': (", descriptions[dtype]);
  for (int32_t i = 0; i < tensor->ndim; ++i)
    tl_text_add(&text, "%lld,%s", (long long)tensor->shape[i], i + 1 < tensor->ndim ? " " : "");
  tl_text_add(&text, "), }");
  size_t padded = (text.length + 1 + 10 + 63) / 64 * 64;
  size_t element = tl_dtype_bytes(dtype);
  int64_t bytes = tl_byte_count(tensor->ndim, tensor->shape, (int64_t)element);
  void *packed = NULL;
  const void *data = tl_tensor_data(tensor);
  if (!tl_tensor_contiguous(tensor)) {
    packed = tl_aligned_alloc(bytes);
    if (!packed)
      return tl_fail(error, TL_OUT_OF_MEMORY, "%s: out of memory", path), false;
    tl_tensor_gather(tensor, packed, element);
    data = packed;
  }
  int length = snprintf(temporary, sizeof temporary, "%s.%ld.tmp", path, (long)getpid());
  FILE *file =
      length < (int)sizeof temporary && padded < sizeof header ? fopen(temporary, "wb") : NULL;
  bool ok = file != NULL;
  if (file) {
    unsigned char start[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    start[8] = (unsigned char)(padded - 10), start[9] = (unsigned char)((padded - 10) >> 8);
    ok = fwrite(start, 1, 10, file) == 10 &&
         fprintf(file, "%-*s\n", (int)(padded - 11), header) > 0 &&
         fwrite(data, 1, (size_t)bytes, file) == (size_t)bytes;
    ok = fclose(file) == 0 && ok && rename(temporary, path) == 0;
  }
  if (!ok) {
    tl_fail(error, TL_NOT_FOUND, "%s: cannot be written: %s", path, strerror(errno));
    if (file)
      unlink(temporary);
  }
  free(packed);
  return ok;
}
