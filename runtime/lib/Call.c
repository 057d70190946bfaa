/*===- Call.c - One call: choose, bind, run, hand over --------------------------===*/
#include "Internal.h"

#include <stdlib.h>
#include <string.h>

/*===-- Errors inside a call -----------------------------------------------===*/

void tl_frame_leave(tl_call_frame *frame) { _longjmp(*frame->leave, 1); }

void tl_raise(tl_call_frame *frame, tl_status status, const char *message, const int64_t *values,
              int64_t count) {
  struct tl_region *region = frame->region;
  if (!region || tl_region_fail(region)) {
    frame->status = status;
    if (frame->error) {
      tl_text text = {frame->error->message, sizeof frame->error->message, 0};
      text.data[0] = 0;
      int64_t next = 0;
      for (const char *at = message; *at;) {
        if (at[0] == '{' && at[1] == '}' && next < count) {
          tl_text_add(&text, "%lld", (long long)values[next++]);
          at += 2;
          continue;
        }
        size_t plain = 1;
        while (at[plain] && at[plain] != '{')
          ++plain;
        tl_text_add(&text, "%.*s", (int)plain, at);
        at += plain;
      }
    }
  }
  if (region)
    tl_region_leave(region);
  tl_frame_leave(frame);
}

void tl_rt_raise(tl_frame *frame, const char *message, const int64_t *values, int64_t count) {
  tl_raise(frame->runtime, TL_RAISED, message, values, count);
}

void tl_raise_text(tl_call_frame *frame, tl_status status, const tl_text *text) {
  if (frame->error)
    tl_fail(frame->error, status, "%s", text->data);
  frame->status = status;
  tl_frame_leave(frame);
}

/*===-- Choosing the variant -----------------------------------------------===*/

static bool hasCode(const tl_instance *instance, const tl_variant *variant) {
  return instance->opened ? tl_opened_code(instance->opened, variant) != NULL
                          : variant->entry != NULL;
}

static bool takesPart(const tl_instance *instance, const tl_variant *variant) {
  return (variant->state_in < 0 || variant->state_in == instance->state_signature) &&
         hasCode(instance, variant);
}

/* Matches all arguments; on a mismatch says why. */
static bool matchVariant(const tl_variant *variant, const tl_value *arguments, size_t count,
                         tl_leaf *leaves, int64_t *score, tl_text *why) {
  *score = 0;
  bool too_many = count > (size_t)variant->argument_count;
  for (size_t i = count; i < (size_t)variant->argument_count && !too_many; ++i)
    if (tl_type_leaves(variant->arguments[i].type)) {
      if (why)
        tl_text_add(why, "no value for argument %zu '%s' of type ", i, variant->arguments[i].name);
      if (why)
        tl_type_text(why, variant->arguments[i].type);
      return false;
    }
  if (too_many) {
    if (why)
      tl_text_add(why, "expected %d argument%s, got %zu", (int)variant->argument_count,
                  variant->argument_count == 1 ? "" : "s", count);
    return false;
  }
  for (size_t i = 0; i < count; ++i) {
    tl_text reason = {NULL, 0, 0};
    char buffer[512];
    if (why)
      reason.data = buffer, reason.size = sizeof buffer;
    leaves =
        tl_match(variant->arguments[i].type, &arguments[i], leaves, score, why ? &reason : NULL);
    if (!leaves) {
      if (why)
        tl_text_add(why, "argument %zu '%s': %s", i, variant->arguments[i].name, buffer);
      return false;
    }
  }
  return true;
}

/* Says what was given and what is compiled. */
static tl_status reportMismatch(tl_call_frame *frame, const tl_method *method,
                                const tl_value *arguments, size_t count) {
  if (!frame->error)
    return TL_INVALID_ARGUMENT;
  const tl_variant *only = NULL;
  int64_t candidates = 0;
  bool code = false;
  for (int64_t v = 0; v < method->variant_count; ++v) {
    code |= hasCode(frame->instance, &method->variants[v]);
    if (takesPart(frame->instance, &method->variants[v])) {
      only = &method->variants[v];
      ++candidates;
    }
  }
  tl_text text = {frame->error->message, sizeof frame->error->message, 0};
  tl_text_add(&text, "%s: ", method->name);
  if (candidates == 1) {
    int64_t score;
    matchVariant(only, arguments, count, frame->leaves, &score, &text);
    return TL_INVALID_ARGUMENT;
  }
  if (!code) {
    tl_text_add(&text, "not compiled for %s",
                frame->instance->opened ? frame->instance->opened->name : "the CPU");
    return TL_NO_DEVICE;
  }
  if (candidates == 0)
    tl_text_add(&text, "not compiled for the state that the instance is in");
  tl_text_add(&text, "%sno compiled variant takes (", candidates ? "" : "; ");
  for (size_t i = 0; i < count; ++i) {
    tl_text_add(&text, "%s", i ? ", " : "");
    tl_value_text(&text, &arguments[i]);
  }
  tl_text_add(&text, "); compiled:");
  for (int64_t v = 0; v < method->variant_count; ++v) {
    if (candidates && !takesPart(frame->instance, &method->variants[v]))
      continue;
    char line[512];
    tl_method_format(method, (size_t)v, line, sizeof line);
    tl_text_add(&text, "\n  %s", line);
  }
  return TL_INVALID_ARGUMENT;
}

