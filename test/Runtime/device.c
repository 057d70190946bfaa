/* Calls on a device, with a stand-in for the CUDA driver: operands, results, state, graphs,
   streams, and what fails. Once with a driver that does everything as late as it may, once at once,
   and once with one that knows neither graphs nor pools of memory.
   RUN: %cc -shared -fPIC -g -fsanitize=address %S/Inputs/fake_cuda.c -lm -o %t.so
   RUN: %cc -shared -fPIC -g -fsanitize=address -DFAKE_OLD %S/Inputs/fake_cuda.c -lm -o %t.old.so
   RUN: %cc -fsanitize=address,undefined -fno-sanitize-recover=all %s %cuda_sources %runtime -o %t
   RUN: env TORCHLITE_LIBCUDA=%t.so %t
   RUN: env TORCHLITE_LIBCUDA=%t.so FAKE_CUDA_EAGER=1 %t
   RUN: env TORCHLITE_LIBCUDA=%t.old.so %t
*/
#include "FakeDeviceModel.h"

#define TAG (1ull << 60)

static struct fake_cuda *fake;
static tl_error error;
static bool graphs; /* whether the driver has them */

static tl_instance *create(tl_options options) {
  tl_instance *instance;
  options.device = TL_DEVICE_CUDA;
  if (tl_instance_create(&device_model, &options, &instance, &error)) {
    fprintf(stderr, "%s\n", error.message);
    exit(1);
  }
  return instance;
}

/* An element of a tensor on the device. */
static float peek(const DLTensor *tensor, int64_t index) {
  EXPECT(tensor->device.device_type == kDLCUDA && tensor->device.device_id == 0);
  return ((float *)((uintptr_t)tensor->data - TAG + tensor->byte_offset))[index];
}

static void call(tl_instance *instance, const char *method, tl_value *arguments, size_t count,
                 tl_value *result) {
  if (tl_call(instance, method, arguments, count, result, &error)) {
    fprintf(stderr, "%s: %s\n", method, error.message);
    exit(1);
  }
}

/* A tensor on the device that holds `data`, doubled. */
static tl_value onDevice(tl_instance *results_on_device, float *data, int64_t count) {
  int64_t shape[] = {2, 3};
  EXPECT(count == 6);
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape);
  tl_value arguments[] = {tl_tensor(&x), tl_float(2)}, result = tl_none();
  call(results_on_device, "affine", arguments, 2, &result);
  tl_value tensor = result.as.items.data[0];
  result.as.items.data[0] = tl_none();
  tl_value_clear(&result);
  return tensor;
}

static void testAffine(void) {
  tl_instance *instance = create((tl_options){0});
  EXPECT(strcmp(fake->image, "cubin 90") == 0 && fake->loads == 1);
  int memory = fake->live_memory;
  tl_instance *second = create((tl_options){0});
  EXPECT(fake->loads == 1 && fake->live_modules == 1);
  tl_instance_destroy(second);
  EXPECT(fake->live_memory == memory);
  float data[] = {1, 2, 3, 4, 5, 6};
  int64_t shape[] = {2, 3};
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape);
  tl_value arguments[] = {tl_tensor(&x), tl_float(3)}, result = tl_none();
  int launches = fake->launches, graph_launches = fake->graph_launches;
  for (int i = 0; i < 5; ++i) {
    data[5] = (float)i;
    call(instance, "affine", arguments, 2, &result);
    const DLTensor *out = result.as.items.data[0].as.tensor.tensor;
    EXPECT(out->device.device_type == kDLCPU && ((float *)out->data)[0] == 13);
    EXPECT(((float *)out->data)[5] == 60 + 3 * (float)i && result.as.items.data[1].as.f == 4);
    /* Runs, is recorded, and is replayed from then on. */
    EXPECT(fake->launches - launches == (graphs ? (i == 0 ? 2 : 4) : 2 * (i + 1)));
    EXPECT(fake->graph_launches - graph_launches == (graphs ? i : 0));
  }
  /* Another scalar is another call. */
  for (int i = 0; i < 30; ++i) {
    arguments[1] = tl_float(i % 15);
    call(instance, "affine", arguments, 2, &result);
    EXPECT(((float *)result.as.items.data[0].as.tensor.tensor->data)[1] == 20 + 2 * (i % 15));
    EXPECT(result.as.items.data[1].as.f == 1 + i % 15);
  }
  /* Results in the caller's memory, and dropped ones. */
  float mine[6];
  DLTensor y = tl_dltensor(mine, TL_F32, 2, shape);
  tl_value items[] = {tl_tensor(&y), tl_none()}, given = tl_tuple(items, 2);
  arguments[1] = tl_float(3);
  call(instance, "affine", arguments, 2, &given);
  EXPECT(mine[0] == 13 && items[1].as.f == 4);
  call(instance, "affine", arguments, 2, NULL);
  /* A strided argument. */
  float wide[12] = {1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0};
  int64_t strides[] = {6, 2};
  x = tl_dltensor(wide, TL_F32, 2, shape);
  x.strides = strides;
  call(instance, "affine", arguments, 2, &given);
  EXPECT(mine[0] == 13 && mine[3] == 52 && mine[5] == 78);
  tl_value_clear(&result);
  tl_instance_destroy(instance);
}

