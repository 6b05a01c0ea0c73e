#include "state/sqlite/checkpointer.h"

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

/* Pages of the log that are in the database now; 0 when it failed. */
static int checkpoint(sqlite3 *db)
{
	int pages;
	int done;
	int result = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &done);
	return result == SQLITE_OK && done > 0 ? done : 0;
}

static void run_thread(void *data)
{
	struct checkpointer *checkpointer = data;
	while (wait_until_due(checkpointer)) {
		int done = checkpoint(checkpointer->own);
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

void checkpointer_help(struct checkpointer *checkpointer)
{
	if (checkpointer->pages < checkpointer->due_pages) {
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
		checkpoint(checkpointer->committer);
		checkpointer->pages = 0; /* until the next commit says */
	}
}

/* ---- Life ---- */

void checkpointer_init(struct checkpointer *checkpointer, const struct sqlite_file *file)
{
	*checkpointer = (struct checkpointer){ .committer = file->db, .due_pages = STEP_PAGES };
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
