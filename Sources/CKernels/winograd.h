// The transforms of Winograd's F(4x4, 3x3) on channel blocks: 4x4 outputs of a 3x3 convolution from 36 products instead of
// 144 (Lavin & Gray 2016, arXiv:1509.09308), Y = A^T [(G g G^T) * (B^T d B)] A.
//
// The points are 0, +-5/8, +-3/2 and infinity: the same work as the usual 0, +-1, +-2, with an error 2.2 times smaller.
// Every transform works on 16 lanes at once and reads or writes 36 vectors, a constant stride apart. That stride should
// be an odd number of cache lines: 36 streams a multiple of 4 KiB apart share one set of the first-level cache.
#pragma once

#include "lanes.h"

#define CK_FREQUENCIES 36

#define CK_P 0.625  // the points
#define CK_Q 1.5
#define CK_P2 (CK_P * CK_P)
#define CK_Q2 (CK_Q * CK_Q)
#define CK_NP (2 * CK_P2 * (CK_P2 - CK_Q2))  // the products of a point's distances to the others
#define CK_NQ (2 * CK_Q2 * (CK_Q2 - CK_P2))
#define CK_N0 (CK_P2 * CK_Q2)
#define CK_F(x) ((float)(x))

// Floats between frequencies for `floats` of each.
CK_INLINE long ck_odd_lines(long floats) { return (ck_chunks(floats, 16) | 1) * 16; }

// B^T d: 6 to 6.
#define CK_INPUT_1D(d0, d1, d2, d3, d4, d5, r0, r1, r2, r3, r4, r5) \
  { \
    const ck_lanes e1 = d4 - CK_F(CK_Q2) * d2, o1 = d3 - CK_F(CK_Q2) * d1; \
    const ck_lanes e2 = d4 - CK_F(CK_P2) * d2, o2 = d3 - CK_F(CK_P2) * d1; \
    r0 = CK_F(CK_N0) * d0 + (d4 - CK_F(CK_P2 + CK_Q2) * d2); \
    r1 = e1 + CK_F(CK_P) * o1; \
    r2 = e1 - CK_F(CK_P) * o1; \
    r3 = e2 + CK_F(CK_Q) * o2; \
    r4 = e2 - CK_F(CK_Q) * o2; \
    r5 = CK_F(CK_N0) * d1 + (d5 - CK_F(CK_P2 + CK_Q2) * d3); \
  }

// A^T m: 6 to 4.
#define CK_OUTPUT_1D(m0, m1, m2, m3, m4, m5, r0, r1, r2, r3) \
  { \
    const ck_lanes s1 = m1 + m2, t1 = m1 - m2, s2 = m3 + m4, t2 = m3 - m4; \
    r0 = m0 + s1 + s2; \
    r1 = CK_F(CK_P) * t1 + CK_F(CK_Q) * t2; \
    r2 = CK_F(CK_P2) * s1 + CK_F(CK_Q2) * s2; \
    r3 = CK_F(CK_P * CK_P2) * t1 + (CK_F(CK_Q * CK_Q2) * t2 + m5); \
  }

// A y, the transpose of the output's: 4 to 6.
#define CK_GRADIENT_1D(y0, y1, y2, y3, r0, r1, r2, r3, r4, r5) \
  { \
    const ck_lanes e1 = y0 + CK_F(CK_P2) * y2, o1 = y1 + CK_F(CK_P2) * y3; \
    const ck_lanes e2 = y0 + CK_F(CK_Q2) * y2, o2 = y1 + CK_F(CK_Q2) * y3; \
    r0 = y0; \
    r1 = e1 + CK_F(CK_P) * o1; \
    r2 = e1 - CK_F(CK_P) * o1; \
    r3 = e2 + CK_F(CK_Q) * o2; \
    r4 = e2 - CK_F(CK_Q) * o2; \
    r5 = y3; \
  }

