/*===- Features.c - What the processor can do -------------------------------===*\
|*
|* A library says with which of LLVM's features it was compiled; a processor that lacks one would
|* die of it. All that LLVM's processors have are known here; what is not, is taken for missing.
\*===----------------------------------------------------------------------===*/
#include "Internal.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>

enum { EAX, EBX, ECX, EDX };

/* What the system must save of a thread, as bits of the register XCR0. */
#define NOTHING 0u
#define VECTORS 0x6u
#define WIDE 0xe6u
#define TILES 0x60000u
#define MORE_REGISTERS 0x80000u

typedef struct feature {
  const char *name;
  uint32_t leaf, subleaf, reg, bit;
  uint32_t saved;
} feature;

/* As llvm/lib/TargetParser/Host.cpp reads them. */
static const feature features[] = {
    {"sse3", 1, 0, ECX, 0, NOTHING},
    {"pclmul", 1, 0, ECX, 1, NOTHING},
    {"ssse3", 1, 0, ECX, 9, NOTHING},
    {"fma", 1, 0, ECX, 12, VECTORS},
    {"cx16", 1, 0, ECX, 13, NOTHING},
    {"sse4.1", 1, 0, ECX, 19, NOTHING},
    {"sse4.2", 1, 0, ECX, 20, NOTHING},
    {"crc32", 1, 0, ECX, 20, NOTHING},
    {"movbe", 1, 0, ECX, 22, NOTHING},
    {"popcnt", 1, 0, ECX, 23, NOTHING},
    {"aes", 1, 0, ECX, 25, NOTHING},
    {"avx", 1, 0, ECX, 28, VECTORS},
    {"f16c", 1, 0, ECX, 29, VECTORS},
    {"cmov", 1, 0, EDX, 15, NOTHING},
    {"sahf", 0x80000001, 0, ECX, 0, NOTHING},
    {"lzcnt", 0x80000001, 0, ECX, 5, NOTHING},
    {"sse4a", 0x80000001, 0, ECX, 6, NOTHING},
    {"xop", 0x80000001, 0, ECX, 11, VECTORS},
    {"fma4", 0x80000001, 0, ECX, 16, VECTORS},
    {"tbm", 0x80000001, 0, ECX, 21, NOTHING},
    {"bmi", 7, 0, EBX, 3, NOTHING},
    {"avx2", 7, 0, EBX, 5, VECTORS},
    {"bmi2", 7, 0, EBX, 8, NOTHING},
    {"avx512f", 7, 0, EBX, 16, WIDE},
    {"avx512dq", 7, 0, EBX, 17, WIDE},
    {"adx", 7, 0, EBX, 19, NOTHING},
    {"avx512ifma", 7, 0, EBX, 21, WIDE},
    {"avx512cd", 7, 0, EBX, 28, WIDE},
    {"sha", 7, 0, EBX, 29, NOTHING},
    {"avx512bw", 7, 0, EBX, 30, WIDE},
    {"avx512vl", 7, 0, EBX, 31, WIDE},
    {"avx512vbmi", 7, 0, ECX, 1, WIDE},
    {"avx512vbmi2", 7, 0, ECX, 6, WIDE},
    {"gfni", 7, 0, ECX, 8, NOTHING},
    {"vaes", 7, 0, ECX, 9, VECTORS},
    {"vpclmulqdq", 7, 0, ECX, 10, VECTORS},
    {"avx512vnni", 7, 0, ECX, 11, WIDE},
    {"avx512bitalg", 7, 0, ECX, 12, WIDE},
    {"avx512vpopcntdq", 7, 0, ECX, 14, WIDE},
    {"avx512vp2intersect", 7, 0, EDX, 8, WIDE},
    {"amx-bf16", 7, 0, EDX, 22, TILES},
    {"avx512fp16", 7, 0, EDX, 23, WIDE},
    {"amx-tile", 7, 0, EDX, 24, TILES},
    {"amx-int8", 7, 0, EDX, 25, TILES},
    {"sha512", 7, 1, EAX, 0, VECTORS},
    {"sm3", 7, 1, EAX, 1, VECTORS},
    {"sm4", 7, 1, EAX, 2, VECTORS},
    {"raoint", 7, 1, EAX, 3, NOTHING},
    {"avxvnni", 7, 1, EAX, 4, VECTORS},
    {"avx512bf16", 7, 1, EAX, 5, WIDE},
    {"cmpccxadd", 7, 1, EAX, 7, NOTHING},
    {"amx-fp16", 7, 1, EAX, 21, TILES},
    {"avxifma", 7, 1, EAX, 23, VECTORS},
    {"movrs", 7, 1, EAX, 31, NOTHING},
    {"avxvnniint8", 7, 1, EDX, 4, VECTORS},
    {"avxneconvert", 7, 1, EDX, 5, VECTORS},
    {"amx-complex", 7, 1, EDX, 8, TILES},
    {"avxvnniint16", 7, 1, EDX, 10, VECTORS},
    {"avx10.1", 7, 1, EDX, 19, WIDE},
    {"avx10.1-512", 7, 1, EDX, 19, WIDE},
    {"egpr", 7, 1, EDX, 21, MORE_REGISTERS},
    {"push2pop2", 7, 1, EDX, 21, MORE_REGISTERS},
    {"ppx", 7, 1, EDX, 21, MORE_REGISTERS},
    {"ndd", 7, 1, EDX, 21, MORE_REGISTERS},
    {"ccmp", 7, 1, EDX, 21, MORE_REGISTERS},
    {"nf", 7, 1, EDX, 21, MORE_REGISTERS},
    {"cf", 7, 1, EDX, 21, MORE_REGISTERS},
    {"zu", 7, 1, EDX, 21, MORE_REGISTERS},
    {"jmpabs", 7, 1, EDX, 21, MORE_REGISTERS},
    {"amx-fp8", 0x1e, 1, EAX, 4, TILES},
    {"amx-transpose", 0x1e, 1, EAX, 5, TILES},
    {"amx-tf32", 0x1e, 1, EAX, 6, TILES},
    {"amx-avx512", 0x1e, 1, EAX, 7, TILES},
    {"amx-movrs", 0x1e, 1, EAX, 8, TILES},
    {"avx10.2", 0x24, 0, EBX, 0, WIDE}, /* a version in bits 0 to 7; below */
    {"avx10.2-512", 0x24, 0, EBX, 0, WIDE},
};

