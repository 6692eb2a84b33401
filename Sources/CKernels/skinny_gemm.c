// Products of a few rows with a transposed matrix, C = alpha A Bᵀ + beta C: sampling multiplies a few new positions
// with every weight, and what counts is that each weight is read once. Weights are float32, bfloat16, or 8-bit integers
// with one scale to a row.
//
// Packed products are slower here (one core of Zen 4, 32 x 1024 x 1024: oneDNN 45 GFLOP/s, OpenBLAS 40, this 90).
#include "skinny_gemm.h"

#include <stddef.h>

#include "pair_product.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// A stays in the second-level cache, and rows are long enough to make up for adding up the lanes at their ends.
#define FEW_ROWS 64
#define FEW_FLOATS 131072
#define ROW_LENGTHS 16  // times the number of rows
#define AHEAD 2048      // bytes that are asked for before they are needed: memory at 43 instead of 33 GB/s

typedef int8_t ck_lane_bytes __attribute__((ext_vector_type(16), aligned(1), may_alias));

struct skinny_gemm {
  long m, n, k;
  float alpha, beta;
  const float *a;
  long lda;
  const float *b;  // float32 weights,
  long ldb;
  const int8_t *bytes;  // or these, dense,
  const float *scales;
  const uint16_t *halves_a, *halves_b;  // or both factors in bfloat16, dense
  float *c;
  long ldc;
  const void *const *parts;  // b, bytes or halves_b
  const float *const *part_scales;
  long columns;              // of C to a task
};

CK_INLINE void finish(const struct skinny_gemm *p, float sum, float scale, float *out) {
  *out = p->beta == 0 ? p->alpha * scale * sum : p->alpha * scale * sum + p->beta * *out;
}

// ---- float32 and 8-bit weights ------------------------------------------------------------------------

// C[row..row + rows)[column..column + columns) from dot products, at most 4 x 4; the counts are constants.
CK_INLINE void dot_products(const struct skinny_gemm *p, long row, long column, const int rows, const int columns,
                            const int bytes) {
  CK_FAST
  ck_lanes sums[4][4], x[4];
  const float *a = p->a + row * p->lda;
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) sums[i][j] = 0;
  long at = 0;
  for (; at + 16 <= p->k; at += 16) {
    for (int i = 0; i < rows; i++) x[i] = CK_LOAD(a + i * p->lda + at);
    for (int j = 0; j < columns; j++) {
      if (bytes) __builtin_prefetch(p->bytes + (column + j + 4) * p->k + at);  // the next four columns
      const ck_lanes y =
          bytes ? __builtin_convertvector(*(const ck_lane_bytes *)(p->bytes + (column + j) * p->k + at), ck_lanes)
                : CK_LOAD(p->b + (column + j) * p->ldb + at);
      for (int i = 0; i < rows; i++) sums[i][j] += x[i] * y;
    }
  }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) {
      float sum = ck_lanes_sum(&sums[i][j]);
      for (long t = at; t < p->k; t++)
        sum += a[i * p->lda + t] * (bytes ? (float)p->bytes[(column + j) * p->k + t] : p->b[(column + j) * p->ldb + t]);
      finish(p, sum, bytes ? p->scales[column + j] : 1, p->c + (row + i) * p->ldc + column + j);
    }
}

// C[0][column] of a single row: the weights are read in one stream, by four sums side by side.
CK_INLINE void dot_product(const struct skinny_gemm *p, long column, const int bytes) {
  CK_FAST
  ck_lanes sums[4] = {0, 0, 0, 0};
  const float *b = bytes ? 0 : p->b + column * p->ldb;
  const int8_t *small = bytes ? p->bytes + column * p->k : 0;
  long at = 0;
  for (; at + 64 <= p->k; at += 64)
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
      const long here = at + 16 * i;
      if (!bytes) __builtin_prefetch((const char *)(b + here) + AHEAD);
      if (bytes && i == 0) __builtin_prefetch(small + here + AHEAD);
      const ck_lanes y = bytes ? __builtin_convertvector(*(const ck_lane_bytes *)(small + here), ck_lanes)
                               : CK_LOAD(b + here);
      sums[i] += CK_LOAD(p->a + here) * y;
    }
  const ck_lanes all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float sum = ck_lanes_sum(&all);
  for (; at < p->k; at++) sum += p->a[at] * (bytes ? (float)small[at] : b[at]);
  finish(p, sum, bytes ? p->scales[column] : 1, p->c + column);
}

