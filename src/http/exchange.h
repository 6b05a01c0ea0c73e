#pragma once

/*
 * One request and its answer.
 *
 * A handler gets an exchange when its request is whole, fills in the response
 * and calls exchange_answer(), at once or later on the loop thread. Until then
 * the exchange, its arena and the request's bytes stay, even when the client
 * has gone away meanwhile.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/slice.h"
#include "http/body.h"

struct http_input;
struct http_server;
struct http_session;

enum http_method {
	METHOD_DELETE,
	METHOD_GET,
	METHOD_HEAD,
	METHOD_OPTIONS,
	METHOD_PATCH,
	METHOD_POST,
	METHOD_PUT,
	METHOD_OTHER, /* one that weir has no use for; method_name tells which */
};

struct http_header {
	struct slice name;  /* as sent */
	struct slice value; /* without the blanks around it */
};

struct http_request {
	enum http_method method;
	struct slice method_name;
	struct slice target;   /* as sent */
	struct slice path;     /* of the target, percent-decoded; "*" for OPTIONS *,
	                        * empty for CONNECT host:port */
	struct slice raw_path; /* the same as sent */
	struct slice query;    /* of the target after the first '?', as sent */
	uint8_t minor;         /* 0 or 1: HTTP/1.minor */
	struct http_header *headers;
	size_t header_count;
	struct slice body; /* as sent, only the transfer coding undone */
	size_t wire_bytes; /* head and body as they came over the wire */
	uint64_t began_ns; /* monotonic clock, when its first byte was parsed */
};

struct http_response {
	int status;
	struct slice content_type; /* empty: none is sent */
	struct buf fields;         /* further header lines, each ended by CRLF */
	struct slice body;         /* static, or in the exchange's arena */
	struct http_body *stream;  /* instead of body: produced in pieces; owned */
	bool close;                /* the connection ends after this answer */
};

/* What the http room keeps with an exchange; nobody else's business. */
struct exchange_wire {
	struct http_server *server;
	struct buf head;          /* as it came; method, target and headers point into it */
	struct buf body;          /* when it did not lie in one piece in the input */
	struct http_input *input; /* where it does; held on to */
	bool is_handed;           /* to on_request, which owes an answer */
	bool keep_alive;          /* as the client would have it */
	bool wants_continue;      /* waits for 100 Continue before it sends the body */
	bool awaits_admission;    /* see exchange_admit() */
};

struct exchange {
	struct list link;             /* in its session's exchanges, or the server's spares */
	struct http_session *session; /* NULL once the client is gone */
	struct arena arena;
	struct http_request request;
	struct http_response response;
	void *handler_data; /* for whoever handles it */
	unsigned denied;    /* what who asks may not do; whoever let the request in says so */
	bool answered;
	struct exchange_wire wire;
};

/* The value of the first header of that name (any case); ptr NULL when absent. */
struct slice exchange_header(const struct exchange *exchange, struct slice name);

/* How many headers of that name were sent. */
size_t exchange_count_headers(const struct exchange *exchange, struct slice name);

/* The raw value of the first `name=value` in the query; ptr NULL when absent. */
struct slice exchange_query_parameter(const struct exchange *exchange, struct slice name);

/* The one before it on its connection, which is not written yet; NULL: there is none. */
struct exchange *exchange_before(const struct exchange *exchange);

/* Adds a header line to the response. */
void exchange_add_field(struct exchange *exchange, struct slice name, struct slice value);

/* The same, unless there is one of that name, which an operator may have set for all answers. */
void exchange_add_missing_field(struct exchange *exchange, struct slice name, struct slice value);

/*
 * Sets status and a text/plain body with `X-Content-Type-Options: nosniff`,
 * as Go's http.Error does. The text goes out as it is: end it with a newline
 * where the contract wants one.
 */
void exchange_set_error(struct exchange *exchange, int status, struct slice text);

/*
 * Lets in a request that http_server::admit() put off: its body is read, and it
 * goes to the handler. The exchange may be gone when this returns.
 */
void exchange_admit(struct exchange *exchange);

/*
 * The response is complete. It is sent when the answers before it on the same
 * connection are. The exchange may be gone when this returns.
 */
void exchange_answer(struct exchange *exchange);
