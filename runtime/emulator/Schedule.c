/*===- Schedule.c - The threads of a block ------------------------------------------------===*\
|*
|* A kernel that never waits is called for one thread after the other, on one fiber. Otherwise each
|* thread is a fiber: it runs until it waits, and then the next ready thread runs, first of the same
|* warp. TORCHLITE_EMULATOR_ORDER says which one is next, so that a kernel that depends on the order
|* gives different results.
|*
|* Fibers stay from block to block: a thread that leaves the kernel waits in fiber_main for the
|* worker to come to its thread of the next block.
\*===----------------------------------------------------------------------------===*/
#include "Internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* The worker of this CPU thread; fibers never change between CPU threads. */
static _Thread_local emu_worker *current_worker;
/* What the kernel that was called with null tells. */
static _Thread_local const tl_emu_kernel *described;

tl_emu_thread *tl_emu_current(void) { return &current_worker->current->base; }

void tl_emu_describe(const tl_emu_kernel *kernel) { described = kernel; }

/*===-- Order --------------------------------------------------------------===*/

static uint32_t next_random(emu_worker *worker) {
  /* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators". */
  uint64_t x = worker->random;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  worker->random = x;
  return (uint32_t)((x * 0x2545F4914F6CDD1Dull) >> 32);
}

/* The number of one of the bits that are set. */
static uint32_t pick(emu_worker *worker, uint32_t set) {
  if (worker->launch->settings.order == EMU_FORWARD)
    return (uint32_t)__builtin_ctz(set);
  if (worker->launch->settings.order == EMU_REVERSE)
    return 31 - (uint32_t)__builtin_clz(set);
  uint32_t skip = next_random(worker) % (uint32_t)__builtin_popcount(set);
  while (skip--)
    set &= set - 1;
  return (uint32_t)__builtin_ctz(set);
}

/* Takes a ready thread, or null. */
static emu_thread *take_ready(emu_worker *worker) {
  if (!worker->ready_warps)
    return NULL;
  if (!(worker->ready_warps >> worker->warp & 1) || worker->launch->settings.order == EMU_RANDOM)
    worker->warp = pick(worker, worker->ready_warps);
  emu_warp *warp = &worker->warps[worker->warp];
  uint32_t lane = pick(worker, warp->ready);
  warp->ready &= ~(1u << lane);
  if (!warp->ready)
    worker->ready_warps &= ~(1u << worker->warp);
  return &worker->threads[worker->warp * EMU_WARP + lane];
}

void emu_make_ready(emu_worker *worker, uint32_t warp, uint32_t lanes) {
  if (!lanes)
    return;
  worker->warps[warp].ready |= lanes;
  worker->ready_warps |= 1u << warp;
}

/* Leaves `thread` for a ready one, or for run_block where there is none. */
static void switch_from(emu_worker *worker, emu_thread *thread) {
  emu_thread *next = take_ready(worker);
  worker->current = next;
  emu_switch(&thread->stack, next ? next->stack : worker->main_stack);
}

void emu_wait(emu_worker *worker, emu_thread *thread, const char *what) {
  thread->waits_at = what;
  switch_from(worker, thread);
  thread->waits_at = NULL;
}

/*===-- Errors -------------------------------------------------------------===*/

/* Keeps the first message of a launch. */
static void report(emu_worker *worker, const emu_thread *thread, const char *text) {
  emu_launch *launch = worker->launch;
  worker->failed = true;
  if (atomic_exchange(&launch->failed, true))
    return;
  const uint32_t *block = worker->block.block_id;
  char where[64] = "";
  if (thread)
    snprintf(where, sizeof where, ", thread (%u, %u, %u)", thread->base.thread_id[0],
             thread->base.thread_id[1], thread->base.thread_id[2]);
  launch->status =
      emu_error(&launch->error, TL_RAISED, "emulator: kernel '%s', block (%u, %u, %u)%s: %s",
                launch->about.name, block[0], block[1], block[2], where, text);
}

void emu_fail(tl_emu_thread *thread, const char *format, ...) {
  emu_worker *worker = emu_worker_of(thread);
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  report(worker, (emu_thread *)thread, text);
  /* The fiber is given up: run_block does not come back to it. */
  void *abandoned;
  emu_switch(&abandoned, worker->main_stack);
  __builtin_unreachable();
}

