// The codec by zlib; see chunk_codec.h.
#ifndef HAS_LIBDEFLATE
#include <stdlib.h>
#include <zlib.h>

#include "chunk_codec.h"

struct chunk_deflater {
  int level;
};

int chunk_codec_strongest_level(void) { return 9; }

chunk_deflater *chunk_deflater_create(int level) {
  chunk_deflater *deflater = malloc(sizeof *deflater);
  if (deflater) deflater->level = level > 9 ? 9 : level;
  return deflater;
}

void chunk_deflater_free(chunk_deflater *deflater) { free(deflater); }

long chunk_deflate(chunk_deflater *deflater, const void *bytes, long count, void *out, long capacity) {
  uLongf size = (uLongf)capacity;
  return compress2(out, &size, bytes, (uLong)count, deflater->level) == Z_OK ? (long)size : 0;
}

int chunk_inflate(const void *bytes, long count, void *out, long expected) {
  uLongf size = (uLongf)expected;
  return uncompress(out, &size, bytes, (uLong)count) == Z_OK && size == (uLongf)expected;
}

uint32_t chunk_crc32(uint32_t previous, const void *bytes, long count) {
  return (uint32_t)crc32_z(previous, bytes, (z_size_t)count);
}
#endif
