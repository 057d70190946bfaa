/* RUN: %cc -fsanitize=address,undefined -fno-sanitize-recover=all %s %runtime -o %t && %t
   What one call does: variants, conversions, results, errors, state. */
#include "FakeModel.h"

#include <math.h>

static tl_instance *instance;
static tl_error error;

static void testListing(void) {
  char text[256];
  EXPECT(tl_model_method_count(&fake_model) == 11);
  const tl_method *forward = tl_model_find_method(&fake_model, "forward");
  EXPECT(forward && tl_method_variant_count(forward) == 2);
  size_t length = tl_method_format(forward, 0, text, sizeof text);
  EXPECT(strcmp(text, "forward(x: ?x3xf32, scale: float) -> (?x3xf32, float)") == 0);
  EXPECT(length == strlen(text));
  char tiny[8];
  EXPECT(tl_method_format(forward, 0, tiny, sizeof tiny) == length);
  EXPECT(strcmp(tiny, "forward") == 0);
  tl_method_format(tl_model_find_method(&fake_model, "twice"), 0, text, sizeof text);
  EXPECT(strcmp(text, "twice(x: 2x2xf32, mode: \"fast\", rest: none) -> 2x2xf32") == 0);
  tl_method_format(tl_model_find_method(&fake_model, "nested"), 0, text, sizeof text);
  EXPECT(strcmp(text, "nested(d: {\"a\": ?xf32, \"b\": [int, bool]}) -> "
                      "{\"sum\": int, \"list\": [?xf32, none], \"three\": 3}") == 0);
  tl_type third = FIXED(TL_FLOAT, 0, NULL);
  double value = 0.1;
  memcpy(&third.bits, &value, 8);
  tl_type_format(&third, text, sizeof text);
  EXPECT(strcmp(text, "0.1") == 0);
  value = 2;
  memcpy(&third.bits, &value, 8);
  tl_type_format(&third, text, sizeof text);
  EXPECT(strcmp(text, "2.0") == 0);
  EXPECT(!tl_model_find_method(&fake_model, "nothing"));
  EXPECT(tl_model_method(&fake_model, 11) == NULL);
}

static void testForward(void) {
  float data[] = {1, 2, 3, 4, 5, 6};
  int64_t shape[] = {2, 3};
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape);
  tl_value arguments[] = {tl_tensor(&x), tl_int(3)}; /* an int for a float */
  tl_value result = tl_none();
  EXPECT(tl_call(instance, "forward", arguments, 2, &result, &error) == TL_OK);
  EXPECT(result.kind == TL_TUPLE && result.as.items.count == 2);
  DLTensor *out = result.as.items.data[0].as.tensor.tensor;
  EXPECT(out->ndim == 2 && out->shape[0] == 2 && out->shape[1] == 3 && out->strides[0] == 3);
  EXPECT((uintptr_t)out->data % 64 == 0 && ((float *)out->data)[5] == 18);
  EXPECT(result.as.items.data[1].as.f == 21);
  /* The result's memory is used again while the sizes are the same. */
  void *before = out->data;
  data[5] = 7;
  EXPECT(tl_call(instance, "forward", arguments, 2, &result, &error) == TL_OK);
  out = result.as.items.data[0].as.tensor.tensor;
  EXPECT(out->data == before && ((float *)before)[5] == 21);
  shape[0] = 0;
  EXPECT(tl_call(instance, "forward", arguments, 2, &result, &error) == TL_OK);
  EXPECT(result.as.items.data[0].as.tensor.tensor->shape[0] == 0);
  EXPECT(result.as.items.data[1].as.f == 0);
  /* The more specific variant wins. */
  shape[0] = 1;
  EXPECT(tl_call(instance, "forward", arguments, 2, &result, &error) == TL_OK);
  EXPECT(result.as.items.data[1].as.f == -1);
  /* Releasing takes the tensor out. */
  DLManagedTensor *mine = tl_value_release(&result.as.items.data[0]);
  EXPECT(mine && result.as.items.data[0].kind == TL_NONE);
  tl_value_clear(&result);
  mine->deleter(mine);
  EXPECT(tl_call(instance, "forward", arguments, 2, NULL, NULL) == TL_OK); /* dropped */
}

