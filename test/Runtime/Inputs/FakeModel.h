/* A model written by hand in the form that the compiler emits, to test the runtime alone. */
#ifndef FAKE_MODEL_H
#define FAKE_MODEL_H

#include "TorchLite/Runtime/Descriptor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition)                                                                          \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);                    \
      exit(1);                                                                                     \
    }                                                                                              \
  } while (0)

#define TENSOR(dtype, rank, dims) {TL_TENSOR, 0, dtype, rank, dims, NULL, 0, NULL}
#define SCALAR(kind) {kind, 0, 0, 0, NULL, NULL, 0, NULL}
#define FIXED(kind, bits, text) {kind, 1, 0, 0, NULL, NULL, bits, text}

static const int64_t dims_q3[] = {-1, 3}, dims_22[] = {2, 2}, dims_q[] = {-1}, dims_0[] = {0},
                     dims_2[] = {2}, dims_13[] = {1, 3};
static const tl_type f32_q3 = TENSOR(TL_F32, 2, dims_q3), f32_22 = TENSOR(TL_F32, 2, dims_22),
                     f32_q = TENSOR(TL_F32, 1, dims_q), i64_q = TENSOR(TL_I64, 1, dims_q),
                     f32_13 = TENSOR(TL_F32, 2, dims_13), f32_0 = TENSOR(TL_F32, 1, dims_0),
                     f32_2 = TENSOR(TL_F32, 1, dims_2), int_type = SCALAR(TL_INT),
                     float_type = SCALAR(TL_FLOAT), none_type = SCALAR(TL_NONE),
                     bool_type = SCALAR(TL_BOOL), fixed_mode = FIXED(TL_STRING, 0, "fast");

/* forward(x: ?x3xf32, scale: float) -> (x * scale, sum(x)) */
static void forwardEntry(tl_frame *frame) {
  const tl_slot *x = &frame->args[0];
  int64_t count = x->tensor.sizes[0] * 3;
  float *out = tl_rt_output(frame, 0, 2, x->tensor.sizes, 4);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    float value = ((float *)x->tensor.data)[i];
    out[i] = value * (float)frame->args[1].f;
    sum += value;
  }
  frame->results[1].f = sum;
}
static const tl_type forward_items[] = {TENSOR(TL_F32, 2, dims_q3), SCALAR(TL_FLOAT)};
static const tl_type forward_result = {TL_TUPLE, 0, 0, 2, NULL, forward_items, 0, NULL};
/* The same for 1x3, which says so: the sum is negative. */
static void forwardOneEntry(tl_frame *frame) {
  forwardEntry(frame);
  frame->results[1].f = -1;
}

/* twice(x: 2x2xf32, mode: "fast", rest: none) -> 2x2xf32, by way of the arena */
static void twiceEntry(tl_frame *frame) {
  memcpy(frame->arena, frame->args[0].tensor.data, 16);
  float *out = tl_rt_output(frame, 0, 2, dims_22, 4);
  for (int i = 0; i < 4; ++i)
    out[i] = 2 * ((float *)frame->arena)[3 - (3 - i)];
}
/* transpose(x: 2x2xf32): wrong if the result overlaps the argument */
static void transposeEntry(tl_frame *frame) {
  float *out = tl_rt_output(frame, 0, 2, dims_22, 4), *x = frame->args[0].tensor.data;
  out[0] = x[0], out[1] = x[2], out[2] = x[1], out[3] = x[3];
}

/* check(n: int): raises for negative n, after it has allocated and written results */
static void checkEntry(tl_frame *frame) {
  int64_t size = 1000;
  float *out = tl_rt_output(frame, 0, 1, &size, 4);
  out[0] = 1;
  void *memory = tl_rt_alloc(frame, 1 << 20);
  memset(memory, 1, 1 << 20);
  if (frame->args[0].i < 0)
    tl_rt_raise(frame, "n must not be negative, is {} of {} {}", &frame->args[0].i, 1);
  if (frame->args[0].i == 99)
    tl_rt_alloc(frame, (int64_t)1 << 60);
  if (frame->args[0].i == 98) {
    size = (int64_t)1 << 62;
    tl_rt_output(frame, 0, 1, &size, 8);
  }
  tl_rt_free(frame, memory);
}

/* increment(x: ?xf32): writes to x; raises when x[0] is 13 */
static void incrementEntry(tl_frame *frame) {
  const tl_slot *x = &frame->args[0];
  float *out = tl_rt_output(frame, 0, 1, x->tensor.sizes, 4);
  for (int64_t i = 0; i < x->tensor.sizes[0]; ++i)
    out[i] = ((float *)x->tensor.data)[i] + 1;
  if (out[0] == 14)
    tl_rt_raise(frame, "unlucky", NULL, 0);
}
static const int32_t increment_changes[] = {0};

/* step(x: 2xf32): the state `hidden` starts empty and then is a running sum; `calls` counts. Raises
   when x[0] is 13, after the state has been written. */