// G g: 3 to 6.
#define CK_WEIGHTS_1D(g0, g1, g2, r0, r1, r2, r3, r4, r5) \
  { \
    const ck_lanes e1 = CK_F(1 / CK_NP) * g0 + CK_F(CK_P2 / CK_NP) * g2; \
    const ck_lanes e2 = CK_F(1 / CK_NQ) * g0 + CK_F(CK_Q2 / CK_NQ) * g2; \
    r0 = CK_F(1 / CK_N0) * g0; \
    r1 = e1 + CK_F(CK_P / CK_NP) * g1; \
    r2 = e1 - CK_F(CK_P / CK_NP) * g1; \
    r3 = e2 + CK_F(CK_Q / CK_NQ) * g1; \
    r4 = e2 - CK_F(CK_Q / CK_NQ) * g1; \
    r5 = g2; \
  }

// G^T u: 6 to 3.
#define CK_WEIGHT_GRADIENT_1D(u0, u1, u2, u3, u4, u5, r0, r1, r2) \
  { \
    const ck_lanes s1 = u1 + u2, t1 = u1 - u2, s2 = u3 + u4, t2 = u3 - u4; \
    r0 = CK_F(1 / CK_N0) * u0 + (CK_F(1 / CK_NP) * s1 + CK_F(1 / CK_NQ) * s2); \
    r1 = CK_F(CK_P / CK_NP) * t1 + CK_F(CK_Q / CK_NQ) * t2; \
    r2 = CK_F(CK_P2 / CK_NP) * s1 + (CK_F(CK_Q2 / CK_NQ) * s2 + u5); \
  }

// x: 6x6 pixels, lines `line` floats apart. v: 36 vectors.
CK_INLINE void ck_transform_input(const float *x, long line, float *v, long stride) {
  CK_FAST
  ck_lanes t[6][6];
  // The tile to the right is asked for while this one is computed.
#pragma clang loop unroll(full)
  for (int i = 0; i < 6; i++)
#pragma clang loop unroll(full)
    for (int j = 6; j < 10; j++) __builtin_prefetch(x + i * line + j * 16);
#pragma clang loop unroll(full)
  for (int j = 0; j < 6; j++) {
    const float *d = x + 16 * j;
    CK_INPUT_1D(CK_LOAD(d), CK_LOAD(d + line), CK_LOAD(d + 2 * line), CK_LOAD(d + 3 * line), CK_LOAD(d + 4 * line),
                CK_LOAD(d + 5 * line), t[0][j], t[1][j], t[2][j], t[3][j], t[4][j], t[5][j])
  }
#pragma clang loop unroll(disable)
  for (int i = 0; i < 6; i++, v += 6 * stride) {
    ck_lanes r[6];
    CK_INPUT_1D(t[i][0], t[i][1], t[i][2], t[i][3], t[i][4], t[i][5], r[0], r[1], r[2], r[3], r[4], r[5])
#pragma clang loop unroll(full)
    for (int j = 0; j < 6; j++) CK_STORE(v + j * stride, r[j]);
  }
}

// y: 4x4 pixels of a gradient. z: 36 vectors.
CK_INLINE void ck_transform_gradient(const float *y, long line, float *z, long stride) {
  CK_FAST
  ck_lanes t[6][4];
#pragma clang loop unroll(full)
  for (int j = 0; j < 4; j++) {
    const float *d = y + 16 * j;
    CK_GRADIENT_1D(CK_LOAD(d), CK_LOAD(d + line), CK_LOAD(d + 2 * line), CK_LOAD(d + 3 * line), t[0][j], t[1][j],
                   t[2][j], t[3][j], t[4][j], t[5][j])
  }
#pragma clang loop unroll(disable)
  for (int i = 0; i < 6; i++, z += 6 * stride) {
    ck_lanes r[6];
    CK_GRADIENT_1D(t[i][0], t[i][1], t[i][2], t[i][3], r[0], r[1], r[2], r[3], r[4], r[5])
#pragma clang loop unroll(full)
    for (int j = 0; j < 6; j++) CK_STORE(z + j * stride, r[j]);
  }
}

