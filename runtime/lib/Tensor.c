/*===- Tensor.c - DLPack tensors --------------------------------------------===*/
#include "Internal.h"

#include <stdlib.h>
#include <string.h>

int32_t tl_tensor_dtype(const DLTensor *tensor) {
  if (tensor->dtype.lanes != 1)
    return -1;
  switch (tensor->dtype.code << 8 | tensor->dtype.bits) {
  case kDLFloat << 8 | 32:
    return TL_F32;
  case kDLFloat << 8 | 64:
    return TL_F64;
  case kDLFloat << 8 | 16:
    return TL_F16;
  case kDLBfloat << 8 | 16:
    return TL_BF16;
  case kDLInt << 8 | 8:
    return TL_I8;
  case kDLInt << 8 | 16:
    return TL_I16;
  case kDLInt << 8 | 32:
    return TL_I32;
  case kDLInt << 8 | 64:
    return TL_I64;
  case kDLUInt << 8 | 8:
    return TL_UI8;
  case kDLBool << 8 | 8:
    return TL_I1;
  case kDLComplex << 8 | 64:
    return TL_COMPLEX64;
  case kDLComplex << 8 | 128:
    return TL_COMPLEX128;
  default:
    return -1;
  }
}

bool tl_tensor_contiguous(const DLTensor *tensor) {
  if (!tensor->strides)
    return true;
  int64_t expected = 1;
  bool contiguous = true;
  for (int32_t i = tensor->ndim - 1; i >= 0; --i) {
    if (tensor->shape[i] == 0)
      return true;
    if (tensor->shape[i] != 1) {
      contiguous &= tensor->strides[i] == expected;
      expected *= tensor->shape[i];
    }
  }
  return contiguous;
}

int64_t tl_byte_count(int64_t rank, const int64_t *sizes, int64_t element_bytes) {
  int64_t bytes = element_bytes;
  bool empty = false;
  for (int64_t i = 0; i < rank; ++i) {
    if (sizes[i] < 0)
      return -1;
    empty |= sizes[i] == 0;
  }
  if (empty)
    return 0;
  for (int64_t i = 0; i < rank; ++i)
    if (__builtin_mul_overflow(bytes, sizes[i], &bytes))
      return -1;
  return bytes;
}

/* Copies `inner` elements that lie `from_stride` and `to_stride` bytes apart. */
static void copyRow(char *to, int64_t to_stride, const char *from, int64_t from_stride,
                    int64_t inner, size_t bytes) {
  if (to_stride == (int64_t)bytes && from_stride == (int64_t)bytes) {
    memcpy(to, from, (size_t)inner * bytes);
    return;
  }
  for (int64_t i = 0; i < inner; ++i)
    memcpy(to + i * to_stride, from + i * from_stride, bytes);
}

/* Walks the tensor's rows; `packed` advances with them. Recursion ends at the innermost dimension,
   so its depth is the rank. */
static char *walk(const DLTensor *tensor, int32_t dim, char *at, char *packed, size_t bytes,
                  bool gather) {
  int64_t stride;
  if (tensor->ndim == 0) {
    memcpy(gather ? packed : at, gather ? at : packed, bytes);
    return packed + bytes;
  }
  if (tensor->strides) {
    stride = tensor->strides[dim] * (int64_t)bytes;
  } else {
    stride = (int64_t)bytes;
    for (int32_t i = dim + 1; i < tensor->ndim; ++i)
      stride *= tensor->shape[i];
  }
  int64_t size = tensor->shape[dim];
  if (dim == tensor->ndim - 1) {
    if (gather)
      copyRow(packed, (int64_t)bytes, at, stride, size, bytes);
    else
      copyRow(at, stride, packed, (int64_t)bytes, size, bytes);
    return packed + size * (int64_t)bytes;
  }
  for (int64_t i = 0; i < size; ++i)
    packed = walk(tensor, dim + 1, at + i * stride, packed, bytes, gather);
  return packed;
}

static bool isEmpty(const DLTensor *tensor) {
  for (int32_t i = 0; i < tensor->ndim; ++i)
    if (tensor->shape[i] == 0)
      return true;
  return false;
}

void tl_tensor_gather(const DLTensor *from, void *to, size_t element_bytes) {
  if (!isEmpty(from))
    walk(from, 0, tl_tensor_data(from), to, element_bytes, true);
}

void tl_tensor_scatter(const void *from, const DLTensor *to, size_t element_bytes) {
  if (!isEmpty(to))
    walk(to, 0, tl_tensor_data(to), (char *)from, element_bytes, false);
}

bool tl_bools_clean(const void *data, int64_t count) {
  const unsigned char *at = data;
  unsigned char any = 0;
  for (int64_t i = 0; i < count; ++i)
    any |= at[i];
  return any <= 1;
}

void tl_bools_clear(void *data, int64_t count) {
  unsigned char *at = data;
  for (int64_t i = 0; i < count; ++i)
    at[i] = at[i] != 0;
}

void *tl_aligned_alloc(int64_t bytes) {
  void *memory = NULL;
  if (bytes < 0 || posix_memalign(&memory, TL_ALIGNMENT, bytes ? (size_t)bytes : 1))
    return NULL;
  return memory;
}

static void deleteTensor(DLManagedTensor *tensor) { free(tensor); }

DLManagedTensor *tl_tensor_create(int32_t dtype, int64_t rank, const int64_t *sizes) {
  int64_t bytes = tl_byte_count(rank, sizes, (int64_t)tl_dtype_bytes(dtype));
  /* One block: the tensor, its sizes and strides, then the elements. */
  int64_t head = (int64_t)sizeof(DLManagedTensor) + 2 * rank * (int64_t)sizeof(int64_t);
  head = (head + TL_ALIGNMENT - 1) & -(int64_t)TL_ALIGNMENT;
  if (bytes < 0 || __builtin_add_overflow(bytes, head, &bytes))
    return NULL;
  DLManagedTensor *tensor = tl_aligned_alloc(bytes);
  if (!tensor)
    return NULL;
  int64_t *shape = (int64_t *)(tensor + 1);
  int64_t stride = 1;
  for (int64_t i = rank - 1; i >= 0; --i) {
    shape[i] = sizes[i];
    shape[rank + i] = stride;
    stride *= sizes[i] ? sizes[i] : 1;
  }
  tensor->dl_tensor = tl_dltensor((char *)tensor + head, (tl_dtype)dtype, (int32_t)rank, shape);
  tensor->dl_tensor.strides = shape + rank;
  tensor->manager_ctx = NULL;
  tensor->deleter = deleteTensor;
  return tensor;
}
