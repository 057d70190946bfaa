/* RUN: %cc -fsanitize=address,undefined -fno-sanitize-recover=all %s %runtime -o %t && %t
   RUN: %cc -fsanitize=thread -fno-sanitize-recover=all %s %runtime -o %t.tsan && %t.tsan
   Random numbers: PyTorch's from the same seed, in memory of any form, from several threads. */
#include "FakeModel.h"
#include "Internal.h"

#include <math.h>

enum { I64 = 4, F16 = 5, F32 = 6, F64 = 7, BOOL = 11 }; /* c10::ScalarType */

static tl_error error;

static tl_instance *create(void) {
  tl_instance *instance = NULL;
  EXPECT(tl_instance_create(&fake_model, NULL, &instance, &error) == TL_OK);
  return instance;
}

static tl_random request(const char *kind, int64_t dtype, int64_t *size, void *data) {
  static const int64_t stride = 1;
  tl_random what = {.kind = kind, .dtype = dtype, .rank = 1, .sizes = size, .data = data};
  what.strides = &stride;
  return what;
}

static void fill(tl_instance *instance, const char *kind, int64_t dtype, int64_t count, void *data,
                 double a, double b) {
  tl_random what = request(kind, dtype, &count, data);
  what.parameters[0].f = a;
  what.parameters[1].f = b;
  tl_rt_random(&instance->frames->frame, &what);
}

/* What `torch.manual_seed(1)` is followed by. */
static void testStream(void) {
  tl_instance *instance = create();
  float floats[17];
  EXPECT(tl_instance_seed(instance, 1, &error) == TL_OK);
  fill(instance, "uniform", F32, 3, floats, 0, 1);
  EXPECT(floats[0] == 0.7576315999031067f && floats[1] == 0.2793108820915222f &&
         floats[2] == 0.40306925773620605f);
  /* The lower 32 bits count. */
  EXPECT(tl_instance_seed(instance, (1ull << 32) + 1, &error) == TL_OK);
  double doubles[2];
  fill(instance, "uniform", F64, 2, doubles, 0, 1);
  EXPECT(doubles[0] == 0.06105327471962363 && doubles[1] == 0.2245545065676504);
  tl_instance_seed(instance, 1, NULL);
  uint16_t half;
  fill(instance, "uniform", F16, 1, &half, 0, 1);
  EXPECT(half == 0x3a10); /* 0.7578125 */
  tl_instance_seed(instance, 1, NULL);
  fill(instance, "normal", F32, 17, floats, 0, 1);
  EXPECT(fabsf(floats[0] + 1.5255959033966064f) < 1e-6f &&
         fabsf(floats[1] + 1.1607614755630493f) < 1e-6f);
  tl_instance_seed(instance, 1, NULL);
  fill(instance, "normal", F32, 1, floats, 0, 1);
  fill(instance, "normal", F32, 1, floats + 1, 0, 1); /* the second of the pair */
  EXPECT(floats[0] == 0.6613521575927734f && floats[1] == 0.266924113035202f);
  tl_instance_seed(instance, 1, NULL); /* which a new seed forgets */
  fill(instance, "exponential", F64, 1, doubles, 1, 0);
  EXPECT(fabs(doubles[0] - 0.06299653697405214) < 1e-15);
  int64_t order[4], count = 4;
  tl_instance_seed(instance, 1, NULL);
  tl_random what = request("permutation", I64, &count, order);
  tl_rt_random(&instance->frames->frame, &what);
  EXPECT(order[0] == 1 && order[1] == 3 && order[2] == 2 && order[3] == 0);
  tl_instance_destroy(instance);
}

