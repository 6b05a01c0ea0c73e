#include "targets/service_heirs.h"

#include "base/hash.h"
#include "base/map.h"

struct child {
	struct map_node node; // by the parent's name
	struct slice parent;
	const struct target *target;
};

static void gather(struct map *children, const struct registry *registry, struct arena *arena)
{
	LIST_EACH (link, &registry->unwatched) {
		const struct target *target = LIST_ENTRY(link, struct target, described);
		struct slice parent = service_parent(&target->config);
		if (target->config.mode == TARGET_SERVICE && parent.len > 0) {
			struct child *child = arena_alloc(arena, sizeof(*child));
			child->parent = parent;
			child->target = target;
			map_insert(children, &child->node, hash64(parent));
		}
	}
}

/* Those that have it as their parent; not the one from which the search began, be it a circle. */
static void add_children(const struct map *children, struct slice parent, struct slice first,
		struct service_heirs *heirs)
{
	uint64_t hash = hash64(parent);
	struct map_node *node = map_first(children, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		const struct child *child = MAP_ENTRY(node, struct child, node);
		if (slice_equal(child->parent, parent)
				&& !slice_equal(service_of(child->target).name, first)) {
			heirs->all[heirs->count++] = child->target;
		}
	}
}

void service_heirs_find(const struct registry *registry, struct slice name, struct arena *arena,
		struct service_heirs *ret_heirs)
{
	struct map children;
	map_init(&children);
	gather(&children, registry, arena);
	*ret_heirs = (struct service_heirs){
		.all = arena_zalloc(arena, children.len + 1, sizeof(struct target *)),
	};
	add_children(&children, name, name, ret_heirs);
	size_t begin = 0;
	for (size_t depth = 1; depth < SERVICE_PARENTS_MAX && begin < ret_heirs->count; depth++) {
		size_t end = ret_heirs->count;
		for (; begin < end; begin++) {
			struct slice heir = service_of(ret_heirs->all[begin]).name;
			add_children(&children, heir, name, ret_heirs);
		}
	}
	map_finish(&children);
}
