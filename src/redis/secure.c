/*
 * TLS between a connection and its socket.
 */

#include <stdio.h>

#include "net/tls_outgoing.h"
#include "redis/parts.h"

enum {
	GATHERED_BYTES = 16 * 1024, /* one record */
	TEXT_BYTES = 512,
};

static void lose(struct redis_conn *conn, const char *what)
{
	char text[TEXT_BYTES];
	snprintf(text, sizeof(text), "TLS: %s", what);
	redis_connect_lose(conn, text);
}

/* What TLS has made so far; NULL: nothing. */
static struct redis_text *take_output(struct redis_conn *conn)
{
	size_t len = tls_outgoing_pending(conn->tls);
	if (len == 0) {
		return NULL;
	}
	struct redis_text *text = redis_text_create(len);
	tls_outgoing_take(conn->tls, text->bytes);
	return text;
}

static void send_output(struct redis_conn *conn)
{
	struct redis_text *text = take_output(conn);
	if (text != NULL) {
		redis_connect_write(conn, &text, 1);
	}
}

void redis_secure_begin(struct redis_conn *conn)
{
	const struct redis_tls *tls = &conn->redis->options.tls;
	const struct tls_outgoing_options options = {
		.host = conn->node->host,
		.ca_file = tls->ca_file,
		.cert_file = tls->cert_file,
		.key_file = tls->key_file,
		.is_unverified = tls->is_unverified,
	};
	struct buf errors;
	buf_init(&errors, 0);
	conn->state = REDIS_CONN_HANDSHAKING;
	conn->tls = tls_outgoing_create(&options, &errors);
	if (conn->tls == NULL) {
		struct slice rest = buf_slice(&errors);
		struct slice first = slice_take_line(&rest);
		errors.ptr[first.len] = '\0';
		lose(conn, errors.ptr);
	} else {
		send_output(conn);
	}
	buf_finish(&errors);
}

void redis_secure_take(struct redis_conn *conn, struct slice ciphertext)
{
	struct slice plaintext = tls_outgoing_feed(conn->tls, ciphertext);
	send_output(conn);
	if (conn->state == REDIS_CONN_HANDSHAKING
			&& tls_outgoing_state(conn->tls) == TLS_OUTGOING_OPEN) {
		redis_conn_begin(conn);
	}
	if (plaintext.len > 0 && conn->state != REDIS_CONN_CLOSED) {
		redis_conn_take(conn, plaintext);
	}
	if (conn->state != REDIS_CONN_CLOSED && tls_outgoing_state(conn->tls) == TLS_OUTGOING_FAILED) {
		lose(conn, tls_outgoing_error(conn->tls));
	}
}

/* A record each would be a waste of small texts, and a copy one of large ones. */
struct redis_text *redis_secure_seal(
		struct redis_conn *conn, struct redis_text *const *texts, size_t count)
{
	struct buf gathered;
	buf_init(&gathered, 0);
	for (size_t i = 0; i < count; i++) {
		struct slice text = slice_make(texts[i]->bytes, texts[i]->len);
		if (gathered.len + text.len > GATHERED_BYTES) {
			tls_outgoing_write(conn->tls, buf_slice(&gathered));
			buf_reset(&gathered, GATHERED_BYTES);
		}
		if (text.len > GATHERED_BYTES) {
			tls_outgoing_write(conn->tls, text);
		} else {
			buf_append(&gathered, text);
		}
	}
	tls_outgoing_write(conn->tls, buf_slice(&gathered));
	buf_finish(&gathered);
	return take_output(conn);
}
