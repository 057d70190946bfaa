/*===- Type.c - Types, their leaves and their text --------------------------===*/
#include "Internal.h"

#include <inttypes.h>
#include <string.h>

static const struct {
  const char *name;
  size_t bytes;
} dtypes[] = {{"f32", 4}, {"f64", 8}, {"f16", 2},       {"bf16", 2},
              {"i8", 1},  {"i16", 2}, {"i32", 4},       {"i64", 8},
              {"ui8", 1}, {"i1", 1},  {"complex64", 8}, {"complex128", 16}};

size_t tl_dtype_bytes(int32_t dtype) { return dtypes[dtype].bytes; }
const char *tl_dtype_name(int32_t dtype) { return dtype < 0 ? "?" : dtypes[dtype].name; }

int64_t tl_type_child_count(const tl_type *type) {
  switch (type->kind) {
  case TL_LIST:
  case TL_TUPLE:
    return type->count < 0 ? 0 : type->count;
  case TL_DICT:
    return type->count < 0 ? 0 : 2 * (int64_t)type->count;
  default:
    return 0;
  }
}

static bool isLeaf(const tl_type *type) {
  return type->kind == TL_TENSOR || tl_type_is_any_list(type) || tl_type_is_boxed(type) ||
         (!type->fixed &&
          (type->kind == TL_INT || type->kind == TL_FLOAT || type->kind == TL_BOOL));
}

int64_t tl_type_leaves(const tl_type *type) {
  if (isLeaf(type)) /* whatever it is made of */
    return 1;
  int64_t leaves = 0;
  for (int64_t i = 0, e = tl_type_child_count(type); i < e; ++i)
    leaves += tl_type_leaves(&type->children[i]);
  return leaves;
}

const tl_type **tl_type_collect(const tl_type *type, const tl_type **leaves) {
  if (isLeaf(type)) {
    *leaves++ = type;
    return leaves;
  }
  for (int64_t i = 0, e = tl_type_child_count(type); i < e; ++i)
    leaves = tl_type_collect(&type->children[i], leaves);
  return leaves;
}

/* A float that reads back as one. The process's locale may write another point than ours. */
static void floatText(tl_text *text, double f) {
  char number[40];
  tl_text inner = {number, sizeof number, 0};
  tl_text_add(&inner, "%.17g", f);
  double shorter = 0;
  for (int digits = 1; digits < 17 && f == f; ++digits) {
    char attempt[40];
    tl_text other = {attempt, sizeof attempt, 0};
    tl_text_add(&other, "%.*g", digits, f);
    if (__builtin_sscanf(attempt, "%lf", &shorter) == 1 && shorter == f) {
      memcpy(number, attempt, sizeof number);
      break;
    }
  }
  size_t digits = strspn(number, "+-0123456789");
  size_t point = strcspn(number + digits, "+-0123456789einf");
  if (point) {
    number[digits] = '.';
    memmove(number + digits + 1, number + digits + point, strlen(number + digits + point) + 1);
  }
  tl_text_add(text, "%s%s", number, strpbrk(number, ".eni") ? "" : ".0");
}

static void fixedText(tl_text *text, const tl_type *type) {
  double f;
  switch (type->kind) {
  case TL_INT:
    tl_text_add(text, "%" PRId64, type->bits);
    break;
  case TL_FLOAT:
    memcpy(&f, &type->bits, sizeof f);
    floatText(text, f);
    break;
  case TL_BOOL:
    tl_text_add(text, "%s", type->bits ? "true" : "false");
    break;
  default:
    tl_text_add(text, "\"%s\"", type->text);
  }
}

