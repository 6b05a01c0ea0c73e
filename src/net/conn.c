#include "net/conn.h"

#include <stdlib.h>
#include <sys/ioctl.h>

#include "base/memory.h"
#include "http/handover.h"
#include "http/server.h"
#include "net/address.h"
#include "net/conn_output.h"
#include "net/conn_tls.h"
#include "net/listen_socket.h"
#include "net/listener_conns.h"
#include "net/tls_conn.h"

enum {
	/* A refused client gets to read why, but not at any price. */
	LINGER_BYTES_MAX = 512 * 1024 * 1024,
};

static enum http_phase phase_of(const struct conn *conn)
{
	return conn_is_tls(conn) ? conn_tls_phase(conn) : http_session_phase(&conn->session);
}

static void on_closed(uv_handle_t *handle)
{
	struct conn *conn = handle->data;
	listener_forget(conn->listener, conn);
	free(conn);
}

/* Tells the client over TLS that there is no more, if the socket takes it at once. */
static void take_leave(struct conn *conn)
{
	struct slice last = conn_tls_leave(conn);
	if (last.len != 0) {
		uv_buf_t buf = uv_buf_init((char *)(uintptr_t)last.ptr, (unsigned)last.len);
		uv_try_write(&conn->stream.stream, &buf, 1);
	}
}

void conn_close(struct conn *conn)
{
	if (conn->state == CONN_CLOSING) {
		return;
	}
	conn->state = CONN_CLOSING;
	deadline_drop(&conn->wait);
	deadline_drop(&conn->write_wait);
	list_remove(&conn->flush_link);
	bool cut = http_session_phase(&conn->session) == HTTP_PHASE_CUT;
	if (conn_is_tls(conn)) {
		take_leave(conn);
		conn_tls_end(conn);
	}
	/* Output being written points into the session, but a closed socket takes no more of it. */
	http_session_finish(&conn->session);
	/* A reset tells the client of HTTP/1.0, too, that the body is not whole. Only TCP has it. */
	bool resets = cut && stream_is_tcp(&conn->stream);
	if (!resets || uv_tcp_close_reset(&conn->stream.tcp, on_closed) != 0) {
		uv_close(&conn->stream.handle, on_closed);
	}
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buf)
{
	struct conn *conn = handle->data;
	if (conn_is_tls(conn)) {
		*ret_buf = uv_buf_init(conn->listener->tls->input, TLS_INPUT_BYTES);
		return;
	}
	struct http_input *input = listener_input(conn->listener);
	*ret_buf = uv_buf_init(input->data, (unsigned)input->size);
}

static void take_bytes(struct conn *conn, struct slice bytes)
{
	if (conn->state == CONN_LINGERING) {
		conn->lingered_bytes += bytes.len;
		if (conn->lingered_bytes > LINGER_BYTES_MAX) {
			conn_close(conn);
		}
		return;
	}
	if (conn_is_tls(conn)) {
		conn_tls_take(conn, bytes);
	} else {
		http_session_feed(&conn->session, conn->listener->input, bytes);
	}
	conn_flush(conn);
}

static void take_end(struct conn *conn, int status)
{
	if (status != UV_EOF || conn->state == CONN_LINGERING || conn_tls_is_handshaking(conn)) {
		conn_close(conn);
		return;
	}
	/* Only the client's side is closed: it may still wait for its answers. */
	uv_read_stop(&conn->stream.stream);
	conn->reading = false;
	http_session_end_input(&conn->session);
	conn_flush(conn);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct conn *conn = stream->data;
	if (count < 0) {
		take_end(conn, (int)count);
	} else if (count > 0) {
		take_bytes(conn, slice_make(buf->base, (size_t)count));
	}
}

static void set_reading(struct conn *conn, bool reading)
{
	if (conn->reading == reading) {
		return;
	}
	conn->reading = reading;
	if (reading) {
		uv_read_start(&conn->stream.stream, on_alloc, on_read);
	} else {
		uv_read_stop(&conn->stream.stream);
	}
}

