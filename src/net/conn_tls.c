#include "net/conn_tls.h"

#include "base/log.h"
#include "http/handover.h"
#include "http/server.h"
#include "net/address.h"
#include "net/conn.h"
#include "net/listener_conns.h"
#include "net/tls_conn.h"

enum { PARTS_MAX = 64 };

/* ---- Handshakes ---- */

static void log_failed(const struct conn *conn)
{
	struct socket_address peer = { .len = sizeof(peer.socket) };
	char client[ADDRESS_TEXT_BYTES] = "?";
	int fd;
	if (uv_fileno(&conn->stream.handle, &fd) == 0
			&& getpeername(fd, (struct sockaddr *)&peer.socket, &peer.len) == 0) {
		address_format(&peer, client);
	}
	log_debug("TLS handshake failed client=%s result=%s error=%s", client,
			tls_result_names[conn->tls->result], conn->tls->error);
}

static void count_handshake(const struct conn *conn)
{
	const struct tls_conn *tls = conn->tls;
	conn->listener->tls->handshakes[tls->result]++;
	if (tls->result != TLS_RESULT_OK && log_shows(LOG_LEVEL_DEBUG)) {
		log_failed(conn);
	}
}

void conn_tls_begin(struct conn *conn)
{
	conn->tls = tls_conn_create(conn->listener->tls->context);
	conn->session.is_secure = true;
}

bool conn_tls_is_handshaking(const struct conn *conn)
{
	return conn->tls != NULL && conn->tls->state == TLS_HANDSHAKING;
}

static void give_up(struct conn *conn, enum tls_result result, const char *error)
{
	conn->tls->result = result;
	conn->tls->error = error;
	conn->tls->state = TLS_FAILED;
	count_handshake(conn);
}

void conn_tls_expire(struct conn *conn)
{
	conn->listener->http->counters.head_timeouts++;
	give_up(conn, TLS_RESULT_TIMEOUT, "it took too long");
}

/* ---- In ---- */

void conn_tls_take(struct conn *conn, struct slice ciphertext)
{
	struct http_input *input = listener_input(conn->listener);
	bool was_handshaking = conn_tls_is_handshaking(conn);
	size_t count = tls_conn_feed(conn->tls, ciphertext, input->data);
	if (was_handshaking && !conn_tls_is_handshaking(conn)) {
		count_handshake(conn);
	}
	if (count > 0) {
		http_session_feed(&conn->session, input, slice_make(input->data, count));
	}
}

/* The client said that it sends no more, and all that came before was read. */
static void take_end(struct conn *conn)
{
	struct http_session *session = &conn->session;
	if (conn->tls->state == TLS_ENDED && http_session_wants_input(session)) {
		http_session_end_input(session);
	}
}

/* ---- Out ---- */

static void write_batch(struct conn *conn)
{
	struct slice parts[PARTS_MAX];
	size_t count = http_session_output(&conn->session, parts, PARTS_MAX);
	size_t room = TLS_BATCH_BYTES;
	for (size_t i = 0; i < count && room > 0; i++) {
		struct slice part = slice_first(parts[i], room);
		tls_conn_write(conn->tls, part);
		room -= part.len;
	}
}

static bool is_last(enum http_phase phase)
{
	return phase == HTTP_PHASE_OVER || phase == HTTP_PHASE_LINGER;
}

/* A batch at a time: what is not yet sent is bounded, however slow the client. */
static void seal(struct conn *conn)
{
	if (conn->tls->state == TLS_HANDSHAKING || tls_conn_is_writing(conn->tls)) {
		return;
	}
	write_batch(conn);
	if (is_last(http_session_phase(&conn->session))) {
		tls_conn_shut(conn->tls);
	}
}

bool conn_tls_fill(struct conn *conn)
{
	if (conn->tls->state != TLS_FAILED) {
		http_session_fill(&conn->session);
		take_end(conn);
		seal(conn);
	}
	return tls_conn_has_output(conn->tls);
}

struct slice conn_tls_output(struct conn *conn)
{
	return tls_conn_output(conn->tls);
}

bool conn_tls_wrote(struct conn *conn, size_t bytes)
{
	size_t plaintext = tls_conn_sent(conn->tls, bytes);
	if (plaintext > 0) {
		http_session_wrote(&conn->session, plaintext);
		seal(conn);
	}
	return !tls_conn_has_output(conn->tls);
}

enum http_phase conn_tls_phase(const struct conn *conn)
{
	enum http_phase phase = http_session_phase(&conn->session);
	switch (conn->tls->state) {
	case TLS_HANDSHAKING:
		return HTTP_PHASE_HEAD;
	case TLS_OPEN:
	case TLS_ENDED:
		break;
	case TLS_FAILED:
		phase = HTTP_PHASE_LINGER;
		break;
	}
	return is_last(phase) && tls_conn_has_output(conn->tls) ? HTTP_PHASE_ANSWER : phase;
}

/* In the middle of an answer there is no leave to take: it would look whole. */
struct slice conn_tls_leave(struct conn *conn)
{
	if (conn->writing || !http_handover_is_possible(&conn->session)) {
		return slice_make(NULL, 0);
	}
	tls_conn_shut(conn->tls);
	return tls_conn_output(conn->tls);
}

void conn_tls_end(struct conn *conn)
{
	if (conn->tls->state == TLS_HANDSHAKING) {
		give_up(conn, TLS_RESULT_CLOSED, "the connection ended");
	}
	tls_conn_destroy(conn->tls);
	conn->tls = NULL;
}