/* A transposed matrix gets the same numbers in row-major order; what lies between stays. */
static void testStrides(void) {
  tl_instance *instance = create();
  int64_t sizes[] = {2, 3}, strides[] = {1, 4}, flat[] = {3, 1};
  float plain[6], stepped[12];
  for (int i = 0; i < 12; ++i)
    stepped[i] = -1;
  for (int i = 0; i < 2; ++i) {
    tl_random what = request("normal", F32, sizes, i ? stepped : plain);
    what.rank = 2;
    what.strides = i ? strides : flat;
    what.parameters[1].f = 1;
    tl_instance_seed(instance, 5, NULL);
    tl_rt_random(&instance->frames->frame, &what);
  }
  for (int row = 0; row < 2; ++row)
    for (int column = 0; column < 3; ++column)
      EXPECT(stepped[row + 4 * column] == plain[3 * row + column]);
  EXPECT(stepped[2] == -1 && stepped[3] == -1 && stepped[11] == -1);
  unsigned char bools[8];
  double each[8] = {0, 1, 0, 1, 1, 0, 1, 0};
  int64_t count = 8, step = 1;
  tl_random what = request("bernoulli_each", BOOL, &count, bools);
  what.each = each;
  what.each_strides = &step;
  what.each_bytes = 8;
  tl_rt_random(&instance->frames->frame, &what);
  for (int i = 0; i < 8; ++i)
    EXPECT(bools[i] == (each[i] != 0));
  count = 0;
  what.data = NULL;
  tl_rt_random(&instance->frames->frame, &what);
  tl_instance_destroy(instance);
}

/* Without a seed two instances differ; a seed is needed by an instance. */
static void testSeeds(void) {
  tl_instance *a = create(), *b = create();
  double x[2], y[2];
  fill(a, "uniform", F64, 2, x, 0, 1);
  fill(b, "uniform", F64, 2, y, 0, 1);
  EXPECT(x[0] != y[0] && x[1] != y[1] && x[0] >= 0 && x[0] < 1);
  EXPECT(tl_instance_seed(NULL, 1, &error) == TL_INVALID_ARGUMENT);
  EXPECT(strstr(error.message, "the instance is null"));
  tl_instance_seed(a, 9, NULL);
  EXPECT(tl_instance_reset(a, &error) == TL_OK); /* the generator stays */
  tl_instance_seed(b, 9, NULL);
  fill(a, "uniform", F64, 2, x, 0, 1);
  fill(b, "uniform", F64, 2, y, 0, 1);
  EXPECT(x[0] == y[0] && x[1] == y[1]);
  tl_instance_destroy(a);
  tl_instance_destroy(b);
}

enum { THREADS = 4, DRAWS = 200 };
static tl_instance *shared;
static double drawn[THREADS][DRAWS];

static void *draw(void *which) {
  double *to = which;
  tl_call_frame frame = {.instance = shared};
  frame.frame.runtime = &frame;
  int64_t two = 2;
  for (int i = 0; i < DRAWS; i += 2) {
    tl_random what = request("uniform", F64, &two, to + i);
    what.parameters[1].f = 1;
    tl_rt_random(&frame.frame, &what);
  }
  return NULL;
}

/* Each tensor has numbers that follow each other; together they are those of one stream. */
static void testThreads(void) {
  static double alone[THREADS * DRAWS];
  shared = create();
  tl_instance_seed(shared, 3, NULL);
  fill(shared, "uniform", F64, THREADS * DRAWS, alone, 0, 1);
  tl_instance_seed(shared, 3, NULL);
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; ++i)
    EXPECT(pthread_create(&threads[i], NULL, draw, drawn[i]) == 0);
  for (int i = 0; i < THREADS; ++i)
    pthread_join(threads[i], NULL);
  int found = 0;
  for (int i = 0; i < THREADS * DRAWS; i += 2)
    for (int at = 0; at < THREADS * DRAWS; at += 2) {
      const double *pair = &drawn[at / DRAWS][at % DRAWS];
      found += pair[0] == alone[i] && pair[1] == alone[i + 1];
    }
  EXPECT(found == THREADS * DRAWS / 2);
  tl_instance_destroy(shared);
}

int main(void) {
  testStream();
  testStrides();
  testSeeds();
  testThreads();
  return 0;
}
