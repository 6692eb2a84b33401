// Scaled dot-product attention (Vaswani et al. 2017, eq. 1) in blocks of queries, and its gradient.
//
// A block of queries meets only the keys that its last query sees, so that a causal pass does little more than half
// of the work. The exponentials of a block are computed from its products and never for a whole batch.
#include "softmax.h"
#include "tile_product.h"
#include "transpose.h"

#include <math.h>
#include <string.h>

#define BLOCK 32         // queries to a block
#define WIDEST_TILES 64  // channels of a head, from which on packing pays
#define MANY_HEADS 8     // from which on each is a task of its own

// One head's matrices, copied: in a model, rows lie a power of two apart, on the same few lines of a cache.
struct head {
  float *q, *k, *v, *dout, *dk, *dv;  // [T, D]
  float *keys, *values;               // k and v transposed, [D, width], zero from T on
};

struct attention {
  const float *q, *k, *v;
  float *out, *log_sums;
  const uint8_t *kept;  // [N, heads, T, T], or NULL where no weight is dropped
  float kept_scale;
  const float *dout;  // the rest is of the gradient
  float *dq, *dk, *dv;
  long t, heads, d, stride, out_stride;  // stride of q, k, v and their gradients; stride of out
  long columns, width;                   // T up to whole lanes; floats between rows of as many, no power of two
  float scale;
  int causal, tiles;
  long prefix, step, context;  // where step is positive a band, or without a context whole steps
  long blocks;                 // of queries in T

  long item_head;              // the head at hand
  struct head head;
  float *weights, *gradients;  // P and dS of its queries, [T or BLOCK, width]
};

static struct attention describe(const float *q, const float *k, const float *v, long t, long heads, long d,
                                 long stride, long out_stride, float scale, int causal, long prefix, long step,
                                 long context, const uint8_t *kept, float rate) {
  const long columns = ck_chunks(t, CK_BLOCK) * CK_BLOCK;
  return (struct attention){.q = q,
                            .k = k,
                            .v = v,
                            .t = t,
                            .heads = heads,
                            .d = d,
                            .stride = stride,
                            .out_stride = out_stride,
                            .columns = columns,
                            .width = columns + CK_BLOCK,
                            .scale = scale,
                            .causal = causal,
                            .tiles = d % CK_BLOCK == 0 && d <= WIDEST_TILES,
                            .prefix = ck_minimum(prefix, t),
                            .step = step,
                            .context = context,
                            .kept = kept,
                            .kept_scale = rate < 1 ? 1 / (1 - rate) : 0,
                            .blocks = ck_chunks(t, BLOCK)};
}

// How many keys query i sees.
CK_INLINE long visible(const struct attention *s, long i) {
  if (!s->causal) return s->t;
  if (s->step > 0 && s->context == 0) return ck_minimum(s->t, (i / s->step + 1) * s->step);
  return i < s->prefix ? ck_maximum(i + 1, s->prefix) : i + 1;
}

// How many keys at the start are too far behind query i.
CK_INLINE long hidden(const struct attention *s, long i) {
  return s->context > 0 ? ck_maximum(0, (i / s->step - s->context + 1) * s->step) : 0;
}

// How many keys a block of queries that ends before `end` meets: whole blocks, so that a block of keys has either
// all of its products or none; the last one is filled up with zeros.
CK_INLINE long visible_before(const struct attention *s, long end) {
  if (!s->causal) return s->columns;
  return ck_minimum(s->columns, ck_chunks(visible(s, end - 1), BLOCK) * BLOCK);
}

// Where the head's columns of row i begin.
CK_INLINE long offset(const struct attention *s, long i, long stride) {
  return (s->item_head / s->heads * s->t + i) * stride + s->item_head % s->heads * s->d;
}

// C = alpha op(A) B, or that added to C.
CK_INLINE void multiply(const struct attention *s, int transpose_a, long m, long n, long k, float alpha,
                        const float *a, long lda, const float *b, long ldb, int accumulates, float *c, long ldc) {
  if (s->tiles)
    ck_tile_product(m, n, k, alpha, a, transpose_a ? 1 : lda, transpose_a ? lda : 1, b, ldb, accumulates, c, ldc);
  else
    ck_gemm(transpose_a, 0, m, n, k, alpha, a, lda, b, ldb, accumulates ? 1 : 0, c, ldc);
}