static void firstStepEntry(tl_frame *frame) {
  const float *x = frame->args[0].tensor.data;
  float *next = tl_rt_output(frame, 1, 1, dims_2, 4), *out = tl_rt_output(frame, 0, 1, dims_2, 4);
  for (int i = 0; i < 2; ++i)
    out[i] = next[i] = x[i];
  frame->results[2].i = frame->args[2].i + 1;
  if (frame->args[1].tensor.sizes[0] != 0 || x[0] == 13)
    tl_rt_raise(frame, "bad step", NULL, 0);
}
static void nextStepEntry(tl_frame *frame) {
  const float *x = frame->args[0].tensor.data, *hidden = frame->args[1].tensor.data;
  float *next = tl_rt_output(frame, 1, 1, dims_2, 4), *out = tl_rt_output(frame, 0, 1, dims_2, 4);
  for (int i = 0; i < 2; ++i)
    out[i] = next[i] = hidden[i] + x[i];
  frame->results[2].i = frame->args[2].i + 1;
  if (x[0] == 13)
    tl_rt_raise(frame, "bad step", NULL, 0);
}
static const int32_t step_slots[] = {0, 1}, calls_slot[] = {1};
static void callsEntry(tl_frame *frame) { frame->results[0].i = frame->args[0].i; }
static void resetEntry(tl_frame *frame) { tl_rt_output(frame, 0, 1, dims_0, 4); }
static const int32_t hidden_slot[] = {0};

/* squares(n: int) -> ?xi64 in parallel; n = 1000 fails inside the region */
typedef struct squares_context {
  tl_frame *frame;
  int64_t *out, n;
} squares_context;
static void inner(void *context, int64_t begin, int64_t end) {
  squares_context *it = context;
  for (int64_t i = begin; i < end; ++i)
    it->out[i] = i * i;
}
static void squaresBody(void *context, int64_t begin, int64_t end) {
  squares_context *it = context;
  if (it->n == 1000 && end >= 500)
    tl_rt_alloc(it->frame, (int64_t)1 << 60);
  void *memory = tl_rt_alloc(it->frame, 100);
  tl_rt_free(it->frame, memory);
  if (begin == 0)
    tl_rt_parallel_for(it->frame, inner, context, end); /* nested */
  else
    inner(context, begin, end);
}
static void squaresEntry(tl_frame *frame) {
  squares_context context = {frame, NULL, frame->args[0].i};
  context.out = tl_rt_output(frame, 0, 1, &context.n, 8);
  tl_rt_parallel_for(frame, squaresBody, &context, context.n);
}

/* nested({"a": ?xf32, "b": [int, bool]}) -> {"sum": int, "list": [?xf32, none], "three": 3} */
static void nestedEntry(tl_frame *frame) {
  frame->results[0].i = frame->args[1].i + frame->args[2].i;
  float *out = tl_rt_output(frame, 1, 1, frame->args[0].tensor.sizes, 4);
  memcpy(out, frame->args[0].tensor.data, 4 * (size_t)frame->args[0].tensor.sizes[0]);
}
static const tl_type nested_b[] = {SCALAR(TL_INT), SCALAR(TL_BOOL)};
static const tl_type nested_pairs[] = {FIXED(TL_STRING, 0, "a"),
                                       TENSOR(TL_F32, 1, dims_q),
                                       FIXED(TL_STRING, 0, "b"),
                                       {TL_LIST, 0, 0, 2, NULL, nested_b, 0, NULL}};
static const tl_type nested_argument = {TL_DICT, 0, 0, 2, NULL, nested_pairs, 0, NULL};
static const tl_type nested_list[] = {TENSOR(TL_F32, 1, dims_q), SCALAR(TL_NONE)};
static const tl_type nested_results[] = {
    FIXED(TL_STRING, 0, "sum"),   SCALAR(TL_INT),
    FIXED(TL_STRING, 0, "list"),  {TL_LIST, 0, 0, 2, NULL, nested_list, 0, NULL},
    FIXED(TL_STRING, 0, "three"), FIXED(TL_INT, 3, NULL)};
static const tl_type nested_result = {TL_DICT, 0, 0, 3, NULL, nested_results, 0, NULL};

/* pieces(n: int) -> ([2xf32, ...], [int, ...]): n of each, [i, i + 1] and 10 * i */
static void piecesEntry(tl_frame *frame) {
  int64_t n = frame->args[0].i;
  float *out = tl_rt_output(frame, 0, 2, (int64_t[]){n, 2}, 4);
  int64_t *numbers = tl_rt_output(frame, 1, 1, &n, 8);
  for (int64_t i = 0; i < n; ++i) {
    out[2 * i] = (float)i;
    out[2 * i + 1] = (float)i + 1;
    numbers[i] = 10 * i;
  }
}
static const tl_type pieces_items[] = {{TL_LIST, 0, TL_F32, -1, NULL, &f32_2, 0, NULL},
                                       {TL_LIST, 0, TL_I64, -1, NULL, &int_type, 0, NULL}};
