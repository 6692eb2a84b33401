// The two algorithms of convolution.c. Images are blocked, weights and their gradients as ck_weights_to_blocked makes them.
#pragma once

#include "kernels.h"

// Winograd's algorithm, for 3x3 kernels with stride and dilation 1.
void ck_winograd_forward(const ck_convolution *s, const float *x, const float *weights, const float *bias, float *y,
                         int relu);
void ck_winograd_backward_data(const ck_convolution *s, const float *dy, const float *weights, float *dx);
void ck_winograd_backward_weights(const ck_convolution *s, const float *x, const float *dy, float *dweights);

// Every other shape.
void ck_direct_forward(const ck_convolution *s, const float *x, const float *weights, const float *bias, float *y,
                       int relu);
void ck_direct_backward_data(const ck_convolution *s, const float *dy, const float *weights, float *dx);
void ck_direct_backward_weights(const ck_convolution *s, const float *x, const float *dy, float *dweights);

// Blocks [16 c][16 o] of one channel block and one or two output blocks: u (+)= x^T dy over height x width pixels, those of
// x x_step floats apart, lines x_line and dy_line; the output blocks of dy are dy_vector apart, those of u u_vector.
void ck_outer_product(const float *x, long x_step, long x_line, const float *dy, long dy_line, long dy_vector,
                      long height, long width, float *u, long u_vector, int add, long vectors);

// Whether the second multiplies pairs of bfloat16 values: where the caller allows it and they are faster than floats. (On
// Intel's Sapphire Rapids they have half the floats' rate, so there they are not.)
int ck_multiplies_pairs(const ck_convolution *s);
