// Masks of images as bits, and their making from COCO's outlines, bit for bit as pycocotools makes them.
//
// A mask of `height` x `width` pixels is column-major: pixel (row, column) is bit column·height + row, lowest bit first. It has
// ca_mask_words words; bits past the last pixel are 0. Nothing is allocated here.
#pragma once
#include <stdint.h>

typedef struct ca_mask_size {
  long height, width;
} ca_mask_size;

typedef enum ca_mask_status {
  CA_MASK_OK,
  CA_MASK_TOO_LONG,      // the outline is longer than ca_longest_outline
  CA_MASK_SUM,           // the runs do not sum to height·width; *at is the sum so far
  CA_MASK_CHARACTER,     // character *at is none of the format
  CA_MASK_UNTERMINATED,  // the text ends inside a count
  CA_MASK_LONG_COUNT,    // count *at has more than six characters
} ca_mask_status;

// Words of a mask, one more than its pixels fill at most.
static inline long ca_mask_words(ca_mask_size size) { return size.height * size.width / 64 + 1; }

// Most pixels that one outline may run along, which takes about a second.
enum { ca_longest_outline = 100000000 };

// Adds the inside of a closed polygon. Inside is what an odd number of its edges lies left of.
//   xy: x, y of each of `points` corners, pixels, |v| <= 1e6
//   scratch: as many words as the mask, all zero, and zero again afterwards
//   steps: work done so far, shared by the polygons of an outline; in fifths of a pixel
ca_mask_status ca_mask_add_polygon(
    uint64_t *mask, ca_mask_size size, const double *xy, long points, uint64_t *scratch, long *steps);

// Sets the pixels of runs: so many 0, so many 1, so many 0, … column by column. The mask must be all zero.
ca_mask_status ca_mask_set_counts(uint64_t *mask, ca_mask_size size, const int64_t *counts, long n, int64_t *at);

// The same from COCO's compressed text: five bits a character from '0' on, 32 for more to come; from the fourth count on the
// difference to the count two before.
ca_mask_status ca_mask_set_compressed(uint64_t *mask, ca_mask_size size, const char *text, long n, int64_t *at);

// Pixels of a mask.
long ca_mask_area(const uint64_t *mask, ca_mask_size size);

// The runs of a mask, the first one of 0. Returns how many there are; writes at most `room` of them.
long ca_mask_runs(const uint64_t *mask, ca_mask_size size, uint32_t *runs, long room);

// Writes `label` to the mask's pixels of a column-major map [width, height].
void ca_mask_paint(const uint64_t *mask, ca_mask_size size, uint8_t label, uint8_t *map);

// Turns a column-major map [width, height] into rows [height, width].
void ca_transpose(const uint8_t *columns, ca_mask_size size, uint8_t *rows);
