/*===- Random.c - Tensors of random numbers --------------------------------------===*\
|*
|* What PyTorch's operators take from their generator for the CPU, in its order: how many words an
|* element takes, and of how many bits its number is, depends on the operator and the element type.
|* The numbers are drawn in row-major order, and then copied where the tensor lies elsewhere: with
|* steps, or on a device.
\*===----------------------------------------------------------------------===*/
#include "Generator.h"
#include "Internal.h"

#include <stdlib.h>
#include <string.h>

/* c10::ScalarType. */
enum { U8, I8, I16, I32, I64, F16, F32, F64, BOOL = 11, BF16 = 15 };

static int64_t elementBytes(int64_t dtype) {
  switch (dtype) {
  case I16:
  case F16:
  case BF16:
    return 2;
  case I32:
  case F32:
    return 4;
  case I64:
  case F64:
    return 8;
  default:
    return 1;
  }
}

/*===-- Elements -----------------------------------------------------------===*/

static uint16_t toBFloat(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if (isnan(x))
    return 0x7fc0;
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static uint16_t toHalf(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
  float size = fabsf(x);
  if (isnan(x))
    return (uint16_t)(sign | 0x7e00);
  if (size >= 65520)
    return (uint16_t)(sign | 0x7c00);
  if (size < 0x1p-14f) /* denormal: counted in steps of 2 to the power of -24 */
    return (uint16_t)(sign | (uint16_t)nearbyintf(size * 0x1p24f));
  bits &= 0x7fffffff;
  bits += 0xfff + (bits >> 13 & 1);
  return (uint16_t)(sign | ((bits >> 13) - (112 << 10)));
}

static void storeInteger(void *data, int64_t i, int64_t dtype, uint64_t value);

/* A float as PyTorch converts it to the element type. */
static void storeNumber(void *data, int64_t i, int64_t dtype, double value) {
  switch (dtype) {
  case F64:
    ((double *)data)[i] = value;
    return;
  case F32:
    ((float *)data)[i] = (float)value;
    return;
  case F16:
    ((uint16_t *)data)[i] = toHalf((float)value);
    return;
  case BF16:
    ((uint16_t *)data)[i] = toBFloat((float)value);
    return;
  default: /* the largest where it is beyond all integers */
    storeInteger(data, i, dtype, value < 0x1p63 ? (uint64_t)(int64_t)value : (uint64_t)INT64_MAX);
    return;
  }
}

/* The lower bits of a signed integer. */
static void storeInteger(void *data, int64_t i, int64_t dtype, uint64_t value) {
  switch (dtype) {
  case U8:
  case I8:
    ((uint8_t *)data)[i] = (uint8_t)value;
    return;
  case BOOL:
    ((uint8_t *)data)[i] = value != 0;
    return;
  case I16:
    ((uint16_t *)data)[i] = (uint16_t)value;
    return;
  case I32:
    ((uint32_t *)data)[i] = (uint32_t)value;
    return;
  case I64:
    ((uint64_t *)data)[i] = value;
    return;
  case F32: /* at once: by way of a double it would be rounded twice */
    ((float *)data)[i] = (float)(int64_t)value;
    return;
  case F64:
    ((double *)data)[i] = (double)(int64_t)value;
    return;
  default:
    storeNumber(data, i, dtype, (double)(float)(int64_t)value);
    return;
  }
}

/*===-- Kinds --------------------------------------------------------------===*/

/* One tensor to be filled, contiguous. */
typedef struct tl_filling {
  tl_generator *generator;
  const tl_random *what;
  void *data;
  int64_t count;
} tl_filling;

static void fillUniform(const tl_filling *it) {
  int64_t dtype = it->what->dtype;
  double from = it->what->parameters[0].f, to = it->what->parameters[1].f;
  if (dtype == F64) {
    for (int64_t i = 0; i < it->count; ++i)
      ((double *)it->data)[i] = fma(tl_draw_double(it->generator), to - from, from);
    return;
  }
  float least = (float)from, range = (float)to - least;
  bool plain = least == 0 && range == 1;
  if (dtype == F32 && plain) {
    for (int64_t i = 0; i < it->count; ++i)
      ((float *)it->data)[i] = tl_draw_float(it->generator);
    return;
  }
  uint16_t limit = dtype == BF16 ? toBFloat((float)to) : toHalf((float)to);
  for (int64_t i = 0; i < it->count; ++i) {
    float drawn = tl_draw_float(it->generator);
    storeNumber(it->data, i, dtype, (double)(plain ? drawn : fmaf(drawn, range, least)));
    /* What rounds to the limit, which is excluded, is the least instead. */
    if (dtype != F32 && ((uint16_t *)it->data)[i] == limit)
      storeNumber(it->data, i, dtype, from);
  }
}

/* Eight pairs of the numbers of 16 uniform ones. */
static void normalBlock(const tl_filling *it, int64_t first, double *drawn) {
  int64_t dtype = it->what->dtype;
  double mean = it->what->parameters[0].f, deviation = it->what->parameters[1].f;
  for (int j = 0; j < 8; ++j) {
    double u = drawn[j], v = drawn[j + 8];
    double cosine, sine;
    if (dtype == F64) {
      double radius = sqrt(-2 * log(1 - u)), angle = 2 * 3.14159265358979323846 * v;
      cosine = fma(radius * cos(angle), deviation, mean);
      sine = fma(radius * sin(angle), deviation, mean);
    } else {
      float radius = sqrtf(-2 * logf(1 - (float)u)), angle = 6.28318530717958647692f * (float)v;
      float x, y;
      sincosf(angle, &y, &x);
      x *= radius;
      y *= radius;
      cosine = (double)fmaf(x, (float)deviation, (float)mean);
      sine = (double)fmaf(y, (float)deviation, (float)mean);
    }
    storeNumber(it->data, first + j, dtype, cosine);
    storeNumber(it->data, first + j + 8, dtype, sine);
  }
}

static void drawUniform(const tl_filling *it, double *drawn, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    drawn[i] = it->what->dtype == F64 ? tl_draw_double(it->generator)
                                      : (double)tl_draw_float(it->generator);
}

static void fillNormalSerially(const tl_filling *it) {
  const tl_random *what = it->what;
  for (int64_t i = 0; i < it->count; ++i) {
    double drawn = tl_draw_normal(it->generator);
    storeNumber(it->data, i, what->dtype, fma(drawn, what->parameters[1].f, what->parameters[0].f));
  }
}

/* In blocks of 16. Where that does not come out even, the last 16 elements are drawn anew; f32 and
   f64 draw for all elements before, 16-bit types for whole blocks. */
static void fillNormal(const tl_filling *it) {
  if (it->count < 16) {
    fillNormalSerially(it);
    return;
  }
  double drawn[16];
  int64_t whole = it->count / 16 * 16;
  for (int64_t i = 0; i < whole; i += 16) {
    drawUniform(it, drawn, 16);
    normalBlock(it, i, drawn);
  }
  if (whole == it->count)
    return;
  if (it->what->dtype == F32 || it->what->dtype == F64)
    drawUniform(it, drawn, it->count - whole);
  drawUniform(it, drawn, 16);
  normalBlock(it, it->count - 16, drawn);
}

static void fillLogNormal(const tl_filling *it) {
  const tl_random *what = it->what;
  for (int64_t i = 0; i < it->count; ++i) {
    double drawn = tl_draw_normal(it->generator);
    storeNumber(it->data, i, what->dtype,
                exp(fma(drawn, what->parameters[1].f, what->parameters[0].f)));
  }
}

static void fillExponential(const tl_filling *it) {
  double scale = -1 / it->what->parameters[0].f;
  for (int64_t i = 0; i < it->count; ++i)
    storeNumber(it->data, i, it->what->dtype, scale * log1p(-tl_draw_double(it->generator)));
}

static void fillCauchy(const tl_filling *it) {
  const tl_random *what = it->what;
  for (int64_t i = 0; i < it->count; ++i)
    storeNumber(it->data, i, what->dtype,
                fma(what->parameters[1].f,
                    tan(3.14159265358979323846 * (tl_draw_double(it->generator) - 0.5)),
                    what->parameters[0].f));
}

static void fillGeometric(const tl_filling *it) {
  double scale = log1p(-it->what->parameters[0].f);
  for (int64_t i = 0; i < it->count; ++i)
    storeNumber(it->data, i, it->what->dtype, ceil(log(tl_draw_double(it->generator)) / scale));
}

static void fillBernoulli(const tl_filling *it) {
  double probability = it->what->parameters[0].f;
  for (int64_t i = 0; i < it->count; ++i)
    storeInteger(it->data, i, it->what->dtype, tl_draw_double(it->generator) < probability);
}

/* `each` is contiguous. */
static void fillBernoulliEach(const tl_filling *it) {
  const tl_random *what = it->what;
  for (int64_t i = 0; i < it->count; ++i) {
    bool is_one = what->each_bytes == 8
                      ? tl_draw_double(it->generator) < ((const double *)what->each)[i]
                      : tl_draw_float(it->generator) < ((const float *)what->each)[i];
    storeInteger(it->data, i, what->dtype, is_one);
  }
}

static void fillRRelu(const tl_filling *it) {
  const tl_random *what = it->what;
  double from = what->parameters[0].f, to = what->parameters[1].f;
  for (int64_t i = 0; i < it->count; ++i) {
    bool draws = ((const unsigned char *)what->each)[i];
    storeNumber(it->data, i, what->dtype,
                draws ? tl_draw_double(it->generator) * (to - from) + from : 1);
  }
}

static void fillPoisson(const tl_filling *it) {
  for (int64_t i = 0; i < it->count; ++i)
    storeNumber(it->data, i, it->what->dtype,
                tl_draw_poisson(it->generator, ((const double *)it->what->each)[i]));
}

static void fillIntegers(const tl_filling *it) {
  uint64_t base = (uint64_t)it->what->parameters[0].i, range = (uint64_t)it->what->parameters[1].i;
  bool is_long = !range || range >= 1u << 28;
  for (int64_t i = 0; i < it->count; ++i) {
    uint64_t drawn = is_long ? tl_draw64(it->generator) : tl_draw32(it->generator);
    storeInteger(it->data, i, it->what->dtype, range ? drawn % range + base : drawn);
  }
}

/* All numbers of the type that are not negative; of floats the integers that they hold exactly. */
static void fillBits(const tl_filling *it) {
  static const struct {
    int64_t dtype;
    uint64_t limit;
  } limits[] = {{U8, 1u << 8},          {I8, 1u << 7},         {I16, 1u << 15},
                {I32, 1u << 31},        {I64, 1ull << 63},     {BOOL, 2},
                {F16, (1u << 11) + 1},  {BF16, (1u << 8) + 1}, {F32, (1u << 24) + 1},
                {F64, (1ull << 53) + 1}};
  int64_t dtype = it->what->dtype;
  uint64_t limit = 1;
  for (size_t i = 0; i < sizeof limits / sizeof *limits; ++i)
    if (limits[i].dtype == dtype)
      limit = limits[i].limit;
  for (int64_t i = 0; i < it->count; ++i) {
    uint64_t drawn =
        dtype == I64 || dtype == F64 ? tl_draw64(it->generator) : tl_draw32(it->generator);
    storeInteger(it->data, i, dtype, drawn % limit);
  }
}

/* In the element type itself: permutations are of any type of numbers. */
static void fillPermutation(const tl_filling *it) {
  int64_t bytes = elementBytes(it->what->dtype);
  char *data = it->data, other[8];
  for (int64_t i = 0; i < it->count; ++i)
    storeInteger(data, i, it->what->dtype, (uint64_t)i);
  for (int64_t i = 0; i + 1 < it->count; ++i) {
    uint64_t left = (uint64_t)(it->count - i);
    /* Few elements take one word each, many two. */
    uint64_t drawn =
        it->count < UINT32_MAX / 20 ? tl_draw32(it->generator) : tl_draw64(it->generator);
    char *a = data + i * bytes, *b = a + (int64_t)(drawn % left) * bytes;
    memcpy(other, a, (size_t)bytes);
    memmove(a, b, (size_t)bytes);
    memcpy(b, other, (size_t)bytes);
  }
}

static const struct {
  const char *kind;
  void (*fill)(const tl_filling *);
} kinds[] = {
    {"bernoulli", fillBernoulli},
    {"bernoulli_each", fillBernoulliEach},
    {"bits", fillBits},
    {"cauchy", fillCauchy},
    {"exponential", fillExponential},
    {"geometric", fillGeometric},
    {"integers", fillIntegers},
    {"log_normal", fillLogNormal},
    {"normal", fillNormal},
    {"normal_serial", fillNormalSerially},
    {"permutation", fillPermutation},
    {"poisson", fillPoisson},
    {"rrelu", fillRRelu},
    {"uniform", fillUniform},
};

/*===-- Places -------------------------------------------------------------===*/

static bool isContiguous(const tl_random *what, const int64_t *strides) {
  int64_t stride = 1;
  for (int64_t d = what->rank - 1; d >= 0; --d) {
    if (what->sizes[d] != 1 && strides[d] != stride)
      return false;
    stride *= what->sizes[d];
  }
  return true;
}

/* The tensor at `data` in DLPack's form, for copies; `sizes` and `strides` are only read. */
static DLTensor viewOf(const tl_random *what, const void *data, const int64_t *strides) {
  DLTensor tensor = {.data = (void *)(uintptr_t)data, .ndim = (int32_t)what->rank};
  tensor.shape = (int64_t *)(uintptr_t)what->sizes;
  tensor.strides = (int64_t *)(uintptr_t)strides;
  return tensor;
}

/* Bytes from the first element to behind the last. */
static int64_t spanOf(const tl_random *what, const int64_t *strides, int64_t element) {
  int64_t last = 0;
  for (int64_t d = 0; d < what->rank; ++d)
    last += (what->sizes[d] - 1) * strides[d];
  return (last + 1) * element;
}

static void drawAll(tl_call_frame *frame, const tl_random *what, void *data, int64_t count) {
  tl_instance *instance = frame->instance;
  tl_filling filling = {&instance->generator, what, data, count};
  pthread_mutex_lock(&instance->generator_lock);
  if (!instance->generator.seeded)
    tl_generator_seed_somehow(&instance->generator);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i)
    if (strcmp(kinds[i].kind, what->kind) == 0)
      kinds[i].fill(&filling);
  pthread_mutex_unlock(&instance->generator_lock);
}

