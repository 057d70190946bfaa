/*===- Driver.c - Loading NVIDIA's driver, and its errors -----------------------===*/
#include "Driver.h"
#include "Internal.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define OTHERWISE "; without a GPU, run on the CPU (--device=cpu) what is compiled for it"

static pthread_mutex_t driver_lock = PTHREAD_MUTEX_INITIALIZER;
static tl_driver driver;
static bool driver_found;

/* What a person can do about an error; "" where the name says it all. */
static const char *advice(CUresult result) {
  switch (result) {
  case CUDA_ERROR_NOT_INITIALIZED:
    return "; the process is ending, or it is the child of one that has used the GPU: open the "
           "model after the fork";
  case CUDA_ERROR_STUB_LIBRARY:
    return "; this libcuda is the toolkit's stub for linking: take its folder out of "
           "LD_LIBRARY_PATH";
  case CUDA_ERROR_DEVICE_UNAVAILABLE:
    return "; another process holds the GPU exclusively: see nvidia-smi";
  case CUDA_ERROR_NO_DEVICE:
    return "; see nvidia-smi and CUDA_VISIBLE_DEVICES" OTHERWISE;
  case CUDA_ERROR_NO_BINARY_FOR_GPU:
  case CUDA_ERROR_INVALID_PTX:
    return "; compile for this GPU (--cuda-arch)";
  case CUDA_ERROR_JIT_COMPILER_NOT_FOUND:
    return "; the driver lacks its compiler for PTX (libnvidia-ptxjitcompiler.so.1): install it, "
           "or "
           "compile for this GPU (--cuda-arch)";
  case CUDA_ERROR_UNSUPPORTED_PTX_VERSION:
    return "; the driver is older than the CUDA toolkit that the model was compiled with: update "
           "the "
           "driver, or compile for this GPU (--cuda-arch)";
  case CUDA_ERROR_ILLEGAL_ADDRESS:
  case CUDA_ERROR_LAUNCH_TIMEOUT:
  case CUDA_ERROR_ASSERT:
  case CUDA_ERROR_HARDWARE_STACK_ERROR:
  case CUDA_ERROR_ILLEGAL_INSTRUCTION:
  case CUDA_ERROR_MISALIGNED_ADDRESS:
  case CUDA_ERROR_INVALID_ADDRESS_SPACE:
  case CUDA_ERROR_INVALID_PC:
  case CUDA_ERROR_LAUNCH_FAILED:
    return "; this process cannot use the GPU any more: start it again, and report the model";
  case CUDA_ERROR_ECC_UNCORRECTABLE:
    return "; the GPU's memory has failed: start the process again, and see nvidia-smi -q -d ECC";
  case CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES:
    return "; the kernel needs more registers or threads than this GPU has";
  case CUDA_ERROR_SYSTEM_NOT_READY:
    return "; the system's GPU services are not running (nvidia-fabricmanager)";
  case CUDA_ERROR_SYSTEM_DRIVER_MISMATCH:
    return "; the driver's library and its kernel module are of different versions: restart the "
           "machine";
  case CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE:
    return "; forward compatibility libraries do not work with this GPU: take them out of "
           "LD_LIBRARY_PATH";
  case CUDA_ERROR_UNKNOWN:
    return "; see nvidia-smi and the system's log";
  default:
    return "";
  }
}

static tl_status statusOf(CUresult result) {
  switch (result) {
  case CUDA_ERROR_OUT_OF_MEMORY:
    return TL_OUT_OF_MEMORY;
  case CUDA_ERROR_STUB_LIBRARY:
  case CUDA_ERROR_DEVICE_UNAVAILABLE:
  case CUDA_ERROR_NO_DEVICE:
  case CUDA_ERROR_INVALID_DEVICE:
  case CUDA_ERROR_SYSTEM_NOT_READY:
  case CUDA_ERROR_SYSTEM_DRIVER_MISMATCH:
  case CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE:
    return TL_NO_DEVICE;
  case CUDA_ERROR_NO_BINARY_FOR_GPU:
  case CUDA_ERROR_INVALID_PTX:
  case CUDA_ERROR_JIT_COMPILER_NOT_FOUND:
  case CUDA_ERROR_UNSUPPORTED_PTX_VERSION:
    return TL_INCOMPATIBLE;
  default:
    return TL_DEVICE_FAILED;
  }
}

tl_status tl_driver_fail(const tl_driver *it, CUresult result, tl_error *error, const char *what,
                         ...) {
  tl_status status = statusOf(result);
  if (!error)
    return status;
  char text[512];
  va_list arguments;
  va_start(arguments, what);
  vsnprintf(text, sizeof text, what, arguments);
  va_end(arguments);
  const char *name = NULL, *description = NULL;
  it->cuGetErrorName(result, &name);
  it->cuGetErrorString(result, &description);
  if (!name)
    return tl_fail(error, status, "%s: error %d of the CUDA driver%s", text, result,
                   advice(result));
  return tl_fail(error, status, "%s: %s (%s)%s", text, name, description ? description : "",
                 advice(result));
}

/* Fills the table; the name of a function that is missing, or null. */
static const char *resolve(void *library) {
  const char *missing = NULL;
#define X(name, ...)                                                                               \
  *(void **)&driver.name = dlsym(library, #name);                                                  \
  if (!driver.name && !missing)                                                                    \
    missing = #name;
  CUDA_DRIVER_FUNCTIONS(X)
#undef X
#define X(name, ...) *(void **)&driver.name = dlsym(library, #name);
  CUDA_DRIVER_OPTIONAL_FUNCTIONS(X)
#undef X
  return missing;
}

static tl_status load(tl_error *error) {
  const char *path = getenv("TORCHLITE_LIBCUDA");
  if (!path || !*path)
    path = "libcuda.so.1";
  /* Never closed again: the driver keeps threads of its own. */
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return tl_fail(error, TL_NO_DEVICE,
                   "no NVIDIA driver: %s; install the driver (in a container, start it with the "
                   "GPUs)" OTHERWISE,
                   dlerror());
  const char *missing = resolve(library);
  if (missing) {
    dlclose(library);
    return tl_fail(error, TL_NO_DEVICE,
                   "the NVIDIA driver cannot be used: %s has no function %s; install a driver for "
                   "CUDA 11.0 or newer" OTHERWISE,
                   path, missing);
  }
  CUresult result = driver.cuDriverGetVersion(&driver.version);
  if (!result && driver.version < 11000)
    return tl_fail(
        error, TL_NO_DEVICE,
        "the NVIDIA driver is too old: it supports CUDA %d.%d, and 11.0 is needed; update "
        "the driver" OTHERWISE,
        driver.version / 1000, driver.version % 1000 / 10);
  if (!result)
    result = driver.cuInit(0);
  if (!result)
    result = driver.cuDeviceGetCount(&driver.device_count);
  if (!result && !driver.device_count)
    result = CUDA_ERROR_NO_DEVICE;
  if (result)
    return tl_driver_fail(&driver, result, error, "the NVIDIA driver finds no GPU that it can use");
  return TL_OK;
}

const tl_driver *tl_driver_get(tl_error *error) {
  pthread_mutex_lock(&driver_lock);
  if (!driver_found)
    driver_found = load(error) == TL_OK;
  bool found = driver_found;
  pthread_mutex_unlock(&driver_lock);
  return found ? &driver : NULL;
}
