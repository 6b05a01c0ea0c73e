#include "net/tls_outgoing.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "net/tls_pem.h"

enum {
	FILE_BYTES_MAX = 1 << 20,
	READ_BYTES = 16 * 1024,
	KEPT_BYTES = 4 * 1024,
	WRITE_BYTES_MAX = 1 << 20, /* at once: libssl counts in int */
};

struct tls_outgoing {
	SSL *ssl;
	BIO *input; /* both are libssl's */
	BIO *output;
	enum tls_outgoing_state state;
	const char *error;
	struct buf plaintext;
};

/* ---- What it is set up with ---- */

static bool read_file(const char *path, struct buf *text, struct buf *errors)
{
	buf_init(text, FILE_BYTES_MAX);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t count = fd < 0 ? -1 : 1;
	while (count > 0 && buf_reserve(text, READ_BYTES)) {
		count = read(fd, text->ptr + text->len, READ_BYTES);
		text->len += count > 0 ? (size_t)count : 0;
	}
	int error = errno;
	if (fd >= 0) {
		close(fd);
	}
	if (count != 0) {
		buf_printf(errors, "%s: %s\n", path, count < 0 ? strerror(error) : "too large");
		return false;
	}
	return true;
}

static bool use_cert(SSL_CTX *ctx, const struct tls_outgoing_options *options, struct buf *errors)
{
	if (options->cert_file[0] == '\0') {
		return true;
	}
	struct buf cert;
	struct buf key;
	bool good = read_file(options->cert_file, &cert, errors);
	good &= read_file(options->key_file, &key, errors);
	if (good) {
		const struct tls_pem cert_pem = { options->cert_file, buf_slice(&cert) };
		const struct tls_pem key_pem = { options->key_file, buf_slice(&key) };
		good = tls_pem_use_cert(ctx, &cert_pem, &key_pem, errors);
	}
	buf_finish(&cert);
	buf_finish(&key);
	return good;
}

static bool use_ca(SSL_CTX *ctx, const struct tls_outgoing_options *options, struct buf *errors)
{
	if (options->is_unverified) {
		return true;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	ERR_clear_error();
	bool is_own = options->ca_file[0] != '\0';
	int status = is_own ? SSL_CTX_load_verify_file(ctx, options->ca_file)
						: SSL_CTX_set_default_verify_paths(ctx);
	if (status != 1) {
		buf_printf(errors, "%s: %s\n", is_own ? options->ca_file : "the CAs of the system",
				tls_pem_reason());
		return false;
	}
	return true;
}

static void use_host(SSL *ssl, const struct tls_outgoing_options *options)
{
	X509_VERIFY_PARAM *wanted = SSL_get0_param(ssl);
	X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_ip_asc(wanted, options->host) != 1) {
		SSL_set1_host(ssl, options->host);
		/* libssl knows no const here; it copies. */
		SSL_set_tlsext_host_name(ssl, (char *)(uintptr_t)options->host);
	}
	ERR_clear_error();
}

static struct tls_outgoing *create(SSL_CTX *ctx, const struct tls_outgoing_options *options)
{
	struct tls_outgoing *tls = memory_zalloc(1, sizeof(*tls));
	buf_init(&tls->plaintext, 0);
	tls->ssl = SSL_new(ctx);
	tls->input = BIO_new(BIO_s_mem());
	tls->output = BIO_new(BIO_s_mem());
	assert(tls->ssl != NULL && tls->input != NULL && tls->output != NULL); /* out of memory */
	/* Empty is not the end. */
	BIO_set_mem_eof_return(tls->input, -1);
	SSL_set_bio(tls->ssl, tls->input, tls->output);
	SSL_set_connect_state(tls->ssl);
	use_host(tls->ssl, options);
	return tls;
}

static void shake_hands(struct tls_outgoing *tls);

