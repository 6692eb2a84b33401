// Group normalisation (Wu & He 2018) with an optional SiLU, in one sweep for the sums and one for the result. The
// backward pass recomputes the normalised values from x.
#include <math.h>

#include "blocked.h"

// Up to this many floats (16 MiB, what stays in the cache) the backward pass keeps the gradient behind the SiLU in dx
// between its two sweeps; beyond, computing it again costs less than the traffic.
#define KEPT (4L << 20)

struct group_norm {
  const float *x, *dy, *gamma, *beta;
  float *y, *dx, *mean, *rstd, *dgamma, *dbeta;
  long n, c, hw, groups;
  float eps;
  int silu;
  struct ck_pieces pieces;
  struct ck_sums *sums;  // per piece
  float *terms;          // backward: the two group means [N, groups, 2]
  int keeps;             // backward: dx holds the gradient behind the SiLU after the first sweep
};

// Per lane of one plane: zero past C, so that these lanes of y and dx are zero.
struct plane_factors {
  ck_lanes mean, rstd, gamma, beta;
  ck_lanes term1, term2;
};

CK_INLINE void load_factors(const struct group_norm *s, long plane, struct plane_factors *f) {
  const long blocks = ck_chunks(s->c, CK_BLOCK), image = plane / blocks, block = plane % blocks;
  const long first = block * CK_BLOCK, size = s->c / s->groups;
  float mean[CK_BLOCK] = {0}, rstd[CK_BLOCK] = {0}, term1[CK_BLOCK] = {0}, term2[CK_BLOCK] = {0};
  for (long i = 0; i < ck_minimum(CK_BLOCK, s->c - first); i++) {
    const long group = image * s->groups + (first + i) / size;
    mean[i] = s->mean[group], rstd[i] = s->rstd[group];
    if (s->terms) term1[i] = s->terms[2 * group], term2[i] = s->terms[2 * group + 1];
  }
  f->mean = CK_LOAD(mean), f->rstd = CK_LOAD(rstd), f->term1 = CK_LOAD(term1), f->term2 = CK_LOAD(term2);
  ck_channel_lanes(s->gamma, s->c, block, &f->gamma);
  ck_channel_lanes(s->beta, s->c, block, &f->beta);
}

// ---- forward ----

CK_WIDE static void piece_moments(void *context, long task) {
  const struct group_norm *s = context;
  const struct ck_part part = ck_part_of(&s->pieces, task);
  for (long plane = part.first_plane; plane < part.end_plane; plane++)
    ck_piece_moments(s->x + (plane * s->hw + part.first) * CK_BLOCK, part.end - part.first,
                     &s->sums[plane * s->pieces.cuts + part.cut]);
}

// mean and rstd of one image's groups, from its planes.
CK_WIDE static void group_moments(void *context, long image) {
  const struct group_norm *s = context;
  const long blocks = ck_chunks(s->c, CK_BLOCK), size = s->c / s->groups, cuts = s->pieces.cuts;
  struct ck_sums *of_image = s->sums + image * blocks * cuts;
  for (long block = 0; block < blocks; block++)
    ck_plane_moments(&s->pieces, of_image + block * cuts, of_image + block * cuts);
  for (long group = 0; group < s->groups; group++) {
    double mean = 0, deviations = 0;
    for (long c = group * size; c < (group + 1) * size; c++)
      mean += ((const double *)&of_image[c / CK_BLOCK * cuts].first)[c % CK_BLOCK];
    mean /= (double)size;
    for (long c = group * size; c < (group + 1) * size; c++) {
      const struct ck_sums *of_block = &of_image[c / CK_BLOCK * cuts];
      const double d = ((const double *)&of_block->first)[c % CK_BLOCK] - mean;
      deviations += ((const double *)&of_block->second)[c % CK_BLOCK] + d * d * (double)s->hw;
    }
    s->mean[image * s->groups + group] = (float)mean;
    s->rstd[image * s->groups + group] = (float)(1 / sqrt(deviations / (double)(size * s->hw) + s->eps));
  }
}

