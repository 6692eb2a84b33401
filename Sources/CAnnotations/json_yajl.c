// JSON events by yajl.
#ifdef HAS_YAJL
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "json_reader.h"

typedef struct state {
  je_parser *parser;
  yajl_handle handle;
  size_t position;  // where it stands after the handle is done with a window
  int inside;       // whether the handle is at work
} state;

static size_t position(const void *opaque) {
  const state *s = opaque;
  return s->inside ? yajl_get_bytes_consumed(s->handle) : s->position;
}

static int deliver(void *context, je_kind kind, const char *text, size_t length) {
  state *s = context;
  return je_deliver(s->parser, kind, text, length);
}

static int on_null(void *c) { return deliver(c, JE_NULL, NULL, 0); }
static int on_boolean(void *c, int value) { return deliver(c, value ? JE_TRUE : JE_FALSE, NULL, 0); }
static int on_number(void *c, const char *text, size_t n) { return deliver(c, JE_NUMBER, text, n); }
static int on_string(void *c, const unsigned char *text, size_t n) { return deliver(c, JE_STRING, (const char *)text, n); }
static int on_key(void *c, const unsigned char *text, size_t n) { return deliver(c, JE_KEY, (const char *)text, n); }
static int on_begin_object(void *c) { return deliver(c, JE_BEGIN_OBJECT, NULL, 0); }
static int on_end_object(void *c) { return deliver(c, JE_END_OBJECT, NULL, 0); }
static int on_begin_array(void *c) { return deliver(c, JE_BEGIN_ARRAY, NULL, 0); }
static int on_end_array(void *c) { return deliver(c, JE_END_ARRAY, NULL, 0); }

static const yajl_callbacks callbacks = {
    .yajl_null = on_null, .yajl_boolean = on_boolean, .yajl_number = on_number, .yajl_string = on_string,
    .yajl_start_map = on_begin_object, .yajl_map_key = on_key, .yajl_end_map = on_end_object,
    .yajl_start_array = on_begin_array, .yajl_end_array = on_end_array,
};

static void *create(je_parser *parser) {
  state *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->parser = parser;
  s->handle = yajl_alloc(&callbacks, NULL, s);
  if (!s->handle) {
    free(s);
    return NULL;
  }
  yajl_config(s->handle, yajl_dont_validate_strings, 1);  // je_parse has done so, more strictly
  return s;
}

static void destroy(void *opaque) {
  state *s = opaque;
  yajl_free(s->handle);
  free(s);
}

// Takes over yajl's sentence, one line without its kind's repetition.
static void explain(state *s, yajl_status status) {
  if (status == yajl_status_client_canceled || s->parser->failed) return;
  unsigned char *text = yajl_get_error(s->handle, 0, NULL, 0);
  if (text) text[strcspn((char *)text, "\n")] = 0;
  je_fail(s->parser, s->position, text ? (const char *)text : "no JSON");
  if (text) yajl_free_error(s->handle, text);
}

static long parse(void *opaque, char *bytes, size_t count, int last) {
  state *s = opaque;
  s->inside = 1;
  yajl_status status = count ? yajl_parse(s->handle, (const unsigned char *)bytes, count) : yajl_status_ok;
  s->position = count ? yajl_get_bytes_consumed(s->handle) : 0;
  s->inside = 0;
  if (status == yajl_status_ok && last) {
    s->position = count;  // what a number waited for
    status = yajl_complete_parse(s->handle);
  }
  if (status != yajl_status_ok) {
    explain(s, status);
    return -1;
  }
  s->position = 0;
  return (long)count;
}

const je_backend je_yajl = {create, destroy, parse, position};
#endif
