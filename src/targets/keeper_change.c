#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "targets/keeper_parts.h"
#include "targets/kept_row.h"

/*
 * Changes that are asked for: one after the other, each as a whole. The registry is changed when
 * the database has it. One may be of thousands of targets: rows are made of some of them on a turn
 * of the loop, and so they go into the registry, unless the database has something to tell.
 */

static void end_change(struct keeper *keeper, enum target_change_result result, struct slice why)
{
	struct target_change *change = keeper->changing;
	keeper->changing = NULL;
	change->why = why;
	turn_arm(&keeper->turn);
	target_change_end(change, result);
}

static enum target_change_result result_of(enum storage_result result)
{
	switch (result) {
	case STORAGE_OK:
		return TARGET_CHANGE_OK;
	case STORAGE_CONFLICT:
		return TARGET_CHANGE_E_CONFLICT;
	case STORAGE_REFUSED:
		return TARGET_CHANGE_E_REFUSED;
	case STORAGE_UNDONE: /* never of all */
	case STORAGE_FAILED:
		return TARGET_CHANGE_E_AWAY;
	}
	return TARGET_CHANGE_E_AWAY;
}

/* It is in the database, so it counts. */
static void apply(struct keeper *keeper, const struct target_change_item *item, int64_t version)
{
	struct target_row row = {
		.id = item->id,
		.key = item->key,
		.config = item->config,
		.is_configured = true,
		.fresh = { .first_seen_ns = item->is_new ? clock_wall_ns() : 0 },
	};
	struct target *target = registry_find_by_id(keeper->registry, &item->id);
	if (target != NULL && target->keep.version > version) {
		return; /* somebody has changed it again */
	}
	keeper_put_row(keeper, &row, version);
	target = registry_find_by_id(keeper->registry, &item->id);
	if (target != NULL) {
		keeper_want_seen(keeper, target);
	}
}

/* Those that are in the database. */
static void apply_some(struct keeper *keeper, size_t most)
{
	struct target_change *change = keeper->changing;
	size_t end =
			change->count - keeper->change_next < most ? change->count : keeper->change_next + most;
	while (keeper->change_next < end) {
		const struct target_change_item *item = &change->items[keeper->change_next++];
		if (!item->is_void) {
			change->created += item->is_new;
			change->updated += !item->is_new;
			apply(keeper, item, keeper->change_versions[keeper->change_row++]);
		}
	}
	if (end == change->count) {
		free(keeper->change_versions);
		keeper->change_versions = NULL;
		end_change(keeper, TARGET_CHANGE_OK, SLICE(""));
	}
}

static void on_change_saved(struct storage_op *op)
{
	struct keeper *keeper = op->data;
	if (op->result != STORAGE_OK) {
		end_change(keeper, result_of(op->result), op->why);
		return;
	}
	keeper->change_next = 0;
	keeper->change_row = 0;
	keeper->change_versions = memory_alloc((op->count + 1) * sizeof(*keeper->change_versions));
	for (size_t i = 0; i < op->count; i++) {
		keeper->change_versions[i] = op->outcomes[i].version;
	}
	apply_some(keeper, keeper->is_closing ? SIZE_MAX : KEEPER_BATCH_ROWS);
	turn_arm(&keeper->turn);
}

static void on_change_deleted(struct storage_op *op)
{
	struct keeper *keeper = op->data;
	struct target *target = registry_find_by_id(keeper->registry, &keeper->changing->items[0].id);
	if (op->result == STORAGE_OK && target != NULL) {
		registry_drop(keeper->registry, target);
	}
	end_change(keeper, result_of(op->result), op->why);
}

static int64_t version_of(const struct keeper *keeper, const struct target_id *id)
{
	const struct target *target = registry_find_by_id(keeper->registry, id);
	return target == NULL ? 0 : target->keep.version;
}

static void add_rows(struct keeper *keeper, size_t most)
{
	const struct target_change *change = keeper->changing;
	struct arena arena;
	size_t end =
			change->count - keeper->change_next < most ? change->count : keeper->change_next + most;
	arena_init(&arena);
	while (keeper->change_next < end) {
		const struct target_change_item *item = &change->items[keeper->change_next++];
		if (item->is_void) {
			continue;
		}
		struct target_row row = {
			.id = item->id,
			.key = item->key,
			.config = item->config,
			.is_configured = true,
		};
		struct storage_target stored = kept_row_write(&row, version_of(keeper, &item->id), &arena);
		storage_op_add_target(keeper->change_op, &stored);
	}
	arena_finish(&arena);
	if (end == change->count) {
		struct storage_op *op = keeper->change_op;
		keeper->change_op = NULL;
		storage_send(keeper->storage, op);
	}
}

static void save_change(struct keeper *keeper)
{
	keeper->change_op = storage_op_create(STORAGE_SAVE, on_change_saved, keeper);
	keeper->change_op->is_whole = true;
	keeper->change_next = 0;
	add_rows(keeper, KEEPER_BATCH_ROWS);
	turn_arm(&keeper->turn);
}

static void do_some(struct keeper *keeper, size_t most)
{
	if (keeper->change_op != NULL) {
		add_rows(keeper, most);
	} else if (keeper->change_versions != NULL) {
		apply_some(keeper, most);
	}
}

void keeper_go_on_with_change(struct keeper *keeper)
{
	do_some(keeper, KEEPER_BATCH_ROWS);
}

void keeper_hurry_change(struct keeper *keeper)
{
	do_some(keeper, SIZE_MAX);
}

void keeper_apply_change(struct keeper *keeper)
{
	if (keeper->change_versions != NULL) {
		apply_some(keeper, SIZE_MAX);
	}
}

static struct storage_op *make_change_deletion(
		struct keeper *keeper, const struct target_change *change)
{
	char id[TARGET_ID_TEXT];
	struct storage_op *op = storage_op_create(STORAGE_DELETE, on_change_deleted, keeper);
	target_id_format(&change->items[0].id, id);
	storage_op_add_id(op, slice_make(id, sizeof(id)));
	return op;
}

void keeper_begin_change(struct keeper *keeper)
{
	struct list *link = list_first(&keeper->changes);
	struct target_change *change = LIST_ENTRY(link, struct target_change, link);
	list_remove(link);
	keeper->changing = change;
	enum target_change_result result = target_change_begin(keeper->registry, change);
	if (!keeper_is_usable(keeper)) {
		end_change(keeper, TARGET_CHANGE_E_AWAY, buf_slice(&keeper->away));
	} else if (result != TARGET_CHANGE_OK || change->count == 0) {
		end_change(keeper, result, SLICE(""));
	} else if (change->kind == TARGET_CHANGE_DELETE) {
		storage_send(keeper->storage, make_change_deletion(keeper, change));
	} else {
		save_change(keeper);
	}
}
