// The micro-kernel of every product: a register tile of R rows by V vectors of 16 columns, C[r][v] = sum over k of
// A[r][k] * B[k][v], with A read as broadcasts and B and C as lanes. Convolutions call it on the blocked layout as it
// stands, matrix products on packed panels. R and V are constants of the caller, so that the sums stay in registers.
//
// Tiles: 12 x 2 with 32 registers of 512 bits (24 sums hide the latency of two multiply-add units, 14 loads feed 24 of
// them), 6 x 1 elsewhere (12 sums and 4 operands in 16 registers of 256 bits; NEON's 24 sums in 32 of 128). A tile
// never changes a result's bits: each element is summed in the order of k, whatever the tile.
#pragma once

#include "lanes.h"

#define CK_MAX_ROWS 12
#define CK_MAX_VECTORS 2

struct ck_register_tile {
  long rows, vectors;
};

CK_INLINE struct ck_register_tile ck_register_tile(void) {
  return ck_has_wide_registers() ? (struct ck_register_tile){12, 2} : (struct ck_register_tile){6, 1};
}

// Rows are cut into groups as equal as can be, none longer than a tile: group g of `groups` begins at this row.
CK_INLINE long ck_group_start(long rows, long groups, long g) {
  return rows / groups * g + ck_minimum(g, rows % groups);
}

// CALL(R, V) with the constants for these numbers of rows and vectors.
#define CK_ROWS_SWITCH(R, V, CALL) \
  switch (R) { \
  case 12: CALL(12, V); break; \
  case 11: CALL(11, V); break; \
  case 10: CALL(10, V); break; \
  case 9: CALL(9, V); break; \
  case 8: CALL(8, V); break; \
  case 7: CALL(7, V); break; \
  case 6: CALL(6, V); break; \
  case 5: CALL(5, V); break; \
  case 4: CALL(4, V); break; \
  case 3: CALL(3, V); break; \
  case 2: CALL(2, V); break; \
  default: CALL(1, V); \
  }
#define CK_TILE_SWITCH(rows, vectors, CALL) \
  if ((vectors) == 2) { \
    CK_ROWS_SWITCH(rows, 2, CALL) \
  } else { \
    CK_ROWS_SWITCH(rows, 1, CALL) \
  }

CK_INLINE void ck_clear_sums(ck_lanes s[CK_MAX_ROWS][CK_MAX_VECTORS], const int R, const int V) {
#pragma clang loop unroll(full)
  for (int r = 0; r < R; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++) s[r][v] = 0;
}

// s += A B over `depth` steps: row r of A at a + r * a_row, a step a_step further; B's vectors b_vector apart, a step 16
// floats further.
CK_INLINE void ck_add_products(ck_lanes s[CK_MAX_ROWS][CK_MAX_VECTORS], const float *a, long a_row, long a_step,
                               const float *b, long b_vector, long b_step, long depth, const int R, const int V) {
  CK_FAST
#pragma clang loop unroll_count(4)
  for (long i = 0; i < depth; i++) {
    ck_lanes y[CK_MAX_VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++) y[v] = CK_LOAD(b + v * b_vector + i * b_step);
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
      const float x = a[r * a_row + i * a_step];
#pragma clang loop unroll(full)
      for (int v = 0; v < V; v++) s[r][v] += x * y[v];
    }
  }
}

// C = s, or C += s: sums of parts are added to one another, which makes the parts short and the rounding error small.
CK_INLINE void ck_store_sums(ck_lanes s[CK_MAX_ROWS][CK_MAX_VECTORS], float *c, long c_row, long c_vector, int add,
                             const int R, const int V) {
#pragma clang loop unroll(full)
  for (int v = 0; v < V; v++)
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
      float *at = c + r * c_row + v * c_vector;
      CK_STORE(at, add ? CK_LOAD(at) + s[r][v] : s[r][v]);
    }
}
