#pragma once

/*
 * Keys and certificates made for a test, as PEM.
 */

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/slice.h"

enum { PEM_BYTES = 8192 };

struct certificate {
	EVP_PKEY *key;
	X509 *x509;
	char key_text[PEM_BYTES];
	char cert_text[PEM_BYTES];
};

static inline void bio_to_text(BIO *bio, char text[static PEM_BYTES])
{
	int len = BIO_read(bio, text, PEM_BYTES - 1);
	text[len < 0 ? 0 : len] = '\0';
	BIO_free(bio);
}

static inline void certificate_add(X509 *x509, X509V3_CTX *context, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, context, nid, value);
	X509_add_ext(x509, extension, -1);
	X509_EXTENSION_free(extension);
}

/* Good for the given seconds from now; sans as in "DNS:a,IP:::1"; no issuer: its own. */
static inline void certificate_init(struct certificate *certificate, const char *name,
		const char *sans, long seconds, const struct certificate *issuer)
{
	X509V3_CTX context;
	X509 *x509 = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), random() + 1);
	X509_gmtime_adj(X509_getm_notBefore(x509), -100000);
	X509_gmtime_adj(X509_getm_notAfter(x509), seconds);
	X509_set_pubkey(x509, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
			(const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x509, X509_get_subject_name(issuer == NULL ? x509 : issuer->x509));
	X509V3_set_ctx(&context, issuer == NULL ? x509 : issuer->x509, x509, NULL, NULL, 0);
	certificate_add(x509, &context, NID_basic_constraints, issuer == NULL ? "CA:TRUE" : "CA:FALSE");
	if (sans != NULL) {
		certificate_add(x509, &context, NID_subject_alt_name, sans);
	}
	X509_sign(x509, issuer == NULL ? key : issuer->key, EVP_sha256());

	certificate->key = key;
	certificate->x509 = x509;
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	bio_to_text(bio, certificate->key_text);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509(bio, x509);
	bio_to_text(bio, certificate->cert_text);
}

static inline void certificate_finish(struct certificate *certificate)
{
	EVP_PKEY_free(certificate->key);
	X509_free(certificate->x509);
}
