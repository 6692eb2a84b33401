// JSON events without a library: reads whole tokens from the window and leaves a cut one for the next.
#include <stdlib.h>
#include <string.h>

#include "json_reader.h"

// What may come next.
typedef enum expected { VALUE, VALUE_OR_END, KEY, KEY_OR_END, COLON, COMMA_OR_END, NOTHING } expected;

typedef struct state {
  je_parser *parser;
  uint64_t objects;  // bit i: whether the container of level i is an object
  int level;
  expected expected;
  size_t position;
  char *text;  // a string without its escapes
  size_t capacity;
} state;

static void *create(je_parser *parser) {
  state *s = calloc(1, sizeof *s);
  if (s) s->parser = parser;
  return s;
}

static void destroy(void *opaque) {
  state *s = opaque;
  free(s->text);
  free(s);
}

static size_t position(const void *opaque) { return ((const state *)opaque)->position; }

static int fail(state *s, size_t place, const char *problem) { return je_fail(s->parser, place, problem); }

// A value has ended.
static void close_value(state *s) { s->expected = s->level ? COMMA_OR_END : NOTHING; }

// Results of reading one token: 1 read, 0 failed, -1 cut off by the window's end.

static int open_container(state *s, int object) {
  s->position++;
  if (!je_deliver(s->parser, object ? JE_BEGIN_OBJECT : JE_BEGIN_ARRAY, NULL, 0)) return 0;
  uint64_t bit = (uint64_t)1 << s->level++;
  s->objects = object ? s->objects | bit : s->objects & ~bit;
  s->expected = object ? KEY_OR_END : VALUE_OR_END;
  return 1;
}

static int close_container(state *s, int object) {
  int is_object = s->level && (s->objects >> (s->level - 1) & 1);
  if (!s->level || object != is_object) return fail(s, s->position, "a bracket that closes nothing");
  s->level--;
  s->position++;
  close_value(s);
  return je_deliver(s->parser, object ? JE_END_OBJECT : JE_END_ARRAY, NULL, 0);
}

static int literal(state *s, const char *bytes, size_t count, const char *word, je_kind kind) {
  size_t length = strlen(word), there = count - s->position;
  if (memcmp(bytes + s->position, word, there < length ? there : length) != 0)
    return fail(s, s->position, "a word that is not true, false or null");
  if (there < length) return -1;
  s->position += length;
  close_value(s);
  return je_deliver(s->parser, kind, NULL, 0);
}

static int is_digit(char c) { return c >= '0' && c <= '9'; }

// Whether `text` is -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
static int is_number(const char *text, size_t n) {
  size_t i = n && text[0] == '-';
  if (i >= n || !is_digit(text[i])) return 0;
  if (text[i] == '0') i++;
  else while (i < n && is_digit(text[i])) i++;
  if (i < n && text[i] == '.') {
    size_t digits = ++i;
    while (i < n && is_digit(text[i])) i++;
    if (i == digits) return 0;
  }
  if (i < n && (text[i] == 'e' || text[i] == 'E')) {
    i++;
    if (i < n && (text[i] == '+' || text[i] == '-')) i++;
    size_t digits = i;
    while (i < n && is_digit(text[i])) i++;
    if (i == digits) return 0;
  }
  return i == n;
}