static void testLarge(void) {
  tl_instance *instance = create((tl_options){0});
  int64_t shape[] = {1024, 1024}, count = 1 << 20;
  float *data = malloc(4 << 20);
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape);
  tl_value argument = tl_tensor(&x), result = tl_none();
  for (int round = 0; round < 4; ++round) {
    for (int64_t i = 0; i < count; ++i)
      data[i] = (float)(i + round);
    call(instance, "twice_large", &argument, 1, &result);
    for (int64_t i = 0; i < count; i += 1000)
      EXPECT(((float *)result.as.tensor.tensor->data)[i] == 2 * (float)(i + round));
  }
  tl_value_clear(&result);
  tl_instance_destroy(instance);
  free(data);
}

static void testDeviceTensors(void) {
  tl_instance *instance = create((tl_options){0});
  tl_instance *stays = create((tl_options){.results_on_device = 1});
  float data[] = {1, 2, 3, 4, 5, 6};
  int64_t shape[] = {2, 3};
  tl_value a = onDevice(stays, data, 6), b = onDevice(stays, data, 6);
  EXPECT(peek(a.as.tensor.tensor, 0) == 12 && peek(b.as.tensor.tensor, 5) == 72);
  EXPECT(a.as.tensor.tensor->data != b.as.tensor.tensor->data);
  EXPECT(a.as.tensor.tensor->strides[0] == 3 && a.as.tensor.tensor->shape[1] == 3);
  /* In place; each address has its graph. */
  int graph_launches = fake->graph_launches;
  tl_value results[2] = {tl_none(), tl_none()};
  for (int i = 0; i < 6; ++i) {
    tl_value arguments[] = {i % 2 ? b : a, tl_float(1)};
    call(instance, "affine", arguments, 2, &results[i % 2]);
    EXPECT(((float *)results[i % 2].as.items.data[0].as.tensor.tensor->data)[0] == 22);
  }
  EXPECT(fake->graph_launches - graph_launches == (graphs ? 4 : 0));
  /* Addresses that never come again do no harm. */
  for (int i = 0; i < 200; ++i) {
    tl_value other = onDevice(stays, data, 6), arguments[] = {other, tl_float(1)};
    tl_value held = i % 3 ? onDevice(stays, data, 6) : tl_none();
    call(instance, "affine", arguments, 2, &results[0]);
    EXPECT(((float *)results[0].as.items.data[0].as.tensor.tensor->data)[1] == 44);
    tl_value_clear(&other);
    tl_value_clear(&held);
  }
  EXPECT(fake->live_graphs < 60);
  /* Results on the device: in place, over the argument, and on an odd address. */
  tl_value items[] = {b, tl_none()}, given = tl_tuple(items, 2), arguments[] = {a, tl_float(1)};
  for (int i = 0; i < 3; ++i)
    call(instance, "affine", arguments, 2, &given);
  EXPECT(peek(b.as.tensor.tensor, 0) == 22 && items[1].as.f == 2);
  items[0] = a;
  call(instance, "affine", arguments, 2, &given);
  EXPECT(peek(a.as.tensor.tensor, 0) == 22 && peek(a.as.tensor.tensor, 5) == 132);
  /* Over an argument that is read again. */
  tl_value over = onDevice(stays, data, 6), same = over;
  for (int i = 0; i < 4; ++i) {
    float start = peek(over.as.tensor.tensor, 0);
    call(instance, "halves", &over, 1, &same);
    EXPECT(peek(over.as.tensor.tensor, 0) == 2 * start);
    EXPECT(peek(over.as.tensor.tensor, 3) == 3 * start);
  }
  tl_value_clear(&over);
  int64_t small[] = {1};
  DLTensor one = *a.as.tensor.tensor;
  one.ndim = 1, one.shape = small, one.strides = NULL, one.byte_offset = 4;
  tl_value argument = tl_tensor(&one), positive = tl_tensor(&one);
  one.device.device_type = kDLCUDA;
  call(instance, "positive", &argument, 1, &positive);
  EXPECT(peek(&one, 0) == 44);
  /* A transposed one. */
  int64_t turned[] = {2, 3}, strides[] = {1, 2};
  DLTensor x = *a.as.tensor.tensor;
  x.shape = turned, x.strides = strides;
  arguments[0] = tl_tensor(&x);
  int waits = fake->synchronizations;
  call(instance, "affine", arguments, 2, &results[0]);
  EXPECT(fake->synchronizations == waits + 1); /* for the results: it stays on the device */
  float *out = results[0].as.items.data[0].as.tensor.tensor->data;
  EXPECT(out[0] == 32 && out[1] == peek(a.as.tensor.tensor, 2) + 20);
  /* The other device. */
  DLTensor far = *a.as.tensor.tensor;
  far.device.device_id = 1;
  arguments[0] = tl_tensor(&far);
  EXPECT_ERROR(
      TL_INVALID_ARGUMENT, tl_call(instance, "affine", arguments, 2, NULL, &error),
      "affine: argument 0 'x': expected a tensor on cuda:0 or in the processor's memory, got "
      "one on cuda:1");
  items[0] = tl_tensor(&far);
  arguments[0] = a;
  EXPECT_ERROR(
      TL_INVALID_ARGUMENT, tl_call(instance, "affine", arguments, 2, &given, &error),
      "result 0: expected a tensor on cuda:0 or in the processor's memory, got one on cuda:1");
  x.shape = shape;
  x.strides = strides;
  items[0] = tl_tensor(&x);
  EXPECT_ERROR(TL_INVALID_ARGUMENT, tl_call(instance, "affine", arguments, 2, &given, &error),
               "result 0: expected a contiguous tensor 2x3xf32 to write to, got tensor 2x3xf32");
  x.device.device_type = kDLROCM;
  arguments[0] = tl_tensor(&x);
  EXPECT_ERROR(
      TL_INVALID_ARGUMENT, tl_call(instance, "affine", arguments, 2, NULL, &error),
      "affine: argument 0 'x': expected a tensor on cuda:0 or in the processor's memory, got "
      "one on DLPack device type 10, number 0");
  tl_value_clear(&results[0]);
  tl_value_clear(&results[1]);
  tl_instance_destroy(instance);
  tl_instance_destroy(stays);
  /* Results live on without the instance. */
  EXPECT(fake->live_contexts == 1 && peek(a.as.tensor.tensor, 0) == 22);
  DLManagedTensor *released = tl_value_release(&a);
  released->deleter(released);
  tl_value_clear(&b);
  EXPECT(fake->live_contexts == 0 && fake->live_memory == 0);
}