/* The variant that matches most specifically, its leaves in frame->best_leaves. */
static tl_status choose(tl_call_frame *frame, const tl_method *method, const tl_value *arguments,
                        size_t count) {
  int64_t best = -1;
  for (int64_t v = 0; v < method->variant_count; ++v) {
    const tl_variant *variant = &method->variants[v];
    int64_t score;
    if (!takesPart(frame->instance, variant) ||
        !matchVariant(variant, arguments, count, frame->leaves, &score, NULL) || score <= best)
      continue;
    best = score;
    tl_leaf *leaves = frame->leaves;
    frame->leaves = frame->best_leaves;
    frame->best_leaves = leaves;
    frame->variant = variant;
    frame->plan = &frame->instance->plans[method - frame->instance->model->methods][v];
  }
  return best < 0 ? reportMismatch(frame, method, arguments, count) : TL_OK;
}

/* The argument that a leaf is of. */
static int argumentOf(const tl_call_frame *frame, int64_t leaf) {
  int argument = 0;
  for (int64_t end = 0; (end += tl_type_leaves(frame->variant->arguments[argument].type)) <= leaf;)
    ++argument;
  return argument;
}

/* Whether the tensors are where the call can take them. */
static tl_status checkPlaces(tl_call_frame *frame, const tl_method *method) {
  const tl_argument *arguments = frame->variant->arguments;
  for (int64_t i = 0; i < frame->plan->argument_leaf_count; ++i) {
    const tl_leaf *leaf = &frame->best_leaves[i];
    if (leaf->type->kind != TL_TENSOR)
      continue;
    const DLTensor *tensor = leaf->value->as.tensor.tensor;
    if (tl_tensor_place(frame->instance->opened, tensor) != TL_PLACE_ELSEWHERE)
      continue;
    int argument = argumentOf(frame, i);
    char why[256];
    tl_text text = {why, sizeof why, 0};
    tl_place_text(&text, frame->instance->opened, tensor);
    return tl_fail(frame->error, TL_INVALID_ARGUMENT, "%s: argument %d '%s': %s", method->name,
                   argument, arguments[argument].name, why);
  }
  return TL_OK;
}

/* Whether the tensors lie in memory as the variant needs them. */
static tl_status checkStrides(tl_call_frame *frame, const tl_method *method) {
  for (int64_t i = 0; frame->variant->contiguous && i < frame->plan->argument_leaf_count; ++i) {
    const tl_leaf *leaf = &frame->best_leaves[i];
    int argument = argumentOf(frame, i);
    if (leaf->type->kind == TL_TENSOR && !tl_tensor_contiguous(leaf->value->as.tensor.tensor))
      return tl_fail(frame->error, TL_INVALID_ARGUMENT,
                     "%s: argument %d '%s' is not contiguous, but has to be: the model asks how "
                     "its tensors lie "
                     "in memory (view, stride, is_contiguous, a write to a tensor and a reshaped "
                     "form of it), and "
                     "was compiled for arguments that are contiguous",
                     method->name, argument, frame->variant->arguments[argument].name);
  }
  return TL_OK;
}

/*===-- Binding operands ---------------------------------------------------===*/

