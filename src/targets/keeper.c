#include "targets/keeper.h"

#include <stdlib.h>

#include "base/memory.h"
#include "targets/keeper_parts.h"

/* ---- What the registry tells ---- */

static void on_config(void *data, struct target *target)
{
	struct keeper *keeper = data;
	target->keep.has_history = keeper->is_loaded;
	keeper_want_saved(keeper, target);
}

static void on_freshness(void *data, struct target *target)
{
	keeper_want_seen(data, target);
}

static void on_deleted(void *data, struct target *target)
{
	if (target->keep.version != 0 || target->keep.is_saving) {
		keeper_doom(data, &target->id);
	}
}

static bool on_forgotten(void *data, struct target *target)
{
	return keeper_want_expired(data, target);
}

static void on_wanted(void *data, struct target_change *change)
{
	keeper_want_change(data, change);
}

/* ---- In turn ---- */

static bool on_turn(void *data)
{
	struct keeper *keeper = data;
	keeper_go_on_with_change(keeper);
	keeper_write(keeper); /* begins the next one, if that has ended */
	return keeper->change_op != NULL || keeper->change_versions != NULL;
}

static void on_timer(uv_timer_t *timer)
{
	struct keeper *keeper = timer->data;
	keeper_write_new(keeper);
	if (++keeper->ticks % KEEPER_SEEN_TICKS == 0) {
		keeper_write_seen(keeper);
	}
	if (keeper->ticks % KEEPER_LOOK_TICKS == 0) {
		storage_look(keeper->storage);
	}
	if (keeper->ticks % KEEPER_FOLD_TICKS == 0) {
		keeper_fold(keeper);
	}
}

bool keeper_is_at_rest(struct keeper *keeper)
{
	if (!keeper_is_usable(keeper)) {
		return true;
	}
	keeper_write(keeper);
	keeper_hurry_change(keeper);
	keeper_write_new(keeper);
	keeper_write_seen(keeper);
	struct storage_stats stats;
	storage_collect(keeper->storage, &stats);
	return stats.waiting == 0;
}

/* ---- Life ---- */

static void release(struct keeper *keeper)
{
	if (--keeper->open_handles > 0) {
		return;
	}
	struct keeper_options options = keeper->options;
	keeper_forget_doomed(keeper);
	arena_finish(&keeper->arena);
	buf_finish(&keeper->away);
	free(keeper->name);
	free(keeper->replica);
	free(keeper);
	options.on_closed(options.data);
}

static void on_turn_closed(void *data)
{
	release(data);
}

static void on_timer_closed(uv_handle_t *handle)
{
	release(handle->data);
}

static void on_storage_closed(void *data)
{
	struct keeper *keeper = data;
	keeper->storage = NULL;
	keeper_write(keeper); /* tells those who still wait */
	turn_close(&keeper->turn, on_turn_closed);
	uv_close((uv_handle_t *)&keeper->timer, on_timer_closed);
}

static void init(struct keeper *keeper, const struct keeper_options *options)
{
	keeper->options = *options;
	keeper->name = memory_copy_string(options->name);
	keeper->replica = memory_copy_string(options->replica);
	list_init(&keeper->unsaved);
	list_init(&keeper->unseen);
	list_init(&keeper->due);
	list_init(&keeper->doomed);
	list_init(&keeper->expiring);
	list_init(&keeper->changes);
	arena_init(&keeper->arena);
	buf_init(&keeper->away, 0);
	buf_append_string(&keeper->away, "the targets are being loaded");
}

static void listen_to(struct keeper *keeper, struct registry *registry)
{
	keeper->registry = registry;
	registry->events = (struct registry_events){
		.on_config = on_config,
		.on_freshness = on_freshness,
		.on_deleted = on_deleted,
		.on_forgotten = on_forgotten,
		.on_wanted = on_wanted,
		.data = keeper,
	};
}

/* Those that are there already: taken over from another weir. */
static void adopt(struct keeper *keeper)
{
	LIST_EACH (link, &keeper->registry->targets) {
		keeper_want_saved(keeper, LIST_ENTRY(link, struct target, link));
	}
}

struct keeper *keeper_open(
		const struct keeper_options *options, uv_loop_t *loop, struct registry *registry)
{
	struct keeper *keeper = memory_zalloc(1, sizeof(*keeper));
	struct storage_events events = { .on_closed = on_storage_closed, .data = keeper };
	init(keeper, options);
	listen_to(keeper, registry);
	keeper_set_events(keeper, &events);
	turn_open(&keeper->turn, loop, on_turn, keeper);
	uv_timer_init(loop, &keeper->timer);
	keeper->timer.data = keeper;
	uv_timer_start(&keeper->timer, on_timer, KEEPER_TICK_MS, KEEPER_TICK_MS);
	keeper->open_handles = 2;
	keeper->options.storage.replica = keeper->replica;
	keeper->storage = storage_open(&keeper->options.storage, loop, &events);
	adopt(keeper);
	return keeper;
}

void keeper_close(struct keeper *keeper)
{
	keeper_hurry_change(keeper);
	keeper_write_rest(keeper);
	keeper->is_closing = true;
	keeper->registry->events = (struct registry_events){ 0 };
	keeper->registry->loading_why = SLICE("");
	uv_timer_stop(&keeper->timer);
	storage_close(keeper->storage);
}

void keeper_collect(const struct keeper *keeper, struct keeper_stats *ret_stats)
{
	*ret_stats = (struct keeper_stats){ 0 };
	if (keeper->storage == NULL) {
		return;
	}
	storage_collect(keeper->storage, &ret_stats->storage);
	ret_stats->waiting = ret_stats->storage.waiting;
	LIST_EACH (link, &keeper->changes) {
		ret_stats->waiting++;
	}
	ret_stats->faults = ret_stats->storage.faults + keeper->faults;
}
