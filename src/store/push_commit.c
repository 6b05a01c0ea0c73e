#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/members.h"
#include "store/push_parts.h"

/* Of a new group. */
static int64_t find_group_since(const struct store_push *op)
{
	int64_t pushed_ns = op->times == NULL ? op->now_ns : op->times->pushed_ns;
	return op->since_ns != 0 ? op->since_ns : pushed_ns;
}

void push_begin_commit(struct store_push *op)
{
	struct contents *contents = op->store->contents;
	op->version = store_next_version(op->store);
	op->store->is_committing |= op->store->slicing == op;
	if (op->group == NULL) {
		op->group =
				contents_add_group(contents, op->key, op->place, find_group_since(op), op->version);
	} else {
		store_announce(op->store, op->group);
	}
	if (op->since_ns != 0 && op->since_ns != op->group->since_ns) {
		contents_set_since(contents, op->group, op->since_ns, op->version);
	}
	op->wear = (struct wear){ .contents = contents, .group = op->group, .arena = op->arena };
	op->group->is_busy = true;
	op->group->layout_pack = NULL;
	op->members = arena_alloc(op->arena, (op->push->family_count + 1) * sizeof(struct member));
	contents->bytes += push_bytes(op);
	if (op->push->pack != NULL) {
		op->push->pack->pushed_ns = op->now_ns;
	}
}

/* The pack that a post takes a block from, held on to; NULL: none. */
static struct pack *hold_old_pack(struct store_push *op, const struct prepared_family *prepared)
{
	bool has_block = op->method == STORE_POST && prepared->slot != SLOT_NONE;
	struct slot *slot = has_block ? slots_at(&prepared->family->slots, prepared->slot) : NULL;
	return has_block ? wear_hold(slot_content(*slot)) : NULL;
}

/* The group has the family since it had what is replaced, unless it is told otherwise. */
static int64_t find_since(const struct prepared_family *prepared)
{
	if (prepared->since_ns != 0) {
		return prepared->since_ns;
	}
	if (prepared->slot == SLOT_NONE) {
		return block_pack(prepared->block)->pushed_ns;
	}
	const struct block *old = slot_content(*slots_at(&prepared->family->slots, prepared->slot));
	return old->since_ns;
}

void push_commit(struct store_push *op, size_t i)
{
	struct prepared_family *prepared = &op->push->families[i];
	struct family *family = prepared->family;
	struct pack *old_pack = hold_old_pack(op, prepared);
	pack_entries(block_pack(prepared->block))[prepared->entry].family_id = family->id;
	prepared->block->since_ns = find_since(prepared);
	if (prepared->slot == SLOT_NONE) {
		prepared->slot = slots_take_at(&family->slots, prepared->place);
	}
	struct metadata *metadata = family_enter_metadata(family, prepared->help, prepared->unit);
	prepared->block->metadata = metadata;
	if (metadata != NULL && metadata->refs == 1) {
		op->store->contents->bytes += metadata_bytes(prepared->help, prepared->unit);
	}
	contents_set_block(op->store->contents, op->group, family, prepared->slot, prepared->block,
			prepared->is_shadowed, op->version);
	if (old_pack != NULL) {
		wear_check(&op->wear, old_pack);
	}
	op->members[i] = (struct member){ family, family->id, prepared->slot };
}

/* A post of families that the group has already leaves its members as they are. */
static bool has_new_members(const struct store_push *op)
{
	if (op->method == STORE_PUT) {
		return true;
	}
	for (size_t i = 0; i < op->push->family_count; i++) {
		if (group_find_member(op->group, op->push->families[i].family) == NULL) {
			return true;
		}
	}
	return false;
}

void push_set_members(struct store_push *op)
{
	if (!has_new_members(op)) {
		return;
	}
	struct group *group = op->group;
	uint32_t count = (uint32_t)op->push->family_count;
	bool keeps_others = op->method == STORE_POST && group->member_count > 0;
	members_sort(op->members, count, op->arena);
	op->old_members = group->members;
	op->old_member_count = group->member_count;
	uint32_t capacity = keeps_others ? count + group->member_count : count;
	group->members = memory_alloc(capacity * sizeof(struct member));
	if (keeps_others) {
		group->member_count = members_merge(
				op->old_members, op->old_member_count, op->members, count, group->members);
		free(op->old_members);
		op->old_members = NULL;
		op->old_member_count = 0;
	} else {
		memcpy(group->members, op->members, count * sizeof(struct member));
		group->member_count = count;
	}
}

void push_remove_if_left_out(struct store_push *op, size_t i)
{
	struct member *old = &op->old_members[i];
	if (group_find_member(op->group, old->family) == NULL) {
		contents_remove_block(op->store->contents, op->group, old->family, old->slot, op->version);
	}
}

/* A body of the same layout can be spliced into what this one became. */
static void remember_layout(struct store_push *op)
{
	struct pack *pack = op->push->pack;
	if (!op->push->layout.is_known || pack == NULL) {
		return;
	}
	struct pack_entry *entries = pack_entries(pack);
	for (size_t i = 0; i < op->push->family_count; i++) {
		struct member *member = group_find_member(op->group, op->push->families[i].family);
		entries[i].member = (uint32_t)(member - op->group->members);
	}
	op->group->layout = op->push->layout;
	op->group->layout_pack = pack;
}

void push_end_commit(struct store_push *op)
{
	struct group_times times = { .pushed_ns = op->now_ns, .failed_ns = op->group->times.failed_ns };
	contents_set_times(
			op->store->contents, op->group, op->times == NULL ? times : *op->times, op->version);
	contents_set_deadline(op->store->contents, op->group, op->deadline_ns);
	remember_layout(op);
	wear_repack(&op->wear, op->version);
	free(op->old_members);
	/* Of several pushes at once, listeners look at the group as it is now. */
	bool is_post = op->method == STORE_POST && op->times == NULL;
	struct store_change change = {
		.kind = is_post ? STORE_CHANGE_POST : STORE_CHANGE_PUT,
		.group = op->group,
		.pack = op->push->pack,
	};
	op->push->pack = NULL; /* it is the store's now, and so are those that were joined */
	op->push->joined_count = 0;
	if (op->store->slicing == op) {
		op->store->is_committing = false;
		store_next_version(op->store); /* others had numbers of their own meanwhile */
	}
	store_report(op->store, &change);
}