/* Set anew for a new phase and for a new request, never for progress in one. */
static void set_wait(struct conn *conn)
{
	enum http_phase phase = phase_of(conn);
	if (phase == conn->wait_phase && conn->session.requests == conn->wait_request) {
		return;
	}
	conn->wait_phase = phase;
	conn->wait_request = conn->session.requests;
	switch (phase) {
	case HTTP_PHASE_HEAD:
		listener_wait(conn->listener, CONN_WAIT_HEAD, &conn->wait);
		break;
	case HTTP_PHASE_BODY:
		listener_wait(conn->listener, CONN_WAIT_BODY, &conn->wait);
		break;
	case HTTP_PHASE_IDLE:
		listener_wait(conn->listener, CONN_WAIT_IDLE, &conn->wait);
		break;
	case HTTP_PHASE_LINGER:
		listener_wait(conn->listener, CONN_WAIT_LINGER, &conn->wait);
		break;
	case HTTP_PHASE_ANSWER:
	case HTTP_PHASE_OVER:
	case HTTP_PHASE_CUT:
		deadline_drop(&conn->wait);
		break;
	}
}

static void on_shut_down(uv_shutdown_t *shutdown, int status)
{
	struct conn *conn = shutdown->handle->data;
	if (status != 0) {
		conn_close(conn);
	}
}

/* Closing with input unread would reset the connection, and the answer with it. */
static void linger(struct conn *conn)
{
	conn->state = CONN_LINGERING;
	listener_wait(conn->listener, CONN_WAIT_LINGER, &conn->wait);
	set_reading(conn, true);
	if (uv_shutdown(&conn->request.shutdown, &conn->stream.stream, on_shut_down) != 0) {
		conn_close(conn);
	}
}

/* Whether the client has sent something that was not read. */
static bool has_unread(const struct conn *conn)
{
	int bytes = 0;
	return ioctl(conn_socket(conn), FIONREAD, &bytes) == 0 && bytes > 0;
}

/*
 * The listener drains, and nothing is half done. A request that has come
 * meanwhile is still read, unless somebody else takes the requests now. False
 * when the connection goes on. What TLS itself still writes, such as its part
 * of a handshake, does not keep it.
 */
static bool end_idle(struct conn *conn)
{
	bool is_left = conn->listener->frozen;
	if (!has_unread(conn) || (is_left && conn->writing)) {
		conn_close(conn);
		return true;
	}
	if (is_left) {
		if (conn_is_tls(conn)) {
			take_leave(conn);
		}
		linger(conn);
		return true;
	}
	return false;
}

/* After the last answer; what the client has sent beyond it must not reset that. */
static void end(struct conn *conn)
{
	if (has_unread(conn)) {
		linger(conn);
	} else {
		conn_close(conn);
	}
}

/* Because nothing more is read, by anybody. */
static bool ends_when_idle(const struct conn *conn)
{
	const struct listener *listener = conn->listener;
	return listener->state != LISTENER_OPEN || (listener->frozen && listener->retiring);
}

/* What is next, after anything that happened. */
static void settle(struct conn *conn)
{
	switch (phase_of(conn)) {
	case HTTP_PHASE_CUT:
		conn_close(conn);
		return;
	case HTTP_PHASE_OVER:
		end(conn);
		return;
	case HTTP_PHASE_LINGER:
		linger(conn);
		return;
	case HTTP_PHASE_IDLE:
		if (ends_when_idle(conn) && end_idle(conn)) {
			return;
		}
		break;
	case HTTP_PHASE_HEAD:
	case HTTP_PHASE_BODY:
	case HTTP_PHASE_ANSWER:
		break;
	}
	set_wait(conn);
	set_reading(conn, !conn->listener->frozen && http_session_wants_input(&conn->session));
}

int conn_socket(const struct conn *conn)
{
	int fd;
	return uv_fileno(&conn->stream.handle, &fd) == 0 ? fd : -1;
}

void conn_flush(struct conn *conn)
{
	if (conn->state != CONN_OPEN) {
		return;
	}
	if (!conn->writing) {
		conn_output_write(conn);
	}
	if (conn->state != CONN_OPEN) {
		return;
	}
	if (!conn->writing && http_session_has_more(&conn->session)) {
		listener_flush_later(conn->listener, conn);
	}
	settle(conn);
}

static void on_answer(struct http_session *session)
{
	struct conn *conn = LIST_ENTRY(session, struct conn, session);
	/* Requests that waited for a body that is being given up are answered to nobody. */
	if (conn->state != CONN_CLOSING) {
		listener_flush_later(conn->listener, conn);
	}
}

static void expire_head(struct conn *conn)
{
	if (conn_tls_is_handshaking(conn)) {
		conn_tls_expire(conn);
		conn_close(conn);
		return;
	}
	http_session_refuse(&conn->session, REFUSAL_HEAD_TIMEOUT);
	conn_flush(conn);
}

