/*===- Device.c - The device that an instance runs on ---------------------------===*/
#include "Internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tensor that calls return, with what else there is to know until its memory serves others. */
typedef struct tl_device_tensor {
  DLManagedTensor tensor;
  struct tl_device_tensor *next;
  void **streams; /* of others that use it (tl_tensor_order) */
  int64_t stream_count;
} tl_device_tensor;

/* Those that were opened with a stream of the caller, on which anything may be pending. */
static pthread_mutex_t callers_lock = PTHREAD_MUTEX_INITIALIZER;
static tl_opened *callers;

/*===-- Which device -------------------------------------------------------===*/

static const tl_gpu_backend *findBackend(const tl_gpu_code *code, const char *name) {
  for (int i = 0; code && code->backends && code->backends[i]; ++i)
    if (strcmp(code->backends[i]->name, name) == 0)
      return code->backends[i];
  return NULL;
}

static bool hasProcessorCode(const tl_model *model) {
  for (int64_t m = 0; m < model->method_count; ++m)
    for (int64_t v = 0; v < model->methods[m].variant_count; ++v)
      if (model->methods[m].variants[v].entry)
        return true;
  return !model->gpu;
}

static const tl_gpu_backend *findDevice(const tl_model *model, int32_t device) {
  const tl_gpu_code *code = model->gpu;
  bool compiled = false;
  for (int32_t i = 0; code && i < code->set_count; ++i)
    compiled |= device == TL_DEVICE_CUDA       ? code->sets[i].image_count > 0
                : device == TL_DEVICE_EMULATED ? code->sets[i].emulated != NULL
                                               : false;
  return compiled ? findBackend(code, device == TL_DEVICE_CUDA ? "cuda" : "emulated") : NULL;
}

static const char *const device_names[] = {"default", "cpu", "cuda", "emulated"};

/* The kinds that a library has code for: "cpu, cuda". */
static void addTargets(tl_text *text, const tl_model *model, const char *separator) {
  const char *between = "";
  for (int32_t device = TL_DEVICE_CPU; device <= TL_DEVICE_EMULATED; ++device)
    if (device == TL_DEVICE_CPU ? hasProcessorCode(model) : findDevice(model, device) != NULL) {
      tl_text_add(text, "%s%s", between, device_names[device]);
      between = separator;
    }
}

static tl_status missingTarget(const tl_model *model, int32_t device, tl_error *error) {
  char has[64] = "", list[64] = "";
  tl_text text = {has, sizeof has, 0}, targets = {list, sizeof list, 0};
  addTargets(&text, model, ", ");
  addTargets(&targets, model, ",");
  if (!has[0])
    return tl_fail(error, TL_NO_DEVICE, "%s: holds no code; compile it with --target=%s",
                   model->name, device_names[device]);
  return tl_fail(error, TL_NO_DEVICE,
                 "%s: compiled for %s, not for %s; compile it with --target=%s,%s, or run it on %s",
                 model->name, has, device_names[device], list, device_names[device], has);
}

