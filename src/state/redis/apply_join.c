#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "state/redis/apply_item.h"
#include "state/redis/parts.h"
#include "state/redis/version.h"
#include "store/drop.h"
#include "store/restore.h"

/* ---- Joining ---- */

static struct shared_group *find_shared(struct apply_item *item, struct group *group)
{
	struct redis_state *state = item->partition->state;
	return group != NULL ? shared_group_of(state, group)
						 : shared_group_find_gone(item->partition, &item->key);
}

uint64_t apply_serial(struct apply_item *item)
{
	struct group *group = store_find_group(item->partition->state->store, &item->key);
	struct shared_group *shared = find_shared(item, group);
	return shared == NULL ? 0 : shared->serial + 1;
}

/* Version of the end of a group's time, if the change comes behind it; else 0. */
static uint64_t end_before(const struct shared_head *had, const struct shared_head *came)
{
	uint64_t top = version_later(version_later(came->push, came->floor), came->failure);
	return had->deadline != 0 && top > had->deadline ? had->deadline : 0;
}

static void join_heads(struct apply_item *item, const struct shared_head *had)
{
	const struct shared_head *came = &item->change.head;
	struct shared_head *out = &item->joined;
	*out = *came;
	out->floor = version_later(came->floor, item->partition->wiped);
	out->floor = version_later(out->floor, version_later(had->floor, end_before(had, came)));
	if (had->push > came->push) {
		out->push = had->push;
		out->deadline = had->deadline;
		out->times.pushed_ns = had->times.pushed_ns;
	}
	if (had->failure > came->failure) {
		out->failure = had->failure;
		out->times.failed_ns = had->times.failed_ns;
	}
	if (version_later(had->push, had->failure) > version_later(came->push, came->failure)) {
		out->since_ns = had->since_ns;
	}
	if (out->failure < out->floor) {
		out->failure = 0;
		out->times.failed_ns = 0;
	}
	if (out->push == 0 || out->push < out->floor) {
		out->push = 0;
		out->times.pushed_ns = 0;
		/* A group that a failed push made has an end, too. */
		bool is_had = had->failure > came->failure;
		out->deadline = out->failure == 0 ? 0 : is_had ? had->deadline : came->deadline;
	}
	int64_t deadline_ns = shared_clock_localise(&item->partition->state->clock, out->deadline);
	bool is_over = out->deadline != 0 && deadline_ns <= (int64_t)clock_monotonic_ns();
	item->is_alive = !is_over && (out->push != 0 || out->failure != 0);
}

static bool wins(const struct apply_item *item, const struct group *group, uint64_t version,
		struct slice name)
{
	struct contents *contents = item->partition->state->store->contents;
	if (version < item->joined.floor) {
		return false;
	}
	const struct family *family =
			group == NULL ? NULL : families_find(&contents->families, name, hash64(name));
	const struct member *member = family == NULL ? NULL : group_find_member(group, family);
	return member == NULL || member_version(member) < version;
}

/* Those families of a push that win, as a batch. */
static void add_winner(struct apply_item *item, const struct group *group, uint64_t version,
		const struct record_push *push)
{
	struct winner *winner = arena_zalloc(&item->arena, 1, sizeof(*winner));
	size_t count = push->batch.family_count;
	struct batch *batch = &winner->batch;
	batch->families = arena_alloc(&item->arena, (count + 1) * sizeof(*batch->families));
	winner->since_ns = arena_alloc(&item->arena, (count + 1) * sizeof(*winner->since_ns));
	batch->is_openmetrics = push->batch.is_openmetrics;
	winner->version = version;
	winner->pushed_ns = push->pushed_ns;
	for (size_t i = 0; i < count; i++) {
		const struct batch_family *family = &push->batch.families[i];
		if (!wins(item, group, version, family->name)) {
			continue;
		}
		winner->since_ns[batch->family_count] = push->since_ns[i];
		batch->families[batch->family_count] = *family;
		batch->families[batch->family_count].next = NULL;
		if (batch->family_count > 0) {
			batch->families[batch->family_count - 1].next = &batch->families[batch->family_count];
		}
		batch->sample_count += family->sample_count;
		batch->family_count++;
	}
	if (batch->family_count > 0) {
		list_append(&item->winners, &winner->link);
	}
}

static struct shared_head head_of(const struct shared_group *shared)
{
	static const struct shared_head none;
	return shared == NULL ? none : shared_group_head(shared);
}

void apply_drop_winners(struct apply_item *item)
{
	LIST_EACH (link, &item->winners) {
		struct winner *winner = LIST_ENTRY(link, struct winner, link);
		if (winner->is_prepared && !winner->is_put) {
			prepared_push_drop(&winner->prepared);
		}
	}
	list_init(&item->winners);
}

