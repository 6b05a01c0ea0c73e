#include "store/contents.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "store/order.h"
#include "store/shadow.h"

static int compare_deadlines(struct group *a, struct group *b)
{
	if (a->deadline_ns != b->deadline_ns) {
		return a->deadline_ns < b->deadline_ns ? -1 : 1;
	}
	return (a > b) - (a < b);
}

TREE_GENERATE(deadline_tree, group, by_deadline, compare_deadlines)

struct contents *contents_create(uint64_t id)
{
	struct contents *contents = memory_zalloc(1, sizeof(*contents));
	contents->id = id;
	list_init(&contents->link);
	map_init(&contents->groups);
	slots_init(&contents->group_slots);
	RB_INIT(&contents->deadlines);
	families_init(&contents->families);
	map_init(&contents->shapes);
	map_init(&contents->jobs);
	history_init(&contents->history);
	shadow_init(contents);
	return contents;
}

/* ---- What scrapes need ---- */

static bool is_read(const struct contents *contents, uint64_t born)
{
	return history_is_needed(&contents->history, born);
}

static void leave_metadata(struct contents *contents, struct metadata *metadata)
{
	if (metadata != NULL && metadata->refs == 1) {
		contents->bytes -= metadata_bytes(metadata->help, metadata->unit);
	}
	if (metadata != NULL) {
		family_leave_metadata(metadata);
	}
}

static void release_block(struct contents *contents, struct block *block)
{
	leave_metadata(contents, block->metadata);
	contents->bytes -= block_release(block);
}

/* It stays in its slot, and may be released there while a scrape still needs it. */
static void hold_block(struct block *block)
{
	if (block->metadata != NULL) {
		block->metadata->refs++;
	}
	block_ref(block);
}

static void let_go_of_held_block(struct contents *contents, struct block *block)
{
	leave_metadata(contents, block->metadata);
	contents->bytes -= block_unref(block);
}

static void let_go_of_family(struct contents *contents, struct family *family)
{
	family->kept--;
	if (family->kept == 0 && family_is_unused(family)) {
		families_remove(&contents->families, family);
	}
}

static void let_go_of_group(struct group *group)
{
	group->kept--;
	if (group->kept == 0 && group->is_gone) {
		group_destroy(group);
	}
}

static void let_go(struct contents *contents, struct history_entry *entry)
{
	struct slot slot = { .tagged = (uintptr_t)entry->content };
	switch (entry->kind) {
	case HISTORY_BLOCK:
		if (entry->is_released) {
			release_block(contents, slot_content(slot));
		} else {
			let_go_of_held_block(contents, slot_content(slot));
		}
		let_go_of_family(contents, entry->owner);
		break;
	case HISTORY_FAMILY:
		let_go_of_family(contents, entry->owner);
		break;
	case HISTORY_TIMES:
		free(entry->content);
		let_go_of_group(entry->owner);
		break;
	case HISTORY_GROUP:
		let_go_of_group(entry->owner);
		break;
	}
	history_free(&contents->history, entry);
}

bool contents_tidy(struct contents *contents, size_t budget)
{
	struct history_entry *entry;
	while ((entry = history_take_unneeded(&contents->history, &budget)) != NULL) {
		let_go(contents, entry);
	}
	return !list_is_empty(&contents->history.loose);
}

/* ---- Groups ---- */

struct group *contents_find_group(const struct contents *contents, const struct group_key *key)
{
	uint64_t hash = group_key_hash(key);
	struct map_node *node = map_first(&contents->groups, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct group *group = MAP_ENTRY(node, struct group, node);
		if (group_key_equal(&group->key, key)) {
			return group;
		}
	}
	return NULL;
}

struct group *contents_find_twin(const struct contents *contents, const struct group_key *key)
{
	uint64_t hash = group_key_hash(key);
	struct map_node *node = map_first(&contents->groups, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct group *group = MAP_ENTRY(node, struct group, node);
		if (group_key_equal_normalised(&group->key, key) && !group_key_equal(&group->key, key)) {
			return group;
		}
	}
	return NULL;
}

