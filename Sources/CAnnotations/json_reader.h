// What the files behind json_events.h share.
#pragma once
#include "json_events.h"

enum { JE_DEPTH = 64, JE_LONGEST = 64 << 20 };

// What token may come next.
typedef enum je_expected {
  JE_VALUE, JE_VALUE_OR_END, JE_KEY_NEXT, JE_KEY_OR_END, JE_COLON, JE_COMMA_OR_END, JE_NOTHING
} je_expected;

struct je_parser {
  je_handler *handler;
  void *context;
  uint64_t objects;  // bit i: whether the container of level i is an object
  je_expected expected;
  size_t position;  // bytes of the present window up to the end of the present event
  char *text;       // a string without its escapes
  size_t capacity;
  int64_t base;         // bytes before the present window
  int64_t quiet_since;  // start of the latest window that gave an event
  long events;
  int depth;
  int begun, failed, muted;
  const char *list_key;  // with its quotes, or NULL
  int64_t blamed;        // where the failure is
  char problem[160];
  long mended;
};

// Notes a failure at `position` of the present window; returns 0.
int je_fail(je_parser *parser, size_t position, const char *problem);

// In json_tokens.c: as je_parse, for bytes that are UTF-8 with all escapes whole; sets the parser's problem when it fails.
long je_read_tokens(je_parser *parser, const char *bytes, size_t count, int last);

// In text.c: the length of the longest prefix that is whole UTF-8 without control characters other than tabs and line breaks;
// *bad is set when a byte follows that cannot stand there.
size_t je_text_prefix(const char *bytes, size_t count, int *bad);

// In json_lists.c: the next list of lists of numbers under a key in bytes[from…end]: its elements lie in
// bytes[*begin…*stop]. Returns whether there is one that is whole.
int je_find_list(const char *key, const char *bytes, size_t from, size_t end, size_t *begin, size_t *stop);

// In text.c: writes \ufffd over escaped halves of surrogate pairs. Returns the length of the prefix whose escapes are whole,
// `count` when `last`; adds to *mended.
size_t je_mend_escapes(char *bytes, size_t count, int last, long *mended);
