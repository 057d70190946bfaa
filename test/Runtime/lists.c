/* RUN: %cc -fsanitize=address,undefined -fno-sanitize-recover=all %s %runtime -Wl,--wrap=malloc,--wrap=calloc -Wl,--wrap=posix_memalign -o %t && %t
   Results that are lists of any length: items outlive the list and each other, a result is given
   again, and each allocation fails once. */
#include "FakeModel.h"

static tl_instance *instance;
static tl_error error;
static long left = -1; /* allocations that succeed; -1: all */

static bool fails(void) { return left >= 0 && left-- == 0; }
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
void *__wrap_malloc(size_t size) { return fails() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) {
  return fails() ? NULL : __real_calloc(count, size);
}
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size) {
  return fails() ? 12 : __real_posix_memalign(memory, alignment, size);
}

static tl_status pieces(int64_t n, tl_value *result) {
  tl_value argument = tl_int(n);
  return tl_call(instance, "pieces", &argument, 1, result, &error);
}

static void expectPieces(const tl_value *result, size_t n) {
  const tl_value *tensors = &result->as.items.data[0], *numbers = &result->as.items.data[1];
  EXPECT(tensors->kind == TL_LIST && tensors->as.items.count == n);
  EXPECT(numbers->kind == TL_LIST && numbers->as.items.count == n);
  for (size_t i = 0; i < n; ++i) {
    const DLTensor *tensor = tensors->as.items.data[i].as.tensor.tensor;
    EXPECT(tensor->ndim == 1 && tensor->shape[0] == 2);
    EXPECT(((float *)tensor->data)[1] == (float)i + 1);
    EXPECT(numbers->as.items.data[i].as.i == (int64_t)(10 * i));
  }
}

static void testItems(void) {
  tl_value result = tl_none();
  EXPECT(pieces(0, &result) == TL_OK);
  expectPieces(&result, 0);
  /* Given again, lists are other ones. */
  EXPECT(pieces(3, &result) == TL_OK);
  expectPieces(&result, 3);
  EXPECT(pieces(5, &result) == TL_OK);
  expectPieces(&result, 5);
  DLManagedTensor *second = tl_value_release(&result.as.items.data[0].as.items.data[1]);
  DLManagedTensor *last = tl_value_release(&result.as.items.data[0].as.items.data[4]);
  tl_value_clear(&result);
  EXPECT(((float *)second->dl_tensor.data)[0] == 1);
  second->deleter(second);
  EXPECT(((float *)last->dl_tensor.data)[0] == 4);
  last->deleter(last);
  EXPECT(pieces(4, NULL) == TL_OK);
}

static void testAllocations(void) {
  tl_value result = tl_none();
  tl_status status = TL_OUT_OF_MEMORY;
  for (long succeed = 0; status; ++succeed) {
    left = succeed;
    status = pieces(7, &result);
    left = -1;
    EXPECT(status == TL_OK || (status == TL_OUT_OF_MEMORY && result.kind == TL_NONE));
    EXPECT(succeed < 100);
  }
  expectPieces(&result, 7);
  tl_value_clear(&result);
}

int main(void) {
  char text[100];
  tl_method_format(tl_model_find_method(&fake_model, "pieces"), 0, text, sizeof text);
  EXPECT(strcmp(text, "pieces(n: int) -> ([2xf32, ...], [int, ...])") == 0);
  EXPECT(tl_instance_create(&fake_model, NULL, &instance, &error) == TL_OK);
  testItems();
  testAllocations();
  tl_instance_destroy(instance);
  return 0;
}
