/*===- Backend.c - The emulator as a device -------------------------------------------------===*\
|*
|* Device memory is host memory, and everything happens at once: a stream is a name.
\*===----------------------------------------------------------------------------===*/
#include "Internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Devices that are open. */
static pthread_mutex_t devices_lock = PTHREAD_MUTEX_INITIALIZER;
static tl_gpu_device *devices;

static void destroy(tl_gpu_device *device) {
  emu_memory_destroy(&device->memory);
  free(device);
}

static tl_status create(const tl_gpu_code *code, const emu_settings *settings,
                        tl_gpu_device **result, tl_error *error) {
  tl_gpu_device *device = calloc(1, sizeof *device);
  if (!device || !emu_memory_init(&device->memory, settings->checks && settings->races)) {
    free(device);
    return emu_error(error, TL_OUT_OF_MEMORY, "emulator: out of memory");
  }
  device->code = code;
  device->references = 1;
  device->settings = *settings;
  device->weights = emu_memory_alloc(&device->memory, code->weights_bytes, false);
  if (!device->weights) {
    destroy(device);
    return emu_error(error, TL_OUT_OF_MEMORY,
                     "emulator: no memory for %" PRId64 " bytes of weights", code->weights_bytes);
  }
  if (code->weights_bytes)
    memcpy(device->weights, code->weights, (size_t)code->weights_bytes);
  *result = device;
  return TL_OK;
}

static tl_status open_device(const tl_gpu_code *code, int32_t number, tl_gpu_device **result,
                             tl_error *error) {
  if (number)
    return emu_error(error, TL_NO_DEVICE, "emulator: there is no device %d, only 0", number);
  if (!code->set_count || !code->sets[0].emulated)
    return emu_error(error, TL_NO_DEVICE,
                     "the library has no code for the emulator: compile it with --target=emulated");
  emu_settings settings;
  tl_status status = emu_read_settings(code, &settings, error);
  if (status)
    return status;
  pthread_mutex_lock(&devices_lock);
  tl_gpu_device *device = devices;
  while (device && device->code != code)
    device = device->next;
  if (device) {
    ++device->references;
  } else {
    status = create(code, &settings, &device, error);
    if (!status) {
      device->next = devices;
      devices = device;
      emu_pool_retain();
    }
  }
  pthread_mutex_unlock(&devices_lock);
  if (!status)
    *result = device;
  return status;
}

static void close_device(tl_gpu_device *device) {
  if (!device)
    return;
  pthread_mutex_lock(&devices_lock);
  bool last = !--device->references;
  if (last) {
    tl_gpu_device **link = &devices;
    while (*link != device)
      link = &(*link)->next;
    *link = device->next;
    emu_pool_release();
  }
  pthread_mutex_unlock(&devices_lock);
  if (last)
    destroy(device);
}

static int32_t set(tl_gpu_device *device) {
  return (int32_t)(device->settings.set - device->code->sets);
}

static const void *weights(tl_gpu_device *device) { return device->weights; }

static tl_status create_stream(tl_gpu_device *device, void *callers_stream, tl_gpu_stream **result,
                               tl_error *error) {
  if (callers_stream)
    return emu_error(error, TL_INVALID_ARGUMENT, "emulator: a stream was given, but it has none");
  *result = malloc(sizeof **result);
  if (!*result)
    return emu_error(error, TL_OUT_OF_MEMORY, "emulator: out of memory");
  (*result)->device = device;
  (*result)->recording = NULL;
  return TL_OK;
}

static void destroy_stream(tl_gpu_stream *stream) { free(stream); }

static void *allocate(tl_gpu_stream *stream, int64_t bytes) {
  return emu_memory_alloc(&stream->device->memory, bytes, stream->device->settings.checks);
}

static void release(tl_gpu_stream *stream, void *memory) {
  emu_memory_free(&stream->device->memory, memory);
}

/*===-- Launches ----------------------------------------------------------------===*/

