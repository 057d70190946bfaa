/*===- Internal.h - Shared by the emulator's sources ------------------*- C -*-===*\
|*
|* One worker (a CPU thread) runs one block at a time. Where the threads of a block wait for each
|* other, each is a fiber of the worker: see Schedule.c. What one fiber finds wrong ends the launch.
\*===----------------------------------------------------------------------===*/
#ifndef TORCHLITE_EMULATOR_INTERNAL_H
#define TORCHLITE_EMULATOR_INTERNAL_H

#include "TorchLite/Runtime/Emulator.h"
#include "TorchLite/Runtime/Gpu.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

enum { EMU_WARP = 32, EMU_MAX_WARPS = 32, EMU_MAX_THREADS = 1024, EMU_BARRIERS = 16 };

typedef struct emu_worker emu_worker;
typedef struct emu_thread emu_thread;

/*===-- Settings.c -----------------------------------------------------------===*/

typedef enum emu_order { EMU_FORWARD, EMU_REVERSE, EMU_RANDOM } emu_order;

/* What the environment says. */
typedef struct emu_settings {
  bool checks;     /* TORCHLITE_EMULATOR_CHECKS=0|1 */
  bool races;      /* TORCHLITE_EMULATOR_RACES=0|1: in global memory */
  bool lazy;       /* TORCHLITE_EMULATOR_COPIES=lazy|eager */
  emu_order order; /* TORCHLITE_EMULATOR_ORDER=forward|reverse|random */
  uint64_t seed;   /* TORCHLITE_EMULATOR_SEED=<integer>, for random order */
  const tl_gpu_set
      *set;     /* TORCHLITE_EMULATOR_ARCH=<integer>: that a GPU of this architecture would run */
  int32_t arch; /* what the GPU is */
  uint32_t left_out; /* TORCHLITE_EMULATOR_MUTATION=<integer>: the site of a barrier or a wait that
                        does nothing, to test the tests; no site where not set */
} emu_settings;
tl_status emu_read_settings(const tl_gpu_code *code, emu_settings *settings, tl_error *error);

