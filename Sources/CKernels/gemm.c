// Matrix products: packed panels, cut into tasks for the pool (Goto & van de Geijn 2008), and the float32 ones.
#include "gemm.h"

#include "panels.h"
#include "skinny_gemm.h"

#define DEPTH 384             // steps that are summed at once
#define ROWS 72               // of a task: its packed rows stay in the second-level cache;
#define MANY_COLUMNS 2048     // from here on twice as many, so that the panels are read less often
#define PACKED (8L << 20)     // elements of the second factor that are packed at once
#define TOO_SMALL (1L << 18)  // multiply-adds that are not worth waking the pool

static void pack_panel(void *context, long panel) {
  const struct gemm *p = context;
  const long column = panel * p->width;
  p->pack_panel(p, p->first_column + column, ck_minimum(p->width, p->columns - column), p->packed + column * p->k);
}

// A block of rows times some panels, `depth` steps at a time.
static void multiply(void *context, long task) {
  const struct gemm *p = context;
  const long down = ck_chunks(p->m, p->rows), row = task % down * p->rows, rows = ck_minimum(p->rows, p->m - row);
  const long left = task / down * p->panels * p->width, right = ck_minimum(left + p->panels * p->width, p->columns);
  float *a = ck_scratch(5, p->rows * p->depth);
  for (long step = 0; step == 0 || step < p->k; step += p->depth) {
    const long depth = ck_minimum(p->depth, p->k - step);
    for (long i = 0; i < rows; i += p->tile.rows)
      p->pack_rows(p, row + i, ck_minimum(p->tile.rows, rows - i), step, depth, a + i * depth);
    for (long column = left; column < right; column += p->width)
      for (long i = 0; i < rows; i += p->tile.rows) {
        const long some = ck_minimum(p->tile.rows, rows - i), count = ck_minimum(p->width, right - column);
        float *c = p->c + (row + i) * p->ldc + p->first_column + column;
        for (long r = 0; r < some; r++)
          for (long j = 0; j < count; j += CK_BLOCK) __builtin_prefetch(c + r * p->ldc + j, 1);
        p->multiply_tile(p, a + i * depth, some, p->packed + column * p->k + step * p->width, depth,
                         step > 0 ? 1 : p->beta, count, c);
      }
  }
}

static void run(struct gemm *p, long count, ck_task task) {
  if (p->m * p->n * p->k > TOO_SMALL)
    ck_parallel(count, task, p);
  else
    for (long i = 0; i < count; i++) task(p, i);
}

void ck_run_gemm(struct gemm *p) {
  p->tile = ck_register_tile();
  p->width = p->tile.vectors * CK_BLOCK;
  p->depth = ck_maximum(1, ck_minimum(DEPTH, p->k));
  const long most = ck_maximum(8, PACKED / ck_maximum(1, p->k) / p->width) * p->width;
  for (p->first_column = 0; p->first_column < p->n; p->first_column += most) {
    p->columns = ck_minimum(most, p->n - p->first_column);
    const long panels = ck_chunks(p->columns, p->width);
    p->packed = ck_scratch(4, panels * p->width * p->k);
    run(p, panels, pack_panel);
    // Two tasks for every thread: narrow ones rather than flat ones, because the rows of a task read all its panels again.
    // (How C is cut does not change its bits.)
    const long tasks = 2 * ck_threads();
    p->rows = p->columns < MANY_COLUMNS ? ROWS : 2 * ROWS, p->panels = panels;
    while (ck_chunks(p->m, p->rows) * ck_chunks(panels, p->panels) < tasks && p->panels > 4)
      p->panels = ck_chunks(p->panels, 2);
    while (ck_chunks(p->m, p->rows) * ck_chunks(panels, p->panels) < tasks && p->rows > p->tile.rows)
      p->rows -= p->tile.rows;
    run(p, ck_chunks(p->m, p->rows) * ck_chunks(panels, p->panels), multiply);
  }
}

// ---- float32 ----

CK_WIDE static void pack_float_rows(const struct gemm *p, long row, long count, long step, long depth, float *to) {
  const float *a = p->a;
  if (p->transpose_a)
    ck_pack_columns(a + step * p->lda + row, p->lda, count, p->m - row, depth, to);
  else
    ck_pack_rows(a + row * p->lda + step, p->lda, count, depth, to);
}

CK_WIDE static void pack_float_panel(const struct gemm *p, long column, long count, float *to) {
  const float *b = p->b;
  if (p->transpose_b)
    ck_pack_transposed_panel(b + column * p->ldb, p->ldb, count, p->width, p->k, to);
  else
    ck_pack_panel(b + column, p->ldb, count, p->width, p->k, to);
}

CK_WIDE static void multiply_float_tile(const struct gemm *p, const float *a, long rows, const float *b, long depth,
                                        float beta, long count, float *c) {
  ck_lanes s[CK_MAX_ROWS][CK_MAX_VECTORS];
#define CALL(R, V) \
  ck_clear_sums(s, R, V); \
  ck_add_products(s, a, 1, R, b, CK_BLOCK, V * CK_BLOCK, depth, R, V); \
  ck_store_tile(p, s, beta, count, c, R, V);
  CK_TILE_SWITCH(rows, p->tile.vectors, CALL)
#undef CALL
}

void ck_gemm(int transpose_a, int transpose_b, long m, long n, long k, float alpha, const float *a, long lda,
             const float *b, long ldb, float beta, float *c, long ldc) {
  if (m <= 0 || n <= 0) return;
  if (!transpose_a && transpose_b && ck_skinny_gemm(m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)) return;
  ck_run_gemm(&(struct gemm){.transpose_a = transpose_a,
                             .transpose_b = transpose_b,
                             .m = m,
                             .n = n,
                             .k = k,
                             .alpha = alpha,
                             .a = a,
                             .lda = lda,
                             .b = b,
                             .ldb = ldb,
                             .beta = beta,
                             .c = c,
                             .ldc = ldc,
                             .pack_rows = pack_float_rows,
                             .pack_panel = pack_float_panel,
                             .multiply_tile = multiply_float_tile});
}
