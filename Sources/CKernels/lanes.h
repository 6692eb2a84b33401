// Sixteen floats at a time: one pixel of one channel block, one 512-bit register. Vectors go to helpers by address,
// because a vector argument would tie a helper to one instruction set; after inlining nothing of that is left.
#pragma once

#include <stdint.h>

#include "kernels.h"
#include "wide.h"

typedef float ck_lanes __attribute__((ext_vector_type(16)));
typedef int32_t ck_lane_bits __attribute__((ext_vector_type(16)));
typedef double ck_wide_lanes __attribute__((ext_vector_type(16), aligned(64)));
typedef float ck_lanes_anywhere __attribute__((ext_vector_type(16), aligned(4), may_alias));

#define CK_LOAD(from) (*(const ck_lanes_anywhere *)(from))
#define CK_STORE(to, value) (*(ck_lanes_anywhere *)(to) = (value))

// The first `count` (< 16) floats, the rest zero.
CK_INLINE void ck_load_some(const float *from, long count, ck_lanes *value) {
  float padded[CK_BLOCK] = {0};
  for (long i = 0; i < count; i++) padded[i] = from[i];
  *value = CK_LOAD(padded);
}

CK_INLINE void ck_store_some(float *to, long count, const ck_lanes *value) {
  float padded[CK_BLOCK];
  CK_STORE(padded, *value);
  for (long i = 0; i < count; i++) to[i] = padded[i];
}

typedef uint16_t ck_halves __attribute__((ext_vector_type(16), aligned(2), may_alias));

// bfloat16 is the upper half of a float.
CK_INLINE float ck_from_bfloat16(uint16_t half) { return __builtin_bit_cast(float, (uint32_t)half << 16); }

CK_INLINE void ck_load_bfloat16(const uint16_t *from, ck_lanes *value) {
  *value = (ck_lanes)(__builtin_convertvector(*(const ck_halves *)from, ck_lane_bits) << 16);
}

// To the nearest, ties to even; NaN stays NaN.
CK_INLINE uint16_t ck_to_bfloat16(float value) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, value);
  const uint32_t nearest = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  const uint32_t quiet = bits >> 16 | 0x40;
  return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? quiet : nearest);
}

// Zero from lane `count` on.
CK_INLINE void ck_lanes_keep(long count, ck_lanes *value) {
  const ck_lane_bits lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  if (count < CK_BLOCK) *value = lane < (int32_t)ck_maximum(count, 0) ? *value : 0;
}

// Makes the first `count` lanes zero; all or none of them beyond its ends.
CK_INLINE void ck_lanes_drop(long count, ck_lanes *value) {
  const ck_lane_bits lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  if (count > 0) *value = lane < (int32_t)ck_minimum(count, CK_BLOCK) ? 0 : *value;
}

// The sum of the lanes, halves added first.
CK_INLINE float ck_lanes_sum(const ck_lanes *lanes) {
  const __typeof__(lanes->lo) eight = lanes->lo + lanes->hi;
  const __typeof__(eight.lo) four = eight.lo + eight.hi;
  const __typeof__(four.lo) two = four.lo + four.hi;
  return two.x + two.y;
}

CK_INLINE float ck_lanes_maximum(const ck_lanes *lanes) {
  const __typeof__(lanes->lo) eight = lanes->lo > lanes->hi ? lanes->lo : lanes->hi;
  const __typeof__(eight.lo) four = eight.lo > eight.hi ? eight.lo : eight.hi;
  const __typeof__(four.lo) two = four.lo > four.hi ? four.lo : four.hi;
  return two.x > two.y ? two.x : two.y;
}

// e^x to 3e-7 (5e-7 past +-50); below -87 it stays at e^-87, above 88 at e^88, NaN stays NaN.
CK_INLINE void ck_lanes_exp(const ck_lanes *exponent, ck_lanes *result) {
  ck_lanes x = *exponent;
  x = x > 88.0f ? 88.0f : x;
  x = x < -87.0f ? -87.0f : x;
  // x = n ln 2 + r. Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  const ck_lanes shifted = x * 1.44269504f + 12582912.0f;
  const ck_lanes n = shifted - 12582912.0f;
  const ck_lanes r = x - n * 0.693147181f;
  // The polynomial 1 + r + r^2 (...) whose largest relative error on |r| <= ln 2 / 2 is smallest, 1.05e-7.
  ck_lanes p = r * 8.3125014e-3f + 4.1890332e-2f;
  p = p * r + 1.6667115e-1f;
  p = p * r + 4.9999230e-1f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const ck_lane_bits scale = (ck_lane_bits)shifted << 23;
  *result = (ck_lanes)((ck_lane_bits)p + scale);
}

// e^x / (1 + e^x)
CK_INLINE void ck_lanes_sigmoid(const ck_lanes *x, ck_lanes *result) {
  ck_lanes e;
  ck_lanes_exp(x, &e);
  *result = e / (1.0f + e);
}

// log(1 + t) for t in [0, 1]: 2 artanh(t / (2 + t)), whose argument is at most 1/3, so eight terms are enough.
CK_INLINE void ck_lanes_log_one_plus(const ck_lanes *t, ck_lanes *result) {
  const ck_lanes u = *t / (*t + 2.0f), u2 = u * u;
  ck_lanes p = u2 * (1.0f / 15) + 1.0f / 13;
  p = p * u2 + 1.0f / 11;
  p = p * u2 + 1.0f / 9;
  p = p * u2 + 1.0f / 7;
  p = p * u2 + 1.0f / 5;
  p = p * u2 + 1.0f / 3;
  p = p * u2 + 1.0f;
  *result = 2.0f * u * p;
}

// Interleaves pairs of 1 and of 2 floats, and picks even or odd quarters: the steps of a transposition.
#define CK_LOW_SINGLES(a, b) \
  __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define CK_HIGH_SINGLES(a, b) \
  __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define CK_LOW_PAIRS(a, b) \
  __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define CK_HIGH_PAIRS(a, b) \
  __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#define CK_EVEN_QUARTERS(a, b) \
  __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
#define CK_ODD_QUARTERS(a, b) \
  __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)
