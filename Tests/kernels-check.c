// Checks the kernels against plain loops in double precision, without Swift: for processors that only an emulator has.
// Prints a line a shape; exits with 1 if any is wrong.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

static int wrong;

static float next(void) {
  static unsigned long long state = 88172645463325252ULL;
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (float)((double)(state >> 11) / 9007199254740992.0 * 2 - 1);
}

static float *values(long count) {
  float *x = malloc((size_t)count * sizeof *x);
  for (long i = 0; i < count; i++) x[i] = next();
  return x;
}

// L2 norm of the difference, relative; at most 3e-6 is right.
static void expect(const char *what, const float *found, const double *expected, long count) {
  double error = 0, norm = 1e-30;
  for (long i = 0; i < count; i++) {
    error += (found[i] - expected[i]) * (found[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  const double relative = sqrt(error / norm);
  if (!(relative <= 3e-6)) wrong = 1;
  printf(" %s %.1e%s", what, relative, relative <= 3e-6 ? "" : " WRONG");
}

// Numbers that bfloat16 holds: their products are exact in float32, so that rounded factors need no tolerance of their own.
static void shorten(float *x, long count) {
  for (long i = 0; i < count; i++) {
    unsigned bits;
    memcpy(&bits, x + i, 4), bits &= 0xffff0000, memcpy(x + i, &bits, 4);
  }
}

static void convolution_in(int bfloat16, long n, long ci, long co, long h, long w, long kernel, long stride, long dilation, long pad) {
  const long extent = dilation * (kernel - 1) + 1, oh = (h + 2 * pad - extent) / stride + 1;
  const long ow = (w + 2 * pad - extent) / stride + 1, ib = (ci + 15) / 16 * 16, ob = (co + 15) / 16 * 16;
  const long taps = kernel * kernel;
  const ck_convolution shape = {n, ci, co, h, w, oh, ow, kernel, stride, dilation, pad, pad, 0, !bfloat16, bfloat16};
  float *x = values(n * ci * h * w), *weights = values(co * ci * taps), *bias = values(co), *dy = values(n * co * oh * ow);
  if (bfloat16) shorten(x, n * ci * h * w), shorten(weights, co * ci * taps), shorten(dy, n * co * oh * ow);
  double *y = calloc((size_t)(n * co * oh * ow), 8), *dx = calloc((size_t)(n * ci * h * w), 8);
  double *dweights = calloc((size_t)(co * ci * taps), 8), *dbias = calloc((size_t)co, 8);
  for (long item = 0; item < n; item++)
    for (long o = 0; o < co; o++)
      for (long p = 0; p < oh * ow; p++) {
        const long at = (item * co + o) * oh * ow + p;
        double sum = bias[o];
        dbias[o] += dy[at];
        for (long i = 0; i < ci; i++)
          for (long t = 0; t < taps; t++) {
            const long iy = p / ow * stride + t / kernel * dilation - pad, ix = p % ow * stride + t % kernel * dilation - pad;
            if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
            const long from = (item * ci + i) * h * w + iy * w + ix, weight = (o * ci + i) * taps + t;
            sum += (double)x[from] * weights[weight];
            dx[from] += (double)dy[at] * weights[weight];
            dweights[weight] += (double)dy[at] * x[from];
          }
        y[at] = sum;
      }
  float *bx = values(n * ib * h * w), *bweights = values(ib * ob * taps), *bdy = values(n * ob * oh * ow);
  ck_plain_to_blocked(x, bx, n, ci, h * w);
  ck_plain_to_blocked(dy, bdy, n, co, oh * ow);
  ck_weights_to_blocked(weights, bweights, co, ci, taps);
  const long sizes[3] = {n * ob * oh * ow, n * ib * h * w, ib * ob * taps};
  float *results[3][3], *fb = values(co);
  for (int threads = 1; threads <= 3; threads++) {
    ck_set_threads(threads);
    for (int i = 0; i < 3; i++) results[threads - 1][i] = values(sizes[i]);
    ck_convolution_forward(&shape, bx, bweights, bias, results[threads - 1][0], 0);
    ck_convolution_backward_data(&shape, bdy, bweights, results[threads - 1][1]);
    ck_convolution_backward_weights(&shape, bx, bdy, results[threads - 1][2], fb);
  }
  printf("%s%ldx%ld->%ld %ldx%ld k%ld s%ld d%ld p%ld:", bfloat16 ? "bfloat16 " : "", n, ci, co, h, w, kernel, stride, dilation, pad);
  float *plain = values(sizes[0] + sizes[1] + sizes[2]);
  ck_blocked_to_plain(results[0][0], plain, n, co, oh * ow);
  expect("y", plain, y, n * co * oh * ow);
  ck_blocked_to_plain(results[0][1], plain, n, ci, h * w);
  expect("dx", plain, dx, n * ci * h * w);
  ck_weights_to_plain(results[0][2], plain, co, ci, taps);
  expect("dweights", plain, dweights, co * ci * taps);
  expect("dbias", fb, dbias, co);
  for (int i = 0; i < 3; i++)
    for (int threads = 1; threads < 3; threads++)
      if (memcmp(results[0][i], results[threads][i], (size_t)sizes[i] * sizeof(float))) {
        printf(" DIFFERS with %d threads", threads + 1);
        wrong = 1;
      }
  puts("");
}

static void convolution(long n, long ci, long co, long h, long w, long kernel, long stride, long dilation, long pad) {
  for (int bfloat16 = 0; bfloat16 < 2; bfloat16++)
    convolution_in(bfloat16, n, ci, co, h, w, kernel, stride, dilation, pad);
}

static void product(long m, long n, long k) {
  printf("product %ldx%ldx%ld:", m, n, k);
  for (int transposed = 0; transposed < 4; transposed++) {
    const int ta = transposed & 1, tb = transposed >> 1;
    float *a = values(m * k), *b = values(n * k), *c = values(m * n);
    double *expected = calloc((size_t)(m * n), 8);
    for (long i = 0; i < m; i++)
      for (long j = 0; j < n; j++)
        for (long t = 0; t < k; t++)
          expected[i * n + j] += (double)a[ta ? t * m + i : i * k + t] * b[tb ? j * k + t : t * n + j];
    ck_gemm(ta, tb, m, n, k, 1, a, ta ? m : k, b, tb ? k : n, 0, c, n);
    expect(transposed == 0 ? "NN" : transposed == 1 ? "TN" : transposed == 2 ? "NT" : "TT", c, expected, m * n);
  }
  puts("");
}

int main(void) {
  printf("%s\n", ck_instruction_set());
  convolution(2, 32, 48, 17, 30, 3, 1, 1, 1);
  convolution(1, 160, 33, 24, 28, 3, 1, 1, 1);
  convolution(1, 16, 20, 5, 6, 3, 1, 1, 0);
  convolution(2, 20, 17, 12, 14, 4, 2, 1, 1);
  convolution(1, 20, 5, 9, 8, 4, 1, 1, 1);
  convolution(1, 64, 96, 9, 11, 1, 1, 1, 0);
  convolution(1, 24, 8, 9, 9, 1, 2, 1, 0);
  convolution(1, 32, 16, 20, 21, 3, 1, 6, 6);
  convolution(1, 32, 16, 20, 21, 3, 2, 2, 2);
  product(1, 1, 1);
  product(33, 65, 31);
  product(70, 210, 500);
  puts(wrong ? "WRONG" : "all right");
  return wrong;
}
