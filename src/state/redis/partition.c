#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <zstd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/memory.h"
#include "state/redis/parts.h"
#include "state/redis/reply.h"
#include "state/redis/scan.h"
#include "state/redis/scripts.h"
#include "state/redis/sweep.h"
#include "state/redis/version.h"

/* ---- Names ---- */

/* Of each push, more than once: nothing is put together for it. */
size_t partition_of(const struct group_key *key)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < key->labels.count; i++) {
		sum = checksum64(key->labels.pairs[i].name, sum);
		sum = checksum64(key->labels.pairs[i].value, sum);
	}
	return sum % PARTITIONS;
}

static char *make_key(const struct partition *partition, const char *what)
{
	struct buf key;
	buf_init(&key, 0);
	buf_printf(&key, "%s:{%u}:%s", partition->state->options.prefix, partition->number, what);
	buf_append_byte(&key, '\0');
	return key.ptr;
}

static void on_hello(struct redis_command *command, const struct redis_result *result);

void partition_init(struct partition *partition, struct redis_state *state, unsigned number)
{
	partition->state = state;
	partition->number = number;
	partition->key_meta = make_key(partition, "meta");
	partition->key_changes = make_key(partition, "changes");
	partition->key_groups = make_key(partition, "groups");
	partition->key_prefix = make_key(partition, "group:");
	partition->slot = redis_slot(slice_of_string(partition->key_meta));
	partition->hello.done = on_hello;
	partition->hello.slot = partition->slot;
	list_init(&partition->groups);
	list_init(&partition->dirty);
	list_init(&partition->graves);
	map_init(&partition->gone);
	map_init(&partition->fetches);
}

void partition_finish(struct partition *partition)
{
	LIST_EACH (link, &partition->groups) {
		shared_group_forget(LIST_ENTRY(link, struct shared_group, link));
	}
	map_finish(&partition->gone);
	map_finish(&partition->fetches);
	ZSTD_freeCCtx(partition->zstd);
	free(partition->key_meta);
	free(partition->key_changes);
	free(partition->key_groups);
	free(partition->key_prefix);
}

/* ---- What is durable ---- */

void partition_tell_durable(struct partition *partition, uint64_t number)
{
	struct state_events *events = &partition->state->events;
	/* What is accepted while Redis is away is told, too. */
	if (!partition->is_away && number > partition->stored) {
		partition->stored = number;
	}
	if (number > partition->durable) {
		partition->durable = number;
		events->on_durable(events->data, partition->number, number);
	}
}

static size_t count_away(const struct redis_state *state)
{
	size_t away = 0;
	for (size_t i = 0; i < PARTITIONS; i++) {
		away += state->partitions[i].is_away;
	}
	return away;
}

static void begin_outage(struct partition *partition, const char *why)
{
	struct redis_state *state = partition->state;
	struct state_events *events = &state->events;
	if (count_away(state) == 0 && state->is_loaded) {
		state->stats.outages++;
		state->stats.seen_ns = clock_wall_ns();
		log_error("Redis is away error=%s", why);
	}
	partition->is_away = true;
	if (state->is_loaded && !state->options.accepts_outages) {
		events->on_away(events->data, partition->number, slice_of_string(why));
	}
}

static void end_outage(struct partition *partition)
{
	struct redis_state *state = partition->state;
	struct state_events *events = &state->events;
	partition->is_away = false;
	if (state->is_loaded && !state->options.accepts_outages) {
		events->on_back(events->data, partition->number);
	}
	if (count_away(state) == 0 && state->is_loaded) {
		log_info("Redis is back");
	}
	outgoing_arm(state);
}

void partition_succeed(struct partition *partition)
{
	partition->is_probed = false;
	if (partition->is_away) {
		end_outage(partition);
	}
}

void partitions_complain(struct redis_state *state, const char *why)
{
	if (strcmp(why, state->why) == 0) {
		return;
	}
	snprintf(state->why, sizeof(state->why), "%s", why);
	if (!state->is_loaded) {
		log_error("cannot load what Redis has, trying again error=%s", state->why);
	}
}

void partition_fail(struct partition *partition, const char *why)
{
	struct redis_state *state = partition->state;
	struct state_events *events = &state->events;
	partition->is_probed = false;
	partitions_complain(state, why);
	if (!partition->is_away) {
		begin_outage(partition, state->why);
	}
	if (state->options.accepts_outages) {
		outgoing_arm(state); /* what waited is taken now */
	} else if (partition_is_dirty(partition)) {
		events->on_failed(events->data, partition->number, state->store->changed,
				slice_of_string(state->why));
	}
}

