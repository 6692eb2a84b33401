// 3x3 convolutions by Winograd's F(4x4, 3x3): forward, data gradient, weight gradient.
//
// Tiles of 4x4 output pixels of one channel block are numbered over all images. U are the transformed weights, V the
// transformed input, M the products, which are transformed back; in the weight gradient Z is the transformed gradient of the
// output. Nothing is ever transformed for a whole image: V of a block of tiles stays in the second-level cache.
#include <string.h>

#include "convolution.h"
#include "micro_product.h"
#include "transpose.h"
#include "winograd.h"

#define PAIR_STRIDE (256 + 16)  // between frequencies of one block pair: an odd number of cache lines

// A convolution, or a data gradient as one: of dy, with the kernel turned and the channels exchanged.
struct winograd {
  const float *x, *weights, *bias;
  float *y;
  long in_blocks, out_blocks, in_height, in_width, out_height, out_width, pad_top, pad_left, out_channels;
  int relu, turned;
  long across, per_image, tiles;  // tiles of a line, of an image, in all

  struct ck_register_tile tile;
  long length;                        // tiles of a block
  long chunk;                         // channel blocks that are summed at once
  long outputs;                       // output blocks of a task
  float *u, *v;                       // U of all weights; V of a slab of blocks
  long u_stride, v_stride, m_stride;  // between frequencies
  long first_block;                   // of the slab

  // Weight gradient
  const float *dy;
  float *partial;  // dweights of the parts but the first
  long parts, inputs, z_stride;
};

// The first tile and the number of tiles of block `b`.
CK_INLINE long block_tiles(const struct winograd *p, long b, long *first) {
  *first = b * p->length;
  return ck_minimum(p->length, p->tiles - *first);
}

static struct winograd describe(const ck_convolution *s) {
  return (struct winograd){.in_blocks = ck_chunks(s->in_channels, CK_BLOCK),
                           .out_blocks = ck_chunks(s->out_channels, CK_BLOCK),
                           .in_height = s->in_height,
                           .in_width = s->in_width,
                           .out_height = s->out_height,
                           .out_width = s->out_width,
                           .pad_top = s->pad_top,
                           .pad_left = s->pad_left,
                           .out_channels = s->out_channels,
                           .tile = ck_register_tile()};
}

static void cut_into_tiles(struct winograd *p, long images) {
  p->across = ck_chunks(p->out_width, 4);
  p->per_image = ck_chunks(p->out_height, 4) * p->across;
  p->tiles = images * p->per_image;
}

// ---- tiles and weights in and out of the transformed domain ----

// V of a tile of channel block c. Tiles at an edge go through a padded copy.
CK_INLINE void load_tile(const struct winograd *p, long c, long tile, float *v) {
  const long image = tile / p->per_image, at = tile % p->per_image;
  const long top = at / p->across * 4 - p->pad_top, left = at % p->across * 4 - p->pad_left;
  const float *plane = p->x + (image * p->in_blocks + c) * p->in_height * p->in_width * CK_BLOCK;
  if (top >= 0 && left >= 0 && top + 6 <= p->in_height && left + 6 <= p->in_width) {
    ck_transform_input(plane + (top * p->in_width + left) * CK_BLOCK, p->in_width * CK_BLOCK, v, p->v_stride);
    return;
  }
  float padded[36 * CK_BLOCK];
  for (long i = 0; i < 6; i++)
    for (long j = 0; j < 6; j++) {
      const long y = top + i, x = left + j;
      const int inside = y >= 0 && y < p->in_height && x >= 0 && x < p->in_width;
      CK_STORE(padded + (i * 6 + j) * CK_BLOCK, inside ? CK_LOAD(plane + (y * p->in_width + x) * CK_BLOCK) : 0);
    }
  ck_transform_input(padded, 6 * CK_BLOCK, v, p->v_stride);
}

