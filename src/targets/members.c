#include "targets/members.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "targets/service.h"

struct members {
	struct map_node node; // registry::members
	const struct registry *registry;
	size_t total;
	size_t active;           /* as counted */
	uint64_t heartbeat_edit; /* of services, as of which the heartbeat is known */
	int64_t heartbeat_ns;
	size_t len;
	char name[];
};

static struct slice service_name(const struct target *target)
{
	struct slice name = target_label(target, SLICE("service"));
	return name.ptr != NULL ? name : labels_find(&target->config.attributes, SLICE("service"));
}

static struct members *find(const struct registry *registry, struct slice name)
{
	uint64_t hash = hash64(name);
	struct map_node *node = map_first(&registry->members, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct members *members = MAP_ENTRY(node, struct members, node);
		if (slice_equal(slice_make(members->name, members->len), name)) {
			return members;
		}
	}
	return NULL;
}

static struct members *make(struct registry *registry, struct slice name)
{
	struct members *members = memory_zalloc(1, sizeof(*members) + name.len);
	members->registry = registry;
	members->len = name.len;
	memcpy(members->name, name.ptr, name.len);
	map_insert(&registry->members, &members->node, hash64(name));
	return members;
}

void members_join(struct registry *registry, struct target *target)
{
	struct slice name = service_name(target);
	if (!target_is_watched(target) || name.ptr == NULL || !service_is_name(name)) {
		return;
	}
	struct members *members = find(registry, name);
	target->members = members != NULL ? members : make(registry, name);
	target->members->total++;
	members_count_in(target);
}

void members_leave(struct registry *registry, struct target *target)
{
	struct members *members = target->members;
	if (members == NULL) {
		return;
	}
	members_count_out(target);
	target->members = NULL;
	if (--members->total == 0) {
		map_remove(&registry->members, &members->node);
		free(members);
	}
}

void members_count_out(struct target *target)
{
	if (target->members != NULL) {
		target->members->active -= target->counted == TARGET_ACTIVE;
	}
}

void members_count_in(struct target *target)
{
	if (target->members != NULL) {
		target->members->active += target->counted == TARGET_ACTIVE;
	}
}

size_t members_active(const struct registry *registry, struct slice name)
{
	const struct members *members = find(registry, name);
	return members == NULL ? 0 : members->active;
}

static int64_t find_heartbeat(const struct registry *registry, struct slice name)
{
	const struct service_view view = { .registry = registry };
	const struct target *target = service_find_target(registry, name);
	return target == NULL || target->config.is_disabled
			? 0
			: service_find_heartbeat_ns(&view, service_of(target));
}

int64_t members_heartbeat_ns(const struct target *target)
{
	struct members *members = target->members;
	if (members == NULL) {
		return 0;
	}
	if (members->heartbeat_edit != members->registry->service_edits) {
		members->heartbeat_edit = members->registry->service_edits;
		members->heartbeat_ns =
				find_heartbeat(members->registry, slice_make(members->name, members->len));
	}
	return members->heartbeat_ns;
}
