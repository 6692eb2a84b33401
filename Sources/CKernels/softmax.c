// Softmax of rows, and the cross-entropy of its logits.
#include "softmax.h"

#include <math.h>

struct rows {
  const float *x, *dy, *log_sums, *weights;
  const int32_t *targets;
  float *y, *losses, *sums;
  float scale;
  long m, c, rows;  // `rows` to a task
};

static void run(ck_task task, struct rows rows) {
  rows.rows = ck_maximum(1, 16384 / ck_maximum(1, rows.c));
  ck_parallel(ck_chunks(rows.m, rows.rows), task, &rows);
}

// Defines the task `name` that runs the statement for each `row` of a chunk, c values from `at` on.
#define ROWS(name, statement)                                              \
  CK_WIDE static void name(void *context, long chunk) {                    \
    CK_FAST                                                                \
    const struct rows *s = context;                                        \
    const long c = s->c, end = ck_minimum(s->m, (chunk + 1) * s->rows);    \
    for (long row = chunk * s->rows; row < end; row++) {                   \
      const long at = row * c;                                             \
      statement                                                            \
    }                                                                      \
  }

ROWS(softmax, {
  const float *x = s->x + at;
  float *y = s->y + at;
  const float sum = ck_exponentials(x, y, ck_row_maximum(x, c), c);
  const float inverse = 1 / sum;
  CK_INDEPENDENT for (long i = 0; i < c; i++) y[i] *= inverse;
})

// dx = y (dy - sum(y dy))
ROWS(softmax_backward, {
  const float *y = s->x + at;
  const float *dy = s->dy + at;
  float *dx = s->y + at;
  float sum = 0;
  for (long i = 0; i < c; i++) sum += y[i] * dy[i];
  CK_INDEPENDENT for (long i = 0; i < c; i++) dx[i] = y[i] * (dy[i] - sum);
})

ROWS(cross_entropy, {
  const float *x = s->x + at;
  const float maximum = ck_row_maximum(x, c);
  float sum = 0;
  for (long i = 0; i < c; i++) sum += ck_exponential(x[i] - maximum);
  const float log_sum = logf(sum);
  const int32_t target = s->targets[row];
  s->sums[row] = maximum + log_sum;
  const float loss = target < 0 ? 0 : log_sum + (maximum - x[target]);
  s->losses[row] = s->weights && target >= 0 ? s->weights[target] * loss : loss;
})

ROWS(cross_entropy_backward, {
  const float *x = s->x + at;
  float *dx = s->y + at;
  const float log_sum = s->log_sums[row];
  const int32_t target = s->targets[row];
  const float scale = target < 0 ? 0 : s->weights ? s->weights[target] * s->scale : s->scale;
  CK_INDEPENDENT for (long i = 0; i < c; i++) dx[i] = scale * ck_exponential(x[i] - log_sum);
  if (target >= 0) dx[target] -= scale;
})

// sum q (log q + log c), with log q = x - log_sum
ROWS(uniform_divergence, {
  const float *x = s->x + at;
  const float maximum = ck_row_maximum(x, c);
  float sum = 0;
  float weighted = 0;
  for (long i = 0; i < c; i++) {
    const float weight = ck_exponential(x[i] - maximum);
    sum += weight;
    weighted += weight * (x[i] - maximum);
  }
  const float log_sum = logf(sum);
  s->sums[row] = maximum + log_sum;
  s->losses[row] = weighted / sum - log_sum + logf((float)c);
})

// q (log q + log c - divergence)
ROWS(uniform_divergence_backward, {
  const float *x = s->x + at;
  float *dx = s->y + at;
  const float log_sum = s->log_sums[row];
  const float level = s->dy[row] - logf((float)c);
  const float scale = s->scale;
  CK_INDEPENDENT for (long i = 0; i < c; i++) {
    const float log_share = x[i] - log_sum;
    dx[i] = scale * ck_exponential(log_share) * (log_share - level);
  }
})

void ck_uniform_divergence_forward(const float *logits, float *divergences, float *log_sums, long m, long k) {
  run(uniform_divergence,
      (struct rows){.x = logits, .losses = divergences, .sums = log_sums, .m = m, .c = k});
}

void ck_uniform_divergence_backward(const float *logits, const float *divergences, const float *log_sums,
                                    float *dlogits, float scale, long m, long k) {
  run(uniform_divergence_backward, (struct rows){.x = logits,
                                                 .dy = divergences,
                                                 .log_sums = log_sums,
                                                 .y = dlogits,
                                                 .scale = scale,
                                                 .m = m,
                                                 .c = k});
}

void ck_softmax_forward(const float *x, float *y, long m, long c) {
  run(softmax, (struct rows){.x = x, .y = y, .m = m, .c = c});
}

void ck_softmax_backward(const float *y, const float *dy, float *dx, long m, long c) {
  run(softmax_backward, (struct rows){.x = y, .dy = dy, .y = dx, .m = m, .c = c});
}

void ck_cross_entropy_forward(const float *logits, const int32_t *targets, const float *weights,
                              float *losses, float *log_sums, long m, long v) {
  run(cross_entropy, (struct rows){.x = logits,
                                   .targets = targets,
                                   .weights = weights,
                                   .losses = losses,
                                   .sums = log_sums,
                                   .m = m,
                                   .c = v});
}

void ck_cross_entropy_backward(const float *logits, const int32_t *targets, const float *weights,
                               const float *log_sums, float *dlogits, float scale, long m, long v) {
  run(cross_entropy_backward, (struct rows){.x = logits,
                                            .targets = targets,
                                            .weights = weights,
                                            .log_sums = log_sums,
                                            .y = dlogits,
                                            .scale = scale,
                                            .m = m,
                                            .c = v});
}
