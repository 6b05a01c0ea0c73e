#include "store/restore.h"

#include <assert.h>

#include "base/hash.h"
#include "store/shadow.h"

void restore_begin(struct restore *restore, struct store *store, uint64_t gaps)
{
	*restore = (struct restore){ .store = store, .gaps = gaps };
}

/* The slot, if not too many before it would be empty. */
static uint32_t allow_place(struct restore *restore, const struct slots *slots, uint32_t place)
{
	uint32_t len = slots == NULL ? 0 : slots->len;
	uint64_t gap = place > len ? place - len : 0;
	if (gap > restore->gaps) {
		return SLOT_NONE;
	}
	restore->gaps -= gap;
	return place;
}

void restore_group(
		struct restore *restore, const struct group_key *key, uint32_t place, int64_t since_ns)
{
	struct store *store = restore->store;
	struct contents *contents = store->contents;
	if (store_find_group(store, key) == NULL) {
		contents_add_group(contents, key, allow_place(restore, &contents->group_slots, place),
				since_ns, store_next_version(store));
	}
}

static void limit_places(struct restore *restore, struct prepared_push *prepared)
{
	const struct families *families = &restore->store->contents->families;
	for (size_t i = 0; i < prepared->family_count; i++) {
		struct prepared_family *part = &prepared->families[i];
		const struct family *family = families_find(families, part->name, hash64(part->name));
		part->place = allow_place(restore, family == NULL ? NULL : &family->slots, part->place);
	}
}

bool restore_prepare(const struct batch *batch, const struct group_key *key, struct arena *arena,
		struct prepared_push *ret_prepared)
{
	struct prepare_options options = { .is_checked = false, .max_bytes = SIZE_MAX };
	struct batch_fault fault;
	if (prepare_push(batch, key, &options, arena, ret_prepared, &fault) != PREPARE_OK) {
		return false;
	}
	assert(ret_prepared->family_count == batch->family_count);
	return true;
}

void restore_prepared(struct restore *restore, const struct group_key *key,
		struct prepared_push *prepared, int64_t pushed_ns, struct arena *arena)
{
	struct store_push op;
	limit_places(restore, prepared);
	/* Who is exposed is settled once, in the end. */
	restore->store->contents->is_slicing = true;
	push_init(&op, restore->store, STORE_POST, key, prepared, arena);
	op.now_ns = pushed_ns;
	op.is_given = true;
	enum push_result result;
	do {
		result = push_step(&op);
	} while (result == PUSH_AGAIN);
	assert(result == PUSH_OK);
}

bool restore_push(struct restore *restore, const struct group_key *key, const struct batch *batch,
		const uint32_t *places, const int64_t *since_ns, int64_t pushed_ns, struct arena *arena)
{
	struct prepared_push prepared;
	if (!restore_prepare(batch, key, arena, &prepared)) {
		return false;
	}
	for (size_t i = 0; i < prepared.family_count; i++) {
		prepared.families[i].place = places[i];
		prepared.families[i].since_ns = since_ns[i];
	}
	restore_prepared(restore, key, &prepared, pushed_ns, arena);
	return true;
}

void restore_set_times(struct restore *restore, const struct group_key *key,
		struct group_times times, int64_t deadline_ns)
{
	struct store *store = restore->store;
	struct group *group = store_find_group(store, key);
	assert(group != NULL);
	contents_set_times(store->contents, group, times, store_next_version(store));
	contents_set_deadline(store->contents, group, deadline_ns);
}

static void give_back_gaps(struct contents *contents)
{
	slots_give_back_gaps(&contents->group_slots);
	LIST_EACH (link, &contents->families.in_order) {
		slots_give_back_gaps(&LIST_ENTRY(link, struct family, in_order)->slots);
	}
}

void restore_end(struct restore *restore)
{
	struct store *store = restore->store;
	give_back_gaps(store->contents);
	store->contents->is_slicing = false;
	uint64_t version = store_next_version(store);
	while (shadow_settle(store->contents, version)) {
	}
}
