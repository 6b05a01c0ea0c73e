#pragma once

/*
 * Writes JSON as Pushgateway's API has it: compact, `<`, `>` and `&` escaped,
 * what is not UTF-8 replaced, numbers as strings in Go's shortest form.
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* "text" */
void json_append_string(struct buf *out, struct slice text);

/* "text" of an escaped label value or help text: \\ \" \n undone. */
void json_append_escaped(struct buf *out, struct slice escaped);

/* "1.5e+10" of a sample's value. */
void json_append_value(struct buf *out, struct slice value);

/* "2026-11-20T07:55:40.637187111Z" */
void json_append_time(struct buf *out, int64_t unix_ns);
