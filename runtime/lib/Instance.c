/*===- Instance.c - Instances and the frames of their calls ------------------===*/
#include "Internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }

/* Computes what the descriptor leaves out, and the sizes that a frame needs. */
static bool plan(tl_instance *instance) {
  const tl_model *model = instance->model;
  instance->plans = calloc((size_t)model->method_count + 1, sizeof *instance->plans);
  for (int64_t m = 0; instance->plans && m < model->method_count; ++m) {
    const tl_method *method = &model->methods[m];
    instance->plans[m] = calloc((size_t)method->variant_count + 1, sizeof **instance->plans);
    if (!instance->plans[m])
      return false;
    for (int64_t v = 0; v < method->variant_count; ++v) {
      const tl_variant *variant = &method->variants[v];
      tl_plan *it = &instance->plans[m][v];
      for (int32_t a = 0; a < variant->argument_count; ++a)
        it->argument_leaf_count += tl_type_leaves(variant->arguments[a].type);
      it->result_leaf_count = tl_type_leaves(variant->result);
      it->argument_leaves = calloc((size_t)it->argument_leaf_count + 1, sizeof(tl_type *));
      it->result_leaves = calloc((size_t)it->result_leaf_count + 1, sizeof(tl_type *));
      if (!it->argument_leaves || !it->result_leaves)
        return false;
      const tl_type **at = it->argument_leaves;
      for (int32_t a = 0; a < variant->argument_count; ++a)
        at = tl_type_collect(variant->arguments[a].type, at);
      tl_type_collect(variant->result, it->result_leaves);
      instance->leaf_limit = max(instance->leaf_limit, it->argument_leaf_count);
      instance->operand_limit =
          max(instance->operand_limit, it->argument_leaf_count + variant->state_operand_count);
      instance->result_limit =
          max(instance->result_limit,
              it->result_leaf_count + variant->change_count + variant->state_result_count);
      const tl_device_code *code =
          instance->opened ? tl_opened_code(instance->opened, variant) : NULL;
      instance->arena_bytes = max(instance->arena_bytes, !instance->opened ? variant->arena_bytes
                                                         : code            ? code->arena_bytes
                                                                           : 0);
    }
  }
  return instance->plans != NULL;
}

static void destroyPlans(tl_instance *instance) {
  for (int64_t m = 0; instance->plans && m < instance->model->method_count; ++m) {
    for (int64_t v = 0; instance->plans[m] && v < instance->model->methods[m].variant_count; ++v) {
      free(instance->plans[m][v].argument_leaves);
      free(instance->plans[m][v].result_leaves);
    }
    free(instance->plans[m]);
  }
  free(instance->plans);
}

tl_status tl_instance_create_here(const tl_model *model, const tl_options *options,
                                  tl_instance **result, tl_error *error) {
  tl_opened *opened;
  tl_status status = tl_opened_create(model, options, &opened, error);
  if (status)
    return status;
  tl_instance *instance = calloc(1, sizeof *instance);
  if (!instance) {
    tl_opened_release(opened);
    return tl_fail(error, TL_OUT_OF_MEMORY, "%s: out of memory", model->name);
  }
  instance->model = model;
  instance->opened = opened;
  instance->callers_stream = opened && options ? options->stream : NULL;
  instance->results_on_device = opened && options && options->results_on_device;
  instance->threads = options && options->threads > 0 ? options->threads : model->threads;
  if (instance->threads <= 0)
    instance->threads = tl_processor_count();
  pthread_mutex_init(&instance->lock, NULL);
  pthread_mutex_init(&instance->generator_lock, NULL);
  tl_lock_init(&instance->state_lock);
  tl_fork_register(instance);
  tl_pool_retain(instance->threads);
  status = plan(instance) ? tl_state_create(instance, error)
                          : tl_fail(error, TL_OUT_OF_MEMORY, "%s: out of memory", model->name);
  if (!status)
    status = tl_frame_create(instance, &instance->frames, error);
  if (status) {
    tl_instance_destroy_here(instance);
    return status;
  }
  *result = instance;
  return TL_OK;
}

