/*===- ABI.h - Between compiled code and the runtime ------------------*- C -*-===*\
|*
|* What the compiler emits and the runtime provides, and the other way round. Internal: programs
|* that use a compiled model include TorchLite.h instead. Both sides are linked into one library,
|* so this interface has no compatibility to keep.
|*
|* A value crosses as one slot per leaf: a tensor (data and sizes, contiguous, row-major), or a
|* scalar. Tuples, lists and dictionaries are flattened depth first; `None` and values that the
|* signature fixes have no slot.
\*===----------------------------------------------------------------------===*/
#ifndef TORCHLITE_RUNTIME_ABI_H
#define TORCHLITE_RUNTIME_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One leaf value: 16 bytes. */
typedef union tl_slot {
  struct {
    void *data;           /* elements in row-major order; aligned to the element size at least */
    const int64_t *sizes; /* `rank` entries, counted in elements */
  } tensor;
  int64_t i; /* int; bool as 0 or 1 */
  double f;  /* float */
} tl_slot;

/* What one call of a compiled function works with. The runtime owns it. */
typedef struct tl_frame {
  const tl_slot *args; /* leaf arguments, then the state that the function reads */
  tl_slot *results;    /* leaf results, then changed arguments, then the state that it leaves;
                          scalars are stored here, tensors through tl_rt_output */
  char *arena;         /* scratch of the size that tl_function says, aligned to 64 bytes */
  void *runtime;       /* the runtime's own data */
} tl_frame;

/* A compiled function. Returns only when it has succeeded; errors leave through tl_rt_raise. */
typedef void (*tl_entry)(tl_frame *frame);

/* ---- provided by the runtime, called by compiled code ---- */

/* The buffer for tensor result `index` of the given sizes; asked for once per result and call,
   before anything is written. Aligned to 64 bytes where the runtime allocates it. */
void *tl_rt_output(tl_frame *frame, int64_t index, int64_t rank, const int64_t *sizes,
                   int64_t element_bytes);

/* Memory of a size known only at run time; lives until freed or until the call ends, whichever
   comes first. Aligned to 64 bytes. Never returns null: failure leaves through tl_rt_raise. */
void *tl_rt_alloc(tl_frame *frame, int64_t bytes);
void tl_rt_free(tl_frame *frame, void *memory);

/* Ends the call with an error. `message` is the text, in which each `{}` stands for the next of
   `count` integers in `values`. Both strings live as long as the library. Called only on the
   thread that made the call, never inside tl_rt_parallel_for. */
__attribute__((noreturn)) void tl_rt_raise(tl_frame *frame, const char *message,
                                           const int64_t *values, int64_t count);

/* Calls body(context, begin, end) for disjoint ranges that cover 0 to `n` (excluded), on the
   threads of the instance, and returns when all are done. */
void tl_rt_parallel_for(tl_frame *frame, void (*body)(void *context, int64_t begin, int64_t end),
                        void *context, int64_t n);

#ifdef __cplusplus
}
#endif
#endif /* TORCHLITE_RUNTIME_ABI_H */
