// The whole surface of the CPU kernels: one section per family, each implemented in the .c file it names.
//
// Conventions
//   blocked   activations [N, C, H, W] as nChw16c: [N][ceil(C/16)][H*W][16]; the lanes past C are zero, always.
//   plain     row-major.
//   rows      row-major [M, C], one vector of C channels after the other.
// Forward and backward stand side by side. A kernel allocates nothing (large temporaries come from ck_scratch),
// runs on the calling thread's worker pool, and gives the same bits for any number of threads: work is cut
// into chunks whose size does not depend on the thread count, partial sums are added in chunk order.
// Gradients are overwritten, not added to, unless the comment says so.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CK_BLOCK 16  // channels in a block

// ---- parallel.c ---------------------------------------------------------------------------------

// Worker threads for every kernel issued from the calling thread.
void ck_set_threads(int count);
int ck_threads(void);

typedef void (*ck_task)(void *context, long index);
// Runs task(context, 0) ... task(context, count - 1) on the pool, in any order; returns when all are done.
// Inside a task it runs serially.
void ck_parallel(long count, ck_task task, void *context);

// At least `floats` floats of memory that belong to the calling thread until its next call with the same slot
// (0...3; 4 belongs to matrix products); 64-byte aligned, contents undefined.
float *ck_scratch(int slot, long floats);

// ---- memory.c -----------------------------------------------------------------------------------

// `bytes` of 64-byte aligned memory (huge pages from 2 MiB on), or NULL.
void *ck_allocate(long bytes);
void ck_deallocate(void *memory);
void ck_copy(const float *from, float *to, long count);
void ck_fill(float *to, float value, long count);

// ---- instruction_set.c --------------------------------------------------------------------------

// The instructions that kernels use here, and the register tile of products: rows by vectors of 16 columns.
const char *ck_instruction_set(void);
void ck_tile_size(long *rows, long *vectors);

// ---- gemm.c -------------------------------------------------------------------------------------

// C = alpha * op(A) * op(B) + beta * C, row-major, op transposes when the flag is set; C [m, n], inner size k, ld* are row
// strides. With beta 0, C is not read.
void ck_gemm(int transpose_a, int transpose_b, long m, long n, long k, float alpha, const float *a, long lda,
             const float *b, long ldb, float beta, float *c, long ldc);
// The same with op(B) made of `count` equal parts, beside each other in its columns if transpose_b,
// where they are multiples of CK_JOINT long, or below each other.
#define CK_JOINT 32
void ck_joined_gemm(int transpose_a, int transpose_b, long m, long n, long k, float alpha, const float *a, long lda,
                    const float *const *parts, long count, long ldb, float beta, float *c, long ldc);

// ---- gemm_bfloat16.c ----------------------------------------------------------------------------------

// C = op(A) * op(B) of bfloat16 factors with float32 sums, C and B's parts dense; B in parts, as above; of an even k each, if below each
// other. Only where ck_has_bfloat16().
void ck_gemm_bfloat16(int transpose_a, int transpose_b, long m, long n, long k, const uint16_t *a,
                      long lda, const uint16_t *const *parts, long count, float *c);
// To the nearest, ties to even.
void ck_round_to_bfloat16(const float *from, uint16_t *to, long count);
void ck_widen_bfloat16(const uint16_t *from, float *to, long count);
int ck_has_bfloat16(void);

// ---- skinny_gemm.c -----------------------------------------------------------------------------------------

// C [m, n] = A [m, k] * B [n, k]^T with B[j] = scales[j] * bytes[j], for few rows of A: B is read once for every four.
// B and its scales are `count` equal parts.
void ck_skinny_gemm_int8(long m, long n, long k, const float *a, const int8_t *const *bytes, const float *const *scales,
                         long count, float *c);