static void testDynamic(void) {
  tl_instance *instance = create((tl_options){0});
  float data[1000];
  int64_t shape[] = {0};
  DLTensor x = tl_dltensor(data, TL_F32, 1, shape);
  tl_value argument = tl_tensor(&x), result = tl_none();
  int settled = 0;
  for (int i = 0; i < 300; ++i) {
    int64_t n = shape[0] = i < 100 ? 997 - i : (i * 7919) % 1000;
    for (int64_t j = 0; j < n; ++j)
      data[j] = (float)((j * 31 + i) % 7 - 3);
    call(instance, "positive", &argument, 1, &result);
    const DLTensor *out = result.as.tensor.tensor;
    int64_t count = 0;
    for (int64_t j = 0; j < n; ++j)
      if (data[j] > 0)
        EXPECT(count < out->shape[0] && ((float *)out->data)[count++] == data[j]);
    EXPECT(count == out->shape[0]);
    if (i == 100)
      settled = fake->live_memory;
    EXPECT(i < 100 || fake->live_memory <= settled + 2);
  }
  tl_value_clear(&result);
  tl_instance_destroy(instance);
}

static void testChanges(void) {
  tl_instance *instance = create((tl_options){0});
  tl_instance *stays = create((tl_options){.results_on_device = 1});
  float data[] = {1, 0, 2, 0, 3, 0};
  int64_t shape[] = {3}, strides[] = {2};
  DLTensor x = tl_dltensor(data, TL_F32, 1, shape);
  tl_value argument = tl_tensor(&x);
  call(instance, "bump", &argument, 1, NULL);
  EXPECT(data[0] == 2 && data[1] == 0 && data[2] == 4 && data[4] == 3);
  x.strides = strides;
  call(instance, "bump", &argument, 1, NULL);
  EXPECT(data[0] == 4 && data[2] == 8 && data[4] == 6 && data[3] == 0);
  tl_value there = onDevice(stays, data, 6); /* 18 20 46 40 62 60 */
  DLTensor *y = there.as.tensor.tensor, view = *y;
  argument = tl_tensor(&view);
  view.ndim = 1, view.shape = shape, view.strides = NULL;
  call(instance, "bump", &argument, 1, NULL);
  EXPECT(peek(y, 0) == 36 && peek(y, 1) == 40 && peek(y, 2) == 92 && peek(y, 3) == 40);
  view.strides = strides;
  call(instance, "bump", &argument, 1, NULL);
  EXPECT(peek(y, 0) == 72 && peek(y, 1) == 40 && peek(y, 2) == 184 && peek(y, 3) == 40);
  EXPECT(peek(y, 4) == 124 && peek(y, 5) == 60);
  /* A call that fails leaves the argument alone. */
  x.strides = NULL;
  argument = tl_tensor(&x);
  fake->fail_launch = 1;
  EXPECT(tl_call(instance, "bump", &argument, 1, NULL, &error) == TL_DEVICE_FAILED);
  EXPECT(data[0] == 4);
  fake->fail_synchronize = 1;
  EXPECT_ERROR(TL_DEVICE_FAILED, tl_call(instance, "bump", &argument, 1, NULL, &error),
               "cuda:0: running the model's kernels: CUDA_ERROR_LAUNCH_FAILED (unspecified launch "
               "failure); this process cannot use the GPU any more: start it again, and report the "
               "model");
  EXPECT(data[0] == 4);
  /* Nor does it read the caller's memory later. */
  void *library = dlopen(getenv("TORCHLITE_LIBCUDA"), RTLD_NOW);
  int (*free_pinned)(void *), (*make_pinned)(void **, size_t, unsigned), (*push)(void *),
      (*pop)(void **);
  *(void **)&make_pinned = dlsym(library, "cuMemHostAlloc");
  *(void **)&free_pinned = dlsym(library, "cuMemFreeHost");
  *(void **)&push = dlsym(library, "cuCtxPushCurrent_v2");
  *(void **)&pop = dlsym(library, "cuCtxPopCurrent_v2");
  void *memory, *context = library;
  EXPECT(!push(context) && !make_pinned(&memory, 12, 0) && !pop(&context));
  x = tl_dltensor(memory, TL_F32, 1, shape);
  x.device.device_type = kDLCUDAHost;
  memcpy(memory, data, 12);
  argument = tl_tensor(&x);
  call(instance, "bump", &argument, 1, NULL);
  EXPECT(((float *)memory)[0] == 2 * data[0]);
  fake->fail_launch = 1;
  EXPECT(tl_call(instance, "bump", &argument, 1, NULL, &error) == TL_DEVICE_FAILED);
  EXPECT(!push(context) && !free_pinned(memory) && !pop(&context));
  x = tl_dltensor(data, TL_F32, 1, shape);
  call(instance, "bump", &argument, 1, NULL);
  tl_value_clear(&there);
  tl_instance_destroy(instance);
  tl_instance_destroy(stays);
}

