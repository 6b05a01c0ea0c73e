#pragma once

/*
 * Listens on one socket and owns the connections it accepts.
 *
 * All connections share one input buffer and one timer: a connection that
 * does nothing costs less than 2 KB, with TLS less than 20. Deadlines are absolute: a client that
 * sends a byte now and then does not move them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "base/slice.h"
#include "http/input.h"
#include "net/deadline.h"
#include "net/stream.h"
#include "net/turn.h"

struct http_handover;
struct http_server;
struct listen_socket;
struct tls_server;

struct net_timeouts {
	uint64_t head_ms;  /* from its first byte, or from the connect, to the end of the head */
	uint64_t body_ms;  /* from the end of the head to the end of the body */
	uint64_t idle_ms;  /* kept alive without a request */
	uint64_t write_ms; /* without taking a byte of the answer */
};

/* What a connection may be late with. */
enum conn_wait {
	CONN_WAIT_HEAD,
	CONN_WAIT_BODY,
	CONN_WAIT_IDLE,
	CONN_WAIT_LINGER, /* to notice that it was refused, and to stop sending */
	CONN_WAIT_WRITE,
	CONN_WAIT_COUNT,
};

enum listener_state {
	LISTENER_OPEN,
	LISTENER_DRAINING, /* takes no more connections, finishes what there is */
	LISTENER_CLOSING,  /* its own handles are going */
};

struct listener {
	const struct listen_socket *socket; /* the owner's */
	union stream stream;                /* over a duplicate of it */
	uv_timer_t timer;                   /* for the earliest deadline */
	uv_timer_t drain_timer;             /* for the end of draining */
	uint64_t timer_at_ms;               /* what the timer is set to; 0: not set */
	int open_handles;
	enum listener_state state;
	bool has_stream;    /* it is open */
	bool frozen;        /* nothing is accepted and nothing read */
	bool retiring;      /* nothing is accepted, and connections with TLS end when idle */
	bool accept_failed; /* the last time; logged once */

	struct http_server *http;
	struct tls_server *tls; /* to be set before the first connection; NULL: plain HTTP */
	struct http_input *input;
	struct deadlines waits[CONN_WAIT_COUNT]; // of conn
	struct list conns;                       // conn::link
	struct list flushes;                     // conn::flush_link, have something to write
	size_t conn_count;
	size_t refused_count; /* of the conns */
	struct turn turn;     /* runs the flushes */

	void (*on_closed)(struct listener *listener);
};

/*
 * 0, or a libuv error; the listener is to be closed after that, too. The
 * socket and the http server outlive it.
 */
int listener_open(struct listener *listener, uv_loop_t *loop, const struct listen_socket *socket,
		struct http_server *http, const struct net_timeouts *timeouts);

/*
 * Of a listener that speaks TLS, whose connections nobody else can go on with:
 * accepts nothing more, and lets each connection have one more answer, which
 * says that it ends. To be followed by listener_freeze() or listener_resume().
 */
void listener_retire(struct listener *listener);

/*
 * Accepts nothing and reads nothing more, so that somebody else may: new
 * connections wait in the socket. What was read is answered and written, and
 * only who does not take his answer is timed.
 */
void listener_freeze(struct listener *listener);

/* As if it had never been frozen, or retired. */
void listener_resume(struct listener *listener);

/*
 * Takes a connection that another process has accepted and served up to what
 * the handover says. 0 or a libuv error; then the socket stays the caller's.
 */
int listener_adopt(struct listener *listener, int socket, const struct http_handover *handover,
		struct slice bytes);

/*
 * Takes no more connections, closes the idle ones, and lets the others finish
 * their requests for that long; 0 cuts them. Repeated, only the time counts.
 * on_closed is called from the loop, may free the listener, may be NULL.
 */
void listener_close(
		struct listener *listener, uint64_t drain_ms, void (*on_closed)(struct listener *listener));
