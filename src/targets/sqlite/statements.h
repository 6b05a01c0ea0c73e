#pragma once

/*
 * What the SQLite of the targets is asked: the statements, and tasks carried out with them.
 * For the thread that has the connection.
 */

#include <sqlite3.h>
#include <stdbool.h>

#include "base/buf.h"
#include "targets/storage_backend.h"

enum statement_kind {
	STATEMENT_SAVE,
	STATEMENT_SAME,
	STATEMENT_SEE,
	STATEMENT_DELETE,
	STATEMENT_FORGET,
	STATEMENT_EXPIRE,
	STATEMENT_FOLD,
	STATEMENT_FOLD_END,
	STATEMENT_READ_TARGETS,
	STATEMENT_READ_SEEN,
	STATEMENT_READ_ID,
	STATEMENT_COUNT,
};

struct statements {
	sqlite3 *db;
	sqlite3_stmt *prepared[STATEMENT_COUNT];
};

/* False: the buffer says why. To be finished whatever comes of it. */
bool statements_init(struct statements *statements, sqlite3 *db, struct buf *reterr_why);
void statements_finish(struct statements *statements);

void statements_run(struct statements *statements, struct storage_task *task);
