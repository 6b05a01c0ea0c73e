#include "store/drop.h"

#include <assert.h>

#include "store/shadow.h"
#include "store/wear.h"

static void drop_block(struct wear *wear, const struct member *member, uint64_t version)
{
	struct slot *slot = slots_at(&member->family->slots, member->slot);
	struct pack *pack = wear_hold(slot_content(*slot));
	contents_remove_block(wear->contents, wear->group, member->family, member->slot, version);
	wear_check(wear, pack);
}

static bool has_any(const struct group *group,
		bool (*is_dropped)(void *data, const struct member *member), void *data)
{
	for (uint32_t i = 0; i < group->member_count; i++) {
		if (is_dropped(data, &group->members[i])) {
			return true;
		}
	}
	return false;
}

void store_drop_families(struct store *store, struct group *group,
		bool (*is_dropped)(void *data, const struct member *member), void *data)
{
	struct arena arena;
	struct wear wear = { .contents = store->contents, .group = group, .arena = &arena };
	struct store_change change = { .kind = STORE_CHANGE_PUT, .group = group };
	uint32_t kept = 0;
	assert(store->slicing == NULL && !group->is_busy);
	if (!has_any(group, is_dropped, data)) {
		return;
	}
	store_announce(store, group);
	uint64_t version = store_next_version(store);
	arena_init(&arena);
	group->layout_pack = NULL;
	for (uint32_t i = 0; i < group->member_count; i++) {
		struct member member = group->members[i];
		if (is_dropped(data, &member)) {
			drop_block(&wear, &member, version);
		} else {
			group->members[kept++] = member;
		}
	}
	group->member_count = kept;
	wear_repack(&wear, version);
	arena_finish(&arena);
	store_report(store, &change);
	shadow_settle(store->contents, version);
}