static void bindLeaf(tl_call_frame *frame, const tl_leaf *leaf, int64_t index, tl_slot *slot) {
  const tl_value *value = leaf->value;
  switch (leaf->type->kind) {
  case TL_INT:
    slot->i = value->as.i;
    return;
  case TL_BOOL:
    slot->i = tl_value_bool(value);
    return;
  case TL_FLOAT:
    slot->f = value->kind == TL_FLOAT ? value->as.f : (double)value->as.i;
    return;
  default:
    break;
  }
  if (frame->device) {
    tl_device_bind(frame, leaf, index, slot);
    return;
  }
  const DLTensor *tensor = value->as.tensor.tensor;
  int64_t bytes = (int64_t)tl_dtype_bytes(leaf->type->dtype);
  /* Complex numbers are loaded as two halves. */
  int64_t alignment = leaf->type->dtype >= TL_COMPLEX64 ? bytes / 2 : bytes;
  slot->tensor.sizes = tensor->shape;
  slot->tensor.data = tl_tensor_data(tensor);
  int64_t total = tl_byte_count(tensor->ndim, tensor->shape, bytes);
  if (tl_tensor_contiguous(tensor) && (uintptr_t)slot->tensor.data % (uintptr_t)alignment == 0 &&
      (leaf->type->dtype != TL_I1 || tl_bools_clean(slot->tensor.data, total)))
    return;
  slot->tensor.data = tl_rt_alloc(&frame->frame, total);
  tl_tensor_gather(tensor, slot->tensor.data, (size_t)bytes);
  if (leaf->type->dtype == TL_I1)
    tl_bools_clear(slot->tensor.data, total);
}

static void bind(tl_call_frame *frame) {
  int64_t leaves = frame->plan->argument_leaf_count;
  for (int64_t i = 0; i < leaves; ++i)
    bindLeaf(frame, &frame->best_leaves[i], i, &frame->arguments[i]);
  for (int32_t i = 0; i < frame->variant->state_operand_count; ++i)
    frame->arguments[leaves + i] = frame->instance->state[frame->variant->state_operands[i]].value;
}

/*===-- Results ------------------------------------------------------------===*/

static bool isContainer(const tl_type *type) {
  return !type->fixed && !tl_type_is_any_list(type) && !tl_type_is_boxed(type) &&
         (type->kind == TL_LIST || type->kind == TL_TUPLE || type->kind == TL_DICT);
}
static bool isLeafType(const tl_type *type) { return !isContainer(type) && tl_type_leaves(type); }

/* Finds where the caller wants the leaves of the result; false where the structure differs. */
static bool collectGiven(const tl_type *type, tl_value *value, tl_result **results) {
  if (isContainer(type)) {
    if (value->kind != type->kind || value->as.items.count != (size_t)type->count ||
        (!value->as.items.data && type->count))
      return false;
    for (int64_t i = 0, e = tl_type_child_count(type); i < e; ++i)
      if (!collectGiven(&type->children[i], &value->as.items.data[i], results))
        return false;
    return true;
  }
  if (value->kind != TL_NONE && value->kind != type->kind)
    return false;
  if (isLeafType(type))
    (*results)++->given = value;
  return true;
}

bool tl_overlaps_argument(const tl_call_frame *frame, const char *data, int64_t bytes) {
  for (int64_t i = 0; i < frame->plan->argument_leaf_count; ++i) {
    const tl_type *type = frame->plan->argument_leaves[i];
    if (type->kind != TL_TENSOR)
      continue;
    const tl_slot *slot = &frame->arguments[i];
    int64_t size =
        tl_byte_count(type->count, slot->tensor.sizes, (int64_t)tl_dtype_bytes(type->dtype));
    const char *argument = slot->tensor.data;
    if (data < argument + size && argument < data + bytes)
      return true;
  }
  return false;
}

bool tl_result_fits(tl_call_frame *frame, int64_t index, int32_t dtype, int64_t rank,
                    const int64_t *sizes, int64_t bytes) {
  tl_result *result = &frame->results[index];
  const DLTensor *tensor = result->given->as.tensor.tensor;
  void *data = tensor ? tl_tensor_data(tensor) : NULL;
  bool here = tensor && tl_tensor_place(frame->instance->opened, tensor) != TL_PLACE_ELSEWHERE;
  bool sized = tensor && tensor->ndim == rank && (tensor->shape || !rank);
  bool fits = here && sized && !result->replaced && tl_tensor_dtype(tensor) == dtype &&
              tl_tensor_contiguous(tensor) && (data || !bytes) &&
              (uintptr_t)data % tl_dtype_bytes(dtype) == 0 &&
              (rank == 0 || memcmp(tensor->shape, sizes, (size_t)rank * sizeof *sizes) == 0);
  if (!fits && result->given->as.tensor.owner)
    return false;
  if (!fits) {
    char buffer[512];
    tl_text text = {buffer, sizeof buffer, 0};
    tl_type type = {TL_TENSOR, 0, dtype, (int32_t)rank, sizes, NULL, 0, NULL};
    tl_text_add(&text, "result %lld: expected a contiguous tensor ", (long long)index);
    tl_type_text(&text, &type);
    tl_text_add(&text, " to write to, got ");
    tl_value_text(&text, result->given);
    if (tensor && !here) {
      text.length = 0;
      tl_text_add(&text, "result %lld: ", (long long)index);
      tl_place_text(&text, frame->instance->opened, tensor);
    }
    tl_raise_text(frame, TL_INVALID_ARGUMENT, &text);
  }
  return fits;
}

