#pragma once

/*
 * The thread that writes to the database: one set of changes after the other. It
 * deletes what is of no use while it has nothing else to do.
 *
 *      loop                                thread
 *      give(set) ------------------------> one transaction
 *      event, take_result() <------------- done, or not
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "state/change_set.h"
#include "state/sqlite/checkpointer.h"
#include "state/sqlite/commit.h"
#include "state/sqlite/file.h"

enum { SQLITE_WHY_BYTES = 256 };

/* What came of a set. */
struct sqlite_result {
	struct change_set *set; /* NULL: nothing has come yet */
	bool is_stored;
	bool is_damaged; /* the database is: nothing more can be stored in it */
	double seconds;
	char why[SQLITE_WHY_BYTES];
};

struct sqlite_thread {
	/* On the loop. */
	uv_thread_t thread;
	uv_async_t *event; /* there is a result */

	/* Between the two, under the lock. */
	uv_mutex_t lock;
	uv_cond_t has_news;
	struct change_set *todo;
	struct state_clock clock; /* to be written with it */
	bool has_clock;
	struct sqlite_result result;
	bool is_quitting; /* once there is nothing to do */

	/* The thread's own. */
	struct sqlite_file *file;
	struct sqlite_commit commit;
	struct checkpointer checkpointer;
	bool is_open;
	bool is_broken; /* deleting failed: not before the next set is stored */
};

/* The file is the thread's from here on until it has ended. False: the buffer says why. */
bool sqlite_thread_start(struct sqlite_thread *thread, struct sqlite_file *file, uv_async_t *event,
		struct buf *reterr_why);

/* One set at a time; the clock may be NULL. */
void sqlite_thread_give(
		struct sqlite_thread *thread, struct change_set *set, const struct state_clock *clock);

/* False: none has come. */
bool sqlite_thread_take_result(struct sqlite_thread *thread, struct sqlite_result *ret_result);

/* When there is nothing to do any more the thread ends: join it. */
void sqlite_thread_quit(struct sqlite_thread *thread);
void sqlite_thread_join(struct sqlite_thread *thread);
