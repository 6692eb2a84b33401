// Scaled dot-product attention (Vaswani et al. 2017, eq. 1) in blocks of queries, and its gradient.
//
// A block of queries meets only the keys that its last query sees, so that a causal pass does little more than half
// of the work. The exponentials of a block are computed from its products and never for a whole batch.
#include "softmax.h"
#include "tile_product.h"
#include "transpose.h"

#include <math.h>
#include <string.h>

#define BLOCK 32        // queries to a block
#define WIDEST_TILES 64  // channels of a head, from which on packing pays

// What both directions share. A head's matrices are the columns [head * d, head * d + d) of its item's rows.
struct attention {
  const float *q, *k, *v;
  const float *keys;  // [N, heads, D, width]: k transposed, zero from T on
  long t, heads, d, stride, out_stride;  // stride of q, k, v; stride of out
  long width;                            // T up to whole lanes
  float scale;
  int causal, tiles;
  long prefix;
  long blocks;  // of queries in T
};

static struct attention describe(const float *q, const float *k, const float *v, long t, long heads, long d,
                                 long stride, long out_stride, float scale, int causal, long prefix) {
  const int tiles = d % CK_BLOCK == 0 && d <= WIDEST_TILES;
  return (struct attention){
      q, k, v, 0, t, heads, d, stride, out_stride, ck_chunks(t, CK_BLOCK) * CK_BLOCK, scale, causal, tiles,
      ck_minimum(prefix, t), ck_chunks(t, BLOCK)};
}

// How many keys query i sees.
CK_INLINE long visible(const struct attention *s, long i) {
  if (!s->causal) return s->t;
  return i < s->prefix ? ck_maximum(i + 1, s->prefix) : i + 1;
}

// How many keys a block of queries that ends before `end` meets: whole blocks, so that a block of keys has either
// all of its products or none; the last one is filled up with zeros.
CK_INLINE long visible_before(const struct attention *s, long end) {
  if (!s->causal) return s->width;
  return ck_minimum(s->width, ck_chunks(ck_maximum(end, s->prefix), BLOCK) * BLOCK);
}

static long head_offset(const struct attention *s, long item_head, long stride) {
  return item_head / s->heads * s->t * stride + item_head % s->heads * s->d;
}

// C = alpha op(A) B, or that added to C.
CK_INLINE void multiply(const struct attention *s, int transpose_a, long m, long n, long k, float alpha,
                        const float *a, long lda, const float *b, long ldb, int accumulates, float *c, long ldc) {
  if (s->tiles)
    ck_tile_product(m, n, k, alpha, a, transpose_a ? 1 : lda, transpose_a ? lda : 1, b, ldb, accumulates, c, ldc);
  else
    ck_gemm(transpose_a, 0, m, n, k, alpha, a, lda, b, ldb, accumulates ? 1 : 0, c, ldc);
}

// ---- Transposed keys and values: every product then reads whole rows of its second factor ----------------

struct transposition {
  const struct attention *shared;
  const float *from;
  float *to;
};

CK_WIDE static void transpose_head(void *context, long item_head) {
  const struct transposition *p = context;
  const struct attention *s = p->shared;
  const float *from = p->from + head_offset(s, item_head, s->stride);
  float *to = p->to + item_head * s->d * s->width;
  for (long i = 0; i < s->t; i += CK_BLOCK)
    for (long j = 0; j < s->d; j += CK_BLOCK)
      ck_transpose_tile(from + i * s->stride + j, s->stride, ck_minimum(CK_BLOCK, s->t - i),
                        ck_minimum(CK_BLOCK, s->d - j), to + j * s->width + i, s->width, CK_BLOCK);
}

static const float *transposed(const struct attention *s, const float *from, long items, int slot) {
  float *to = ck_scratch(slot, items * s->heads * s->d * s->width);
  ck_parallel(items * s->heads, transpose_head, &(struct transposition){s, from, to});
  return to;
}

// ---- Forward ----------------------------------------------------------------------------------------

struct forward {
  struct attention shared;
  float *out, *log_sums;
};

