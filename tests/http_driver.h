#pragma once

/*
 * Runs bytes through an HTTP session without a socket, with a handler that
 * answers by path, and keeps what it was asked and what went out.
 */

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/memory.h"
#include "http/exchange.h"
#include "http/handover.h"
#include "http/server.h"
#include "http/session.h"

enum { DRIVER_WAITING_MAX = 64, DRIVER_BIG_BYTES = 100000 };

struct driver {
	struct http_server server;
	struct http_session session;
	struct buf log; /* "PUT /path?query [body]\n" for each request */
	struct buf out;
	struct exchange *knocking; /* put off by admit(), at the session or left behind */
	struct exchange *waiting[DRIVER_WAITING_MAX]; /* for driver_answer() */
	size_t waiting_count;
	size_t write_bytes; /* most that one write takes; 0: all */
	int streams_open;
	int wakes;
};

/* "abc", "def" and a large piece, with LATER and FAILED where asked for. */
struct driver_stream {
	struct http_body body;
	struct driver *driver;
	int next;
	int later_at; /* piece before which LATER is said; 0: never */
	int failed_at;
	size_t big_bytes;
	char *big;
	struct slice parts[2];
};

static inline enum http_body_state driver_stream_next(
		struct http_body *body, struct http_piece *ret_piece)
{
	struct driver_stream *stream = LIST_ENTRY(body, struct driver_stream, body);
	if (stream->later_at != 0 && stream->next == stream->later_at) {
		stream->later_at = 0;
		return HTTP_BODY_LATER;
	}
	if (stream->failed_at != 0 && stream->next == stream->failed_at) {
		return HTTP_BODY_FAILED;
	}
	static const struct slice small[] = { { "abc", 3 }, { "", 0 }, { "def", 3 } };
	if (stream->next < 3) {
		stream->parts[0] = small[stream->next];
		*ret_piece = (struct http_piece){ .parts = stream->parts, .count = 1 };
	} else if (stream->next == 3 && stream->big_bytes != 0) {
		stream->parts[0] = slice_make(stream->big, 10);
		stream->parts[1] = slice_make(stream->big + 10, stream->big_bytes - 10);
		*ret_piece = (struct http_piece){ .parts = stream->parts, .count = 2 };
	} else {
		return HTTP_BODY_END;
	}
	stream->next++;
	return HTTP_BODY_PIECE;
}

static inline void driver_stream_close(struct http_body *body)
{
	struct driver_stream *stream = LIST_ENTRY(body, struct driver_stream, body);
	stream->driver->streams_open--;
	free(stream->big);
	free(stream);
}

static inline struct driver_stream *driver_stream_create(struct driver *driver, size_t big_bytes)
{
	struct driver_stream *stream = memory_zalloc(1, sizeof(*stream));
	stream->body.next = driver_stream_next;
	stream->body.close = driver_stream_close;
	stream->driver = driver;
	stream->big_bytes = big_bytes;
	stream->big = memory_alloc(big_bytes + 1);
	memset(stream->big, 's', big_bytes + 1);
	driver->streams_open++;
	return stream;
}

static inline void driver_respond(struct driver *driver, struct exchange *exchange)
{
	struct slice path = exchange->request.path;
	struct http_response *response = &exchange->response;
	response->status = 200;
	if (slice_starts_with(path, SLICE("/404"))) {
		exchange_set_error(exchange, 404, SLICE("404 page not found\n"));
	} else if (slice_starts_with(path, SLICE("/204"))) {
		response->status = 204;
		response->body = SLICE("never sent");
	} else if (slice_starts_with(path, SLICE("/close"))) {
		response->close = true;
	} else if (slice_starts_with(path, SLICE("/big"))) {
		char *big = arena_text(&exchange->arena, DRIVER_BIG_BYTES);
		memset(big, 'b', DRIVER_BIG_BYTES);
		response->body = slice_make(big, DRIVER_BIG_BYTES);
	} else if (slice_starts_with(path, SLICE("/stream"))) {
		bool big = slice_ends_with(path, SLICE("/big"));
		struct driver_stream *stream = driver_stream_create(driver, big ? DRIVER_BIG_BYTES : 0);
		stream->later_at = slice_ends_with(path, SLICE("/later")) ? 2 : 0;
		stream->failed_at = slice_ends_with(path, SLICE("/failed")) ? 2 : 0;
		response->stream = &stream->body;
	}
	exchange_answer(exchange);
}

