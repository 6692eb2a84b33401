// Sums. Every array is cut into chunks by its length alone and the chunks' sums are added in their order.
#include "kernels.h"
#include "wide.h"

#define MOST_CHUNKS 512

struct reduction {
  const float *a, *b;
  long count, chunk;
  double sums[MOST_CHUNKS];
};

// Defines the task `name` that sums the term, in terms of a, b and i, over one chunk in double precision.
#define REDUCTION(name, term)                                                                 \
  CK_WIDE static void name(void *context, long index) {                                       \
    CK_FAST                                                                                   \
    struct reduction *s = context;                                                            \
    const float *a = s->a, *b = s->b;                                                         \
    (void)b;                                                                                  \
    const long end = ck_minimum(s->count, (index + 1) * s->chunk);                            \
    double sum = 0;                                                                           \
    for (long i = index * s->chunk; i < end; i++) sum += term;                                \
    s->sums[index] = sum;                                                                     \
  }

REDUCTION(plain, (double)a[i])
REDUCTION(absolute_difference, (double)__builtin_fabsf(a[i] - b[i]))
REDUCTION(square, (double)a[i] * (double)a[i])
REDUCTION(squared_difference, ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]))

static double reduce(ck_task task, const float *a, const float *b, long count) {
  struct reduction reduction;
  reduction.a = a;
  reduction.b = b;
  reduction.count = count;
  reduction.chunk = ck_maximum(32768, ck_chunks(count, MOST_CHUNKS));
  const long chunks = ck_chunks(count, reduction.chunk);
  ck_parallel(chunks, task, &reduction);
  double sum = 0;
  for (long i = 0; i < chunks; i++) sum += reduction.sums[i];
  return sum;
}

double ck_sum(const float *x, long count) { return reduce(plain, x, 0, count); }
double ck_sum_of_absolute_differences(const float *a, const float *b, long count) {
  return reduce(absolute_difference, a, b, count);
}
double ck_sum_of_squares(const float *x, long count) { return reduce(square, x, 0, count); }
double ck_sum_of_squared_differences(const float *a, const float *b, long count) {
  return reduce(squared_difference, a, b, count);
}

struct row_sums {
  const float *dy;
  float *partial;  // [chunks, C]
  long m, c, rows;
};

CK_WIDE static void sum_rows(void *context, long chunk) {
  CK_FAST
  const struct row_sums *s = context;
  const long c = s->c, first = chunk * s->rows, end = ck_minimum(s->m, first + s->rows);
  float *restrict sum = s->partial + chunk * c;
  const float *restrict dy = s->dy;
  for (long i = 0; i < c; i++) sum[i] = 0;
  long row = first;
  for (; row + 4 <= end; row += 4) {
    const float *x = dy + row * c;
    for (long i = 0; i < c; i++) sum[i] += (x[i] + x[i + c]) + (x[i + 2 * c] + x[i + 3 * c]);
  }
  for (; row < end; row++)
    for (long i = 0; i < c; i++) sum[i] += dy[row * c + i];
}

void ck_row_sums(const float *dy, float *db, long m, long c) {
  // At most 32 partial sums, each of at least 64 rows.
  const long rows = ck_maximum(64, ck_chunks(m, 32)), chunks = ck_chunks(m, rows);
  if (chunks <= 1) {
    sum_rows(&(struct row_sums){dy, db, m, c, rows}, 0);
    return;
  }
  struct row_sums sums = {dy, ck_scratch(0, chunks * c), m, c, rows};
  ck_parallel(chunks, sum_rows, &sums);
  sum_rows(&(struct row_sums){sums.partial, db, chunks, c, chunks}, 0);
}
