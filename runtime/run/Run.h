/*===- Run.h - Calling a model from the command line --------------------*- C -*-===*\
|*
|* What compiled executables and tl-run share: values as text, .npy files, results as JSON.
\*===----------------------------------------------------------------------===*/
#ifndef TORCHLITE_RUNTIME_RUN_H
#define TORCHLITE_RUNTIME_RUN_H

#include "TorchLite.h"

#ifdef __cplusplus
extern "C" {
#endif

/*===-- Store.c ------------------------------------------------------------===*/

/* Memory that is freed all at once. Zero-initialise. */
typedef struct tl_store {
  struct tl_store_block *blocks;
} tl_store;
/* Memory of zeros, aligned to 64 bytes, or null. */
void *tl_store_alloc(tl_store *store, size_t bytes);
void tl_store_free(tl_store *store);

/*===-- Parse.c ------------------------------------------------------------===*/

/* Reads a value: `@file.npy`, `@file.npy:bf16`, `2x2xf32=1 2 3 4`, `1x3xf32=0.5`, `1x3xf32=rand`,
   `10`, `1.5`, `true`, `none`, `"text"`, `[a, b]`, `(a, b)`, `{"k": a}`. What it refers to lives in
   the store. On failure writes a message and returns false. */
bool tl_parse_value(tl_store *store, const char *text, tl_value *value, tl_error *error);
/* Reads `method(value, ...)`. */
bool tl_parse_call(tl_store *store, const char *text, const char **method, tl_value **arguments,
                   size_t *count, tl_error *error);
/* The tl_dtype called so, or -1. */
int32_t tl_parse_dtype(const char *name, size_t length);

/*===-- Npy.c --------------------------------------------------------------===*/

/* Reads a NumPy file. `dtype` -1: as the file says; else 16-bit integers are taken for TL_BF16. */
DLTensor *tl_npy_read(tl_store *store, const char *path, int32_t dtype, tl_error *error);
/* Writes one, TL_BF16 as 16-bit unsigned integers; by way of a temporary file beside it. */
bool tl_npy_write(const char *path, const DLTensor *tensor, tl_error *error);

/*===-- Print.c ------------------------------------------------------------===*/

/* Writes DIR/callN.json, {"result": ..., "inputs_after": {"0": ...}}, and its tensors as .npy files
   (`"@call0.out0.npy"`). `changed[i]` says whether argument i has been changed. */
bool tl_write_outputs(const char *directory, size_t call, const tl_value *result,
                      const tl_value *arguments, const bool *changed, size_t count,
                      tl_error *error);
/* Prints a value for a person; of large tensors the first elements. */
void tl_print_value(const tl_value *value);

/*===-- Run.c --------------------------------------------------------------===*/

/* Looks on at calls; tl-run's comparison with LibTorch. May be null. */
typedef struct tl_run_observer {
  void *context;
  /* Before a call: its arguments as they are now. */
  bool (*before)(void *context, const char *method, const tl_value *arguments, size_t count);
  /* After a call that has succeeded; false ends the run with status 1. */
  bool (*after)(void *context, const char *method, const tl_value *arguments, size_t count,
                const tl_value *result);
  /* After a call that has failed, instead; true where that was to be expected. */
  bool (*failed)(void *context, const char *method, const char *message);
} tl_run_observer;

typedef struct tl_run_options {
  const char *const *inputs; /* the arguments of one call of forward; none where calls are given */
  size_t input_count;
  const char *const *calls; /* `method(value, ...)`, in order */
  size_t call_count;
  const char *output_dir; /* null: results are printed */
  int32_t threads;        /* as in tl_options */
  bool benchmark;
  const tl_run_observer *observer;
  int32_t device, device_id; /* as in tl_options */
  bool seeded;               /* `seed` is given */
  uint64_t seed;
} tl_run_options;

/* Reads `cpu`, `cuda`, `cuda:1` or `emulated`. On failure writes a message and returns false. */
bool tl_parse_device(const char *text, int32_t *device, int32_t *device_id, tl_error *error);

/* Makes the calls on one instance. Returns the exit status: 0, or 1 with a message on standard
   error. */
int tl_run_model(const tl_model *model, const tl_run_options *options);

/* The command line of a compiled executable. */
int tl_run_main(const tl_model *model, int argc, char **argv);

#ifdef __cplusplus
}
#endif
#endif /* TORCHLITE_RUNTIME_RUN_H */
