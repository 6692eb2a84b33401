// From the JSON of one segmentation to numbers.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotations.h"
#include "numbers.h"

typedef enum position { START, PARTS, PART, RUNS, COUNTS, SIZE, PASSING } position;

typedef struct reading {
  ca_outline *outline;
  ca_outline_status status;
  position position;
  int depth;       // of a value that is passed over
  position after;  // where the reading goes on behind it
  int is_bad;      // whether the present part holds what is no coordinate
  enum { OTHER_KEY, COUNTS_KEY, SIZE_KEY } key;
  int has_counts, size_count;
} reading;

static void show(ca_outline *o, je_kind kind, const char *text, size_t length) {
  if (kind == JE_NUMBER || kind == JE_STRING) ca_show(o->found, sizeof o->found, kind == JE_STRING, text, length);
  else snprintf(o->found, sizeof o->found, "%s", ca_kind_name(kind));
}

static int stop(reading *r, ca_outline_status status, long index, je_kind kind, const char *text, size_t length) {
  ca_outline *o = r->outline;
  r->status = status;
  o->index = index;
  show(o, kind, text, length);
  return 0;
}

static int wrong_shape(reading *r, const char *found) {
  r->status = CA_OUTLINE_SHAPE;
  snprintf(r->outline->found, sizeof r->outline->found, "%s", found);
  return 0;
}

// Makes room for more items; returns 0 without memory.
static int grow(reading *r, void **items, long *room, long needed, size_t item) {
  if (needed <= *room) return 1;
  long wanted = needed + needed / 2 + 64;
  void *grown = realloc(*items, (size_t)wanted * item);
  if (!grown) {
    r->status = CA_OUTLINE_MEMORY;
    return 0;
  }
  *items = grown;
  *room = wanted;
  return 1;
}

static int take_coordinate(reading *r, je_kind kind, const char *text, size_t length) {
  ca_outline *o = r->outline;
  double value;
  if (kind != JE_NUMBER || !ca_to_double(text, length, &value) || fabs(value) > 1e6) {
    r->is_bad = 1;
    if (o->bad_part < 0) {
      o->bad_part = o->part_count;
      show(o, kind, text, length);
    }
    if (kind == JE_BEGIN_OBJECT || kind == JE_BEGIN_ARRAY) {
      r->position = PASSING;
      r->after = PART;
      r->depth = 1;
    }
    return 1;
  }
  if (!grow(r, (void **)&o->numbers, &o->number_room, o->number_count + 1, sizeof *o->numbers)) return 0;
  o->numbers[o->number_count++] = value;
  return 1;
}

static int take_count(reading *r, je_kind kind, const char *text, size_t length) {
  ca_outline *o = r->outline;
  int64_t value;
  if (kind != JE_NUMBER || !ca_to_integer(text, length, &value) || value < 0)
    return stop(r, CA_OUTLINE_COUNT, o->count_count, kind, text, length);
  if (!grow(r, (void **)&o->counts, &o->count_room, o->count_count + 1, sizeof *o->counts)) return 0;
  o->counts[o->count_count++] = value;
  return 1;
}

static int take_text(reading *r, const char *text, size_t length) {
  ca_outline *o = r->outline;
  if (!grow(r, (void **)&o->text, &o->text_room, (long)length, 1)) return 0;
  if (length) memcpy(o->text, text, length);
  o->text_count = (long)length;
  o->form = CA_COMPRESSED;
  return 1;
}

// A value behind a key of {"counts": …, "size": …}.
static int take_value(reading *r, je_kind kind, const char *text, size_t length) {
  if (r->key == COUNTS_KEY) {
    if (r->has_counts++) return wrong_shape(r, "an object with \"counts\" twice");
    if (kind == JE_STRING) return take_text(r, text, length);
    if (kind != JE_BEGIN_ARRAY) return wrong_shape(r, "an object whose \"counts\" are neither a list nor a text");
    r->position = COUNTS;
    r->outline->form = CA_COUNTS;
    return 1;
  }
  if (r->key == SIZE_KEY) {
    if (r->size_count++) return wrong_shape(r, "an object with \"size\" twice");
    if (kind != JE_BEGIN_ARRAY) return wrong_shape(r, "an object whose \"size\" is no list");
    r->position = SIZE;
    r->size_count = 0;
    return 1;
  }
  if (kind == JE_BEGIN_OBJECT || kind == JE_BEGIN_ARRAY) {
    r->position = PASSING;
    r->after = RUNS;
    r->depth = 1;
  }
  return 1;
}

