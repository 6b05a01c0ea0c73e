#pragma once

/*
 * Formats: the Prometheus expositions, one file per format and direction. A
 * decoder takes bytes and fills a batch; it knows no store and no socket.
 *
 * To add one: one file here, one row in format.c, one unit test, one fuzz
 * target with its corpus, one page in docs/formats/. Nothing else changes.
 */

#include <stdbool.h>
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

struct format_options {
	size_t samples;     /* most in one body */
	size_t labels;      /* most of one sample */
	size_t label_bytes; /* most of one label's name or value */
	bool utf8_names;    /* names in quotes may be any UTF-8 */
};

struct format_error {
	size_t line;             /* from 1; 0 in a binary format */
	size_t column;           /* in bytes, from 1: where the caret points */
	struct slice line_text;  /* the offending line, within the body */
	size_t offset;           /* bytes from the body's start, in a binary format */
	struct slice what;       /* in the decoder's arena */
	struct slice hint;       /* what would be right; ptr NULL: nothing more to say */
	enum format_limit limit; /* which, for FORMAT_E_LIMIT */
};

/*
 * A decoder fills the batch with samples in the order in which they will be
 * exposed: one metric's samples together, bounds first, then sum, then count.
 * The batch lives in the arena and in the body. On failure it is to be dropped.
 *
 * What is wrong with the body as such is a FORMAT_E_SYNTAX. What is wrong with
 * one sample that could be read goes along as its problem or as the batch's
 * fault, to be refused when it is checked against what is stored.
 */
typedef enum format_result format_decode(struct slice body, const struct format_options *options,
		struct arena *arena, struct batch *ret_batch, struct format_error *reterr_error);

enum format_id {
	FORMAT_TEXT,
	FORMAT_OPENMETRICS,
	FORMAT_PROTOBUF,
	FORMAT_COUNT,
};

struct format {
	const char *name; /* as on weir's command line */
	format_decode *decode;
	/* A refused push is answered with this, and with the line where there is one. */
	const char *error_prefix;
};

extern const struct format formats[FORMAT_COUNT];

/*
 * What a push that could not be parsed is answered with: what is wrong and
 * where, the line with a caret, and what would be right. No line feed at the
 * end.
 */
struct slice format_error_text(
		const struct format *format, const struct format_error *error, struct arena *arena);

/*
 * The line with a caret under the place, cut to what a terminal shows and made
 * printable:
 *
 *     m{a=b} 1
 *         ^
 */
struct slice format_error_excerpt(const struct format_error *error, struct arena *arena);