/* The group is read from its slot, so a changed tag is a changed slot. */
static void set_group_slot(
		struct contents *contents, struct group *group, uintptr_t tagged, uint64_t version)
{
	struct slot *slot = slots_at(&contents->group_slots, group->slot);
	if (slot->tagged != 0 && is_read(contents, slot->born)) {
		history_keep(&contents->history,
				&(struct history_entry){
						.place = slot,
						.content = (void *)slot->tagged,
						.owner = slot_content(*slot),
						.born = slot->born,
						.died = version,
						.kind = HISTORY_GROUP,
				});
		((struct group *)slot_content(*slot))->kept++;
	}
	*slot = (struct slot){ .tagged = tagged, .born = version };
}

/* Of all groups whose keys normalise to the same, the first shows its times. */
static void settle_twins(struct contents *contents, const struct group_key *key, uint64_t version)
{
	struct group *first = NULL;
	uint64_t hash = group_key_hash(key);
	struct map_node *node = map_first(&contents->groups, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct group *group = MAP_ENTRY(node, struct group, node);
		bool is_first =
				first == NULL || order_compare(group->since_ns, group, first->since_ns, first) < 0;
		if (is_first && group_key_equal_normalised(&group->key, key)) {
			first = group;
		}
	}
	for (node = map_first(&contents->groups, hash); node != NULL; node = map_next(node, hash)) {
		struct group *group = MAP_ENTRY(node, struct group, node);
		bool is_shadowed = group != first;
		if (group->is_shadowed != is_shadowed && group_key_equal_normalised(&group->key, key)) {
			group->is_shadowed = is_shadowed;
			contents->shadowed_groups += is_shadowed;
			contents->shadowed_groups -= !is_shadowed;
			set_group_slot(contents, group, (uintptr_t)group | is_shadowed, version);
		}
	}
}

struct group *contents_add_group(struct contents *contents, const struct group_key *key,
		uint32_t place, int64_t since_ns, uint64_t version)
{
	bool has_twin = contents_find_twin(contents, key) != NULL;
	struct group *group = group_create(key, shape_enter(&contents->shapes, key));
	group->job = job_count_enter(&contents->jobs, key);
	map_insert(&contents->groups, &group->node, group_key_hash(key));
	group->slot = slots_take_at(&contents->group_slots, place);
	group->times_born = version;
	group->since_ns = since_ns;
	group->is_shadowed = has_twin;
	contents->shadowed_groups += has_twin;
	contents->group_count++;
	contents->bytes += group->bytes;
	contents->has_quoted_groups |= group->has_quoted;
	set_group_slot(contents, group, (uintptr_t)group | has_twin, version);
	if (has_twin) {
		settle_twins(contents, key, version);
	}
	return group;
}

void contents_set_since(
		struct contents *contents, struct group *group, int64_t since_ns, uint64_t version)
{
	group->since_ns = since_ns;
	if (contents->shadowed_groups > 0) {
		settle_twins(contents, &group->key, version);
	}
}

void contents_remove_members(
		struct contents *contents, struct group *group, uint32_t count, uint64_t version)
{
	for (; count > 0 && group->member_count > 0; count--) {
		struct member member = group->members[--group->member_count];
		contents_remove_block(contents, group, member.family, member.slot, version);
	}
}

void contents_remove_group(struct contents *contents, struct group *group, uint64_t version)
{
	contents_remove_members(contents, group, UINT32_MAX, version);
	contents_set_deadline(contents, group, 0);
	set_group_slot(contents, group, 0, version);
	slots_give_back(&contents->group_slots, group->slot);
	map_remove(&contents->groups, &group->node);
	contents->group_count--;
	contents->bytes -= group->bytes;
	if (contents->shadowed_groups > 0) {
		contents->shadowed_groups -= group->is_shadowed;
		settle_twins(contents, &group->key, version);
	}
	shape_leave(&contents->shapes, group->shape);
	job_count_leave(&contents->jobs, group->job);
	group->is_gone = true;
	if (group->kept == 0) {
		group_destroy(group);
	}
	shadow_settle(contents, version);
}

