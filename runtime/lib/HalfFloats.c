/*===- HalfFloats.c - Conversions that code generators call --------------------===*\
|*
|* Where the processor does not convert to and from 16-bit floats, LLVM calls these, which not every
|* C compiler's own library has. Weak: that one may have them as well. A 16-bit float travels in the
|* low half of a vector register, where a `float` is too.
\*===----------------------------------------------------------------------===*/
#include <math.h>
#include <stdint.h>
#include <string.h>

#define PROVIDED __attribute__((weak))

PROVIDED float __truncsfbf2(float x);
PROVIDED float __truncdfbf2(double x);
PROVIDED float __truncsfhf2(float x);
PROVIDED float __truncdfhf2(double x);
PROVIDED float __extendhfsf2(float x);

static uint32_t bitsOf(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static float withBits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Towards zero, and odd where that loses something: rounding it once more then gives what rounding
   the double at once would. */
static float toOdd(double x) {
  float nearest = (float)x;
  if (isnan(x) || (double)nearest == x)
    return nearest;
  uint32_t bits = bitsOf(nearest);
  if (fabs((double)nearest) > fabs(x))
    --bits;
  return withBits(bits | 1);
}

/* All to the nearest, ties to even; NaN stays NaN. */
static float toBfloat(float x) {
  uint32_t bits = bitsOf(x);
  bits = isnan(x) ? bits | 0x400000 : bits + 0x7fff + (bits >> 16 & 1);
  return withBits(bits >> 16);
}

static float toHalf(float x) {
  uint32_t bits = bitsOf(x), sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  if (bits > 0x7f800000)
    return withBits(sign | 0x7e00 | (bits >> 13 & 0x1ff));
  if (bits >= 0x477ff000)
    return withBits(sign | 0x7c00);
  if (bits < 0x38800000) /* subnormal: a multiple of 2^-24 */
    return withBits(sign | (uint32_t)lrintf(ldexpf(withBits(bits), 24)));
  bits -= 0x38000000;
  return withBits(sign | (bits + 0xfff + (bits >> 13 & 1)) >> 13);
}

float __truncsfbf2(float x) { return toBfloat(x); }
float __truncdfbf2(double x) { return toBfloat(toOdd(x)); }
float __truncsfhf2(float x) { return toHalf(x); }
float __truncdfhf2(double x) { return toHalf(toOdd(x)); }

float __extendhfsf2(float x) {
  uint32_t bits = bitsOf(x), sign = (bits & 0x8000) << 16, exponent = bits >> 10 & 0x1f;
  uint32_t mantissa = bits & 0x3ff;
  if (exponent == 0x1f)
    return withBits(sign | 0x7f800000 | (mantissa ? 0x400000 | mantissa << 13 : 0));
  if (!exponent)
    return copysignf(ldexpf((float)mantissa, -24), withBits(sign));
  return withBits(sign | (exponent + 112) << 23 | mantissa << 13);
}
