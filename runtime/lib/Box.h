/*===- Box.h - Inside of values whose structure lives at run time -----*- C -*-===*/
#ifndef TORCHLITE_RUNTIME_BOX_H
#define TORCHLITE_RUNTIME_BOX_H

#include "Internal.h"
#include "TorchLite/Runtime/Boxes.h"

typedef struct tl_item {
  int64_t kind; /* tl_item_kind */
  union {
    int64_t bits;
    tl_box *box; /* null: None */
  } as;
} tl_item;

struct tl_box {
  tl_box *previous, *next; /* of all boxes of the call */
  int64_t references;
  tl_box_kind kind;
  union {
    struct {
      tl_item *items;
      int64_t count, capacity;
      int64_t *index; /* dictionaries: where keys are, by hash; null: to be made */
      int64_t index_size;
    } container;
    struct {
      void *data;
      int64_t *sizes;
      int64_t bytes, rank, dtype;
    } tensor;
    struct {
      char *data; /* with a 0 behind it */
      int64_t length;
    } text;
    tl_item number;
  } as;
};

/* Memory, or the call ends. */
void *tl_box_memory(tl_frame *frame, void *old, int64_t count, int64_t bytes);
/* A box with one reference, that of the compiled code. */
tl_box *tl_box_new(tl_frame *frame, tl_box_kind kind);
/* One reference of the compiled code more. */
tl_box *tl_box_hold(tl_frame *frame, tl_box *box);
tl_item tl_item_of(int64_t kind, int64_t bits);
tl_item tl_item_retain(tl_item item);
void tl_item_release(tl_frame *frame, tl_item item);
bool tl_item_equal(tl_item a, tl_item b);
/* Where a key of a dictionary is, among keys and values; -1: nowhere. */
int64_t tl_box_find_key(tl_frame *frame, tl_box *box, tl_item key);
/* What is known of the places of keys is not valid any more. */
void tl_box_forget_index(tl_box *box);

/*===-- Format.c, FormatTensor.c -------------------------------------------===*/

/* Adds to the text of the call that is being written, as printf does. */
void tl_text_write(tl_frame *frame, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same of one number, with a point in every locale. `format` has a width and a precision. */
void tl_text_write_double(tl_frame *frame, const char *format, int width, int precision,
                          double value);
/* A tensor as LibTorch prints it. */
void tl_text_write_tensor(tl_frame *frame, const tl_box *tensor);

#endif /* TORCHLITE_RUNTIME_BOX_H */