// Rows of 8-bit integers whose largest is +-127, and their scales; and back.
void ck_quantize_rows(const float *from, int8_t *bytes, float *scales, long rows, long columns);
void ck_restore_rows(const int8_t *bytes, const float *scales, float *to, long rows, long columns);

// ---- layout.c -----------------------------------------------------------------------------------

void ck_plain_to_blocked(const float *plain, float *blocked, long n, long c, long hw);
void ck_blocked_to_plain(const float *blocked, float *plain, long n, long c, long hw);
// Rows are [N * HW, C].
void ck_blocked_to_rows(const float *blocked, float *rows, long n, long c, long hw);
void ck_rows_to_blocked(const float *rows, float *blocked, long n, long c, long hw);
// Convolution weights: OIHW to [ceil(O/16)][ceil(I/16)][kh*kw][16 i][16 o], padding zero, and back.
void ck_weights_to_blocked(const float *oihw, float *blocked, long o, long i, long kernel);
void ck_weights_to_plain(const float *blocked, float *oihw, long o, long i, long kernel);
// [a, b] to [b, a], batch times.
void ck_transpose(const float *x, float *y, long batch, long a, long b);

// ---- pixels.c -----------------------------------------------------------------------------------

// uint8 pixels [N, H*W, 3] to plain [N, 3, H*W] in [-1, 1]: p / 127.5 - 1.
void ck_pixels_to_plain(const uint8_t *pixels, float *plain, long n, long hw);
// Back, clamped to [-1, 1] and rounded to the nearest level.
void ck_plain_to_pixels(const float *plain, uint8_t *pixels, long n, long hw);

// ---- group_norm.c (blocked) -----------------------------------------------------------------------

// y = gamma * (x - mean) * rstd + beta over groups of C/groups channels; with silu, y = y * sigmoid(y).
// C is a multiple of groups; C/groups may be anything. mean and rstd [N, groups] are saved for the backward pass.
void ck_group_norm_forward(const float *x, const float *gamma, const float *beta, float *y, float *mean,
                           float *rstd, long n, long c, long hw, long groups, float eps, int silu);
// dgamma and dbeta may be NULL. dx may not alias dy or x.
void ck_group_norm_backward(const float *x, const float *dy, const float *gamma, const float *beta,
                            const float *mean, const float *rstd, float *dx, float *dgamma, float *dbeta, long n,
                            long c, long hw, long groups, int silu);

// ---- batch_norm.c (blocked) -----------------------------------------------------------------------

// Mean and biased variance of every channel over N and HW: [C] each.
void ck_channel_moments(const float *x, float *mean, float *variance, long n, long c, long hw);
// y = gamma * (x - mean) * rstd + beta, rstd = 1 / sqrt(variance + eps); then leaky ReLU of that slope (1: none).
void ck_batch_norm_forward(const float *x, const float *mean, const float *rstd, const float *gamma,
                           const float *beta, float *y, long n, long c, long hw, float slope);
// Gradient through the batch's own mean and variance. dgamma and dbeta may be NULL.
void ck_batch_norm_backward(const float *x, const float *dy, const float *mean, const float *rstd,
                            const float *gamma, const float *beta, float *dx, float *dgamma, float *dbeta,
                            long n, long c, long hw, float slope);
// y = scale * (x + loc) per channel (ActNorm; also BatchNorm in evaluation); then leaky ReLU of that slope.
void ck_channel_affine_forward(const float *x, const float *loc, const float *scale, float *y, long n, long c,
                               long hw, float slope);
// dloc and dscale may be NULL.
void ck_channel_affine_backward(const float *x, const float *dy, const float *loc, const float *scale, float *dx,
                                float *dloc, float *dscale, long n, long c, long hw, float slope);
// Sum over N and HW of every channel: db[c] = sum dy (the gradient of a convolution's bias).
void ck_channel_sums(const float *dy, float *db, long n, long c, long hw);

// ---- resample.c (blocked; `planes` is N * ceil(C/16)) ---------------------------------------------

