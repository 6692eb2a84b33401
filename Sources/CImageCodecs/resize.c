// The two passes of a separable resize in Pillow's fixed-point arithmetic (ImagingResample): 22-bit
// weights, 32-bit sums, each pass rounded and clipped to 8 bits.

#include "resize.h"

#include <string.h>

// Mach-O has no loader that picks a clone.
#if defined(__x86_64__) && !defined(CK_ONE_CLONE) && !defined(__APPLE__)
#define WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define WIDE
#endif

#define HALF (1 << (IC_WEIGHT_BITS - 1))

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef int32_t ints4 __attribute__((vector_size(16)));
typedef int32_t ints16 __attribute__((vector_size(64)));

static inline uint8_t clipped(int32_t sum) {
  int32_t value = sum >> IC_WEIGHT_BITS;
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

// One row, one value at a time; reads nothing but the row.
static void resample_one_row(const uint8_t *row, uint8_t *dst, size_t dst_width,
                             const int32_t *starts, const int32_t *counts, const int32_t *weights,
                             size_t taps) {
  for (size_t x = 0; x < dst_width; x++, dst += 3) {
    const uint8_t *pixel = row + (size_t)starts[x] * 3;
    const int32_t *w = weights + x * taps;
    int32_t r = HALF, g = HALF, b = HALF;
    for (int32_t t = 0; t < counts[x]; t++, pixel += 3) {
      r += pixel[0] * w[t];
      g += pixel[1] * w[t];
      b += pixel[2] * w[t];
    }
    dst[0] = clipped(r);
    dst[1] = clipped(g);
    dst[2] = clipped(b);
  }
}

#define ROWS 4  // rows that share the loads of the weights

// ROWS rows, four taps of three channels at a time; reads up to 16 bytes past the end of a row,
// where the weights are zero.
WIDE static void resample_rows_together(const uint8_t *rows, size_t row_bytes, uint8_t *dst,
                                        size_t dst_width, const int32_t *starts,
                                        const int32_t *counts, const int32_t *weights,
                                        size_t taps) {
  for (size_t x = 0; x < dst_width; x++) {
    const uint8_t *pixels = rows + (size_t)starts[x] * 3;
    const int32_t *w = weights + x * taps;
    ints16 sums[ROWS] = {{0}};
    for (int32_t t = 0; t < counts[x]; t += 4, pixels += 12) {
      ints4 four;
      memcpy(&four, w + t, sizeof four);
      ints16 weight = __builtin_shufflevector(four, four, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3,
                                              3, 3);
      for (int y = 0; y < ROWS; y++) {
        bytes16 packed;
        memcpy(&packed, pixels + (size_t)y * row_bytes, sizeof packed);
        // r g b and a byte that is not used, for each of four pixels
        bytes16 spread = __builtin_shufflevector(packed, packed, 0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0,
                                                 9, 10, 11, 0);
        sums[y] += __builtin_convertvector(spread, ints16) * weight;
      }
    }
    // The four partial sums of every row are added pairwise: after the first step the halves of
    // a vector belong to two rows, after the second its quarters to the four rows.
    ints16 rows01 = __builtin_shufflevector(sums[0], sums[1], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18,
                                            19, 20, 21, 22, 23) +
                    __builtin_shufflevector(sums[0], sums[1], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25,
                                            26, 27, 28, 29, 30, 31);
    ints16 rows23 = __builtin_shufflevector(sums[2], sums[3], 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18,
                                            19, 20, 21, 22, 23) +
                    __builtin_shufflevector(sums[2], sums[3], 8, 9, 10, 11, 12, 13, 14, 15, 24, 25,
                                            26, 27, 28, 29, 30, 31);
    ints16 total = __builtin_shufflevector(rows01, rows23, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19,
                                           24, 25, 26, 27) +
                   __builtin_shufflevector(rows01, rows23, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22,
                                           23, 28, 29, 30, 31);
    ints16 value = (total + HALF) >> IC_WEIGHT_BITS;
    value = __builtin_elementwise_min(__builtin_elementwise_max(value, (ints16){0}), (ints16){0} + 255);
    bytes16 packed = __builtin_convertvector(value, bytes16);
    for (int y = 0; y < ROWS; y++) {
      memcpy(dst + ((size_t)y * dst_width + x) * 3, (uint8_t *)&packed + 4 * y, 3);
    }
  }
}

// Rows in whole groups whose last one has 16 bytes of another row behind it.
static size_t grouped_rows(size_t row_bytes, size_t rows) {
  size_t behind = (16 + row_bytes - 1) / row_bytes;
  return rows < behind ? 0 : (rows - behind) / ROWS * ROWS;
}

static void resample_from(size_t y, const uint8_t *src, size_t row_bytes, size_t rows, uint8_t *dst,
                          size_t dst_width, const int32_t *starts, const int32_t *counts,
                          const int32_t *weights, size_t taps) {
  for (size_t grouped = grouped_rows(row_bytes, rows); y < grouped; y += ROWS) {
    resample_rows_together(src + y * row_bytes, row_bytes, dst + y * dst_width * 3, dst_width,
                           starts, counts, weights, taps);
  }
  for (; y < rows; y++) {
    resample_one_row(src + y * row_bytes, dst + y * dst_width * 3, dst_width, starts, counts,
                     weights, taps);
  }
}

void ic_resample_columns_plain(const uint8_t *src, size_t src_width, size_t rows, uint8_t *dst,
                               size_t dst_width, const int32_t *starts, const int32_t *counts,
                               const int32_t *weights, size_t taps) {
  resample_from(0, src, src_width * 3, rows, dst, dst_width, starts, counts, weights, taps);
}

void ic_resample_columns(const uint8_t *src, size_t src_width, size_t rows, uint8_t *dst,
                         size_t dst_width, const int32_t *starts, const int32_t *counts,
                         const int32_t *weights, size_t taps) {
  size_t grouped = grouped_rows(src_width * 3, rows);
  int done = ic_has_byte_products() && ic_byte_columns(src, src_width * 3, grouped, dst, dst_width,
                                                       starts, counts, weights, taps);
  resample_from(done ? grouped : 0, src, src_width * 3, rows, dst, dst_width, starts, counts,
                weights, taps);
}

#define BLOCK 64  // columns whose sums stay in registers

WIDE static void resample_row(const uint8_t *src, size_t row_bytes, uint8_t *restrict dst,
                              int32_t count, const int32_t *w) {
  size_t i = 0;
  for (; i + BLOCK <= row_bytes; i += BLOCK) {
    int32_t sums[BLOCK];
    for (int k = 0; k < BLOCK; k++) sums[k] = HALF;
    for (int32_t t = 0; t < count; t++) {
      const uint8_t *row = src + (size_t)t * row_bytes + i;
      for (int k = 0; k < BLOCK; k++) sums[k] += row[k] * w[t];
    }
    for (int k = 0; k < BLOCK; k++) dst[i + k] = clipped(sums[k]);
  }
  for (; i < row_bytes; i++) {
    int32_t sum = HALF;
    for (int32_t t = 0; t < count; t++) sum += src[(size_t)t * row_bytes + i] * w[t];
    dst[i] = clipped(sum);
  }
}

void ic_resample_rows_plain(const uint8_t *src, size_t row_bytes, uint8_t *dst, size_t dst_height,
                            const int32_t *starts, const int32_t *counts, const int32_t *weights,
                            size_t taps) {
  for (size_t y = 0; y < dst_height; y++) {
    resample_row(src + (size_t)starts[y] * row_bytes, row_bytes, dst + y * row_bytes, counts[y],
                 weights + y * taps);
  }
}

void ic_resample_rows(const uint8_t *src, size_t row_bytes, uint8_t *dst, size_t dst_height,
                      const int32_t *starts, const int32_t *counts, const int32_t *weights,
                      size_t taps) {
  int has_bytes = ic_has_byte_products();
  for (size_t y = 0; y < dst_height; y++) {
    const uint8_t *first = src + (size_t)starts[y] * row_bytes;
    const int32_t *w = weights + y * taps;
    if (has_bytes && ic_byte_row(first, row_bytes, dst + y * row_bytes, counts[y], w, taps)) {
      continue;
    }
    resample_row(first, row_bytes, dst + y * row_bytes, counts[y], w);
  }
}