/* Memory of the call for a result that is copied to its place when the call has succeeded. */
static void *stagedOutput(tl_call_frame *frame, tl_result *result, int64_t bytes) {
  result->staged_bytes = bytes;
  return result->staged = result->landed = tl_rt_alloc(&frame->frame, bytes);
}

void *tl_rt_output(tl_frame *it, int64_t index, int64_t rank, const int64_t *sizes,
                   int64_t element_bytes) {
  tl_call_frame *frame = it->runtime;
  if (frame->device)
    return tl_device_output(frame, index, rank, sizes, element_bytes);
  const tl_variant *variant = frame->variant;
  tl_result *result = &frame->results[index];
  int64_t bytes = tl_byte_count(rank, sizes, element_bytes);
  int64_t leaves = frame->plan->result_leaf_count;
  if (bytes < 0)
    tl_raise(frame, TL_OUT_OF_MEMORY, "out of memory for a result", NULL, 0);
  if (index < leaves) {
    int32_t dtype = frame->plan->result_leaves[index]->dtype;
    if (result->given && result->given->kind == TL_TENSOR &&
        tl_result_fits(frame, index, dtype, rank, sizes, bytes)) {
      void *data = tl_tensor_data(result->given->as.tensor.tensor);
      /* Written in place, the result would spoil an argument before it has been read. */
      return tl_overlaps_argument(frame, data, bytes) ? stagedOutput(frame, result, bytes) : data;
    }
    result->created = tl_tensor_create(dtype, rank, sizes);
    if (!result->created)
      tl_raise(frame, TL_OUT_OF_MEMORY, "out of memory for a result of {} bytes", &bytes, 1);
    return result->created->dl_tensor.data;
  }
  if (index < leaves + variant->change_count)
    return stagedOutput(frame, result, bytes);
  int32_t slot = variant->state_results[index - leaves - variant->change_count];
  void *data = tl_state_output(frame->instance, &frame->instance->state[slot], rank, sizes, bytes);
  if (!data)
    tl_raise(frame, TL_OUT_OF_MEMORY, "out of memory for {} bytes of state", &bytes, 1);
  frame->instance->state[slot].pending = true;
  return data;
}

static void setFixed(const tl_type *type, tl_value *value) {
  double f;
  switch (type->fixed == 1 ? type->kind : TL_NONE) {
  case TL_INT:
    *value = tl_int(type->bits);
    return;
  case TL_BOOL:
    *value = tl_bool(type->bits != 0);
    return;
  case TL_FLOAT:
    memcpy(&f, &type->bits, sizeof f);
    *value = tl_float(f);
    return;
  case TL_STRING:
    *value = tl_string(type->text);
    return;
  default:
    *value = tl_none();
  }
}

/* Hands one leaf over. The caller's own tensor has been written already. */
static void setLeaf(tl_call_frame *frame, const tl_type *type, int64_t index, tl_value *value) {
  tl_result *result = &frame->results[index];
  const tl_slot *slot = &frame->result_slots[index];
  if (tl_type_is_boxed(type)) {
    tl_value_clear(value);
    *value = result->boxed;
    result->boxed = tl_none();
    return;
  }
  switch (type->kind) {
  case TL_INT:
    *value = tl_int(slot->i);
    return;
  case TL_BOOL:
    *value = tl_bool(slot->i != 0);
    return;
  case TL_FLOAT:
    *value = tl_float(slot->f);
    return;
  default:
    break;
  }
  if (result->landed && result->staged_bytes)
    memcpy(result->created ? result->created->dl_tensor.data
                           : tl_tensor_data(value->as.tensor.tensor),
           result->landed, (size_t)result->staged_bytes);
  if (!result->created)
    return;
  if (tl_type_is_any_list(type)) {
    tl_list_set(type, result, value);
    return;
  }
  tl_value_clear(value);
  *value = tl_tensor(&result->created->dl_tensor);
  value->as.tensor.owner = result->created;
  result->created = NULL;
}