static inline void driver_on_request(void *data, struct exchange *exchange)
{
	struct driver *driver = data;
	const struct http_request *request = &exchange->request;
	buf_append(&driver->log, request->method_name);
	buf_append_byte(&driver->log, ' ');
	buf_append(&driver->log, request->path);
	buf_append(&driver->log, request->query.len != 0 ? SLICE("?") : SLICE(""));
	buf_append(&driver->log, request->query);
	buf_append(&driver->log, SLICE(" ["));
	buf_append(&driver->log, request->body);
	buf_append(&driver->log, SLICE("]\n"));
	if (slice_starts_with(request->path, SLICE("/wait"))
			&& driver->waiting_count < DRIVER_WAITING_MAX) {
		driver->waiting[driver->waiting_count++] = exchange;
		return;
	}
	driver_respond(driver, exchange);
}

static inline void driver_on_head(void *data, struct exchange *exchange)
{
	if (slice_starts_with(exchange->request.path, SLICE("/early"))) {
		exchange_set_error(exchange, 405, SLICE("Method Not Allowed\n"));
		exchange_answer(exchange);
	}
}

/* "/knock/in" and "/knock/out" are decided later, "/knock/no" at once. */
static inline bool driver_admit(void *data, struct exchange *exchange)
{
	struct driver *driver = data;
	if (!slice_starts_with(exchange->request.path, SLICE("/knock/"))) {
		return true;
	}
	if (slice_starts_with(exchange->request.path, SLICE("/knock/no"))) {
		exchange_set_error(exchange, 401, SLICE("Unauthorized\n"));
		exchange_answer(exchange);
		return false;
	}
	assert(driver->knocking == NULL);
	driver->knocking = exchange;
	return false;
}

/* Decides on the request that was put off. True when there was one. */
static inline bool driver_decide(struct driver *driver)
{
	struct exchange *exchange = driver->knocking;
	driver->knocking = NULL;
	if (exchange == NULL) {
		return false;
	}
	if (slice_starts_with(exchange->request.path, SLICE("/knock/in"))) {
		exchange_admit(exchange);
		return true;
	}
	exchange_set_error(exchange, 401, SLICE("Unauthorized\n"));
	exchange_answer(exchange);
	return true;
}

static inline void driver_on_answer(struct http_session *session)
{
	struct driver *driver = LIST_ENTRY(session, struct driver, session);
	driver->wakes++;
}

static inline void driver_init(struct driver *driver, const struct http_limits *limits)
{
	*driver = (struct driver){ 0 };
	http_server_init(&driver->server, limits);
	driver->server.on_request = driver_on_request;
	driver->server.on_head = driver_on_head;
	driver->server.admit = driver_admit;
	driver->server.admit_data = driver;
	driver->server.data = driver;
	http_session_init(&driver->session, &driver->server, driver_on_answer);
	buf_init(&driver->log, 0);
	buf_init(&driver->out, 0);
}

/* Answers what waits, the youngest first when reverse. */
static inline void driver_answer(struct driver *driver, bool reverse)
{
	size_t count = driver->waiting_count;
	driver->waiting_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct exchange *exchange = driver->waiting[reverse ? count - 1 - i : i];
		exchange->response.status = 200;
		exchange->response.body = arena_copy(&exchange->arena, exchange->request.query);
		exchange_answer(exchange);
	}
}

static inline void driver_finish(struct driver *driver)
{
	http_session_finish(&driver->session);
	driver_decide(driver);
	driver_answer(driver, false);
	http_server_finish(&driver->server);
	buf_finish(&driver->log);
	buf_finish(&driver->out);
}

static inline void driver_write(struct driver *driver)
{
	struct slice parts[3];
	size_t count;
	while ((count = http_session_output(&driver->session, parts, 3)) != 0) {
		size_t room = driver->write_bytes == 0 ? SIZE_MAX : driver->write_bytes;
		size_t bytes = 0;
		for (size_t i = 0; i < count && room != 0; i++) {
			struct slice taken = slice_first(parts[i], room);
			buf_append(&driver->out, taken);
			bytes += taken.len;
			room -= taken.len;
		}
		http_session_wrote(&driver->session, bytes);
	}
}

/* Writes all there is to write. */
static inline void driver_pump(struct driver *driver)
{
	do {
		if (http_session_fill(&driver->session)) {
			driver_write(driver);
		}
	} while (http_session_has_more(&driver->session) || driver_decide(driver));
}

/* Into a session of its own, as another process would have it, if that can be done. */
static inline bool driver_move(struct driver *driver)
{
	if (!http_handover_is_possible(&driver->session)) {
		return false;
	}
	struct http_handover handover;
	struct buf bytes;
	buf_init(&bytes, 0);
	http_handover_save(&driver->session, &handover, &bytes);
	http_session_finish(&driver->session);
	http_session_init(&driver->session, &driver->server, driver_on_answer);
	http_handover_load(&driver->session, &handover, buf_slice(&bytes));
	buf_finish(&bytes);
	driver_pump(driver);
	return true;
}

static inline void driver_feed(struct driver *driver, struct slice bytes)
{
	assert(http_session_wants_input(&driver->session));
	http_session_feed(&driver->session, NULL, bytes);
	driver_pump(driver);
}