/* Every 64-bit processor has the first; no code is made from tensors for the others, which virtual
   machines like to hide. */
static const char *const harmless[] = {
    "64bit",    "cx8",      "fxsr",       "mmx",      "nopl",      "sse",         "sse2",
    "x87",      "cldemote", "clflushopt", "clwb",     "clzero",    "enqcmd",      "evex512",
    "fsgsbase", "hreset",   "invlpg",     "invpcid",  "kl",        "lwp",         "movdir64b",
    "movdiri",  "mwaitx",   "pconfig",    "pku",      "prefetchi", "prefetchwt1", "prfchw",
    "ptwrite",  "rdpid",    "rdpru",      "rdrnd",    "rdseed",    "rtm",         "serialize",
    "sgx",      "shstk",    "tsxldtrk",   "uintr",    "usermsr",   "waitpkg",     "wbnoinvd",
    "widekl",   "xsave",    "xsavec",     "xsaveopt", "xsaves",
};

static bool isNamed(const char *known, const char *name, size_t length) {
  return strncmp(known, name, length) == 0 && !known[length];
}

/* The part of threads' registers that the system saves. */
static uint32_t savedRegisters(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1))
    return 0;
  __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
  return a;
}

static bool has(const feature *it) {
  uint32_t out[4];
  uint32_t last = __get_cpuid_max(it->leaf & 0x80000000u, NULL);
  if (last < it->leaf)
    return false;
  __cpuid_count(it->leaf, 0, out[EAX], out[EBX], out[ECX], out[EDX]);
  if (it->subleaf) {
    if (it->leaf == 7 && out[EAX] < it->subleaf) /* the number of the last one */
      return false;
    __cpuid_count(it->leaf, it->subleaf, out[EAX], out[EBX], out[ECX], out[EDX]);
  }
  if ((savedRegisters() & it->saved) != it->saved)
    return false;
  if (it->leaf == 0x24) {
    uint32_t a, b, c, d;
    __cpuid_count(7, 1, a, b, c, d);
    return d >> 19 & 1 && (out[EBX] & 0xff) >= 2;
  }
  return out[it->reg] >> it->bit & 1;
}

static bool lacks(const char *name, size_t length) {
  for (size_t i = 0; i < sizeof features / sizeof *features; ++i)
    if (isNamed(features[i].name, name, length))
      return !has(&features[i]);
  for (size_t i = 0; i < sizeof harmless / sizeof *harmless; ++i)
    if (isNamed(harmless[i], name, length))
      return false;
  return true;
}
#else
static bool lacks(const char *name, size_t length) {
  (void)name, (void)length;
  return false;
}
#endif

const char *tl_missing_feature(const char *list, size_t *length) {
  while (list && *list) {
    size_t name = strcspn(list, ",");
    if (lacks(list, name)) {
      *length = name;
      return list;
    }
    list += name + (list[name] == ',');
  }
  return NULL;
}
