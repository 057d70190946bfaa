/*===- FormatTensor.c - Tensors as LibTorch prints them -----------------------===*\
|*
|* All elements of a matrix have one format, that its smallest and its largest one ask for: without
|* a point where all are whole, else with four digits behind it, as multiples of a power of ten
where
|* all are large or small, or with an exponent where they are far apart.
\*===----------------------------------------------------------------------===*/
#include "Box.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 80 };

typedef struct element_format {
  const char *format;
  int width, precision;
  double scale; /* elements are printed as multiples of this */
} element_format;

/* A 16-bit float: of `exponent_bits` bits, the rest being the fraction. */
static double halfOf(uint16_t bits, int exponent_bits) {
  int fraction_bits = 15 - exponent_bits, bias = (1 << (exponent_bits - 1)) - 1;
  int exponent = (bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  int fraction = bits & ((1 << fraction_bits) - 1);
  double value;
  if (exponent == (1 << exponent_bits) - 1)
    value = fraction ? (double)NAN : (double)INFINITY;
  else
    value = ldexp(fraction | (exponent ? 1 << fraction_bits : 0),
                  (exponent ? exponent : 1) - bias - fraction_bits);
  return bits >> 15 ? -value : value;
}

#define ELEMENT(type)                                                                              \
  {                                                                                                \
    type element;                                                                                  \
    memcpy(&element, at, sizeof element);                                                          \
    return (double)element;                                                                        \
  }

/* Element `index` as a double; of complex numbers the real part. */
static double elementOf(const tl_box *tensor, int64_t index) {
  const char *at = (const char *)tensor->as.tensor.data +
                   index * (int64_t)tl_dtype_bytes((int32_t)tensor->as.tensor.dtype);
  uint16_t half;
  switch (tensor->as.tensor.dtype) {
  case TL_F32:
  case TL_COMPLEX64:
    ELEMENT(float)
  case TL_F64:
  case TL_COMPLEX128:
    ELEMENT(double)
  case TL_F16:
  case TL_BF16:
    memcpy(&half, at, sizeof half);
    return halfOf(half, tensor->as.tensor.dtype == TL_F16 ? 5 : 8);
  case TL_I8:
    ELEMENT(int8_t)
  case TL_I16:
    ELEMENT(int16_t)
  case TL_I32:
    ELEMENT(int32_t)
  case TL_I64:
    ELEMENT(int64_t)
  default:
    ELEMENT(uint8_t)
  }
}

/* How many digits stand in front of the point. */
static double digitsOf(double value) { return value != 0 ? floor(log10(value)) + 1 : 1; }

static element_format formatOf(const tl_box *tensor, int64_t first, int64_t count) {
  bool whole = true, any = false;
  double smallest = 1, largest = 1;
  for (int64_t i = 0; i < count; ++i) {
    double value = elementOf(tensor, first + i), size = fabs(value);
    if (!isfinite(value))
      continue;
    whole &= value == ceil(value);
    smallest = any && smallest < size ? smallest : size;
    largest = any && largest > size ? largest : size;
    any = true;
  }
  int least = any ? (int)digitsOf(smallest) : 1, most = any ? (int)digitsOf(largest) : 1;
  if (whole)
    return most > 9 ? (element_format){"%*.*e", 11, 4, 1}
                    : (element_format){"%*.*g", most + 1, 6, 1};
  if (most - least > 4)
    return (element_format){"%*.*e", most > 99 || most < -99 || least > 99 || least < -99 ? 12 : 11,
                            4, 1};
  if (most > 5 || most < 0)
    return (element_format){"%*.*f", 7, 4, pow(10, most - 1)};
  return (element_format){"%*.*f", most == 0 ? 7 : most + 6, 4, 1};
}

/* With the fewest digits that read back as the number. */
static void writeShortest(tl_frame *frame, double value) {
  char text[40];
  double read = 0;
  int digits = 0;
  for (; digits < 17; ++digits) {
    snprintf(text, sizeof text, "%.*e", digits, value);
    read = strtod(text, NULL);
    if (read == value)
      break;
  }
  int exponent = atoi(strchr(text, 'e') + 1);
  if (exponent < -4 || exponent >= 16)
    tl_text_write_double(frame, "%*.*e", 0, digits, value);
  else
    tl_text_write_double(frame, "%*.*f", 0, digits > exponent ? digits - exponent : 0, value);
}

static void writeElement(tl_frame *frame, element_format format, double value) {
  value /= format.scale;
  if (isfinite(value))
    tl_text_write_double(frame, format.format, format.width, format.precision, value);
  else
    tl_text_write(frame, "%*s", format.width,
                  isnan(value) ? (signbit(value) ? "-nan" : "nan")
                  : value < 0  ? "-inf"
                               : "inf");
}

static void writeScale(tl_frame *frame, double scale) {
  writeShortest(frame, scale);
  tl_text_write(frame, " *\n");
}

static void writeMatrix(tl_frame *frame, const tl_box *tensor, int64_t first, int64_t rows,
                        int64_t columns, int indent) {
  element_format format = formatOf(tensor, first, rows * columns);
  int64_t fit = (LINE - indent) / (format.width + 1);
  for (int64_t from = 0; from < columns; from += fit) {
    int64_t to = from + fit < columns ? from + fit : columns;
    if (fit < columns) {
      if (from)
        tl_text_write(frame, "\n");
      tl_text_write(frame, "Columns %" PRId64 " to %" PRId64 "%*s", from + 1, to, indent, "");
    }
    if (format.scale != 1) {
      writeScale(frame, format.scale);
      tl_text_write(frame, "%*s", indent, "");
    }
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t column = from; column < to; ++column) {
        writeElement(frame, format, elementOf(tensor, first + row * columns + column));
        if (column + 1 < to)
          tl_text_write(frame, " ");
        else
          tl_text_write(frame, "\n%*s", row + 1 < rows ? indent + (format.scale != 1) : 0, "");
      }
  }
}

