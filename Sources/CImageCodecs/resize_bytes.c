// The passes of a resize as products of bytes: weights in three digits of 8 bits, four taps in one instruction.
//
// w = d0 + 2^8 d1 + 2^16 d2 with digits of -128 ... 127, so that the sum over taps of pixel times w is that of its
// products with d0, d1 and d2, which AVX-512 VNNI sums up four at a time without rounding: the bits are those of
// resize.c. Needs weights below 127 * 2^16, which those of a resize are.

#include "resize.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define BYTES __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define HELPER BYTES __attribute__((always_inline)) static inline

#define DIGITS 3
#define ROOM 3072  // numbers of four digits that are held at once: 1024 groups of four taps

int ic_has_byte_products(void) {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512vnni");
}

// The digits of `count` weights, a multiple of 4: d0, d1 and d2 of four weights, then those of the next four.
static int split(const int32_t *weights, size_t count, int32_t *digits) {
  int fits = 1;
  for (size_t t = 0; t < count; t += 4, digits += DIGITS) {
    uint32_t packed[DIGITS] = {0};
    for (int k = 0; k < 4; k++) {
      int32_t rest = weights[t + (size_t)k];
      for (int d = 0; d < DIGITS; d++) {
        int8_t digit = (int8_t)rest;
        packed[d] |= (uint32_t)(uint8_t)digit << (8 * k);
        rest = (rest - digit) >> 8;
      }
      fits &= rest == 0;
    }
    memcpy(digits, packed, sizeof packed);
  }
  return fits;
}

HELPER __m512i dot(__m512i sums, __m512i pixels, int32_t digits) {
  return _mm512_dpbusd_epi32(sums, pixels, _mm512_set1_epi32(digits));
}

HELPER __m512i value(const __m512i s[DIGITS]) {
  __m512i high = _mm512_add_epi32(s[1], _mm512_slli_epi32(s[2], 8));
  return _mm512_srai_epi32(_mm512_add_epi32(s[0], _mm512_slli_epi32(high, 8)), IC_WEIGHT_BITS);
}

#define HALF _mm512_set1_epi32(1 << (IC_WEIGHT_BITS - 1))

// ---- along rows ----

// One output pixel of four rows; reads as `resample_rows_together` does. Each quarter has r, g, b of a row.
HELPER __m512i four_rows(const uint8_t *pixels, size_t row_bytes, int32_t count, const int32_t *digits) {
  const __m512i by_channel = _mm512_broadcast_i32x4(
      _mm_setr_epi8(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1));
  __m512i s[DIGITS] = {HALF, _mm512_setzero_si512(), _mm512_setzero_si512()};
  for (int32_t t = 0; t < count; t += 4, pixels += 12, digits += DIGITS) {
    __m512i four = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)pixels));
    four = _mm512_inserti32x4(four, _mm_loadu_si128((const __m128i *)(pixels + row_bytes)), 1);
    four = _mm512_inserti32x4(four, _mm_loadu_si128((const __m128i *)(pixels + 2 * row_bytes)), 2);
    four = _mm512_inserti32x4(four, _mm_loadu_si128((const __m128i *)(pixels + 3 * row_bytes)), 3);
    four = _mm512_shuffle_epi8(four, by_channel);
    for (int d = 0; d < DIGITS; d++) s[d] = dot(s[d], four, digits[d]);
  }
  return value(s);
}

