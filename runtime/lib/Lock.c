/*===- Lock.c - Reading and writing an instance's state ----------------------===*\
|*
|* Calls that only read the state run side by side. Nobody waits for ever: readers that come while a
|* writer waits go after it, all that have gathered at once; writers go in the order in which they
|* came, and let the readers that wait go between them.
\*===----------------------------------------------------------------------===*/
#include "Internal.h"

#include <string.h>

void tl_lock_init(tl_lock *lock) {
  memset(lock, 0, sizeof *lock);
  pthread_mutex_init(&lock->mutex, NULL);
  pthread_cond_init(&lock->readers_go, NULL);
  pthread_cond_init(&lock->writer_goes, NULL);
}

void tl_lock_destroy(tl_lock *lock) {
  pthread_cond_destroy(&lock->writer_goes);
  pthread_cond_destroy(&lock->readers_go);
  pthread_mutex_destroy(&lock->mutex);
}

void tl_lock_read(tl_lock *lock) {
  pthread_mutex_lock(&lock->mutex);
  if (lock->next_writer == lock->served_writers) {
    ++lock->readers;
  } else {
    uint64_t batch = lock->batch;
    ++lock->waiting_readers;
    while (lock->batch == batch) /* who lets us go has counted us */
      pthread_cond_wait(&lock->readers_go, &lock->mutex);
  }
  pthread_mutex_unlock(&lock->mutex);
}

void tl_unlock_read(tl_lock *lock) {
  pthread_mutex_lock(&lock->mutex);
  if (--lock->readers == 0 && lock->next_writer != lock->served_writers)
    pthread_cond_broadcast(&lock->writer_goes);
  pthread_mutex_unlock(&lock->mutex);
}

void tl_lock_write(tl_lock *lock) {
  pthread_mutex_lock(&lock->mutex);
  uint64_t place = lock->next_writer++;
  while (lock->served_writers != place || lock->readers)
    pthread_cond_wait(&lock->writer_goes, &lock->mutex);
  pthread_mutex_unlock(&lock->mutex);
}

void tl_unlock_write(tl_lock *lock) {
  pthread_mutex_lock(&lock->mutex);
  ++lock->served_writers;
  if (lock->waiting_readers) {
    lock->readers = lock->waiting_readers;
    lock->waiting_readers = 0;
    ++lock->batch;
    pthread_cond_broadcast(&lock->readers_go);
  } else if (lock->next_writer != lock->served_writers) {
    pthread_cond_broadcast(&lock->writer_goes);
  }
  pthread_mutex_unlock(&lock->mutex);
}
