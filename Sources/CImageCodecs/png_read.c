// PNG decoding with libpng; its fatal errors become a status.

#include "image_codecs.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

struct reader {
  const uint8_t *bytes;
  size_t count, position;
  size_t more;  // bytes of an end chunk that are read behind them
  int is_cut;   // whether the file ends there, without one of its own
  ic_status status;
  ic_message *message;
};

static void say(ic_message *message, const char *text) {
  snprintf(message->message, sizeof message->message, "%s", text);
}

static void on_error(png_structp png, png_const_charp text) {
  struct reader *reader = png_get_error_ptr(png);
  if (reader->status == IC_OK && reader->is_cut && reader->position > reader->count) {
    reader->status = IC_TRUNCATED;
    say(reader->message, "the file ends inside the image");
  } else if (reader->status == IC_OK) {
    reader->status = strstr(text, "ut of memory") ? IC_OUT_OF_MEMORY : IC_DAMAGED;
    say(reader->message, text);
  }
  longjmp(png_jmpbuf(png), 1);
}

// Whether all pixels are there after what libpng warns of, by the beginning of its words; after all
// else it stops by itself. The first line that fits decides. Ancillary chunks are not read, so that
// their warnings are no matter.
static const struct {
  const char *text;
  int loses_pixels;
} warnings[] = {
    {"IDAT: Extra compressed data", 0},  // bytes behind the compressed rows and their checksum
    {"IDAT: Too much image data", 0},    // rows behind the last one
    {"IDAT: ", 1},  // zlib's words, such as "incorrect data check": the rows' checksum is wrong
    {"PLTE: ", 0},  // a palette that no pixel needs, in a grey or colour image
    // A number without a colour: black, as Pillow takes it; in a map it stays what it is.
    {"Read palette index", 0},
};

static void on_warning(png_structp png, png_const_charp text) {
  for (size_t i = 0; i < sizeof warnings / sizeof *warnings; i++) {
    if (strncmp(text, warnings[i].text, strlen(warnings[i].text)) != 0) continue;
    if (warnings[i].loses_pixels) png_error(png, text);
    return;
  }
}

static void on_read(png_structp png, png_bytep into, size_t wanted) {
  static const uint8_t end[12] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82};
  struct reader *reader = png_get_io_ptr(png);
  size_t begin = reader->position, behind = begin - reader->count;
  if (begin < reader->count && wanted <= reader->count - begin) {
    memcpy(into, reader->bytes + begin, wanted);
  } else if (begin >= reader->count && behind < reader->more && wanted <= reader->more - behind) {
    memcpy(into, end + behind, wanted);
  } else {
    reader->status = IC_TRUNCATED;
    say(reader->message, "the file ends inside the image");
    png_error(png, "truncated");
  }
  reader->position += wanted;
}

