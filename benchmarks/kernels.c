/* Calls a compiled function in a loop and tells the least thread CPU time of a call. Linked into
 * the libraries that kernels.py makes, in place of the runtime: results go to buffers that stay. */
#include "TorchLite/Runtime/ABI.h"

#include <stdlib.h>
#include <time.h>

static void *result;

void *tl_rt_output(tl_frame *frame, int64_t index, int64_t rank, const int64_t *sizes,
                   int64_t element_bytes) {
  (void)frame, (void)index, (void)rank, (void)sizes, (void)element_bytes;
  return result;
}
void *tl_rt_alloc(tl_frame *frame, int64_t bytes) {
  (void)frame;
  return aligned_alloc(64, ((size_t)bytes + 64) / 64 * 64);
}
void tl_rt_free(tl_frame *frame, void *memory) {
  (void)frame;
  free(memory);
}
void tl_rt_raise(tl_frame *frame, const char *message, const int64_t *values, int64_t count) {
  (void)frame, (void)message, (void)values, (void)count;
  abort();
}
void tl_rt_parallel_for(tl_frame *frame, void (*body)(void *, int64_t, int64_t), void *context,
                        int64_t n) {
  (void)frame;
  body(context, 0, n);
}

static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e6 + 1e-3 * (double)t.tv_nsec;
}

/* Microseconds of the fastest call within `seconds`, or of a single one if that is 0. */
double bench_run(tl_entry entry, const tl_slot *arguments, void *output, char *arena,
                 double seconds) {
  tl_slot results[1];
  tl_frame frame = {arguments, results, arena, NULL};
  double best = 1e30, end = now(CLOCK_MONOTONIC) + seconds * 1e6;
  result = output;
  do {
    double start = now(CLOCK_THREAD_CPUTIME_ID);
    entry(&frame);
    double time = now(CLOCK_THREAD_CPUTIME_ID) - start;
    best = time < best ? time : best;
  } while (now(CLOCK_MONOTONIC) < end);
  return best;
}
