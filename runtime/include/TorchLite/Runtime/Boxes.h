/*===- Boxes.h - Values whose structure lives at run time -------------*- C -*-===*\
|*
|* What compiled code asks of the runtime for lists, tuples, dictionaries, strings and tensors whose
|* structure is known only at run time (docs/RunTimeValues.md). A box is one such value; others
|* refer to it, and it is freed with the last reference. What compiled code holds counts as one
|* reference until its trip of the loop ends (tl_box_keep), or the call does, however it ends.
|* Boxes belong to one call, and so to one thread. All functions that make something leave through
|* tl_rt_raise where there is no memory. Indices are checked by compiled code.
\*===----------------------------------------------------------------------===*/
#ifndef TORCHLITE_RUNTIME_BOXES_H
#define TORCHLITE_RUNTIME_BOXES_H

#include "TorchLite/Runtime/ABI.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_box tl_box;

/* What one place of a container holds. Numbers lie there as they are: 64 bits, of a float those of
   the double. None is a null box. */
typedef enum tl_item_kind {
  TL_ITEM_INT = 0,
  TL_ITEM_FLOAT = 1,
  TL_ITEM_BOOL = 2,
  TL_ITEM_BOX = 3
} tl_item_kind;

typedef enum tl_box_kind {
  TL_BOX_LIST = 0,
  TL_BOX_TUPLE = 1,
  TL_BOX_DICT = 2, /* its items are keys and values in turn, in the order of insertion */
  TL_BOX_TENSOR = 3,
  TL_BOX_TEXT = 4,
  TL_BOX_NUMBER = 5
} tl_box_kind;

/* An empty list, tuple or dictionary. */
tl_box *tl_box_create(tl_frame *frame, int64_t kind);
/* A number that is to stand where a box does; put into a container, it is a number again. */
tl_box *tl_box_number(tl_frame *frame, int64_t kind, int64_t bits);
tl_box *tl_box_text(tl_frame *frame, const char *text, int64_t length);
/* A copy of a contiguous tensor. */
tl_box *tl_box_pack(tl_frame *frame, const void *data, int64_t dtype, int64_t element_bytes,
                    int64_t rank, const int64_t *sizes);
/* The elements of a tensor, which is to have this element type, rank, and sizes where these are not
   -1; raises `message` if it has not. Of None: no elements, or, of rank 0, a zero. */
const void *tl_box_data(tl_frame *frame, const tl_box *box, int64_t dtype, int64_t rank,
                        const int64_t *sizes, const char *message);
/* Its sizes; of None zeros. */
const int64_t *tl_box_sizes(const tl_box *box);

/* A text: `pieces` are `count + 1` texts, each with a 0 behind it, and between each two stands one
   of the items, of which `items` has the kind and the bits. Numbers, containers and tensors are
   written as TorchScript's `str` writes them. */
tl_box *tl_box_format(tl_frame *frame, const char *pieces, const int64_t *items, int64_t count);
/* Prints such a text (tl_instance_set_print). */
void tl_box_print(tl_frame *frame, const char *pieces, const int64_t *items, int64_t count);

/* How many items a container has, or bytes a text. */
int64_t tl_box_size(const tl_box *box);
/* Puts an item in a place, or, if that is -1, behind the last one. */
void tl_box_put(tl_frame *frame, tl_box *box, int64_t at, int64_t kind, int64_t bits);
/* A number; 0 for None, and for the position -1. */
int64_t tl_box_get(const tl_box *box, int64_t at);
/* Anything; None for the position -1. */
tl_box *tl_box_item(tl_frame *frame, const tl_box *box, int64_t at);
/* Whether it is not None. */
int64_t tl_box_present(const tl_box *box, int64_t at);
/* A container with `count` of the items, every `step`-th, from `start` on; of a dictionary, if the
   step is not 1, a list. */
tl_box *tl_box_slice(tl_frame *frame, const tl_box *box, int64_t start, int64_t count,
                     int64_t step);
/* `removed` items from `at` on make place for those of another container; null: for none. */
void tl_box_splice(tl_frame *frame, tl_box *box, int64_t at, int64_t removed, const tl_box *more);
/* Where the first equal item from `from` on is, or an equal key of a dictionary; -1 if there is
   none. */
int64_t tl_box_find(tl_frame *frame, tl_box *box, int64_t kind, int64_t bits, int64_t from);
/* The value of a key of a dictionary. */
void tl_box_set(tl_frame *frame, tl_box *dict, int64_t key_kind, int64_t key_bits, int64_t kind,
                int64_t bits);
/* A list of tuples of a key and its value. */
tl_box *tl_box_pairs(tl_frame *frame, const tl_box *dict);
/* Sets the values of all keys that another dictionary has. */
void tl_box_update(tl_frame *frame, tl_box *dict, const tl_box *other);
/* A list with the items of another one, or a text, `count` times. */
tl_box *tl_box_repeat(tl_frame *frame, const tl_box *box, int64_t count);
tl_box *tl_box_concat(tl_frame *frame, const tl_box *a, const tl_box *b);
/* Below, equal to or above 0, as a text is. */
int64_t tl_box_compare(const tl_box *a, const tl_box *b);
/* Whether two boxes have equal contents; tensors have none. */
int64_t tl_box_equal(const tl_box *a, const tl_box *b);

/* A list of the elements of a tensor along its first dimension. Of a vector: numbers, of `kind`. */
tl_box *tl_box_rows(tl_frame *frame, const tl_box *tensor, int64_t kind);
/* The items of a list as one tensor: side by side in a new first dimension, or, if `along` is not
   -1, behind each other along a dimension. They are numbers, or tensors of this element type and
   rank. Raises `message` if their sizes do not fit together. */
tl_box *tl_box_together(tl_frame *frame, const tl_box *list, int64_t dtype, int64_t element_bytes,
                        int64_t rank, int64_t along, const char *message);

/* How many references compiled code holds. */
int64_t tl_box_mark(tl_frame *frame);
/* Lets all go that it held beyond `mark`, except these. */
void tl_box_keep(tl_frame *frame, int64_t mark, int64_t count, tl_box *const *kept);

#ifdef __cplusplus
}
#endif
#endif /* TORCHLITE_RUNTIME_BOXES_H */
