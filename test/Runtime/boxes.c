/* RUN: %cc -fsanitize=address,undefined -fno-sanitize-recover=all %s %runtime -Wl,--wrap=malloc,--wrap=calloc -Wl,--wrap=realloc,--wrap=posix_memalign -o %t && %t
   Values whose structure lives at run time, as compiled code asks for them: what operations give,
   that nothing is kept that no one refers to, results, and each allocation fails once. */
#include "Box.h"
#include "FakeModel.h"

static tl_instance *instance;
static tl_error error;
static long left = -1; /* allocations that succeed; -1: all */

static bool fails(void) { return left >= 0 && left-- == 0; }
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
void *__wrap_malloc(size_t size) { return fails() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) {
  return fails() ? NULL : __real_calloc(count, size);
}
void *__wrap_realloc(void *memory, size_t size) {
  return fails() ? NULL : __real_realloc(memory, size);
}
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size) {
  return fails() ? 12 : __real_posix_memalign(memory, alignment, size);
}

/*===-- What compiled code would do -----------------------------------------===*/

static int64_t bitsOf(const tl_box *box) { return (int64_t)(intptr_t)box; }
static int64_t floatBits(double value) {
  int64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
static void appendInt(tl_frame *frame, tl_box *list, int64_t value) {
  tl_box_put(frame, list, -1, TL_ITEM_INT, value);
}
static void appendBox(tl_frame *frame, tl_box *list, const tl_box *box) {
  tl_box_put(frame, list, -1, TL_ITEM_BOX, bitsOf(box));
}
static int64_t intAt(const tl_box *list, int64_t at) { return tl_box_get(list, at); }
static int64_t countHeld(tl_frame *frame) {
  int64_t count = 0;
  for (tl_box *box = ((tl_call_frame *)frame->runtime)->boxes.first; box; box = box->next)
    ++count;
  return count;
}

/* A list of n lists [0], [0, 1], ...: rows are the same objects wherever they are found. */
static tl_box *makeRows(tl_frame *frame, int64_t n) {
  tl_box *rows = tl_box_create(frame, TL_BOX_LIST);
  int64_t mark = tl_box_mark(frame);
  for (int64_t i = 0; i < n; ++i) {
    tl_box *row = tl_box_create(frame, TL_BOX_LIST);
    for (int64_t k = 0; k <= i; ++k)
      appendInt(frame, row, k);
    appendBox(frame, rows, row);
    tl_box_keep(frame, mark, 0, NULL);
  }
  EXPECT(tl_box_size(rows) == n);
  return rows;
}

static void expectAliases(tl_frame *frame) {
  tl_box *rows = makeRows(frame, 4), *row = tl_box_item(frame, rows, 2);
  EXPECT(tl_box_item(frame, rows, 2) == row && tl_box_size(row) == 3);
  appendInt(frame, row, 100);
  EXPECT(intAt(tl_box_item(frame, rows, 2), 3) == 100);
  /* A slice is another list of the same rows; a row that goes from one stays in the other. */
  tl_box *part = tl_box_slice(frame, rows, 3, 4, -1);
  tl_box_splice(frame, rows, 2, 1, NULL);
  EXPECT(tl_box_size(rows) == 3 && tl_box_size(part) == 4 && tl_box_item(frame, part, 1) == row);
  tl_box_splice(frame, rows, 1, 1, rows); /* of itself */
  EXPECT(tl_box_size(rows) == 5 && tl_box_size(tl_box_item(frame, rows, 3)) == 4);
  tl_box *many = tl_box_repeat(frame, part, 2), *none = tl_box_repeat(frame, part, -1);
  EXPECT(tl_box_size(many) == 8 && tl_box_item(frame, many, 5) == row && !tl_box_size(none));
  EXPECT(!tl_box_size(tl_box_repeat(frame, none, 3)));
  EXPECT(tl_box_find(frame, part, TL_ITEM_BOX, bitsOf(row), 0) == 1);
  EXPECT(tl_box_equal(part, part) && !tl_box_equal(part, rows));
}

/* What a trip of a loop made and does not hand on is freed at its end. */
static void expectReferences(tl_frame *frame) {
  int64_t mark = tl_box_mark(frame), before = countHeld(frame);
  tl_box *kept = tl_box_create(frame, TL_BOX_LIST);
  for (int64_t i = 0; i < 100; ++i) {
    tl_box *next = tl_box_create(frame, TL_BOX_LIST);
    appendBox(frame, next, tl_box_text(frame, "text", 4));
    appendBox(frame, next, NULL);
    appendInt(frame, next, i);
    (void)makeRows(frame, 3);
    kept = next;
    tl_box_keep(frame, mark, 1, &kept);
    EXPECT(countHeld(frame) == before + 2);
  }
  EXPECT(intAt(kept, 2) == 99 && tl_box_present(kept, 0) && !tl_box_present(kept, 1));
  EXPECT(tl_box_present(kept, 2) && tl_box_item(frame, kept, 1) == NULL);
  tl_box *twice[] = {kept, NULL, kept};
  tl_box_keep(frame, mark, 3, twice);
  EXPECT(tl_box_size(kept) == 3);
  tl_box_keep(frame, mark, 0, NULL);
  EXPECT(countHeld(frame) == before);
}

static void setInt(tl_frame *frame, tl_box *dict, int64_t key, int64_t value) {
  tl_box_set(frame, dict, TL_ITEM_INT, key, TL_ITEM_INT, value);
}

static void expectKeys(tl_frame *frame) {
  tl_box *dict = tl_box_create(frame, TL_BOX_DICT);
  for (int64_t i = 0; i < 50; ++i)
    setInt(frame, dict, i * 7 % 50, i);
  setInt(frame, dict, 7, -1); /* stays where it is */
  EXPECT(tl_box_size(dict) == 100 && intAt(dict, 2) == 7 && intAt(dict, 3) == -1);
  tl_box_splice(frame, dict, 2, 2, NULL);
  EXPECT(tl_box_find(frame, dict, TL_ITEM_INT, 7, 0) == -1);
  setInt(frame, dict, 7, 5); /* is the last one now */
  EXPECT(tl_box_find(frame, dict, TL_ITEM_INT, 7, 0) == 98);
  tl_box *floats = tl_box_create(frame, TL_BOX_DICT), *copy = tl_box_slice(frame, dict, 0, 4, 1);
  const double keys[] = {0.0, -0.0, 0.0 / 0.0, 0.0 / 0.0, 1};
  for (int i = 0; i < 5; ++i)
    tl_box_set(frame, floats, TL_ITEM_FLOAT, floatBits(keys[i]), TL_ITEM_INT, i);
  EXPECT(tl_box_size(floats) == 8 && intAt(floats, 1) == 1); /* no NaN is another one */
  setInt(frame, copy, 1000, 1);
  tl_box_update(frame, copy, dict);
  tl_box_update(frame, copy, copy);
  EXPECT(tl_box_size(copy) == 102 && tl_box_find(frame, copy, TL_ITEM_INT, 1000, 0) == 4);
  tl_box *pairs = tl_box_pairs(frame, copy);
  EXPECT(tl_box_size(pairs) == 51 && intAt(tl_box_item(frame, pairs, 2), 0) == 1000);
  EXPECT(tl_box_equal(copy, tl_box_slice(frame, copy, 0, 102, 1)) && !tl_box_equal(copy, dict));
}

static void expectTexts(tl_frame *frame) {
  tl_box *a = tl_box_text(frame, "ab", 2), *b = tl_box_text(frame, "abc", 3);
  tl_box *both = tl_box_concat(frame, a, b), *many = tl_box_repeat(frame, a, 3);
  EXPECT(tl_box_compare(a, b) < 0 && tl_box_compare(b, a) > 0 && tl_box_compare(a, a) == 0);
  EXPECT(tl_box_equal(both, tl_box_text(frame, "ababc", 5)) && tl_box_size(many) == 6);
  EXPECT(tl_box_size(tl_box_concat(frame, tl_box_repeat(frame, a, 0), a)) == 2);
  tl_box *dict = tl_box_create(frame, TL_BOX_DICT);
  tl_box_set(frame, dict, TL_ITEM_BOX, bitsOf(a), TL_ITEM_INT, 1);
  tl_box *same = tl_box_text(frame, "ab", 2);
  EXPECT(tl_box_find(frame, dict, TL_ITEM_BOX, bitsOf(same), 0) == 0);
  EXPECT(tl_box_find(frame, dict, TL_ITEM_BOX, bitsOf(b), 0) == -1);
}

static void expectTensors(tl_frame *frame) {
  const float data[] = {0, 1, 2, 3, 4, 5};
  const int64_t numbers[] = {7, 8}, any[] = {-1, 3};
  tl_box *matrix = tl_box_pack(frame, data, TL_F32, 4, 2, (int64_t[]){2, 3});
  tl_box *rows = tl_box_rows(frame, matrix, TL_ITEM_BOX);
  tl_box *ints =
      tl_box_rows(frame, tl_box_pack(frame, numbers, TL_I64, 8, 1, (int64_t[]){2}), TL_ITEM_INT);
  EXPECT(tl_box_size(rows) == 2 && intAt(ints, 1) == 8);
  tl_box *stacked = tl_box_together(frame, rows, TL_F32, 4, 1, -1, "differ");
  EXPECT(!memcmp(tl_box_data(frame, stacked, TL_F32, 2, any, "differ"), data, sizeof data));
  tl_box *wide = tl_box_create(frame, TL_BOX_LIST);
  appendBox(frame, wide, matrix);
  appendBox(frame, wide, stacked);
  tl_box *cat = tl_box_together(frame, wide, TL_F32, 4, 2, 1, "differ");
  const float expected[] = {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5};
  EXPECT(tl_box_sizes(cat)[0] == 2 && tl_box_sizes(cat)[1] == 6);
  EXPECT(!memcmp(tl_box_data(frame, cat, TL_F32, 2, (int64_t[]){-1, -1}, "differ"), expected,
                 sizeof expected));
  tl_box *empty = tl_box_pack(frame, NULL, TL_F32, 4, 2, (int64_t[]){0, 3});
  EXPECT(!tl_box_size(tl_box_rows(frame, empty, TL_ITEM_BOX)));
  EXPECT(tl_box_sizes(NULL)[1] == 0 && tl_box_data(frame, NULL, TL_F32, 2, any, "differ"));
}

/*===-- Results -------------------------------------------------------------===*/

/* values(n: int) -> ([[int, ...]?, ...], {int: ?xf32, ...}, str) */
static void valuesEntry(tl_frame *frame) {
  int64_t n = frame->args[0].i;
  expectAliases(frame);
  expectReferences(frame);
  expectKeys(frame);
  expectTexts(frame);
  expectTensors(frame);
  if (n < 0)
    (void)tl_box_data(frame, tl_box_text(frame, "", 0), TL_F32, 0, NULL, "no tensor");
  tl_box *rows = makeRows(frame, n), *dict = tl_box_create(frame, TL_BOX_DICT);
  appendBox(frame, rows, NULL);
  for (int64_t i = 0; i < n; ++i) {
    float data[8] = {(float)i};
    tl_box *tensor = tl_box_pack(frame, data, TL_F32, 4, 1, (int64_t[]){i % 8});
    tl_box_set(frame, dict, TL_ITEM_INT, 10 * i, TL_ITEM_BOX, bitsOf(tensor));
  }
  frame->results[0].i = bitsOf(rows);
  frame->results[1].i = bitsOf(dict);
  frame->results[2].i = bitsOf(tl_box_text(frame, "made", 4));
}
static const int64_t dims_any[] = {-1};
static const tl_type optional_row = {TL_LIST, 2, 0, -2, NULL, &int_type, 0, NULL};
static const tl_type entry_types[] = {{TL_INT, 0, 0, 0, NULL, NULL, 0, NULL},
                                      {TL_TENSOR, 0, TL_F32, 1, dims_any, NULL, 0, NULL}};
static const tl_type values_items[] = {{TL_LIST, 0, 0, -2, NULL, &optional_row, 0, NULL},
                                       {TL_DICT, 0, 0, -2, NULL, entry_types, 0, NULL},
                                       {TL_STRING, 0, 0, 0, NULL, NULL, 0, NULL}};
static const tl_type values_result = {TL_TUPLE, 0, 0, 3, NULL, values_items, 0, NULL};
static const tl_variant values_variants[] = {
    {valuesEntry, 0, int_arguments, &values_result, NULL, NULL, NULL, 1, 0, 0, 0, -1, -1, NULL, 0}};
static const tl_method values_methods[] = {{"values", values_variants, 1}};
static const tl_model values_model = {
    &tl_runtime, TL_DESCRIPTOR_VERSION, 0, "values", "", values_methods, 1, NULL, 0, 0, NULL};

static tl_status values(int64_t n, tl_value *result) {
  tl_value argument = tl_int(n);
  return tl_call(instance, "values", &argument, 1, result, &error);
}

static void expectValues(const tl_value *result, size_t n) {
  const tl_value *rows = &result->as.items.data[0], *dict = &result->as.items.data[1];
  EXPECT(rows->kind == TL_LIST && rows->as.items.count == n + 1);
  for (size_t i = 0; i < n; ++i)
    EXPECT(rows->as.items.data[i].as.items.count == i + 1);
  EXPECT(rows->as.items.data[n].kind == TL_NONE);
  EXPECT(dict->kind == TL_DICT && dict->as.items.count == n);
  for (size_t i = 0; i < n; ++i) {
    EXPECT(dict->as.items.data[2 * i].as.i == (int64_t)(10 * i));
    EXPECT(dict->as.items.data[2 * i + 1].as.tensor.tensor->shape[0] == (int64_t)i % 8);
  }
  EXPECT(strcmp(result->as.items.data[2].as.string.data, "made") == 0);
}

static void testAllocations(void) {
  tl_value result = tl_none();
  tl_status status = TL_OUT_OF_MEMORY;
  for (long succeed = 0; status; ++succeed) {
    left = succeed;
    status = values(6, &result);
    left = -1;
    EXPECT(status == TL_OK || (status == TL_OUT_OF_MEMORY && result.kind == TL_NONE));
    EXPECT(succeed < 10000);
  }
  expectValues(&result, 6);
  tl_value_clear(&result);
}

int main(void) {
  char text[100];
  tl_method_format(tl_model_find_method(&values_model, "values"), 0, text, sizeof text);
  EXPECT(strcmp(text, "values(n: int) -> ([[int, ...]?, ...], {int: ?xf32, ...}, str)") == 0);
  EXPECT(tl_instance_create(&values_model, NULL, &instance, &error) == TL_OK);
  tl_value result = tl_none();
  EXPECT(values(0, &result) == TL_OK);
  expectValues(&result, 0);
  EXPECT(values(9, &result) == TL_OK); /* given again */
  expectValues(&result, 9);
  tl_value_clear(&result);
  EXPECT(values(-1, &result) != TL_OK && strstr(error.message, "no tensor"));
  EXPECT(values(4, NULL) == TL_OK);
  tl_instance_destroy(instance);
  /* Of a fresh instance, too, whose memory for references is not there yet. */
  EXPECT(tl_instance_create(&values_model, NULL, &instance, &error) == TL_OK);
  testAllocations();
  tl_instance_destroy(instance);
  return 0;
}
