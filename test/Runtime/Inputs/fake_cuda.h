/* What the stand-in for the driver counts, and what it is told to do wrong. */
#ifndef FAKE_CUDA_H
#define FAKE_CUDA_H

#include <stdint.h>

struct fake_cuda {
  int launches, kernels_run, graph_launches, synchronizations, allocations, loads;
  int live_memory, live_contexts, live_modules, live_streams, live_graphs;
  int live_events, stream_waits;
  int shared_limit;
  int captures, context_waits;
  int bad_waits;  /* for the context, while a stream recorded */
  char image[64]; /* the start of the image loaded last */
  /* The nth call from now fails; 0: none. */
  int broken; /* everything fails, as after a kernel has touched what it must not */
  int fail_alloc, fail_launch, fail_graph, fail_instantiate, fail_synchronize;
};

#endif
