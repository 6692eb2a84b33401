// Rows taken from a table, and their gradients added back into it.
#include <string.h>

#include "kernels.h"
#include "wide.h"

struct gather {
  const float *table;
  const int32_t *indices;
  float *y;
  long m, d, rows;  // `rows` to a task
};

static void gather_rows(void *context, long chunk) {
  const struct gather *s = context;
  const long end = ck_minimum(s->m, (chunk + 1) * s->rows);
  for (long row = chunk * s->rows; row < end; row++)
    memcpy(s->y + row * s->d, s->table + s->indices[row] * s->d, (size_t)s->d * sizeof(float));
}

void ck_gather_rows(const float *table, const int32_t *indices, float *y, long m, long d) {
  const long rows = ck_maximum(1, 16384 / ck_maximum(1, d));
  ck_parallel(ck_chunks(m, rows), gather_rows, &(struct gather){table, indices, y, m, d, rows});
}

struct scatter {
  const float *dy;
  const int32_t *indices;
  float *dtable;
  long m, d, width, bands, height;  // a task owns `width` columns of `height` rows of the table
};

CK_WIDE static void scatter_rows(void *context, long task) {
  const struct scatter *s = context;
  const long column = task / s->bands * s->width, width = ck_minimum(s->width, s->d - column);
  const long first = task % s->bands * s->height, last = first + s->height;
  for (long row = 0; row < s->m; row++) {
    const long index = s->indices[row];
    if (index < first || index >= last) continue;
    const float *restrict from = s->dy + row * s->d + column;
    float *restrict to = s->dtable + index * s->d + column;
    for (long i = 0; i < width; i++) to[i] += from[i];
  }
}

void ck_scatter_add_rows(const float *dy, const int32_t *indices, float *dtable, long m, long d, long rows) {
  // Bands of columns alone where there are enough of them; narrow tables are cut into bands of rows as well.
  const long width = 64, columns = ck_chunks(d, width);
  const long bands = ck_minimum(rows, ck_maximum(1, 8 / ck_maximum(1, columns)));
  if (bands < 1) return;
  const long height = ck_chunks(rows, bands);
  ck_parallel(columns * bands, scatter_rows,
              &(struct scatter){dy, indices, dtable, m, d, width, bands, height});
}
