#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "targets/keeper_parts.h"
#include "targets/kept_row.h"

/*
 * What the database is told. An operation goes out with rows of some targets; what became
 * of each is looked up by its id, since the targets may be gone by then.
 */

/* ---- What is to be written ---- */

void keeper_want_saved(struct keeper *keeper, struct target *target)
{
	if (target->keep.version == 0 && !target->keep.is_saving) {
		list_remove(&target->keep.unsaved);
		list_append(&keeper->unsaved, &target->keep.unsaved);
	}
	keeper_want_seen(keeper, target);
}

void keeper_want_seen(struct keeper *keeper, struct target *target)
{
	if (list_is_empty(&target->keep.unseen)) {
		list_append(&keeper->unseen, &target->keep.unseen);
	}
}

void keeper_doom(struct keeper *keeper, const struct target_id *id)
{
	struct keeper_doomed *doomed = memory_zalloc(1, sizeof(*doomed));
	target_id_format(id, doomed->id);
	list_append(&keeper->doomed, &doomed->link);
	turn_arm(&keeper->turn);
}

void keeper_want_change(struct keeper *keeper, struct target_change *change)
{
	list_append(&keeper->changes, &change->link);
	turn_arm(&keeper->turn);
}

bool keeper_want_expired(struct keeper *keeper, struct target *target)
{
	if (target->keep.version == 0) {
		return target->keep.is_saving;
	}
	if (keeper_is_usable(keeper) && !target->keep.is_expiring) {
		struct keeper_doomed *doomed = memory_zalloc(1, sizeof(*doomed));
		target_id_format(&target->id, doomed->id);
		list_append(&keeper->expiring, &doomed->link);
		target->keep.is_expiring = true;
		turn_arm(&keeper->turn);
	}
	return true;
}

static struct target *find_target(const struct keeper *keeper, struct slice text)
{
	struct target_id id;
	return target_id_parse(text, &id) ? registry_find_by_id(keeper->registry, &id) : NULL;
}

static void report_refused(struct keeper *keeper, const struct storage_op *op, size_t row)
{
	if (op->outcomes[row].result == STORAGE_REFUSED) {
		keeper_report_fault(keeper, storage_op_id(op, row), op->why);
	}
}

/* ---- New rows ---- */

/* What is in its way was told before, and is its row now; or it is not taken ever. */
static void take_saved(
		struct keeper *keeper, struct target *target, const struct storage_outcome *outcome)
{
	target->keep.is_saving = false;
	if (outcome->result == STORAGE_OK && outcome->version > target->keep.version) {
		target->keep.version = outcome->version;
	}
	if (outcome->result == STORAGE_FAILED) {
		keeper_want_saved(keeper, target);
	}
}

static void on_saved(struct storage_op *op)
{
	struct keeper *keeper = op->data;
	keeper->is_saving = false;
	for (size_t i = 0; i < op->count; i++) {
		struct target *target = find_target(keeper, op->targets[i].id);
		report_refused(keeper, op, i);
		if (target != NULL) {
			take_saved(keeper, target, &op->outcomes[i]);
		}
	}
	turn_arm(&keeper->turn);
	if (op->count == KEEPER_BATCH_ROWS && op->result != STORAGE_FAILED) {
		keeper_write_new(keeper);
	}
}

static struct storage_op *make_rows(struct keeper *keeper)
{
	struct storage_op *op = storage_op_create(STORAGE_SAVE, on_saved, keeper);
	struct arena arena;
	arena_init(&arena);
	LIST_EACH (link, &keeper->unsaved) {
		struct target *target = LIST_ENTRY(link, struct target, keep.unsaved);
		if (op->count == KEEPER_BATCH_ROWS) {
			break;
		}
		struct target_row row = {
			.id = target->id,
			.key = target->key,
			.config = target->config,
			.is_configured = target->is_configured,
			.fresh = { .first_seen_ns = target->fresh.first_seen_ns },
		};
		struct storage_target stored = kept_row_write(&row, 0, &arena);
		storage_op_add_target(op, &stored);
		target->keep.is_saving = true;
		list_remove(link);
	}
	arena_finish(&arena);
	return op;
}

/* ---- Rows that go ---- */

static void on_row_deleted(struct storage_op *op)
{
	/* One that is still there is read at the end of the outage, and goes then. */
}

/* Sends an operation for all of the list, and empties it. */
static void send_ids(struct keeper *keeper, struct list *ids, struct storage_op *op)
{
	LIST_EACH (link, ids) {
		struct keeper_doomed *doomed = LIST_ENTRY(link, struct keeper_doomed, link);
		storage_op_add_id(op, slice_make(doomed->id, sizeof(doomed->id)));
		list_remove(link);
		free(doomed);
	}
	storage_send(keeper->storage, op);
}

static void send_doomed(struct keeper *keeper)
{
	send_ids(keeper, &keeper->doomed, storage_op_create(STORAGE_DELETE, on_row_deleted, keeper));
}

/* Of those that stay another weir has seen more: that is read before long. */
static void on_expired(struct storage_op *op)
{
	struct keeper *keeper = op->data;
	for (size_t i = 0; i < op->count; i++) {
		struct target *target = find_target(keeper, op->ids[i]);
		if (target == NULL) {
			continue;
		}
		target->keep.is_expiring = false;
		if (op->outcomes[i].result == STORAGE_OK && !target->is_configured) {
			registry_drop(keeper->registry, target);
		}
	}
}

