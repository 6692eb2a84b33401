// One level of LPIPS (Zhang et al. 2018, eq. 1). Tiles of 16 pixels: their sums over the channels end up in the lanes
// of one register, and the features of a tile are still in the cache for the second look.
#include <math.h>

#include "blocked.h"

#define CHUNK 65536L     // floats of each input that a task covers, 256 KiB
#define EPSILON 1e-10f   // added to a norm before the division

struct lpips {
  const float *a, *b, *weights, *ddistance;
  float *db;
  double *partial;  // forward: one sum per task
  long c, hw;
  long span, spans;  // pixels of a task, tasks of an image
};

static void run(ck_task task, struct lpips *s, long n) { ck_parallel(n * s->spans, task, s); }

static struct lpips level(const float *a, const float *b, const float *weights, long c, long hw) {
  const long span = ck_maximum(CHUNK / ck_maximum(c, CK_BLOCK) / CK_BLOCK, 1) * CK_BLOCK;
  return (struct lpips){.a = a, .b = b, .weights = weights, .c = c, .hw = hw, .span = span,
                        .spans = ck_chunks(hw, span)};
}

// Lane i of `sums` is the sum of all lanes of r[i].
CK_INLINE void add_lanes(const ck_lanes r[CK_BLOCK], ck_lanes *sums) {
  ck_lanes quads[4];
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) {
    const ck_lanes *q = r + 4 * i;
    const ck_lanes low = CK_LOW_SINGLES(q[0], q[1]) + CK_HIGH_SINGLES(q[0], q[1]);
    const ck_lanes high = CK_LOW_SINGLES(q[2], q[3]) + CK_HIGH_SINGLES(q[2], q[3]);
    quads[i] = CK_LOW_PAIRS(low, high) + CK_HIGH_PAIRS(low, high);
  }
  const ck_lanes low = CK_EVEN_QUARTERS(quads[0], quads[1]) + CK_ODD_QUARTERS(quads[0], quads[1]);
  const ck_lanes high = CK_EVEN_QUARTERS(quads[2], quads[3]) + CK_ODD_QUARTERS(quads[2], quads[3]);
  *sums = CK_EVEN_QUARTERS(low, high) + CK_ODD_QUARTERS(low, high);
}

CK_INLINE void square_root(const ck_lanes *x, ck_lanes *result) {
  *result = __builtin_elementwise_sqrt(*x);
}

// The length over the channels of each of `count` (<= 16) pixels; x points at the first pixel of the first block.
CK_INLINE void lengths_of_tile(const float *x, long blocks, long stride, long count, ck_lanes *lengths) {
  ck_lanes squares[CK_BLOCK] = {0}, sums;
  if (count == CK_BLOCK)
    for (long block = 0; block < blocks; block++)
#pragma clang loop unroll(full)
      for (int p = 0; p < CK_BLOCK; p++) {
        const ck_lanes value = CK_LOAD(x + block * stride + p * CK_BLOCK);
        squares[p] += value * value;
      }
  else
    for (long block = 0; block < blocks; block++)
      for (long p = 0; p < count; p++) {
        const ck_lanes value = CK_LOAD(x + block * stride + p * CK_BLOCK);
        squares[p] += value * value;
      }
  add_lanes(squares, &sums);
  square_root(&sums, lengths);
}

CK_WIDE static void distances(void *context, long task) {
  const struct lpips *s = context;
  const long blocks = ck_chunks(s->c, CK_BLOCK), stride = s->hw * CK_BLOCK;
  const long first = task % s->spans * s->span, end = ck_minimum(first + s->span, s->hw);
  const long image = task / s->spans * blocks * stride;
  ck_wide_lanes total = 0;
  for (long tile = first; tile < end; tile += CK_BLOCK) {
    const float *a = s->a + image + tile * CK_BLOCK, *b = s->b + image + tile * CK_BLOCK;
    const long count = ck_minimum(CK_BLOCK, end - tile);
    ck_lanes lengths, inverse;
    float inverse_a[CK_BLOCK], inverse_b[CK_BLOCK];
    lengths_of_tile(a, blocks, stride, count, &lengths);
    inverse = 1.0f / (lengths + EPSILON);
    CK_STORE(inverse_a, inverse);
    lengths_of_tile(b, blocks, stride, count, &lengths);
    inverse = 1.0f / (lengths + EPSILON);
    CK_STORE(inverse_b, inverse);

    for (long block = 0; block < blocks; block++) {
      ck_lanes weights, sum = 0;
      ck_channel_lanes(s->weights, s->c, block, &weights);
      for (long p = 0; p < count; p++) {
        const long i = block * stride + p * CK_BLOCK;
        const ck_lanes d = CK_LOAD(a + i) * inverse_a[p] - CK_LOAD(b + i) * inverse_b[p];
        sum += d * d;
      }
      total += CK_WIDEN(sum * weights);
    }
  }
  double sum = 0;
  for (int i = 0; i < CK_BLOCK; i++) sum += total[i];
  s->partial[task] = sum;
}

