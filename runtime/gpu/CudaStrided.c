/*===- CudaStrided.c - Copies of strided tensors on the device ------------------===*\
|*
|* The one kernel of the runtime itself: PTX, which the driver compiles when it is first needed.
\*===----------------------------------------------------------------------===*/
#include "Cuda.h"

enum { DIMENSIONS = 8, THREADS = 256, MOST_BLOCKS = 4096 };

/* The kernel's parameter. Dimension 0 is the innermost. */
typedef struct copy_job {
  CUdeviceptr contiguous, strided;
  int64_t count;
  int32_t rank;
  int32_t element_bytes;
  int32_t scatters; /* writes the strided tensor */
  int32_t booleans; /* any byte but 0 becomes 1 */
  int64_t sizes[DIMENSIONS], strides[DIMENSIONS];
} copy_job;

/* One step of the decomposition of the element's number %i (%rest is what is left of it). */
#define DIMENSION(number, size_at, stride_at)                                                      \
  "  setp.le.s32 %skip, %rank, " number ";\n"                                                      \
  "  @%skip bra decomposed;\n"                                                                     \
  "  ld.param.u64 %size, [job+" size_at "];\n"                                                     \
  "  ld.param.u64 %stride, [job+" stride_at "];\n"                                                 \
  "  rem.u64 %at, %rest, %size;\n"                                                                 \
  "  div.u64 %rest, %rest, %size;\n"                                                               \
  "  mad.lo.s64 %offset, %at, %stride, %offset;\n"

const char tl_cuda_strided_ptx[] =
    ".version 6.5\n.target sm_70\n.address_size 64\n"
    ".visible .entry tl_copy_strided(.param .align 8 .b8 job[168])\n{\n"
    "  .reg .pred %skip, %scatters, %booleans, %set;\n"
    "  .reg .b32 %rank, %bytes, %flag, %block, %blocks, %thread;\n"
    "  .reg .b16 %short;\n  .reg .b32 %word;\n"
    "  .reg .b64 %i, %step, %count, %wide, %contiguous, %strided, %rest, %offset;\n"
    "  .reg .b64 %size, %stride, %at, %from, %to, %long;\n"
    "  ld.param.u64 %contiguous, [job];\n  ld.param.u64 %strided, [job+8];\n"
    "  ld.param.u64 %count, [job+16];\n"
    "  ld.param.u32 %rank, [job+24];\n  ld.param.u32 %bytes, [job+28];\n"
    "  ld.param.u32 %flag, [job+32];\n  setp.ne.s32 %scatters, %flag, 0;\n"
    "  ld.param.u32 %flag, [job+36];\n  setp.ne.s32 %booleans, %flag, 0;\n"
    "  cvta.to.global.u64 %contiguous, %contiguous;\n  cvta.to.global.u64 %strided, %strided;\n"
    "  cvt.u64.u32 %wide, %bytes;\n"
    "  mov.u32 %block, %ctaid.x;\n  mov.u32 %blocks, %nctaid.x;\n  mov.u32 %thread, %tid.x;\n"
    "  mul.wide.u32 %i, %block, 256;\n  cvt.u64.u32 %at, %thread;\n  add.s64 %i, %i, %at;\n"
    "  mul.wide.u32 %step, %blocks, 256;\n"
    "next:\n"
    "  setp.ge.s64 %skip, %i, %count;\n  @%skip ret;\n"
    "  mov.u64 %rest, %i;\n  mov.u64 %offset, 0;\n" DIMENSION("0", "40", "104") DIMENSION(
        "1", "48", "112") DIMENSION("2", "56", "120") DIMENSION("3", "64", "128")
        DIMENSION("4", "72", "136") DIMENSION("5", "80", "144") DIMENSION("6", "88", "152")
            DIMENSION("7", "96",
                      "160") "decomposed:\n"
                             "  mad.lo.s64 %from, %offset, %wide, %strided;\n"
                             "  mad.lo.s64 %to, %i, %wide, %contiguous;\n"
                             "  mov.u64 %at, %from;\n"
                             "  selp.b64 %from, %to, %from, %scatters;\n  selp.b64 %to, %at, %to, "
                             "%scatters;\n"
                             "  add.s64 %i, %i, %step;\n"
                             "  setp.eq.s32 %skip, %bytes, 4;\n  @%skip bra words;\n"
                             "  setp.eq.s32 %skip, %bytes, 2;\n  @%skip bra halves;\n"
                             "  setp.eq.s32 %skip, %bytes, 1;\n  @%skip bra bytes;\n"
                             "  ld.global.b64 %long, [%from];\n  st.global.b64 [%to], %long;\n"
                             "  setp.eq.s32 %skip, %bytes, 8;\n  @%skip bra next;\n"
                             "  ld.global.b64 %long, [%from+8];\n  st.global.b64 [%to+8], %long;\n "
                             " bra next;\n"
                             "words:\n  ld.global.b32 %word, [%from];\n  st.global.b32 [%to], "
                             "%word;\n  bra next;\n"
                             "halves:\n  ld.global.b16 %short, [%from];\n  st.global.b16 [%to], "
                             "%short;\n  bra next;\n"
                             "bytes:\n  ld.global.u8 %short, [%from];\n"
                             "  setp.ne.s16 %set, %short, 0;\n  and.pred %set, %set, %booleans;\n"
                             "  selp.b16 %short, 1, %short, %set;\n  st.global.u8 [%to], %short;\n "
                             " bra next;\n"
                             "}\n";

