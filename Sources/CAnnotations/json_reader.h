// What the two libraries behind json_events.h share.
#pragma once
#include "json_events.h"

enum { JE_DEPTH = 64, JE_LONGEST = 64 << 20 };

// One library: the state it keeps between calls, and what it does with bytes that are UTF-8 with all escapes whole.
typedef struct je_backend {
  void *(*create)(je_parser *parser);
  void (*free)(void *state);
  // As je_parse; sets the parser's problem when it fails.
  long (*parse)(void *state, char *bytes, size_t count, int last);
  // Bytes of the present window up to the end of the present event.
  size_t (*position)(const void *state);
} je_backend;

extern const je_backend je_plain;
#ifdef HAS_YAJL
extern const je_backend je_yajl;
#endif

struct je_parser {
  const je_backend *backend;
  void *state;
  je_handler *handler;
  void *context;
  int64_t base;        // bytes before the present window
  int64_t quiet_since;  // start of the latest window that gave an event
  long events;
  int depth;
  int64_t end;  // where the whole value ended, or -1
  int begun, failed, muted;
  const char *list_key;  // with its quotes, or NULL
  int64_t blamed;  // where the failure is
  char problem[160];
  long mended;
};

// Notes a failure at `place` of the present window; returns 0.
int je_fail(je_parser *parser, size_t place, const char *problem);

// Hands an event on. Returns 0 when the handler stopped or the nesting is too deep.
static inline int je_deliver(je_parser *parser, je_kind kind, const char *text, size_t length) {
  parser->events++;
  if (kind == JE_BEGIN_OBJECT || kind == JE_BEGIN_ARRAY) {
    if (++parser->depth > JE_DEPTH)
      return je_fail(parser, parser->backend->position(parser->state), "nested more than 64 levels deep");
  } else if (kind == JE_END_OBJECT || kind == JE_END_ARRAY) {
    --parser->depth;
  } else if (parser->muted) {
    return 1;
  }
  if (parser->depth == 0) parser->end = parser->base + (int64_t)parser->backend->position(parser->state);
  return parser->handler(parser->context, kind, text, length);
}

// In text.c: the length of the longest prefix that is whole UTF-8 without control characters other than tabs and line breaks;
// *bad is set when a byte follows that cannot stand there.
size_t je_text_prefix(const char *bytes, size_t count, int *bad);

// In json_lists.c: the next list of lists of numbers under a key in bytes[from…end]: its elements lie in
// bytes[*begin…*stop]. Returns whether there is one that is whole.
int je_find_list(const char *key, const char *bytes, size_t from, size_t end, size_t *begin, size_t *stop);

// In text.c: writes \ufffd over escaped halves of surrogate pairs. Returns the length of the prefix whose escapes are whole,
// `count` when `last`; adds to *mended.
size_t je_mend_escapes(char *bytes, size_t count, int last, long *mended);
