// Activations and their derivatives, elementwise.
#include "lanes.h"

#define CHUNK 65536L  // floats of a task, 256 KiB

// One call: the arrays that the formula reads (b may be a itself) and its parameter.
struct arrays {
  const float *a, *b;
  float *y;
  float slope;
  long count;
};

// Defines the task `name`, which computes the lanes `y` of one chunk from the lanes `a` and `b`.
#define ELEMENTWISE(name, ...)                                           \
  CK_INLINE void name##_lanes(const ck_lanes *pa, const ck_lanes *pb, float slope, ck_lanes *py) { \
    const ck_lanes a = *pa, b = *pb;                                     \
    ck_lanes y;                                                          \
    (void)b, (void)slope;                                                \
    __VA_ARGS__                                                          \
    *py = y;                                                             \
  }                                                                      \
  CK_WIDE static void name(void *context, long chunk) {                  \
    const struct arrays *s = context;                                    \
    const long end = ck_minimum(s->count, (chunk + 1) * CHUNK);          \
    long i = chunk * CHUNK;                                              \
    ck_lanes a, b, y;                                                    \
    for (; i + CK_BLOCK <= end; i += CK_BLOCK) {                         \
      a = CK_LOAD(s->a + i), b = CK_LOAD(s->b + i);                      \
      name##_lanes(&a, &b, s->slope, &y);                                \
      CK_STORE(s->y + i, y);                                             \
    }                                                                    \
    if (i == end) return;                                                \
    ck_load_some(s->a + i, end - i, &a);                                 \
    ck_load_some(s->b + i, end - i, &b);                                 \
    name##_lanes(&a, &b, s->slope, &y);                                  \
    ck_store_some(s->y + i, end - i, &y);                                \
  }

static void run(ck_task task, const float *a, const float *b, float *y, float slope, long count) {
  struct arrays s = {a, b, y, slope, count};
  ck_parallel(ck_chunks(count, CHUNK), task, &s);
}

// ---- ReLU ----

// NaN stays, so that a diverging run is noticed.
ELEMENTWISE(relu_forward, y = a < 0.0f ? 0.0f : a;)
ELEMENTWISE(relu_backward, y = a > 0.0f ? b : 0.0f;)
ELEMENTWISE(leaky_relu_forward, y = a > 0.0f ? a : a * slope;)
ELEMENTWISE(leaky_relu_backward, y = a > 0.0f ? b : b * slope;)

void ck_relu_forward(const float *x, float *y, long count) { run(relu_forward, x, x, y, 0, count); }

void ck_relu_backward(const float *y, const float *dy, float *dx, long count) {
  run(relu_backward, y, dy, dx, 0, count);
}

void ck_leaky_relu_forward(const float *x, float *y, float slope, long count) {
  run(leaky_relu_forward, x, x, y, slope, count);
}

void ck_leaky_relu_backward(const float *y, const float *dy, float *dx, float slope, long count) {
  run(leaky_relu_backward, y, dy, dx, slope, count);
}

// ---- sigmoid, SiLU ----

ELEMENTWISE(silu_forward, ck_lanes_sigmoid(&a, &y); y *= a;)
ELEMENTWISE(silu_backward, ck_lanes_sigmoid(&a, &y); y = b * (y + a * y * (1.0f - y));)

void ck_silu_forward(const float *x, float *y, long count) { run(silu_forward, x, x, y, 0, count); }

void ck_silu_backward(const float *x, const float *dy, float *dx, long count) {
  run(silu_backward, x, dy, dx, 0, count);
}

// ---- GELU ----

// Phi(x) = (1 + erf(x / sqrt 2)) / 2 to 3e-7; erf is the odd rational function that Eigen uses, constant past 4.
CK_INLINE void normal_cdf(const ck_lanes *x, ck_lanes *result) {
  ck_lanes z = *x * 0.70710678f;
  z = z > 4.0f ? 4.0f : z;
  z = z < -4.0f ? -4.0f : z;
  const ck_lanes z2 = z * z;
  ck_lanes p = z2 * -2.72614225801306e-10f + 2.77068142495902e-08f;
  p = p * z2 - 2.10102402082508e-06f;
  p = p * z2 - 5.69250639462346e-05f;
  p = p * z2 - 7.34990630326855e-04f;
  p = p * z2 - 2.95459980854025e-03f;
  p = p * z2 - 1.60960333262415e-02f;
  ck_lanes q = z2 * -1.45660718464996e-05f - 2.13374055278905e-04f;
  q = q * z2 - 1.68282697438203e-03f;
  q = q * z2 - 7.37332916720468e-03f;
  q = q * z2 - 1.42647390514189e-02f;
  *result = 0.5f + 0.5f * z * p / q;
}