// Z of a tile of output block o.
CK_INLINE void load_gradient(const struct winograd *p, long o, long tile, float *z) {
  const long image = tile / p->per_image, at = tile % p->per_image;
  const long top = at / p->across * 4, left = at % p->across * 4;
  const float *plane = p->dy + (image * p->out_blocks + o) * p->out_height * p->out_width * CK_BLOCK;
  if (top + 4 <= p->out_height && left + 4 <= p->out_width) {
    ck_transform_gradient(plane + (top * p->out_width + left) * CK_BLOCK, p->out_width * CK_BLOCK, z, p->z_stride);
    return;
  }
  float padded[16 * CK_BLOCK];
  for (long i = 0; i < 4; i++)
    for (long j = 0; j < 4; j++) {
      const int inside = top + i < p->out_height && left + j < p->out_width;
      const float *at = plane + ((top + i) * p->out_width + left + j) * CK_BLOCK;
      CK_STORE(padded + (i * 4 + j) * CK_BLOCK, inside ? CK_LOAD(at) : 0);
    }
  ck_transform_gradient(padded, 4 * CK_BLOCK, z, p->z_stride);
}

CK_INLINE void store_tile(const struct winograd *p, long o, long tile, const float *m, const float *bias) {
  const long image = tile / p->per_image, at = tile % p->per_image;
  const long top = at / p->across * 4, left = at % p->across * 4;
  float *to = p->y + (((image * p->out_blocks + o) * p->out_height + top) * p->out_width + left) * CK_BLOCK;
  if (top + 4 <= p->out_height && left + 4 <= p->out_width) {
    ck_transform_output(m, p->m_stride, bias, p->relu, to, p->out_width * CK_BLOCK);
    return;
  }
  float whole[16 * CK_BLOCK];
  ck_transform_output(m, p->m_stride, bias, p->relu, whole, 4 * CK_BLOCK);
  for (long i = 0; i < 4 && top + i < p->out_height; i++)
    for (long j = 0; j < 4 && left + j < p->out_width; j++)
      CK_STORE(to + (i * p->out_width + j) * CK_BLOCK, CK_LOAD(whole + (i * 4 + j) * CK_BLOCK));
}

// U of the block pair (o, c).
CK_INLINE void load_weights(const struct winograd *p, long o, long c, float *u, long stride) {
  if (!p->turned) {
    ck_transform_weights(p->weights + (o * p->in_blocks + c) * 9 * 256, u, stride);
    return;
  }
  const float *w = p->weights + (c * p->out_blocks + o) * 9 * 256;
  float turned[9 * 256];
  for (int tap = 0; tap < 9; tap++)
    ck_transpose_tile(w + (8 - tap) * 256, CK_BLOCK, CK_BLOCK, CK_BLOCK, turned + tap * 256, CK_BLOCK, CK_BLOCK);
  ck_transform_weights(turned, u, stride);
}

// ---- forward and data gradient ----

// V of a block of tiles is [frequency][chunk of channel blocks][group of tiles][channel block][tile][16]: a product reads
// it from front to back.
CK_WIDE static void load_tiles(const struct winograd *p, long c, long first, long count, float *v) {
  const long groups = ck_chunks(count, p->tile.rows), start = c / p->chunk * p->chunk;
  const long blocks = ck_minimum(p->chunk, p->in_blocks - start);
  v += start * count * CK_BLOCK;
  for (long g = 0; g < groups; g++) {
    const long from = ck_group_start(count, groups, g), rows = ck_group_start(count, groups, g + 1) - from;
    float *to = v + (from * blocks + (c - start) * rows) * CK_BLOCK;
    for (long r = 0; r < rows; r++) load_tile(p, c, first + from + r, to + r * CK_BLOCK);
  }
}

CK_WIDE static void store_tiles(const struct winograd *p, long o, long first, long count, const float *m) {
  float bias[CK_BLOCK] = {0};
  if (p->bias)
    for (long i = 0; i < ck_minimum(CK_BLOCK, p->out_channels - o * CK_BLOCK); i++) bias[i] = p->bias[o * CK_BLOCK + i];
  for (long t = 0; t < count; t++) store_tile(p, o, first + t, m + t * CK_BLOCK, bias);
}

