/*===- Emulator.h - Between emulated kernels and the emulator ---------*- C -*-===*\
|*
|* Kernels made for an NVIDIA GPU, compiled for the host by lib/Codegen/NVGPU/EmulateKernels.cpp,
call
|* these functions of libTorchLiteEmulator.a for everything that host code has no instruction for.
|* Internal, without compatibility to keep: both sides are linked into one library.
|*
|* A kernel is called once per thread of the grid. Kernels in which threads wait for each other run
|* every thread on a stack of its own (a fiber), so any of these functions may switch to another
|* thread. Functions that find an error in the kernel do not return: the launch ends with a message.
|*
|* Source of what the operations do: PTX ISA; names of operations in messages are PTX's.
\*===----------------------------------------------------------------------===*/
#ifndef TORCHLITE_RUNTIME_EMULATOR_H
#define TORCHLITE_RUNTIME_EMULATOR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Allocations of device memory that accesses found last, by `slot`: see tl_emu_check_global. */
#define TL_EMU_RANGES 32

typedef struct tl_emu_range {
  uint64_t base;
  uint64_t bytes; /* 0: none yet */
} tl_emu_range;

/* The block that runs. Compiled code reads it directly. */
typedef struct tl_emu_block {
  char *shared; /* base of dynamic shared memory, aligned to 1024 bytes */
  uint32_t block_id[3], block_size[3], grid_size[3];
  uint32_t reserved;
  tl_emu_range ranges[TL_EMU_RANGES];
} tl_emu_block;

/* One thread of it. */
typedef struct tl_emu_thread {
  tl_emu_block *block;
  uint32_t thread_id[3];
  uint32_t linear_id; /* x fastest; the lane is its low five bits */
} tl_emu_thread;

/* What a kernel tells about itself when it is called with null. */
typedef struct tl_emu_kernel {
  const char *name;
  int32_t has_collectives; /* threads wait for each other: barriers, shuffles, matrix operations */
  int32_t granule;         /* bytes (1, 2 or 4) that every access to shared memory is a multiple of,
                              in address and size */
  int64_t local_bytes;     /* of local memory per thread */
  const int32_t
      *pointers; /* numbers of the parameters that are pointers: slot i is the i-th one's */
  const int64_t *extents; /* of each of those, bytes that the kernel may access; 0: not known */
  const int32_t *factors; /* the pointers' lists, each ends in -1: 64-bit parameters that the extent
                             is to be multiplied by */
  int32_t pointer_count;  /* less than TL_EMU_RANGES: the last slot is for all other pointers */
  int32_t mutation_count; /* barriers and waits of the whole library that tests may leave out */
  const char *mutations;  /* what they are, one line each; line i is that of site i */
  const int32_t *parameter_bytes; /* the sizes of all parameters */
  int32_t parameter_count;
} tl_emu_kernel;
void tl_emu_describe(const tl_emu_kernel *kernel);

/* The thread that calls. */
tl_emu_thread *tl_emu_current(void);

/* ---- checks of memory accesses ---- */

enum { TL_EMU_READ = 0, TL_EMU_WRITE = 1, TL_EMU_ATOMIC = 2 };

/* Before an access to global or generic memory that is not within block->ranges[slot], or
   misaligned. Returns if the access is allowed; sets the last range, but never that of an argument.
   `alignment`: what the instruction demands, in bytes. */
void tl_emu_check_global(tl_emu_thread *thread, tl_emu_block *block, uint64_t address,
                         uint64_t bytes, uint32_t kind, uint32_t alignment, uint32_t slot);
/* Before every access to shared memory. */
void tl_emu_check_shared(tl_emu_thread *thread, uint64_t address, uint64_t bytes, uint32_t kind,
                         uint32_t alignment);

/* ---- barriers; here and below `site` numbers the instruction: lanes of one warp that meet must do
   so at the same one, as PTX demands of `.aligned` and generated kernels always do. The sites of
   barriers and waits are lines of tl_emu_kernel's `mutations` ---- */

/* bar.sync `id`: the whole block. */
void tl_emu_barrier(tl_emu_thread *thread, uint32_t id, uint32_t site);
/* bar.red: what all threads give, reduced: 0 popc, 1 and, 2 or. */
uint32_t tl_emu_barrier_reduce(tl_emu_thread *thread, uint32_t id, uint32_t site, uint32_t kind,
                               uint32_t predicate);
/* bar.warp.sync */
void tl_emu_warp_barrier(tl_emu_thread *thread, uint32_t site, uint32_t mask);

/* ---- between the lanes of a warp ---- */

enum { TL_EMU_SHFL_IDX = 0, TL_EMU_SHFL_UP = 1, TL_EMU_SHFL_DOWN = 2, TL_EMU_SHFL_BFLY = 3 };
/* shfl.sync; operands as in PTX. */
uint32_t tl_emu_shfl(tl_emu_thread *thread, uint32_t site, uint32_t mode, uint32_t mask,
                     uint32_t value, uint32_t lane, uint32_t clamp, uint8_t *in_range);

