#include "targets/postgres/fault.h"
#include "targets/postgres/work_parts.h"

/*
 * All rows of an operation in one transaction. They are given some hundred at a time, so that
 * the loop has its turns in between:
 *
 *     BEGIN ---> rows ---> rows ... ---> COMMIT
 *                  |         |             |
 *                  '---------'--> ROLLBACK, when one is not as it should be
 *
 * When the connection is lost between a COMMIT and its answer, nobody knows whether it was
 * done. It has failed then, and everything is read again: so it is seen.
 */

static void begin(struct work *work);
static void send_next(struct work *work);

static bool is_good(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
}

static void send_text(struct work *work, const char *text,
		void (*done)(struct postgres_query *query, const PGresult *result))
{
	work->query.done = done;
	work_send(work, text, NULL, 0);
}

/* ---- Undoing ---- */

/* A connection that cannot even do that is of no use. */
static void on_rolled_back(struct postgres_query *query, const PGresult *result)
{
	struct work *work = work_of(query);
	if (!is_good(result)) {
		work->broken(work, postgres_fault_message(result, &work->arena));
		return;
	}
	if (work->is_to_repeat) {
		begin(work);
		return;
	}
	storage_op_undo(work->task->op);
	work->done(work);
}

static void roll_back(struct work *work)
{
	send_text(work, "ROLLBACK", on_rolled_back);
}

/* Of one statement, or of all at the end. */
static void take_fault(struct work *work, const PGresult *result, struct work_range range)
{
	struct storage_op *op = work->task->op;
	struct slice why = postgres_fault_message(result, &work->arena);
	switch (postgres_fault_of(result)) {
	case POSTGRES_FAULT_OF_ROW:
		storage_op_note(op, range.first, range.count, STORAGE_REFUSED, why);
		break;
	case POSTGRES_FAULT_OF_MOMENT:
		work->is_to_repeat = ++work->attempts < WORK_ATTEMPTS_MAX;
		if (!work->is_to_repeat) {
			work_fail(work, range, why);
		}
		break;
	case POSTGRES_FAULT_OF_SERVER:
		work->broken(work, why);
		return;
	case POSTGRES_FAULT_OF_SCHEMA:
		work_fail(work, range, why);
		break;
	}
	roll_back(work);
}

/* ---- Doing ---- */

static struct work_range all_of(const struct work *work)
{
	return (struct work_range){ 0, work->task->op->count };
}

static struct work_range next_range(const struct work *work)
{
	size_t left = work->task->op->count - work->next;
	return (struct work_range){ work->next,
		left < STORAGE_BATCH_ROWS ? left : (size_t)STORAGE_BATCH_ROWS };
}

/* Of a transaction that has failed already it says that it was rolled back. */
static void on_committed(struct postgres_query *query, const PGresult *result)
{
	struct work *work = work_of(query);
	if (is_good(result)) {
		work->done(work);
	} else {
		take_fault(work, result, all_of(work));
	}
}

static void on_written(struct postgres_query *query, const PGresult *result)
{
	struct work *work = work_of(query);
	struct work_range range = next_range(work);
	if (!is_good(result)) {
		take_fault(work, result, range);
		return;
	}
	work_note_rows(work, result, range);
	work->next += range.count;
	send_next(work);
}

/* All conflicts are found before it ends, so that all of these rows are read. */
static void send_next(struct work *work)
{
	const struct storage_op *op = work->task->op;
	if (work->next < op->count && op->result < STORAGE_REFUSED
			&& work_send_rows(work, next_range(work), on_written)) {
		return;
	}
	if (op->result == STORAGE_OK) {
		send_text(work, "COMMIT", on_committed);
	} else {
		roll_back(work);
	}
}

static void on_begun(struct postgres_query *query, const PGresult *result)
{
	struct work *work = work_of(query);
	if (is_good(result)) {
		send_next(work);
	} else {
		work->broken(work, postgres_fault_message(result, &work->arena));
	}
}

static void begin(struct work *work)
{
	storage_op_reset(work->task->op);
	work->next = 0;
	work->is_to_repeat = false;
	send_text(work, "BEGIN", on_begun);
}

void work_write_whole(struct work *work)
{
	begin(work);
}
