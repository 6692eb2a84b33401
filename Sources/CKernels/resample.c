// 2x2 maximum pooling and nearest upsampling of planes [H, W, 16].
#include "lanes.h"

#define CHUNK 4096L  // pixels of the larger side that a task covers, 256 KiB

// Large planes are [height, width], small ones [height / 2, width / 2]; a task is `rows` pairs of large rows,
// counted through all planes.
struct resampling {
  const float *x, *y;
  float *to;
  long planes, height, width, rows;
};

// One pair of large rows (the second is missing at the end of an odd height).
struct row_pair {
  long large, small;  // offsets of the first floats
  int whole;
};

static struct row_pair row_pair_of(const struct resampling *s, long pair) {
  const long pairs = ck_chunks(s->height, 2), plane = pair / pairs, row = pair % pairs;
  return (struct row_pair){(plane * s->height + 2 * row) * s->width * CK_BLOCK,
                           (plane * (s->height / 2) + row) * (s->width / 2) * CK_BLOCK, 2 * row + 1 < s->height};
}

static void run(ck_task task, struct resampling s) {
  if (s.width == 0) return;
  s.rows = ck_maximum(CHUNK / (2 * s.width), 1);
  ck_parallel(ck_chunks(s.planes * ck_chunks(s.height, 2), s.rows), task, &s);
}

#define FOR_ROW_PAIRS(s, task, pair)                                                                         \
  for (long pair = (task) * (s)->rows,                                                                       \
            pair_end = ck_minimum(pair + (s)->rows, (s)->planes * ck_chunks((s)->height, 2));                \
       pair < pair_end; pair++)

// ---- maximum ----

// b where it is greater or NaN, as in PyTorch; else a.
#define GREATER(a, b) ((b > a) | (b != b))

CK_WIDE static void max_pool_forward(void *context, long task) {
  const struct resampling *s = context;
  FOR_ROW_PAIRS(s, task, pair) {
    const struct row_pair rows = row_pair_of(s, pair);
    if (!rows.whole) continue;
    const float *upper = s->x + rows.large, *lower = upper + s->width * CK_BLOCK;
    float *to = s->to + rows.small;
    for (long i = 0; i < s->width / 2 * CK_BLOCK; i += CK_BLOCK) {
      const ck_lanes b = CK_LOAD(upper + 2 * i + CK_BLOCK);
      const ck_lanes c = CK_LOAD(lower + 2 * i), d = CK_LOAD(lower + 2 * i + CK_BLOCK);
      ck_lanes y = CK_LOAD(upper + 2 * i);
      y = GREATER(y, b) ? b : y;
      y = GREATER(y, c) ? c : y;
      y = GREATER(y, d) ? d : y;
      CK_STORE(to + i, y);
    }
  }
}

void ck_max_pool_forward(const float *x, float *y, long planes, long h, long w) {
  run(max_pool_forward, (struct resampling){.x = x, .to = y, .planes = planes, .height = h, .width = w});
}

CK_WIDE static void max_pool_backward(void *context, long task) {
  const struct resampling *s = context;
  const ck_lanes zero = 0;
  FOR_ROW_PAIRS(s, task, pair) {
    const struct row_pair rows = row_pair_of(s, pair);
    const long row = s->width * CK_BLOCK;
    float *upper_to = s->to + rows.large, *lower_to = upper_to + row;
    if (!rows.whole) {
      for (long i = 0; i < row; i += CK_BLOCK) CK_STORE(upper_to + i, zero);
      continue;
    }
    const float *upper = s->x + rows.large, *lower = upper + row, *dy = s->y + rows.small;
    for (long i = 0; i < s->width / 2 * CK_BLOCK; i += CK_BLOCK) {
      const ck_lanes b = CK_LOAD(upper + 2 * i + CK_BLOCK);
      const ck_lanes c = CK_LOAD(lower + 2 * i), d = CK_LOAD(lower + 2 * i + CK_BLOCK);
      const ck_lanes gradient = CK_LOAD(dy + i);
      ck_lanes maximum = CK_LOAD(upper + 2 * i);
      ck_lane_bits b_wins = GREATER(maximum, b);
      maximum = b_wins ? b : maximum;
      ck_lane_bits c_wins = GREATER(maximum, c);
      maximum = c_wins ? c : maximum;
      const ck_lane_bits d_wins = GREATER(maximum, d);
      c_wins &= ~d_wins;
      b_wins &= ~(c_wins | d_wins);
      CK_STORE(upper_to + 2 * i, (b_wins | c_wins | d_wins) ? zero : gradient);
      CK_STORE(upper_to + 2 * i + CK_BLOCK, b_wins ? gradient : zero);
      CK_STORE(lower_to + 2 * i, c_wins ? gradient : zero);
      CK_STORE(lower_to + 2 * i + CK_BLOCK, d_wins ? gradient : zero);
    }
    if (s->width % 2) {
      CK_STORE(upper_to + row - CK_BLOCK, zero);
      CK_STORE(lower_to + row - CK_BLOCK, zero);
    }
  }
}

void ck_max_pool_backward(const float *x, const float *dy, float *dx, long planes, long h, long w) {
  run(max_pool_backward, (struct resampling){.x = x, .y = dy, .to = dx, .planes = planes, .height = h, .width = w});
}

// ---- upsampling ----

CK_WIDE static void upsample_forward(void *context, long task) {
  const struct resampling *s = context;
  FOR_ROW_PAIRS(s, task, pair) {
    const struct row_pair rows = row_pair_of(s, pair);
    const float *x = s->x + rows.small;
    float *upper = s->to + rows.large, *lower = upper + s->width * CK_BLOCK;
    for (long i = 0; i < s->width / 2 * CK_BLOCK; i += CK_BLOCK) {
      const ck_lanes value = CK_LOAD(x + i);
      CK_STORE(upper + 2 * i, value);
      CK_STORE(upper + 2 * i + CK_BLOCK, value);
      CK_STORE(lower + 2 * i, value);
      CK_STORE(lower + 2 * i + CK_BLOCK, value);
    }
  }
}

void ck_upsample_forward(const float *x, float *y, long planes, long h, long w) {
  run(upsample_forward, (struct resampling){.x = x, .to = y, .planes = planes, .height = 2 * h, .width = 2 * w});
}

CK_WIDE static void upsample_backward(void *context, long task) {
  const struct resampling *s = context;
  FOR_ROW_PAIRS(s, task, pair) {
    const struct row_pair rows = row_pair_of(s, pair);
    const float *upper = s->y + rows.large, *lower = upper + s->width * CK_BLOCK;
    float *dx = s->to + rows.small;
    for (long i = 0; i < s->width / 2 * CK_BLOCK; i += CK_BLOCK) {
      const ck_lanes of_upper = CK_LOAD(upper + 2 * i) + CK_LOAD(upper + 2 * i + CK_BLOCK);
      const ck_lanes of_lower = CK_LOAD(lower + 2 * i) + CK_LOAD(lower + 2 * i + CK_BLOCK);
      CK_STORE(dx + i, of_upper + of_lower);
    }
  }
}

void ck_upsample_backward(const float *dy, float *dx, long planes, long h, long w) {
  run(upsample_backward, (struct resampling){.y = dy, .to = dx, .planes = planes, .height = 2 * h, .width = 2 * w});
}