/* The matrices of a tensor of more than two dimensions, of which the first one counts fastest. */
static void writeMatrices(tl_frame *frame, const tl_box *tensor) {
  int64_t outer = tensor->as.tensor.rank - 2;
  const int64_t *sizes = tensor->as.tensor.sizes;
  int64_t rows = sizes[outer], columns = sizes[outer + 1], count = 1;
  for (int64_t i = 0; i < outer; ++i)
    count *= sizes[i];
  for (int64_t number = 0; number < count; ++number) {
    tl_text_write(frame, number ? "\n(" : "(");
    int64_t rest = number, place = 0;
    for (int64_t i = 0; i < outer; ++i) {
      int64_t index = rest % sizes[i];
      rest /= sizes[i];
      place = place * sizes[i] + index;
      tl_text_write(frame, "%" PRId64 ",", index + 1);
    }
    tl_text_write(frame, ".,.) = \n");
    writeMatrix(frame, tensor, place * rows * columns, rows, columns, 1);
  }
}

static void writeElements(tl_frame *frame, const tl_box *tensor, int64_t count) {
  const int64_t *sizes = tensor->as.tensor.sizes;
  if (tensor->as.tensor.rank > 2)
    return writeMatrices(frame, tensor);
  if (tensor->as.tensor.rank == 2)
    return writeMatrix(frame, tensor, 0, sizes[0], sizes[1], 0);
  element_format format = formatOf(tensor, 0, count);
  double first = elementOf(tensor, 0);
  if (tensor->as.tensor.rank == 0) {
    if (isfinite(first))
      writeShortest(frame, first);
    else
      writeElement(frame, (element_format){NULL, 0, 0, 1}, first);
    tl_text_write(frame, "\n");
    return;
  }
  if (format.scale != 1)
    writeScale(frame, format.scale);
  for (int64_t i = 0; i < count; ++i) {
    writeElement(frame, format, elementOf(tensor, i));
    tl_text_write(frame, "\n");
  }
}

void tl_text_write_tensor(tl_frame *frame, const tl_box *tensor) {
  static const char *const names[] = {"Float", "Double", "Half",         "BFloat16",
                                      "Char",  "Short",  "Int",          "Long",
                                      "Byte",  "Bool",   "ComplexFloat", "ComplexDouble"};
  int64_t count = 1;
  for (int64_t i = 0; i < tensor->as.tensor.rank; ++i)
    count *= tensor->as.tensor.sizes[i];
  if (count)
    writeElements(frame, tensor, count);
  tl_text_write(frame, "[ CPU%sType{", names[tensor->as.tensor.dtype]);
  for (int64_t i = 0; i < tensor->as.tensor.rank; ++i)
    tl_text_write(frame, "%s%" PRId64, i ? "," : "", tensor->as.tensor.sizes[i]);
  tl_text_write(frame, "} ]");
}
