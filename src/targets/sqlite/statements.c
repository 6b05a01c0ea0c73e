#include "targets/sqlite/statements.h"

#include "base/clock.h"
#include "targets/storage_time.h"

extern const char targets_sqlite_save[];
extern const char targets_sqlite_same[];
extern const char targets_sqlite_see[];
extern const char targets_sqlite_delete[];
extern const char targets_sqlite_forget[];
extern const char targets_sqlite_expire[];
extern const char targets_sqlite_fold[];
extern const char targets_sqlite_fold_end[];
extern const char targets_sql_read_targets[];
extern const char targets_sql_read_seen[];
extern const char targets_sqlite_read_id[];

bool statements_init(struct statements *statements, sqlite3 *db, struct buf *reterr_why)
{
	static const char *const texts[STATEMENT_COUNT] = {
		[STATEMENT_SAVE] = targets_sqlite_save,
		[STATEMENT_SAME] = targets_sqlite_same,
		[STATEMENT_SEE] = targets_sqlite_see,
		[STATEMENT_DELETE] = targets_sqlite_delete,
		[STATEMENT_FORGET] = targets_sqlite_forget,
		[STATEMENT_EXPIRE] = targets_sqlite_expire,
		[STATEMENT_FOLD] = targets_sqlite_fold,
		[STATEMENT_FOLD_END] = targets_sqlite_fold_end,
		[STATEMENT_READ_TARGETS] = targets_sql_read_targets,
		[STATEMENT_READ_SEEN] = targets_sql_read_seen,
		[STATEMENT_READ_ID] = targets_sqlite_read_id,
	};
	*statements = (struct statements){ .db = db };
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		if (sqlite3_prepare_v3(
					db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &statements->prepared[i], NULL)
				!= SQLITE_OK) {
			buf_append_string(reterr_why, sqlite3_errmsg(db));
			return false;
		}
	}
	return true;
}

void statements_finish(struct statements *statements)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(statements->prepared[i]);
	}
}

/* ---- Texts in and out ---- */

/* What is bound stays until the statement is run again. */
static void bind_text(sqlite3_stmt *statement, int parameter, struct slice text)
{
	if (text.ptr == NULL) {
		sqlite3_bind_null(statement, parameter);
	} else {
		sqlite3_bind_text64(statement, parameter, text.ptr, text.len, SQLITE_STATIC, SQLITE_UTF8);
	}
}

static void bind_all(sqlite3_stmt *statement, const struct slice *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bind_text(statement, (int)i + 1, texts[i]);
	}
}

static void columns(sqlite3_stmt *statement, struct slice *ret_texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const void *text = sqlite3_column_text(statement, (int)i);
		ret_texts[i] = slice_make(text, (size_t)sqlite3_column_bytes(statement, (int)i));
	}
}

static struct slice message(const struct statements *statements, struct arena *arena)
{
	return arena_copy(arena, slice_of_string(sqlite3_errmsg(statements->db)));
}

static void fail(const struct statements *statements, struct storage_task *task)
{
	task->has_failed = true;
	task->why = message(statements, &task->arena);
}

/* ---- Writing ---- */

enum row_result {
	ROW_OK,
	ROW_CONFLICT,
	ROW_REFUSED,
	ROW_BROKEN, /* the whole transaction */
};

static enum row_result row_result(int code)
{
	switch (code & 0xff) {
	case SQLITE_DONE:
	case SQLITE_ROW:
		return ROW_OK;
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG:
		return ROW_REFUSED;
	default:
		return ROW_BROKEN;
	}
}

/* The version that it has now, if the statement answers one. */
static enum row_result step_for_version(
		sqlite3_stmt *statement, struct storage_outcome *outcome, bool *ret_has_row)
{
	int code = sqlite3_step(statement);
	*ret_has_row = code == SQLITE_ROW;
	if (code == SQLITE_ROW) {
		struct slice texts[2];
		columns(statement, texts, 2);
		outcome->version = sqlite3_column_int64(statement, 0);
		storage_time_read(texts[1], &outcome->changed_ns);
		code = sqlite3_step(statement);
	}
	return row_result(code);
}

/* Its texts are the columns, and room for one more. */
static enum row_result save(
		struct statements *statements, struct storage_outcome *outcome, struct slice *texts)
{
	char now[STORAGE_TIME_BYTES];
	bool has_row;
	texts[TARGET_COLUMNS] = storage_time_write(clock_wall_ns(), now);
	sqlite3_stmt *statement = statements->prepared[STATEMENT_SAVE];
	bind_all(statement, texts, TARGET_COLUMNS + 1);
	enum row_result result = step_for_version(statement, outcome, &has_row);
	if (result != ROW_OK || has_row) {
		return result;
	}
	sqlite3_stmt *same = statements->prepared[STATEMENT_SAME];
	bind_all(same, texts, TARGET_COLUMN_THRESHOLDS + 1);
	step_for_version(same, outcome, &has_row); /* fails for what is no JSON */
	return has_row ? ROW_OK : ROW_CONFLICT;
}

static enum row_result write_texts(sqlite3_stmt *statement, const struct slice *texts, size_t count)
{
	bind_all(statement, texts, count);
	return row_result(sqlite3_step(statement));
}

static enum row_result expire(sqlite3_stmt *statement, struct storage_outcome *outcome,
		const struct slice *texts, size_t count)
{
	bool has_row;
	bind_all(statement, texts, count);
	enum row_result result = step_for_version(statement, outcome, &has_row);
	return result == ROW_OK && !has_row ? ROW_CONFLICT : result;
}

static enum row_result fold(sqlite3_stmt **prepared, const struct slice *texts, size_t count)
{
	enum row_result result = write_texts(prepared[STATEMENT_FOLD], texts, count);
	return result == ROW_OK ? write_texts(prepared[STATEMENT_FOLD_END], texts, count) : result;
}

