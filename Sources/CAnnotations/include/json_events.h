// JSON as a stream of events, in memory that does not grow with the file.
//
// Beyond RFC 8259: a byte order mark at the start is skipped; UTF-16 is named as such; bytes that are not UTF-8, and control
// characters that JSON does not have, are refused wherever they stand; an escaped half of a surrogate pair (\ud800 alone) is
// read as U+FFFD and counted; NaN, Infinity and -Infinity, which Python writes, are numbers that are not finite; nesting ends
// at 64 levels and a single text or number at 64 MiB.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef enum je_kind {
  JE_NULL, JE_FALSE, JE_TRUE, JE_NUMBER, JE_STRING, JE_KEY, JE_BEGIN_OBJECT, JE_END_OBJECT, JE_BEGIN_ARRAY, JE_END_ARRAY,
} je_kind;

// Takes one event: `text` holds a number as it is written, or a string or key decoded to UTF-8, `length` bytes without a zero
// at the end, valid during the call. Returns 1 to go on, 0 to stop.
typedef int je_handler(void *context, je_kind kind, const char *text, size_t length);

typedef struct je_parser je_parser;
je_parser *je_create(je_handler *handler, void *context);  // NULL without memory
void je_free(je_parser *parser);

// Reads as much of `bytes` as is complete. Returns how many bytes were taken: the rest is to be given again, in front of what
// follows it. Returns -1 when the text is no JSON, the handler stopped or memory is short. Where nothing was taken, more bytes
// are needed at once. Changes `bytes` where an escape is mended.
//   last: whether the text ends with these bytes.
long je_parse(je_parser *parser, char *bytes, size_t count, int last);

// Keeps numbers, texts, keys and words from the handler, or hands them on again; brackets always come. For the handler to call,
// where a long list does not matter.
void je_mute(je_parser *parser, int muted);

// Has the lists under a key, given with its quotes, come as empty ones where they hold nothing but lists of plain numbers;
// they are checked all the same, several times as fast. `key` stays valid until the parser is freed.
void je_empty_lists(je_parser *parser, const char *key);

// Bytes of the text up to the end of the present event; after a failure, up to the position that is to blame.
int64_t je_offset(const je_parser *parser);

// After a failure: why, or NULL where the handler stopped. Valid until the parser is freed.
const char *je_problem(const je_parser *parser);

// Escapes that were read as U+FFFD so far.
long je_mended(const je_parser *parser);
