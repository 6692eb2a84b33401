// JPEG decoding with libjpeg; its fatal errors and its warnings become a status.

#include "image_codecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>
// jpeglib.h needs stdio.h before it
#include <jerror.h>
#include <jpeglib.h>

struct failure {
  struct jpeg_error_mgr base;  // first, so that `cinfo->err` is a `struct failure *`
  jmp_buf jump;
  ic_status status;
  ic_message *message;
  int ends_in_zero;  // the file's last byte is 0, not one that 0xFF has behind it in a scan
  int lacks_end;     // the file has ended before its end marker
};

struct scan_limit {
  struct jpeg_progress_mgr base;
  int max_scans;
};

static void leave(j_common_ptr cinfo, ic_status status) {
  struct failure *failure = (struct failure *)cinfo->err;
  if (failure->lacks_end && status == IC_DAMAGED) {  // by what libjpeg has set in place of the rest
    status = IC_TRUNCATED;
    cinfo->err->msg_code = JWRN_JPEG_EOF;
  }
  char text[JMSG_LENGTH_MAX];
  cinfo->err->format_message(cinfo, text);
  failure->status = status;
  snprintf(failure->message->message, sizeof failure->message->message, "%s", text);
  longjmp(failure->jump, 1);
}

static void on_error(j_common_ptr cinfo) {
  switch (cinfo->err->msg_code) {
    case JERR_INPUT_EMPTY:
    case JERR_INPUT_EOF:
      leave(cinfo, IC_TRUNCATED);
      break;
    case JERR_OUT_OF_MEMORY:
      leave(cinfo, IC_OUT_OF_MEMORY);
      break;
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_SOF_UNSUPPORTED:
    case JERR_COMPONENT_COUNT:
    case JERR_NOT_COMPILED:
    case JERR_ARITH_NOTIMPL:
      leave(cinfo, IC_UNSUPPORTED);
      break;
    default:
      leave(cinfo, IC_DAMAGED);
  }
}

// Whether all pixels are there after what libjpeg warns of. It goes on after each of these and
// invents grey pixels where it must, as Pillow does without a word; here an image is complete or an
// error. Warnings that are not listed lose pixels, such as a bad arithmetic code.
typedef enum { KEPT, LOST, NO_END, REPEATED_SCAN, EXTRA_BYTES } loss;
static const struct {
  int code;
  loss loss;
} warnings[] = {
    {JWRN_ADOBE_XFORM, KEPT},     // an unknown colour code: YCbCr or YCCK is assumed
    {JWRN_BOGUS_PROGRESSION, REPEATED_SCAN},
    {JWRN_EXTRANEOUS_DATA, EXTRA_BYTES},
    {JWRN_HIT_MARKER, LOST},      // a segment ends before its pixels do
    {JWRN_HUFF_BAD_CODE, LOST},   // a code that no table has: zero is taken
    {JWRN_JFIF_MAJOR, KEPT},      // an unknown version of JFIF
    {JWRN_JPEG_EOF, NO_END},      // the file ends before its end marker
    {JWRN_MUST_RESYNC, LOST},     // a restart marker is missing or another one
    // Ss, Se, Ah, Al of a sequential scan are not 0, 63, 0, 0 (Galaxy phones): nobody reads them
    {JWRN_NOT_SEQUENTIAL, KEPT},
};

// A scan of a progressive image that does not follow from those before. One that is sent again, or
// before that of the means, is taken as it is; one that refines bits which were not sent, or is
// coarser than what was, leaves wrong coefficients.
static loss of_scan(j_decompress_ptr cinfo) {
  const int *where = cinfo->err->msg_parm.i;  // component and coefficient
  int known = cinfo->coef_bits[where[0]][where[1]];
  return cinfo->Ah == 0 && (known < 0 || cinfo->Al <= known) ? KEPT : LOST;
}

// Bytes that belong to nothing. Between segments, and as padding before the end marker, they are
// passed over; elsewhere they are bits of a scan which made no pixels.
static loss of_bytes(j_decompress_ptr cinfo) {
  if (((struct failure *)cinfo->err)->lacks_end) return LOST;
  return cinfo->input_scan_number == 0 || cinfo->err->msg_parm.i[1] == 0xD9 ? KEPT : LOST;
}

// A file that stops, from where on libjpeg reads end markers. If it stops within a scan, the first
// bit that is missing is told of (JWRN_HIT_MARKER), but not if zeros fill it up, as an interrupted
// download leaves it, nor with arithmetic codes; whole scans are looked for when all are read.
static loss of_end(j_decompress_ptr cinfo) {
  struct failure *failure = (struct failure *)cinfo->err;
  failure->lacks_end = 1;
  return cinfo->input_scan_number == 0 || cinfo->arith_code || failure->ends_in_zero ? LOST : KEPT;
}

