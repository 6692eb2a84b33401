// Convolutions of any kernel, stride and dilation, without a transform: the micro-kernel runs over the taps of a padded
// copy of a strip of the input, which stays in the second-level cache.
//
// A data gradient is a convolution of dy too: with stride s, the pixels of dx fall into s * s classes by their position
// modulo s; each class sees its own subset of the taps, at stride 1.
#include "convolution_direct.h"
#include "transpose.h"

#define STEPS 8  // at least as many taps times channel blocks are summed at once

// Sums of one line of a strip and one or two output blocks (+)= the taps of `blocks` channel blocks of its patches. A pixel
// is `SIZE` elements: 16 floats, or 8 pairs.
#define CONVOLVE_LINE(SIZE, ADD) \
  const struct axis *down = &p->down, *across = &p->across; \
  const long taps = p->kernel * p->kernel_height, tap_size = (SIZE) * CK_BLOCK, row = across->in_stride * (SIZE); \
  const long w_vector = p->in_blocks * taps * tap_size, groups = ck_chunks(count, p->tile.rows); \
  for (long g = 0; g < groups; g++) { \
    const long from = ck_group_start(count, groups, g), rows = ck_group_start(count, groups, g + 1) - from; \
    ck_lanes s[CK_MAX_ROWS][CK_MAX_VECTORS]; \
    CK_TILE_SWITCH(rows, vectors, ADD) \
  }
#define ADD_TAPS(R, V, SIZE, ADD) \
  ck_clear_sums(s, R, V); \
  for (long k = 0; k < blocks; k++) \
    for (long i = 0; i < down->taps; i++) \
      for (long j = 0; j < across->taps; j++) { \
        const long tap = (down->first_tap + i * down->tap_step) * p->kernel + across->first_tap + j * across->tap_step; \
        ADD(s, x + k * x_block + i * down->in_step * x_line + j * across->in_step * (SIZE) + from * row, row, 1, \
            w + (k * taps + tap) * tap_size, w_vector, CK_BLOCK, SIZE, R, V); \
      } \
  ck_store_sums(s, sums + from * CK_BLOCK, CK_BLOCK, sums_vector, add, R, V);

CK_WIDE static void convolve_line(const struct direct *p, const float *x, long x_line, long x_block, const float *w,
                                  long blocks, float *sums, long sums_vector, long count, int add, long vectors) {
#define CALL(R, V) ADD_TAPS(R, V, CK_BLOCK, ck_add_products)
  CONVOLVE_LINE(CK_BLOCK, CALL)
#undef CALL
}

#if defined(__x86_64__)
CK_PAIRS static void convolve_line_of_pairs(const struct direct *p, const float *x, long x_line, long x_block,
                                            const float *w, long blocks, float *sums, long sums_vector, long count,
                                            int add, long vectors) {
#define CALL(R, V) ADD_TAPS(R, V, CK_BLOCK / 2, ck_add_pair_products)
  CONVOLVE_LINE(CK_BLOCK / 2, CALL)
#undef CALL
}

