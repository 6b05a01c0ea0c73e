#pragma once

/*
 * A database of targets in the memory of a test, in place of PostgreSQL: it does one thing each
 * time it is told to, and goes wrong as it is told. Linked before the library, it is the one that
 * storage_open() makes.
 */

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check.h"
#include "targets/storage_backend.h"
#include "targets/storage_time.h"

enum { FAKE_MAX = 3000 };

static struct fake {
	struct storage_backend backend;
	struct arena arena;
	struct storage_target targets[FAKE_MAX]; /* in no order */
	size_t target_count;
	struct storage_seen seen[FAKE_MAX];
	size_t seen_count;

	struct storage_task *task; /* what it was given and has not done yet */
	bool is_connecting;
	bool is_closing;

	/* How it is told to go wrong. */
	bool is_away;
	bool fails;          /* nothing is written */
	const char *refused; /* a job that it does not take */
	bool keeps_expired;  /* somebody else has seen them */

	/* What was written, for tests to look at and to reset. */
	int writes;
	int saves;
	size_t seen_rows;
	size_t most_rows;
} fake;

/* ---- Its tables ---- */

static inline struct storage_target *fake_find(struct slice id)
{
	for (size_t i = 0; i < fake.target_count; i++) {
		if (slice_equal(fake.targets[i].id, id)) {
			return &fake.targets[i];
		}
	}
	return NULL;
}

static inline struct storage_target *fake_find_job(const char *job)
{
	for (size_t i = 0; i < fake.target_count; i++) {
		if (slice_equal(fake.targets[i].job, slice_of_string(job))) {
			return &fake.targets[i];
		}
	}
	return NULL;
}

static inline struct storage_seen *fake_find_seen(struct slice id, struct slice replica)
{
	for (size_t i = 0; i < fake.seen_count; i++) {
		if (slice_equal(fake.seen[i].target_id, id) && slice_equal(fake.seen[i].replica, replica)) {
			return &fake.seen[i];
		}
	}
	return NULL;
}

static inline void fake_put(const struct storage_target *row)
{
	struct storage_target *old = fake_find(row->id);
	struct storage_target copy = storage_target_copy(row, &fake.arena);
	copy.version = row->version;
	if (old != NULL) {
		*old = copy;
	} else {
		fake.targets[fake.target_count++] = copy;
	}
}

static inline void fake_put_seen(const struct storage_seen *row)
{
	struct storage_seen *old = fake_find_seen(row->target_id, row->replica);
	struct storage_seen copy = storage_seen_copy(row, &fake.arena);
	if (old != NULL) {
		*old = copy;
	} else {
		fake.seen[fake.seen_count++] = copy;
	}
}

static inline void fake_remove(struct slice id)
{
	struct storage_target *row = fake_find(id);
	if (row != NULL) {
		*row = fake.targets[--fake.target_count];
	}
}

/* ---- Writing ---- */

static inline void fake_save(struct storage_task *task, size_t row)
{
	const struct storage_target *wanted = &task->op->targets[row];
	const struct storage_target *old = fake_find(wanted->id);
	int64_t version = old == NULL ? 0 : old->version;
	struct storage_outcome *outcome = &task->op->outcomes[row];
	if (fake.refused != NULL && slice_equal(wanted->job, slice_of_string(fake.refused))) {
		storage_task_refuse(task, row, SLICE("not that one"));
		return;
	}
	if (version != wanted->version) {
		storage_op_note_conflict(task->op, row);
		return;
	}
	struct storage_target stored = *wanted;
	stored.version = version + 1;
	outcome->version = stored.version;
	fake_put(&stored);
}

static inline void fake_write_row(struct storage_task *task, size_t row)
{
	struct storage_op *op = task->op;
	switch (op->kind) {
	case STORAGE_SAVE:
		fake_save(task, row);
		break;
	case STORAGE_SEE:
		if (fake_find(op->seen[row].target_id) != NULL) {
			fake_put_seen(&op->seen[row]);
		}
		break;
	case STORAGE_EXPIRE:
		if (fake.keeps_expired) {
			storage_op_note_conflict(op, row);
			break;
		}
		fake_remove(op->ids[row]);
		break;
	case STORAGE_DELETE:
		fake_remove(op->ids[row]);
		break;
	case STORAGE_FORGET:
	case STORAGE_FOLD:
		break;
	}
}

static inline void fake_write(struct storage_task *task)
{
	struct storage_op *op = task->op;
	if (fake.fails) {
		task->has_failed = true;
		task->why = SLICE("the disk is full");
		storage_op_note(op, task->first, task->count, STORAGE_FAILED, task->why);
	} else {
		for (size_t i = task->first; i < task->first + task->count; i++) {
			fake_write_row(task, i);
		}
	}
	fake.writes += op->kind != STORAGE_FOLD;
	fake.saves += op->kind == STORAGE_SAVE;
	fake.seen_rows += op->kind == STORAGE_SEE ? task->count : 0;
	fake.most_rows = task->count > fake.most_rows ? task->count : fake.most_rows;
}

