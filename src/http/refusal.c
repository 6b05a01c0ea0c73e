#include "http/refusal.h"

#include "http/exchange.h"
#include "http/server.h"

struct row {
	int status;
	const char *text;
	const char *setting;   /* after the text, with its value */
	size_t limit_offset;   /* of the setting in struct http_limits */
	size_t counter_offset; /* in struct http_counters */
};

#define COUNTER(name) offsetof(struct http_counters, name)
#define LIMIT(name) offsetof(struct http_limits, name)

/* The first texts are those of Go's net/http, which clients of a Pushgateway know. */
static const struct row rows[] = {
	[REFUSAL_SYNTAX] = { 400, "400 Bad Request", .counter_offset = COUNTER(bad_requests) },
	[REFUSAL_NO_HOST] = { 400, "400 Bad Request: missing required Host header",
			.counter_offset = COUNTER(bad_requests) },
	[REFUSAL_TWO_HOSTS] = { 400, "400 Bad Request: too many Host headers",
			.counter_offset = COUNTER(bad_requests) },
	[REFUSAL_VERSION] = { 505, "505 HTTP Version Not Supported: unsupported protocol version",
			.counter_offset = COUNTER(unsupported) },
	[REFUSAL_EXPECTATION] = { 417, "", .counter_offset = COUNTER(unsupported) },
	[REFUSAL_TRANSFER_ENCODING] = { 501, "Unsupported transfer encoding",
			.counter_offset = COUNTER(unsupported) },
	[REFUSAL_CHUNK_LENGTH] = { 400, "invalid byte in chunk length\n",
			.counter_offset = COUNTER(bad_requests) },
	[REFUSAL_CHUNK_SYNTAX] = { 400, "malformed chunked encoding\n",
			.counter_offset = COUNTER(bad_requests) },
	[REFUSAL_HEAD_TOO_LARGE] = { 431, "the request's line and headers are larger than",
			"--limit.header-bytes", LIMIT(header_bytes), COUNTER(headers_too_large) },
	[REFUSAL_BODY_TOO_LARGE] = { 413, "the request's body is larger than", "--limit.body-bytes",
			LIMIT(body_bytes), COUNTER(bodies_too_large) },
	[REFUSAL_HEAD_TIMEOUT] = { 408,
			"the request's line and headers did not arrive in time (--timeout.header)\n",
			.counter_offset = COUNTER(head_timeouts) },
	[REFUSAL_BODY_TIMEOUT] = { 408, "the request's body did not arrive in time (--timeout.body)\n",
			.counter_offset = COUNTER(body_timeouts) },
	[REFUSAL_CONNECTIONS] = { 503, "there are more connections than", "--limit.connections",
			LIMIT(connections), COUNTER(connections_refused) },
};

static void set_text(
		struct exchange *exchange, const struct row *row, const struct http_limits *limits)
{
	struct slice text = slice_of_string(row->text);
	if (row->setting != NULL) {
		size_t limit;
		memcpy(&limit, (const char *)limits + row->limit_offset, sizeof(limit));
		text = arena_printf(
				&exchange->arena, "%s the limit of %zu (%s)\n", row->text, limit, row->setting);
	}
	exchange->response.body = text;
	if (text.len != 0) {
		exchange->response.content_type = SLICE("text/plain; charset=utf-8");
	}
}

void http_refusal_answer(enum http_refusal refusal, struct exchange *exchange,
		const struct http_limits *limits, struct http_counters *counters)
{
	const struct row *row = &rows[refusal];
	exchange->response.status = row->status;
	exchange->response.close = true;
	set_text(exchange, row, limits);

	uint64_t count;
	char *counter = (char *)counters + row->counter_offset;
	memcpy(&count, counter, sizeof(count));
	count++;
	memcpy(counter, &count, sizeof(count));
}
