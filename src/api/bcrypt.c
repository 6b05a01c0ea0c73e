#include "api/bcrypt.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
	COST_AT = 4,
	DIGEST_AT = 29, /* behind the salt */
};

bool bcrypt_read_password(struct slice text, char ret_password[static BCRYPT_PASSWORD_BYTES + 1])
{
	text = slice_first(text, BCRYPT_PASSWORD_BYTES);
	if (slice_find_byte(text, '\0') != NULL) {
		return false;
	}
	if (text.len > 0) {
		memcpy(ret_password, text.ptr, text.len);
	}
	ret_password[text.len] = '\0';
	return true;
}

int bcrypt_cost(const char *hash)
{
	return atoi(hash + COST_AT);
}

void bcrypt_decoy(int cost, char ret_hash[static BCRYPT_HASH_BYTES + 1])
{
	static const char hash[] = "$2y$10$QOauhQNbBCuQDKes6eFzPe";
	memcpy(ret_hash, hash, DIGEST_AT);
	memset(ret_hash + DIGEST_AT, '.', BCRYPT_HASH_BYTES - DIGEST_AT);
	ret_hash[BCRYPT_HASH_BYTES] = '\0';
	ret_hash[COST_AT] = (char)('0' + cost / 10);
	ret_hash[COST_AT + 1] = (char)('0' + cost % 10);
}

/* What comes before the digest is what was asked for, if perhaps spelled in another way. */
bool bcrypt_matches(const char *password, const char *hash)
{
	struct crypt_data *data = memory_zalloc(1, sizeof(*data));
	const char *computed = crypt_rn(password, hash, data, (int)sizeof(*data));
	bool matches = computed != NULL && strlen(computed) == BCRYPT_HASH_BYTES
			&& strlen(hash) == BCRYPT_HASH_BYTES
			&& CRYPTO_memcmp(computed + DIGEST_AT, hash + DIGEST_AT, BCRYPT_HASH_BYTES - DIGEST_AT)
					== 0;
	OPENSSL_cleanse(data, sizeof(*data));
	free(data);
	return matches;
}
