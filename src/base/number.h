#pragma once

/*
 * Sample values as the text format spells them: what Go's ParseFloat takes,
 * without hexadecimal and underscores (expfmt), and Go's shortest 'g' form.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum { NUMBER_TEXT_MAX = 32 };

/*
 * Whether the text is a float: [+-]digits[.digits][e[+-]digits] with at least
 * one digit before the exponent, [+-]Inf, [+-]Infinity or NaN in any case,
 * within the range of a double (too small is fine, too large is not).
 */
bool number_is_float(struct slice text);

/* The value of a text for which number_is_float() holds. */
double number_value(struct slice text);

/* A decimal int64 with optional sign, as Go's ParseInt(s, 10, 64). */
bool number_parse_int(struct slice text, int64_t *ret_value);

/*
 * Go's strconv 'g' with the shortest digits that read back the same:
 * 0.1, 1e-05, 1.5e+06, +Inf, NaN. Returns the length; no NUL is written.
 */
size_t number_format(double value, char ret_text[static NUMBER_TEXT_MAX]);

/*
 * As JavaScript and Prometheus' API have it: the same digits, with an exponent only
 * below 1e-6 and from 1e21 on. 0.1, 1500000, 1e-07, +Inf, NaN.
 */
size_t number_format_plain(double value, char ret_text[static NUMBER_TEXT_MAX]);

/* Whether the text is a uint64 as number_format_uint() writes it. */
bool number_is_uint(struct slice text);

/* Decimal digits of an unsigned integer. Returns the length; no NUL. */
size_t number_format_uint(uint64_t value, char ret_text[static NUMBER_TEXT_MAX]);

/*
 * As Go converts a float64 to uint64 on amd64: truncated; negative values wrap
 * around, NaN and what is out of range become 2^63.
 */
uint64_t number_to_uint(double value);