static void testState(void) {
  tl_instance *instance = create((tl_options){0}), *other = create((tl_options){0});
  float data[] = {1, 2}, out[2];
  int64_t shape[] = {2};
  DLTensor x = tl_dltensor(data, TL_F32, 1, shape), y = tl_dltensor(out, TL_F32, 1, shape);
  tl_value argument = tl_tensor(&x), result = tl_tensor(&y), ticks = tl_none();
  int graph_launches = fake->graph_launches;
  for (int round = 0; round < 2; ++round) {
    for (int i = 1; i < 10; ++i) {
      call(instance, "advance", &argument, 1, &result);
      EXPECT(out[0] == 100 + (float)i && out[1] == 200 + 2 * (float)i);
      if (i == 5) {
        fake->fail_synchronize = 1;
        EXPECT(tl_call(instance, "advance", &argument, 1, &result, &error) == TL_DEVICE_FAILED);
      }
      call(instance, "tick", NULL, 0, &ticks);
      EXPECT(ticks.as.i == 7 + i);
    }
    EXPECT(tl_instance_reset(instance, &error) == TL_OK);
  }
  EXPECT(!graphs || fake->graph_launches - graph_launches > 10);
  call(other, "advance", &argument, 1, &result);
  EXPECT(out[0] == 101);
  tl_instance_destroy(instance);
  tl_instance_destroy(other);
}