static void testLayouts(void) {
  /* A transposed, an unaligned, and an offset tensor are copied for the call. */
  float data[] = {1, 2, 3, 4};
  int64_t shape[] = {2, 2}, strides[] = {1, 2};
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape);
  x.strides = strides;
  float out[4];
  DLTensor y = tl_dltensor(out, TL_F32, 2, shape);
  tl_value arguments[] = {tl_tensor(&x), tl_string("fast"), tl_none()}, result = tl_tensor(&y);
  EXPECT(tl_call(instance, "twice", arguments, 1, &result, &error) == TL_OK);
  EXPECT(out[0] == 2 && out[1] == 6 && out[2] == 4 && out[3] == 8);
  char bytes[32];
  memcpy(bytes + 1, data, 16);
  DLTensor odd = tl_dltensor(bytes, TL_F32, 2, shape);
  odd.byte_offset = 1;
  arguments[0] = tl_tensor(&odd);
  EXPECT(tl_call(instance, "twice", arguments, 3, &result, &error) == TL_OK);
  EXPECT(out[0] == 2 && out[1] == 4 && out[2] == 6 && out[3] == 8);
  /* A result that lies on the argument. */
  x.strides = NULL;
  arguments[0] = result = tl_tensor(&x);
  EXPECT(tl_call(instance, "transpose", arguments, 1, &result, &error) == TL_OK);
  EXPECT(data[0] == 1 && data[1] == 3 && data[2] == 2 && data[3] == 4);
}

static void expectError(tl_status expected, tl_status status, const char *message) {
  if (status != expected || strcmp(error.message, message) != 0) {
    fprintf(stderr, "expected %s: %s\ngot      %s: %s\n", tl_status_name(expected), message,
            tl_status_name(status), error.message);
    exit(1);
  }
}

static void testMismatches(void) {
  float data[6] = {0};
  int64_t shape[] = {2, 2};
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape);
  tl_value arguments[] = {tl_tensor(&x), tl_string("slow"), tl_none(), tl_none()};
  tl_value result = tl_none();
  expectError(TL_INVALID_ARGUMENT, tl_call(instance, "twice", arguments, 2, &result, &error),
              "twice: argument 1 'mode': expected \"fast\", got str \"slow\"");
  expectError(TL_INVALID_ARGUMENT, tl_call(instance, "twice", arguments, 0, &result, &error),
              "twice: no value for argument 0 'x' of type 2x2xf32");
  expectError(TL_INVALID_ARGUMENT, tl_call(instance, "twice", arguments, 4, &result, &error),
              "twice: expected 3 arguments, got 4");
  shape[1] = 3;
  expectError(TL_INVALID_ARGUMENT, tl_call(instance, "twice", arguments, 1, &result, &error),
              "twice: argument 0 'x': expected tensor 2x2xf32, got tensor 2x3xf32");
  x.dtype.bits = 64;
  expectError(TL_INVALID_ARGUMENT, tl_call(instance, "twice", arguments, 1, &result, &error),
              "twice: argument 0 'x': expected tensor 2x2xf32, got tensor 2x3xf64");
  x.dtype.lanes = 4;
  expectError(TL_INVALID_ARGUMENT, tl_call(instance, "twice", arguments, 1, &result, &error),
              "twice: argument 0 'x': expected tensor 2x2xf32, got tensor 2x3x(DLPack type code 2, "
              "64 bits, 4 lanes)");
  x = tl_dltensor(data, TL_F32, 2, shape);
  shape[1] = 2;
  x.device.device_type = kDLCUDA;
  expectError(
      TL_INVALID_ARGUMENT, tl_call(instance, "twice", arguments, 1, &result, &error),
      "twice: argument 0 'x': expected a tensor in the processor's memory, got one on cuda:0");
  x.device.device_type = kDLCPU;
  x.data = NULL;
  expectError(TL_INVALID_ARGUMENT, tl_call(instance, "twice", arguments, 1, &result, &error),
              "twice: argument 0 'x': the tensor's data is null");
  x.data = data;
  arguments[0] = tl_int(4);
  expectError(TL_INVALID_ARGUMENT, tl_call(instance, "twice", arguments, 1, &result, &error),
              "twice: argument 0 'x': expected tensor 2x2xf32, got int 4");
  expectError(TL_INVALID_ARGUMENT, tl_call(instance, "forward", arguments, 2, &result, &error),
              "forward: no compiled variant takes (int 4, str \"slow\"); compiled:\n"
              "  forward(x: ?x3xf32, scale: float) -> (?x3xf32, float)\n"
              "  forward(x: 1x3xf32, scale: float) -> (?x3xf32, float)");
  expectError(TL_NOT_FOUND, tl_call(instance, "sideways", NULL, 0, &result, &error),
              "fake: no method 'sideways'; the model has 'forward', 'twice', 'transpose', 'check', "
              "'increment', 'step', 'calls', 'reset', 'squares', 'nested', 'pieces'");
  /* Results that do not fit. */
  arguments[0] = tl_tensor(&x);
  float out[6];
  int64_t wide[] = {2, 3};
  DLTensor y = tl_dltensor(out, TL_F32, 2, wide);
  result = tl_tensor(&y);
  expectError(TL_INVALID_ARGUMENT, tl_call(instance, "twice", arguments, 1, &result, &error),
              "result 0: expected a contiguous tensor 2x2xf32 to write to, got tensor 2x3xf32");
  result = tl_int(3);
  expectError(TL_INVALID_ARGUMENT, tl_call(instance, "twice", arguments, 1, &result, &error),
              "twice: the value given for the result has another structure than 2x2xf32");
  EXPECT(tl_call(instance, "twice", arguments, 4, NULL, NULL) == TL_INVALID_ARGUMENT);
}

