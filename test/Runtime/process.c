/* RUN: %cc -fsanitize=thread %s %runtime -o %t && %t
   RUN: %cc -fsanitize=address,undefined -fno-sanitize-recover=all %s %runtime -o %t
   RUN: rm -rf %t.groups && %t %t.groups
   What a process has besides calls: rounding modes, signals, forks, readers and writers, quotas. */
#include "FakeModel.h"

#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* tl_quota_count, whose header is the runtime's own. */
int32_t tl_quota_count(const char *groups, const char *root, int32_t limit);

static tl_instance *instance;
static atomic_int stop, odd_modes, deliveries_elsewhere;
static pthread_t main_thread;

static double seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/*===-- Threads of regions -------------------------------------------------===*/

static void modesBody(void *context, int64_t begin, int64_t end) {
  volatile float tiny = 1e-40f, half = 0.5f;
  for (int64_t i = begin; i < end; ++i) {
    atomic_fetch_add(&odd_modes, fegetround() != FE_TONEAREST || tiny * half == 0);
    usleep(50); /* so that workers join */
  }
  (void)context;
}
static void modesEntry(tl_frame *frame) { tl_rt_parallel_for(frame, modesBody, NULL, 64); }
static const tl_variant modes_variants[] = {
    {modesEntry, 0, NULL, &none_type, NULL, NULL, NULL, 0, 0, 0, 0, -1, -1, NULL, 0}};
static const tl_method modes_methods[] = {{"modes", modes_variants, 1}};
static const tl_model modes_model = {
    &tl_runtime, TL_DESCRIPTOR_VERSION, 0, "modes", "", modes_methods, 1, NULL, 0, 0, NULL};

static void onSignal(int number) {
  (void)number;
  if (!pthread_equal(pthread_self(), main_thread))
    atomic_fetch_add(&deliveries_elsewhere, 1);
}

/* Workers that a caller with another rounding mode starts, and the caller itself, compute with the
   default one; the caller gets its own back. Signals do not reach workers. */
static void testThreads(void) {
  tl_options options = {.threads = 4};
  tl_instance *modes;
  EXPECT(tl_instance_create(&modes_model, &options, &modes, NULL) == TL_OK);
  fesetround(FE_TOWARDZERO);
#ifdef __x86_64__
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040); /* tiny numbers are zero */
#endif
  for (int i = 0; i < 4; ++i)
    EXPECT(tl_call(modes, "modes", NULL, 0, NULL, NULL) == TL_OK);
  EXPECT(fegetround() == FE_TOWARDZERO);
  fesetround(FE_TONEAREST);
#ifdef __x86_64__
  EXPECT((__builtin_ia32_stmxcsr() & 0x8040) == 0x8040);
  __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() & ~0x8040u);
#endif
  EXPECT(atomic_load(&odd_modes) == 0);
  struct sigaction action = {.sa_handler = onSignal};
  sigaction(SIGUSR1, &action, NULL);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &set, NULL); /* whoever does not block it would take it */
  main_thread = pthread_self();
  for (int i = 0; i < 10; ++i) {
    kill(getpid(), SIGUSR1);
    EXPECT(tl_call(modes, "modes", NULL, 0, NULL, NULL) == TL_OK);
  }
  EXPECT(atomic_load(&deliveries_elsewhere) == 0);
  signal(SIGUSR1, SIG_IGN);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  tl_instance_destroy(modes);
}

/*===-- Readers and writers ------------------------------------------------===*/

/* Reads the state for a while, so that with several readers there always is one. */
static void slowEntry(tl_frame *frame) {
  usleep(2000);
  callsEntry(frame);
}
static const tl_variant slow_variants[] = {
    {slowEntry, 0, NULL, &int_type, NULL, calls_slot, NULL, 0, 0, 1, 0, 0, 0, NULL, 0},
    {slowEntry, 0, NULL, &int_type, NULL, calls_slot, NULL, 0, 0, 1, 0, 1, 1, NULL, 0}};
static const tl_method state_methods[] = {
    {"slow", slow_variants, 2}, {"step", step_variants, 2}, {"calls", calls_variants, 2}};
static const tl_model state_model = {
    &tl_runtime, TL_DESCRIPTOR_VERSION, 0, "state", "", state_methods, 3, slots, 2, 2, NULL};

static void *readState(void *context) {
  (void)context;
  while (!atomic_load(&stop)) {
    tl_value result = tl_none();
    EXPECT(tl_call(instance, "slow", NULL, 0, &result, NULL) == TL_OK);
  }
  return NULL;
}

