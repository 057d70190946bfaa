/*===- AsyncCopy.c - cp.async -------------------------------------------------------------===*\
|*
|* Lazy copies arrive at the last moment, when they are waited for: a wait or a barrier that is
|* missing before a read shows. Eager ones arrive at once: a barrier that is missing before a buffer
|* is filled again shows. Hardware may do either.
\*===----------------------------------------------------------------------------===*/
#include "Internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct copy {
  uint64_t to;
  uint32_t bytes;
  uint32_t group; /* the number of groups that had been committed before */
  unsigned char data[16];
} copy;

/* Copies of one thread that have not been waited for, oldest first, in a ring. */
typedef struct emu_copies {
  copy *items;
  uint32_t first, count, capacity; /* capacity: a power of two */
  uint32_t groups;                 /* committed so far */
} emu_copies;

static bool reserve(emu_thread *thread) {
  emu_copies *it = thread->copies;
  if (!it) {
    it = thread->copies = calloc(1, sizeof *it);
    if (!it)
      return false;
  }
  if (it->count < it->capacity)
    return true;
  uint32_t capacity = it->capacity ? 2 * it->capacity : 32;
  copy *items = malloc(capacity * sizeof *items);
  if (!items)
    return false;
  for (uint32_t i = 0; i < it->count; ++i)
    items[i] = it->items[(it->first + i) & (it->capacity - 1)];
  free(it->items);
  it->items = items;
  it->capacity = capacity;
  it->first = 0;
  return true;
}

void tl_emu_copy_async(tl_emu_thread *base, uint64_t to, uint64_t from, uint32_t bytes,
                       uint32_t source_bytes, uint32_t slot) {
  emu_worker *worker = emu_worker_of(base);
  emu_thread *thread = (emu_thread *)base;
  if (source_bytes > bytes)
    emu_fail(base, "cp.async of %u bytes takes %u bytes", bytes, source_bytes);
  if (source_bytes)
    tl_emu_check_global(base, base->block, from, source_bytes, TL_EMU_READ, bytes, slot);
  emu_check_copy_begin(base, to, bytes);
  if (!reserve(thread))
    emu_fail(base, "cp.async: the emulator is out of memory");
  emu_copies *copies = thread->copies;
  copy *it = &copies->items[(copies->first + copies->count++) & (copies->capacity - 1)];
  it->to = to;
  it->bytes = bytes;
  it->group = copies->groups;
  memset(it->data, 0, sizeof it->data);
  memcpy(it->data, (const void *)(uintptr_t)from, source_bytes);
  if (!worker->launch->settings.lazy)
    memcpy((void *)(uintptr_t)to, it->data, bytes);
}

void tl_emu_copy_commit(tl_emu_thread *base) {
  emu_thread *thread = (emu_thread *)base;
  if (!reserve(thread))
    emu_fail(base, "cp.async: the emulator is out of memory");
  ++thread->copies->groups;
}

/* Lets the copies of the groups before `group` arrive. */
static void arrive(emu_thread *thread, uint32_t group) {
  emu_copies *copies = thread->copies;
  bool lazy = emu_worker_of(&thread->base)->launch->settings.lazy;
  while (copies->count) {
    copy *it = &copies->items[copies->first];
    if ((int32_t)(it->group - group) >= 0)
      return;
    if (lazy)
      memcpy((void *)(uintptr_t)it->to, it->data, it->bytes);
    emu_check_copy_end(&thread->base, it->to, it->bytes);
    copies->first = (copies->first + 1) & (copies->capacity - 1);
    --copies->count;
  }
}

void tl_emu_copy_wait(tl_emu_thread *base, uint32_t site, uint32_t pending) {
  emu_thread *thread = (emu_thread *)base;
  if (!emu_leaves_out(base, site) && thread->copies && pending < thread->copies->groups)
    arrive(thread, thread->copies->groups - pending);
}

void tl_emu_copy_wait_all(tl_emu_thread *base, uint32_t site) {
  emu_thread *thread = (emu_thread *)base;
  if (!emu_leaves_out(base, site) && thread->copies)
    arrive(thread, thread->copies->groups + 1);
}

void emu_copies_finish(emu_thread *thread) {
  if (!thread->copies)
    return;
  arrive(thread, thread->copies->groups + 1);
  thread->copies->groups = 0;
}

void emu_copies_forget(emu_thread *thread) {
  if (thread->copies)
    thread->copies->count = thread->copies->groups = 0;
}

void emu_copies_destroy(emu_thread *thread) {
  if (thread->copies)
    free(thread->copies->items);
  free(thread->copies);
  thread->copies = NULL;
}
