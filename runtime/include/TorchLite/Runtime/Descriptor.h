/*===- Descriptor.h - What the compiler says about a model ------------*- C -*-===*\
|*
|* The tables that tl-compile writes into every library, and that lib/Driver/Descriptor.cpp builds
as
|* LLVM constants: keep the two in step, and raise TL_DESCRIPTOR_VERSION with every change.
Internal:
|* programs use TorchLite.h.
\*===----------------------------------------------------------------------===*/
#ifndef TORCHLITE_RUNTIME_DESCRIPTOR_H
#define TORCHLITE_RUNTIME_DESCRIPTOR_H

#include "TorchLite.h"
#include "TorchLite/Runtime/ABI.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TL_DESCRIPTOR_VERSION 4

/* The runtime that a library was linked with. Public functions go through the table of the object
   that they are called on, so several libraries of one process do not mix. Append only. */
typedef struct tl_runtime_table {
  int32_t version;   /* TL_DESCRIPTOR_VERSION */
  int32_t functions; /* how many there are behind `call`; 0 in old libraries */
  tl_status (*instance_create)(const tl_model *, const tl_options *, tl_instance **, tl_error *);
  void (*instance_destroy)(tl_instance *);
  tl_status (*instance_reset)(tl_instance *, tl_error *);
  tl_status (*call)(tl_instance *, const char *, const tl_value *, size_t, tl_value *, tl_error *);
  void (*instance_seed)(tl_instance *, uint64_t);
} tl_runtime_table;

typedef struct tl_argument {
  const char *name;
  const tl_type *type;
} tl_argument;

/* A function as it is called on a device, with the kernels of one set (tl_gpu_set). */
typedef struct tl_device_code {
  tl_entry entry;
  int64_t arena_bytes;
  int32_t replayable; /* 1: launches, copies and scalar results of `entry` depend on nothing but the
                         addresses of operands and results, scalar operands, and what tl_rt_read
                         gives; shapes are static and tl_rt_alloc is not called. So what one call
                         does may be recorded and replayed; the runtime sees when those differ */
} tl_device_code;

/* One compiled function. Its operands are the leaves of the arguments, then state slots; its
   results the leaves of the result, then changed arguments, then state slots. */
typedef struct tl_variant {
  tl_entry entry; /* null where the library has no code for the CPU */
  int64_t arena_bytes;
  const tl_argument *arguments;
  const tl_type *result;
  const int32_t *changes;        /* leaf indices of the arguments that it changes */
  const int32_t *state_operands; /* slots */
  const int32_t *state_results;  /* slots */
  int32_t argument_count;
  int32_t change_count;
  int32_t state_operand_count;
  int32_t state_result_count;
  int32_t state_in;  /* the state signature that it starts from; -1: any, it has no state */
  int32_t state_out; /* the one that it leaves; -1: unchanged */
  const tl_device_code *device; /* for calls on a device, one for each set of kernels; null where
                                   there is no code for one */
  int32_t contiguous; /* 1: tensors that it is called with must be contiguous. What it computes
                         follows from their strides: a write that is seen through a reshaped form, a
                         view that merges dimensions, stride(), is_contiguous() */
} tl_variant;

/* ---- code for GPUs ---- */

typedef enum tl_image_kind {
  TL_IMAGE_CUBIN = 0,
  TL_IMAGE_PTX = 1,
  TL_IMAGE_EXACT_CUBIN = 2 /* of a variant such as sm_90a */
} tl_image_kind;

/* All kernels of a set, compiled for one architecture. */
typedef struct tl_gpu_image {
  int32_t kind; /* tl_image_kind */
  int32_t arch; /* 10 * major + minor, such as 80. A cubin runs where the major number is the same
                   and the minor is this or higher, an exact one where they are these; PTX on this
                   architecture and all newer ones */
  const void *data; /* PTX: text that ends in zero */
  int64_t bytes;    /* PTX: with the zero */
} tl_gpu_image;

/* A kernel compiled for the processor: one thread of the grid; `params` as for tl_rt_launch. Called
   by the emulator only, which provides the thread's place in the grid. */
typedef void (*tl_emulated_kernel)(void **params);

/* The kernels for some architectures that they come out the same for. A device runs one set; which
   one, the backend decides when it opens the device. */
typedef struct tl_gpu_set {
  const int32_t *archs; /* these architectures, such as 80, oldest first */
  int32_t arch_count;
  int32_t image_count;
  const tl_gpu_image *images; /* without any: not compiled for CUDA */
  const char *const *kernels; /* by number: names in the images; null: only other sets have it */
  const tl_emulated_kernel
      *emulated; /* by number, like `kernels`; null: not compiled for the emulator */
} tl_gpu_set;

/* The code of a model for devices. Sets share the numbers of kernels, and weights. */
typedef struct tl_gpu_code {
  const tl_gpu_set *sets; /* by their oldest architecture; at least one */
  int32_t set_count;
  int32_t kernel_count;
  const struct tl_gpu_backend *const *backends; /* those that are linked; ends in null */
  const void *weights; /* to be copied to the device: what tl_frame's weights point to there */
  int64_t weights_bytes;
} tl_gpu_code;

struct tl_method {
  const char *name;
  const tl_variant *variants;
  int64_t variant_count;
};

/* One attribute that survives between calls: a tensor or a scalar. */
typedef struct tl_state_slot {
  const char *path;
  const tl_type *const *types; /* by state signature; a type without a leaf (none, fixed) or null
                                  where the slot holds nothing in that signature */
  const void *initial;         /* the value in signature 0: the tensor's elements, or 8 bytes; null
                                  where the slot holds nothing there */
  const int64_t *initial_sizes;
} tl_state_slot;

struct tl_model {
  const tl_runtime_table *runtime;
  int32_t version; /* TL_DESCRIPTOR_VERSION */
  int32_t threads; /* default number of threads; 0: as many as the process may run on */
  const char *name;
  const char *features; /* processor features that the code needs, comma-separated (`avx2,fma`) */
  const tl_method *methods;
  int64_t method_count;
  const tl_state_slot *slots;
  int64_t slot_count;
  int64_t state_count;    /* number of state signatures; 0: no state */
  const tl_gpu_code *gpu; /* null: no code for a GPU */
};

extern const tl_runtime_table tl_runtime;

#ifdef __cplusplus
}
#endif
#endif /* TORCHLITE_RUNTIME_DESCRIPTOR_H */
