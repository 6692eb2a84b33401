// Products of small matrices inside one task: the micro-kernel on the matrices as they stand, without packing, which is
// where a packed product of 32 rows and 32 channels loses its time.
#pragma once

// C [rows, columns] = alpha A B, or that added to C. Element (i, t) of A is a[i * a_row + t * a_column]; B [depth,
// columns] and C have rows ldb and ldc apart; columns is a multiple of 16.
void ck_tile_product(long rows, long columns, long depth, float alpha, const float *a, long a_row, long a_column,
                     const float *b, long ldb, int accumulates, float *c, long ldc);