tl_status tl_opened_create(const tl_model *model, const tl_options *options, tl_opened **result,
                           tl_error *error) {
  *result = NULL;
  int32_t device = options ? options->device : TL_DEVICE_DEFAULT;
  int32_t id = options ? options->device_id : 0;
  void *stream = options ? options->stream : NULL;
  if (device < TL_DEVICE_DEFAULT || device > TL_DEVICE_EMULATED)
    return tl_fail(error, TL_INVALID_ARGUMENT, "%s: %d is no kind of device", model->name,
                   (int)device);
  if (device == TL_DEVICE_DEFAULT)
    device = hasProcessorCode(model)             ? TL_DEVICE_CPU
             : findDevice(model, TL_DEVICE_CUDA) ? TL_DEVICE_CUDA
                                                 : TL_DEVICE_EMULATED;
  const tl_gpu_backend *backend = findDevice(model, device);
  if (device == TL_DEVICE_CPU ? !hasProcessorCode(model) : !backend)
    return missingTarget(model, device, error);
  if (device != TL_DEVICE_CUDA && id)
    return tl_fail(error, TL_NO_DEVICE, "%s: there is no device %s:%d, only %s", model->name,
                   device_names[device], (int)id, device_names[device]);
  if (device != TL_DEVICE_CUDA && stream)
    return tl_fail(error, TL_INVALID_ARGUMENT, "%s: a stream is given, but %s has none",
                   model->name, device_names[device]);
  if (device == TL_DEVICE_CPU)
    return TL_OK;
  tl_opened *opened = calloc(1, sizeof *opened);
  if (!opened)
    return tl_fail(error, TL_OUT_OF_MEMORY, "%s: out of memory", model->name);
  atomic_init(&opened->references, 1);
  opened->backend = backend;
  opened->id = id;
  if (device == TL_DEVICE_CUDA)
    snprintf(opened->name, sizeof opened->name, "cuda:%d", (int)id);
  else
    snprintf(opened->name, sizeof opened->name, "%s", device_names[device]);
  pthread_mutex_init(&opened->lock, NULL);
  tl_status status = backend->open(model->gpu, id, &opened->device, error);
  if (!status) {
    opened->set = backend->set(opened->device);
    status = backend->stream_create(opened->device, NULL, &opened->stream, error);
  }
  if (!status && stream)
    status = backend->stream_create(opened->device, stream, &opened->caller, error);
  if (opened->caller) {
    opened->callers_stream = stream;
    pthread_mutex_lock(&callers_lock);
    opened->next = callers;
    callers = opened;
    pthread_mutex_unlock(&callers_lock);
  }
  opened->memory.backend = backend;
  opened->memory.stream = opened->stream;
  if (status) {
    tl_opened_release(opened);
    return status;
  }
  *result = opened;
  return TL_OK;
}

void tl_opened_forget_caller(tl_opened *opened) {
  if (!opened)
    return;
  pthread_mutex_lock(&callers_lock);
  for (tl_opened **at = &callers; *at; at = &(*at)->next)
    if (*at == opened) {
      *at = opened->next;
      break;
    }
  pthread_mutex_unlock(&callers_lock);
  pthread_mutex_lock(&opened->lock);
  if (opened->caller)
    opened->backend->stream_destroy(opened->caller); /* waits: results are ready from now on */
  opened->caller = NULL;
  pthread_mutex_unlock(&opened->lock);
}

static void destroyTensor(tl_device_tensor *it) {
  free(it->streams);
  free(it);
}

void tl_opened_release(tl_opened *opened) {
  if (!opened || atomic_fetch_sub(&opened->references, 1) > 1)
    return;
  tl_opened_forget_caller(opened);
  while (opened->held) {
    tl_device_tensor *it = opened->held;
    opened->held = it->next;
    destroyTensor(it);
  }
  if (opened->stream) {
    tl_memory_destroy(&opened->memory);
    opened->backend->stream_destroy(opened->stream);
  }
  if (opened->device)
    opened->backend->close(opened->device);
  pthread_mutex_destroy(&opened->lock);
  free(opened);
}

const tl_device_code *tl_opened_code(const tl_opened *opened, const tl_variant *variant) {
  const tl_device_code *code = variant->device ? &variant->device[opened->set] : NULL;
  return code && code->entry ? code : NULL;
}

/*===-- Memory that outlives calls -----------------------------------------===*/

/* What is queued on the stream for memory from now on comes after all that may use memory of the
   device: calls on streams of callers, and `streams` of others. (A call on a stream of its own has
   waited for it.) False: that cannot be said now. */
