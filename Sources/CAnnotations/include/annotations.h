// COCO's annotation files as records, and their outlines as numbers. Built on json_events.h.
#pragma once
#include "json_events.h"

typedef enum ca_section { CA_IMAGE, CA_CATEGORY, CA_ANNOTATION } ca_section;

// Fields that are read; all others are passed over.
typedef enum ca_field {
  CA_ID, CA_IMAGE_ID, CA_CATEGORY_ID, CA_WIDTH, CA_HEIGHT,  // integers, also written 1.0 or "1"
  CA_ISCROWD,                                               // 0, 1, "0", "1", false or true
  CA_AREA, CA_BBOX,                                         // finite numbers; a list of four of them
  CA_FILE_NAME, CA_NAME, CA_SUPERCATEGORY, CA_CAPTION,      // texts
  CA_SEGMENTATION,                                          // a list or an object, passed over
  CA_FIELDS,
} ca_field;

typedef struct ca_text {
  const char *bytes;  // UTF-8
  long count;
} ca_text;

// One record of images, categories or annotations. `null` counts as absent.
typedef struct ca_record {
  ca_section section;
  int64_t begin;     // where it begins in the file
  int is_object;     // 0: `found` says what it is instead
  unsigned seen;     // bit i: field i is there and of its type; an annotation's id of another type counts as absent
  int repeated;      // the first field that is there more than once, or -1
  int wrong;         // the first field that is of another type, or -1
  int64_t id, image_id, category_id, width, height;
  int is_crowd;
  double area, box[4];  // x, y, width, height
  ca_text file_name, name, supercategory, caption;
  int64_t segmentation_begin, segmentation_end;  // bytes of the file
  char found[48];  // the value of another type, cut to fit
} ca_record;

// Takes a record, valid during the call. Returns 1 to go on, 0 to stop.
typedef int ca_handler(void *context, const ca_record *record);

typedef enum ca_outcome {
  CA_OK,
  CA_STOPPED,           // by the handler
  CA_NOT_JSON,          // `found` is the parser's sentence
  CA_WRONG_SHAPE,       // `found` stands where `expected` should
  CA_REPEATED_SECTION,  // `found` is its name
  CA_NO_MEMORY,
} ca_outcome;

typedef struct ca_failure {
  int64_t byte;
  char found[160];
  const char *expected;
} ca_failure;

typedef struct ca_reader ca_reader;
ca_reader *ca_reader_create(ca_handler *handler, void *context);  // NULL without memory
void ca_reader_free(ca_reader *reader);

// As je_parse.
long ca_read(ca_reader *reader, char *bytes, size_t count, int last);

// Why ca_read returned -1.
ca_outcome ca_reader_outcome(const ca_reader *reader, ca_failure *failure);

// Whether the file has had a section.
int ca_reader_has(const ca_reader *reader, ca_section section);

// Escapes that were read as U+FFFD.
long ca_reader_mended(const ca_reader *reader);

typedef enum ca_form { CA_NOTHING, CA_POLYGONS, CA_COUNTS, CA_COMPRESSED } ca_form;

typedef enum ca_outline_status {
  CA_OUTLINE_OK,
  CA_OUTLINE_SHAPE,       // `found` is neither a list of lists nor an object with counts and size
  CA_OUTLINE_COUNT,       // `found` as count `index` is no integer from 0 on
  CA_OUTLINE_MEMORY,
} ca_outline_status;

// What a segmentation says. Its memory is kept from one to the next.
typedef struct ca_outline {
  ca_form form;
  double *numbers;  // of polygons: x, y, x, y, …
  long number_count;
  long *part_ends;  // where each part ends in `numbers`
  long part_count;
  long bad_part;    // the first that holds `found`, no finite number of -1e6…1e6; -1 for none; such parts are empty
  int64_t *counts;  // of runs that are not compressed
  long count_count;
  char *text;  // of compressed runs
  long text_count;
  int64_t height, width;  // of runs; -1 when not given
  long index;             // of what is wrong
  char found[48];
  long number_room, part_room, count_room, text_room;
} ca_outline;

// Reads the JSON of one segmentation, which may be changed where an escape is mended.
ca_outline_status ca_outline_read(ca_outline *outline, char *bytes, size_t count);
void ca_outline_free(ca_outline *outline);
