#pragma once

/*
 * One connection: moves bytes between its socket and its HTTP session, and
 * keeps its deadlines. For the listener only.
 *
 *	                 feed()
 *	on_read --------> session --> handler
 *	                     |
 *	flush: fill() -> uv_try_write() -> uv_write() for what the socket did not take
 *	  ^                                    |
 *	  '--- on the next turn, when the session has more; on_written -'
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "http/session.h"
#include "net/deadline.h"
#include "net/listener.h"
#include "net/stream.h"

struct tls_conn;

enum conn_state {
	CONN_OPEN,
	CONN_LINGERING, /* half closed; reads to throw away */
	CONN_CLOSING,
};

struct conn {
	union stream stream;
	union {
		uv_write_t write;
		uv_shutdown_t shutdown;
	} request;            /* one at a time */
	struct tls_conn *tls; /* between the two; NULL: plain HTTP */
	struct http_session session;
	struct listener *listener;
	struct list link;       /* in listener::conns */
	struct list flush_link; /* in listener::flushes, or alone */
	enum conn_state state;
	bool reading;
	bool writing; /* a uv_write is under way */
	bool refused; /* over the limit: answered 503, not counted as open */

	struct deadline wait;       /* for input, or the end of lingering */
	enum http_phase wait_phase; /* what it was set for */
	uint64_t wait_request;
	struct deadline write_wait;
	size_t unwritten_bytes; /* when it was set */
	size_t unsent_bytes;    /* of the uv_write */
	uint64_t lingered_bytes;
};

/* Accepts what the listener has waiting. 0 or a libuv error. */
int conn_accept(struct listener *listener, bool refused);

/* See listener_adopt(). */
int conn_adopt(struct listener *listener, int socket, const struct http_handover *handover,
		struct slice bytes);

/* Whether nothing is being answered or written. */
bool conn_is_settled(const struct conn *conn);

/*
 * Whether another process may go on with it, beginning with what its session
 * says. Not with TLS: its keys stay in memory.
 */
bool conn_may_move(const struct conn *conn);

/*
 * Whether it cannot move, and the client has begun with a request, or is new
 * and about to; or is idle, which may be just before the next one. What is
 * being answered counts no more.
 */
bool conn_is_halfway(const struct conn *conn, bool or_idle);

/* Its socket, or -1. */
int conn_socket(const struct conn *conn);

/* Repeatable; the memory goes with the last callback. */
void conn_close(struct conn *conn);

/* Writes what can be written. */
void conn_flush(struct conn *conn);

/* A deadline passed. */
void conn_expire(struct conn *conn, enum conn_wait wait);

/* The listener drains: closes the connection if nothing is going on. */
void conn_drain(struct conn *conn);

/* Such a connection cannot go on in another process: its keys are here. */
static inline bool conn_is_tls(const struct conn *conn)
{
	return conn->tls != NULL;
}