static void on_message(j_common_ptr cinfo, int level) {
  if (level >= 0) return;  // a trace, not a warning
  loss loss = LOST;
  for (size_t i = 0; i < sizeof warnings / sizeof *warnings; i++)
    if (warnings[i].code == cinfo->err->msg_code) loss = warnings[i].loss;
  if (loss == REPEATED_SCAN) loss = of_scan((j_decompress_ptr)cinfo);
  if (loss == EXTRA_BYTES) loss = of_bytes((j_decompress_ptr)cinfo);
  if (loss == NO_END) loss = of_end((j_decompress_ptr)cinfo);
  if (loss != KEPT) leave(cinfo, IC_DAMAGED);
}

static void on_output(j_common_ptr cinfo) { (void)cinfo; }

static void on_progress(j_common_ptr cinfo) {
  struct scan_limit *limit = (struct scan_limit *)cinfo->progress;
  if (((j_decompress_ptr)cinfo)->input_scan_number <= limit->max_scans) return;
  struct failure *failure = (struct failure *)cinfo->err;
  failure->status = IC_UNSUPPORTED;
  snprintf(failure->message->message, sizeof failure->message->message,
           "more than %d scans", limit->max_scans);
  longjmp(failure->jump, 1);
}

static void prepare(struct failure *failure, const uint8_t *bytes, size_t count,
                    ic_message *message) {
  jpeg_std_error(&failure->base);
  failure->base.error_exit = on_error;
  failure->base.emit_message = on_message;
  failure->base.output_message = on_output;
  failure->status = IC_OK;
  failure->message = message;
  failure->ends_in_zero = count > 1 && bytes[count - 1] == 0 && bytes[count - 2] != 0xFF;
  failure->lacks_end = 0;
}

ic_status ic_jpeg_header(const uint8_t *bytes, size_t count, ic_header *header,
                         ic_message *message) {
  struct jpeg_decompress_struct cinfo;
  struct failure failure;
  prepare(&failure, bytes, count, message);
  memset(&cinfo, 0, sizeof cinfo);  // so that destroy is safe if create fails
  cinfo.err = &failure.base;
  if (setjmp(failure.jump)) {
    jpeg_destroy_decompress(&cinfo);
    return failure.status;
  }
  jpeg_create_decompress(&cinfo);
  jpeg_mem_src(&cinfo, bytes, count);
  jpeg_read_header(&cinfo, TRUE);
  header->width = cinfo.image_width;
  header->height = cinfo.image_height;
  header->components = cinfo.num_components;
  header->bit_depth = cinfo.data_precision;
  header->color_type = 0;
  jpeg_destroy_decompress(&cinfo);
  return IC_OK;
}

// a · b / 255 rounded, as Pillow computes it.
static inline unsigned scaled(unsigned a, unsigned b) {
  unsigned product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

// Inverted CMYK to RGB: the stored k is the light that black ink leaves.
static void rgb_from_inverted_cmyk(const uint8_t *cmyk, uint8_t *rgb, size_t width) {
  for (size_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
    unsigned light = cmyk[3];
    for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)(light - scaled(255u - cmyk[c], light));
  }
}

// Whether a scan of several had the means of a component's blocks; the only one has those of all.
static int has_means(j_decompress_ptr cinfo, int component) {
  if (cinfo->progressive_mode) return cinfo->coef_bits[component][0] >= 0;
  return !jpeg_has_multiple_scans(cinfo) || cinfo->comp_info[component].quant_table;
}

// Whether the scans of a progressive image had all bits of all coefficients.
static int is_refined(j_decompress_ptr cinfo) {
  for (int c = 0; c < cinfo->num_components; c++)
    for (int k = 0; k < DCTSIZE2; k++)
      if (cinfo->coef_bits[c][k] != 0) return 0;
  return 1;
}

// Whether a part can be decoded with the bits that it has in the whole image. Of a progressive image
// that lacks scans libjpeg smooths the blocks, by their neighbours, and differently at a part's edge.
// Of chroma that is subsampled by more than 2, which is rare, it loses count of the rows at times.
static int can_skip(j_decompress_ptr cinfo) {
#ifdef LIBJPEG_TURBO_VERSION_NUMBER
  if (cinfo->max_h_samp_factor > 2 || cinfo->max_v_samp_factor > 2) return 0;
  return !cinfo->progressive_mode || is_refined(cinfo);
#else
  (void)cinfo;
  return 0;
#endif
}

// Columns beside a part that are decoded too: smooth upsampling makes two pixels of a chroma sample
// and its neighbour, and has another rule at the edge.
#define MARGIN 4

// Leaves columns out of the rows that follow; `*left` becomes the column with which they begin.
static void crop(j_decompress_ptr cinfo, const ic_part *part, JDIMENSION *left) {
#ifdef LIBJPEG_TURBO_VERSION_NUMBER
  JDIMENSION right = cinfo->output_width - part->x - part->width < MARGIN
                         ? cinfo->output_width
                         : part->x + part->width + MARGIN;
  *left = part->x < MARGIN ? 0 : part->x - MARGIN;
  JDIMENSION width = right - *left;
  jpeg_crop_scanline(cinfo, left, &width);
#endif
}

