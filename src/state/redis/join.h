#pragma once

/*
 * Calls join.lua.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "redis/client.h"

struct partition;

enum {
	JOIN_SMALL_BYTES = 1024, /* changes up to there the stream has in full */
	JOIN_COUNT_MAX = 1024,   /* in one call */
};

/* A group's key and what is to be joined with it. */
struct join_pair {
	struct slice key;
	size_t name_at; /* where in the key the group's name begins */
	struct slice change;
	size_t content_at; /* where in the change its content begins */
};

/*
 * The wipe's version, 0: none. Texts are copied. The first time a server is asked, it may answer
 * NOSCRIPT; join_send_whole() brings the script along.
 */
void join_send(struct partition *partition, struct redis_command *command,
		const struct join_pair *pairs, size_t count, uint64_t wipe);
void join_send_whole(struct partition *partition, struct redis_command *command,
		const struct join_pair *pairs, size_t count, uint64_t wipe);
