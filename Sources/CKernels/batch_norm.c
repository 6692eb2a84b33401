// Batch normalisation (Ioffe & Szegedy 2015) and ActNorm's affine map, each with a leaky ReLU behind it. Both are
// u = gamma * ((x - center) * rstd) + beta, with rstd = 1, center = -loc and beta = 0 for ActNorm.
#include "blocked.h"

struct batch_norm {
  const float *x, *dy;
  float *y, *dx;
  const float *mean, *rstd, *gamma, *beta;  // rstd, beta: NULL for ActNorm, where `mean` is loc
  float *first, *second;                    // results per channel, NULL where not wanted
  long n, c, hw;
  float slope;
  int normalises;  // 1: x's own statistics take part in the gradient
  struct ck_pieces pieces;
  struct ck_sums *sums;
};

// Per lane of one block; all zero past C.
struct block_factors {
  ck_lanes center, rstd, gamma, beta;
};

CK_INLINE void load_factors(const struct batch_norm *s, long block, struct block_factors *f) {
  ck_channel_lanes(s->mean, s->c, block, &f->center);
  ck_channel_lanes(s->gamma, s->c, block, &f->gamma);
  f->rstd = 1, f->beta = 0;
  if (s->rstd)
    ck_channel_lanes(s->rstd, s->c, block, &f->rstd);
  else
    f->center = -f->center;
  if (s->beta) ck_channel_lanes(s->beta, s->c, block, &f->beta);
}

CK_INLINE long block_of(const struct batch_norm *s, long plane) { return plane % ck_chunks(s->c, CK_BLOCK); }

// ---- moments and sums of channels ----

CK_WIDE static void piece_moments(void *context, long task) {
  const struct batch_norm *s = context;
  const struct ck_part part = ck_part_of(&s->pieces, task);
  for (long plane = part.first_plane; plane < part.end_plane; plane++)
    ck_piece_moments(s->x + (plane * s->hw + part.first) * CK_BLOCK, part.end - part.first,
                     &s->sums[plane * s->pieces.cuts + part.cut]);
}

// Mean and variance of one block, from its planes in the order of the images.
CK_WIDE static void block_moments(void *context, long block) {
  const struct batch_norm *s = context;
  const long blocks = ck_chunks(s->c, CK_BLOCK), stride = blocks * s->pieces.cuts;
  struct ck_sums *of_planes = s->sums + block * s->pieces.cuts;
  ck_wide_lanes mean = 0, deviations = 0;
  for (long image = 0; image < s->n; image++) {
    ck_plane_moments(&s->pieces, of_planes + image * stride, of_planes + image * stride);
    mean += of_planes[image * stride].first;
  }
  mean /= (double)s->n;
  for (long image = 0; image < s->n; image++) {
    const ck_wide_lanes d = of_planes[image * stride].first - mean;
    deviations += of_planes[image * stride].second + d * d * (double)s->hw;
  }
  const ck_lanes means = CK_NARROW(mean), variances = CK_NARROW(deviations / (double)(s->n * s->hw));
  ck_store_channels(s->first, s->c, block, &means);
  ck_store_channels(s->second, s->c, block, &variances);
}

void ck_channel_moments(const float *x, float *mean, float *variance, long n, long c, long hw) {
  struct batch_norm s = {.x = x, .first = mean, .second = variance, .n = n, .c = c, .hw = hw};
  s.pieces = ck_cut(n * ck_chunks(c, CK_BLOCK), hw);
  s.sums = ck_sums_of_pieces(&s.pieces);
  ck_parallel(s.pieces.tasks, piece_moments, &s);
  ck_parallel(ck_chunks(c, CK_BLOCK), block_moments, &s);
}

CK_WIDE static void plain_sums(void *context, long task) {
  const struct batch_norm *s = context;
  const struct ck_part part = ck_part_of(&s->pieces, task);
  for (long plane = part.first_plane; plane < part.end_plane; plane++) {
    const float *dy = s->dy + plane * s->hw * CK_BLOCK;
    ck_wide_lanes sum = 0;
    for (long run = part.first; run < part.end; run += CK_RUN) {
      const long end = ck_minimum(run + CK_RUN, part.end);
      ck_lanes even = 0, odd = 0;
      for (long p = run; p + 1 < end; p += 2)
        even += CK_LOAD(dy + p * CK_BLOCK), odd += CK_LOAD(dy + (p + 1) * CK_BLOCK);
      if ((end - run) % 2) even += CK_LOAD(dy + (end - 1) * CK_BLOCK);
      sum += CK_WIDEN(even + odd);
    }
    s->sums[plane * s->pieces.cuts + part.cut] = (struct ck_sums){sum, 0};
  }
}

