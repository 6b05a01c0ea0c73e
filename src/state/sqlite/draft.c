#include "state/sqlite/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "state/sqlite/schema.h"

static bool fail(const struct sqlite_draft *draft, const char *step, struct buf *reterr_why)
{
	buf_printf(reterr_why, "cannot %s %s: %s", step, draft->path, strerror(errno));
	return false;
}

static bool fail_in_sqlite(const struct sqlite_draft *draft, struct buf *reterr_why)
{
	buf_printf(reterr_why, "cannot write %s: %s", draft->path, sqlite3_errmsg(draft->db));
	return false;
}

/* For its owner alone; SQLite's own files beside it will be like it. */
static bool create(const struct sqlite_draft *draft, struct buf *reterr_why)
{
	if (!path_remove(draft->path, "") || !path_remove(draft->path, "-journal")
			|| !path_remove(draft->path, "-wal")) {
		return fail(draft, "remove", reterr_why);
	}
	int fd = open(draft->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		return fail(draft, "create", reterr_why);
	}
	close(fd);
	return true;
}

/* A journal would be for going back, which nobody does here. */
static bool fill(struct sqlite_draft *draft)
{
	return sqlite3_open_v2(
				   draft->path, &draft->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)
			== SQLITE_OK
			&& sqlite3_exec(draft->db,
					   "PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; "
					   "PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-16384",
					   NULL, NULL, NULL)
			== SQLITE_OK
			&& sqlite_schema_update(draft->db)
			&& sqlite3_exec(draft->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
}

bool sqlite_draft_begin(struct sqlite_draft *draft, const char *target, struct buf *reterr_why)
{
	*draft = (struct sqlite_draft){ .target = target };
	draft->path = path_join(target, ".new");
	if (!create(draft, reterr_why)) {
		free(draft->path);
		return false;
	}
	if (!fill(draft)) {
		fail_in_sqlite(draft, reterr_why);
		sqlite_draft_abandon(draft);
		return false;
	}
	return true;
}

void sqlite_draft_abandon(struct sqlite_draft *draft)
{
	sqlite3_close(draft->db);
	unlink(draft->path);
	free(draft->path);
}

/* SQLite was told not to. */
static bool sync_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	bool is_synced = fsync(fd) == 0;
	int fault = errno;
	close(fd);
	errno = fault;
	return is_synced;
}

static bool finish(struct sqlite_draft *draft, struct buf *reterr_why)
{
	if (sqlite3_exec(draft->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
		return fail_in_sqlite(draft, reterr_why);
	}
	sqlite3_close(draft->db);
	draft->db = NULL;
	if (!sync_file(draft->path)) {
		return fail(draft, "sync", reterr_why);
	}
	return rename(draft->path, draft->target) == 0 || fail(draft, "rename", reterr_why);
}

bool sqlite_draft_commit(struct sqlite_draft *draft, struct buf *reterr_why)
{
	if (!finish(draft, reterr_why)) {
		sqlite_draft_abandon(draft);
		return false;
	}
	bool is_synced = path_sync_directory(draft->target);
	if (!is_synced) {
		fail(draft, "sync the directory of", reterr_why);
	}
	free(draft->path);
	return is_synced;
}
