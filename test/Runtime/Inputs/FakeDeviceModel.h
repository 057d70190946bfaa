/* A model with code for CUDA, written by hand in the form that the compiler emits. Its kernels are
   those of fake_cuda.c. */
#ifndef FAKE_DEVICE_MODEL_H
#define FAKE_DEVICE_MODEL_H

#include "FakeModel.h"
#include "TorchLite/Runtime/Gpu.h"
#include "fake_cuda.h"

#include <dlfcn.h>

enum { SCALE, ADD, COUNT_POSITIVE, POSITIVE };

static void launch(tl_frame *frame, int32_t kernel, int64_t blocks, void **params) {
  const int64_t grid[3] = {blocks, 1, 1}, block[3] = {128, 1, 1};
  tl_rt_launch(frame, kernel, grid, block, 0, params);
}
static void launchScale(tl_frame *frame, const void *in, void *out, double factor, int64_t n) {
  void *params[] = {&in, &out, &factor, &n};
  launch(frame, SCALE, n, params);
}
static void launchAdd(tl_frame *frame, const void *a, const void *b, void *out, int64_t n) {
  void *params[] = {&a, &b, &out, &n};
  launch(frame, ADD, n, params);
}

/* affine(x: 2x3xf32, scale: float) -> (x * scale + weights, scale + 1) */
static const int64_t dims_23[] = {2, 3}, dims_1024[] = {1024, 1024};
static void affineDevice(tl_frame *frame) {
  void *out = tl_rt_output(frame, 0, 2, dims_23, 4);
  launchScale(frame, frame->args[0].tensor.data, frame->arena, frame->args[1].f, 6);
  launchAdd(frame, frame->arena, frame->weights, out, 6);
  frame->results[1].f = frame->args[1].f + 1;
}
static const float affine_weights[] = {10, 20, 30, 40, 50, 60};
static void affineEntry(tl_frame *frame) {
  float *out = tl_rt_output(frame, 0, 2, dims_23, 4), *x = frame->args[0].tensor.data;
  for (int i = 0; i < 6; ++i)
    out[i] = x[i] * (float)frame->args[1].f + affine_weights[i];
  frame->results[1].f = frame->args[1].f + 1;
}
static const tl_type f32_23 = TENSOR(TL_F32, 2, dims_23), f32_large = TENSOR(TL_F32, 2, dims_1024);
static const tl_type affine_items[] = {TENSOR(TL_F32, 2, dims_23), SCALAR(TL_FLOAT)};
static const tl_type affine_result = {TL_TUPLE, 0, 0, 2, NULL, affine_items, 0, NULL};

/* twice_large(x: 1024x1024xf32): more than goes through the bounce buffer */
static void largeDevice(tl_frame *frame) {
  launchScale(frame, frame->args[0].tensor.data, tl_rt_output(frame, 0, 2, dims_1024, 4), 2,
              1 << 20);
}

/* positive(x: ?xf32) -> ?xf32: the size of the result is read from the device */
static void positiveDevice(tl_frame *frame) {
  const void *x = frame->args[0].tensor.data;
  int64_t n = frame->args[0].tensor.sizes[0], count = 0;
  void *copy = tl_rt_alloc(frame, 4 * n), *cell = tl_rt_alloc(frame, 8);
  tl_rt_copy(frame, copy, x, 4 * n);
  void *counting[] = {&copy, &cell, &n};
  launch(frame, COUNT_POSITIVE, n ? 1 : 0, counting);
  if (n)
    tl_rt_read(frame, &count, cell, 8);
  tl_rt_free(frame, cell);
  void *out = tl_rt_output(frame, 0, 1, &count, 4);
  void *params[] = {&copy, &out, &n};
  launch(frame, POSITIVE, n, params);
  tl_rt_free(frame, copy);
}

/* bump(x: ?xf32): adds x to itself, in place */
static void bumpDevice(tl_frame *frame) {
  const tl_slot *x = &frame->args[0];
  void *out = tl_rt_output(frame, 0, 1, x->tensor.sizes, 4);
  launchAdd(frame, x->tensor.data, x->tensor.data, out, x->tensor.sizes[0]);
}

/* advance(x: 2xf32) -> the state's running sum */
static void advanceDevice(tl_frame *frame) {
  void *out = tl_rt_output(frame, 0, 1, dims_2, 4), *next = tl_rt_output(frame, 1, 1, dims_2, 4);
  launchAdd(frame, frame->args[0].tensor.data, frame->args[1].tensor.data, next, 2);
  tl_rt_copy(frame, out, next, 8);
}
/* tick() -> the number of ticks, a scalar of the state */
static void tickDevice(tl_frame *frame) {
  frame->results[0].i = frame->results[1].i = frame->args[0].i + 1;
  launchScale(frame, frame->weights, frame->arena, 1, 6);
}

