#include "targets/postgres/work.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/number.h"
#include "targets/storage_time.h"

extern const char targets_postgres_save[];
extern const char targets_postgres_see[];
extern const char targets_postgres_delete[];
extern const char targets_postgres_forget[];
extern const char targets_postgres_read_targets[];
extern const char targets_postgres_read_seen[];
extern const char targets_postgres_read_ids[];

enum {
	ATTEMPTS_MAX = 4,    /* at what got into another's way */
	MESSAGE_BYTES = 500, /* of the server's: it may show a whole row */
};

static struct work *of(struct postgres_query *query)
{
	return LIST_ENTRY(query, struct work, query);
}

/* ---- Errors ---- */

enum fault {
	FAULT_OF_ROW,    /* of what is in one of the rows */
	FAULT_OF_MOMENT, /* a deadlock: all is as before */
	FAULT_OF_SERVER, /* it ends, or is not one that can be written */
	FAULT_OF_SCHEMA, /* or of anything else: for all rows alike */
};

/* https://www.postgresql.org/docs/current/errcodes-appendix.html */
static enum fault fault_of(const PGresult *result)
{
	static const struct {
		const char *code; /* or its beginning */
		enum fault fault;
	} known[] = {
		{ "21", FAULT_OF_ROW },       /* the same key twice */
		{ "22", FAULT_OF_ROW },       /* no such value of that type */
		{ "23", FAULT_OF_ROW },       /* constraints */
		{ "54", FAULT_OF_ROW },       /* too large */
		{ "P0", FAULT_OF_ROW },       /* a trigger objects */
		{ "40", FAULT_OF_MOMENT },    /* rolled back */
		{ "08", FAULT_OF_SERVER },    /* the connection */
		{ "25006", FAULT_OF_SERVER }, /* read-only */
		{ "57P0", FAULT_OF_SERVER },  /* it ends, or begins */
	};
	const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	for (size_t i = 0; code != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
		if (strncmp(code, known[i].code, strlen(known[i].code)) == 0) {
			return known[i].fault;
		}
	}
	return FAULT_OF_SCHEMA;
}

/* The first line says what; the others show where in a statement. */
static struct slice message_of(const PGresult *result, struct arena *arena)
{
	const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	struct buf text;
	buf_init(&text, 0);
	postgres_append_message(&text, primary != NULL ? primary : PQresultErrorMessage(result));
	if (detail != NULL) {
		buf_append_string(&text, ": ");
		postgres_append_message(&text, detail);
	}
	struct slice message = arena_copy(arena, slice_first(buf_slice(&text), MESSAGE_BYTES));
	buf_finish(&text);
	return message;
}

/* ---- Sending ---- */

static void send_query(struct work *work, const char *text, const char *const *values, size_t count)
{
	work->task->statements++;
	postgres_conn_send(work->conn, &work->query, text, values, (int)count);
}

static const char *copy_string(struct work *work, struct slice text)
{
	return arena_copy_string(&work->arena, text);
}

/* ---- Writing ---- */

static void write_next(struct work *work);

static size_t column_count(const struct work *work)
{
	switch (work->task->op->kind) {
	case STORAGE_SAVE:
		return TARGET_COLUMNS - 1;
	case STORAGE_SEE:
		return SEEN_COLUMNS;
	case STORAGE_DELETE:
	case STORAGE_FORGET:
		break;
	}
	return 1;
}

/* All columns but the time of the change, which is not for us to say. */
static void write_target(struct work *work, size_t row, struct slice *columns)
{
	storage_target_write(&work->task->op->targets[row], columns, &work->arena);
	columns[TARGET_COLUMN_CHANGED] = columns[TARGET_COLUMN_VERSION];
}

static void refuse(struct work *work, size_t row, struct slice why)
{
	struct storage_op *op = work->task->op;
	storage_op_note(op, row, 1, STORAGE_REFUSED, why);
	storage_task_add_fault(work->task, storage_op_id(op, row), why);
}

static void add_row(struct work *work, size_t row)
{
	struct slice columns[TARGET_COLUMNS];
	struct storage_op *op = work->task->op;
	switch (op->kind) {
	case STORAGE_SAVE:
		write_target(work, row, columns);
		break;
	case STORAGE_SEE:
		storage_seen_write(&op->seen[row], columns, &work->arena);
		break;
	case STORAGE_DELETE:
	case STORAGE_FORGET:
		columns[0] = op->ids[row];
		break;
	}
	if (!arrays_add(&work->arrays, columns)) {
		refuse(work, row, SLICE("a text has a NUL, which PostgreSQL cannot keep"));
	}
}

/* ---- What became of it ---- */

struct place {
	struct slice id;
	size_t row;
};

static int compare_places(const void *a, const void *b)
{
	return slice_compare(((const struct place *)a)->id, ((const struct place *)b)->id);
}

static struct slice value_at(const PGresult *result, int row, int column)
{
	if (PQgetisnull(result, row, column)) {
		return slice_make(NULL, 0);
	}
	return slice_make(PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
}

static void note_saved(struct work *work, const PGresult *result, int index,
		const struct place *places, size_t count)
{
	struct place key = { .id = value_at(result, index, 0) };
	const struct place *place = bsearch(&key, places, count, sizeof(*places), compare_places);
	if (place != NULL) {
		struct storage_outcome *outcome = &work->task->op->outcomes[place->row];
		outcome->result = STORAGE_OK;
		number_parse_int(value_at(result, index, 1), &outcome->version);
		storage_time_read(value_at(result, index, 2), &outcome->changed_ns);
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
			places[count++] = (struct place){ .id = op->targets[row].id, .row = row };
			op->outcomes[row].result = STORAGE_CONFLICT;
		}
	}
	qsort(places, count, sizeof(*places), compare_places);
	for (int i = 0; i < PQntuples(result); i++) {
		note_saved(work, result, i, places, count);
	}
	for (size_t i = 0; i < count; i++) {
		if (op->outcomes[places[i].row].result == STORAGE_CONFLICT) {
			storage_op_note(op, places[i].row, 1, STORAGE_CONFLICT,
					SLICE("there is another version of it"));
		}
	}
}

