// From JSON events to records.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "annotations.h"
#include "numbers.h"

// Where the reader stands.
typedef enum position { OUTSIDE, FILE_OBJECT, SECTION, RECORD, BOX } position;

struct ca_reader {
  je_parser *parser;
  ca_handler *handler;
  void *context;
  position position;
  int passing;  // levels of a value that is passed over
  int marking;  // whether that value is a segmentation
  int section;  // of the key that was read last in the file's object; -1 for another
  int field;    // of the key that was read last in a record; -1 for another
  unsigned keys;  // bit i: field i was named in this record
  int box_count, box_good;
  unsigned sections;  // bit i: section i has been there
  ca_record record;
  // Texts of the record, one after the other.
  char *texts;
  size_t text_count, text_room;
  ca_outcome outcome;
  char found[160];
  const char *expected;
};

typedef struct name {
  const char *text;
  size_t length;
} name;

#define NAME(text) {text, sizeof text - 1}

static const name section_names[] = {NAME("images"), NAME("categories"), NAME("annotations")};

static const name field_names[CA_FIELDS] = {
    NAME("id"), NAME("image_id"), NAME("category_id"), NAME("width"), NAME("height"), NAME("iscrowd"), NAME("area"),
    NAME("bbox"), NAME("file_name"), NAME("name"), NAME("supercategory"), NAME("caption"), NAME("segmentation"),
};

// The fields that matter in a section.
static const unsigned fields_of[] = {
    [CA_IMAGE] = 1u << CA_ID | 1u << CA_WIDTH | 1u << CA_HEIGHT | 1u << CA_FILE_NAME,
    [CA_CATEGORY] = 1u << CA_ID | 1u << CA_NAME | 1u << CA_SUPERCATEGORY,
    [CA_ANNOTATION] = 1u << CA_ID | 1u << CA_IMAGE_ID | 1u << CA_CATEGORY_ID | 1u << CA_ISCROWD | 1u << CA_AREA |
                      1u << CA_BBOX | 1u << CA_CAPTION | 1u << CA_SEGMENTATION,
};

static int named(const name *names, int count, const char *text, size_t length) {
  for (int i = 0; i < count; i++)
    if (names[i].length == length && memcmp(names[i].text, text, length) == 0) return i;
  return -1;
}

static int stop(ca_reader *r, ca_outcome outcome, const char *found, const char *expected) {
  r->outcome = outcome;
  r->expected = expected;
  snprintf(r->found, sizeof r->found, "%s", found);
  return 0;
}

// Passes over the list or object that has just begun.
static int pass(ca_reader *r) {
  r->passing = 1;
  je_mute(r->parser, 1);
  return 1;
}

static int begins(je_kind kind) { return kind == JE_BEGIN_OBJECT || kind == JE_BEGIN_ARRAY; }
static int ends(je_kind kind) { return kind == JE_END_OBJECT || kind == JE_END_ARRAY; }

// Notes that the present field is of another type.
static void mark_wrong(ca_reader *r, je_kind kind, const char *text, size_t length) {
  ca_record *record = &r->record;
  if (record->wrong >= 0) return;
  record->wrong = r->field;
  if (kind == JE_NUMBER || kind == JE_STRING) ca_show(record->found, sizeof record->found, kind == JE_STRING, text, length);
  else snprintf(record->found, sizeof record->found, "%s", ca_kind_name(kind));
}

// Keeps a text until the record is handed on; the field holds its position in `texts` meanwhile.
static int keep(ca_reader *r, ca_text *to, const char *text, size_t length) {
  if (r->text_room - r->text_count < length) {
    size_t room = (r->text_count + length) * 2;
    char *texts = realloc(r->texts, room);
    if (!texts) return stop(r, CA_NO_MEMORY, "", NULL);
    r->texts = texts;
    r->text_room = room;
  }
  if (length) memcpy(r->texts + r->text_count, text, length);
  to->bytes = (const char *)(uintptr_t)r->text_count;
  to->count = (long)length;
  r->text_count += length;
  return 1;
}

static ca_text *text_of(ca_record *record, int field) {
  switch (field) {
    case CA_FILE_NAME: return &record->file_name;
    case CA_NAME: return &record->name;
    case CA_SUPERCATEGORY: return &record->supercategory;
    case CA_CAPTION: return &record->caption;
    default: return NULL;
  }
}

