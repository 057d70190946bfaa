/*===- Parallel.c - The threads of parallel regions ---------------------------===*\
|*
|* One team of threads for all instances of a library. A region is opened by the thread that runs
the
|* call; workers join it while it is open, so one that sleeps too deep to come in time costs
|* nothing. All take chunks from one counter. The opener closes the region when nothing is left and
|* waits for those that have joined. Workers spin for some microseconds after a region, since the
|* next one mostly follows at once, and then sleep on a futex. Where the team is busy with another
|* call, or a region is opened inside a region, the caller runs the whole range itself.
\*===----------------------------------------------------------------------===*/
#include "Internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORKERS 255
#define SPIN_NANOSECONDS 40000

/* A body that a thread runs: what tl_rt_raise needs to leave it. */
typedef struct participant {
  _Atomic(pthread_t) thread;
  jmp_buf environment;
} participant;

typedef struct tl_region {
  void (*body)(void *, int64_t, int64_t);
  void *context;
  int64_t n, chunk;
  atomic_llong next;
  tl_call_frame *frame;
  atomic_bool failed; /* the frame's status and message are set */
  participant participants[MAX_WORKERS + 1];
} tl_region;

static struct {
  pthread_mutex_t lock; /* guards the members up to `threads` */
  int32_t users;
  atomic_int wanted, count; /* workers; also read without the lock */
  pthread_t threads[MAX_WORKERS];
  pthread_mutex_t busy;   /* held while a region is open */
  atomic_uint generation; /* rises when a region opens; workers sleep on it */
  atomic_int sleepers;
  atomic_bool stop;
  /* The region that may be joined: sequence << 32 | closed << 31 | limit << 16 | joined. */
  atomic_ullong entry;
  atomic_uint finished; /* workers that have left the region */
  atomic_int waiting;   /* the opener sleeps on `finished` */
  tl_region region;
} pool = {
    .lock = PTHREAD_MUTEX_INITIALIZER, .busy = PTHREAD_MUTEX_INITIALIZER, .entry = 1ull << 31};

#define CLOSED (1ull << 31)

/*===-- Waiting ------------------------------------------------------------===*/

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
static void sleepOn(atomic_uint *word, unsigned value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}
static void wake(atomic_uint *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 0x7fffffff, NULL, NULL, 0);
}
#else
static pthread_mutex_t sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sleep_condition = PTHREAD_COND_INITIALIZER;
static void sleepOn(atomic_uint *word, unsigned value) {
  pthread_mutex_lock(&sleep_lock);
  while (atomic_load(word) == value)
    pthread_cond_wait(&sleep_condition, &sleep_lock);
  pthread_mutex_unlock(&sleep_lock);
}
static void wake(atomic_uint *word) {
  (void)word;
  pthread_mutex_lock(&sleep_lock);
  pthread_cond_broadcast(&sleep_condition);
  pthread_mutex_unlock(&sleep_lock);
}
#endif

static void pause_(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ll + time.tv_nsec;
}

/* Spins until the word differs from `value`; false when that takes too long. */
static bool spinWhile(atomic_uint *word, unsigned value) {
  int64_t end = 0;
  for (int i = 0;; ++i) {
    if (atomic_load_explicit(word, memory_order_acquire) != value)
      return true;
    pause_();
    if (i % 32 == 31) {
      int64_t time = now();
      if (!end)
        end = time + SPIN_NANOSECONDS;
      else if (time > end)
        return false;
    }
  }
}

/*===-- Running a region ---------------------------------------------------===*/

/* Takes chunks until none is left. An error in the body comes back here through longjmp. */
static void work(tl_region *region, unsigned index) {
  participant *self = &region->participants[index];
  atomic_store_explicit(&self->thread, pthread_self(), memory_order_relaxed);
  if (_setjmp(self->environment)) {
    atomic_store(&region->next, region->n);
    return;
  }
  for (;;) {
    int64_t begin = atomic_fetch_add_explicit(&region->next, region->chunk, memory_order_relaxed);
    if (begin >= region->n)
      return;
    int64_t end = region->n - begin < region->chunk ? region->n : begin + region->chunk;
    region->body(region->context, begin, end);
  }
}

void tl_region_leave(tl_region *region) {
  pthread_t self = pthread_self();
  for (int i = 0; i <= MAX_WORKERS; ++i)
    if (pthread_equal(atomic_load(&region->participants[i].thread), self))
      _longjmp(region->participants[i].environment, 1);
  abort(); /* tl_rt_raise from a thread that is not in the region: compiled code never does */
}

/* Joins the region of the given generation; 0 where it is closed or full, else the place. */
static unsigned join(unsigned generation) {
  unsigned long long entry = atomic_load_explicit(&pool.entry, memory_order_acquire);
  for (;;) {
    unsigned joined = entry & 0xffff, limit = entry >> 16 & 0x7fff;
    if ((unsigned)(entry >> 32) != generation || entry & CLOSED || joined >= limit)
      return 0;
    if (atomic_compare_exchange_weak_explicit(&pool.entry, &entry, entry + 1, memory_order_acq_rel,
                                              memory_order_acquire))
      return joined + 1;
  }
}

