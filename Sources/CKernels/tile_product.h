// Products of small matrices inside one task: the micro-kernel on the matrices as they stand, without packing, which is
// where a packed product of 32 rows and 32 channels loses its time. Inlined, so that one stride of A is a constant.
#pragma once

#include "micro_product.h"

// C[R, 16 V] of ck_tile_product: R and V are constants of the caller, so that the sums stay in registers.
CK_INLINE void ck_tile(const float *a, long a_row, long a_column, const float *b, long ldb, long depth, float alpha,
                       int accumulates, float *c, long ldc, const int R, const int V) {
  CK_FAST
  ck_lanes s[CK_MAX_ROWS][CK_MAX_VECTORS];
  ck_clear_sums(s, R, V);
  for (long t = 0; t < depth; t++) {
    ck_lanes y[CK_MAX_VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++) y[v] = CK_LOAD(b + t * ldb + 16 * v);
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
      const float x = a[r * a_row + t * a_column];
#pragma clang loop unroll(full)
      for (int v = 0; v < V; v++) s[r][v] += x * y[v];
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < R; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++) {
      float *at = c + r * ldc + 16 * v;
      CK_STORE(at, accumulates ? alpha * s[r][v] + CK_LOAD(at) : alpha * s[r][v]);
    }
}

// C [rows, columns] = alpha A B, or that added to C. Element (i, t) of A is a[i * a_row + t * a_column]; B [depth,
// columns] and C have rows ldb and ldc apart; columns is a multiple of 16.
CK_INLINE void ck_tile_product(long rows, long columns, long depth, float alpha, const float *a, long a_row,
                               long a_column, const float *b, long ldb, int accumulates, float *c, long ldc) {
#define TILES(R, V) \
  for (; row + R <= rows; row += R) \
    ck_tile(a + row * a_row, a_row, a_column, b + column, ldb, depth, alpha, accumulates, c + row * ldc + column, \
            ldc, R, V);
  long column = 0;
  if (ck_has_wide_registers())
    for (; column + 32 <= columns; column += 32) {
      long row = 0;
      TILES(8, 2)
      TILES(4, 2)
      TILES(1, 2)
    }
  for (; column < columns; column += 16) {
    long row = 0;
    TILES(6, 1)
    TILES(2, 1)
    TILES(1, 1)
  }
#undef TILES
}