static void plainText(tl_text *text, const tl_type *type) {
  if (type->fixed == 1) {
    fixedText(text, type);
    return;
  }
  static const char *const names[] = {"none", "int", "float", "bool", "str", NULL, "[", "(", "{"};
  switch (type->kind) {
  case TL_TENSOR:
    for (int32_t i = 0; i < type->count; ++i) {
      if (type->dims[i] < 0)
        tl_text_add(text, "?x");
      else
        tl_text_add(text, "%" PRId64 "x", type->dims[i]);
    }
    tl_text_add(text, "%s", tl_dtype_name(type->dtype));
    return;
  case TL_LIST:
  case TL_TUPLE:
  case TL_DICT:
    break;
  default:
    tl_text_add(text, "%s", names[type->kind]);
    return;
  }
  tl_text_add(text, "%s", names[type->kind]);
  if (type->count < 0) {
    tl_type_text(text, type->children);
    if (type->kind == TL_DICT) {
      tl_text_add(text, ": ");
      tl_type_text(text, type->children + 1);
    }
    tl_text_add(text, ", ...");
  }
  for (int64_t i = 0, e = tl_type_child_count(type); i < e; ++i) {
    if (i)
      tl_text_add(text, type->kind == TL_DICT && i % 2 ? ": " : ", ");
    tl_type_text(text, &type->children[i]);
  }
  tl_text_add(text, type->kind == TL_LIST   ? "]"
                    : type->kind == TL_DICT ? "}"
                    : type->count == 1      ? ",)"
                                            : ")");
}

void tl_type_text(tl_text *text, const tl_type *type) {
  plainText(text, type);
  if (type->fixed == 2)
    tl_text_add(text, "?");
}

size_t tl_type_format(const tl_type *type, char *buffer, size_t size) {
  tl_text text = {buffer, buffer ? size : 0, 0};
  if (type)
    tl_type_text(&text, type);
  return text.length;
}

/* What a caller gives may be nested to any depth, or be wrong; text need not show all of it. */
#define TEXT_DEPTH 16
#define TEXT_RANK 64

static void tensorText(tl_text *text, const DLTensor *tensor) {
  if (!tensor) {
    tl_text_add(text, "a null tensor");
    return;
  }
  tl_text_add(text, "tensor ");
  if (tensor->ndim > TEXT_RANK || tensor->ndim < 0)
    tl_text_add(text, "of rank %d ", (int)tensor->ndim);
  else if (!tensor->shape && tensor->ndim)
    tl_text_add(text, "without sizes ");
  else
    for (int32_t i = 0; i < tensor->ndim; ++i)
      tl_text_add(text, "%" PRId64 "x", tensor->shape[i]);
  if (tl_tensor_dtype(tensor) >= 0)
    tl_text_add(text, "%s", tl_dtype_name(tl_tensor_dtype(tensor)));
  else
    tl_text_add(text, "(DLPack type code %d, %d bits, %d lanes)", tensor->dtype.code,
                tensor->dtype.bits, tensor->dtype.lanes);
}

static void valueText(tl_text *text, const tl_value *value, int depth) {
  switch (value->kind) {
  case TL_NONE:
    tl_text_add(text, "none");
    return;
  case TL_INT:
    tl_text_add(text, "int %" PRId64, value->as.i);
    return;
  case TL_FLOAT:
    tl_text_add(text, "float ");
    floatText(text, value->as.f);
    return;
  case TL_BOOL:
    tl_text_add(text, "bool %s", tl_value_bool(value) ? "true" : "false");
    return;
  case TL_STRING:
    tl_text_add(text, "str \"%s\"", value->as.string.data ? value->as.string.data : "");
    return;
  case TL_TENSOR:
    tensorText(text, value->as.tensor.tensor);
    return;
  case TL_LIST:
  case TL_TUPLE:
  case TL_DICT:
    break;
  default:
    tl_text_add(text, "a value of unknown kind %d", (int)value->kind);
    return;
  }
  size_t count = value->as.items.count * (value->kind == TL_DICT ? 2 : 1);
  tl_text_add(text, value->kind == TL_LIST ? "[" : value->kind == TL_DICT ? "{" : "(");
  if (count && (!value->as.items.data || depth == TEXT_DEPTH)) {
    tl_text_add(text, value->as.items.data ? "..." : "null");
    count = 0;
  }
  for (size_t i = 0; i < count && text->length < text->size; ++i) {
    if (i)
      tl_text_add(text, value->kind == TL_DICT && i % 2 ? ": " : ", ");
    valueText(text, &value->as.items.data[i], depth + 1);
  }
  tl_text_add(text, value->kind == TL_LIST ? "]" : value->kind == TL_DICT ? "}" : ")");
}

void tl_value_text(tl_text *text, const tl_value *value) { valueText(text, value, 0); }
