// From text to JSON events: reads whole tokens of the window and leaves a cut one for the next.
#include <stdlib.h>
#include <string.h>

#include "json_reader.h"

// A value has ended.
static void close_value(je_parser *p) { p->expected = p->depth ? JE_COMMA_OR_END : JE_NOTHING; }

static int in_object(const je_parser *p) { return p->depth && (p->objects >> (p->depth - 1) & 1); }

// Hands an event that is no bracket on; returns 0 when the handler stopped.
static int deliver(je_parser *p, je_kind kind, const char *text, size_t length) {
  p->events++;
  return p->muted || p->handler(p->context, kind, text, length);
}

// Results of reading one token: 1 read, 0 failed, -1 cut off by the window's end.

static int open_container(je_parser *p, int object) {
  p->position++;
  p->events++;
  if (p->depth == JE_DEPTH) return je_fail(p, p->position, "nested more than 64 levels deep");
  uint64_t bit = (uint64_t)1 << p->depth++;
  p->objects = object ? p->objects | bit : p->objects & ~bit;
  p->expected = object ? JE_KEY_OR_END : JE_VALUE_OR_END;
  return p->handler(p->context, object ? JE_BEGIN_OBJECT : JE_BEGIN_ARRAY, NULL, 0);
}

static int close_container(je_parser *p, int object) {
  if (!p->depth || object != in_object(p)) return je_fail(p, p->position, "a bracket that closes nothing");
  p->depth--;
  p->position++;
  p->events++;
  close_value(p);
  return p->handler(p->context, object ? JE_END_OBJECT : JE_END_ARRAY, NULL, 0);
}

static int literal(je_parser *p, const char *bytes, size_t count, const char *word, je_kind kind) {
  size_t length = strlen(word), there = count - p->position;
  if (memcmp(bytes + p->position, word, there < length ? there : length) != 0)
    return je_fail(p, p->position, "a word that is not true, false or null");
  if (there < length) return -1;
  p->position += length;
  close_value(p);
  return deliver(p, kind, kind == JE_NUMBER ? word : NULL, kind == JE_NUMBER ? length : 0);
}

// What a byte is: a digit, any other byte of a number, or one that ends the plain part of a text.
enum { DIGIT = 1, NUMERIC = 2, STOP = 4 };
static const unsigned char classes[256] = {
    [0 ... 31] = STOP, ['"'] = STOP, ['\\'] = STOP, ['0' ... '9'] = DIGIT | NUMERIC,
    ['+'] = NUMERIC,   ['-'] = NUMERIC, ['.'] = NUMERIC,  ['e'] = NUMERIC, ['E'] = NUMERIC,
};

static int is(char c, int class) { return classes[(unsigned char)c] & class; }

// Whether `text` is -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
static int is_number(const char *text, size_t n) {
  size_t i = n && text[0] == '-';
  if (i >= n || !is(text[i], DIGIT)) return 0;
  if (text[i] == '0') i++;
  else while (i < n && is(text[i], DIGIT)) i++;
  if (i < n && text[i] == '.') {
    size_t digits = ++i;
    while (i < n && is(text[i], DIGIT)) i++;
    if (i == digits) return 0;
  }
  if (i < n && (text[i] == 'e' || text[i] == 'E')) {
    i++;
    if (i < n && (text[i] == '+' || text[i] == '-')) i++;
    size_t digits = i;
    while (i < n && is(text[i], DIGIT)) i++;
    if (i == digits) return 0;
  }
  return i == n;
}

// A number that is none, as Python writes it.
static int not_finite(je_parser *p, const char *bytes, size_t count, const char *word) {
  return literal(p, bytes, count, word, JE_NUMBER);
}

static int number(je_parser *p, const char *bytes, size_t count, int last) {
  if (count - p->position < 2 && bytes[p->position] == '-' && !last) return -1;
  if (count - p->position > 1 && bytes[p->position] == '-' && bytes[p->position + 1] == 'I')
    return not_finite(p, bytes, count, "-Infinity");
  size_t end = p->position;
  while (end < count && is(bytes[end], NUMERIC)) end++;
  if (end == count && !last) return -1;
  const char *text = bytes + p->position;
  size_t length = end - p->position;
  if (!is_number(text, length)) return je_fail(p, p->position, "a number that is malformed");
  p->position = end;
  close_value(p);
  return deliver(p, JE_NUMBER, text, length);
}

