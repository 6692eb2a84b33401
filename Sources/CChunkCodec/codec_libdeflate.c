// The codec by libdeflate; see chunk_codec.h.
#ifdef HAS_LIBDEFLATE
#include <libdeflate.h>
#include <stdlib.h>

#include "chunk_codec.h"

struct chunk_deflater {
  struct libdeflate_compressor *compressor;
};

int chunk_codec_strongest_level(void) { return 12; }

chunk_deflater *chunk_deflater_create(int level) {
  chunk_deflater *deflater = malloc(sizeof *deflater);
  if (!deflater) return NULL;
  deflater->compressor = libdeflate_alloc_compressor(level > 12 ? 12 : level);
  if (deflater->compressor) return deflater;
  free(deflater);
  return NULL;
}

void chunk_deflater_free(chunk_deflater *deflater) {
  libdeflate_free_compressor(deflater->compressor);
  free(deflater);
}

long chunk_deflate(chunk_deflater *deflater, const void *bytes, long count, void *out, long capacity) {
  return (long)libdeflate_zlib_compress(deflater->compressor, bytes, (size_t)count, out, (size_t)capacity);
}

int chunk_inflate(const void *bytes, long count, void *out, long expected) {
  struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
  if (!decompressor) return 0;
  // Without a position for the real size, any other size than the expected one is an error.
  enum libdeflate_result result =
      libdeflate_zlib_decompress(decompressor, bytes, (size_t)count, out, (size_t)expected, NULL);
  libdeflate_free_decompressor(decompressor);
  return result == LIBDEFLATE_SUCCESS;
}

uint32_t chunk_crc32(uint32_t previous, const void *bytes, long count) {
  return libdeflate_crc32(previous, bytes, (size_t)count);
}
#endif
