#include "base/clock.h"
#include "state/redis/parts.h"
#include "state/redis/version.h"

/*
 * What the store reports gets a version here. Nothing is copied: of a group only what is to be sent
 * is noted, and it is sent as it is by then.
 */

/* Families of an import came in several packs. */
static void set_versions(struct group *group, uint64_t version)
{
	for (uint32_t i = 0; i < group->member_count; i++) {
		const struct member *member = &group->members[i];
		struct block *block = slot_content(*slots_at(&member->family->slots, member->slot));
		struct pack *pack = block_pack(block);
		if (pack->version == 0) {
			pack->version = version;
		}
	}
}

static void note_put(struct shared_group *shared, struct pack *pack, uint64_t version)
{
	shared_group_raise(shared, version);
	shared->unsent = 0;
	shared->sends_all = false;
	/* Time of a failure outlives a put, so it is as new as that. */
	shared->failure = shared->group->times.failed_ns == 0 ? 0 : version;
	if (pack != NULL) {
		pack->version = version;
		shared_group_hold(shared, pack);
	} else {
		shared_group_let_go(shared);
		set_versions(shared->group, version);
	}
	shared_group_mark(shared, shared->group->member_count == 0 ? 0 : version);
}

static void note_post(struct shared_group *shared, struct pack *pack, uint64_t version)
{
	if (pack == NULL) {
		shared_group_mark(shared, 0);
		return;
	}
	pack->version = version;
	if (shared->unsent == 0 && shared->sending == 0) {
		shared_group_hold(shared, pack);
	} else {
		shared_group_let_go(shared);
	}
	shared_group_mark(shared, version);
}

static void note_push(struct redis_state *state, const struct store_change *change)
{
	struct shared_group *shared = shared_group_of(state, change->group);
	uint64_t version = shared_clock_next(&state->clock);
	if (change->kind == STORE_CHANGE_FAILURE) {
		shared->failure = version;
		if (change->group->deadline_ns != 0 && shared->push == 0) {
			/* It was made by the failure. */
			shared->deadline = shared_clock_share(&state->clock, change->group->deadline_ns);
		}
		shared_group_mark(shared, 0);
		return;
	}
	shared->push = version;
	shared->deadline = shared_clock_share(&state->clock, change->group->deadline_ns);
	if (change->kind == STORE_CHANGE_PUT) {
		note_put(shared, change->pack, version);
	} else {
		note_post(shared, change->pack, version);
	}
}

/* A deletion is told. What expires does so everywhere. */
static void note_gone(struct redis_state *state, const struct store_change *change)
{
	struct shared_group *shared = shared_group_of(state, change->group);
	if (change->kind == STORE_CHANGE_EXPIRE) {
		/* Whatever is pushed from here on comes behind its end. */
		shared_clock_see(&state->clock, shared->deadline);
		shared_group_forget(shared);
		return;
	}
	shared_group_raise(shared, shared_clock_next(&state->clock));
	shared_group_bury(shared, &change->group->key);
	shared_group_mark(shared, 0);
}

/* Another replica may have it, and this one has not heard of it yet. */
static void note_absent(struct redis_state *state, const struct group_key *key)
{
	struct shared_group *shared = shared_group_gone(partition_for(state, key), key);
	shared_group_raise(shared, shared_clock_next(&state->clock));
	shared_group_mark(shared, 0);
}

static void note_wipe(struct redis_state *state)
{
	uint64_t version = shared_clock_next(&state->clock);
	for (size_t i = 0; i < PARTITIONS; i++) {
		struct partition *partition = &state->partitions[i];
		/* Their memory is another's by now. */
		LIST_EACH (link, &partition->groups) {
			struct shared_group *shared = LIST_ENTRY(link, struct shared_group, link);
			shared->group = NULL;
			shared_group_forget(shared);
		}
		partition->wiped = version;
		partition->wipe = version;
	}
}

static void on_change(struct store_listener *listener, const struct store_change *change)
{
	struct redis_state *state = LIST_ENTRY(listener, struct redis_state, listener);
	if (state->is_applying) {
		return;
	}
	switch (change->kind) {
	case STORE_CHANGE_PUT:
	case STORE_CHANGE_POST:
	case STORE_CHANGE_FAILURE:
		note_push(state, change);
		break;
	case STORE_CHANGE_DELETE:
	case STORE_CHANGE_EXPIRE:
		note_gone(state, change);
		break;
	case STORE_CHANGE_ABSENT:
		note_absent(state, change->key);
		break;
	case STORE_CHANGE_WIPE:
		note_wipe(state);
		break;
	}
	outgoing_arm(state);
}

void gather_begin(struct redis_state *state)
{
	state->listener.on_change = on_change;
	store_subscribe(state->store, &state->listener);
	state->store->reports_absent = true;
	state->is_subscribed = true;
}

void gather_end(struct redis_state *state)
{
	if (state->is_subscribed) {
		list_remove(&state->listener.link);
		state->store->reports_absent = false;
		state->is_subscribed = false;
	}
}
