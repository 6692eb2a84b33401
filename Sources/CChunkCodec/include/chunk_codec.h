// Compression of shard chunks in the zlib format (RFC 1950), the one of HDF5's deflate filter, by libdeflate where it is
// built in and by zlib otherwise; the two give different bytes of the same meaning. And the checksums of chunks.
#pragma once

#include <stdint.h>

// The strongest level that has an effect of its own: 12 with libdeflate, 9 with zlib. The weakest is 1.
int chunk_codec_strongest_level(void);

// A compressor of one level; used by one thread at a time. Levels past the strongest mean the strongest.
typedef struct chunk_deflater chunk_deflater;
chunk_deflater *chunk_deflater_create(int level);  // NULL without memory
void chunk_deflater_free(chunk_deflater *deflater);

// Compresses `count` bytes into `out`. Returns the size, or 0 when it would exceed `capacity`.
long chunk_deflate(chunk_deflater *deflater, const void *bytes, long count, void *out, long capacity);

// Expands `count` bytes into exactly `expected` bytes. Returns 1, or 0 when the input is damaged (its Adler-32 included) or
// gives another size.
int chunk_inflate(const void *bytes, long count, void *out, long expected);

// The CRC-32 (IEEE 802.3) of `count` bytes that follow on bytes of CRC `previous`; 0 to start.
uint32_t chunk_crc32(uint32_t previous, const void *bytes, long count);

// CRC-32C (Castagnoli) of bytes; pass the last result to continue, 0 to start. crc32c("123456789") = 0xE3069283.
uint32_t chunk_crc32c(uint32_t previous, const void *bytes, long count);
