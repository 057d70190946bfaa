/*===- Device.c - Calls that run on a device ------------------------------------===*/
#include "Internal.h"

void tl_rt_launch(tl_frame *it, int32_t kernel, const int64_t grid[3], const int64_t block[3],
                  int64_t shared_bytes, void **params) {
  (void)kernel, (void)grid, (void)block, (void)shared_bytes, (void)params;
  tl_raise(it->runtime, TL_NO_DEVICE, "this runtime cannot launch kernels", NULL, 0);
}

void tl_rt_copy(tl_frame *it, void *to, const void *from, int64_t bytes) {
  (void)to, (void)from, (void)bytes;
  tl_raise(it->runtime, TL_NO_DEVICE, "this runtime has no device memory", NULL, 0);
}

void tl_rt_read(tl_frame *it, void *to, const void *from, int64_t bytes) {
  (void)to, (void)from, (void)bytes;
  tl_raise(it->runtime, TL_NO_DEVICE, "this runtime has no device memory", NULL, 0);
}
