/*===- Generator.c - The Mersenne Twister, and what single draws are made of ------===*/
#include "Generator.h"

#include <sys/random.h>
#include <time.h>

#define SHIFT 397

void tl_generator_seed(tl_generator *it, uint64_t seed) {
  it->words[0] = (uint32_t)seed;
  for (uint32_t i = 1; i < TL_GENERATOR_WORDS; ++i)
    it->words[i] = 1812433253u * (it->words[i - 1] ^ it->words[i - 1] >> 30) + i;
  it->next = TL_GENERATOR_WORDS;
  it->seeded = true;
  it->has_normal = false;
}

void tl_generator_seed_somehow(tl_generator *it) {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    seed = (uint64_t)time.tv_sec * 1000003u ^ (uint64_t)time.tv_nsec ^ (uintptr_t)it >> 4;
  }
  tl_generator_seed(it, seed);
}

static uint32_t twist(uint32_t high, uint32_t low) {
  uint32_t both = (high & 0x80000000u) | (low & 0x7fffffffu);
  return both >> 1 ^ (low & 1 ? 0x9908b0dfu : 0);
}

void tl_generator_refill(tl_generator *it) {
  uint32_t *words = it->words;
  const int last = TL_GENERATOR_WORDS - 1;
  for (int i = 0; i < TL_GENERATOR_WORDS - SHIFT; ++i)
    words[i] = words[i + SHIFT] ^ twist(words[i], words[i + 1]);
  for (int i = TL_GENERATOR_WORDS - SHIFT; i < last; ++i)
    words[i] = words[i + SHIFT - TL_GENERATOR_WORDS] ^ twist(words[i], words[i + 1]);
  words[last] = words[SHIFT - 1] ^ twist(words[last], words[0]);
  it->next = 0;
}

double tl_draw_normal(tl_generator *it) {
  if (it->has_normal) {
    it->has_normal = false;
    return it->normal;
  }
  double angle = 2.0 * 3.14159265358979323846 * tl_draw_double(it);
  double radius = sqrt(-2.0 * log1p(-tl_draw_double(it)));
  it->has_normal = true;
  it->normal = radius * sin(angle);
  return radius * cos(angle);
}

/* Hoermann's transformed rejection (PTRS), 1993. */
static double drawManyEvents(tl_generator *it, double rate) {
  double log_rate = log(rate);
  double b = 0.931 + 2.53 * sqrt(rate);
  double a = -0.059 + 0.02483 * b;
  double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  double accepted = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    double u = tl_draw_double(it) - 0.5;
    double v = tl_draw_double(it);
    double us = 0.5 - fabs(u);
    double k = floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= accepted)
      return k;
    if (k < 0 || (us < 0.013 && v > us))
      continue;
    if (log(v) + log(inverse_alpha) - log(a / (us * us) + b) <=
        -rate + k * log_rate - lgamma(k + 1))
      return k;
  }
}

double tl_draw_poisson(tl_generator *it, double rate) {
  if (rate >= 10)
    return drawManyEvents(it, rate);
  if (!(rate > 0))
    return 0;
  double least = exp(-rate), product = 1, events = 0;
  for (;;) {
    product *= tl_draw_double(it);
    if (!(product > least))
      return events;
    ++events;
  }
}
