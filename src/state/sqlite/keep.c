#include "state/sqlite/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/path.h"
#include "state/sqlite/salvage.h"

enum {
	NAMES_MAX = 1000, /* of one second */
	SUFFIX_BYTES = 64,
};

static const char note_suffix[] = ".salvage";
static const char kept_suffix[] = ".damaged-";

static bool is_there(const char *path, const char *suffix)
{
	char *joined = path_join(path, suffix);
	bool is_free = access(joined, F_OK) != 0 && errno == ENOENT;
	free(joined);
	return !is_free;
}

bool sqlite_salvage_is_under_way(const char *path)
{
	return is_there(path, note_suffix);
}

static bool fail(const char *path, const char *step, struct buf *reterr_why)
{
	buf_printf(reterr_why, "cannot %s %s: %s", step, path, strerror(errno));
	return false;
}

/* ---- The name ---- */

/* One that neither a file nor a log has. */
static bool choose_suffix(const char *path, char suffix[static SUFFIX_BYTES])
{
	char stamp[32];
	time_t now = (time_t)(clock_wall_ns() / 1000000000);
	struct tm utc;
	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	for (int number = 1; number < NAMES_MAX; number++) {
		int len = snprintf(suffix, SUFFIX_BYTES, "%s%s", kept_suffix, stamp);
		if (number > 1) {
			snprintf(suffix + len, SUFFIX_BYTES - (size_t)len, "-%d", number);
		}
		char *kept = path_join(path, suffix);
		bool is_free = !is_there(kept, "") && !is_there(kept, "-wal");
		free(kept);
		if (is_free) {
			return true;
		}
	}
	errno = EEXIST;
	return false;
}

/* ---- The note ---- */

/* False: there is none, or it was cut off before anything else was done. */
static bool read_note(const char *path, char suffix[static SUFFIX_BYTES])
{
	char *note = path_join(path, note_suffix);
	int fd = open(note, O_RDONLY | O_CLOEXEC);
	free(note);
	if (fd < 0) {
		return false;
	}
	ssize_t len = read(fd, suffix, SUFFIX_BYTES);
	close(fd);
	bool is_whole = len > (ssize_t)sizeof(kept_suffix) && len < SUFFIX_BYTES
			&& suffix[len - 1] == '\n' && memcmp(suffix, kept_suffix, sizeof(kept_suffix) - 1) == 0;
	if (is_whole) {
		suffix[len - 1] = '\0';
	}
	return is_whole && strchr(suffix, '/') == NULL;
}

static bool write_note(const char *path, const char *suffix)
{
	char line[SUFFIX_BYTES + 1];
	char *note = path_join(path, note_suffix);
	int fd = open(note, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	free(note);
	if (fd < 0) {
		return false;
	}
	int len = snprintf(line, sizeof(line), "%s\n", suffix);
	bool is_written = write(fd, line, (size_t)len) == len && fsync(fd) == 0;
	close(fd);
	return is_written && path_sync_directory(path);
}

/* ---- Keeping ---- */

/*
 * Under both names, until a new one takes the place of the first; under the new one
 * only where a file can have but one.
 */
static bool keep_one(const char *path, const char *kept, const char *suffix)
{
	char *from = path_join(path, suffix);
	char *to = path_join(kept, suffix);
	bool is_kept = is_there(to, "") || link(from, to) == 0 || errno == ENOENT;
	if (!is_kept && (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS)) {
		is_kept = rename(from, to) == 0;
	}
	int fault = errno;
	free(from);
	free(to);
	errno = fault;
	return is_kept;
}

bool sqlite_keep(const char *path, char **ret_kept, struct buf *reterr_why)
{
	char suffix[SUFFIX_BYTES];
	if (!read_note(path, suffix) && (!choose_suffix(path, suffix) || !write_note(path, suffix))) {
		return fail(path, "make a note of what is to be salvaged, beside", reterr_why);
	}
	char *kept = path_join(path, suffix);
	bool is_kept = keep_one(path, kept, "-wal") && keep_one(path, kept, "")
			&& path_sync_directory(path) && path_remove(path, "-wal") && path_remove(path, "-shm")
			&& path_sync_directory(path);
	if (!is_kept) {
		fail(kept, "keep the damaged database as", reterr_why);
		free(kept);
		return false;
	}
	*ret_kept = kept;
	return true;
}

bool sqlite_keep_end(const char *path, struct buf *reterr_why)
{
	return (path_remove(path, note_suffix) && path_sync_directory(path))
			|| fail(path, "remove the note beside", reterr_why);
}
