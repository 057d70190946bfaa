/* RUN: %cc -fsanitize=address,undefined -fno-sanitize-recover=all %s %runtime -o %t
   RUN: mkdir -p %t.locale
   RUN: sh -c "localedef -i de_DE -f UTF-8 %t.locale/de_DE.UTF-8 || true"
   RUN: env LOCPATH=%t.locale %t
   What callers may give: null pointers, values of any depth, bools of any byte, arguments and
   results that share memory, earlier results as arguments, another locale. */
#include "FakeModel.h"

#include <locale.h>

static tl_instance *instance;
static tl_error error;

static void expectError(tl_status status, const char *message) {
  if (status == TL_INVALID_ARGUMENT && strstr(error.message, message))
    return;
  fprintf(stderr, "expected '%s', got %d '%s'\n", message, (int)status, error.message);
  exit(1);
}

/*===-- A model for it -----------------------------------------------------===*/

static const tl_type bool_q = TENSOR(TL_I1, 1, dims_q), true_type = FIXED(TL_BOOL, 1, NULL);

/* double_(x: ?xf32) -> cat(x, x): adds 1 to x */
static void doubleEntry(tl_frame *frame) {
  const tl_slot *x = &frame->args[0];
  int64_t n = x->tensor.sizes[0], twice = 2 * n;
  float *out = tl_rt_output(frame, 0, 1, &twice, 4), *changed = tl_rt_output(frame, 1, 1, &n, 4);
  for (int64_t i = 0; i < n; ++i) {
    out[i] = out[n + i] = ((float *)x->tensor.data)[i];
    changed[i] = out[i] + 1;
  }
}

/* add_(x: ?xf32, y: ?xf32) -> (x, x + y): x += y */
static void addEntry(tl_frame *frame) {
  const int64_t *sizes = frame->args[0].tensor.sizes;
  const float *x = frame->args[0].tensor.data, *y = frame->args[1].tensor.data;
  float *before = tl_rt_output(frame, 0, 1, sizes, 4), *sum = tl_rt_output(frame, 1, 1, sizes, 4),
        *changed = tl_rt_output(frame, 2, 1, sizes, 4);
  for (int64_t i = 0; i < sizes[0]; ++i) {
    before[i] = x[i];
    changed[i] = sum[i] = x[i] + y[i];
  }
}

/* bools(x: ?xi1, b: bool) -> int: adds them up */
static void boolsEntry(tl_frame *frame) {
  frame->results[0].i = frame->args[1].i;
  for (int64_t i = 0; i < frame->args[0].tensor.sizes[0]; ++i)
    frame->results[0].i += ((unsigned char *)frame->args[0].tensor.data)[i];
}

static const tl_type pair_items[] = {TENSOR(TL_F32, 1, dims_q), TENSOR(TL_F32, 1, dims_q)};
static const tl_type pair = {TL_TUPLE, 0, 0, 2, NULL, pair_items, 0, NULL};
static const tl_argument one_argument[] = {{"x", &f32_q}},
                         two_arguments[] = {{"x", &f32_q}, {"y", &f32_q}},
                         bools_arguments[] = {{"x", &bool_q}, {"b", &bool_type}},
                         fixed_arguments[] = {{"b", &true_type}}, pair_arguments[] = {{"p", &pair}};
static const int32_t first_leaf[] = {0};
static void nothingEntry(tl_frame *frame) { (void)frame; }
#define VARIANT(entry, arguments, result, changes, count, change_count)                            \
  {entry, 0, arguments, result, changes, NULL, NULL, count, change_count, 0, 0, -1, -1, NULL, 0}
static const tl_variant
    double_variants[] = {VARIANT(doubleEntry, one_argument, &f32_q, first_leaf, 1, 1)},
    add_variants[] = {VARIANT(addEntry, two_arguments, &pair, first_leaf, 2, 1)},
    add_pair_variants[] = {VARIANT(addEntry, pair_arguments, &pair, first_leaf, 1, 1)},
    bools_variants[] = {VARIANT(boolsEntry, bools_arguments, &int_type, NULL, 2, 0)},
    fixed_variants[] = {VARIANT(nothingEntry, fixed_arguments, &none_type, NULL, 1, 0)};