// M of one frequency and one or two output blocks: (+)= V U over a chunk of channel blocks.
CK_WIDE static void multiply(const struct winograd *p, const float *v, const float *u, long u_vector, long blocks,
                             float *m, long m_vector, long count, int add, long vectors) {
  const long groups = ck_chunks(count, p->tile.rows);
  for (long g = 0; g < groups; g++) {
    const long from = ck_group_start(count, groups, g), rows = ck_group_start(count, groups, g + 1) - from;
    const float *a = v + from * blocks * CK_BLOCK;
    ck_lanes s[CK_MAX_ROWS][CK_MAX_VECTORS];
#define CALL(R, V) \
  ck_clear_sums(s, R, V); \
  for (long k = 0; k < blocks; k++) \
    ck_add_products(s, a + k * R * CK_BLOCK, CK_BLOCK, 1, u + k * 256, u_vector, CK_BLOCK, CK_BLOCK, R, V); \
  ck_store_sums(s, m + from * CK_BLOCK, CK_BLOCK, m_vector, add, R, V);
    CK_TILE_SWITCH(rows, vectors, CALL)
#undef CALL
  }
}

// U[output block][frequency][channel block][16][16] of one block pair, by way of the cache.
CK_WIDE static void load_all_weights(void *context, long pair) {
  const struct winograd *p = context;
  const long o = pair / p->in_blocks, c = pair % p->in_blocks;
  float u[CK_FREQUENCIES * PAIR_STRIDE] __attribute__((aligned(64)));
  load_weights(p, o, c, u, PAIR_STRIDE);
  for (long f = 0; f < CK_FREQUENCIES; f++) {
    float *to = p->u + ((o * CK_FREQUENCIES + f) * p->in_blocks + c) * 256;
    for (long k = 0; k < 256; k += CK_BLOCK) CK_STORE(to + k, CK_LOAD(u + f * PAIR_STRIDE + k));
  }
}

CK_WIDE static void load_some_weights(const struct winograd *p, long o, long first, long end, float *u) {
  for (long c = first; c < end; c++) load_weights(p, o, c, u + (c - first) * 256, p->u_stride);
}

// One block of tiles, all outputs: V stays in this core's cache, U comes from the shared one.
static void convolve_block(void *context, long b) {
  const struct winograd *p = context;
  long first;
  const long count = block_tiles(p, b, &first), u_vector = CK_FREQUENCIES * p->in_blocks * 256;
  const long m_vector = CK_FREQUENCIES * p->m_stride;
  float *v = ck_scratch(1, CK_FREQUENCIES * p->v_stride + p->tile.vectors * m_vector);
  float *m = v + CK_FREQUENCIES * p->v_stride;
  for (long c = 0; c < p->in_blocks; c++) load_tiles(p, c, first, count, v);
  for (long o = 0; o < p->out_blocks; o += p->tile.vectors) {
    const long vectors = ck_minimum(p->tile.vectors, p->out_blocks - o);
    for (long f = 0; f < CK_FREQUENCIES; f++)
      multiply(p, v + f * p->v_stride, p->u + o * u_vector + f * p->in_blocks * 256, u_vector, p->in_blocks,
               m + f * p->m_stride, m_vector, count, 0, vectors);
    for (long i = 0; i < vectors; i++) store_tiles(p, o + i, first, count, m + i * m_vector);
  }
}

static void load_slab(void *context, long i) {
  const struct winograd *p = context;
  const long b = i / p->in_blocks;
  long first;
  const long count = block_tiles(p, p->first_block + b, &first);
  load_tiles(p, i % p->in_blocks, first, count, p->v + b * CK_FREQUENCIES * p->v_stride);
}

