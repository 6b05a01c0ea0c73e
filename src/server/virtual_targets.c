#include "server/virtual_targets.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "server/parts.h"
#include "targets/change.h"
#include "targets/inventory.h"
#include "targets/virtual_names.h"

/* A change of one target, with all that it needs. */
struct turning {
	struct target_change change;
	struct target_change_item item;
	struct arena arena;
};

static void on_turned(struct target_change *change)
{
	struct turning *turning = LIST_ENTRY(change, struct turning, change);
	if (change->result != TARGET_CHANGE_OK) {
		log_warn("a target of --targets.virtual pushes, and did not become virtual name=" SLICE_FMT,
				SLICE_ARG(labels_find(&turning->item.key.labels, SLICE("instance"))));
	}
	arena_finish(&turning->arena);
	free(turning);
}

/* One that came about by its pushes. */
static void turn(struct registry *registry, const struct target *target)
{
	struct turning *turning = memory_zalloc(1, sizeof(*turning));
	arena_init(&turning->arena);
	struct target_change_item *item = &turning->item;
	item->id = target->id;
	item->edits = target->edits;
	item->key.labels = labels_copy(&target->key.labels,
			arena_alloc(&turning->arena, labels_copy_bytes(&target->key.labels) + 1));
	item->config = target_config_copy(&target->config, &turning->arena);
	item->config.mode = TARGET_VIRTUAL;
	turning->change = (struct target_change){
		.kind = TARGET_CHANGE_CONFIGURE,
		.items = item,
		.count = 1,
		.done = on_turned,
	};
	target_change_submit(registry, &turning->change);
}

static void make(struct registry *registry, struct slice name, struct arena *arena)
{
	const struct target_config config = { .mode = TARGET_VIRTUAL };
	struct inventory_key key;
	inventory_host_key(&key, labels_escape(arena, name));
	struct target *target = registry_find(registry, &key.key);
	if (target != NULL && !target->is_configured && !registry->is_loading) {
		turn(registry, target);
	}
	if (target != NULL) {
		return;
	}
	/* The same in each weir and at each start, so that there is one row. */
	struct target_id id = target_id_of_key(&key.key);
	bool is_free = registry_find_by_id(registry, &id) == NULL;
	if (registry_create(registry, &key.key, &config, is_free ? &id : NULL, &target)
			== REGISTRY_E_LIMIT) {
		log_warn("there are too many targets for one of --targets.virtual name=" SLICE_FMT,
				SLICE_ARG(name));
	}
}

void virtual_targets_make(struct server *server)
{
	struct arena arena;
	struct virtual_names names;
	struct slice why;
	arena_init(&arena);
	if (virtual_names_read(
				slice_of_string(server->config->targets_virtual), &arena, &names, &why)) {
		for (size_t i = 0; i < names.count; i++) {
			make(&server->targets, names.names[i], &arena);
		}
	}
	arena_finish(&arena);
}