/* Shared memory that a block may have. CUDA C++ Programming Guide, "Compute Capabilities". */
static int64_t shared_limit(int32_t arch) {
  if (arch >= 90)
    return 227 * 1024;
  if (arch >= 80)
    return arch == 80 || arch == 87 ? 163 * 1024 : 99 * 1024;
  return arch >= 75 ? 64 * 1024 : 96 * 1024;
}

static tl_status check_launch(const tl_gpu_device *device, int32_t kernel, const int64_t grid[3],
                              const int64_t block[3], int64_t shared_bytes, tl_error *error) {
  static const int64_t grid_limits[3] = {INT32_MAX, 65535, 65535};
  static const int64_t block_limits[3] = {1024, 1024, 64};
  const tl_gpu_set *set = device->settings.set;
  if (kernel < 0 || kernel >= device->code->kernel_count || !set->kernels[kernel])
    return emu_error(error, TL_INVALID_ARGUMENT, "emulator: there is no kernel %d", kernel);
  const char *name = set->kernels[kernel];
  for (int i = 0; i < 3; ++i) {
    if (grid[i] < 0 || grid[i] > grid_limits[i])
      return emu_error(error, TL_INVALID_ARGUMENT,
                       "emulator: kernel '%s': grid size %" PRId64
                       " in dimension %d: at most %" PRId64 " is possible",
                       name, grid[i], i, grid_limits[i]);
    if (block[i] < 1 || block[i] > block_limits[i])
      return emu_error(error, TL_INVALID_ARGUMENT,
                       "emulator: kernel '%s': block size %" PRId64
                       " in dimension %d: 1 to %" PRId64 " is possible",
                       name, block[i], i, block_limits[i]);
  }
  if (block[0] * block[1] * block[2] > EMU_MAX_THREADS)
    return emu_error(error, TL_INVALID_ARGUMENT,
                     "emulator: kernel '%s': %" PRId64
                     " threads in a block: at most %d are possible",
                     name, block[0] * block[1] * block[2], EMU_MAX_THREADS);
  int32_t arch = device->settings.arch;
  if (shared_bytes < 0 || shared_bytes > shared_limit(arch))
    return emu_error(error, TL_INVALID_ARGUMENT,
                     "emulator: kernel '%s': %" PRId64 " bytes of shared memory: at most %" PRId64
                     " are possible on sm_%d",
                     name, shared_bytes, shared_limit(arch), arch);
  return TL_OK;
}

/* The memory that each argument stands for: what the compiler knows of its size, or else the
   allocation that it points into. */
static tl_status find_ranges(emu_launch *launch, tl_error *error) {
  for (int i = 0; i < TL_EMU_RANGES; ++i)
    launch->ranges[i] = (tl_emu_range){0, launch->settings.checks ? 0 : UINT64_MAX};
  const int32_t *factor = launch->about.factors;
  for (int32_t i = 0; launch->settings.checks && i < launch->about.pointer_count; ++i) {
    void *pointer;
    memcpy(&pointer, launch->params[launch->about.pointers[i]], sizeof pointer);
    uint64_t address = (uint64_t)(uintptr_t)pointer;
    emu_allocation found = emu_memory_find(&launch->device->memory, address);
    uint64_t extent = (uint64_t)launch->about.extents[i];
    bool known = extent != 0;
    for (; *factor >= 0; ++factor) {
      uint64_t size;
      memcpy(&size, launch->params[*factor], sizeof size);
      extent *= size;
    }
    ++factor;
    uint64_t room = found.bytes ? found.base + found.bytes - address : 0;
    if (!known)
      launch->ranges[i] = (tl_emu_range){found.base, found.bytes};
    else if (!extent)
      launch->ranges[i] = emu_empty_range;
    else if (room >= extent)
      launch->ranges[i] = (tl_emu_range){address, extent};
    else
      return emu_error(error, TL_RAISED,
                       "emulator: kernel '%s': parameter %d stands for %" PRIu64
                       " bytes at 0x%" PRIx64 ", but device memory has %" PRIu64 " there",
                       launch->about.name, launch->about.pointers[i], extent, address, room);
  }
  return TL_OK;
}

