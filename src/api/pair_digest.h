#pragma once

/*
 * What a pair of user and password is remembered by: HMAC-SHA256 of the two
 * and of the hash that stands in the file, under a key of this process.
 *
 * Passwords as such are never kept, and since the file's hash is part of it,
 * what was found out about a pair is void when that changes. XXH3 would not
 * do: its key can be told from its values.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum { PAIR_DIGEST_BYTES = 32 };

struct pair_digest {
	unsigned char bytes[PAIR_DIGEST_BYTES];
};

struct pair_digester {
	struct evp_mac_ctx_st *context; /* NULL until opened */
};

/* Draws the key. */
void pair_digester_open(struct pair_digester *digester);

/* One that was not opened, too. */
void pair_digester_close(struct pair_digester *digester);

/* is_known: there is such a user in the file. */
struct pair_digest pair_digest_make(struct pair_digester *digester, bool is_known,
		struct slice user, struct slice hash, struct slice password);

bool pair_digest_equal(const struct pair_digest *a, const struct pair_digest *b);
