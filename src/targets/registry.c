#include "targets/registry.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "targets/members.h"
#include "targets/registry_parts.h"

static uint64_t id_hash(const struct target_id *id)
{
	return hash64(slice_make((const char *)id->bytes, sizeof(id->bytes)));
}

void registry_init(struct registry *registry, const struct registry_options *options)
{
	*registry = (struct registry){ .options = *options };
	list_init(&registry->targets);
	list_init(&registry->walks);
	list_init(&registry->described);
	list_init(&registry->unwatched);
	list_init(&registry->late);
	list_init(&registry->expiring);
	list_init(&registry->named);
	map_init(&registry->by_key);
	map_init(&registry->by_id);
	map_init(&registry->info_lines);
	map_init(&registry->members);
	registry->service_edits = 1;
	registry->sweep = &registry->targets;
}

void registry_finish(struct registry *registry)
{
	LIST_EACH (link, &registry->targets) {
		struct target *target = LIST_ENTRY(link, struct target, link);
		members_leave(registry, target);
		target_destroy(target);
	}
	map_finish(&registry->by_key);
	map_finish(&registry->by_id);
	map_finish(&registry->info_lines);
	map_finish(&registry->members);
	if (registry->store != NULL) {
		list_remove(&registry->listener.link);
	}
}

void registry_set_options(struct registry *registry, const struct registry_options *options)
{
	registry->options = *options;
}

/* ---- Looking ---- */

static struct target *find_hashed(
		const struct registry *registry, const struct group_key *key, uint64_t hash)
{
	struct map_node *node = map_first(&registry->by_key, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct target *target = MAP_ENTRY(node, struct target, by_key);
		if (group_key_equal_normalised(&target->key, key)) {
			return target;
		}
	}
	return NULL;
}

struct target *registry_find(const struct registry *registry, const struct group_key *key)
{
	return find_hashed(registry, key, group_key_hash(key));
}

struct target *registry_find_group(const struct registry *registry, const struct group *group)
{
	return find_hashed(registry, &group->key, group->node.hash);
}

struct target *registry_find_by_id(const struct registry *registry, const struct target_id *id)
{
	uint64_t hash = id_hash(id);
	struct map_node *node = map_first(&registry->by_id, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct target *target = MAP_ENTRY(node, struct target, by_id);
		if (target_id_equal(&target->id, id)) {
			return target;
		}
	}
	return NULL;
}

/* Of those whose keys may normalise to its own. */
static struct map_node *first_group(const struct registry *registry, const struct target *target)
{
	return registry->store == NULL
			? NULL
			: map_first(&registry->store->contents->groups, target->by_key.hash);
}

struct group *registry_group(const struct registry *registry, const struct target *target)
{
	struct map_node *node = first_group(registry, target);
	for (; node != NULL; node = map_next(node, target->by_key.hash)) {
		struct group *group = MAP_ENTRY(node, struct group, node);
		if (!group->is_shadowed && group_key_equal_normalised(&group->key, &target->key)) {
			return group;
		}
	}
	return NULL;
}

/* ---- States ---- */

int64_t registry_learnt_ns(const struct target *target)
{
	bool is_new = target->fresh.gaps.count >= INTERVAL_GAPS_MIN;
	return is_new ? interval_learnt_ns(&target->fresh.gaps) : target->fresh.stored_interval_ns;
}

int64_t registry_wanted_ns(const struct target *target)
{
	int64_t configured = target->config.interval_ns;
	return configured > 0 ? configured : members_heartbeat_ns(target);
}

int64_t registry_interval_ns(const struct target *target)
{
	int64_t wanted = registry_wanted_ns(target);
	return wanted > 0 ? wanted : registry_learnt_ns(target);
}

bool registry_is_overdue(const struct registry *registry, const struct target *target)
{
	bool is_expected = target->config.mode == TARGET_PUSH && !target->config.is_disabled;
	uint64_t interval = is_expected ? (uint64_t)registry_interval_ns(target) : 0;
	uint64_t silent_after = target->config.silent_after;
	uint64_t patience;
	silent_after = silent_after > 0 ? silent_after : registry->options.silent_after;
	if (interval == 0 || __builtin_mul_overflow(interval, silent_after, &patience)) {
		return false;
	}
	/* Before the zero of the clock is far above it: the difference is right all the same. */
	return clock_monotonic_ns() - target->seen_ns > patience;
}

bool registry_has_expired(const struct registry *registry, const struct target *target)
{
	uint64_t gone_at = target->gone_at > registry->wiped_at ? target->gone_at : registry->wiped_at;
	return gone_at >= target->seen_at;
}

enum target_state registry_state(const struct registry *registry, const struct target *target)
{
	if (target->config.is_disabled) {
		return TARGET_DISABLED;
	}
	if (target->config.mode != TARGET_PUSH) {
		return TARGET_ACTIVE;
	}
	if (target->fresh.last_seen_ns == 0) {
		return TARGET_SILENT;
	}
	if (registry_has_expired(registry, target)) {
		return TARGET_EXPIRED;
	}
	return registry_is_overdue(registry, target) ? TARGET_SILENT : TARGET_ACTIVE;
}

