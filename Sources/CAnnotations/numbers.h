// Numbers of JSON texts.
#pragma once
#include <stddef.h>
#include <stdint.h>

// The double next to a number written as JSON has it. Returns 0 where it is not finite.
int ca_to_double(const char *text, size_t length, double *value);

// An integer, also one written 1.0 or 1e3 of at most 2^53. Returns 0 for others and for those past 64 bits.
int ca_to_integer(const char *text, size_t length, int64_t *value);

// The integer of a JSON value: of a number as above, or of a text of digits, as some exporters write them ("9",
// "000000000009"). Returns 0 for others. `kind` is a je_kind.
int ca_value_to_integer(int kind, const char *text, size_t length, int64_t *value);

// Copies the beginning of what a number, text or word looks like.
void ca_show(char *found, size_t room, int is_text, const char *text, size_t length);

// What to call a value that is not shown itself.
const char *ca_kind_name(int kind);