void ck_lpips_forward(const float *a, const float *b, const float *weights, float *distance, long n, long c,
                      long hw) {
  struct lpips s = level(a, b, weights, c, hw);
  s.partial = (double *)ck_scratch(0, n * s.spans * 2);
  run(distances, &s, n);
  for (long image = 0; image < n; image++) {
    double sum = 0;
    for (long i = 0; i < s.spans; i++) sum += s.partial[image * s.spans + i];
    distance[image] = (float)(sum / (double)hw);
  }
}

// With u = a / (|a| + eps), v = b / (|b| + eps) and g = 2 w (v - u) * ddistance / HW per pixel:
// db = g / (|b| + eps) - b * (g . b) / (|b| * (|b| + eps)^2).
CK_WIDE static void gradients(void *context, long task) {
  const struct lpips *s = context;
  const long blocks = ck_chunks(s->c, CK_BLOCK), stride = s->hw * CK_BLOCK;
  const long first = task % s->spans * s->span, end = ck_minimum(first + s->span, s->hw);
  const long image = task / s->spans * blocks * stride;
  const float scale = 2 * s->ddistance[task / s->spans] / (float)s->hw;
  for (long tile = first; tile < end; tile += CK_BLOCK) {
    const float *a = s->a + image + tile * CK_BLOCK, *b = s->b + image + tile * CK_BLOCK;
    float *db = s->db + image + tile * CK_BLOCK;
    const long count = ck_minimum(CK_BLOCK, end - tile);
    ck_lanes lengths_a, lengths_b;
    float inverse_a[CK_BLOCK], inverse_b[CK_BLOCK], slope[CK_BLOCK], along[CK_BLOCK];
    lengths_of_tile(a, blocks, stride, count, &lengths_a);
    lengths_of_tile(b, blocks, stride, count, &lengths_b);
    const ck_lanes of_a = 1.0f / (lengths_a + EPSILON), of_b = 1.0f / (lengths_b + EPSILON);
    CK_STORE(inverse_a, of_a);
    CK_STORE(inverse_b, of_b);

    ck_lanes products[CK_BLOCK] = {0}, dots;
    for (long block = 0; block < blocks; block++) {
      ck_lanes weights;
      ck_channel_lanes(s->weights, s->c, block, &weights);
      for (long p = 0; p < count; p++) {
        const long i = block * stride + p * CK_BLOCK;
        const ck_lanes value = CK_LOAD(b + i);
        products[p] += weights * (value * inverse_b[p] - CK_LOAD(a + i) * inverse_a[p]) * value;
      }
    }
    add_lanes(products, &dots);
    const ck_lane_bits black = lengths_b == 0.0f;
    const ck_lanes zero = 0, of_gradient = black ? zero : of_b * scale;
    const ck_lanes of_direction = black ? zero : dots / lengths_b * of_b * of_b * scale;
    CK_STORE(slope, of_gradient);
    CK_STORE(along, of_direction);

    for (long block = 0; block < blocks; block++) {
      ck_lanes weights;
      ck_channel_lanes(s->weights, s->c, block, &weights);
      for (long p = 0; p < count; p++) {
        const long i = block * stride + p * CK_BLOCK;
        const ck_lanes value = CK_LOAD(b + i);
        const ck_lanes g = weights * (value * inverse_b[p] - CK_LOAD(a + i) * inverse_a[p]);
        CK_STORE(db + i, g * slope[p] - value * along[p]);
      }
    }
  }
}

void ck_lpips_backward(const float *a, const float *b, const float *weights, const float *ddistance, float *db,
                       long n, long c, long hw) {
  struct lpips s = level(a, b, weights, c, hw);
  s.ddistance = ddistance, s.db = db;
  run(gradients, &s, n);
}
