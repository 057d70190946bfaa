/*===- DeviceCall.c - Operands and results of calls on a device -----------------===*\
|*
|* Everything that a call does on the device is queued on one stream, so nothing has to be waited
for
|* in between. A call returns when the stream is done, except where the caller has given a stream
and
|* all tensors are on the device: then the caller's stream is the order, and an error of the device
|* comes out of a later call.
\*===----------------------------------------------------------------------===*/
#include "Internal.h"

#include <stdlib.h>
#include <string.h>

/* Tensors up to the limit go by way of the bounce buffer: for larger ones the driver's own way of
   copying in pieces is as fast. */
#define BOUNCE_BYTES (1 << 20)
#define BOUNCE_LIMIT (256 << 10)
/* What kernels rely on; see ABI.h. */
#define OPERAND_ALIGNMENT 16

/*===-- Frames -------------------------------------------------------------===*/

tl_status tl_device_frame_create(tl_call_frame *frame, tl_error *error) {
  tl_instance *instance = frame->instance;
  tl_opened *opened = instance->opened;
  tl_device_frame *device = frame->device = calloc(1, sizeof *device);
  if (!device)
    return tl_fail(error, TL_OUT_OF_MEMORY, "%s: out of memory", instance->model->name);
  device->opened = opened;
  device->backend = opened->backend;
  device->arguments = calloc((size_t)instance->leaf_limit + 1, sizeof *device->arguments);
  device->results = calloc((size_t)instance->result_limit + 1, sizeof *device->results);
  if (!device->arguments || !device->results)
    return tl_fail(error, TL_OUT_OF_MEMORY, "%s: out of memory", instance->model->name);
  tl_status status = device->backend->stream_create(opened->device, instance->callers_stream,
                                                    &device->stream, error);
  if (status)
    return status;
  frame->memory.backend = device->backend;
  frame->memory.stream = device->stream;
  frame->frame.weights = device->backend->weights(opened->device);
  if (device->backend->host_alloc)
    device->bounce = device->backend->host_alloc(opened->device, BOUNCE_BYTES);
  int64_t bytes = instance->arena_bytes ? instance->arena_bytes : 1;
  frame->frame.arena = device->backend->alloc(device->stream, bytes);
  if (!frame->frame.arena)
    return tl_opened_exhausted(opened, bytes, "the intermediate tensors of a call", error);
  return TL_OK;
}

void tl_device_frame_destroy(tl_call_frame *frame) {
  tl_device_frame *device = frame->device;
  if (!device)
    return;
  const tl_gpu_backend *backend = device->backend;
  if (device->stream) {
    backend->synchronize(device->stream, NULL);
    tl_replays_destroy(frame);
    for (int64_t i = 0; i < frame->instance->leaf_limit; ++i)
      if (device->arguments[i].data)
        backend->free(device->stream, device->arguments[i].data);
    for (int64_t i = 0; i < frame->instance->result_limit; ++i)
      if (device->results[i].data)
        backend->free(device->stream, device->results[i].data);
    if (frame->frame.arena)
      backend->free(device->stream, frame->frame.arena);
    tl_memory_destroy(&frame->memory);
    backend->stream_destroy(device->stream);
  }
  if (device->bounce)
    backend->host_free(device->opened->device, device->bounce);
  tl_memory_destroy(&device->staging);
  free(device->arguments);
  free(device->results);
  free(device);
  frame->device = NULL;
}

/*===-- Memory and copies --------------------------------------------------===*/

__attribute__((noreturn)) static void leave(tl_call_frame *frame, tl_status status) {
  frame->status = status;
  tl_frame_leave(frame);
}

static void copy(tl_call_frame *frame, void *to, const void *from, int64_t bytes, int kind) {
  tl_device_frame *device = frame->device;
  if (!bytes || to == from)
    return;
  device->queued = true;
  device->empty = false;
  device->waits |= kind != TL_COPY_ON_DEVICE;
  tl_status status = device->backend->copy(device->stream, to, from, bytes, kind, frame->error);
  if (status)
    leave(frame, status);
}

static void synchronize(tl_call_frame *frame) {
  tl_device_frame *device = frame->device;
  tl_status status = device->backend->synchronize(device->stream, frame->error);
  if (status)
    leave(frame, status);
  device->queued = device->waits = false;
}

