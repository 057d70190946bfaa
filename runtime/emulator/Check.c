/*===- Check.c - What kernels do to memory ---------------------------------------------===*\
|*
|* Global memory: every access lies within one allocation, that of the kernel's argument where the
|* address comes from one.
|*
|* Shared memory: every granule has a cell that says who wrote and who read it last, and when. Time
|* counts barriers. Two accesses of different threads, of which one writes, race unless a barrier of
|* the block (or, within a warp, bar.warp.sync) lies between; a read must find what this block has
|* written. A granule (1, 2 or 4 bytes) is the size that all accesses of the kernel are multiples
of.
|* Of large grids a part of the blocks is checked in this way: see is_sampled.
\*===----------------------------------------------------------------------===*/
#include "Internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const verbs[] = {"reads", "writes", "changes atomically"};
static const char *const past_verbs[] = {"read", "wrote"};

/*===-- Global memory --------------------------------------------------------===*/

static void check_alignment(tl_emu_thread *thread, uint64_t address, uint64_t bytes, uint32_t kind,
                            uint32_t alignment) {
  if (address & (alignment - 1))
    emu_fail(thread, "%s %" PRIu64 " bytes at 0x%" PRIx64 ", which is not a multiple of %u",
             verbs[kind], bytes, address, alignment);
}

/* `known`: the memory that the address should lie in; without bytes: any. */
__attribute__((noreturn)) static void fail_outside(tl_emu_thread *thread, uint64_t address,
                                                   uint64_t bytes, uint32_t kind, uint32_t slot,
                                                   emu_allocation known) {
  emu_launch *launch = emu_worker_of(thread)->launch;
  if (known.base == emu_empty_range.base)
    emu_fail(thread, "%s %" PRIu64 " bytes through parameter %d, which stands for no memory",
             verbs[kind], bytes, launch->about.pointers[slot]);
  char which[48] = "an allocation";
  if (known.bytes)
    snprintf(which, sizeof which, "parameter %d", launch->about.pointers[slot]);
  else
    known = emu_memory_before(&launch->device->memory, address);
  if (!known.base)
    emu_fail(thread, "%s %" PRIu64 " bytes at 0x%" PRIx64 ", which is no device memory",
             verbs[kind], bytes, address);
  if (address < known.base)
    emu_fail(thread,
             "%s %" PRIu64 " bytes at 0x%" PRIx64 ", %" PRIu64 " bytes before the begin of %s",
             verbs[kind], bytes, address, known.base - address, which);
  uint64_t end = known.base + known.bytes;
  if (address < end)
    emu_fail(thread,
             "%s %" PRIu64 " bytes at 0x%" PRIx64 ", of which %" PRIu64
             " are past the end of %s of %" PRIu64 " bytes",
             verbs[kind], bytes, address, address + bytes - end, which, known.bytes);
  emu_fail(thread,
           "%s %" PRIu64 " bytes at 0x%" PRIx64 ", %" PRIu64 " bytes past the end of %s of %" PRIu64
           " bytes",
           verbs[kind], bytes, address, address - end, which, known.bytes);
}

/* Every access comes here: the block's ranges, which code compares addresses with, are empty. */
static void check_shadow(tl_emu_thread *thread, uint64_t address, uint64_t bytes, uint32_t kind,
                         uint32_t slot) {
  emu_launch *launch = emu_worker_of(thread)->launch;
  tl_emu_range range = launch->ranges[slot];
  emu_allocation known = {range.base, range.bytes, NULL, NULL};
  emu_allocation found = emu_memory_find(&launch->device->memory, address);
  if (slot == TL_EMU_RANGES - 1 || !known.bytes)
    known = found;
  if (address - known.base >= known.bytes || known.bytes - (address - known.base) < bytes)
    fail_outside(thread, address, bytes, kind, slot, known);
  emu_shadow_access(thread, found, address, bytes, kind);
}

void tl_emu_check_global(tl_emu_thread *thread, tl_emu_block *block, uint64_t address,
                         uint64_t bytes, uint32_t kind, uint32_t alignment, uint32_t slot) {
  emu_worker *worker = emu_worker_of(thread);
  emu_launch *launch = worker->launch;
  if (!bytes)
    return;
  if (address - (uint64_t)(uintptr_t)block->shared < launch->shared_bytes) {
    tl_emu_check_shared(thread, address, bytes, kind, alignment);
    return;
  }
  check_alignment(thread, address, bytes, kind, alignment);
  if (!launch->settings.checks)
    return;
  /* Generic pointers may be to local memory. */
  if (address - (uint64_t)(uintptr_t)worker->stacks < worker->stack_bytes * worker->stack_count)
    return;
  if (launch->settings.races) {
    check_shadow(thread, address, bytes, kind, slot);
    return;
  }
  tl_emu_range known = block->ranges[slot];
  if (address - known.base < known.bytes && known.bytes - (address - known.base) >= bytes)
    return;
  emu_allocation found = {known.base, known.bytes, NULL, NULL};
  if (slot == TL_EMU_RANGES - 1 || !known.bytes)
    found = emu_memory_find(&launch->device->memory, address);
  if (address - found.base >= found.bytes || found.bytes - (address - found.base) < bytes)
    fail_outside(thread, address, bytes, kind, slot, found);
  if (slot == TL_EMU_RANGES - 1) /* code takes an argument's range for constant */
    block->ranges[slot] = (tl_emu_range){found.base, found.bytes};
}