// Scores to weights that are still to be divided by their sums; log_sums and the sums' inverses are written.
CK_INLINE void exponentiate(const struct attention *s, float *scores, float *log_sums, float *inverses, long first,
                            long rows, long keys) {
  for (long row = 0; row < rows; row++, scores += keys) {
    const long seen = visible(s, first + row);
    const float maximum = ck_row_maximum(scores, seen);
    const float sum = ck_exponentials(scores, scores, maximum, seen);
    for (long j = seen; j < keys; j++) scores[j] = 0;
    log_sums[row] = maximum + logf(sum);
    inverses[row] = 1 / sum;
  }
}

CK_INLINE void scale_rows(float *out, const float *factors, long rows, long d, long stride) {
  for (long row = 0; row < rows; row++)
    for (long i = 0; i < d; i++) out[row * stride + i] *= factors[row];
}

CK_WIDE static void attend(void *context, long task) {
  const struct forward *f = context;
  const struct attention *s = &f->shared;
  const long item_head = task / s->blocks, first = task % s->blocks * BLOCK;
  const long rows = ck_minimum(BLOCK, s->t - first), keys = visible_before(s, first + rows);
  const long in = head_offset(s, item_head, s->stride);
  float *out = f->out + head_offset(s, item_head, s->out_stride) + first * s->out_stride;
  float *weights = ck_scratch(0, rows * keys), inverses[BLOCK];
  multiply(s, 0, rows, keys, s->d, s->scale, s->q + in + first * s->stride, s->stride,
           s->keys + item_head * s->d * s->width, s->width, 0, weights, keys);
  exponentiate(s, weights, f->log_sums + item_head * s->t + first, inverses, first, rows, keys);
  multiply(s, 0, rows, s->d, ck_minimum(keys, s->t), 1, weights, keys, s->v + in, s->stride, 0, out, s->out_stride);
  scale_rows(out, inverses, rows, s->d, s->out_stride);
}

void ck_attention_forward(const float *q, const float *k, const float *v, float *out, float *log_sums, long n,
                          long t, long heads, long d, long q_stride, long out_stride, float scale, int causal,
                          long prefix) {
  struct forward forward = {
      describe(q, k, v, t, heads, d, q_stride, out_stride, scale, causal, prefix), out, log_sums};
  forward.shared.keys = transposed(&forward.shared, k, n, 2);
  ck_parallel(n * heads * forward.shared.blocks, attend, &forward);
}

// ---- Backward -----------------------------------------------------------------------------------------
//
// P = exp(S - log_sums); dV = P^T dO; dP = dO V^T; dS = P (dP - sum(dO O)); dQ = scale dS K; dK = scale dS^T Q.

struct backward {
  struct attention shared;
  const float *values;  // v transposed like the keys
  const float *out, *dout, *log_sums;
  float *dq, *dk, *dv;
  long item_head;              // of the head that is cut into blocks
  float *weights, *gradients;  // P and dS of that head, [T, width]; row i ends where its block's keys end
};

// Scores to P, and dP to dS, both [rows, keys] with rows `stride` apart.
CK_INLINE void differentiate(const struct attention *s, float *weights, float *gradients, long stride,
                             const float *out, const float *dout, const float *log_sums, long first, long rows,
                             long keys) {
  CK_FAST
  for (long row = 0; row < rows; row++, weights += stride, gradients += stride) {
    const long seen = visible(s, first + row);
    const float *o = out + row * s->out_stride, *g = dout + row * s->out_stride, log_sum = log_sums[row];
    float sum = 0;
    for (long i = 0; i < s->d; i++) sum += o[i] * g[i];
    CK_INDEPENDENT for (long j = 0; j < seen; j++) {
      const float weight = ck_exponential(weights[j] - log_sum);
      weights[j] = weight;
      gradients[j] = weight * (gradients[j] - sum);
    }
    for (long j = seen; j < keys; j++) weights[j] = gradients[j] = 0;
  }
}

// P, dS and dQ of one block of queries.
CK_INLINE void block_gradient(const struct backward *b, long item_head, long block, float *weights, float *gradients,
                              long stride) {
  const struct attention *s = &b->shared;
  const long first = block * BLOCK, rows = ck_minimum(BLOCK, s->t - first);
  const long keys = visible_before(s, first + rows), in = head_offset(s, item_head, s->stride);
  const long out = head_offset(s, item_head, s->out_stride) + first * s->out_stride;
  const long transposed = item_head * s->d * s->width;
  multiply(s, 0, rows, keys, s->d, s->scale, s->q + in + first * s->stride, s->stride, s->keys + transposed,
           s->width, 0, weights, stride);
  multiply(s, 0, rows, keys, s->d, 1, b->dout + out, s->out_stride, b->values + transposed, s->width, 0, gradients,
           stride);
  differentiate(s, weights, gradients, stride, b->out + out, b->dout + out,
                b->log_sums + item_head * s->t + first, first, rows, keys);
  multiply(s, 0, rows, s->d, ck_minimum(keys, s->t), s->scale, gradients, stride, s->k + in, s->stride, 0,
           b->dq + in + first * s->stride, s->stride);
}