static void testRaise(void) {
  for (int i = 0; i < 3; ++i) {
    tl_value n = tl_int(-7), result = tl_none();
    expectError(TL_RAISED, tl_call(instance, "check", &n, 1, &result, &error),
                "n must not be negative, is -7 of {} {}");
    EXPECT(result.kind == TL_NONE);
    n = tl_int(99);
    expectError(TL_OUT_OF_MEMORY, tl_call(instance, "check", &n, 1, &result, &error),
                "out of memory for 1152921504606846976 bytes");
    n = tl_int(98);
    expectError(TL_OUT_OF_MEMORY, tl_call(instance, "check", &n, 1, &result, &error),
                "out of memory for a result");
    n = tl_int(1);
    EXPECT(tl_call(instance, "check", &n, 1, &result, &error) == TL_OK);
    tl_value_clear(&result);
    EXPECT(tl_call(instance, "check", &n, 1, NULL, NULL) == TL_OK);
  }
}

static void testChangedArgument(void) {
  float data[] = {1, 0, 2, 0, 3, 0};
  int64_t shape[] = {3}, strides[] = {2};
  DLTensor x = tl_dltensor(data, TL_F32, 1, shape);
  x.strides = strides;
  tl_value argument = tl_tensor(&x), result = tl_none();
  EXPECT(tl_call(instance, "increment", &argument, 1, &result, &error) == TL_OK);
  EXPECT(data[0] == 2 && data[1] == 0 && data[2] == 3 && data[4] == 4 && result.kind == TL_NONE);
  data[0] = 13; /* a call that fails leaves the argument alone */
  expectError(TL_RAISED, tl_call(instance, "increment", &argument, 1, &result, &error), "unlucky");
  EXPECT(data[0] == 13 && data[2] == 3);
}

static int64_t calls(void) {
  tl_value result = tl_none();
  EXPECT(tl_call(instance, "calls", NULL, 0, &result, &error) == TL_OK);
  return result.as.i;
}