// ---- Packing ----

CK_INLINE void copy_rows(const float *from, long from_stride, float *to, long to_stride, long rows, long d) {
  for (long i = 0; i < rows; i++, from += from_stride, to += to_stride)
    CK_INDEPENDENT for (long j = 0; j < d; j++) to[j] = from[j];
}

CK_INLINE void transpose_rows(const float *from, long stride, float *to, long width, long rows, long d) {
  for (long i = 0; i < rows; i += CK_BLOCK)
    for (long j = 0; j < d; j += CK_BLOCK)
      ck_transpose_tile(from + i * stride + j, stride, ck_minimum(CK_BLOCK, rows - i), ck_minimum(CK_BLOCK, d - j),
                        to + j * width + i, width, CK_BLOCK);
}

// A block of the head's rows, those of the matrices that `head` has.
CK_WIDE static void pack_block(void *context, long block) {
  const struct attention *s = context;
  const struct head *h = &s->head;
  const long first = block * BLOCK, rows = ck_minimum(BLOCK, s->t - first), d = s->d, at = first * d;
  const long in = offset(s, first, s->stride);
  copy_rows(s->q + in, s->stride, h->q + at, d, rows, d);
  transpose_rows(s->k + in, s->stride, h->keys + first, s->width, rows, d);
  if (!s->dout) {
    copy_rows(s->v + in, s->stride, h->v + at, d, rows, d);
    return;
  }
  copy_rows(s->k + in, s->stride, h->k + at, d, rows, d);
  transpose_rows(s->v + in, s->stride, h->values + first, s->width, rows, d);
  copy_rows(s->dout + offset(s, first, s->out_stride), s->out_stride, h->dout + at, d, rows, d);
}

// Makes the calling thread's memory that of head `item_head`, with P and dS of `queries`.
static void take_head(struct attention *s, long item_head, long queries) {
  const long plain = ck_chunks(s->t * s->d, CK_BLOCK) * CK_BLOCK, transposed = s->d * s->width;
  float *to = ck_scratch(0, 6 * plain + 2 * transposed + 2 * queries * s->width);
  s->item_head = item_head;
  s->head = (struct head){to,
                          to + plain,
                          to + 2 * plain,
                          to + 3 * plain,
                          to + 4 * plain,
                          to + 5 * plain,
                          to + 6 * plain,
                          to + 6 * plain + transposed};
  s->weights = to + 6 * plain + 2 * transposed;
  s->gradients = s->weights + queries * s->width;
}

// ---- Forward ----

// Scores to weights that are still to be divided by their sums; log_sums and the sums' inverses are written.
CK_INLINE void exponentiate(const struct attention *s, float *scores, float *log_sums, float *inverses, long first,
                            long rows, long keys) {
  for (long row = 0; row < rows; row++, scores += s->width) {
    const long seen = visible(s, first + row), unseen = hidden(s, first + row);
    const float maximum = ck_row_maximum(scores + unseen, seen - unseen);
    ck_lanes sums = 0;
    for (long j = 0; j < keys; j += CK_BLOCK) {
      ck_lanes weight = CK_LOAD(scores + j) - maximum;
      ck_lanes_exp(&weight, &weight);
      ck_lanes_keep(seen - j, &weight);
      ck_lanes_drop(unseen - j, &weight);
      sums += weight;
      CK_STORE(scores + j, weight);
    }
    const float sum = ck_lanes_sum(&sums);
    log_sums[row] = maximum + logf(sum);
    inverses[row] = 1 / sum;
  }
}

CK_INLINE void scale_rows(float *out, const float *factors, long rows, long d, long stride) {
  for (long row = 0; row < rows; row++)
    for (long i = 0; i < d; i++) out[row * stride + i] *= factors[row];
}

// Weights, or their gradients, of a block of queries: those that are kept grow, the others become 0.
CK_INLINE void drop_weights(const struct attention *s, float *weights, long first, long rows, long keys) {
  if (!s->kept) return;
  const long t = s->t, count = ck_minimum(keys, t);
  const float scale = s->kept_scale;
  for (long row = 0; row < rows; row++, weights += s->width) {
    const uint8_t *kept = s->kept + (s->item_head * t + first + row) * t;
    CK_INDEPENDENT for (long j = 0; j < count; j++) weights[j] = kept[j] ? scale * weights[j] : 0;
  }
}

