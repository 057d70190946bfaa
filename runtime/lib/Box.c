/*===- Box.c - Boxes, their references and their containers -----------------===*/
#include "Box.h"

#include <stdlib.h>
#include <string.h>

static tl_boxes *boxesOf(tl_frame *frame) { return &((tl_call_frame *)frame->runtime)->boxes; }

/*===-- Memory -------------------------------------------------------------===*/

void *tl_box_memory(tl_frame *frame, void *old, int64_t count, int64_t bytes) {
  size_t total;
  void *memory = NULL;
  if (!__builtin_mul_overflow((size_t)count, (size_t)bytes, &total))
    memory = realloc(old, total ? total : 1);
  if (!memory)
    tl_raise(frame->runtime, TL_OUT_OF_MEMORY, "out of memory for a value of {} elements", &count,
             1);
  return memory;
}

static void freeBox(tl_boxes *all, tl_box *box) {
  if (box->previous)
    box->previous->next = box->next;
  else
    all->first = box->next;
  if (box->next)
    box->next->previous = box->previous;
  switch (box->kind) {
  case TL_BOX_LIST:
  case TL_BOX_TUPLE:
  case TL_BOX_DICT:
    free(box->as.container.items);
    free(box->as.container.index);
    break;
  case TL_BOX_TENSOR:
    free(box->as.tensor.data);
    free(box->as.tensor.sizes);
    break;
  case TL_BOX_TEXT:
    free(box->as.text.data);
    break;
  case TL_BOX_NUMBER:
    break;
  }
  free(box);
}

static bool isContainer(const tl_box *box) {
  return box->kind == TL_BOX_LIST || box->kind == TL_BOX_TUPLE || box->kind == TL_BOX_DICT;
}

static void release(tl_frame *frame, tl_box *box) {
  if (!box || --box->references)
    return;
  if (isContainer(box))
    for (int64_t i = 0; i < box->as.container.count; ++i)
      tl_item_release(frame, box->as.container.items[i]);
  freeBox(boxesOf(frame), box);
}

void tl_boxes_clear(tl_boxes *boxes) {
  while (boxes->first)
    freeBox(boxes, boxes->first);
  boxes->held_count = 0;
}

void tl_boxes_destroy(tl_boxes *boxes) {
  tl_boxes_clear(boxes);
  free(boxes->held);
  free(boxes->text);
  boxes->held = NULL;
  boxes->text = NULL;
  boxes->held_capacity = boxes->text_capacity = 0;
}

/* A place for one reference of compiled code more. */
static void reserveHeld(tl_frame *frame) {
  tl_boxes *boxes = boxesOf(frame);
  if (boxes->held_count < boxes->held_capacity)
    return;
  int64_t capacity = boxes->held_capacity ? 2 * boxes->held_capacity : 64;
  boxes->held = tl_box_memory(frame, boxes->held, capacity, sizeof *boxes->held);
  boxes->held_capacity = capacity;
}

tl_box *tl_box_hold(tl_frame *frame, tl_box *box) {
  if (!box)
    return NULL;
  reserveHeld(frame);
  tl_boxes *boxes = boxesOf(frame);
  boxes->held[boxes->held_count++] = box;
  ++box->references;
  return box;
}

tl_box *tl_box_new(tl_frame *frame, tl_box_kind kind) {
  tl_boxes *boxes = boxesOf(frame);
  reserveHeld(frame);
  tl_box *box = tl_box_memory(frame, NULL, 1, sizeof *box);
  memset(box, 0, sizeof *box);
  box->kind = kind;
  box->next = boxes->first;
  if (boxes->first)
    boxes->first->previous = box;
  boxes->first = box;
  return tl_box_hold(frame, box);
}

int64_t tl_box_mark(tl_frame *frame) { return boxesOf(frame)->held_count; }

void tl_box_keep(tl_frame *frame, int64_t mark, int64_t count, tl_box *const *kept) {
  tl_boxes *boxes = boxesOf(frame);
  for (int64_t i = 0; i < count; ++i)
    if (kept[i])
      ++kept[i]->references;
  while (boxes->held_count > mark)
    release(frame, boxes->held[--boxes->held_count]);
  for (int64_t i = 0; i < count; ++i)
    if (kept[i]) {
      tl_box_hold(frame, kept[i]);
      --kept[i]->references;
    }
}

/*===-- Items --------------------------------------------------------------===*/

tl_item tl_item_of(int64_t kind, int64_t bits) {
  tl_item item = {kind, {bits}};
  if (kind == TL_ITEM_BOX) {
    tl_box *box;
    memcpy(&box, &bits, sizeof box);
    item.as.box = box;
    if (box && box->kind == TL_BOX_NUMBER)
      return box->as.number;
  }
  return item;
}

