#pragma once

/*
 * Passwords against bcrypt hashes ($2a$, $2b$, $2x$ and $2y$), by libxcrypt.
 *
 * Slow on purpose, by a factor of two for each step of the cost: for worker
 * threads only. What bcrypt does not look at is cut off: it reads 72 bytes,
 * and so does what made the hash, if it took a longer password at all.
 */

#include <stdbool.h>

#include "base/slice.h"

enum {
	BCRYPT_HASH_BYTES = 60,     /* $2y$10$, then 22 of salt and 31 of hash */
	BCRYPT_PASSWORD_BYTES = 72, /* those that count */
};

/*
 * The bytes of a password that count, as a string. False for one with a NUL
 * among them: no hash is of such a one.
 */
bool bcrypt_read_password(struct slice text, char ret_password[static BCRYPT_PASSWORD_BYTES + 1]);

/* How many times two to the power of this it costs. */
int bcrypt_cost(const char *hash);

/* A hash of that cost that no password is known for: what is compared to it costs the same. */
void bcrypt_decoy(int cost, char ret_hash[static BCRYPT_HASH_BYTES + 1]);

/* In a time that does not tell where they differ. */
bool bcrypt_matches(const char *password, const char *hash);
