#include "net/tls_conn.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
	/* A client that makes TLS talk without reading it is no client. */
	MADE_BYTES_MAX = 256 * 1024,
	/* What a connection keeps of its buffers: a small answer needs no allocation. */
	KEPT_BYTES = 512,
	RECORD_PLAIN_BYTES = 16 * 1024,
	RECORD_OVERHEAD_BYTES = 128, /* more than that of any cipher */
};

/* ---- What libssl reads from and writes to ---- */

static int on_bio_read(BIO *bio, char *into, int size)
{
	struct tls_conn *tls = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (tls->fed.len == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	struct slice part = slice_first(tls->fed, (size_t)size);
	memcpy(into, part.ptr, part.len);
	tls->fed = slice_skip(tls->fed, part.len);
	return (int)part.len;
}

static int on_bio_write(BIO *bio, const char *from, int size)
{
	struct tls_conn *tls = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	buf_append(&tls->made, slice_make(from, (size_t)size));
	return tls->made.failed ? -1 : size;
}

static long on_bio_control(BIO *bio, int command, long number, void *pointer)
{
	return command == BIO_CTRL_FLUSH; /* all else is unknown here */
}

struct bio_method_st *tls_conn_bio_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "connection");
	assert(method != NULL); /* out of memory */
	BIO_meth_set_read(method, on_bio_read);
	BIO_meth_set_write(method, on_bio_write);
	BIO_meth_set_ctrl(method, on_bio_control);
	return method;
}

struct tls_conn *tls_conn_create(struct tls_context *context)
{
	struct tls_conn *tls = memory_zalloc(1, sizeof(*tls));
	tls->context = tls_context_ref(context);
	buf_init(&tls->made, MADE_BYTES_MAX);
	buf_init(&tls->taken, MADE_BYTES_MAX);
	tls->ssl = SSL_new(context->ctx);
	BIO *bio = BIO_new(context->bio_method);
	assert(tls->ssl != NULL && bio != NULL); /* out of memory */
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_accept_state(tls->ssl);
	return tls;
}

void tls_conn_destroy(struct tls_conn *tls)
{
	SSL_free(tls->ssl);
	tls_context_unref(tls->context);
	buf_finish(&tls->made);
	buf_finish(&tls->taken);
	free(tls);
}

/* ---- What went wrong ---- */

static enum tls_result result_of_verdict(const struct tls_conn *tls)
{
	return SSL_get_verify_result(tls->ssl) == X509_V_ERR_HOSTNAME_MISMATCH
			? TLS_RESULT_CLIENT_NAME
			: TLS_RESULT_CLIENT_INVALID;
}

static enum tls_result result_of_error(const struct tls_conn *tls, unsigned long error)
{
	int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
	switch (reason) {
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_UNKNOWN_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
		return TLS_RESULT_VERSION;
	case SSL_R_WRONG_VERSION_NUMBER:
		/* Of the first record it means that this is no TLS. */
		return SSL_get_state(tls->ssl) == TLS_ST_BEFORE ? TLS_RESULT_PROTOCOL : TLS_RESULT_VERSION;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SHARED_GROUPS:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
		return TLS_RESULT_CIPHER;
	case SSL_R_NO_APPLICATION_PROTOCOL:
		return TLS_RESULT_ALPN;
	case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
		return TLS_RESULT_CLIENT_MISSING;
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
		return result_of_verdict(tls);
	default:
		return reason > SSL_AD_REASON_OFFSET ? TLS_RESULT_CLIENT_ALERT : TLS_RESULT_PROTOCOL;
	}
}

/* The alert that says so is in the output already. */
static void fail(struct tls_conn *tls)
{
	unsigned long last = ERR_peek_last_error();
	const char *reason = last == 0 ? NULL : ERR_reason_error_string(last);
	if (tls->state == TLS_HANDSHAKING) {
		tls->result = result_of_error(tls, last);
	}
	tls->error = reason != NULL ? reason : "broken connection";
	tls->state = TLS_FAILED;
	ERR_clear_error();
}

/* ---- In ---- */

/* A method and what may follow it: no record of TLS begins with a letter. */
static bool is_request(const char start[static TLS_START_BYTES])
{
	size_t letters = 0;
	while (letters < TLS_START_BYTES && start[letters] >= 'A' && start[letters] <= 'Z') {
		letters++;
	}
	return letters == TLS_START_BYTES || (letters >= 3 && start[letters] == ' ');
}

