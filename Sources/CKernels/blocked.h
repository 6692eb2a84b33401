// Sweeps over blocked tensors [planes = N * ceil(C/16)][H*W][16]: how they are cut into tasks, and sums per channel.
#pragma once

#include "lanes.h"

#define CK_PIECE 4096L  // pixels: 256 KiB of one plane
#define CK_RUN 256L     // pixels that are added in float before the sum goes on in double

// A tensor cut into pieces of one plane each; a task is one piece, or several whole planes when they are small.
struct ck_pieces {
  long planes, hw;
  long cuts;      // pieces of a plane
  long length;    // pixels of a piece, the last may be shorter
  long together;  // planes of a task
  long tasks;
};

CK_INLINE struct ck_pieces ck_cut(long planes, long hw) {
  const long cuts = ck_maximum(ck_chunks(hw, CK_PIECE), 1), length = ck_chunks(hw, cuts);
  const long together = cuts > 1 ? 1 : ck_maximum(CK_PIECE / ck_maximum(hw, 1), 1);
  return (struct ck_pieces){planes, hw, cuts, length, together, ck_chunks(planes, together) * cuts};
}

// The planes and, of each, the pixels that a task covers.
struct ck_part {
  long first_plane, end_plane, cut, first, end;
};

CK_INLINE struct ck_part ck_part_of(const struct ck_pieces *pieces, long task) {
  const long plane = task / pieces->cuts * pieces->together, cut = task % pieces->cuts;
  return (struct ck_part){plane, ck_minimum(plane + pieces->together, pieces->planes), cut, cut * pieces->length,
                          ck_minimum((cut + 1) * pieces->length, pieces->hw)};
}

// Two sums per lane of a piece, kept in double. Scratch holds them as [planes][cuts].
struct ck_sums {
  ck_wide_lanes first, second;
};
#define CK_SUMS_FLOATS ((long)(sizeof(struct ck_sums) / sizeof(float)))

CK_INLINE struct ck_sums *ck_sums_of_pieces(const struct ck_pieces *pieces) {
  return (struct ck_sums *)ck_scratch(0, pieces->planes * pieces->cuts * CK_SUMS_FLOATS);
}

#define CK_WIDEN(lanes) __builtin_convertvector(lanes, ck_wide_lanes)
#define CK_NARROW(lanes) __builtin_convertvector(lanes, ck_lanes)

// Mean and sum of squared deviations of `count` pixels, per lane. Deviations are taken from the mean of the first
// few pixels, so that the variance does not cancel when the mean is far from zero.
CK_INLINE void ck_piece_moments(const float *x, long count, struct ck_sums *moments) {
  const long sample = ck_minimum(count, 16);
  ck_lanes shift = 0;
  for (long p = 0; p < sample; p++) shift += CK_LOAD(x + p * CK_BLOCK);
  shift /= (float)sample;

  ck_wide_lanes sum = 0, squares = 0;
  for (long run = 0; run < count; run += CK_RUN) {
    const long end = ck_minimum(run + CK_RUN, count);
    ck_lanes s[4] = {0, 0, 0, 0}, q[4] = {0, 0, 0, 0};
    long p = run;
    for (; p + 4 <= end; p += 4)
      for (int k = 0; k < 4; k++) {
        const ck_lanes d = CK_LOAD(x + (p + k) * CK_BLOCK) - shift;
        s[k] += d, q[k] += d * d;
      }
    for (; p < end; p++) {
      const ck_lanes d = CK_LOAD(x + p * CK_BLOCK) - shift;
      s[0] += d, q[0] += d * d;
    }
    sum += CK_WIDEN((s[0] + s[1]) + (s[2] + s[3]));
    squares += CK_WIDEN((q[0] + q[1]) + (q[2] + q[3]));
  }
  moments->first = CK_WIDEN(shift) + sum / (double)count;
  moments->second = squares - sum * sum / (double)count;
}

// Moments of a whole plane from those of its pieces.
CK_INLINE void ck_plane_moments(const struct ck_pieces *pieces, const struct ck_sums *of_pieces,
                                struct ck_sums *moments) {
  ck_wide_lanes mean = 0, deviations = 0;
  for (long cut = 0; cut < pieces->cuts; cut++) {
    const double count = (double)(ck_minimum((cut + 1) * pieces->length, pieces->hw) - cut * pieces->length);
    mean += of_pieces[cut].first * count;
  }
  mean /= (double)pieces->hw;
  for (long cut = 0; cut < pieces->cuts; cut++) {
    const double count = (double)(ck_minimum((cut + 1) * pieces->length, pieces->hw) - cut * pieces->length);
    const ck_wide_lanes d = of_pieces[cut].first - mean;
    deviations += of_pieces[cut].second + d * d * count;
  }
  moments->first = mean;
  moments->second = deviations;
}

// Plain sums of a whole plane from those of its pieces.
CK_INLINE void ck_plane_sums(const struct ck_pieces *pieces, const struct ck_sums *of_pieces,
                             struct ck_sums *sums) {
  ck_wide_lanes first = 0, second = 0;
  for (long cut = 0; cut < pieces->cuts; cut++) first += of_pieces[cut].first, second += of_pieces[cut].second;
  sums->first = first;
  sums->second = second;
}

// Channels block * 16 ..< + 16 of an array [C]; zero past C.
CK_INLINE void ck_channel_lanes(const float *values, long c, long block, ck_lanes *lanes) {
  const long count = c - block * CK_BLOCK;
  if (count >= CK_BLOCK)
    *lanes = CK_LOAD(values + block * CK_BLOCK);
  else
    ck_load_some(values + block * CK_BLOCK, count, lanes);
}

CK_INLINE void ck_store_channels(float *values, long c, long block, const ck_lanes *lanes) {
  const long count = c - block * CK_BLOCK;
  if (count >= CK_BLOCK)
    CK_STORE(values + block * CK_BLOCK, *lanes);
  else
    ck_store_some(values + block * CK_BLOCK, count, lanes);
}
