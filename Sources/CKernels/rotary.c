// Rotary positions: neighbouring channels of each head are turned together by an angle of their position.
#include "kernels.h"
#include "wide.h"

struct rotation {
  const float *x, *cosines, *sines;
  float *y;
  long m, t, turned, heads, d, rows;
  float sign;
};

CK_WIDE static void rotate(void *context, long chunk) {
  CK_FAST
  const struct rotation *s = context;
  const long c = s->heads * s->d, end = ck_minimum(s->m, (chunk + 1) * s->rows);
  for (long row = chunk * s->rows; row < end; row++) {
    const float *cosines = s->cosines + row % s->t * (s->d / 2), *sines = s->sines + row % s->t * (s->d / 2);
    for (long i = s->turned * s->d; i < c; i++) s->y[row * c + i] = s->x[row * c + i];
    for (long head = 0; head < s->turned; head++) {
      const float *restrict x = s->x + row * c + head * s->d;
      float *restrict y = s->y + row * c + head * s->d;
      for (long i = 0; i < s->d / 2; i++) {
        const float sine = s->sign * sines[i], a = x[2 * i], b = x[2 * i + 1];
        y[2 * i] = a * cosines[i] - b * sine;
        y[2 * i + 1] = a * sine + b * cosines[i];
      }
    }
  }
}

void ck_rotate(const float *x, const float *cosines, const float *sines, float *y, long m, long t, long turned,
               long heads, long d, float sign) {
  const long rows = ck_maximum(1, 16384 / ck_maximum(1, heads * d));
  ck_parallel(ck_chunks(m, rows), rotate,
              &(struct rotation){x, cosines, sines, y, m, t, turned, heads, d, rows, sign});
}
