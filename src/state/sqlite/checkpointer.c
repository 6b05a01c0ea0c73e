#include "state/sqlite/checkpointer.h"

#include "base/clock.h"
#include "base/log.h"

enum {
	STEP_PAGES = 1000,  /* 4 MB: from one checkpoint to the next */
	LARGE_PAGES = 4000, /* the log is to begin anew */
	LITTLE_PAGES = 500, /* that the commits may wait for */
	HUGE_PAGES = 16384, /* they wait for all of it, rather than fill the disk */
};

/* ---- The thread ---- */

static bool wait_until_due(struct checkpointer *checkpointer)
{
	uv_mutex_lock(&checkpointer->lock);
	while (!checkpointer->is_due && !checkpointer->is_quitting) {
		uv_cond_wait(&checkpointer->has_news, &checkpointer->lock);
	}
	bool is_quitting = checkpointer->is_quitting;
	checkpointer->is_due = false;
	checkpointer->is_running = !is_quitting;
	uv_mutex_unlock(&checkpointer->lock);
	return !is_quitting;
}

/*
 * Commits go on meanwhile, so nobody else would say it. That somebody else is at it is no
 * fault.
 */
static void tell_if_failed(struct checkpointer *checkpointer, int result)
{
	if (result == SQLITE_OK || (result & 0xff) == SQLITE_BUSY) {
		return;
	}
	uv_mutex_lock(&checkpointer->lock);
	bool is_told = checkpointer->is_failing;
	checkpointer->is_failing = true;
	checkpointer->is_lossy = true;
	uv_mutex_unlock(&checkpointer->lock);
	if (!is_told) {
		log_error("cannot move what is stored from the log into the database, the log grows "
				  "path=%s error=%s",
				checkpointer->path, sqlite3_errstr(result));
	}
}

/* One that did not get to the end says nothing: it has not waited for the disk. */
static void tell_that_log_began_anew(struct checkpointer *checkpointer)
{
	uv_mutex_lock(&checkpointer->lock);
	bool was_failing = checkpointer->is_failing;
	checkpointer->is_failing = false;
	uv_mutex_unlock(&checkpointer->lock);
	if (was_failing) {
		log_info("the log is moved into the database again path=%s", checkpointer->path);
	}
}

/* Pages of the log that are in the database now; 0 when it failed. */
static int checkpoint(struct checkpointer *checkpointer, sqlite3 *db)
{
	int pages;
	int done;
	int result = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &done);
	tell_if_failed(checkpointer, result);
	return result == SQLITE_OK && done > 0 ? done : 0;
}

static void run_thread(void *data)
{
	struct checkpointer *checkpointer = data;
	while (wait_until_due(checkpointer)) {
		int done = checkpoint(checkpointer, checkpointer->own);
		uv_mutex_lock(&checkpointer->lock);
		checkpointer->done = done;
		checkpointer->is_running = false;
		uv_mutex_unlock(&checkpointer->lock);
	}
}

/* ---- Between commits ---- */

/* After each commit, on its thread: a log of so many pages. */
static int on_committed(void *data, sqlite3 *db, const char *name, int pages)
{
	struct checkpointer *checkpointer = data;
	if (pages < checkpointer->committed) {
		tell_that_log_began_anew(checkpointer);
	}
	checkpointer->committed = pages;
	checkpointer->pages = pages;
	return SQLITE_OK;
}

/* Whether the rest is to be done here. */
static bool is_little_left(const struct checkpointer *checkpointer)
{
	return !checkpointer->is_started || checkpointer->pages >= HUGE_PAGES
			|| (checkpointer->pages >= LARGE_PAGES
					&& checkpointer->pages - checkpointer->done < LITTLE_PAGES);
}

bool checkpointer_is_lossy(struct checkpointer *checkpointer)
{
	uv_mutex_lock(&checkpointer->lock);
	bool is_lossy = checkpointer->is_lossy && !checkpointer->is_running;
	uv_mutex_unlock(&checkpointer->lock);
	return is_lossy;
}

void checkpointer_go_on_after(struct checkpointer *checkpointer, bool was_failing)
{
	const uint64_t pause_ns = UINT64_C(1000000000);
	checkpointer->is_failing = was_failing;
	checkpointer->not_before_ns = clock_monotonic_ns() + pause_ns;
}

static bool is_due(const struct checkpointer *checkpointer)
{
	return checkpointer->pages >= checkpointer->due_pages
			&& (checkpointer->not_before_ns == 0
					|| clock_monotonic_ns() >= checkpointer->not_before_ns);
}

void checkpointer_help(struct checkpointer *checkpointer)
{
	if (!is_due(checkpointer) || checkpointer_is_lossy(checkpointer)) {
		return;
	}
	uv_mutex_lock(&checkpointer->lock);
	bool is_mine =
			!checkpointer->is_running && !checkpointer->is_due && is_little_left(checkpointer);
	if (is_mine) {
		checkpointer->done = 0;
		checkpointer->due_pages = STEP_PAGES;
	} else if (!checkpointer->is_running) {
		checkpointer->is_due = true;
		checkpointer->due_pages =
				checkpointer->pages < LARGE_PAGES ? checkpointer->pages + STEP_PAGES : LARGE_PAGES;
		uv_cond_signal(&checkpointer->has_news);
	}
	uv_mutex_unlock(&checkpointer->lock);
	if (is_mine) {
		checkpoint(checkpointer, checkpointer->committer);
		checkpointer->pages = 0; /* until the next commit says */
	}
}

/* ---- Life ---- */

void checkpointer_init(struct checkpointer *checkpointer, const struct sqlite_file *file)
{
	*checkpointer = (struct checkpointer){
		.committer = file->db,
		.path = file->path,
		.due_pages = STEP_PAGES,
	};
	uv_mutex_init(&checkpointer->lock);
	uv_cond_init(&checkpointer->has_news);
	sqlite3_wal_hook(file->db, on_committed, checkpointer);
	checkpointer->own = sqlite_file_open_second(file);
	checkpointer->is_started = checkpointer->own != NULL
			&& uv_thread_create(&checkpointer->thread, run_thread, checkpointer) == 0;
}

void checkpointer_finish(struct checkpointer *checkpointer)
{
	uv_mutex_lock(&checkpointer->lock);
	checkpointer->is_quitting = true;
	uv_cond_signal(&checkpointer->has_news);
	uv_mutex_unlock(&checkpointer->lock);
	if (checkpointer->is_started) {
		uv_thread_join(&checkpointer->thread);
	}
	sqlite3_close(checkpointer->own);
	sqlite3_wal_hook(checkpointer->committer, NULL, NULL);
	uv_cond_destroy(&checkpointer->has_news);
	uv_mutex_destroy(&checkpointer->lock);
}
