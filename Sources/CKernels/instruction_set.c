// Which of CK_WIDE's clones run here.
#include "micro_product.h"

const char *ck_instruction_set(void) {
#if defined(__x86_64__) && !defined(CK_ONE_CLONE)
  return __builtin_cpu_supports("x86-64-v4") ? "AVX-512" : __builtin_cpu_supports("x86-64-v3") ? "AVX2" : "SSE2";
#elif defined(__AVX512F__)
  return "AVX-512";
#elif defined(__AVX2__)
  return "AVX2";
#elif defined(__x86_64__)
  return "SSE2";
#elif defined(__aarch64__)
  return "NEON";
#else
  return "portable";
#endif
}

void ck_tile_size(long *rows, long *vectors) {
  const struct ck_register_tile tile = ck_register_tile();
  *rows = tile.rows, *vectors = tile.vectors;
}
