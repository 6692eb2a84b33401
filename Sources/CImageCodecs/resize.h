// The passes of a resize by products of bytes, on processors that have them.
#pragma once

#include "image_codecs.h"

int ic_has_byte_products(void);

// As `ic_resample_columns`, of a multiple of 4 rows with 16 bytes behind them. Returns whether it could: not with
// thousands of taps.
int ic_byte_columns(const uint8_t *src, size_t row_bytes, size_t rows, uint8_t *dst, size_t dst_width,
                    const int32_t *starts, const int32_t *counts, const int32_t *weights, size_t taps);

// One row of `ic_resample_rows`, from its first input row on.
int ic_byte_row(const uint8_t *src, size_t row_bytes, uint8_t *dst, int32_t count, const int32_t *weights,
                size_t taps);
