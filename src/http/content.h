#pragma once

/*
 * Content codings of request bodies: Content-Encoding undone. What is done to
 * responses is in coded_body.h.
 *
 * The header is compared whole, so "gzip, gzip" is no coding we know, and a
 * body with an unknown one is taken as it is: both as Pushgateway does. To add
 * a coding: an enum value, a function, a row in content.c.
 *
 * Works on any thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

enum http_coding {
	HTTP_CODING_IDENTITY,
	HTTP_CODING_GZIP,
	HTTP_CODING_SNAPPY, /* framed */
	HTTP_CODING_ZSTD,
	HTTP_CODING_COUNT,
};

enum http_content_result {
	HTTP_CONTENT_OK = 0,
	HTTP_CONTENT_E_TOO_LARGE, /* larger than allowed when decoded: 413 */
	HTTP_CONTENT_E_CORRUPT,   /* 400; the text says what is wrong */
};

/* By the header's value; identity when it is absent or not known. */
enum http_coding http_coding_by_name(struct slice content_encoding);

/* "gzip" ... */
struct slice http_coding_name(enum http_coding coding);

/*
 * Whether the body begins as its coding demands: for gzip with a header. The
 * text says what is wrong; it ends with a newline.
 */
bool http_content_begins(enum http_coding coding, struct slice body, struct slice *reterr_text);

/*
 * Puts the decoded body into a buf that is empty and has no cap of its own.
 * Stops as soon as it gets longer than the limit. `error` receives the text
 * of the answer when the result is not OK; it ends with a newline.
 */
enum http_content_result http_content_decode(enum http_coding coding, struct slice body,
		size_t limit_bytes, struct buf *decoded, struct buf *error);