void conn_expire(struct conn *conn, enum conn_wait wait)
{
	switch (wait) {
	case CONN_WAIT_HEAD:
		expire_head(conn);
		break;
	case CONN_WAIT_BODY:
		http_session_refuse(&conn->session, REFUSAL_BODY_TIMEOUT);
		conn_flush(conn);
		break;
	case CONN_WAIT_IDLE:
		conn->listener->http->counters.idle_closed++;
		conn_close(conn);
		break;
	case CONN_WAIT_LINGER:
		conn_close(conn);
		break;
	case CONN_WAIT_WRITE:
		conn_output_expire(conn);
		break;
	case CONN_WAIT_COUNT:
		break;
	}
}

void conn_drain(struct conn *conn)
{
	bool idle =
			http_session_phase(&conn->session) == HTTP_PHASE_IDLE || conn->session.requests == 0;
	/* What is half read can only be answered by whoever reads now. */
	bool is_left = conn->listener->frozen && conn_is_settled(conn);
	if (conn->state == CONN_OPEN && (idle || is_left)) {
		end_idle(conn);
	}
}

static void find_peer(struct conn *conn)
{
	struct sockaddr_storage socket = { 0 };
	const struct sockaddr *peer = (const struct sockaddr *)&socket;
	socklen_t len = sizeof(socket);
	if (getpeername(conn_socket(conn), (struct sockaddr *)&socket, &len) == 0) {
		conn->session.peer = address_owner(peer);
		address_format_host(peer, conn->session.peer_name, sizeof(conn->session.peer_name));
	}
}

static struct conn *create(struct listener *listener, bool refused)
{
	struct conn *conn = memory_zalloc(1, sizeof(*conn));
	conn->listener = listener;
	conn->refused = refused;
	list_init(&conn->link);
	list_init(&conn->flush_link);
	deadline_init(&conn->wait);
	deadline_init(&conn->write_wait);
	conn->wait_phase = HTTP_PHASE_ANSWER;
	http_session_init(&conn->session, listener->http, on_answer);
	stream_init(&conn->stream, listener->timer.loop, listener->socket->is_tcp);
	conn->stream.handle.data = conn;
	listener_remember(listener, conn);
	return conn;
}

/* Its socket is open. */
static void set_up(struct conn *conn)
{
	if (stream_is_tcp(&conn->stream)) {
		uv_tcp_nodelay(&conn->stream.tcp, 1);
	}
	find_peer(conn);
}

int conn_accept(struct listener *listener, bool refused)
{
	struct conn *conn = create(listener, refused);
	int status = uv_accept(&listener->stream.stream, &conn->stream.stream);
	if (status != 0) {
		conn_close(conn);
		return status;
	}
	set_up(conn);
	if (listener->tls != NULL) {
		conn_tls_begin(conn);
	}
	if (refused) {
		http_session_refuse(&conn->session, REFUSAL_CONNECTIONS);
	}
	conn_flush(conn);
	return 0;
}

int conn_adopt(struct listener *listener, int socket, const struct http_handover *handover,
		struct slice bytes)
{
	if (listener->tls != NULL) {
		return UV_ENOTSUP; /* it was in the clear, and is not to be any more */
	}
	struct conn *conn = create(listener, false);
	int status = stream_open(&conn->stream, socket);
	if (status != 0) {
		conn_close(conn);
		return status;
	}
	set_up(conn);
	http_handover_load(&conn->session, handover, bytes);
	conn_flush(conn);
	return 0;
}

bool conn_is_settled(const struct conn *conn)
{
	return conn->state == CONN_OPEN && !conn->writing && !conn->refused
			&& http_handover_is_possible(&conn->session);
}

bool conn_is_halfway(const struct conn *conn, bool or_idle)
{
	if (conn->state != CONN_OPEN || conn->refused || !conn_is_tls(conn)) {
		return false;
	}
	switch (phase_of(conn)) {
	case HTTP_PHASE_HEAD:
	case HTTP_PHASE_BODY:
		return true;
	case HTTP_PHASE_IDLE:
		return or_idle || has_unread(conn);
	case HTTP_PHASE_ANSWER:
		return conn->session.reading == READING_PAUSED;
	case HTTP_PHASE_LINGER:
	case HTTP_PHASE_OVER:
	case HTTP_PHASE_CUT:
		break;
	}
	return false;
}

bool conn_may_move(const struct conn *conn)
{
	return conn_is_settled(conn) && !conn_is_tls(conn);
}