// Many heads: one to a task. The last block sees every key and therefore writes dK and dV; the others add.
CK_WIDE static void head_gradient(void *context, long item_head) {
  const struct backward *b = context;
  const struct attention *s = &b->shared;
  const long in = head_offset(s, item_head, s->stride);
  const long out = head_offset(s, item_head, s->out_stride);
  float *weights = ck_scratch(0, BLOCK * s->width), *gradients = ck_scratch(1, BLOCK * s->width);
  for (long block = s->blocks - 1; block >= 0; block--) {
    const long first = block * BLOCK, rows = ck_minimum(BLOCK, s->t - first);
    const long keys = visible_before(s, first + rows), real = ck_minimum(keys, s->t);
    const int adds = block < s->blocks - 1;
    block_gradient(b, item_head, block, weights, gradients, keys);
    multiply(s, 1, real, s->d, rows, s->scale, gradients, keys, s->q + in + first * s->stride, s->stride, adds,
             b->dk + in, s->stride);
    multiply(s, 1, real, s->d, rows, 1, weights, keys, b->dout + out + first * s->out_stride, s->out_stride, adds,
             b->dv + in, s->stride);
  }
}

// Few heads: first the blocks of queries, that leave P and dS of the whole head,
CK_WIDE static void query_block_gradient(void *context, long block) {
  const struct backward *b = context;
  const long width = b->shared.width, from = block * BLOCK * width;
  block_gradient(b, b->item_head, block, b->weights + from, b->gradients + from, width);
}

// then the blocks of keys, over the queries from the first block on that sees any of them.
CK_WIDE static void key_block_gradient(void *context, long block) {
  const struct backward *b = context;
  const struct attention *s = &b->shared;
  const long t = s->t, width = s->width, first = block * BLOCK, keys = ck_minimum(BLOCK, t - first);
  // Blocks of queries have the same borders; a block that starts in the prefix is seen from the start.
  const long query = s->causal && first >= s->prefix ? first : 0;
  const long in = head_offset(s, b->item_head, s->stride);
  const long out = head_offset(s, b->item_head, s->out_stride) + query * s->out_stride;
  multiply(s, 1, keys, s->d, t - query, s->scale, b->gradients + query * width + first, width,
           s->q + in + query * s->stride, s->stride, 0, b->dk + in + first * s->stride, s->stride);
  multiply(s, 1, keys, s->d, t - query, 1, b->weights + query * width + first, width, b->dout + out, s->out_stride,
           0, b->dv + in + first * s->stride, s->stride);
}

void ck_attention_backward(const float *q, const float *k, const float *v, const float *out, const float *dout,
                           const float *log_sums, float *dq, float *dk, float *dv, long n, long t, long heads,
                           long d, long q_stride, long out_stride, float scale, int causal, long prefix) {
  struct backward backward = {
      .shared = describe(q, k, v, t, heads, d, q_stride, out_stride, scale, causal, prefix),
      .out = out,
      .dout = dout,
      .log_sums = log_sums,
      .dq = dq,
      .dk = dk,
      .dv = dv};
  backward.shared.keys = transposed(&backward.shared, k, n, 2);
  backward.values = transposed(&backward.shared, v, n, 3);
  // The shape alone decides, so that the bits do not depend on the threads.
  if (n * heads >= 8) {
    ck_parallel(n * heads, head_gradient, &backward);
    return;
  }
  const long blocks = backward.shared.blocks;
  backward.weights = ck_scratch(0, t * backward.shared.width);
  backward.gradients = ck_scratch(1, t * backward.shared.width);
  for (backward.item_head = 0; backward.item_head < n * heads; backward.item_head++) {
    ck_parallel(blocks, query_block_gradient, &backward);
    ck_parallel(blocks, key_block_gradient, &backward);
  }
}

// ---- New positions behind a KV cache ------------------------------------------------------------
//
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
