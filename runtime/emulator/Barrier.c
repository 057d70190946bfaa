/*===- Barrier.c - Barriers of a block and of a warp -----------------------------------------===*/
#include "Internal.h"

#include <stdio.h>

static const char *const names[EMU_BARRIERS] = {
    "bar.sync 0",  "bar.sync 1",  "bar.sync 2",  "bar.sync 3", "bar.sync 4",  "bar.sync 5",
    "bar.sync 6",  "bar.sync 7",  "bar.sync 8",  "bar.sync 9", "bar.sync 10", "bar.sync 11",
    "bar.sync 12", "bar.sync 13", "bar.sync 14", "bar.sync 15"};

/* The last thread has come: all go on. */
static void pass(emu_worker *worker, emu_barrier *barrier, emu_thread *self) {
  barrier->result[0] = barrier->sum;
  barrier->result[1] = barrier->all;
  barrier->result[2] = barrier->any;
  barrier->arrived = 0;
  emu_check_block_barrier(worker);
  uint32_t own = self->base.linear_id / EMU_WARP;
  for (uint32_t i = 0; i * EMU_WARP < worker->launch->thread_count; ++i) {
    emu_warp *warp = &worker->warps[i];
    uint32_t lanes = warp->at_barrier;
    warp->at_barrier = 0;
    if (i == own)
      lanes &= ~(1u << (self->base.linear_id % EMU_WARP));
    emu_make_ready(worker, i, lanes);
  }
}

uint32_t tl_emu_barrier_reduce(tl_emu_thread *base, uint32_t id, uint32_t site, uint32_t kind,
                               uint32_t predicate) {
  emu_worker *worker = emu_worker_of(base);
  emu_thread *thread = (emu_thread *)base;
  emu_warp *warp = emu_warp_of(worker, base);
  if (emu_leaves_out(base, site))
    return predicate;
  if (id >= EMU_BARRIERS)
    emu_fail(base, "bar.sync %u: there are %d barriers", id, EMU_BARRIERS);
  if (worker->live != worker->launch->thread_count)
    emu_fail(base, "bar.sync %u, but %u threads of the block have left the kernel", id,
             worker->launch->thread_count - worker->live);
  if (warp->at_barrier && warp->barrier_site != site)
    emu_fail(base, "diverged: bar.sync %u, while the lanes 0x%08x wait at another barrier", id,
             warp->at_barrier);
  emu_barrier *barrier = &worker->barriers[id];
  if (!barrier->arrived++) {
    barrier->sum = barrier->any = 0;
    barrier->all = 1;
  }
  barrier->sum += predicate != 0;
  barrier->any |= predicate != 0;
  barrier->all &= predicate != 0;
  warp->barrier_site = site;
  warp->at_barrier |= 1u << (base->linear_id % EMU_WARP);
  if (barrier->arrived == worker->live)
    pass(worker, barrier, thread);
  else
    emu_wait(worker, thread, names[id]);
  return barrier->result[kind];
}

void tl_emu_barrier(tl_emu_thread *thread, uint32_t id, uint32_t site) {
  tl_emu_barrier_reduce(thread, id, site, 0, 0);
}

static void synchronize(emu_worker *worker, emu_thread *warp, uint32_t lanes) {
  emu_warp *it = emu_warp_of(worker, &warp->base);
  /* Among some lanes only, Check.c takes accesses for unordered. */
  if (lanes == it->live)
    emu_check_warp_barrier(worker, it);
}
static const emu_operation warp_barrier = {"bar.warp.sync", synchronize};

void tl_emu_warp_barrier(tl_emu_thread *thread, uint32_t site, uint32_t mask) {
  if (!emu_leaves_out(thread, site))
    emu_meet(thread, &warp_barrier, site, mask, NULL);
}
