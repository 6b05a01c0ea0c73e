#include "state/redis/apply.h"

#include <zstd.h>

#include "state/redis/apply_item.h"
#include "state/redis/parts.h"
#include "state/redis/scan.h"
#include "state/redis/version.h"

enum {
	LARGE_BYTES = 64 * 1024, /* of content, compressed: it is read on another thread */
	STEP_ITEMS = 256,        /* in one turn of the loop */
	STEP_BYTES = 256 * 1024, /* likewise, of their content */
	THREADED_MAX = 3,        /* times that winners are rendered on another thread */
};

/* ---- One item ---- */

static void on_work(uv_work_t *work)
{
	struct apply_item *item = work->data;
	if (item->stage == STAGE_QUEUED) {
		struct ZSTD_DCtx_s *unpacker = ZSTD_createDCtx();
		apply_decode(item, unpacker);
		ZSTD_freeDCtx(unpacker);
	} else {
		apply_prepare(item);
	}
}

static void on_worked(uv_work_t *work, int status)
{
	struct apply_item *item = work->data;
	item->is_working = false;
	item->stage++;
	turn_arm(&item->partition->state->apply_turn);
}

static void work_on(struct apply_item *item)
{
	item->is_working = true;
	item->work.data = item;
	uv_queue_work(item->partition->state->loop, &item->work, on_work, on_worked);
}

/* Some of it is in the store, or some of the group is not there any more. */
static bool has_begun(const struct apply_item *item)
{
	const struct store *store = item->partition->state->store;
	bool is_going = !item->is_alive && store->deleting != NULL
			&& store->deleting == store_find_group(store, &item->key);
	return item->is_begun || is_going;
}

/* False: it goes on later. */
static bool join_group(struct apply_item *item)
{
	struct redis_state *state = item->partition->state;
	bool is_large = item->bytes > LARGE_BYTES;
	if (item->stage == STAGE_QUEUED && is_large) {
		work_on(item);
		return false;
	}
	if (item->stage == STAGE_QUEUED) {
		apply_decode(item, state->unpacker);
		item->stage = STAGE_DECODED;
	}
	if (item->stage == STAGE_PREPARED && !has_begun(item) && item->serial != apply_serial(item)) {
		item->stage = STAGE_DECODED; /* it was pushed meanwhile */
	}
	if (item->stage == STAGE_DECODED) {
		if (item->decisions++ == 0) {
			apply_report(item);
		}
		apply_decide(item);
		/* A group that is pushed all the time would never come to its end there. */
		if (item->is_alive && is_large && item->decisions <= THREADED_MAX) {
			work_on(item);
			return false;
		}
		if (item->is_alive) {
			apply_prepare(item);
		}
		item->stage = STAGE_PREPARED;
	}
	if (!item->is_alive) {
		return apply_remove(item);
	}
	return apply_put(item);
}

/*
 * A wipe comes by each partition's stream, and in each there may be something newer: groups
 * are looked at one by one, a slice of them in a turn.
 */
static bool wipe_partition(struct apply_item *item)
{
	enum { SLICE_GROUPS = 1024 };
	struct partition *partition = item->partition;
	int count = 0;
	partition->wiped = version_later(partition->wiped, item->version);
	shared_clock_see(&partition->state->clock, item->version);
	LIST_EACH (link, &partition->groups) {
		struct shared_group *shared = LIST_ENTRY(link, struct shared_group, link);
		if (shared->group == NULL || shared->floor >= item->version) {
			continue;
		}
		if (count++ == SLICE_GROUPS || !apply_wipe(shared, item->version)) {
			return false;
		}
	}
	return true;
}

static bool end_scan(struct apply_item *item)
{
	struct partition *partition = item->partition;
	struct redis_state *state = partition->state;
	LIST_EACH (link, &partition->groups) {
		struct shared_group *shared = LIST_ENTRY(link, struct shared_group, link);
		bool is_new = shared->push > item->version || shared->failure > item->version;
		bool is_known = shared->scan >= item->scan_number || is_new || shared->refs > 0
				|| !list_is_empty(&shared->dirty);
		bool is_begun = shared->group != NULL && state->store->deleting == shared->group;
		if (is_known && !is_begun) {
			continue;
		}
		if (item->is_lossy) {
			shared->sends_all = true;
			shared->segment_count = 0;
			shared_group_let_go(shared);
			shared_group_mark(shared, 0);
		} else if (shared->group == NULL) {
			shared_group_forget(shared);
		} else if (store_delete(state->store, &shared->group->key) == STORE_DELETE_WAIT) {
			return false;
		} else {
			shared->group = NULL;
			shared_group_forget(shared);
		}
	}
	partition_scanned(partition);
	return true;
}

/*
 * A change of a group that was there before it, and is not here: it ended here while others, which
 * this weir had not heard of, prolonged it. What else there is of it has to be read.
 */
static bool is_part(const struct apply_item *item)
{
	const struct shared_head *head = &item->change.head;
	const struct group_times *times = &head->times;
	uint64_t last = version_later(head->push, head->failure);
	int64_t last_ns = times->pushed_ns > times->failed_ns ? times->pushed_ns : times->failed_ns;
	bool is_whole = last == 0 || head->floor >= last || head->since_ns == last_ns;
	return !is_whole && store_find_group(item->partition->state->store, &item->key) == NULL;
}

static bool apply(struct apply_item *item)
{
	switch (item->kind) {
	case APPLY_WIPE:
		return wipe_partition(item);
	case APPLY_SCANNED:
		return end_scan(item);
	case APPLY_CHANGE:
	case APPLY_GROUP:
		break;
	}
	if (!item->is_good) {
		/* Nothing that this weir writes; or a group that is not there. */
		return true;
	}
	bool is_new = item->kind == APPLY_CHANGE && item->stage == STAGE_QUEUED;
	if (is_new && (item->change.is_left_out || is_part(item))) {
		scan_name(item->partition, item->name);
		return true;
	}
	return join_group(item);
}

bool apply_step(struct redis_state *state)
{
	size_t bytes = 0;
	bool is_done = true;
	state->is_applying = true;
	for (int i = 0; i < STEP_ITEMS && bytes < STEP_BYTES && is_done; i++) {
		struct list *first = list_first(&state->items);
		if (first == NULL) {
			break;
		}
		struct apply_item *item = LIST_ENTRY(first, struct apply_item, link);
		bytes += item->bytes;
		is_done = !item->is_working && apply(item);
		if (is_done) {
			apply_destroy(item);
		}
	}
	state->is_applying = false;
	if (state->is_loading_over) {
		state->is_loading_over = false;
		partitions_end_loading(state);
	}
	struct list *first = list_first(&state->items);
	return first != NULL && !LIST_ENTRY(first, struct apply_item, link)->is_working;
}

bool apply_drop_all(struct redis_state *state)
{
	LIST_EACH (link, &state->items) {
		struct apply_item *item = LIST_ENTRY(link, struct apply_item, link);
		if (item->is_working) {
			return false;
		}
		apply_destroy(item);
	}
	return true;
}