static int64_t retention_begin_ns(const struct keeper *keeper)
{
	return clock_wall_ns() - keeper->registry->options.retention_ns;
}

static void send_expiring(struct keeper *keeper)
{
	struct storage_op *op = storage_op_create(STORAGE_EXPIRE, on_expired, keeper);
	op->before_ns = retention_begin_ns(keeper);
	send_ids(keeper, &keeper->expiring, op);
}

/* ---- Replicas that vanished ---- */

static void on_folded(struct storage_op *op)
{
	/* If not now, then the next time. */
}

void keeper_fold(struct keeper *keeper)
{
	if (keeper_is_usable(keeper)) {
		struct storage_op *op = storage_op_create(STORAGE_FOLD, on_folded, keeper);
		op->before_ns = retention_begin_ns(keeper);
		storage_op_add_id(op, slice_of_string(keeper->replica));
		storage_send(keeper->storage, op);
	}
}

/* ---- What was seen ---- */

/* Nothing but what another weir saw, which writes it itself. */
static bool is_others(const struct keeper *keeper, const struct target *target)
{
	const struct target_freshness *fresh = &target->fresh;
	if (fresh->own_pushes > 0) {
		return false;
	}
	return keeper->options.is_shared
			? fresh->rejected_ns == 0 && fresh->last_seen_ns == fresh->pushed_ns
			: fresh->place != TARGET_HERE && fresh->own_seen_ns == 0;
}

static void on_seen_written(struct storage_op *op)
{
	struct keeper *keeper = op->data;
	keeper->is_seeing = false;
	for (size_t i = 0; i < op->count; i++) {
		struct target *target = find_target(keeper, op->seen[i].target_id);
		report_refused(keeper, op, i);
		if (target != NULL && op->outcomes[i].result == STORAGE_FAILED) {
			keeper_want_seen(keeper, target);
		} else if (target != NULL && op->outcomes[i].result == STORAGE_OK) {
			target->keep.stored_pushes = (uint64_t)op->seen[i].pushes;
		}
	}
	if (!list_is_empty(&keeper->due)) {
		keeper_write_seen(keeper);
	}
}

/* Those that have no row yet come again. */
static struct storage_op *make_seen(struct keeper *keeper)
{
	struct storage_op *op = storage_op_create(STORAGE_SEE, on_seen_written, keeper);
	struct arena arena;
	arena_init(&arena);
	LIST_EACH (link, &keeper->due) {
		struct target *target = LIST_ENTRY(link, struct target, keep.unseen);
		if (op->count == KEEPER_BATCH_ROWS) {
			break;
		}
		list_remove(link);
		if (target->keep.version == 0 && !target->keep.is_saving) {
			list_append(&keeper->unseen, link);
		} else if (!is_others(keeper, target)) {
			struct storage_seen seen = kept_row_write_seen(
					keeper->registry, target, slice_of_string(keeper->replica), &arena);
			storage_op_add_seen(op, &seen);
		}
	}
	arena_finish(&arena);
	return op;
}

void keeper_write_seen(struct keeper *keeper)
{
	if (keeper->is_seeing || !keeper_is_usable(keeper)) {
		return;
	}
	if (list_is_empty(&keeper->due)) {
		list_append_all(&keeper->due, &keeper->unseen);
	}
	while (!keeper->is_seeing && !list_is_empty(&keeper->due)) {
		struct storage_op *op = make_seen(keeper);
		keeper->is_seeing = op->count > 0;
		if (op->count > 0) {
			storage_send(keeper->storage, op);
		} else {
			storage_op_destroy(op);
		}
	}
}

/* ---- In turn ---- */

void keeper_write(struct keeper *keeper)
{
	bool is_usable = keeper_is_usable(keeper);
	if (is_usable && !list_is_empty(&keeper->doomed)) {
		send_doomed(keeper);
	}
	if (is_usable && !list_is_empty(&keeper->expiring)) {
		send_expiring(keeper);
	}
	while (!keeper->is_saving && keeper->changing == NULL && !list_is_empty(&keeper->changes)) {
		keeper_begin_change(keeper);
	}
}

/* Rows that a change may be about are not written at the same time. */
void keeper_write_new(struct keeper *keeper)
{
	bool is_busy = keeper->is_saving || keeper->changing != NULL;
	if (!is_busy && keeper_is_usable(keeper) && !list_is_empty(&keeper->unsaved)) {
		keeper->is_saving = true;
		storage_send(keeper->storage, make_rows(keeper));
	}
}

void keeper_write_rest(struct keeper *keeper)
{
	if (!keeper_is_usable(keeper)) {
		return;
	}
	if (!list_is_empty(&keeper->doomed)) {
		send_doomed(keeper);
	}
	while (!list_is_empty(&keeper->unsaved)) {
		storage_send(keeper->storage, make_rows(keeper));
	}
	list_append_all(&keeper->due, &keeper->unseen);
	while (!list_is_empty(&keeper->due)) {
		storage_send(keeper->storage, make_seen(keeper));
	}
}

static void forget_ids(struct list *ids)
{
	LIST_EACH (link, ids) {
		list_remove(link);
		free(LIST_ENTRY(link, struct keeper_doomed, link));
	}
}

void keeper_forget_doomed(struct keeper *keeper)
{
	forget_ids(&keeper->doomed);
	forget_ids(&keeper->expiring);
}
