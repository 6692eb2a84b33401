// The weight gradient of convolution_direct.c: outer products over strips of pixels.
#include "convolution_direct.h"

#if defined(__x86_64__)
// Lines of pixels, `step` floats apart, as pairs of a pixel and the next.
CK_PAIRS static void pair_lines(const float *from, long step, long line, long height, long width, float *to) {
  for (long i = 0; i < height; i++) ck_pair_rows(from + i * line, step, width, to + i * ck_chunks(width, 2) * CK_BLOCK);
}

// ck_outer_product on `depth` pairs.
CK_PAIRS static void outer_product_of_pairs(const float *x, const float *dy, long dy_vector, long depth, float *u,
                                            long u_vector, int add, long vectors) {
  ck_lanes s[CK_MAX_ROWS][CK_MAX_VECTORS];
#define ROWS(FROM, V) \
  ck_clear_sums(s, 8, V); \
  ck_add_pair_products(s, x + (FROM), 1, CK_BLOCK, dy, dy_vector, CK_BLOCK, depth, 8, V); \
  ck_store_sums(s, u + (FROM) * CK_BLOCK, CK_BLOCK, u_vector, add, 8, V);
  if (vectors == 2) {
    ROWS(0, 2)
    ROWS(8, 2)
  } else {
    ROWS(0, 1)
    ROWS(8, 1)
  }
#undef ROWS
}
#else
static void pair_lines(const float *from, long step, long line, long height, long width, float *to) {}
static void outer_product_of_pairs(const float *x, const float *dy, long dy_vector, long depth, float *u, long u_vector,
                                   int add, long vectors) {}
#endif

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
  const long patch_floats = p->patch_height * p->patch_width * CK_BLOCK;
  const long pairs_vector = p->pairs ? down->length * ck_chunks(across->length, 2) * CK_BLOCK : 0;
  float *u = ck_scratch(1, p->inputs * p->outputs * block + patch_floats + (1 + p->outputs) * pairs_vector);
  float *patch = u + p->inputs * p->outputs * block, *x_pairs = patch + patch_floats, *dy_pairs = x_pairs + pairs_vector;
  for (long k = first; k < end; k++) {
    const struct strip strip = ck_strip_at(p, k);
    const float *dy = p->dy + (strip.image * p->out_blocks + o) * dy_plane +
                      (strip.top * across->out_size + strip.left) * CK_BLOCK;
    for (long h = 0; p->pairs && h < outputs; h++)
      pair_lines(dy + h * dy_plane, CK_BLOCK, across->out_size * CK_BLOCK, strip.height, strip.width,
                 dy_pairs + h * pairs_vector);
    for (long j = 0; j < inputs; j++) {
      const float *x = patch;
      if (p->in_place)
        x = p->x + (strip.image * p->in_blocks + c + j) * plane + strip.left * CK_BLOCK;
      else
        ck_copy_patch(p, &strip, c + j, patch);
      for (long tap = 0; tap < p->kernel * p->kernel; tap++) {
        const float *seen = x + tap / p->kernel * down->in_step * line + tap % p->kernel * across->in_step * CK_BLOCK;
        const long step = across->in_stride * CK_BLOCK, seen_line = down->in_stride * line;
        if (p->pairs) pair_lines(seen, step, seen_line, strip.height, strip.width, x_pairs);
        for (long h = 0; h < outputs; h += p->tile.vectors) {
          float *to = u + (j * p->outputs + h) * block + tap * 256;
          const long vectors = ck_minimum(p->tile.vectors, outputs - h);
          if (p->pairs)
            outer_product_of_pairs(x_pairs, dy_pairs + h * pairs_vector, pairs_vector,
                                   strip.height * ck_chunks(strip.width, 2), to, block, k > first, vectors);
          else
            ck_outer_product(seen, step, seen_line, dy + h * dy_plane, across->out_size * CK_BLOCK, dy_plane,
                             strip.height, strip.width, to, block, k > first, vectors);
        }
      }
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
                     .pairs = ck_multiplies_pairs(s),
                     .images = s->n,
                     .in_blocks = ck_chunks(s->in_channels, CK_BLOCK),
                     .out_blocks = ck_chunks(s->out_channels, CK_BLOCK),
                     .kernel = s->kernel,
                     .kernel_height = s->kernel,
                     .down = ck_forward_axis(s->in_height, s->out_height, s->pad_top, s->kernel, s),
                     .across = ck_forward_axis(s->in_width, s->out_width, s->pad_left, s->kernel, s)};
  ck_lay_out(&p);
  // (Pairs of dy are made anew for every range of inputs.)
  p.inputs = ck_minimum(p.pairs ? 4 : 2, p.in_blocks), p.outputs = ck_minimum(4, p.out_blocks);
  // As in ck_winograd_backward_weights.
  const long ranges = ck_chunks(p.in_blocks, p.inputs) * ck_chunks(p.out_blocks, p.outputs);
  const long strips = p.images * p.down.strips * p.across.strips;
  p.parts = ck_minimum(strips, ck_maximum(ck_chunks(8, ranges), ck_chunks(strips, 256)));
  const long size = p.out_blocks * p.in_blocks * s->kernel * s->kernel * 256;
  if (p.parts > 1) p.partial = ck_scratch(2, (p.parts - 1) * size);
  ck_parallel(ranges * p.parts, gradient_task, &p);
  for (long part = 1; part < p.parts; part++) ck_accumulate(p.partial + (part - 1) * size, dweights, 1, size);
}