tl_status emu_launch_kernel(tl_gpu_stream *stream, int32_t kernel, const int64_t grid[3],
                            const int64_t block[3], int64_t shared_bytes, void **params,
                            tl_error *error) {
  const tl_gpu_set *set = stream->device->settings.set;
  tl_status status = check_launch(stream->device, kernel, grid, block, shared_bytes, error);
  if (status)
    return status;
  void *none;
  emu_launch launch = {
      .device = stream->device,
      .kernel = set->emulated[kernel],
      .params = params ? params : &none, /* a kernel that is called with null describes itself */
      .settings = stream->device->settings,
      .shared_bytes = (uint32_t)shared_bytes,
  };
  launch.about = *emu_describe(launch.kernel);
  launch.block_count = launch.thread_count = 1;
  for (int i = 0; i < 3; ++i) {
    launch.grid[i] = (uint32_t)grid[i];
    launch.block[i] = (uint32_t)block[i];
    launch.block_count *= launch.grid[i];
    launch.thread_count *= launch.block[i];
  }
  if (!launch.block_count)
    return TL_OK;
  if (stream->recording)
    return emu_record_launch(stream, &launch.about, kernel, grid, block, shared_bytes, params,
                             error);
  status = find_ranges(&launch, error);
  if (status)
    return status;
  if (launch.settings.races)
    launch.number = emu_shadow_next_launch(&stream->device->memory);
  if (!emu_pool_run(&launch))
    return emu_error(error, TL_OUT_OF_MEMORY, "emulator: kernel '%s': out of memory",
                     set->kernels[kernel]);
  return atomic_load(&launch.failed) ? emu_error(error, launch.status, "%s", launch.error.message)
                                     : TL_OK;
}

/*===-- Copies -------------------------------------------------------------------===*/

/* Whether device memory holds `bytes` from `address` on. */
static bool is_device_memory(tl_gpu_device *device, const void *address, int64_t bytes) {
  emu_allocation found = emu_memory_find(&device->memory, (uint64_t)(uintptr_t)address);
  return !bytes || (found.bytes &&
                    found.bytes - ((uint64_t)(uintptr_t)address - found.base) >= (uint64_t)bytes);
}

tl_status emu_copy(tl_gpu_stream *stream, void *to, const void *from, int64_t bytes, int kind,
                   tl_error *error) {
  if (kind != TL_COPY_TO_HOST && !is_device_memory(stream->device, to, bytes))
    return emu_error(error, TL_INVALID_ARGUMENT,
                     "emulator: copy of %" PRId64 " bytes to %p, which is no device memory", bytes,
                     to);
  if (kind != TL_COPY_TO_DEVICE && !is_device_memory(stream->device, from, bytes))
    return emu_error(error, TL_INVALID_ARGUMENT,
                     "emulator: copy of %" PRId64 " bytes from %p, which is no device memory",
                     bytes, from);
  if (stream->recording)
    return emu_record_copy(stream, to, from, bytes, kind, error);
  if (bytes)
    memmove(to, from, (size_t)bytes);
  return TL_OK;
}

static tl_status synchronize(tl_gpu_stream *stream, tl_error *error) { return TL_OK; }

const tl_gpu_backend tl_gpu_emulated = {
    .name = "emulated",
    .open = open_device,
    .close = close_device,
    .set = set,
    .weights = weights,
    .stream_create = create_stream,
    .stream_destroy = destroy_stream,
    .alloc = allocate,
    .free = release,
    .launch = emu_launch_kernel,
    .copy = emu_copy,
    .synchronize = synchronize,
    .graph_begin = emu_graph_begin,
    .graph_end = emu_graph_end,
    .graph_launch = emu_graph_launch,
    .graph_destroy = emu_graph_destroy,
};
