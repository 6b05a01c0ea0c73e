#include "net/listener.h"

#include <assert.h>
#include <netinet/in.h>

#include "base/log.h"
#include "http/server.h"
#include "net/conn.h"
#include "net/listener_conns.h"

enum {
	BACKLOG = 4096, /* the kernel's net.core.somaxconn caps it */
	/* Refused connections that are told why; more are closed without a word. */
	REFUSED_MAX = 256,
	LINGER_MS = 5000,
};

struct http_input *listener_input(struct listener *listener)
{
	if (listener->input != NULL && listener->input->refs > 1) {
		http_input_unref(listener->input);
		listener->input = NULL;
	}
	if (listener->input == NULL) {
		listener->input = http_inputs_take(&listener->http->inputs);
	}
	return listener->input;
}

void listener_remember(struct listener *listener, struct conn *conn)
{
	struct http_counters *counters = &listener->http->counters;
	list_append(&listener->conns, &conn->link);
	listener->conn_count++;
	if (conn->refused) {
		listener->refused_count++;
		return;
	}
	counters->connections_total++;
	counters->connections_open++;
	if (counters->connections_open > counters->connections_max) {
		counters->connections_max = counters->connections_open;
	}
}

static void on_handle_closed(void *data)
{
	struct listener *listener = data;
	if (--listener->open_handles != 0) {
		return;
	}
	if (listener->input != NULL) {
		http_input_unref(listener->input);
	}
	if (listener->on_closed != NULL) {
		listener->on_closed(listener);
	}
}

static void on_uv_closed(uv_handle_t *handle)
{
	on_handle_closed(handle->data);
}

/* With the last connection gone, the listener's own handles follow. */
static void close_when_empty(struct listener *listener)
{
	if (listener->state != LISTENER_DRAINING || listener->conn_count != 0) {
		return;
	}
	listener->state = LISTENER_CLOSING;
	uv_close((uv_handle_t *)&listener->timer, on_uv_closed);
	uv_close((uv_handle_t *)&listener->drain_timer, on_uv_closed);
	turn_close(&listener->turn, on_handle_closed);
}

void listener_forget(struct listener *listener, struct conn *conn)
{
	list_remove(&conn->link);
	listener->conn_count--;
	if (conn->refused) {
		listener->refused_count--;
	} else {
		listener->http->counters.connections_open--;
	}
	close_when_empty(listener);
}

void listener_flush_later(struct listener *listener, struct conn *conn)
{
	if (list_is_empty(&conn->flush_link)) {
		list_append(&listener->flushes, &conn->flush_link);
		turn_arm(&listener->turn);
	}
}

/* Each connection once: a long answer gets on by one piece a turn. */
static bool flush_conns(void *data)
{
	struct listener *listener = data;
	struct list batch;
	list_init(&batch);
	list_append(&listener->flushes, &batch);
	struct list *link;
	while ((link = list_first(&listener->flushes)) != &batch) {
		list_remove(link);
		conn_flush(LIST_ENTRY(link, struct conn, flush_link));
	}
	list_remove(&batch);
	return !list_is_empty(&listener->flushes);
}

static void set_timer(struct listener *listener, uint64_t at_ms);

static void on_timer(uv_timer_t *timer)
{
	struct listener *listener = timer->data;
	uint64_t now_ms = uv_now(timer->loop);
	uint64_t next_ms = UINT64_MAX;
	listener->timer_at_ms = 0;
	for (enum conn_wait wait = 0; wait < CONN_WAIT_COUNT; wait++) {
		struct deadline *deadline = deadlines_first(&listener->waits[wait]);
		while (deadline != NULL && deadline->at_ms <= now_ms) {
			deadline_drop(deadline);
			conn_expire(wait == CONN_WAIT_WRITE ? LIST_ENTRY(deadline, struct conn, write_wait)
												: LIST_ENTRY(deadline, struct conn, wait),
					wait);
			deadline = deadlines_first(&listener->waits[wait]);
		}
		if (deadline != NULL && deadline->at_ms < next_ms) {
			next_ms = deadline->at_ms;
		}
	}
	if (next_ms != UINT64_MAX) {
		set_timer(listener, next_ms);
	}
}