void tl_emu_trap(tl_emu_thread *thread) { emu_fail(thread, "trap"); }

/* No thread can run, but some have not left. */
static void report_deadlock(emu_worker *worker) {
  char text[1024];
  size_t length = 0;
  int shown = 0;
  length += (size_t)snprintf(text, sizeof text, "threads wait for each other forever:");
  const char *last = NULL;
  for (uint32_t i = 0; i < worker->launch->thread_count && shown < 4; ++i) {
    const emu_thread *thread = &worker->threads[i];
    if (!thread->waits_at || thread->waits_at == last)
      continue;
    last = thread->waits_at;
    const uint32_t *id = thread->base.thread_id;
    length += (size_t)snprintf(text + length, sizeof text - length, "%s thread (%u, %u, %u) at %s",
                               shown++ ? "," : "", id[0], id[1], id[2], last);
  }
  uint32_t left = worker->launch->thread_count - worker->live;
  if (left)
    snprintf(text + length, sizeof text - length, "; %u threads have left", left);
  report(worker, NULL, text);
}

/*===-- Lanes of a warp -------------------------------------------------------===*/

/* Performs the group's operation; makes all lanes but `self` ready. */
static void complete(emu_worker *worker, uint32_t warp_number, emu_group *group, uint32_t self) {
  emu_warp *warp = &worker->warps[warp_number];
  const emu_group done = *group;
  *group = warp->groups[--warp->group_count];
  done.operation->perform(worker, &worker->threads[warp_number * EMU_WARP], done.arrived);
  emu_make_ready(worker, warp_number, done.arrived & ~self);
}

void emu_meet(tl_emu_thread *base, const emu_operation *operation, uint32_t site, uint32_t mask,
              void *request) {
  emu_worker *worker = emu_worker_of(base);
  emu_thread *thread = (emu_thread *)base;
  uint32_t number = base->linear_id / EMU_WARP, lane = 1u << (base->linear_id % EMU_WARP);
  emu_warp *warp = &worker->warps[number];
  if (!(mask & lane))
    emu_fail(base, "%s for the lanes 0x%08x, of which this thread is none", operation->name, mask);
  mask &= warp->exist;
  emu_group *group = warp->groups, *end = group + warp->group_count;
  for (; group != end; ++group) {
    if (!(group->mask & mask))
      continue;
    if (group->operation == operation && group->mask == mask && group->site == site)
      break;
    emu_fail(base,
             "diverged: %s for the lanes 0x%08x, while the lanes 0x%08x wait at %s%s for 0x%08x",
             operation->name, mask, group->arrived,
             group->operation == operation && group->mask == mask ? "another " : "",
             group->operation->name, group->mask);
  }
  if (group == end) {
    *group = (emu_group){operation, site, mask, 0};
    ++warp->group_count;
  }
  thread->request = request;
  group->arrived |= lane;
  if (group->arrived == (mask & warp->live))
    complete(worker, number, group, lane);
  else
    emu_wait(worker, thread, operation->name);
}

/* The thread leaves the kernel. */
static void leave(emu_worker *worker, emu_thread *thread) {
  uint32_t number = thread->base.linear_id / EMU_WARP;
  emu_warp *warp = &worker->warps[number];
  emu_copies_finish(thread);
  warp->live &= ~(1u << (thread->base.linear_id % EMU_WARP));
  --worker->live;
  for (uint32_t i = 0; i < EMU_BARRIERS; ++i)
    if (worker->barriers[i].arrived)
      emu_fail(&thread->base, "leaves the kernel, while %u threads wait at bar.sync %u",
               worker->barriers[i].arrived, i);
  /* Others may have waited for this lane only. */
  for (uint32_t i = 0; i < warp->group_count;)
    if (warp->groups[i].arrived == (warp->groups[i].mask & warp->live))
      complete(worker, number, &warp->groups[i], 0);
    else
      ++i;
}

/*===-- Fibers --------------------------------------------------------------===*/

static void fiber_main(void) {
  for (;;) {
    emu_worker *worker = current_worker;
    emu_thread *thread = worker->current;
    worker->launch->kernel(worker->launch->params);
    leave(worker, thread);
    switch_from(worker, thread);
  }
}