static char *reserve(tl_call_frame *frame, tl_buffer *buffer, int64_t bytes, const char *what) {
  tl_device_frame *device = frame->device;
  if (buffer->data && buffer->bytes >= bytes)
    return buffer->data;
  if (buffer->data)
    device->backend->free(device->stream, buffer->data);
  buffer->bytes = bytes ? bytes : 1;
  buffer->data = device->backend->alloc(device->stream, buffer->bytes);
  if (!buffer->data)
    leave(frame, tl_opened_exhausted(device->opened, bytes, what, frame->error));
  return buffer->data;
}

/* Memory in the bounce buffer until the call ends, or null. */
static char *bounce(tl_device_frame *device, int64_t bytes) {
  int64_t at = device->bounce_used;
  if (!device->bounce || bytes > BOUNCE_LIMIT || at + bytes > BOUNCE_BYTES)
    return NULL;
  device->bounce_used += (bytes + TL_ALIGNMENT - 1) & -(int64_t)TL_ALIGNMENT;
  return device->bounce + at;
}

/* Host memory until the call ends. */
static char *stage(tl_call_frame *frame, int64_t bytes) {
  char *memory = bounce(frame->device, bytes);
  if (!memory)
    memory = tl_memory_take(&frame->device->staging, bytes);
  if (!memory)
    tl_raise(frame, TL_OUT_OF_MEMORY, "out of memory for a copy of {} bytes", &bytes, 1);
  return memory;
}

/* Queues the copy of a strided tensor on the device to contiguous memory there, or back. */
static void copyStrided(tl_call_frame *frame, void *contiguous, const DLTensor *tensor,
                        int32_t dtype, bool scatters) {
  tl_device_frame *device = frame->device;
  tl_strided view = {tl_tensor_data(tensor),         tensor->ndim,  dtype == TL_I1 && !scatters,
                     (int64_t)tl_dtype_bytes(dtype), tensor->shape, tensor->strides};
  device->queued = true;
  tl_status status =
      device->backend->copy_strided(device->stream, contiguous, &view, scatters, frame->error);
  if (status)
    leave(frame, status);
}

/*===-- Operands -----------------------------------------------------------===*/

static bool onDevice(const tl_call_frame *frame, const DLTensor *tensor) {
  return tl_tensor_place(frame->device->opened, tensor) == TL_PLACE_DEVICE;
}

void tl_device_bind(tl_call_frame *frame, const tl_leaf *leaf, int64_t index, tl_slot *slot) {
  const DLTensor *tensor = leaf->value->as.tensor.tensor;
  int64_t element = (int64_t)tl_dtype_bytes(leaf->type->dtype);
  int64_t bytes = tl_byte_count(tensor->ndim, tensor->shape, element);
  bool contiguous = tl_tensor_contiguous(tensor), here = onDevice(frame, tensor);
  char *data = tl_tensor_data(tensor);
  slot->tensor.sizes = tensor->shape;
  if (here && contiguous && data && (uintptr_t)data % OPERAND_ALIGNMENT == 0) {
    slot->tensor.data = data;
    return;
  }
  char *to = reserve(frame, &frame->device->arguments[index], bytes, "an argument");
  slot->tensor.data = to;
  if (!bytes)
    return;
  if (here && contiguous) {
    copy(frame, to, data, bytes, TL_COPY_ON_DEVICE);
    return;
  }
  if (here && !contiguous) {
    copyStrided(frame, to, tensor, leaf->type->dtype, /*scatters=*/false);
    return;
  }
  if (!contiguous) {
    data = stage(frame, bytes);
    tl_tensor_gather(tensor, data, (size_t)element);
    if (leaf->type->dtype == TL_I1)
      tl_bools_clear(data, bytes);
  } else if (!here && leaf->type->dtype == TL_I1 && !tl_bools_clean(data, bytes)) {
    data = memcpy(stage(frame, bytes), data, (size_t)bytes);
    tl_bools_clear(data, bytes);
  } else if (tensor->device.device_type == kDLCPU) {
    char *fast = bounce(frame->device, bytes);
    if (fast)
      data = memcpy(fast, data, (size_t)bytes);
  }
  copy(frame, to, data, bytes, TL_COPY_TO_DEVICE);
}

/*===-- Results ------------------------------------------------------------===*/