static enum row_result write_row(
		struct statements *statements, struct storage_task *task, size_t row)
{
	struct slice texts[TARGET_COLUMNS + 1];
	struct storage_op *op = task->op;
	sqlite3_stmt **prepared = statements->prepared;
	size_t count = storage_op_columns(op, row, texts, &task->arena);
	switch (op->kind) {
	case STORAGE_SAVE:
		return save(statements, &op->outcomes[row], texts);
	case STORAGE_SEE:
		return write_texts(prepared[STATEMENT_SEE], texts, count);
	case STORAGE_DELETE:
		return write_texts(prepared[STATEMENT_DELETE], texts, count);
	case STORAGE_EXPIRE:
		return expire(prepared[STATEMENT_EXPIRE], &op->outcomes[row], texts, count);
	case STORAGE_FOLD:
		return fold(prepared, texts, count);
	case STORAGE_FORGET:
		break;
	}
	return write_texts(prepared[STATEMENT_FORGET], texts, count);
}

static void reset_writing(struct statements *statements)
{
	for (size_t i = STATEMENT_SAVE; i <= STATEMENT_FOLD_END; i++) {
		sqlite3_reset(statements->prepared[i]);
	}
}

/* A row that is refused undoes itself alone. False: nothing more can be written. */
static bool take_row(struct statements *statements, struct storage_task *task, size_t row)
{
	enum row_result result = write_row(statements, task, row);
	task->statements++;
	struct slice why = result == ROW_OK ? SLICE("") : message(statements, &task->arena);
	reset_writing(statements);
	switch (result) {
	case ROW_OK:
		break;
	case ROW_CONFLICT:
		storage_op_note_conflict(task->op, row);
		break;
	case ROW_REFUSED:
		storage_task_refuse(task, row, why);
		break;
	case ROW_BROKEN:
		task->why = why;
		return false;
	}
	return true;
}

static bool run_text(struct statements *statements, struct storage_task *task, const char *text)
{
	task->statements++;
	if (sqlite3_exec(statements->db, text, NULL, NULL, NULL) == SQLITE_OK) {
		return true;
	}
	task->why = message(statements, &task->arena);
	return false;
}

static bool write_rows(struct statements *statements, struct storage_task *task)
{
	for (size_t row = task->first; row < task->first + task->count; row++) {
		if (!take_row(statements, task, row)) {
			return false;
		}
	}
	return true;
}

/* Also when it was done by SQLite. */
static void roll_back(struct statements *statements)
{
	if (!sqlite3_get_autocommit(statements->db)) {
		sqlite3_exec(statements->db, "ROLLBACK", NULL, NULL, NULL);
	}
}

static void write_task(struct statements *statements, struct storage_task *task)
{
	struct storage_op *op = task->op;
	bool is_written = run_text(statements, task, "BEGIN IMMEDIATE") && write_rows(statements, task);
	if (is_written && op->is_whole && op->result != STORAGE_OK) {
		roll_back(statements);
		storage_op_undo(op);
		return;
	}
	if (is_written && run_text(statements, task, "COMMIT")) {
		return;
	}
	roll_back(statements);
	task->has_failed = true;
	task->fault_count = 0;
	storage_op_note(task->op, task->first, task->count, STORAGE_FAILED, task->why);
}

/* ---- Reading ---- */

static int read_row(sqlite3_stmt *statement, struct storage_task *task)
{
	struct slice texts[TARGET_COLUMNS];
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW && task->kind == STORAGE_TASK_READ_SEEN) {
		columns(statement, texts, SEEN_COLUMNS);
		storage_task_add_seen(task, texts);
	} else if (code == SQLITE_ROW) {
		columns(statement, texts, TARGET_COLUMNS);
		storage_task_add_target(task, texts);
	}
	return code;
}

static void read_rows(
		struct statements *statements, sqlite3_stmt *statement, struct storage_task *task)
{
	size_t rows = 0;
	int code;
	while ((code = read_row(statement, task)) == SQLITE_ROW) {
		rows++;
	}
	if (code != SQLITE_DONE) {
		fail(statements, task);
	}
	task->statements++;
	task->is_last = rows < STORAGE_PAGE_ROWS;
	sqlite3_reset(statement);
}

static void read_task(struct statements *statements, struct storage_task *task)
{
	bool is_seen = task->kind == STORAGE_TASK_READ_SEEN;
	sqlite3_stmt *statement =
			statements->prepared[is_seen ? STATEMENT_READ_SEEN : STATEMENT_READ_TARGETS];
	bind_text(statement, 1, task->after);
	if (is_seen) {
		bind_text(statement, 2, task->after_replica);
	}
	sqlite3_bind_int(statement, is_seen ? 3 : 2, STORAGE_PAGE_ROWS);
	read_rows(statements, statement, task);
}

static void read_ids(struct statements *statements, struct storage_task *task)
{
	sqlite3_stmt *statement = statements->prepared[STATEMENT_READ_ID];
	for (size_t i = 0; i < task->id_count && !task->has_failed; i++) {
		bind_text(statement, 1, task->ids[i]);
		read_rows(statements, statement, task);
	}
}

void statements_run(struct statements *statements, struct storage_task *task)
{
	switch (task->kind) {
	case STORAGE_TASK_WRITE:
		write_task(statements, task);
		break;
	case STORAGE_TASK_READ_TARGETS:
	case STORAGE_TASK_READ_SEEN:
		read_task(statements, task);
		break;
	case STORAGE_TASK_READ_MARK:
		break; /* nobody else writes it */
	case STORAGE_TASK_READ_IDS:
		read_ids(statements, task);
		break;
	}
}
