#include "state/redis/join.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"
#include "state/redis/parts.h"
#include "state/redis/scripts.h"
#include "state/redis/version.h"

static struct slice number(char text[static NUMBER_TEXT_MAX], uint64_t value)
{
	return slice_make(text, number_format_uint(value, text));
}

static void send_join(struct partition *partition, struct redis_command *command,
		const struct join_pair *pairs, size_t count, uint64_t wipe, bool is_whole)
{
	const struct redis_state *state = partition->state;
	const struct redis_state_options *options = &state->options;
	enum { FIXED = 12 };
	struct slice *args = memory_alloc((FIXED + 4 * count) * sizeof(*args));
	char keys[NUMBER_TEXT_MAX];
	char length[NUMBER_TEXT_MAX];
	char tombstone[NUMBER_TEXT_MAX];
	char small[NUMBER_TEXT_MAX];
	char wiped[VERSION_DIGITS];
	size_t n = 0;
	version_write(wiped, wipe);
	args[n++] = is_whole ? SLICE("EVAL") : SLICE("EVALSHA");
	args[n++] = slice_of_string(is_whole ? script_join : state->join_sha);
	args[n++] = number(keys, count + 3);
	args[n++] = slice_of_string(partition->key_meta);
	args[n++] = slice_of_string(partition->key_changes);
	args[n++] = slice_of_string(partition->key_groups);
	for (size_t i = 0; i < count; i++) {
		args[n++] = pairs[i].key;
	}
	args[n++] = slice_of_string(partition->epoch);
	args[n++] = slice_of_string(state->lease.token);
	args[n++] = number(length, options->stream_length);
	args[n++] = number(tombstone, options->tombstone_ms);
	args[n++] = number(small, JOIN_SMALL_BYTES);
	args[n++] = wipe == 0 ? SLICE("") : slice_make(wiped, sizeof(wiped));
	for (size_t i = 0; i < count; i++) {
		args[n++] = slice_skip(pairs[i].key, pairs[i].name_at);
		args[n++] = slice_first(pairs[i].change, pairs[i].content_at);
		args[n++] = slice_skip(pairs[i].change, pairs[i].content_at);
	}
	redis_send(state->redis, command, args, n);
	free(args);
}

void join_send(struct partition *partition, struct redis_command *command,
		const struct join_pair *pairs, size_t count, uint64_t wipe)
{
	send_join(partition, command, pairs, count, wipe, false);
}

void join_send_whole(struct partition *partition, struct redis_command *command,
		const struct join_pair *pairs, size_t count, uint64_t wipe)
{
	send_join(partition, command, pairs, count, wipe, true);
}
