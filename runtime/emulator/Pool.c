/*===- Pool.c - CPU threads -------------------------------------------------------------===*\
|*
|* The threads live as long as any device is open. One launch uses them at a time; one that finds
|* them busy runs on its caller's thread alone.
\*===----------------------------------------------------------------------------===*/
#include "Internal.h"

#include <sched.h>
#include <stdlib.h>

enum { MAX_HELPERS = 63, MAX_IDLE = 64 };

static struct {
  pthread_mutex_t lock;
  pthread_cond_t work, done;
  int references;
  pthread_t helpers[MAX_HELPERS];
  int helper_count;
  bool stopping;
  emu_launch *launch;         /* null: nothing to do */
  uint64_t number;            /* of the launch: helpers see that it is a new one */
  int running;                /* helpers that work on it */
  int wanted;                 /* helpers that should still join it */
  emu_worker *idle[MAX_IDLE]; /* workers of callers */
  int idle_count;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER,
          .work = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER};

static void *help(void *unused) {
  emu_worker *worker = NULL;
  uint64_t seen = 0;
  pthread_mutex_lock(&pool.lock);
  for (;;) {
    while (!pool.stopping && !(pool.launch && pool.number != seen && pool.wanted))
      pthread_cond_wait(&pool.work, &pool.lock);
    if (pool.stopping)
      break;
    seen = pool.number;
    emu_launch *launch = pool.launch;
    --pool.wanted;
    ++pool.running;
    pthread_mutex_unlock(&pool.lock);
    if (!worker)
      worker = emu_worker_create();
    if (worker) /* otherwise others do the work */
      emu_worker_run(worker, launch);
    pthread_mutex_lock(&pool.lock);
    if (!--pool.running)
      pthread_cond_signal(&pool.done);
  }
  pthread_mutex_unlock(&pool.lock);
  emu_worker_destroy(worker);
  return NULL;
}

static int processor_count(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

void emu_pool_retain(void) {
  pthread_mutex_lock(&pool.lock);
  if (!pool.references++) {
    pool.stopping = false;
    int count = processor_count() - 1;
    for (int i = 0; i < count && i < MAX_HELPERS; ++i)
      if (!pthread_create(&pool.helpers[pool.helper_count], NULL, help, NULL))
        ++pool.helper_count;
  }
  pthread_mutex_unlock(&pool.lock);
}

void emu_pool_release(void) {
  pthread_mutex_lock(&pool.lock);
  if (--pool.references) {
    pthread_mutex_unlock(&pool.lock);
    return;
  }
  pool.stopping = true;
  int count = pool.helper_count;
  pthread_t helpers[MAX_HELPERS];
  for (int i = 0; i < count; ++i)
    helpers[i] = pool.helpers[i];
  pool.helper_count = 0;
  int idle = pool.idle_count;
  emu_worker *workers[MAX_IDLE];
  for (int i = 0; i < idle; ++i)
    workers[i] = pool.idle[i];
  pool.idle_count = 0;
  pthread_cond_broadcast(&pool.work);
  pthread_mutex_unlock(&pool.lock);
  for (int i = 0; i < count; ++i)
    pthread_join(helpers[i], NULL);
  for (int i = 0; i < idle; ++i)
    emu_worker_destroy(workers[i]);
}

static emu_worker *take_worker(void) {
  pthread_mutex_lock(&pool.lock);
  emu_worker *worker = pool.idle_count ? pool.idle[--pool.idle_count] : NULL;
  pthread_mutex_unlock(&pool.lock);
  return worker ? worker : emu_worker_create();
}

static void give_worker(emu_worker *worker) {
  pthread_mutex_lock(&pool.lock);
  if (pool.idle_count < MAX_IDLE) {
    pool.idle[pool.idle_count++] = worker;
    worker = NULL;
  }
  pthread_mutex_unlock(&pool.lock);
  emu_worker_destroy(worker);
}

bool emu_pool_run(emu_launch *launch) {
  emu_worker *worker = take_worker();
  if (!worker)
    return false;
  bool shared = false;
  /* Waking a thread takes as long as some thousand threads of a small kernel. */
  if (launch->block_count > 1 && launch->block_count * launch->thread_count > 2048) {
    pthread_mutex_lock(&pool.lock);
    if (!pool.launch && pool.helper_count) {
      shared = true;
      pool.launch = launch;
      ++pool.number;
      pool.wanted = launch->block_count - 1 < (uint64_t)pool.helper_count
                        ? (int)(launch->block_count - 1)
                        : pool.helper_count;
      pthread_cond_broadcast(&pool.work);
    }
    pthread_mutex_unlock(&pool.lock);
  }
  emu_worker_run(worker, launch);
  if (shared) {
    pthread_mutex_lock(&pool.lock);
    pool.wanted = 0;
    while (pool.running)
      pthread_cond_wait(&pool.done, &pool.lock);
    pool.launch = NULL;
    pthread_mutex_unlock(&pool.lock);
  }
  give_worker(worker);
  return true;
}
