// The two passes of a separable resize in Pillow's fixed-point arithmetic (ImagingResample): 22-bit
// weights, 32-bit sums, each pass rounded and clipped to 8 bits.

#include "image_codecs.h"

#define WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

static inline uint8_t clipped(int32_t sum) {
  int32_t value = sum >> IC_WEIGHT_BITS;
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

#define HALF (1 << (IC_WEIGHT_BITS - 1))

void ic_resample_columns(const uint8_t *src, size_t src_width, size_t rows, uint8_t *dst,
                         size_t dst_width, const int32_t *starts, const int32_t *counts,
                         const int32_t *weights, size_t taps) {
  for (size_t y = 0; y < rows; y++) {
    const uint8_t *row = src + y * src_width * 3;
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

void ic_resample_rows(const uint8_t *src, size_t row_bytes, uint8_t *dst, size_t dst_height,
                      const int32_t *starts, const int32_t *counts, const int32_t *weights,
                      size_t taps) {
  for (size_t y = 0; y < dst_height; y++) {
    resample_row(src + (size_t)starts[y] * row_bytes, row_bytes, dst + y * row_bytes, counts[y],
                 weights + y * taps);
  }
}
