// The whole C surface of the image module: libjpeg and libpng behind functions that return a
// status (their error handlers longjmp, which must never cross a Swift frame), and the resize loops.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  IC_OK = 0,
  IC_TRUNCATED,      // the bytes end before the image does
  IC_DAMAGED,        // the bytes contradict the format
  IC_UNSUPPORTED,    // valid, but a form that we do not read
  IC_OUT_OF_MEMORY,  // the codec could not allocate
} ic_status;

// What the codec said, a sentence without the file's name.
typedef struct {
  char message[200];
} ic_message;

typedef struct {
  uint32_t width, height;  // pixels
  int components;          // JPEG: 1, 3 or 4; PNG: channels as stored (palette: 1)
  int bit_depth;           // bits per component as stored
  int color_type;          // PNG colour type 0, 2, 3, 4 or 6; 0 for JPEG
} ic_header;

// Reads the header of a JPEG; decodes and allocates no pixels.
ic_status ic_jpeg_header(const uint8_t *bytes, size_t count, ic_header *header, ic_message *message);

// A part of an image, pixels.
typedef struct {
  uint32_t x, y, width, height;
} ic_part;

// Decodes a part of a JPEG to RGB8 [part->height, part->width, 3], with the bits that it has in the
// whole image; `header` is the one that `ic_jpeg_header` returned. Accurate integer DCT, smooth
// upsampling; CMYK and YCCK are taken as inverted, as Adobe writes them. Any warning that means lost
// pixels is a failure, wherever they are. An image of more than `max_scans` scans is refused.
// With a `reduction` of 2, 4 or 8 the image is that much smaller, its sides rounded up, by a smaller
// DCT; `part` is one of that image.
ic_status ic_jpeg_decode(const uint8_t *bytes, size_t count, const ic_header *header, int max_scans,
                         int reduction, const ic_part *part, uint8_t *pixels, ic_message *message);

// Reads the 33 bytes of signature and IHDR; checks nothing but their form.
ic_status ic_png_header(const uint8_t *bytes, size_t count, ic_header *header, ic_message *message);

// Decodes a PNG to RGB8 [height, width, 3]: alpha and gamma ignored, high byte of 16-bit samples.
ic_status ic_png_decode_rgb(const uint8_t *bytes, size_t count, const ic_header *header,
                            uint8_t *pixels, ic_message *message);

// Decodes a grey or palette PNG of at most 8 bits to its stored values [height, width]: palette
// indices stay indices, low-depth grey is not scaled.
ic_status ic_png_decode_indices(const uint8_t *bytes, size_t count, const ic_header *header,
                                uint8_t *values, ic_message *message);

// Decodes a PNG to its samples as they are stored, [height, width, components]: bytes, or of 16 bits two bytes each, the
// high one first. Palettes and samples of less than 8 bits are refused.
ic_status ic_png_decode_stored(const uint8_t *bytes, size_t count, const ic_header *header,
                               uint8_t *samples, ic_message *message);

// Expands zlib's data, of a text chunk. Returns the length, 0 where the data is damaged or does not
// fit into `room` bytes.
size_t ic_inflate(const uint8_t *bytes, size_t count, uint8_t *into, size_t room);

// Encodes [height, width, channels] with channels 1 (grey) or 3 (RGB) as PNG; samples have
// `bit_depth` 8 or 16, of 16 bits two bytes each, the high one first. `level` is zlib's, 0...9.
// On IC_OK, `*bytes` is malloc'd and the caller's to free.
ic_status ic_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels,
                        int bit_depth, int level, uint8_t **bytes, size_t *count,
                        ic_message *message);

// Fixed-point bits of a resampling weight: 8 for the pixel and 2 for overshoot leave 22 of 32.
#define IC_WEIGHT_BITS 22

// Resamples along a row. `src` [rows, src_width, 3], `dst` [rows, dst_width, 3]; output column x is
// the sum over t < counts[x] of src column starts[x] + t times weights[x * taps + t], rounded.
// `taps` is a multiple of 4, the weights from counts[x] on are zero.
void ic_resample_columns(const uint8_t *src, size_t src_width, size_t rows, uint8_t *dst,
                         size_t dst_width, const int32_t *starts, const int32_t *counts,
                         const int32_t *weights, size_t taps);

// Resamples across rows. `src` [src_height, row_bytes], `dst` [dst_height, row_bytes]; weights as
// above, per output row.
void ic_resample_rows(const uint8_t *src, size_t row_bytes, uint8_t *dst, size_t dst_height,
                      const int32_t *starts, const int32_t *counts, const int32_t *weights,
                      size_t taps);

// The same without products of bytes (AVX-512 VNNI), which the two above use where the processor has
// them; the bits are equal.
void ic_resample_columns_plain(const uint8_t *src, size_t src_width, size_t rows, uint8_t *dst,
                               size_t dst_width, const int32_t *starts, const int32_t *counts,
                               const int32_t *weights, size_t taps);
void ic_resample_rows_plain(const uint8_t *src, size_t row_bytes, uint8_t *dst, size_t dst_height,
                            const int32_t *starts, const int32_t *counts, const int32_t *weights,
                            size_t taps);

// ---- planes.c ----

// One channel of RGB pixels at `columns` columns, [height, columns]: column x sums counts[x] pixels from starts[x] on with
// weights[x * taps ...].
void ic_plane_columns(const uint8_t *pixels, size_t width, size_t height, size_t channel, float *to, size_t columns,
                      const int32_t *starts, const int32_t *counts, const double *weights, size_t taps);
// The same of the rows of a plane, cut to 0 ... 255.
void ic_plane_rows(const float *from, size_t columns, float *to, size_t rows, const int32_t *starts,
                   const int32_t *counts, const double *weights, size_t taps);

#ifdef __cplusplus
}
#endif