static void read_row(j_decompress_ptr cinfo, uint8_t *row) {
  if (jpeg_read_scanlines(cinfo, &row, 1) == 1) return;
  struct failure *failure = (struct failure *)cinfo->err;
  failure->status = IC_DAMAGED;
  snprintf(failure->message->message, sizeof failure->message->message, "no row %u",
           cinfo->output_scanline);
  longjmp(failure->jump, 1);
}

// Goes on to row `y`. Its scans are read all the same, with every complaint.
static void pass_rows(j_decompress_ptr cinfo, JDIMENSION y, int may_skip, uint8_t *row) {
#ifdef LIBJPEG_TURBO_VERSION_NUMBER
  // From the beginning of rows of blocks, 16 pixels or less; not to the end, for then what is behind
  // the last row that was asked for would never be read.
  while (may_skip && cinfo->output_scanline < y && cinfo->output_scanline % 16 != 0) {
    read_row(cinfo, row);
  }
  if (may_skip && cinfo->output_scanline < y) jpeg_skip_scanlines(cinfo, y - cinfo->output_scanline);
#endif
  while (cinfo->output_scanline < y) read_row(cinfo, row);
}

ic_status ic_jpeg_decode(const uint8_t *bytes, size_t count, const ic_header *header, int max_scans,
                         int reduction, const ic_part *part, uint8_t *pixels, ic_message *message) {
  struct jpeg_decompress_struct cinfo;
  struct failure failure;
  struct scan_limit limit = {.base = {.progress_monitor = on_progress}, .max_scans = max_scans};
  prepare(&failure, bytes, count, message);
  memset(&cinfo, 0, sizeof cinfo);
  cinfo.err = &failure.base;
  if (setjmp(failure.jump)) {
    jpeg_destroy_decompress(&cinfo);
    return failure.status;
  }
  jpeg_create_decompress(&cinfo);
  cinfo.progress = &limit.base;
  jpeg_mem_src(&cinfo, bytes, count);
  jpeg_read_header(&cinfo, TRUE);
  int four = cinfo.num_components == 4;
  if (cinfo.image_width != header->width || cinfo.image_height != header->height ||
      (cinfo.num_components != 1 && cinfo.num_components != 3 && !four)) {
    jpeg_destroy_decompress(&cinfo);
    snprintf(message->message, sizeof message->message, "%d colour components",
             header->components);
    return IC_UNSUPPORTED;
  }
  cinfo.out_color_space = four ? JCS_CMYK : JCS_RGB;
  cinfo.dct_method = JDCT_ISLOW;
  cinfo.do_fancy_upsampling = TRUE;
  cinfo.scale_num = 1;
  cinfo.scale_denom = (unsigned)reduction;
  jpeg_start_decompress(&cinfo);
  for (int c = 0; c < cinfo.num_components; c++) {
    if (has_means(&cinfo, c)) continue;
    jpeg_destroy_decompress(&cinfo);
    snprintf(message->message, sizeof message->message, "no scan of the means of component %d", c);
    return failure.lacks_end ? IC_TRUNCATED : IC_DAMAGED;
  }
  // More scans may be missing than the last one.
  if (failure.lacks_end && cinfo.progressive_mode && !is_refined(&cinfo))
    leave((j_common_ptr)&cinfo, IC_DAMAGED);

  size_t samples = four ? 4 : 3, width = part->width;
  // Not where vectors are aligned: there libjpeg writes past the caches, and reading it costs more.
  JSAMPROW row = cinfo.mem->alloc_sarray((j_common_ptr)&cinfo, JPOOL_IMAGE,
                                         cinfo.output_width * (JDIMENSION)samples + 1, 1)[0] + 1;
  JDIMENSION height = cinfo.output_height, left = 0;
  int may_skip = can_skip(&cinfo);
  if (may_skip && width < cinfo.output_width) crop(&cinfo, part, &left);
  pass_rows(&cinfo, part->y, may_skip, row);
  for (uint32_t y = 0; y < part->height; y++, pixels += width * 3) {
    const uint8_t *wanted = row + (part->x - left) * samples;
    read_row(&cinfo, row);
    if (four) {
      rgb_from_inverted_cmyk(wanted, pixels, width);
    } else {
      memcpy(pixels, wanted, width * 3);
    }
  }
  if (cinfo.output_scanline < height) pass_rows(&cinfo, height - 1, may_skip, row);
  while (cinfo.output_scanline < height) read_row(&cinfo, row);
  jpeg_finish_decompress(&cinfo);
  jpeg_destroy_decompress(&cinfo);
  return IC_OK;
}
