#pragma once

/*
 * Writes JSON as Pushgateway's API has it: compact, `<`, `>` and `&` escaped,
 * what is not UTF-8 replaced, numbers as strings in Go's shortest form. That of
 * Prometheus differs in the last.
 */

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* Whose API it is: numbers are spelled otherwise. */
enum json_dialect {
	JSON_PUSHGATEWAY, /* 1.5e+10 */
	JSON_PROMETHEUS,  /* 15000000000 */
};

/* "text" */
void json_append_string(struct buf *out, struct slice text);

/* "text" of an escaped label value or help text: \\ \" \n undone. */
void json_append_escaped(struct buf *out, struct slice escaped);

/* "1.5e+10" of a sample's value. */
void json_append_value(struct buf *out, struct slice value);

/* The same of a number, or of a sample's value, in whatever spelling. */
void json_append_number(struct buf *out, double number, enum json_dialect dialect);
void json_append_value_as(struct buf *out, struct slice value, enum json_dialect dialect);

/* "2026-11-20T07:55:40.637187111Z" */
void json_append_time(struct buf *out, int64_t unix_ns);