static int64_t *integer_of(ca_record *record, int field) {
  switch (field) {
    case CA_ID: return &record->id;
    case CA_IMAGE_ID: return &record->image_id;
    case CA_CATEGORY_ID: return &record->category_id;
    case CA_WIDTH: return &record->width;
    case CA_HEIGHT: return &record->height;
    default: return NULL;
  }
}

// Nothing needs the number of an annotation: where it is none, such as a UUID, it counts as absent.
static int is_number_of_annotation(const ca_reader *r) { return r->section == CA_ANNOTATION && r->field == CA_ID; }

// A value of a known field that is a word, number or text.
static int scalar(ca_reader *r, je_kind kind, const char *text, size_t length) {
  ca_record *record = &r->record;
  if (kind == JE_NULL) return 1;
  int good = 0;
  int64_t *integer = integer_of(record, r->field);
  ca_text *kept = text_of(record, r->field);
  if (integer) {
    good = ca_value_to_integer(kind, text, length, integer);
    if (is_number_of_annotation(r) && (!good || *integer < 0)) return 1;
  } else if (kept) {
    good = kind == JE_STRING;
    if (good && !keep(r, kept, text, length)) return 0;
  } else if (r->field == CA_AREA) {
    good = kind == JE_NUMBER && ca_to_double(text, length, &record->area);
  } else if (r->field == CA_ISCROWD) {
    int64_t value = kind == JE_TRUE;
    good = kind == JE_TRUE || kind == JE_FALSE || ca_value_to_integer(kind, text, length, &value);
    good = good && (value == 0 || value == 1);
    record->is_crowd = (int)value;
  }
  if (good) record->seen |= 1u << r->field;
  else mark_wrong(r, kind, text, length);
  return 1;
}

// A list or object as the value of the present field.
static int container(ca_reader *r, je_kind kind) {
  if (r->field == CA_BBOX && kind == JE_BEGIN_ARRAY) {
    r->position = BOX;
    r->box_count = 0;
    r->box_good = 1;
    return 1;
  }
  if (r->field == CA_SEGMENTATION) {
    r->marking = 1;
    r->record.segmentation_begin = je_offset(r->parser) - 1;
  } else if (r->field >= 0 && !is_number_of_annotation(r)) {
    mark_wrong(r, kind, NULL, 0);
  }
  return pass(r);
}

static int in_box(ca_reader *r, je_kind kind, const char *text, size_t length) {
  double value = 0;
  if (kind == JE_END_ARRAY) {
    r->position = RECORD;
    if (r->box_good && r->box_count == 4) {
      r->record.seen |= 1u << CA_BBOX;
    } else if (r->box_good) {
      char found[32];
      snprintf(found, sizeof found, "a list of %d", r->box_count);
      mark_wrong(r, JE_NUMBER, found, strlen(found));
    }
    return 1;
  }
  if (kind != JE_NUMBER || !ca_to_double(text, length, &value)) {
    r->box_good = 0;
    mark_wrong(r, kind, text, length);
  }
  if (begins(kind)) pass(r);
  if (r->box_count < 4) r->record.box[r->box_count] = value;
  if (r->box_count < 1000) r->box_count++;
  return 1;
}

static int begin_record(ca_reader *r) {
  memset(&r->record, 0, sizeof r->record);
  r->record.section = (ca_section)r->section;
  r->record.is_object = 1;
  r->record.repeated = r->record.wrong = -1;
  r->keys = 0;
  r->record.begin = je_offset(r->parser) - 1;
  r->text_count = 0;
  r->position = RECORD;
  return 1;
}

static int hand_on(ca_reader *r) {
  if (r->handler(r->context, &r->record)) return 1;
  return stop(r, CA_STOPPED, "", NULL);
}

static int end_record(ca_reader *r) {
  r->position = SECTION;
  for (int field = CA_FILE_NAME; field <= CA_CAPTION; field++) {
    ca_text *text = text_of(&r->record, field);
    text->bytes = text->count ? r->texts + (uintptr_t)text->bytes : "";
  }
  return hand_on(r);
}

// Something among the records that is none.
static int no_record(ca_reader *r, je_kind kind, const char *text, size_t length) {
  int64_t end = je_offset(r->parser);
  begin_record(r);
  r->position = SECTION;
  // The length of a decoded text is near enough to that of the written one.
  r->record.begin = end - (kind == JE_NUMBER || kind == JE_STRING ? (int64_t)length : 1);
  r->record.is_object = 0;
  if (kind == JE_NUMBER || kind == JE_STRING)
    ca_show(r->record.found, sizeof r->record.found, kind == JE_STRING, text, length);
  else
    snprintf(r->record.found, sizeof r->record.found, "%s", ca_kind_name(kind));
  if (begins(kind)) pass(r);
  return hand_on(r);
}

