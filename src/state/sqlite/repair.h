#pragma once

/*
 * Opens a database as sqlite_file.h does, and makes a damaged one whole: what can
 * be read of it is salvaged, and the new one opened.
 */

#include "base/buf.h"
#include "state/sqlite/file.h"
#include "state/sqlite/salvage.h"

/* What was done. */
struct sqlite_repaired {
	bool is_salvaged; /* the rest counts only then */
	struct buf why;   /* it had to be */
	struct sqlite_salvaged salvaged;
};

void sqlite_repaired_init(struct sqlite_repaired *repaired);
void sqlite_repaired_finish(struct sqlite_repaired *repaired);

/* As sqlite_file_open(); DAMAGED only if what was made of it is, too. */
enum sqlite_file_result sqlite_repair_open(struct sqlite_file *file, const char *path,
		enum state_sync sync, struct sqlite_repaired *repaired, struct buf *reterr_why);

/*
 * Reads all of an open one to see whether it is whole, and makes it so. There may be
 * no other connections, and this one may be another afterwards; unless all is well
 * there is none. The path stays. May take long; for any thread that has the connection.
 */
enum sqlite_file_result sqlite_repair_check(
		struct sqlite_file *file, struct sqlite_repaired *repaired, struct buf *reterr_why);

/*
 * The same for one that was found to be damaged while it was used, and was left; the
 * buffer says by what.
 */
enum sqlite_file_result sqlite_repair_left(
		struct sqlite_file *file, struct sqlite_repaired *repaired, struct buf *reterr_why);