// 2x2 maximum, stride 2, odd last row or column dropped; y is [h/2, w/2].
void ck_max_pool_forward(const float *x, float *y, long planes, long h, long w);
// The first of equal maxima (row-major in the window) takes the gradient, as in PyTorch.
void ck_max_pool_backward(const float *x, const float *dy, float *dx, long planes, long h, long w);
// Nearest neighbour x2; x is [h, w], y [2h, 2w].
void ck_upsample_forward(const float *x, float *y, long planes, long h, long w);
void ck_upsample_backward(const float *dy, float *dx, long planes, long h, long w);

// ---- lpips.c --------------------------------------------------------------------------------------

// One level of LPIPS (Zhang et al. 2018, eq. 1), blocked features a and b, head weights [C]:
// distance[n] = mean over HW of sum over C of w * (a / (|a| + 1e-10) - b / (|b| + 1e-10))^2, |.| over channels.
void ck_lpips_forward(const float *a, const float *b, const float *weights, float *distance, long n, long c,
                      long hw);
// Gradient for b of sum_n ddistance[n] * distance[n]. Zero, not NaN, where b is all zero (black frames).
void ck_lpips_backward(const float *a, const float *b, const float *weights, const float *ddistance, float *db,
                       long n, long c, long hw);

// ---- activation.c (any layout, elementwise; y may alias x; dx may alias dy) ---------------------------

void ck_relu_forward(const float *x, float *y, long count);
// From the output: dx = y > 0 ? dy : 0.
void ck_relu_backward(const float *y, const float *dy, float *dx, long count);
void ck_leaky_relu_forward(const float *x, float *y, float slope, long count);
// From the output (slope > 0 keeps the sign).
void ck_leaky_relu_backward(const float *y, const float *dy, float *dx, float slope, long count);
void ck_silu_forward(const float *x, float *y, long count);
void ck_silu_backward(const float *x, const float *dy, float *dx, long count);
// Exact GELU, x * Phi(x).
void ck_gelu_forward(const float *x, float *y, long count);
void ck_gelu_backward(const float *x, const float *dy, float *dx, long count);
// GELU of rows [M, C] plus bias [C], and dx from dy and the same x and bias.
void ck_bias_gelu_forward(const float *x, const float *bias, float *y, long m, long c);
void ck_bias_gelu_backward(const float *x, const float *bias, const float *dy, float *dx, long m, long c);
// Stable at both ends.
void ck_softplus_forward(const float *x, float *y, long count);
void ck_softplus_backward(const float *x, const float *dy, float *dx, long count);

// ---- elementwise.c (outputs may alias inputs) --------------------------------------------------------

void ck_add(const float *a, const float *b, float *y, long count);
void ck_subtract(const float *a, const float *b, float *y, long count);
void ck_multiply(const float *a, const float *b, float *y, long count);
// y = alpha * x + beta
void ck_scale(const float *x, float *y, float alpha, float beta, long count);
// y += alpha * x
void ck_accumulate(const float *x, float *y, float alpha, long count);
// y = sign(a - b) * scale, sign(0) = 0 (the derivative of |a - b|)
void ck_sign_difference(const float *a, const float *b, float *y, float scale, long count);
// Plain [N, C, HW]: y = scale[c] * x + shift[c]
void ck_plain_channel_scale(const float *x, const float *scale, const float *shift, float *y, long n, long c,
                            long hw);
// Rows: y = x + bias, y may alias x.
void ck_add_bias(const float *x, const float *bias, float *y, long m, long c);
// Inverted dropout with a given mask of 0/1 bytes: y = mask ? x / (1 - rate) : 0.
void ck_dropout(const float *x, const uint8_t *mask, float *y, float rate, long count);
// result = all finite ? 1 : 0
int ck_all_finite(const float *x, long count);

// ---- reduction.c -----------------------------------------------------------------------------------

