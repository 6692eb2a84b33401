// Transposition of a 16 x 16 tile in registers, the step of every change of layout.
#pragma once

#include "lanes.h"

// r[i][j] and r[j][i] change positions.
CK_INLINE void ck_transpose_lanes(ck_lanes r[CK_BLOCK]) {
#pragma clang loop unroll(full)
  for (int i = 0; i < CK_BLOCK; i += 4) {
    const ck_lanes a = CK_LOW_SINGLES(r[i], r[i + 1]), b = CK_HIGH_SINGLES(r[i], r[i + 1]);
    const ck_lanes c = CK_LOW_SINGLES(r[i + 2], r[i + 3]), d = CK_HIGH_SINGLES(r[i + 2], r[i + 3]);
    r[i] = CK_LOW_PAIRS(a, c);
    r[i + 1] = CK_HIGH_PAIRS(a, c);
    r[i + 2] = CK_LOW_PAIRS(b, d);
    r[i + 3] = CK_HIGH_PAIRS(b, d);
  }
  // Quarter q of r[4 g + k] now holds column 4 q + k of rows 4 g ... 4 g + 3.
#pragma clang loop unroll(full)
  for (int k = 0; k < 4; k++) {
    const ck_lanes a = CK_EVEN_QUARTERS(r[k], r[4 + k]), b = CK_ODD_QUARTERS(r[k], r[4 + k]);
    const ck_lanes c = CK_EVEN_QUARTERS(r[8 + k], r[12 + k]), d = CK_ODD_QUARTERS(r[8 + k], r[12 + k]);
    r[k] = CK_EVEN_QUARTERS(a, c);
    r[4 + k] = CK_EVEN_QUARTERS(b, d);
    r[8 + k] = CK_ODD_QUARTERS(a, c);
    r[12 + k] = CK_ODD_QUARTERS(b, d);
  }
}

// to[j][i] = from[i][j] for i < rows, j < columns (at most 16 each, strides in floats); rows of `to` are
// `width` >= rows long, zero from `rows` on.
CK_INLINE void ck_transpose_tile(const float *from, long from_stride, long rows, long columns, float *to,
                                 long to_stride, long width) {
  ck_lanes r[CK_BLOCK];
  if (rows == CK_BLOCK && columns == CK_BLOCK) {
#pragma clang loop unroll(full)
    for (int i = 0; i < CK_BLOCK; i++) r[i] = CK_LOAD(from + i * from_stride);
    ck_transpose_lanes(r);
#pragma clang loop unroll(full)
    for (int j = 0; j < CK_BLOCK; j++) CK_STORE(to + j * to_stride, r[j]);
    return;
  }
  for (long j = 0; j < columns; j++) {
    for (long i = 0; i < rows; i++) to[j * to_stride + i] = from[i * from_stride + j];
    for (long i = rows; i < width; i++) to[j * to_stride + i] = 0;
  }
}
