/*===- BoxDict.c - Keys of dictionaries, by hash ----------------------------===*/
/* The index is a table of twice as many places as there are keys, or more; a place holds where a
   key is among the items, plus 1, or 0. It is made when a key is first looked for. */
#include "Box.h"

#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t bits) {
  bits ^= bits >> 33;
  bits *= UINT64_C(0xff51afd7ed558ccd);
  bits ^= bits >> 33;
  return bits;
}

/* Equal keys have equal hashes: those of one dictionary are all ints, bools, floats or texts. */
static uint64_t hash(tl_item key) {
  if (key.kind == TL_ITEM_FLOAT) {
    double value;
    memcpy(&value, &key.as.bits, sizeof value);
    return value == 0 ? 0 : mix((uint64_t)key.as.bits); /* -0.0 is 0.0 */
  }
  if (key.kind != TL_ITEM_BOX)
    return mix((uint64_t)key.as.bits);
  uint64_t state = UINT64_C(0xcbf29ce484222325);
  const tl_box *box = key.as.box;
  for (int64_t i = 0; box && box->kind == TL_BOX_TEXT && i < box->as.text.length; ++i)
    state = (state ^ (unsigned char)box->as.text.data[i]) * UINT64_C(0x100000001b3);
  return mix(state);
}

void tl_box_forget_index(tl_box *box) {
  if (box->kind != TL_BOX_DICT)
    return;
  free(box->as.container.index);
  box->as.container.index = NULL;
  box->as.container.index_size = 0;
}

static void enter(tl_box *box, int64_t at) {
  uint64_t last = (uint64_t)box->as.container.index_size - 1;
  uint64_t place = hash(box->as.container.items[at]) & last;
  while (box->as.container.index[place])
    place = (place + 1) & last;
  box->as.container.index[place] = at + 1;
}

static void makeIndex(tl_frame *frame, tl_box *box) {
  int64_t keys = box->as.container.count / 2, size = 8;
  while (size < 4 * keys)
    size *= 2;
  box->as.container.index = tl_box_memory(frame, NULL, size, sizeof(int64_t));
  memset(box->as.container.index, 0, (size_t)size * sizeof(int64_t));
  box->as.container.index_size = size;
  for (int64_t i = 0; i < keys; ++i)
    enter(box, 2 * i);
}

int64_t tl_box_find_key(tl_frame *frame, tl_box *box, tl_item key) {
  if (!box->as.container.index)
    makeIndex(frame, box);
  uint64_t last = (uint64_t)box->as.container.index_size - 1;
  for (uint64_t place = hash(key) & last; box->as.container.index[place];
       place = (place + 1) & last) {
    int64_t at = box->as.container.index[place] - 1;
    if (tl_item_equal(box->as.container.items[at], key))
      return at;
  }
  return -1;
}

void tl_box_set(tl_frame *frame, tl_box *box, int64_t key_kind, int64_t key_bits, int64_t kind,
                int64_t bits) {
  int64_t at = tl_box_find_key(frame, box, tl_item_of(key_kind, key_bits));
  if (at >= 0) {
    tl_box_put(frame, box, at + 1, kind, bits);
    return;
  }
  at = box->as.container.count;
  tl_box_put(frame, box, -1, key_kind, key_bits);
  tl_box_put(frame, box, -1, kind, bits);
  if (box->as.container.count > box->as.container.index_size)
    tl_box_forget_index(box);
  else
    enter(box, at);
}

static int64_t bitsOf(const tl_box *box) {
  int64_t bits = 0;
  memcpy(&bits, &box, sizeof box);
  return bits;
}

tl_box *tl_box_pairs(tl_frame *frame, const tl_box *dict) {
  tl_box *list = tl_box_new(frame, TL_BOX_LIST);
  for (int64_t i = 0; i < dict->as.container.count; i += 2) {
    int64_t mark = tl_box_mark(frame);
    tl_box *pair = tl_box_new(frame, TL_BOX_TUPLE);
    for (int64_t k = i; k < i + 2; ++k) {
      tl_item item = dict->as.container.items[k];
      tl_box_put(frame, pair, -1, item.kind,
                 item.kind == TL_ITEM_BOX ? bitsOf(item.as.box) : item.as.bits);
    }
    tl_box_put(frame, list, -1, TL_ITEM_BOX, bitsOf(pair));
    tl_box_keep(frame, mark, 0, NULL);
  }
  return list;
}

void tl_box_update(tl_frame *frame, tl_box *dict, const tl_box *other) {
  for (int64_t i = 0; dict != other && i < other->as.container.count; i += 2) {
    tl_item key = other->as.container.items[i], value = other->as.container.items[i + 1];
    tl_box_set(frame, dict, key.kind, key.kind == TL_ITEM_BOX ? bitsOf(key.as.box) : key.as.bits,
               value.kind, value.kind == TL_ITEM_BOX ? bitsOf(value.as.box) : value.as.bits);
  }
}