static uint32_t big_endian(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

ic_status ic_png_header(const uint8_t *bytes, size_t count, ic_header *header,
                        ic_message *message) {
  // 8 signature, 4 length, 4 "IHDR", 13 fields, 4 CRC
  if (count < 33) {
    say(message, "the file ends inside its header");
    return IC_TRUNCATED;
  }
  if (big_endian(bytes + 8) != 13 || memcmp(bytes + 12, "IHDR", 4) != 0) {
    say(message, "the first chunk is not IHDR");
    return IC_DAMAGED;
  }
  static const int channels[7] = {1, 0, 3, 1, 2, 0, 4};  // by colour type, 0 where undefined
  int type = bytes[25];
  header->width = big_endian(bytes + 16);
  header->height = big_endian(bytes + 20);
  header->bit_depth = bytes[24];
  header->color_type = type;
  header->components = type < 7 ? channels[type] : 0;
  if (header->components == 0) {
    snprintf(message->message, sizeof message->message, "colour type %d", type);
    return IC_DAMAGED;
  }
  return IC_OK;
}

// Where the last of the chunks of pixels ends. What follows says nothing of them: IEND may be
// missing or damaged. 0 where there is none, or where the file ends inside one.
static size_t end_of_pixels(const uint8_t *bytes, size_t count) {
  size_t at = 8, any = 0;
  while (count - at >= 12) {
    size_t length = big_endian(bytes + at);
    int has_pixels = memcmp(bytes + at + 4, "IDAT", 4) == 0;
    if ((any && !has_pixels) || memcmp(bytes + at + 4, "IEND", 4) == 0) break;
    if (length > count - at - 12) return 0;
    at += length + 12;
    any |= (size_t)has_pixels;
  }
  return any ? at : 0;
}

// Sets up a reader after the header chunks, with `transform` applied; rows of `row_bytes` follow.
static ic_status decode(const uint8_t *bytes, size_t count, const ic_header *header,
                        void (*transform)(png_structp), size_t row_bytes, uint8_t *rows,
                        ic_message *message) {
  size_t end = end_of_pixels(bytes, count);
  struct reader reader = {bytes, count, 0, 0, 0, IC_OK, message};
  if (end > 0) {
    reader.count = end;
    reader.more = 12;
    reader.is_cut = count - end < 12;
  }
  png_structp png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
  if (png == NULL) {
    say(message, "libpng could not start");
    return IC_OUT_OF_MEMORY;
  }
  png_infop volatile info = NULL;
  if (setjmp(png_jmpbuf(png))) {
    png_infop created = info;
    png_destroy_read_struct(&png, &created, NULL);
    return reader.status;
  }
  info = png_create_info_struct(png);
  if (info == NULL) png_error(png, "out of memory");
  png_set_read_fn(png, &reader, on_read);
  // Its benign errors, such as a wrong checksum of the pixels, come as warnings.
  png_set_benign_errors(png, 1);
  // No text, profile or gamma is unpacked, transparency is dropped: nothing but IHDR, PLTE and IDAT
  // matters here.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, (png_const_bytep) "tRNS", 1);
  // Some encoders claim a smaller window of zlib than they use.
  png_set_option(png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
  png_set_user_limits(png, header->width, header->height);
  png_read_info(png, info);
  if (png_get_image_width(png, info) != header->width ||
      png_get_image_height(png, info) != header->height) {
    png_error(png, "two headers of different sizes");
  }
  // From the first IDAT on: over the pixels themselves there is zlib's checksum.
  png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_NO_CHANGE);
  transform(png);
  int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != row_bytes) {
    reader.status = IC_UNSUPPORTED;
    say(message, "an unexpected pixel layout");
    png_error(png, "layout");
  }
  for (int pass = 0; pass < passes; pass++) {
    for (size_t y = 0; y < header->height; y++) png_read_row(png, rows + y * row_bytes, NULL);
  }
  png_read_end(png, NULL);
  png_infop created = info;
  png_destroy_read_struct(&png, &created, NULL);
  return IC_OK;
}

static void to_rgb8(png_structp png) {
  png_set_palette_to_rgb(png);
  png_set_expand_gray_1_2_4_to_8(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  png_set_gray_to_rgb(png);
}

static void to_bytes(png_structp png) { png_set_packing(png); }

static void as_stored(png_structp png) { (void)png; }

ic_status ic_png_decode_rgb(const uint8_t *bytes, size_t count, const ic_header *header,
                            uint8_t *pixels, ic_message *message) {
  return decode(bytes, count, header, to_rgb8, (size_t)header->width * 3, pixels, message);
}

ic_status ic_png_decode_indices(const uint8_t *bytes, size_t count, const ic_header *header,
                                uint8_t *values, ic_message *message) {
  if (header->components != 1 || header->bit_depth > 8) {
    say(message, "not one channel of at most 8 bits");
    return IC_UNSUPPORTED;
  }
  return decode(bytes, count, header, to_bytes, header->width, values, message);
}

ic_status ic_png_decode_stored(const uint8_t *bytes, size_t count, const ic_header *header,
                               uint8_t *samples, ic_message *message) {
  if (header->color_type == PNG_COLOR_TYPE_PALETTE || header->bit_depth < 8) {
    say(message, "not samples of 8 or 16 bits");
    return IC_UNSUPPORTED;
  }
  size_t sample_bytes = (size_t)header->bit_depth / 8;
  return decode(bytes, count, header, as_stored, header->width * header->components * sample_bytes,
                samples, message);
}

size_t ic_inflate(const uint8_t *bytes, size_t count, uint8_t *into, size_t room) {
  uLongf length = (uLongf)room;
  return uncompress(into, &length, bytes, (uLong)count) == Z_OK ? (size_t)length : 0;
}
