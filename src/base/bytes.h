#pragma once

/*
 * Amounts of memory as people write them: "1048576", "64MiB", "64Mi", "1GB".
 * KiB, MiB, GiB and TiB are powers of 1024, KB, MB, GB and TB powers of 1000;
 * upper and lower case are the same, and the B may be left out.
 */

#include <stdint.h>

#include "base/slice.h"

enum bytes_result {
	BYTES_OK = 0,
	BYTES_E_SYNTAX,   /* not a whole number in front */
	BYTES_E_UNIT,     /* something else behind it */
	BYTES_E_TOO_MANY, /* 2^63 or more */
};

/* Longest text with its NUL. */
enum { BYTES_TEXT_BYTES = 24 };

enum bytes_result bytes_parse(struct slice text, uint64_t *ret_bytes);

/* What is wrong and what would be right, to follow a colon. */
const char *bytes_error(enum bytes_result result);

/*
 * In the largest power of 1024 that leaves a whole number. Writes a
 * NUL-terminated text into `text` and returns it without the NUL.
 */
struct slice bytes_format(uint64_t bytes, char text[static BYTES_TEXT_BYTES]);
