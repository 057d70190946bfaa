/*===- BoxTensor.c - Tensors in boxes, and lists of them --------------------===*/
#include "Box.h"

#include <string.h>

/* What None gives where a tensor is asked for. */
static const int64_t zeros[16];

static tl_box *createTensor(tl_frame *frame, int64_t dtype, int64_t element_bytes, int64_t rank,
                            const int64_t *sizes) {
  tl_box *box = tl_box_new(frame, TL_BOX_TENSOR);
  int64_t count = tl_byte_count(rank, sizes, element_bytes);
  if (count < 0)
    tl_raise(frame->runtime, TL_OUT_OF_MEMORY, "out of memory for a tensor", NULL, 0);
  box->as.tensor.sizes = tl_box_memory(frame, NULL, rank, sizeof *sizes);
  if (rank)
    memcpy(box->as.tensor.sizes, sizes, (size_t)rank * sizeof *sizes);
  box->as.tensor.data = tl_box_memory(frame, NULL, count, 1);
  box->as.tensor.bytes = count;
  box->as.tensor.rank = rank;
  box->as.tensor.dtype = dtype;
  return box;
}

tl_box *tl_box_pack(tl_frame *frame, const void *data, int64_t dtype, int64_t element_bytes,
                    int64_t rank, const int64_t *sizes) {
  tl_box *box = createTensor(frame, dtype, element_bytes, rank, sizes);
  if (box->as.tensor.bytes)
    memcpy(box->as.tensor.data, data, (size_t)box->as.tensor.bytes);
  return box;
}

/* Compiled code does not tell signed bytes from unsigned ones where it takes them. */
static int64_t withSign(int64_t dtype) { return dtype == TL_UI8 ? TL_I8 : dtype; }

static bool fits(const tl_box *box, int64_t dtype, int64_t rank, const int64_t *sizes) {
  if (box->kind != TL_BOX_TENSOR || withSign(box->as.tensor.dtype) != withSign(dtype) ||
      box->as.tensor.rank != rank)
    return false;
  for (int64_t i = 0; i < rank; ++i)
    if (sizes[i] >= 0 && sizes[i] != box->as.tensor.sizes[i])
      return false;
  return true;
}

const void *tl_box_data(tl_frame *frame, const tl_box *box, int64_t dtype, int64_t rank,
                        const int64_t *sizes, const char *message) {
  if (!box)
    return zeros;
  if (!fits(box, dtype, rank, sizes))
    tl_rt_raise(frame, message, NULL, 0);
  return box->as.tensor.data;
}

const int64_t *tl_box_sizes(const tl_box *box) { return box ? box->as.tensor.sizes : zeros; }

tl_box *tl_box_rows(tl_frame *frame, const tl_box *tensor, int64_t kind) {
  tl_box *list = tl_box_new(frame, TL_BOX_LIST);
  int64_t rank = tensor->as.tensor.rank, count = tensor->as.tensor.sizes[0];
  int64_t bytes = count ? tensor->as.tensor.bytes / count : 0;
  const char *data = tensor->as.tensor.data;
  for (int64_t i = 0; i < count; ++i) {
    if (kind == TL_ITEM_BOX) {
      int64_t mark = tl_box_mark(frame), bits = 0;
      int64_t element = bytes;
      for (int64_t d = 1; d < rank; ++d)
        element = tensor->as.tensor.sizes[d] ? element / tensor->as.tensor.sizes[d] : 0;
      tl_box *row = tl_box_pack(frame, data + i * bytes, tensor->as.tensor.dtype, element, rank - 1,
                                tensor->as.tensor.sizes + 1);
      memcpy(&bits, &row, sizeof row);
      tl_box_put(frame, list, -1, TL_ITEM_BOX, bits);
      tl_box_keep(frame, mark, 0, NULL);
      continue;
    }
    int64_t bits = 0;
    if (kind == TL_ITEM_BOOL)
      bits = data[i] != 0;
    else
      memcpy(&bits, data + i * bytes, sizeof bits);
    tl_box_put(frame, list, -1, kind, bits);
  }
  return list;
}

/* The number of a list at a place of a tensor. */
static void writeNumber(char *to, tl_item item, int64_t bytes) {
  if (bytes == 1)
    *to = item.as.bits != 0;
  else
    memcpy(to, &item.as.bits, sizeof item.as.bits);
}

/* The sizes of what the items make together; raises where they do not fit. */
static void fitTogether(tl_frame *frame, const tl_box *list, int64_t dtype, int64_t rank,
                        int64_t along, const char *message, int64_t *sizes) {
  for (int64_t i = 0; i < list->as.container.count; ++i) {
    tl_item item = list->as.container.items[i];
    bool isTensor = item.kind == TL_ITEM_BOX && item.as.box && item.as.box->kind == TL_BOX_TENSOR;
    if (!isTensor || withSign(item.as.box->as.tensor.dtype) != withSign(dtype) ||
        item.as.box->as.tensor.rank != rank)
      tl_rt_raise(frame, message, NULL, 0);
    for (int64_t d = 0; d < rank; ++d) {
      int64_t size = item.as.box->as.tensor.sizes[d];
      if (i && d != along && size != sizes[d])
        tl_rt_raise(frame, message, NULL, 0);
      sizes[d] = i && d == along ? sizes[d] + size : size;
    }
  }
}

tl_box *tl_box_together(tl_frame *frame, const tl_box *list, int64_t dtype, int64_t element_bytes,
                        int64_t rank, int64_t along, const char *message) {
  int64_t count = list->as.container.count;
  const tl_item *items = list->as.container.items;
  int64_t *sizes = tl_rt_alloc(frame, (rank + 1) * (int64_t)sizeof *sizes);
  memset(sizes, 0, (size_t)(rank + 1) * sizeof *sizes);
  sizes[0] = count;
  bool areNumbers = rank == 0 && (!count || items[0].kind != TL_ITEM_BOX);
  if (!areNumbers)
    fitTogether(frame, list, dtype, rank, along, message, along < 0 ? sizes + 1 : sizes);
  tl_box *all = createTensor(frame, dtype, element_bytes, along < 0 ? rank + 1 : rank, sizes);
  char *to = all->as.tensor.data;
  /* Along a dimension, items lie side by side in as many rows as the ones before it make. */
  int64_t rows = 1;
  for (int64_t d = 0; d < along; ++d)
    rows *= sizes[d];
  tl_rt_free(frame, sizes);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t i = 0; i < count; ++i) {
      if (areNumbers) {
        writeNumber(to, items[i], element_bytes);
        to += element_bytes;
        continue;
      }
      int64_t bytes = items[i].as.box->as.tensor.bytes / rows;
      memcpy(to, (const char *)items[i].as.box->as.tensor.data + row * bytes, (size_t)bytes);
      to += bytes;
    }
  return all;
}
