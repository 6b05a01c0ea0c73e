#include "state/sqlite/aside.h"

#include <stdlib.h>

#include "base/memory.h"

struct bad_row {
	struct list link;
	uint64_t number;
	const char *what;
};

void sqlite_aside_note(struct list *rows, uint64_t number, const char *what)
{
	struct bad_row *row = memory_zalloc(1, sizeof(*row));
	row->number = number;
	row->what = what;
	list_append(rows, &row->link);
}

void sqlite_aside_forget(struct list *rows)
{
	LIST_EACH (link, rows) {
		list_remove(link);
		free(LIST_ENTRY(link, struct bad_row, link));
	}
}

static bool run(sqlite3 *db, const char *text, const struct bad_row *row)
{
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) != SQLITE_OK) {
		return false;
	}
	if (row != NULL) {
		sqlite3_bind_int64(statement, 1, (sqlite3_int64)row->number);
		sqlite3_bind_text(statement, 2, row->what, -1, SQLITE_STATIC);
	}
	bool is_done = sqlite3_step(statement) == SQLITE_DONE;
	return sqlite3_finalize(statement) == SQLITE_OK && is_done;
}

static bool move_one(sqlite3 *db, const struct bad_row *row)
{
	return run(db,
				   "INSERT INTO aside (number, kind, grp, sum, data, reason, set_aside) "
				   "SELECT number, kind, grp, sum, data, ?2, datetime('now') FROM segment "
				   "WHERE number = ?1",
				   row)
			&& run(db, "DELETE FROM segment WHERE number = ?1 AND ?2 IS NOT NULL", row);
}

bool sqlite_aside_move(sqlite3 *db, const struct list *rows, int *reterr_fault)
{
	if (list_is_empty(rows)) {
		return true;
	}
	bool is_good = run(db, "BEGIN IMMEDIATE", NULL);
	LIST_EACH (link, rows) {
		is_good = is_good && move_one(db, LIST_ENTRY(link, struct bad_row, link));
	}
	is_good = is_good && run(db, "COMMIT", NULL);
	*reterr_fault = is_good ? SQLITE_OK : sqlite3_extended_errcode(db);
	if (!is_good && !sqlite3_get_autocommit(db)) {
		run(db, "ROLLBACK", NULL);
	}
	return is_good;
}

uint64_t sqlite_aside_count(sqlite3 *db)
{
	sqlite3_stmt *statement;
	uint64_t count = 0;
	if (sqlite3_prepare_v2(db, "SELECT count(*) FROM aside", -1, &statement, NULL) == SQLITE_OK
			&& sqlite3_step(statement) == SQLITE_ROW) {
		count = (uint64_t)sqlite3_column_int64(statement, 0);
	}
	sqlite3_finalize(statement);
	return count;
}
