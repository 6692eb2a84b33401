// The product of both weight gradients.
#include "convolution.h"
#include "micro_product.h"

CK_WIDE void ck_outer_product(const float *x, long x_step, long x_line, const float *dy, long dy_line,
                              long dy_vector, long height, long width, float *u, long u_vector, int add,
                              long vectors) {
  ck_lanes s[CK_MAX_ROWS][CK_MAX_VECTORS];
#define ROWS(FROM, R, V) \
  ck_clear_sums(s, R, V); \
  for (long i = 0; i < height; i++) \
    ck_add_products(s, x + i * x_line + (FROM), 1, x_step, dy + i * dy_line, dy_vector, CK_BLOCK, width, R, V); \
  ck_store_sums(s, u + (FROM) * CK_BLOCK, CK_BLOCK, u_vector, add, R, V);
  if (vectors == 2) {
    ROWS(0, 8, 2)
    ROWS(8, 8, 2)
  } else {
    ROWS(0, 6, 1)
    ROWS(6, 5, 1)
    ROWS(11, 5, 1)
  }
#undef ROWS
}
