/* RUN: %cc -fsanitize=thread %s %runtime -o %t && %t
   RUN: %cc -fsanitize=address,undefined -fno-sanitize-recover=all %s %runtime -o %t && %t
   Many threads on one instance, parallel regions of several instances, errors inside regions, and
   a forked child. */
#include "FakeModel.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static tl_instance *instances[2];
static int failures;

static void checkSquares(tl_instance *instance, int64_t n, tl_value *result) {
  tl_value argument = tl_int(n);
  tl_error error;
  tl_status status = tl_call(instance, "squares", &argument, 1, result, &error);
  if (n == 1000) {
    EXPECT(status == TL_OUT_OF_MEMORY && strstr(error.message, "out of memory"));
    return;
  }
  EXPECT(status == TL_OK);
  for (int64_t i = 0; i < n; ++i)
    EXPECT(((int64_t *)result->as.tensor.tensor->data)[i] == i * i);
}

static void *serve(void *context) {
  int64_t seed = (int64_t)(intptr_t)context;
  tl_instance *instance = instances[seed % 2];
  tl_value squares = tl_none(), result = tl_none();
  float data[300], out[300];
  int64_t shape[] = {0, 3}, pair[] = {2};
  DLTensor x = tl_dltensor(data, TL_F32, 2, shape), step = tl_dltensor(out, TL_F32, 1, pair);
  for (int i = 0; i < 200; ++i) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    checkSquares(instance, i % 10 == 9 ? 1000 : seed % 5000, &squares);
    shape[0] = 2 + seed % 98;
    for (int64_t j = 0; j < 3 * shape[0]; ++j)
      data[j] = (float)(seed % 1000 + j);
    tl_value arguments[] = {tl_tensor(&x), tl_float(2)};
    EXPECT(tl_call(instance, "forward", arguments, 2, &result, NULL) == TL_OK);
    float *values = result.as.items.data[0].as.tensor.tensor->data;
    for (int64_t j = 0; j < 3 * shape[0]; ++j)
      EXPECT(values[j] == 2 * data[j]);
    out[0] = 1, out[1] = 0;
    tl_value one = tl_tensor(&step);
    EXPECT(tl_call(instance, "step", &one, 1, NULL, NULL) == TL_OK);
  }
  tl_value_clear(&squares);
  tl_value_clear(&result);
  return NULL;
}

int main(void) {
  for (int round = 0; round < 2; ++round) {
    tl_options options = {.threads = 4};
    for (int i = 0; i < 2; ++i)
      EXPECT(tl_instance_create(&fake_model, &options, &instances[i], NULL) == TL_OK);
    tl_value result = tl_none();
    for (int64_t n = 0; n < 40; ++n)
      checkSquares(instances[0], n, &result);
    pthread_t threads[8];
    for (intptr_t i = 0; i < 8; ++i)
      pthread_create(&threads[i], NULL, serve, (void *)i);
    for (int i = 0; i < 8; ++i)
      pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; ++i) {
      tl_value calls = tl_none(); /* the state counts every call, and once 5 to begin with */
      EXPECT(tl_call(instances[i], "calls", NULL, 0, &calls, NULL) == TL_OK);
      EXPECT(calls.as.i == 805);
    }
#if !defined(__has_feature) || !__has_feature(thread_sanitizer)
    pid_t child = fork();
    if (child == 0) {
      checkSquares(instances[0], 3000, &result);
      _exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    EXPECT(status == 0);
#endif
    checkSquares(instances[0], 3000, &result);
    tl_value_clear(&result);
    for (int i = 0; i < 2; ++i)
      tl_instance_destroy(instances[i]);
  }
  return failures;
}
