// The micro-kernel on pairs of bfloat16 values: a 32-bit element is two of them that stand one after the other along the
// depth, the sums are floats. Only where ck_has_bfloat16().
#pragma once

#include "micro_product.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define CK_PAIRS __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define CK_PAIRS_INLINE static inline __attribute__((always_inline)) CK_PAIRS

// As ck_add_products; depth counts pairs.
CK_PAIRS_INLINE void ck_add_pair_products(ck_lanes s[CK_MAX_ROWS][CK_MAX_VECTORS], const float *a, long a_row,
                                          long a_step, const float *b, long b_vector, long b_step, long depth,
                                          const int R, const int V) {
#pragma clang loop unroll_count(4)
  for (long i = 0; i < depth; i++) {
    __m512bh y[CK_MAX_VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < V; v++) y[v] = (__m512bh)_mm512_loadu_ps(b + v * b_vector + i * b_step);
#pragma clang loop unroll(full)
    for (int r = 0; r < R; r++) {
      const __m512bh x = (__m512bh)_mm512_set1_ps(a[r * a_row + i * a_step]);
#pragma clang loop unroll(full)
      for (int v = 0; v < V; v++) s[r][v] = _mm512_dpbf16_ps(s[r][v], x, y[v]);
    }
  }
}

// Sixteen pairs of two vectors, rounded to the nearest.
CK_PAIRS_INLINE void ck_pair_vectors(const ck_lanes *low, const ck_lanes *high, float *to) {
  const __m512i order = (__m512i)__builtin_shufflevector(
      (__v32hi){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
                29, 30, 31},
      (__v32hi){0}, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,
      14, 30, 15, 31);
  const __m512i rounded = (__m512i)_mm512_cvtne2ps_pbh(*high, *low);
  _mm512_storeu_si512(to, _mm512_permutexvar_epi16(order, rounded));
}

// `count` vectors, `step` floats apart, as pairs of one and the next; the last of an odd number with zero.
CK_PAIRS_INLINE void ck_pair_rows(const float *from, long step, long count, float *to) {
  for (long i = 0; i < count; i += 2, to += CK_BLOCK) {
    const ck_lanes low = CK_LOAD(from + i * step);
    const ck_lanes high = i + 1 < count ? CK_LOAD(from + (i + 1) * step) : 0;
    ck_pair_vectors(&low, &high, to);
  }
}

// Eight pairs of each vector's neighbours.
CK_PAIRS_INLINE void ck_pair_neighbours(const float *from, long vectors, float *to) {
  for (long i = 0; i < vectors; i++)
    _mm256_storeu_si256((__m256i *)(to + i * CK_BLOCK / 2),
                        (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(from + i * CK_BLOCK)));
}
#else
#define CK_PAIRS
#endif
