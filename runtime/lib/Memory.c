/*===- Memory.c - Memory of a call whose size is known only then --------------===*\
|*
|* Freed blocks are kept with the frame and given out again, so that a model whose sizes change from
|* call to call neither goes to the allocator for each buffer nor grows: used and kept blocks
|* together never exceed the most that one call has used.
\*===----------------------------------------------------------------------===*/
#include "Internal.h"

#include <stdlib.h>

static tl_call_frame *frameOf(tl_frame *frame) { return (tl_call_frame *)frame->runtime; }

/* Bodies of a parallel region may allocate, so the lists are guarded. */
static void lock(tl_call_frame *frame) {
  while (atomic_flag_test_and_set_explicit(&frame->block_lock, memory_order_acquire))
    ;
}
static void unlock(tl_call_frame *frame) {
  atomic_flag_clear_explicit(&frame->block_lock, memory_order_release);
}

static void add(tl_block **list, tl_block *block) {
  block->previous = NULL;
  block->next = *list;
  if (*list)
    (*list)->previous = block;
  *list = block;
}

static void removeBlock(tl_block **list, tl_block *block) {
  if (block->previous)
    block->previous->next = block->next;
  else
    *list = block->next;
  if (block->next)
    block->next->previous = block->previous;
}

/* The smallest kept block that `bytes` fit into without wasting more than half, or null. */
static tl_block *takeKept(tl_call_frame *frame, int64_t bytes) {
  tl_block *best = NULL;
  for (tl_block *block = frame->cache; block; block = block->next)
    if (block->bytes >= bytes && block->bytes / 2 <= bytes + 4096 &&
        (!best || block->bytes < best->bytes))
      best = block;
  if (best) {
    removeBlock(&frame->cache, best);
    frame->cache_bytes -= best->bytes;
  }
  return best;
}

/* Drops kept blocks until everything fits into the most that was ever in use. */
static void trim(tl_call_frame *frame) {
  while (frame->cache && frame->cache_bytes + frame->used_bytes > frame->peak_bytes) {
    tl_block *block = frame->cache;
    removeBlock(&frame->cache, block);
    frame->cache_bytes -= block->bytes;
    free(block);
  }
}

void *tl_rt_alloc(tl_frame *it, int64_t bytes) {
  tl_call_frame *frame = frameOf(it);
  int64_t total = 0;
  lock(frame);
  tl_block *block = bytes < 0 ? NULL : takeKept(frame, bytes);
  if (!block && bytes >= 0) {
    bytes = (bytes + TL_ALIGNMENT - 1) & -(int64_t)TL_ALIGNMENT;
    if (!__builtin_add_overflow(bytes, TL_ALIGNMENT, &total))
      block = tl_aligned_alloc(total);
    if (block)
      block->bytes = bytes;
  }
  if (block) {
    add(&frame->blocks, block);
    frame->used_bytes += block->bytes;
    if (frame->used_bytes > frame->peak_bytes)
      frame->peak_bytes = frame->used_bytes;
    trim(frame);
  }
  unlock(frame);
  if (!block)
    tl_raise(frame, TL_OUT_OF_MEMORY, "out of memory for {} bytes", &bytes, 1);
  return (char *)block + TL_ALIGNMENT;
}

static void keep(tl_call_frame *frame, tl_block *block) {
  removeBlock(&frame->blocks, block);
  frame->used_bytes -= block->bytes;
  add(&frame->cache, block);
  frame->cache_bytes += block->bytes;
}

void tl_rt_free(tl_frame *it, void *memory) {
  if (!memory)
    return;
  tl_call_frame *frame = frameOf(it);
  lock(frame);
  keep(frame, (tl_block *)((char *)memory - TL_ALIGNMENT));
  unlock(frame);
}

void tl_blocks_release(tl_call_frame *frame) {
  while (frame->blocks)
    keep(frame, frame->blocks);
}
