/*===- Value.c - Owned values -----------------------------------------------===*/
#include "Internal.h"

#include <stdlib.h>
#include <string.h>

static bool isContainer(const tl_value *value) {
  return value->kind == TL_LIST || value->kind == TL_TUPLE || value->kind == TL_DICT;
}

/* A container whose items are being cleared: how to go on with it. While one of its items is
   cleared, this lies in that item's place, so that values of any depth are cleared without a stack
   of their depth. */
typedef struct walk {
  tl_value *place; /* where the container that this one is an item of is remembered; or null */
  tl_value *items;
  size_t left; /* items that are not cleared yet; the topmost bit: `items` is to be freed */
} walk;
_Static_assert(sizeof(walk) <= sizeof(tl_value), "a walk lies in the place of a value");

#define OWNED ((size_t)1 << (sizeof(size_t) * 8 - 1))

static walk enter(const tl_value *value, tl_value *place) {
  size_t count = value->as.items.data ? value->as.items.count : 0;
  count *= value->kind == TL_DICT ? 2 : 1;
  return (walk){place, value->as.items.data, count | (value->owned ? OWNED : 0)};
}

/* Of what is no container. */
static void clearLeaf(tl_value *value) {
  if (value->kind == TL_STRING && value->owned)
    free((char *)value->as.string.data);
  DLManagedTensor *owner = value->kind == TL_TENSOR ? value->as.tensor.owner : NULL;
  if (owner && owner->deleter)
    owner->deleter(owner);
}

void tl_value_clear(tl_value *value) {
  if (!value)
    return;
  if (isContainer(value)) {
    walk at = enter(value, NULL);
    for (;;) {
      size_t left = at.left & ~OWNED;
      if (left) {
        tl_value *item = &at.items[left - 1];
        --at.left;
        if (isContainer(item)) {
          walk inner = enter(item, item);
          memcpy(item, &at, sizeof at);
          at = inner;
        } else {
          clearLeaf(item);
          *item = tl_none();
        }
        continue;
      }
      if (at.left & OWNED)
        free(at.items);
      if (!at.place)
        break;
      tl_value *done = at.place;
      memcpy(&at, done, sizeof at);
      *done = tl_none();
    }
  } else {
    clearLeaf(value);
  }
  *value = tl_none();
}

DLManagedTensor *tl_value_release(tl_value *value) {
  if (!value || value->kind != TL_TENSOR || !value->as.tensor.owner)
    return NULL;
  DLManagedTensor *owner = value->as.tensor.owner;
  *value = tl_none();
  return owner;
}