/* The tensors are in host memory. */
static void drawHere(tl_call_frame *frame, tl_random what, int64_t count) {
  tl_memory *memory = frame->device ? &frame->device->staging : &frame->memory;
  int64_t bytes = count * elementBytes(what.dtype);
  void *each = NULL, *data = what.data;
  bool copies_each = what.each && !isContiguous(&what, what.each_strides);
  bool in_place = isContiguous(&what, what.strides);
  if (copies_each)
    each = tl_memory_take(memory, count * what.each_bytes);
  if (!in_place)
    data = tl_memory_take(memory, bytes);
  if (!data || (copies_each && !each))
    tl_raise(frame, TL_OUT_OF_MEMORY, "out of memory for random numbers: {} bytes", &bytes, 1);
  if (copies_each) {
    DLTensor from = viewOf(&what, what.each, what.each_strides);
    tl_tensor_gather(&from, each, (size_t)what.each_bytes);
    what.each = each;
  }
  drawAll(frame, &what, data, count);
  if (!in_place) {
    DLTensor to = viewOf(&what, what.data, what.strides);
    tl_tensor_scatter(data, &to, (size_t)elementBytes(what.dtype));
    tl_memory_give(memory, data);
  }
  if (each)
    tl_memory_give(memory, each);
}

/* The host draws, between two copies: the stream is waited for. What lies between the elements goes
   there and back. */
