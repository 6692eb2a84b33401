// Aligned memory, copies and fills.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "kernels.h"
#include "wide.h"

#define LINE 64L
#define HUGE_PAGE (2L << 20)
#define CHUNK 65536L  // floats, 256 KiB

#if defined(__GLIBC__)
// Large buffers go back to the system when they are freed: left alone, the C library raises the size from which they do with
// every one of them.
__attribute__((constructor)) static void return_large_buffers(void) { mallopt(M_MMAP_THRESHOLD, HUGE_PAGE); }
#endif

void *ck_allocate(long bytes) {
  if (bytes < 0) return NULL;
  const long alignment = bytes < HUGE_PAGE ? LINE : HUGE_PAGE;
  const long rounded = ck_chunks(ck_maximum(bytes, 1), LINE) * LINE;
  void *memory;
  if (posix_memalign(&memory, (size_t)alignment, (size_t)rounded)) return NULL;
#ifdef MADV_HUGEPAGE
  // Without huge pages the first touch of 32 MiB costs 13 ms. Only advice: a refusal changes nothing. The end that fills no
  // huge page has small ones.
  if (alignment == HUGE_PAGE) madvise(memory, (size_t)(rounded / HUGE_PAGE * HUGE_PAGE), MADV_HUGEPAGE);
#endif
  return memory;
}

void ck_deallocate(void *memory) { free(memory); }

struct copy {
  const float *from;
  float *to;
  long count;
};

static void copy_chunk(void *context, long chunk) {
  const struct copy *s = context;
  const long first = chunk * CHUNK;
  const size_t bytes = (size_t)ck_minimum(CHUNK, s->count - first) * sizeof(float);
  memcpy(s->to + first, s->from + first, bytes);
}

void ck_copy(const float *from, float *to, long count) {
  struct copy copy = {from, to, count};
  ck_parallel(ck_chunks(count, CHUNK), copy_chunk, &copy);
}

struct fill {
  float *to;
  float value;
  long count;
};

CK_WIDE static void fill_chunk(void *context, long chunk) {
  const struct fill *s = context;
  const long end = ck_minimum(s->count, (chunk + 1) * CHUNK);
  for (long i = chunk * CHUNK; i < end; i++) s->to[i] = s->value;
}

void ck_fill(float *to, float value, long count) {
  struct fill fill = {to, value, count};
  ck_parallel(ck_chunks(count, CHUNK), fill_chunk, &fill);
}
