#include "api/merge_state.h"
#include "base/clock.h"
#include "base/hash.h"

/* What a merge goes by of the store. */

struct block *merge_find_block(const struct merge *merge, struct slice name)
{
	const struct store *store = merge->merges->api->store;
	const struct group *group = store_find_group(store, &merge->key);
	const struct family *family = families_find(&store->contents->families, name, hash64(name));
	const struct member *member =
			group == NULL || family == NULL ? NULL : group_find_member(group, family);
	return member == NULL ? NULL : slot_content(*slots_at(&member->family->slots, member->slot));
}

static struct merge_family *add_family(struct merge *merge, struct slice name)
{
	struct merge_family *family = &merge->families[merge->family_count++];
	*family = (struct merge_family){ .name = arena_copy(&merge->attempt, name) };
	return family;
}

static struct slice copy_text(struct merge *merge, struct slice text)
{
	return text.ptr == NULL ? text : arena_copy(&merge->attempt, text);
}

static void hold_block(struct merge *merge, struct merge_family *family, struct block *block)
{
	family->block = block;
	family->pushed_ns = block_pack(block)->pushed_ns;
	family->is_own = merged_posted_ns(merge->merged, hash64(family->name)) == family->pushed_ns;
	if (block->metadata != NULL) {
		family->help = copy_text(merge, block->metadata->help);
		family->unit = copy_text(merge, block->metadata->unit);
	}
	block_ref(block);
	merge->held_bytes += block->text_bytes;
}

static void gather_brought(struct merge *merge)
{
	merge->families = arena_alloc(
			&merge->attempt, (merge->brought.family_count + 1) * sizeof(*merge->families));
	for (struct batch_family *f = merge->brought.families; f != NULL; f = f->next) {
		struct merge_family *family = add_family(merge, f->name);
		struct block *block = merge_find_block(merge, f->name);
		family->brought = f;
		if (block != NULL) {
			hold_block(merge, family, block);
		}
	}
}

static void gather_all(struct merge *merge, const struct group *group)
{
	merge->families =
			arena_alloc(&merge->attempt, (group->member_count + 1) * sizeof(*merge->families));
	for (uint32_t i = 0; i < group->member_count; i++) {
		const struct member *member = &group->members[i];
		struct merge_family *family = add_family(merge, member->family->name);
		hold_block(merge, family, slot_content(*slots_at(&member->family->slots, member->slot)));
	}
}

/* Whether somebody else settles the type of the family; the group may have a block in it. */
static bool find_settled_type(
		const struct family *family, const struct block *own, enum metric_type *ret_type)
{
	if (family != NULL && family->declaration != NULL && !family_is_yielding(family)) {
		*ret_type = family->declaration->type;
		return true;
	}
	if (family != NULL && family->exposed > (own != NULL ? 1 : 0)) {
		*ret_type = family->type;
		return true;
	}
	return false;
}

void merge_reject_types(struct merge *merge)
{
	const struct store *store = merge->merges->api->store;
	for (struct batch_family *f = merge->brought.families; f != NULL && store->options.is_checked;
			f = f->next) {
		const struct family *family =
				families_find(&store->contents->families, f->name, hash64(f->name));
		const struct block *own = merge_find_block(merge, f->name);
		bool is_untold = f->type == METRIC_UNTYPED && own != NULL;
		enum metric_type type = is_untold ? (enum metric_type)own->type : f->type;
		enum metric_type settled;
		if (find_settled_type(family, own, &settled) && !metric_type_agrees(settled, type)) {
			merge_reject_family(merge, f, INGEST_TYPE,
					ARENA_JOIN(&merge->arena, SLICE("its type is "), metric_type_name(type),
							SLICE(", and elsewhere "), metric_type_name(settled)));
		}
	}
	merge_drop_rejected(merge);
}

static uint64_t room_under(uint64_t limit, uint64_t used)
{
	return limit == 0 ? UINT64_MAX : limit > used ? limit - used : 0;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t find_room(const struct merge *merge, const struct group *group)
{
	const struct store *store = merge->merges->api->store;
	uint64_t series = group == NULL ? 0 : group->series;
	uint64_t room = room_under(store->options.limits.series_per_group, series);
	room = smaller(room, room_under(merge->terms.store.series_per_group, series));
	return smaller(room, room_under(store->options.limits.series, store->contents->series));
}

void merge_gather(struct merge *merge, const struct group *group)
{
	merge->held_bytes = 0;
	merge->contents_id = merge->merges->api->store->contents->id;
	merge->room = find_room(merge, group);
	merge->now_ns = clock_monotonic_ns();
	merge->now_wall_ns = clock_wall_ns();
	if (merge->delivery == NULL) {
		gather_all(merge, group);
	} else {
		gather_brought(merge);
	}
}
