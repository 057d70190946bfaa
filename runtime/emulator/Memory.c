/*===- Memory.c - Device memory ----------------------------------------------------===*/
#include "Internal.h"

#include <stdlib.h>
#include <string.h>

/* Before and after each allocation, so that what runs over an end meets no neighbour. */
enum { GAP = 256 };

bool emu_memory_init(emu_memory *memory, bool shadowed) {
  memset(memory, 0, sizeof *memory);
  memory->shadowed = shadowed;
  return !pthread_rwlock_init(&memory->lock, NULL);
}

void emu_memory_destroy(emu_memory *memory) {
  for (size_t i = 0; i < memory->count; ++i) {
    free(memory->allocations[i].raw);
    free(memory->allocations[i].shadow);
  }
  free(memory->allocations);
  pthread_rwlock_destroy(&memory->lock);
}

/* The number of allocations that begin at or before `address`. */
static size_t position(const emu_memory *memory, uint64_t address) {
  size_t low = 0, high = memory->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (memory->allocations[middle].base <= address)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void *emu_memory_alloc(emu_memory *memory, int64_t bytes, bool poison) {
  if (bytes < 0 || (uint64_t)bytes > (uint64_t)PTRDIFF_MAX - 4 * GAP)
    return NULL;
  size_t rounded = ((size_t)bytes + GAP - 1) / GAP * GAP;
  char *raw = aligned_alloc(GAP, rounded + 2 * GAP);
  if (!raw)
    return NULL;
  emu_shadow *shadow = memory->shadowed ? emu_shadow_create((uint64_t)bytes) : NULL;
  if (memory->shadowed && !shadow) {
    free(raw);
    return NULL;
  }
  if (poison)
    memset(raw, 0xFF, rounded + 2 * GAP);
  emu_allocation made = {(uint64_t)(uintptr_t)(raw + GAP), (uint64_t)bytes, raw, shadow};
  pthread_rwlock_wrlock(&memory->lock);
  if (memory->count == memory->capacity) {
    size_t capacity = memory->capacity ? 2 * memory->capacity : 64;
    emu_allocation *more = realloc(memory->allocations, capacity * sizeof *more);
    if (!more) {
      pthread_rwlock_unlock(&memory->lock);
      free(shadow);
      free(raw);
      return NULL;
    }
    memory->allocations = more;
    memory->capacity = capacity;
  }
  size_t at = position(memory, made.base);
  memmove(memory->allocations + at + 1, memory->allocations + at,
          (memory->count - at) * sizeof made);
  memory->allocations[at] = made;
  ++memory->count;
  pthread_rwlock_unlock(&memory->lock);
  return raw + GAP;
}

void emu_memory_free(emu_memory *memory, void *pointer) {
  if (!pointer)
    return;
  uint64_t address = (uint64_t)(uintptr_t)pointer;
  pthread_rwlock_wrlock(&memory->lock);
  size_t at = position(memory, address);
  void *raw = NULL;
  emu_shadow *shadow = NULL;
  if (at && memory->allocations[at - 1].base == address) {
    raw = memory->allocations[at - 1].raw;
    shadow = memory->allocations[at - 1].shadow;
    memmove(memory->allocations + at - 1, memory->allocations + at,
            (memory->count - at) * sizeof *memory->allocations);
    --memory->count;
  }
  pthread_rwlock_unlock(&memory->lock);
  free(shadow);
  free(raw);
}

emu_allocation emu_memory_before(emu_memory *memory, uint64_t address) {
  emu_allocation found = {0, 0, NULL, NULL};
  pthread_rwlock_rdlock(&memory->lock);
  size_t at = position(memory, address);
  if (at)
    found = memory->allocations[at - 1];
  pthread_rwlock_unlock(&memory->lock);
  return found;
}

emu_allocation emu_memory_find(emu_memory *memory, uint64_t address) {
  emu_allocation found = emu_memory_before(memory, address);
  if (address - found.base >= found.bytes)
    found = (emu_allocation){0, 0, NULL, NULL};
  return found;
}
