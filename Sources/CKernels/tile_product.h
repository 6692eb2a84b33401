// Products of small matrices inside one task: no packing and no call overhead, which is where a library's product of
// 64 rows and 32 channels loses its time (causal attention, 8 heads of 32, Zen 4: 85 GFLOP/s by oneDNN, 150 by this).
#pragma once

#include "lanes.h"

// Whether the tiles' accumulators fit the registers of this machine; elsewhere a library's product is faster.
CK_INLINE int ck_tiles_pay(void) { return __builtin_cpu_supports("avx512f"); }

// C[R, 16 V] of ck_tile_product: R and V are constants of the caller, so that the sums stay in registers.
CK_INLINE void ck_tile(const float *a, long a_row, long a_column, const float *b, long ldb, long depth, float alpha,
                       int accumulates, float *c, long ldc, const int R, const int V) {
  CK_FAST
  ck_lanes sums[8][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < R; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < V; j++) sums[i][j] = 0;
  for (long t = 0; t < depth; t++) {
    ck_lanes y[2];
#pragma clang loop unroll(full)
    for (int j = 0; j < V; j++) y[j] = CK_LOAD(b + t * ldb + 16 * j);
#pragma clang loop unroll(full)
    for (int i = 0; i < R; i++) {
      const float x = a[i * a_row + t * a_column];
#pragma clang loop unroll(full)
      for (int j = 0; j < V; j++) sums[i][j] += x * y[j];
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < R; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < V; j++) {
      float *at = c + i * ldc + 16 * j;
      CK_STORE(at, accumulates ? alpha * sums[i][j] + CK_LOAD(at) : alpha * sums[i][j]);
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
  for (; column + 32 <= columns; column += 32) {
    long row = 0;
    TILES(8, 2)
    TILES(4, 2)
    TILES(1, 2)
  }
  if (column == columns) return;
  long row = 0;
  TILES(8, 1)
  TILES(1, 1)
#undef TILES
}