static void testErrors(void) {
  tl_instance *instance = create((tl_options){0});
  tl_value n = tl_int(0), result = tl_none();
  EXPECT_ERROR(TL_RAISED, tl_call(instance, "bad", &n, 1, &result, &error), "n is 0");
  n = tl_int(1);
  EXPECT_ERROR(
      TL_OUT_OF_MEMORY, tl_call(instance, "bad", &n, 1, &result, &error),
      "cuda:0: out of memory for a tensor of 1125899906842624 bytes; 1000 of its 4000 bytes "
      "are free");
  n = tl_int(2);
  EXPECT_ERROR(
      TL_DEVICE_FAILED, tl_call(instance, "bad", &n, 1, &result, &error),
      "cuda:0: the kernel 'scale' cannot be launched with 70000 blocks of 1 threads along y: "
      "tensors of these sizes are too large for it");
  n = tl_int(3);
  EXPECT_ERROR(TL_INCOMPATIBLE, tl_call(instance, "bad", &n, 1, &result, &error),
               "cuda:0: the kernel 'scale' needs 200000 bytes of shared memory, and Fake GPU 0 has "
               "100000; compile the model for sm_90 (--cuda-arch)");
  n = tl_int(4);
  EXPECT_ERROR(TL_INCOMPATIBLE, tl_call(instance, "bad", &n, 1, &result, &error),
               "cuda:0: the model has no kernel 99");
  n = tl_int(5);
  EXPECT_ERROR(TL_OUT_OF_MEMORY, tl_call(instance, "bad", &n, 1, &result, &error),
               "out of memory for a result of 1125899906842624 bytes");
  n = tl_int(6); /* much shared memory */
  call(instance, "bad", &n, 1, &result);
  EXPECT(fake->shared_limit == 100000 && ((float *)result.as.tensor.tensor->data)[0] != 0);
  n = tl_int(7);
  fake->fail_launch = 1;
  EXPECT_ERROR(
      TL_DEVICE_FAILED, tl_call(instance, "bad", &n, 1, &result, &error),
      "cuda:0: launching the kernel 'scale' (1x1x1 blocks of 1x1x1 threads, 0 bytes of "
      "shared memory): CUDA_ERROR_LAUNCH_FAILED (unspecified launch failure); this process "
      "cannot use the GPU any more: start it again, and report the model");
  call(instance, "bad", &n, 1, &result);
  tl_value_clear(&result);
  tl_instance_destroy(instance);
}

/* Where recording fails, calls run as they are. */
static void testNoGraph(void) {
  float data[] = {1, 2, 3, 4, 5, 6};
  int64_t shape[] = {2, 3};
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape);
  for (int way = 0; graphs && way < 3; ++way) {
    tl_instance *instance = create((tl_options){0});
    tl_value arguments[] = {tl_tensor(&x), tl_float(3)}, result = tl_none();
    int graph_launches = fake->graph_launches;
    for (int i = 0; i < 4; ++i) {
      if (i == 1)
        *(way == 0   ? &fake->fail_graph
          : way == 1 ? &fake->fail_instantiate
                     : &fake->fail_launch) = 1;
      call(instance, "affine", arguments, 2, &result);
      EXPECT(((float *)result.as.items.data[0].as.tensor.tensor->data)[0] == 13);
      EXPECT(result.as.items.data[1].as.f == 4);
    }
    EXPECT(fake->graph_launches == graph_launches);
    tl_value_clear(&result);
    tl_instance_destroy(instance);
  }
}

/* Code that reads from the device in between. */
static void testReads(void) {
  tl_instance *instance = create((tl_options){0});
  float data[] = {1, 2, 3, 4, 5, 6};
  int64_t shape[] = {2, 3};
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape);
  tl_value argument = tl_tensor(&x), result = tl_none();
  int launches = fake->launches, graph_launches = fake->graph_launches;
  for (int i = 0; i < 5; ++i) {
    data[0] = (float)(i + 1);
    call(instance, "checked", &argument, 1, &result);
    EXPECT(((float *)result.as.tensor.tensor->data)[0] == 2 * data[0]);
    EXPECT(((float *)result.as.tensor.tensor->data)[5] == 12);
    EXPECT(fake->graph_launches - graph_launches == (graphs ? 2 * i : 0));
  }
  EXPECT(fake->launches - launches == (graphs ? 4 : 10));
  for (int i = 0; i < 40; ++i) {
    data[1] = -1; /* another way through the code */
    call(instance, "checked", &argument, 1, &result);
    EXPECT(((float *)result.as.tensor.tensor->data)[1] == -3);
    data[0] = -1;
    EXPECT_ERROR(TL_RAISED, tl_call(instance, "checked", &argument, 1, &result, &error),
                 "4 positive elements");
    data[0] = data[1] = 1;
    call(instance, "checked", &argument, 1, &result);
    EXPECT(((float *)result.as.tensor.tensor->data)[1] == 2);
    if (i == 30)
      graph_launches = fake->graph_launches;
  }
  EXPECT(fake->graph_launches == graph_launches); /* given up */
  for (int i = 0; i < 12; ++i) {
    data[3] = data[4] = i % 3 ? 1 : -1;
    call(instance, "sized", &argument, 1, &result);
    EXPECT(result.as.tensor.tensor->shape[0] == (i % 3 ? 6 : 4));
    EXPECT(((float *)result.as.tensor.tensor->data)[2] == 3);
  }
  /* Errors in the middle of a recording and of a replay. */
  for (int way = 0; graphs && way < 6; ++way) {
    tl_instance *other = create((tl_options){0});
    for (int i = 0; i < 4; ++i) {
      data[3] = data[4] = 1;
      if (i == 1 || (i == 2 && way == 5))
        *(way < 2   ? &fake->fail_graph
          : way < 4 ? &fake->fail_instantiate
                    : &fake->fail_synchronize) = 1 + way % 2;
      tl_status status = tl_call(other, "checked", &argument, 1, &result, &error);
      EXPECT(status == TL_OK || (way >= 4 && status == TL_DEVICE_FAILED));
      EXPECT(status || ((float *)result.as.tensor.tensor->data)[3] == 2);
    }
    fake->fail_synchronize = 0;
    tl_instance_destroy(other);
  }
  tl_value_clear(&result);
  tl_instance_destroy(instance);
}

