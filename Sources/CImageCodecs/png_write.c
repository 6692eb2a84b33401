// PNG encoding with libpng into memory.

#include "image_codecs.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct writer {
  uint8_t *bytes;
  size_t count, capacity;
  ic_message *message;
};

static void on_error(png_structp png, png_const_charp text) {
  struct writer *writer = png_get_error_ptr(png);
  snprintf(writer->message->message, sizeof writer->message->message, "%s", text);
  longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void on_write(png_structp png, png_bytep from, size_t added) {
  struct writer *writer = png_get_io_ptr(png);
  if (added > writer->capacity - writer->count) {
    size_t capacity = (writer->count + added) * 2;
    uint8_t *grown = realloc(writer->bytes, capacity);
    if (grown == NULL) png_error(png, "out of memory");
    writer->bytes = grown;
    writer->capacity = capacity;
  }
  memcpy(writer->bytes + writer->count, from, added);
  writer->count += added;
}

static void on_flush(png_structp png) { (void)png; }

ic_status ic_png_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int channels,
                        int bit_depth, int level, uint8_t **bytes, size_t *count,
                        ic_message *message) {
  struct writer writer = {NULL, 0, 0, message};
  png_structp png =
      png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, on_error, on_warning);
  if (png == NULL) {
    snprintf(message->message, sizeof message->message, "libpng could not start");
    return IC_OUT_OF_MEMORY;
  }
  png_infop volatile info = NULL;
  if (setjmp(png_jmpbuf(png))) {
    png_infop created = info;
    png_destroy_write_struct(&png, &created);
    free(writer.bytes);
    return IC_OUT_OF_MEMORY;
  }
  info = png_create_info_struct(png);
  if (info == NULL) png_error(png, "out of memory");
  png_set_write_fn(png, &writer, on_write, on_flush);
  png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // the default is a million a side
  png_set_IHDR(png, info, width, height, bit_depth,
               channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(png, level);
  png_write_info(png, info);
  size_t row_bytes = width * (size_t)channels * (size_t)(bit_depth / 8);
  for (size_t y = 0; y < height; y++) {
    png_write_row(png, pixels + y * row_bytes);
  }
  png_write_end(png, info);
  png_infop created = info;
  png_destroy_write_struct(&png, &created);
  *bytes = writer.bytes;
  *count = writer.count;
  return IC_OK;
}
