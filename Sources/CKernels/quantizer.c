// The nearest entries of a codebook, by matrix products of chunks of rows and chunks of entries.
#include "lanes.h"

#define ROWS 64     // at least, to a task
#define CODES 1024  // at a time: their scores stay in the second-level cache

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
  long m, k, d, rows;  // `rows` to a task
};

// Moves best and index to the first of the smallest (norm + norms[j]) - 2 scores[j] below best, j from `first` on.
CK_INLINE void nearest(const float *scores, const float *norms, float norm, long first, long count, float *best,
                       int32_t *index) {
  ck_lanes smallest = __builtin_inff();
  ck_lane_bits at = 0, lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  long j = 0;
  for (; j + 16 <= count; j += 16) {
    const ck_lanes value = norm + CK_LOAD(norms + first + j) - 2 * CK_LOAD(scores + j);
    const ck_lane_bits less = value < smallest;
    smallest = less ? value : smallest;
    at = less ? lane + (int32_t)j : at;
  }
  float least = *best;
  int32_t found = -1;
  for (int i = 0; i < 16; i++)
    if (smallest[i] < least || (smallest[i] == least && at[i] < found)) {
      least = smallest[i];
      found = at[i];
    }
  for (; j < count; j++) {
    const float value = norm + norms[first + j] - 2 * scores[j];
    if (value < least) {
      least = value;
      found = (int32_t)j;
    }
  }
  if (found < 0) return;
  *best = least;
  *index = found + (int32_t)first;
}

CK_WIDE static void search_chunk(void *context, long chunk) {
  const struct search *s = context;
  const long first = chunk * s->rows, rows = ck_minimum(s->rows, s->m - first);
  float *scores = ck_scratch(0, rows * CODES), *best = ck_scratch(1, 2 * rows), *norms = best + rows;
  int32_t *indices = s->indices + first;
  const float *z = s->z + first * s->d;
  for (long row = 0; row < rows; row++) {
    norms[row] = squared_norm(z + row * s->d, s->d);
    best[row] = __builtin_inff();
    indices[row] = 0;  // stays where z is not a number
  }
  for (long code = 0; code < s->k; code += CODES) {
    const long codes = ck_minimum(CODES, s->k - code);
    ck_gemm(0, 1, rows, codes, s->d, 1, z, s->d, s->codebook + code * s->d, s->d, 0, scores, codes);
    for (long row = 0; row < rows; row++)
      nearest(scores + row * codes, s->norms, norms[row], code, codes, &best[row], &indices[row]);
  }
  if (!s->distances) return;
  for (long row = 0; row < rows; row++) s->distances[first + row] = best[row];
}

void ck_nearest_codes(const float *z, const float *codebook, const float *norms, int32_t *indices,
                      float *distances, long m, long k, long d) {
  // Many rows to a product where there are many; one image still gives every thread a few.
  const long rows = ck_maximum(ROWS, ck_minimum(256, m / 8));
  ck_parallel(ck_chunks(m, rows), search_chunk,
              &(struct search){z, codebook, norms, indices, distances, m, k, d, rows});
}