/* Runs all threads of a kernel that never waits. */
static void loop_main(void) {
  emu_worker *worker = current_worker;
  for (uint32_t i = 0; i < worker->launch->thread_count; ++i) {
    emu_thread *thread = &worker->threads[worker->order[i]];
    worker->current = thread;
    worker->launch->kernel(worker->launch->params);
    emu_copies_finish(thread);
  }
  worker->live = 0;
  void *abandoned;
  emu_switch(&abandoned, worker->main_stack);
  __builtin_unreachable();
}

/* Where the stack of fiber `i` begins. Tops that are a power of two apart would share the same few
   lines of the cache. */
static void *stack_top(const emu_worker *worker, size_t i) {
  return worker->stacks + (i + 1) * worker->stack_bytes - 64 - i % 61 * 64;
}

enum { MIN_STACK = 65536 };

static size_t stack_bytes_for(const emu_launch *launch) {
  /* Local memory, as much again for what the compiler spills, and room for the library's calls. */
  return (MIN_STACK + 2 * (size_t)launch->about.local_bytes + 4095) & ~(size_t)4095;
}

static char *map_stacks(size_t bytes) {
  void *memory =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

static void unmap_stacks(emu_worker *worker) {
  if (worker->stacks)
    munmap(worker->stacks, worker->stack_bytes * worker->stack_count);
  worker->stacks = NULL;
  worker->prepared = 0;
}

static bool prepare_stacks(emu_worker *worker, const emu_launch *launch) {
  size_t bytes = stack_bytes_for(launch);
  /* The last stack is for loop_main. */
  size_t count = (launch->about.has_collectives ? launch->thread_count : 0) + 1;
  if (!worker->stacks || worker->stack_bytes < bytes || worker->stack_count < count) {
    if (worker->stacks && worker->stack_bytes > bytes)
      bytes = worker->stack_bytes;
    if (worker->stacks && worker->stack_count > count)
      count = worker->stack_count;
    unmap_stacks(worker);
    worker->stack_bytes = bytes;
    worker->stack_count = count;
    worker->stacks = map_stacks(bytes * count);
    if (!worker->stacks)
      return false;
  }
  return true;
}

static bool prepare_shared(emu_worker *worker, const emu_launch *launch) {
  if (worker->shared_capacity < launch->shared_bytes || !worker->shared_memory) {
    free(worker->shared_memory);
    worker->shared_capacity = (launch->shared_bytes + 4095u) & ~(size_t)4095;
    if (!worker->shared_capacity)
      worker->shared_capacity = 4096;
    worker->shared_memory = aligned_alloc(4096, worker->shared_capacity);
    if (!worker->shared_memory) {
      worker->shared_capacity = 0;
      return false;
    }
  }
  worker->block.shared = worker->shared_memory;
  worker->shared_bytes = launch->shared_bytes;
  return true;
}

/*===-- Blocks ---------------------------------------------------------------===*/

static void prepare_threads(emu_worker *worker, const emu_launch *launch) {
  for (uint32_t i = 0; i < launch->thread_count; ++i) {
    tl_emu_thread *thread = &worker->threads[i].base;
    thread->block = &worker->block;
    thread->thread_id[0] = i % launch->block[0];
    thread->thread_id[1] = i / launch->block[0] % launch->block[1];
    thread->thread_id[2] = i / launch->block[0] / launch->block[1];
    thread->linear_id = i;
    worker->order[i] = launch->settings.order == EMU_REVERSE ? launch->thread_count - 1 - i : i;
  }
}

static void begin_block(emu_worker *worker, uint64_t block) {
  const emu_launch *launch = worker->launch;
  if (launch->settings.order == EMU_REVERSE)
    block = launch->block_count - 1 - block;
  worker->block.block_id[0] = (uint32_t)(block % launch->grid[0]);
  worker->block.block_id[1] = (uint32_t)(block / launch->grid[0] % launch->grid[1]);
  worker->block.block_id[2] = (uint32_t)(block / launch->grid[0] / launch->grid[1]);
  /* A NaN in every format: results show that shared memory was read before it was written. */
  memset(worker->block.shared, 0xFF, launch->shared_bytes);
  emu_check_begin_block(worker);
}

static void run_threads_in_turn(emu_worker *worker) {
  const emu_launch *launch = worker->launch;
  if (launch->settings.order == EMU_RANDOM)
    for (uint32_t i = launch->thread_count; i > 1; --i) {
      uint32_t other = next_random(worker) % i, kept = worker->order[i - 1];
      worker->order[i - 1] = worker->order[other];
      worker->order[other] = kept;
    }
  emu_switch(&worker->main_stack,
             emu_prepare_stack(stack_top(worker, worker->stack_count - 1), loop_main));
}

static void run_fibers(emu_worker *worker) {
  const emu_launch *launch = worker->launch;
  for (; worker->prepared < launch->thread_count; ++worker->prepared)
    worker->threads[worker->prepared].stack =
        emu_prepare_stack(stack_top(worker, worker->prepared), fiber_main);
  memset(worker->barriers, 0, sizeof worker->barriers);
  worker->live = launch->thread_count;
  worker->ready_warps = 0;
  worker->warp = 0;
  for (uint32_t i = 0; i * EMU_WARP < launch->thread_count; ++i) {
    emu_warp *warp = &worker->warps[i];
    uint32_t lanes = launch->thread_count - i * EMU_WARP;
    warp->exist = lanes < EMU_WARP ? (1u << lanes) - 1 : ~0u;
    warp->live = warp->exist;
    warp->ready = 0;
    warp->at_barrier = 0;
    warp->group_count = 0;
    emu_make_ready(worker, i, warp->exist);
  }
  emu_thread *first = take_ready(worker);
  worker->current = first;
  emu_switch(&worker->main_stack, first->stack);
  if (!worker->failed && worker->live)
    report_deadlock(worker);
  if (worker->failed)
    worker->prepared = 0; /* fibers have stopped anywhere */
}

static bool prepare(emu_worker *worker, emu_launch *launch) {
  if (worker->failed)
    for (uint32_t i = 0; i < EMU_MAX_THREADS; ++i)
      emu_copies_forget(&worker->threads[i]);
  worker->launch = launch;
  worker->failed = false;
  worker->random = launch->settings.seed * 0x9E3779B97F4A7C15ull | 1;
  memcpy(worker->block.block_size, launch->block, sizeof launch->block);
  memcpy(worker->block.grid_size, launch->grid, sizeof launch->grid);
  memcpy(worker->block.ranges, launch->ranges, sizeof launch->ranges);
  if (launch->settings.races && launch->settings.checks) /* every access is to be looked at */
    memset(worker->block.ranges, 0, sizeof worker->block.ranges);
  prepare_threads(worker, launch);
  return prepare_shared(worker, launch) && prepare_stacks(worker, launch) &&
         emu_check_prepare(worker, launch);
}

void emu_worker_run(emu_worker *worker, emu_launch *launch) {
  emu_worker *outer = current_worker;
  current_worker = worker;
  if (!prepare(worker, launch)) {
    if (!atomic_exchange(&launch->failed, true))
      launch->status = emu_error(&launch->error, TL_OUT_OF_MEMORY,
                                 "emulator: kernel '%s': out of memory", launch->about.name);
  }
  while (!atomic_load_explicit(&launch->failed, memory_order_relaxed)) {
    uint64_t block = atomic_fetch_add(&launch->next_block, 1);
    if (block >= launch->block_count)
      break;
    begin_block(worker, block);
    if (launch->about.has_collectives)
      run_fibers(worker);
    else
      run_threads_in_turn(worker);
  }
  current_worker = outer;
}

const tl_emu_kernel *emu_describe(tl_emulated_kernel kernel) {
  described = NULL;
  kernel(NULL);
  return described;
}

emu_worker *emu_worker_create(void) { return calloc(1, sizeof(emu_worker)); }

void emu_worker_destroy(emu_worker *worker) {
  if (!worker)
    return;
  unmap_stacks(worker);
  for (uint32_t i = 0; i < EMU_MAX_THREADS; ++i)
    emu_copies_destroy(&worker->threads[i]);
  free(worker->shared_memory);
  free(worker->cells);
  free(worker);
}
