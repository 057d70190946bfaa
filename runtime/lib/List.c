/*===- List.c - Results that are lists of any length ------------------------===*/
/* The compiled code gives all items as one tensor, [items, sizes of an item...]. Items that are
   tensors are parts of it, which the last of them frees; numbers are read from it. */
#include "Internal.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct part {
  DLManagedTensor tensor;
  struct tl_parts *all;
} part;

struct tl_parts {
  DLManagedTensor *whole;
  atomic_size_t used;
  part each[];
};

static void deletePart(DLManagedTensor *tensor) {
  struct tl_parts *all = ((part *)tensor)->all;
  if (atomic_fetch_sub(&all->used, 1) > 1)
    return;
  all->whole->deleter(all->whole);
  free(all);
}

bool tl_list_prepare(const tl_type *type, tl_result *result) {
  size_t count = (size_t)result->created->dl_tensor.shape[0];
  result->items = calloc(count ? count : 1, sizeof *result->items);
  if (!result->items)
    return false;
  if (type->children->kind != TL_TENSOR || !count)
    return true;
  if (count > (SIZE_MAX - sizeof *result->parts) / sizeof(part))
    return false;
  result->parts = malloc(sizeof *result->parts + count * sizeof(part));
  return result->parts != NULL;
}

void tl_list_forget(tl_result *result) {
  free(result->items);
  free(result->parts);
  result->items = NULL;
  result->parts = NULL;
}

static void setNumber(int32_t kind, const char *data, size_t at, tl_value *value) {
  int64_t i;
  double f;
  switch (kind) {
  case TL_INT:
    memcpy(&i, data + at * sizeof i, sizeof i);
    *value = tl_int(i);
    return;
  case TL_FLOAT:
    memcpy(&f, data + at * sizeof f, sizeof f);
    *value = tl_float(f);
    return;
  default:
    *value = tl_bool(data[at] != 0);
  }
}

static void setPart(struct tl_parts *all, size_t at, int64_t bytes, tl_value *value) {
  part *it = &all->each[at];
  const DLTensor *whole = &all->whole->dl_tensor;
  memset(it, 0, sizeof *it);
  it->all = all;
  it->tensor.deleter = deletePart;
  it->tensor.dl_tensor = *whole;
  it->tensor.dl_tensor.data = (char *)whole->data + (int64_t)at * bytes;
  it->tensor.dl_tensor.ndim = whole->ndim - 1;
  it->tensor.dl_tensor.shape = whole->shape + 1;
  it->tensor.dl_tensor.strides = whole->strides ? whole->strides + 1 : NULL;
  *value = tl_tensor(&it->tensor.dl_tensor);
  value->as.tensor.owner = &it->tensor;
}

void tl_list_set(const tl_type *type, tl_result *result, tl_value *value) {
  DLManagedTensor *whole = result->created;
  size_t count = (size_t)whole->dl_tensor.shape[0];
  const tl_type *item = type->children;
  tl_value_clear(value);
  *value = tl_items(TL_LIST, result->items, count);
  value->owned = 1;
  result->items = NULL;
  if (item->kind != TL_TENSOR || !count) {
    for (size_t i = 0; i < count; ++i)
      setNumber(item->kind, tl_tensor_data(&whole->dl_tensor), i, &value->as.items.data[i]);
    return; /* the tensor goes with the call */
  }
  struct tl_parts *all = result->parts;
  result->parts = NULL;
  result->created = NULL;
  all->whole = whole;
  atomic_init(&all->used, count);
  int64_t bytes = tl_byte_count(whole->dl_tensor.ndim - 1, whole->dl_tensor.shape + 1,
                                (int64_t)tl_dtype_bytes(item->dtype));
  for (size_t i = 0; i < count; ++i)
    setPart(all, i, bytes, &value->as.items.data[i]);
}
