#include "net/tls_pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>

const char *tls_pem_reason(void)
{
	unsigned long first = ERR_peek_error();
	const char *reason = first == 0 ? NULL : ERR_reason_error_string(first);
	ERR_clear_error();
	return reason != NULL ? reason : "unknown fault of OpenSSL";
}

static bool fail(struct buf *errors, const struct tls_pem *pem, const char *what)
{
	buf_printf(errors, "%s: %s\n", pem->name, what);
	ERR_clear_error();
	return false;
}

static bool fail_with_reason(struct buf *errors, const struct tls_pem *pem, const char *what)
{
	buf_printf(errors, "%s: %s: %s\n", pem->name, what, tls_pem_reason());
	return false;
}

/* Whether PEM reading stopped because there was nothing more to read. */
static bool is_at_end(void)
{
	unsigned long last = ERR_peek_last_error();
	return ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
}

/* A key that needs a password is refused, not asked about. */
static int on_password(char *password, int size, int writes, void *data)
{
	bool *was_asked = data;
	*was_asked = true;
	return -1;
}

static BIO *open_text(struct slice text)
{
	return BIO_new_mem_buf(text.ptr, (int)text.len);
}

static STACK_OF(X509) * read_certs(const struct tls_pem *pem, struct buf *errors)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *bio = open_text(pem->text);
	X509 *cert;
	ERR_clear_error();
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		sk_X509_push(certs, cert);
	}
	BIO_free(bio);
	bool is_whole = is_at_end();
	if (is_whole && sk_X509_num(certs) > 0) {
		ERR_clear_error();
		return certs;
	}
	if (is_whole) {
		fail(errors, pem, "there is no certificate in it (-----BEGIN CERTIFICATE-----)");
	} else {
		fail_with_reason(errors, pem, "broken certificate");
	}
	sk_X509_pop_free(certs, X509_free);
	return NULL;
}

/* By what stands in front of a key of any kind; libssl only says "unsupported". */
static bool has_key(struct slice text)
{
	static const char mark[] = "PRIVATE KEY-----";
	return memmem(text.ptr, text.len, mark, sizeof(mark) - 1) != NULL;
}

static EVP_PKEY *read_key(const struct tls_pem *pem, struct buf *errors)
{
	bool was_asked = false;
	BIO *bio = open_text(pem->text);
	ERR_clear_error();
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, on_password, &was_asked);
	BIO_free(bio);
	if (key != NULL) {
		return key;
	}
	if (was_asked) {
		fail(errors, pem, "the key is encrypted; weir takes keys without a password only");
	} else if (!has_key(pem->text)) {
		fail(errors, pem, "there is no private key in it (-----BEGIN PRIVATE KEY-----)");
	} else {
		fail_with_reason(errors, pem, "broken private key");
	}
	return NULL;
}

static bool use_pair(SSL_CTX *ctx, STACK_OF(X509) * certs, EVP_PKEY *key,
		const struct tls_pem *cert_pem, const struct tls_pem *key_pem, struct buf *errors)
{
	X509 *cert = sk_X509_value(certs, 0);
	if (X509_check_private_key(cert, key) != 1) {
		buf_printf(errors, "%s: the key does not belong to the certificate of %s\n", key_pem->name,
				cert_pem->name);
		ERR_clear_error();
		return false;
	}
	if (SSL_CTX_use_certificate(ctx, cert) != 1) {
		return fail_with_reason(errors, cert_pem, "unusable certificate");
	}
	if (SSL_CTX_use_PrivateKey(ctx, key) != 1) {
		return fail_with_reason(errors, key_pem, "unusable key");
	}
	for (int i = 1; i < sk_X509_num(certs); i++) {
		if (SSL_CTX_add1_chain_cert(ctx, sk_X509_value(certs, i)) != 1) {
			return fail_with_reason(errors, cert_pem, "unusable certificate in the chain");
		}
	}
	return true;
}

bool tls_pem_use_cert(struct ssl_ctx_st *ctx, const struct tls_pem *cert, const struct tls_pem *key,
		struct buf *errors)
{
	STACK_OF(X509) *certs = read_certs(cert, errors);
	EVP_PKEY *private_key = read_key(key, errors);
	bool good = certs != NULL && private_key != NULL
			&& use_pair(ctx, certs, private_key, cert, key, errors);
	EVP_PKEY_free(private_key);
	sk_X509_pop_free(certs, X509_free);
	return good;
}

bool tls_pem_use_client_ca(struct ssl_ctx_st *ctx, const struct tls_pem *ca, struct buf *errors)
{
	STACK_OF(X509) *certs = read_certs(ca, errors);
	if (certs == NULL) {
		return false;
	}
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	bool good = true;
	for (int i = 0; i < sk_X509_num(certs) && good; i++) {
		X509 *cert = sk_X509_value(certs, i);
		good = X509_STORE_add_cert(store, cert) == 1 && SSL_CTX_add_client_CA(ctx, cert) == 1;
	}
	sk_X509_pop_free(certs, X509_free);
	return good || fail_with_reason(errors, ca, "unusable CA certificate");
}
