#include "targets/postgres/work.h"

#include <stdio.h>

#include "targets/postgres/fault.h"
#include "targets/postgres/work_parts.h"

extern const char targets_sql_read_targets[];
extern const char targets_sql_read_seen[];
extern const char targets_postgres_read_ids[];
extern const char targets_postgres_look[];

/* Transactions before it had ended: whatever is written later is of it, or of younger ones. */
static const char mark_text[] = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text";

/* ---- Shared ---- */

struct work *work_of(struct postgres_query *query)
{
	return LIST_ENTRY(query, struct work, query);
}

struct slice work_value(const PGresult *result, int row, int column)
{
	if (PQgetisnull(result, row, column)) {
		return slice_make(NULL, 0);
	}
	return slice_make(PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
}

void work_send(struct work *work, const char *text, const char *const *values, size_t count)
{
	work->task->statements++;
	postgres_conn_send(work->conn, &work->query, text, values, (int)count);
}

/* ---- Reading ---- */

static void take_row(struct storage_task *task, const PGresult *result, int row)
{
	struct slice columns[TARGET_COLUMNS] = { 0 };
	int count = PQnfields(result);
	for (int i = 0; i < count && i < TARGET_COLUMNS; i++) {
		columns[i] = work_value(result, row, i);
	}
	if (task->kind == STORAGE_TASK_READ_SEEN) {
		storage_task_add_seen(task, columns);
	} else {
		storage_task_add_target(task, columns);
	}
}

static void on_read(struct postgres_query *query, const PGresult *result)
{
	struct work *work = work_of(query);
	struct storage_task *task = work->task;
	if (PQresultStatus(result) != PGRES_TUPLES_OK) {
		task->has_failed = true;
		task->why = postgres_fault_message(result, &task->arena);
		work->done(work);
		return;
	}
	for (int i = 0; i < PQntuples(result); i++) {
		take_row(task, result, i);
	}
	task->is_last = PQntuples(result) < STORAGE_PAGE_ROWS;
	work->done(work);
}

static void on_marked(struct postgres_query *query, const PGresult *result)
{
	struct work *work = work_of(query);
	struct storage_task *task = work->task;
	task->has_failed = PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1;
	if (task->has_failed) {
		task->why = postgres_fault_message(result, &task->arena);
	} else {
		task->mark = arena_copy(&task->arena, work_value(result, 0, 0));
	}
	work->done(work);
}

static void read_mark(struct work *work)
{
	work->query.done = on_marked;
	work_send(work, mark_text, NULL, 0);
}

static void read_page(struct work *work, const char *text, size_t keys)
{
	char limit[16];
	const char *values[5] = { arena_copy_string(&work->arena, work->task->after),
		arena_copy_string(&work->arena, work->task->after_replica) };
	snprintf(limit, sizeof(limit), "%d", STORAGE_PAGE_ROWS);
	values[keys] = limit;
	if (work->task->since.len > 0) {
		values[keys + 1] = arena_copy_string(&work->arena, work->task->replica);
		values[keys + 2] = arena_copy_string(&work->arena, work->task->since);
	}
	work_send(work, text, values, keys + (work->task->since.len > 0 ? 3 : 1));
}

static void read_ids(struct work *work)
{
	arrays_begin(&work->arrays, 1);
	for (size_t i = 0; i < work->task->id_count; i++) {
		arrays_add(&work->arrays, &work->task->ids[i]); /* what cannot be asked for is not there */
	}
	arrays_end(&work->arrays);
	work_send(work, targets_postgres_read_ids, work->arrays.values, 1);
}

void work_run(struct work *work, struct postgres_conn *conn, struct storage_task *task)
{
	work->conn = conn;
	work->task = task;
	work->query.done = on_read;
	arena_reset(&work->arena);
	switch (task->kind) {
	case STORAGE_TASK_WRITE:
		work_write(work);
		break;
	case STORAGE_TASK_READ_TARGETS:
		read_page(work, targets_sql_read_targets, 1);
		break;
	case STORAGE_TASK_READ_SEEN:
		read_page(work, task->since.len > 0 ? targets_postgres_look : targets_sql_read_seen, 2);
		break;
	case STORAGE_TASK_READ_MARK:
		read_mark(work);
		break;
	case STORAGE_TASK_READ_IDS:
		read_ids(work);
		break;
	}
}

void work_init(struct work *work)
{
	arrays_init(&work->arrays);
	arena_init(&work->arena);
}

void work_finish(struct work *work)
{
	arrays_finish(&work->arrays);
	arena_finish(&work->arena);
}
