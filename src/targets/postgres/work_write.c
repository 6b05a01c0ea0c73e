#include <assert.h>
#include <stdlib.h>

#include "base/number.h"
#include "targets/postgres/fault.h"
#include "targets/postgres/work_parts.h"
#include "targets/storage_time.h"

/*
 * Each statement is a transaction. When one fails for what is in one of its rows, it is tried
 * again with each half of them.
 */

extern const char targets_postgres_save[];
extern const char targets_postgres_see[];
extern const char targets_postgres_delete[];
extern const char targets_postgres_forget[];
extern const char targets_postgres_expire[];
extern const char targets_postgres_fold[];

/* ---- Rows as parameters ---- */

static size_t column_count(const struct storage_op *op)
{
	switch (op->kind) {
	case STORAGE_SAVE:
		return TARGET_COLUMNS - 1; /* the time of the change is not for us to say */
	case STORAGE_SEE:
		return SEEN_COLUMNS;
	case STORAGE_DELETE:
	case STORAGE_FORGET:
		return 1;
	case STORAGE_EXPIRE:
	case STORAGE_FOLD:
		break;
	}
	return 2; /* an id and a time */
}

static void add_row(struct work *work, size_t row)
{
	struct slice columns[TARGET_COLUMNS];
	const struct storage_op *op = work->task->op;
	storage_op_columns(op, row, columns, &work->arena);
	if (op->kind == STORAGE_SAVE) {
		columns[TARGET_COLUMN_CHANGED] = columns[TARGET_COLUMN_VERSION];
	}
	if (!arrays_add(&work->arrays, columns)) {
		storage_task_refuse(
				work->task, row, SLICE("a text has a NUL, which PostgreSQL cannot keep"));
	}
}

bool work_send_rows(struct work *work, struct work_range range,
		void (*done)(struct postgres_query *query, const PGresult *result))
{
	static const char *const texts[] = {
		[STORAGE_SAVE] = targets_postgres_save,
		[STORAGE_SEE] = targets_postgres_see,
		[STORAGE_DELETE] = targets_postgres_delete,
		[STORAGE_FORGET] = targets_postgres_forget,
		[STORAGE_EXPIRE] = targets_postgres_expire,
		[STORAGE_FOLD] = targets_postgres_fold,
	};
	const struct storage_op *op = work->task->op;
	arena_reset(&work->arena);
	arrays_begin(&work->arrays, column_count(op));
	for (size_t row = range.first; row < range.first + range.count; row++) {
		if (op->outcomes[row].result != STORAGE_REFUSED) {
			add_row(work, row);
		}
	}
	arrays_end(&work->arrays);
	if (work->arrays.rows == 0) {
		return false;
	}
	work->query.done = done;
	work_send(work, texts[op->kind], work->arrays.values, work->arrays.count);
	return true;
}

/* ---- What became of them ---- */

struct place {
	struct slice id;
	size_t row;
};

static int compare_places(const void *a, const void *b)
{
	return slice_compare(((const struct place *)a)->id, ((const struct place *)b)->id);
}

static void note_saved(struct work *work, const PGresult *result, int index,
		const struct place *places, size_t count)
{
	struct place key = { .id = work_value(result, index, 0) };
	const struct place *place = bsearch(&key, places, count, sizeof(*places), compare_places);
	if (place != NULL) {
		struct storage_outcome *outcome = &work->task->op->outcomes[place->row];
		outcome->result = STORAGE_OK;
		number_parse_int(work_value(result, index, 1), &outcome->version);
		storage_time_read(work_value(result, index, 2), &outcome->changed_ns);
	}
}

/* Rows that are not among those that were returned are there in another version. */
static void note_conflicts(struct work *work, const PGresult *result, struct work_range range)
{
	struct storage_op *op = work->task->op;
	struct place *places = arena_zalloc(&work->arena, range.count, sizeof(*places));
	size_t count = 0;
	for (size_t row = range.first; row < range.first + range.count; row++) {
		if (op->outcomes[row].result == STORAGE_OK) {
			places[count++] = (struct place){ .id = storage_op_id(op, row), .row = row };
			op->outcomes[row].result = STORAGE_CONFLICT;
		}
	}
	qsort(places, count, sizeof(*places), compare_places);
	for (int i = 0; i < PQntuples(result); i++) {
		note_saved(work, result, i, places, count);
	}
	for (size_t i = 0; i < count; i++) {
		if (op->outcomes[places[i].row].result == STORAGE_CONFLICT) {
			storage_op_note_conflict(op, places[i].row);
		}
	}
}

void work_note_rows(struct work *work, const PGresult *result, struct work_range range)
{
	if (PQresultStatus(result) == PGRES_TUPLES_OK) {
		note_conflicts(work, result, range);
	}
}

void work_fail(struct work *work, struct work_range range, struct slice why)
{
	storage_op_note(work->task->op, range.first, range.count, STORAGE_FAILED, why);
	work->task->has_failed = true;
	work->task->why = arena_copy(&work->task->arena, why);
}

/* ---- One range after the other ---- */

static void write_next(struct work *work);

static void push_range(struct work *work, size_t first, size_t count)
{
	assert(work->range_count < WORK_RANGES_MAX);
	work->ranges[work->range_count++] = (struct work_range){ first, count };
}

/* Each half by itself, the first one first. */
static void halve(struct work *work, struct work_range range)
{
	size_t half = range.count / 2;
	push_range(work, range.first + half, range.count - half);
	push_range(work, range.first, half);
}

/* False: the connection is dropped. */
static bool take_fault(struct work *work, const PGresult *result, struct work_range range)
{
	struct slice why = postgres_fault_message(result, &work->arena);
	switch (postgres_fault_of(result)) {
	case POSTGRES_FAULT_OF_ROW:
		if (range.count == 1) {
			storage_task_refuse(work->task, range.first, why);
		} else {
			halve(work, range);
		}
		return true;
	case POSTGRES_FAULT_OF_MOMENT:
		if (++work->attempts < WORK_ATTEMPTS_MAX) {
			push_range(work, range.first, range.count);
			return true;
		}
		break;
	case POSTGRES_FAULT_OF_SERVER:
		work->broken(work, why);
		return false;
	case POSTGRES_FAULT_OF_SCHEMA:
		break;
	}
	work_fail(work, range, why);
	return true;
}

static bool is_error(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK;
}

static void on_written(struct postgres_query *query, const PGresult *result)
{
	struct work *work = work_of(query);
	struct work_range range = work->ranges[--work->range_count];
	if (!is_error(result)) {
		work_note_rows(work, result, range);
	} else if (!take_fault(work, result, range)) {
		return;
	}
	write_next(work);
}

static void write_next(struct work *work)
{
	while (work->range_count > 0) {
		if (work_send_rows(work, work->ranges[work->range_count - 1], on_written)) {
			return;
		}
		work->range_count--;
	}
	work->done(work);
}

void work_write(struct work *work)
{
	work->attempts = 0;
	work->range_count = 0;
	if (work->task->op->is_whole) {
		work_write_whole(work);
		return;
	}
	push_range(work, work->task->first, work->task->count);
	write_next(work);
}