void apply_decide(struct apply_item *item)
{
	struct group *group = store_find_group(item->partition->state->store, &item->key);
	struct shared_head had = head_of(find_shared(item, group));
	item->serial = apply_serial(item);
	join_heads(item, &had);
	apply_drop_winners(item);
	for (size_t i = 0; i < item->part_count && item->is_alive; i++) {
		const struct record *record = &item->parts[i].record;
		for (size_t j = 0; j < record->push_count; j++) {
			add_winner(item, group, item->parts[i].version, &record->pushes[j]);
		}
	}
	/* Whatever it is, a push makes the group and sets its times. */
	if (list_is_empty(&item->winners)) {
		struct winner *winner = arena_zalloc(&item->arena, 1, sizeof(*winner));
		winner->pushed_ns = item->joined.times.pushed_ns;
		list_append(&item->winners, &winner->link);
	}
}

/* On any thread. */
void apply_prepare(struct apply_item *item)
{
	LIST_EACH (link, &item->winners) {
		struct winner *winner = LIST_ENTRY(link, struct winner, link);
		winner->is_prepared =
				restore_prepare(&winner->batch, &item->key, &item->arena, &winner->prepared);
		for (size_t i = 0; winner->is_prepared && i < winner->prepared.family_count; i++) {
			winner->prepared.families[i].place = SLOT_NONE;
			winner->prepared.families[i].since_ns = winner->since_ns[i];
		}
	}
}

/* ---- Into the store ---- */

static bool is_below(void *data, const struct member *member)
{
	const uint64_t *floor = data;
	return member_version(member) < *floor;
}

static size_t count_below(const struct group *group, uint64_t floor)
{
	size_t count = 0;
	for (uint32_t i = 0; i < group->member_count; i++) {
		count += is_below(&floor, &group->members[i]);
	}
	return count;
}

/* Families that are older than the floor go; with all of them, a put does it. */
static enum store_method drop_old(struct apply_item *item, struct group *group)
{
	struct store *store = item->partition->state->store;
	const struct shared_group *shared = group == NULL ? NULL : group->keeper;
	if (shared == NULL || item->joined.floor <= shared->floor) {
		return STORE_POST;
	}
	size_t below = count_below(group, item->joined.floor);
	if (below == group->member_count) {
		return STORE_PUT;
	}
	if (below > 0) {
		store_drop_families(store, group, is_below, &item->joined.floor);
	}
	return STORE_POST;
}

static void begin_push(struct apply_item *item, enum store_method method)
{
	struct redis_state *state = item->partition->state;
	struct winner *winner = item->pushing;
	push_init(&item->op, state->store, method, &item->key, &winner->prepared, &item->arena);
	item->op.is_given = true;
	item->op.now_ns = winner->pushed_ns;
	item->op.times = &item->joined.times;
	item->op.since_ns = item->joined.since_ns;
	item->op.deadline_ns = shared_clock_localise(&state->clock, item->joined.deadline);
	if (winner->prepared.pack != NULL) {
		winner->prepared.pack->version = winner->version;
	}
}

static struct winner *next_winner(struct apply_item *item, struct winner *winner)
{
	struct list *link = winner == NULL ? item->winners.next : winner->link.next;
	while (link != &item->winners && !LIST_ENTRY(link, struct winner, link)->is_prepared) {
		link = link->next;
	}
	return link == &item->winners ? NULL : LIST_ENTRY(link, struct winner, link);
}

/* A failed push does not wait for a group that is being changed in slices. */
static void take_failure(struct apply_item *item)
{
	const struct group *group = store_find_group(item->partition->state->store, &item->key);
	const struct shared_group *shared = group == NULL ? NULL : group->keeper;
	struct shared_head *joined = &item->joined;
	if (shared != NULL && shared->failure > joined->failure && shared->failure >= joined->floor) {
		joined->failure = shared->failure;
		joined->times.failed_ns = group->times.failed_ns;
	}
}

static bool push_all(struct apply_item *item)
{
	struct store *store = item->partition->state->store;
	if (!item->is_begun) {
		struct group *group = store_find_group(store, &item->key);
		if ((group != NULL && group->is_busy) || store->slicing != NULL
				|| store->deleting != NULL) {
			return false;
		}
		item->pushing = next_winner(item, NULL);
		if (item->pushing == NULL) {
			return true;
		}
		item->is_begun = true;
		begin_push(item, drop_old(item, group));
	}
	while (item->pushing != NULL) {
		take_failure(item);
		enum push_result result = push_step(&item->op);
		if (result != PUSH_OK) {
			return false;
		}
		item->pushing->is_put = true;
		item->pushing = next_winner(item, item->pushing);
		if (item->pushing != NULL) {
			begin_push(item, STORE_POST);
		}
	}
	return true;
}

