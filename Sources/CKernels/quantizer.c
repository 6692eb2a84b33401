// The nearest entry of a codebook, by one matrix product for each chunk of rows.
#include <string.h>

#include "lanes.h"

#define ROWS 64  // to a task: the scores of 64 rows and 1024 entries fit the second-level cache

struct norms {
  const float *x;
  float *norms;
  long m, d;
};

CK_INLINE float squared_norm(const float *x, long d) {
  CK_FAST
  float sum = 0;
  for (long i = 0; i < d; i++) sum += x[i] * x[i];
  return sum;
}

CK_WIDE static void row_norms(void *context, long chunk) {
  const struct norms *s = context;
  const long end = ck_minimum(s->m, (chunk + 1) * ROWS);
  for (long row = chunk * ROWS; row < end; row++) s->norms[row] = squared_norm(s->x + row * s->d, s->d);
}

void ck_row_norms(const float *x, float *norms, long m, long d) {
  ck_parallel(ck_chunks(m, ROWS), row_norms, &(struct norms){x, norms, m, d});
}

struct search {
  const float *z, *codebook, *norms;
  int32_t *indices;
  float *distances;
  long m, k, d;
  ck_gemm gemm;
};

// The first index of the smallest (norm + norms[j]) - 2 scores[j], and that value. Index 0 if all are NaN.
CK_INLINE int32_t nearest(const float *scores, const float *norms, float norm, long k, float *distance) {
  ck_lanes best = __builtin_inff();
  ck_lane_bits at = 0, lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  long j = 0;
  for (; j + 16 <= k; j += 16) {
    const ck_lanes value = norm + CK_LOAD(norms + j) - 2 * CK_LOAD(scores + j);
    const ck_lane_bits less = value < best;
    best = less ? value : best;
    at = less ? lane + (int32_t)j : at;
  }
  float smallest = __builtin_inff();
  int32_t index = 0;
  for (int i = 0; i < 16; i++)
    if (best[i] < smallest || (best[i] == smallest && at[i] < index)) {
      smallest = best[i];
      index = at[i];
    }
  for (; j < k; j++) {
    const float value = norm + norms[j] - 2 * scores[j];
    if (value < smallest) {
      smallest = value;
      index = (int32_t)j;
    }
  }
  *distance = smallest;
  return index;
}

CK_WIDE static void pick_nearest(const struct search *s, const float *scores, long first, long rows) {
  for (long row = first; row < first + rows; row++, scores += s->k) {
    float distance;
    s->indices[row] = nearest(scores, s->norms, squared_norm(s->z + row * s->d, s->d), s->k, &distance);
    if (s->distances) s->distances[row] = distance;
  }
}

static void search_chunk(void *context, long chunk) {
  const struct search *s = context;
  const long first = chunk * ROWS, rows = ck_minimum(ROWS, s->m - first);
  float *scores = ck_scratch(0, rows * s->k);  // z e^T, [rows, K]
  s->gemm(0, 1, rows, s->k, s->d, 1, s->z + first * s->d, s->d, s->codebook, s->d, 0, scores, s->k);
  pick_nearest(s, scores, first, rows);
}

void ck_nearest_codes(const float *z, const float *codebook, const float *norms, int32_t *indices,
                      float *distances, long m, long k, long d, ck_gemm gemm) {
  ck_parallel(ck_chunks(m, ROWS), search_chunk,
              &(struct search){z, codebook, norms, indices, distances, m, k, d, gemm});
}

void ck_count_codes(const int32_t *indices, int64_t *counts, long m, long k) {
  memset(counts, 0, (size_t)k * sizeof(int64_t));
  for (long row = 0; row < m; row++) counts[indices[row]]++;
}