CK_WIDE static void attend_block(void *context, long block) {
  const struct attention *s = context;
  const long first = block * BLOCK, rows = ck_minimum(BLOCK, s->t - first), d = s->d;
  const long keys = visible_before(s, first + rows);
  float *out = s->out + offset(s, first, s->out_stride), inverses[BLOCK];
  float *weights = ck_scratch(1, BLOCK * s->width);
  multiply(s, 0, rows, keys, d, s->scale, s->head.q + first * d, d, s->head.keys, s->width, 0, weights, s->width);
  exponentiate(s, weights, s->log_sums + s->item_head * s->t + first, inverses, first, rows, keys);
  drop_weights(s, weights, first, rows, keys);
  multiply(s, 0, rows, d, ck_minimum(keys, s->t), 1, weights, s->width, s->head.v, d, 0, out, s->out_stride);
  scale_rows(out, inverses, rows, d, s->out_stride);
}

static void attend_head(void *context, long item_head) {
  struct attention s = *(const struct attention *)context;
  take_head(&s, item_head, 0);
  for (long block = 0; block < s.blocks; block++) pack_block(&s, block);
  for (long block = 0; block < s.blocks; block++) attend_block(&s, block);
}

void ck_attention_forward(const float *q, const float *k, const float *v, float *out, float *log_sums, long n,
                          long t, long heads, long d, long q_stride, long out_stride, float scale, int causal,
                          long prefix, long step, long context, const uint8_t *kept, float rate) {
  struct attention s = describe(q, k, v, t, heads, d, q_stride, out_stride, scale, causal, prefix, step,
                                context, kept, rate);
  s.out = out;
  s.log_sums = log_sums;
  if (n * heads >= MANY_HEADS) {
    ck_parallel(n * heads, attend_head, &s);
    return;
  }
  for (long item_head = 0; item_head < n * heads; item_head++) {
    take_head(&s, item_head, 0);
    ck_parallel(s.blocks, pack_block, &s);
    ck_parallel(s.blocks, attend_block, &s);
  }
}

// ---- Backward ----
//
// P = exp(S - log_sums); dV = P^T dO; dP = dO V^T; dS = P (dP - sum(dO O)); dQ = scale dS K; dK = scale dS^T Q.
// What drops weights of P in dV drops those of dP as well.

CK_INLINE float dot_product(const float *a, const float *b, long count) {
  CK_FAST
  const long whole = count / CK_BLOCK * CK_BLOCK;
  ck_lanes sums = 0;
  for (long i = 0; i < whole; i += CK_BLOCK) sums += CK_LOAD(a + i) * CK_LOAD(b + i);
  float sum = ck_lanes_sum(&sums);
  for (long i = whole; i < count; i++) sum += a[i] * b[i];
  return sum;
}

// Scores to P, and dP to dS.
CK_INLINE void differentiate(const struct attention *s, float *weights, float *gradients, const float *out,
                             const float *dout, const float *log_sums, long first, long rows, long keys) {
  CK_FAST
  for (long row = 0; row < rows; row++, weights += s->width, gradients += s->width) {
    const long seen = visible(s, first + row), unseen = hidden(s, first + row);
    const float sum = dot_product(out + row * s->out_stride, dout + row * s->d, s->d);
    for (long j = 0; j < keys; j += CK_BLOCK) {
      ck_lanes weight = CK_LOAD(weights + j) - log_sums[row];
      ck_lanes_exp(&weight, &weight);
      ck_lanes_keep(seen - j, &weight);
      ck_lanes_drop(unseen - j, &weight);
      CK_STORE(weights + j, weight);
      CK_STORE(gradients + j, weight * (CK_LOAD(gradients + j) - sum));
    }
  }
}

// P, dS and dQ of one block of queries, P and dS to the given rows.
CK_INLINE void block_gradient(const struct attention *s, long block, float *weights, float *gradients) {
  const struct head *h = &s->head;
  const long first = block * BLOCK, rows = ck_minimum(BLOCK, s->t - first), d = s->d, width = s->width;
  const long keys = visible_before(s, first + rows);
  multiply(s, 0, rows, keys, d, s->scale, h->q + first * d, d, h->keys, width, 0, weights, width);
  multiply(s, 0, rows, keys, d, 1, h->dout + first * d, d, h->values, width, 0, gradients, width);
  drop_weights(s, gradients, first, rows, keys);
  differentiate(s, weights, gradients, s->out + offset(s, first, s->out_stride), h->dout + first * d,
                s->log_sums + s->item_head * s->t + first, first, rows, keys);
  drop_weights(s, weights, first, rows, keys);
  multiply(s, 0, rows, d, ck_minimum(keys, s->t), s->scale, gradients, width, h->k, d, 0,
           s->dq + offset(s, first, s->stride), s->stride);
}

