// See masks.h. The rules are those of pycocotools, whose masks the published results were computed with.
#include "masks.h"

#include <stdlib.h>
#include <string.h>

// One product and one sum are two roundings, here as there.
#pragma STDC FP_CONTRACT OFF

// A walk along an outline on a grid five times as fine as the pixels.
typedef struct walk {
  uint64_t *turns;  // bits where a column changes between inside and outside
  long height, width;
  long first, last;  // words that were touched
  int u, v, begun;
} walk;

// Notes where the way from the present point to (u, v) in the next fine column crosses the middle of a pixel's column.
static void cross(walk *w, int u, int v) {
  int left = u < w->u ? u : u - 1;
  if (left < 2 || left % 5 != 2) return;  // not the middle one of five
  long column = left / 5;
  if (column >= w->width) return;
  int low = v < w->v ? v : w->v;
  long row = low <= 2 ? 0 : (low + 2L) / 5;  // the first pixel whose middle is not above
  if (row > w->height) row = w->height;
  long bit = column * w->height + row, word = bit / 64;
  w->turns[word] ^= (uint64_t)1 << bit % 64;
  if (word < w->first) w->first = word;
  if (word > w->last) w->last = word;
}

static inline void visit(walk *w, int u, int v) {
  if (w->begun && u != w->u) cross(w, u, v);
  w->u = u;
  w->v = v;
  w->begun = 1;
}

// Visits the fine points from (xs, ys) to (xe, ye), both included. Truncation is towards zero, so an edge is computed from its
// lower end in either direction.
static void walk_edge(walk *w, int xs, int ys, int xe, int ye) {
  int dx = abs(xe - xs), dy = abs(ye - ys);
  if (dx >= dy) {
    int back = xs > xe;
    int from = back ? xe : xs, level = back ? ye : ys, rise = back ? ys - ye : ye - ys;
    double slope = dx ? (double)rise / dx : 0;
    for (int d = 0; d <= dx; d++) {
      int t = back ? dx - d : d;
      visit(w, from + t, (int)(level + slope * t + .5));
    }
  } else {
    int back = ys > ye;
    int from = back ? ye : ys, level = back ? xe : xs, run = back ? xs - xe : xe - xs;
    double slope = (double)run / dy;
    for (int d = 0; d <= dy; d++) {
      int t = back ? dy - d : d;
      visit(w, (int)(level + slope * t + .5), from + t);
    }
  }
}

// Sets all bits behind an odd number of turns in the mask and clears the turns.
static void fill(uint64_t *mask, walk *w, ca_mask_size size) {
  long words = ca_mask_words(size), pixels = size.height * size.width;
  uint64_t inside = 0;
  for (long i = w->first; i < words && (i <= w->last || inside); i++) {
    uint64_t bits = w->turns[i];
    w->turns[i] = 0;
    for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    bits ^= inside;
    inside = bits >> 63 ? ~(uint64_t)0 : 0;
    if (i == words - 1) bits &= ((uint64_t)1 << pixels % 64) - 1;
    mask[i] |= bits;
  }
}

ca_mask_status ca_mask_add_polygon(
    uint64_t *mask, ca_mask_size size, const double *xy, long points, uint64_t *scratch, long *steps) {
  walk w = {.turns = scratch, .height = size.height, .width = size.width, .first = ca_mask_words(size), .last = -1};
  int startX = (int)(5 * xy[0] + .5), startY = (int)(5 * xy[1] + .5), x = startX, y = startY;
  ca_mask_status status = CA_MASK_OK;
  for (long i = 1; i <= points; i++) {
    int nextX = i < points ? (int)(5 * xy[2 * i] + .5) : startX;
    int nextY = i < points ? (int)(5 * xy[2 * i + 1] + .5) : startY;
    int dx = abs(nextX - x), dy = abs(nextY - y);
    *steps += (dx > dy ? dx : dy) + 1;
    if (*steps > 5L * ca_longest_outline) {
      status = CA_MASK_TOO_LONG;
      break;
    }
    walk_edge(&w, x, y, nextX, nextY);
    x = nextX;
    y = nextY;
  }
  fill(mask, &w, size);
  return status;
}

