/*===- BoxValue.c - Boxes as the caller's values ------------------------------===*/
#include "Box.h"

#include <stdlib.h>
#include <string.h>

static bool unwrapItem(const tl_type *type, tl_item item, tl_value *value);

/* The box does not know whether integers of a byte have a sign: the type does. */
static bool unwrapTensor(const tl_type *type, const tl_box *box, tl_value *value) {
  DLManagedTensor *tensor =
      tl_tensor_create(type->dtype, box->as.tensor.rank, box->as.tensor.sizes);
  if (!tensor)
    return false;
  if (box->as.tensor.bytes)
    memcpy(tensor->dl_tensor.data, box->as.tensor.data, (size_t)box->as.tensor.bytes);
  *value = tl_tensor(&tensor->dl_tensor);
  value->as.tensor.owner = tensor;
  return true;
}

static bool unwrapText(const tl_box *box, tl_value *value) {
  size_t length = (size_t)box->as.text.length;
  char *text = malloc(length + 1);
  if (!text)
    return false;
  memcpy(text, box->as.text.data, length + 1);
  *value = tl_string(text);
  value->owned = 1;
  return true;
}

/* What is made of some of the items when memory ends is freed with the value. */
static bool unwrapItems(const tl_type *type, const tl_box *box, tl_value *value) {
  int64_t count = box->as.container.count;
  tl_value *items = calloc(count ? (size_t)count : 1, sizeof *items);
  if (!items)
    return false;
  bool isDict = type->kind == TL_DICT;
  *value = tl_items((tl_kind)type->kind, items, (size_t)(isDict ? count / 2 : count));
  value->owned = 1;
  for (int64_t i = 0; i < count; ++i) {
    int64_t child = isDict ? i % 2 : type->kind == TL_TUPLE ? i : 0;
    if (!unwrapItem(&type->children[child], box->as.container.items[i], &items[i]))
      return false;
  }
  return true;
}

static bool unwrapItem(const tl_type *type, tl_item item, tl_value *value) {
  double number;
  switch (item.kind) {
  case TL_ITEM_INT:
    *value = tl_int(item.as.bits);
    return true;
  case TL_ITEM_BOOL:
    *value = tl_bool(item.as.bits != 0);
    return true;
  case TL_ITEM_FLOAT:
    memcpy(&number, &item.as.bits, sizeof number);
    *value = tl_float(number);
    return true;
  default:
    break;
  }
  const tl_box *box = item.as.box;
  *value = tl_none();
  if (!box)
    return true;
  if (box->kind == TL_BOX_TENSOR)
    return unwrapTensor(type, box, value);
  if (box->kind == TL_BOX_TEXT)
    return unwrapText(box, value);
  return unwrapItems(type, box, value);
}

bool tl_box_unwrap(const tl_type *type, int64_t address, tl_value *value) {
  return unwrapItem(type, tl_item_of(TL_ITEM_BOX, address), value);
}
