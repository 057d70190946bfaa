/*===- Arithmetic.c - Directed rounding, rounding to bf16 ---------------------------------===*/
#include "TorchLite/Runtime/Emulator.h"

#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* Without changing the processor's rounding: libdevice's expf comes by here. */
float tl_emu_fma_f32(uint32_t rounding, float a, float b, float c) {
  double product = (double)a * b; /* exact */
  double sum = product + c;
  float nearest = (float)sum;
  if (rounding == TL_EMU_ROUND_NEAREST)
    return fmaf(a, b, c);
  if (!isfinite(sum))
    return (float)sum;
  /* sum + error is exact: Knuth, "The Art of Computer Programming", 4.2.2, theorem B. */
  double other = sum - product;
  double error = (product - (sum - other)) + (c - other);
  if (sum == 0 && error == 0 && product != 0 && rounding == TL_EMU_ROUND_DOWN)
    return -0.0f; /* x - x */
  if (rounding == TL_EMU_ROUND_ZERO)
    rounding = sum < 0 || (sum == 0 && error < 0) ? TL_EMU_ROUND_UP : TL_EMU_ROUND_DOWN;
  if (rounding == TL_EMU_ROUND_DOWN && (nearest > sum || (nearest == sum && error < 0)))
    return nextafterf(nearest, -INFINITY);
  if (rounding == TL_EMU_ROUND_UP && (nearest < sum || (nearest == sum && error > 0)))
    return nextafterf(nearest, INFINITY);
  return nearest;
}

double tl_emu_fma_f64(uint32_t rounding, double a, double b, double c) {
  static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
  int before = fegetround();
  fesetround(modes[rounding]);
  volatile double x = a, y = b, z = c; /* not to be moved out of here */
  volatile double result = fma(x, y, z);
  fesetround(before);
  return result;
}

/* To the nearest, ties to even; NaN stays NaN. Weak: a compiler's own library may have it as well.
 */
__attribute__((weak)) float __truncsfbf2(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = isnan(x) ? bits | 0x400000 : bits + 0x7FFF + (bits >> 16 & 1);
  bits >>= 16;
  memcpy(&x, &bits, sizeof bits);
  return x;
}
