// What gemm.c and gemm_bfloat16.c hand over when the first factor has few rows.
#pragma once

#include "kernels.h"

// C = alpha A Bᵀ + beta C, or 0 when the shape is not one of few rows. B is `count` parts below each other.
int ck_skinny_gemm(long m, long n, long k, float alpha, const float *a, long lda, const float *const *parts, long count,
                   long ldb, float beta, float *c, long ldc);
// C = A Bᵀ of dense bfloat16 factors, or 0.
int ck_skinny_gemm_bfloat16(long m, long n, long k, const uint16_t *a, const uint16_t *const *parts, long count,
                            float *c);
