#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "state/redis/parts.h"
#include "state/redis/version.h"

enum {
	GRAVE_SECONDS = 600,
	GRAVES_MAX = 8192, /* of a partition */
};

/* ---- Being there ---- */

static struct shared_group *create(struct partition *partition)
{
	struct shared_group *shared = memory_zalloc(1, sizeof(*shared));
	list_init(&shared->link);
	list_init(&shared->dirty);
	list_init(&shared->grave);
	shared->partition = partition;
	shared->floor = partition->wiped;
	list_append(&partition->groups, &shared->link);
	return shared;
}

static void forget_gone(struct shared_group *shared)
{
	map_remove(&shared->partition->gone, &shared->node);
	list_remove(&shared->grave);
	shared->partition->grave_count--;
	free(shared->key);
	shared->key = NULL;
}

struct shared_group *shared_group_find_gone(
		struct partition *partition, const struct group_key *key)
{
	if (partition->gone.len == 0) {
		return NULL;
	}
	uint64_t hash = group_key_hash(key);
	struct map_node *node = map_first(&partition->gone, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct shared_group *shared = MAP_ENTRY(node, struct shared_group, node);
		struct group_key gone = { .labels = *shared->key };
		if (group_key_equal(&gone, key)) {
			return shared;
		}
	}
	return NULL;
}

struct shared_group *shared_group_of(struct redis_state *state, struct group *group)
{
	if (group->keeper != NULL) {
		return group->keeper;
	}
	struct partition *partition = partition_for(state, &group->key);
	struct shared_group *shared = shared_group_find_gone(partition, &group->key);
	if (shared != NULL) {
		forget_gone(shared);
	} else {
		shared = create(partition);
	}
	shared->group = group;
	shared->contents_id = state->store->contents->id;
	group->keeper = shared;
	return shared;
}

void shared_group_bury(struct shared_group *shared, const struct group_key *key)
{
	struct partition *partition = shared->partition;
	shared_group_let_go(shared);
	if (shared->group != NULL) {
		shared->group->keeper = NULL;
		shared->group = NULL;
	}
	shared->push = 0;
	shared->deadline = 0;
	shared->failure = 0;
	shared->unsent = 0;
	shared->sends_all = false;
	shared->serial = ++shared->partition->state->serials;
	shared->gone_ns = clock_monotonic_ns();
	shared->key = memory_alloc(sizeof(*shared->key) + labels_copy_bytes(&key->labels));
	*shared->key = labels_copy(&key->labels, shared->key + 1);
	map_insert(&partition->gone, &shared->node, group_key_hash(key));
	list_append(&partition->graves, &shared->grave);
	partition->grave_count++;
}

struct shared_group *shared_group_gone(struct partition *partition, const struct group_key *key)
{
	struct shared_group *shared = shared_group_find_gone(partition, key);
	if (shared == NULL) {
		shared = create(partition);
		shared_group_bury(shared, key);
	}
	return shared;
}

/* Those that are still to be sent stay. */
static void tidy_graves(struct partition *partition, uint64_t now_ns)
{
	LIST_EACH (link, &partition->graves) {
		struct shared_group *shared = LIST_ENTRY(link, struct shared_group, grave);
		bool is_over = now_ns - shared->gone_ns > GRAVE_SECONDS * UINT64_C(1000000000)
				|| partition->grave_count > GRAVES_MAX;
		if (!is_over) {
			return;
		}
		if (list_is_empty(&shared->dirty) && shared->refs == 0) {
			shared_group_forget(shared);
		}
	}
}

void shared_graves_tidy(struct redis_state *state)
{
	uint64_t now_ns = clock_monotonic_ns();
	for (size_t i = 0; i < PARTITIONS; i++) {
		tidy_graves(&state->partitions[i], now_ns);
	}
}

void shared_group_forget(struct shared_group *shared)
{
	struct redis_state *state = shared->partition->state;
	shared_group_let_go(shared);
	if (shared->key != NULL) {
		forget_gone(shared);
	}
	if (shared->group != NULL) {
		shared->group->keeper = NULL;
	}
	list_remove(&shared->dirty);
	list_remove(&shared->link);
	list_append(&state->dead, &shared->link);
	shared->group = NULL;
	shared->is_dead = true;
}

void shared_groups_tidy(struct redis_state *state)
{
	LIST_EACH (link, &state->dead) {
		struct shared_group *shared = LIST_ENTRY(link, struct shared_group, link);
		if (shared->refs == 0) {
			list_remove(link);
			free(shared->segments);
			free(shared);
		}
	}
}

/* ---- What is to be sent ---- */

void shared_group_mark(struct shared_group *shared, uint64_t unsent)
{
	if (unsent != 0 && (shared->unsent == 0 || unsent < shared->unsent)) {
		shared->unsent = unsent;
	}
	shared->serial = ++shared->partition->state->serials;
	if (list_is_empty(&shared->dirty)) {
		shared->number = shared->partition->state->store->changed;
		list_append(&shared->partition->dirty, &shared->dirty);
	}
}

void shared_group_hold(struct shared_group *shared, struct pack *pack)
{
	shared_group_let_go(shared);
	shared->fresh = pack;
	pack->refs++;
}

void shared_group_let_go(struct shared_group *shared)
{
	struct contents *contents = shared->partition->state->store->contents;
	if (shared->fresh == NULL) {
		return;
	}
	size_t freed = pack_unref(shared->fresh);
	shared->fresh = NULL;
	/* After a wipe the bytes were those of contents that are gone. */
	if (contents->id == shared->contents_id) {
		contents->bytes -= freed;
	}
}

/* ---- Segments ---- */

static void remove_segment(struct shared_group *shared, uint32_t i)
{
	shared->segment_count--;
	memmove(&shared->segments[i], &shared->segments[i + 1],
			(shared->segment_count - i) * sizeof(shared->segments[0]));
}

void shared_group_raise(struct shared_group *shared, uint64_t floor)
{
	shared->floor = version_later(shared->floor, floor);
	for (uint32_t i = shared->segment_count; i-- > 0;) {
		if (shared->segments[i].id < shared->floor) {
			remove_segment(shared, i);
		}
	}
}

void shared_group_drop_segment(struct shared_group *shared, uint64_t id)
{
	for (uint32_t i = shared->segment_count; i-- > 0;) {
		if (shared->segments[i].id == id) {
			remove_segment(shared, i);
		}
	}
}

void shared_group_add_segment(struct shared_group *shared, uint64_t id, uint64_t names)
{
	shared_group_drop_segment(shared, id);
	if (id < shared->floor) {
		return;
	}
	if (shared->segment_count == shared->segment_capacity) {
		shared->segment_capacity = shared->segment_capacity == 0 ? 1 : shared->segment_capacity * 2;
		shared->segments = memory_resize(
				shared->segments, shared->segment_capacity * sizeof(shared->segments[0]));
	}
	shared->segments[shared->segment_count++] = (struct shared_segment){ .id = id, .names = names };
}

/* ---- As Redis has it ---- */

struct shared_head shared_group_head(const struct shared_group *shared)
{
	struct shared_head head = {
		.floor = shared->floor,
		.push = shared->push,
		.deadline = shared->deadline,
		.failure = shared->failure,
	};
	if (shared->group != NULL) {
		head.times = shared->group->times;
		head.since_ns = shared->group->since_ns;
	}
	return head;
}

uint64_t member_version(const struct member *member)
{
	struct block *block = slot_content(*slots_at(&member->family->slots, member->slot));
	return block_pack(block)->version;
}
