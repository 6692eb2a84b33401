// Convolutions of any kernel, stride and dilation, without a transform: the micro-kernel runs over the taps of a padded
// copy of a strip of the input, which stays in the second-level cache.
//
// A data gradient is a convolution of dy too: with stride s, the pixels of dx fall into s * s classes by their position
// modulo s; each class sees its own subset of the taps, at stride 1.
#include <string.h>

#include "convolution.h"
#include "micro_product.h"
#include "transpose.h"

#define STRIP 128  // pixels
#define STEPS 8    // at least as many taps times channel blocks are summed at once

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
  long kernel, kernel_height;  // columns and rows of the kernel
  int relu, in_place;
  struct ck_register_tile tile;
  long chunk;                              // channel blocks that are summed at once
  long outputs;                            // output blocks of a task
  long patch_height, patch_width;          // input pixels of a strip

  // Weight gradient
  const float *dy;
  float *partial;  // dweights of the parts but the first
  long images, parts, inputs;
};

static struct axis forward_axis(long in_size, long out_size, long pad, long taps, const ck_convolution *s) {
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

static long common_divisor(long a, long b) { return b ? common_divisor(b, a % b) : a; }

// The pixels first, first + stride, ... of dx: dx[i] = sum over taps t of dy[(i + pad - t * dilation) / stride].
static struct axis gradient_axis(long in_size, long out_size, long pad, const ck_convolution *s, long first) {
  const long common = common_divisor(s->stride, s->dilation), step = s->stride / common;
  struct axis axis = {.pixels = ck_chunks(in_size - first, s->stride),
                      .in_size = out_size,
                      .in_stride = 1,
                      .in_step = s->dilation / common,
                      .tap_step = -step,
                      .out_size = in_size,
                      .out_stride = s->stride,
                      .out_first = first};
  for (long t = s->kernel - 1; t >= 0; t--)
    if ((first + pad - t * s->dilation) % s->stride == 0) {
      axis.taps = t / step + 1;
      axis.first_tap = t;
      // (Exact, so the direction in which C rounds does not matter.)
      axis.in_first = (first + pad - t * s->dilation) / s->stride;
      break;
    }
  return axis;
}

static void cut_into_strips(struct axis *axis, long length) {
  axis->length = ck_maximum(1, ck_minimum(length, axis->pixels));
  axis->strips = ck_chunks(axis->pixels, axis->length);
}

static long patch_size(const struct axis *axis) {
  return (axis->length - 1) * axis->in_stride + ck_maximum(0, axis->taps - 1) * axis->in_step + 1;
}

// Strips of about STRIP pixels, a few lines high.
static void lay_out(struct direct *p) {
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

CK_INLINE struct strip strip_at(const struct direct *p, long i) {
  const long across = p->across.strips, down = p->down.strips;
  const long top = i / across % down * p->down.length, left = i % across * p->across.length;
  return (struct strip){i / across / down, top, left, ck_minimum(p->down.length, p->down.pixels - top),
                        ck_minimum(p->across.length, p->across.pixels - left)};
}

// The input under a strip, of channel block c, padded with zeros; its rows are patch_width pixels long.
static void copy_patch(const struct direct *p, const struct strip *strip, long c, float *to) {
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

// ---- forward and data gradient ----

// Sums of one line of a strip and one or two output blocks (+)= the taps of `blocks` channel blocks of its patches.
CK_WIDE static void convolve_line(const struct direct *p, const float *x, long x_line, long x_block, const float *w,
                                  long blocks, float *sums, long sums_vector, long count, int add, long vectors) {
  const struct axis *down = &p->down, *across = &p->across;
  const long taps = p->kernel * p->kernel_height, w_vector = p->in_blocks * taps * 256, row = across->in_stride * CK_BLOCK;
  const long groups = ck_chunks(count, p->tile.rows);
  for (long g = 0; g < groups; g++) {
    const long from = ck_group_start(count, groups, g), rows = ck_group_start(count, groups, g + 1) - from;
    ck_lanes s[CK_MAX_ROWS][CK_MAX_VECTORS];
#define CALL(R, V) \
  ck_clear_sums(s, R, V); \
  for (long k = 0; k < blocks; k++) \
    for (long i = 0; i < down->taps; i++) \
      for (long j = 0; j < across->taps; j++) { \
        const long tap = (down->first_tap + i * down->tap_step) * p->kernel + across->first_tap + j * across->tap_step; \
        ck_add_products(s, x + k * x_block + i * down->in_step * x_line + j * across->in_step * CK_BLOCK + from * row, \
                        row, 1, w + (k * taps + tap) * 256, w_vector, CK_BLOCK, CK_BLOCK, R, V); \
      } \
  ck_store_sums(s, sums + from * CK_BLOCK, CK_BLOCK, sums_vector, add, R, V);
    CK_TILE_SWITCH(rows, vectors, CALL)
#undef CALL
  }
}

CK_WIDE static void store_line(const struct direct *p, long o, const float *sums, long count, float *y) {
  float padded[CK_BLOCK] = {0};
  if (p->bias)
    for (long i = 0; i < ck_minimum(CK_BLOCK, p->out_channels - o * CK_BLOCK); i++) padded[i] = p->bias[o * CK_BLOCK + i];
  const ck_lanes bias = CK_LOAD(padded);
  const long step = p->across.out_stride * CK_BLOCK;
  for (long i = 0; i < count; i++) {
    const ck_lanes value = CK_LOAD(sums + i * CK_BLOCK) + bias;
    CK_STORE(y + i * step, p->relu ? (value > 0 ? value : 0) : value);
  }
}

// Some outputs of one strip.
static void convolve_strip(void *context, long i) {
  const struct direct *p = context;
  const struct axis *down = &p->down, *across = &p->across;
  const long ranges = ck_chunks(p->out_blocks, p->outputs), o = i % ranges * p->outputs;
  const long outputs = ck_minimum(p->outputs, p->out_blocks - o);
  const struct strip strip = strip_at(p, i / ranges);
  const long taps = p->kernel * p->kernel_height, w_block = taps * 256, line = p->patch_width * CK_BLOCK;
  // (One pixel more, so that channel blocks do not share the sets of the cache.)
  const long patch = (p->patch_height * p->patch_width + 1) * CK_BLOCK;
  const long plane = down->in_size * across->in_size * CK_BLOCK, sums_vector = down->length * across->length * CK_BLOCK;
  float *sums = ck_scratch(1, p->outputs * sums_vector + p->chunk * patch), *patches = sums + p->outputs * sums_vector;
  for (long c = 0; c < p->in_blocks; c += p->chunk) {
    const long blocks = ck_minimum(p->chunk, p->in_blocks - c);
    const float *x = patches;
    if (p->in_place)
      x = p->x + (strip.image * p->in_blocks + c) * plane + strip.left * CK_BLOCK;
    else
      for (long k = 0; k < blocks; k++) copy_patch(p, &strip, c + k, patches + k * patch);
    for (long k = 0; k < outputs; k += p->tile.vectors)
      for (long y = 0; y < strip.height; y++)
        convolve_line(p, x + y * down->in_stride * line, line, p->in_place ? plane : patch,
                      p->weights + ((o + k) * p->in_blocks + c) * w_block, blocks,
                      sums + k * sums_vector + y * strip.width * CK_BLOCK, sums_vector, strip.width, c > 0,
                      ck_minimum(p->tile.vectors, outputs - k));
  }
  for (long k = 0; k < outputs; k++)
    for (long y = 0; y < strip.height; y++) {
      const long at_y = (strip.top + y) * down->out_stride + down->out_first;
      const long at_x = strip.left * across->out_stride + across->out_first;
      store_line(p, o + k, sums + k * sums_vector + y * strip.width * CK_BLOCK, strip.width,
                 p->y + (((strip.image * p->out_blocks + o + k) * down->out_size + at_y) * across->out_size + at_x) *
                            CK_BLOCK);
    }
}

static void convolve(struct direct *p, long images) {
  lay_out(p);
  const long strips = images * p->down.strips * p->across.strips, taps = p->down.taps * p->across.taps;
  p->chunk = ck_minimum(p->in_blocks, ck_maximum(1, STEPS / ck_maximum(1, taps)));
  p->outputs = p->out_blocks;
  while (p->outputs > 4 && strips * ck_chunks(p->out_blocks, p->outputs) < 16) p->outputs = ck_chunks(p->outputs, 2);
  ck_parallel(strips * ck_chunks(p->out_blocks, p->outputs), convolve_strip, p);
}

void ck_direct_forward(const ck_convolution *s, const float *x, const float *weights, const float *bias, float *y,
                       int relu) {
  ck_oblong_convolution(s, s->kernel, s->kernel, x, weights, bias, y, relu);
}

void ck_oblong_convolution(const ck_convolution *s, long kernel_height, long kernel_width, const float *x,
                           const float *weights, const float *bias, float *y, int relu) {
  struct direct p = {.x = x,
                     .weights = weights,
                     .bias = bias,
                     .y = y,
                     .relu = relu,
                     .in_blocks = ck_chunks(s->in_channels, CK_BLOCK),
                     .out_blocks = ck_chunks(s->out_channels, CK_BLOCK),
                     .out_channels = s->out_channels,
                     .kernel = kernel_width,
                     .kernel_height = kernel_height,
                     .down = forward_axis(s->in_height, s->out_height, s->pad_top, kernel_height, s),
                     .across = forward_axis(s->in_width, s->out_width, s->pad_left, kernel_width, s)};
  convolve(&p, s->n);
}

struct turn {
  const float *from;
  float *to;
  long in_blocks, out_blocks, taps;
};

// [o][c][tap][16 c][16 o] to [c][o][tap][16 o][16 c]
CK_WIDE static void turn_pair(void *context, long i) {
  const struct turn *t = context;
  const long o = i % t->out_blocks, c = i / t->out_blocks;
  const float *from = t->from + (o * t->in_blocks + c) * t->taps * 256;
  float *to = t->to + i * t->taps * 256;
  for (long tap = 0; tap < t->taps; tap++)
    ck_transpose_tile(from + tap * 256, CK_BLOCK, CK_BLOCK, CK_BLOCK, to + tap * 256, CK_BLOCK, CK_BLOCK);
}

void ck_direct_backward_data(const ck_convolution *s, const float *dy, const float *weights, float *dx) {
  const long in_blocks = ck_chunks(s->in_channels, CK_BLOCK), out_blocks = ck_chunks(s->out_channels, CK_BLOCK);
  const long taps = s->kernel * s->kernel;
  struct turn turn = {weights, ck_scratch(0, in_blocks * out_blocks * taps * 256), in_blocks, out_blocks, taps};
  ck_parallel(in_blocks * out_blocks, turn_pair, &turn);
  for (long y = 0; y < ck_minimum(s->stride, s->in_height); y++)
    for (long x = 0; x < ck_minimum(s->stride, s->in_width); x++) {
      struct direct p = {.x = dy,
                         .weights = turn.to,
                         .y = dx,
                         .in_blocks = out_blocks,
                         .out_blocks = in_blocks,
                         .kernel = s->kernel,
                         .kernel_height = s->kernel,
                         .down = gradient_axis(s->in_height, s->out_height, s->pad_top, s, y),
                         .across = gradient_axis(s->in_width, s->out_width, s->pad_left, s, x)};
      convolve(&p, s->n);
    }
}

// ---- weight gradient ----

// A range of channel blocks times a range of output blocks over one part of the strips.
static void gradient_task(void *context, long i) {
  const struct direct *p = context;
  const struct axis *down = &p->down, *across = &p->across;
  const long outer = ck_chunks(p->out_blocks, p->outputs), ranges = outer * ck_chunks(p->in_blocks, p->inputs);
  const long part = i / ranges, c = i % ranges / outer * p->inputs, o = i % outer * p->outputs;
  const long inputs = ck_minimum(p->inputs, p->in_blocks - c), outputs = ck_minimum(p->outputs, p->out_blocks - o);
  const long strips = p->images * down->strips * across->strips;
  const long first = strips * part / p->parts, end = strips * (part + 1) / p->parts;
  const long block = p->kernel * p->kernel * 256, plane = down->in_size * across->in_size * CK_BLOCK;
  const long dy_plane = down->out_size * across->out_size * CK_BLOCK, line = p->patch_width * CK_BLOCK;
  float *u = ck_scratch(1, p->inputs * p->outputs * block + p->patch_height * p->patch_width * CK_BLOCK);
  float *patch = u + p->inputs * p->outputs * block;
  for (long k = first; k < end; k++) {
    const struct strip strip = strip_at(p, k);
    const float *dy = p->dy + (strip.image * p->out_blocks + o) * dy_plane +
                      (strip.top * across->out_size + strip.left) * CK_BLOCK;
    for (long j = 0; j < inputs; j++) {
      const float *x = patch;
      if (p->in_place)
        x = p->x + (strip.image * p->in_blocks + c + j) * plane + strip.left * CK_BLOCK;
      else
        copy_patch(p, &strip, c + j, patch);
      for (long h = 0; h < outputs; h += p->tile.vectors)
        for (long tap = 0; tap < p->kernel * p->kernel; tap++)
          ck_outer_product(
              x + tap / p->kernel * down->in_step * line + tap % p->kernel * across->in_step * CK_BLOCK,
              across->in_stride * CK_BLOCK, down->in_stride * line, dy + h * dy_plane, across->out_size * CK_BLOCK,
              dy_plane, strip.height, strip.width, u + (j * p->outputs + h) * block + tap * 256, block, k > first,
              ck_minimum(p->tile.vectors, outputs - h));
    }
  }
  float *to = part == 0 ? p->y : p->partial + (part - 1) * p->out_blocks * p->in_blocks * block;
  for (long j = 0; j < inputs; j++)
    for (long h = 0; h < outputs; h++)
      memcpy(to + ((o + h) * p->in_blocks + c + j) * block, u + (j * p->outputs + h) * block,
             (size_t)block * sizeof(float));
}

void ck_direct_backward_weights(const ck_convolution *s, const float *x, const float *dy, float *dweights) {
  struct direct p = {.x = x,
                     .dy = dy,
                     .y = dweights,
                     .images = s->n,
                     .in_blocks = ck_chunks(s->in_channels, CK_BLOCK),
                     .out_blocks = ck_chunks(s->out_channels, CK_BLOCK),
                     .kernel = s->kernel,
                     .kernel_height = s->kernel,
                     .down = forward_axis(s->in_height, s->out_height, s->pad_top, s->kernel, s),
                     .across = forward_axis(s->in_width, s->out_width, s->pad_left, s->kernel, s)};
  lay_out(&p);
  p.inputs = ck_minimum(2, p.in_blocks), p.outputs = ck_minimum(4, p.out_blocks);
  // As in ck_winograd_backward_weights.
  const long ranges = ck_chunks(p.in_blocks, p.inputs) * ck_chunks(p.out_blocks, p.outputs);
  const long strips = p.images * p.down.strips * p.across.strips;
  p.parts = ck_minimum(strips, ck_maximum(ck_chunks(8, ranges), ck_chunks(strips, 256)));
  const long size = p.out_blocks * p.in_blocks * s->kernel * s->kernel * 256;
  if (p.parts > 1) p.partial = ck_scratch(2, (p.parts - 1) * size);
  ck_parallel(ranges * p.parts, gradient_task, &p);
  for (long part = 1; part < p.parts; part++) ck_accumulate(p.partial + (part - 1) * size, dweights, 1, size);
}