/* Code that reads from the device when all is done: one graph. */
static void testLateCheck(void) {
  tl_instance *instance = create((tl_options){0});
  float data[] = {1, 2, 3, 4, 5, 6};
  int64_t shape[] = {2, 3};
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape);
  tl_value argument = tl_tensor(&x), result = tl_none();
  int graph_launches = fake->graph_launches;
  for (int i = 0; i < 5; ++i) {
    data[0] = (float)(i + 1);
    call(instance, "late", &argument, 1, &result);
    EXPECT(((float *)result.as.tensor.tensor->data)[0] == 2 * data[0]);
    EXPECT(fake->graph_launches - graph_launches == (graphs ? i : 0));
  }
  data[4] = -1;
  EXPECT_ERROR(TL_RAISED, tl_call(instance, "late", &argument, 1, &result, &error),
               "5 positive elements");
  data[4] = 9;
  call(instance, "late", &argument, 1, &result);
  EXPECT(((float *)result.as.tensor.tensor->data)[4] == 18);
  tl_value_clear(&result);
  tl_instance_destroy(instance);
}

/* A caller that uses the driver, too. */
typedef struct caller {
  int (*destroy)(void *), (*pop)(void **), (*drop)(int), (*wait)(void *), (*begin)(void *, int),
      (*end)(void *, void **), (*destroy_graph)(void *);
  void *context, *stream;
} caller;

static caller enterDriver(void) {
  void *library = dlopen(getenv("TORCHLITE_LIBCUDA"), RTLD_NOW);
  caller it;
  int (*retain)(void **, int), (*push)(void *), (*make)(void **, unsigned);
  *(void **)&retain = dlsym(library, "cuDevicePrimaryCtxRetain");
  *(void **)&push = dlsym(library, "cuCtxPushCurrent_v2");
  *(void **)&make = dlsym(library, "cuStreamCreate");
  *(void **)&it.wait = dlsym(library, "cuStreamSynchronize");
  *(void **)&it.destroy = dlsym(library, "cuStreamDestroy_v2");
  *(void **)&it.pop = dlsym(library, "cuCtxPopCurrent_v2");
  *(void **)&it.drop = dlsym(library, "cuDevicePrimaryCtxRelease_v2");
  *(void **)&it.begin = dlsym(library, "cuStreamBeginCapture_v2");
  *(void **)&it.end = dlsym(library, "cuStreamEndCapture");
  *(void **)&it.destroy_graph = dlsym(library, "cuGraphDestroy");
  EXPECT(!retain(&it.context, 10) && !push(it.context) && !make(&it.stream, 1));
  return it;
}

static void leaveDriver(caller *it) {
  EXPECT(!it->destroy(it->stream) && !it->pop(&it->context) && !it->drop(10));
}

