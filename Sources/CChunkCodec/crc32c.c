// CRC-32C: the processor's instruction, or a table of half-bytes.
#include <string.h>

#include "chunk_codec.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Both take and return the register, that is the complement of the checksum.
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *bytes,
                                                                 long count) {
  uint64_t wide = crc;
  for (; count >= 8; bytes += 8, count -= 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  crc = (uint32_t)wide;
  for (; count > 0; bytes++, count--) crc = _mm_crc32_u8(crc, *bytes);
  return crc;
}
#endif

static uint32_t by_table(uint32_t crc, const uint8_t *bytes, long count) {
  // Remainders of the sixteen half-bytes, polynomial 0x82F63B78 (bits reversed).
  static const uint32_t table[16] = {0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3,
                                     0x61C69362, 0x7198540D, 0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9,
                                     0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75};
  for (; count > 0; bytes++, count--) {
    crc = crc >> 4 ^ table[(crc ^ *bytes) & 15];
    crc = crc >> 4 ^ table[(crc ^ (uint32_t)(*bytes >> 4)) & 15];
  }
  return crc;
}

uint32_t chunk_crc32c(uint32_t crc, const void *bytes, long count) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ~by_instruction(~crc, bytes, count);
#endif
  return ~by_table(~crc, bytes, count);
}