double ck_sum(const float *x, long count);
double ck_sum_of_absolute_differences(const float *a, const float *b, long count);
double ck_sum_of_squares(const float *x, long count);
double ck_sum_of_squared_differences(const float *a, const float *b, long count);
// Rows: db[c] = sum over M of dy.
void ck_row_sums(const float *dy, float *db, long m, long c);

// ---- layer_norm.c (rows) ------------------------------------------------------------------------------

// mean and rstd [M] are saved for the backward pass.
void ck_layer_norm_forward(const float *x, const float *gamma, const float *beta, float *y, float *mean,
                           float *rstd, long m, long c, float eps);
void ck_layer_norm_backward(const float *x, const float *dy, const float *gamma, const float *mean,
                            const float *rstd, float *dx, float *dgamma, float *dbeta, long m, long c);

// ---- softmax.c (rows) -----------------------------------------------------------------------------------

// y may alias x.
void ck_softmax_forward(const float *x, float *y, long m, long c);
void ck_softmax_backward(const float *y, const float *dy, float *dx, long m, long c);
// losses[m] = -weights[targets[m]] log softmax(logits[m])[targets[m]]; a target of -1 gives loss 0. weights [V] may be
// NULL, which is 1 for all. log_sums [M] is saved.
void ck_cross_entropy_forward(const float *logits, const int32_t *targets, const float *weights,
                              float *losses, float *log_sums, long m, long v);
// dlogits = scale * weights[target] * (softmax(logits) - onehot(target)); zero rows for target -1. dlogits may alias
// logits.
void ck_cross_entropy_backward(const float *logits, const int32_t *targets, const float *weights,
                               const float *log_sums, float *dlogits, float scale, long m, long v);

// divergences[m] = sum over k of q log(q K), q = softmax(logits[m]): the divergence from K equal fractions, in nats.
// log_sums [M] is saved.
void ck_uniform_divergence_forward(const float *logits, float *divergences, float *log_sums, long m, long k);
// dlogits = scale * the gradient of divergences[m] with respect to logits[m]
void ck_uniform_divergence_backward(const float *logits, const float *divergences, const float *log_sums,
                                    float *dlogits, float scale, long m, long k);

// ---- rotary.c ---------------------------------------------------------------------------------------------

// y = x with channels 2i and 2i + 1 of the first `turned` heads turned; x and y [M, heads * d], row m at position m % t; cosines and sines
// [t, d / 2]. sign -1 turns back.
void ck_rotate(const float *x, const float *cosines, const float *sines, float *y, long m, long t, long turned,
               long heads, long d, float sign);

// ---- labels.c ---------------------------------------------------------------------------------------------

// labels [N, parts, H, W] in 0 ..< count, parts of them at each position. weights [k * k, count, O], bias [O], y and dy
// rows [N, H * W, O]; k odd, padded to keep the size.
void ck_label_convolution(const int32_t *labels, const float *weights, const float *bias, float *y, long n,
                          long parts, long h, long w, long k, long count, long o);
void ck_label_convolution_backward(const int32_t *labels, const float *dy, float *dweights, long n,
                                   long parts, long h, long w, long k, long count, long o);
// sums [N * ceil(C / 16)] of the binary cross-entropies of blocked logits [N, C, H, W] with one-hot labels [N, H * W]
void ck_label_entropy_forward(const float *logits, const int32_t *labels, float *sums, long n, long c, long hw);
// dlogits = scale * (sigmoid(logits) - onehot(labels)), blocked; may alias logits
void ck_label_entropy_backward(const float *logits, const int32_t *labels, float *dlogits, float scale, long n,
                               long c, long hw);

// ---- embedding.c ------------------------------------------------------------------------------------------

// y[m] = table[indices[m]], rows of D.
void ck_gather_rows(const float *table, const int32_t *indices, float *y, long m, long d);
// dtable[indices[m]] += dy[m], in order of m (the same bits for any thread count: split over columns or tables).
void ck_scatter_add_rows(const float *dy, const int32_t *indices, float *dtable, long m, long d, long rows);

