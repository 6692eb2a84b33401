// A matrix product on packed panels, whatever its factors are made of: gemm.c cuts it into tasks, its factors' types bring
// the packing and the micro-kernel. Packed elements are 32 bits: floats, or pairs of bfloat16 values.
#pragma once

#include "micro_product.h"

struct gemm {
  int transpose_a, transpose_b;
  long m, n, k;   // k in packed elements
  long elements;  // of bfloat16 along k
  float alpha;
  const void *a;
  long lda;
  const void *const *b;  // parts of `part` columns each, or unless transpose_b of `part` packed elements
  long part, ldb;
  float beta;
  float *c;
  long ldc;

  // `count` rows (at most 12) from `row` on, elements step ..< step + depth, as [depth][count]
  void (*pack_rows)(const struct gemm *p, long row, long count, long step, long depth, float *to);
  // `count` columns from `column` on, the same elements, as [depth][width], zero past `count`
  void (*pack_panel)(const struct gemm *p, long column, long count, long step, long depth, float *to);
  // `rows` packed rows times a panel of which `count` columns exist; C = alpha A B + beta C
  void (*multiply_tile)(const struct gemm *p, const float *a, long rows, const float *b, long depth, float beta,
                        long count, float *c);

  struct ck_register_tile tile;
  long width;          // columns of a panel
  long rows, columns;  // of a task
};

// Fills in the rest and runs it.
void ck_run_gemm(struct gemm *p);

// C = alpha sums + beta C for a tile of which `count` columns exist.
CK_INLINE void ck_store_tile(const struct gemm *p, ck_lanes s[CK_MAX_ROWS][CK_MAX_VECTORS], float beta, long count,
                             float *c, const int R, const int V) {
#pragma clang loop unroll(full)
  for (int v = 0; v < V; v++) {
    if (count >= (v + 1) * CK_BLOCK) {
#pragma clang loop unroll(full)
      for (int r = 0; r < R; r++) {
        float *at = c + r * p->ldc + v * CK_BLOCK;
        CK_STORE(at, beta == 0 ? p->alpha * s[r][v] : p->alpha * s[r][v] + beta * CK_LOAD(at));
      }
    } else {
      float edge[CK_MAX_ROWS * CK_BLOCK];
#pragma clang loop unroll(full)
      for (int r = 0; r < R; r++) CK_STORE(edge + r * CK_BLOCK, p->alpha * s[r][v]);
      for (long r = 0; r < R; r++)
        for (long j = v * CK_BLOCK; j < count; j++) {
          float *at = c + r * p->ldc + j;
          *at = edge[r * CK_BLOCK + j - v * CK_BLOCK] + (beta == 0 ? 0 : beta * *at);
        }
    }
  }
}