static void answer_request(struct tls_conn *tls)
{
	buf_reset(&tls->made, KEPT_BYTES);
	buf_append_string(&tls->made,
			"HTTP/1.0 400 Bad Request\r\n\r\n"
			"Client sent an HTTP request to an HTTPS server.\n");
	tls->state = TLS_FAILED;
	tls->result = TLS_RESULT_HTTP;
	tls->error = "a request in plain HTTP";
}

/* Looks at the first bytes of all. */
static void look_at_start(struct tls_conn *tls, struct slice ciphertext)
{
	struct slice part = slice_first(ciphertext, TLS_START_BYTES - tls->start_len);
	if (part.len == 0) {
		return;
	}
	memcpy(tls->start + tls->start_len, part.ptr, part.len);
	tls->start_len += part.len;
	if (tls->start_len == TLS_START_BYTES && is_request(tls->start)) {
		answer_request(tls);
	}
}

static void shake_hands(struct tls_conn *tls)
{
	ERR_clear_error();
	int status = SSL_do_handshake(tls->ssl);
	if (status == 1) {
		tls->state = TLS_OPEN;
		tls->result = TLS_RESULT_OK;
	} else if (SSL_get_error(tls->ssl, status) != SSL_ERROR_WANT_READ) {
		fail(tls);
	}
}

/* One record at most. 0: there is no more for now, or ever. */
static size_t read_some(struct tls_conn *tls, char *ret_plaintext, size_t size)
{
	size_t count = 0;
	ERR_clear_error();
	int status = SSL_read_ex(tls->ssl, ret_plaintext, size, &count);
	if (status == 1) {
		return count;
	}
	int error = SSL_get_error(tls->ssl, status);
	if (error == SSL_ERROR_ZERO_RETURN) {
		tls->state = TLS_ENDED;
	} else if (error != SSL_ERROR_WANT_READ) {
		fail(tls);
	}
	return 0;
}

size_t tls_conn_feed(struct tls_conn *tls, struct slice ciphertext, char *ret_plaintext)
{
	assert(ciphertext.len <= TLS_INPUT_BYTES);
	size_t count = 0;
	look_at_start(tls, ciphertext);
	tls->fed = ciphertext;
	if (tls->state == TLS_HANDSHAKING) {
		shake_hands(tls);
	}
	while (tls->state == TLS_OPEN) {
		size_t more = read_some(tls, ret_plaintext + count, HTTP_INPUT_BYTES - count);
		count += more;
		if (more == 0) {
			break;
		}
	}
	tls->fed = slice_make(NULL, 0);
	return count;
}

/* ---- Out ---- */

static bool may_write(const struct tls_conn *tls)
{
	return (tls->state == TLS_OPEN || tls->state == TLS_ENDED) && !tls->is_shut;
}

void tls_conn_write(struct tls_conn *tls, struct slice plaintext)
{
	assert(plaintext.len <= TLS_BATCH_BYTES);
	if (!may_write(tls) || plaintext.len == 0) {
		return;
	}
	size_t records = plaintext.len / RECORD_PLAIN_BYTES + 1;
	buf_reserve(&tls->made, plaintext.len + records * RECORD_OVERHEAD_BYTES);
	ERR_clear_error();
	if (SSL_write(tls->ssl, plaintext.ptr, (int)plaintext.len) <= 0) {
		fail(tls);
		return;
	}
	tls->made_plaintext += plaintext.len;
}

void tls_conn_shut(struct tls_conn *tls)
{
	if (may_write(tls)) {
		tls->is_shut = true;
		ERR_clear_error();
		SSL_shutdown(tls->ssl);
	}
}

struct slice tls_conn_output(struct tls_conn *tls)
{
	if (tls->taken_sent == tls->taken.len) {
		struct buf empty = tls->taken;
		buf_reset(&empty, KEPT_BYTES);
		tls->taken = tls->made;
		tls->made = empty;
		tls->taken_sent = 0;
		tls->taken_plaintext = tls->made_plaintext;
		tls->made_plaintext = 0;
	}
	if (tls->taken.len == 0) {
		return slice_make(NULL, 0);
	}
	return slice_skip(buf_slice(&tls->taken), tls->taken_sent);
}

size_t tls_conn_sent(struct tls_conn *tls, size_t bytes)
{
	tls->taken_sent += bytes;
	if (tls->taken_sent < tls->taken.len) {
		return 0;
	}
	size_t plaintext = tls->taken_plaintext;
	tls->taken_plaintext = 0;
	tls->taken_sent = 0;
	buf_reset(&tls->taken, KEPT_BYTES);
	return plaintext;
}