static void writeState(void) {
  float data[] = {1, 2};
  int64_t shape[] = {2};
  DLTensor x = tl_dltensor(data, TL_F32, 1, shape);
  tl_value argument = tl_tensor(&x);
  EXPECT(tl_call(instance, "step", &argument, 1, NULL, NULL) == TL_OK);
}

static void *keepWriting(void *context) {
  (void)context;
  while (!atomic_load(&stop))
    writeState();
  return NULL;
}

/* Many of one kind do not keep one of the other waiting. */
static void testStarvation(void *(*many)(void *), void (*one)(void)) {
  pthread_t threads[6];
  atomic_store(&stop, 0);
  for (int i = 0; i < 6; ++i)
    pthread_create(&threads[i], NULL, many, NULL);
  usleep(50000);
  double worst = 0;
  for (int i = 0; i < 20; ++i) {
    double begin = seconds();
    one();
    double took = seconds() - begin;
    worst = took > worst ? took : worst;
  }
  atomic_store(&stop, 1);
  for (int i = 0; i < 6; ++i)
    pthread_join(threads[i], NULL);
  if (worst > 2)
    fprintf(stderr, "one waited for %g s\n", worst);
  EXPECT(worst <= 2);
}

static void readOnce(void) {
  tl_value result = tl_none();
  EXPECT(tl_call(instance, "calls", NULL, 0, &result, NULL) == TL_OK);
}

/*===-- Forks --------------------------------------------------------------===*/

/* A child of a process whose other threads are reading and writing the state goes on. */
static void testFork(void) {
#if !defined(__has_feature) || !__has_feature(thread_sanitizer)
  pthread_t threads[4];
  atomic_store(&stop, 0);
  for (int i = 0; i < 4; ++i)
    pthread_create(&threads[i], NULL, i % 2 ? readState : keepWriting, NULL);
  for (int i = 0; i < 30; ++i) {
    usleep(500);
    pid_t child = fork();
    if (child == 0) {
      alarm(20);
      for (int k = 0; k < 3; ++k) {
        writeState();
        readOnce();
      }
      EXPECT(tl_instance_reset(instance, NULL) == TL_OK);
      _exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    EXPECT(status == 0);
  }
  atomic_store(&stop, 1);
  for (int i = 0; i < 4; ++i)
    pthread_join(threads[i], NULL);
#endif
}

/*===-- Quotas -------------------------------------------------------------===*/

static void put(const char *root, const char *name, const char *text) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", root, name);
  for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')); ++at) {
    *at = 0;
    mkdir(path, 0777);
    *at = '/';
  }
  FILE *file = fopen(path, "w");
  EXPECT(file);
  fputs(text, file);
  fclose(file);
}

static void testQuota(const char *root) {
  char groups[4096];
  mkdir(root, 0777);
  snprintf(groups, sizeof groups, "%s/self", root);
  EXPECT(tl_quota_count(groups, root, 64) == 64); /* no groups */
  /* Version 2: the group's and those of what it lies in. */
  put(root, "self", "0::/a/b\n");
  EXPECT(tl_quota_count(groups, root, 64) == 64);
  put(root, "a/b/cpu.max", "max 100000\n");
  EXPECT(tl_quota_count(groups, root, 64) == 64);
  put(root, "a/b/cpu.max", "250000 100000\n");
  EXPECT(tl_quota_count(groups, root, 64) == 3 && tl_quota_count(groups, root, 2) == 2);
  put(root, "a/cpu.max", "150000 100000\n");
  EXPECT(tl_quota_count(groups, root, 64) == 2);
  put(root, "self", "0::/elsewhere/outside\n"); /* a container that sees its own group only */
  EXPECT(tl_quota_count(groups, root, 64) == 64);
  put(root, "cpu.max", "10000 100000\n");
  EXPECT(tl_quota_count(groups, root, 64) == 1);
  /* Version 1. */
  put(root, "cpu.max", "max 100000\n");
  put(root, "self", "5:memory:/a\n4:cpu,cpuacct:/docker/x\n1:cpuset:/\n");
  put(root, "cpu,cpuacct/docker/x/cpu.cfs_quota_us", "-1\n");
  put(root, "cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000\n");
  EXPECT(tl_quota_count(groups, root, 64) == 64);
  put(root, "cpu,cpuacct/docker/x/cpu.cfs_quota_us", "400000\n");
  EXPECT(tl_quota_count(groups, root, 64) == 4);
}

int main(int argc, char **argv) {
  tl_options options = {.threads = 2};
  testThreads();
  EXPECT(tl_instance_create(&state_model, &options, &instance, NULL) == TL_OK);
  testStarvation(readState, writeState);
  testStarvation(keepWriting, readOnce);
  testFork();
  tl_instance_destroy(instance);
  if (argc > 1)
    testQuota(argv[1]);
  return 0;
}