static bool followUsers(tl_opened *opened, void *const *streams, int64_t count) {
  const tl_gpu_backend *backend = opened->backend;
  bool follows = true;
  if (!backend->follow)
    return true;
  pthread_mutex_lock(&callers_lock);
  for (tl_opened *it = callers; it && follows; it = it->next)
    if (it->backend == backend && it->id == opened->id)
      follows = backend->follow(opened->stream, it->callers_stream);
  pthread_mutex_unlock(&callers_lock);
  for (int64_t i = 0; i < count && follows; ++i)
    follows = backend->follow(opened->stream, streams[i]);
  return follows;
}

/* Gives back what tensors that have been deleted had, as far as possible. */
static void reclaim(tl_opened *opened) {
  for (tl_device_tensor **at = &opened->held; *at;) {
    tl_device_tensor *it = *at;
    if (!followUsers(opened, it->streams, it->stream_count)) {
      at = &it->next;
      continue;
    }
    *at = it->next;
    tl_memory_give(&opened->memory, it->tensor.dl_tensor.data);
    destroyTensor(it);
  }
}

void *tl_opened_alloc(tl_opened *opened, int64_t bytes) {
  const tl_gpu_backend *backend = opened->backend;
  pthread_mutex_lock(&opened->lock);
  reclaim(opened);
  void *memory = tl_memory_take(&opened->memory, bytes);
  bool ordered = memory && opened->caller && backend->order &&
                 backend->order(opened->stream, opened->callers_stream, NULL) == TL_OK;
  pthread_mutex_unlock(&opened->lock);
  if (!memory || ordered)
    return memory;
  /* Only then may other streams use it. Nobody who frees memory meanwhile waits. */
  if (backend->synchronize(opened->stream, NULL) == TL_OK)
    return memory;
  pthread_mutex_lock(&opened->lock);
  tl_memory_give(&opened->memory, memory);
  pthread_mutex_unlock(&opened->lock);
  return NULL;
}

void tl_opened_free(tl_opened *opened, void *memory) {
  pthread_mutex_lock(&opened->lock);
  /* What may still be in use is kept until the device is closed. */
  if (followUsers(opened, NULL, 0))
    tl_memory_give(&opened->memory, memory);
  pthread_mutex_unlock(&opened->lock);
}

tl_status tl_opened_upload(tl_opened *opened, void *to, const void *from, int64_t bytes,
                           tl_error *error) {
  if (!bytes)
    return TL_OK;
  pthread_mutex_lock(&opened->lock);
  tl_status status =
      opened->backend->copy(opened->stream, to, from, bytes, TL_COPY_TO_DEVICE, error);
  if (!status)
    status = opened->backend->synchronize(opened->stream, error);
  pthread_mutex_unlock(&opened->lock);
  return status;
}

tl_status tl_opened_exhausted(tl_opened *opened, int64_t bytes, const char *what, tl_error *error) {
  int64_t unused = 0, total = 0;
  /* A device that has failed gives no memory either. */
  pthread_mutex_lock(&opened->lock);
  tl_status status = opened->backend->synchronize(opened->stream, error);
  pthread_mutex_unlock(&opened->lock);
  if (status)
    return status;
  if (opened->backend->memory_info)
    opened->backend->memory_info(opened->device, &unused, &total);
  if (total)
    return tl_fail(error, TL_OUT_OF_MEMORY,
                   "%s: out of memory for %s of %lld bytes; %lld of its %lld bytes are free",
                   opened->name, what, (long long)bytes, (long long)unused, (long long)total);
  return tl_fail(error, TL_OUT_OF_MEMORY, "%s: out of memory for %s of %lld bytes", opened->name,
                 what, (long long)bytes);
}

/*===-- Tensors ------------------------------------------------------------===*/

static void deleteTensor(DLManagedTensor *tensor) {
  tl_device_tensor *it = (tl_device_tensor *)tensor;
  tl_opened *opened = tensor->manager_ctx;
  pthread_mutex_lock(&opened->lock);
  it->next = opened->held;
  opened->held = it;
  reclaim(opened);
  pthread_mutex_unlock(&opened->lock);
  tl_opened_release(opened);
}