/* ---- Hello ---- */

static void refuse(struct redis_state *state, const char *why)
{
	if (!state->is_unusable) {
		state->is_unusable = true;
		state->events.on_unusable(state->events.data, slice_of_string(why));
	}
}

static bool can_be_read(struct redis_state *state, const struct redisReply *reply)
{
	char why[160];
	long version = strtol(reply->element[1]->str, NULL, 10);
	long partitions = strtol(reply->element[2]->str, NULL, 10);
	if (version == PARTITION_VERSION && partitions == PARTITIONS) {
		return true;
	}
	if (version > PARTITION_VERSION) {
		snprintf(why, sizeof(why),
				"it was written by a newer weir, in version %ld; this one knows %d", version,
				PARTITION_VERSION);
	} else {
		snprintf(why, sizeof(why),
				"it has %ld partitions in version %ld; this weir has %d in version %d", partitions,
				version, PARTITIONS, PARTITION_VERSION);
	}
	refuse(state, why);
	return false;
}

static void set_epoch(struct partition *partition, const struct redisReply *reply)
{
	struct state_stats *stats = &partition->state->stats;
	snprintf(partition->epoch, sizeof(partition->epoch), "%s", reply->element[0]->str);
	uint64_t began_us = strtoull(partition->epoch, NULL, 16);
	stats->epoch_us = began_us > stats->epoch_us ? began_us : stats->epoch_us;
}

/* The stream ends before what had been read of it when it was asked. */
static bool is_shortened(const struct partition *partition, struct stream_id last)
{
	return stream_id_compare(last, partition->hello_position) < 0;
}

/* It does not have any more what comes behind what was read last. */
static bool is_gap(const struct partition *partition, struct stream_id last, struct stream_id first)
{
	return stream_id_compare(last, partition->position) > 0
			&& stream_id_compare(first, partition->position) > 0;
}

void partition_doubt(struct partition *partition)
{
	LIST_EACH (link, &partition->groups) {
		struct shared_group *shared = LIST_ENTRY(link, struct shared_group, link);
		shared->sends_all = true;
		shared_group_let_go(shared);
		shared->segment_count = 0;
		shared_group_mark(shared, 0);
	}
	if (partition->wiped != 0) {
		partition->wipe = partition->wiped;
	}
	outgoing_arm(partition->state);
}

static uint64_t wiped_of(const struct redisReply *reply)
{
	uint64_t wiped;
	struct slice text = reply_text(reply->element[3]);
	return text.len == VERSION_DIGITS && version_read(text.ptr, &wiped) ? wiped : 0;
}

/* The last wipe comes first, since the stream may not have it any more. */
static void scan(struct partition *partition, const struct redisReply *reply, bool is_lossy)
{
	uint64_t wiped = wiped_of(reply);
	if (wiped > partition->wiped) {
		struct apply_item *item = apply_create(partition, APPLY_WIPE);
		apply_set_wipe(item, wiped);
		apply_queue(item);
	}
	partition->position = stream_id_read(reply->element[4]);
	scan_begin(partition, is_lossy);
}

static void rescan(struct partition *partition, const struct redisReply *reply, bool is_lossy)
{
	partition->state->stats.rescans++;
	scan(partition, reply, is_lossy);
}

/* What is known of it is compared with what is there. */
static void meet(struct partition *partition, const struct redisReply *reply, uint64_t server)
{
	struct redis_state *state = partition->state;
	uint64_t wiped = wiped_of(reply);
	struct stream_id last = stream_id_read(reply->element[4]);
	struct stream_id first = stream_id_read(reply->element[5]);
	bool is_first = partition->epoch[0] == '\0';
	bool is_other_epoch = strcmp(partition->epoch, reply->element[0]->str) != 0;
	bool is_other_server = partition->server != server;
	partition->server = server;
	if (is_first) {
		set_epoch(partition, reply);
		scan(partition, reply, true);
	} else if (is_other_epoch) {
		state->stats.epochs++;
		log_warn("Redis has lost what it had; it gets it again partition=%u", partition->number);
		set_epoch(partition, reply);
		partition_doubt(partition);
		rescan(partition, reply, true);
	} else if (is_other_server) {
		/* It may not have all that the one before had. */
		partition->wipe = partition->wiped > wiped ? partition->wiped : partition->wipe;
		rescan(partition, reply, true);
	} else if (partition->phase == PARTITION_UNKNOWN) {
		rescan(partition, reply, false);
	} else if (partition->phase == PARTITION_FOLLOWING && is_shortened(partition, last)) {
		rescan(partition, reply, true);
	} else if (partition->phase == PARTITION_FOLLOWING && is_gap(partition, last, first)) {
		rescan(partition, reply, false);
	}
}

