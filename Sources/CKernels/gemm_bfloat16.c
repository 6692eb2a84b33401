// Matrix products of bfloat16 factors with sums in float32, by oneDNN's matmul.
#ifdef HAS_ONEDNN
#include <dnnl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "skinny_gemm.h"
#include "lanes.h"

#define CHUNK 16384

int ck_has_bfloat16(void) {
  return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
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

// ---- products ----

struct key {
  long m, n, k;
  int transpose_a, transpose_b, accumulates, threads;
};

struct plan {
  struct key key;
  struct plan *next;
  dnnl_primitive_t primitive;
  dnnl_memory_desc_t a, b, c;
};

static dnnl_engine_t engine;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
#define BUCKETS 64
static struct plan *plans[BUCKETS];

// Rows and columns of a stored matrix, or of its transpose.
static dnnl_status_t describe(dnnl_memory_desc_t *result, long rows, long columns, int transposed) {
  const dnnl_dims_t sizes = {rows, columns}, strides = {transposed ? 1 : columns, transposed ? rows : 1};
  return dnnl_memory_desc_init_by_strides(result, 2, sizes, dnnl_bf16, strides);
}

static int create_plan(struct plan *plan) {
  const struct key *key = &plan->key;
  const dnnl_dims_t sizes = {key->m, key->n};
  dnnl_matmul_desc_t operation;
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_post_ops_t operations = NULL;
  dnnl_primitive_desc_t descriptor = NULL;
  int status = describe(&plan->a, key->m, key->k, key->transpose_a);
  if (!status) status = describe(&plan->b, key->k, key->n, key->transpose_b);
  if (!status) status = dnnl_memory_desc_init_by_tag(&plan->c, 2, sizes, dnnl_f32, dnnl_ab);
  if (!status) status = dnnl_matmul_desc_init(&operation, &plan->a, &plan->b, NULL, &plan->c);
  if (!status) status = dnnl_primitive_attr_create(&attributes);
  if (!status) status = dnnl_post_ops_create(&operations);
  if (!status && key->accumulates) status = dnnl_post_ops_append_sum(operations, 1);
  if (!status) status = dnnl_primitive_attr_set_post_ops(attributes, operations);
  if (!status) status = dnnl_primitive_desc_create(&descriptor, &operation, attributes, engine, NULL);
  if (!status) status = dnnl_primitive_create(&plan->primitive, descriptor);
  dnnl_primitive_desc_destroy(descriptor);
  dnnl_post_ops_destroy(operations);
  dnnl_primitive_attr_destroy(attributes);
  return status;
}

static struct plan *find_plan(const struct key *key) {
  uint64_t hash = 14695981039346656037u;
  for (unsigned i = 0; i < sizeof *key; i++) hash = (hash ^ ((const unsigned char *)key)[i]) * 1099511628211u;
  struct plan **bucket = &plans[hash % BUCKETS];
  pthread_mutex_lock(&lock);
  if (!engine && dnnl_engine_create(&engine, dnnl_cpu, 0)) abort();
  struct plan *plan = *bucket;
  while (plan && memcmp(&plan->key, key, sizeof *key) != 0) plan = plan->next;
  if (!plan) {
    plan = calloc(1, sizeof *plan);
    if (!plan) abort();
    plan->key = *key;
    if (create_plan(plan)) abort();  // sizes that no matrix has: a mistake of the caller
    plan->next = *bucket;
    *bucket = plan;
  }
  pthread_mutex_unlock(&lock);
  return plan;
}

static dnnl_stream_t stream(void) {
  static _Thread_local dnnl_stream_t mine;
  if (!mine) dnnl_stream_create(&mine, engine, dnnl_stream_default_flags);
  return mine;
}

static void multiply(const struct plan *plan, const uint16_t *a, const uint16_t *b, float *c) {
  dnnl_memory_t memory[3];
  if (dnnl_memory_create(&memory[0], &plan->a, engine, (void *)a) ||
      dnnl_memory_create(&memory[1], &plan->b, engine, (void *)b) ||
      dnnl_memory_create(&memory[2], &plan->c, engine, c))
    abort();
  const dnnl_exec_arg_t arguments[3] = {
      {DNNL_ARG_SRC, memory[0]}, {DNNL_ARG_WEIGHTS, memory[1]}, {DNNL_ARG_DST, memory[2]}};
  if (dnnl_primitive_execute(plan->primitive, stream(), 3, arguments)) abort();
  for (int i = 0; i < 3; i++) dnnl_memory_destroy(memory[i]);
}

void ck_gemm_bfloat16(int transpose_a, int transpose_b, long m, long n, long k, const uint16_t *a, const uint16_t *b,
                      float beta, float *c) {
  if (m <= 0 || n <= 0) return;
  if (!transpose_a && transpose_b && ck_skinny_gemm_bfloat16(m, n, k, a, b, beta, c)) return;
  struct key key;
  memset(&key, 0, sizeof key);
  key.m = m, key.n = n, key.k = k;
  key.transpose_a = transpose_a, key.transpose_b = transpose_b;
  key.accumulates = beta != 0, key.threads = ck_threads();
  multiply(find_plan(&key), a, b, c);
}
#endif
