/*===- Format.c - Values as texts, and print -----------------------------------===*\
|*
|* As LibTorch writes an IValue: a whole float has a point behind it, others have all of their
|* digits, and strings are written as they are, in containers too.
\*===----------------------------------------------------------------------===*/
#include "Box.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static tl_boxes *textOf(tl_frame *frame) { return &((tl_call_frame *)frame->runtime)->boxes; }

static void reserve(tl_frame *frame, int64_t more) {
  tl_boxes *text = textOf(frame);
  int64_t needed = text->text_length + more;
  if (needed <= text->text_capacity)
    return;
  int64_t capacity = needed > 2 * text->text_capacity ? needed : 2 * text->text_capacity;
  text->text = tl_box_memory(frame, text->text, capacity, 1);
  text->text_capacity = capacity;
}

static void writeBytes(tl_frame *frame, const char *data, int64_t length) {
  reserve(frame, length);
  tl_boxes *text = textOf(frame);
  memcpy(text->text + text->text_length, data, (size_t)length);
  text->text_length += length;
}

void tl_text_write(tl_frame *frame, const char *format, ...) {
  char short_text[128];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(short_text, sizeof short_text, format, arguments);
  va_end(arguments);
  if (length > 0)
    writeBytes(frame, short_text,
               length < (int)sizeof short_text ? length : (int)sizeof short_text - 1);
}

void tl_text_write_double(tl_frame *frame, const char *format, int width, int precision,
                          double value) {
  char number[400];
  snprintf(number, sizeof number, format, width, precision, value);
  /* The process's locale may write another point than ours. */
  size_t digits = strspn(number, " +-0123456789");
  size_t point = strcspn(number + digits, "+-0123456789einfa");
  if (number[digits] && point) {
    number[digits] = '.';
    memmove(number + digits + 1, number + digits + point, strlen(number + digits + point) + 1);
  }
  tl_text_write(frame, "%s", number);
}

static void writeFloat(tl_frame *frame, double value) {
  const double limit = 0x1p63;
  if (value >= -limit && value < limit && value == trunc(value))
    tl_text_write(frame, "%" PRId64 ".", (int64_t)value);
  else if (isnan(value))
    tl_text_write(frame, "%s", signbit(value) ? "-nan" : "nan");
  else
    tl_text_write_double(frame, "%*.*g", 0, 17, value);
}

static void writeItem(tl_frame *frame, tl_item item);

static void writeContainer(tl_frame *frame, const tl_box *box) {
  static const char brackets[][2] = {{'[', ']'}, {'(', ')'}, {'{', '}'}};
  tl_text_write(frame, "%c", brackets[box->kind][0]);
  int64_t count = box->as.container.count;
  for (int64_t i = 0; i < count; ++i) {
    if (i)
      tl_text_write(frame, "%s", box->kind == TL_BOX_DICT && i % 2 ? ": " : ", ");
    writeItem(frame, box->as.container.items[i]);
  }
  if (box->kind == TL_BOX_TUPLE && count == 1)
    tl_text_write(frame, ",");
  tl_text_write(frame, "%c", brackets[box->kind][1]);
}

static void writeBox(tl_frame *frame, const tl_box *box) {
  switch (box->kind) {
  case TL_BOX_LIST:
  case TL_BOX_TUPLE:
  case TL_BOX_DICT:
    return writeContainer(frame, box);
  case TL_BOX_TENSOR:
    return tl_text_write_tensor(frame, box);
  case TL_BOX_TEXT:
    return writeBytes(frame, box->as.text.data, box->as.text.length);
  case TL_BOX_NUMBER:
    return writeItem(frame, box->as.number);
  }
}

static void writeItem(tl_frame *frame, tl_item item) {
  double number;
  switch (item.kind) {
  case TL_ITEM_INT:
    return tl_text_write(frame, "%" PRId64, item.as.bits);
  case TL_ITEM_FLOAT:
    memcpy(&number, &item.as.bits, sizeof number);
    return writeFloat(frame, number);
  case TL_ITEM_BOOL:
    return tl_text_write(frame, "%s", item.as.bits ? "True" : "False");
  default:
    if (item.as.box)
      writeBox(frame, item.as.box);
    else
      tl_text_write(frame, "None");
  }
}

static void writeAll(tl_frame *frame, const char *pieces, const int64_t *items, int64_t count) {
  textOf(frame)->text_length = 0;
  for (int64_t i = 0;; ++i) {
    int64_t length = (int64_t)strlen(pieces);
    writeBytes(frame, pieces, length);
    if (i == count)
      return;
    writeItem(frame, tl_item_of(items[2 * i], items[2 * i + 1]));
    pieces += length + 1;
  }
}

tl_box *tl_box_format(tl_frame *frame, const char *pieces, const int64_t *items, int64_t count) {
  writeAll(frame, pieces, items, count);
  reserve(frame, 1); /* never null */
  return tl_box_text(frame, textOf(frame)->text, textOf(frame)->text_length);
}

void tl_box_print(tl_frame *frame, const char *pieces, const int64_t *items, int64_t count) {
  writeAll(frame, pieces, items, count);
  const tl_instance *instance = ((tl_call_frame *)frame->runtime)->instance;
  const tl_boxes *text = textOf(frame);
  if (instance->print)
    instance->print(instance->print_user, text->text, (size_t)text->text_length);
  else
    fwrite(text->text, 1, (size_t)text->text_length, stdout);
}

void tl_instance_set_print(tl_instance *instance, tl_print_handler handler, void *user) {
  if (!instance)
    return;
  instance->print = handler;
  instance->print_user = user;
}
