// 2-D convolutions on OpenBLAS: patches of the blocked input become rows of a matrix (im2col), tile by tile.
#include <string.h>

#include "kernels.h"

#define TILE 256  // output pixels in one matrix product: the patch matrix stays in the second-level cache

static long blocks(long channels) { return (channels + CK_BLOCK - 1) / CK_BLOCK; }
static long smaller(long a, long b) { return a < b ? a : b; }

struct problem {
  const ck_convolution *s;
  long in_blocks, out_blocks, taps, in_hw, out_hw, tiles;
  const float *x;        // blocked
  const float *rows;     // dy as rows [N * out_hw, out_blocks * 16]
  const float *weights;  // repacked for the direction
  const float *bias;
  float *result;
  int relu;
};

static struct problem describe(const ck_convolution *s) {
  struct problem p = {.s = s,
                      .in_blocks = blocks(s->in_channels),
                      .out_blocks = blocks(s->out_channels),
                      .taps = s->kernel * s->kernel,
                      .in_hw = s->in_height * s->in_width,
                      .out_hw = s->out_height * s->out_width};
  p.tiles = (p.out_hw + TILE - 1) / TILE;
  return p;
}

// Copies the 16 channels under every kernel tap in rows ky0..<ky1 for output pixels [first, first + count):
// columns[pixel * stride + tap * 16].
static void gather_patches(const struct problem *p, const float *plane, long first, long count, long ky0, long ky1,
                           float *columns, long stride) {
  const ck_convolution *s = p->s;
  for (long pixel = 0; pixel < count; pixel++) {
    long oy = (first + pixel) / s->out_width, ox = (first + pixel) % s->out_width;
    float *to = columns + pixel * stride;
    for (long ky = ky0; ky < ky1; ky++) {
      long iy = oy * s->stride + ky - s->pad_top;
      for (long kx = 0; kx < s->kernel; kx++, to += CK_BLOCK) {
        long ix = ox * s->stride + kx - s->pad_left;
        if (iy < 0 || iy >= s->in_height || ix < 0 || ix >= s->in_width)
          memset(to, 0, CK_BLOCK * sizeof(float));
        else
          memcpy(to, plane + (iy * s->in_width + ix) * CK_BLOCK, CK_BLOCK * sizeof(float));
      }
    }
  }
}

static void forward_tile(void *context, long index) {
  const struct problem *p = context;
  long n = index / p->tiles, first = index % p->tiles * TILE, count = smaller(TILE, p->out_hw - first);
  long depth = p->in_blocks * p->taps * CK_BLOCK, width = p->out_blocks * CK_BLOCK;
  float *columns = ck_scratch(1, TILE * (depth + width)), *products = columns + TILE * depth;
  for (long block = 0; block < p->in_blocks; block++)
    gather_patches(p, p->x + (n * p->in_blocks + block) * p->in_hw * CK_BLOCK, first, count, 0, p->s->kernel,
                   columns + block * p->taps * CK_BLOCK, depth);
  ck_gemm_openblas(0, 0, count, width, depth, 1, columns, depth, p->weights, width, 0, products, width);
  for (long block = 0; block < p->out_blocks; block++) {
    float bias[CK_BLOCK] = {0};
    if (p->bias)
      for (long c = 0; c < smaller(CK_BLOCK, p->s->out_channels - block * CK_BLOCK); c++)
        bias[c] = p->bias[block * CK_BLOCK + c];
    float *y = p->result + ((n * p->out_blocks + block) * p->out_hw + first) * CK_BLOCK;
    for (long pixel = 0; pixel < count; pixel++)
      for (long c = 0; c < CK_BLOCK; c++) {
        float value = products[pixel * width + block * CK_BLOCK + c] + bias[c];
        y[pixel * CK_BLOCK + c] = p->relu && value < 0 ? 0 : value;
      }
  }
}

// A plain input, blocked in scratch slot 3.
static const float *blocked_input(const ck_convolution *s, const float *x) {
  if (!s->plain_input) return x;
  long hw = s->in_height * s->in_width;
  float *blocked = ck_scratch(3, s->n * blocks(s->in_channels) * CK_BLOCK * hw);
  ck_plain_to_blocked(x, blocked, s->n, s->in_channels, hw);
  return blocked;
}

int ck_convolution_forward_openblas(const ck_convolution *shape, const float *x, const float *weights,
                                    const float *bias, float *y, int relu) {
  struct problem p = describe(shape);
  // [ob][ib][tap][16 i][16 o] to [ib][tap][16 i][ob][16 o]
  long rows = p.in_blocks * p.taps * CK_BLOCK;
  float *packed = ck_scratch(0, rows * p.out_blocks * CK_BLOCK);
  for (long block = 0; block < p.out_blocks; block++)
    for (long row = 0; row < rows; row++)
      memcpy(packed + (row * p.out_blocks + block) * CK_BLOCK, weights + (block * rows + row) * CK_BLOCK,
             CK_BLOCK * sizeof(float));
  p.x = blocked_input(shape, x);
  p.weights = packed;
  p.bias = bias;
  p.result = y;
  p.relu = relu;
  ck_parallel(shape->n * p.tiles, forward_tile, &p);
  return 0;
}

