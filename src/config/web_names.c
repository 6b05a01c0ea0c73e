#include "config/web_names.h"

#include <string.h>

#include "config/suggest.h"

struct row {
	const char *go;
	const char *openssl;
};

/* What tls.CipherSuites() of Go had before 1.22, so that files of that time are still read. */
static const struct row ciphers[] = {
	{ "TLS_AES_128_GCM_SHA256", "" },
	{ "TLS_AES_256_GCM_SHA384", "" },
	{ "TLS_CHACHA20_POLY1305_SHA256", "" },
	{ "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA" },
	{ "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256" },
	{ "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA" },
	{ "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384" },
	{ "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305" },
	{ "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA" },
	{ "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256" },
	{ "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA" },
	{ "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384" },
	{ "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305" },
	{ "TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA" },
	{ "TLS_RSA_WITH_AES_128_GCM_SHA256", "AES128-GCM-SHA256" },
	{ "TLS_RSA_WITH_AES_256_CBC_SHA", "AES256-SHA" },
	{ "TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384" },
};

static const struct row curves[] = {
	{ "CurveP256", "P-256" },
	{ "CurveP384", "P-384" },
	{ "CurveP521", "P-521" },
	{ "X25519", "X25519" },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *find(const struct row *rows, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].go, name) == 0) {
			return rows[i].openssl;
		}
	}
	return NULL;
}

static const char *suggest(const struct row *rows, size_t count, const char *name)
{
	struct suggestion near = suggestion_begin(slice_of_string(name));
	for (size_t i = 0; i < count; i++) {
		suggestion_consider(&near, rows[i].go);
	}
	return near.name;
}

const char *web_cipher_of_go(const char *name)
{
	return find(ciphers, COUNT(ciphers), name);
}

const char *web_curve_of_go(const char *name)
{
	return find(curves, COUNT(curves), name);
}

const char *web_suggest_cipher(const char *name)
{
	return suggest(ciphers, COUNT(ciphers), name);
}

const char *web_suggest_curve(const char *name)
{
	return suggest(curves, COUNT(curves), name);
}
