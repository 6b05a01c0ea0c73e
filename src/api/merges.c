#include "api/merge.h"

#include "api/merge_state.h"
#include "base/clock.h"
#include "base/hash.h"

enum {
	LOOKS_AT_A_TIME = 4, /* that take more than a turn */
	LOOKS_A_STEP = 32,
	LOOKS_PER_TTL = 20, /* of one group, at most */
};

static const struct slice job_name = SLICE_INIT("node");

/* ---- Groups ---- */

/* In two labels of the caller's; the value may lie in the arena. */
struct group_key merges_key(struct slice instance, struct label pairs[2], struct arena *arena)
{
	struct group_key key;
	pairs[0] = (struct label){ SLICE("instance"), labels_escape(arena, instance) };
	pairs[1] = (struct label){ SLICE("job"), job_name };
	group_key_init(&key, (struct labels){ .pairs = pairs, .count = 2 });
	return key;
}

void merges_go_on(struct merges *merges, struct merged *merged)
{
	struct list *first = list_first(&merged->waiting);
	if (first != NULL) {
		struct merge_delivery *delivery = LIST_ENTRY(first, struct merge_delivery, link);
		list_remove(first);
		merge_begin(merges, merged, delivery);
	}
}

static struct merged *enter(struct merges *merges, struct slice instance)
{
	uint64_t hash = hash64(instance);
	struct map_node *node = map_first(&merges->by_instance, hash);
	for (; node != NULL; node = map_next(node, hash)) {
		struct merged *merged = MAP_ENTRY(node, struct merged, node);
		if (slice_equal(merged_instance(merged), instance)) {
			return merged;
		}
	}
	struct merged *merged = merged_create(instance);
	map_insert(&merges->by_instance, &merged->node, hash);
	list_append(&merges->all, &merged->link);
	return merged;
}

static void on_begin(struct job *job)
{
	struct merge_delivery *delivery = LIST_ENTRY(job, struct merge_delivery, job);
	struct merged *merged = enter(delivery->merges, delivery->instance);
	delivery->merges->working--;
	list_append(&merged->waiting, &delivery->link);
	if (merged->current == NULL) {
		merges_go_on(delivery->merges, merged);
	}
}

void merge_deliver(struct merges *merges, struct merge_delivery *delivery)
{
	delivery->merges = merges;
	delivery->counts = (struct ingest_counts){ 0 };
	delivery->job = (struct job){ .done = on_begin };
	list_init(&delivery->link);
	merges->working++;
	executor_defer(merges->api->executor, &delivery->job);
}

/* ---- Looking ---- */

static bool is_due(const struct merges *merges, const struct merged *merged, uint64_t now_ns)
{
	uint64_t ttl_ns = (uint64_t)merges->ttl_ns;
	uint64_t oldest_ns = merged_oldest_ns(merged);
	bool is_old = oldest_ns != UINT64_MAX && now_ns - oldest_ns >= ttl_ns;
	return (merged->needs_look || is_old) && now_ns - merged->looked_ns >= ttl_ns / LOOKS_PER_TTL;
}

static bool has_group(const struct merges *merges, const struct merged *merged)
{
	struct arena arena;
	struct label pairs[2];
	arena_init(&arena);
	struct group_key key = merges_key(merged_instance(merged), pairs, &arena);
	bool has = store_find_group(merges->api->store, &key) != NULL;
	arena_finish(&arena);
	return has;
}

/* A little of it, if it is large. */
static void forget(struct merges *merges, struct merged *merged)
{
	merged_forget(merged, UINT64_MAX - 1, MERGE_SERIES_A_TURN);
	if (merged_oldest_ns(merged) != UINT64_MAX) {
		return;
	}
	map_remove(&merges->by_instance, &merged->node);
	list_remove(&merged->link);
	merged_destroy(merged);
}

void merges_step(struct merges *merges)
{
	uint64_t now_ns = clock_monotonic_ns();
	size_t left = LOOKS_A_STEP;
	LIST_EACH (link, &merges->all) {
		struct merged *merged = LIST_ENTRY(link, struct merged, link);
		bool is_idle = merged->current == NULL && list_is_empty(&merged->waiting);
		if (left == 0 || merges->looking == LOOKS_AT_A_TIME) {
			return;
		}
		if (!is_idle || !is_due(merges, merged, now_ns)) {
			continue;
		}
		left--;
		merged->looked_ns = now_ns;
		if (has_group(merges, merged)) {
			/* Behind those that have not had their turn. */
			list_remove(&merged->link);
			list_append(&merges->all, &merged->link);
			merge_begin(merges, merged, NULL);
		} else {
			forget(merges, merged);
		}
	}
}

bool merges_admit(const struct merges *merges, struct slice instance)
{
	struct arena arena;
	struct label pairs[2];
	arena_init(&arena);
	struct group_key key = merges_key(instance, pairs, &arena);
	bool is_admitted = registry_admit(merges->api->targets, &key) != REGISTRY_UNKNOWN;
	arena_finish(&arena);
	return is_admitted;
}

/* ---- Life ---- */

void merges_init(struct merges *merges, struct api *api, int64_t ttl_ns, struct slice format)
{
	*merges = (struct merges){ .api = api, .ttl_ns = ttl_ns, .format = format };
	map_init(&merges->by_instance);
	list_init(&merges->all);
	list_init(&merges->waiting);
}

void merges_finish(struct merges *merges)
{
	LIST_EACH (link, &merges->all) {
		merged_destroy(LIST_ENTRY(link, struct merged, link));
	}
	map_finish(&merges->by_instance);
}
