// Matrix products: packed panels, cut into tasks for the pool (Goto & van de Geijn 2008), and the float32 ones.
#include "gemm.h"

#include "panels.h"
#include "skinny_gemm.h"

#define DEPTH 384             // steps that are summed at once:
#define PANELS 16             // so many packed panels stay in the second-level cache,
#define GROUPS 6              // and so many groups of rows beside them
#define AHEAD 6               // rows that are asked for before they are packed, for every tile that is multiplied
#define TOO_SMALL (1L << 18)  // multiply-adds that are not worth waking the pool

// Packed elements step ..< step + depth of a row of A, for the second-level cache.
CK_INLINE void ask_for_row(const struct gemm *p, long row, long step, long depth) {
  if (p->transpose_a) return;
  const char *from = (const char *)p->a + (p->elements ? 2 : 4) * row * p->lda + 4 * step;
  for (long i = 0; i < 4 * depth; i += 64) __builtin_prefetch(from + i, 0, 2);
}

// Some rows times some columns. Every task packs what it reads, in its own core's cache: a panel that another core has
// packed comes more slowly than one that is packed again.
static void multiply(void *context, long task) {
  const struct gemm *p = context;
  const long down = ck_chunks(p->m, p->rows), top = task % down * p->rows, left = task / down * p->columns;
  const long bottom = ck_minimum(top + p->rows, p->m), right = ck_minimum(left + p->columns, p->n);
  const long longest = ck_minimum(DEPTH, p->k), block = GROUPS * p->tile.rows;
  const long panel_floats = ck_chunks(p->columns, p->width) * p->width * longest;
  // Behind the groups one vector more: of groups of fewer than 8 rows it is overwritten, see ck_store_lanes.
  float *panels = ck_scratch(4, panel_floats + block * longest + CK_BLOCK), *groups = panels + panel_floats;
  long depth;
  for (long step = 0; step == 0 || step < p->k; step += ck_maximum(1, depth)) {
    depth = ck_minimum(DEPTH, p->k - step);
    if (!p->transpose_b) depth = ck_minimum(depth, p->part - step % p->part);
    for (long j = left; j < right; j += p->width)
      p->pack_panel(p, j, ck_minimum(p->width, right - j), step, depth, panels + (j - left) * depth);
    for (long first = top; first < bottom; first += block) {
      const long rows = ck_minimum(block, bottom - first);
      long asked = first + block;
      for (long i = 0; i < rows; i += p->tile.rows)
        p->pack_rows(p, first + i, ck_minimum(p->tile.rows, rows - i), step, depth, groups + i * depth);
      for (long j = left; j < right; j += p->width)
        for (long i = 0; i < rows; i += p->tile.rows) {
          const long some = ck_minimum(p->tile.rows, rows - i), count = ck_minimum(p->width, right - j);
          float *c = p->c + (first + i) * p->ldc + j;
          for (const long end = ck_minimum(asked + AHEAD, ck_minimum(first + 2 * block, bottom)); asked < end; asked++)
            ask_for_row(p, asked, step, depth);
          for (long r = 0; r < some; r++)
            for (long v = 0; v < count; v += CK_BLOCK) __builtin_prefetch(c + r * p->ldc + v, 1);
          p->multiply_tile(p, groups + i * depth, some, panels + (j - left) * depth, depth, step > 0 ? 1 : p->beta, count,
                           c);
        }
    }
  }
}

// `count` cut into even parts of whole `unit`s.
static long even_part(long count, long parts, long unit) { return ck_chunks(ck_chunks(count, parts), unit) * unit; }

// Cuts C into two tasks for every thread, so that they pack the least together. (How C is cut does not change its bits.)
static void cut_into_tasks(struct gemm *p, long tasks) {
  long least = 0;
  for (long across = ck_chunks(p->n, PANELS * p->width);; across++) {
    const long down = ck_chunks(tasks, across), packed = across * p->m + down * p->n;
    if (least && (packed >= least || across > tasks)) return;
    least = packed;
    p->columns = even_part(p->n, across, p->width);
    p->rows = even_part(p->m, down, p->tile.rows);
  }
}

void ck_run_gemm(struct gemm *p) {
  p->tile = ck_register_tile();
  p->width = p->tile.vectors * CK_BLOCK;
  const int small = p->m * p->n * p->k <= TOO_SMALL;
  cut_into_tasks(p, small ? 1 : 2 * ck_threads());
  const long count = ck_chunks(p->m, p->rows) * ck_chunks(p->n, p->columns);
  if (!small)
    ck_parallel(count, multiply, p);
  else
    for (long task = 0; task < count; task++) multiply(p, task);
}

// ---- float32 ----

CK_WIDE static void pack_float_rows(const struct gemm *p, long row, long count, long step, long depth, float *to) {
  const float *a = p->a;
  if (p->transpose_a)
    ck_pack_columns(a + step * p->lda + row, p->lda, count, p->m - row, depth, to);
  else
    ck_pack_rows(a + row * p->lda + step, p->lda, count, depth, to);
}

CK_WIDE static void pack_float_panel(const struct gemm *p, long column, long count, long step, long depth, float *to) {
  if (p->transpose_b) {
    const float *b = p->b[column / p->part];
    ck_pack_transposed_panel(b + column % p->part * p->ldb + step, p->ldb, count, p->width, depth, to);
  } else {
    const float *b = p->b[step / p->part];
    ck_pack_panel(b + step % p->part * p->ldb + column, p->ldb, count, p->width, depth, to);
  }
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

void ck_joined_gemm(int transpose_a, int transpose_b, long m, long n, long k, float alpha, const float *a, long lda,
                    const float *const *parts, long count, long ldb, float beta, float *c, long ldc) {
  if (m <= 0 || n <= 0) return;
  if (!transpose_a && transpose_b && ck_skinny_gemm(m, n, k, alpha, a, lda, parts, count, ldb, beta, c, ldc)) return;
  ck_run_gemm(&(struct gemm){.transpose_a = transpose_a,
                             .transpose_b = transpose_b,
                             .m = m,
                             .n = n,
                             .k = k,
                             .alpha = alpha,
                             .a = a,
                             .lda = lda,
                             .b = (const void *const *)parts,
                             .part = ck_maximum(1, (transpose_b ? n : k) / count),
                             .ldb = ldb,
                             .beta = beta,
                             .c = c,
                             .ldc = ldc,
                             .pack_rows = pack_float_rows,
                             .pack_panel = pack_float_panel,
                             .multiply_tile = multiply_float_tile});
}

void ck_gemm(int transpose_a, int transpose_b, long m, long n, long k, float alpha, const float *a, long lda,
             const float *b, long ldb, float beta, float *c, long ldc) {
  ck_joined_gemm(transpose_a, transpose_b, m, n, k, alpha, a, lda, &b, 1, ldb, beta, c, ldc);
}
