// The worker pool of every kernel: libgomp's team, the same one that oneDNN uses, entered without OpenMP pragmas
// (two pools spinning on the same cores would halve each other's speed).
#include <stdatomic.h>
#include <stdlib.h>

#include "kernels.h"

// Stable entry points of libgomp and of the OpenMP runtime library.
extern void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
extern void omp_set_num_threads(int count);
extern int omp_get_max_threads(void);
extern int omp_in_parallel(void);

void ck_set_threads(int count) { omp_set_num_threads(count); }
int ck_threads(void) { return omp_get_max_threads(); }

struct job {
  _Atomic long next;
  long count;
  ck_task task;
  void *context;
};

static void work(void *data) {
  struct job *job = data;
  long index;
  while ((index = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed)) < job->count)
    job->task(job->context, index);
}

void ck_parallel(long count, ck_task task, void *context) {
  if (count == 1 || omp_in_parallel()) {
    for (long index = 0; index < count; index++) task(context, index);
    return;
  }
  if (count <= 0) return;
  struct job job = {0, count, task, context};
  GOMP_parallel(work, &job, 0, 0);
}

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
