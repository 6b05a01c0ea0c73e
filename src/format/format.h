#pragma once

/*
 * Formats: the Prometheus expositions, one file per format and direction. A
 * decoder takes bytes and fills a batch; it knows no store and no socket.
 *
 * To add one: one file here, one row in api/push.c, one unit test, one fuzz
 * target with its corpus, one page in docs/formats/. Nothing else changes.
 */

#include <stddef.h>

#include "base/arena.h"
#include "base/slice.h"
#include "model/batch.h"

enum format_result {
	FORMAT_OK,
	FORMAT_E_SYNTAX, /* the body is not in this format */
	FORMAT_E_LIMIT,  /* it is, but has more of something than is allowed */
};

enum format_limit {
	FORMAT_LIMIT_SAMPLES,
	FORMAT_LIMIT_LABELS,
	FORMAT_LIMIT_LABEL_BYTES,
};

struct format_limits {
	size_t samples;     /* in one body */
	size_t labels;      /* of one sample */
	size_t label_bytes; /* of one label's name or value */
};

struct format_error {
	size_t line;             /* from 1 */
	size_t column;           /* in bytes, from 1: where the caret points */
	struct slice line_text;  /* the offending line, within the body */
	struct slice what;       /* in the decoder's arena */
	enum format_limit limit; /* which, for FORMAT_E_LIMIT */
};

/*
 * The line with a caret under the place, cut to what a terminal shows and made
 * printable:
 *
 *     m{a=b} 1
 *         ^
 */
struct slice format_error_excerpt(const struct format_error *error, struct arena *arena);
