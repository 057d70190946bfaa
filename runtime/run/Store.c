/*===- Store.c - Memory that is freed all at once ----------------------------===*/
#include "Run.h"

#include <stdlib.h>
#include <string.h>

typedef struct tl_store_block {
  struct tl_store_block *next;
  char pad[64 - sizeof(void *)];
} tl_store_block;

void *tl_store_alloc(tl_store *store, size_t bytes) {
  void *memory = NULL;
  if (bytes > SIZE_MAX / 2 || posix_memalign(&memory, 64, sizeof(tl_store_block) + bytes))
    return NULL;
  memset(memory, 0, sizeof(tl_store_block) + bytes);
  tl_store_block *block = memory;
  block->next = store->blocks;
  store->blocks = block;
  return block + 1;
}

void tl_store_free(tl_store *store) {
  while (store->blocks) {
    tl_store_block *next = store->blocks->next;
    free(store->blocks);
    store->blocks = next;
  }
}
