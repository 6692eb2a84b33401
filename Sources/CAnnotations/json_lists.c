// Lists of lists of numbers, passed over without an event for each number: most of an annotation file is outlines that are read
// later, if at all.
#define _GNU_SOURCE
#include <string.h>

#include "json_reader.h"

// Where in an inner list the scanner stands, as shifts: the next state of state s lies in the six bits from s on of a row, so
// that a byte costs one shift. Source: P. Vognsen's shift-based automata. Exponents are left to the parser.
enum state { FIRST = 0, NEXT = 6, MINUS = 12, ZERO = 18, WHOLE = 24, POINT = 30, FRACTION = 36, AFTER = 42, CLOSED = 48, BAD = 54 };

#define TO(from, to) ((uint64_t)(to) << (from))
#define ENDS TO(CLOSED, CLOSED) | TO(BAD, BAD)
// All states but the ends, in their order, lead to these.
#define ROW(first, next, minus, zero, whole, point, fraction, after)                                             \
  (TO(FIRST, first) | TO(NEXT, next) | TO(MINUS, minus) | TO(ZERO, zero) | TO(WHOLE, whole) | TO(POINT, point) | \
   TO(FRACTION, fraction) | TO(AFTER, after) | ENDS)

// The grammar of numbers and lists (RFC 8259, sections 5 and 6).
#define OTHER ROW(BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD)
#define BLANK ROW(FIRST, NEXT, BAD, AFTER, AFTER, BAD, AFTER, AFTER)
static const uint64_t rows[256] = {
    [0 ... 8] = OTHER, ['\t'] = BLANK, ['\n'] = BLANK, [11 ... 12] = OTHER, ['\r'] = BLANK, [14 ... 31] = OTHER, [' '] = BLANK,
    ['!' ... '+'] = OTHER,
    [','] = ROW(BAD, BAD, BAD, NEXT, NEXT, BAD, NEXT, NEXT),
    ['-'] = ROW(MINUS, MINUS, BAD, BAD, BAD, BAD, BAD, BAD),
    ['.'] = ROW(BAD, BAD, BAD, POINT, POINT, BAD, BAD, BAD),
    ['/'] = OTHER,
    ['0'] = ROW(ZERO, ZERO, ZERO, BAD, WHOLE, FRACTION, FRACTION, BAD),
    ['1' ... '9'] = ROW(WHOLE, WHOLE, WHOLE, BAD, WHOLE, FRACTION, FRACTION, BAD),
    [':' ... '\\'] = OTHER,
    [']'] = ROW(CLOSED, BAD, BAD, CLOSED, CLOSED, BAD, CLOSED, CLOSED),
    ['^' ... 255] = OTHER,
};

static inline uint64_t step(uint64_t state, char byte) { return rows[(unsigned char)byte] >> (state & 63); }

// Where the list of numbers whose bracket stands before `at` is closed; 0 when it is not whole up to `end`, or anything else.
static size_t inner_closed(const char *bytes, size_t at, size_t end) {
  uint64_t state = FIRST;
  size_t i = at;
  while (end - i >= 8) {
    for (int k = 0; k < 8; k++) state = step(state, bytes[i + (size_t)k]);
    if ((state & 63) >= CLOSED) break;
    i += 8;
  }
  if ((state & 63) == BAD) return 0;
  if ((state & 63) == CLOSED) return (size_t)((const char *)memchr(bytes + i, ']', 8) - bytes);
  while (i < end && (state & 63) < CLOSED) state = step(state, bytes[i++]);
  return (state & 63) == CLOSED ? i - 1 : 0;
}

static size_t past_blanks(const char *bytes, size_t i, size_t end) {
  while (i < end && (bytes[i] == ' ' || bytes[i] == '\n' || bytes[i] == '\t' || bytes[i] == '\r')) i++;
  return i;
}

// The same for the list of such lists.
static size_t outer_closed(const char *bytes, size_t at, size_t end) {
  size_t i = past_blanks(bytes, at, end);
  while (i < end && bytes[i] == '[') {
    size_t inner = inner_closed(bytes, i + 1, end);
    if (!inner) return 0;
    i = past_blanks(bytes, inner + 1, end);
    if (i < end && bytes[i] == ']') return i;
    if (i >= end || bytes[i] != ',') return 0;
    i = past_blanks(bytes, i + 1, end);
  }
  return 0;
}

int je_find_list(const char *key, const char *bytes, size_t from, size_t end, size_t *begin, size_t *stop) {
  size_t length = strlen(key);
  for (;;) {
    const char *found = from < end ? memmem(bytes + from, end - from, key, length) : NULL;
    if (!found) return 0;
    // A quote inside a text has a backslash before it, so this is a key, whatever it is the end of; or the text is no JSON,
    // which stays visible.
    from = past_blanks(bytes, (size_t)(found - bytes) + length, end);
    if (from >= end || bytes[from] != ':') continue;
    from = past_blanks(bytes, from + 1, end);
    if (from >= end || bytes[from] != '[') continue;
    size_t closed = outer_closed(bytes, from + 1, end);
    if (!closed) continue;
    *begin = from + 1;
    *stop = closed;
    return 1;
  }
}