/* The tensor's memory may be used on `stream` from now on. */
static bool noteStream(tl_device_tensor *it, void *stream) {
  for (int64_t i = 0; i < it->stream_count; ++i)
    if (it->streams[i] == stream)
      return true;
  void **more = realloc(it->streams, (size_t)(it->stream_count + 1) * sizeof *more);
  if (!more)
    return false;
  it->streams = more;
  it->streams[it->stream_count++] = stream;
  return true;
}

tl_status tl_tensor_order(DLManagedTensor *tensor, void *stream, tl_error *error) {
  if (!tensor)
    return tl_fail(error, TL_INVALID_ARGUMENT, "tl_tensor_order: no tensor");
  if (tensor->deleter != deleteTensor) /* in the processor's memory */
    return TL_OK;
  tl_opened *opened = tensor->manager_ctx;
  tl_status status = TL_OK;
  pthread_mutex_lock(&opened->lock);
  if (opened->backend->follow && !noteStream((tl_device_tensor *)tensor, stream))
    status = tl_fail(error, TL_OUT_OF_MEMORY, "tl_tensor_order: out of memory");
  if (!status && opened->caller && opened->backend->order)
    status = opened->backend->order(opened->caller, stream, error);
  pthread_mutex_unlock(&opened->lock);
  return status;
}

DLManagedTensor *tl_opened_tensor(tl_opened *opened, int32_t dtype, int64_t rank,
                                  const int64_t *sizes) {
  int64_t bytes = tl_byte_count(rank, sizes, (int64_t)tl_dtype_bytes(dtype));
  /* One block: the tensor, its sizes and strides. */
  tl_device_tensor *it = calloc(1, sizeof *it + 2 * (size_t)rank * sizeof(int64_t));
  void *data = it ? tl_opened_alloc(opened, bytes) : NULL;
  if (!data) {
    free(it);
    return NULL;
  }
  int64_t *shape = (int64_t *)(it + 1);
  int64_t stride = 1;
  for (int64_t i = rank - 1; i >= 0; --i) {
    shape[i] = sizes[i];
    shape[rank + i] = stride;
    stride *= sizes[i] ? sizes[i] : 1;
  }
  DLManagedTensor *tensor = &it->tensor;
  tensor->dl_tensor = tl_dltensor(data, (tl_dtype)dtype, (int32_t)rank, shape);
  tensor->dl_tensor.strides = shape + rank;
  tensor->dl_tensor.device.device_type = opened->backend->device_type;
  tensor->dl_tensor.device.device_id = opened->id;
  tensor->manager_ctx = opened;
  tensor->deleter = deleteTensor;
  atomic_fetch_add(&opened->references, 1);
  return tensor;
}

tl_place tl_tensor_place(const tl_opened *opened, const DLTensor *tensor) {
  int32_t type = (int32_t)tensor->device.device_type;
  bool cuda = opened && opened->backend->device_type == kDLCUDA;
  if (cuda && type == kDLCUDA)
    return tensor->device.device_id == opened->id ? TL_PLACE_DEVICE : TL_PLACE_ELSEWHERE;
  if (cuda && type == kDLCUDAManaged) /* every device and the processor reach it */
    return TL_PLACE_DEVICE;
  return type == kDLCPU || type == kDLCUDAHost || type == kDLCUDAManaged ? TL_PLACE_HOST
                                                                         : TL_PLACE_ELSEWHERE;
}

void tl_place_text(tl_text *text, const tl_opened *opened, const DLTensor *tensor) {
  tl_text_add(text, "expected a tensor ");
  if (opened && opened->backend->device_type)
    tl_text_add(text, "on %s or ", opened->name);
  tl_text_add(text, "in the processor's memory, got one on ");
  if (tensor->device.device_type == kDLCUDA)
    tl_text_add(text, "cuda:%d", (int)tensor->device.device_id);
  else
    tl_text_add(text, "DLPack device type %d, number %d", (int)tensor->device.device_type,
                (int)tensor->device.device_id);
}
