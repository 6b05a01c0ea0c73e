#include "api/pair_digest.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

/* These fail when memory is out, or OpenSSL without its default algorithms. */
static void must(bool succeeded)
{
	assert(succeeded);
	(void)succeeded;
}

void pair_digester_open(struct pair_digester *digester)
{
	unsigned char key[PAIR_DIGEST_BYTES];
	char name[] = "SHA256";
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	must(mac != NULL && RAND_bytes(key, sizeof(key)) == 1);
	digester->context = EVP_MAC_CTX_new(mac);
	must(digester->context != NULL
			&& EVP_MAC_init(digester->context, key, sizeof(key), parameters) == 1);
	EVP_MAC_free(mac);
	OPENSSL_cleanse(key, sizeof(key));
}

void pair_digester_close(struct pair_digester *digester)
{
	EVP_MAC_CTX_free(digester->context);
	digester->context = NULL;
}

static void update(struct pair_digester *digester, const void *bytes, size_t len)
{
	must(len == 0 || EVP_MAC_update(digester->context, bytes, len) == 1);
}

struct pair_digest pair_digest_make(struct pair_digester *digester, bool is_known,
		struct slice user, struct slice hash, struct slice password)
{
	/* The lengths keep what belongs to the one from being taken for the other's. */
	const uint64_t head[] = { is_known, user.len, hash.len };
	struct pair_digest digest;
	size_t len;
	must(EVP_MAC_init(digester->context, NULL, 0, NULL) == 1);
	update(digester, head, sizeof(head));
	update(digester, user.ptr, user.len);
	update(digester, hash.ptr, hash.len);
	update(digester, password.ptr, password.len);
	must(EVP_MAC_final(digester->context, digest.bytes, &len, sizeof(digest.bytes)) == 1);
	return digest;
}

bool pair_digest_equal(const struct pair_digest *a, const struct pair_digest *b)
{
	return CRYPTO_memcmp(a->bytes, b->bytes, PAIR_DIGEST_BYTES) == 0;
}