/* halves(x: 2x3xf32): wrong if the result overlaps the argument */
static void halvesDevice(tl_frame *frame) {
  char *out = tl_rt_output(frame, 0, 2, dims_23, 4);
  launchScale(frame, frame->args[0].tensor.data, out, 2, 3);
  launchScale(frame, frame->args[0].tensor.data, out + 12, 3, 3);
}

/* checked(x: 2x3xf32) -> 2 * x, raises unless all elements are positive. For 5 elements that are, 3
 * * x. */
static void checkedDevice(tl_frame *frame) {
  const void *x = frame->args[0].tensor.data, *arena = frame->arena;
  int64_t n = 6, count = 0;
  void *out = tl_rt_output(frame, 0, 2, dims_23, 4), *counting[] = {&x, &arena, &n};
  launch(frame, COUNT_POSITIVE, 1, counting);
  tl_rt_read(frame, &count, arena, 8);
  if (count < 5)
    tl_rt_raise(frame, "{} positive elements", &count, 1);
  launchScale(frame, x, out, count == 5 ? 3 : 2, 6);
}

/* late(x: 2x3xf32) -> 2 * x: raises unless all elements are positive, when all is done */
static void lateDevice(tl_frame *frame) {
  const void *x = frame->args[0].tensor.data, *arena = frame->arena;
  int64_t n = 6, count = 0;
  void *out = tl_rt_output(frame, 0, 2, dims_23, 4), *counting[] = {&x, &arena, &n};
  launch(frame, COUNT_POSITIVE, 1, counting);
  launchScale(frame, x, out, 2, 6);
  tl_rt_read(frame, &count, arena, 8);
  if (count < 6)
    tl_rt_raise(frame, "{} positive elements", &count, 1);
}

/* sized(x: 2x3xf32): a variant that says to be replayable, but its result's size is not static */
static void sizedDevice(tl_frame *frame) {
  const void *x = frame->args[0].tensor.data, *arena = frame->arena;
  int64_t n = 6, count = 0;
  void *counting[] = {&x, &arena, &n};
  launch(frame, COUNT_POSITIVE, 1, counting);
  tl_rt_read(frame, &count, arena, 8);
  launchScale(frame, x, tl_rt_output(frame, 0, 1, &count, 4), 1, count);
}

/* bad(n: int): what can go wrong inside a call */
static void badDevice(tl_frame *frame) {
  int64_t n = frame->args[0].i;
  const int64_t one[3] = {1, 1, 1}, wide[3] = {1, 70000, 1};
  const void *weights = frame->weights;
  void *arena = frame->arena;
  double factor = 1;
  int64_t count = 1;
  void *params[] = {&weights, &arena, &factor, &count};
  if (n == 0)
    tl_rt_raise(frame, "n is {}", &n, 1);
  if (n == 1)
    tl_rt_alloc(frame, (int64_t)1 << 50);
  if (n == 2)
    tl_rt_launch(frame, SCALE, wide, one, 0, params);
  if (n == 3)
    tl_rt_launch(frame, SCALE, one, one, 200000, params);
  if (n == 4)
    tl_rt_launch(frame, 99, one, one, 0, params);
  if (n == 5) {
    int64_t size = (int64_t)1 << 48;
    tl_rt_output(frame, 0, 1, &size, 4);
  }
  tl_rt_launch(frame, SCALE, one, one, n == 6 ? 60000 : 0, params);
  tl_rt_output(frame, 0, 1, &count, 4);
}

static const tl_argument affine_arguments[] = {{"x", &f32_23}, {"scale", &float_type}},
                         large_arguments[] = {{"x", &f32_large}};
static const int32_t sum_slot[] = {0}, ticks_slot[] = {1};
static const tl_device_code affine_code[] = {{affineDevice, 24, 1}},
                            large_code[] = {{largeDevice, 0, 1}},
                            positive_code[] = {{positiveDevice, 0, 0}},
                            bump_code[] = {{bumpDevice, 0, 0}},
                            advance_code[] = {{advanceDevice, 0, 1}},
                            tick_code[] = {{tickDevice, 24, 1}},
                            halves_code[] = {{halvesDevice, 0, 1}},
                            checked_code[] = {{checkedDevice, 8, 1}},
                            late_code[] = {{lateDevice, 8, 1}},
                            sized_code[] = {{sizedDevice, 8, 1}}, bad_code[] = {{badDevice, 0, 0}};
