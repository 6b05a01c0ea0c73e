#pragma once

/*
 * One connection to a PostgreSQL, by libpq, without ever waiting for it.
 *
 * Queries are carried out in the order in which they are sent. Outside of pipeline mode
 * one may be sent when the one before is done; a text may then have several statements,
 * and its last result or first error counts. In pipeline mode each is a transaction.
 *
 * libpq looks names up itself, and waits while it does. So it is only given addresses.
 */

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/slice.h"

struct postgres_conn;

/* Connections that have nothing to do stay, whatever is set for others; since version 14. */
#define POSTGRES_STAY_TEXT                                                                         \
	"SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'idle_session_timeout'"

/* Lives until `done` is called, or the connection is lost or dropped: then it is not. */
struct postgres_query {
	/* The result may be an error; it is good until the call returns. */
	void (*done)(struct postgres_query *query, const PGresult *result);
	struct list link;
};

struct postgres_conn_events {
	void (*on_ready)(struct postgres_conn *conn);
	void (*on_lost)(struct postgres_conn *conn, struct slice why);
	void (*on_notice)(struct postgres_conn *conn, const PGnotify *notice);
	void (*on_closed)(struct postgres_conn *conn);
	void *data;
};

enum postgres_conn_state {
	POSTGRES_CONN_NONE,
	POSTGRES_CONN_CONNECTING,
	POSTGRES_CONN_READY,
	POSTGRES_CONN_BROKEN, /* until the timer tells so */
};

struct postgres_conn {
	struct postgres_conn_events events;
	uv_loop_t *loop;
	enum postgres_conn_state state;
	PGconn *pg;
	uv_poll_t *poll;  /* of its socket: while it connects, libpq may change that */
	int watched;      /* what for */
	uv_timer_t timer; /* until it has to be usable; then against silence */
	uint64_t response_ms;
	struct list queries; /* sent and not done */
	uint64_t finished;   /* queries, so far */
	PGresult *held;      /* of the first of them */
	bool is_piped;
	struct buf why;
};

void postgres_conn_init(struct postgres_conn *conn, uv_loop_t *loop, uint64_t response_ms,
		const struct postgres_conn_events *events);

/* Keywords and values as PQconnectStartParams() takes them, until a NULL. */
void postgres_conn_connect(struct postgres_conn *conn, const char *const *keywords,
		const char *const *values, uint64_t connect_ms);

/* From the next query on, when none is under way. */
void postgres_conn_pipe(struct postgres_conn *conn);

/* `values` may be NULL when there are none. Copied is everything. */
void postgres_conn_send(struct postgres_conn *conn, struct postgres_query *query, const char *text,
		const char *const *values, int count);

/* As if it had never been. */
void postgres_conn_drop(struct postgres_conn *conn);

/* Likewise, for good; on_closed may free it. */
void postgres_conn_close(struct postgres_conn *conn);

/* libpq's messages have lines; a log has one for all. */
void postgres_append_message(struct buf *out, const char *message);