struct tls_outgoing *tls_outgoing_create(
		const struct tls_outgoing_options *options, struct buf *errors)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	assert(ctx != NULL); /* out of memory */
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	bool good = use_ca(ctx, options, errors);
	good &= use_cert(ctx, options, errors);
	struct tls_outgoing *tls = NULL;
	if (good) {
		tls = create(ctx, options);
		shake_hands(tls);
	}
	SSL_CTX_free(ctx); /* what is connected holds it */
	return tls;
}

void tls_outgoing_destroy(struct tls_outgoing *tls)
{
	SSL_free(tls->ssl);
	buf_finish(&tls->plaintext);
	free(tls);
}

enum tls_outgoing_state tls_outgoing_state(const struct tls_outgoing *tls)
{
	return tls->state;
}

const char *tls_outgoing_error(const struct tls_outgoing *tls)
{
	return tls->error;
}

/* ---- Bytes ---- */

static void fail(struct tls_outgoing *tls)
{
	long verdict = SSL_get_verify_result(tls->ssl);
	unsigned long last = ERR_peek_last_error();
	const char *reason = last == 0 ? NULL : ERR_reason_error_string(last);
	if (ERR_GET_LIB(last) == ERR_LIB_SSL
			&& ERR_GET_REASON(last) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		reason = X509_verify_cert_error_string(verdict);
	}
	tls->error = reason != NULL ? reason : "it closed the connection";
	tls->state = TLS_OUTGOING_FAILED;
	ERR_clear_error();
}

static bool wants_input(struct tls_outgoing *tls, int status)
{
	return SSL_get_error(tls->ssl, status) == SSL_ERROR_WANT_READ;
}

static void shake_hands(struct tls_outgoing *tls)
{
	ERR_clear_error();
	int status = SSL_do_handshake(tls->ssl);
	if (status == 1) {
		tls->state = TLS_OUTGOING_OPEN;
	} else if (!wants_input(tls, status)) {
		fail(tls);
	}
}

static void read_all(struct tls_outgoing *tls)
{
	struct buf *plaintext = &tls->plaintext;
	while (tls->state == TLS_OUTGOING_OPEN) {
		size_t count = 0;
		buf_reserve(plaintext, READ_BYTES);
		ERR_clear_error();
		int status = SSL_read_ex(tls->ssl, plaintext->ptr + plaintext->len, READ_BYTES, &count);
		plaintext->len += count;
		if (status != 1 && wants_input(tls, status)) {
			return;
		}
		if (status != 1) {
			fail(tls);
		}
	}
}

struct slice tls_outgoing_feed(struct tls_outgoing *tls, struct slice ciphertext)
{
	buf_reset(&tls->plaintext, KEPT_BYTES);
	BIO_write(tls->input, ciphertext.ptr, (int)ciphertext.len);
	if (tls->state == TLS_OUTGOING_HANDSHAKING) {
		shake_hands(tls);
	}
	read_all(tls);
	return buf_slice(&tls->plaintext);
}

void tls_outgoing_write(struct tls_outgoing *tls, struct slice plaintext)
{
	while (plaintext.len > 0 && tls->state == TLS_OUTGOING_OPEN) {
		struct slice part = slice_first(plaintext, WRITE_BYTES_MAX);
		ERR_clear_error();
		if (SSL_write(tls->ssl, part.ptr, (int)part.len) <= 0) {
			fail(tls);
		}
		plaintext = slice_skip(plaintext, part.len);
	}
}

size_t tls_outgoing_pending(const struct tls_outgoing *tls)
{
	return BIO_ctrl_pending(tls->output);
}

void tls_outgoing_take(struct tls_outgoing *tls, char *ret_ciphertext)
{
	size_t left = tls_outgoing_pending(tls);
	while (left > 0) {
		int part = left > WRITE_BYTES_MAX ? WRITE_BYTES_MAX : (int)left;
		int count = BIO_read(tls->output, ret_ciphertext, part);
		assert(count > 0); /* it is there */
		ret_ciphertext += count;
		left -= (size_t)count;
	}
}
