/* RUN: %cc -fsanitize=undefined -fno-sanitize-recover=all %s %emulator -o %t && %t
   RUN: %cc -DEMU_USE_UCONTEXT -fsanitize=undefined -fno-sanitize-recover=all %s %emulator -o %t && %t
   The emulator as a backend: devices, memory, launches from several threads, errors, and going on
   after them. Kernels are written in C against the interface that compiled ones use. */
#include "TorchLite/Runtime/Emulator.h"
#include "FakeModel.h"
#include "TorchLite/Runtime/Gpu.h"

#include <pthread.h>

static tl_error error;

#define EXPECT_ERROR(expected, call, text)                                                         \
  do {                                                                                             \
    tl_status status_ = (call);                                                                    \
    if (status_ != (expected) || !strstr(error.message, text)) {                                   \
      fprintf(stderr, "%s:%d: expected %s: %s\ngot      %s: %s\n", __FILE__, __LINE__,             \
              tl_status_name(expected), text, tl_status_name(status_), error.message);             \
      exit(1);                                                                                     \
    }                                                                                              \
  } while (0)

/* ---- kernels ---- */

static const int32_t first[] = {0};
static const int64_t unknown[] = {0};
static const int32_t none[] = {-1};

/* Adds up the numbers of the block's threads: by shuffles, then through shared memory. */
static void sum(void **params) {
  static const tl_emu_kernel about = {.name = "sum",
                                      .has_collectives = 1,
                                      .granule = 4,
                                      .pointers = first,
                                      .extents = unknown,
                                      .factors = none,
                                      .pointer_count = 1};
  if (!params) {
    tl_emu_describe(&about);
    return;
  }
  tl_emu_thread *thread = tl_emu_current();
  tl_emu_block *block = thread->block;
  int32_t *result = *(int32_t **)params[0];
  uint32_t value = thread->linear_id;
  uint8_t flag;
  for (uint32_t step = 16; step; step /= 2)
    value += tl_emu_shfl(thread, step, TL_EMU_SHFL_BFLY, ~0u, value, step, 31, &flag);
  uint32_t *shared = (uint32_t *)(void *)block->shared;
  if (thread->linear_id % 32 == 0) {
    uint32_t *mine = &shared[thread->linear_id / 32];
    tl_emu_check_shared(thread, (uintptr_t)mine, 4, TL_EMU_WRITE, 4);
    *mine = value;
  }
  tl_emu_barrier(thread, 0, 100);
  if (thread->linear_id)
    return;
  value = 0;
  for (uint32_t i = 0; i < block->block_size[0] / 32; ++i) {
    tl_emu_check_shared(thread, (uintptr_t)&shared[i], 4, TL_EMU_READ, 4);
    value += shared[i];
  }
  int32_t *to = &result[block->block_id[0]];
  tl_emu_check_global(thread, block, (uintptr_t)to, 4, TL_EMU_WRITE, 4, 0);
  *to = (int32_t)value;
}

/* Numbers the threads of the grid; has no barrier. */
static void number(void **params) {
  static const tl_emu_kernel about = {.name = "number",
                                      .granule = 4,
                                      .pointers = first,
                                      .extents = unknown,
                                      .factors = none,
                                      .pointer_count = 1};
  if (!params) {
    tl_emu_describe(&about);
    return;
  }
  tl_emu_thread *thread = tl_emu_current();
  const tl_emu_block *block = thread->block;
  int32_t *to =
      *(int32_t **)params[0] + block->block_id[0] * block->block_size[0] + thread->thread_id[0];
  tl_emu_check_global(thread, thread->block, (uintptr_t)to, 4, TL_EMU_WRITE, 4, 0);
  *to = (int32_t)(block->block_id[0] * block->block_size[0] + thread->thread_id[0]);
}

/* Thread 3 leaves before the barrier. */
static void leave(void **params) {
  static const tl_emu_kernel about = {.name = "leave", .has_collectives = 1, .granule = 4};
  if (!params) {
    tl_emu_describe(&about);
    return;
  }
  tl_emu_thread *thread = tl_emu_current();
  if (thread->linear_id != 3)
    tl_emu_barrier(thread, 0, 0);
}