static void testStream(void) {
  caller driver = enterDriver();
  tl_instance *stays = create((tl_options){.results_on_device = 1});
  tl_instance *instance = create((tl_options){.stream = driver.stream});
  float data[] = {1, 2, 3, 4, 5, 6};
  tl_value a = onDevice(stays, data, 6), b = onDevice(stays, data, 6);
  /* A chain of calls that nobody waits for. */
  tl_value to_b[] = {b, tl_none()}, to_a[] = {a, tl_none()}, given = tl_tuple(to_b, 2),
           back = tl_tuple(to_a, 2), from_a[] = {a, tl_float(1)}, from_b[] = {b, tl_float(1)};
  call(instance, "affine", from_a, 2, &given);
  int waits = fake->synchronizations;
  for (int i = 0; i < 3; ++i) {
    call(instance, "affine", from_b, 2, &back);
    call(instance, "affine", from_a, 2, &given);
  }
  EXPECT(fake->synchronizations == waits);
  EXPECT(!driver.wait(driver.stream) && peek(a.as.tensor.tensor, 0) == 72 &&
         peek(b.as.tensor.tensor, 0) == 82);
  /* A tensor is not used again before the calls that read it have run. */
  tl_value c = onDevice(stays, data, 6), from_c[] = {c, tl_float(1)};
  call(instance, "affine", from_c, 2, &given);
  waits = fake->synchronizations;
  tl_value_clear(&c);
  EXPECT(fake->synchronizations == waits && !fake->context_waits);
  float other[6] = {0};
  c = onDevice(stays, other, 6);
  EXPECT(c.as.tensor.tensor->data && !driver.wait(driver.stream) &&
         peek(b.as.tensor.tensor, 0) == 22);
  tl_value_clear(&c);
  call(instance, "affine", from_a, 2, &given);
  EXPECT(!driver.wait(driver.stream) && peek(b.as.tensor.tensor, 0) == 82);
  /* What reaches the host is waited for. */
  tl_value result = tl_none();
  call(instance, "affine", from_b, 2, &result);
  EXPECT(((float *)result.as.items.data[0].as.tensor.tensor->data)[0] == 92);
  tl_value_clear(&result);
  tl_value_clear(&a);
  tl_value_clear(&b);
  tl_instance_destroy(instance);
  tl_instance_destroy(stays);
  leaveDriver(&driver);
}

/* The caller may record a graph of its own on its stream: no call becomes a part of it. */
static void testCallersRecording(void) {
  caller driver = enterDriver();
  if (!driver.begin) { /* an old driver */
    leaveDriver(&driver);
    return;
  }
  tl_instance *instance = create((tl_options){.stream = driver.stream});
  float data[] = {1, 2, 3, 4, 5, 6};
  int64_t shape[] = {2, 3};
  DLTensor tensor = tl_dltensor(data, TL_F32, 2, shape);
  tl_value arguments[] = {tl_tensor(&tensor), tl_float(1)}, result = tl_none();
  EXPECT(!driver.begin(driver.stream, 1));
  tl_error error = {0};
  void *graph;
  EXPECT(tl_call(instance, "affine", arguments, 2, &result, &error) == TL_INVALID_ARGUMENT);
  EXPECT(strstr(error.message, "the caller's stream is recording a graph"));
  /* Nothing of it got there, and the recording is as good as before. */
  EXPECT(!driver.end(driver.stream, &graph) && !*(void **)graph && !driver.destroy_graph(graph));
  call(instance, "affine", arguments, 2, &result);
  tl_value_clear(&result);
  tl_instance_destroy(instance);
  leaveDriver(&driver);
}

/* A strided argument on the device never leaves it, nor is anything waited for. */
static void testStrided(void) {
  caller driver = enterDriver();
  tl_instance *stays = create((tl_options){.results_on_device = 1});
  tl_instance *instance = create((tl_options){.stream = driver.stream});
  float data[] = {1, 2, 3, 4, 5, 6};
  tl_value a = onDevice(stays, data, 6), b = onDevice(stays, data, 6);
  int64_t turned[] = {2, 3}, strides[] = {1, 2}, backwards[] = {3, -1};
  DLTensor x = *a.as.tensor.tensor;
  x.shape = turned, x.strides = strides;
  tl_value arguments[] = {tl_tensor(&x), tl_float(1)}, items[] = {b, tl_none()},
           given = tl_tuple(items, 2);
  int waits = fake->synchronizations;
  call(instance, "affine", arguments, 2, &given);
  EXPECT(fake->synchronizations == waits && !driver.wait(driver.stream));
  for (int i = 0; i < 6; ++i)
    EXPECT(peek(b.as.tensor.tensor, i) ==
           peek(a.as.tensor.tensor, i / 3 + i % 3 * 2) + 10 * (float)(i + 1));
  x.strides = backwards, x.byte_offset = 8;
  call(instance, "affine", arguments, 2, &given);
  EXPECT(!driver.wait(driver.stream));
  EXPECT(peek(b.as.tensor.tensor, 0) == peek(a.as.tensor.tensor, 2) + 10);
  EXPECT(peek(b.as.tensor.tensor, 5) == peek(a.as.tensor.tensor, 3) + 60);
  tl_value_clear(&a);
  tl_value_clear(&b);
  tl_instance_destroy(instance);
  tl_instance_destroy(stays);
  leaveDriver(&driver);
}

