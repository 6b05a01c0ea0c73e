#pragma once

/*
 * What all connections share: the handler, the limits, the counters, the
 * cached Date, and the memory of requests to come.
 *
 * A spare exchange keeps its first arena block and small buffers, so that a
 * small request allocates nothing. Everything is touched on one thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "http/counters.h"
#include "http/date.h"
#include "http/input.h"

struct exchange;

struct http_limits {
	size_t header_bytes; /* request line and headers */
	size_t body_bytes;   /* as sent, the transfer coding undone */
	size_t connections;
	size_t window; /* unanswered requests on one connection; 0 stands for 32 */
};

struct http_server {
	/*
	 * The head is read, nothing else yet: is the request let in? Asked once
	 * for each; may be NULL. True: go on. False: it has its answer, or gets
	 * one later, or is let in later by exchange_admit(); meanwhile nothing
	 * more is read of its connection.
	 */
	bool (*admit)(void *data, struct exchange *exchange);
	void *admit_data;
	/*
	 * The head is read and a body is to come; may be NULL. It may answer, and
	 * then the body is thrown away (a small one) or the connection ends
	 * (after any other). If it does not, it keeps nothing of the exchange.
	 */
	void (*on_head)(void *data, struct exchange *exchange);
	/* The request is whole; answered now or later with exchange_answer(). */
	void (*on_request)(void *data, struct exchange *exchange);
	void *data;

	struct http_limits limits;
	struct http_counters counters;
	bool draining; /* set at shutdown: every answer ends its connection */
	bool frozen;   /* no request is begun, also none that is there already */

	/* The http room's own. */
	struct http_date date;
	struct http_inputs inputs;
	struct list spares; // exchange::link
	size_t spare_count;
	size_t exchange_count; /* in use */
	size_t unanswered;     /* of those, handed to on_request */
};

void http_server_init(struct http_server *server, const struct http_limits *limits);

/* Every exchange must have been answered by now. */
void http_server_finish(struct http_server *server);

/* An empty exchange. */
struct exchange *http_server_take(struct http_server *server);

/* Closes its stream if it has one, and keeps the memory for the next. */
void http_server_give_back(struct http_server *server, struct exchange *exchange);
