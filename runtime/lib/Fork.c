/*===- Fork.c - Forked children go on with the instances -----------------------===*\
|*
|* A child has one thread. Calls that other threads were in the middle of are gone there: the state
|* is as the last finished call has left it, since a new state becomes visible only under the
|* instance's `lock`, which nobody else holds during a fork. Their frames stay unused.
\*===----------------------------------------------------------------------===*/
#include "Internal.h"

static pthread_mutex_t instances_lock = PTHREAD_MUTEX_INITIALIZER;
static tl_instance *instances;
static bool registered;

static void before(void) {
  pthread_mutex_lock(&instances_lock);
  for (tl_instance *it = instances; it; it = it->next)
    pthread_mutex_lock(&it->lock), pthread_mutex_lock(&it->generator_lock);
}

static void inParent(void) {
  for (tl_instance *it = instances; it; it = it->next)
    pthread_mutex_unlock(&it->generator_lock), pthread_mutex_unlock(&it->lock);
  pthread_mutex_unlock(&instances_lock);
}

static void inChild(void) {
  for (tl_instance *it = instances; it; it = it->next) {
    tl_lock_init(&it->state_lock);
    for (int64_t i = 0; it->state && i < it->model->slot_count; ++i)
      it->state[i].pending = false;
  }
  inParent();
  tl_pool_forked();
}

void tl_fork_register(tl_instance *instance) {
  pthread_mutex_lock(&instances_lock);
  if (!registered)
    registered = pthread_atfork(before, inParent, inChild) == 0;
  instance->next = instances;
  instances = instance;
  pthread_mutex_unlock(&instances_lock);
}

void tl_fork_unregister(tl_instance *instance) {
  pthread_mutex_lock(&instances_lock);
  for (tl_instance **at = &instances; *at; at = &(*at)->next)
    if (*at == instance) {
      *at = instance->next;
      break;
    }
  pthread_mutex_unlock(&instances_lock);
}
