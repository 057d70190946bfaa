/*===- CudaDevice.c - Opening NVIDIA GPUs -----------------------------------------===*\
|*
|* A device is opened once for each model: it holds the model's module and weights, and all
instances
|* share it.
\*===----------------------------------------------------------------------===*/
#include "Cuda.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { OLDEST_ARCH = 70 }; /* that models can be compiled for */

static pthread_mutex_t devices_lock = PTHREAD_MUTEX_INITIALIZER;
static tl_gpu_device *devices; /* the open ones */

/*===-- Images -------------------------------------------------------------===*/

/* How well an image of a set suits the device, 0: not at all. What was made for a newer
   architecture comes first, whatever set it is in; a set's compiled code before its PTX. */
typedef struct suitability {
  int set; /* the newest architecture of the set that the device can run */
  int image;
  int place; /* of equal ones the last: sm_90a comes after sm_90 */
} suitability;

static int imageSuits(const tl_gpu_device *it, const tl_gpu_image *image) {
  int arch = 10 * it->major + it->minor;
  if (image->arch > arch)
    return 0;
  if (image->kind == TL_IMAGE_PTX)
    return 1 + image->arch;
  if (image->kind == TL_IMAGE_EXACT_CUBIN && image->arch != arch)
    return 0;
  return image->arch / 10 == it->major ? 10000 + image->arch : 0;
}

static suitability suits(const tl_gpu_device *it, const tl_gpu_set *set,
                         const tl_gpu_image *image) {
  suitability result = {0, imageSuits(it, image), (int)(set - it->code->sets)};
  for (int32_t i = 0; result.image && i < set->image_count; ++i)
    if (imageSuits(it, &set->images[i]) && set->images[i].arch > result.set)
      result.set = set->images[i].arch;
  return result;
}

static bool isWorse(suitability a, suitability b) {
  return a.set != b.set       ? a.set < b.set
         : a.image != b.image ? a.image < b.image
                              : a.place < b.place;
}

static const char *const kinds[] = {
    [TL_IMAGE_CUBIN] = "", [TL_IMAGE_PTX] = " (PTX)", [TL_IMAGE_EXACT_CUBIN] = "a"};

static void addImages(tl_text *text, const tl_gpu_code *code) {
  const char *between = "";
  for (int32_t s = 0; s < code->set_count; ++s)
    for (int32_t i = 0; i < code->sets[s].image_count; ++i) {
      const tl_gpu_image *image = &code->sets[s].images[i];
      tl_text_add(text, "%ssm_%d%s", between, (int)image->arch, kinds[image->kind]);
      between = ", ";
    }
}

static tl_status noImage(const tl_gpu_device *it, tl_error *error) {
  char images[256] = "";
  tl_text text = {images, sizeof images, 0};
  addImages(&text, it->code);
  int oldest = it->code->sets[0].archs[0], arch = 10 * it->major + it->minor;
  if (arch < oldest) {
    char advice[64] = "";
    if (arch >= OLDEST_ARCH)
      snprintf(advice, sizeof advice, "compile it with --cuda-arch=sm_%d, or ", arch);
    return tl_fail(
        error, TL_INCOMPATIBLE,
        "cuda:%d: %s is too old a GPU: it has compute capability %d.%d, and the model is "
        "compiled for %s; %srun on the CPU (--device=cpu) what is compiled for it",
        (int)it->number, it->name, it->major, it->minor, images, advice);
  }
  return tl_fail(
      error, TL_INCOMPATIBLE,
      "cuda:%d: the model is compiled for %s, which %s of compute capability %d.%d cannot "
      "run; compile it with --cuda-arch=sm_%d%d",
      (int)it->number, images, it->name, it->major, it->minor, it->major, it->minor);
}

