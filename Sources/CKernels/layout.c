// Changes of layout: plain, blocked and rows; weights; pixels.
#include <string.h>

#include "kernels.h"
#include "transpose.h"

#define CHUNK 65536L  // floats of a task, 256 KiB

// Any of the conversions; `n` images of `c` channels and `hw` pixels, a task is `span` pixels of one image.
struct conversion {
  const float *from;
  float *to;
  long n, c, hw, span;
};

// Cuts every image (or plane, of `channels` channels) into tasks of about CHUNK floats, whole tiles each.
static void run(ck_task task, struct conversion s, long items, long channels) {
  s.span = ck_maximum(CHUNK / channels / CK_BLOCK, 1) * CK_BLOCK;
  ck_parallel(items * ck_chunks(s.hw, s.span), task, &s);
}

// The part of an item that a task converts: pixels first ..< end.
struct span {
  long item, first, end;
};

static struct span span_of(const struct conversion *s, long task) {
  const long spans = ck_chunks(s->hw, s->span), first = task % spans * s->span;
  return (struct span){task / spans, first, ck_minimum(s->hw, first + s->span)};
}

// ---- plain and blocked ----

CK_WIDE static void plain_to_blocked(void *context, long task) {
  const struct conversion *s = context;
  const struct span span = span_of(s, task);
  const long blocks = ck_chunks(s->c, CK_BLOCK), image = span.item / blocks, block = span.item % blocks;
  const long channels = ck_minimum(CK_BLOCK, s->c - block * CK_BLOCK);
  const float *from = s->from + (image * s->c + block * CK_BLOCK) * s->hw;
  float *to = s->to + span.item * s->hw * CK_BLOCK;
  for (long p = span.first; p < span.end; p += CK_BLOCK)
    ck_transpose_tile(from + p, s->hw, channels, ck_minimum(CK_BLOCK, span.end - p), to + p * CK_BLOCK,
                      CK_BLOCK, CK_BLOCK);
}

void ck_plain_to_blocked(const float *plain, float *blocked, long n, long c, long hw) {
  run(plain_to_blocked, (struct conversion){plain, blocked, n, c, hw, 0}, n * ck_chunks(c, CK_BLOCK), CK_BLOCK);
}

CK_WIDE static void blocked_to_plain(void *context, long task) {
  const struct conversion *s = context;
  const struct span span = span_of(s, task);
  const long blocks = ck_chunks(s->c, CK_BLOCK), image = span.item / blocks, block = span.item % blocks;
  const long channels = ck_minimum(CK_BLOCK, s->c - block * CK_BLOCK);
  const float *from = s->from + span.item * s->hw * CK_BLOCK;
  float *to = s->to + (image * s->c + block * CK_BLOCK) * s->hw;
  for (long p = span.first; p < span.end; p += CK_BLOCK) {
    const long pixels = ck_minimum(CK_BLOCK, span.end - p);
    ck_transpose_tile(from + p * CK_BLOCK, CK_BLOCK, pixels, channels, to + p, s->hw, pixels);
  }
}

void ck_blocked_to_plain(const float *blocked, float *plain, long n, long c, long hw) {
  run(blocked_to_plain, (struct conversion){blocked, plain, n, c, hw, 0}, n * ck_chunks(c, CK_BLOCK), CK_BLOCK);
}

// ---- rows and blocked: tiles of 16 pixels, so that each block is read in runs of 1 KiB ----

CK_WIDE static void blocked_to_rows(void *context, long task) {
  const struct conversion *s = context;
  const struct span span = span_of(s, task);
  const long whole = s->c / CK_BLOCK, rest = s->c % CK_BLOCK, blocks = ck_chunks(s->c, CK_BLOCK);
  const float *from = s->from + span.item * blocks * s->hw * CK_BLOCK;
  float *to = s->to + span.item * s->hw * s->c;
  for (long tile = span.first; tile < span.end; tile += CK_BLOCK) {
    const long end = ck_minimum(span.end, tile + CK_BLOCK);
    for (long block = 0; block < whole; block++)
      for (long p = tile; p < end; p++)
        CK_STORE(to + p * s->c + block * CK_BLOCK, CK_LOAD(from + (block * s->hw + p) * CK_BLOCK));
    if (rest)
      for (long p = tile; p < end; p++)
        for (long i = 0; i < rest; i++)
          to[p * s->c + whole * CK_BLOCK + i] = from[(whole * s->hw + p) * CK_BLOCK + i];
  }
}

void ck_blocked_to_rows(const float *blocked, float *rows, long n, long c, long hw) {
  run(blocked_to_rows, (struct conversion){blocked, rows, n, c, hw, 0}, n, c);
}

CK_WIDE static void rows_to_blocked(void *context, long task) {
  const struct conversion *s = context;
  const struct span span = span_of(s, task);
  const long whole = s->c / CK_BLOCK, rest = s->c % CK_BLOCK, blocks = ck_chunks(s->c, CK_BLOCK);
  const float *from = s->from + span.item * s->hw * s->c;
  float *to = s->to + span.item * blocks * s->hw * CK_BLOCK;
  for (long tile = span.first; tile < span.end; tile += CK_BLOCK) {
    const long end = ck_minimum(span.end, tile + CK_BLOCK);
    for (long block = 0; block < whole; block++)
      for (long p = tile; p < end; p++)
        CK_STORE(to + (block * s->hw + p) * CK_BLOCK, CK_LOAD(from + p * s->c + block * CK_BLOCK));
    if (rest)
      for (long p = tile; p < end; p++)
        for (long i = 0; i < CK_BLOCK; i++)
          to[(whole * s->hw + p) * CK_BLOCK + i] = i < rest ? from[p * s->c + whole * CK_BLOCK + i] : 0;
  }
}

