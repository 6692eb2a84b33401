// The two passes over a row that softmax, cross-entropy and attention share.
#pragma once

#include "exponential.h"
#include "lanes.h"

CK_INLINE float ck_row_maximum(const float *x, long count) {
  float maximum = -__builtin_inff();
  long i = 0;
  if (count >= 16) {
    ck_lanes lanes = CK_LOAD(x);
    for (i = 16; i + 16 <= count; i += 16) {
      const ck_lanes value = CK_LOAD(x + i);
      lanes = value > lanes ? value : lanes;
    }
    maximum = ck_lanes_maximum(&lanes);
  }
  for (; i < count; i++) maximum = x[i] > maximum ? x[i] : maximum;
  return maximum;
}

// y = exp(x - shift), and its sum; y may be x.
CK_INLINE float ck_exponentials(const float *x, float *y, float shift, long count) {
  CK_FAST
  float sum = 0;
  CK_INDEPENDENT for (long i = 0; i < count; i++) {
    const float value = ck_exponential(x[i] - shift);
    y[i] = value;
    sum += value;
  }
  return sum;
}