// phi(x) = e^(-x^2 / 2) / sqrt(2 pi)
CK_INLINE void normal_density(const ck_lanes *x, ck_lanes *result) {
  const ck_lanes exponent = *x * *x * -0.5f;
  ck_lanes_exp(&exponent, result);
  *result *= 0.39894228f;
}

ELEMENTWISE(gelu_forward, normal_cdf(&a, &y); y *= a;)
ELEMENTWISE(gelu_backward, ck_lanes density; normal_cdf(&a, &y); normal_density(&a, &density);
            y = b * (y + a * density);)

void ck_gelu_forward(const float *x, float *y, long count) { run(gelu_forward, x, x, y, 0, count); }

void ck_gelu_backward(const float *x, const float *dy, float *dx, long count) {
  run(gelu_backward, x, dy, dx, 0, count);
}

// GELU of a linear layer's output before its bias was added: the sum itself is never stored.
struct biased {
  const float *x, *bias, *dy;
  float *y;
  long m, c, rows;  // `rows` to a task
};

// One vector of a row: y, or dx where dy is given.
CK_INLINE void biased_gelu_lanes(const ck_lanes *x, const ck_lanes *bias, const ck_lanes *dy, ck_lanes *y) {
  const ck_lanes sum = *x + *bias;
  if (dy)
    gelu_backward_lanes(&sum, dy, 0, y);
  else
    gelu_forward_lanes(&sum, &sum, 0, y);
}

CK_INLINE void biased_gelu(const struct biased *s, long task, const int backward) {
  const long end = ck_minimum(s->m, (task + 1) * s->rows);
  for (long row = task * s->rows; row < end; row++) {
    const float *x = s->x + row * s->c, *dy = backward ? s->dy + row * s->c : x;
    float *to = s->y + row * s->c;
    ck_lanes a, b, d, y;
    long i = 0;
    for (; i + CK_BLOCK <= s->c; i += CK_BLOCK) {
      a = CK_LOAD(x + i), b = CK_LOAD(s->bias + i), d = CK_LOAD(dy + i);
      biased_gelu_lanes(&a, &b, backward ? &d : 0, &y);
      CK_STORE(to + i, y);
    }
    if (i == s->c) continue;
    ck_load_some(x + i, s->c - i, &a);
    ck_load_some(s->bias + i, s->c - i, &b);
    ck_load_some(dy + i, s->c - i, &d);
    biased_gelu_lanes(&a, &b, backward ? &d : 0, &y);
    ck_store_some(to + i, s->c - i, &y);
  }
}

CK_WIDE static void biased_gelu_forward(void *context, long task) { biased_gelu(context, task, 0); }
CK_WIDE static void biased_gelu_backward(void *context, long task) { biased_gelu(context, task, 1); }

static void run_rows(ck_task task, struct biased s) {
  s.rows = ck_maximum(1, CHUNK / ck_maximum(1, s.c));
  ck_parallel(ck_chunks(s.m, s.rows), task, &s);
}

void ck_bias_gelu_forward(const float *x, const float *bias, float *y, long m, long c) {
  run_rows(biased_gelu_forward, (struct biased){x, bias, 0, y, m, c, 0});
}

void ck_bias_gelu_backward(const float *x, const float *bias, const float *dy, float *dx, long m, long c) {
  run_rows(biased_gelu_backward, (struct biased){x, bias, dy, dx, m, c, 0});
}

// ---- softplus ----

// max(x, 0) + log(1 + e^-|x|)
ELEMENTWISE(softplus_forward, const ck_lanes negative = a > 0.0f ? -a : a; ck_lanes e;
            ck_lanes_exp(&negative, &e); ck_lanes_log_one_plus(&e, &y); y += a > 0.0f ? a : 0.0f;)
ELEMENTWISE(softplus_backward, ck_lanes_sigmoid(&a, &y); y *= b;)

void ck_softplus_forward(const float *x, float *y, long count) { run(softplus_forward, x, x, y, 0, count); }

void ck_softplus_backward(const float *x, const float *dy, float *dx, long count) {
  run(softplus_backward, x, dy, dx, 0, count);
}