/*===-- Cells ----------------------------------------------------------------===*/

/* A cell's entry: when (20 bits) and who (12 bits): a thread, several lanes of a warp (1024 + the
   warp), several threads, a thread's atomic operation (2048 + the thread), or those of several. 0:
   nobody. */
enum {
  WHO_BITS = 12,
  WHO = (1 << WHO_BITS) - 1,
  WARP = 1024,
  MANY = 2047,
  ATOMIC = 2048,
  MANY_ATOMIC = ATOMIC + WARP
};
/* An asynchronous copy is on its way: later than any time. */
static const uint32_t in_flight = ~0u;
static const uint32_t last_time = (1u << (32 - WHO_BITS)) - 16;

static uint32_t entry(const emu_worker *worker, uint32_t who) {
  return worker->clock << WHO_BITS | who;
}

/* Keeps what every access compares entries with. */
static void set_times(emu_worker *worker) {
  worker->start_entry = worker->block_start << WHO_BITS;
  worker->barrier_entry = worker->barrier_time << WHO_BITS;
  worker->clock_entry = worker->clock << WHO_BITS;
}

bool emu_check_prepare(emu_worker *worker, const emu_launch *launch) {
  uint32_t granule = (uint32_t)launch->about.granule;
  worker->granule_shift = granule == 4 ? 2 : granule == 2 ? 1 : 0;
  if (!launch->settings.checks)
    return true;
  size_t cells = (launch->shared_bytes >> worker->granule_shift) + 1;
  if (worker->cell_capacity < cells) {
    free(worker->cells);
    worker->cells = malloc(cells * sizeof *worker->cells);
    worker->cell_capacity = worker->cells ? cells : 0;
  }
  if (!worker->cells)
    return false;
  memset(worker->cells, 0, worker->cell_capacity * sizeof *worker->cells);
  worker->clock = 0;
  return true;
}

/* Whether the cells of this block are kept. All blocks of a small grid; of a large one, where it
   would take most of the time, those at its edges, whose tiles are different, and one in eight.
   Bounds and alignment are checked everywhere. */
static bool is_sampled(const emu_worker *worker) {
  const emu_launch *launch = worker->launch;
  if (launch->block_count <= 16)
    return true;
  uint64_t number = 0;
  for (int i = 2; i >= 0; --i) {
    uint32_t id = worker->block.block_id[i], last = launch->grid[i] - 1;
    if (last && (id == 0 || id == last) && launch->grid[i] > 4)
      return true;
    number = number * launch->grid[i] + id;
  }
  return (number * 0x9E3779B97F4A7C15ull) >> 61 == 0; /* not every eighth: grids have periods */
}

void emu_check_begin_block(emu_worker *worker) {
  worker->checks = worker->launch->settings.checks && is_sampled(worker);
  if (worker->clock > last_time / 2 && worker->cells) {
    memset(worker->cells, 0, worker->cell_capacity * sizeof *worker->cells);
    worker->clock = 0;
  }
  worker->block_start = worker->barrier_time = ++worker->clock;
  for (uint32_t i = 0; i < EMU_MAX_WARPS; ++i)
    worker->warps[i].ordered = worker->clock;
  set_times(worker);
}

/* Makes room for later times: what was before this barrier keeps only that it was. */
static void forget_times(emu_worker *worker) {
  uint32_t start = worker->block_start << WHO_BITS;
  if (!worker->cells)
    return;
  for (size_t i = 0; i < worker->cell_capacity; ++i) {
    emu_cell *cell = &worker->cells[i];
    if (cell->writer != in_flight)
      cell->writer = cell->writer >= start ? 1u << WHO_BITS : 0;
    cell->reader = 0;
  }
  worker->block_start = worker->clock = 1;
}

void emu_check_block_barrier(emu_worker *worker) {
  if (worker->clock >= last_time / 2)
    forget_times(worker);
  worker->barrier_time = ++worker->clock;
  for (uint32_t i = 0; i < EMU_MAX_WARPS; ++i)
    worker->warps[i].ordered = worker->clock;
  set_times(worker);
}

