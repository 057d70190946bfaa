/*===- runtime.c - The runtime's side of the ABI, for tests ------------------===*\
|* Every buffer ends at a page that cannot be touched, arguments cannot be written, and what is
|* allocated and freed is counted.
\*===----------------------------------------------------------------------===*/
#include "TorchLite/Runtime/ABI.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct {
  char *map;
  size_t bytes;
} mapping;

typedef struct state {
  jmp_buf leave;
  char message[512];
  int64_t live, peak, total; /* buffers of tl_rt_alloc */
  int64_t regions;           /* parallel regions */
  int64_t threads;
  struct {
    void *data;
    int64_t rank, sizes[16], element_bytes;
  } outputs[32];
} state;

/* `bytes` that end at a guard page, as well as the alignment permits. */
void *test_guarded(int64_t bytes, int64_t alignment) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t payload = ((size_t)bytes + page - 1) / page * page;
  char *map =
      mmap(NULL, payload + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED)
    abort();
  memset(map, 0xa5, payload); /* nobody may count on zeros */
  mprotect(map + payload, page, PROT_NONE);
  size_t offset = payload - (size_t)bytes;
  return map + offset / (size_t)alignment * (size_t)alignment;
}

/* A copy of `data` that cannot be written. */
void *test_constant(const void *data, int64_t bytes, int64_t alignment) {
  char *copy = test_guarded(bytes, alignment);
  memcpy(copy, data, (size_t)bytes);
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  char *begin = (char *)((uintptr_t)copy / page * page);
  mprotect(begin, (size_t)((copy + bytes - begin) + (int64_t)page - 1) / page * page, PROT_READ);
  return copy;
}

void *tl_rt_output(tl_frame *frame, int64_t index, int64_t rank, const int64_t *sizes,
                   int64_t element_bytes) {
  state *s = frame->runtime;
  int64_t bytes = element_bytes;
  if (s->outputs[index].data)
    abort();
  for (int64_t i = 0; i < rank; ++i)
    bytes *= s->outputs[index].sizes[i] = sizes[i];
  s->outputs[index].rank = rank;
  s->outputs[index].element_bytes = element_bytes;
  s->outputs[index].data = test_guarded(bytes, element_bytes);
  frame->results[index].tensor.data = s->outputs[index].data;
  frame->results[index].tensor.sizes = s->outputs[index].sizes;
  return s->outputs[index].data;
}

void *tl_rt_alloc(tl_frame *frame, int64_t bytes) {
  state *s = frame->runtime;
  if (bytes < 0)
    abort();
  s->total += 1;
  s->live += 1;
  if (s->live > s->peak)
    s->peak = s->live;
  return test_guarded(bytes, 64);
}

void tl_rt_free(tl_frame *frame, void *memory) {
  state *s = frame->runtime;
  s->live -= 1;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  /* Whoever uses it again faults. */
  mprotect((void *)((uintptr_t)memory / page * page), page, PROT_NONE);
}

_Noreturn void tl_rt_raise(tl_frame *frame, const char *message, const int64_t *values,
                           int64_t count) {
  state *s = frame->runtime;
  size_t length = 0;
  int64_t next = 0;
  for (const char *p = message; *p && length < sizeof s->message - 32; ++p)
    if (p[0] == '{' && p[1] == '}' && next < count) {
      length += (size_t)sprintf(s->message + length, "%lld", (long long)values[next++]);
      ++p;
    } else {
      s->message[length++] = *p;
    }
  s->message[length] = 0;
  longjmp(s->leave, 1);
}

typedef struct {
  void (*body)(void *, int64_t, int64_t);
  void *context;
  int64_t begin, end;
} task;

static void *runTask(void *argument) {
  task *t = argument;
  t->body(t->context, t->begin, t->end);
  return NULL;
}

void tl_rt_parallel_for(tl_frame *frame, void (*body)(void *, int64_t, int64_t), void *context,
                        int64_t n) {
  state *s = frame->runtime;
  s->regions += 1;
  task tasks[8];
  pthread_t threads[8];
  int64_t count = s->threads < n ? s->threads : n;
  for (int64_t i = 0; i < count; ++i) {
    tasks[i] = (task){body, context, n * i / count, n * (i + 1) / count};
    pthread_create(&threads[i], NULL, runTask, &tasks[i]);
  }
  for (int64_t i = 0; i < count; ++i)
    pthread_join(threads[i], NULL);
}

/* Calls `entry`; 0 or 1 with a message. `counts` receives live, peak and total allocations, and
   regions. */
int test_call(tl_entry entry, const tl_slot *args, tl_slot *results, int64_t arena_bytes,
              int64_t threads, char *message, int64_t *counts) {
  state *s = calloc(1, sizeof *s); /* stays: results refer to it */
  s->threads = threads;
  tl_frame frame = {args, results, test_guarded(arena_bytes, 64), s};
  int raised = setjmp(s->leave);
  if (!raised)
    entry(&frame);
  memcpy(message, s->message, sizeof s->message);
  counts[0] = s->live;
  counts[1] = s->peak;
  counts[2] = s->total;
  counts[3] = s->regions;
  return raised;
}