/* ---- What is known of it then ---- */

static void set_segments(struct apply_item *item, struct shared_group *shared)
{
	const struct shared_change *change = &item->change;
	if (item->kind == APPLY_GROUP) {
		shared->segment_count = 0;
		for (size_t i = 0; i < change->drop_count; i++) {
			shared_group_add_segment(shared, change->drops[i], 0);
		}
	} else {
		for (size_t i = 0; i < change->drop_count; i++) {
			shared_group_drop_segment(shared, change->drops[i]);
		}
	}
	LIST_EACH (link, &item->contents) {
		const struct content *content = LIST_ENTRY(link, struct content, link);
		shared_group_add_segment(shared, content->id, content->names);
		if (content->is_unreadable && shared->segment_count > 0) {
			shared->segments[shared->segment_count - 1].is_unreadable = true;
		}
	}
}

static bool is_among(const struct apply_item *item, uint64_t version)
{
	for (size_t i = 0; i < item->part_count; i++) {
		if (item->parts[i].version == version) {
			return true;
		}
	}
	return false;
}

/* Redis has lost some of what this weir knows of the group. */
static bool lacks(const struct apply_item *item, const struct shared_group *shared)
{
	const struct shared_head *came = &item->change.head;
	if (shared->floor > version_later(came->floor, item->partition->wiped)
			|| shared->push > came->push || shared->failure > came->failure) {
		return true;
	}
	for (uint32_t i = 0; i < shared->group->member_count; i++) {
		if (!is_among(item, member_version(&shared->group->members[i]))) {
			return true;
		}
	}
	return false;
}

static void keep_in_mind(struct apply_item *item)
{
	struct redis_state *state = item->partition->state;
	struct group *group = store_find_group(state->store, &item->key);
	if (group == NULL) {
		return;
	}
	struct shared_group *shared = shared_group_of(state, group);
	shared_group_raise(shared, item->joined.floor);
	shared->push = item->joined.push;
	shared->deadline = item->joined.deadline;
	shared->failure = item->joined.failure;
	shared->serial = ++state->serials;
	set_segments(item, shared);
	if (item->scan_number != 0) {
		shared->scan = item->scan_number;
	}
	if (item->is_lossy && lacks(item, shared)) {
		shared->sends_all = true;
		shared_group_let_go(shared);
		shared_group_mark(shared, 0);
		outgoing_arm(state);
	}
}

bool apply_put(struct apply_item *item)
{
	bool is_put = push_all(item);
	if (is_put) {
		keep_in_mind(item);
	}
	return is_put;
}

/* ---- What goes ---- */

/* What Redis does not remember of a deletion is sent again. */
static void remember_deletion(struct apply_item *item, struct shared_group *gone)
{
	shared_group_raise(gone, item->joined.floor);
	if (item->is_lossy && gone->floor > item->change.head.floor) {
		shared_group_mark(gone, 0);
		outgoing_arm(item->partition->state);
	}
	if (item->scan_number != 0) {
		gone->scan = item->scan_number;
	}
}

bool apply_remove(struct apply_item *item)
{
	struct redis_state *state = item->partition->state;
	struct group *group = store_find_group(state->store, &item->key);
	item->partition->has_waste |= item->scan_number != 0 && !list_is_empty(&item->contents);
	if (group == NULL) {
		struct shared_group *gone = shared_group_find_gone(item->partition, &item->key);
		if (gone != NULL) {
			remember_deletion(item, gone);
		}
		return true;
	}
	struct shared_group *shared = shared_group_of(state, group);
	if (store_delete(state->store, &item->key) == STORE_DELETE_WAIT) {
		return false;
	}
	/* The group's memory is gone, too. */
	shared->group = NULL;
	list_remove(&shared->dirty);
	shared_group_raise(shared, item->joined.floor);
	shared_group_bury(shared, &item->key);
	return true;
}

bool apply_wipe(struct shared_group *shared, uint64_t version)
{
	struct redis_state *state = shared->partition->state;
	struct group *group = shared->group;
	bool is_begun = state->store->deleting == group;
	if ((group->is_busy && !is_begun) || state->store->slicing != NULL) {
		return false;
	}
	bool is_old = is_begun || (shared->push < version && shared->failure < version);
	if (is_old && store_delete(state->store, &group->key) == STORE_DELETE_WAIT) {
		return false;
	}
	if (is_old) {
		shared->group = NULL; /* its memory is gone, too */
		shared_group_forget(shared);
		return true;
	}
	/* It was pushed behind the wipe, which this weir hears of only now. */
	store_drop_families(state->store, group, is_below, &version);
	shared_group_raise(shared, version);
	shared->failure = shared->failure < version ? 0 : shared->failure;
	shared->serial = ++state->serials;
	return true;
}