void ck_rows_to_blocked(const float *rows, float *blocked, long n, long c, long hw) {
  run(rows_to_blocked, (struct conversion){rows, blocked, n, c, hw, 0}, n, c);
}

// ---- transposition ----

struct transposition {
  const float *x;
  float *y;
  long a, b, span;
};

// Rows span * r ..< span * (r + 1) of one matrix.
CK_WIDE static void transpose(void *context, long task) {
  const struct transposition *s = context;
  const long spans = ck_chunks(s->a, s->span), first = task % spans * s->span;
  const long end = ck_minimum(s->a, first + s->span), offset = task / spans * s->a * s->b;
  for (long j = 0; j < s->b; j += CK_BLOCK)
    for (long i = first; i < end; i += CK_BLOCK) {
      const long rows = ck_minimum(CK_BLOCK, end - i), columns = ck_minimum(CK_BLOCK, s->b - j);
      ck_transpose_tile(s->x + offset + i * s->b + j, s->b, rows, columns, s->y + offset + j * s->a + i, s->a,
                        rows);
    }
}

void ck_transpose(const float *x, float *y, long batch, long a, long b) {
  if (a == 0 || b == 0) return;
  struct transposition s = {x, y, a, b, ck_maximum(CHUNK / b / CK_BLOCK, 1) * CK_BLOCK};
  ck_parallel(batch * ck_chunks(a, s.span), transpose, &s);
}

// ---- convolution weights ----

struct weights {
  const float *from;
  float *to;
  long o, i, kernel;
};

// One block of 16 outputs x 16 inputs: columns input * kernel + tap of the 16 rows become rows [tap][input].
CK_WIDE static void weights_to_blocked(void *context, long task) {
  const struct weights *s = context;
  const long blocks = ck_chunks(s->i, CK_BLOCK);
  const long first_o = task / blocks * CK_BLOCK, first_i = task % blocks * CK_BLOCK;
  const long outputs = ck_minimum(CK_BLOCK, s->o - first_o), inputs = ck_minimum(CK_BLOCK, s->i - first_i);
  const float *from = s->from + (first_o * s->i + first_i) * s->kernel;
  float *to = s->to + task * s->kernel * CK_BLOCK * CK_BLOCK;
  if (inputs < CK_BLOCK) memset(to, 0, (size_t)(s->kernel * CK_BLOCK * CK_BLOCK) * sizeof(float));
  float tile[CK_BLOCK * CK_BLOCK];
  for (long first = 0; first < inputs * s->kernel; first += CK_BLOCK) {
    const long columns = ck_minimum(CK_BLOCK, inputs * s->kernel - first);
    ck_transpose_tile(from + first, s->i * s->kernel, outputs, columns, tile, CK_BLOCK, CK_BLOCK);
    for (long j = 0; j < columns; j++) {
      const long input = (first + j) / s->kernel, tap = (first + j) % s->kernel;
      CK_STORE(to + (tap * CK_BLOCK + input) * CK_BLOCK, CK_LOAD(tile + j * CK_BLOCK));
    }
  }
}

void ck_weights_to_blocked(const float *oihw, float *blocked, long o, long i, long kernel) {
  struct weights s = {oihw, blocked, o, i, kernel};
  ck_parallel(ck_chunks(o, CK_BLOCK) * ck_chunks(i, CK_BLOCK), weights_to_blocked, &s);
}

CK_WIDE static void weights_to_plain(void *context, long task) {
  const struct weights *s = context;
  const long blocks = ck_chunks(s->i, CK_BLOCK);
  const long first_o = task / blocks * CK_BLOCK, first_i = task % blocks * CK_BLOCK;
  const long outputs = ck_minimum(CK_BLOCK, s->o - first_o), inputs = ck_minimum(CK_BLOCK, s->i - first_i);
  const float *from = s->from + task * s->kernel * CK_BLOCK * CK_BLOCK;
  float *to = s->to + (first_o * s->i + first_i) * s->kernel;
  float tile[CK_BLOCK * CK_BLOCK];
  for (long first = 0; first < inputs * s->kernel; first += CK_BLOCK) {
    const long columns = ck_minimum(CK_BLOCK, inputs * s->kernel - first);
    for (long j = 0; j < columns; j++) {
      const long input = (first + j) / s->kernel, tap = (first + j) % s->kernel;
      CK_STORE(tile + j * CK_BLOCK, CK_LOAD(from + (tap * CK_BLOCK + input) * CK_BLOCK));
    }
    ck_transpose_tile(tile, CK_BLOCK, columns, outputs, to + first, s->i * s->kernel, columns);
  }
}

void ck_weights_to_plain(const float *blocked, float *oihw, long o, long i, long kernel) {
  struct weights s = {blocked, oihw, o, i, kernel};
  ck_parallel(ck_chunks(o, CK_BLOCK) * ck_chunks(i, CK_BLOCK), weights_to_plain, &s);
}
