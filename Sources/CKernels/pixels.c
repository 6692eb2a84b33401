// Pixels of 8 bits, interleaved, and planes of floats in [-1, 1].
#include "kernels.h"
#include "wide.h"

#define CHUNK 16384L  // pixels of a task, 192 KiB of floats

struct image {
  const uint8_t *pixels;
  const float *plain;
  float *to_plain;
  uint8_t *to_pixels;
  long hw;
};

CK_WIDE static void pixels_to_plain(void *context, long task) {
  const struct image *s = context;
  const long chunks = ck_chunks(s->hw, CHUNK), image = task / chunks, first = task % chunks * CHUNK;
  const long count = ck_minimum(CHUNK, s->hw - first);
  const uint8_t *restrict from = s->pixels + (image * s->hw + first) * 3;
  float *restrict red = s->to_plain + image * 3 * s->hw + first;
  float *restrict green = red + s->hw, *restrict blue = green + s->hw;
  for (long i = 0; i < count; i++) {
    red[i] = from[3 * i] / 127.5f - 1;
    green[i] = from[3 * i + 1] / 127.5f - 1;
    blue[i] = from[3 * i + 2] / 127.5f - 1;
  }
}

void ck_pixels_to_plain(const uint8_t *pixels, float *plain, long n, long hw) {
  struct image s = {.pixels = pixels, .to_plain = plain, .hw = hw};
  ck_parallel(n * ck_chunks(hw, CHUNK), pixels_to_plain, &s);
}

// NaN fails both comparisons in turn and becomes black.
CK_INLINE uint8_t level(float value) {
  value = value > -1 ? value : -1;
  value = value < 1 ? value : 1;
  return (uint8_t)(int)((value + 1) * 127.5f + 0.5f);
}

CK_WIDE static void plain_to_pixels(void *context, long task) {
  const struct image *s = context;
  const long chunks = ck_chunks(s->hw, CHUNK), image = task / chunks, first = task % chunks * CHUNK;
  const long count = ck_minimum(CHUNK, s->hw - first);
  const float *restrict red = s->plain + image * 3 * s->hw + first;
  const float *restrict green = red + s->hw, *restrict blue = green + s->hw;
  uint8_t *restrict to = s->to_pixels + (image * s->hw + first) * 3;
  for (long i = 0; i < count; i++) {
    to[3 * i] = level(red[i]);
    to[3 * i + 1] = level(green[i]);
    to[3 * i + 2] = level(blue[i]);
  }
}

void ck_plain_to_pixels(const float *plain, uint8_t *pixels, long n, long hw) {
  struct image s = {.plain = plain, .to_pixels = pixels, .hw = hw};
  ck_parallel(n * ck_chunks(hw, CHUNK), plain_to_pixels, &s);
}
