#pragma once

/*
 * Requests that never reach a handler: each reason has a status, a sentence
 * and a counter, in one table. The connection ends after such an answer.
 */

#include "http/counters.h"

struct exchange;
struct http_limits;

enum http_refusal {
	REFUSAL_NONE = 0,
	REFUSAL_SYNTAX,  /* not HTTP, or HTTP that may be read in two ways */
	REFUSAL_NO_HOST, /* HTTP/1.1 wants one */
	REFUSAL_TWO_HOSTS,
	REFUSAL_VERSION,           /* neither HTTP/1.0 nor HTTP/1.1 */
	REFUSAL_EXPECTATION,       /* an Expect other than 100-continue */
	REFUSAL_TRANSFER_ENCODING, /* other than chunked */
	REFUSAL_CHUNK_LENGTH,
	REFUSAL_CHUNK_SYNTAX,
	REFUSAL_HEAD_TOO_LARGE,
	REFUSAL_BODY_TOO_LARGE,
	REFUSAL_HEAD_TIMEOUT,
	REFUSAL_BODY_TIMEOUT,
	REFUSAL_CONNECTIONS, /* too many */
};

/* Makes the response this refusal, and counts it. */
void http_refusal_answer(enum http_refusal refusal, struct exchange *exchange,
		const struct http_limits *limits, struct http_counters *counters);
