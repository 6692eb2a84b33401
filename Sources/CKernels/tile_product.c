#include "tile_product.h"

#include "micro_product.h"

#define ROWS 8  // at most, in a tile: blocks of 32 queries are cut into equal tiles

CK_WIDE void ck_tile_product(long rows, long columns, long depth, float alpha, const float *a, long a_row,
                             long a_column, const float *b, long ldb, int accumulates, float *c, long ldc) {
  CK_FAST
  const struct ck_register_tile tile = ck_register_tile();
  const long groups = ck_chunks(rows, ck_minimum(ROWS, tile.rows));
  ck_lanes s[CK_MAX_ROWS][CK_MAX_VECTORS];
  for (long column = 0; column < columns; column += tile.vectors * CK_BLOCK)
    for (long g = 0; g < groups; g++) {
      const long row = ck_group_start(rows, groups, g), some = ck_group_start(rows, groups, g + 1) - row;
      float *to = c + row * ldc + column;
#define CALL(R, V) \
  ck_clear_sums(s, R, V); \
  ck_add_products(s, a + row * a_row, a_row, a_column, b + column, CK_BLOCK, ldb, depth, R, V); \
  _Pragma("clang loop unroll(full)") for (int v = 0; v < V; v++) \
      _Pragma("clang loop unroll(full)") for (int r = 0; r < R; r++) s[r][v] *= alpha; \
  ck_store_sums(s, to, ldc, CK_BLOCK, accumulates, R, V);
      CK_TILE_SWITCH(some, ck_minimum(tile.vectors, (columns - column) / CK_BLOCK), CALL)
#undef CALL
    }
}