static bool is_answer(const struct redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 8) {
		return false;
	}
	for (size_t i = 0; i < reply->elements; i++) {
		if (reply->element[i]->type != REDIS_REPLY_STRING) {
			return false;
		}
	}
	return true;
}

static void on_hello(struct redis_command *command, const struct redis_result *result)
{
	struct partition *partition = LIST_ENTRY(command, struct partition, hello);
	struct redis_state *state = partition->state;
	const struct redisReply *reply = result->reply;
	partition->is_greeting = false;
	partition->is_doubtful = false;
	if (state->is_closing || state->is_unusable) {
		return;
	}
	const char *fault = reply_fault(result);
	if (fault != NULL || !is_answer(reply)) {
		partition_fail(
				partition, fault != NULL ? fault : "it answers what weir does not understand");
		return;
	}
	if (!can_be_read(state, reply)) {
		return;
	}
	shared_clock_learn(
			&state->clock, reply_time_us(reply->element[6], reply->element[7]), command->sent_ns);
	meet(partition, reply, result->server);
	bool is_behind = partition->outgoing != NULL || partition_is_dirty(partition);
	if (partition->is_away && is_behind) {
		partition->is_probed = !state->is_ending;
		outgoing_arm(state);
	} else {
		partition_succeed(partition);
	}
}

void partition_greet(struct partition *partition)
{
	struct redis_state *state = partition->state;
	if (partition->is_greeting || state->is_unusable || !state->has_replica) {
		return;
	}
	char epoch[EPOCH_BYTES];
	char version[8];
	char partitions[8];
	uint64_t random[1] = { 0 };
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		random[0] = clock_monotonic_ns();
	}
	snprintf(epoch, sizeof(epoch), "%013llx-%016llx",
			(unsigned long long)shared_clock_now_us(&state->clock), (unsigned long long)random[0]);
	snprintf(version, sizeof(version), "%d", PARTITION_VERSION);
	snprintf(partitions, sizeof(partitions), "%d", PARTITIONS);
	const struct slice args[] = {
		SLICE("EVAL"),
		slice_of_string(script_hello),
		SLICE("3"),
		slice_of_string(partition->key_meta),
		slice_of_string(partition->key_changes),
		slice_of_string(partition->key_groups),
		slice_of_string(epoch),
		slice_of_string(version),
		slice_of_string(partitions),
	};
	partition->is_greeting = true;
	partition->hello_ns = clock_monotonic_ns();
	partition->hello_position = partition->position;
	redis_send(state->redis, &partition->hello, args, sizeof(args) / sizeof(args[0]));
}

/* ---- Reading all of it ---- */

void partition_lose(struct partition *partition, const char *why)
{
	scan_give_up(partition);
	partition->phase = PARTITION_UNKNOWN;
	partition_fail(partition, why);
}

void partitions_end_loading(struct redis_state *state)
{
	struct state_loaded loaded = {
		.groups = state->store->contents->group_count,
		.series = state->store->contents->series,
		.faults = state->faults,
		.bytes = state->stats.bytes,
		.seconds = (double)(clock_monotonic_ns() - state->began_ns) / 1e9,
	};
	state->is_loaded = true;
	for (size_t i = 0; i < PARTITIONS; i++) {
		partition_tell_durable(&state->partitions[i], state->store->changed);
	}
	gather_begin(state);
	state->events.on_loaded(state->events.data, &loaded);
	for (size_t i = 0; i < PARTITIONS; i++) {
		struct partition *partition = &state->partitions[i];
		if (partition->is_away && !state->options.accepts_outages) {
			state->events.on_away(
					state->events.data, partition->number, slice_of_string(state->why));
		}
	}
}

void partition_scanned(struct partition *partition)
{
	struct redis_state *state = partition->state;
	/* Another one may have begun meanwhile. */
	if (partition->scan == NULL && partition->phase == PARTITION_SCANNING) {
		partition->phase = PARTITION_FOLLOWING;
		partition->is_lossy = false;
	}
	if (partition->has_waste) {
		partition->has_waste = false;
		sweep_begin(partition);
	}
	if (!partition->is_loaded) {
		partition->is_loaded = true;
		state->loading--;
		state->is_loading_over = state->loading == 0 && !state->is_loaded;
	}
	follow(state);
}
