/*===- Value.c - Owned values -----------------------------------------------===*/
#include "Internal.h"

#include <stdlib.h>

void tl_value_clear(tl_value *value) {
  if (value->kind == TL_TENSOR && value->as.tensor.owner) {
    DLManagedTensor *owner = value->as.tensor.owner;
    if (owner->deleter)
      owner->deleter(owner);
  } else if (value->kind == TL_LIST || value->kind == TL_TUPLE || value->kind == TL_DICT) {
    size_t count = value->as.items.count * (value->kind == TL_DICT ? 2 : 1);
    for (size_t i = 0; i < count; ++i)
      tl_value_clear(&value->as.items.data[i]);
    if (value->owned)
      free(value->as.items.data);
  }
  *value = tl_none();
}

DLManagedTensor *tl_value_release(tl_value *value) {
  if (value->kind != TL_TENSOR || !value->as.tensor.owner)
    return NULL;
  DLManagedTensor *owner = value->as.tensor.owner;
  *value = tl_none();
  return owner;
}