static const tl_method hostile_methods[] = {{"double_", double_variants, 1},
                                            {"add_", add_variants, 1},
                                            {"add_pair", add_pair_variants, 1},
                                            {"bools", bools_variants, 1},
                                            {"fixed", fixed_variants, 1}};
static const tl_model hostile_model = {
    &tl_runtime, TL_DESCRIPTOR_VERSION, 0, "hostile", "", hostile_methods, 5, NULL, 0, 0, NULL};

/*===-- Tests --------------------------------------------------------------===*/

static void testNulls(void) {
  tl_value value = tl_int(1);
  tl_instance *made = instance;
  const tl_model *model;
  expectError(tl_call(NULL, "add_", &value, 1, NULL, &error), "the instance is null");
  expectError(tl_call(instance, NULL, &value, 1, NULL, &error), "the method's name is null");
  expectError(tl_call(instance, "add_", NULL, 1, NULL, &error), "the array of arguments is null");
  EXPECT(tl_call(NULL, NULL, NULL, 0, NULL, NULL) == TL_INVALID_ARGUMENT);
  expectError(tl_instance_create(NULL, NULL, &made, &error), "the model is null");
  EXPECT(!made);
  expectError(tl_instance_create(&hostile_model, NULL, NULL, &error), "is null");
  expectError(tl_instance_reset(NULL, &error), "the instance is null");
  expectError(tl_model_open(NULL, &model, &error), "the path is null");
  expectError(tl_model_open("x.so", NULL, &error), "is null");
  tl_instance_destroy(NULL);
  tl_model_close(NULL);
  tl_value_clear(NULL);
  EXPECT(!tl_value_release(NULL) && !tl_model_name(NULL) && !tl_model_method_count(NULL));
  EXPECT(!tl_model_method(NULL, 0) && !tl_model_find_method(NULL, "x") &&
         !tl_model_find_method(&hostile_model, NULL));
  const tl_method *method = tl_model_find_method(&hostile_model, "add_");
  EXPECT(!tl_method_name(NULL) && !tl_method_variant_count(NULL));
  EXPECT(!tl_method_argument_count(method, 1) && !tl_method_argument_name(method, 0, 2));
  EXPECT(!tl_method_argument_type(method, 1, 0) && !tl_method_result_type(method, 1));
  EXPECT(!tl_method_format(method, 1, NULL, 0) && !tl_type_format(NULL, NULL, 0));
  EXPECT(tl_method_format(method, 0, NULL, 100) > 10);
  /* Inside values. */
  float data[2] = {0, 0};
  DLTensor tensor = tl_dltensor(data, TL_F32, 1, NULL);
  tl_value two[] = {tl_tensor(&tensor), tl_tensor(NULL)}, list = tl_tuple(NULL, 2);
  expectError(tl_call(instance, "add_", two, 2, NULL, &error), "tensor without sizes f32");
  two[0] = tl_list(NULL, 3);
  expectError(tl_call(instance, "add_", two, 2, NULL, &error), "got [null]");
  expectError(tl_call(instance, "add_pair", &list, 1, NULL, &error), "got (null)");
  tl_value_clear(&list);
  int64_t shape[] = {2};
  tensor.shape = shape;
  two[0] = two[1] = tl_tensor(&tensor);
  DLTensor bad = tl_dltensor(data, TL_F32, 1, NULL);
  tl_value results[] = {tl_tensor(&bad), tl_none()}, result = tl_tuple(NULL, 2);
  float other[2] = {0, 0};
  DLTensor y = tl_dltensor(other, TL_F32, 1, shape);
  two[1] = tl_tensor(&y);
  expectError(tl_call(instance, "add_", two, 2, &result, &error), "another structure");
  result = tl_tuple(results, 2);
  expectError(tl_call(instance, "add_", two, 2, &result, &error), "without sizes f32");
}

