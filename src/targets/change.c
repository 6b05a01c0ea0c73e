#include "targets/change.h"

#include <assert.h>

#include "base/hash.h"

/* ---- Many ---- */

/* The one before it of the same key does not count. */
static void void_earlier(struct map *by_key, struct target_change_item *item)
{
	uint64_t hash = group_key_hash(&item->key);
	struct map_node *node = map_first(by_key, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct target_change_item *other = MAP_ENTRY(node, struct target_change_item, by_key);
		if (group_key_equal_normalised(&other->key, &item->key)) {
			other->is_void = true;
			map_remove(by_key, node);
			break;
		}
	}
	map_insert(by_key, &item->by_key, hash);
}

static uint64_t id_hash(const struct target_id *id)
{
	return hash64(slice_make((const char *)id->bytes, sizeof(id->bytes)));
}

static bool is_taken(
		const struct registry *registry, const struct map *by_id, const struct target_id *id)
{
	uint64_t hash = id_hash(id);
	struct map_node *node = map_first(by_id, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		if (target_id_equal(&MAP_ENTRY(node, struct target_change_item, by_id)->id, id)) {
			return true;
		}
	}
	return registry_find_by_id(registry, id) != NULL;
}

static void name_item(
		const struct registry *registry, struct map *by_id, struct target_change_item *item)
{
	const struct target *target = registry_find(registry, &item->key);
	item->is_new = target == NULL;
	if (target != NULL) {
		item->id = target->id;
	} else if (!item->has_id || is_taken(registry, by_id, &item->id)) {
		item->id = target_id_make();
	}
	map_insert(by_id, &item->by_id, id_hash(&item->id));
}

static enum target_change_result begin_import(
		struct registry *registry, struct target_change *change)
{
	struct map by_key;
	struct map by_id;
	map_init(&by_key);
	map_init(&by_id);
	for (size_t i = 0; i < change->count; i++) {
		void_earlier(&by_key, &change->items[i]);
	}
	size_t missing = 0;
	for (size_t i = 0; i < change->count; i++) {
		if (!change->items[i].is_void) {
			name_item(registry, &by_id, &change->items[i]);
			missing += change->items[i].is_new;
		}
	}
	map_finish(&by_key);
	map_finish(&by_id);
	bool fits = missing + registry_len(registry) <= registry->options.limit;
	return fits ? TARGET_CHANGE_OK : TARGET_CHANGE_E_LIMIT;
}

/* ---- One ---- */

static enum target_change_result begin_create(
		const struct registry *registry, struct target_change *change)
{
	struct target_change_item *item = change->items;
	const struct target *target = registry_find(registry, &item->key);
	if (target == NULL && item->has_id) {
		target = registry_find_by_id(registry, &item->id);
	}
	if (target != NULL) {
		change->id = target->id;
		return TARGET_CHANGE_E_EXISTS;
	}
	item->is_new = true;
	item->id = item->has_id ? item->id : target_id_make();
	change->id = item->id;
	return registry_len(registry) < registry->options.limit ? TARGET_CHANGE_OK
															: TARGET_CHANGE_E_LIMIT;
}

static enum target_change_result begin_known(
		const struct registry *registry, struct target_change *change)
{
	const struct target_change_item *item = change->items;
	const struct target *target = registry_find_by_id(registry, &item->id);
	change->id = item->id;
	if (target == NULL) {
		return TARGET_CHANGE_E_GONE;
	}
	if (change->kind == TARGET_CHANGE_DELETE) {
		return TARGET_CHANGE_OK;
	}
	if (target->edits != item->edits) {
		return TARGET_CHANGE_E_CONFLICT;
	}
	const struct target *owner = registry_find(registry, &item->key);
	if (owner != NULL && owner != target) {
		change->id = owner->id;
		return TARGET_CHANGE_E_EXISTS;
	}
	return TARGET_CHANGE_OK;
}

enum target_change_result target_change_begin(
		struct registry *registry, struct target_change *change)
{
	switch (change->kind) {
	case TARGET_CHANGE_CREATE:
		return begin_create(registry, change);
	case TARGET_CHANGE_CONFIGURE:
	case TARGET_CHANGE_DELETE:
		return begin_known(registry, change);
	case TARGET_CHANGE_IMPORT:
		return begin_import(registry, change);
	}
	return TARGET_CHANGE_OK;
}

void target_change_end(struct target_change *change, enum target_change_result result)
{
	change->result = result;
	change->done(change);
}

/* ---- Where nothing is stored ---- */

static void apply(
		struct registry *registry, struct target_change *change, struct target_change_item *item)
{
	struct target *target;
	if (item->is_new) {
		enum registry_result result =
				registry_create(registry, &item->key, &item->config, &item->id, &target);
		assert(result == REGISTRY_OK);
		(void)result;
		change->created++;
		return;
	}
	target = registry_find_by_id(registry, &item->id);
	if (change->kind == TARGET_CHANGE_DELETE) {
		registry_delete(registry, target);
		return;
	}
	if (!group_key_equal_normalised(&target->key, &item->key)) {
		target = registry_rekey(registry, target, &item->key);
	}
	registry_configure(registry, target, &item->config);
	change->updated++;
}

static void carry_out(struct registry *registry, struct target_change *change)
{
	enum target_change_result result = target_change_begin(registry, change);
	for (size_t i = 0; i < change->count && result == TARGET_CHANGE_OK; i++) {
		if (!change->items[i].is_void) {
			apply(registry, change, &change->items[i]);
		}
	}
	target_change_end(change, result);
}

void target_change_submit(struct registry *registry, struct target_change *change)
{
	if (registry->events.on_wanted != NULL) {
		registry->events.on_wanted(registry->events.data, change);
	} else {
		carry_out(registry, change);
	}
}