/* ---- Reading ---- */

static inline void fake_add_target(struct storage_task *task, const struct storage_target *row)
{
	struct slice columns[TARGET_COLUMNS];
	char now[STORAGE_TIME_BYTES];
	storage_target_write(row, columns, &task->arena);
	columns[TARGET_COLUMN_CHANGED] = storage_time_write(1000000000, now);
	if (columns[TARGET_COLUMN_CREATED].ptr == NULL) {
		columns[TARGET_COLUMN_CREATED] = columns[TARGET_COLUMN_CHANGED];
	}
	storage_task_add_target(task, columns);
}

static inline void fake_add_seen(struct storage_task *task, const struct storage_seen *row)
{
	struct slice columns[SEEN_COLUMNS];
	storage_seen_write(row, columns, &task->arena);
	storage_task_add_seen(task, columns);
}

static inline int fake_compare_targets(const void *a, const void *b)
{
	return slice_compare(
			((const struct storage_target *)a)->id, ((const struct storage_target *)b)->id);
}

static inline int fake_compare_seen(const void *a, const void *b)
{
	const struct storage_seen *one = a;
	const struct storage_seen *other = b;
	int order = slice_compare(one->target_id, other->target_id);
	return order != 0 ? order : slice_compare(one->replica, other->replica);
}

static inline void fake_read_targets(struct storage_task *task)
{
	size_t rows = 0;
	qsort(fake.targets, fake.target_count, sizeof(fake.targets[0]), fake_compare_targets);
	for (size_t i = 0; i < fake.target_count && rows < STORAGE_PAGE_ROWS; i++) {
		if (slice_compare(fake.targets[i].id, task->after) > 0) {
			fake_add_target(task, &fake.targets[i]);
			rows++;
		}
	}
	task->is_last = rows < STORAGE_PAGE_ROWS;
}

static inline void fake_read_seen(struct storage_task *task)
{
	struct storage_seen last = { .target_id = task->after, .replica = task->after_replica };
	size_t rows = 0;
	qsort(fake.seen, fake.seen_count, sizeof(fake.seen[0]), fake_compare_seen);
	for (size_t i = 0; i < fake.seen_count && rows < STORAGE_PAGE_ROWS; i++) {
		if (fake_compare_seen(&fake.seen[i], &last) > 0) {
			fake_add_seen(task, &fake.seen[i]);
			rows++;
		}
	}
	task->is_last = rows < STORAGE_PAGE_ROWS;
}

static inline void fake_read_ids(struct storage_task *task)
{
	for (size_t i = 0; i < task->id_count; i++) {
		const struct storage_target *row = fake_find(task->ids[i]);
		if (row != NULL) {
			fake_add_target(task, row);
		}
	}
}

static inline void fake_carry_out(struct storage_task *task)
{
	switch (task->kind) {
	case STORAGE_TASK_WRITE:
		fake_write(task);
		break;
	case STORAGE_TASK_READ_TARGETS:
		fake_read_targets(task);
		break;
	case STORAGE_TASK_READ_SEEN:
		fake_read_seen(task);
		break;
	case STORAGE_TASK_READ_IDS:
		fake_read_ids(task);
		break;
	case STORAGE_TASK_READ_MARK:
		task->mark = SLICE("1");
		break;
	}
}

/* ---- What the storage asks of it ---- */

static inline void fake_connect(struct storage_backend *backend)
{
	fake.is_connecting = true;
}

static inline void fake_run(struct storage_backend *backend, struct storage_task *task)
{
	CHECK(fake.task == NULL); /* one at a time */
	fake.task = task;
}

static inline void fake_drop(struct storage_backend *backend)
{
	fake.task = NULL;
	fake.is_connecting = false;
}

static inline void fake_close(struct storage_backend *backend)
{
	fake_drop(backend);
	fake.is_closing = true;
}

struct storage_backend *storage_postgres_create(
		const struct storage_options *options, uv_loop_t *loop, struct storage *storage)
{
	static const struct storage_backend_type type = {
		.connect = fake_connect,
		.run = fake_run,
		.drop = fake_drop,
		.close = fake_close,
	};
	fake.backend = (struct storage_backend){ .type = &type, .storage = storage };
	return &fake.backend;
}

/* ---- What a test asks of it ---- */

/* It does what it was given, if anything. */
static inline void fake_step(void)
{
	struct storage *storage = fake.backend.storage;
	struct storage_task *task = fake.task;
	if (fake.is_closing) {
		fake.is_closing = false;
		storage_on_backend_closed(storage);
	} else if (fake.is_connecting) {
		fake.is_connecting = false;
		if (fake.is_away) {
			storage_on_lost(storage, SLICE("nobody is there"));
		} else {
			storage_on_connected(storage);
		}
	} else if (task != NULL) {
		fake.task = NULL;
		fake_carry_out(task);
		storage_on_done(storage, task);
	}
}

static inline void fake_lose(void)
{
	fake.is_away = true;
	fake_drop(&fake.backend);
	storage_on_lost(fake.backend.storage, SLICE("it went away"));
}
