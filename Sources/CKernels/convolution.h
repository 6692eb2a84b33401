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