CK_INLINE void multiply_columns(const struct skinny_gemm *p, long task, const int bytes) {
  const long end = ck_minimum(p->n, (task + 1) * p->columns);
  long column = task * p->columns;
  if (p->m == 1)
    for (; column < end; column++) dot_product(p, column, bytes);
  for (; column + 4 <= end; column += 4) {
    long row = 0;
    for (; row + 4 <= p->m; row += 4) dot_products(p, row, column, 4, 4, bytes);
    for (; row < p->m; row++) dot_products(p, row, column, 1, 4, bytes);
  }
  for (; column < end; column++)
    for (long row = 0; row < p->m; row++) dot_products(p, row, column, 1, 1, bytes);
}

// Task `*task` of all parts becomes that of one, which stands alone.
CK_INLINE struct skinny_gemm one_part(const void *context, long *task) {
  struct skinny_gemm p = *(const struct skinny_gemm *)context;
  const long each = ck_chunks(p.n, p.columns), part = *task / each;
  *task %= each;
  p.c += part * p.n;
  p.b = p.parts[part];
  p.bytes = p.parts[part];
  p.halves_b = p.parts[part];
  if (p.part_scales) p.scales = p.part_scales[part];
  return p;
}

CK_WIDE static void multiply_floats(void *context, long task) {
  const struct skinny_gemm p = one_part(context, &task);
  multiply_columns(&p, task, 0);
}

CK_WIDE static void multiply_bytes(void *context, long task) {
  const struct skinny_gemm p = one_part(context, &task);
  multiply_columns(&p, task, 1);
}

static void run(ck_task task, struct skinny_gemm p, long count, long weight_bytes) {
  // Tasks of about 128 KiB of weights.
  p.columns = ck_maximum(4, 131072 / weight_bytes / ck_maximum(1, p.k) / 4 * 4);
  p.n /= count;
  ck_parallel(count * ck_chunks(p.n, p.columns), task, &p);
}

int ck_skinny_gemm(long m, long n, long k, float alpha, const float *a, long lda, const float *const *parts, long count,
                   long ldb, float beta, float *c, long ldc) {
  if (m > FEW_ROWS || m * k > FEW_FLOATS || k < ROW_LENGTHS * m) return 0;
  run(multiply_floats,
      (struct skinny_gemm){.m = m, .n = n, .k = k, .alpha = alpha, .beta = beta, .a = a, .lda = lda,
                           .parts = (const void *const *)parts, .ldb = ldb, .c = c, .ldc = ldc},
      count, 4);
  return 1;
}

void ck_skinny_gemm_int8(long m, long n, long k, const float *a, const int8_t *const *parts,
                         const float *const *scales, long count, float *c) {
  run(multiply_bytes,
      (struct skinny_gemm){.m = m, .n = n, .k = k, .alpha = 1, .a = a, .lda = k, .parts = (const void *const *)parts,
                           .part_scales = scales, .c = c, .ldc = n},
      count, 1);
}

// ---- 8-bit weights: w = scale * byte, the largest of a row at 127 ----------------------------------------

struct quantization {
  const float *from;
  int8_t *bytes;
  float *scales, *to;
  long columns;
};

CK_WIDE static void quantize_row(void *context, long row) {
  const struct quantization *q = context;
  const float *restrict from = q->from + row * q->columns;
  int8_t *restrict to = q->bytes + row * q->columns;
  float largest = 0;
  for (long i = 0; i < q->columns; i++) largest = __builtin_elementwise_max(largest, __builtin_fabsf(from[i]));
  const float inverse = largest > 0 ? 127 / largest : 0;
  // Adding 1.5 * 2^23 rounds to the nearest integer and leaves it in the low bits.
  for (long i = 0; i < q->columns; i++)
    to[i] = (int8_t)(__builtin_bit_cast(int32_t, from[i] * inverse + 12582912.0f) - 0x4b400000);
  q->scales[row] = largest / 127;
}

void ck_quantize_rows(const float *from, int8_t *bytes, float *scales, long rows, long columns) {
  ck_parallel(rows, quantize_row, &(struct quantization){from, bytes, scales, NULL, columns});
}

CK_WIDE static void restore_row(void *context, long row) {
  const struct quantization *q = context;
  const float scale = q->scales[row];
  const int8_t *restrict from = q->bytes + row * q->columns;
  float *restrict to = q->to + row * q->columns;
  for (long i = 0; i < q->columns; i++) to[i] = scale * (float)from[i];
}

