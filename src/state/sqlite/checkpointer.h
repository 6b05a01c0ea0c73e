#pragma once

/*
 * Moves what was committed from the write-ahead log into the database, beside the
 * commits: on a thread and a connection of its own, by passive checkpoints, which
 * nobody waits for.
 *
 * The log begins anew only after a checkpoint that has all of it, and under load
 * there is always a little more. So when the log has become large and most of it
 * is done, the thread that commits does the little that is left between two
 * commits.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "state/sqlite/file.h"

struct checkpointer {
	sqlite3 *committer; /* the connection of the thread that commits */
	sqlite3 *own;
	const char *path; /* of the database, for the log */
	uv_thread_t thread;
	uv_mutex_t lock;
	uv_cond_t has_news;
	int pages;     /* in the log, after the last commit; of the committing thread alone */
	int committed; /* likewise, and it stays until the next */
	int due_pages; /* with so many, it is time to checkpoint; likewise */
	int done;      /* pages of the log that are in the database, after the last checkpoint */
	bool is_due;
	bool is_running;
	bool is_quitting;
	bool is_started;
	bool is_failing;        /* it was logged */
	bool is_lossy;          /* what was moved since the log began anew may be gone */
	uint64_t not_before_ns; /* no checkpoint until then; monotonic */
};

/*
 * For a database that nobody else writes to. Without a thread or a connection of
 * its own it checkpoints where the commits are made.
 */
void checkpointer_init(struct checkpointer *checkpointer, const struct sqlite_file *file);

/*
 * After a fault of the disk: pages that were written and not synced may be gone, and the log
 * must not begin anew before they were written again. So it takes no further step until it
 * is made anew for connections that are: SQLite then begins with the first page of the log.
 */
bool checkpointer_is_lossy(struct checkpointer *checkpointer);

/* For one that takes the place of such a one: it waits a little, and logs nothing twice. */
void checkpointer_go_on_after(struct checkpointer *checkpointer, bool was_failing);

/* Between two commits, on their thread. */
void checkpointer_help(struct checkpointer *checkpointer);

/* On the thread that commits; what runs comes to its end. */
void checkpointer_finish(struct checkpointer *checkpointer);