static int take_size(reading *r, je_kind kind, const char *text, size_t length) {
  int64_t value;
  if (kind == JE_END_ARRAY && r->size_count == 2) {
    r->position = RUNS;
    return 1;
  }
  if (kind != JE_NUMBER || r->size_count == 2 || !ca_to_integer(text, length, &value) || value < 0)
    return wrong_shape(r, "an object whose \"size\" is not [height, width]");
  if (r->size_count++) r->outline->width = value;
  else r->outline->height = value;
  return 1;
}

static int take(void *context, je_kind kind, const char *text, size_t length) {
  reading *r = context;
  ca_outline *o = r->outline;
  switch (r->position) {
    case START:
      if (kind == JE_BEGIN_ARRAY) {
        r->position = PARTS;
        o->form = CA_POLYGONS;
      } else if (kind == JE_BEGIN_OBJECT) {
        r->position = RUNS;
      } else {
        return stop(r, CA_OUTLINE_SHAPE, 0, kind, text, length);
      }
      return 1;
    case PARTS:
      if (kind == JE_END_ARRAY) return 1;
      if (kind != JE_BEGIN_ARRAY) return wrong_shape(r, "a list whose parts are not lists");
      r->position = PART;
      return 1;
    case PART:
      if (kind != JE_END_ARRAY) return take_coordinate(r, kind, text, length);
      if (r->is_bad) o->number_count = o->part_count ? o->part_ends[o->part_count - 1] : 0;
      r->is_bad = 0;
      if (!grow(r, (void **)&o->part_ends, &o->part_room, o->part_count + 1, sizeof *o->part_ends)) return 0;
      o->part_ends[o->part_count++] = o->number_count;
      r->position = PARTS;
      return 1;
    case RUNS:
      if (kind == JE_KEY) {
        int is_counts = length == 6 && memcmp(text, "counts", 6) == 0;
        r->key = is_counts ? COUNTS_KEY : length == 4 && memcmp(text, "size", 4) == 0 ? SIZE_KEY : OTHER_KEY;
        return 1;
      }
      return kind == JE_END_OBJECT ? 1 : take_value(r, kind, text, length);
    case COUNTS:
      if (kind != JE_END_ARRAY) return take_count(r, kind, text, length);
      r->position = RUNS;
      return 1;
    case SIZE:
      return take_size(r, kind, text, length);
    case PASSING:
      if (kind == JE_BEGIN_OBJECT || kind == JE_BEGIN_ARRAY) r->depth++;
      else if ((kind == JE_END_OBJECT || kind == JE_END_ARRAY) && --r->depth == 0) r->position = r->after;
      return 1;
  }
  return 0;
}

ca_outline_status ca_outline_read(ca_outline *o, char *bytes, size_t count) {
  o->form = CA_NOTHING;
  o->number_count = o->part_count = o->count_count = o->text_count = 0;
  o->height = o->width = -1;
  o->index = 0;
  o->bad_part = -1;
  o->found[0] = 0;
  reading r = {.outline = o};
  je_parser *parser = je_create(take, &r);
  if (!parser) return CA_OUTLINE_MEMORY;
  long taken = je_parse(parser, bytes, count, 1);
  if (taken < 0 && r.status == CA_OUTLINE_OK) {
    const char *problem = je_problem(parser);
    wrong_shape(&r, problem ? problem : "no JSON");
  }
  je_free(parser);
  if (r.status == CA_OUTLINE_OK && o->form == CA_NOTHING) wrong_shape(&r, "an object without \"counts\"");
  if (r.status == CA_OUTLINE_OK && o->form != CA_POLYGONS && o->width < 0) wrong_shape(&r, "an object without \"size\"");
  return r.status;
}

void ca_outline_free(ca_outline *o) {
  free(o->numbers);
  free(o->part_ends);
  free(o->counts);
  free(o->text);
  memset(o, 0, sizeof *o);
}