static unsigned hex(const char *text) {
  unsigned value = 0;
  for (int i = 0; i < 4; i++) {
    char c = text[i];
    value = value * 16 + (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return value;
}

static size_t put_utf8(char *to, unsigned code) {
  if (code < 0x80) return to[0] = (char)code, 1;
  if (code < 0x800) return to[0] = (char)(0xC0 | code >> 6), to[1] = (char)(0x80 | (code & 0x3F)), 2;
  size_t n = code < 0x10000 ? 3 : 4;
  to[0] = (char)(n == 3 ? 0xE0 | code >> 12 : 0xF0 | code >> 18);
  for (size_t i = 1; i < n; i++) to[i] = (char)(0x80 | (code >> 6 * (n - 1 - i) & 0x3F));
  return n;
}

// Decodes the `length` bytes between two quotes. Halves of pairs stand together: je_mend_escapes saw to it. Returns the bytes
// written, or -1 after a failure.
static long unescape(je_parser *p, const char *from, size_t length) {
  if (p->capacity < length) {
    char *text = realloc(p->text, length);
    if (!text) return je_fail(p, p->position, "not enough memory"), -1;
    p->text = text;
    p->capacity = length;
  }
  size_t written = 0;
  for (size_t i = 0; i < length;) {
    if (from[i] != '\\') {
      p->text[written++] = from[i++];
      continue;
    }
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char name = from[i + 1];
    const char *known = name ? strchr(names, name) : NULL;
    if (known) {
      p->text[written++] = values[known - names];
      i += 2;
      continue;
    }
    size_t digits = 0;
    while (digits < 4 && i + 2 + digits < length && strchr("0123456789abcdefABCDEF", from[i + 2 + digits]) &&
           from[i + 2 + digits])
      digits++;
    if (name != 'u' || digits < 4)
      return je_fail(p, p->position + 1 + i, "an escape that JSON does not have"), -1;
    unsigned code = hex(from + i + 2);
    i += 6;
    if (code >= 0xD800 && code <= 0xDBFF) {
      code = 0x10000 + ((code & 0x3FF) << 10 | (hex(from + i + 2) & 0x3FF));
      i += 6;
    }
    written += put_utf8(p->text + written, code);
  }
  return (long)written;
}

// The first quote, backslash or control character from `at` on; `end` if there is none. Eight bytes at once: a byte of a word
// is below n where subtracting n from it borrows. Source: S. E. Anderson, Bit Twiddling Hacks, "hasless".
static size_t plain_end(const char *bytes, size_t at, size_t end) {
  const uint64_t ones = 0x0101010101010101u;
  for (; end - at >= 8; at += 8) {
    uint64_t word;
    memcpy(&word, bytes + at, 8);
    uint64_t quote = word ^ ones * '"', backslash = word ^ ones * '\\';
    uint64_t found = ((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash);
    if (found & ones << 7) break;
  }
  while (at < end && !is(bytes[at], STOP)) at++;
  return at;
}

static int string(je_parser *p, const char *bytes, size_t count, int is_key) {
  size_t begin = p->position + 1, end = begin;
  int escaped = 0;
  while ((end = plain_end(bytes, end, count)) < count && bytes[end] != '"') {
    if (bytes[end] != '\\') return je_fail(p, end, "a control character inside a text");
    escaped = 1;
    end += 2;
    if (end > count) return -1;
  }
  if (end >= count) return -1;
  const char *text = bytes + begin;
  size_t length = end - begin;
  if (escaped) {
    long written = unescape(p, text, length);
    if (written < 0) return 0;
    text = p->text;
    length = (size_t)written;
  }
  p->position = end + 1;
  if (is_key) p->expected = JE_COLON;
  else close_value(p);
  return deliver(p, is_key ? JE_KEY : JE_STRING, text, length);
}

static int value(je_parser *p, const char *bytes, size_t count, int last) {
  switch (bytes[p->position]) {
    case '{': return open_container(p, 1);
    case '[': return open_container(p, 0);
    case '"': return string(p, bytes, count, 0);
    case 't': return literal(p, bytes, count, "true", JE_TRUE);
    case 'f': return literal(p, bytes, count, "false", JE_FALSE);
    case 'n': return literal(p, bytes, count, "null", JE_NULL);
    case 'N': return not_finite(p, bytes, count, "NaN");
    case 'I': return not_finite(p, bytes, count, "Infinity");
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
      return number(p, bytes, count, last);
    default: return je_fail(p, p->position, "no JSON value");
  }
}

static int token(je_parser *p, const char *bytes, size_t count, int last) {
  char c = bytes[p->position];
  switch (p->expected) {
    case JE_VALUE_OR_END:
      if (c == ']') return close_container(p, 0);
      return value(p, bytes, count, last);
    case JE_VALUE:
      return value(p, bytes, count, last);
    case JE_KEY_OR_END:
      if (c == '}') return close_container(p, 1);
      // fall through
    case JE_KEY_NEXT:
      if (c != '"') return je_fail(p, p->position, "something that is no key");
      return string(p, bytes, count, 1);
    case JE_COLON:
      if (c != ':') return je_fail(p, p->position, "no colon behind a key");
      p->position++;
      p->expected = JE_VALUE;
      return 1;
    case JE_COMMA_OR_END:
      if (c == ']' || c == '}') return close_container(p, c == '}');
      if (c != ',') return je_fail(p, p->position, "neither a comma nor a closing bracket");
      p->position++;
      p->expected = in_object(p) ? JE_KEY_NEXT : JE_VALUE;
      return 1;
    case JE_NOTHING:
      return je_fail(p, p->position, "text after the end of the JSON value");
  }
  return 0;
}

long je_read_tokens(je_parser *p, const char *bytes, size_t count, int last) {
  p->position = 0;
  for (;;) {
    while (p->position < count) {
      char c = bytes[p->position];
      if (c != ' ' && c != '\n' && c != '\t' && c != '\r') break;
      p->position++;
    }
    if (p->position == count) break;
    int result = token(p, bytes, count, last);
    if (result == 0) return -1;
    if (result < 0) break;
  }
  if (last && (p->position < count || p->expected != JE_NOTHING)) {
    je_fail(p, count, "the text ends too early");
    return -1;
  }
  long taken = (long)p->position;
  p->position = 0;
  return taken;
}