// Many heads: one block after the other. The last one sees every key and therefore writes dK and dV; the others add.
CK_WIDE static void add_block_gradient(void *context, long block) {
  const struct attention *s = context;
  const struct head *h = &s->head;
  const long first = block * BLOCK, rows = ck_minimum(BLOCK, s->t - first), d = s->d;
  const long keys = ck_minimum(visible_before(s, first + rows), s->t);
  const int adds = block < s->blocks - 1;
  block_gradient(s, block, s->weights, s->gradients);
  multiply(s, 1, keys, d, rows, s->scale, s->gradients, s->width, h->q + first * d, d, adds, h->dk, d);
  multiply(s, 1, keys, d, rows, 1, s->weights, s->width, h->dout + first * d, d, adds, h->dv, d);
}

CK_WIDE static void store_key_gradients(const struct attention *s) {
  const long in = offset(s, 0, s->stride);
  copy_rows(s->head.dk, s->d, s->dk + in, s->stride, s->t, s->d);
  copy_rows(s->head.dv, s->d, s->dv + in, s->stride, s->t, s->d);
}

static void head_gradient(void *context, long item_head) {
  struct attention s = *(const struct attention *)context;
  take_head(&s, item_head, BLOCK);
  for (long block = 0; block < s.blocks; block++) pack_block(&s, block);
  for (long block = s.blocks - 1; block >= 0; block--) add_block_gradient(&s, block);
  store_key_gradients(&s);
}

// Few heads: first the blocks of queries, that leave P and dS of the whole head,
CK_WIDE static void query_block_gradient(void *context, long block) {
  const struct attention *s = context;
  const long from = block * BLOCK * s->width;
  block_gradient(s, block, s->weights + from, s->gradients + from);
}

// then the blocks of keys, over the queries from the first block on that sees any of them.
CK_WIDE static void key_block_gradient(void *context, long block) {
  const struct attention *s = context;
  const struct head *h = &s->head;
  const long t = s->t, width = s->width, d = s->d, first = block * BLOCK, keys = ck_minimum(BLOCK, t - first);
  // Blocks of queries have the same borders; a block that starts in the prefix is seen from the start, one within a
  // whole step from the start of that.
  const long start = s->step > 0 && s->context == 0 ? first / s->step * s->step : first;
  const long query = s->causal && first >= s->prefix ? start : 0, from = query * width + first;
  const long in = offset(s, first, s->stride);
  multiply(s, 1, keys, d, t - query, s->scale, s->gradients + from, width, h->q + query * d, d, 0, s->dk + in,
           s->stride);
  multiply(s, 1, keys, d, t - query, 1, s->weights + from, width, h->dout + query * d, d, 0, s->dv + in, s->stride);
}

void ck_attention_backward(const float *q, const float *k, const float *v, const float *out, const float *dout,
                           const float *log_sums, float *dq, float *dk, float *dv, long n, long t, long heads,
                           long d, long q_stride, long out_stride, float scale, int causal, long prefix, long step,
                           long context, const uint8_t *kept, float rate) {
  struct attention s = describe(q, k, v, t, heads, d, q_stride, out_stride, scale, causal, prefix, step,
                                context, kept, rate);
  s.out = (float *)out;
  s.log_sums = (float *)log_sums;
  s.dout = dout;
  s.dq = dq;
  s.dk = dk;
  s.dv = dv;
  // The shape alone decides, so that the bits do not depend on the threads.
  if (n * heads >= MANY_HEADS) {
    ck_parallel(n * heads, head_gradient, &s);
    return;
  }
  for (long item_head = 0; item_head < n * heads; item_head++) {
    take_head(&s, item_head, t);
    ck_parallel(s.blocks, pack_block, &s);
    ck_parallel(s.blocks, query_block_gradient, &s);
    ck_parallel(s.blocks, key_block_gradient, &s);
  }
}