// The sums of one block over its planes, in the order of the images.
CK_INLINE void add_planes(const struct batch_norm *s, long block, struct ck_sums *total) {
  total->first = 0, total->second = 0;
  for (long image = 0; image < s->n; image++) {
    struct ck_sums of_plane;
    ck_plane_sums(&s->pieces, s->sums + (image * ck_chunks(s->c, CK_BLOCK) + block) * s->pieces.cuts, &of_plane);
    total->first += of_plane.first, total->second += of_plane.second;
  }
}

CK_WIDE static void block_sums(void *context, long block) {
  const struct batch_norm *s = context;
  struct ck_sums total;
  add_planes(s, block, &total);
  const ck_lanes sums = CK_NARROW(total.first);
  ck_store_channels(s->first, s->c, block, &sums);
}

void ck_channel_sums(const float *dy, float *db, long n, long c, long hw) {
  struct batch_norm s = {.dy = dy, .first = db, .n = n, .c = c, .hw = hw};
  s.pieces = ck_cut(n * ck_chunks(c, CK_BLOCK), hw);
  s.sums = ck_sums_of_pieces(&s.pieces);
  ck_parallel(s.pieces.tasks, plain_sums, &s);
  ck_parallel(ck_chunks(c, CK_BLOCK), block_sums, &s);
}

// ---- forward ----

CK_WIDE static void forward(void *context, long task) {
  const struct batch_norm *s = context;
  const struct ck_part part = ck_part_of(&s->pieces, task);
  for (long plane = part.first_plane; plane < part.end_plane; plane++) {
    struct block_factors f;
    load_factors(s, block_of(s, plane), &f);
    const float slope = s->slope;
    for (long p = part.first; p < part.end; p++) {
      const long i = (plane * s->hw + p) * CK_BLOCK;
      const ck_lanes u = (CK_LOAD(s->x + i) - f.center) * f.rstd * f.gamma + f.beta;
      CK_STORE(s->y + i, u > 0.0f ? u : u * slope);
    }
  }
}

void ck_batch_norm_forward(const float *x, const float *mean, const float *rstd, const float *gamma,
                           const float *beta, float *y, long n, long c, long hw, float slope) {
  struct batch_norm s = {.x = x, .y = y, .mean = mean, .rstd = rstd, .gamma = gamma, .beta = beta,
                         .n = n, .c = c, .hw = hw, .slope = slope};
  s.pieces = ck_cut(n * ck_chunks(c, CK_BLOCK), hw);
  ck_parallel(s.pieces.tasks, forward, &s);
}

void ck_channel_affine_forward(const float *x, const float *loc, const float *scale, float *y, long n, long c,
                               long hw, float slope) {
  struct batch_norm s = {.x = x, .y = y, .mean = loc, .gamma = scale, .n = n, .c = c, .hw = hw, .slope = slope};
  s.pieces = ck_cut(n * ck_chunks(c, CK_BLOCK), hw);
  ck_parallel(s.pieces.tasks, forward, &s);
}

// ---- backward ----

// From x and dy of one pixel: (x - center) * rstd, and the gradient for u.
CK_INLINE void gradient_of_affine(const struct block_factors *f, float slope, const float *x, const float *dy,
                                  ck_lanes *normalised, ck_lanes *du) {
  const ck_lanes g = CK_LOAD(dy);
  *normalised = (CK_LOAD(x) - f->center) * f->rstd;
  const ck_lanes u = *normalised * f->gamma + f->beta;
  *du = u > 0.0f ? g : g * slope;
}

