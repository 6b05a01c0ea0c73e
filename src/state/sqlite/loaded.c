#include "state/sqlite/loaded.h"

#include <stdlib.h>

#include "base/memory.h"

struct loaded_unit *loaded_unit_create(void)
{
	struct loaded_unit *unit = memory_zalloc(1, sizeof(*unit));
	list_init(&unit->link);
	list_init(&unit->groups);
	list_init(&unit->faults);
	arena_init(&unit->arena);
	return unit;
}

static void drop_group(struct loaded_group *group)
{
	LIST_EACH (link, &group->pushes) {
		struct loaded_push *push = LIST_ENTRY(link, struct loaded_push, link);
		if (push->prepared.pack != NULL) {
			prepared_push_drop(&push->prepared);
		}
	}
}

void loaded_unit_destroy(struct loaded_unit *unit)
{
	LIST_EACH (link, &unit->groups) {
		drop_group(LIST_ENTRY(link, struct loaded_group, link));
	}
	list_remove(&unit->link);
	arena_finish(&unit->arena);
	free(unit);
}

/*
 * What is newest is read first. The row that says that the older one is gone was
 * lost, so it is written again.
 */
static bool is_superseded(
		const struct restore *restore, const struct loaded_group *loaded, struct ledger *ledger)
{
	const struct group *group = store_find_group(restore->store, &loaded->key);
	bool is_there = group != NULL && group->keeper != NULL;
	if (is_there) {
		ledger_bury(ledger, &loaded->key.labels, loaded->grp);
	}
	return is_there;
}

static void put_group(struct loaded_unit *unit, struct loaded_group *loaded,
		struct restore *restore, struct ledger *ledger)
{
	if (is_superseded(restore, loaded, ledger)) {
		drop_group(loaded);
		return;
	}
	restore_group(restore, &loaded->key, loaded->place, loaded->since_ns);
	LIST_EACH (link, &loaded->pushes) {
		struct loaded_push *push = LIST_ENTRY(link, struct loaded_push, link);
		restore_prepared(restore, &loaded->key, &push->prepared, push->pushed_ns, &unit->arena);
	}
	/* Each push has set times of its own. */
	restore_set_times(restore, &loaded->key, loaded->times, loaded->deadline_ns);
	struct group *group = store_find_group(restore->store, &loaded->key);
	ledger_adopt(ledger, group, loaded->grp, loaded->base, loaded->bytes);
}

void loaded_unit_put(struct loaded_unit *unit, struct restore *restore, struct ledger *ledger)
{
	LIST_EACH (link, &unit->groups) {
		put_group(unit, LIST_ENTRY(link, struct loaded_group, link), restore, ledger);
	}
}