/* Nesting without limit, in values that are given and in what is cleared. */
static void testDepth(void) {
  enum { DEPTH = 1000000 };
  tl_value *deep = malloc(DEPTH * sizeof *deep);
  deep[0] = tl_int(1);
  for (int i = 1; i < DEPTH; ++i)
    deep[i] = tl_list(&deep[i - 1], 1);
  expectError(tl_call(instance, "double_", &deep[DEPTH - 1], 1, NULL, &error), "[...]");
  tl_value_clear(&deep[DEPTH - 1]);
  EXPECT(deep[DEPTH - 1].kind == TL_NONE && deep[0].kind == TL_NONE && deep[77].kind == TL_NONE);
  free(deep);
  /* Owned, with items on both sides. */
  tl_value value = tl_int(1);
  for (int i = 0; i < DEPTH / 4; ++i) {
    tl_value *items = calloc(4, sizeof *items);
    items[i % 3] = value;
    items[3] = tl_list(calloc(1, sizeof *items), 0);
    items[3].owned = 1;
    value = i % 2 ? tl_dict(items, 2) : tl_list(items, 4);
    value.owned = 1;
  }
  tl_value_clear(&value);
  EXPECT(value.kind == TL_NONE);
}

static void testBools(void) {
  unsigned char bytes[] = {0, 1, 2, 255, 128, 0};
  int64_t shape[] = {6}, strides[] = {2}, half[] = {3};
  DLTensor x = tl_dltensor(bytes, TL_I1, 1, shape);
  tl_value arguments[] = {tl_tensor(&x), tl_bool(true)}, result = tl_none();
  memset(&arguments[1].as.b, 0xfe, 1);
  EXPECT(!tl_call(instance, "bools", arguments, 2, &result, &error) && result.as.i == 5);
  EXPECT(bytes[3] == 255);
  x.strides = strides;
  x.shape = half;
  EXPECT(!tl_call(instance, "bools", arguments, 2, &result, &error) && result.as.i == 3);
  EXPECT(!tl_call(instance, "fixed", &arguments[1], 1, NULL, &error));
}

static void testFeedback(void) {
  float data[] = {1, 2};
  int64_t shape[] = {2};
  DLTensor x = tl_dltensor(data, TL_F32, 1, shape);
  tl_value argument = tl_tensor(&x), result = tl_none();
  EXPECT(!tl_call(instance, "double_", &argument, 1, &result, &error));
  EXPECT(data[0] == 2 && data[1] == 3);
  for (int i = 0; i < 4; ++i) {
    tl_value again = result; /* changed by the call, and freed for the new result */
    EXPECT(!tl_call(instance, "double_", &again, 1, &result, &error));
    EXPECT(result.as.tensor.tensor->shape[0] == 8 << i);
    EXPECT(((float *)result.as.tensor.tensor->data)[1] == 2);
  }
  tl_value_clear(&result);
  /* The same sizes: the changed argument's memory is not the new result's. */
  float y[] = {10, 20};
  DLTensor other = tl_dltensor(y, TL_F32, 1, shape);
  tl_value arguments[] = {tl_tensor(&x), tl_tensor(&other)};
  EXPECT(!tl_call(instance, "add_", arguments, 2, &result, &error));
  arguments[0] = result.as.items.data[1];
  EXPECT(!tl_call(instance, "add_", arguments, 2, &result, &error));
  EXPECT(((float *)result.as.items.data[0].as.tensor.tensor->data)[1] == 23);
  EXPECT(((float *)result.as.items.data[1].as.tensor.tensor->data)[1] == 43);
  /* The result's own items as the arguments: the first is changed, and both are replaced. */
  EXPECT(!tl_call(instance, "add_", result.as.items.data, 2, &result, &error));
  EXPECT(((float *)result.as.items.data[0].as.tensor.tensor->data)[1] == 23);
  EXPECT(((float *)result.as.items.data[1].as.tensor.tensor->data)[1] == 66);
  tl_value_clear(&result);
}

static void expectApart(DLTensor *x, DLTensor *y) {
  tl_value arguments[] = {tl_tensor(x), tl_tensor(y)};
  expectError(tl_call(instance, "add_", arguments, 2, NULL, &error),
              "add_: the model writes to argument 0 'x', which shares memory with argument 1 'y'");
}

