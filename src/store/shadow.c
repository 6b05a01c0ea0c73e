#include "store/shadow.h"

#include <stdlib.h>

#include "base/memory.h"
#include "store/check.h"

enum { BLOCKS_PER_STEP = 64 };

static uint64_t hash_slot(const struct slot *slot)
{
	return ((uintptr_t)slot >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

void shadow_init(struct contents *contents)
{
	list_init(&contents->shadowed);
	map_init(&contents->shadowed_by_slot);
	contents->shadow_cursor = &contents->shadowed;
}

void shadow_clear(struct contents *contents)
{
	LIST_EACH (link, &contents->shadowed) {
		free(LIST_ENTRY(link, struct shadowed_block, link));
	}
	map_finish(&contents->shadowed_by_slot);
	shadow_init(contents);
}

void shadow_add(
		struct contents *contents, struct family *family, struct group *group, uint32_t slot)
{
	struct shadowed_block *shadowed = memory_zalloc(1, sizeof(*shadowed));
	shadowed->family = family;
	shadowed->group = group;
	shadowed->slot = slot;
	list_append(&contents->shadowed, &shadowed->link);
	map_insert(&contents->shadowed_by_slot, &shadowed->node,
			hash_slot(slots_at(&family->slots, slot)));
	contents->shadowed_blocks++;
	family->shadowed++;
}

static void forget(struct contents *contents, struct shadowed_block *shadowed)
{
	if (contents->shadow_cursor == &shadowed->link) {
		contents->shadow_cursor = shadowed->link.next;
	}
	list_remove(&shadowed->link);
	map_remove(&contents->shadowed_by_slot, &shadowed->node);
	contents->shadowed_blocks--;
	shadowed->family->shadowed--;
	free(shadowed);
}

static struct shadowed_block *find(
		const struct contents *contents, const struct family *family, uint32_t slot)
{
	uint64_t hash = hash_slot(slots_at(&family->slots, slot));
	struct map_node *node = map_first(&contents->shadowed_by_slot, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct shadowed_block *shadowed = MAP_ENTRY(node, struct shadowed_block, node);
		if (shadowed->family == family && shadowed->slot == slot) {
			return shadowed;
		}
	}
	return NULL;
}

void shadow_remove(struct contents *contents, struct family *family, uint32_t slot)
{
	struct shadowed_block *shadowed = find(contents, family, slot);
	if (shadowed != NULL) {
		forget(contents, shadowed);
	}
}

void shadow_renew(struct contents *contents, const struct family *family, uint32_t slot)
{
	struct shadowed_block *shadowed = find(contents, family, slot);
	if (shadowed == NULL) {
		return;
	}
	if (contents->shadow_cursor == &shadowed->link) {
		contents->shadow_cursor = shadowed->link.next;
	}
	list_remove(&shadowed->link);
	list_append(&contents->shadowed, &shadowed->link);
}

static bool can_be_exposed(struct contents *contents, const struct shadowed_block *shadowed)
{
	struct slot *slot = slots_at(&shadowed->family->slots, shadowed->slot);
	struct check_subject subject = {
		.key = &shadowed->group->key,
		.shape = shadowed->group->shape,
		.group = shadowed->group,
		.family = shadowed->family,
		.block = slot_content(*slot),
		.label_mask = UINT64_MAX,
	};
	struct check_cursor cursor = { 0 };
	enum check_result result = CHECK_MORE;
	while (result == CHECK_MORE) {
		result = check_block(contents, &subject, &cursor, NULL, NULL);
	}
	return result == CHECK_OK;
}

bool shadow_step(struct contents *contents, uint64_t version)
{
	if (contents->is_slicing) {
		return false;
	}
	for (int i = 0; i < BLOCKS_PER_STEP && contents->shadow_cursor != &contents->shadowed; i++) {
		struct shadowed_block *shadowed =
				LIST_ENTRY(contents->shadow_cursor, struct shadowed_block, link);
		contents->shadow_cursor = shadowed->link.next;
		if (can_be_exposed(contents, shadowed)) {
			struct slot *slot = slots_at(&shadowed->family->slots, shadowed->slot);
			contents_set_block(contents, shadowed->group, shadowed->family, shadowed->slot,
					slot_content(*slot), false, version);
		}
	}
	return contents->shadow_cursor != &contents->shadowed;
}

void shadow_promote(struct contents *contents, uint64_t version)
{
	contents->shadow_cursor = contents->shadowed.next;
	shadow_step(contents, version);
}