// ---- attention.c --------------------------------------------------------------------------------------------

// softmax(scale * q k^T + mask) v, per item and head; q, k, v, out are rows [N, T, heads * D], row stride
// q_stride for q, k and v (so they may be thirds of one [.., 3C] buffer) and out_stride for out. causal: position i sees j <= i, and the
// first `prefix` positions see each other. With a positive `step` (and no prefix) position i sees only the keys from
// the start of the step `context` - 1 before its own: steps are `step` positions each. With a positive `step` and a
// `context` of 0 it sees all before it and the whole of its own step. log_sums [N, heads, T] is saved.
// kept, 0/1 bytes [N, heads, T, T] or NULL: weights that are not kept become 0, the others are divided by 1 - rate.
// Never holds more than one head's [T, T] scores per thread.
void ck_attention_forward(const float *q, const float *k, const float *v, float *out, float *log_sums, long n,
                          long t, long heads, long d, long q_stride, long out_stride, float scale, int causal,
                          long prefix, long step, long context, const uint8_t *kept, float rate);
// dq, dk, dv have the strides of q, k, v.
void ck_attention_backward(const float *q, const float *k, const float *v, const float *out, const float *dout,
                           const float *log_sums, float *dq, float *dk, float *dv, long n, long t, long heads,
                           long d, long q_stride, long out_stride, float scale, int causal, long prefix, long step,
                           long context, const uint8_t *kept, float rate);
// Rows [N, count, heads * D], `stride` apart, as positions start, start + 1 ... of a cache of keys or values [N, heads, capacity, D]: of
// floats, or with `bf16` of bfloat16.
void ck_attention_append(const float *rows, long stride, void *cache, int bf16, long n, long count, long start, long capacity,
                       long heads, long d);
// New positions q [N, count, heads * D], `stride` apart, of which position i sees the first before + i + 1 of the cached keys and values
// [N, heads, capacity, D]; out like q, dense.
void ck_attention_decode(const float *q, long stride, const void *keys, const void *values, int bf16, float *out, long n,
                       long count, long before, long capacity, long heads, long d, float scale);

// ---- quantizer.c ----------------------------------------------------------------------------------------------

// Nearest entry of codebook [K, D] for each row of z [M, D] by squared distance, computed as |e|^2 - 2 z.e plus |z|^2 in
// float32 as the reference does; the lowest index wins a tie. norms [K] = |e|^2. distances [M] (may be NULL) gets the
// squared distance.
void ck_row_norms(const float *x, float *norms, long m, long d);
void ck_nearest_codes(const float *z, const float *codebook, const float *norms, int32_t *indices,
                      float *distances, long m, long k, long d);

// ---- optimizer.c ------------------------------------------------------------------------------------------------

// Adam (Kingma & Ba 2015) with PyTorch's arithmetic; weight_decay is decoupled (AdamW: p *= 1 - lr * wd first).
// `step` counts from 1.
void ck_adam(float *parameter, float *m, float *v, const float *gradient, long count, float learning_rate,
             float beta1, float beta2, float eps, float weight_decay, long step);
// average = decay * average + (1 - decay) * x
void ck_moving_average(float *average, const float *x, float decay, long count);

// ---- random.c ------------------------------------------------------------------------------------------------------

// Philox 4x32-10 (Salmon et al. 2011): value i of the stream depends on (seed, stream, offset + i) alone.
// Uniform in [0, 1) with 24 bits.
void ck_random_uniform(float *y, long count, uint64_t seed, uint64_t stream, uint64_t offset);
// Standard normal (Box-Muller on pairs).
void ck_random_normal(float *y, long count, uint64_t seed, uint64_t stream, uint64_t offset);
// Standard Gumbel, -log(-log(u)) with u uniform in (0, 1).
void ck_random_gumbel(float *y, long count, uint64_t seed, uint64_t stream, uint64_t offset);
// 1 with the probability `keep`, else 0.
void ck_random_mask(uint8_t *y, long count, float keep, uint64_t seed, uint64_t stream, uint64_t offset);
// One block of four words.
void ck_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t words[4]);

