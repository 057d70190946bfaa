/* Prints the machine's multiply-add peak on one thread, in GFLOP/s of f32: independent chains of
 * vector multiply-adds in registers, at the vector width that the compiler chooses for this
 * machine. The yardstick that the other benchmarks are compared with. */
#include <stdio.h>
#include <time.h>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
#define CHAINS 12
typedef float vec __attribute__((vector_size(LANES * sizeof(float))));

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(void) {
  vec acc[CHAINS], a, b;
  for (int i = 0; i < LANES; ++i)
    a[i] = 0.999999f, b[i] = 1e-7f;
  for (int c = 0; c < CHAINS; ++c)
    acc[c] = a * (float)c;
  const long trips = 2000000;
  double best = 1e30;
  for (int run = 0; run < 9; ++run) {
    double start = now();
    for (long t = 0; t < trips; ++t)
#pragma GCC unroll 12
      for (int c = 0; c < CHAINS; ++c)
        acc[c] = acc[c] * a + b;
    double seconds = now() - start;
    if (seconds < best)
      best = seconds;
  }
  float sum = 0;
  for (int c = 0; c < CHAINS; ++c)
    for (int i = 0; i < LANES; ++i)
      sum += acc[c][i];
  fprintf(stderr, "checksum %g\n", sum);
  printf("%.1f\n", 2.0 * LANES * CHAINS * (double)trips / best * 1e-9);
  return 0;
}
