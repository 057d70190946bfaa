/* RUN: %cc -fsanitize=undefined -fno-sanitize-recover=all %s %runtime -o %t && %t
   Conversions of 16-bit floats that a C compiler's library may lack are in the runtime. */
#include "FakeModel.h"

#include <math.h>

float __truncsfbf2(float x);
float __truncdfbf2(double x);
float __truncsfhf2(float x);
float __truncdfhf2(double x);
float __extendhfsf2(float x);

static unsigned low(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits & 0xffff;
}
static float half(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return __extendhfsf2(x);
}

int main(void) {
  EXPECT(low(__truncsfbf2(1)) == 0x3f80 && low(__truncsfbf2(-2.5f)) == 0xc020);
  EXPECT(low(__truncsfbf2(0x1.01p0f)) == 0x3f80 && low(__truncsfbf2(0x1.03p0f)) == 0x3f82);
  EXPECT(low(__truncsfbf2(3.4e38f)) == 0x7f80 && (low(__truncsfbf2(NAN)) & 0x7fff) > 0x7f80);
  /* Rounded once, not by way of a float. */
  EXPECT(low(__truncdfbf2(0x1.010000001p0)) == 0x3f81 && low(__truncdfbf2(0x1.01p0)) == 0x3f80);
  EXPECT(low(__truncdfbf2(1e300)) == 0x7f80 && low(__truncdfbf2(-1e-300)) == 0x8000);
  EXPECT(low(__truncdfhf2(0x1.002000001p0)) == 0x3c01 && low(__truncdfhf2(0x1.002p0)) == 0x3c00);
  EXPECT(low(__truncsfhf2(65504)) == 0x7bff && low(__truncsfhf2(65520)) == 0x7c00);
  EXPECT(low(__truncsfhf2(0x1p-24f)) == 1 && low(__truncsfhf2(0x1p-25f)) == 0);
  EXPECT(low(__truncsfhf2(-0x1.8p-24f)) == 0x8002);
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    float x = half(bits);
    if (isnan(x))
      EXPECT((bits & 0x7fff) > 0x7c00);
    else
      EXPECT(low(__truncsfhf2(x)) == bits && low(__truncdfhf2(x)) == bits);
  }
  EXPECT(half(0x3c00) == 1 && half(0xfbff) == -65504 && half(1) == 0x1p-24f);
  return fake_model.method_count == 0;
}
