#include "net/tls.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "net/tls_client.h"
#include "net/tls_conn.h"
#include "net/tls_pem.h"

/* What Go offers up to TLS 1.2 when it is not told, in its order. */
static const char default_ciphers[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
									  "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
									  "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
									  "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
									  "ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"
									  "AES128-GCM-SHA256:AES256-GCM-SHA384:AES128-SHA:AES256-SHA";

const char *const tls_result_names[TLS_RESULT_COUNT] = {
	[TLS_RESULT_OK] = "ok",
	[TLS_RESULT_ALPN] = "alpn",
	[TLS_RESULT_CIPHER] = "cipher",
	[TLS_RESULT_CLIENT_ALERT] = "client_alert",
	[TLS_RESULT_CLIENT_INVALID] = "client_cert_invalid",
	[TLS_RESULT_CLIENT_MISSING] = "client_cert_missing",
	[TLS_RESULT_CLIENT_NAME] = "client_name",
	[TLS_RESULT_CLOSED] = "closed",
	[TLS_RESULT_HTTP] = "plain_http",
	[TLS_RESULT_PROTOCOL] = "protocol",
	[TLS_RESULT_TIMEOUT] = "timeout",
	[TLS_RESULT_VERSION] = "version",
};

/* ---- What a context is set up with ---- */

static bool set_versions(SSL_CTX *ctx, const struct tls_options *options, struct buf *errors)
{
	static const int versions[] = {
		[TLS_VERSION_1_0] = TLS1_VERSION,
		[TLS_VERSION_1_1] = TLS1_1_VERSION,
		[TLS_VERSION_1_2] = TLS1_2_VERSION,
		[TLS_VERSION_1_3] = TLS1_3_VERSION,
	};
	bool only_1_3 = options->ciphers != NULL && options->ciphers[0] == '\0';
	if (only_1_3 && options->max_version < TLS_VERSION_1_3) {
		buf_append_string(errors,
				"cipher_suites has none for TLS below 1.3, and max_version allows no more\n");
		return false;
	}
	/* The old versions sign with SHA-1; Go takes any RSA key from 1024 bits on, as level 1 does. */
	SSL_CTX_set_security_level(ctx, options->min_version < TLS_VERSION_1_2 ? 0 : 1);
	SSL_CTX_set_min_proto_version(ctx, only_1_3 ? TLS1_3_VERSION : versions[options->min_version]);
	SSL_CTX_set_max_proto_version(ctx, versions[options->max_version]);
	return true;
}

static bool set_ciphers(SSL_CTX *ctx, const struct tls_options *options, struct buf *errors)
{
	const char *ciphers = options->ciphers;
	if (ciphers == NULL || ciphers[0] == '\0') {
		ciphers = default_ciphers;
	}
	if (SSL_CTX_set_cipher_list(ctx, ciphers) != 1) {
		buf_printf(errors, "cipher_suites cannot be used: %s\n", tls_pem_reason());
		return false;
	}
	/* libssl knows no const here; it only reads. */
	char *curves = (char *)(uintptr_t)options->curves;
	if (curves != NULL && SSL_CTX_set1_groups_list(ctx, curves) != 1) {
		buf_printf(errors, "curve_preferences cannot be used: %s\n", tls_pem_reason());
		return false;
	}
	return true;
}

/* HTTP/1.1, whatever else the client would speak. */
static int on_alpn(SSL *ssl, const unsigned char **ret_protocol, unsigned char *ret_len,
		const unsigned char *offered, unsigned offered_len, void *data)
{
	static const unsigned char spoken[] = "\x08http/1.1\x08http/1.0";
	unsigned char *chosen;
	int result = SSL_select_next_proto(
			&chosen, ret_len, spoken, sizeof(spoken) - 1, offered, offered_len);
	if (result != OPENSSL_NPN_NEGOTIATED) {
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	*ret_protocol = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static void set_behaviour(SSL_CTX *ctx, const struct tls_options *options)
{
	static const unsigned char id[] = "weir";
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	if (options->prefers_server_ciphers) {
		SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	}
	/* An idle connection keeps no buffers. */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	/* What a client needs to come again lies with the client alone, in one ticket. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
}

static int64_t to_seconds(const ASN1_TIME *time)
{
	struct tm parts = { 0 };
	return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

static void note_times(struct tls_context *context)
{
	const X509 *cert = SSL_CTX_get0_certificate(context->ctx);
	context->not_before_seconds = to_seconds(X509_get0_notBefore(cert));
	context->not_after_seconds = to_seconds(X509_get0_notAfter(cert));
}

static void copy_names(struct tls_names *names, const struct tls_options *options)
{
	names->items = memory_zalloc(options->allowed_san_count, sizeof(*names->items));
	for (size_t i = 0; i < options->allowed_san_count; i++) {
		names->items[names->count++] = memory_copy_string(options->allowed_sans[i]);
	}
}

static bool set_up(
		struct tls_context *context, const struct tls_options *options, struct buf *errors)
{
	set_behaviour(context->ctx, options);
	/* All of them, so that one look mends all. */
	bool good = set_versions(context->ctx, options, errors);
	good &= set_ciphers(context->ctx, options, errors);
	good &= tls_pem_use_cert(context->ctx, &options->cert, &options->key, errors);
	good &= tls_client_set_up(context, options, errors);
	return good;
}

struct tls_context *tls_context_create(const struct tls_options *options, struct buf *errors)
{
	struct tls_context *context = memory_zalloc(1, sizeof(*context));
	context->refs = 1;
	context->ctx = SSL_CTX_new(TLS_server_method());
	assert(context->ctx != NULL); /* out of memory */
	context->bio_method = tls_conn_bio_method();
	copy_names(&context->allowed_sans, options);
	if (!set_up(context, options, errors)) {
		tls_context_unref(context);
		return NULL;
	}
	note_times(context);
	return context;
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
	context->refs++;
	return context;
}

void tls_context_unref(struct tls_context *context)
{
	if (--context->refs != 0) {
		return;
	}
	SSL_CTX_free(context->ctx);
	BIO_meth_free(context->bio_method);
	for (size_t i = 0; i < context->allowed_sans.count; i++) {
		free(context->allowed_sans.items[i]);
	}
	free(context->allowed_sans.items);
	free(context);
}

/* ---- What connections share ---- */

void tls_server_init(struct tls_server *server)
{
	*server = (struct tls_server){ 0 };
}

void tls_server_finish(struct tls_server *server)
{
	if (server->context != NULL) {
		tls_context_unref(server->context);
	}
	free(server->input);
}

void tls_server_use(struct tls_server *server, struct tls_context *context)
{
	if (server->context != NULL) {
		tls_context_unref(server->context);
	}
	server->context = context;
	if (server->input == NULL) {
		server->input = memory_alloc(TLS_INPUT_BYTES);
	}
}
