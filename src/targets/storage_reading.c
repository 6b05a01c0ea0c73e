#include "base/clock.h"
#include "targets/storage_parts.h"

/*
 * Reading, page by page: everything, or what others saw since it was last read.
 *
 *     everything    mark, targets, seen      at first, and when something may have been missed
 *     a look        mark, seen since then    of a database that tells where to go on
 *
 * A mark is taken before the rows are read: what is written while they are is read twice
 * rather than never.
 */

static void set_text(struct buf *buf, struct slice text)
{
	buf_reset(buf, 0);
	buf_append(buf, text);
}

static void begin(struct storage *storage, bool is_look)
{
	storage->is_look = is_look;
	storage->wants_look = false;
	storage->reading = STORAGE_READS_MARK;
	set_text(&storage->after, SLICE(""));
	set_text(&storage->after_replica, SLICE(""));
	if (!is_look) {
		storage->wants_reading = false;
		storage->events.on_reading(storage->events.data);
	}
}

static void read_page(struct storage *storage)
{
	static const enum storage_task_kind kinds[] = {
		[STORAGE_READS_MARK] = STORAGE_TASK_READ_MARK,
		[STORAGE_READS_TARGETS] = STORAGE_TASK_READ_TARGETS,
		[STORAGE_READS_SEEN] = STORAGE_TASK_READ_SEEN,
	};
	struct storage_task *task = storage_tasks_prepare(storage, kinds[storage->reading]);
	if (storage->after.len > 0) {
		task->after = buf_slice(&storage->after);
		task->after_replica = buf_slice(&storage->after_replica);
	}
	if (storage->is_look) {
		task->since = buf_slice(&storage->mark);
		task->replica = slice_of_string(storage->replica);
	}
	storage_tasks_run(storage);
}

bool storage_reading_advance(struct storage *storage)
{
	if (storage->reading != STORAGE_READS_NOTHING) {
		read_page(storage);
	} else if (storage->wants_reading) {
		begin(storage, false);
	} else if (storage->wants_look) {
		begin(storage, true);
	} else {
		return false;
	}
	return true;
}

static void tell_rows(struct storage *storage)
{
	const struct storage_task *task = &storage->task;
	for (size_t i = 0; i < task->row_count && !storage->is_closing; i++) {
		if (task->kind == STORAGE_TASK_READ_TARGETS) {
			storage->events.on_target(storage->events.data, &task->targets[i]);
		} else {
			storage->events.on_seen(storage->events.data, &task->seen[i]);
		}
	}
}

static void end_everything(struct storage *storage)
{
	if (!storage->is_usable) {
		storage->is_usable = true;
		storage->stats.seen_ns = clock_wall_ns();
		storage->usable_ms = uv_now(storage->loop);
	}
	storage->events.on_loaded(storage->events.data);
	if (storage->stuck == 0) {
		storage_tell_back(storage);
	}
}

static void end(struct storage *storage)
{
	storage->reading = STORAGE_READS_NOTHING;
	set_text(&storage->mark, buf_slice(&storage->next_mark));
	if (storage->is_look) {
		storage->events.on_looked(storage->events.data);
	} else {
		end_everything(storage);
	}
}

/* Where the reading goes on. */
static void go_on(struct storage *storage)
{
	const struct storage_task *task = &storage->task;
	if (task->kind != STORAGE_TASK_READ_MARK && !task->is_last) {
		set_text(&storage->after, task->last);
		set_text(&storage->after_replica, task->last_replica);
		return;
	}
	set_text(&storage->after, SLICE(""));
	set_text(&storage->after_replica, SLICE(""));
	if (storage->reading == STORAGE_READS_MARK) {
		set_text(&storage->next_mark, task->mark);
		storage->reading = storage->is_look ? STORAGE_READS_SEEN : STORAGE_READS_TARGETS;
	} else if (storage->reading == STORAGE_READS_TARGETS) {
		storage->reading = STORAGE_READS_SEEN;
	} else {
		end(storage);
	}
}

void storage_reading_take(struct storage *storage)
{
	tell_rows(storage);
	go_on(storage);
}

void storage_look(struct storage *storage)
{
	if (storage_is_usable(storage) && storage->mark.len > 0
			&& storage->reading == STORAGE_READS_NOTHING) {
		storage->wants_look = true;
		turn_arm(&storage->turn);
	}
}
