/*===- Overlap.c - Tensors that share memory --------------------------------===*\
|*
|* Compiled code works on arguments as they were when the call began, and writes those that the
|* method changes when it has ended. Where a changed argument shares memory with another one,
|* PyTorch's reads would see the writes; so such calls are refused, by the addresses of the tensors
|* as they are passed. What reaches no common byte is told apart where strides say so simply:
|* columns of one matrix, every second element.
\*===----------------------------------------------------------------------===*/
#include "Internal.h"

/* The bytes of a tensor: blocks of `block` bytes, each at `begin` plus multiples of `step`. */
typedef struct extent {
  uintptr_t low, high; /* nothing lies outside; equal: no elements */
  uintptr_t begin;
  uint64_t block, step; /* step 0: one block */
} extent;

static uint64_t magnitude(int64_t value) { return value < 0 ? -(uint64_t)value : (uint64_t)value; }

static uint64_t gcd(uint64_t a, uint64_t b) {
  while (b) {
    uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static int64_t elementBytes(const DLTensor *tensor) {
  return ((int64_t)tensor->dtype.bits * tensor->dtype.lanes + 7) / 8;
}

/* Bytes from one index of a dimension to the next. */
static int64_t strideOf(const DLTensor *tensor, int32_t dim) {
  int64_t stride = elementBytes(tensor);
  if (tensor->strides)
    return stride * tensor->strides[dim];
  for (int32_t i = dim + 1; i < tensor->ndim; ++i)
    stride *= tensor->shape[i];
  return stride;
}

static extent extentOf(const DLTensor *tensor) {
  uintptr_t data = (uintptr_t)tl_tensor_data(tensor);
  extent it = {data, data, data, (uint64_t)elementBytes(tensor), 0};
  for (int32_t i = 0; i < tensor->ndim; ++i)
    if (tensor->shape[i] <= 0)
      return it;
  it.high += it.block;
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    int64_t reach = (tensor->shape[i] - 1) * strideOf(tensor, i);
    *(reach < 0 ? &it.low : &it.high) += (uintptr_t)reach;
  }
  /* Dimensions that follow each other without a gap are one block. */
  uint64_t merged = 0;
  for (int32_t i = 0; i < tensor->ndim && tensor->ndim <= 64;) {
    bool joins = !(merged >> i & 1) && strideOf(tensor, i) == (int64_t)it.block;
    if (joins) {
      merged |= (uint64_t)1 << i;
      it.block *= (uint64_t)tensor->shape[i];
    }
    i = joins && tensor->shape[i] > 1 ? 0 : i + 1;
  }
  for (int32_t i = 0; i < tensor->ndim; ++i)
    if (tensor->shape[i] > 1 && (tensor->ndim > 64 || !(merged >> i & 1)))
      it.step = gcd(it.step, magnitude(strideOf(tensor, i)));
  return it;
}

/* Whether two tensors may have a byte in common. */
static bool share(const extent *a, const extent *b) {
  if (a->low >= b->high || b->low >= a->high || a->low == a->high || b->low == b->high)
    return false;
  uint64_t step = gcd(a->step, b->step);
  if (!step)
    return true;
  uint64_t apart = b->begin >= a->begin ? (b->begin - a->begin) % step
                                        : (step - (a->begin - b->begin) % step) % step;
  return !(apart >= a->block && b->block <= step && apart + b->block <= step);
}

/* Whether an element of the tensor may lie where another one does. */
static bool sharesWithItself(const DLTensor *tensor) {
  if (tl_tensor_contiguous(tensor))
    return false;
  if (tensor->ndim > 64)
    return true;
  uint64_t reach = (uint64_t)elementBytes(tensor), done = 0;
  for (;;) {
    int32_t next = -1;
    for (int32_t i = 0; i < tensor->ndim; ++i)
      if (tensor->shape[i] > 1 && !(done >> i & 1) &&
          (next < 0 || magnitude(strideOf(tensor, i)) < magnitude(strideOf(tensor, next))))
        next = i;
    if (next < 0)
      return false;
    uint64_t stride = magnitude(strideOf(tensor, next));
    if (stride < reach)
      return true;
    reach += stride * (uint64_t)(tensor->shape[next] - 1);
    done |= (uint64_t)1 << next;
  }
}

static const DLTensor *tensorOf(const tl_leaf *leaf) {
  return leaf->type->kind == TL_TENSOR ? leaf->value->as.tensor.tensor : NULL;
}

/* Writes `argument 0 'x'`, or `tensor 1 of argument 0 'xs'`. */
static void leafText(tl_text *text, const tl_call_frame *frame, int64_t leaf) {
  const tl_argument *arguments = frame->variant->arguments;
  int argument = 0;
  int64_t leaves;
  for (; (leaves = tl_type_leaves(arguments[argument].type)) <= leaf; ++argument)
    leaf -= leaves;
  if (leaves > 1)
    tl_text_add(text, "value %lld of ", (long long)leaf);
  tl_text_add(text, "argument %d '%s'", argument, arguments[argument].name);
}

tl_status tl_check_arguments_apart(tl_call_frame *frame, const tl_method *method) {
  const tl_variant *variant = frame->variant;
  char first[256], second[256];
  tl_text one = {first, sizeof first, 0}, other = {second, sizeof second, 0};
  for (int32_t c = 0; c < variant->change_count; ++c) {
    int32_t changed = variant->changes[c];
    const DLTensor *tensor = tensorOf(&frame->best_leaves[changed]);
    if (!tensor)
      continue;
    if (sharesWithItself(tensor)) {
      leafText(&one, frame, changed);
      return tl_fail(frame->error, TL_INVALID_ARGUMENT,
                     "%s: the model writes to %s, several elements of which are one place in "
                     "memory (its strides say so); give it a copy",
                     method->name, first);
    }
    extent mine = extentOf(tensor);
    for (int64_t i = 0; i < frame->plan->argument_leaf_count; ++i) {
      const DLTensor *also = i == changed ? NULL : tensorOf(&frame->best_leaves[i]);
      extent its;
      if (!also || (its = extentOf(also), !share(&mine, &its)))
        continue;
      leafText(&one, frame, changed);
      leafText(&other, frame, i);
      return tl_fail(frame->error, TL_INVALID_ARGUMENT,
                     "%s: the model writes to %s, which shares memory with %s; give it a copy of "
                     "one of them",
                     method->name, first, second);
    }
  }
  return TL_OK;
}

static const DLTensor *givenTensor(const tl_result *result) {
  const DLTensor *tensor =
      result->given && result->given->kind == TL_TENSOR ? result->given->as.tensor.tensor : NULL;
  return tensor && tensor->ndim >= 0 && (tensor->shape || !tensor->ndim) ? tensor : NULL;
}

/* Whether a tensor for a result shares memory with a changed argument: which one, or -1. */
static int32_t changedArgument(const tl_call_frame *frame, const extent *result) {
  for (int32_t c = 0; c < frame->variant->change_count; ++c) {
    const DLTensor *tensor = tensorOf(&frame->best_leaves[frame->variant->changes[c]]);
    extent its;
    if (tensor && (its = extentOf(tensor), share(result, &its)))
      return frame->variant->changes[c];
  }
  return -1;
}

tl_status tl_check_results_apart(tl_call_frame *frame, const tl_method *method) {
  for (int64_t i = 0; i < frame->plan->result_leaf_count; ++i) {
    tl_result *result = &frame->results[i];
    const DLTensor *tensor = givenTensor(result);
    if (!tensor)
      continue;
    extent mine = extentOf(tensor);
    for (int64_t j = 0; j < i; ++j) {
      const DLTensor *also = givenTensor(&frame->results[j]);
      extent its;
      if (also && (its = extentOf(also), share(&mine, &its)))
        return tl_fail(frame->error, TL_INVALID_ARGUMENT,
                       "%s: the tensors given for result %lld and result %lld share memory",
                       method->name, (long long)j, (long long)i);
    }
    int32_t changed = changedArgument(frame, &mine);
    if (changed < 0)
      continue;
    /* An earlier result that comes back as an argument: its memory is the argument's now. */
    result->replaced = result->given->as.tensor.owner != NULL;
    if (result->replaced)
      continue;
    char argument[256];
    tl_text text = {argument, sizeof argument, 0};
    leafText(&text, frame, changed);
    return tl_fail(frame->error, TL_INVALID_ARGUMENT,
                   "%s: the tensor given for result %lld shares memory with %s, which the model "
                   "writes to",
                   method->name, (long long)i, argument);
  }
  return TL_OK;
}