static void *stagedOutput(tl_call_frame *frame, int64_t index, int64_t bytes) {
  tl_result *result = &frame->results[index];
  result->staged_bytes = bytes;
  return result->staged = reserve(frame, &frame->device->results[index], bytes, "a result");
}

static void *stateOutput(tl_call_frame *frame, int32_t slot, int64_t rank, const int64_t *sizes,
                         int64_t bytes) {
  tl_instance *instance = frame->instance;
  void *data = tl_state_output(instance, &instance->state[slot], rank, sizes, bytes);
  if (!data)
    leave(frame, tl_opened_exhausted(frame->device->opened, bytes, "the state", frame->error));
  instance->state[slot].pending = true;
  return data;
}

/* Where kernels write a result of the call. Its address stays the same from call to call as far as
   possible, which lets calls be replayed; so what the caller does not give is copied at the end. */
static void *leafOutput(tl_call_frame *frame, int64_t index, int64_t rank, const int64_t *sizes,
                        int64_t bytes) {
  tl_device_frame *device = frame->device;
  tl_result *result = &frame->results[index];
  int32_t dtype = frame->plan->result_leaves[index]->dtype;
  if (frame->dropped)
    return stagedOutput(frame, index, bytes);
  if (result->given && result->given->kind == TL_TENSOR &&
      tl_result_fits(frame, index, dtype, rank, sizes, bytes)) {
    const DLTensor *tensor = result->given->as.tensor.tensor;
    char *data = tl_tensor_data(tensor);
    bool direct = onDevice(frame, tensor) && data && (uintptr_t)data % OPERAND_ALIGNMENT == 0 &&
                  !tl_overlaps_argument(frame, data, bytes);
    return direct ? data : stagedOutput(frame, index, bytes);
  }
  /* Numbers of a list are read by the host. */
  const tl_type *type = frame->plan->result_leaves[index];
  bool numbers = tl_type_is_any_list(type) && type->children->kind != TL_TENSOR;
  bool stays = frame->instance->results_on_device && device->backend->device_type && !numbers;
  result->created = stays ? tl_opened_tensor(device->opened, dtype, rank, sizes)
                          : tl_tensor_create(dtype, rank, sizes);
  if (!result->created && stays)
    leave(frame, tl_opened_exhausted(device->opened, bytes, "a result", frame->error));
  if (!result->created)
    tl_raise(frame, TL_OUT_OF_MEMORY, "out of memory for a result of {} bytes", &bytes, 1);
  if (stays && !tl_opened_code(device->opened, frame->variant)->replayable)
    return result->created->dl_tensor.data;
  return stagedOutput(frame, index, bytes);
}

void *tl_device_output(tl_call_frame *frame, int64_t index, int64_t rank, const int64_t *sizes,
                       int64_t element_bytes) {
  tl_device_frame *device = frame->device;
  if (device->assigned) {
    void *answer = tl_replay_answer(device->assigned, index, rank, sizes);
    if (answer)
      return answer;
    /* Its shapes are not static after all. */
    device->dynamic = true;
    tl_result *result = &frame->results[index];
    if (result->created)
      result->created->deleter(result->created);
    result->created = NULL;
    result->staged = NULL;
    result->staged_bytes = 0;
  }
  int64_t bytes = tl_byte_count(rank, sizes, element_bytes);
  int64_t leaves = frame->plan->result_leaf_count;
  int32_t changes = frame->variant->change_count;
  if (bytes < 0)
    tl_raise(frame, TL_OUT_OF_MEMORY, "out of memory for a result", NULL, 0);
  void *data = index < leaves ? leafOutput(frame, index, rank, sizes, bytes)
               : index < leaves + changes
                   ? stagedOutput(frame, index, bytes)
                   : stateOutput(frame, frame->variant->state_results[index - leaves - changes],
                                 rank, sizes, bytes);
  if (device->noting)
    tl_replay_note(device->noting, index, rank, sizes, element_bytes, data);
  return data;
}

