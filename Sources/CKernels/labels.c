// Maps of labels: their convolution as if they were one-hot channels, and the binary cross-entropy of logits with them.
// The one-hot channels themselves are never there.
#include <string.h>

#include "blocked.h"
#include "kernels.h"

// ---- Convolution ----

struct taps {
  const int32_t *labels;
  const float *weights, *bias, *dy;
  float *y, *dweights;
  long n, parts, h, w, k, labels_count, o;
};

CK_WIDE static void convolve_row(void *context, long task) {
  const struct taps *s = context;
  const long image = task / s->h, row = task % s->h, pad = s->k / 2, hw = s->h * s->w;
  const int32_t *labels = s->labels + image * s->parts * hw;
  for (long x = 0; x < s->w; x++) {
    float *restrict y = s->y + ((image * s->h + row) * s->w + x) * s->o;
    memcpy(y, s->bias, (size_t)s->o * sizeof(float));
    for (long tap = 0; tap < s->k * s->k; tap++) {
      const long r = row + tap / s->k - pad, c = x + tap % s->k - pad;
      if (r < 0 || r >= s->h || c < 0 || c >= s->w) continue;
      for (long part = 0; part < s->parts; part++) {
        const long label = labels[part * hw + r * s->w + c];
        const float *restrict from = s->weights + (tap * s->labels_count + label) * s->o;
        for (long i = 0; i < s->o; i++) y[i] += from[i];
      }
    }
  }
}

void ck_label_convolution(const int32_t *labels, const float *weights, const float *bias, float *y, long n,
                          long parts, long h, long w, long k, long count, long o) {
  ck_parallel(n * h, convolve_row,
              &(struct taps){.labels = labels, .weights = weights, .bias = bias, .y = y, .n = n, .parts = parts,
                             .h = h, .w = w, .k = k, .labels_count = count, .o = o});
}

// A task owns one tap, so that sums have one order.
CK_WIDE static void gather_tap(void *context, long tap) {
  const struct taps *s = context;
  const long pad = s->k / 2, hw = s->h * s->w;
  float *dweights = s->dweights + tap * s->labels_count * s->o;
  memset(dweights, 0, (size_t)(s->labels_count * s->o) * sizeof(float));
  for (long image = 0; image < s->n; image++)
    for (long row = 0; row < s->h; row++) {
      const long r = row + tap / s->k - pad;
      if (r < 0 || r >= s->h) continue;
      for (long x = 0; x < s->w; x++) {
        const long c = x + tap % s->k - pad;
        if (c < 0 || c >= s->w) continue;
        const float *restrict dy = s->dy + ((image * s->h + row) * s->w + x) * s->o;
        const int32_t *labels = s->labels + image * s->parts * hw + r * s->w + c;
        for (long part = 0; part < s->parts; part++) {
          float *restrict to = dweights + labels[part * hw] * s->o;
          for (long i = 0; i < s->o; i++) to[i] += dy[i];
        }
      }
    }
}

void ck_label_convolution_backward(const int32_t *labels, const float *dy, float *dweights, long n,
                                   long parts, long h, long w, long k, long count, long o) {
  ck_parallel(k * k, gather_tap,
              &(struct taps){.labels = labels, .dy = dy, .dweights = dweights, .n = n, .parts = parts, .h = h,
                             .w = w, .k = k, .labels_count = count, .o = o});
}

// ---- Binary cross-entropy ----

struct entropy {
  const float *logits;
  const int32_t *labels;
  float *sums, *dlogits, scale;
  long c, hw, blocks;
};

// max(x, 0) + log(1 + e^-|x|) - x [channel is the label], summed over the channels that there are
CK_WIDE static void sum_plane(void *context, long plane) {
  const struct entropy *s = context;
  const long first = plane % s->blocks * CK_BLOCK, lanes = ck_minimum(CK_BLOCK, s->c - first);
  const float *logits = s->logits + plane * s->hw * CK_BLOCK;
  const int32_t *labels = s->labels + plane / s->blocks * s->hw;
  double total = 0;
  for (long run = 0; run < s->hw; run += CK_RUN) {
    ck_lanes sum = 0;
    float hits = 0;
    const long end = ck_minimum(run + CK_RUN, s->hw);
    for (long p = run; p < end; p++) {
      const ck_lanes x = CK_LOAD(logits + p * CK_BLOCK), negative = x > 0.0f ? -x : x;
      ck_lanes e, l;
      ck_lanes_exp(&negative, &e);
      ck_lanes_log_one_plus(&e, &l);
      sum += l + (x > 0.0f ? x : 0.0f);
      const long hit = labels[p] - first;
      if (hit >= 0 && hit < lanes) hits += logits[p * CK_BLOCK + hit];
    }
    for (long lane = 0; lane < lanes; lane++) total += sum[lane];
    total -= hits;
  }
  s->sums[plane] = (float)total;
}

void ck_label_entropy_forward(const float *logits, const int32_t *labels, float *sums, long n, long c, long hw) {
  const long blocks = ck_chunks(c, CK_BLOCK);
  ck_parallel(n * blocks, sum_plane,
              &(struct entropy){.logits = logits, .labels = labels, .sums = sums, .c = c, .hw = hw,
                                .blocks = blocks});
}

CK_WIDE static void differentiate_plane(void *context, long plane) {
  const struct entropy *s = context;
  const long first = plane % s->blocks * CK_BLOCK, lanes = ck_minimum(CK_BLOCK, s->c - first);
  const float *logits = s->logits + plane * s->hw * CK_BLOCK;
  const int32_t *labels = s->labels + plane / s->blocks * s->hw;
  float *dlogits = s->dlogits + plane * s->hw * CK_BLOCK;
  ck_lanes scale = 0;
  for (long lane = 0; lane < lanes; lane++) scale[lane] = s->scale;
  for (long p = 0; p < s->hw; p++) {
    const ck_lanes x = CK_LOAD(logits + p * CK_BLOCK);
    ck_lanes fraction;
    ck_lanes_sigmoid(&x, &fraction);
    fraction *= scale;
    CK_STORE(dlogits + p * CK_BLOCK, fraction);
    const long hit = labels[p] - first;
    if (hit >= 0 && hit < lanes) dlogits[p * CK_BLOCK + hit] -= s->scale;
  }
}

void ck_label_entropy_backward(const float *logits, const int32_t *labels, float *dlogits, float scale, long n,
                               long c, long hw) {
  const long blocks = ck_chunks(c, CK_BLOCK);
  ck_parallel(n * blocks, differentiate_plane,
              &(struct entropy){.logits = logits, .labels = labels, .dlogits = dlogits, .scale = scale, .c = c,
                                .hw = hw, .blocks = blocks});
}
