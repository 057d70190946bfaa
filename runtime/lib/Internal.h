/*===- Internal.h - Shared by the runtime's sources -------------------*- C -*-===*/
#ifndef TORCHLITE_RUNTIME_INTERNAL_H
#define TORCHLITE_RUNTIME_INTERNAL_H

#include "Generator.h"
#include "TorchLite/Runtime/Gpu.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>

#define TL_ALIGNMENT 64

/*===-- Error.c ------------------------------------------------------------===*/

/* Writes a message where `error` is not null, and returns `status`. */
tl_status tl_fail(tl_error *error, tl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Text that is cut off where the buffer ends; `length` counts on. */
typedef struct tl_text {
  char *data;
  size_t size, length;
} tl_text;
void tl_text_add(tl_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*===-- Type.c -------------------------------------------------------------===*/

/* Slots that a type takes: its tensors and its scalars that are not fixed. */
int64_t tl_type_leaves(const tl_type *type);
/* Writes the leaf types depth first; returns the end of what was written. */
const tl_type **tl_type_collect(const tl_type *type, const tl_type **leaves);
int64_t tl_type_child_count(const tl_type *type);
size_t tl_dtype_bytes(int32_t dtype);
const char *tl_dtype_name(int32_t dtype);
void tl_type_text(tl_text *text, const tl_type *type);
/* The type of a value, as in a signature: `tensor 1x3xf32`, `int 3`, `[...]`. */
void tl_value_text(tl_text *text, const tl_value *value);
/* A caller's bool, whose byte may be any where it comes from other languages or memory. */
static inline bool tl_value_bool(const tl_value *value) {
  return *(const unsigned char *)(const void *)&value->as.b != 0;
}

/*===-- Tensor.c -----------------------------------------------------------===*/

/* The tl_dtype of a DLPack tensor, or -1. */
int32_t tl_tensor_dtype(const DLTensor *tensor);
static inline char *tl_tensor_data(const DLTensor *tensor) {
  return (char *)tensor->data + tensor->byte_offset;
}
bool tl_tensor_contiguous(const DLTensor *tensor);
/* Product of sizes and element size; -1 where it does not fit, or a size is negative. */
int64_t tl_byte_count(int64_t rank, const int64_t *sizes, int64_t element_bytes);
/* Copies between a strided tensor and contiguous memory of the same sizes. */
void tl_tensor_gather(const DLTensor *from, void *to, size_t element_bytes);
void tl_tensor_scatter(const void *from, const DLTensor *to, size_t element_bytes);
/* Bools are bytes that callers may give any value; compiled code takes 0 and 1. Whether all are,
   and what makes them so. */
bool tl_bools_clean(const void *data, int64_t count);
void tl_bools_clear(void *data, int64_t count);
/* A new contiguous tensor, or null. Data is aligned to TL_ALIGNMENT. */
DLManagedTensor *tl_tensor_create(int32_t dtype, int64_t rank, const int64_t *sizes);
/* Aligned memory, or null; `bytes` may be 0. Freed by free(). */
void *tl_aligned_alloc(int64_t bytes);

/*===-- Match.c ------------------------------------------------------------===*/

/* One argument leaf: where the value is. */
typedef struct tl_leaf {
  const tl_value *value;
  const tl_type *type;
} tl_leaf;

/* Checks a value against a type; writes the leaves and adds up how specific the match is. On a
   mismatch returns null and, where `why` is not null, writes what was expected and what is there.
 */
tl_leaf *tl_match(const tl_type *type, const tl_value *value, tl_leaf *leaves, int64_t *score,
                  tl_text *why);

/*===-- Memory.c -----------------------------------------------------------===*/

/* One piece of memory. The processor's follows TL_ALIGNMENT bytes after the block itself. */
typedef struct tl_block {
  struct tl_block *previous, *next;
  int64_t bytes;
  void *memory;
} tl_block;

/* Memory of a call whose size is known only then. Zero-initialise. */
typedef struct tl_memory {
  tl_block *blocks;
  tl_block *cache; /* freed blocks, to be used again */
  int64_t cache_bytes, peak_bytes, used_bytes;
  atomic_flag lock;
  const tl_gpu_backend *backend; /* null: the processor's memory */
  tl_gpu_stream *stream;
} tl_memory;

/* Aligned to TL_ALIGNMENT; null: out of memory. */
void *tl_memory_take(tl_memory *memory, int64_t bytes);
void tl_memory_give(tl_memory *memory, void *data);
void tl_memory_give_all(tl_memory *memory);
void tl_memory_destroy(tl_memory *memory);

/*===-- Box.c --------------------------------------------------------------===*/

/* The values of a call whose structure lives at run time. Zero-initialise. */
typedef struct tl_boxes {
  struct tl_box *first; /* of all */
  struct tl_box **held; /* what compiled code refers to */
  int64_t held_count, held_capacity;
  char *text; /* one that is being written (Format.c) */
  int64_t text_length, text_capacity;
} tl_boxes;

/* All values of the call go. */
void tl_boxes_clear(tl_boxes *boxes);
void tl_boxes_destroy(tl_boxes *boxes);

/*===-- Device.c -----------------------------------------------------------===*/

/* A device that an instance has opened. Its results refer to it too, and may outlive the instance.
 */
typedef struct tl_opened {
  atomic_int references;
  const tl_gpu_backend *backend;
  tl_gpu_device *device;
  int32_t id;
  int32_t set;           /* of kernels, which the device runs */
  char name[32];         /* "cuda:0" */
  pthread_mutex_t lock;  /* guards all below */
  tl_gpu_stream *stream; /* for memory that outlives a call */
  tl_gpu_stream *caller; /* the caller's, that results may be pending on; null: none is */
  void *callers_stream;  /* the same as the caller names it */
  tl_memory memory;
  struct tl_device_tensor *held; /* deleted, but somebody may still use their memory */
  struct tl_opened *next;        /* of those with a caller's stream; guarded by a lock of its own */
} tl_opened;

/* Opens what the options ask for; null where that is the CPU. */
tl_status tl_opened_create(const tl_model *model, const tl_options *options, tl_opened **result,
                           tl_error *error);
void tl_opened_release(tl_opened *opened);
/* The instance goes, and the caller's stream may go with it. */
void tl_opened_forget_caller(tl_opened *opened);
/* Memory for the caller's stream, or for all streams of the device where there is none; or null. */
void *tl_opened_alloc(tl_opened *opened, int64_t bytes);
/* The memory serves others when nothing that is queued now uses it any more. Does not wait. */
void tl_opened_free(tl_opened *opened, void *memory);
tl_status tl_opened_upload(tl_opened *opened, void *to, const void *from, int64_t bytes,
                           tl_error *error);
/* The variant's code for the device; null where there is none. */
const tl_device_code *tl_opened_code(const tl_opened *opened, const tl_variant *variant);
/* TL_OUT_OF_MEMORY with the sizes, or what else the device suffers from; `what` is what the memory
   was to be. */
tl_status tl_opened_exhausted(tl_opened *opened, int64_t bytes, const char *what, tl_error *error);
/* A new contiguous tensor on the device, or null. */
DLManagedTensor *tl_opened_tensor(tl_opened *opened, int32_t dtype, int64_t rank,
                                  const int64_t *sizes);

/* Where a tensor is, seen from a call. */
typedef enum tl_place { TL_PLACE_HOST, TL_PLACE_DEVICE, TL_PLACE_ELSEWHERE } tl_place;
tl_place tl_tensor_place(const tl_opened *opened, const DLTensor *tensor);
/* Says which tensors the calls take, and where this one is. */
void tl_place_text(tl_text *text, const tl_opened *opened, const DLTensor *tensor);

/*===-- State.c ------------------------------------------------------------===*/

/* A slot's value now, and the memory that the next one is written to. */
typedef struct tl_state_value {
  tl_slot value;
  tl_slot next;
  void *buffers[2];
  int64_t capacities[2];
  int64_t *sizes[2];
  void *initial; /* on a device: where the first value is */
  int current;   /* the buffer that `value` is in */
  bool pending;
} tl_state_value;

tl_status tl_state_create(tl_instance *instance, tl_error *error);
tl_status tl_state_reset(tl_instance *instance, tl_error *error);
void tl_state_destroy(tl_instance *instance);
/* Memory for a slot's next value, or null. */
void *tl_state_output(tl_instance *instance, tl_state_value *state, int64_t rank,
                      const int64_t *sizes, int64_t bytes);

/*===-- Call.c -------------------------------------------------------------===*/

/* Where one result of a call goes. */
typedef struct tl_result {
  tl_value *given;          /* the caller's, or null */
  DLManagedTensor *created; /* a new tensor */
  void *staged;             /* memory of the call, copied to `given` or to an argument at the end */
  int64_t staged_bytes;
  bool replaced;   /* the memory of `given` is a changed argument's: not to be written to */
  tl_value *items; /* of a list of any length, until it is handed over */
  struct tl_parts *parts;
  tl_value boxed; /* what a box holds, until it is handed over */
  void *landed; /* `staged`, or the host memory that it has been copied to from a device; null where
                   nothing is left to copy */
} tl_result;

/*===-- List.c -------------------------------------------------------------===*/

/* Whether a type is that of lists of any length, whose items are one leaf. */
static inline bool tl_type_is_any_list(const tl_type *type) {
  return type->kind == TL_LIST && type->count == -1;
}
/* Whether a type is that of values whose structure lives at run time: lists and dictionaries of
   any length, of whatever type their items are, and strings. */
static inline bool tl_type_is_boxed(const tl_type *type) {
  return type->fixed == 2 ||
         ((type->kind == TL_LIST || type->kind == TL_DICT) && type->count == -2) ||
         (type->kind == TL_STRING && !type->fixed);
}
/* Makes the caller's value of a box, the address of which is in a result's slot; false: there is no
   memory. */
bool tl_box_unwrap(const tl_type *type, int64_t address, tl_value *value);
/* Memory for the list that a created tensor holds; false: there is none. */
bool tl_list_prepare(const tl_type *type, tl_result *result);
/* Hands the list over, as prepared. Cannot fail. */
void tl_list_set(const tl_type *type, tl_result *result, tl_value *value);
/* Frees what was prepared and not handed over. */
void tl_list_forget(tl_result *result);

/*===-- Call.c, continued --------------------------------------------------===*/

/* What tl_variant leaves to be computed once. */
typedef struct tl_plan {
  const tl_type **argument_leaves, **result_leaves;
  int64_t argument_leaf_count, result_leaf_count;
} tl_plan;

/* The memory of one running call; kept and used again. */
typedef struct tl_call_frame {
  tl_frame frame; /* first: compiled code and the tl_rt functions have a pointer to this */
  struct tl_call_frame *next;
  tl_instance *instance;
  const tl_variant *variant;
  const tl_plan *plan;
  tl_leaf *leaves, *best_leaves;
  tl_slot *arguments;
  tl_slot *result_slots;
  tl_result *results;
  tl_memory memory;       /* tl_rt_alloc */
  struct tl_given *given; /* what LibTorch's operators have given */
  tl_boxes boxes;
  struct tl_device_frame *device; /* null: the call runs on the processor */
  tl_status status;
  tl_error *error;          /* where a message goes, or null */
  bool dropped;             /* nobody wants the result */
  jmp_buf *leave;           /* where tl_frame_leave goes */
  struct tl_region *region; /* the parallel region that runs, or null */
} tl_call_frame;

/*===-- Lock.c -------------------------------------------------------------===*/

/* Many readers or one writer, none of whom starves. */
typedef struct tl_lock {
  pthread_mutex_t mutex; /* guards all below; held for a moment only */
  pthread_cond_t readers_go, writer_goes;
  int64_t readers, waiting_readers;
  uint64_t batch;                       /* rises when the waiting readers go */
  uint64_t next_writer, served_writers; /* they differ while a writer waits or writes */
} tl_lock;

void tl_lock_init(tl_lock *lock);
void tl_lock_destroy(tl_lock *lock);
void tl_lock_read(tl_lock *lock);
void tl_unlock_read(tl_lock *lock);
void tl_lock_write(tl_lock *lock);
void tl_unlock_write(tl_lock *lock);

struct tl_instance {
  const tl_model *model;
  tl_opened *opened; /* null: the processor */
  void *callers_stream;
  bool results_on_device;
  int32_t threads;
  tl_print_handler print; /* null: to the standard output */
  void *print_user;
  tl_instance *next;    /* of all instances of the library (Fork.c) */
  pthread_mutex_t lock; /* guards `frames`; held while a new state becomes visible, so that a fork
                           never comes between */
  tl_call_frame *frames;
  tl_plan **plans;    /* by method, then by variant */
  tl_lock state_lock; /* guards all below */
  tl_state_value *state;
  int32_t state_signature;
  pthread_mutex_t generator_lock; /* guards the next; held while one tensor is filled */
  tl_generator generator;
  /* Sizes of a frame's arrays: the largest that a variant needs. */
  int64_t leaf_limit, operand_limit, result_limit, arena_bytes;
};

tl_status tl_frame_create(tl_instance *instance, tl_call_frame **result, tl_error *error);
void tl_frame_destroy(tl_call_frame *frame);
/* Ends the call with the status and message that the frame holds. */
__attribute__((noreturn)) void tl_frame_leave(tl_call_frame *frame);
/* tl_rt_raise with a status of choice. */
__attribute__((noreturn)) void tl_raise(tl_call_frame *frame, tl_status status, const char *message,
                                        const int64_t *values, int64_t count);
/* Raises with a formatted text. */
__attribute__((noreturn)) void tl_raise_text(tl_call_frame *frame, tl_status status,
                                             const tl_text *text);
/* Whether the caller's tensor for a result can take it. A tensor that the caller does not own must,
   so then the call ends with an error; else new memory is to be used. */
bool tl_result_fits(tl_call_frame *frame, int64_t index, int32_t dtype, int64_t rank,
                    const int64_t *sizes, int64_t bytes);
bool tl_overlaps_argument(const tl_call_frame *frame, const char *data, int64_t bytes);

/*===-- Overlap.c ----------------------------------------------------------===*/

/* Whether no argument that the variant changes shares memory with another. */
tl_status tl_check_arguments_apart(tl_call_frame *frame, const tl_method *method);
/* The same for the tensors that the caller gives for results: among themselves, and with changed
   arguments. */
tl_status tl_check_results_apart(tl_call_frame *frame, const tl_method *method);

/*===-- Operator.c ---------------------------------------------------------===*/

/* At the end of a call, whatever came of it. */
void tl_operators_release(tl_call_frame *frame);

/*===-- Fork.c -------------------------------------------------------------===*/

/* Children that the process forks can use the instance. */
void tl_fork_register(tl_instance *instance);
void tl_fork_unregister(tl_instance *instance);

/*===-- FloatEnvironment.c -------------------------------------------------===*/

typedef struct tl_float_environment {
  uint64_t vector;
  uint32_t x87;
} tl_float_environment;

/* Makes the calling thread compute as C programs do by default; returns how it did before. */
tl_float_environment tl_float_default(void);
void tl_float_restore(tl_float_environment old);

/*===-- Table of the library's runtime -------------------------------------===*/

tl_status tl_instance_create_here(const tl_model *, const tl_options *, tl_instance **, tl_error *);
void tl_instance_destroy_here(tl_instance *);
tl_status tl_instance_reset_here(tl_instance *, tl_error *);
tl_status tl_call_here(tl_instance *, const char *, const tl_value *, size_t, tl_value *,
                       tl_error *);
void tl_instance_seed_here(tl_instance *, uint64_t); /* Random.c */

/*===-- DeviceCall.c -------------------------------------------------------===*/

/* Device memory at an address that changes only when it has to grow. */
typedef struct tl_buffer {
  char *data;
  int64_t bytes;
} tl_buffer;

/* What a frame has besides where its calls run on a device. */
typedef struct tl_device_frame {
  tl_opened *opened;
  const tl_gpu_backend *backend;
  tl_gpu_stream *stream;
  tl_buffer *arguments, *results; /* by leaf: tensors that cannot be used where they are */
  char *bounce;                   /* host memory that copies reach fast, or null */
  int64_t bounce_used;
  tl_memory staging;              /* host memory of one call */
  bool waits;                     /* a queued copy uses host memory */
  bool queued;                    /* something has been queued since the stream was waited for */
  bool dynamic;                   /* the call did what cannot be recorded */
  bool capturing;                 /* the stream records */
  bool empty;                     /* ... and has recorded nothing yet */
  struct tl_replay *replays;      /* what is known of replayable variants */
  struct tl_replay *noting;       /* tl_rt_output notes its requests here */
  struct tl_replay *assigned;     /* tl_rt_output takes its answers from here */
  struct tl_recording *recording; /* the call is being recorded */
} tl_device_frame;

tl_status tl_device_frame_create(tl_call_frame *frame, tl_error *error);
void tl_device_frame_destroy(tl_call_frame *frame);
/* Puts a tensor argument where the device reaches it. */
void tl_device_bind(tl_call_frame *frame, const tl_leaf *leaf, int64_t index, tl_slot *slot);
/* tl_rt_output where the call runs on a device. */
void *tl_device_output(tl_call_frame *frame, int64_t index, int64_t rank, const int64_t *sizes,
                       int64_t element_bytes);
/* Queues the copies of results and changed arguments, and waits for them where the caller cannot.
 */
void tl_device_collect(tl_call_frame *frame);
/* Copies to the host and waits. */
void tl_device_read(tl_call_frame *frame, void *to, const void *from, int64_t bytes);
/* Copies from the host and waits. */
void tl_device_write(tl_call_frame *frame, void *to, const void *from, int64_t bytes);
/* What follows has to be done anew at every call. Leaves a call that is being recorded, which is
   then made again. */
void tl_device_refuse_recording(tl_call_frame *frame);
/* After a call, whatever came of it. */
void tl_device_finish(tl_call_frame *frame, tl_status status);

/*===-- Replay.c -----------------------------------------------------------===*/

/* One request of tl_rt_output and the answer. */
typedef struct tl_request {
  int64_t index, rank, element_bytes;
  int64_t *sizes;
  void *answer;
} tl_request;

/* Calls the variant's code, or replays what it did before. */
void tl_device_run(tl_call_frame *frame);
void tl_replay_note(struct tl_replay *replay, int64_t index, int64_t rank, const int64_t *sizes,
                    int64_t element_bytes, void *answer);
/* Null: nothing was noted for a result of these sizes. */
void *tl_replay_answer(struct tl_replay *replay, int64_t index, int64_t rank, const int64_t *sizes);
/* tl_rt_read while the call is being recorded. */
void tl_replay_read(tl_call_frame *frame, void *to, const void *from, int64_t bytes);
void tl_replays_destroy(tl_call_frame *frame);

/*===-- Parallel.c ---------------------------------------------------------===*/

/* The threads live as long as any instance does. */
void tl_pool_retain(int32_t threads);
void tl_pool_release(void);
/* In a forked child: there are no threads. */
void tl_pool_forked(void);
/* Leaves the body that the calling thread runs in the frame's parallel region. */
__attribute__((noreturn)) void tl_region_leave(struct tl_region *region);
/* Whether the calling thread is the first in its region to fail, and so writes the message. */
bool tl_region_fail(struct tl_region *region);

/*===-- Processors.c -------------------------------------------------------===*/

/* Processors that the process may use at the same time. */
int32_t tl_processor_count(void);
/* `limit`, or less where the control groups that the file `groups` names (/proc/self/cgroup) have a
   smaller quota; their folders lie below `root` (/sys/fs/cgroup). */
int32_t tl_quota_count(const char *groups, const char *root, int32_t limit);

/*===-- Features.c ---------------------------------------------------------===*/

/* The first feature in a comma-separated list that this processor lacks, or null; the length of its
   name goes to `length`. */
const char *tl_missing_feature(const char *features, size_t *length);

#endif /* TORCHLITE_RUNTIME_INTERNAL_H */
