#pragma once

/*
 * A whole head, checked by head_scan, becomes a request.
 *
 * The request line is read here, since llhttp knows a list of methods and
 * weir takes any token for one. The header lines are llhttp's. How long the
 * body is, is decided here again, strictly: where two readers of a request
 * could disagree, it is refused (RFC 9112, section 6.3).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "http/exchange.h"
#include "http/refusal.h"

/* What of the head concerns the connection rather than the handler. */
struct http_head {
	bool keep_alive;
	bool wants_continue;
	bool chunked;
	uint64_t length; /* of the body, when it is not chunked */
};

/*
 * Fills in the request but for body, wire_bytes and began_ns; all of it lies
 * in the text or the arena. After a refusal, minor and method are good.
 */
enum http_refusal http_request_parse(struct http_request *request, struct arena *arena,
		struct slice text, struct http_head *ret_head);