void tl_instance_destroy_here(tl_instance *instance) {
  tl_fork_unregister(instance);
  tl_pool_release();
  while (instance->frames) {
    tl_call_frame *frame = instance->frames;
    instance->frames = frame->next;
    tl_frame_destroy(frame);
  }
  tl_state_destroy(instance);
  destroyPlans(instance);
  tl_opened_forget_caller(instance->opened);
  tl_opened_release(instance->opened);
  tl_lock_destroy(&instance->state_lock);
  pthread_mutex_destroy(&instance->generator_lock);
  pthread_mutex_destroy(&instance->lock);
  free(instance);
}

tl_status tl_instance_reset_here(tl_instance *instance, tl_error *error) {
  tl_lock_write(&instance->state_lock);
  pthread_mutex_lock(&instance->lock);
  tl_status status = tl_state_reset(instance, error);
  pthread_mutex_unlock(&instance->lock);
  tl_unlock_write(&instance->state_lock);
  return status;
}

/* Scratch memory, touched so that no call has to. Large ones lie on large pages where there are. */
static void *createArena(int64_t bytes) {
  const size_t large = 2 << 20;
  void *arena = NULL;
  size_t alignment = (size_t)bytes >= 2 * large ? large : TL_ALIGNMENT;
  if (posix_memalign(&arena, alignment, bytes ? (size_t)bytes : 1))
    return NULL;
#ifdef MADV_HUGEPAGE
  if (alignment == large)
    madvise(arena, (size_t)bytes & ~(large - 1), MADV_HUGEPAGE);
#endif
  memset(arena, 0, (size_t)bytes);
  return arena;
}

static tl_status fail(const tl_instance *instance, tl_error *error) {
  return tl_fail(error, TL_OUT_OF_MEMORY, "%s: out of memory (a call needs %lld bytes)",
                 instance->model->name, (long long)instance->arena_bytes);
}

tl_status tl_frame_create(tl_instance *instance, tl_call_frame **result, tl_error *error) {
  *result = NULL;
  tl_call_frame *frame = calloc(1, sizeof *frame);
  if (!frame)
    return fail(instance, error);
  frame->instance = instance;
  frame->leaves = calloc((size_t)instance->leaf_limit + 1, sizeof(tl_leaf));
  frame->best_leaves = calloc((size_t)instance->leaf_limit + 1, sizeof(tl_leaf));
  frame->arguments = calloc((size_t)instance->operand_limit + 1, sizeof(tl_slot));
  frame->result_slots = calloc((size_t)instance->result_limit + 1, sizeof(tl_slot));
  frame->results = calloc((size_t)instance->result_limit + 1, sizeof(tl_result));
  frame->frame.args = frame->arguments;
  frame->frame.results = frame->result_slots;
  frame->frame.runtime = frame;
  tl_status status = TL_OK;
  if (!frame->leaves || !frame->best_leaves || !frame->arguments || !frame->result_slots ||
      !frame->results)
    status = fail(instance, error);
  else if (instance->opened)
    status = tl_device_frame_create(frame, error);
  else if (!(frame->frame.arena = createArena(instance->arena_bytes)))
    status = fail(instance, error);
  if (status)
    tl_frame_destroy(frame);
  else
    *result = frame;
  return status;
}

void tl_frame_destroy(tl_call_frame *frame) {
  if (frame->instance->opened)
    tl_device_frame_destroy(frame);
  else
    free(frame->frame.arena);
  tl_memory_destroy(&frame->memory);
  tl_boxes_destroy(&frame->boxes);
  free(frame->leaves);
  free(frame->best_leaves);
  free(frame->arguments);
  free(frame->result_slots);
  free(frame->results);
  free(frame);
}
