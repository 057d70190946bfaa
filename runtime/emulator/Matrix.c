/*===- Matrix.c - ldmatrix and mma.sync ---------------------------------------------------===*\
|*
|* PTX ISA, "Matrix Fragments for mma.m16n8k*": lane l has group g = l / 4 and place t = l % 4. With
|* E elements per register, register r of A holds row g + 8 (r % 2) and columns from
|* 4 E (r / 2) + E t; register r of B holds rows from 4 E r + E t of column g.
\*===----------------------------------------------------------------------------===*/
#include "Internal.h"

#include <math.h>
#include <string.h>

/*===-- ldmatrix ---------------------------------------------------------------===*/

typedef struct load {
  uint64_t row;
  uint32_t *result;
} load;

static void need_warp(emu_worker *worker, emu_thread *warp, uint32_t lanes, const char *what) {
  if (lanes != ~0u)
    emu_fail(&warp[__builtin_ctz(lanes)].base, "%s by the lanes 0x%08x: it takes a whole warp",
             what, lanes);
}

static void perform_load(emu_worker *worker, emu_thread *warp, uint32_t lanes, uint32_t matrices,
                         bool transposed) {
  need_warp(worker, warp, lanes, "ldmatrix");
  for (uint32_t m = 0; m < matrices; ++m) {
    uint16_t matrix[8][8];
    for (uint32_t i = 0; i < 8; ++i) {
      emu_thread *lane = &warp[8 * m + i];
      uint64_t row = ((const load *)lane->request)->row;
      tl_emu_check_shared(&lane->base, row, 16, TL_EMU_READ, 16);
      memcpy(matrix[i], (const void *)(uintptr_t)row, 16);
    }
    for (uint32_t l = 0; l < EMU_WARP; ++l) {
      uint32_t g = l / 4, column = l % 4 * 2;
      uint32_t low = transposed ? matrix[column][g] : matrix[g][column];
      uint32_t high = transposed ? matrix[column + 1][g] : matrix[g][column + 1];
      ((const load *)warp[l].request)->result[m] = low | high << 16;
    }
  }
}
#define LOAD(name, matrices, transposed)                                                           \
  static void name(emu_worker *worker, emu_thread *warp, uint32_t lanes) {                         \
    perform_load(worker, warp, lanes, matrices, transposed);                                       \
  }
LOAD(load_1, 1, false)
LOAD(load_2, 2, false)
LOAD(load_4, 4, false)
LOAD(load_1_transposed, 1, true)
LOAD(load_2_transposed, 2, true)
LOAD(load_4_transposed, 4, true)
static const emu_operation loads[2][3] = {
    {{"ldmatrix.x1", load_1}, {"ldmatrix.x2", load_2}, {"ldmatrix.x4", load_4}},
    {{"ldmatrix.x1.trans", load_1_transposed},
     {"ldmatrix.x2.trans", load_2_transposed},
     {"ldmatrix.x4.trans", load_4_transposed}}};

void tl_emu_ldmatrix(tl_emu_thread *thread, uint32_t site, uint32_t matrices, uint32_t transposed,
                     uint64_t row, uint32_t *result) {
  load it = {row, result};
  emu_meet(thread, &loads[transposed != 0][matrices / 2], site, ~0u, &it);
}

/*===-- Numbers ----------------------------------------------------------------===*/

static inline float from_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}
static inline uint32_t to_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

/* Without branches, so that loops are vectorised. 2^112 is the difference of the exponents' biases;
   the product is exact, also for subnormal numbers. */
static inline float from_f16(uint16_t half) {
  uint32_t magnitude = (uint32_t)(half & 0x7FFF) << 13, sign = (uint32_t)(half & 0x8000) << 16;
  uint32_t finite = to_bits(from_bits(magnitude) * 0x1p112f);
  uint32_t special = magnitude | 0x7F800000;
  return from_bits((magnitude >= 0x0F800000 ? special : finite) | sign);
}

/* Rounds to nearest, ties to even. */
static uint16_t to_f16(float value) {
  uint32_t bits = to_bits(value), sign = bits >> 16 & 0x8000;
  bits &= 0x7FFFFFFF;
  if (bits > 0x7F800000)
    return (uint16_t)(sign | 0x7FFF);
  if (bits >= 0x477FF000) /* 65520 rounds up to infinity */
    return (uint16_t)(sign | 0x7C00);
  if (bits < 0x38800000) /* below 2^-14: adding 0.5 rounds at 2^-24 */
    return (uint16_t)(sign | (to_bits(from_bits(bits) + 0.5f) - 0x3F000000));
  return (uint16_t)(sign | ((bits - 0x38000000 + 0xFFF + (bits >> 13 & 1)) >> 13));
}

/*===-- mma.sync ---------------------------------------------------------------===*/

enum { MAX_K = 32 };

typedef struct mma {
  uint32_t k, a_type, b_type, c_type, d_type;
  const uint32_t *operands;
  uint32_t *result;
} mma;

/* Elements as they lie in registers: rows of A, columns of B. */
typedef struct fragments {
  uint32_t a[16][MAX_K], b[8][MAX_K];
} fragments;

static uint32_t elements_per_register(uint32_t type) {
  return type == TL_EMU_TF32 ? 1 : type == TL_EMU_S8 || type == TL_EMU_U8 ? 4 : 2;
}