static int record_key(ca_reader *r, const char *text, size_t length) {
  r->field = named(field_names, CA_FIELDS, text, length);
  if (r->field < 0) return 1;
  unsigned bit = 1u << r->field;
  if (!(bit & fields_of[r->section])) r->field = -1;
  else if (r->keys & bit && r->record.repeated < 0) r->record.repeated = r->field;
  r->keys |= bit;
  return 1;
}

static int in_file(ca_reader *r, je_kind kind, const char *text, size_t length) {
  if (kind == JE_KEY) {
    r->section = named(section_names, 3, text, length);
    if (r->section < 0) return 1;
    if (r->sections & 1u << r->section) return stop(r, CA_REPEATED_SECTION, section_names[r->section].text, NULL);
    r->sections |= 1u << r->section;
    return 1;
  }
  if (kind == JE_END_OBJECT) {
    r->position = OUTSIDE;
    return 1;
  }
  if (r->section >= 0) {
    if (kind == JE_BEGIN_ARRAY) {
      r->position = SECTION;
      return 1;
    }
    char found[64];
    snprintf(found, sizeof found, "\"%s\" is %s", section_names[r->section].text, ca_kind_name(kind));
    return stop(r, CA_WRONG_SHAPE, found, "a list of records");
  }
  if (begins(kind)) pass(r);
  return 1;
}

static int take(void *context, je_kind kind, const char *text, size_t length) {
  ca_reader *r = context;
  if (r->passing) {
    if (begins(kind)) r->passing++;
    else if (ends(kind) && --r->passing == 0) {
      je_mute(r->parser, 0);
      if (!r->marking) return 1;
      r->marking = 0;
      r->record.seen |= 1u << CA_SEGMENTATION;
      r->record.segmentation_end = je_offset(r->parser);
    }
    return 1;
  }
  switch (r->position) {
    case OUTSIDE:
      if (kind != JE_BEGIN_OBJECT) return stop(r, CA_WRONG_SHAPE, ca_kind_name(kind), "{\"images\": …, \"annotations\": …}");
      r->position = FILE_OBJECT;
      return 1;
    case FILE_OBJECT:
      return in_file(r, kind, text, length);
    case SECTION:
      if (kind == JE_BEGIN_OBJECT) return begin_record(r);
      if (kind == JE_END_ARRAY) {
        r->position = FILE_OBJECT;
        return 1;
      }
      return no_record(r, kind, text, length);
    case RECORD:
      if (kind == JE_KEY) return record_key(r, text, length);
      if (kind == JE_END_OBJECT) return end_record(r);
      if (begins(kind)) return container(r, kind);
      return r->field < 0 ? 1 : scalar(r, kind, text, length);
    case BOX:
      return in_box(r, kind, text, length);
  }
  return 0;
}

ca_reader *ca_reader_create(ca_handler *handler, void *context) {
  ca_reader *r = calloc(1, sizeof *r);
  if (!r) return NULL;
  r->handler = handler;
  r->context = context;
  r->parser = je_create(take, r);
  if (r->parser) {
    je_empty_lists(r->parser, "\"segmentation\"");
    return r;
  }
  free(r);
  return NULL;
}

void ca_reader_free(ca_reader *r) {
  if (!r) return;
  je_free(r->parser);
  free(r->texts);
  free(r);
}

long ca_read(ca_reader *r, char *bytes, size_t count, int last) { return je_parse(r->parser, bytes, count, last); }

ca_outcome ca_reader_outcome(const ca_reader *r, ca_failure *failure) {
  const char *problem = je_problem(r->parser);
  failure->byte = je_offset(r->parser);
  failure->expected = r->expected;
  snprintf(failure->found, sizeof failure->found, "%s", r->outcome == CA_OK && problem ? problem : r->found);
  return r->outcome == CA_OK && problem ? CA_NOT_JSON : r->outcome;
}

int ca_reader_has(const ca_reader *r, ca_section section) { return r->sections >> section & 1; }

long ca_reader_mended(const ca_reader *r) { return je_mended(r->parser); }
