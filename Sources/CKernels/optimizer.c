// Updates of parameters: Adam and the moving average.
#include <math.h>

#include "kernels.h"
#include "wide.h"

#define CHUNK 16384

struct adam {
  float *parameter, *m, *v;
  const float *gradient;
  long count;
  float decay, beta1, beta2, eps, step_size, root_scale;
};

CK_WIDE static void adam_chunk(void *context, long chunk) {
#pragma clang fp contract(fast)
  const struct adam *s = context;
  float *restrict parameter = s->parameter, *restrict m = s->m, *restrict v = s->v;
  const float *restrict gradient = s->gradient;
  const float decay = s->decay, beta1 = s->beta1, beta2 = s->beta2, rest1 = 1 - beta1, rest2 = 1 - beta2;
  const float eps = s->eps, step_size = s->step_size, root_scale = s->root_scale;
  const long end = ck_minimum(s->count, (chunk + 1) * CHUNK);
  for (long i = chunk * CHUNK; i < end; i++) {
    const float g = gradient[i];
    m[i] = m[i] + rest1 * (g - m[i]);
    v[i] = beta2 * v[i] + rest2 * g * g;
    parameter[i] = decay * parameter[i] - step_size * m[i] / (__builtin_elementwise_sqrt(v[i]) * root_scale + eps);
  }
}

void ck_adam(float *parameter, float *m, float *v, const float *gradient, long count, float learning_rate,
             float beta1, float beta2, float eps, float weight_decay, long step) {
  // The corrections are near 0 or 1: in double precision, as in PyTorch.
  const double correction1 = 1 - pow(beta1, (double)step), correction2 = 1 - pow(beta2, (double)step);
  struct adam adam_step = {
      .parameter = parameter,
      .m = m,
      .v = v,
      .gradient = gradient,
      .count = count,
      .decay = (float)(1 - (double)learning_rate * weight_decay),
      .beta1 = beta1,
      .beta2 = beta2,
      .eps = eps,
      .step_size = (float)(learning_rate / correction1),
      .root_scale = (float)(1 / sqrt(correction2)),
  };
  ck_parallel(ck_chunks(count, CHUNK), adam_chunk, &adam_step);
}

struct moving_average {
  float *average;
  const float *x;
  float decay;
  long count;
};

CK_WIDE static void average_chunk(void *context, long chunk) {
#pragma clang fp contract(fast)
  const struct moving_average *s = context;
  float *restrict average = s->average;
  const float *restrict x = s->x;
  const float decay = s->decay, rest = 1 - decay;
  const long end = ck_minimum(s->count, (chunk + 1) * CHUNK);
  for (long i = chunk * CHUNK; i < end; i++) average[i] = decay * average[i] + rest * x[i];
}

void ck_moving_average(float *average, const float *x, float decay, long count) {
  ck_parallel(ck_chunks(count, CHUNK), average_chunk, &(struct moving_average){average, x, decay, count});
}