static void *worker(void *unused) {
  (void)unused;
  tl_float_default(); /* threads inherit the environment of the one that starts them */
  unsigned seen = atomic_load_explicit(&pool.generation, memory_order_acquire);
  /* A region may have opened before this thread came: look once without waiting. */
  for (;;) {
    unsigned place = join(seen);
    if (place) {
      work(&pool.region, place);
      atomic_fetch_add_explicit(&pool.finished, 1, memory_order_release);
      atomic_thread_fence(memory_order_seq_cst);
      if (atomic_load(&pool.waiting))
        wake(&pool.finished);
    }
    if (!spinWhile(&pool.generation, seen)) {
      atomic_fetch_add(&pool.sleepers, 1);
      while (atomic_load(&pool.generation) == seen && !atomic_load(&pool.stop))
        sleepOn(&pool.generation, seen);
      atomic_fetch_sub(&pool.sleepers, 1);
    }
    if (atomic_load(&pool.stop))
      return NULL;
    seen = atomic_load_explicit(&pool.generation, memory_order_acquire);
  }
}

/*===-- The team -----------------------------------------------------------===*/

/* In a forked child there are no workers, and locks may be held by threads that are gone. */
void tl_pool_forked(void) {
  pthread_mutex_init(&pool.lock, NULL);
  pthread_mutex_init(&pool.busy, NULL);
  pool.count = 0;
  atomic_store(&pool.stop, false);
  atomic_store(&pool.sleepers, 0);
  atomic_store(&pool.waiting, 0);
  atomic_fetch_or(&pool.entry, CLOSED);
}

void tl_pool_retain(int32_t threads) {
  pthread_mutex_lock(&pool.lock);
  ++pool.users;
  if (threads - 1 > pool.wanted)
    pool.wanted = threads - 1 < MAX_WORKERS ? threads - 1 : MAX_WORKERS;
  pthread_mutex_unlock(&pool.lock);
}

void tl_pool_release(void) {
  pthread_mutex_lock(&pool.lock);
  if (--pool.users == 0) {
    /* The library may be unloaded next, so no thread may stay in its code. */
    atomic_store(&pool.stop, true);
    atomic_fetch_add(&pool.generation, 1);
    wake(&pool.generation);
    for (int32_t i = 0; i < pool.count; ++i)
      pthread_join(pool.threads[i], NULL);
    pool.count = pool.wanted = 0;
    atomic_store(&pool.stop, false);
  }
  pthread_mutex_unlock(&pool.lock);
}

/* Starts the workers that are wanted and not there. Fewer serve as well. Signals are for the
   program's own threads; only those that a fault of a worker's own raises are let through. */
static void start(void) {
  static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
  sigset_t blocked, before;
  sigfillset(&blocked);
  for (size_t i = 0; i < sizeof faults / sizeof *faults; ++i)
    sigdelset(&blocked, faults[i]);
  pthread_mutex_lock(&pool.lock);
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  while (pool.count < pool.wanted &&
         pthread_create(&pool.threads[pool.count], NULL, worker, NULL) == 0)
    ++pool.count;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pool.wanted = pool.count;
  pthread_mutex_unlock(&pool.lock);
}

void tl_rt_parallel_for(tl_frame *it, void (*body)(void *, int64_t, int64_t), void *context,
                        int64_t n) {
  tl_call_frame *frame = it->runtime;
  int64_t limit = frame->instance->threads < n ? frame->instance->threads : n;
  if (n <= 0)
    return;
  if (limit <= 1 || frame->region || pthread_mutex_trylock(&pool.busy)) {
    body(context, 0, n);
    return;
  }
  if (pool.count < pool.wanted)
    start();
  if (limit > MAX_WORKERS + 1)
    limit = MAX_WORKERS + 1;
  tl_region *region = &pool.region;
  region->body = body;
  region->context = context;
  region->n = n;
  region->chunk = n / (limit * 8) > 0 ? n / (limit * 8) : 1;
  region->frame = frame;
  atomic_store_explicit(&region->next, 0, memory_order_relaxed);
  atomic_store_explicit(&region->failed, false, memory_order_relaxed);
  atomic_store_explicit(&pool.finished, 0, memory_order_relaxed);
  frame->region = region;
  unsigned generation = atomic_load_explicit(&pool.generation, memory_order_relaxed) + 1;
  atomic_store_explicit(
      &pool.entry, (unsigned long long)generation << 32 | (unsigned long long)(limit - 1) << 16,
      memory_order_release);
  atomic_store(&pool.generation, generation);
  if (atomic_load(&pool.sleepers))
    wake(&pool.generation);

  work(region, 0);

  unsigned joined = atomic_fetch_or(&pool.entry, CLOSED) & 0xffff;
  for (;;) {
    unsigned finished = atomic_load_explicit(&pool.finished, memory_order_acquire);
    if (finished == joined)
      break;
    if (!spinWhile(&pool.finished, finished)) {
      atomic_store(&pool.waiting, 1);
      atomic_thread_fence(memory_order_seq_cst);
      finished = atomic_load(&pool.finished);
      if (finished != joined)
        sleepOn(&pool.finished, finished);
      atomic_store(&pool.waiting, 0);
    }
  }
  bool failed = atomic_load(&region->failed);
  frame->region = NULL;
  pthread_mutex_unlock(&pool.busy);
  if (failed)
    tl_frame_leave(frame);
}

bool tl_region_fail(tl_region *region) { return !atomic_exchange(&region->failed, true); }
