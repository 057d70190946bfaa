/*===- Generator.h - Random numbers as PyTorch draws them on the CPU ---*- C -*-===*/
#ifndef TORCHLITE_RUNTIME_GENERATOR_H
#define TORCHLITE_RUNTIME_GENERATOR_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#define TL_GENERATOR_WORDS 624

/* A Mersenne Twister of 32 bits. */
typedef struct tl_generator {
  uint32_t words[TL_GENERATOR_WORDS];
  int32_t next; /* of the words; all of them: the next ones are to be made */
  bool seeded;
  bool has_normal; /* the second one of a pair waits */
  double normal;
} tl_generator;

/* Of the seed the lower 32 bits count, as in PyTorch. */
void tl_generator_seed(tl_generator *it, uint64_t seed);
/* With what the system has. */
void tl_generator_seed_somehow(tl_generator *it);
/* Makes the next words. */
void tl_generator_refill(tl_generator *it);

static inline uint32_t tl_draw32(tl_generator *it) {
  if (it->next >= TL_GENERATOR_WORDS)
    tl_generator_refill(it);
  uint32_t word = it->words[it->next++];
  word ^= word >> 11;
  word ^= word << 7 & 0x9d2c5680u;
  word ^= word << 15 & 0xefc60000u;
  return word ^ word >> 18;
}

static inline uint64_t tl_draw64(tl_generator *it) {
  uint64_t high = tl_draw32(it);
  return high << 32 | tl_draw32(it);
}

/* From 0 up to 1 (excluded), of 24 and of 53 bits. */
static inline float tl_draw_float(tl_generator *it) {
  return (float)(tl_draw32(it) & 0xffffff) * 0x1p-24f;
}
static inline double tl_draw_double(tl_generator *it) {
  return (double)(tl_draw64(it) & 0x1fffffffffffff) * 0x1p-53;
}
/* One of a pair, by the polar form of Box and Muller. */
double tl_draw_normal(tl_generator *it);
/* A number of events, of which `rate` are to be expected. */
double tl_draw_poisson(tl_generator *it, double rate);

#endif /* TORCHLITE_RUNTIME_GENERATOR_H */