/* Queues the copy of a result to its tensor, which is contiguous. */
static void deliver(tl_call_frame *frame, tl_result *result) {
  const DLTensor *tensor = result->created ? &result->created->dl_tensor
                           : result->given && result->given->kind == TL_TENSOR
                               ? result->given->as.tensor.tensor
                               : NULL;
  if (!tensor)
    return;
  char *to = tl_tensor_data(tensor);
  if (onDevice(frame, tensor)) {
    copy(frame, to, result->staged, result->staged_bytes, TL_COPY_ON_DEVICE);
    return;
  }
  if (tensor->device.device_type == kDLCPU)
    result->landed = bounce(frame->device, result->staged_bytes);
  copy(frame, result->landed ? result->landed : to, result->staged, result->staged_bytes,
       TL_COPY_TO_HOST);
}

/* Queues the copy of a changed argument; one in host memory is written only when the call has
   succeeded. */
static void deliverChange(tl_call_frame *frame, tl_result *result, const tl_leaf *leaf) {
  const DLTensor *tensor = leaf->value->as.tensor.tensor;
  int64_t bytes = result->staged_bytes;
  if (onDevice(frame, tensor) && tl_tensor_contiguous(tensor)) {
    copy(frame, tl_tensor_data(tensor), result->staged, bytes, TL_COPY_ON_DEVICE);
    return;
  }
  if (onDevice(frame, tensor)) {
    copyStrided(frame, result->staged, tensor, leaf->type->dtype, /*scatters=*/true);
    return;
  }
  result->landed = stage(frame, bytes);
  copy(frame, result->landed, result->staged, bytes, TL_COPY_TO_HOST);
}

void tl_device_collect(tl_call_frame *frame) {
  tl_device_frame *device = frame->device;
  int64_t leaves = frame->plan->result_leaf_count;
  for (int64_t i = 0; i < leaves; ++i)
    if (frame->results[i].staged_bytes && !frame->dropped)
      deliver(frame, &frame->results[i]);
  for (int32_t i = 0; i < frame->variant->change_count; ++i)
    if (frame->results[leaves + i].staged_bytes)
      deliverChange(frame, &frame->results[leaves + i],
                    &frame->best_leaves[frame->variant->changes[i]]);
  if (device->waits || (device->queued && !frame->instance->callers_stream))
    synchronize(frame);
}

void tl_device_finish(tl_call_frame *frame, tl_status status) {
  tl_device_frame *device = frame->device;
  /* Nothing that a failed call has queued may touch the caller's memory later. */
  if (status)
    device->backend->synchronize(device->stream, NULL);
  device->queued = device->waits = device->dynamic = false;
  device->noting = device->assigned = NULL;
  device->bounce_used = 0;
  tl_memory_give_all(&device->staging);
}

/*===-- Called by compiled code --------------------------------------------===*/

void tl_rt_launch(tl_frame *it, int32_t kernel, const int64_t grid[3], const int64_t block[3],
                  int64_t shared_bytes, void **params) {
  tl_call_frame *frame = it->runtime;
  tl_device_frame *device = frame->device;
  if (grid[0] == 0 || grid[1] == 0 || grid[2] == 0)
    return;
  device->queued = true;
  device->empty = false;
  tl_status status = device->backend->launch(device->stream, kernel, grid, block, shared_bytes,
                                             params, frame->error);
  if (status)
    leave(frame, status);
}

void tl_rt_copy(tl_frame *it, void *to, const void *from, int64_t bytes) {
  copy(it->runtime, to, from, bytes, TL_COPY_ON_DEVICE);
}

void tl_rt_read(tl_frame *it, void *to, const void *from, int64_t bytes) {
  tl_call_frame *frame = it->runtime;
  if (frame->device->recording)
    tl_replay_read(frame, to, from, bytes);
  else
    tl_device_read(frame, to, from, bytes);
}

void tl_device_write(tl_call_frame *frame, void *to, const void *from, int64_t bytes) {
  copy(frame, to, from, bytes, TL_COPY_TO_DEVICE);
  synchronize(frame);
}

void tl_device_refuse_recording(tl_call_frame *frame) {
  frame->device->dynamic = true;
  if (frame->device->recording)
    tl_frame_leave(frame);
}

void tl_device_read(tl_call_frame *frame, void *to, const void *from, int64_t bytes) {
  tl_device_frame *device = frame->device;
  int64_t used = device->bounce_used;
  char *fast = bounce(device, bytes);
  copy(frame, fast ? fast : to, from, bytes, TL_COPY_TO_HOST);
  synchronize(frame);
  if (fast)
    memcpy(to, fast, (size_t)bytes);
  device->bounce_used = used;
}
