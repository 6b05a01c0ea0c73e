#pragma once

/*
 * What is different about a connection that speaks TLS; for conn.c and conn_output.c only.
 *
 *	on_read -> take() -> tls_conn -> session -> handler
 *	                        ^           |
 *	socket <- output() -----'----<------'  fill(): a batch of the session's output
 *
 * The session is told that it wrote something when all of the ciphertext that
 * holds it was sent, so its deadlines and its order are those of plain HTTP.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "http/session.h"

struct conn;

/* The connection begins with a handshake. */
void conn_tls_begin(struct conn *conn);

/* Whether the handshake is still going on. */
bool conn_tls_is_handshaking(const struct conn *conn);

/* Takes what was read; to be flushed after that. */
void conn_tls_take(struct conn *conn, struct slice ciphertext);

/* Makes output of what the session has, and what TLS has to say. True when there is some. */
bool conn_tls_fill(struct conn *conn);

/* What is next to be written. */
struct slice conn_tls_output(struct conn *conn);

/* As http_session_wrote(), in bytes of that. */
bool conn_tls_wrote(struct conn *conn, size_t bytes);

/* What is being waited for, TLS included. */
enum http_phase conn_tls_phase(const struct conn *conn);

/* The handshake took too long. */
void conn_tls_expire(struct conn *conn);

/* The connection closes. What is to be written before that, if the socket takes it at once. */
struct slice conn_tls_leave(struct conn *conn);

/* After that. */
void conn_tls_end(struct conn *conn);