static CUresult loadKernel(tl_gpu_device *it) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  CUresult result = CUDA_SUCCESS;
  pthread_mutex_lock(&lock);
  if (!it->copier)
    result = it->driver->cuModuleLoadDataEx(&it->copier_module, tl_cuda_strided_ptx, 0, NULL, NULL);
  if (!it->copier && !result)
    result = it->driver->cuModuleGetFunction(&it->copier, it->copier_module, "tl_copy_strided");
  pthread_mutex_unlock(&lock);
  return result;
}

/* The dimensions without those of one element, neighbours put together where they are one. */
static bool describe(const tl_strided *tensor, copy_job *job) {
  job->count = 1;
  for (int32_t i = tensor->rank; i-- > 0;) {
    int64_t size = tensor->sizes[i], stride = tensor->strides[i];
    int32_t last = job->rank - 1;
    job->count *= size;
    if (size == 1)
      continue;
    if (job->rank && stride == job->strides[last] * job->sizes[last]) {
      job->sizes[last] *= size;
      continue;
    }
    if (job->rank == DIMENSIONS)
      return false;
    job->sizes[job->rank] = size;
    job->strides[job->rank++] = stride;
  }
  return true;
}

tl_status tl_cuda_copy_strided(tl_gpu_stream *stream, void *contiguous, const tl_strided *tensor,
                               bool scatters, tl_error *error) {
  tl_gpu_device *it = stream->device;
  copy_job job = {.contiguous = (CUdeviceptr)(uintptr_t)contiguous,
                  .strided = (CUdeviceptr)(uintptr_t)tensor->data,
                  .element_bytes = (int32_t)tensor->element_bytes,
                  .scatters = scatters,
                  .booleans = tensor->booleans};
  if (!describe(tensor, &job))
    return tl_fail(error, TL_INVALID_ARGUMENT,
                   "cuda:%d: a strided tensor of more than %d dimensions: make it contiguous",
                   (int)it->number, DIMENSIONS);
  int64_t blocks = (job.count + THREADS - 1) / THREADS;
  if (!blocks)
    return TL_OK;
  void *params[] = {&job};
  CUresult result;
  IN_CONTEXT(it, result, loadKernel(it));
  if (!result)
    IN_CONTEXT(it, result,
               it->driver->cuLaunchKernel(it->copier,
                                          (unsigned)(blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS),
                                          1, 1, THREADS, 1, 1, 0, stream->queue, params, NULL));
  return result ? tl_driver_fail(it->driver, result, error, "cuda:%d: copying a strided tensor",
                                 (int)it->number)
                : TL_OK;
}