// A few outputs of one block of a slab: V comes from the shared cache, U is made here, a chunk at a time.
static void convolve_slab(void *context, long i) {
  const struct winograd *p = context;
  const long ranges = ck_chunks(p->out_blocks, p->outputs), b = i / ranges, o = i % ranges * p->outputs;
  const long vectors = ck_minimum(p->outputs, p->out_blocks - o);
  long first;
  const long count = block_tiles(p, p->first_block + b, &first);
  const float *v = p->v + b * CK_FREQUENCIES * p->v_stride;
  const long m_vector = CK_FREQUENCIES * p->m_stride, u_vector = CK_FREQUENCIES * p->u_stride;
  float *m = ck_scratch(1, p->outputs * (m_vector + u_vector)), *u = m + p->outputs * m_vector;
  for (long c = 0; c < p->in_blocks; c += p->chunk) {
    const long end = ck_minimum(c + p->chunk, p->in_blocks);
    for (long j = 0; j < vectors; j++) load_some_weights(p, o + j, c, end, u + j * u_vector);
    for (long f = 0; f < CK_FREQUENCIES; f++)
      for (long j = 0; j < vectors; j += p->tile.vectors)
        multiply(p, v + f * p->v_stride + c * count * CK_BLOCK, u + j * u_vector + f * p->u_stride, u_vector, end - c,
                 m + j * m_vector + f * p->m_stride, m_vector, count, c > 0,
                 ck_minimum(p->tile.vectors, vectors - j));
  }
  for (long j = 0; j < vectors; j++) store_tiles(p, o + j, first, count, m + j * m_vector);
}

// Blocks of tiles as even as can be, none longer than `longest`, at least `least` of them.
static void cut_into_blocks(struct winograd *p, long longest, long least) {
  const long blocks = ck_maximum(ck_chunks(p->tiles, longest), ck_minimum(least, ck_chunks(p->tiles, 10)));
  p->length = ck_chunks(p->tiles, blocks);
  p->m_stride = ck_odd_lines(p->length * CK_BLOCK);
  p->v_stride = ck_odd_lines(p->in_blocks * p->length * CK_BLOCK);
}

static void convolve(struct winograd *p, long images) {
  const int wide = p->tile.vectors == 2;
  cut_into_tiles(p, images);
  if (p->in_blocks <= 8 && p->tiles >= 256) {
    cut_into_blocks(p, ck_minimum(48, 192 / p->in_blocks), 16);
    p->chunk = p->in_blocks;
    p->u = ck_scratch(0, p->out_blocks * p->in_blocks * CK_FREQUENCIES * 256);
    ck_parallel(p->out_blocks * p->in_blocks, load_all_weights, p);
    ck_parallel(ck_chunks(p->tiles, p->length), convolve_block, p);
    return;
  }
  cut_into_blocks(p, 128, 1);
  p->chunk = ck_minimum(4, p->in_blocks);
  p->outputs = wide || p->length <= 64 ? 2 : 1;
  p->u_stride = ck_odd_lines(p->chunk * 256);
  const long blocks = ck_chunks(p->tiles, p->length), block_floats = CK_FREQUENCIES * p->v_stride;
  const long together = ck_maximum(1, ck_minimum(blocks, (10L << 20) / (block_floats * (long)sizeof(float))));
  p->v = ck_scratch(2, together * block_floats);
  for (p->first_block = 0; p->first_block < blocks; p->first_block += together) {
    const long some = ck_minimum(together, blocks - p->first_block);
    ck_parallel(some * p->in_blocks, load_slab, p);
    ck_parallel(some * ck_chunks(p->out_blocks, p->outputs), convolve_slab, p);
  }
}

void ck_winograd_forward(const ck_convolution *s, const float *x, const float *weights, const float *bias, float *y,
                         int relu) {
  struct winograd p = describe(s);
  p.x = x, p.weights = weights, p.bias = bias, p.y = y, p.relu = relu;
  convolve(&p, s->n);
}

void ck_winograd_backward_data(const ck_convolution *s, const float *dy, const float *weights, float *dx) {
  ck_convolution turned = *s;
  turned.in_channels = s->out_channels, turned.in_height = s->out_height, turned.in_width = s->out_width;
  turned.out_channels = s->in_channels, turned.out_height = s->in_height, turned.out_width = s->in_width;
  turned.pad_top = 2 - s->pad_top, turned.pad_left = 2 - s->pad_left;
  struct winograd p = describe(&turned);
  p.x = dy, p.weights = weights, p.y = dx, p.turned = 1;
  convolve(&p, s->n);
}

// ---- weight gradient: G^T [sum over tiles of V Z^T] G ----

