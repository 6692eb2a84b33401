// Matrix products of bfloat16 factors with sums in float32, on processors with dot products of pairs of them.
#include "gemm.h"
#include "pair_product.h"
#include "panels.h"
#include "skinny_gemm.h"

#define CHUNK 16384

int ck_has_bfloat16(void) {
#if defined(__x86_64__)
  return ck_has_wide_registers() && __builtin_cpu_supports("avx512bf16");
#else
  return 0;
#endif
}

// ---- rounding ----

struct rounding {
  const float *from;
  uint16_t *to;
  long count;
};

CK_WIDE static void round_chunk(void *context, long task) {
  const struct rounding *r = context;
  const long end = ck_minimum(r->count, (task + 1) * CHUNK);
  CK_INDEPENDENT for (long i = task * CHUNK; i < end; i++) r->to[i] = ck_to_bfloat16(r->from[i]);
}

void ck_round_to_bfloat16(const float *from, uint16_t *to, long count) {
  ck_parallel(ck_chunks(count, CHUNK), round_chunk, &(struct rounding){from, to, count});
}

struct widening {
  const uint16_t *from;
  float *to;
  long count;
};

CK_WIDE static void widen_chunk(void *context, long task) {
  const struct widening *w = context;
  const long end = ck_minimum(w->count, (task + 1) * CHUNK);
  CK_INDEPENDENT for (long i = task * CHUNK; i < end; i++) w->to[i] = ck_from_bfloat16(w->from[i]);
}

void ck_widen_bfloat16(const uint16_t *from, float *to, long count) {
  ck_parallel(ck_chunks(count, CHUNK), widen_chunk, &(struct widening){from, to, count});
}

// ---- products ----

#if defined(__x86_64__)
// Pairs of a matrix whose depth runs down its rows: element (i, k) at from[k * ld + i]. The last pair of an odd depth ends
// in zero.
CK_INLINE void interleave(const uint16_t *from, long ld, long first, long depth, long elements, long count, long width,
                          float *to) {
  uint32_t *pairs = (uint32_t *)to;
  for (long k = 0; k < depth; k++, pairs += width) {
    const uint16_t *low = from + 2 * (first + k) * ld, *high = low + ld;
    const int odd = 2 * (first + k) + 1 == elements;
    CK_INDEPENDENT for (long i = 0; i < count; i++) pairs[i] = low[i] | (odd ? 0 : (uint32_t)high[i]) << 16;
    for (long i = count; i < width; i++) pairs[i] = 0;
  }
}

// Pairs of a matrix whose depth runs along its rows, of odd length: they stand at odd addresses.
CK_INLINE void gather(const uint16_t *from, long ld, long first, long depth, long elements, long count, long width,
                      float *to) {
  uint32_t *pairs = (uint32_t *)to;
  for (long k = 0; k < depth; k++, pairs += width)
    for (long i = 0; i < width; i++) {
      const uint16_t *pair = from + i * ld + 2 * (first + k);
      pairs[i] = i >= count ? 0 : pair[0] | (2 * (first + k) + 1 == elements ? 0 : (uint32_t)pair[1]) << 16;
    }
}

CK_WIDE static void pack_pair_rows(const struct gemm *p, long row, long count, long step, long depth, float *to) {
  const uint16_t *a = p->a;
  if (p->transpose_a)
    interleave(a + row, p->lda, step, depth, p->elements, count, count, to);
  else if (p->lda % 2)
    gather(a + row * p->lda, p->lda, step, depth, p->elements, count, count, to);
  else
    ck_pack_rows((const float *)(a + row * p->lda) + step, p->lda / 2, count, depth, to);
}

CK_WIDE static void pack_pair_panel(const struct gemm *p, long column, long count, long step, long depth, float *to) {
  if (!p->transpose_b) {
    const uint16_t *b = p->b[step / p->part];
    interleave(b + column, p->ldb, step % p->part, depth, p->elements, count, p->width, to);
    return;
  }
  const uint16_t *b = (const uint16_t *)p->b[column / p->part] + column % p->part * p->ldb;
  if (p->ldb % 2)
    gather(b, p->ldb, step, depth, p->elements, count, p->width, to);
  else
    ck_pack_transposed_panel((const float *)b + step, p->ldb / 2, count, p->width, depth, to);
}

#define DOT_PRODUCTS(R, V) \
  ck_clear_sums(s, R, V); \
  ck_add_pair_products(s, a, 1, R, b, CK_BLOCK, (V) * CK_BLOCK, depth, R, V); \
  ck_store_tile(p, s, beta, count, c, R, V);

CK_PAIRS static void multiply_pair_tile(const struct gemm *p, const float *a, long rows, const float *b, long depth,
                                        float beta, long count, float *c) {
  ck_lanes s[CK_MAX_ROWS][CK_MAX_VECTORS];
  CK_ROWS_SWITCH(rows, 2, DOT_PRODUCTS)
}

void ck_gemm_bfloat16(int transpose_a, int transpose_b, long m, long n, long k, const uint16_t *a,
                      long lda, const uint16_t *const *parts, long count, float *c) {
  if (m <= 0 || n <= 0) return;
  if (!transpose_a && transpose_b && ck_skinny_gemm_bfloat16(m, n, k, a, parts, count, c)) return;
  ck_run_gemm(&(struct gemm){.transpose_a = transpose_a,
                             .transpose_b = transpose_b,
                             .m = m,
                             .n = n,
                             .k = ck_chunks(k, 2),
                             .elements = k,
                             .alpha = 1,
                             .a = a,
                             .lda = lda,
                             .b = (const void *const *)parts,
                             .part = ck_maximum(1, transpose_b ? n / count : ck_chunks(k / count, 2)),
                             .ldb = transpose_b ? k : n,
                             .c = c,
                             .ldc = n,
                             .pack_rows = pack_pair_rows,
                             .pack_panel = pack_pair_panel,
                             .multiply_tile = multiply_pair_tile});
}
#else
void ck_gemm_bfloat16(int transpose_a, int transpose_b, long m, long n, long k, const uint16_t *a,
                      long lda, const uint16_t *const *parts, long count, float *c) {
  __builtin_trap();  // ck_has_bfloat16 says so
}
#endif
