// Layer normalisation (Ba et al. 2016) of rows.
#include "kernels.h"
#include "wide.h"

struct layer_norm {
  const float *x, *gamma, *beta;
  float *y, *mean, *rstd;
  long m, c, rows;  // `rows` to a task
  float eps;
};

CK_WIDE static void normalize(void *context, long chunk) {
  CK_FAST
  const struct layer_norm *s = context;
  const long c = s->c, end = ck_minimum(s->m, (chunk + 1) * s->rows);
  const float *gamma = s->gamma, *beta = s->beta;
  for (long row = chunk * s->rows; row < end; row++) {
    const float *x = s->x + row * c;
    float *y = s->y + row * c;
    float sum = 0, squares = 0;
    for (long i = 0; i < c; i++) sum += x[i];
    const float mean = sum / (float)c;
    for (long i = 0; i < c; i++) squares += (x[i] - mean) * (x[i] - mean);
    const float rstd = 1 / __builtin_elementwise_sqrt(squares / (float)c + s->eps);
    CK_INDEPENDENT for (long i = 0; i < c; i++) y[i] = gamma[i] * ((x[i] - mean) * rstd) + beta[i];
    s->mean[row] = mean;
    s->rstd[row] = rstd;
  }
}

void ck_layer_norm_forward(const float *x, const float *gamma, const float *beta, float *y, float *mean,
                           float *rstd, long m, long c, float eps) {
  const long rows = ck_maximum(1, 16384 / ck_maximum(1, c));
  ck_parallel(ck_chunks(m, rows), normalize,
              &(struct layer_norm){x, gamma, beta, y, mean, rstd, m, c, rows, eps});
}

struct layer_norm_gradient {
  const float *x, *dy, *gamma, *mean, *rstd;
  float *dx, *partial;  // partial [chunks, 2, C]: a chunk's dgamma, dbeta
  long m, c, rows;
};

// With x^ = (x - mean) rstd: dx = rstd (gamma dy - mean(gamma dy) - x^ mean(gamma dy x^)).
CK_WIDE static void normalize_backward(void *context, long chunk) {
  CK_FAST
  const struct layer_norm_gradient *s = context;
  const long c = s->c, end = ck_minimum(s->m, (chunk + 1) * s->rows);
  const float *gamma = s->gamma;
  float *dgamma = s->partial + chunk * 2 * c, *dbeta = dgamma + c;
  for (long i = 0; i < 2 * c; i++) dgamma[i] = 0;
  for (long row = chunk * s->rows; row < end; row++) {
    const float *x = s->x + row * c, *dy = s->dy + row * c;
    float *dx = s->dx + row * c;
    const float mean = s->mean[row], rstd = s->rstd[row];
    float sum = 0, product = 0;
    for (long i = 0; i < c; i++) {
      sum += gamma[i] * dy[i];
      product += gamma[i] * dy[i] * ((x[i] - mean) * rstd);
    }
    sum /= (float)c;
    product /= (float)c;
    CK_INDEPENDENT for (long i = 0; i < c; i++) {
      const float normal = (x[i] - mean) * rstd, d = dy[i];
      dgamma[i] += d * normal;
      dbeta[i] += d;
      dx[i] = rstd * (gamma[i] * d - sum - normal * product);
    }
  }
}

CK_WIDE static void add_partials(const float *partial, float *dgamma, float *dbeta, long chunks, long c) {
  for (long i = 0; i < c; i++) dgamma[i] = dbeta[i] = 0;
  for (long chunk = 0; chunk < chunks; chunk++, partial += 2 * c)
    CK_INDEPENDENT for (long i = 0; i < c; i++) {
      dgamma[i] += partial[i];
      dbeta[i] += partial[c + i];
    }
}

void ck_layer_norm_backward(const float *x, const float *dy, const float *gamma, const float *mean,
                            const float *rstd, float *dx, float *dgamma, float *dbeta, long m, long c) {
  // At most 64 partial sums, each of at least 16 rows.
  const long rows = ck_maximum(16, ck_chunks(m, 64)), chunks = ck_chunks(m, rows);
  float *partial = ck_scratch(0, chunks * 2 * c);
  ck_parallel(chunks, normalize_backward,
              &(struct layer_norm_gradient){x, dy, gamma, mean, rstd, dx, partial, m, c, rows});
  add_partials(partial, dgamma, dbeta, chunks, c);
}