// ---- convolution.c, convolution_winograd.c, convolution_direct.c -------------------------------------------------

typedef struct {
  long n, in_channels, out_channels, in_height, in_width, out_height, out_width;
  long kernel, stride, dilation;          // square kernels
  long pad_top, pad_left;                 // what the output's size needs on the other sides is padded there
  int plain_input;                        // x (and dx) are plain [N, C, H, W] instead of blocked
  int winograd;                           // allow Winograd where it is faster
  int bfloat16;                           // allow factors rounded to bfloat16, with sums of floats, where it is faster
} ck_convolution;

// Weights blocked as by ck_weights_to_blocked, bias [O] or NULL. y is blocked. With relu, y = max(y, 0).
void ck_convolution_forward(const ck_convolution *shape, const float *x, const float *weights, const float *bias,
                            float *y, int relu);
void ck_convolution_backward_data(const ck_convolution *shape, const float *dy, const float *weights, float *dx);
// dbias may be NULL.
void ck_convolution_backward_weights(const ck_convolution *shape, const float *x, const float *dy, float *dweights,
                                     float *dbias);

// Forward alone, of a kernel of kernel_height x kernel_width; shape->kernel is not read. Weights blocked as those of as many taps.
void ck_oblong_convolution(const ck_convolution *shape, long kernel_height, long kernel_width, const float *x,
                           const float *weights, const float *bias, float *y, int relu);

// ---- depthwise.c ------------------------------------------------------------------------------------------------

// Every channel with its own square kernel: weights [ceil(C/16)][k*k][16], bias [ceil(C/16)][16]. x and y are blocked; dilation is 1.
void ck_depthwise_convolution(const ck_convolution *shape, const float *x, const float *weights, const float *bias,
                              float *y);

// ---- pooling.c (blocked) ----------------------------------------------------------------------------------------

// Windows of height x width, `stride` apart, the first one `padding` outside at the top and left; every window has a pixel inside. The
// maximum or the mean of the pixels inside.
struct ck_windows {
  long planes, in_height, in_width, out_height, out_width, height, width, stride, padding;
  int average;
};
void ck_pool(const struct ck_windows *windows, const float *x, float *y);

// y = x cut to low ... high; any layout.
void ck_limit(const float *x, float *y, float low, float high, long count);

// ---- double_products.c (row-major doubles) ------------------------------------------------------------------------

// C [m, n] = A [m, k] B [n, k]^T, or C += with `add`. Equal rows give equal sums. With a == b, only a half is computed.
void ck_row_products(const double *a, const double *b, double *c, long m, long n, long k, int add);
// y = x - mean per column, [m, d] or transposed [d, m].
void ck_centred_rows(const float *x, const double *mean, double *y, long m, long d, int transposed);
void ck_double_column_sums(const float *x, double *sums, long m, long d);
// Sum of (gamma * dot + 1)^3.
double ck_polynomial_kernel_sum(const double *dots, long count, double gamma);

// ---- eigenvalues.c (row-major doubles) -----------------------------------------------------------------------------

// Rows [rank, n] of L^T with a = L L^T but for what is left below `tolerance` on the diagonal; returns the rank. rows has room for
// [n, n], diagonal for [n].
long ck_pivoted_cholesky(const double *a, double *rows, double *diagonal, long n, double tolerance);
// Eigenvalues of a symmetric a [n, n], in no order; a is overwritten, work has room for [5 n]. Returns 0 if they were not found.
int ck_symmetric_eigenvalues(double *a, double *values, double *work, long n);

#ifdef __cplusplus
}
#endif
