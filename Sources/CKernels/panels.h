// Packed factors of a matrix product: what the micro-kernel reads from front to back.
//
// The first factor is cut into groups of `rows` rows, [group][depth][rows of the group]; the second into panels of
// `width` columns, [panel][depth][width], zero past the last column. Elements are 32 bits: floats, or pairs of bfloat16
// values that stand one after the other along the depth.
#pragma once

#include "transpose.h"

// Of 16 lanes, the first `count` to `to`. Unless these are the last of a group, what follows is overwritten too: the next
// store brings it back.
CK_INLINE void ck_store_lanes(float *to, long count, const ck_lanes *lanes, int last) {
  if (last && count < CK_BLOCK)
    ck_store_some(to, count, lanes);
  else
    CK_STORE(to, *lanes);
}

// `count` (at most 16) rows of a matrix, `ld` apart, as [depth][count].
CK_INLINE void ck_pack_rows(const float *from, long ld, long count, long depth, float *to) {
  for (long k = 0; k < depth; k += CK_BLOCK) {
    const long columns = ck_minimum(CK_BLOCK, depth - k);
    if (columns == CK_BLOCK) {
      ck_lanes r[CK_BLOCK];
#pragma clang loop unroll(full)
      for (int i = 0; i < CK_BLOCK; i++) r[i] = CK_LOAD(from + ck_minimum(i, count - 1) * ld + k);
      ck_transpose_lanes(r);
#pragma clang loop unroll(full)
      for (int j = 0; j < CK_BLOCK; j++)
        ck_store_lanes(to + (k + j) * count, count, &r[j], j == CK_BLOCK - 1 && k + CK_BLOCK == depth);
    } else {
      for (long j = 0; j < columns; j++)
        for (long i = 0; i < count; i++) to[(k + j) * count + i] = from[i * ld + k + j];
    }
  }
}

// The same of a matrix that is stored transposed: element (i, k) at from[k * ld + i]. `readable` elements follow in each
// row, at least `count`.
CK_INLINE void ck_pack_columns(const float *from, long ld, long count, long readable, long depth, float *to) {
  if (readable >= CK_BLOCK) {
#pragma clang loop unroll_count(4)
    for (long k = 0; k < depth; k++) {
      const ck_lanes row = CK_LOAD(from + k * ld);
      ck_store_lanes(to + k * count, count, &row, k + 1 == depth);
    }
    return;
  }
  for (long k = 0; k < depth; k++)
    for (long i = 0; i < count; i++) to[k * count + i] = from[k * ld + i];
}

// A panel of `width` columns, of which `count` exist: element (k, j) at from[k * ld + j].
CK_INLINE void ck_pack_panel(const float *from, long ld, long count, long width, long depth, float *to) {
  for (long k = 0; k < depth; k++, to += width)
    for (long j = 0; j < width; j += CK_BLOCK)
      if (j + CK_BLOCK <= count) {
        CK_STORE(to + j, CK_LOAD(from + k * ld + j));
      } else {
        for (long i = 0; i < CK_BLOCK; i++) to[j + i] = j + i < count ? from[k * ld + j + i] : 0;
      }
}

// The same of a matrix that is stored transposed: element (k, j) at from[j * ld + k].
CK_INLINE void ck_pack_transposed_panel(const float *from, long ld, long count, long width, long depth, float *to) {
  for (long j = 0; j < width; j += CK_BLOCK)
    for (long k = 0; k < depth; k += CK_BLOCK) {
      const long rows = ck_maximum(0, ck_minimum(CK_BLOCK, count - j));
      ck_transpose_tile(from + j * ld + k, ld, rows, ck_minimum(CK_BLOCK, depth - k), to + k * width + j, width,
                        CK_BLOCK);
    }
}