void registry_recount(struct registry *registry, struct target *target)
{
	bool is_overdue = registry_is_overdue(registry, target);
	registry->counts[target->counted]--;
	members_count_out(target);
	target->counted =
			target_is_watched(target) ? registry_state(registry, target) : TARGET_STATE_COUNT;
	registry->counts[target->counted]++;
	members_count_in(target);
	registry->overdue += (uint64_t)is_overdue - (uint64_t)target->is_overdue;
	target->is_overdue = is_overdue;
	list_remove(&target->late);
	if (is_overdue) {
		list_append(&registry->late, &target->late);
	}
	list_remove(&target->expiring);
	if (registry_expiry_ns(registry, target) != 0) {
		list_append(&registry->expiring, &target->expiring);
	}
}

static void drop_info_line(struct registry *registry, struct target *target)
{
	if (target->info != NULL) {
		map_remove(&registry->info_lines, &target->info->node);
		free(target->info);
		target->info = NULL;
	}
}

/* Another name is looked up at once. What the old one stands for is not asked any more. */
static void rename_address(struct registry *registry, struct target *target, bool is_same)
{
	if (is_same && target_is_named(target)) {
		return;
	}
	free(target->addresses);
	target->addresses = NULL;
	target->look_up_ns = 0;
	target->cannot_look_up = false;
	list_remove(&target->named);
	if (target_is_named(target)) {
		list_append(registry->named.next, &target->named); /* in front */
	}
}

void registry_reconfigure(
		struct registry *registry, struct target *target, const struct target_config *config)
{
	bool is_same = target_is_named(target) && config->mode == TARGET_DNS
			&& slice_equal(target->config.address, config->address);
	registry->service_edits +=
			target->config.mode == TARGET_SERVICE || config->mode == TARGET_SERVICE;
	target_configure(target, config);
	members_leave(registry, target);
	members_join(registry, target);
	rename_address(registry, target, is_same);
	target->edits++;
	drop_info_line(registry, target);
	target->info = info_line_create(target);
	if (target->info != NULL) {
		map_insert(&registry->info_lines, &target->info->node, target->info->node.hash);
	}
	list_remove(&target->described);
	if (!target_is_watched(target)) {
		list_append(&registry->unwatched, &target->described);
	} else if (target->info != NULL || target->config.interval_ns > 0 || target->members != NULL) {
		list_append(&registry->described, &target->described);
	}
}

/* Of several with the same labels, it is the first in the map. */
struct slice registry_info_line(const struct registry *registry, const struct target *target)
{
	const struct info_line *line = target->info;
	bool is_first =
			line != NULL && map_first(&registry->info_lines, line->node.hash) == &line->node;
	return is_first ? info_line_text(line) : slice_make(NULL, 0);
}

static bool is_forgotten(const struct registry *registry, const struct target *target, int64_t now)
{
	const struct target_freshness *fresh = &target->fresh;
	int64_t last_ns = fresh->last_seen_ns;
	last_ns = fresh->rejected_ns > last_ns ? fresh->rejected_ns : last_ns;
	last_ns = fresh->first_seen_ns > last_ns ? fresh->first_seen_ns : last_ns;
	return !target->is_configured && target_is_watched(target)
			&& now - last_ns > registry->options.retention_ns;
}

/* That it fell silent is news. */
static void look(struct registry *registry, struct target *target)
{
	enum target_state before = target->counted;
	registry_recount(registry, target);
	if (target->counted != before) {
		registry_tell_freshness(registry, target);
	}
}

static void forget(struct registry *registry, struct target *target)
{
	const struct registry_events *events = &registry->events;
	if (events->on_forgotten == NULL || !events->on_forgotten(events->data, target)) {
		registry_delete(registry, target);
	}
}

void registry_step(struct registry *registry, size_t budget)
{
	int64_t now_ns = clock_wall_ns();
	budget = budget < registry_len(registry) ? budget : registry_len(registry);
	while (budget-- > 0) {
		if (registry->sweep == &registry->targets) {
			registry->sweep = registry->targets.next;
		}
		struct target *target = LIST_ENTRY(registry->sweep, struct target, link);
		registry->sweep = registry->sweep->next;
		if (is_forgotten(registry, target, now_ns)) {
			forget(registry, target);
		} else {
			look(registry, target);
		}
	}
}

/* ---- Walking ---- */

void registry_walk_begin(struct registry_walk *walk, struct registry *registry)
{
	walk->registry = registry;
	walk->next = registry->targets.next;
	list_append(&registry->walks, &walk->link);
}

struct target *registry_walk_next(struct registry_walk *walk)
{
	if (walk->next == &walk->registry->targets) {
		return NULL;
	}
	struct target *target = LIST_ENTRY(walk->next, struct target, link);
	walk->next = walk->next->next;
	return target;
}

void registry_walk_end(struct registry_walk *walk)
{
	list_remove(&walk->link);
}