CK_WIDE static void normalise(void *context, long task) {
  const struct group_norm *s = context;
  const struct ck_part part = ck_part_of(&s->pieces, task);
  for (long plane = part.first_plane; plane < part.end_plane; plane++) {
    struct plane_factors f;
    load_factors(s, plane, &f);
    const ck_lanes mean = f.mean, scale = f.gamma * f.rstd, beta = f.beta;
    const float *x = s->x + (plane * s->hw + part.first) * CK_BLOCK;
    float *y = s->y + (plane * s->hw + part.first) * CK_BLOCK;
    const long end = (part.end - part.first) * CK_BLOCK;
    if (s->silu)
      for (long i = 0; i < end; i += CK_BLOCK) {
        const ck_lanes z = (CK_LOAD(x + i) - mean) * scale + beta;
        ck_lanes sigmoid;
        ck_lanes_sigmoid(&z, &sigmoid);
        CK_STORE(y + i, z * sigmoid);
      }
    else
      for (long i = 0; i < end; i += CK_BLOCK) CK_STORE(y + i, (CK_LOAD(x + i) - mean) * scale + beta);
  }
}

void ck_group_norm_forward(const float *x, const float *gamma, const float *beta, float *y, float *mean,
                           float *rstd, long n, long c, long hw, long groups, float eps, int silu) {
  struct group_norm s = {.x = x, .gamma = gamma, .beta = beta, .y = y, .mean = mean, .rstd = rstd,
                         .n = n, .c = c, .hw = hw, .groups = groups, .eps = eps, .silu = silu};
  s.pieces = ck_cut(n * ck_chunks(c, CK_BLOCK), hw);
  s.sums = ck_sums_of_pieces(&s.pieces);
  ck_parallel(s.pieces.tasks, piece_moments, &s);
  ck_parallel(n, group_moments, &s);
  ck_parallel(s.pieces.tasks, normalise, &s);
}

// ---- backward ----

// From x and dy of one pixel: the normalised value, and the gradient for z = gamma * normalised + beta.
CK_INLINE void gradient_of_affine(const struct plane_factors *f, int silu, const float *x, const float *dy,
                                  ck_lanes *normalised, ck_lanes *dz) {
  *normalised = (CK_LOAD(x) - f->mean) * f->rstd;
  *dz = CK_LOAD(dy);
  if (silu) {
    const ck_lanes z = *normalised * f->gamma + f->beta;
    ck_lanes sigmoid;
    ck_lanes_sigmoid(&z, &sigmoid);
    *dz *= sigmoid + z * (sigmoid - sigmoid * sigmoid);
  }
}

// Sums of dz and of dz * normalised; dz goes to `kept` unless that is NULL.
CK_INLINE void piece_sums(const struct plane_factors *factors, int silu, const float *x, const float *dy,
                          long count, float *kept, struct ck_sums *sums) {
  const struct plane_factors f = *factors;
  ck_wide_lanes first = 0, second = 0;
  for (long run = 0; run < count; run += CK_RUN) {
    const long end = ck_minimum(run + CK_RUN, count);
    ck_lanes a = 0, b = 0, normalised, dz;
    for (long p = run; p < end; p++) {
      gradient_of_affine(&f, silu, x + p * CK_BLOCK, dy + p * CK_BLOCK, &normalised, &dz);
      if (kept) CK_STORE(kept + p * CK_BLOCK, dz);
      a += dz, b += dz * normalised;
    }
    first += CK_WIDEN(a);
    second += CK_WIDEN(b);
  }
  sums->first = first;
  sums->second = second;
}

CK_WIDE static void gradient_sums(void *context, long task) {
  const struct group_norm *s = context;
  const struct ck_part part = ck_part_of(&s->pieces, task);
  for (long plane = part.first_plane; plane < part.end_plane; plane++) {
    struct plane_factors f;
    load_factors(s, plane, &f);
    const long offset = (plane * s->hw + part.first) * CK_BLOCK, count = part.end - part.first;
    struct ck_sums *sums = &s->sums[plane * s->pieces.cuts + part.cut];
    if (s->keeps)
      piece_sums(&f, 1, s->x + offset, s->dy + offset, count, s->dx + offset, sums);
    else if (s->silu)
      piece_sums(&f, 1, s->x + offset, s->dy + offset, count, 0, sums);
    else
      piece_sums(&f, 0, s->x + offset, s->dy + offset, count, 0, sums);
  }
}

