// Arithmetic on whole arrays, cut into chunks of 128 KiB.
#include "kernels.h"
#include "wide.h"

#define CHUNK 32768

// One call: the arrays and factors that its formula uses.
struct arrays {
  const float *a, *b;
  float *y;
  float alpha, beta;
  long count;
};

// Defines the task `name` that sets s->y[i] to the formula, in terms of s and i, for one chunk.
#define ELEMENTWISE(name, formula)                                             \
  CK_WIDE static void name(void *context, long chunk) {                        \
    CK_FAST                                                                    \
    const struct arrays *s = context;                                          \
    const float *a = s->a, *b = s->b;                                          \
    float *y = s->y;                                                           \
    const float alpha = s->alpha, beta = s->beta;                              \
    const long end = ck_minimum(s->count, (chunk + 1) * CHUNK);                \
    (void)a, (void)b, (void)alpha, (void)beta;                                 \
    CK_INDEPENDENT for (long i = chunk * CHUNK; i < end; i++) y[i] = formula;  \
  }

ELEMENTWISE(add, a[i] + b[i])
ELEMENTWISE(subtract, a[i] - b[i])
ELEMENTWISE(multiply, a[i] * b[i])
ELEMENTWISE(scale, alpha * a[i] + beta)
ELEMENTWISE(accumulate, y[i] + alpha * a[i])
ELEMENTWISE(sign_difference, a[i] > b[i] ? alpha : a[i] < b[i] ? -alpha : 0)

static void run(ck_task task, struct arrays arrays) {
  ck_parallel(ck_chunks(arrays.count, CHUNK), task, &arrays);
}

void ck_add(const float *a, const float *b, float *y, long count) {
  run(add, (struct arrays){.a = a, .b = b, .y = y, .count = count});
}

void ck_subtract(const float *a, const float *b, float *y, long count) {
  run(subtract, (struct arrays){.a = a, .b = b, .y = y, .count = count});
}

void ck_multiply(const float *a, const float *b, float *y, long count) {
  run(multiply, (struct arrays){.a = a, .b = b, .y = y, .count = count});
}

void ck_scale(const float *x, float *y, float alpha, float beta, long count) {
  run(scale, (struct arrays){.a = x, .y = y, .alpha = alpha, .beta = beta, .count = count});
}

void ck_accumulate(const float *x, float *y, float alpha, long count) {
  run(accumulate, (struct arrays){.a = x, .y = y, .alpha = alpha, .count = count});
}

void ck_sign_difference(const float *a, const float *b, float *y, float scale, long count) {
  run(sign_difference, (struct arrays){.a = a, .b = b, .y = y, .alpha = scale, .count = count});
}

struct planes {
  const float *x, *scale, *shift;
  float *y;
  long c, hw, count;
};

CK_WIDE static void scale_plane(void *context, long plane) {
  CK_FAST
  const struct planes *s = context;
  const float scale = s->scale[plane % s->c], shift = s->shift[plane % s->c];
  const float *x = s->x + plane * s->hw;
  float *y = s->y + plane * s->hw;
  const long hw = s->hw;
  CK_INDEPENDENT for (long i = 0; i < hw; i++) y[i] = scale * x[i] + shift;
}

void ck_plain_channel_scale(const float *x, const float *scale, const float *shift, float *y, long n, long c,
                            long hw) {
  ck_parallel(n * c, scale_plane, &(struct planes){x, scale, shift, y, c, hw, n * c});
}

struct biased_rows {
  const float *x, *bias;
  float *y;
  long m, c, rows;  // `rows` to a task
};

CK_WIDE static void add_bias(void *context, long chunk) {
  CK_FAST
  const struct biased_rows *s = context;
  const long c = s->c, end = ck_minimum(s->m, (chunk + 1) * s->rows);
  const float *bias = s->bias;
  for (long row = chunk * s->rows; row < end; row++) {
    const float *x = s->x + row * c;
    float *y = s->y + row * c;
    CK_INDEPENDENT for (long i = 0; i < c; i++) y[i] = x[i] + bias[i];
  }
}

void ck_add_bias(const float *x, const float *bias, float *y, long m, long c) {
  const long rows = ck_maximum(1, CHUNK / ck_maximum(1, c));
  ck_parallel(ck_chunks(m, rows), add_bias, &(struct biased_rows){x, bias, y, m, c, rows});
}

struct dropout {
  const float *x;
  const uint8_t *mask;
  float *y;
  float scale;
  long count;
};

CK_WIDE static void drop(void *context, long chunk) {
  const struct dropout *s = context;
  const float *x = s->x;
  const float scale = s->scale;
  const uint8_t *mask = s->mask;
  float *y = s->y;
  const long end = ck_minimum(s->count, (chunk + 1) * CHUNK);
  CK_INDEPENDENT for (long i = chunk * CHUNK; i < end; i++) y[i] = mask[i] ? scale * x[i] : 0;
}

void ck_dropout(const float *x, const uint8_t *mask, float *y, float rate, long count) {
  // At a rate of 1 nothing is kept, whatever the scale.
  const float scale = rate < 1 ? 1 / (1 - rate) : 0;
  ck_parallel(ck_chunks(count, CHUNK), drop, &(struct dropout){x, mask, y, scale, count});
}

struct finite {
  const float *x;
  long count;
  int all;
};

CK_WIDE static void check_finite(void *context, long chunk) {
  struct finite *s = context;
  const float *x = s->x;
  const long end = ck_minimum(s->count, (chunk + 1) * CHUNK);
  int bad = 0;
  for (long i = chunk * CHUNK; i < end; i++) bad |= !(__builtin_fabsf(x[i]) <= __FLT_MAX__);
  if (bad) __atomic_store_n(&s->all, 0, __ATOMIC_RELAXED);
}

int ck_all_finite(const float *x, long count) {
  struct finite finite = {x, count, 1};
  ck_parallel(ck_chunks(count, CHUNK), check_finite, &finite);
  return finite.all;
}