static int number(state *s, const char *bytes, size_t count, int last) {
  size_t end = s->position;
  while (end < count && (is_digit(bytes[end]) || strchr("+-.eE", bytes[end]))) {
    if (!bytes[end]) break;  // strchr finds the zero that ends its list
    end++;
  }
  if (end == count && !last) return -1;
  const char *text = bytes + s->position;
  size_t length = end - s->position;
  if (!is_number(text, length)) return fail(s, s->position, "a number that is malformed");
  s->position = end;
  close_value(s);
  return je_deliver(s->parser, JE_NUMBER, text, length);
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
static long unescape(state *s, const char *from, size_t length) {
  if (s->capacity < length) {
    char *text = realloc(s->text, length);
    if (!text) return fail(s, s->position, "not enough memory"), -1;
    s->text = text;
    s->capacity = length;
  }
  size_t written = 0;
  for (size_t i = 0; i < length;) {
    if (from[i] != '\\') {
      s->text[written++] = from[i++];
      continue;
    }
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char name = from[i + 1];
    const char *known = name ? strchr(names, name) : NULL;
    if (known) {
      s->text[written++] = values[known - names];
      i += 2;
      continue;
    }
    size_t digits = 0;
    while (digits < 4 && i + 2 + digits < length && strchr("0123456789abcdefABCDEF", from[i + 2 + digits]) &&
           from[i + 2 + digits])
      digits++;
    if (name != 'u' || digits < 4)
      return fail(s, s->position + 1 + i, "an escape that JSON does not have"), -1;
    unsigned code = hex(from + i + 2);
    i += 6;
    if (code >= 0xD800 && code <= 0xDBFF) {
      code = 0x10000 + ((code & 0x3FF) << 10 | (hex(from + i + 2) & 0x3FF));
      i += 6;
    }
    written += put_utf8(s->text + written, code);
  }
  return (long)written;
}

static int string(state *s, const char *bytes, size_t count, int is_key) {
  size_t begin = s->position + 1, end = begin;
  int escaped = 0;
  for (; end < count && bytes[end] != '"'; end++) {
    if ((unsigned char)bytes[end] < 0x20) return fail(s, end, "a control character inside a text");
    if (bytes[end] == '\\') {
      escaped = 1;
      end++;
    }
  }
  if (end >= count) return -1;
  const char *text = bytes + begin;
  size_t length = end - begin;
  if (escaped) {
    long written = unescape(s, text, length);
    if (written < 0) return 0;
    text = s->text;
    length = (size_t)written;
  }
  s->position = end + 1;
  if (is_key) s->expected = COLON;
  else close_value(s);
  return je_deliver(s->parser, is_key ? JE_KEY : JE_STRING, text, length);
}

static int value(state *s, const char *bytes, size_t count, int last) {
  switch (bytes[s->position]) {
    case '{': return open_container(s, 1);
    case '[': return open_container(s, 0);
    case '"': return string(s, bytes, count, 0);
    case 't': return literal(s, bytes, count, "true", JE_TRUE);
    case 'f': return literal(s, bytes, count, "false", JE_FALSE);
    case 'n': return literal(s, bytes, count, "null", JE_NULL);
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
      return number(s, bytes, count, last);
    default: return fail(s, s->position, "no JSON value");
  }
}

static int token(state *s, const char *bytes, size_t count, int last) {
  char c = bytes[s->position];
  switch (s->expected) {
    case VALUE_OR_END:
      if (c == ']') return close_container(s, 0);
      return value(s, bytes, count, last);
    case VALUE:
      return value(s, bytes, count, last);
    case KEY_OR_END:
      if (c == '}') return close_container(s, 1);
      // fall through
    case KEY:
      if (c != '"') return fail(s, s->position, "something that is no key");
      return string(s, bytes, count, 1);
    case COLON:
      if (c != ':') return fail(s, s->position, "no colon behind a key");
      s->position++;
      s->expected = VALUE;
      return 1;
    case COMMA_OR_END:
      if (c == ']' || c == '}') return close_container(s, c == '}');
      if (c != ',') return fail(s, s->position, "neither a comma nor a closing bracket");
      s->position++;
      s->expected = s->objects >> (s->level - 1) & 1 ? KEY : VALUE;
      return 1;
    case NOTHING:
      return fail(s, s->position, "text after the end of the JSON value");
  }
  return 0;
}

static long parse(void *opaque, char *bytes, size_t count, int last) {
  state *s = opaque;
  s->position = 0;
  for (;;) {
    while (s->position < count) {
      char c = bytes[s->position];
      if (c != ' ' && c != '\n' && c != '\t' && c != '\r') break;
      s->position++;
    }
    if (s->position == count) break;
    int result = token(s, bytes, count, last);
    if (result == 0) return -1;
    if (result < 0) break;
  }
  if (last && (s->position < count || s->expected != NOTHING)) {
    fail(s, count, "the text ends too early");
    return -1;
  }
  long taken = (long)s->position;
  s->position = 0;
  return taken;
}

const je_backend je_plain = {create, destroy, parse, position};
