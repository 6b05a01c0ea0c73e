#pragma once

/*
 * The head of an answer.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "http/date.h"
#include "http/exchange.h"

/* How the client finds the end of the body. */
enum http_framing {
	FRAMING_NONE, /* there is none, and none is announced: 1xx, 204, 304 */
	FRAMING_LENGTH,
	FRAMING_CHUNKS,
	FRAMING_CLOSE, /* it ends with the connection */
};

/* By status, version and kind of body; that of the body a HEAD does not get, too. */
enum http_framing http_response_framing(const struct exchange *exchange);

/* Appends the head. keeps: the connection is kept after this answer. */
void http_response_write_head(
		struct buf *out, struct http_date *date, const struct exchange *exchange, bool keeps);

/* "Not Found"; "" for a status without one. */
const char *http_status_phrase(int status);
