// Matrix products: by oneDNN, by OpenBLAS on our own pool, and our own dot products for a few rows.
#include <cblas.h>
#include <pthread.h>
#include <stdlib.h>
#ifdef HAS_ONEDNN
#include <dnnl.h>
#endif

#include "lanes.h"

struct product {
  int transpose_a, transpose_b;
  long m, n, k;
  float alpha;
  const float *a;
  long lda;
  const float *b;
  long ldb;
  float beta;
  float *c;
  long ldc;
  long rows, columns;  // of C to a task
};

// ---- A few rows times a transposed matrix: sampling reads each weight once --------------------------

// Both libraries are slower here (one core of Zen 4, 32 x 1024 x 1024: oneDNN 45 GFLOP/s, OpenBLAS 40, this 90).
// A stays in the second-level cache, and rows are long enough to make up for adding up the lanes at their ends.
#define FEW_ROWS 64
#define FEW_FLOATS 131072
#define ROW_LENGTHS 16  // times the number of rows

// C[0..rows)[0..columns) from dot products of `rows` rows of A and `columns` rows of B, at most 4 each.
CK_INLINE void dot_products(const struct product *p, const float *a, const float *b, float *c, const int rows,
                            const int columns) {
  CK_FAST
  ck_lanes sums[4][4], x[4];
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) sums[i][j] = 0;
  long at = 0;
  for (; at + 16 <= p->k; at += 16) {
    for (int i = 0; i < rows; i++) x[i] = CK_LOAD(a + i * p->lda + at);
    for (int j = 0; j < columns; j++) {
      const ck_lanes y = CK_LOAD(b + j * p->ldb + at);
      for (int i = 0; i < rows; i++) sums[i][j] += x[i] * y;
    }
  }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) {
      float sum = 0;
      for (int lane = 0; lane < 16; lane++) sum += sums[i][j][lane];
      for (long t = at; t < p->k; t++) sum += a[i * p->lda + t] * b[j * p->ldb + t];
      float *out = c + i * p->ldc + j;
      *out = p->beta == 0 ? p->alpha * sum : p->alpha * sum + p->beta * *out;
    }
}

CK_WIDE static void multiply_few_rows(void *context, long task) {
  const struct product *p = context;
  const long end = ck_minimum(p->n, (task + 1) * p->columns);
  long column = task * p->columns;
  for (; column + 4 <= end; column += 4) {
    const float *b = p->b + column * p->ldb;
    long row = 0;
    for (; row + 4 <= p->m; row += 4)
      dot_products(p, p->a + row * p->lda, b, p->c + row * p->ldc + column, 4, 4);
    for (; row < p->m; row++) dot_products(p, p->a + row * p->lda, b, p->c + row * p->ldc + column, 1, 4);
  }
  for (; column < end; column++)
    for (long row = 0; row < p->m; row++)
      dot_products(p, p->a + row * p->lda, p->b + column * p->ldb, p->c + row * p->ldc + column, 1, 1);
}

// Whether the product was one of few rows, and is now done.
static int few_rows(struct product *p) {
  if (p->transpose_a || !p->transpose_b || p->m > FEW_ROWS) return 0;
  if (p->m * p->k > FEW_FLOATS || p->k < ROW_LENGTHS * p->m) return 0;
  p->columns = ck_maximum(4, 32768 / ck_maximum(1, p->k) / 4 * 4);
  ck_parallel(ck_chunks(p->n, p->columns), multiply_few_rows, p);
  return 1;
}

// ---- OpenBLAS: single-threaded products of tiles, the tiles shared out over the pool -----------------

// A second pool of threads spinning beside libgomp's would halve the speed of both.
static void use_one_thread(void) { openblas_set_num_threads(1); }

static void multiply_tile(void *context, long tile) {
  const struct product *p = context;
  const long down = ck_chunks(p->m, p->rows);
  const long row = tile % down * p->rows, column = tile / down * p->columns;
  cblas_sgemm(CblasRowMajor, p->transpose_a ? CblasTrans : CblasNoTrans,
              p->transpose_b ? CblasTrans : CblasNoTrans, (int)ck_minimum(p->rows, p->m - row),
              (int)ck_minimum(p->columns, p->n - column), (int)p->k, p->alpha,
              p->a + (p->transpose_a ? row : row * p->lda), (int)p->lda,
              p->b + (p->transpose_b ? column * p->ldb : column), (int)p->ldb, p->beta,
              p->c + row * p->ldc + column, (int)p->ldc);
}

void ck_gemm_openblas(int transpose_a, int transpose_b, long m, long n, long k, float alpha, const float *a,
                      long lda, const float *b, long ldb, float beta, float *c, long ldc) {
  struct product p = {transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, 256, 1024};
  if (m <= 0 || n <= 0 || few_rows(&p)) return;
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, use_one_thread);
  // Large tiles repeat less packing; small products still give every thread a few. The shape alone decides.
  while (ck_chunks(m, p.rows) * ck_chunks(n, p.columns) < 8 && p.columns > 128) p.columns /= 2;
  while (ck_chunks(m, p.rows) * ck_chunks(n, p.columns) < 8 && p.rows > 64) p.rows /= 2;
  ck_parallel(ck_chunks(m, p.rows) * ck_chunks(n, p.columns), multiply_tile, &p);
}

// ---- oneDNN: threaded by itself on the same pool -------------------------------------------------------

#ifdef HAS_ONEDNN
void ck_gemm_onednn(int transpose_a, int transpose_b, long m, long n, long k, float alpha, const float *a,
                    long lda, const float *b, long ldb, float beta, float *c, long ldc) {
  struct product p = {transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, 0, 0};
  if (m <= 0 || n <= 0 || few_rows(&p)) return;
  if (dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb, beta, c,
                 ldc) != dnnl_success)
    abort();  // sizes or strides that no matrix has: a mistake of the caller
}
#endif