// Sums of du and of du * normalised.
CK_WIDE static void gradient_sums(void *context, long task) {
  const struct batch_norm *s = context;
  const struct ck_part part = ck_part_of(&s->pieces, task);
  for (long plane = part.first_plane; plane < part.end_plane; plane++) {
    struct block_factors f;
    load_factors(s, block_of(s, plane), &f);
    ck_wide_lanes first = 0, second = 0;
    for (long run = part.first; run < part.end; run += CK_RUN) {
      const long end = ck_minimum(run + CK_RUN, part.end);
      ck_lanes a = 0, b = 0, normalised, du;
      for (long p = run; p < end; p++) {
        const long i = (plane * s->hw + p) * CK_BLOCK;
        gradient_of_affine(&f, s->slope, s->x + i, s->dy + i, &normalised, &du);
        a += du, b += du * normalised;
      }
      first += CK_WIDEN(a);
      second += CK_WIDEN(b);
    }
    s->sums[plane * s->pieces.cuts + part.cut] = (struct ck_sums){first, second};
  }
}

// Adds the planes of one block; leaves the sums in its first plane's first piece, where input_gradient finds them.
CK_WIDE static void parameter_gradients(void *context, long block) {
  const struct batch_norm *s = context;
  struct ck_sums total;
  add_planes(s, block, &total);
  ck_lanes first = CK_NARROW(total.first), second = CK_NARROW(total.second);
  if (!s->normalises) {
    ck_lanes scale;
    ck_channel_lanes(s->gamma, s->c, block, &scale);
    first *= scale;
  }
  if (s->first) ck_store_channels(s->first, s->c, block, &first);
  if (s->second) ck_store_channels(s->second, s->c, block, &second);
  s->sums[block * s->pieces.cuts] = total;
}

CK_WIDE static void input_gradient(void *context, long task) {
  const struct batch_norm *s = context;
  const struct ck_part part = ck_part_of(&s->pieces, task);
  for (long plane = part.first_plane; plane < part.end_plane; plane++) {
    struct block_factors f;
    load_factors(s, block_of(s, plane), &f);
    const ck_lanes scale = f.gamma * f.rstd;
    ck_lanes mean1 = 0, mean2 = 0, normalised, du;
    if (s->normalises) {
      const struct ck_sums *total = &s->sums[block_of(s, plane) * s->pieces.cuts];
      const double count = (double)(s->n * s->hw);
      mean1 = CK_NARROW(total->first / count), mean2 = CK_NARROW(total->second / count);
    }
    for (long p = part.first; p < part.end; p++) {
      const long i = (plane * s->hw + p) * CK_BLOCK;
      gradient_of_affine(&f, s->slope, s->x + i, s->dy + i, &normalised, &du);
      CK_STORE(s->dx + i, (du - mean1 - normalised * mean2) * scale);
    }
  }
}

void ck_batch_norm_backward(const float *x, const float *dy, const float *mean, const float *rstd,
                            const float *gamma, const float *beta, float *dx, float *dgamma, float *dbeta,
                            long n, long c, long hw, float slope) {
  struct batch_norm s = {.x = x, .dy = dy, .dx = dx, .mean = mean, .rstd = rstd, .gamma = gamma, .beta = beta,
                         .first = dbeta, .second = dgamma, .n = n, .c = c, .hw = hw, .slope = slope,
                         .normalises = 1};
  s.pieces = ck_cut(n * ck_chunks(c, CK_BLOCK), hw);
  s.sums = ck_sums_of_pieces(&s.pieces);
  ck_parallel(s.pieces.tasks, gradient_sums, &s);
  ck_parallel(ck_chunks(c, CK_BLOCK), parameter_gradients, &s);
  ck_parallel(s.pieces.tasks, input_gradient, &s);
}

void ck_channel_affine_backward(const float *x, const float *dy, const float *loc, const float *scale, float *dx,
                                float *dloc, float *dscale, long n, long c, long hw, float slope) {
  struct batch_norm s = {.x = x, .dy = dy, .dx = dx, .mean = loc, .gamma = scale, .first = dloc,
                         .second = dscale, .n = n, .c = c, .hw = hw, .slope = slope};
  s.pieces = ck_cut(n * ck_chunks(c, CK_BLOCK), hw);
  if (dloc || dscale) {
    s.sums = ck_sums_of_pieces(&s.pieces);
    ck_parallel(s.pieces.tasks, gradient_sums, &s);
    ck_parallel(ck_chunks(c, CK_BLOCK), parameter_gradients, &s);
  }
  ck_parallel(s.pieces.tasks, input_gradient, &s);
}
