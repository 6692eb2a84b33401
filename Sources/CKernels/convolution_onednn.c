// 2-D convolutions by oneDNN in the blocked layout: forward, backward for data and for weights, Winograd where it pays.
// Primitives are created once per shape, direction and thread count and kept.
#ifdef HAS_ONEDNN
#include <dnnl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

#if DNNL_VERSION_MAJOR != 2
#error "the oneDNN engine is written for libdnnl 2 (Debian 12); build with --disable-default-traits"
#endif

#define NO_FAST_KERNEL (-1)  // oneDNN has only its slow reference code for this shape

enum direction { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS };

struct key {
  ck_convolution shape;
  enum direction direction;
  int relu, bias, threads;
};

struct plan {
  struct key key;
  struct plan *next;
  int status;
  dnnl_primitive_t primitive;
  dnnl_memory_desc_t source, weights, stored_weights, bias, destination;
  long scratch_floats;
  dnnl_primitive_t weights_reorder;  // NULL when the primitive takes the stored layout
  int block_input;                   // the primitive wants a blocked copy of a plain input
};

static dnnl_engine_t engine;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
#define BUCKETS 512
static struct plan *plans[BUCKETS];

static long round_up(long value, long to) { return (value + to - 1) / to * to; }

static int is_reference(const_dnnl_primitive_desc_t descriptor) {
  const char *name = "";
  dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, &name);
  return strncmp(name, "ref", 3) == 0 || strncmp(name, "gemm:ref", 8) == 0;
}

static int create_descriptor(const struct plan *plan, dnnl_alg_kind_t algorithm, dnnl_format_tag_t source_tag,
                             const_dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *result) {
  const ck_convolution *s = &plan->key.shape;
  dnnl_dims_t source_dims = {s->n, s->in_channels, s->in_height, s->in_width};
  dnnl_dims_t weight_dims = {s->out_channels, s->in_channels, s->kernel, s->kernel};
  dnnl_dims_t bias_dims = {s->out_channels};
  dnnl_dims_t destination_dims = {s->n, s->out_channels, s->out_height, s->out_width};
  dnnl_dims_t strides = {s->stride, s->stride};
  dnnl_dims_t before = {s->pad_top, s->pad_left}, after = {s->pad_bottom, s->pad_right};
  dnnl_memory_desc_t source, weights, bias, destination;
  dnnl_memory_desc_init_by_tag(&source, 4, source_dims, dnnl_f32, source_tag);
  dnnl_memory_desc_init_by_tag(&weights, 4, weight_dims, dnnl_f32, dnnl_format_tag_any);
  dnnl_memory_desc_init_by_tag(&bias, 1, bias_dims, dnnl_f32, dnnl_x);
  dnnl_memory_desc_init_by_tag(&destination, 4, destination_dims, dnnl_f32, dnnl_nChw16c);
  const dnnl_memory_desc_t *bias_or_none = plan->key.bias ? &bias : NULL;
  dnnl_convolution_desc_t operation;
  dnnl_status_t status;
  dnnl_primitive_desc_t hint = NULL;
  switch (plan->key.direction) {
  case FORWARD:
    status = dnnl_convolution_forward_desc_init(&operation, dnnl_forward_training, algorithm, &source, &weights,
                                                bias_or_none, &destination, strides, before, after);
    break;
  case BACKWARD_DATA:
    status = dnnl_convolution_backward_data_desc_init(&operation, algorithm, &source, &weights, &destination,
                                                      strides, before, after);
    break;
  case BACKWARD_WEIGHTS:
    status = dnnl_convolution_backward_weights_desc_init(&operation, algorithm, &source, &weights, bias_or_none,
                                                         &destination, strides, before, after);
    break;
  }
  if (status != dnnl_success) return status;
  if (plan->key.direction != FORWARD) {
    // Backward descriptors want a forward one of the same problem as a hint.
    dnnl_convolution_desc_t forward;
    status = dnnl_convolution_forward_desc_init(&forward, dnnl_forward_training, algorithm, &source, &weights,
                                                NULL, &destination, strides, before, after);
    if (status != dnnl_success) return status;
    status = dnnl_primitive_desc_create(&hint, &forward, NULL, engine, NULL);
    if (status != dnnl_success) return status;
  }
  status = dnnl_primitive_desc_create(result, &operation, attributes, engine, hint);
  if (hint) dnnl_primitive_desc_destroy(hint);
  if (status == dnnl_success && is_reference(*result)) {
    dnnl_primitive_desc_destroy(*result);
    return NO_FAST_KERNEL;
  }
  return status;
}