void ck_restore_rows(const int8_t *bytes, const float *scales, float *to, long rows, long columns) {
  ck_parallel(rows, restore_row, &(struct quantization){NULL, (int8_t *)bytes, (float *)scales, to, columns});
}

// ---- bfloat16 --------------------------------------------------------------------------------------------

#if defined(__x86_64__)

// As dot_products, 32 pairs of factors at a time.
CK_PAIRS_INLINE void half_dot_products(const struct skinny_gemm *p, long row, long column, const int rows,
                                       const int columns) {
  __m512 sums[4][4];
  __m512bh x[4];
  const uint16_t *a = p->halves_a + row * p->k, *b = p->halves_b + column * p->k;
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < columns; j++) sums[i][j] = _mm512_setzero_ps();
  for (long at = 0; at < p->k; at += 32) {
    const __mmask32 mask = p->k - at >= 32 ? ~0u : (1u << (p->k - at)) - 1;
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) x[i] = (__m512bh)_mm512_maskz_loadu_epi16(mask, a + i * p->k + at);
#pragma clang loop unroll(full)
    for (int j = 0; j < columns; j++) {
      __builtin_prefetch(b + (j + 4) * p->k + at);
      const __m512bh y = (__m512bh)_mm512_maskz_loadu_epi16(mask, b + j * p->k + at);
#pragma clang loop unroll(full)
      for (int i = 0; i < rows; i++) sums[i][j] = _mm512_dpbf16_ps(sums[i][j], x[i], y);
    }
  }
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++)
      finish(p, _mm512_reduce_add_ps(sums[i][j]), 1, p->c + (row + i) * p->ldc + column + j);
}

CK_PAIRS_INLINE void half_dot_product(const struct skinny_gemm *p, long column) {
  __m512 sums[4];
  const uint16_t *a = p->halves_a, *b = p->halves_b + column * p->k;
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) sums[i] = _mm512_setzero_ps();
  long at = 0;
  for (; at + 128 <= p->k; at += 128)
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
      __builtin_prefetch((const char *)(b + at + 32 * i) + AHEAD);
      sums[i] = _mm512_dpbf16_ps(sums[i], (__m512bh)_mm512_loadu_si512(a + at + 32 * i),
                                 (__m512bh)_mm512_loadu_si512(b + at + 32 * i));
    }
  for (; at < p->k; at += 32) {
    const __mmask32 mask = p->k - at >= 32 ? ~0u : (1u << (p->k - at)) - 1;
    sums[0] = _mm512_dpbf16_ps(sums[0], (__m512bh)_mm512_maskz_loadu_epi16(mask, a + at),
                               (__m512bh)_mm512_maskz_loadu_epi16(mask, b + at));
  }
  finish(p, _mm512_reduce_add_ps((sums[0] + sums[1]) + (sums[2] + sums[3])), 1, p->c + column);
}

CK_PAIRS static void multiply_halves(void *context, long task) {
  const struct skinny_gemm part = one_part(context, &task), *p = &part;
  const long end = ck_minimum(p->n, (task + 1) * p->columns);
  long column = task * p->columns;
  if (p->m == 1)
    for (; column < end; column++) half_dot_product(p, column);
  for (; column + 4 <= end; column += 4) {
    long row = 0;
    for (; row + 4 <= p->m; row += 4) half_dot_products(p, row, column, 4, 4);
    for (; row < p->m; row++) half_dot_products(p, row, column, 1, 4);
  }
  for (; column < end; column++)
    for (long row = 0; row < p->m; row++) half_dot_products(p, row, column, 1, 1);
}

int ck_skinny_gemm_bfloat16(long m, long n, long k, const uint16_t *a, const uint16_t *const *parts, long count,
                            float *c) {
  if (m >= FEW_ROWS / 2 || k < ROW_LENGTHS * m) return 0;
  run(multiply_halves,
      (struct skinny_gemm){.m = m, .n = n, .k = k, .alpha = 1, .halves_a = a, .parts = (const void *const *)parts,
                           .c = c, .ldc = n},
      count, 2);
  return 1;
}
#else
int ck_skinny_gemm_bfloat16(long m, long n, long k, const uint16_t *a, const uint16_t *const *parts, long count,
                            float *c) {
  return 0;
}
#endif