// One block of 16 input channels of one image: dcolumns = dy * weights^T, added back under the taps.
static void backward_data_plane(void *context, long index) {
  const struct problem *p = context;
  const ck_convolution *s = p->s;
  long n = index / p->in_blocks, block = index % p->in_blocks;
  long width = p->taps * CK_BLOCK, depth = p->out_blocks * CK_BLOCK;
  float *plane = p->result + index * p->in_hw * CK_BLOCK;
  float *columns = ck_scratch(1, TILE * width);
  memset(plane, 0, p->in_hw * CK_BLOCK * sizeof(float));
  for (long first = 0; first < p->out_hw; first += TILE) {
    long count = smaller(TILE, p->out_hw - first);
    ck_gemm_openblas(0, 0, count, width, depth, 1, p->rows + (n * p->out_hw + first) * depth, depth,
                     p->weights + block * depth * width, width, 0, columns, width);
    for (long pixel = 0; pixel < count; pixel++) {
      long oy = (first + pixel) / s->out_width, ox = (first + pixel) % s->out_width;
      const float *from = columns + pixel * width;
      for (long ky = 0; ky < s->kernel; ky++)
        for (long kx = 0; kx < s->kernel; kx++, from += CK_BLOCK) {
          long iy = oy * s->stride + ky - s->pad_top, ix = ox * s->stride + kx - s->pad_left;
          if (iy < 0 || iy >= s->in_height || ix < 0 || ix >= s->in_width) continue;
          float *to = plane + (iy * s->in_width + ix) * CK_BLOCK;
          for (long c = 0; c < CK_BLOCK; c++) to[c] += from[c];
        }
    }
  }
}

// dy as rows with the padding lanes kept (they are zero): [N * out_hw, out_blocks * 16].
static const float *gradient_rows(const struct problem *p, const float *dy, float *rows) {
  ck_blocked_to_rows(dy, rows, p->s->n, p->out_blocks * CK_BLOCK, p->out_hw);
  return rows;
}

int ck_convolution_backward_data_openblas(const ck_convolution *shape, const float *dy, const float *weights,
                                          float *dx) {
  struct problem p = describe(shape);
  long depth = p.out_blocks * CK_BLOCK, width = p.taps * CK_BLOCK;
  float *packed = ck_scratch(0, p.in_blocks * depth * width + shape->n * p.out_hw * depth);
  // [ob][ib][tap][16 i][16 o] to [ib][ob][16 o][tap][16 i]
  for (long ob = 0; ob < p.out_blocks; ob++)
    for (long ib = 0; ib < p.in_blocks; ib++)
      for (long tap = 0; tap < p.taps; tap++)
        for (long i = 0; i < CK_BLOCK; i++)
          for (long o = 0; o < CK_BLOCK; o++)
            packed[((ib * depth + ob * CK_BLOCK + o) * p.taps + tap) * CK_BLOCK + i] =
                weights[(((ob * p.in_blocks + ib) * p.taps + tap) * CK_BLOCK + i) * CK_BLOCK + o];
  p.weights = packed;
  p.rows = gradient_rows(&p, dy, packed + p.in_blocks * depth * width);
  p.result = shape->plain_input ? ck_scratch(3, shape->n * p.in_blocks * p.in_hw * CK_BLOCK) : dx;
  ck_parallel(shape->n * p.in_blocks, backward_data_plane, &p);
  if (shape->plain_input) ck_blocked_to_plain(p.result, dx, shape->n, shape->in_channels, p.in_hw);
  return 0;
}

// One row of taps of one block of 16 input channels: dweights = patches^T * dy over all images.
static void backward_weights_row(void *context, long index) {
  const struct problem *p = context;
  const ck_convolution *s = p->s;
  long block = index / s->kernel, ky = index % s->kernel;
  long height = s->kernel * CK_BLOCK, width = p->out_blocks * CK_BLOCK;
  float *columns = ck_scratch(1, (TILE + width) * height), *sums = columns + TILE * height;
  memset(sums, 0, height * width * sizeof(float));
  for (long n = 0; n < s->n; n++)
    for (long first = 0; first < p->out_hw; first += TILE) {
      long count = smaller(TILE, p->out_hw - first);
      gather_patches(p, p->x + (n * p->in_blocks + block) * p->in_hw * CK_BLOCK, first, count, ky, ky + 1, columns,
                     height);
      ck_gemm_openblas(1, 0, height, width, count, 1, columns, height, p->rows + (n * p->out_hw + first) * width,
                       width, 1, sums, width);
    }
  for (long ob = 0; ob < p->out_blocks; ob++)
    for (long row = 0; row < height; row++)
      memcpy(p->result + (((ob * p->in_blocks + block) * p->taps + ky * s->kernel) * CK_BLOCK + row) * CK_BLOCK,
             sums + row * width + ob * CK_BLOCK, CK_BLOCK * sizeof(float));
}

int ck_convolution_backward_weights_openblas(const ck_convolution *shape, const float *x, const float *dy,
                                             float *dweights, float *dbias) {
  struct problem p = describe(shape);
  p.x = blocked_input(shape, x);
  p.rows = gradient_rows(&p, dy, ck_scratch(0, shape->n * p.out_hw * p.out_blocks * CK_BLOCK));
  p.result = dweights;
  ck_parallel(p.in_blocks * shape->kernel, backward_weights_row, &p);
  if (dbias) ck_channel_sums(dy, dbias, shape->n, shape->out_channels, p.out_hw);
  return 0;
}