// Winograd (4x4 tiles) wins from few channels and tiles on: measured on Zen 4 at 32 to 512 channels, 1.2 to 2.7 times.
static int prefers_winograd(const ck_convolution *s) {
  long tiles = s->n * ((s->out_height + 3) / 4) * ((s->out_width + 3) / 4);
  return s->winograd && s->kernel == 3 && s->stride == 1 && !s->plain_input && s->in_channels % 16 == 0 &&
         s->out_channels % 16 == 0 && s->in_channels >= 32 && s->out_channels >= 32 && tiles >= 16;
}

static void create_plan(struct plan *plan) {
  const ck_convolution *s = &plan->key.shape;
  dnnl_primitive_attr_t attributes;
  dnnl_primitive_attr_create(&attributes);
  dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
  if (plan->key.relu) {
    dnnl_post_ops_t post;
    dnnl_post_ops_create(&post);
    dnnl_post_ops_append_eltwise(post, 1, dnnl_eltwise_relu, 0, 0);
    dnnl_primitive_attr_set_post_ops(attributes, post);
    dnnl_post_ops_destroy(post);
  }
  // A plain gradient for the input is made from a blocked one: oneDNN has no fast kernel that writes it.
  int plain = s->plain_input && plan->key.direction != BACKWARD_DATA;
  dnnl_primitive_desc_t descriptor;
  int status = NO_FAST_KERNEL;
  if (prefers_winograd(s))
    status = create_descriptor(plan, dnnl_convolution_winograd, dnnl_nChw16c, attributes, &descriptor);
  if (status && plain) status = create_descriptor(plan, dnnl_convolution_direct, dnnl_nchw, attributes, &descriptor);
  if (status) {
    plan->block_input = s->plain_input;
    status = create_descriptor(plan, dnnl_convolution_direct, dnnl_nChw16c, attributes, &descriptor);
  }
  dnnl_primitive_attr_destroy(attributes);
  plan->status = status;
  if (status) return;

  int backward_data = plan->key.direction == BACKWARD_DATA, backward_weights = plan->key.direction == BACKWARD_WEIGHTS;
  plan->source =
      *dnnl_primitive_desc_query_md(descriptor, backward_data ? dnnl_query_diff_src_md : dnnl_query_src_md, 0);
  plan->weights = *dnnl_primitive_desc_query_md(
      descriptor, backward_weights ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
  plan->destination = *dnnl_primitive_desc_query_md(
      descriptor, plan->key.direction == FORWARD ? dnnl_query_dst_md : dnnl_query_diff_dst_md, 0);
  dnnl_dims_t bias_dims = {s->out_channels};
  dnnl_memory_desc_init_by_tag(&plan->bias, 1, bias_dims, dnnl_f32, dnnl_x);
  dnnl_dims_t weight_dims = {s->out_channels, s->in_channels, s->kernel, s->kernel};
  dnnl_memory_desc_init_by_tag(&plan->stored_weights, 4, weight_dims, dnnl_f32, dnnl_OIhw16i16o);
  const dnnl_memory_desc_t *scratch = dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0);
  plan->scratch_floats = (long)(dnnl_memory_desc_get_size(scratch) / sizeof(float)) + 16;
  plan->status = dnnl_primitive_create(&plan->primitive, descriptor);
  dnnl_primitive_desc_destroy(descriptor);
  if (plan->status) return;
  if (!dnnl_memory_desc_equal(&plan->weights, &plan->stored_weights)) {
    const dnnl_memory_desc_t *from = backward_weights ? &plan->weights : &plan->stored_weights;
    const dnnl_memory_desc_t *to = backward_weights ? &plan->stored_weights : &plan->weights;
    dnnl_primitive_desc_t reorder;
    plan->status = dnnl_reorder_primitive_desc_create(&reorder, from, engine, to, engine, NULL);
    if (plan->status) return;
    plan->status = dnnl_primitive_create(&plan->weights_reorder, reorder);
    dnnl_primitive_desc_destroy(reorder);
  }
}

