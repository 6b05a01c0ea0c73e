#pragma once

/*
 * TLS as a client speaks it, without its socket: bytes in, bytes out.
 *
 *	             feed()
 *	ciphertext ----------> plaintext
 *	plaintext  ----------> ciphertext, gathered until it is taken
 *	             write()                       take()
 *
 * A server has to show a certificate for the name or the address by which it is reached,
 * of a CA that is trusted. TLS 1.2 or later.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

struct tls_outgoing_options {
	const char *host;      /* a name, which is also told to the server, or an address */
	const char *ca_file;   /* PEM; "": those that the system trusts */
	const char *cert_file; /* PEM, shown to the server; "": none */
	const char *key_file;
	bool is_unverified; /* whatever the server shows is taken */
};

enum tls_outgoing_state {
	TLS_OUTGOING_HANDSHAKING,
	TLS_OUTGOING_OPEN,
	TLS_OUTGOING_FAILED, /* or ended */
};

struct tls_outgoing;

/* Reads the files. NULL: `errors` has what is wrong, a line each. */
struct tls_outgoing *tls_outgoing_create(
		const struct tls_outgoing_options *options, struct buf *errors);
void tls_outgoing_destroy(struct tls_outgoing *tls);

enum tls_outgoing_state tls_outgoing_state(const struct tls_outgoing *tls);

/* A static text: why it failed, to follow a colon. */
const char *tls_outgoing_error(const struct tls_outgoing *tls);

/* The plaintext of it, good until the next call. There may be something to take after it. */
struct slice tls_outgoing_feed(struct tls_outgoing *tls, struct slice ciphertext);

/* While it is open. */
void tls_outgoing_write(struct tls_outgoing *tls, struct slice plaintext);

/* How much ciphertext there is to send, and all of it. */
size_t tls_outgoing_pending(const struct tls_outgoing *tls);
void tls_outgoing_take(struct tls_outgoing *tls, char *ret_ciphertext);