CK_WIDE static void load_both(const struct winograd *p, long c, long inputs, long o, long outputs, long first,
                              long count, float *v, float *z) {
  for (long i = 0; i < inputs; i++)
    for (long t = 0; t < count; t++) load_tile(p, c + i, first + t, v + (i * p->length + t) * CK_BLOCK);
  for (long i = 0; i < outputs; i++)
    for (long t = 0; t < count; t++) load_gradient(p, o + i, first + t, z + (i * p->length + t) * CK_BLOCK);
}

CK_WIDE static void store_weight_gradient(const float *u, float *dweights) {
  ck_transform_weight_gradient(u, PAIR_STRIDE, dweights);
}

// A range of channel blocks times a range of output blocks over one part of the tiles, all in this core's cache; the
// transforms are done anew for every range of the other side, which is faster than to share them.
static void gradient_task(void *context, long i) {
  const struct winograd *p = context;
  const long across = ck_chunks(p->out_blocks, p->outputs), ranges = across * ck_chunks(p->in_blocks, p->inputs);
  const long part = i / ranges, c = i % ranges / across * p->inputs, o = i % across * p->outputs;
  const long inputs = ck_minimum(p->inputs, p->in_blocks - c), outputs = ck_minimum(p->outputs, p->out_blocks - o);
  const long first = p->tiles * part / p->parts, end = p->tiles * (part + 1) / p->parts;
  const long pair = CK_FREQUENCIES * PAIR_STRIDE;
  float *u = ck_scratch(1, p->inputs * p->outputs * pair + CK_FREQUENCIES * (p->v_stride + p->z_stride));
  float *v = u + p->inputs * p->outputs * pair, *z = v + CK_FREQUENCIES * p->v_stride;
  for (long t = first; t < end; t += p->length) {
    const long count = ck_minimum(p->length, end - t);
    load_both(p, c, inputs, o, outputs, t, count, v, z);
    for (long f = 0; f < CK_FREQUENCIES; f++)
      for (long j = 0; j < inputs; j++)
        for (long k = 0; k < outputs; k += p->tile.vectors)
          ck_outer_product(v + f * p->v_stride + j * p->length * CK_BLOCK, CK_BLOCK, 0,
                           z + f * p->z_stride + k * p->length * CK_BLOCK, 0, p->length * CK_BLOCK, 1, count,
                           u + (j * p->outputs + k) * pair + f * PAIR_STRIDE, pair, t > first,
                           ck_minimum(p->tile.vectors, outputs - k));
  }
  float *to = part == 0 ? p->y : p->partial + (part - 1) * p->out_blocks * p->in_blocks * 9 * 256;
  for (long j = 0; j < inputs; j++)
    for (long k = 0; k < outputs; k++)
      store_weight_gradient(u + (j * p->outputs + k) * pair, to + ((o + k) * p->in_blocks + c + j) * 9 * 256);
}

void ck_winograd_backward_weights(const ck_convolution *s, const float *x, const float *dy, float *dweights) {
  struct winograd p = describe(s);
  p.x = x, p.dy = dy, p.y = dweights;
  cut_into_tiles(&p, s->n);
  p.length = p.in_blocks <= 2 && p.out_blocks <= 2 ? 32 : 16;
  p.inputs = ck_minimum(2, p.in_blocks), p.outputs = ck_minimum(4, p.out_blocks);
  p.v_stride = ck_odd_lines(p.inputs * p.length * CK_BLOCK), p.z_stride = ck_odd_lines(p.outputs * p.length * CK_BLOCK);
  // Enough tasks for every core, and no sum over too many tiles; the shape alone decides, so the bits are the same for any
  // number of threads.
  const long ranges = ck_chunks(p.in_blocks, p.inputs) * ck_chunks(p.out_blocks, p.outputs);
  p.parts = ck_minimum(p.tiles, ck_maximum(ck_chunks(8, ranges), ck_chunks(p.tiles, 1024)));
  const long size = p.out_blocks * p.in_blocks * 9 * 256;
  if (p.parts > 1) p.partial = ck_scratch(2, (p.parts - 1) * size);
  ck_parallel(ranges * p.parts, gradient_task, &p);
  for (long part = 1; part < p.parts; part++) ck_accumulate(p.partial + (part - 1) * size, dweights, 1, size);
}
