/*===- Fallback.h - Between the runtime and libTorchLiteFallback.so ---*- C -*-===*\
|*
|* What the fallback library offers: calls of LibTorch's operators (docs/Fallback.md). The runtime
|* loads it when a call first needs it, and takes one table from it. Internal, and checked by
|* version: raise TL_FALLBACK_VERSION with every change.
|*
|* A call is a text: `name|arguments|results|writes`, and behind it `|a` if results
|* may share memory with operands or with each other. `name` is that of the schema, with namespace
|* and overload. Arguments, by blanks apart:
|*   T<element type>/<rank>   the next operand, a tensor; the type as c10::ScalarType numbers it
|*   W<element type>/0        the same, counted as a number in type promotion
|*   i f b                    the next operand, an int64_t, double or bool
|*   n I<decimal> F<bits> B<0 or 1> S<bytes>   None, constants; bits and bytes in hexadecimal
|*   [ ... ]                  a list
|* Results: T<element type>:<sizes>, sizes by commas apart and ? where one is not known; i f b n [
];
|* x for what is an argument itself. Writes: numbers of operands, by blanks apart. The operator gets
|* copies of these, which count as results behind the others.
\*===----------------------------------------------------------------------===*/
#ifndef TORCHLITE_RUNTIME_FALLBACK_H
#define TORCHLITE_RUNTIME_FALLBACK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TL_FALLBACK_VERSION 1

/* One operand: a number, or a tensor of the rank that the call says. Strides count elements. */
typedef struct tl_operand {
  union {
    const void *data;
    int64_t i; /* bools too */
    double f;
  } as;
  const int64_t *sizes;
  const int64_t *strides;
} tl_operand;

typedef struct tl_fallback_table {
  int32_t version;   /* TL_FALLBACK_VERSION */
  const char *torch; /* the version of LibTorch that it was built for */
  /* Whether the operator of a call is defined in this process. */
  int (*knows)(const char *text);
  /* Calls an operator. Writes the sizes that are not known and the numbers, 8 bytes each, in order
     to `numbers`, and returns what stands for the results. Null: an error, whose text goes to
     `message`. Any number of threads may call. */
  void *(*call)(const char *text, const tl_operand *operands, int64_t *numbers, char *message,
                size_t message_size);
  /* Copies tensor `index` to where `data` and `strides` say. False: an error. */
  int (*copy)(void *results, int64_t index, void *data, const int64_t *strides, char *message,
              size_t message_size);
  void (*release)(void *results);
} tl_fallback_table;

/* The library's one function. */
typedef const tl_fallback_table *(*tl_fallback_function)(void);
#define TL_FALLBACK_FUNCTION "tl_fallback"

#ifdef __cplusplus
}
#endif
#endif /* TORCHLITE_RUNTIME_FALLBACK_H */