static tl_status loadImage(tl_gpu_device *it, const tl_gpu_image *image, tl_error *error) {
  char log[1024] = "";
  int options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, (void *)(uintptr_t)(sizeof log - 1)};
  CUresult result = it->driver->cuModuleLoadDataEx(&it->module, image->data, 2, options, values);
  if (!result)
    return TL_OK;
  it->module = NULL;
  return tl_driver_fail(it->driver, result, error,
                        "cuda:%d: loading the kernels for sm_%d%s into %s of compute capability "
                        "%d.%d%s%s",
                        (int)it->number, (int)image->arch, kinds[image->kind], it->name, it->major,
                        it->minor, log[0] ? ": " : "", log);
}

/* Loads the best image that the driver takes. The message is that of the best. */
static tl_status loadModule(tl_gpu_device *it, tl_error *error) {
  tl_status status = TL_OK;
  for (suitability before = {INT_MAX, 0, 0};;) {
    const tl_gpu_set *chosen = NULL;
    const tl_gpu_image *best = NULL;
    suitability how = {0, 0, 0};
    for (int32_t s = 0; s < it->code->set_count; ++s)
      for (int32_t i = 0; i < it->code->sets[s].image_count; ++i) {
        const tl_gpu_set *set = &it->code->sets[s];
        suitability found = suits(it, set, &set->images[i]);
        if (!found.image || !isWorse(found, before) || isWorse(found, how))
          continue;
        chosen = set;
        best = &set->images[i];
        how = found;
      }
    if (!best)
      return status ? status : noImage(it, error);
    before = how;
    it->set = chosen;
    tl_status failure = loadImage(it, best, status ? NULL : error);
    if (!failure)
      return TL_OK;
    status = status ? status : failure;
  }
}

static tl_status findKernels(tl_gpu_device *it, tl_error *error) {
  int64_t count = it->code->kernel_count;
  it->functions = calloc((size_t)count + 1, sizeof *it->functions);
  it->shared_limits = calloc((size_t)count + 1, sizeof *it->shared_limits);
  if (!it->functions || !it->shared_limits)
    return tl_fail(error, TL_OUT_OF_MEMORY, "cuda:%d: out of memory", (int)it->number);
  for (int64_t i = 0; i < count; ++i) {
    atomic_init(&it->shared_limits[i], SHARED_MEMORY_DEFAULT);
    const char *name = it->set->kernels[i];
    CUresult result =
        name ? it->driver->cuModuleGetFunction(&it->functions[i], it->module, name) : CUDA_SUCCESS;
    if (result)
      return tl_driver_fail(it->driver, result, error, "cuda:%d: looking for the kernel '%s'",
                            (int)it->number, name);
  }
  return TL_OK;
}

static tl_status uploadWeights(tl_gpu_device *it, tl_error *error) {
  int64_t bytes = it->code->weights_bytes;
  CUresult result = it->driver->cuMemAlloc_v2(&it->weights, bytes ? (size_t)bytes : 1);
  if (result) {
    it->weights = 0;
    size_t unused = 0, total = 0;
    it->driver->cuMemGetInfo_v2(&unused, &total);
    return tl_driver_fail(it->driver, result, error,
                          "cuda:%d: out of memory for the weights of %lld bytes; %zu of %zu bytes "
                          "are free",
                          (int)it->number, (long long)bytes, unused, total);
  }
  if (!bytes)
    return TL_OK;
  CUstream stream;
  result = it->driver->cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING);
  if (!result) {
    result =
        it->driver->cuMemcpyHtoDAsync_v2(it->weights, it->code->weights, (size_t)bytes, stream);
    CUresult done = it->driver->cuStreamSynchronize(stream);
    result = result ? result : done;
    it->driver->cuStreamDestroy_v2(stream);
  }
  return result ? tl_driver_fail(it->driver, result, error, "cuda:%d: copying the weights",
                                 (int)it->number)
                : TL_OK;
}

/*===-- Devices ------------------------------------------------------------===*/

static void destroyDevice(tl_gpu_device *it) {
  bool pushed;
  if (it->context && tl_cuda_enter(it, &pushed) == CUDA_SUCCESS) {
    if (it->weights)
      it->driver->cuMemFree_v2(it->weights);
    if (it->module)
      it->driver->cuModuleUnload(it->module);
    if (it->copier_module)
      it->driver->cuModuleUnload(it->copier_module);
    tl_cuda_leave(it, pushed);
  }
  if (it->context)
    it->driver->cuDevicePrimaryCtxRelease_v2(it->device);
  free(it->functions);
  free(it->shared_limits);
  free(it);
}

