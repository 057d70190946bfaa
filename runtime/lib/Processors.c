/*===- Processors.c - How many threads are worth having -----------------------===*\
|*
|* As many as there are processors that the process may run on, and no more than its control groups
|* let it use: a container that is given two processors' time of 64 would be stopped for most of
|* every period with 64 threads.
\*===----------------------------------------------------------------------===*/
#include "Internal.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 4096

/* Reads one short file; false where it is not there. */
static bool readFile(const char *path, char *text, size_t size) {
  FILE *file = fopen(path, "re");
  if (!file)
    return false;
  size_t length = fread(text, 1, size - 1, file);
  fclose(file);
  text[length] = 0;
  return length > 0;
}

static int32_t fewer(int32_t a, int64_t quota, int64_t period) {
  if (quota <= 0 || period <= 0)
    return a;
  int64_t count = quota / period + (quota % period != 0);
  return count < a ? (int32_t)count : a;
}

/* The quota that one group has, in the form of version 2 or 1. */
static int32_t quotaOf(const char *folder, int32_t limit) {
  char path[PATH_SIZE + 32], text[128];
  long long quota, period;
  snprintf(path, sizeof path, "%s/cpu.max", folder);
  if (readFile(path, text, sizeof text) && sscanf(text, "%lld %lld", &quota, &period) == 2)
    return fewer(limit, quota, period);
  snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
  if (!readFile(path, text, sizeof text) || sscanf(text, "%lld", &quota) != 1)
    return limit;
  snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
  if (!readFile(path, text, sizeof text) || sscanf(text, "%lld", &period) != 1)
    return limit;
  return fewer(limit, quota, period);
}

/* A group and all that it lies in: each has a quota of its own. What a container sees is its own
   group, whatever the path outside says: then the last one, the root, counts. */
static int32_t walkUp(const char *root, const char *controller, const char *group, int32_t limit) {
  char folder[PATH_SIZE];
  size_t base = (size_t)snprintf(folder, sizeof folder, "%s%s", root, controller);
  if (base >= sizeof folder ||
      (size_t)snprintf(folder + base, sizeof folder - base, "%s", group) >= sizeof folder - base)
    return limit;
  for (;;) {
    limit = quotaOf(folder, limit);
    char *slash = strrchr(folder + base, '/');
    if (!slash)
      return limit;
    *slash = 0;
  }
}

static bool hasController(const char *list, const char *name) {
  size_t length = strlen(name);
  for (; *list; list += strcspn(list, ",") + (list[strcspn(list, ",")] == ','))
    if (strncmp(list, name, length) == 0 && (list[length] == ',' || !list[length]))
      return true;
  return false;
}

int32_t tl_quota_count(const char *groups, const char *root, int32_t limit) {
  FILE *file = fopen(groups, "re");
  char line[PATH_SIZE], controller[256];
  while (file && fgets(line, sizeof line, file)) { /* 4:cpu,cpuacct:/path, or 0::/path */
    line[strcspn(line, "\n")] = 0;
    char *list = strchr(line, ':');
    char *group = list ? strchr(list + 1, ':') : NULL;
    if (!group)
      continue;
    *group++ = 0;
    ++list;
    if (!*list) {
      limit = walkUp(root, "", group, limit);
      limit = walkUp(root, "/unified", group, limit);
    } else if (hasController(list, "cpu")) {
      snprintf(controller, sizeof controller, "/%s", list);
      limit = walkUp(root, controller, group, limit);
      limit = walkUp(root, "/cpu", group, limit);
    }
  }
  if (file)
    fclose(file);
  return limit < 1 ? 1 : limit;
}

/* The processors that the process may run on. */
static int32_t affinity(void) {
#ifdef __linux__
  for (int processors = 1024; processors <= 1 << 20; processors *= 4) {
    cpu_set_t *set = CPU_ALLOC((size_t)processors);
    size_t size = CPU_ALLOC_SIZE((size_t)processors);
    int count = set && sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (count)
      return count;
  }
#endif
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? (int32_t)count : 1;
}

int32_t tl_processor_count(void) {
  int32_t count = affinity();
#ifdef __linux__
  if (count > 1)
    count = tl_quota_count("/proc/self/cgroup", "/sys/fs/cgroup", count);
#endif
  return count;
}
