// What the directions of a convolution without a transform have in common: its axes, and strips of pixels with the padded
// patch of input under them.
#pragma once

#include <string.h>

#include "convolution.h"
#include "pair_product.h"

#define STRIP 128  // pixels

// One axis of a convolution: of the pixels that are computed, which input pixels and which taps each sees.
struct axis {
  long pixels;
  long in_size, in_stride, in_first;      // pixel i sees input i * in_stride + in_first + t * in_step at its tap t
  long in_step;
  long taps, first_tap, tap_step;         // tap t is number first_tap + t * tap_step of the kernel
  long out_size, out_stride, out_first;   // pixel i is output i * out_stride + out_first
  long length, strips;                    // pixels of a strip
};

struct direct {
  const float *x, *weights, *bias;
  float *y;
  struct axis down, across;
  long in_blocks, out_blocks, out_channels;
  long kernel, kernel_height;              // columns and rows of the kernel
  int relu, in_place;
  int pairs;                               // multiplies pairs of bfloat16 values; weights are such pairs
  struct ck_register_tile tile;
  long chunk;                              // channel blocks that are summed at once
  long outputs;                            // output blocks of a task
  long patch_height, patch_width;          // input pixels of a strip

  // Weight gradient
  const float *dy;
  float *partial;  // dweights of the parts but the first
  long images, parts, inputs;
};

CK_INLINE struct axis ck_forward_axis(long in_size, long out_size, long pad, long taps, const ck_convolution *s) {
  return (struct axis){.pixels = out_size,
                       .in_size = in_size,
                       .in_stride = s->stride,
                       .in_first = -pad,
                       .in_step = s->dilation,
                       .taps = taps,
                       .tap_step = 1,
                       .out_size = out_size,
                       .out_stride = 1};
}

CK_INLINE void cut_into_strips(struct axis *axis, long length) {
  axis->length = ck_maximum(1, ck_minimum(length, axis->pixels));
  axis->strips = ck_chunks(axis->pixels, axis->length);
}

CK_INLINE long patch_size(const struct axis *axis) {
  return (axis->length - 1) * axis->in_stride + ck_maximum(0, axis->taps - 1) * axis->in_step + 1;
}

// Strips of about STRIP pixels, a few lines high.
CK_INLINE void ck_lay_out(struct direct *p) {
  p->tile = ck_register_tile();
  // Of a 1x1 kernel the strip is the patch.
  const struct axis *d = &p->down, *a = &p->across;
  p->in_place = d->taps == 1 && a->taps == 1 && d->in_stride == 1 && a->in_stride == 1 && d->in_first == 0 &&
                a->in_first == 0 && d->pixels == d->in_size && a->pixels == a->in_size && d->out_stride == 1 &&
                a->out_stride == 1;
  if (p->in_place) {  // the whole image is one line
    p->across.pixels = p->across.in_size = p->across.out_size = d->pixels * a->pixels;
    p->down.pixels = p->down.in_size = p->down.out_size = 1;
  }
  cut_into_strips(&p->across, p->in_place ? STRIP : p->across.pixels < 64 ? 64 : 32);
  cut_into_strips(&p->down, STRIP / p->across.length);
  p->patch_height = patch_size(&p->down), p->patch_width = patch_size(&p->across);
}

// Where a strip begins, and its size.
struct strip {
  long image, top, left, height, width;
};

CK_INLINE struct strip ck_strip_at(const struct direct *p, long i) {
  const long across = p->across.strips, down = p->down.strips;
  const long top = i / across % down * p->down.length, left = i % across * p->across.length;
  return (struct strip){i / across / down, top, left, ck_minimum(p->down.length, p->down.pixels - top),
                        ck_minimum(p->across.length, p->across.pixels - left)};
}

// The input under a strip, of channel block c, padded with zeros; its rows are patch_width pixels long.
CK_INLINE void ck_copy_patch(const struct direct *p, const struct strip *strip, long c, float *to) {
  const struct axis *down = &p->down, *across = &p->across;
  const float *plane = p->x + (strip->image * p->in_blocks + c) * down->in_size * across->in_size * CK_BLOCK;
  const long top = strip->top * down->in_stride + down->in_first;
  const long left = strip->left * across->in_stride + across->in_first;
  const long before = ck_minimum(p->patch_width, ck_maximum(0, -left));
  const long inside = ck_minimum(p->patch_width, across->in_size - left) - before;
  for (long i = 0; i < p->patch_height; i++, to += p->patch_width * CK_BLOCK) {
    if (top + i < 0 || top + i >= down->in_size || inside <= 0) {
      memset(to, 0, (size_t)(p->patch_width * CK_BLOCK) * sizeof(float));
      continue;
    }
    const float *from = plane + ((top + i) * across->in_size + left + before) * CK_BLOCK;
    memset(to, 0, (size_t)(before * CK_BLOCK) * sizeof(float));
    memcpy(to + before * CK_BLOCK, from, (size_t)(inside * CK_BLOCK) * sizeof(float));
    memset(to + (before + inside) * CK_BLOCK, 0,
           (size_t)((p->patch_width - before - inside) * CK_BLOCK) * sizeof(float));
  }
}
