#pragma once

/*
 * The TLS of one connection, without its socket: bytes in, bytes out.
 *
 *	             feed()
 *	ciphertext ----------> plaintext, to a buffer of the caller's
 *	plaintext  ----------> ciphertext, gathered until it is sent
 *	             write()                       output(), sent()
 *
 * Handshakes, alerts and what else TLS has to say goes into the same output.
 * What is being sent stays where it is while more is gathered.
 *
 * A client that speaks plain HTTP is told so in plain HTTP, as Go does it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"
#include "http/input.h"
#include "net/tls.h"

struct ssl_st;

enum {
	/* Most to feed at once: with what is left of a record it fits into one input. */
	TLS_INPUT_BYTES = HTTP_INPUT_BYTES - TLS_RECORD_BYTES,
	/* Plaintext to write at once. */
	TLS_BATCH_BYTES = 64 * 1024,
	/* The first bytes, by which HTTP in plain text is known. */
	TLS_START_BYTES = 5,
};

enum tls_state {
	TLS_HANDSHAKING,
	TLS_OPEN,
	TLS_ENDED,  /* the client has sent its last, and said so */
	TLS_FAILED, /* nothing goes either way but the output that is left */
};

struct tls_conn {
	struct tls_context *context;
	struct ssl_st *ssl;
	enum tls_state state;
	enum tls_result result; /* of the handshake, when it is over */
	const char *error;      /* a static text of what failed */
	char start[TLS_START_BYTES];
	size_t start_len;
	bool is_shut;          /* told the client that there is no more */
	struct slice fed;      /* ciphertext that libssl has yet to take */
	struct buf made;       /* ciphertext that may grow */
	struct buf taken;      /* ciphertext that is being sent */
	size_t taken_sent;     /* of it */
	size_t made_plaintext; /* how much is in there */
	size_t taken_plaintext;
};

struct tls_conn *tls_conn_create(struct tls_context *context);
void tls_conn_destroy(struct tls_conn *tls);

/*
 * Takes all of the ciphertext, at most TLS_INPUT_BYTES of it, and writes what
 * is in it to the plaintext buffer of HTTP_INPUT_BYTES. Returns how much.
 */
size_t tls_conn_feed(struct tls_conn *tls, struct slice ciphertext, char *ret_plaintext);

/* Puts it into the output, while open or ended and not shut; at most a batch at a time. */
void tls_conn_write(struct tls_conn *tls, struct slice plaintext);

/* Says that there is no more, once. Without it, the client takes its input for cut. */
void tls_conn_shut(struct tls_conn *tls);

/* What is next to send, which stays in place until all of it was sent. */
struct slice tls_conn_output(struct tls_conn *tls);

/*
 * That much of the output was sent. Returns how much plaintext is with that
 * all out: 0 until the last byte of the output is.
 */
size_t tls_conn_sent(struct tls_conn *tls, size_t bytes);

static inline bool tls_conn_has_output(const struct tls_conn *tls)
{
	return tls->taken_sent < tls->taken.len || tls->made.len != 0;
}

/* Whether plaintext was written that is not yet all sent. */
static inline bool tls_conn_is_writing(const struct tls_conn *tls)
{
	return tls->made_plaintext + tls->taken_plaintext != 0;
}

/* For tls.c: how libssl's connections reach the buffers of theirs. */
struct bio_method_st *tls_conn_bio_method(void);