static void set_timer(struct listener *listener, uint64_t at_ms)
{
	if (listener->state == LISTENER_CLOSING
			|| (listener->timer_at_ms != 0 && listener->timer_at_ms <= at_ms)) {
		return;
	}
	uint64_t now_ms = uv_now(listener->timer.loop);
	listener->timer_at_ms = at_ms;
	uv_timer_start(&listener->timer, on_timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

void listener_wait(struct listener *listener, enum conn_wait wait, struct deadline *deadline)
{
	deadline_set(&listener->waits[wait], deadline, uv_now(listener->timer.loop));
	set_timer(listener, deadline->at_ms);
}

static void accept_failed(struct listener *listener, int status)
{
	listener->http->counters.connections_failed++;
	if (!listener->accept_failed) {
		log_warn("cannot accept connections error=%s", uv_strerror(status));
		listener->accept_failed = true;
	}
}

static void accept_conn(struct listener *listener)
{
	const struct http_server *http = listener->http;
	bool refused = http->counters.connections_open >= http->limits.connections;
	int status = conn_accept(listener, refused);
	if (status != 0) {
		accept_failed(listener, status);
		return;
	}
	listener->accept_failed = false;
	if (refused && listener->refused_count > REFUSED_MAX) {
		/* The one just accepted: it was told why, and gets no time to linger. */
		conn_close(LIST_ENTRY(listener->conns.prev, struct conn, link));
	}
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct listener *listener = stream->data;
	if (status != 0) {
		accept_failed(listener, status);
		return;
	}
	accept_conn(listener);
}

static void init(struct listener *listener, uv_loop_t *loop, struct http_server *http,
		const struct net_timeouts *timeouts)
{
	*listener = (struct listener){ .http = http, .open_handles = 4 };
	const uint64_t after_ms[CONN_WAIT_COUNT] = {
		[CONN_WAIT_HEAD] = timeouts->head_ms,
		[CONN_WAIT_BODY] = timeouts->body_ms,
		[CONN_WAIT_IDLE] = timeouts->idle_ms,
		[CONN_WAIT_LINGER] = LINGER_MS,
		[CONN_WAIT_WRITE] = timeouts->write_ms,
	};
	for (size_t i = 0; i < CONN_WAIT_COUNT; i++) {
		deadlines_init(&listener->waits[i], after_ms[i]);
	}
	list_init(&listener->conns);
	list_init(&listener->flushes);
	uv_tcp_init(loop, &listener->tcp);
	uv_timer_init(loop, &listener->timer);
	uv_timer_init(loop, &listener->drain_timer);
	listener->tcp.data = listener;
	listener->timer.data = listener;
	listener->drain_timer.data = listener;
	turn_open(&listener->turn, loop, flush_conns, listener);
}

int listener_open(struct listener *listener, uv_loop_t *loop, const struct sockaddr *address,
		struct http_server *http, const struct net_timeouts *timeouts)
{
	init(listener, loop, http, timeouts);
	int status = uv_tcp_bind(&listener->tcp, address, 0);
	if (status == 0) {
		status = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
	}
	return status;
}

void listener_address(const struct listener *listener, struct sockaddr_storage *ret_socket)
{
	int len = sizeof(*ret_socket);
	*ret_socket = (struct sockaddr_storage){ 0 };
	uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)ret_socket, &len);
}

uint16_t listener_port(const struct listener *listener)
{
	struct sockaddr_storage socket;
	listener_address(listener, &socket);
	/* The port is at the same place in both kinds of address. */
	const struct sockaddr_in *any = (const struct sockaddr_in *)(const void *)&socket;
	return ntohs(any->sin_port);
}

static void on_drained(uv_timer_t *timer)
{
	struct listener *listener = timer->data;
	LIST_EACH (link, &listener->conns) {
		conn_close(LIST_ENTRY(link, struct conn, link));
	}
}

void listener_close(
		struct listener *listener, uint64_t drain_ms, void (*on_closed)(struct listener *listener))
{
	if (listener->state == LISTENER_CLOSING) {
		return;
	}
	uv_timer_start(&listener->drain_timer, on_drained, drain_ms, 0);
	if (listener->state != LISTENER_OPEN) {
		return;
	}
	listener->state = LISTENER_DRAINING;
	listener->on_closed = on_closed;
	listener->http->draining = true;
	uv_close((uv_handle_t *)&listener->tcp, on_uv_closed);
	LIST_EACH (link, &listener->conns) {
		conn_drain(LIST_ENTRY(link, struct conn, link));
	}
	close_when_empty(listener);
}