/* Builds the result's containers around leaves that are handed over later; false: no memory. */
static bool buildContainers(const tl_type *type, tl_value *value) {
  setFixed(type, value);
  if (!isContainer(type))
    return true;
  size_t children = (size_t)tl_type_child_count(type);
  tl_value *items = calloc(children ? children : 1, sizeof *items);
  if (!items)
    return false;
  *value = tl_items((tl_kind)type->kind, items, (size_t)type->count);
  value->owned = 1;
  for (size_t i = 0; i < children; ++i)
    if (!buildContainers(&type->children[i], &items[i]))
      return false;
  return true;
}

static void fill(tl_call_frame *frame, const tl_type *type, tl_value *value, int64_t *index) {
  if (isContainer(type)) {
    for (int64_t i = 0, e = tl_type_child_count(type); i < e; ++i)
      fill(frame, &type->children[i], &value->as.items.data[i], index);
  } else if (isLeafType(type)) {
    setLeaf(frame, type, (*index)++, value);
  } else {
    setFixed(type, value);
  }
}

/* Memory for lists of any length among the results; false: there is none. */
static bool prepareLists(tl_call_frame *frame) {
  for (int64_t i = 0; i < frame->plan->result_leaf_count; ++i) {
    const tl_type *type = frame->plan->result_leaves[i];
    if (tl_type_is_boxed(type) &&
        !tl_box_unwrap(type, frame->result_slots[i].i, &frame->results[i].boxed))
      return false;
    if (tl_type_is_any_list(type) && frame->results[i].created &&
        !tl_list_prepare(type, &frame->results[i]))
      return false;
  }
  return true;
}

/* The new state becomes visible. */
static void commitState(tl_call_frame *frame) {
  const tl_variant *variant = frame->variant;
  tl_instance *instance = frame->instance;
  int64_t first = frame->plan->result_leaf_count + variant->change_count;
  if (!variant->state_result_count &&
      (variant->state_out < 0 || variant->state_out == variant->state_in))
    return;                            /* others may be reading */
  pthread_mutex_lock(&instance->lock); /* no fork comes between */
  for (int32_t i = 0; i < variant->state_result_count; ++i) {
    tl_state_value *state = &instance->state[variant->state_results[i]];
    if (state->pending) {
      state->value = state->next;
      state->current = !state->current;
      state->pending = false;
    } else {
      state->value = frame->result_slots[first + i];
    }
  }
  if (variant->state_out >= 0)
    instance->state_signature = variant->state_out;
  pthread_mutex_unlock(&instance->lock);
}

static void commitChanges(tl_call_frame *frame) {
  const tl_variant *variant = frame->variant;
  for (int32_t i = 0; i < variant->change_count; ++i) {
    tl_result *result = &frame->results[frame->plan->result_leaf_count + i];
    const tl_leaf *leaf = &frame->best_leaves[variant->changes[i]];
    if (result->landed)
      tl_tensor_scatter(result->landed, leaf->value->as.tensor.tensor,
                        tl_dtype_bytes(leaf->type->dtype));
  }
}

/*===-- The call -----------------------------------------------------------===*/

/* Runs the chosen variant; nothing is visible outside until it has returned. */
static tl_status run(tl_call_frame *frame) {
  jmp_buf environment;
  frame->leave = &environment;
  if (_setjmp(environment))
    return frame->status;
  bind(frame);
  if (frame->device) {
    tl_device_run(frame);
    tl_device_collect(frame);
  } else {
    frame->variant->entry(&frame->frame);
  }
  return TL_OK;
}