static const tl_variant affine_variants[] = {{affineEntry, 0, affine_arguments, &affine_result,
                                              NULL, NULL, NULL, 2, 0, 0, 0, -1, -1, affine_code,
                                              0}},
                        large_variants[] = {{NULL, 0, large_arguments, &f32_large, NULL, NULL, NULL,
                                             1, 0, 0, 0, -1, -1, large_code, 0}},
                        positive_variants[] = {{NULL, 0, increment_arguments, &f32_q, NULL, NULL,
                                                NULL, 1, 0, 0, 0, -1, -1, positive_code, 0}},
                        bump_variants[] = {{NULL, 0, increment_arguments, &none_type,
                                            increment_changes, NULL, NULL, 1, 1, 0, 0, -1, -1,
                                            bump_code, 0}},
                        advance_variants[] = {{NULL, 0, step_arguments, &f32_2, NULL, sum_slot,
                                               sum_slot, 1, 0, 1, 1, 0, 0, advance_code, 0}},
                        tick_variants[] = {{NULL, 0, NULL, &int_type, NULL, ticks_slot, ticks_slot,
                                            0, 0, 1, 1, 0, 0, tick_code, 0}},
                        halves_variants[] = {{NULL, 0, affine_arguments, &f32_23, NULL, NULL, NULL,
                                              1, 0, 0, 0, -1, -1, halves_code, 0}},
                        checked_variants[] = {{NULL, 0, affine_arguments, &f32_23, NULL, NULL, NULL,
                                               1, 0, 0, 0, -1, -1, checked_code, 0}},
                        late_variants[] = {{NULL, 0, affine_arguments, &f32_23, NULL, NULL, NULL, 1,
                                            0, 0, 0, -1, -1, late_code, 0}},
                        sized_variants[] = {{NULL, 0, affine_arguments, &f32_q, NULL, NULL, NULL, 1,
                                             0, 0, 0, -1, -1, sized_code, 0}},
                        bad_variants[] = {{NULL, 0, int_arguments, &f32_q, NULL, NULL, NULL, 1, 0,
                                           0, 0, -1, -1, bad_code, 0}};
static const tl_method device_methods[] = {
    {"affine", affine_variants, 1},     {"twice_large", large_variants, 1},
    {"positive", positive_variants, 1}, {"bump", bump_variants, 1},
    {"advance", advance_variants, 1},   {"tick", tick_variants, 1},
    {"bad", bad_variants, 1},           {"halves", halves_variants, 1},
    {"checked", checked_variants, 1},   {"sized", sized_variants, 1},
    {"late", late_variants, 1}};

static const tl_type *const sum_types[] = {&f32_2}, *const tick_types[] = {&int_type};
static const float sum_initial[] = {100, 200};
static const int64_t ticks_initial = 7;
static const tl_state_slot device_slots[] = {{"sum", sum_types, sum_initial, dims_2},
                                             {"ticks", tick_types, &ticks_initial, NULL}};

static const tl_gpu_image device_images[] = {{TL_IMAGE_PTX, 80, "ptx 80", 7},
                                             {TL_IMAGE_CUBIN, 80, "cubin 80", 9},
                                             {TL_IMAGE_CUBIN, 90, "cubin 90", 9},
                                             {TL_IMAGE_CUBIN, 86, "cubin 86", 9}};
static const char *const device_kernels[] = {"scale", "add", "count_positive", "positive"};
static const tl_gpu_backend *const device_backends[] = {&tl_gpu_cuda, NULL};
static const int32_t device_archs[] = {80, 86, 90};
static const tl_gpu_set device_sets[] = {{device_archs, 3, 4, device_images, device_kernels, NULL}};
static const tl_gpu_code device_code = {device_sets,          1, 4, device_backends, affine_weights,
                                        sizeof affine_weights};
static const tl_model device_model = {
    &tl_runtime, TL_DESCRIPTOR_VERSION, 0, "fake", "",          device_methods,
    11,          device_slots,          2, 1,      &device_code};

/* The counters of the driver that TORCHLITE_LIBCUDA names. */
static inline struct fake_cuda *fakeCuda(void) {
  void *library = dlopen(getenv("TORCHLITE_LIBCUDA"), RTLD_NOW);
  EXPECT(library);
  struct fake_cuda *fake = dlsym(library, "fake_cuda");
  EXPECT(fake);
  return fake;
}

#define EXPECT_ERROR(expected, call, text)                                                         \
  do {                                                                                             \
    tl_status status_ = (call);                                                                    \
    if (status_ != (expected) || strcmp(error.message, text) != 0) {                               \
      fprintf(stderr, "%s:%d: expected %s: %s\ngot      %s: %s\n", __FILE__, __LINE__,             \
              tl_status_name(expected), text, tl_status_name(status_), error.message);             \
      exit(1);                                                                                     \
    }                                                                                              \
  } while (0)

#endif