static void collect(emu_thread *warp, const mma *it, fragments *all) {
  uint32_t count = elements_per_register(it->a_type), blocks = it->k / (4 * count);
  uint32_t bits = 32 / count;
  for (uint32_t l = 0; l < EMU_WARP; ++l) {
    const uint32_t *registers = ((const mma *)warp[l].request)->operands;
    uint32_t g = l / 4, t = l % 4;
    for (uint32_t r = 0; r < 2 * blocks; ++r)
      for (uint32_t e = 0; e < count; ++e)
        all->a[g + 8 * (r % 2)][4 * count * (r / 2) + count * t + e] =
            bits == 32 ? registers[r] : registers[r] >> (bits * e) & ((1u << bits) - 1);
    for (uint32_t r = 0; r < blocks; ++r)
      for (uint32_t e = 0; e < count; ++e)
        all->b[g][4 * count * r + count * t + e] =
            bits == 32 ? registers[2 * blocks + r]
                       : registers[2 * blocks + r] >> (bits * e) & ((1u << bits) - 1);
  }
}

/* To f32. The hardware reads 19 bits of a tf32 operand. */
static inline __attribute__((always_inline)) void convert(uint32_t *it, uint32_t n, uint32_t type) {
  if (type == TL_EMU_TF32)
    for (uint32_t i = 0; i < n; ++i)
      it[i] &= ~0x1FFFu;
  else if (type == TL_EMU_BF16)
    for (uint32_t i = 0; i < n; ++i)
      it[i] <<= 16;
  else
    for (uint32_t i = 0; i < n; ++i)
      it[i] = to_bits(from_f16((uint16_t)it[i]));
}

static inline __attribute__((always_inline)) void multiply(fragments *all, const mma *it,
                                                           float c[16][8]) {
  float b[MAX_K][8];
  for (uint32_t i = 0; i < 16; ++i)
    convert(all->a[i], it->k, it->a_type);
  for (uint32_t j = 0; j < 8; ++j)
    convert(all->b[j], it->k, it->b_type);
  for (uint32_t k = 0; k < it->k; ++k)
    for (uint32_t j = 0; j < 8; ++j)
      b[k][j] = from_bits(all->b[j][k]);
  for (uint32_t i = 0; i < 16; ++i)
    for (uint32_t k = 0; k < it->k; ++k) {
      float a = from_bits(all->a[i][k]);
      for (uint32_t j = 0; j < 8; ++j)
        c[i][j] += a * b[k][j];
    }
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void multiply_avx2(fragments *all, const mma *it,
                                                          float c[16][8]) {
  multiply(all, it, c);
}
#endif

static void multiply_floats(fragments *all, const mma *it, float c[16][8]) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    multiply_avx2(all, it, c);
    return;
  }
#endif
  multiply(all, it, c);
}

/* C or D: four f32, or two pairs of f16. */
static uint32_t first_of_c(const mma *it) {
  return 3 * it->k / (4 * elements_per_register(it->a_type));
}

static void perform_float_mma(emu_thread *warp, const mma *it, fragments *all) {
  float c[16][8];
  for (uint32_t l = 0; l < EMU_WARP; ++l) {
    const uint32_t *registers = ((const mma *)warp[l].request)->operands + first_of_c(it);
    uint32_t g = l / 4, t = l % 4;
    for (uint32_t i = 0; i < 4; ++i)
      c[g + i / 2 * 8][2 * t + i % 2] =
          it->c_type == TL_EMU_F32 ? from_bits(registers[i])
                                   : from_f16((uint16_t)(registers[i / 2] >> (i % 2 * 16)));
  }
  multiply_floats(all, it, c);
  for (uint32_t l = 0; l < EMU_WARP; ++l) {
    uint32_t *registers = ((const mma *)warp[l].request)->result;
    uint32_t g = l / 4, t = l % 4;
    for (uint32_t i = 0; i < 2; ++i) {
      const float *pair = &c[g + i * 8][2 * t];
      if (it->d_type == TL_EMU_F32) {
        registers[2 * i] = to_bits(pair[0]);
        registers[2 * i + 1] = to_bits(pair[1]);
      } else {
        registers[i] = to_f16(pair[0]) | (uint32_t)to_f16(pair[1]) << 16;
      }
    }
  }
}

static int32_t integer(uint32_t byte, uint32_t type) {
  return type == TL_EMU_S8 ? (int8_t)byte : (int32_t)byte;
}

static void perform_integer_mma(emu_thread *warp, const mma *it, const fragments *all) {
  for (uint32_t l = 0; l < EMU_WARP; ++l) {
    const mma *lane = warp[l].request;
    for (uint32_t i = 0; i < 4; ++i) {
      uint32_t row = l / 4 + i / 2 * 8, column = l % 4 * 2 + i % 2;
      uint32_t sum = lane->operands[first_of_c(it) + i];
      for (uint32_t k = 0; k < it->k; ++k)
        sum += (uint32_t)(integer(all->a[row][k], it->a_type) *
                          integer(all->b[column][k], it->b_type));
      lane->result[i] = sum;
    }
  }
}

static void perform_mma(emu_worker *worker, emu_thread *warp, uint32_t lanes) {
  need_warp(worker, warp, lanes, "mma.sync");
  const mma *it = warp[0].request;
  fragments all;
  collect(warp, it, &all);
  if (it->c_type == TL_EMU_S32)
    perform_integer_mma(warp, it, &all);
  else
    perform_float_mma(warp, it, &all);
}
static const emu_operation mma_operation = {"mma.sync", perform_mma};

void tl_emu_mma(tl_emu_thread *thread, uint32_t site, uint32_t k, uint32_t a_type, uint32_t b_type,
                uint32_t c_type, uint32_t d_type, const uint32_t *operands, uint32_t *result) {
  mma it = {k, a_type, b_type, c_type, d_type, operands, result};
  emu_meet(thread, &mma_operation, site, ~0u, &it);
}