tl_item tl_item_retain(tl_item item) {
  if (item.kind == TL_ITEM_BOX && item.as.box)
    ++item.as.box->references;
  return item;
}

void tl_item_release(tl_frame *frame, tl_item item) {
  if (item.kind == TL_ITEM_BOX)
    release(frame, item.as.box);
}

static double asDouble(tl_item item) {
  double value;
  if (item.kind != TL_ITEM_FLOAT)
    return (double)item.as.bits;
  memcpy(&value, &item.as.bits, sizeof value);
  return value;
}

bool tl_item_equal(tl_item a, tl_item b) {
  if (a.kind == TL_ITEM_BOX || b.kind == TL_ITEM_BOX)
    return a.kind == b.kind && tl_box_equal(a.as.box, b.as.box);
  if (a.kind != TL_ITEM_FLOAT && b.kind != TL_ITEM_FLOAT)
    return a.as.bits == b.as.bits;
  return asDouble(a) == asDouble(b);
}

static int64_t findIn(const tl_box *dict, tl_item key) {
  for (int64_t i = 0; i < dict->as.container.count; i += 2)
    if (tl_item_equal(dict->as.container.items[i], key))
      return i;
  return -1;
}

static bool equalDicts(const tl_box *a, const tl_box *b) {
  for (int64_t i = 0; i < a->as.container.count; i += 2) {
    int64_t at = findIn(b, a->as.container.items[i]);
    if (at < 0 || !tl_item_equal(a->as.container.items[i + 1], b->as.container.items[at + 1]))
      return false;
  }
  return true;
}

int64_t tl_box_equal(const tl_box *a, const tl_box *b) {
  if (a == b)
    return 1;
  if (!a || !b || a->kind != b->kind)
    return 0;
  switch (a->kind) {
  case TL_BOX_TEXT:
    return a->as.text.length == b->as.text.length &&
           !memcmp(a->as.text.data, b->as.text.data, (size_t)a->as.text.length);
  case TL_BOX_NUMBER:
    return tl_item_equal(a->as.number, b->as.number);
  case TL_BOX_TENSOR:
    return 0;
  default:
    break;
  }
  if (a->as.container.count != b->as.container.count)
    return 0;
  if (a->kind == TL_BOX_DICT)
    return equalDicts(a, b);
  for (int64_t i = 0; i < a->as.container.count; ++i)
    if (!tl_item_equal(a->as.container.items[i], b->as.container.items[i]))
      return 0;
  return 1;
}

/*===-- Values -------------------------------------------------------------===*/

tl_box *tl_box_create(tl_frame *frame, int64_t kind) {
  return tl_box_new(frame, (tl_box_kind)kind);
}

tl_box *tl_box_number(tl_frame *frame, int64_t kind, int64_t bits) {
  tl_box *box = tl_box_new(frame, TL_BOX_NUMBER);
  box->as.number = tl_item_of(kind, bits);
  return box;
}

tl_box *tl_box_text(tl_frame *frame, const char *text, int64_t length) {
  tl_box *box = tl_box_new(frame, TL_BOX_TEXT);
  box->as.text.data = tl_box_memory(frame, NULL, length + 1, 1);
  memcpy(box->as.text.data, text, (size_t)length);
  box->as.text.data[length] = 0;
  box->as.text.length = length;
  return box;
}

tl_box *tl_box_concat(tl_frame *frame, const tl_box *a, const tl_box *b) {
  tl_box *box = tl_box_text(frame, a->as.text.data, a->as.text.length);
  int64_t length = a->as.text.length + b->as.text.length;
  box->as.text.data = tl_box_memory(frame, box->as.text.data, length + 1, 1);
  memcpy(box->as.text.data + a->as.text.length, b->as.text.data, (size_t)b->as.text.length + 1);
  box->as.text.length = length;
  return box;
}

int64_t tl_box_compare(const tl_box *a, const tl_box *b) {
  int64_t x = a->as.text.length, y = b->as.text.length;
  int order = memcmp(a->as.text.data, b->as.text.data, (size_t)(x < y ? x : y));
  return order ? order : (x > y) - (x < y);
}

/*===-- Containers ---------------------------------------------------------===*/

int64_t tl_box_size(const tl_box *box) {
  if (!box)
    return 0;
  return box->kind == TL_BOX_TEXT ? box->as.text.length : box->as.container.count;
}

static void reserve(tl_frame *frame, tl_box *box, int64_t count) {
  if (count <= box->as.container.capacity)
    return;
  int64_t doubled = 2 * box->as.container.capacity;
  int64_t capacity = doubled > count ? doubled : count < 4 ? 4 : count;
  box->as.container.items =
      tl_box_memory(frame, box->as.container.items, capacity, sizeof(tl_item));
  box->as.container.capacity = capacity;
}