// The group means of gamma * dz and of gamma * dz * normalised for one image; folds the pieces of its planes.
CK_WIDE static void group_terms(void *context, long image) {
  const struct group_norm *s = context;
  const long blocks = ck_chunks(s->c, CK_BLOCK), size = s->c / s->groups, cuts = s->pieces.cuts;
  struct ck_sums *of_image = s->sums + image * blocks * cuts;
  for (long block = 0; block < blocks; block++)
    ck_plane_sums(&s->pieces, of_image + block * cuts, of_image + block * cuts);
  for (long group = 0; group < s->groups; group++) {
    double first = 0, second = 0;
    for (long c = group * size; c < (group + 1) * size; c++) {
      const struct ck_sums *of_block = &of_image[c / CK_BLOCK * cuts];
      first += s->gamma[c] * ((const double *)&of_block->first)[c % CK_BLOCK];
      second += s->gamma[c] * ((const double *)&of_block->second)[c % CK_BLOCK];
    }
    const double count = (double)(size * s->hw);
    s->terms[2 * (image * s->groups + group)] = (float)(first / count);
    s->terms[2 * (image * s->groups + group) + 1] = (float)(second / count);
  }
}

// dgamma and dbeta of one block: the sums of its planes over the images, in their order.
CK_WIDE static void parameter_gradients(void *context, long block) {
  const struct group_norm *s = context;
  const long blocks = ck_chunks(s->c, CK_BLOCK);
  ck_wide_lanes first = 0, second = 0;
  for (long image = 0; image < s->n; image++) {
    const struct ck_sums *of_plane = &s->sums[(image * blocks + block) * s->pieces.cuts];
    first += of_plane->first, second += of_plane->second;
  }
  const ck_lanes dbeta = CK_NARROW(first), dgamma = CK_NARROW(second);
  if (s->dbeta) ck_store_channels(s->dbeta, s->c, block, &dbeta);
  if (s->dgamma) ck_store_channels(s->dgamma, s->c, block, &dgamma);
}

CK_INLINE void piece_gradient(const struct plane_factors *factors, int silu, const float *x, const float *dy,
                              long count, float *dx) {
  const struct plane_factors f = *factors;
  const ck_lanes scale = f.gamma * f.rstd, constant = f.term1 * f.rstd, slope = f.term2 * f.rstd;
  for (long i = 0; i < count * CK_BLOCK; i += CK_BLOCK) {
    ck_lanes normalised, dz;
    gradient_of_affine(&f, silu, x + i, dy + i, &normalised, &dz);
    CK_STORE(dx + i, dz * scale - constant - normalised * slope);
  }
}

CK_WIDE static void input_gradient(void *context, long task) {
  const struct group_norm *s = context;
  const struct ck_part part = ck_part_of(&s->pieces, task);
  for (long plane = part.first_plane; plane < part.end_plane; plane++) {
    struct plane_factors f;
    load_factors(s, plane, &f);
    const long offset = (plane * s->hw + part.first) * CK_BLOCK, count = part.end - part.first;
    if (s->keeps)
      piece_gradient(&f, 0, s->x + offset, s->dx + offset, count, s->dx + offset);
    else if (s->silu)
      piece_gradient(&f, 1, s->x + offset, s->dy + offset, count, s->dx + offset);
    else
      piece_gradient(&f, 0, s->x + offset, s->dy + offset, count, s->dx + offset);
  }
}

void ck_group_norm_backward(const float *x, const float *dy, const float *gamma, const float *beta,
                            const float *mean, const float *rstd, float *dx, float *dgamma, float *dbeta, long n,
                            long c, long hw, long groups, int silu) {
  struct group_norm s = {.x = x, .dy = dy, .gamma = gamma, .beta = beta, .mean = (float *)mean,
                         .rstd = (float *)rstd, .dx = dx, .dgamma = dgamma, .dbeta = dbeta,
                         .n = n, .c = c, .hw = hw, .groups = groups, .silu = silu};
  s.pieces = ck_cut(n * ck_chunks(c, CK_BLOCK), hw);
  s.sums = ck_sums_of_pieces(&s.pieces);
  s.keeps = silu && s.pieces.planes * hw * CK_BLOCK <= KEPT;
  ck_parallel(s.pieces.tasks, gradient_sums, &s);
  s.terms = ck_scratch(1, 2 * n * groups);
  ck_parallel(n, group_terms, &s);
  if (dgamma || dbeta) ck_parallel(ck_chunks(c, CK_BLOCK), parameter_gradients, &s);
  ck_parallel(s.pieces.tasks, input_gradient, &s);
}
