#include "store/shadow.h"

#include <stdlib.h>

#include "base/memory.h"
#include "store/order.h"
#include "store/rivals.h"

enum {
	BLOCKS_PER_STEP = 64,
	LINES_PER_BLOCK = 256, /* that are gone through at the price of a block */
};

static int compare_shadowed(struct shadowed_block *a, struct shadowed_block *b)
{
	int order = order_compare(a->since_ns, a->group, b->since_ns, b->group);
	return order != 0 || a->family == b->family ? order
												: slice_compare(a->family->name, b->family->name);
}

TREE_GENERATE(shadowed_tree, shadowed_block, by_order, compare_shadowed)

void shadow_init(struct contents *contents)
{
	RB_INIT(&contents->shadowed);
	contents->shadow_cursor = NULL;
}

void shadow_clear(struct contents *contents)
{
	struct shadowed_block *shadowed;
	/* Groups and families are gone: nothing may be compared any more. */
	while ((shadowed = RB_ROOT(&contents->shadowed)) != NULL) {
		RB_REMOVE(shadowed_tree, &contents->shadowed, shadowed);
		free(shadowed);
	}
	shadow_init(contents);
}

/* ---- Who is to be looked at ---- */

/* The first that is there, from that place in the order on, and those behind it. */
static void look_from(struct contents *contents, struct shadowed_block *place)
{
	struct shadowed_block *cursor = contents->shadow_cursor;
	if (cursor == NULL || compare_shadowed(place, cursor) < 0) {
		contents->shadow_cursor = RB_NFIND(shadowed_tree, &contents->shadowed, place);
	}
}

void shadow_look_behind(struct contents *contents, const struct family *family,
		const struct group *group, int64_t since_ns)
{
	struct shadowed_block place = {
		.family = (struct family *)(uintptr_t)family,
		.group = (struct group *)(uintptr_t)group,
		.since_ns = since_ns,
	};
	look_from(contents, &place);
}

void shadow_add(
		struct contents *contents, struct family *family, struct group *group, uint32_t slot)
{
	const struct block *block = slot_content(*slots_at(&family->slots, slot));
	struct shadowed_block *shadowed = memory_zalloc(1, sizeof(*shadowed));
	shadowed->family = family;
	shadowed->group = group;
	shadowed->slot = slot;
	shadowed->since_ns = block->since_ns;
	RB_INSERT(shadowed_tree, &contents->shadowed, shadowed);
	contents->shadowed_blocks++;
	family->shadowed++;
	look_from(contents, shadowed);
}

void shadow_remove(
		struct contents *contents, struct family *family, struct group *group, uint32_t slot)
{
	const struct block *block = slot_content(*slots_at(&family->slots, slot));
	struct shadowed_block like = {
		.family = family,
		.group = group,
		.since_ns = block->since_ns,
	};
	struct shadowed_block *shadowed = RB_FIND(shadowed_tree, &contents->shadowed, &like);
	if (contents->shadow_cursor == shadowed) {
		contents->shadow_cursor = RB_NEXT(shadowed_tree, &contents->shadowed, shadowed);
	}
	RB_REMOVE(shadowed_tree, &contents->shadowed, shadowed);
	contents->shadowed_blocks--;
	family->shadowed--;
	free(shadowed);
}

/* ---- Deciding ---- */

static void set_exposed(struct contents *contents, struct group *group, struct family *family,
		uint32_t number, bool is_exposed, uint64_t version)
{
	struct block *block = slot_content(*slots_at(&family->slots, number));
	contents_set_block(contents, group, family, number, block, !is_exposed, version);
}

/*
 * Exposes it if it can be. All before it is as it is to be. While others that
 * have to give way are left, it waits, so that no page has both. Returns how many
 * blocks that took.
 */
static size_t settle(struct contents *contents, struct shadowed_block *shadowed, uint64_t version)
{
	struct rivals rivals;
	if (!rivals_find(contents, shadowed, &rivals)) {
		contents->shadow_cursor = RB_NEXT(shadowed_tree, &contents->shadowed, shadowed);
		return 1;
	}
	for (size_t i = 0; i < rivals.count; i++) {
		const struct rival *rival = &rivals.found[i];
		set_exposed(contents, rival->group, rival->family, rival->slot, false, version);
	}
	if (!rivals.has_more) {
		set_exposed(contents, shadowed->group, shadowed->family, shadowed->slot, true, version);
	}
	return 1 + rivals.count;
}

static size_t price_of_lines(const struct shadowed_block *shadowed)
{
	const struct block *block = slot_content(*slots_at(&shadowed->family->slots, shadowed->slot));
	return block->line_count / LINES_PER_BLOCK;
}

bool shadow_settle(struct contents *contents, uint64_t version)
{
	size_t spent = 0;
	if (contents->is_slicing) {
		return false;
	}
	while (contents->shadow_cursor != NULL && spent < BLOCKS_PER_STEP) {
		spent += price_of_lines(contents->shadow_cursor);
		spent += settle(contents, contents->shadow_cursor, version);
	}
	return contents->shadow_cursor != NULL;
}
