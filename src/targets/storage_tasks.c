#include "base/clock.h"
#include "targets/storage_parts.h"

/* ---- Running ---- */

struct storage_task *storage_tasks_prepare(struct storage *storage, enum storage_task_kind kind)
{
	struct storage_task *task = &storage->task;
	struct arena arena = task->arena;
	arena_reset(&arena);
	*task = (struct storage_task){
		.kind = kind,
		.after = SLICE(""), /* not NULL, which nothing follows */
		.after_replica = SLICE(""),
		.arena = arena,
	};
	return task;
}

void storage_tasks_run(struct storage *storage)
{
	storage->is_running = true;
	storage->task_began_ns = clock_monotonic_ns();
	storage->backend->type->run(storage->backend, &storage->task);
}

void storage_task_add_fault(struct storage_task *task, struct slice id, struct slice why)
{
	if (task->faults == NULL) {
		size_t most = task->kind == STORAGE_TASK_WRITE ? task->count : STORAGE_PAGE_ROWS;
		task->faults = arena_zalloc(&task->arena, most, sizeof(*task->faults));
	}
	task->faults[task->fault_count++] = (struct storage_fault){
		.id = arena_copy(&task->arena, id),
		.why = arena_copy(&task->arena, why),
	};
}

void storage_task_refuse(struct storage_task *task, size_t row, struct slice why)
{
	storage_op_note(task->op, row, 1, STORAGE_REFUSED, why);
	storage_task_add_fault(task, storage_op_id(task->op, row), why);
}

static void copy_columns(struct storage_task *task, const struct slice *columns, size_t count,
		struct slice *ret_copies)
{
	for (size_t i = 0; i < count; i++) {
		ret_copies[i] = columns[i].ptr == NULL ? columns[i] : arena_copy(&task->arena, columns[i]);
	}
}

void storage_task_add_target(
		struct storage_task *task, const struct slice columns[static TARGET_COLUMNS])
{
	struct slice copies[TARGET_COLUMNS];
	struct slice why;
	if (task->targets == NULL) {
		task->targets = arena_zalloc(&task->arena, STORAGE_PAGE_ROWS, sizeof(*task->targets));
	}
	copy_columns(task, columns, TARGET_COLUMNS, copies);
	task->last = copies[TARGET_COLUMN_ID];
	if (storage_target_read(copies, &task->targets[task->row_count], &task->arena, &why)) {
		task->row_count++;
	} else {
		storage_task_add_fault(task, copies[TARGET_COLUMN_ID], why);
	}
}

void storage_task_add_seen(
		struct storage_task *task, const struct slice columns[static SEEN_COLUMNS])
{
	struct slice copies[SEEN_COLUMNS];
	struct slice why;
	if (task->seen == NULL) {
		task->seen = arena_zalloc(&task->arena, STORAGE_PAGE_ROWS, sizeof(*task->seen));
	}
	copy_columns(task, columns, SEEN_COLUMNS, copies);
	task->last = copies[SEEN_COLUMN_TARGET];
	task->last_replica = copies[SEEN_COLUMN_REPLICA];
	if (storage_seen_read(copies, &task->seen[task->row_count], &task->arena, &why)) {
		task->row_count++;
	} else {
		storage_task_add_fault(task, copies[SEEN_COLUMN_TARGET], why);
	}
}

/* ---- Writing ---- */

static struct storage_op *first_op(const struct list *ops)
{
	return LIST_ENTRY(ops->next, struct storage_op, link);
}

static void finish_op(struct storage *storage, struct storage_op *op)
{
	list_remove(&op->link);
	storage->stats.waiting--;
	op->done(op);
	storage_op_destroy(op);
}

static void write_some(struct storage *storage)
{
	struct storage_op *op = first_op(&storage->ops);
	size_t left = op->count - op->next;
	if (left == 0) {
		finish_op(storage, op);
		return;
	}
	struct storage_task *task = storage_tasks_prepare(storage, STORAGE_TASK_WRITE);
	task->op = op;
	task->first = op->next;
	task->count = op->is_whole || left < STORAGE_BATCH_ROWS ? left : (size_t)STORAGE_BATCH_ROWS;
	storage_tasks_run(storage);
}