static void testOverlap(void) {
  float data[16] = {0};
  int64_t four[] = {4}, two[] = {2}, stride2[] = {2}, back[] = {-1}, zero[] = {0};
  DLTensor x = tl_dltensor(data, TL_F32, 1, four), y = tl_dltensor(data, TL_F32, 1, four);
  expectApart(&x, &x); /* the same twice */
  expectApart(&x, &y);
  y.data = data + 3;
  expectApart(&x, &y);
  y.data = data + 6, y.strides = back; /* 6, 5, 4, 3 */
  expectApart(&x, &y);
  y.data = data, y.strides = NULL, y.byte_offset = 12;
  expectApart(&x, &y);
  tl_value arguments[] = {tl_tensor(&x), tl_tensor(&y)};
  y.byte_offset = 16; /* next to each other */
  EXPECT(!tl_call(instance, "add_", arguments, 2, NULL, &error));
  x.strides = y.strides = stride2; /* every second element */
  y.byte_offset = 4;
  EXPECT(!tl_call(instance, "add_", arguments, 2, NULL, &error));
  y.byte_offset = 8;
  expectApart(&x, &y);
  x.shape = y.shape = two;
  EXPECT(tl_call(instance, "add_", arguments, 2, NULL, &error) == TL_INVALID_ARGUMENT);
  /* Two values of one argument. */
  tl_value list = tl_tuple(arguments, 2);
  expectError(tl_call(instance, "add_pair", &list, 1, NULL, &error),
              "writes to value 0 of argument 0 'p', which shares memory with value 1 of argument");
  /* One place for all elements, which PyTorch does not write to either. */
  x.strides = zero, y.byte_offset = 40;
  expectError(tl_call(instance, "add_", arguments, 2, NULL, &error),
              "several elements of which are one place");
  /* Nothing is shared where nothing is written. */
  tl_value argument = tl_tensor(&x);
  x.shape = zero;
  EXPECT(!tl_call(instance, "double_", &argument, 1, NULL, &error));
}

static void testResults(void) {
  float data[8] = {1, 2, 3, 4}, out[4];
  int64_t two[] = {2};
  DLTensor x = tl_dltensor(data, TL_F32, 1, two), y = tl_dltensor(data + 2, TL_F32, 1, two),
           a = tl_dltensor(out, TL_F32, 1, two), b = tl_dltensor(out + 1, TL_F32, 1, two);
  tl_value arguments[] = {tl_tensor(&x), tl_tensor(&y)}, items[] = {tl_tensor(&a), tl_tensor(&b)},
           result = tl_tuple(items, 2);
  expectError(tl_call(instance, "add_", arguments, 2, &result, &error),
              "the tensors given for result 0 and result 1 share memory");
  b.data = data + 1;
  expectError(tl_call(instance, "add_", arguments, 2, &result, &error),
              "the tensor given for result 1 shares memory with argument 0 'x', which the model");
  b.data = data + 2; /* an argument that is only read */
  EXPECT(!tl_call(instance, "add_", arguments, 2, &result, &error));
  EXPECT(data[0] == 4 && data[1] == 6 && data[2] == 4 && data[3] == 6 && out[1] == 2);
}

/* A locale that writes 0,5. */
static void testLocale(void) {
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
    if (setlocale(LC_NUMERIC, names[i]))
      break;
  tl_value value = tl_float(0.5), list;
  expectError(tl_call(instance, "double_", &value, 1, NULL, &error), "got float 0.5");
  value = tl_float(-1.5e-30);
  list = tl_list(&value, 1);
  expectError(tl_call(instance, "double_", &list, 1, NULL, &error), "got [float -1.5e-30]");
  value = tl_float(-__builtin_inf());
  expectError(tl_call(instance, "double_", &list, 1, NULL, &error), "got [float -inf]");
  value = tl_float(3);
  expectError(tl_call(instance, "double_", &list, 1, NULL, &error), "got [float 3.0]");
  setlocale(LC_NUMERIC, "C");
}

int main(void) {
  EXPECT(tl_instance_create(&hostile_model, NULL, &instance, &error) == TL_OK);
  testNulls();
  testDepth();
  testBools();
  testFeedback();
  testOverlap();
  testResults();
  testLocale();
  tl_instance_destroy(instance);
  return 0;
}
