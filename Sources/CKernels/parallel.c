// The worker pool of every kernel.
//
// A job is a number of tasks that its workers take one by one. A worker that arrives late, because it slept or another
// program has its core, is not waited for: the job is closed when its tasks are taken, and only workers that have entered
// it are. Workers spin for a moment between jobs, which follow one another within microseconds, then sleep, so that a
// program beside this one gets the core. Whoever waits for a worker sleeps soon too: its free core then takes the worker.
#if defined(__linux__)
#define _GNU_SOURCE
#include <sched.h>
#endif
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "kernels.h"

#define MAX_WORKERS 255
#define SPIN 100000  // nanoseconds

// The state of the pool's job: a count of jobs in the upper half, then whether the job is open, how many workers may still
// enter, and how many have entered.
#define OPEN (1ul << 31)
#define ROOM(n) ((unsigned long)(n) << 12)
#define ENTERED 1ul
#define NEXT_JOB (1ul << 32)
#define JOB(state) ((state) >> 32)
#define ROOM_IN(state) ((state) >> 12 & 0xfff)
#define ENTERED_IN(state) ((state) & 0xfff)

static struct {
  _Atomic unsigned long state;
  _Atomic long next, finished;  // tasks taken, workers done with the job
  long count;
  ck_task task;
  void *context;

  pthread_mutex_t turn;  // held by whoever runs a job
  int workers;
  pthread_mutex_t lock;
  pthread_cond_t opened, closed;
  _Atomic int sleepers, waits;  // workers that wait for a job; whether the job's owner waits for workers
} pool = {.turn = PTHREAD_MUTEX_INITIALIZER,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .opened = PTHREAD_COND_INITIALIZER,
          .closed = PTHREAD_COND_INITIALIZER};

static _Thread_local int inside;   // a task
static _Thread_local int threads;  // of this thread's jobs; 0: one per core

static int cores(void) {
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int)online : 1;
}

void ck_set_threads(int count) { threads = count < 1 ? 1 : count > MAX_WORKERS + 1 ? MAX_WORKERS + 1 : count; }

int ck_threads(void) {
  if (threads == 0) ck_set_threads(cores());
  return threads;
}

static long nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000L + now.tv_nsec;
}

// A breath in a loop that spins; false when it has spun long enough.
static int spin(long *start) {
  for (int i = 0; i < 16; i++) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
  }
  if (*start == 0) *start = nanoseconds();
  return nanoseconds() - *start < SPIN;
}

static void take_tasks(void) {
  inside = 1;
  long index;
  while ((index = atomic_fetch_add_explicit(&pool.next, 1, memory_order_relaxed)) < pool.count)
    pool.task(pool.context, index);
  inside = 0;
}

// ---- workers ----

// Waits for a job after `job` and enters it, or returns 0 when it has closed or is full.
static int enter_next(unsigned long *job) {
  long start = 0;
  while (JOB(atomic_load(&pool.state)) == *job && spin(&start)) {}
  if (JOB(atomic_load(&pool.state)) == *job) {
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.sleepers, 1);
    while (JOB(atomic_load(&pool.state)) == *job) pthread_cond_wait(&pool.opened, &pool.lock);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.lock);
  }
  unsigned long state = atomic_load(&pool.state);
  do {
    *job = JOB(state);
    if (!(state & OPEN) || ROOM_IN(state) == 0) return 0;
  } while (!atomic_compare_exchange_weak(&pool.state, &state, state - ROOM(1) + ENTERED));
  return 1;
}

static void *work(void *first_job) {
  for (unsigned long job = (unsigned long)first_job;;) {
    if (!enter_next(&job)) continue;
    take_tasks();
    atomic_fetch_add(&pool.finished, 1);
    if (atomic_load(&pool.waits)) {
      pthread_mutex_lock(&pool.lock);
      pthread_cond_signal(&pool.closed);
      pthread_mutex_unlock(&pool.lock);
    }
  }
  return NULL;
}

// Signals are for the threads of the program, never for one that computes.
static void hire(int count) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (; pool.workers < count; pool.workers++) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, (void *)JOB(atomic_load(&pool.state)))) break;
    pthread_detach(thread);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

// ---- jobs ----

// Closes the job and waits for the workers in it.
static void finish(void) {
  const long entered = (long)ENTERED_IN(atomic_fetch_and(&pool.state, ~OPEN));
  long start = 0;
  while (atomic_load(&pool.finished) < entered)
    if (!spin(&start)) {
      pthread_mutex_lock(&pool.lock);
      atomic_store(&pool.waits, 1);
      while (atomic_load(&pool.finished) < entered) pthread_cond_wait(&pool.closed, &pool.lock);
      atomic_store(&pool.waits, 0);
      pthread_mutex_unlock(&pool.lock);
    }
}

void ck_parallel(long count, ck_task task, void *context) {
  const int helpers = ck_threads() - 1;
  // Another thread's job has the pool: this one is computed here.
  if (count <= 1 || inside || helpers == 0 || pthread_mutex_trylock(&pool.turn)) {
    for (long index = 0; index < count; index++) task(context, index);
    return;
  }
  if (pool.workers < helpers) hire(helpers);
  pool.count = count, pool.task = task, pool.context = context;
  atomic_store_explicit(&pool.next, 0, memory_order_relaxed);
  atomic_store_explicit(&pool.finished, 0, memory_order_relaxed);
  const unsigned long job = JOB(atomic_load(&pool.state)) + 1;
  atomic_store(&pool.state, job * NEXT_JOB | OPEN | ROOM(helpers < count ? helpers : count - 1));
  if (atomic_load(&pool.sleepers)) {
    pthread_mutex_lock(&pool.lock);
    pthread_cond_broadcast(&pool.opened);
    pthread_mutex_unlock(&pool.lock);
  }
  take_tasks();
  finish();
  pthread_mutex_unlock(&pool.turn);
}

// ---- scratch memory ----

#define SLOTS 5
static _Thread_local struct {
  float *memory;
  long floats;
} slots[SLOTS];

float *ck_scratch(int slot, long floats) {
  if (slots[slot].floats < floats) {
    ck_deallocate(slots[slot].memory);
    slots[slot].memory = ck_allocate(floats * (long)sizeof(float));
    if (!slots[slot].memory) abort();
    slots[slot].floats = floats;
  }
  return slots[slot].memory;
}
