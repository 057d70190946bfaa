/* Many threads on instances of one device, with streams of their own and on one that is given.
   RUN: %cc -shared -fPIC -g -fsanitize=thread %S/Inputs/fake_cuda.c -lm -o %t.tsan.so
   RUN: %cc -fsanitize=thread %s %cuda_sources %runtime -o %t.tsan
   RUN: env TORCHLITE_LIBCUDA=%t.tsan.so %t.tsan
   RUN: %cc -shared -fPIC -g -fsanitize=address %S/Inputs/fake_cuda.c -lm -o %t.so
   RUN: %cc -fsanitize=address,undefined -fno-sanitize-recover=all %s %cuda_sources %runtime -o %t
   RUN: env TORCHLITE_LIBCUDA=%t.so %t
*/
#include "FakeDeviceModel.h"

#include <pthread.h>

enum { THREADS = 6, ROUNDS = 100 };

static tl_instance *shared[2];
static void *stream;

static tl_instance *create(tl_options options) {
  tl_instance *instance;
  tl_error error;
  options.device = TL_DEVICE_CUDA;
  if (tl_instance_create(&device_model, &options, &instance, &error)) {
    fprintf(stderr, "%s\n", error.message);
    exit(1);
  }
  return instance;
}

static void *serve(void *context) {
  int seed = (int)(intptr_t)context;
  tl_instance *own = create((tl_options){.results_on_device = 1});
  tl_instance *instance = shared[seed % 2];
  tl_value result = tl_none(), kept = tl_none(), sums = tl_none();
  float data[100];
  int64_t shape[] = {2, 3}, length[] = {0}, pair[] = {2};
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape), list = tl_dltensor(data, TL_F32, 1, length),
           step = tl_dltensor(data, TL_F32, 1, pair);
  for (int i = 0; i < ROUNDS; ++i) {
    for (int j = 0; j < 100; ++j)
      data[j] = (float)(i + j + seed);
    tl_value arguments[] = {tl_tensor(&x), tl_float(2)};
    EXPECT(tl_call(instance, "affine", arguments, 2, &result, NULL) == TL_OK);
    EXPECT(((float *)result.as.items.data[0].as.tensor.tensor->data)[5] ==
           60 + 2 * (float)(i + 5 + seed));
    EXPECT(tl_call(own, "affine", arguments, 2, &kept, NULL) == TL_OK);
    arguments[0] = kept.as.items.data[0];
    EXPECT(tl_call(instance, "affine", arguments, 2, &result, NULL) == TL_OK);
    EXPECT(((float *)result.as.items.data[0].as.tensor.tensor->data)[0] ==
           30 + 4 * (float)(i + seed));
    length[0] = i % 100;
    tl_value argument = tl_tensor(&list);
    EXPECT(tl_call(instance, "positive", &argument, 1, &sums, NULL) == TL_OK);
    EXPECT(sums.as.tensor.tensor->shape[0] == length[0] - (i + seed == 0 && length[0]));
    argument = tl_tensor(&x);
    EXPECT(tl_call(instance, "checked", &argument, 1, &sums, NULL) == TL_OK);
    EXPECT(((float *)sums.as.tensor.tensor->data)[5] == (data[0] > 0 ? 2 : 3) * data[5]);
    argument = tl_tensor(&step);
    data[0] = data[1] = 1;
    EXPECT(tl_call(instance, "advance", &argument, 1, NULL, NULL) == TL_OK);
  }
  tl_value_clear(&result);
  tl_value_clear(&sums);
  tl_instance_destroy(own);
  tl_value_clear(&kept);
  return NULL;
}

int main(void) {
  struct fake_cuda *fake = fakeCuda();
  void *library = dlopen(getenv("TORCHLITE_LIBCUDA"), RTLD_NOW), *context;
  int (*push)(void *), (*pop)(void **), (*make)(void **, unsigned), (*destroy)(void *),
      (*retain)(void **, int), (*drop)(int);
  *(void **)&push = dlsym(library, "cuCtxPushCurrent_v2");
  *(void **)&pop = dlsym(library, "cuCtxPopCurrent_v2");
  *(void **)&make = dlsym(library, "cuStreamCreate");
  *(void **)&destroy = dlsym(library, "cuStreamDestroy_v2");
  *(void **)&retain = dlsym(library, "cuDevicePrimaryCtxRetain");
  *(void **)&drop = dlsym(library, "cuDevicePrimaryCtxRelease_v2");
  EXPECT(!retain(&context, 10) && !push(context) && !make(&stream, 1) && !pop(&context));
  shared[0] = create((tl_options){0});
  shared[1] = create((tl_options){.stream = stream});
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; ++i)
    EXPECT(!pthread_create(&threads[i], NULL, serve, (void *)(intptr_t)i));
  for (int i = 0; i < THREADS; ++i)
    pthread_join(threads[i], NULL);
  /* Every step has counted. */
  float data[] = {0, 0}, out[2];
  int64_t pair[] = {2};
  DLTensor x = tl_dltensor(data, TL_F32, 1, pair), y = tl_dltensor(out, TL_F32, 1, pair);
  tl_value argument = tl_tensor(&x), result = tl_tensor(&y);
  for (int i = 0; i < 2; ++i) {
    EXPECT(tl_call(shared[i], "advance", &argument, 1, &result, NULL) == TL_OK);
    EXPECT(out[0] == 100 + ROUNDS * THREADS / 2 && out[1] == 200 + ROUNDS * THREADS / 2);
    tl_instance_destroy(shared[i]);
  }
  EXPECT(!push(context) && !destroy(stream) && !pop(&context) && !drop(10));
  EXPECT(!fake->live_memory && !fake->live_contexts && !fake->live_modules);
  EXPECT(!fake->live_streams && !fake->live_graphs && !fake->bad_waits);
  return 0;
}
