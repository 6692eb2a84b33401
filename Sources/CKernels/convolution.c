// 2-D convolutions: which algorithm takes a shape, plain images, bias gradients.
#include "convolution.h"
#include "wide.h"

#define FEW_TILES 8  // below, transforming the weights costs more than it saves

static int takes_winograd(const ck_convolution *s) {
  const long tiles = s->n * ck_chunks(s->out_height, 4) * ck_chunks(s->out_width, 4);
  return s->winograd && s->kernel == 3 && s->stride == 1 && s->dilation == 1 && s->pad_top <= 2 && s->pad_left <= 2 &&
         tiles >= FEW_TILES;
}

int ck_multiplies_pairs(const ck_convolution *s) {
#if defined(__x86_64__)
  return s->bfloat16 && ck_has_bfloat16() && __builtin_cpu_is("amd");
#else
  return 0;
#endif
}

static float *blocked_image(const ck_convolution *s) {
  return ck_scratch(3, s->n * ck_chunks(s->in_channels, CK_BLOCK) * CK_BLOCK * s->in_height * s->in_width);
}

static const float *blocked(const ck_convolution *s, const float *x) {
  if (!s->plain_input) return x;
  float *image = blocked_image(s);
  ck_plain_to_blocked(x, image, s->n, s->in_channels, s->in_height * s->in_width);
  return image;
}

void ck_convolution_forward(const ck_convolution *shape, const float *x, const float *weights, const float *bias,
                            float *y, int relu) {
  (takes_winograd(shape) ? ck_winograd_forward : ck_direct_forward)(shape, blocked(shape, x), weights, bias, y, relu);
}

void ck_convolution_backward_data(const ck_convolution *shape, const float *dy, const float *weights, float *dx) {
  float *image = shape->plain_input ? blocked_image(shape) : dx;
  (takes_winograd(shape) ? ck_winograd_backward_data : ck_direct_backward_data)(shape, dy, weights, image);
  if (shape->plain_input)
    ck_blocked_to_plain(image, dx, shape->n, shape->in_channels, shape->in_height * shape->in_width);
}

void ck_convolution_backward_weights(const ck_convolution *shape, const float *x, const float *dy, float *dweights,
                                     float *dbias) {
  (takes_winograd(shape) ? ck_winograd_backward_weights : ck_direct_backward_weights)(shape, blocked(shape, x), dy,
                                                                                      dweights);
  if (dbias) ck_channel_sums(dy, dbias, shape->n, shape->out_channels, shape->out_height * shape->out_width);
}