void contents_set_times(
		struct contents *contents, struct group *group, struct group_times times, uint64_t version)
{
	if (is_read(contents, group->times_born)) {
		struct group_times *old = memory_alloc(sizeof(*old));
		*old = group->times;
		history_keep(&contents->history,
				&(struct history_entry){
						.place = group,
						.content = old,
						.owner = group,
						.born = group->times_born,
						.died = version,
						.kind = HISTORY_TIMES,
				});
		group->kept++;
	}
	group->times = times;
	group->times_born = version;
}

void contents_set_deadline(struct contents *contents, struct group *group, int64_t deadline_ns)
{
	if (group->deadline_ns != 0) {
		RB_REMOVE(deadline_tree, &contents->deadlines, group);
	}
	group->deadline_ns = deadline_ns;
	if (deadline_ns != 0) {
		RB_INSERT(deadline_tree, &contents->deadlines, group);
	}
}

struct group *contents_first_deadline(struct contents *contents)
{
	return RB_MIN(deadline_tree, &contents->deadlines);
}

/* ---- Blocks ---- */

static void count_exposed(struct group *group, struct family *family, struct block *block)
{
	family->exposed++;
	family->exposed_by_type[block->type]++;
	family->exposed_openmetrics += block->is_openmetrics;
	family->exposed_quoted += block->has_quoted;
	family->type = block->type;
	if (family->first != NULL
			&& order_compare(block->since_ns, group, family->first_since_ns, family->first) < 0) {
		family->first = group;
		family->first_since_ns = block->since_ns;
	}
	shape_counts_add(&family->shapes, group->shape);
	if (block->metadata != NULL) {
		block->metadata->exposed++;
	}
}

static void uncount_exposed(struct group *group, struct family *family, struct block *block)
{
	family->exposed--;
	family->exposed_by_type[block->type]--;
	family->exposed_openmetrics -= block->is_openmetrics;
	family->exposed_quoted -= block->has_quoted;
	family->first = family->first == group ? NULL : family->first;
	shape_counts_remove(&family->shapes, group->shape);
	if (block->metadata != NULL) {
		block->metadata->exposed--;
	}
}

static void keep_block(struct contents *contents, struct family *family, const struct slot *slot,
		bool is_released, uint64_t version)
{
	history_keep(&contents->history,
			&(struct history_entry){
					.place = slot,
					.content = (void *)slot->tagged,
					.born = slot->born,
					.died = version,
					.owner = family,
					.kind = HISTORY_BLOCK,
					.is_released = is_released,
			});
	family->kept++;
}

/* Takes the slot's block out of all counts; the block is released or kept for scrapes. */
static void retire_block(struct contents *contents, struct group *group, struct family *family,
		uint32_t number, bool is_released, uint64_t version)
{
	struct slot *slot = slots_at(&family->slots, number);
	struct block *block = slot_content(*slot);
	if (slot_is_shadowed(*slot)) {
		shadow_remove(contents, family, group, number);
	} else {
		uncount_exposed(group, family, block);
	}
	if (!slot_is_shadowed(*slot) && contents->shadowed_blocks > 0) {
		shadow_look_behind(contents, family, group, block->since_ns);
	}
	group->series -= block->line_count;
	contents->series -= block->line_count;
	contents->blocks--;
	if (is_read(contents, slot->born)) {
		keep_block(contents, family, slot, is_released, version);
		if (!is_released) {
			hold_block(block);
		}
	} else if (is_released) {
		release_block(contents, block);
	}
}

