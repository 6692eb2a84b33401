// Wide vectors without compiler flags: clones of a kernel for each instruction set, and the arithmetic that the
// vectoriser may reorder.
#pragma once

// Mach-O has no loader that picks: an Intel Mac's build is for one instruction set (-Xcc -march=x86-64-v3).
#if defined(__APPLE__) && !defined(CK_ONE_CLONE)
#define CK_ONE_CLONE
#endif

// The kernel is compiled for AVX-512, AVX2 and SSE2; the loader picks one. (Clang 21 crashes when a struct has the
// name of such a function.)
#if defined(__x86_64__) && !defined(CK_ONE_CLONE)
#define CK_WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CK_WIDE
#endif
// A helper of such a kernel, compiled anew in every clone.
#define CK_INLINE static inline __attribute__((always_inline))
// First line of a kernel's body: multiply-add may fuse and sums may be reordered to fill the lanes.
#define CK_FAST _Pragma("clang fp contract(fast) reassociate(on)")
// Before a loop whose arrays are the same or do not overlap at all, so that every index stands alone.
#define CK_INDEPENDENT _Pragma("clang loop vectorize(assume_safety) interleave(enable)")

CK_INLINE long ck_minimum(long a, long b) { return a < b ? a : b; }
CK_INLINE long ck_maximum(long a, long b) { return a > b ? a : b; }
// Chunks of `size` that cover `count`.
CK_INLINE long ck_chunks(long count, long size) { return (count + size - 1) / size; }

// Whether CK_WIDE's kernels run with 32 registers of 512 bits here.
CK_INLINE int ck_has_wide_registers(void) {
#if defined(__x86_64__) && !defined(CK_ONE_CLONE)
  return __builtin_cpu_supports("x86-64-v4");
#elif defined(__AVX512F__)
  return 1;
#else
  return 0;
#endif
}
