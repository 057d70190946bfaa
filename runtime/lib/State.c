/*===- State.c - What an instance keeps from call to call --------------------===*/
#include "Internal.h"

#include <stdlib.h>
#include <string.h>

static bool isTensor(const tl_type *type) { return type && type->kind == TL_TENSOR; }

static void freeBuffer(tl_instance *instance, void *buffer) {
  if (!instance->opened)
    free(buffer);
  else if (buffer)
    tl_opened_free(instance->opened, buffer);
}

static bool reserve(tl_instance *instance, tl_state_value *state, int buffer, int64_t bytes) {
  if (bytes <= state->capacities[buffer] && state->buffers[buffer])
    return true;
  void *memory =
      instance->opened ? tl_opened_alloc(instance->opened, bytes) : tl_aligned_alloc(bytes);
  if (!memory)
    return false;
  if (!instance->opened)
    memset(memory, 0, (size_t)bytes); /* touches the pages, so that the first call needn't */
  void *old = state->buffers[buffer];
  pthread_mutex_lock(&instance->lock); /* a forked child must not find half of it */
  state->buffers[buffer] = memory;
  state->capacities[buffer] = bytes;
  pthread_mutex_unlock(&instance->lock);
  freeBuffer(instance, old);
  return true;
}

static tl_status exhausted(tl_instance *instance, int64_t slot, int64_t bytes, tl_error *error) {
  const char *path = instance->model->slots[slot].path;
  char what[256];
  tl_text text = {what, sizeof what, 0};
  tl_text_add(&text, "the state '%s'", path);
  if (instance->opened)
    return tl_opened_exhausted(instance->opened, bytes, what, error);
  return tl_fail(error, TL_OUT_OF_MEMORY, "out of memory for %s", what);
}

/* On a device: copies the first value of a slot there. */
static tl_status uploadInitial(tl_instance *instance, int64_t index, tl_error *error) {
  const tl_state_slot *slot = &instance->model->slots[index];
  const tl_type *type = instance->model->state_count ? slot->types[0] : NULL;
  if (!instance->opened || !isTensor(type))
    return TL_OK;
  tl_state_value *state = &instance->state[index];
  int64_t bytes =
      tl_byte_count(type->count, slot->initial_sizes, (int64_t)tl_dtype_bytes(type->dtype));
  state->initial = tl_opened_alloc(instance->opened, bytes);
  if (!state->initial)
    return exhausted(instance, index, bytes, error);
  return tl_opened_upload(instance->opened, state->initial, slot->initial, bytes, error);
}

tl_status tl_state_create(tl_instance *instance, tl_error *error) {
  const tl_model *model = instance->model;
  if (!model->slot_count)
    return TL_OK;
  instance->state = calloc((size_t)model->slot_count, sizeof *instance->state);
  if (!instance->state)
    return tl_fail(error, TL_OUT_OF_MEMORY, "out of memory for the state");
  for (int64_t i = 0; i < model->slot_count; ++i) {
    tl_state_value *state = &instance->state[i];
    int64_t rank = 0, bytes = 0;
    for (int64_t s = 0; s < model->state_count; ++s) {
      const tl_type *type = model->slots[i].types[s];
      if (!isTensor(type))
        continue;
      rank = type->count > rank ? type->count : rank;
      int64_t size = tl_byte_count(type->count, type->dims, (int64_t)tl_dtype_bytes(type->dtype));
      bytes = size > bytes ? size : bytes; /* dynamic sizes count when they come */
    }
    for (int b = 0; b < 2; ++b) {
      state->sizes[b] = calloc((size_t)rank + 1, sizeof(int64_t));
      if (!state->sizes[b] || !reserve(instance, state, b, bytes))
        return exhausted(instance, i, bytes, error);
    }
    tl_status status = uploadInitial(instance, i, error);
    if (status)
      return status;
  }
  return tl_state_reset(instance, error);
}

tl_status tl_state_reset(tl_instance *instance, tl_error *error) {
  (void)error;
  const tl_model *model = instance->model;
  for (int64_t i = 0; i < model->slot_count; ++i) {
    const tl_state_slot *slot = &model->slots[i];
    tl_state_value *state = &instance->state[i];
    const tl_type *type = model->state_count ? slot->types[0] : NULL;
    memset(&state->value, 0, sizeof state->value);
    state->pending = false;
    if (isTensor(type)) {
      /* Compiled code never writes to its operands, so the constant itself serves. */
      state->value.tensor.data = instance->opened ? state->initial : (void *)slot->initial;
      state->value.tensor.sizes = slot->initial_sizes;
    } else if (slot->initial) {
      memcpy(&state->value, slot->initial, 8);
    }
  }
  instance->state_signature = 0;
  return TL_OK;
}

void tl_state_destroy(tl_instance *instance) {
  for (int64_t i = 0; instance->state && i < instance->model->slot_count; ++i) {
    if (instance->opened)
      freeBuffer(instance, instance->state[i].initial);
    for (int b = 0; b < 2; ++b) {
      free(instance->state[i].sizes[b]);
      freeBuffer(instance, instance->state[i].buffers[b]);
    }
  }
  free(instance->state);
}

void *tl_state_output(tl_instance *instance, tl_state_value *state, int64_t rank,
                      const int64_t *sizes, int64_t bytes) {
  int buffer = !state->current;
  if (bytes < 0 || !reserve(instance, state, buffer, bytes))
    return NULL;
  if (rank)
    memcpy(state->sizes[buffer], sizes, (size_t)rank * sizeof *sizes);
  state->next.tensor.data = state->buffers[buffer];
  state->next.tensor.sizes = state->sizes[buffer];
  return state->buffers[buffer];
}