enum { SUM, NUMBER, LEAVE };
static const char *const names[] = {"sum", "number", "leave"};
static const tl_emulated_kernel kernels[] = {sum, number, leave};
static const char weights[] = "weights";
static const char *const newer_names[] = {NULL, "number", NULL};
static const tl_emulated_kernel newer_kernels[] = {NULL, number, NULL};
static const int32_t archs[] = {80, 90, 86};
static const tl_gpu_set sets[] = {
    {.archs = archs, .arch_count = 2, .kernels = names, .emulated = kernels},
    {.archs = archs + 2, .arch_count = 1, .kernels = newer_names, .emulated = newer_kernels}};
static const tl_gpu_code code = {.sets = sets,
                                 .set_count = 2,
                                 .kernel_count = 3,
                                 .weights = weights,
                                 .weights_bytes = sizeof weights};
static const tl_gpu_backend *const gpu = &tl_gpu_emulated;

static tl_status launch(tl_gpu_stream *stream, int kernel, int64_t blocks, int64_t threads,
                        void *argument, tl_error *where) {
  int64_t grid[3] = {blocks, 1, 1}, block[3] = {threads, 1, 1};
  void *params[] = {&argument};
  return gpu->launch(stream, kernel, grid, block, 128, params, where);
}

static void expectSums(tl_gpu_stream *stream, int64_t blocks, int64_t threads) {
  int32_t *device = gpu->alloc(stream, blocks * 4), host[64];
  EXPECT(device);
  EXPECT(launch(stream, SUM, blocks, threads, device, NULL) == TL_OK);
  EXPECT(gpu->copy(stream, host, device, blocks * 4, TL_COPY_TO_HOST, NULL) == TL_OK);
  for (int64_t i = 0; i < blocks; ++i)
    EXPECT(host[i] == threads * (threads - 1) / 2);
  gpu->free(stream, device);
}

static void *work(void *data) {
  tl_gpu_device *device = data;
  tl_gpu_stream *stream;
  EXPECT(gpu->stream_create(device, NULL, &stream, NULL) == TL_OK);
  for (int i = 0; i < 20; ++i) {
    expectSums(stream, 1 + i % 7 * 9, 32 * (1 + i % 8));
    int32_t *numbers = gpu->alloc(stream, 4096 * 4);
    EXPECT(launch(stream, NUMBER, 64, 64, numbers, NULL) == TL_OK);
    for (int32_t j = 0; j < 4096; ++j)
      EXPECT(numbers[j] == j);
    gpu->free(stream, numbers);
  }
  gpu->stream_destroy(stream);
  return NULL;
}

static void testMemory(tl_gpu_device *device, tl_gpu_stream *stream) {
  char host[300];
  EXPECT(memcmp(gpu->weights(device), weights, sizeof weights) == 0);
  char *a = gpu->alloc(stream, 300), *b = gpu->alloc(stream, 0);
  EXPECT(a && b && (uintptr_t)a % 256 == 0 && (uintptr_t)b % 256 == 0);
  EXPECT(!gpu->alloc(stream, INT64_MAX));
  EXPECT((unsigned char)a[299] == 0xFF); /* unwritten */
  EXPECT(gpu->copy(stream, a, host, 300, TL_COPY_TO_DEVICE, &error) == TL_OK);
  EXPECT_ERROR(TL_INVALID_ARGUMENT, gpu->copy(stream, a + 1, host, 300, TL_COPY_TO_DEVICE, &error),
               "copy of 300 bytes to ");
  EXPECT_ERROR(TL_INVALID_ARGUMENT, gpu->copy(stream, host, host, 1, TL_COPY_TO_HOST, &error),
               "which is no device memory");
  EXPECT(gpu->copy(stream, b, b, 0, TL_COPY_ON_DEVICE, &error) == TL_OK);
  gpu->free(stream, a);
  EXPECT_ERROR(TL_INVALID_ARGUMENT, gpu->copy(stream, host, a, 300, TL_COPY_TO_HOST, &error),
               "which is no device memory");
  gpu->free(stream, b);
  gpu->free(stream, NULL);
}