void contents_set_block(struct contents *contents, struct group *group, struct family *family,
		uint32_t number, struct block *block, bool is_shadowed, uint64_t version)
{
	struct slot *slot = slots_at(&family->slots, number);
	const struct block *old = slot_content(*slot);
	bool is_alike =
			old != NULL && old->type == block->type && slot_is_shadowed(*slot) == is_shadowed;
	family->types_born = is_alike ? family->types_born : version;
	if (slot->tagged != 0) {
		retire_block(contents, group, family, number, old != block, version);
	}
	*slot = (struct slot){ .tagged = (uintptr_t)block | is_shadowed, .born = version };
	group->series += block->line_count;
	contents->series += block->line_count;
	contents->blocks++;
	if (is_shadowed) {
		shadow_add(contents, family, group, number);
	} else {
		count_exposed(group, family, block);
	}
}

void contents_exchange_block(struct contents *contents, struct family *family, uint32_t number,
		struct block *block, uint64_t version)
{
	struct slot *slot = slots_at(&family->slots, number);
	struct block *old = slot_content(*slot);
	block->metadata = old->metadata;
	if (is_read(contents, slot->born)) {
		if (block->metadata != NULL) {
			block->metadata->refs++;
		}
		keep_block(contents, family, slot, true, version);
	} else {
		contents->bytes -= block_release(old);
	}
	*slot = (struct slot){ .tagged = (uintptr_t)block | slot_is_shadowed(*slot), .born = version };
}

void contents_remove_block(struct contents *contents, struct group *group, struct family *family,
		uint32_t number, uint64_t version)
{
	struct slot *slot = slots_at(&family->slots, number);
	retire_block(contents, group, family, number, true, version);
	family->types_born = version;
	*slot = (struct slot){ .tagged = 0, .born = version };
	slots_give_back(&family->slots, number);
	contents_drop_unused_family(contents, family, version);
}

void contents_drop_unused_family(struct contents *contents, struct family *family, uint64_t version)
{
	if (!family_is_unused(family)) {
		return;
	}
	if (is_read(contents, 0)) {
		/* A scrape may stand on it. */
		history_keep(&contents->history,
				&(struct history_entry){
						.place = family,
						.owner = family,
						.died = version,
						.kind = HISTORY_FAMILY,
				});
		family->kept++;
	} else if (family->kept == 0) {
		families_remove(&contents->families, family);
	}
}

/* ---- The end ---- */

static bool destroy_some_groups(struct contents *contents, size_t budget)
{
	while (contents->group_slots.len > 0 && budget > 0) {
		uint32_t number = contents->group_slots.len - 1;
		struct group *group = slot_content(*slots_at(&contents->group_slots, number));
		contents->group_slots.len--;
		if (group == NULL) {
			continue;
		}
		while (group->member_count > 0 && budget > 0) {
			struct member member = group->members[--group->member_count];
			struct slot *slot = slots_at(&member.family->slots, member.slot);
			struct block *block = slot_content(*slot);
			slot->tagged = 0;
			release_block(contents, block);
			budget--;
		}
		if (group->member_count > 0) {
			contents->group_slots.len++;
			return false;
		}
		map_remove(&contents->groups, &group->node);
		shape_leave(&contents->shapes, group->shape);
		job_count_leave(&contents->jobs, group->job);
		group_destroy(group);
	}
	return contents->group_slots.len == 0;
}

static bool destroy_some_families(struct contents *contents, size_t budget)
{
	LIST_EACH (link, &contents->families.in_order) {
		if (budget-- == 0) {
			return false;
		}
		families_remove(&contents->families, LIST_ENTRY(link, struct family, in_order));
	}
	return true;
}

bool contents_destroy_some(struct contents *contents, size_t budget)
{
	assert(list_is_empty(&contents->history.snapshots));
	if (contents_tidy(contents, budget) || !destroy_some_groups(contents, budget)
			|| !destroy_some_families(contents, budget)) {
		return false;
	}
	shadow_clear(contents);
	map_finish(&contents->groups);
	slots_finish(&contents->group_slots);
	families_finish(&contents->families);
	map_finish(&contents->shapes);
	map_finish(&contents->jobs);
	history_finish(&contents->history);
	list_remove(&contents->link);
	free(contents);
	return true;
}