// m: 36 vectors. y: 4x4 pixels, with `bias` (16 lanes) added and, with relu, cut at zero.
CK_INLINE void ck_transform_output(const float *m, long stride, const float *bias, int relu, float *y, long line) {
  CK_FAST
  ck_lanes t[4][6];
#pragma clang loop unroll(full)
  for (int j = 0; j < 6; j++) {
    const float *d = m + j * stride;
    CK_OUTPUT_1D(CK_LOAD(d), CK_LOAD(d + 6 * stride), CK_LOAD(d + 12 * stride), CK_LOAD(d + 18 * stride),
                 CK_LOAD(d + 24 * stride), CK_LOAD(d + 30 * stride), t[0][j], t[1][j], t[2][j], t[3][j])
  }
  const ck_lanes b = CK_LOAD(bias);
#pragma clang loop unroll(disable)
  for (int i = 0; i < 4; i++, y += line) {
    ck_lanes r[4];
    CK_OUTPUT_1D(t[i][0], t[i][1], t[i][2], t[i][3], t[i][4], t[i][5], r[0], r[1], r[2], r[3])
#pragma clang loop unroll(full)
    for (int j = 0; j < 4; j++) {
      r[j] += b;
      CK_STORE(y + 16 * j, relu ? (r[j] > 0 ? r[j] : 0) : r[j]);
    }
  }
}

// w: a block pair's 9 taps of [16][16]. u: 36 such blocks, `stride` floats apart.
CK_INLINE void ck_transform_weights(const float *w, float *u, long stride) {
  CK_FAST
  for (int row = 0; row < CK_BLOCK; row++, w += CK_BLOCK, u += CK_BLOCK) {
    ck_lanes t[6][3];
#pragma clang loop unroll(full)
    for (int j = 0; j < 3; j++)
      CK_WEIGHTS_1D(CK_LOAD(w + j * 256), CK_LOAD(w + (3 + j) * 256), CK_LOAD(w + (6 + j) * 256), t[0][j], t[1][j],
                    t[2][j], t[3][j], t[4][j], t[5][j])
#pragma clang loop unroll(full)
    for (int i = 0; i < 6; i++) {
      ck_lanes r[6];
      CK_WEIGHTS_1D(t[i][0], t[i][1], t[i][2], r[0], r[1], r[2], r[3], r[4], r[5])
#pragma clang loop unroll(full)
      for (int j = 0; j < 6; j++) CK_STORE(u + (6 * i + j) * stride, r[j]);
    }
  }
}

// The transpose of ck_transform_weights: 36 blocks of u to 9 taps of w.
CK_INLINE void ck_transform_weight_gradient(const float *u, long stride, float *w) {
  CK_FAST
  for (int row = 0; row < CK_BLOCK; row++, w += CK_BLOCK, u += CK_BLOCK) {
    ck_lanes t[3][6];
#pragma clang loop unroll(full)
    for (int j = 0; j < 6; j++) {
      const float *d = u + j * stride;
      CK_WEIGHT_GRADIENT_1D(CK_LOAD(d), CK_LOAD(d + 6 * stride), CK_LOAD(d + 12 * stride), CK_LOAD(d + 18 * stride),
                            CK_LOAD(d + 24 * stride), CK_LOAD(d + 30 * stride), t[0][j], t[1][j], t[2][j])
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 3; i++) {
      ck_lanes r[3];
      CK_WEIGHT_GRADIENT_1D(t[i][0], t[i][1], t[i][2], t[i][3], t[i][4], t[i][5], r[0], r[1], r[2])
#pragma clang loop unroll(full)
      for (int j = 0; j < 3; j++) CK_STORE(w + (3 * i + j) * 256, r[j]);
    }
  }
}
