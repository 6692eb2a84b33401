// UTF-8 (RFC 3629), control characters, and escapes of UTF-16 halves (RFC 8259, section 7).
#include <string.h>

#include "json_reader.h"

// Bytes of the sequence at `b`: 1…4, 0 when it is none, -1 when it is cut off by the end.
static int sequence(const unsigned char *b, size_t left) {
  unsigned char first = b[0];
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r';
  if (first < 0xC2 || first > 0xF4) return 0;
  int length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  // The second byte also rules out overlong forms, surrogates and values past U+10FFFF.
  unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (left < 2) return -1;
  if (b[1] < low || b[1] > high) return 0;
  for (int i = 2; i < length; i++) {
    if ((size_t)i >= left) return -1;
    if (b[i] < 0x80 || b[i] > 0xBF) return 0;
  }
  return length;
}

size_t je_text_prefix(const char *bytes, size_t count, int *bad) {
  const unsigned char *b = (const unsigned char *)bytes;
  size_t i = 0;
  while (i < count) {
    while (count - i >= 32) {
      uint64_t words[4];
      memcpy(words, b + i, sizeof words);
      uint64_t odd = 0;
      for (int w = 0; w < 4; w++) odd |= words[w] | (words[w] - 0x2020202020202020u);
      if (odd & 0x8080808080808080u) break;  // past ASCII, or below the blank
      i += 32;
    }
    // A block that holds one of them, or the end.
    size_t stop = count - i > 32 ? i + 32 : count;
    while (i < stop) {
      int length = sequence(b + i, count - i);
      if (length <= 0) {
        *bad = length == 0;
        return i;
      }
      i += (size_t)length;
    }
  }
  return i;
}

// The four hexadecimal digits at `text`, or -1.
static int hex4(const char *text) {
  int value = 0;
  for (int i = 0; i < 4; i++) {
    char c = text[i];
    int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

// Looks at what follows a first half that ends at `at`: 1 a second half, 0 something else, -1 not all there yet.
static int second_half(const char *bytes, size_t at, size_t count) {
  if (at < count && bytes[at] != '\\') return 0;
  if (at + 1 < count && bytes[at + 1] != 'u') return 0;
  if (at + 6 > count) return -1;
  int code = hex4(bytes + at + 2);
  return code >= 0xDC00 && code <= 0xDFFF;
}

size_t je_mend_escapes(char *bytes, size_t count, int last, long *mended) {
  size_t i = 0;
  for (;;) {
    const char *found = i < count ? memchr(bytes + i, '\\', count - i) : NULL;
    if (!found) return count;
    i = (size_t)(found - bytes);
    if (count - i < 2) return last ? count : i;
    if (bytes[i + 1] != 'u') {
      i += 2;
      continue;
    }
    if (count - i < 6) return last ? count : i;
    int code = hex4(bytes + i + 2);
    int half = code >= 0xD800 && code <= 0xDFFF;
    if (half && code < 0xDC00) {
      int pair = second_half(bytes, i + 6, count);
      if (pair < 0 && !last) return i;
      if (pair > 0) {
        i += 12;
        continue;
      }
    }
    if (half) {
      memcpy(bytes + i + 2, "fffd", 4);
      ++*mended;
    }
    i += 6;
  }
}