static tl_status findDevice(tl_gpu_device *it, tl_error *error) {
  const tl_driver *driver = it->driver;
  if (it->number < 0 || it->number >= driver->device_count)
    return driver->device_count == 1
               ? tl_fail(error, TL_NO_DEVICE, "there is no cuda:%d here, only cuda:0",
                         (int)it->number)
               : tl_fail(error, TL_NO_DEVICE, "there is no cuda:%d here, only cuda:0 to cuda:%d",
                         (int)it->number, driver->device_count - 1);
  CUresult result = driver->cuDeviceGet(&it->device, it->number);
  if (!result)
    result = driver->cuDeviceGetName(it->name, sizeof it->name, it->device);
  int pools = 0;
  const struct {
    int attribute, *value;
  } wanted[] = {{CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, &it->major},
                {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, &it->minor},
                {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, &it->shared_memory}};
  for (size_t i = 0; !result && i < sizeof wanted / sizeof *wanted; ++i)
    result = driver->cuDeviceGetAttribute(wanted[i].value, wanted[i].attribute, it->device);
  if (result)
    return tl_driver_fail(driver, result, error, "cuda:%d: asking for its properties",
                          (int)it->number);
  /* Drivers before CUDA 11.2 do not know this attribute. */
  it->pools = driver->cuMemAllocAsync && driver->cuMemFreeAsync &&
              !driver->cuDeviceGetAttribute(&pools, CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED,
                                            it->device) &&
              pools;
  return TL_OK;
}

static tl_status openDevice(tl_gpu_device *it, tl_error *error) {
  tl_status status = findDevice(it, error);
  if (status)
    return status;
  CUresult result = it->driver->cuDevicePrimaryCtxRetain(&it->context, it->device);
  bool pushed = false;
  if (result)
    it->context = NULL;
  else
    result = tl_cuda_enter(it, &pushed);
  if (result)
    return tl_driver_fail(it->driver, result, error, "cuda:%d: making a context on %s",
                          (int)it->number, it->name);
  status = loadModule(it, error);
  if (!status)
    status = findKernels(it, error);
  if (!status)
    status = uploadWeights(it, error);
  tl_cuda_leave(it, pushed);
  return status;
}

tl_status tl_cuda_open(const tl_gpu_code *code, int32_t number, tl_gpu_device **result,
                       tl_error *error) {
  const tl_driver *driver = tl_driver_get(error);
  if (!driver)
    return TL_NO_DEVICE;
  tl_status status = TL_OK;
  pthread_mutex_lock(&devices_lock);
  tl_gpu_device *it = devices;
  while (it && (it->code != code || it->number != number))
    it = it->next;
  if (it) {
    ++it->references;
  } else if (!(it = calloc(1, sizeof *it))) {
    status = tl_fail(error, TL_OUT_OF_MEMORY, "cuda:%d: out of memory", (int)number);
  } else {
    it->code = code;
    it->driver = driver;
    it->number = number;
    it->references = 1;
    status = openDevice(it, error);
    if (status) {
      destroyDevice(it);
    } else {
      it->next = devices;
      devices = it;
    }
  }
  pthread_mutex_unlock(&devices_lock);
  if (!status)
    *result = it;
  return status;
}

void tl_cuda_close(tl_gpu_device *it) {
  pthread_mutex_lock(&devices_lock);
  if (--it->references == 0) {
    tl_gpu_device **at = &devices;
    while (*at != it)
      at = &(*at)->next;
    *at = it->next;
    destroyDevice(it);
  }
  pthread_mutex_unlock(&devices_lock);
}

int32_t tl_cuda_set(tl_gpu_device *it) { return (int32_t)(it->set - it->code->sets); }

const void *tl_cuda_weights(tl_gpu_device *it) { return (const void *)(uintptr_t)it->weights; }
