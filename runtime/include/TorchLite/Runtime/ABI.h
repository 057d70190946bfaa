/*===- ABI.h - Between compiled code and the runtime ------------------*- C -*-===*\
|*
|* What the compiler emits and the runtime provides, and the other way round. Internal: programs
|* that use a compiled model include TorchLite.h instead. Both sides are linked into one library,
|* so this interface has no compatibility to keep.
|*
|* A value crosses as one slot per leaf: a tensor (data and sizes, contiguous, row-major), or a
|* scalar. Tuples, lists and dictionaries are flattened depth first; `None` and values that the
|* signature fixes have no slot.
|*
|* In a call that runs on a device (tl_device_code) the data of all tensors, the arena and
|* what tl_rt_output and tl_rt_alloc return are addresses of device memory; sizes and scalars stay
|* in the processor's memory. Arguments and results are aligned to 16 bytes, the rest to 64.
Launches
|* and copies are queued on the call's stream and run in the order in which they are made, so memory
|* may be freed as soon as what uses it has been queued.
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
  char *arena;         /* scratch of the size that tl_variant says, aligned to 64 bytes */
  void *runtime;       /* the runtime's own data */
  const char
      *weights; /* calls on a device: the address there of tl_gpu_code's weights; else null */
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

/* ---- calls on a device only ---- */

/* Launches kernel number `kernel` of the model on the call's stream, with `grid` blocks of `block`
   threads and `shared_bytes` of dynamic shared memory a block. Does nothing where a grid size is 0.
   params[i] points to the i-th argument, which is read before the function returns. */
void tl_rt_launch(tl_frame *frame, int32_t kernel, const int64_t grid[3], const int64_t block[3],
                  int64_t shared_bytes, void **params);
/* Copies from device memory to device memory, on the stream; the two may not overlap. */
void tl_rt_copy(tl_frame *frame, void *to, const void *from, int64_t bytes);
/* Copies from device memory to the processor's, and waits for the stream. */
void tl_rt_read(tl_frame *frame, void *to, const void *from, int64_t bytes);

/* ---- everywhere ---- */

/* Ends the call with an error. `message` is the text, in which each `{}` stands for the next of
   `count` integers in `values`. Both strings live as long as the library. Called only on the
   thread that made the call, never inside tl_rt_parallel_for. */
__attribute__((noreturn)) void tl_rt_raise(tl_frame *frame, const char *message,
                                           const int64_t *values, int64_t count);

/* Calls body(context, begin, end) for disjoint ranges that cover 0 to `n` (excluded), on the
   threads of the instance, and returns when all are done. */
void tl_rt_parallel_for(tl_frame *frame, void (*body)(void *context, int64_t begin, int64_t end),
                        void *context, int64_t n);

/* What tl_rt_random fills, and with what (`tl.random` has the kinds). */
typedef struct tl_random {
  const char *kind;
  int64_t dtype, rank; /* as PyTorch numbers element types */
  const int64_t *sizes;
  void *data;
  const int64_t *strides; /* in elements */
  union {
    int64_t i;
    double f;
  } parameters[2];
  const void *each; /* of the same sizes, with kinds that take one */
  const int64_t *each_strides;
  int64_t each_bytes; /* of an element */
} tl_random;

/* Fills a tensor with random numbers of the instance's generator. Called only on the thread that
   made the call. */
void tl_rt_random(tl_frame *frame, const tl_random *what);

/* ---- operators of LibTorch (Fallback.h, docs/Fallback.md) ---- */

/* Calls an operator. `where` is the line of the program, or ""; `libraries` has, a line each, the
   path of the fallback library or nothing, then users' libraries. Writes the sizes and numbers that
   the text asks for to `numbers`. Returns what stands for the results until it is released, or
   the call ends. Called only on the thread that made the call. */
struct tl_operand;
void *tl_rt_call_operator(tl_frame *frame, const char *call, const char *where,
                          const char *libraries, const struct tl_operand *operands,
                          int64_t *numbers);
/* Copies tensor `index` to memory of its sizes; strides count elements. */
void tl_rt_operator_result(tl_frame *frame, void *results, int64_t index, void *data,
                           const int64_t *strides);
void tl_rt_operator_release(tl_frame *frame, void *results);

#ifdef __cplusplus
}
#endif
#endif /* TORCHLITE_RUNTIME_ABI_H */
