// exp of one float for loops that the vectoriser widens (expf would be called once per element); lanes.h has it for
// loops that are written in lanes.
#pragma once

#include <stdint.h>

#include "wide.h"

// exp(x) with a relative error below 2e-7; 0 below -87.3, exp(88) above 88, NaN for NaN.
CK_INLINE float ck_exponential(float x) {
#pragma clang fp contract(fast) reassociate(off)
  const float clamped = x > 88 ? 88 : x < -87.3f ? -87.3f : x;
  // x = n ln 2 + r, |r| <= ln 2 / 2, with ln 2 in two parts
  const float n = __builtin_elementwise_rint(clamped * 1.44269504089f);
  const float r = clamped - n * 0.693359375f + n * 2.12194440e-4f;
  // exp(r): the polynomial of Cephes' expf
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1;
  // n + 1.5 * 2^23 has n in its lowest bits; NaN, which is no integer, has some others there, and p is NaN
  const uint32_t bits = __builtin_bit_cast(uint32_t, n + 12582912.0f);
  const float power = __builtin_bit_cast(float, (bits - 0x4B400000u + 127u) << 23);
  return x < -87.3f ? 0 : p * power;
}
