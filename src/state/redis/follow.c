#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "state/redis/parts.h"
#include "state/redis/reply.h"
#include "state/redis/version.h"

/*
 * One server's streams are read by one command that waits until there is something.
 * In a cluster none can name keys of several slots: there each is asked, every few
 * milliseconds; those of one node go out together.
 */

enum {
	READ_COUNT = 256, /* entries of a stream at a time */
	BLOCK_MS = 1000,
	OWN_PAUSE_MS = 2,   /* behind a read that brought only what this weir sent itself */
	BLOCK_SOME_MS = 50, /* while the stream of some partition is not read yet */
	ITEMS_MAX = 16384,  /* that wait to be applied, until more is read */
};

static void read_pairs(struct partition *partition, const struct redisReply *fields)
{
	for (size_t i = 2; i + 1 < fields->elements; i += 2) {
		struct slice name = reply_text(fields->element[i]);
		struct slice text = reply_text(fields->element[i + 1]);
		uint64_t version;
		if (!slice_equal(name, SLICE("wipe"))) {
			struct apply_item *item = apply_create(partition, APPLY_CHANGE);
			apply_set_name(item, name);
			apply_set_change(item, text);
			apply_queue(item);
		} else if (text.len == VERSION_DIGITS && version_read(text.ptr, &version)) {
			struct apply_item *item = apply_create(partition, APPLY_WIPE);
			apply_set_wipe(item, version);
			apply_queue(item);
		}
	}
}

/* How long ago it was made, by Redis' clock. */
static void note_lag(struct redis_state *state, struct stream_id id)
{
	int64_t lag_us = (int64_t)shared_clock_now_us(&state->clock) - (int64_t)(id.ms * 1000);
	state->stats.lag_seconds = lag_us < 0 ? 0 : (double)lag_us / 1e6;
	if (id.ms > state->stats.position_ms) {
		state->stats.position_ms = id.ms;
	}
}

/* Whether another weir has made it. */
static bool read_entry(struct partition *partition, const struct redisReply *entry)
{
	struct redis_state *state = partition->state;
	if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2) {
		return false;
	}
	partition->position = stream_id_read(entry->element[0]);
	const struct redisReply *fields = entry->element[1];
	if (fields->type != REDIS_REPLY_ARRAY || fields->elements < 2) {
		return false;
	}
	bool is_foreign =
			!slice_equal(reply_text(fields->element[1]), slice_of_string(state->lease.token));
	if (is_foreign) {
		note_lag(state, partition->position);
		state->stats.received += fields->elements / 2 - 1;
		read_pairs(partition, fields);
	}
	return is_foreign;
}

static struct partition *partition_of_stream(
		struct redis_state *state, const struct redisReply *stream)
{
	if (stream->type != REDIS_REPLY_ARRAY || stream->elements != 2
			|| stream->element[1]->type != REDIS_REPLY_ARRAY) {
		return NULL;
	}
	for (size_t i = 0; i < PARTITIONS; i++) {
		struct partition *partition = &state->partitions[i];
		if (slice_equal(reply_text(stream->element[0]), slice_of_string(partition->key_changes))) {
			return partition->phase == PARTITION_FOLLOWING ? partition : NULL;
		}
	}
	return NULL;
}

/* How much came, and from whom. */
enum reading {
	READ_NOTHING,
	READ_OWN, /* what this weir sent itself */
	READ_OTHERS,
};

static enum reading read_streams(struct redis_state *state, const struct redisReply *streams)
{
	if (streams->type != REDIS_REPLY_ARRAY || streams->elements == 0) {
		return READ_NOTHING;
	}
	bool has_foreign = false;
	for (size_t i = 0; i < streams->elements; i++) {
		struct partition *partition = partition_of_stream(state, streams->element[i]);
		const struct redisReply *entries =
				partition == NULL ? NULL : streams->element[i]->element[1];
		for (size_t j = 0; entries != NULL && j < entries->elements; j++) {
			has_foreign |= read_entry(partition, entries->element[j]);
		}
	}
	return has_foreign ? READ_OTHERS : READ_OWN;
}

static void on_pause_over(uv_timer_t *timer)
{
	follow(timer->data);
}

/*
 * A weir that pushes come to hears of each of its own batches: when there is nothing else, it
 * listens again a little later, to many of them at once.
 */
static void go_on(struct redis_state *state, enum reading reading)
{
	bool is_cluster = redis_is_cluster(state->reader);
	if (reading == READ_OWN) {
		uv_timer_start(&state->pause, on_pause_over, OWN_PAUSE_MS, 0);
	} else if (reading == READ_OTHERS || !is_cluster) {
		follow(state);
	}
}

static void on_entries(struct redis_command *command, const struct redis_result *result)
{
	struct redis_state *state = LIST_ENTRY(command, struct follow, command)->state;
	state->follows--;
	if (state->is_closing) {
		return;
	}
	/* What was lost is found when the partition is greeted. */
	if (reply_fault(result) == NULL) {
		go_on(state, read_streams(state, result->reply));
	}
}

static void read_of(struct redis_state *state, size_t number, struct partition *const *partitions,
		size_t count, bool is_blocking)
{
	struct slice args[8 + 2 * PARTITIONS];
	char ids[PARTITIONS][STREAM_ID_TEXT_MAX];
	char read_count[16];
	char block[16];
	size_t n = 0;
	snprintf(read_count, sizeof(read_count), "%d", READ_COUNT);
	uint64_t block_ms = count == PARTITIONS ? BLOCK_MS : BLOCK_SOME_MS;
	snprintf(block, sizeof(block), "%d", (int)block_ms);
	args[n++] = SLICE("XREAD");
	args[n++] = SLICE("COUNT");
	args[n++] = slice_of_string(read_count);
	if (is_blocking) {
		args[n++] = SLICE("BLOCK");
		args[n++] = slice_of_string(block);
	}
	args[n++] = SLICE("STREAMS");
	for (size_t i = 0; i < count; i++) {
		args[n++] = slice_of_string(partitions[i]->key_changes);
	}
	for (size_t i = 0; i < count; i++) {
		args[n++] = stream_id_write(partitions[i]->position, ids[i]);
	}
	struct redis_command *command = &state->follow[number].command;
	state->follow[number].state = state;
	*command = (struct redis_command){
		.done = on_entries,
		.slot = partitions[0]->slot,
		.is_blocking = is_blocking,
		.block_ms = is_blocking ? block_ms : 0,
	};
	state->follows++;
	redis_send(state->reader, command, args, n);
}

void follow(struct redis_state *state)
{
	struct partition *ready[PARTITIONS];
	size_t count = 0;
	bool is_early = state->loading > 0 && !state->is_loaded;
	bool is_full = state->item_count + state->fetches > ITEMS_MAX;
	if (is_early || uv_is_active((uv_handle_t *)&state->pause) || state->follows > 0
			|| state->is_closing || is_full) {
		return;
	}
	for (size_t i = 0; i < PARTITIONS; i++) {
		if (state->partitions[i].phase == PARTITION_FOLLOWING) {
			ready[count++] = &state->partitions[i];
		}
	}
	if (!redis_is_cluster(state->reader)) {
		if (count > 0) {
			read_of(state, 0, ready, count, true);
		}
		return;
	}
	for (size_t i = 0; i < count; i++) {
		read_of(state, i, &ready[i], 1, false);
	}
}