static struct plan *find_plan(const ck_convolution *shape, enum direction direction, int relu, int bias) {
  struct key key;
  memset(&key, 0, sizeof key);
  key.shape = *shape;
  key.direction = direction;
  key.relu = relu;
  key.bias = bias;
  key.threads = ck_threads();
  uint64_t hash = 14695981039346656037u;
  for (unsigned i = 0; i < sizeof key; i++) hash = (hash ^ ((unsigned char *)&key)[i]) * 1099511628211u;
  struct plan **bucket = &plans[hash % BUCKETS];
  pthread_mutex_lock(&lock);
  if (!engine) dnnl_engine_create(&engine, dnnl_cpu, 0);
  struct plan *plan = *bucket;
  while (plan && memcmp(&plan->key, &key, sizeof key) != 0) plan = plan->next;
  if (!plan) {
    plan = calloc(1, sizeof *plan);
    plan->key = key;
    create_plan(plan);
    plan->next = *bucket;
    *bucket = plan;
  }
  pthread_mutex_unlock(&lock);
  return plan;
}

static dnnl_stream_t stream(void) {
  static _Thread_local dnnl_stream_t mine;
  if (!mine) dnnl_stream_create(&mine, engine, dnnl_stream_default_flags);
  return mine;
}

static dnnl_memory_t wrap(const dnnl_memory_desc_t *description, const void *data) {
  dnnl_memory_t memory = NULL;
  dnnl_memory_create(&memory, description, engine, (void *)data);
  return memory;
}

static int execute_reorder(dnnl_primitive_t reorder, dnnl_memory_t from, dnnl_memory_t to) {
  dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
  return dnnl_primitive_execute(reorder, stream(), 2, arguments);
}

// Runs one plan. `source` and `destination` are x and y, or the gradients in their place.
static int execute(struct plan *plan, const float *source, const float *weights, const float *bias,
                   const float *destination) {
  if (plan->status) return plan->status;
  int backward_weights = plan->key.direction == BACKWARD_WEIGHTS;
  int data = plan->key.direction == BACKWARD_DATA;
  int forward = plan->key.direction == FORWARD;
  long weight_floats = (long)(dnnl_memory_desc_get_size(&plan->weights) / sizeof(float));
  float *scratch = ck_scratch(0, round_up(plan->scratch_floats, 16) + round_up(weight_floats, 16) + 16);
  float *reordered = scratch + round_up(plan->scratch_floats, 16);

  dnnl_memory_t stored = wrap(&plan->stored_weights, weights);
  dnnl_memory_t used = plan->weights_reorder ? wrap(&plan->weights, reordered) : stored;
  dnnl_memory_t source_memory = wrap(&plan->source, source);
  dnnl_memory_t destination_memory = wrap(&plan->destination, destination);
  dnnl_memory_t bias_memory = bias ? wrap(&plan->bias, bias) : NULL;
  dnnl_memory_desc_t scratch_description;
  dnnl_dims_t scratch_dims = {plan->scratch_floats * (long)sizeof(float)};
  dnnl_memory_desc_init_by_tag(&scratch_description, 1, scratch_dims, dnnl_u8, dnnl_x);
  dnnl_memory_t scratch_memory = wrap(&scratch_description, scratch);

  int status = 0;
  if (plan->weights_reorder && !backward_weights) status = execute_reorder(plan->weights_reorder, stored, used);
  dnnl_exec_arg_t arguments[5] = {
      {data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, source_memory},
      {backward_weights ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, used},
      {forward ? DNNL_ARG_DST : DNNL_ARG_DIFF_DST, destination_memory},
      {DNNL_ARG_SCRATCHPAD, scratch_memory},
      {backward_weights ? DNNL_ARG_DIFF_BIAS : DNNL_ARG_BIAS, bias_memory},
  };
  if (!status) status = dnnl_primitive_execute(plan->primitive, stream(), bias ? 5 : 4, arguments);
  if (!status && plan->weights_reorder && backward_weights)
    status = execute_reorder(plan->weights_reorder, used, stored);

  if (used != stored) dnnl_memory_destroy(used);
  dnnl_memory_destroy(stored);
  dnnl_memory_destroy(source_memory);
  dnnl_memory_destroy(destination_memory);
  dnnl_memory_destroy(scratch_memory);
  if (bias_memory) dnnl_memory_destroy(bias_memory);
  return status;
}

