#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "http/server.h"
#include "net/conn.h"
#include "net/listen_socket.h"
#include "net/listener_conns.h"

enum {
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

/* Nobody is late with what is not read. */
static bool is_for_input(enum conn_wait wait)
{
	return wait == CONN_WAIT_HEAD || wait == CONN_WAIT_BODY || wait == CONN_WAIT_IDLE;
}

static void on_timer(uv_timer_t *timer)
{
	struct listener *listener = timer->data;
	uint64_t now_ms = uv_now(timer->loop);
	uint64_t next_ms = UINT64_MAX;
	listener->timer_at_ms = 0;
	for (enum conn_wait wait = 0; wait < CONN_WAIT_COUNT; wait++) {
		if (listener->frozen && is_for_input(wait)) {
			continue;
		}
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

static void init(struct listener *listener, uv_loop_t *loop, const struct listen_socket *socket,
		struct http_server *http, const struct net_timeouts *timeouts)
{
	*listener = (struct listener){ .socket = socket, .http = http, .open_handles = 4 };
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
	uv_timer_init(loop, &listener->timer);
	uv_timer_init(loop, &listener->drain_timer);
	listener->timer.data = listener;
	listener->drain_timer.data = listener;
	turn_open(&listener->turn, loop, flush_conns, listener);
}

static int begin_accepting(struct listener *listener)
{
	stream_init(&listener->stream, listener->timer.loop, listener->socket->is_tcp);
	listener->stream.handle.data = listener;
	listener->has_stream = true;
	int fd = fcntl(listener->socket->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		return uv_translate_sys_error(errno);
	}
	int status = stream_open(&listener->stream, fd);
	if (status != 0) {
		close(fd);
		return status;
	}
	return uv_listen(&listener->stream.stream, LISTEN_BACKLOG, on_connection);
}

int listener_open(struct listener *listener, uv_loop_t *loop, const struct listen_socket *socket,
		struct http_server *http, const struct net_timeouts *timeouts)
{
	init(listener, loop, socket, http, timeouts);
	return begin_accepting(listener);
}

/* ---- Freezing ---- */

static void resume_accepting(struct listener *listener)
{
	int status = begin_accepting(listener);
	if (status != 0) {
		log_error("cannot accept connections any more error=%s", uv_strerror(status));
	}
}

static void on_stream_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;
	listener->has_stream = false;
	if (listener->state != LISTENER_OPEN) {
		on_handle_closed(listener);
	} else if (!listener->frozen && !listener->retiring) {
		resume_accepting(listener);
	}
}

static void close_stream(struct listener *listener)
{
	if (!uv_is_closing(&listener->stream.handle)) {
		uv_close(&listener->stream.handle, on_stream_closed);
	}
}

void listener_retire(struct listener *listener)
{
	if (listener->tls == NULL || listener->frozen || listener->state != LISTENER_OPEN) {
		return;
	}
	listener->retiring = true;
	close_stream(listener);
	LIST_EACH (link, &listener->conns) {
		LIST_ENTRY(link, struct conn, link)->session.retires = true;
	}
}

/* libuv knows no pause in accepting; the socket stays open by the owner's descriptor. */
void listener_freeze(struct listener *listener)
{
	if (listener->frozen || listener->state != LISTENER_OPEN) {
		return;
	}
	listener->frozen = true;
	close_stream(listener);
	LIST_EACH (link, &listener->conns) {
		conn_flush(LIST_ENTRY(link, struct conn, link));
	}
}

void listener_resume(struct listener *listener)
{
	bool is_held = listener->frozen || listener->retiring;
	if (!is_held || listener->state != LISTENER_OPEN) {
		return;
	}
	listener->frozen = false;
	listener->retiring = false;
	if (!listener->has_stream) {
		resume_accepting(listener);
	}
	LIST_EACH (link, &listener->conns) {
		struct conn *conn = LIST_ENTRY(link, struct conn, link);
		conn->session.retires = false;
		conn_flush(conn);
	}
	set_timer(listener, uv_now(listener->timer.loop));
}

int listener_adopt(struct listener *listener, int socket, const struct http_handover *handover,
		struct slice bytes)
{
	return conn_adopt(listener, socket, handover, bytes);
}

/* ---- Closing ---- */

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
	if (listener->has_stream) {
		close_stream(listener);
	} else {
		listener->open_handles--;
	}
	LIST_EACH (link, &listener->conns) {
		conn_drain(LIST_ENTRY(link, struct conn, link));
	}
	close_when_empty(listener);
}
