// Attention of new positions to those in a KV cache.
#include "softmax.h"

#include <string.h>

// Kept rows are [N, heads, capacity, D]: a head reads one piece of memory from its start. They are floats or bfloat16.

struct kept {
  const float *rows;
  void *cache;
  long count, start, capacity, heads, d;
  int bf16;
};

CK_WIDE static void keep_head(void *context, long item_head) {
  const struct kept *s = context;
  const long item = item_head / s->heads, head = item_head % s->heads;
  const long to = (item_head * s->capacity + s->start) * s->d;
  for (long i = 0; i < s->count; i++) {
    const float *from = s->rows + ((item * s->count + i) * s->heads + head) * s->d;
    if (s->bf16) {
      uint16_t *bf16 = (uint16_t *)s->cache + to + i * s->d;
      CK_INDEPENDENT for (long j = 0; j < s->d; j++) bf16[j] = ck_to_bfloat16(from[j]);
    } else {
      memcpy((float *)s->cache + to + i * s->d, from, (size_t)s->d * sizeof(float));
    }
  }
}

void ck_attention_append(const float *rows, void *cache, int bf16, long n, long count, long start, long capacity,
                       long heads, long d) {
  ck_parallel(n * heads, keep_head, &(struct kept){rows, cache, count, start, capacity, heads, d, bf16});
}

#define AHEAD 512  // values that are asked for before they are needed

struct step {
  const float *q;
  const void *keys, *values;
  float *out;
  long count, before, capacity, heads, d;
  float scale;
  int bf16;
};

// Sixteen kept values from value `at` on; which of the two kinds is a constant of the caller.
CK_INLINE void load_kept(const void *rows, long at, const int bf16, ck_lanes *value) {
  if (bf16) {
    __builtin_prefetch((const uint16_t *)rows + at + AHEAD);
    ck_load_bfloat16((const uint16_t *)rows + at, value);
  } else {
    __builtin_prefetch((const float *)rows + at + AHEAD);
    *value = CK_LOAD((const float *)rows + at);
  }
}

CK_INLINE float kept_value(const void *rows, long at, const int bf16) {
  return bf16 ? ck_from_bfloat16(((const uint16_t *)rows)[at]) : ((const float *)rows)[at];
}

// weights[j] = scale q · keys[j], with keys from value `from` on
CK_INLINE void score(const struct step *s, const float *q, long from, float *weights, long length, const int bf16) {
  CK_FAST
  const long d = s->d, whole = d / CK_BLOCK * CK_BLOCK;
  for (long j = 0; j < length; j++, from += d) {
    ck_lanes sums = 0, key;
    for (long i = 0; i < whole; i += CK_BLOCK) {
      load_kept(s->keys, from + i, bf16, &key);
      sums += CK_LOAD(q + i) * key;
    }
    float sum = ck_lanes_sum(&sums);
    for (long i = whole; i < d; i++) sum += q[i] * kept_value(s->keys, from + i, bf16);
    weights[j] = s->scale * sum;
  }
}

// out[0 ..< 16 V) = the weighted sum of 16 V channels of the values; V is a constant, so the sums stay in registers.
CK_INLINE void mix(const struct step *s, const float *weights, long from, float *out, long length, const int V,
                   const int bf16) {
  CK_FAST
  ck_lanes sums[4], value;
#pragma clang loop unroll(full)
  for (int i = 0; i < V; i++) sums[i] = 0;
  for (long j = 0; j < length; j++, from += s->d) {
    const float weight = weights[j];
#pragma clang loop unroll(full)
    for (int i = 0; i < V; i++) {
      load_kept(s->values, from + CK_BLOCK * i, bf16, &value);
      sums[i] += weight * value;
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < V; i++) CK_STORE(out + CK_BLOCK * i, sums[i]);
}

CK_INLINE void attend_query(const struct step *s, long task, const int bf16) {
  CK_FAST
  const long d = s->d, query = task % s->count, item_head = task / s->count, length = s->before + query + 1;
  const long item = item_head / s->heads, head = item_head % s->heads;
  const long position = ((item * s->count + query) * s->heads + head) * d, kept = item_head * s->capacity * d;
  float *out = s->out + position, *weights = ck_scratch(0, length);
  score(s, s->q + position, kept, weights, length, bf16);
  const float sum = ck_exponentials(weights, weights, ck_row_maximum(weights, length), length);
  const float inverse = 1 / sum;
  for (long j = 0; j < length; j++) weights[j] *= inverse;
  long i = 0;
  for (; i + 4 * CK_BLOCK <= d; i += 4 * CK_BLOCK) mix(s, weights, kept + i, out + i, length, 4, bf16);
  for (; i + 2 * CK_BLOCK <= d; i += 2 * CK_BLOCK) mix(s, weights, kept + i, out + i, length, 2, bf16);
  for (; i + CK_BLOCK <= d; i += CK_BLOCK) mix(s, weights, kept + i, out + i, length, 1, bf16);
  for (; i < d; i++) {
    float mixed = 0;
    for (long j = 0; j < length; j++) mixed += weights[j] * kept_value(s->values, kept + j * d + i, bf16);
    out[i] = mixed;
  }
}

CK_WIDE static void attend_once(void *context, long task) {
  const struct step *s = context;
  if (s->bf16)
    attend_query(s, task, 1);
  else
    attend_query(s, task, 0);
}

void ck_attention_decode(const float *q, const void *keys, const void *values, int bf16, float *out, long n,
                       long count, long before, long capacity, long heads, long d, float scale) {
  ck_parallel(n * heads * count, attend_once,
              &(struct step){q, keys, values, out, count, before, capacity, heads, d, scale, bf16});
}
