/*===- Shadow.c - Races in global memory ----------------------------------------------===*\
|*
|* With TORCHLITE_EMULATOR_RACES=1 every byte of device memory has two words that say who wrote and
|* who read it last in the launch that runs. Two accesses of different threads, of which one writes,
|* race unless both are atomic, or the threads are of one block and a barrier lies between. Blocks
|* run on several CPU threads at once, so words are changed atomically: of a reader and a writer at
|* the same time at least one sees the other.
\*===----------------------------------------------------------------------------===*/
#include "Internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Which launch (10 bits), which block (22 bits), and when and who in the block, as in Check.c. */
enum { BLOCK_BITS = 22, LAUNCH_BITS = 10 };
static const uint64_t any_block = (1u << BLOCK_BITS) - 1;

struct emu_shadow {
  atomic_uint_fast64_t writer, reader;
};

emu_shadow *emu_shadow_create(uint64_t bytes) {
  return calloc(bytes ? bytes : 1, sizeof(emu_shadow));
}

uint32_t emu_shadow_next_launch(emu_memory *memory) {
  pthread_rwlock_wrlock(&memory->lock);
  uint32_t launch = ++memory->launches;
  if (launch >> LAUNCH_BITS) { /* numbers come again: nobody may be taken for an older one */
    for (size_t i = 0; i < memory->count; ++i) {
      emu_allocation *it = &memory->allocations[i];
      for (uint64_t byte = 0; it->shadow && byte < it->bytes; ++byte)
        it->shadow[byte] = (emu_shadow){0, 0};
    }
    launch = memory->launches = 1;
  }
  pthread_rwlock_unlock(&memory->lock);
  return launch;
}

static uint64_t block_of(const emu_worker *worker) {
  const uint32_t *id = worker->block.block_id, *grid = worker->launch->grid;
  uint64_t number = ((uint64_t)id[2] * grid[1] + id[1]) * grid[0] + id[0];
  return number % any_block;
}

static uint64_t word(const emu_worker *worker, uint64_t block, uint32_t entry) {
  return (uint64_t)worker->launch->number << 54 | block << 32 | entry;
}
static bool is_now(const emu_worker *worker, uint64_t it) {
  return it >> 54 == worker->launch->number;
}
static uint64_t block_in(uint64_t it) { return it >> 32 & any_block; }

/* Whether an access of this launch may happen at the same time as one of this thread. */
static bool races(const emu_worker *worker, const tl_emu_thread *thread, uint64_t it) {
  if (!is_now(worker, it))
    return false;
  return block_in(it) != block_of(worker) || emu_check_races(worker, thread, (uint32_t)it);
}

__attribute__((noreturn, noinline)) static void fail_race(tl_emu_thread *thread, emu_allocation in,
                                                          uint64_t address, uint64_t bytes,
                                                          uint32_t kind, uint64_t it,
                                                          const char *what) {
  static const char *const verbs[] = {"reads", "writes", "changes atomically"};
  const emu_worker *worker = emu_worker_of(thread);
  const uint32_t *grid = worker->launch->grid;
  uint64_t block = block_in(it);
  char other[96];
  if (block == any_block)
    snprintf(other, sizeof other, "several blocks have");
  else if (block == block_of(worker))
    snprintf(other, sizeof other, "another thread of the block has");
  else
    snprintf(other, sizeof other, "block (%u, %u, %u) has", (unsigned)(block % grid[0]),
             (unsigned)(block / grid[0] % grid[1]), (unsigned)(block / grid[0] / grid[1]));
  emu_fail(thread,
           "race: %s %" PRIu64 " bytes of global memory at byte %" PRIu64 " of %" PRIu64
           ", which %s %s without an order between",
           verbs[kind], bytes, address - in.base, in.bytes, other, what);
}

/* The word for one more reader. */
static uint64_t add_reader(const emu_worker *worker, const tl_emu_thread *thread, uint64_t before) {
  uint64_t block = block_of(worker);
  if (!is_now(worker, before))
    return word(worker, block, emu_check_entry(worker, thread, TL_EMU_READ));
  if (block_in(before) != block)
    return word(worker, any_block, (uint32_t)before);
  return word(worker, block, emu_check_add_reader(worker, thread, (uint32_t)before));
}

static void read_byte(tl_emu_thread *thread, emu_allocation in, emu_shadow *shadow,
                      uint64_t address, uint64_t bytes) {
  const emu_worker *worker = emu_worker_of(thread);
  uint64_t before = atomic_load(&shadow->reader);
  while (
      !atomic_compare_exchange_weak(&shadow->reader, &before, add_reader(worker, thread, before)))
    ;
  uint64_t writer = atomic_load(&shadow->writer);
  if (races(worker, thread, writer))
    fail_race(thread, in, address, bytes, TL_EMU_READ, writer, "written");
}

/* What stands for all writers so far: those of several blocks, where they are atomic, go on to race
   with everyone who is not. */
static uint64_t add_writer(const emu_worker *worker, const tl_emu_thread *thread, uint32_t kind,
                           uint64_t before) {
  uint32_t own = emu_check_entry(worker, thread, kind);
  if (!races(worker, thread, before))
    return word(worker, block_of(worker), own);
  return word(worker, block_in(before) == block_of(worker) ? block_in(before) : any_block,
              emu_check_many_atomic(own));
}

static void write_byte(tl_emu_thread *thread, emu_allocation in, emu_shadow *shadow,
                       uint64_t address, uint64_t bytes, uint32_t kind) {
  const emu_worker *worker = emu_worker_of(thread);
  uint64_t before = atomic_load(&shadow->writer);
  for (;;) {
    bool both_atomic = kind == TL_EMU_ATOMIC && emu_check_is_atomic((uint32_t)before);
    if (races(worker, thread, before) && !both_atomic)
      fail_race(thread, in, address, bytes, kind, before, "written");
    if (atomic_compare_exchange_weak(&shadow->writer, &before,
                                     add_writer(worker, thread, kind, before)))
      break;
  }
  uint64_t reader = atomic_load(&shadow->reader);
  if (races(worker, thread, reader))
    fail_race(thread, in, address, bytes, kind, reader, "read");
}

void emu_shadow_access(tl_emu_thread *thread, emu_allocation in, uint64_t address, uint64_t bytes,
                       uint32_t kind) {
  for (uint64_t i = 0; in.shadow && i < bytes; ++i) {
    emu_shadow *shadow = &in.shadow[address - in.base + i];
    if (kind == TL_EMU_READ)
      read_byte(thread, in, shadow, address, bytes);
    else
      write_byte(thread, in, shadow, address, bytes, kind);
  }
}
