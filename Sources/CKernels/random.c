// Counter-based random numbers: Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
//
// How a block is addressed: key = (low, high word of seed); counter = (low, high word of the block's number, low,
// high word of stream). Block b holds the values 4 b ... 4 b + 3 of the stream, one word each.
#include "kernels.h"
#include "wide.h"

#define BLOCKS 4096  // to a task
#define GROUP 16     // blocks that are computed side by side, one in each lane

CK_INLINE void philox(uint64_t seed, uint64_t stream, uint64_t block, uint32_t words[4]) {
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32);
  uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

void ck_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t words[4]) {
  philox(seed, stream, counter, words);
}

CK_INLINE void philox_group(uint64_t seed, uint64_t stream, uint64_t block, uint32_t words[4][GROUP]) {
  for (int i = 0; i < GROUP; i++) {
    uint32_t one[4];
    philox(seed, stream, block + (uint64_t)i, one);
    for (int word = 0; word < 4; word++) words[word][i] = one[word];
  }
}

// The upper 24 bits as a number in [0, 1).
CK_INLINE float unit(uint32_t word) { return (float)(int32_t)(word >> 8) * 0x1p-24f; }

// log(x) for positive x, relative error below 3e-7 (the series of fdlibm's logf).
CK_INLINE float logarithm(float x) {
#pragma clang fp contract(fast) reassociate(off)
  const int32_t bits = __builtin_bit_cast(int32_t, x);
  // x = 2^exponent * (1 + f), sqrt(1/2) <= 1 + f < sqrt(2)
  const int32_t exponent = (bits - 0x3f3504f3) >> 23;
  const float f = __builtin_bit_cast(float, bits - exponent * (1 << 23)) - 1;
  const float s = f / (2 + f), z = s * s, w = z * z;
  const float series = z * (0.66666662693f + w * 0.28498786688f) + w * (0.40000972152f + w * 0.24279078841f);
  const float half = 0.5f * f * f, e = (float)exponent;
  return s * (half + series) + 9.0580006145e-6f * e - half + f + 6.9313812256e-1f * e;
}

// -log(1 - t) for t in [0, 1/2]: 2 artanh(t / (2 - t)), whose argument is at most 1/3, so eight terms are enough.
CK_INLINE float minus_log_of_rest(float t) {
#pragma clang fp contract(fast) reassociate(off)
  const float s = t / (2 - t), z = s * s;
  float p = 1.0f / 15;
  p = p * z + 1.0f / 13;
  p = p * z + 1.0f / 11;
  p = p * z + 1.0f / 9;
  p = p * z + 1.0f / 7;
  p = p * z + 1.0f / 5;
  p = p * z + 1.0f / 3;
  return 2 * s * (p * z + 1);
}

// cos(2 pi u) and sin(2 pi u) for u in [0, 1): the quadrant, then polynomials in [-pi/4, pi/4].
CK_INLINE void circle(float u, float *cosine, float *sine) {
#pragma clang fp contract(fast) reassociate(off)
  const int32_t quadrant = (int32_t)(u * 4 + 0.5f);
  const float x = (u * 4 - (float)quadrant) * 1.57079632679f, z = x * x;
  const float s = x + x * z * (-1.6666654611e-1f + z * (8.3321608736e-3f - z * 1.9515295891e-4f));
  const float tail = 4.1666645683e-2f + z * (-1.3887316255e-3f + z * 2.4433157118e-5f);
  const float c = 1 - 0.5f * z + z * z * tail;
  const float a = quadrant & 1 ? s : c, b = quadrant & 1 ? c : s;
  *cosine = (quadrant + 1) & 2 ? -a : a;
  *sine = quadrant & 2 ? -b : b;
}

CK_INLINE void uniform_values(const uint32_t words[4][GROUP], float values[GROUP * 4]) {
  for (int i = 0; i < GROUP; i++)
    for (int word = 0; word < 4; word++) values[4 * i + word] = unit(words[word][i]);
}

