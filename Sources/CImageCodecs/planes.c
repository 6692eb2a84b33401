// Weighted sums along one axis of an image, in floats.
#include "image_codecs.h"

void ic_plane_columns(const uint8_t *pixels, size_t width, size_t height, size_t channel, float *to, size_t columns,
                      const int32_t *starts, const int32_t *counts, const double *weights, size_t taps) {
  for (size_t y = 0; y < height; y++)
    for (size_t x = 0; x < columns; x++) {
      const uint8_t *from = pixels + (y * width + (size_t)starts[x]) * 3 + channel;
      double sum = 0;
      for (int32_t k = 0; k < counts[x]; k++) sum += weights[x * taps + (size_t)k] * from[3 * k];
      to[y * columns + x] = (float)sum;
    }
}

void ic_plane_rows(const float *from, size_t columns, float *to, size_t rows, const int32_t *starts,
                   const int32_t *counts, const double *weights, size_t taps) {
  for (size_t y = 0; y < rows; y++)
    for (size_t x = 0; x < columns; x++) {
      double sum = 0;
      for (int32_t k = 0; k < counts[y]; k++)
        sum += weights[y * taps + (size_t)k] * from[((size_t)starts[y] + (size_t)k) * columns + x];
      // Only a cubic leaves the range.
      to[y * columns + x] = (float)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
    }
}