void tl_box_put(tl_frame *frame, tl_box *box, int64_t at, int64_t kind, int64_t bits) {
  if (at < 0) {
    at = box->as.container.count;
    reserve(frame, box, at + 1);
    box->as.container.items[at] = tl_item_retain(tl_item_of(kind, bits));
    ++box->as.container.count;
    return;
  }
  tl_item old = box->as.container.items[at];
  box->as.container.items[at] = tl_item_retain(tl_item_of(kind, bits));
  tl_item_release(frame, old);
}

int64_t tl_box_get(const tl_box *box, int64_t at) {
  if (!box || at < 0)
    return 0;
  tl_item item = box->as.container.items[at];
  return item.kind == TL_ITEM_BOX ? 0 : item.as.bits;
}

tl_box *tl_box_item(tl_frame *frame, const tl_box *box, int64_t at) {
  if (!box || at < 0)
    return NULL;
  tl_item item = box->as.container.items[at];
  if (item.kind != TL_ITEM_BOX)
    return tl_box_number(frame, item.kind, item.as.bits);
  return tl_box_hold(frame, item.as.box);
}

int64_t tl_box_present(const tl_box *box, int64_t at) {
  if (!box || at < 0)
    return 0;
  tl_item item = box->as.container.items[at];
  return item.kind != TL_ITEM_BOX || item.as.box;
}

tl_box *tl_box_slice(tl_frame *frame, const tl_box *box, int64_t start, int64_t count,
                     int64_t step) {
  tl_box *part = tl_box_new(frame, box->kind == TL_BOX_DICT && step != 1 ? TL_BOX_LIST : box->kind);
  reserve(frame, part, count);
  for (int64_t i = 0; i < count; ++i)
    part->as.container.items[i] = tl_item_retain(box->as.container.items[start + i * step]);
  part->as.container.count = count;
  return part;
}

void tl_box_splice(tl_frame *frame, tl_box *box, int64_t at, int64_t removed, const tl_box *more) {
  if (more == box) /* a list that is put into itself */
    more = tl_box_slice(frame, box, 0, box->as.container.count, 1);
  int64_t added = more ? more->as.container.count : 0, count = box->as.container.count;
  reserve(frame, box, count + added);
  /* What goes is released last: by then the list is whole. */
  tl_box *gone = removed ? tl_box_slice(frame, box, at, removed, 1) : NULL;
  tl_item *items = box->as.container.items;
  for (int64_t i = at; i < at + removed; ++i)
    tl_item_release(frame, items[i]);
  memmove(items + at + added, items + at + removed, (size_t)(count - at - removed) * sizeof *items);
  for (int64_t i = 0; i < added; ++i)
    items[at + i] = tl_item_retain(more->as.container.items[i]);
  box->as.container.count = count - removed + added;
  tl_box_forget_index(box);
  (void)gone;
}

static tl_box *repeatText(tl_frame *frame, const tl_box *box, int64_t count) {
  int64_t length = box->as.text.length, total;
  if (__builtin_mul_overflow(length, count, &total) || total == INT64_MAX)
    tl_raise(frame->runtime, TL_OUT_OF_MEMORY, "out of memory for a str", NULL, 0);
  tl_box *many = tl_box_text(frame, "", 0);
  many->as.text.data = tl_box_memory(frame, many->as.text.data, total + 1, 1);
  for (int64_t i = 0; i < count; ++i)
    memcpy(many->as.text.data + i * length, box->as.text.data, (size_t)length);
  many->as.text.data[total] = 0;
  many->as.text.length = total;
  return many;
}

tl_box *tl_box_repeat(tl_frame *frame, const tl_box *box, int64_t count) {
  if (count < 0)
    count = 0;
  if (box->kind == TL_BOX_TEXT)
    return repeatText(frame, box, count);
  tl_box *many = tl_box_new(frame, TL_BOX_LIST);
  int64_t length = box->as.container.count, total;
  if (__builtin_mul_overflow(length, count, &total))
    tl_raise(frame->runtime, TL_OUT_OF_MEMORY, "out of memory for a list", NULL, 0);
  reserve(frame, many, total);
  for (int64_t i = 0; i < total; ++i)
    many->as.container.items[i] = tl_item_retain(box->as.container.items[i % length]);
  many->as.container.count = total;
  return many;
}

int64_t tl_box_find(tl_frame *frame, tl_box *box, int64_t kind, int64_t bits, int64_t from) {
  tl_item wanted = tl_item_of(kind, bits);
  if (box->kind == TL_BOX_DICT)
    return tl_box_find_key(frame, box, wanted);
  for (int64_t i = from; i < box->as.container.count; ++i)
    if (tl_item_equal(box->as.container.items[i], wanted))
      return i;
  return -1;
}
