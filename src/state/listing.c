#include "state/listing.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
	STEP_BLOCKS = 2048,      /* on one turn of the loop */
	UNIT_BYTES = 256 * 1024, /* what a unit is full with */
	GROUP_BYTES = 128,       /* what a group counts for beside its blocks */
};

/* ---- Units ---- */

static struct listing_unit *create_unit(void)
{
	struct listing_unit *unit = memory_zalloc(1, sizeof(*unit));
	list_init(&unit->link);
	list_init(&unit->records);
	arena_init(&unit->arena);
	return unit;
}

void listing_unit_destroy(struct listing_unit *unit)
{
	list_remove(&unit->link);
	arena_finish(&unit->arena);
	free(unit);
}

/* The unit that is being filled. */
static struct listing_unit *open_unit(struct listing *listing)
{
	struct list *last = listing->units.prev;
	struct listing_unit *unit = LIST_ENTRY(last, struct listing_unit, link);
	if (last != &listing->units && unit->bytes < UNIT_BYTES) {
		return unit;
	}
	unit = create_unit();
	list_append(&listing->units, &unit->link);
	return unit;
}

/* ---- Groups ---- */

static struct listed_record *add_record(
		struct listing *listing, struct listing_unit *unit, const struct group *group)
{
	struct listed_record *record = arena_zalloc(&unit->arena, 1, sizeof(*record));
	record->source = (struct record_source){
		.key = group->key.labels,
		.place = group->slot,
		.times = snapshot_times(&listing->walk.snapshot, group),
		.since_ns = group->since_ns,
		.expires_ns = record_expiry(group->deadline_ns, listing->wall_ahead_ns),
	};
	list_append(&unit->records, &record->link);
	unit->bytes += GROUP_BYTES;
	return record;
}

static void add_family(struct listing_unit *unit, struct listed_record *record,
		const struct member *member, struct block *block)
{
	const struct metadata *metadata = block->metadata;
	record->source.families[record->source.family_count++] = (struct record_family){
		.name = member->family->name,
		.help = metadata == NULL ? slice_make(NULL, 0) : metadata->help,
		.unit = metadata == NULL ? slice_make(NULL, 0) : metadata->unit,
		.block = block,
		.pushed_ns = block_pack(block)->pushed_ns,
		.since_ns = block->since_ns,
		.place = member->slot,
	};
	unit->bytes += block_bytes(block);
}

static struct record_family *family_places(struct listing_unit *unit, size_t count)
{
	return arena_alloc(&unit->arena, (count + 1) * sizeof(struct record_family));
}

/* A record of its own, so that each waits for its turn. */
static void add_shadowed(struct listing *listing, const struct group *group,
		const struct member *member, struct block *block)
{
	struct listed_record *record = add_record(listing, listing->late, group);
	record->source.families = family_places(listing->late, 1);
	add_family(listing->late, record, member, block);
	record->source.families[0].is_shadowed = true;
	record->order = block_pack(block)->pushed_ns;
	listing->late_count++;
}

/* A group that gives way to another is written behind it, before what else is not exposed. */
static void on_group(struct walk *walk, struct group *group, bool is_shadowed)
{
	struct listing *listing = LIST_ENTRY(walk, struct listing, walk);
	struct listing_unit *unit = is_shadowed ? listing->late : open_unit(listing);
	struct listed_record *record = add_record(listing, unit, group);
	record->order = INT64_MIN;
	record->source.is_shadowed = is_shadowed;
	listing->late_count += is_shadowed;
	record->source.families = family_places(unit, group->member_count);
	for (uint32_t i = 0; i < group->member_count; i++) {
		const struct member *member = &group->members[i];
		struct slot slot = walk_slot(walk, member);
		struct block *block = slot_content(slot);
		if (slot_is_shadowed(slot)) {
			add_shadowed(listing, group, member, block);
		} else if (block != NULL) {
			add_family(unit, record, member, block);
		}
	}
}

/* ---- What is not exposed ---- */

static int compare_order(const void *a, const void *b)
{
	const struct listed_record *left = *(struct listed_record *const *)a;
	const struct listed_record *right = *(struct listed_record *const *)b;
	return (left->order > right->order) - (left->order < right->order);
}

static void sort_late(struct listing *listing)
{
	struct list *records = &listing->late->records;
	size_t count = 0;
	struct listed_record **sorted = memory_zalloc(listing->late_count, sizeof(*sorted));
	LIST_EACH (link, records) {
		sorted[count++] = LIST_ENTRY(link, struct listed_record, link);
	}
	qsort(sorted, count, sizeof(*sorted), compare_order);
	list_init(records);
	for (size_t i = 0; i < count; i++) {
		list_append(records, &sorted[i]->link);
	}
	free(sorted);
}

/* ---- The listing ---- */

bool listing_begin(struct listing *listing, struct store *store)
{
	*listing = (struct listing){ .late = NULL };
	if (!walk_begin(&listing->walk, store, on_group)) {
		return false;
	}
	list_init(&listing->units);
	listing->late = create_unit();
	listing->wall_ahead_ns = clock_wall_ns() - (int64_t)clock_monotonic_ns();
	return true;
}

static struct listing_unit *take_first(struct listing *listing)
{
	struct listing_unit *unit = LIST_ENTRY(list_first(&listing->units), struct listing_unit, link);
	list_remove(&unit->link);
	return unit;
}

static bool has_full_unit(const struct listing *listing)
{
	struct list *first = list_first(&listing->units);
	return first != NULL
			&& (listing->is_walked
					|| LIST_ENTRY(first, struct listing_unit, link)->bytes >= UNIT_BYTES);
}

enum listing_result listing_next(struct listing *listing, struct listing_unit **ret_unit)
{
	if (!listing->is_walked && !has_full_unit(listing)) {
		listing->is_walked = !walk_step(&listing->walk, STEP_BLOCKS);
	}
	if (has_full_unit(listing)) {
		*ret_unit = take_first(listing);
		return LISTING_UNIT;
	}
	if (!listing->is_walked) {
		return LISTING_AGAIN;
	}
	if (listing->late_count == 0) {
		return LISTING_END;
	}
	sort_late(listing);
	*ret_unit = listing->late;
	listing->late = NULL;
	listing->late_count = 0;
	return LISTING_UNIT;
}

void listing_end(struct listing *listing)
{
	while (!list_is_empty(&listing->units)) {
		listing_unit_destroy(take_first(listing));
	}
	if (listing->late != NULL) {
		listing_unit_destroy(listing->late);
	}
	walk_end(&listing->walk);
}
