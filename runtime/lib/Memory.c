/*===- Memory.c - Memory of a call whose size is known only then --------------===*\
|*
|* Freed blocks are kept with the frame and given out again, so that a model whose sizes change from
|* call to call neither goes to the allocator for each buffer nor grows: used and kept blocks
|* together never exceed the most that one call has used. On a device a block is given out again
|* while kernels that are queued still use it: what comes later on the stream runs after them.
|* Under AddressSanitizer the processor's blocks end where the buffer does, and none is kept.
\*===----------------------------------------------------------------------===*/
#include "Internal.h"

#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define TL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TL_SANITIZED 1
#endif
#endif
#ifndef TL_SANITIZED
#define TL_SANITIZED 0
#endif

static tl_call_frame *frameOf(tl_frame *frame) { return (tl_call_frame *)frame->runtime; }

/* Bodies of a parallel region may allocate, so the lists are guarded. */
static void lock(tl_memory *memory) {
  while (atomic_flag_test_and_set_explicit(&memory->lock, memory_order_acquire))
    ;
}
static void unlock(tl_memory *memory) {
  atomic_flag_clear_explicit(&memory->lock, memory_order_release);
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

/* Whether blocks lie apart from what is known of them. */
static bool liesApart(const tl_memory *memory) { return memory->backend || TL_SANITIZED; }

static void *createApart(tl_memory *memory, int64_t bytes) {
  if (!memory->backend)
    return tl_aligned_alloc(bytes);
  return memory->backend->alloc(memory->stream, bytes ? bytes : TL_ALIGNMENT);
}

static tl_block *createBlock(tl_memory *memory, int64_t bytes) {
  int64_t total = 0;
  if (bytes > INT64_MAX - TL_ALIGNMENT)
    return NULL;
  if (!TL_SANITIZED || memory->backend)
    bytes = (bytes + TL_ALIGNMENT - 1) & -(int64_t)TL_ALIGNMENT;
  tl_block *block = NULL;
  if (liesApart(memory)) {
    block = malloc(sizeof *block);
    if (!block)
      return NULL;
    block->memory = createApart(memory, bytes);
    if (!block->memory) {
      free(block);
      return NULL;
    }
  } else {
    if (__builtin_add_overflow(bytes, TL_ALIGNMENT, &total))
      return NULL;
    block = tl_aligned_alloc(total);
    if (!block)
      return NULL;
    block->memory = (char *)block + TL_ALIGNMENT;
  }
  block->bytes = bytes;
  return block;
}

static void destroyBlock(tl_memory *memory, tl_block *block) {
  if (memory->backend)
    memory->backend->free(memory->stream, block->memory);
  else if (liesApart(memory))
    free(block->memory);
  free(block);
}

/* The smallest kept block that `bytes` fit into without wasting more than half, or null. */
static tl_block *takeKept(tl_memory *memory, int64_t bytes) {
  tl_block *best = NULL;
  for (tl_block *block = memory->cache; block; block = block->next)
    if (block->bytes >= bytes && block->bytes / 2 <= bytes + 4096 &&
        (!best || block->bytes < best->bytes))
      best = block;
  if (best) {
    removeBlock(&memory->cache, best);
    memory->cache_bytes -= best->bytes;
  }
  return best;
}

/* Drops kept blocks until everything fits into `limit`. */
static void trim(tl_memory *memory, int64_t limit) {
  while (memory->cache && memory->cache_bytes + memory->used_bytes > limit) {
    tl_block *block = memory->cache;
    removeBlock(&memory->cache, block);
    memory->cache_bytes -= block->bytes;
    destroyBlock(memory, block);
  }
}

void *tl_memory_take(tl_memory *memory, int64_t bytes) {
  if (bytes < 0)
    return NULL;
  lock(memory);
  tl_block *block = takeKept(memory, bytes);
  if (!block)
    block = createBlock(memory, bytes);
  if (!block && memory->cache) { /* what is kept may be in the way */
    trim(memory, 0);
    block = createBlock(memory, bytes);
  }
  if (block) {
    add(&memory->blocks, block);
    memory->used_bytes += block->bytes;
    if (memory->used_bytes > memory->peak_bytes)
      memory->peak_bytes = memory->used_bytes;
    trim(memory, memory->peak_bytes);
  }
  unlock(memory);
  return block ? block->memory : NULL;
}

static void keep(tl_memory *memory, tl_block *block) {
  removeBlock(&memory->blocks, block);
  memory->used_bytes -= block->bytes;
  add(&memory->cache, block);
  memory->cache_bytes += block->bytes;
  if (TL_SANITIZED && !memory->backend)
    trim(memory, -1);
}

void tl_memory_give(tl_memory *memory, void *data) {
  lock(memory);
  tl_block *block = (tl_block *)((char *)data - TL_ALIGNMENT);
  if (liesApart(memory))
    for (block = memory->blocks; block && block->memory != data;)
      block = block->next;
  if (block)
    keep(memory, block);
  unlock(memory);
}

void tl_memory_give_all(tl_memory *memory) {
  while (memory->blocks)
    keep(memory, memory->blocks);
}

void tl_memory_destroy(tl_memory *memory) {
  tl_memory_give_all(memory);
  trim(memory, -1);
}

void *tl_rt_alloc(tl_frame *it, int64_t bytes) {
  tl_call_frame *frame = frameOf(it);
  if (frame->device)
    frame->device->dynamic = true;
  void *data = tl_memory_take(&frame->memory, bytes);
  if (data)
    return data;
  if (frame->device) {
    frame->status = tl_opened_exhausted(frame->device->opened, bytes, "a tensor", frame->error);
    tl_frame_leave(frame);
  }
  tl_raise(frame, TL_OUT_OF_MEMORY, "out of memory for {} bytes", &bytes, 1);
}

void tl_rt_free(tl_frame *it, void *memory) {
  if (memory)
    tl_memory_give(&frameOf(it)->memory, memory);
}