tl_status emu_error(tl_error *error, tl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*===-- Memory.c: device memory ------------------------------------------------===*/

typedef struct emu_shadow emu_shadow;
typedef struct emu_allocation {
  uint64_t base, bytes;
  void *raw;          /* what malloc gave */
  emu_shadow *shadow; /* of every byte, or null: see Shadow.c */
} emu_allocation;

/* All allocations of a device, sorted by address. */
typedef struct emu_memory {
  pthread_rwlock_t lock;
  emu_allocation *allocations;
  size_t count, capacity;
  bool shadowed; /* allocations have shadows */
  uint32_t launches;
} emu_memory;

bool emu_memory_init(emu_memory *memory, bool shadowed);
void emu_memory_destroy(emu_memory *memory);
/* Null: out of memory. `poison`: fills with 0xFF, which is a NaN in every format. */
void *emu_memory_alloc(emu_memory *memory, int64_t bytes, bool poison);
void emu_memory_free(emu_memory *memory, void *pointer);
/* The allocation that holds the byte at `address`; `bytes` is 0 where there is none. */
emu_allocation emu_memory_find(emu_memory *memory, uint64_t address);
/* The nearest allocation that begins at or before `address`; `bytes` is 0 where there is none. */
emu_allocation emu_memory_before(emu_memory *memory, uint64_t address);

/*===-- Fiber.c: stacks ----------------------------------------------------------===*/

/* Saves the registers that a call preserves on the stack, its pointer in *from, and goes on with
   the stack `to`. */
void emu_switch(void **from, void *to);
/* Prepares a stack so that switching to the result calls `entry`, which must not return. */
void *emu_prepare_stack(void *top, void (*entry)(void));

/*===-- Schedule.c: threads of a block -----------------------------------------------===*/

/* What the lanes of a warp do together. */
typedef struct emu_operation {
  const char *name;
  /* Called on the last lane that arrives. `lanes`: those that take part; their requests are in
     emu_thread.request. */
  void (*perform)(emu_worker *worker, emu_thread *warp, uint32_t lanes);
} emu_operation;

struct emu_thread {
  tl_emu_thread base;   /* first: compiled code has a pointer to this */
  void *stack;          /* the saved stack pointer of its fiber */
  void *request;        /* operands of what it waits for */
  const char *waits_at; /* for messages; null: it does not wait */
  struct emu_copies *copies;
};

/* Lanes that wait for the others of `mask`. */
typedef struct emu_group {
  const emu_operation *operation;
  uint32_t site, mask, arrived;
} emu_group;

typedef struct emu_warp {
  uint32_t exist;        /* lanes; fewer than 32 in the last warp only */
  uint32_t live;         /* lanes that have not left the kernel */
  uint32_t ready;        /* lanes that can run */
  uint32_t at_barrier;   /* lanes that wait for the block */
  uint32_t barrier_site; /* and where */
  uint32_t group_count;
  uint32_t ordered; /* bar.warp.sync: accesses of the warp before this time have happened */
  emu_group groups[EMU_WARP];
} emu_warp;

typedef struct emu_barrier {
  uint32_t arrived;
  uint32_t sum, all, any; /* of the predicates so far */
  uint32_t result[3];     /* of the last time that it was passed: popc, and, or */
} emu_barrier;

/* Who touched a granule of shared memory last: see Check.c. */
typedef struct emu_cell {
  uint32_t writer, reader;
} emu_cell;

typedef struct emu_launch {
  struct tl_gpu_device *device;
  tl_emulated_kernel kernel;
  tl_emu_kernel about;
  void **params;
  uint32_t grid[3], block[3];
  uint64_t block_count;
  uint32_t thread_count; /* of a block */
  uint32_t shared_bytes;
  emu_settings settings;
  uint32_t number; /* of the launch, for shadows */
  tl_emu_range ranges[TL_EMU_RANGES];
  atomic_uint_fast64_t next_block;
  atomic_bool failed;
  tl_status status; /* and `error`: of the one that set `failed` */
  tl_error error;
} emu_launch;

struct emu_worker {
  tl_emu_block block; /* first: threads point to this */
  emu_launch *launch;
  emu_thread *current;
  void *main_stack; /* of run_block, while fibers run */
  bool failed;
  uint32_t live; /* threads that have not left */
  uint32_t warp; /* the warp that runs */
  uint32_t ready_warps;
  uint64_t random;
  emu_warp warps[EMU_MAX_WARPS];
  emu_barrier barriers[EMU_BARRIERS];
  emu_thread threads[EMU_MAX_THREADS];
  uint32_t order[EMU_MAX_THREADS]; /* in which threads run that never wait */

  /* Kept from launch to launch. */
  char *stacks;
  size_t stack_bytes, stack_count;
  size_t prepared; /* fibers that have been started, or wait for their thread of the next block */
  void *shared_memory;
  size_t shared_capacity;
  emu_cell *cells;
  size_t cell_capacity;

  /* Time for Check.c: counts barriers. */
  uint32_t clock, block_start, barrier_time;
  uint32_t clock_entry, start_entry, barrier_entry; /* the same in the form of an emu_cell's */
  uint32_t shared_bytes;
  bool checks;
  uint32_t granule_shift;
};

emu_worker *emu_worker_create(void);
void emu_worker_destroy(emu_worker *worker);
/* Takes blocks of the launch until there are none or an error has been found. */
void emu_worker_run(emu_worker *worker, emu_launch *launch);

static inline emu_worker *emu_worker_of(tl_emu_thread *thread) {
  return (emu_worker *)thread->block;
}
static inline bool emu_leaves_out(tl_emu_thread *thread, uint32_t site) {
  return emu_worker_of(thread)->launch->settings.left_out == site;
}
static inline emu_warp *emu_warp_of(emu_worker *worker, tl_emu_thread *thread) {
  return &worker->warps[thread->linear_id / EMU_WARP];
}

/* Lets others run until somebody makes this thread ready. */
void emu_wait(emu_worker *worker, emu_thread *thread, const char *what);
void emu_make_ready(emu_worker *worker, uint32_t warp, uint32_t lanes);
/* Waits until the lanes of `mask` have come to the same operation, which the last one performs. */
void emu_meet(tl_emu_thread *thread, const emu_operation *operation, uint32_t site, uint32_t mask,
              void *request);
/* What the kernel tells about itself. */
const tl_emu_kernel *emu_describe(tl_emulated_kernel kernel);
/* Ends the launch with a message that begins with the kernel, the block and the thread. */
__attribute__((noreturn, format(printf, 2, 3))) void emu_fail(tl_emu_thread *thread,
                                                              const char *format, ...);

/*===-- Check.c: bounds, and shared memory
 * ---------------------------------------------------------===*/

/* Of a parameter that stands for no memory: no access lies in it. */
static const tl_emu_range emu_empty_range = {UINT64_MAX, 1};
bool emu_check_prepare(emu_worker *worker, const emu_launch *launch);
void emu_check_begin_block(emu_worker *worker);
void emu_check_block_barrier(emu_worker *worker);
void emu_check_warp_barrier(emu_worker *worker, emu_warp *warp);
/* An asynchronous copy is on its way to these bytes; it has arrived. */
void emu_check_copy_begin(tl_emu_thread *thread, uint64_t to, uint32_t bytes);
void emu_check_copy_end(tl_emu_thread *thread, uint64_t to, uint32_t bytes);

/* Entries as Shadow.c keeps them: that of this thread, whether what one tells of races with this
   thread of the block, one more reader, and several atomic operations. */
uint32_t emu_check_entry(const emu_worker *worker, const tl_emu_thread *thread, uint32_t kind);
bool emu_check_races(const emu_worker *worker, const tl_emu_thread *thread, uint32_t entry);
uint32_t emu_check_add_reader(const emu_worker *worker, const tl_emu_thread *thread,
                              uint32_t before);
uint32_t emu_check_many_atomic(uint32_t entry);
bool emu_check_is_atomic(uint32_t entry);

/*===-- Shadow.c: races in global memory -----------------------------------------------===*/

/* Null: out of memory. */
emu_shadow *emu_shadow_create(uint64_t bytes);
uint32_t emu_shadow_next_launch(emu_memory *memory);
/* The thread accesses bytes of the allocation. */
void emu_shadow_access(tl_emu_thread *thread, emu_allocation in, uint64_t address, uint64_t bytes,
                       uint32_t kind);

/*===-- AsyncCopy.c ----------------------------------------------------------------------===*/

/* The thread leaves: what is on its way arrives. */
void emu_copies_finish(emu_thread *thread);
/* After an error: nothing is on its way. */
void emu_copies_forget(emu_thread *thread);
void emu_copies_destroy(emu_thread *thread);

/*===-- Pool.c: CPU threads ----------------------------------------------------------------===*/

/* Runs the launch on this thread and, where there are blocks enough, on others. False: out of
   memory. */
bool emu_pool_run(emu_launch *launch);
void emu_pool_retain(void);
void emu_pool_release(void);

struct tl_gpu_device {
  struct tl_gpu_device *next;
  const tl_gpu_code *code;
  int references;
  emu_settings settings;
  emu_memory memory;
  void *weights;
};

struct tl_gpu_stream {
  tl_gpu_device *device;
  struct emu_graph *recording; /* null: launches and copies happen at once */
};

tl_status emu_launch_kernel(tl_gpu_stream *stream, int32_t kernel, const int64_t grid[3],
                            const int64_t block[3], int64_t shared_bytes, void **params,
                            tl_error *error);
tl_status emu_copy(tl_gpu_stream *stream, void *to, const void *from, int64_t bytes, int kind,
                   tl_error *error);

/*===-- Graph.c ----------------------------------------------------------------------------===*/

tl_status emu_record_launch(tl_gpu_stream *stream, const tl_emu_kernel *about, int32_t kernel,
                            const int64_t grid[3], const int64_t block[3], int64_t shared_bytes,
                            void **params, tl_error *error);
tl_status emu_record_copy(tl_gpu_stream *stream, void *to, const void *from, int64_t bytes,
                          int kind, tl_error *error);
tl_status emu_graph_begin(tl_gpu_stream *stream, tl_error *error);
tl_status emu_graph_end(tl_gpu_stream *stream, void **graph, tl_error *error);
tl_status emu_graph_launch(tl_gpu_stream *stream, void *graph, tl_error *error);
void emu_graph_destroy(tl_gpu_stream *stream, void *graph);

#endif /* TORCHLITE_EMULATOR_INTERNAL_H */
