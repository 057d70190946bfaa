/*===- Features.c - What the processor can do -------------------------------===*/
#include "Internal.h"

#include <string.h>

#if defined(__x86_64__)
/* The builtin takes only literals. Features that are not here are not checked. */
static bool lacks(const char *name, size_t length) {
#define CHECK(feature)                                                                             \
  if (length == sizeof feature - 1 && memcmp(name, feature, length) == 0)                          \
    return !__builtin_cpu_supports(feature);
  CHECK("sse3")
  CHECK("ssse3")
  CHECK("sse4.1")
  CHECK("sse4.2")
  CHECK("avx")
  CHECK("avx2")
  CHECK("fma")
  CHECK("bmi")
  CHECK("bmi2")
  CHECK("avx512f")
  CHECK("avx512bw")
  CHECK("avx512cd")
  CHECK("avx512dq")
  CHECK("avx512vl")
  CHECK("avx512vnni")
#undef CHECK
  return false;
}
#else
static bool lacks(const char *name, size_t length) {
  (void)name, (void)length;
  return false;
}
#endif

const char *tl_missing_feature(const char *features, size_t *length) {
#if defined(__x86_64__)
  __builtin_cpu_init();
#endif
  while (features && *features) {
    size_t name = strcspn(features, ",");
    if (lacks(features, name)) {
      *length = name;
      return features;
    }
    features += name + (features[name] == ',');
  }
  return NULL;
}