BYTES static void columns_of_four_rows(const uint8_t *rows, size_t row_bytes, uint8_t *dst, size_t dst_bytes,
                                       size_t outputs, const int32_t *starts, const int32_t *counts,
                                       const int32_t *digits, size_t step) {
  const __m512i packed_rgb = _mm512_broadcast_i32x4(
      _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
  for (size_t x = 0; x < outputs; x += 4, dst += 12) {
    size_t n = outputs - x < 4 ? outputs - x : 4;
    __m512i v[4];
    for (size_t k = 0; k < 4; k++) {
      size_t i = x + (k < n ? k : n - 1);
      v[k] = four_rows(rows + (size_t)starts[i] * 3, row_bytes, counts[i], digits + i * step);
    }
    // Packing clips; a quarter then has four pixels of a row.
    __m512i bytes = _mm512_packus_epi16(_mm512_packs_epi32(v[0], v[1]), _mm512_packs_epi32(v[2], v[3]));
    bytes = _mm512_shuffle_epi8(bytes, packed_rgb);
    __mmask16 kept = (__mmask16)((1u << (3 * n)) - 1);
    _mm_mask_storeu_epi8(dst, kept, _mm512_castsi512_si128(bytes));
    _mm_mask_storeu_epi8(dst + dst_bytes, kept, _mm512_extracti32x4_epi32(bytes, 1));
    _mm_mask_storeu_epi8(dst + 2 * dst_bytes, kept, _mm512_extracti32x4_epi32(bytes, 2));
    _mm_mask_storeu_epi8(dst + 3 * dst_bytes, kept, _mm512_extracti32x4_epi32(bytes, 3));
  }
}

int ic_byte_columns(const uint8_t *src, size_t row_bytes, size_t rows, uint8_t *dst, size_t dst_width,
                    const int32_t *starts, const int32_t *counts, const int32_t *weights, size_t taps) {
  int32_t digits[ROOM];
  size_t step = taps / 4 * DIGITS, block = ROOM / step / 4 * 4;
  if (block == 0) return 0;
  for (size_t x = 0; x < dst_width; x += block) {
    size_t n = dst_width - x < block ? dst_width - x : block;
    if (!split(weights + x * taps, n * taps, digits)) return 0;
    for (size_t y = 0; y < rows; y += 4)
      columns_of_four_rows(src + y * row_bytes, row_bytes, dst + (y * dst_width + x) * 3, dst_width * 3, n, starts + x,
                           counts + x, digits, step);
  }
  return 1;
}

// ---- across rows ----

// 64 columns of one output row.
HELPER void row_block(const uint8_t *src, size_t row_bytes, uint8_t *dst, __mmask64 kept, int32_t count,
                      const int32_t *digits) {
  __m512i s[4][DIGITS];
  for (int q = 0; q < 4; q++) s[q][0] = HALF, s[q][1] = s[q][2] = _mm512_setzero_si512();
  for (int32_t t = 0; t < count; t += 4, digits += DIGITS) {
    __m512i row[4];
    // Behind the last tap weights are zero.
    for (int k = 0; k < 4; k++)
      row[k] = _mm512_maskz_loadu_epi8(kept, src + (size_t)(t + k < count ? t + k : count - 1) * row_bytes);
    __m512i low01 = _mm512_unpacklo_epi8(row[0], row[1]), high01 = _mm512_unpackhi_epi8(row[0], row[1]);
    __m512i low23 = _mm512_unpacklo_epi8(row[2], row[3]), high23 = _mm512_unpackhi_epi8(row[2], row[3]);
    __m512i four[4] = {_mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
                       _mm512_unpacklo_epi16(high01, high23), _mm512_unpackhi_epi16(high01, high23)};
    for (int q = 0; q < 4; q++)
      for (int d = 0; d < DIGITS; d++) s[q][d] = dot(s[q][d], four[q], digits[d]);
  }
  // Packing clips, and undoes the order of unpacking.
  __m512i bytes = _mm512_packus_epi16(_mm512_packs_epi32(value(s[0]), value(s[1])),
                                      _mm512_packs_epi32(value(s[2]), value(s[3])));
  _mm512_mask_storeu_epi8(dst, kept, bytes);
}

BYTES static void whole_row(const uint8_t *src, size_t row_bytes, uint8_t *dst, int32_t count, const int32_t *digits) {
  for (size_t i = 0; i < row_bytes; i += 64) {
    __mmask64 kept = row_bytes - i < 64 ? ((__mmask64)1 << (row_bytes - i)) - 1 : ~(__mmask64)0;
    row_block(src + i, row_bytes, dst + i, kept, count, digits);
  }
}

int ic_byte_row(const uint8_t *src, size_t row_bytes, uint8_t *dst, int32_t count, const int32_t *weights,
                size_t taps) {
  int32_t digits[ROOM];
  if (taps / 4 * DIGITS > ROOM || !split(weights, taps, digits)) return 0;
  whole_row(src, row_bytes, dst, count, digits);
  return 1;
}
#else
int ic_has_byte_products(void) { return 0; }

int ic_byte_columns(const uint8_t *src, size_t row_bytes, size_t rows, uint8_t *dst, size_t dst_width,
                    const int32_t *starts, const int32_t *counts, const int32_t *weights, size_t taps) {
  (void)src, (void)row_bytes, (void)rows, (void)dst, (void)dst_width;
  (void)starts, (void)counts, (void)weights, (void)taps;
  return 0;
}

int ic_byte_row(const uint8_t *src, size_t row_bytes, uint8_t *dst, int32_t count, const int32_t *weights,
                size_t taps) {
  (void)src, (void)row_bytes, (void)dst, (void)count, (void)weights, (void)taps;
  return 0;
}
#endif
