// Matrix products: by oneDNN, and by OpenBLAS on our own pool.
#include <cblas.h>
#include <pthread.h>
#include <stdlib.h>
#ifdef HAS_ONEDNN
#include <dnnl.h>
#endif

#include "skinny_gemm.h"
#include "transpose.h"

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
  if (m <= 0 || n <= 0) return;
  if (!transpose_a && transpose_b && ck_skinny_gemm(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)) return;
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, use_one_thread);
  // Large tiles repeat less packing; small products still give every thread a few. The shape alone decides.
  while (ck_chunks(m, p.rows) * ck_chunks(n, p.columns) < 8 && p.columns > 128) p.columns /= 2;
  while (ck_chunks(m, p.rows) * ck_chunks(n, p.columns) < 8 && p.rows > 64) p.rows /= 2;
  ck_parallel(ck_chunks(m, p.rows) * ck_chunks(n, p.columns), multiply_tile, &p);
}

// ---- oneDNN: threaded by itself on the same pool -------------------------------------------------------

#ifdef HAS_ONEDNN
// oneDNN's product with a transposed second factor reaches 140 to 190 GFLOP/s where the plain one reaches 210 to 220
// (two cores of Zen 4), so with many rows the factor is transposed first.
#define MANY_ROWS 512

CK_WIDE static void transpose_columns(void *context, long task) {
  const struct product *p = context;
  const long end = ck_minimum(p->n, (task + 1) * p->columns);
  for (long j = task * p->columns; j < end; j += CK_BLOCK)
    for (long i = 0; i < p->k; i += CK_BLOCK)
      ck_transpose_tile(p->b + j * p->ldb + i, p->ldb, ck_minimum(CK_BLOCK, end - j), ck_minimum(CK_BLOCK, p->k - i),
                        p->c + i * p->n + j, p->n, ck_minimum(CK_BLOCK, end - j));
}

static const float *transposed(const struct product *p) {
  struct product columns = *p;
  columns.c = ck_scratch(4, p->k * p->n);
  columns.columns = 64;
  ck_parallel(ck_chunks(p->n, columns.columns), transpose_columns, &columns);
  return columns.c;
}

void ck_gemm_onednn(int transpose_a, int transpose_b, long m, long n, long k, float alpha, const float *a,
                    long lda, const float *b, long ldb, float beta, float *c, long ldc) {
  struct product p = {transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, 0, 0};
  if (m <= 0 || n <= 0) return;
  if (!transpose_a && transpose_b && ck_skinny_gemm(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)) return;
  if (transpose_b && m >= MANY_ROWS && n >= CK_BLOCK && k >= CK_BLOCK) {
    b = transposed(&p);
    ldb = n;
    transpose_b = 0;
  }
  if (dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb, beta, c,
                 ldc) != dnnl_success)
    abort();  // sizes or strides that no matrix has: a mistake of the caller
}
#endif
