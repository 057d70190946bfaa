/*===- FloatEnvironment.c - How the processor rounds --------------------------===*\
|*
|* Results depend neither on the caller's rounding mode and flushing of tiny numbers, nor on which
|* thread computes them: every thread computes with the default environment, which a call sets and
|* the caller gets back.
\*===----------------------------------------------------------------------===*/
#include "Internal.h"

#if defined(__x86_64__)
/* All exceptions masked, to nearest, tiny numbers kept; the low bits are flags. */
#define MXCSR_DEFAULT 0x1f80u
#define MXCSR_CONTROL 0xffc0u
#define X87_DEFAULT 0x037fu
#define X87_CONTROL 0x0f3fu

tl_float_environment tl_float_default(void) {
  tl_float_environment old = {__builtin_ia32_stmxcsr(), 0};
  uint16_t control;
  __asm__ volatile("fnstcw %0" : "=m"(control));
  old.x87 = control;
  if ((old.vector & MXCSR_CONTROL) != MXCSR_DEFAULT)
    __builtin_ia32_ldmxcsr(MXCSR_DEFAULT | (old.vector & ~MXCSR_CONTROL));
  if ((control & X87_CONTROL) != (X87_DEFAULT & X87_CONTROL)) {
    control = X87_DEFAULT;
    __asm__ volatile("fldcw %0" : : "m"(control));
  }
  return old;
}

void tl_float_restore(tl_float_environment old) {
  if ((old.vector & MXCSR_CONTROL) != MXCSR_DEFAULT)
    __builtin_ia32_ldmxcsr(old.vector);
  if ((old.x87 & X87_CONTROL) != (X87_DEFAULT & X87_CONTROL)) {
    uint16_t control = (uint16_t)old.x87;
    __asm__ volatile("fldcw %0" : : "m"(control));
  }
}
#elif defined(__aarch64__)
tl_float_environment tl_float_default(void) {
  uint64_t control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  if (control)
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
  return (tl_float_environment){control, 0};
}

void tl_float_restore(tl_float_environment old) {
  if (old.vector)
    __asm__ volatile("msr fpcr, %0" : : "r"(old.vector));
}
#else
#include <fenv.h>

tl_float_environment tl_float_default(void) {
  tl_float_environment old = {(uint64_t)fegetround(), 0};
  fesetround(FE_TONEAREST);
  return old;
}

void tl_float_restore(tl_float_environment old) { fesetround((int)old.vector); }
#endif