/*
 * A database that is there and takes nothing (its disk is full, or it may not be written) is told
 * of once, for all kinds of operations together, until it takes them again.
 */
static void note_writing(struct storage *storage)
{
	const struct storage_task *task = &storage->task;
	if (task->op->kind == STORAGE_FOLD) {
		return; /* which can wait */
	}
	unsigned kind = 1u << task->op->kind;
	unsigned before = storage->stuck;
	storage->stuck = task->has_failed ? before | kind : before & ~kind;
	if (before == 0 && storage->stuck != 0) {
		storage_tell_away(storage, task->why);
	} else if (before != 0 && storage->stuck == 0) {
		storage_tell_back(storage);
	}
}

/* What conflicts is read, and told, before the operation is done. */
static void take_written(struct storage *storage)
{
	struct storage_task *task = &storage->task;
	struct storage_op *op = task->op;
	op->next += task->count;
	storage->stats.batches++;
	for (size_t i = task->first; i < op->next; i++) {
		if (op->outcomes[i].result == STORAGE_CONFLICT) {
			storage_notice(storage, storage_op_id(op, i));
		}
		storage->stats.rows_written += op->outcomes[i].result == STORAGE_OK;
	}
}

/* ---- In turn ---- */

static void tell_faults(struct storage *storage)
{
	const struct storage_task *task = &storage->task;
	storage->stats.faults += task->fault_count;
	for (size_t i = 0; i < task->fault_count && !storage->is_closing; i++) {
		storage->events.on_fault(storage->events.data, task->faults[i].id, task->faults[i].why);
	}
}

/* Nothing can be read: it is as good as away. */
static void lose(struct storage *storage)
{
	storage->backend->type->drop(storage->backend);
	storage_on_lost(storage, storage->task.why);
}

void storage_tasks_take(struct storage *storage)
{
	struct storage_task *task = &storage->task;
	storage->is_running = false;
	storage->stats.tasks++;
	storage->stats.task_seconds += (double)(clock_monotonic_ns() - storage->task_began_ns) / 1e9;
	storage->stats.statements += task->statements;
	storage->stats.rows_read += task->row_count;
	if (task->has_failed && task->kind != STORAGE_TASK_WRITE) {
		lose(storage);
		return;
	}
	if (storage->is_closing && task->kind != STORAGE_TASK_WRITE) {
		return;
	}
	tell_faults(storage);
	switch (task->kind) {
	case STORAGE_TASK_WRITE:
		take_written(storage);
		note_writing(storage);
		break;
	case STORAGE_TASK_READ_MARK:
	case STORAGE_TASK_READ_TARGETS:
	case STORAGE_TASK_READ_SEEN:
		storage_reading_take(storage);
		break;
	case STORAGE_TASK_READ_IDS:
		storage_notices_take(storage);
		break;
	}
}

bool storage_tasks_advance(struct storage *storage)
{
	if (!list_is_empty(&storage->failed)) {
		finish_op(storage, first_op(&storage->failed));
		return true;
	}
	if (storage->state != STORAGE_CONNECTED || storage->is_running
			|| (storage->is_closing && !storage->is_usable)) {
		return false;
	}
	if (!storage->is_closing && storage_reading_advance(storage)) {
		return true;
	}
	if (storage->notice_count > 0 && !storage->is_closing) {
		storage_notices_read(storage);
	} else if (!list_is_empty(&storage->ops)) {
		write_some(storage);
	} else {
		return false;
	}
	return true;
}

void storage_tasks_give_up(struct storage *storage, struct slice why)
{
	storage->is_running = false;
	storage->is_usable = false;
	storage->stuck = 0;
	storage->reading = STORAGE_READS_NOTHING;
	storage->wants_look = false;
	storage_notices_forget(storage);
	LIST_EACH (link, &storage->ops) {
		struct storage_op *op = LIST_ENTRY(link, struct storage_op, link);
		storage_op_note(op, op->next, op->count - op->next, STORAGE_FAILED, why);
	}
	list_append_all(&storage->failed, &storage->ops);
}