/* Nobody stands on it any more. */
static void step_off(struct registry *registry, struct list *link)
{
	if (registry->sweep == link) {
		registry->sweep = link->next;
	}
	LIST_EACH (other, &registry->walks) {
		struct registry_walk *walk = LIST_ENTRY(other, struct registry_walk, link);
		walk->next = walk->next == link ? link->next : walk->next;
	}
}

/* ---- Events ---- */

void registry_tell_config(struct registry *registry, struct target *target)
{
	if (registry->events.on_config != NULL) {
		registry->events.on_config(registry->events.data, target);
	}
}

void registry_tell_freshness(struct registry *registry, struct target *target)
{
	if (registry->events.on_freshness != NULL) {
		registry->events.on_freshness(registry->events.data, target);
	}
}

/* ---- Coming and going ---- */

struct target *registry_add(struct registry *registry, const struct group_key *key,
		const struct target_config *config, const struct target_id *id)
{
	static const struct target_config by_default = { 0 };
	struct target *target = target_create(key, &by_default);
	registry_reconfigure(registry, target, config);
	target->seen_ns = clock_monotonic_ns(); /* it is not late before it could be there */
	target->id = id == NULL ? target_id_make() : *id;
	map_insert(&registry->by_key, &target->by_key, group_key_hash(key));
	map_insert(&registry->by_id, &target->by_id, id_hash(&target->id));
	list_append(&registry->targets, &target->link);
	registry->counts[target->counted]++;
	return target;
}

void registry_rename(struct registry *registry, struct target *target, const struct target_id *id)
{
	map_remove(&registry->by_id, &target->by_id);
	target->id = *id;
	map_insert(&registry->by_id, &target->by_id, id_hash(id));
}

/* Several may have keys that normalise to its own, all but one of them shadowed. */
static void let_go_of_groups(struct registry *registry, const struct target *target)
{
	struct map_node *node = first_group(registry, target);
	for (; node != NULL; node = map_next(node, target->by_key.hash)) {
		struct group *group = MAP_ENTRY(node, struct group, node);
		group->follower = group->follower == target ? NULL : group->follower;
	}
}

void registry_remove(struct registry *registry, struct target *target)
{
	let_go_of_groups(registry, target);
	members_leave(registry, target);
	registry->service_edits += target->config.mode == TARGET_SERVICE;
	step_off(registry, &target->link);
	map_remove(&registry->by_key, &target->by_key);
	map_remove(&registry->by_id, &target->by_id);
	list_remove(&target->link);
	list_remove(&target->described);
	list_remove(&target->late);
	list_remove(&target->expiring);
	list_remove(&target->named);
	list_remove(&target->keep.unsaved);
	list_remove(&target->keep.unseen);
	registry->counts[target->counted]--;
	drop_info_line(registry, target);
	registry->overdue -= target->is_overdue;
	registry->last = registry->last == target ? NULL : registry->last;
	target_destroy(target);
}

/* Whoever stores targets finds the new one where the old one was on its lists. */
static void take_place(struct target *moved, struct target *target)
{
	list_remove(&moved->link);
	list_append(&target->link, &moved->link);
	list_append(&target->keep.unsaved, &moved->keep.unsaved);
	list_append(&target->keep.unseen, &moved->keep.unseen);
	moved->keep.version = target->keep.version;
	moved->keep.reading = target->keep.reading;
	moved->keep.is_saving = target->keep.is_saving;
	moved->keep.has_history = target->keep.has_history;
}

struct target *registry_rekey(
		struct registry *registry, struct target *target, const struct group_key *key)
{
	struct target *moved = registry_add(registry, key, &target->config, &target->id);
	take_place(moved, target);
	moved->edits = target->edits + 1;
	moved->is_configured = target->is_configured;
	moved->seen_ns = target->seen_ns;
	moved->fresh = target->fresh;
	target->fresh.rejection = NULL;
	registry_remove(registry, target);
	registry_recount(registry, moved);
	return moved;
}

static bool is_full(const struct registry *registry)
{
	return registry_len(registry) >= registry->options.limit;
}

enum registry_result registry_create(struct registry *registry, const struct group_key *key,
		const struct target_config *config, const struct target_id *id, struct target **ret_target)
{
	struct target *target = registry_find(registry, key);
	if (target == NULL && id != NULL) {
		target = registry_find_by_id(registry, id);
	}
	if (target != NULL) {
		*ret_target = target;
		return REGISTRY_E_EXISTS;
	}
	if (is_full(registry)) {
		return REGISTRY_E_LIMIT;
	}
	target = registry_add(registry, key, config, id);
	target->is_configured = true;
	target->fresh.first_seen_ns = clock_wall_ns();
	registry_recount(registry, target);
	registry_tell_config(registry, target);
	registry_tell_freshness(registry, target);
	*ret_target = target;
	return REGISTRY_OK;
}

void registry_configure(
		struct registry *registry, struct target *target, const struct target_config *config)
{
	registry_reconfigure(registry, target, config);
	target->is_configured = true;
	registry_recount(registry, target);
	registry_tell_config(registry, target);
}

void registry_delete(struct registry *registry, struct target *target)
{
	if (registry->events.on_deleted != NULL) {
		registry->events.on_deleted(registry->events.data, target);
	}
	registry_remove(registry, target);
}