static void drawForDevice(tl_call_frame *frame, tl_random what, int64_t count) {
  tl_device_refuse_recording(frame);
  tl_memory *memory = &frame->device->staging;
  int64_t bytes = spanOf(&what, what.strides, elementBytes(what.dtype));
  int64_t each_bytes = what.each ? spanOf(&what, what.each_strides, what.each_bytes) : 0;
  void *to = what.data;
  void *data = tl_memory_take(memory, bytes), *each = tl_memory_take(memory, each_bytes);
  if (!data || !each)
    tl_raise(frame, TL_OUT_OF_MEMORY, "out of memory for random numbers: {} bytes", &bytes, 1);
  if (what.each)
    tl_device_read(frame, each, what.each, each_bytes);
  if (!isContiguous(&what, what.strides))
    tl_device_read(frame, data, to, bytes);
  what.data = data;
  what.each = what.each ? each : NULL;
  drawHere(frame, what, count);
  tl_device_write(frame, to, data, bytes);
  tl_memory_give(memory, data);
  tl_memory_give(memory, each);
}

void tl_rt_random(tl_frame *it, const tl_random *what) {
  tl_call_frame *frame = it->runtime;
  int64_t count = tl_byte_count(what->rank, what->sizes, 1);
  if (count <= 0) /* nothing is drawn */
    return;
  if (frame->device)
    drawForDevice(frame, *what, count);
  else
    drawHere(frame, *what, count);
}

void tl_instance_seed_here(tl_instance *instance, uint64_t seed) {
  pthread_mutex_lock(&instance->generator_lock);
  tl_generator_seed(&instance->generator, seed);
  pthread_mutex_unlock(&instance->generator_lock);
}
