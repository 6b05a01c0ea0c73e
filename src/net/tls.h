#pragma once

/*
 * TLS as a server speaks it: certificate, versions, ciphers and what clients
 * have to show of themselves, made into a context that many connections share.
 *
 * A context never changes. For other certificates another one is made and put
 * in its place; connections that began with the old one keep it. Names and
 * meanings are Go's, whose programs weir stands in for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* Of libssl. */
struct bio_method_st;
struct ssl_ctx_st;

enum {
	TLS_RECORD_BYTES = 17 * 1024, /* more than one record takes, sealed or open */
};

/* What a client has to show. */
enum tls_client_auth {
	TLS_CLIENT_AUTH_NONE,
	TLS_CLIENT_AUTH_REQUEST,         /* asked for, not looked at */
	TLS_CLIENT_AUTH_REQUIRE_ANY,     /* any certificate, not verified */
	TLS_CLIENT_AUTH_VERIFY_IF_GIVEN, /* none, or one of the client CA */
	TLS_CLIENT_AUTH_REQUIRE_VERIFIED,
};

enum tls_version {
	TLS_VERSION_1_0,
	TLS_VERSION_1_1,
	TLS_VERSION_1_2,
	TLS_VERSION_1_3,
};

/* How a handshake ended. */
enum tls_result {
	TLS_RESULT_OK,
	TLS_RESULT_ALPN,           /* the client speaks no HTTP/1 */
	TLS_RESULT_CIPHER,         /* none that both have, or no curve */
	TLS_RESULT_CLIENT_ALERT,   /* the client gave up, as when it does not know our CA */
	TLS_RESULT_CLIENT_INVALID, /* its certificate is not of the client CA, or expired */
	TLS_RESULT_CLIENT_MISSING, /* it shows no certificate */
	TLS_RESULT_CLIENT_NAME,    /* none of its names is allowed */
	TLS_RESULT_CLOSED,         /* the connection ended first */
	TLS_RESULT_HTTP,           /* a request in plain text */
	TLS_RESULT_PROTOCOL,       /* no TLS, or against its rules */
	TLS_RESULT_TIMEOUT,
	TLS_RESULT_VERSION, /* none that both have */
	TLS_RESULT_COUNT,
};

/* As own metrics and the log call them, by result. */
extern const char *const tls_result_names[TLS_RESULT_COUNT];

/* PEM, and where it is from, for errors. */
struct tls_pem {
	const char *name;
	struct slice text;
};

struct tls_options {
	struct tls_pem cert; /* the server's own first, then those that lead to its CA */
	struct tls_pem key;
	struct tls_pem client_ca; /* name NULL: those that the system trusts */
	enum tls_client_auth client_auth;
	const char *const *allowed_sans; /* one of which a client's certificate must have */
	size_t allowed_san_count;        /* 0: any */
	enum tls_version min_version;
	enum tls_version max_version;
	const char *ciphers; /* up to TLS 1.2, as OpenSSL has them; "": TLS 1.3 only; NULL: Go's */
	const char *curves;  /* as OpenSSL has them; NULL: its own */
	bool prefers_server_ciphers;
};

/* Names that a client's certificate may have, heap copies. */
struct tls_names {
	char **items;
	size_t count;
};

struct tls_context {
	size_t refs;
	struct ssl_ctx_st *ctx;
	struct bio_method_st *bio_method; /* of its connections */
	bool verifies;                    /* certificates of clients */
	struct tls_names allowed_sans;
	int64_t not_before_seconds; /* of the certificate, since 1970 */
	int64_t not_after_seconds;
};

/* What the connections of all listeners share. */
struct tls_server {
	struct tls_context *context; /* for connections to come */
	char *input;                 /* where ciphertext is read to */
	uint64_t handshakes[TLS_RESULT_COUNT];
};

/*
 * With one reference, the caller's; copies what it needs. NULL: `errors` has
 * what is wrong, a line each, as "NAME: what".
 */
struct tls_context *tls_context_create(const struct tls_options *options, struct buf *errors);

struct tls_context *tls_context_ref(struct tls_context *context);
void tls_context_unref(struct tls_context *context);

void tls_server_init(struct tls_server *server);
void tls_server_finish(struct tls_server *server);

/* New connections get this context, whose reference is taken over. */
void tls_server_use(struct tls_server *server, struct tls_context *context);