CK_INLINE void normal_values(const uint32_t words[4][GROUP], float values[GROUP * 4]) {
  for (int word = 0; word < 4; word += 2)
    for (int i = 0; i < GROUP; i++) {
      // 1 - u is in (0, 1]: the logarithm is finite.
      const float radius = __builtin_elementwise_sqrt(-2 * logarithm(1 - unit(words[word][i])));
      float cosine, sine;
      circle(unit(words[word + 1][i]), &cosine, &sine);
      values[4 * i + word] = radius * cosine;
      values[4 * i + word + 1] = radius * sine;
    }
}

// -log(-log(u)) of numbers u in the middle of their 2^24 steps, so that both logarithms are finite.
CK_INLINE void gumbel_values(const uint32_t words[4][GROUP], float values[GROUP * 4]) {
  for (int word = 0; word < 4; word++)
    for (int i = 0; i < GROUP; i++) {
      const float u = unit(words[word][i]);
      // Near 1 the steps of a float are too wide for the middle, but log(1 - t) is -t there.
      const float t = (1 - u) - 0x1p-25f;
      values[4 * i + word] = -logarithm(u < 0.5f ? -logarithm(u + 0x1p-25f) : minus_log_of_rest(t));
    }
}

struct draw {
  void *y;
  uint64_t seed, stream, offset, end;  // values offset ..< end
  float keep;
};

// Defines the task `name` that writes BLOCKS blocks: `fill` makes values of words, `formula` what is stored of one.
#define DRAW(name, type, fill, formula)                                                               \
  CK_WIDE static void name(void *context, long task) {                                                \
    const struct draw *s = context;                                                                   \
    const float keep = s->keep;                                                                       \
    (void)keep;                                                                                       \
    type *const y = s->y;                                                                             \
    const uint64_t first = s->offset / 4 + (uint64_t)task * BLOCKS, last = (s->end + 3) / 4;          \
    const uint64_t stop = first + BLOCKS < last ? first + BLOCKS : last;                              \
    for (uint64_t block = first; block < stop; block += GROUP) {                                      \
      uint32_t words[4][GROUP];                                                                       \
      float values[GROUP * 4];                                                                        \
      philox_group(s->seed, s->stream, block, words);                                                 \
      fill(words, values);                                                                            \
      const uint64_t from = block * 4 < s->offset ? s->offset : block * 4;                            \
      const uint64_t to = (block + GROUP) * 4 < s->end ? (block + GROUP) * 4 : s->end;                \
      for (uint64_t i = from; i < to; i++) {                                                          \
        const float value = values[i - block * 4];                                                    \
        y[i - s->offset] = formula;                                                                   \
      }                                                                                               \
    }                                                                                                 \
  }

DRAW(draw_uniform, float, uniform_values, value)
DRAW(draw_normal, float, normal_values, value)
DRAW(draw_gumbel, float, gumbel_values, value)
DRAW(draw_mask, uint8_t, uniform_values, value < keep)

static void run(ck_task task, struct draw draw, long count) {
  if (count <= 0) return;
  draw.end = draw.offset + (uint64_t)count;
  const long blocks = (long)((draw.end + 3) / 4 - draw.offset / 4);
  ck_parallel(ck_chunks(blocks, BLOCKS), task, &draw);
}

void ck_random_uniform(float *y, long count, uint64_t seed, uint64_t stream, uint64_t offset) {
  run(draw_uniform, (struct draw){.y = y, .seed = seed, .stream = stream, .offset = offset}, count);
}

void ck_random_normal(float *y, long count, uint64_t seed, uint64_t stream, uint64_t offset) {
  run(draw_normal, (struct draw){.y = y, .seed = seed, .stream = stream, .offset = offset}, count);
}

void ck_random_gumbel(float *y, long count, uint64_t seed, uint64_t stream, uint64_t offset) {
  run(draw_gumbel, (struct draw){.y = y, .seed = seed, .stream = stream, .offset = offset}, count);
}

void ck_random_mask(uint8_t *y, long count, float keep, uint64_t seed, uint64_t stream, uint64_t offset) {
  run(draw_mask, (struct draw){.y = y, .seed = seed, .stream = stream, .offset = offset, .keep = keep}, count);
}