// Winograd's scratch grows with the batch at high resolution without buying speed: run the batch in slices that
// keep about 16,384 output pixels (never for direct convolutions, which need no scratch).
static long slice_length(const ck_convolution *s) {
  if (!prefers_winograd(s)) return s->n;
  long most = 16384 / (s->out_height * s->out_width);
  if (most < 1) most = 1;
  long length = most < s->n ? most : s->n;
  while (s->n % length) length--;
  return length;
}

static long blocked_item(long channels, long height, long width) { return round_up(channels, 16) * height * width; }

int ck_convolution_forward_onednn(const ck_convolution *shape, const float *x, const float *weights,
                                  const float *bias, float *y, int relu) {
  ck_convolution slice = *shape;
  slice.n = slice_length(shape);
  struct plan *plan = find_plan(&slice, FORWARD, relu, bias != NULL);
  if (plan->status) return plan->status;
  long hw = shape->in_height * shape->in_width;
  if (plan->block_input) {
    float *blocked = ck_scratch(1, shape->n * blocked_item(shape->in_channels, shape->in_height, shape->in_width));
    ck_plain_to_blocked(x, blocked, shape->n, shape->in_channels, hw);
    x = blocked;
  }
  long x_item = shape->plain_input && !plan->block_input
                    ? shape->in_channels * hw
                    : blocked_item(shape->in_channels, shape->in_height, shape->in_width);
  long y_item = blocked_item(shape->out_channels, shape->out_height, shape->out_width);
  for (long n = 0; n < shape->n; n += slice.n) {
    int status = execute(plan, x + n * x_item, weights, bias, y + n * y_item);
    if (status) return status;
  }
  return 0;
}

int ck_convolution_backward_data_onednn(const ck_convolution *shape, const float *dy, const float *weights,
                                        float *dx) {
  ck_convolution slice = *shape;
  slice.n = slice_length(shape);
  struct plan *plan = find_plan(&slice, BACKWARD_DATA, 0, 0);
  if (plan->status) return plan->status;
  long x_item = blocked_item(shape->in_channels, shape->in_height, shape->in_width);
  long y_item = blocked_item(shape->out_channels, shape->out_height, shape->out_width);
  float *target = shape->plain_input ? ck_scratch(1, shape->n * x_item) : dx;
  for (long n = 0; n < shape->n; n += slice.n) {
    int status = execute(plan, target + n * x_item, weights, NULL, dy + n * y_item);
    if (status) return status;
  }
  if (shape->plain_input)
    ck_blocked_to_plain(target, dx, shape->n, shape->in_channels, shape->in_height * shape->in_width);
  return 0;
}

int ck_convolution_backward_weights_onednn(const ck_convolution *shape, const float *x, const float *dy,
                                           float *dweights, float *dbias) {
  ck_convolution slice = *shape;
  slice.n = slice_length(shape);
  struct plan *plan = find_plan(&slice, BACKWARD_WEIGHTS, 0, dbias != NULL);
  if (plan->status) return plan->status;
  long hw = shape->in_height * shape->in_width;
  if (plan->block_input) {
    float *blocked = ck_scratch(1, shape->n * blocked_item(shape->in_channels, shape->in_height, shape->in_width));
    ck_plain_to_blocked(x, blocked, shape->n, shape->in_channels, hw);
    x = blocked;
  }
  long x_item = shape->plain_input && !plan->block_input
                    ? shape->in_channels * hw
                    : blocked_item(shape->in_channels, shape->in_height, shape->in_width);
  long y_item = blocked_item(shape->out_channels, shape->out_height, shape->out_width);
  long weight_floats =
      round_up(shape->out_channels, 16) * round_up(shape->in_channels, 16) * shape->kernel * shape->kernel;
  for (long n = 0; n < shape->n; n += slice.n) {
    float *weights = dweights, *bias = dbias;
    if (n > 0) {
      weights = ck_scratch(2, weight_floats + shape->out_channels);
      bias = dbias ? weights + weight_floats : NULL;
    }
    int status = execute(plan, x + n * x_item, weights, bias, dy + n * y_item);
    if (status) return status;
    if (n > 0) {
      ck_accumulate(weights, dweights, 1, weight_floats);
      if (dbias) ck_accumulate(bias, dbias, 1, shape->out_channels);
    }
  }
  return 0;
}
#else
typedef int convolution_onednn_is_not_built_in;
#endif