// Sets the bits from…to - 1.
static void set_bits(uint64_t *mask, int64_t from, int64_t to) {
  if (from >= to) return;
  int64_t first = from / 64, last = (to - 1) / 64;
  uint64_t head = ~(uint64_t)0 << from % 64, tail = ~(uint64_t)0 >> (63 - (to - 1) % 64);
  if (first == last) {
    mask[first] |= head & tail;
    return;
  }
  mask[first] |= head;
  memset(mask + first + 1, 0xFF, (size_t)(last - first - 1) * sizeof *mask);
  mask[last] |= tail;
}

ca_mask_status ca_mask_set_counts(uint64_t *mask, ca_mask_size size, const int64_t *counts, long n, int64_t *at) {
  int64_t pixels = (int64_t)size.height * size.width, position = 0;
  for (long i = 0; i < n; i++) {
    if (counts[i] < 0 || counts[i] > pixels - position) {
      if (__builtin_add_overflow(position, counts[i], at)) *at = INT64_MAX;
      return CA_MASK_SUM;
    }
    if (i % 2) set_bits(mask, position, position + counts[i]);
    position += counts[i];
  }
  *at = position;
  return position == pixels ? CA_MASK_OK : CA_MASK_SUM;
}

ca_mask_status ca_mask_set_compressed(uint64_t *mask, ca_mask_size size, const char *text, long n, int64_t *at) {
  int64_t pixels = (int64_t)size.height * size.width, position = 0;
  int64_t earlier[2] = {0, 0};  // the two counts before
  long index = 0;
  for (long i = 0; i < n; index++) {
    int64_t count = 0;
    int shift = 0, bits;
    do {
      if (shift == 30) return *at = index, CA_MASK_LONG_COUNT;
      if (i == n) return CA_MASK_UNTERMINATED;
      bits = (unsigned char)text[i] - 48;
      if (bits < 0 || bits > 63) return *at = i, CA_MASK_CHARACTER;
      count |= (int64_t)(bits & 31) << shift;
      shift += 5;
      i++;
    } while (bits & 32);
    if (bits & 16) count -= (int64_t)1 << shift;
    if (index > 2) count += earlier[index % 2];
    if (count < 0 || count > pixels - position) return *at = position + count, CA_MASK_SUM;
    if (index % 2) set_bits(mask, position, position + count);
    position += count;
    earlier[index % 2] = count;
  }
  *at = position;
  return position == pixels ? CA_MASK_OK : CA_MASK_SUM;
}

long ca_mask_area(const uint64_t *mask, ca_mask_size size) {
  long area = 0;
  for (long i = 0; i < ca_mask_words(size); i++) area += __builtin_popcountll(mask[i]);
  return area;
}

// The first bit from `position` on that is `set`, or `end`.
static long find(const uint64_t *mask, long position, long end, int set) {
  if (position >= end) return end;
  uint64_t flip = set ? 0 : ~(uint64_t)0;
  long word = position / 64;
  uint64_t bits = (mask[word] ^ flip) & ~(uint64_t)0 << position % 64;
  while (!bits) {
    if (++word * 64 >= end) return end;
    bits = mask[word] ^ flip;
  }
  long found = word * 64 + __builtin_ctzll(bits);
  return found < end ? found : end;
}

long ca_mask_runs(const uint64_t *mask, ca_mask_size size, uint32_t *runs, long room) {
  long pixels = size.height * size.width, position = 0, count = 0;
  int set = 0;
  while (position < pixels || count == 0) {
    long next = find(mask, position, pixels, !set);
    if (count < room) runs[count] = (uint32_t)(next - position);
    count++;
    position = next;
    set = !set;
  }
  return count;
}

void ca_mask_paint(const uint64_t *mask, ca_mask_size size, uint8_t label, uint8_t *map) {
  long pixels = size.height * size.width;
  for (long from = find(mask, 0, pixels, 1); from < pixels;) {
    long to = find(mask, from, pixels, 0);
    memset(map + from, label, (size_t)(to - from));
    from = find(mask, to, pixels, 1);
  }
}

void ca_transpose(const uint8_t *columns, ca_mask_size size, uint8_t *rows) {
  enum { SIDE = 64 };  // a block of either map stays in the first cache
  for (long top = 0; top < size.height; top += SIDE)
    for (long left = 0; left < size.width; left += SIDE) {
      long bottom = top + SIDE < size.height ? top + SIDE : size.height;
      long right = left + SIDE < size.width ? left + SIDE : size.width;
      for (long y = top; y < bottom; y++)
        for (long x = left; x < right; x++) rows[y * size.width + x] = columns[x * size.height + y];
    }
}