enum { TL_EMU_VOTE_ALL = 0, TL_EMU_VOTE_ANY = 1, TL_EMU_VOTE_UNI = 2, TL_EMU_VOTE_BALLOT = 3 };
uint32_t tl_emu_vote(tl_emu_thread *thread, uint32_t site, uint32_t mode, uint32_t mask,
                     uint32_t predicate);

/* match.any.sync, and match.all.sync with its predicate. */
uint32_t tl_emu_match(tl_emu_thread *thread, uint32_t site, uint32_t all, uint32_t mask,
                      uint64_t value, uint8_t *agree);

enum {
  TL_EMU_REDUX_ADD = 0,
  TL_EMU_REDUX_MIN = 1,
  TL_EMU_REDUX_MAX = 2,
  TL_EMU_REDUX_UMIN = 3,
  TL_EMU_REDUX_UMAX = 4,
  TL_EMU_REDUX_AND = 5,
  TL_EMU_REDUX_OR = 6,
  TL_EMU_REDUX_XOR = 7
};
uint32_t tl_emu_redux(tl_emu_thread *thread, uint32_t site, uint32_t mode, uint32_t mask,
                      uint32_t value);

/* ldmatrix.m8n8.b16 of 1, 2 or 4 matrices; `row` is the address of the row that this lane names. */
void tl_emu_ldmatrix(tl_emu_thread *thread, uint32_t site, uint32_t matrices, uint32_t transposed,
                     uint64_t row, uint32_t *result);

/* mma.sync.m16n8k<k>.row.col. Element types of the factors and of C and D. */
enum {
  TL_EMU_F16 = 0,
  TL_EMU_BF16 = 1,
  TL_EMU_TF32 = 2,
  TL_EMU_F32 = 3,
  TL_EMU_S8 = 4,
  TL_EMU_U8 = 5,
  TL_EMU_S32 = 6
};
/* `operands`: the registers of A, B and C one after another; `result`: those of D. */
void tl_emu_mma(tl_emu_thread *thread, uint32_t site, uint32_t k, uint32_t a_type, uint32_t b_type,
                uint32_t c_type, uint32_t d_type, const uint32_t *operands, uint32_t *result);

/* ---- cp.async ---- */

/* Copies `source_bytes` from global to shared memory, and zeros up to `bytes` (4, 8 or 16). */
void tl_emu_copy_async(tl_emu_thread *thread, uint64_t to, uint64_t from, uint32_t bytes,
                       uint32_t source_bytes, uint32_t slot);
void tl_emu_copy_commit(tl_emu_thread *thread);
/* Waits until at most `pending` groups are on their way. */
void tl_emu_copy_wait(tl_emu_thread *thread, uint32_t site, uint32_t pending);
void tl_emu_copy_wait_all(tl_emu_thread *thread, uint32_t site);

/* ---- arithmetic with directed rounding ---- */

enum {
  TL_EMU_ROUND_NEAREST = 0,
  TL_EMU_ROUND_DOWN = 1,
  TL_EMU_ROUND_UP = 2,
  TL_EMU_ROUND_ZERO = 3
};
/* a * b + c, rounded once. */
float tl_emu_fma_f32(uint32_t rounding, float a, float b, float c);
double tl_emu_fma_f64(uint32_t rounding, double a, double b, double c);

/* f32 to bf16, which LLVM calls where the processor has no instruction for it and which not every C
 * compiler's library has. The result are the low 16 bits of the register in which floats are
 * returned. */
float __truncsfbf2(float x);

/* trap: ends the launch with an error. */
void tl_emu_trap(tl_emu_thread *thread);

/* Every function above, for those who resolve symbols by name. */
#define TL_EMU_FUNCTIONS(X)                                                                        \
  X(tl_emu_describe)                                                                               \
  X(tl_emu_current)                                                                                \
  X(tl_emu_check_global)                                                                           \
  X(tl_emu_check_shared)                                                                           \
  X(tl_emu_barrier)                                                                                \
  X(tl_emu_barrier_reduce)                                                                         \
  X(tl_emu_warp_barrier)                                                                           \
  X(tl_emu_shfl)                                                                                   \
  X(tl_emu_vote)                                                                                   \
  X(tl_emu_match)                                                                                  \
  X(tl_emu_redux)                                                                                  \
  X(tl_emu_ldmatrix)                                                                               \
  X(tl_emu_mma)                                                                                    \
  X(tl_emu_copy_async)                                                                             \
  X(tl_emu_copy_commit)                                                                            \
  X(tl_emu_copy_wait)                                                                              \
  X(tl_emu_copy_wait_all)                                                                          \
  X(tl_emu_fma_f32)                                                                                \
  X(tl_emu_fma_f64)                                                                                \
  X(__truncsfbf2)                                                                                  \
  X(tl_emu_trap)

#ifdef __cplusplus
}
#endif
#endif /* TORCHLITE_RUNTIME_EMULATOR_H */
