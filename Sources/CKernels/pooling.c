// Pooling of blocked planes by windows of any size.
#include "lanes.h"

struct pooling {
  const float *x;
  float *y;
  const struct ck_windows *windows;
};

CK_WIDE static void pool_row(void *context, long task) {
  CK_FAST
  const struct pooling *s = context;
  const struct ck_windows *p = s->windows;
  const long plane = task / p->out_height, top = task % p->out_height * p->stride - p->padding;
  const float *x = s->x + plane * p->in_height * p->in_width * CK_BLOCK;
  float *y = s->y + task * p->out_width * CK_BLOCK;
  const long y0 = ck_maximum(0, top), y1 = ck_minimum(p->in_height, top + p->height);
  for (long o = 0; o < p->out_width; o++) {
    const long left = o * p->stride - p->padding;
    const long x0 = ck_maximum(0, left), x1 = ck_minimum(p->in_width, left + p->width);
    ck_lanes value = CK_LOAD(x + (y0 * p->in_width + x0) * CK_BLOCK);
    if (p->average) value = 0;
    for (long i = y0; i < y1; i++)
      for (long j = x0; j < x1; j++) {
        const ck_lanes next = CK_LOAD(x + (i * p->in_width + j) * CK_BLOCK);
        if (p->average)
          value += next;
        else
          value = ((next > value) | (next != next)) ? next : value;
      }
    if (p->average) value /= (float)((y1 - y0) * (x1 - x0));
    CK_STORE(y + o * CK_BLOCK, value);
  }
}

void ck_pool(const struct ck_windows *windows, const float *x, float *y) {
  struct pooling s = {x, y, windows};
  ck_parallel(windows->planes * windows->out_height, pool_row, &s);
}

struct cutting {
  const float *x;
  float *y, low, high;
  long count;
};

CK_WIDE static void cut_chunk(void *context, long chunk) {
  const struct cutting *s = context;
  CK_INDEPENDENT
  for (long i = chunk * 65536; i < ck_minimum(s->count, (chunk + 1) * 65536); i++) {
    const float value = s->x[i] < s->low ? s->low : s->x[i];
    s->y[i] = value > s->high ? s->high : value;
  }
}

void ck_limit(const float *x, float *y, float low, float high, long count) {
  struct cutting s = {x, y, low, high, count};
  ck_parallel(ck_chunks(count, 65536), cut_chunk, &s);
}