static void testState(void) {
  float data[] = {1, 2}, out[2];
  int64_t shape[] = {2};
  DLTensor x = tl_dltensor(data, TL_F32, 1, shape), y = tl_dltensor(out, TL_F32, 1, shape);
  tl_value argument = tl_tensor(&x), result = tl_tensor(&y);
  EXPECT(calls() == 5);
  for (int round = 0; round < 2; ++round) {
    for (int i = 1; i < 5; ++i) {
      EXPECT(tl_call(instance, "step", &argument, 1, &result, &error) == TL_OK);
      EXPECT(out[0] == (float)i && out[1] == 2 * (float)i);
      data[0] = 13; /* fails, and the state stays */
      expectError(TL_RAISED, tl_call(instance, "step", &argument, 1, &result, &error), "bad step");
      data[0] = 1;
    }
    EXPECT(tl_call(instance, "reset", NULL, 0, NULL, &error) == TL_OK);
    expectError(
        TL_INVALID_ARGUMENT, tl_call(instance, "reset", NULL, 0, NULL, &error),
        "reset: not compiled for the state that the instance is in; no compiled variant takes "
        "(); compiled:\n  reset() -> none");
  }
  EXPECT(calls() == 13);
  EXPECT(tl_instance_reset(instance, &error) == TL_OK && calls() == 5);
  /* Another instance has a state of its own. */
  tl_instance *other;
  EXPECT(tl_instance_create(&fake_model, NULL, &other, &error) == TL_OK);
  EXPECT(tl_call(other, "step", &argument, 1, &result, &error) == TL_OK);
  tl_instance_destroy(other);
  EXPECT(calls() == 5);
}

static void testNested(void) {
  float data[] = {1, 2};
  int64_t shape[] = {2};
  DLTensor x = tl_dltensor(data, TL_F32, 1, shape);
  tl_value list[] = {tl_int(40), tl_bool(true)};
  /* Pairs come in any order. */
  tl_value pairs[] = {tl_string("b"), tl_list(list, 2), tl_string("a"), tl_tensor(&x)};
  tl_value argument = tl_dict(pairs, 2), result = tl_none();
  EXPECT(tl_call(instance, "nested", &argument, 1, &result, &error) == TL_OK);
  tl_value *items = result.as.items.data;
  EXPECT(result.kind == TL_DICT && result.as.items.count == 3);
  EXPECT(strcmp(items[0].as.string.data, "sum") == 0 && items[1].as.i == 41);
  EXPECT(items[3].kind == TL_LIST && items[3].as.items.data[1].kind == TL_NONE);
  EXPECT(((float *)items[3].as.items.data[0].as.tensor.tensor->data)[1] == 2);
  EXPECT(items[5].as.i == 3);
  EXPECT(tl_call(instance, "nested", &argument, 1, &result, &error) == TL_OK);
  tl_value_clear(&result);
  argument = tl_dict(pairs, 1);
  expectError(TL_INVALID_ARGUMENT, tl_call(instance, "nested", &argument, 1, &result, &error),
              "nested: argument 0 'd': expected {\"a\": ?xf32, \"b\": [int, bool]}, got "
              "{str \"b\": [int 40, bool true]}");
}

static void testVersions(void) {
  tl_model other = fake_model;
  tl_instance *none;
  other.version = 77;
  expectError(TL_INCOMPATIBLE, tl_instance_create(&other, NULL, &none, &error),
              "fake: compiled for version 77 of the runtime, this is version 4");
  EXPECT(!none);
  other = fake_model;
#ifdef __x86_64__
  /* What this runtime does not know is a newer processor's. */
  other.features = "sse3,sse2,rdrnd,some-unknown-feature";
  expectError(TL_INCOMPATIBLE, tl_instance_create(&other, NULL, &none, &error),
              "fake: compiled for a processor with 'some-unknown-feature', which this one lacks; "
              "compile it with another --target-cpu");
  other.features = "sse3,64bit,cmov,cx8,fxsr,sgx";
#endif
  EXPECT(tl_instance_create(&other, NULL, &none, &error) == TL_OK);
  tl_instance_destroy(none);
  const tl_model *model;
  expectError(TL_NOT_FOUND, tl_model_open("/nowhere/at-all.so", &model, &error),
              "/nowhere/at-all.so: No such file or directory");
  EXPECT(tl_model_open(__FILE__, &model, &error) == TL_INCOMPATIBLE && !model);
}

int main(void) {
  EXPECT(tl_instance_create(&fake_model, NULL, &instance, &error) == TL_OK);
  testListing();
  testForward();
  testLayouts();
  testMismatches();
  testRaise();
  testChangedArgument();
  testState();
  testNested();
  testVersions();
  tl_instance_destroy(instance);
  return 0;
}
