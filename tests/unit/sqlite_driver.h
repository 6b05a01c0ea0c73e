#pragma once

/* For tests of databases: a directory of their own, files as bytes, rows. */

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "check.h"
#include "state/sqlite/file.h"
#include "state/sqlite/row.h"

static char test_directory[64];

/* In memory, if possible: SQLite waits for the disk very often. */
static inline void directory_begin(void)
{
	bool has_memory = access("/dev/shm", W_OK) == 0;
	snprintf(test_directory, sizeof(test_directory), "%s/weir-test-XXXXXX",
			has_memory ? "/dev/shm" : "/tmp");
	if (mkdtemp(test_directory) == NULL) {
		abort();
	}
}

static inline void directory_end(void)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -r %s", test_directory);
	if (system(command) != 0) {
		abort();
	}
}

/* In that directory; good until it was called four times more. */
static inline const char *path_of(const char *name)
{
	static char paths[4][400];
	static int next;
	char *path = paths[next++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", test_directory, name);
	return path;
}

/* ---- Files ---- */

static inline bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static inline void file_put(const char *path, struct slice bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, bytes.ptr, bytes.len) != (ssize_t)bytes.len) {
		abort();
	}
	close(fd);
}

/* Its bytes, in place of what is in the buffer; nothing if it is not there. */
static inline struct slice file_get(const char *path, struct buf *buf)
{
	struct stat status;
	int fd = open(path, O_RDONLY);
	buf->len = 0;
	if (fd < 0) {
		return slice_make("", 0);
	}
	if (fstat(fd, &status) != 0) {
		abort();
	}
	buf_reserve(buf, (size_t)status.st_size + 1);
	buf->len = (size_t)read(fd, buf->ptr, (size_t)status.st_size);
	close(fd);
	return buf_slice(buf);
}

/* ---- Databases ---- */

static inline enum sqlite_file_result try_to_open(struct sqlite_file *file, const char *path)
{
	struct buf why;
	buf_init(&why, 0);
	enum sqlite_file_result result = sqlite_file_open(file, path, STATE_SYNC_NORMAL, &why);
	CHECK((result == SQLITE_FILE_OK) == (why.len == 0));
	buf_finish(&why);
	return result;
}

static inline void sql(sqlite3 *db, const char *text)
{
	char *why = NULL;
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", text, why);
		abort();
	}
}

static inline int64_t sql_number(sqlite3 *db, const char *text)
{
	sqlite3_stmt *statement;
	int64_t number = -1;
	if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK
			&& sqlite3_step(statement) == SQLITE_ROW) {
		number = sqlite3_column_int64(statement, 0);
	}
	sqlite3_finalize(statement);
	return number;
}

static inline void put_row_with_sum(
		sqlite3 *db, uint64_t number, int kind, uint64_t grp, uint64_t sum, struct slice data)
{
	sqlite3_stmt *statement;
	sqlite3_prepare_v2(db, "INSERT INTO segment VALUES (?, ?, ?, ?, ?)", -1, &statement, NULL);
	sqlite3_bind_int64(statement, 1, (int64_t)number);
	sqlite3_bind_int(statement, 2, kind);
	sqlite3_bind_int64(statement, 3, (int64_t)grp);
	sqlite3_bind_int64(statement, 4, (int64_t)sum);
	sqlite3_bind_blob64(statement, 5, data.ptr, data.len, SQLITE_STATIC);
	CHECK_INT(sqlite3_step(statement), SQLITE_DONE);
	sqlite3_finalize(statement);
}

static inline void put_row(sqlite3 *db, uint64_t number, int kind, uint64_t grp, struct slice data)
{
	put_row_with_sum(db, number, kind, grp, row_sum(number, kind, grp, data), data);
}