static tl_status callInFrame(tl_call_frame *frame, const tl_method *method,
                             const tl_value *arguments, size_t count, tl_value *result) {
  tl_status status = choose(frame, method, arguments, count);
  if (!status)
    status = checkPlaces(frame, method);
  if (!status)
    status = checkStrides(frame, method);
  if (!status && frame->variant->change_count)
    status = tl_check_arguments_apart(frame, method);
  if (status)
    return status;
  const tl_variant *variant = frame->variant;
  int64_t slots =
      frame->plan->result_leaf_count + variant->change_count + variant->state_result_count;
  memset(frame->results, 0, (size_t)slots * sizeof *frame->results);
  frame->dropped = !result;
  bool given = result && result->kind != TL_NONE;
  if (given) {
    tl_result *at = frame->results;
    if (!collectGiven(variant->result, result, &at)) {
      char type[512];
      tl_type_format(variant->result, type, sizeof type);
      return tl_fail(frame->error, TL_INVALID_ARGUMENT,
                     "%s: the value given for the result has another structure than %s",
                     method->name, type);
    }
    if (frame->plan->result_leaf_count > 1 || variant->change_count)
      status = tl_check_results_apart(frame, method);
    if (status)
      return status;
  }
  status = run(frame);
  tl_value fresh = tl_none();
  tl_value *target = given ? result : &fresh;
  if (!status && result &&
      (!prepareLists(frame) || (!given && !buildContainers(variant->result, target)))) {
    if (!given)
      tl_value_clear(target);
    status =
        tl_fail(frame->error, TL_OUT_OF_MEMORY, "%s: out of memory for the result", method->name);
  }
  if (!status) {
    int64_t index = 0;
    /* Arguments first: where one is an earlier result, `result` may be what owns it. */
    commitChanges(frame);
    if (result)
      fill(frame, variant->result, target, &index);
    if (result && !given)
      *result = fresh;
    commitState(frame);
  }
  for (int64_t i = 0; i < slots; ++i) {
    tl_list_forget(&frame->results[i]);
    tl_value_clear(&frame->results[i].boxed);
    if (frame->results[i].created)
      frame->results[i].created->deleter(frame->results[i].created);
  }
  for (int32_t i = 0; status && i < variant->state_result_count; ++i)
    frame->instance->state[variant->state_results[i]].pending = false;
  tl_operators_release(frame);
  tl_memory_give_all(&frame->memory);
  tl_boxes_clear(&frame->boxes);
  if (frame->device)
    tl_device_finish(frame, status);
  return status;
}

static tl_status acquire(tl_instance *instance, tl_call_frame **result, tl_error *error) {
  pthread_mutex_lock(&instance->lock);
  tl_call_frame *frame = instance->frames;
  if (frame)
    instance->frames = frame->next;
  pthread_mutex_unlock(&instance->lock);
  *result = frame;
  return frame ? TL_OK : tl_frame_create(instance, result, error);
}

static void release(tl_call_frame *frame) {
  tl_instance *instance = frame->instance;
  pthread_mutex_lock(&instance->lock);
  frame->next = instance->frames;
  instance->frames = frame;
  pthread_mutex_unlock(&instance->lock);
}

/* What a method's variants do with the state: 0 nothing, 1 read, 2 write. */
static int stateUse(const tl_method *method) {
  int use = 0;
  for (int64_t v = 0; v < method->variant_count; ++v) {
    const tl_variant *variant = &method->variants[v];
    if (variant->state_result_count ||
        (variant->state_out >= 0 && variant->state_out != variant->state_in))
      return 2;
    if (variant->state_in >= 0)
      use = 1;
  }
  return use;
}

tl_status tl_call_here(tl_instance *instance, const char *name, const tl_value *arguments,
                       size_t count, tl_value *result, tl_error *error) {
  const tl_method *method = tl_model_find_method(instance->model, name);
  if (!method) {
    char names[512];
    tl_text text = {names, sizeof names, 0};
    names[0] = 0;
    for (int64_t i = 0; i < instance->model->method_count; ++i)
      tl_text_add(&text, "%s'%s'", i ? ", " : "", instance->model->methods[i].name);
    return tl_fail(error, TL_NOT_FOUND, "%s: no method '%s'; the model has %s",
                   instance->model->name, name, names);
  }
  tl_call_frame *frame;
  tl_status status = TL_OK;
  if (instance->callers_stream && instance->opened->backend->ready)
    status =
        instance->opened->backend->ready(instance->opened->device, instance->callers_stream, error);
  if (!status)
    status = acquire(instance, &frame, error);
  if (status)
    return status;
  frame->error = error;
  frame->region = NULL;
  int use = stateUse(method);
  if (use == 2)
    tl_lock_write(&instance->state_lock);
  else if (use == 1)
    tl_lock_read(&instance->state_lock);
  tl_float_environment environment = tl_float_default();
  status = callInFrame(frame, method, arguments, count, result);
  tl_float_restore(environment);
  if (use == 2)
    tl_unlock_write(&instance->state_lock);
  else if (use == 1)
    tl_unlock_read(&instance->state_lock);
  frame->error = NULL;
  release(frame);
  return status;
}