CK_PAIRS static void pair_pixels(const float *from, long pixels, float *to) { ck_pair_neighbours(from, pixels, to); }
#else
#define convolve_line_of_pairs convolve_line
static void pair_pixels(const float *from, long pixels, float *to) {}
#endif

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
  const struct strip strip = ck_strip_at(p, i / ranges);
  const long size = p->pairs ? CK_BLOCK / 2 : CK_BLOCK, line = p->patch_width * size;
  const long w_block = p->kernel * p->kernel_height * size * CK_BLOCK, pixels = p->patch_height * p->patch_width;
  // (One pixel more, so that channel blocks do not share the sets of the cache.)
  const long patch = (pixels + 1) * size, plane = down->in_size * across->in_size * CK_BLOCK;
  const long sums_vector = down->length * across->length * CK_BLOCK, whole = p->pairs ? pixels * CK_BLOCK : 0;
  float *sums = ck_scratch(1, p->outputs * sums_vector + p->chunk * patch + whole);
  float *patches = sums + p->outputs * sums_vector, *floats = patches + p->chunk * patch;
  const int reads_image = p->in_place && !p->pairs;
  for (long c = 0; c < p->in_blocks; c += p->chunk) {
    const long blocks = ck_minimum(p->chunk, p->in_blocks - c);
    const float *x = patches;
    if (reads_image)
      x = p->x + (strip.image * p->in_blocks + c) * plane + strip.left * CK_BLOCK;
    else
      for (long k = 0; k < blocks; k++) {
        ck_copy_patch(p, &strip, c + k, p->pairs ? floats : patches + k * patch);
        if (p->pairs) pair_pixels(floats, pixels, patches + k * patch);
      }
    for (long k = 0; k < outputs; k += p->tile.vectors)
      for (long y = 0; y < strip.height; y++)
        (p->pairs ? convolve_line_of_pairs : convolve_line)(
            p, x + y * down->in_stride * line, line, reads_image ? plane : patch,
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
  ck_lay_out(p);
  const long strips = images * p->down.strips * p->across.strips, taps = p->down.taps * p->across.taps;
  p->chunk = ck_minimum(p->in_blocks, ck_maximum(1, STEPS / ck_maximum(1, taps)));
  p->outputs = p->out_blocks;
  while (p->outputs > 4 && strips * ck_chunks(p->out_blocks, p->outputs) < 16) p->outputs = ck_chunks(p->outputs, 2);
  ck_parallel(strips * ck_chunks(p->out_blocks, p->outputs), convolve_strip, p);
}

struct arrangement {
  const float *from;
  float *to;
  long in_blocks, out_blocks, taps;
  int turned, pairs;
};

#if defined(__x86_64__)
CK_PAIRS static void pair_tile(const float *tile, float *to) { ck_pair_rows(tile, CK_BLOCK, CK_BLOCK, to); }
#else
static void pair_tile(const float *tile, float *to) {}
#endif

CK_WIDE static void turn_tile(const float *tile, float *to) {
  ck_transpose_tile(tile, CK_BLOCK, CK_BLOCK, CK_BLOCK, to, CK_BLOCK, CK_BLOCK);
}

static void arrange_pair(void *context, long i) {
  const struct arrangement *a = context;
  const long o = a->turned ? i % a->out_blocks : i / a->in_blocks, c = a->turned ? i / a->out_blocks : i % a->in_blocks;
  const float *from = a->from + (o * a->in_blocks + c) * a->taps * 256;
  const long size = a->pairs ? 128 : 256;
  for (long tap = 0; tap < a->taps; tap++) {
    const float *tile = from + tap * 256;
    float turned[256], *to = a->to + (i * a->taps + tap) * size;
    if (a->turned) turn_tile(tile, a->pairs ? turned : to);
    if (a->pairs) pair_tile(a->turned ? turned : tile, to);
  }
}

// Weights [o][c][tap][16 c][16 o], turned to [c][o][tap][16 o][16 c], or as pairs of neighbours along the first 16, or both.
static const float *arranged(const float *weights, long in_blocks, long out_blocks, long taps, int turned, int pairs) {
  float *to = ck_scratch(0, in_blocks * out_blocks * taps * 256);
  struct arrangement a = {weights, to, in_blocks, out_blocks, taps, turned, pairs};
  ck_parallel(in_blocks * out_blocks, arrange_pair, &a);
  return to;
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

void ck_direct_forward(const ck_convolution *s, const float *x, const float *weights, const float *bias, float *y,
                       int relu) {
  ck_oblong_convolution(s, s->kernel, s->kernel, x, weights, bias, y, relu);
}

void ck_oblong_convolution(const ck_convolution *s, long kernel_height, long kernel_width, const float *x,
                           const float *weights, const float *bias, float *y, int relu) {
  const long in_blocks = ck_chunks(s->in_channels, CK_BLOCK), out_blocks = ck_chunks(s->out_channels, CK_BLOCK);
  const int pairs = ck_multiplies_pairs(s);
  if (pairs) weights = arranged(weights, in_blocks, out_blocks, kernel_height * kernel_width, 0, 1);
  struct direct p = {.x = x,
                     .weights = weights,
                     .bias = bias,
                     .y = y,
                     .relu = relu,
                     .pairs = pairs,
                     .in_blocks = in_blocks,
                     .out_blocks = out_blocks,
                     .out_channels = s->out_channels,
                     .kernel = kernel_width,
                     .kernel_height = kernel_height,
                     .down = ck_forward_axis(s->in_height, s->out_height, s->pad_top, kernel_height, s),
                     .across = ck_forward_axis(s->in_width, s->out_width, s->pad_left, kernel_width, s)};
  convolve(&p, s->n);
}

void ck_direct_backward_data(const ck_convolution *s, const float *dy, const float *weights, float *dx) {
  const long in_blocks = ck_chunks(s->in_channels, CK_BLOCK), out_blocks = ck_chunks(s->out_channels, CK_BLOCK);
  const long taps = s->kernel * s->kernel;
  const int pairs = ck_multiplies_pairs(s);
  const float *turned = arranged(weights, in_blocks, out_blocks, taps, 1, pairs);
  for (long y = 0; y < ck_minimum(s->stride, s->in_height); y++)
    for (long x = 0; x < ck_minimum(s->stride, s->in_width); x++) {
      struct direct p = {.x = dy,
                         .weights = turned,
                         .y = dx,
                         .pairs = pairs,
                         .in_blocks = out_blocks,
                         .out_blocks = in_blocks,
                         .kernel = s->kernel,
                         .kernel_height = s->kernel,
                         .down = gradient_axis(s->in_height, s->out_height, s->pad_top, s, y),
                         .across = gradient_axis(s->in_width, s->out_width, s->pad_left, s, x)};
      convolve(&p, s->n);
    }
}
