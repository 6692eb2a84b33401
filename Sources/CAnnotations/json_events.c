// Windows of text: encoding, limits, positions.
#include "json_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_reader.h"

je_parser *je_create(je_handler *handler, void *context) {
  je_parser *parser = calloc(1, sizeof *parser);
  if (!parser) return NULL;
  parser->handler = handler;
  parser->context = context;
  parser->expected = JE_VALUE;
  return parser;
}

void je_free(je_parser *parser) {
  if (parser) free(parser->text);
  free(parser);
}

int je_fail(je_parser *parser, size_t position, const char *problem) {
  if (parser->failed) return 0;
  parser->failed = 1;
  parser->blamed = parser->base + (int64_t)position;
  snprintf(parser->problem, sizeof parser->problem, "%s", problem);
  return 0;
}

// Skips a byte order mark and names other encodings. Returns the bytes to skip, -1 after a failure, -2 when more are needed.
static int begin(je_parser *parser, const char *bytes, size_t count, int last) {
  const unsigned char *b = (const unsigned char *)bytes;
  if (count < 3 && !last) return -2;
  if (count >= 2 && ((b[0] == 0xFE && b[1] == 0xFF) || (b[0] == 0xFF && b[1] == 0xFE) || b[0] == 0 || b[1] == 0)) {
    je_fail(parser, 0, "UTF-16 or UTF-32 text, expected UTF-8");
    return -1;
  }
  parser->begun = 1;
  return count >= 3 && b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF ? 3 : 0;
}

long je_parse(je_parser *parser, char *bytes, size_t count, int last) {
  if (parser->failed) return -1;
  size_t skipped = 0;
  if (!parser->begun) {
    int mark = begin(parser, bytes, count, last);
    if (mark < 0) return mark == -2 ? 0 : -1;
    skipped = (size_t)mark;
    parser->base += mark;
    parser->quiet_since = parser->base;
    bytes += skipped;
    count -= skipped;
  }
  int bad = 0;
  size_t whole = je_text_prefix(bytes, count, &bad);
  if (bad || (last && whole < count)) {
    int control = (unsigned char)bytes[whole] < 0x20;
    je_fail(parser, whole, control ? "a control character" : "bytes that are not UTF-8");
    return -1;
  }
  whole = je_mend_escapes(bytes, whole, last, &parser->mended);
  size_t done = 0;
  for (;;) {
    // Up to the elements of a list that comes as an empty one, or to the end.
    size_t begin = whole, end = whole;
    int lists = parser->list_key && je_find_list(parser->list_key, bytes, done, whole, &begin, &end);
    long events = parser->events;
    long taken = je_read_tokens(parser, bytes + done, begin - done, last && whole == count && !lists);
    if (taken < 0) {
      if (!parser->failed) {  // the handler stopped
        parser->failed = 1;
        parser->blamed = parser->base + (int64_t)parser->position;
      }
      return -1;
    }
    if (parser->events != events) parser->quiet_since = parser->base;
    if (parser->base + (int64_t)(count - done) - parser->quiet_since > JE_LONGEST) {
      je_fail(parser, 0, "a value longer than 64 MiB");
      return -1;
    }
    parser->base += taken;
    done += (size_t)taken;
    if (!lists || done < begin) return (long)(skipped + done);
    parser->base += (int64_t)(end - begin);
    done = end;
  }
}

void je_empty_lists(je_parser *parser, const char *key) { parser->list_key = key; }

void je_mute(je_parser *parser, int muted) { parser->muted = muted; }

int64_t je_offset(const je_parser *parser) {
  return parser->failed ? parser->blamed : parser->base + (int64_t)parser->position;
}

const char *je_problem(const je_parser *parser) { return parser->problem[0] ? parser->problem : NULL; }

long je_mended(const je_parser *parser) { return parser->mended; }