/* Another user of the device records a graph: what happens here meanwhile neither ends the
   recording nor gets into it, and memory that its stream may use is kept for later. */
static void testUndisturbed(void) {
  caller driver = enterDriver();
  if (!driver.begin) {
    leaveDriver(&driver);
    return;
  }
  tl_instance *stays = create((tl_options){.results_on_device = 1});
  float data[] = {1, 2, 3, 4, 5, 6};
  tl_value known = onDevice(stays, data, 6);
  DLManagedTensor *tensor = tl_value_release(&known);
  EXPECT(tl_tensor_order(tensor, driver.stream, &error) == TL_OK);
  void *graph, *memory = tensor->dl_tensor.data;
  EXPECT(!driver.begin(driver.stream, 0));
  int graph_launches = fake->graph_launches, captures = fake->captures;
  int64_t shape[] = {2, 3};
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape);
  tl_value arguments[] = {tl_tensor(&x), tl_float(3)}, result = tl_none();
  for (int i = 0; i < 4; ++i) {
    call(stays, "affine", arguments, 2, &result);
    EXPECT(peek(result.as.items.data[0].as.tensor.tensor, 5) == 78);
    tl_value_clear(&result);
  }
  EXPECT(fake->graph_launches > graph_launches && fake->captures == captures);
  tensor->deleter(tensor);
  call(stays, "affine", arguments, 2, &result);
  EXPECT(result.as.items.data[0].as.tensor.tensor->data != memory);
  EXPECT(!driver.end(driver.stream, &graph) && !*(void **)graph && !driver.destroy_graph(graph));
  EXPECT(!fake->context_waits && !fake->bad_waits);
  tl_value_clear(&result);
  tl_instance_destroy(stays);
  leaveDriver(&driver);
}

/* Each allocation of an instance fails once, and nothing is lost. */
static void testExhausted(void) {
  tl_options options = {.device = TL_DEVICE_CUDA};
  tl_instance *instance = NULL;
  int failures = 0;
  for (int nth = 1; !instance; ++nth) {
    fake->fail_alloc = nth;
    tl_status status = tl_instance_create(&device_model, &options, &instance, &error);
    EXPECT(status == TL_OK || status == TL_OUT_OF_MEMORY);
    failures += status != TL_OK;
    EXPECT(status == TL_OK || (fake->live_memory == 0 && fake->live_streams == 0));
    if (nth == 1)
      EXPECT(
          strcmp(error.message,
                 "cuda:0: out of memory for the weights of 24 bytes; 1000 of 4000 bytes are free: "
                 "CUDA_ERROR_OUT_OF_MEMORY (as the name says)") == 0);
    if (nth == 2)
      EXPECT(strcmp(error.message,
                    "cuda:0: out of memory for the state 'sum' of 8 bytes; 1000 of its "
                    "4000 bytes are free") == 0);
  }
  EXPECT(failures >= 5);
  fake->fail_alloc = 0;
  float data[] = {1, 2, 3, 4, 5, 6};
  int64_t shape[] = {2, 3};
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape);
  tl_value arguments[] = {tl_tensor(&x), tl_float(3)}, result = tl_none();
  for (int nth = 1; nth <= 3; ++nth) {
    fake->fail_alloc = nth;
    tl_status status = tl_call(instance, "affine", arguments, 2, &result, &error);
    EXPECT(status == (fake->fail_alloc ? TL_OK : TL_OUT_OF_MEMORY));
    if (nth == 1)
      EXPECT(strcmp(error.message, "cuda:0: out of memory for an argument of 24 bytes; 1000 of its "
                                   "4000 bytes are free") == 0);
    fake->fail_alloc = 0;
    call(instance, "affine", arguments, 2, &result);
    EXPECT(((float *)result.as.items.data[0].as.tensor.tensor->data)[0] == 13);
    tl_instance_destroy(instance);
    instance = create(options);
  }
  tl_value_clear(&result);
  tl_instance_destroy(instance);
}

int main(void) {
  fake = fakeCuda();
  graphs = dlsym(dlopen(getenv("TORCHLITE_LIBCUDA"), RTLD_NOW), "cuGraphLaunch") != NULL;
  testAffine();
  testLarge();
  testDeviceTensors();
  testDynamic();
  testChanges();
  testState();
  testErrors();
  testNoGraph();
  testReads();
  testLateCheck();
  testStream();
  testCallersRecording();
  testStrided();
  testUndisturbed();
  testExhausted();
  EXPECT(!fake->live_memory && !fake->live_contexts && !fake->live_modules);
  EXPECT(!fake->live_streams && !fake->live_graphs);
  return 0;
}