/* Each half by itself, the first one first. */
static void halve(struct work *work, struct work_range range)
{
	size_t half = range.count / 2;
	assert(work->range_count + 2 <= WORK_RANGES_MAX);
	work->ranges[work->range_count++] =
			(struct work_range){ range.first + half, range.count - half };
	work->ranges[work->range_count++] = (struct work_range){ range.first, half };
}

/* False: the connection is dropped. */
static bool take_fault(struct work *work, const PGresult *result, struct work_range range)
{
	struct slice why = message_of(result, &work->arena);
	switch (fault_of(result)) {
	case FAULT_OF_ROW:
		if (range.count == 1) {
			refuse(work, range.first, why);
		} else {
			halve(work, range);
		}
		return true;
	case FAULT_OF_MOMENT:
		if (++work->attempts < ATTEMPTS_MAX) {
			work->ranges[work->range_count++] = range;
			return true;
		}
		break;
	case FAULT_OF_SERVER:
		work->broken(work, why);
		return false;
	case FAULT_OF_SCHEMA:
		break;
	}
	storage_op_note(work->task->op, range.first, range.count, STORAGE_FAILED, why);
	return true;
}

static void on_written(struct postgres_query *query, const PGresult *result)
{
	struct work *work = of(query);
	struct work_range range = work->ranges[--work->range_count];
	ExecStatusType status = PQresultStatus(result);
	if (status == PGRES_TUPLES_OK) {
		note_conflicts(work, result, range);
	} else if (status != PGRES_COMMAND_OK && !take_fault(work, result, range)) {
		return;
	}
	write_next(work);
}

/* Those that were refused already are left out. */
static void fill_arrays(struct work *work, struct work_range range)
{
	arena_reset(&work->arena);
	arrays_begin(&work->arrays, column_count(work));
	for (size_t row = range.first; row < range.first + range.count; row++) {
		if (work->task->op->outcomes[row].result != STORAGE_REFUSED) {
			add_row(work, row);
		}
	}
	arrays_end(&work->arrays);
}

static void write_next(struct work *work)
{
	static const char *const texts[] = {
		[STORAGE_SAVE] = targets_postgres_save,
		[STORAGE_SEE] = targets_postgres_see,
		[STORAGE_DELETE] = targets_postgres_delete,
		[STORAGE_FORGET] = targets_postgres_forget,
	};
	while (work->range_count > 0) {
		fill_arrays(work, work->ranges[work->range_count - 1]);
		if (work->arrays.rows > 0) {
			work->query.done = on_written;
			send_query(work, texts[work->task->op->kind], work->arrays.values, work->arrays.count);
			return;
		}
		work->range_count--;
	}
	work->done(work);
}

/* ---- Reading ---- */

static void take_row(struct storage_task *task, const PGresult *result, int row)
{
	struct slice columns[TARGET_COLUMNS];
	int count = PQnfields(result);
	for (int i = 0; i < count && i < TARGET_COLUMNS; i++) {
		columns[i] = value_at(result, row, i);
	}
	if (task->kind == STORAGE_TASK_READ_SEEN) {
		storage_task_add_seen(task, columns);
	} else {
		storage_task_add_target(task, columns);
	}
}

static void on_read(struct postgres_query *query, const PGresult *result)
{
	struct work *work = of(query);
	struct storage_task *task = work->task;
	if (PQresultStatus(result) != PGRES_TUPLES_OK) {
		task->has_failed = true;
		task->why = message_of(result, &task->arena);
		work->done(work);
		return;
	}
	for (int i = 0; i < PQntuples(result); i++) {
		take_row(task, result, i);
	}
	task->is_last = PQntuples(result) < STORAGE_PAGE_ROWS;
	work->done(work);
}

static void read_page(struct work *work, const char *text, size_t keys)
{
	char limit[16];
	const char *values[3] = { copy_string(work, work->task->after),
		copy_string(work, work->task->after_replica) };
	snprintf(limit, sizeof(limit), "%d", STORAGE_PAGE_ROWS);
	values[keys] = limit;
	send_query(work, text, values, keys + 1);
}

static void read_ids(struct work *work)
{
	arrays_begin(&work->arrays, 1);
	for (size_t i = 0; i < work->task->id_count; i++) {
		arrays_add(&work->arrays, &work->task->ids[i]); /* what cannot be asked for is not there */
	}
	arrays_end(&work->arrays);
	send_query(work, targets_postgres_read_ids, work->arrays.values, 1);
}

void work_run(struct work *work, struct postgres_conn *conn, struct storage_task *task)
{
	work->conn = conn;
	work->task = task;
	work->attempts = 0;
	work->query.done = on_read;
	arena_reset(&work->arena);
	switch (task->kind) {
	case STORAGE_TASK_WRITE:
		work->ranges[0] = (struct work_range){ task->first, task->count };
		work->range_count = 1;
		write_next(work);
		break;
	case STORAGE_TASK_READ_TARGETS:
		read_page(work, targets_postgres_read_targets, 1);
		break;
	case STORAGE_TASK_READ_SEEN:
		read_page(work, targets_postgres_read_seen, 2);
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