static void testErrors(tl_gpu_stream *stream) {
  int32_t *memory = gpu->alloc(stream, 40);
  EXPECT_ERROR(TL_RAISED, launch(stream, NUMBER, 1, 11, memory, &error),
               "kernel 'number', block (0, 0, 0), thread (10, 0, 0): writes 4 bytes at ");
  EXPECT_ERROR(TL_RAISED, launch(stream, NUMBER, 1, 1, NULL, &error), "which is no device memory");
  for (int i = 0; i < 3; ++i) {
    EXPECT_ERROR(TL_RAISED, launch(stream, LEAVE, 1, 64, NULL, &error),
                 "kernel 'leave', block (0, 0, 0), thread (3, 0, 0): leaves the kernel, while 3 "
                 "threads wait at bar.sync 0");
    expectSums(stream, 5, 96); /* the launches after it are not disturbed */
  }
  EXPECT_ERROR(TL_INVALID_ARGUMENT, launch(stream, 3, 1, 1, NULL, &error), "there is no kernel 3");
  EXPECT_ERROR(TL_INVALID_ARGUMENT, launch(stream, SUM, 1, 0, NULL, &error), "block size 0");
  EXPECT(launch(stream, SUM, 0, 32, NULL, &error) == TL_OK);
  gpu->free(stream, memory);
}

/* A GPU of each architecture runs the set that was made for it, or else for the newest before it.
 */
static void testSets(void) {
  static const struct {
    const char *arch;
    int32_t set;
  } expected[] = {{"80", 0}, {"86", 1}, {"89", 1}, {"90", 0}, {"100", 0}};
  tl_gpu_device *device;
  tl_gpu_stream *stream;
  for (size_t i = 0; i < sizeof expected / sizeof *expected; ++i) {
    setenv("TORCHLITE_EMULATOR_ARCH", expected[i].arch, 1);
    EXPECT(gpu->open(&code, 0, &device, &error) == TL_OK);
    EXPECT(gpu->set(device) == expected[i].set);
    EXPECT(gpu->stream_create(device, NULL, &stream, &error) == TL_OK);
    int32_t *numbers = gpu->alloc(stream, 64 * 4);
    EXPECT(launch(stream, NUMBER, 1, 64, numbers, NULL) == TL_OK);
    if (expected[i].set == 1)
      EXPECT_ERROR(TL_INVALID_ARGUMENT, launch(stream, SUM, 1, 64, numbers, &error), "no kernel 0");
    gpu->free(stream, numbers);
    gpu->stream_destroy(stream);
    gpu->close(device);
  }
  static const char *const wrong[] = {"75", "sm_80", "", "1000"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; ++i) {
    setenv("TORCHLITE_EMULATOR_ARCH", wrong[i], 1);
    EXPECT_ERROR(TL_INVALID_ARGUMENT, gpu->open(&code, 0, &device, &error),
                 "expected an architecture such as 80, which is the oldest that the kernels are "
                 "compiled for");
  }
  unsetenv("TORCHLITE_EMULATOR_ARCH");
}

int main(void) {
  tl_gpu_device *device, *again, *other;
  tl_gpu_stream *stream;
  EXPECT_ERROR(TL_NO_DEVICE, gpu->open(&code, 1, &device, &error), "there is no device 1, only 0");
  const tl_gpu_code empty = {0};
  EXPECT_ERROR(TL_NO_DEVICE, gpu->open(&empty, 0, &device, &error), "--target=emulated");
  EXPECT(gpu->open(&code, 0, &device, &error) == TL_OK);
  EXPECT(gpu->open(&code, 0, &again, &error) == TL_OK && again == device);
  gpu->close(again);
  const tl_gpu_code copy = code;
  EXPECT(gpu->open(&copy, 0, &other, &error) == TL_OK && other != device);
  EXPECT_ERROR(TL_INVALID_ARGUMENT, gpu->stream_create(device, &stream, &stream, &error),
               "a stream was given");
  EXPECT(gpu->stream_create(device, NULL, &stream, &error) == TL_OK);
  testMemory(device, stream);
  testErrors(stream);
  pthread_t threads[4];
  for (int i = 0; i < 4; ++i)
    EXPECT(!pthread_create(&threads[i], NULL, work, i % 2 ? device : other));
  for (int i = 0; i < 4; ++i)
    pthread_join(threads[i], NULL);
  EXPECT(gpu->synchronize(stream, &error) == TL_OK);
  gpu->stream_destroy(stream);
  gpu->close(other);
  gpu->close(device);
  testSets();
  return 0;
}
