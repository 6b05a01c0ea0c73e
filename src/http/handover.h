#pragma once

/*
 * Moves a session from one process to another, between requests or in the
 * middle of one. What is half read is written down as bytes that bring a fresh
 * session to the same point when they are fed to it: the head so far, and the
 * body so far, in one chunk if it is chunked. So the two processes need not
 * agree on anything but HTTP.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct http_session;

struct http_handover {
	uint64_t requests;   /* begun before the one that is half read */
	uint64_t skip_bytes; /* of a body that nobody wants, still to come */
	bool continued;      /* 100 Continue was sent, or is not waited for */
};

/*
 * Whether nothing is being answered or written, so that what the client has
 * got is whole, and the client may go on.
 */
bool http_handover_is_possible(const struct http_session *session);

/* Appends what is half read to the bytes. The session stays as it is. */
void http_handover_save(
		const struct http_session *session, struct http_handover *ret_handover, struct buf *bytes);

/* Into a session that was just initialised. Calls handlers, as feeding does. */
void http_handover_load(
		struct http_session *session, const struct http_handover *handover, struct slice bytes);
