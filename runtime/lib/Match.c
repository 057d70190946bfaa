/*===- Match.c - Values against compiled types ------------------------------===*/
#include "Internal.h"

#include <string.h>

static tl_leaf *mismatch(const tl_type *type, const tl_value *value, tl_text *why) {
  if (why) {
    tl_text_add(why, "expected %s", type->kind == TL_TENSOR ? "tensor " : "");
    tl_type_text(why, type);
    tl_text_add(why, ", got ");
    tl_value_text(why, value);
  }
  return NULL;
}

static tl_leaf *matchTensor(const tl_type *type, const tl_value *value, tl_leaf *leaves,
                            int64_t *score, tl_text *why) {
  const DLTensor *tensor = value->as.tensor.tensor;
  if (!tensor || tensor->ndim != type->count || tl_tensor_dtype(tensor) != type->dtype ||
      (tensor->ndim && !tensor->shape))
    return mismatch(type, value, why);
  bool empty = false;
  for (int32_t i = 0; i < type->count; ++i) {
    int64_t dim = type->dims[i];
    if (dim >= 0 ? tensor->shape[i] != dim : tensor->shape[i] < 0)
      return mismatch(type, value, why);
    *score += dim >= 0;
    empty |= tensor->shape[i] == 0;
  }
  if (!tensor->data && !empty) {
    if (why)
      tl_text_add(why, "the tensor's data is null");
    return NULL;
  }
  if (tl_byte_count(tensor->ndim, tensor->shape, (int64_t)tl_dtype_bytes(type->dtype)) < 0) {
    if (why) {
      tl_value_text(why, value);
      tl_text_add(why, " has more elements than memory can hold");
    }
    return NULL;
  }
  leaves->value = value;
  leaves->type = type;
  return leaves + 1;
}

/* A value that the signature fixes takes no leaf, and is as specific as can be. */
static bool matchesFixed(const tl_type *type, const tl_value *value) {
  double f, given;
  switch (type->kind) {
  case TL_INT:
    return value->kind == TL_INT && value->as.i == type->bits;
  case TL_BOOL:
    return value->kind == TL_BOOL && tl_value_bool(value) == (type->bits != 0);
  case TL_FLOAT:
    memcpy(&f, &type->bits, sizeof f);
    if (value->kind != TL_FLOAT && value->kind != TL_INT)
      return false;
    given = value->kind == TL_FLOAT ? value->as.f : (double)value->as.i;
    return given == f || (given != given && f != f);
  case TL_STRING:
    return value->kind == TL_STRING && value->as.string.data &&
           strcmp(value->as.string.data, type->text) == 0;
  default:
    return false;
  }
}

/* Whether a container has as many items as its type. */
static bool hasItems(const tl_type *type, const tl_value *value) {
  return value->as.items.count == (size_t)type->count && (value->as.items.data || !type->count);
}

/* Keys are fixed by the signature; the caller may give them in any order. */
static tl_leaf *matchDict(const tl_type *type, const tl_value *value, tl_leaf *leaves,
                          int64_t *score, tl_text *why) {
  if (!hasItems(type, value))
    return mismatch(type, value, why);
  for (int32_t i = 0; i < type->count && leaves; ++i) {
    const tl_value *found = NULL;
    for (int32_t j = 0; j < type->count && !found; ++j)
      if (matchesFixed(&type->children[2 * i], &value->as.items.data[2 * j]))
        found = &value->as.items.data[2 * j + 1];
    if (!found)
      return mismatch(type, value, why);
    leaves = tl_match(&type->children[2 * i + 1], found, leaves, score, why);
  }
  return leaves;
}

tl_leaf *tl_match(const tl_type *type, const tl_value *value, tl_leaf *leaves, int64_t *score,
                  tl_text *why) {
  if (type->fixed) {
    *score += 1;
    return matchesFixed(type, value) ? leaves : mismatch(type, value, why);
  }
  if (type->kind == TL_TENSOR)
    return value->kind == TL_TENSOR ? matchTensor(type, value, leaves, score, why)
                                    : mismatch(type, value, why);
  if (type->kind != value->kind && !(type->kind == TL_FLOAT && value->kind == TL_INT))
    return mismatch(type, value, why);
  switch (type->kind) {
  case TL_NONE:
    return leaves;
  case TL_INT:
  case TL_FLOAT:
  case TL_BOOL:
    leaves->value = value;
    leaves->type = type;
    return leaves + 1;
  case TL_LIST:
  case TL_TUPLE:
    if (!hasItems(type, value))
      return mismatch(type, value, why);
    for (int64_t i = 0; i < type->count && leaves; ++i)
      leaves = tl_match(&type->children[i], &value->as.items.data[i], leaves, score, why);
    return leaves;
  case TL_DICT:
    return matchDict(type, value, leaves, score, why);
  default:
    /* A string argument that is not fixed has no slot, so no code can depend on it. */
    return leaves;
  }
}
