// Products and centred rows in double precision, for statistics.
#include "kernels.h"
#include "wide.h"

typedef double eight __attribute__((ext_vector_type(8), aligned(8), may_alias));

#define SIDE 64L    // rows of A and of B that a task multiplies
#define DEPTH 512L  // columns at once: both panels stay in the second-level cache
#define TILE 4

struct products {
  const double *a, *b;
  double *c;
  long m, n, k;
  int add, mirrored;
};

CK_INLINE double sum_of_eight(const eight *v) {
  const __typeof__(v->lo) four = v->lo + v->hi;
  const __typeof__(four.lo) two = four.lo + four.hi;
  return two.x + two.y;
}

// sums[i][j] += a[i] . b[j] over `count` columns. The order of a sum does not depend on its place in the tile.
CK_INLINE void add_tile(const double *const a[TILE], const double *const b[TILE], long count, double *sums, long stride,
                        long rows, long columns) {
  eight s[TILE][TILE];
#pragma clang loop unroll(full)
  for (int i = 0; i < TILE; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < TILE; j++) s[i][j] = 0;
  long k = 0;
  for (; k + 8 <= count; k += 8) {
    eight y[TILE];
#pragma clang loop unroll(full)
    for (int j = 0; j < TILE; j++) y[j] = *(const eight *)(b[j] + k);
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE; i++) {
      const eight x = *(const eight *)(a[i] + k);
#pragma clang loop unroll(full)
      for (int j = 0; j < TILE; j++) s[i][j] += x * y[j];
    }
  }
  if (k < count) {
    eight y[TILE];
#pragma clang loop unroll(full)
    for (int j = 0; j < TILE; j++) {
      y[j] = 0;
      for (long r = k; r < count; r++) y[j][r - k] = b[j][r];
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE; i++) {
      eight x = 0;
      for (long r = k; r < count; r++) x[r - k] = a[i][r];
#pragma clang loop unroll(full)
      for (int j = 0; j < TILE; j++) s[i][j] += x * y[j];
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < TILE; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < TILE; j++)
      if (i < rows && j < columns) sums[i * stride + j] += sum_of_eight(&s[i][j]);
}

CK_WIDE static void product_task(void *context, long index) {
#pragma clang fp contract(fast)
  const struct products *p = context;
  const long across = ck_chunks(p->n, SIDE), i0 = index / across * SIDE, j0 = index % across * SIDE;
  if (p->mirrored && j0 < i0) return;
  const long rows = ck_minimum(SIDE, p->m - i0), columns = ck_minimum(SIDE, p->n - j0);
  double sums[SIDE * SIDE];
  for (long i = 0; i < SIDE * SIDE; i++) sums[i] = 0;
  for (long k = 0; k < p->k; k += DEPTH)
    for (long i = 0; i < rows; i += TILE)
      for (long j = 0; j < columns; j += TILE) {
        const double *a[TILE], *b[TILE];
        for (long t = 0; t < TILE; t++) {
          a[t] = p->a + (i0 + ck_minimum(i + t, rows - 1)) * p->k + k;
          b[t] = p->b + (j0 + ck_minimum(j + t, columns - 1)) * p->k + k;
        }
        add_tile(a, b, ck_minimum(DEPTH, p->k - k), sums + i * SIDE + j, SIDE, ck_minimum(TILE, rows - i),
                 ck_minimum(TILE, columns - j));
      }
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++) {
      double *to = p->c + (i0 + i) * p->n + j0 + j;
      *to = (p->add ? *to : 0) + sums[i * SIDE + j];
      if (p->mirrored && j0 > i0) p->c[(j0 + j) * p->n + i0 + i] = *to;
    }
}

void ck_row_products(const double *a, const double *b, double *c, long m, long n, long k, int add) {
  struct products p = {a, b, c, m, n, k, add, a == b && m == n};
  ck_parallel(ck_chunks(m, SIDE) * ck_chunks(n, SIDE), product_task, &p);
}

struct centring {
  const float *x;
  const double *mean;
  double *y;
  long m, d;
  int transposed;
};

static void centring_task(void *context, long block) {
  const struct centring *s = context;
  for (long i = block * SIDE; i < ck_minimum(s->m, (block + 1) * SIDE); i++)
    for (long j = 0; j < s->d; j++)
      s->y[s->transposed ? j * s->m + i : i * s->d + j] = s->x[i * s->d + j] - s->mean[j];
}

void ck_centred_rows(const float *x, const double *mean, double *y, long m, long d, int transposed) {
  struct centring s = {x, mean, y, m, d, transposed};
  ck_parallel(ck_chunks(m, SIDE), centring_task, &s);
}

struct column_sums {
  const float *x;
  double *sums;
  long m, d;
};

static void column_sums_task(void *context, long block) {
  const struct column_sums *s = context;
  const long from = block * SIDE, to = ck_minimum(s->d, from + SIDE);
  for (long j = from; j < to; j++) s->sums[j] = 0;
  for (long i = 0; i < s->m; i++)
    for (long j = from; j < to; j++) s->sums[j] += s->x[i * s->d + j];
}

void ck_double_column_sums(const float *x, double *sums, long m, long d) {
  struct column_sums s = {x, sums, m, d};
  ck_parallel(ck_chunks(d, SIDE), column_sums_task, &s);
}

double ck_polynomial_kernel_sum(const double *dots, long count, double gamma) {
  double sum = 0;
  for (long i = 0; i < count; i++) {
    const double x = dots[i] * gamma + 1;
    sum += x * x * x;
  }
  return sum;
}