void emu_check_warp_barrier(emu_worker *worker, emu_warp *warp) {
  /* Time does not get as far as that: a block would pass half a million of them without a barrier.
   */
  if (worker->clock < last_time)
    ++worker->clock;
  warp->ordered = worker->clock;
  set_times(worker);
}

/* Whether an access that an entry tells of may happen at the same time as one of this thread. */
static bool races(const emu_worker *worker, const tl_emu_thread *thread, uint32_t it) {
  uint32_t time = it >> WHO_BITS, who = it & WHO, warp = thread->linear_id / EMU_WARP;
  if (time < worker->barrier_time || who == thread->linear_id ||
      who == (ATOMIC | thread->linear_id))
    return false;
  bool same_warp = who == WARP + warp || (who != MANY && (who & ~(uint32_t)ATOMIC) < WARP &&
                                          (who & ~(uint32_t)ATOMIC) / EMU_WARP == warp);
  return !(same_warp && time < worker->warps[warp].ordered);
}

__attribute__((noreturn, noinline)) static void fail_race(tl_emu_thread *thread, uint64_t address,
                                                          uint64_t bytes, uint32_t kind,
                                                          uint32_t it, uint32_t other_kind) {
  emu_worker *worker = emu_worker_of(thread);
  uint64_t offset = address - (uint64_t)(uintptr_t)worker->block.shared;
  if (it == in_flight)
    emu_fail(thread,
             "%s %" PRIu64 " bytes of shared memory at byte %" PRIu64
             ", where a cp.async has not been waited for",
             verbs[kind], bytes, offset);
  char other[64] = "other threads";
  uint32_t who = it & WHO;
  if (who < WARP || (who >= ATOMIC && who != MANY_ATOMIC)) {
    const uint32_t *id = worker->threads[who & 1023].base.thread_id;
    snprintf(other, sizeof other, "thread (%u, %u, %u)", id[0], id[1], id[2]);
  }
  emu_fail(thread,
           "race: %s %" PRIu64 " bytes of shared memory at byte %" PRIu64
           ", which %s %s without a barrier between",
           verbs[kind], bytes, offset, other, past_verbs[other_kind]);
}

__attribute__((noreturn, noinline)) static void
fail_unwritten(tl_emu_thread *thread, uint64_t address, uint64_t bytes, uint32_t kind) {
  emu_fail(thread,
           "%s %" PRIu64 " bytes of shared memory at byte %" PRIu64 ", which nobody has written",
           verbs[kind], bytes, address - (uint64_t)(uintptr_t)emu_worker_of(thread)->block.shared);
}

/* A read of what was not written between the begin of the block and the last barrier. */
__attribute__((noinline)) static void check_writer(tl_emu_thread *thread, uint32_t writer,
                                                   uint64_t address, uint64_t bytes) {
  const emu_worker *worker = emu_worker_of(thread);
  if (writer < worker->start_entry)
    fail_unwritten(thread, address, bytes, TL_EMU_READ);
  if (writer == in_flight || races(worker, thread, writer))
    fail_race(thread, address, bytes, TL_EMU_READ, writer, TL_EMU_WRITE);
}

/* The entry for one more reader, where another has read since the last barrier. */
__attribute__((noinline)) static uint32_t add_reader(const emu_worker *worker,
                                                     const tl_emu_thread *thread, uint32_t before) {
  uint32_t who = before & WHO, warp = thread->linear_id / EMU_WARP;
  if (!races(worker, thread, before))
    return entry(worker, thread->linear_id);
  if (who == WARP + warp || (who < WARP && who / EMU_WARP == warp))
    return entry(worker, WARP + warp);
  return entry(worker, MANY);
}

uint32_t emu_check_entry(const emu_worker *worker, const tl_emu_thread *thread, uint32_t kind) {
  return entry(worker, kind == TL_EMU_ATOMIC ? ATOMIC | thread->linear_id : thread->linear_id);
}
bool emu_check_races(const emu_worker *worker, const tl_emu_thread *thread, uint32_t it) {
  return races(worker, thread, it);
}
uint32_t emu_check_add_reader(const emu_worker *worker, const tl_emu_thread *thread,
                              uint32_t before) {
  return add_reader(worker, thread, before);
}
uint32_t emu_check_many_atomic(uint32_t it) { return (it & ~(uint32_t)WHO) | MANY_ATOMIC; }
bool emu_check_is_atomic(uint32_t it) { return (it & WHO) >= ATOMIC; }

static inline void read_cells(emu_worker *worker, tl_emu_thread *thread, emu_cell *cell,
                              emu_cell *end, uint64_t address, uint64_t bytes) {
  const uint32_t start = worker->start_entry, barrier = worker->barrier_entry;
  const uint32_t now = worker->clock_entry | thread->linear_id, ordered = barrier - start;
  for (; cell != end; ++cell) {
    if (cell->writer - start >= ordered)
      check_writer(thread, cell->writer, address, bytes);
    uint32_t reader = cell->reader;
    if (reader < barrier)
      cell->reader = now;
    else if (reader != now && (reader & WHO) != MANY) /* MANY stays so until the next barrier */
      cell->reader = add_reader(worker, thread, reader);
  }
}

