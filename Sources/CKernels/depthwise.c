// Convolutions of every channel with a kernel of its own, forward only.
#include "lanes.h"

struct depthwise {
  const ck_convolution *s;
  const float *x, *weights, *bias;
  float *y;
  long blocks;
};

CK_WIDE static void depthwise_row(void *context, long task) {
  CK_FAST
  const struct depthwise *p = context;
  const ck_convolution *s = p->s;
  const long plane = task / s->out_height, block = plane % p->blocks;
  const long top = task % s->out_height * s->stride - s->pad_top;
  const float *x = p->x + plane * s->in_height * s->in_width * CK_BLOCK;
  const float *weights = p->weights + block * s->kernel * s->kernel * CK_BLOCK;
  float *y = p->y + task * s->out_width * CK_BLOCK;
  for (long o = 0; o < s->out_width; o++) {
    const long left = o * s->stride - s->pad_left;
    ck_lanes sum = CK_LOAD(p->bias + block * CK_BLOCK);
    for (long i = ck_maximum(0, -top); i < ck_minimum(s->kernel, s->in_height - top); i++)
      for (long j = ck_maximum(0, -left); j < ck_minimum(s->kernel, s->in_width - left); j++)
        sum += CK_LOAD(x + ((top + i) * s->in_width + left + j) * CK_BLOCK) *
               CK_LOAD(weights + (i * s->kernel + j) * CK_BLOCK);
    CK_STORE(y + o * CK_BLOCK, sum);
  }
}

void ck_depthwise_convolution(const ck_convolution *shape, const float *x, const float *weights, const float *bias,
                              float *y) {
  struct depthwise p = {shape, x, weights, bias, y, ck_chunks(shape->in_channels, CK_BLOCK)};
  ck_parallel(shape->n * p.blocks * shape->out_height, depthwise_row, &p);
}
