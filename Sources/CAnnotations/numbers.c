#include "numbers.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_events.h"

// Powers of ten that a double holds exactly.
static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

int ca_to_double(const char *text, size_t length, double *value) {
  // Up to 2^53 over an exact power of ten: one division of two exact numbers, so the nearest double (Clinger 1990).
  size_t i = length && text[0] == '-';
  uint64_t digits = 0;
  size_t positions = 0, after_point = 0, point = 0;
  for (; i < length && positions < 16; i++) {
    unsigned digit = (unsigned char)text[i] - (unsigned)'0';
    if (digit <= 9) {
      digits = digits * 10 + digit;
      positions++;
      after_point += point;
    } else if (text[i] == '.') {
      point = 1;
    } else {
      break;
    }
  }
  if (i == length && digits <= (uint64_t)1 << 53) {
    double magnitude = (double)digits / powers[after_point];
    *value = text[0] == '-' ? -magnitude : magnitude;
    return 1;
  }
  char copy[512];
  if (length >= sizeof copy) return 0;
  memcpy(copy, text, length);
  copy[length] = 0;
  *value = strtod(copy, NULL);
  return isfinite(*value);
}

int ca_to_integer(const char *text, size_t length, int64_t *value) {
  int negative = length && text[0] == '-';
  int64_t whole = 0;
  size_t i = (size_t)negative;
  for (; i < length && text[i] >= '0' && text[i] <= '9'; i++) {
    int digit = text[i] - '0';
    if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_sub_overflow(whole, digit, &whole)) return 0;
  }
  if (i == length) {  // held negative, so that the lowest number fits
    if (!negative && whole == INT64_MIN) return 0;
    *value = negative ? whole : -whole;
    return 1;
  }
  double number;
  if (!ca_to_double(text, length, &number) || number != floor(number) || fabs(number) > 9007199254740992.0) return 0;
  *value = (int64_t)number;
  return 1;
}

int ca_value_to_integer(int kind, const char *text, size_t length, int64_t *value) {
  if (kind == JE_NUMBER) return ca_to_integer(text, length, value);
  size_t sign = length && text[0] == '-', i = sign;
  while (i < length && text[i] >= '0' && text[i] <= '9') i++;
  return kind == JE_STRING && i == length && i > sign && ca_to_integer(text, length, value);
}

void ca_show(char *found, size_t room, int is_text, const char *text, size_t length) {
  size_t quotes = is_text ? 2 : 0;
  const char *mark = is_text ? "\"" : "";
  if (length + quotes < room) {
    snprintf(found, room, "%s%.*s%s", mark, (int)length, text, mark);
    return;
  }
  size_t shown = room - 1 - quotes - strlen("…");
  while (shown && ((unsigned char)text[shown] & 0xC0) == 0x80) shown--;  // whole characters
  snprintf(found, room, "%s%.*s…%s", mark, (int)shown, text, mark);
}

const char *ca_kind_name(int kind) {
  switch (kind) {
    case JE_NULL: return "null";
    case JE_FALSE: return "false";
    case JE_TRUE: return "true";
    case JE_NUMBER: return "a number";
    case JE_STRING: return "a text";
    case JE_BEGIN_OBJECT: return "an object";
    case JE_BEGIN_ARRAY: return "a list";
    default: return "nothing";
  }
}