static const tl_type pieces_result = {TL_TUPLE, 0, 0, 2, NULL, pieces_items, 0, NULL};

static const tl_argument forward_arguments[] = {{"x", &f32_q3}, {"scale", &float_type}},
                         forward_one_arguments[] = {{"x", &f32_13}, {"scale", &float_type}},
                         twice_arguments[] = {{"x", &f32_22},
                                              {"mode", &fixed_mode},
                                              {"rest", &none_type}},
                         transpose_arguments[] = {{"x", &f32_22}},
                         int_arguments[] = {{"n", &int_type}},
                         increment_arguments[] = {{"x", &f32_q}},
                         step_arguments[] = {{"x", &f32_2}},
                         nested_arguments[] = {{"d", &nested_argument}};
/* entry, arena, arguments, result, changes, state in, state out, the counts, nothing for a device,
   and any strides will do */
static const tl_variant forward_variants[] = {{forwardEntry, 0, forward_arguments, &forward_result,
                                               NULL, NULL, NULL, 2, 0, 0, 0, -1, -1, NULL, 0},
                                              {forwardOneEntry, 0, forward_one_arguments,
                                               &forward_result, NULL, NULL, NULL, 2, 0, 0, 0, -1,
                                               -1, NULL, 0}};
static const tl_variant twice_variants[] = {
    {twiceEntry, 16, twice_arguments, &f32_22, NULL, NULL, NULL, 3, 0, 0, 0, -1, -1, NULL, 0}};
static const tl_variant transpose_variants[] = {{transposeEntry, 0, transpose_arguments, &f32_22,
                                                 NULL, NULL, NULL, 1, 0, 0, 0, -1, -1, NULL, 0}};
static const tl_variant check_variants[] = {
    {checkEntry, 0, int_arguments, &f32_q, NULL, NULL, NULL, 1, 0, 0, 0, -1, -1, NULL, 0}};
static const tl_variant increment_variants[] = {{incrementEntry, 0, increment_arguments, &none_type,
                                                 increment_changes, NULL, NULL, 1, 1, 0, 0, -1, -1,
                                                 NULL, 0}};
static const tl_variant step_variants[] = {{firstStepEntry, 0, step_arguments, &f32_2, NULL,
                                            step_slots, step_slots, 1, 0, 2, 2, 0, 1, NULL, 0},
                                           {nextStepEntry, 0, step_arguments, &f32_2, NULL,
                                            step_slots, step_slots, 1, 0, 2, 2, 1, 1, NULL, 0}};
static const tl_variant calls_variants[] = {
    {callsEntry, 0, NULL, &int_type, NULL, calls_slot, NULL, 0, 0, 1, 0, 0, 0, NULL, 0},
    {callsEntry, 0, NULL, &int_type, NULL, calls_slot, NULL, 0, 0, 1, 0, 1, 1, NULL, 0}};
static const tl_variant reset_variants[] = {
    {resetEntry, 0, NULL, &none_type, NULL, NULL, hidden_slot, 0, 0, 0, 1, 1, 0, NULL, 0}};
static const tl_variant squares_variants[] = {
    {squaresEntry, 0, int_arguments, &i64_q, NULL, NULL, NULL, 1, 0, 0, 0, -1, -1, NULL, 0}};
static const tl_variant nested_variants[] = {{nestedEntry, 0, nested_arguments, &nested_result,
                                              NULL, NULL, NULL, 1, 0, 0, 0, -1, -1, NULL, 0}};

static const tl_variant pieces_variants[] = {
    {piecesEntry, 0, int_arguments, &pieces_result, NULL, NULL, NULL, 1, 0, 0, 0, -1, -1, NULL, 0}};

static const tl_type *const hidden_types[] = {&f32_0, &f32_2}, *const calls_types[] = {&int_type,
                                                                                       &int_type};
static const int64_t calls_initial = 5;
static const char hidden_initial[8];
static const tl_state_slot slots[] = {{"hidden", hidden_types, hidden_initial, dims_0},
                                      {"calls", calls_types, &calls_initial, NULL}};
static const tl_method methods[] = {
    {"forward", forward_variants, 2},     {"twice", twice_variants, 1},
    {"transpose", transpose_variants, 1}, {"check", check_variants, 1},
    {"increment", increment_variants, 1}, {"step", step_variants, 2},
    {"calls", calls_variants, 2},         {"reset", reset_variants, 1},
    {"squares", squares_variants, 1},     {"nested", nested_variants, 1},
    {"pieces", pieces_variants, 1}};
static const tl_model fake_model = {
    &tl_runtime, TL_DESCRIPTOR_VERSION, 0, "fake", "", methods, 11, slots, 2, 2, NULL};

#endif