__attribute__((noinline)) static void write_cells(emu_worker *worker, tl_emu_thread *thread,
                                                  emu_cell *cell, emu_cell *end, uint64_t address,
                                                  uint64_t bytes, uint32_t kind) {
  const uint32_t barrier = worker->barrier_entry;
  const uint32_t own =
      entry(worker, kind == TL_EMU_ATOMIC ? ATOMIC | thread->linear_id : thread->linear_id);
  for (; cell != end; ++cell) {
    uint32_t writer = cell->writer, reader = cell->reader, next = own;
    /* An atomic operation reads what it changes. */
    if (kind == TL_EMU_ATOMIC && writer < worker->start_entry)
      fail_unwritten(thread, address, bytes, kind);
    if (reader >= barrier && races(worker, thread, reader))
      fail_race(thread, address, bytes, kind, reader, TL_EMU_READ);
    if (writer >= barrier) {
      bool conflict = writer == in_flight || races(worker, thread, writer);
      bool both_atomic = kind == TL_EMU_ATOMIC && (writer & WHO) >= ATOMIC && writer != in_flight;
      if (conflict && !both_atomic)
        fail_race(thread, address, bytes, kind, writer, TL_EMU_WRITE);
      /* What the entry stands for must go on to conflict with plain accesses, or with atomic ones.
       */
      if (conflict)
        next = entry(worker, MANY_ATOMIC);
      else if (kind == TL_EMU_ATOMIC && (writer & WHO) == thread->linear_id)
        next = writer;
    }
    cell->writer = next;
  }
}

/* The cells of an access. */
static inline emu_cell *cells_of(emu_worker *worker, uint64_t address, uint64_t bytes,
                                 emu_cell **end) {
  uint64_t offset = address - (uint64_t)(uintptr_t)worker->block.shared;
  *end = worker->cells + ((offset + bytes - 1) >> worker->granule_shift) + 1;
  return worker->cells + (offset >> worker->granule_shift);
}

__attribute__((noinline)) static void fail_shared(tl_emu_thread *thread, uint64_t offset,
                                                  uint64_t bytes, uint32_t kind,
                                                  uint32_t alignment) {
  uint32_t size = emu_worker_of(thread)->launch->shared_bytes;
  if (bytes && (offset >= size || size - offset < bytes))
    emu_fail(thread,
             "%s %" PRIu64 " bytes of shared memory at byte %" PRId64 ", of which the block has %u",
             verbs[kind], bytes, (int64_t)offset, size);
  if (bytes)
    check_alignment(thread, offset, bytes, kind, alignment);
}

/* Apart, so that blocks that are not checked need no stack frame. */
__attribute__((noinline)) static void check_cells(emu_worker *worker, tl_emu_thread *thread,
                                                  uint64_t address, uint64_t bytes, uint32_t kind) {
  emu_cell *end, *cell = cells_of(worker, address, bytes, &end);
  if (kind == TL_EMU_READ)
    read_cells(worker, thread, cell, end, address, bytes);
  else
    write_cells(worker, thread, cell, end, address, bytes, kind);
}

void tl_emu_check_shared(tl_emu_thread *thread, uint64_t address, uint64_t bytes, uint32_t kind,
                         uint32_t alignment) {
  emu_worker *worker = emu_worker_of(thread);
  uint64_t offset = address - (uint64_t)(uintptr_t)worker->block.shared;
  uint64_t size = worker->shared_bytes;
  if (offset >= size || size - offset < bytes || (offset & (alignment - 1)) || !bytes) {
    fail_shared(thread, offset, bytes, kind, alignment);
    return; /* of nothing */
  }
  if (worker->checks)
    check_cells(worker, thread, address, bytes, kind);
}

/*===-- Asynchronous copies ------------------------------------------------------===*/

void emu_check_copy_begin(tl_emu_thread *thread, uint64_t to, uint32_t bytes) {
  emu_worker *worker = emu_worker_of(thread);
  tl_emu_check_shared(thread, to, bytes, TL_EMU_WRITE, bytes);
  if (!worker->checks)
    return;
  emu_cell *end, *cell = cells_of(worker, to, bytes, &end);
  for (; cell != end; ++cell)
    cell->writer = in_flight;
}

void emu_check_copy_end(tl_emu_thread *thread, uint64_t to, uint32_t bytes) {
  emu_worker *worker = emu_worker_of(thread);
  if (!worker->checks)
    return;
  emu_cell *end, *cell = cells_of(worker, to, bytes, &end);
  for (; cell != end; ++cell)
    cell->writer = entry(worker, thread->linear_id);
}
