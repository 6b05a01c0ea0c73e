#include "server/snapshot_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "state/image/file_layout.h"

static bool is_snapshot(const char *path)
{
	char magic[sizeof(state_magic)];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_one = fd >= 0 && read(fd, magic, sizeof(magic)) == (ssize_t)sizeof(magic)
			&& memcmp(magic, state_magic, sizeof(magic)) == 0;
	if (fd >= 0) {
		close(fd);
	}
	return is_one;
}

static bool remove_incomplete(const char *path)
{
	return path_remove(path, "") && path_remove(path, "-wal") && path_remove(path, "-shm");
}

bool snapshot_file_find(const char *path, char **ret_path)
{
	char *aside = path_join(path, ".snapshot");
	bool is_taken = access(aside, F_OK) == 0;
	bool is_begun = is_taken && is_snapshot(aside);
	bool is_there = is_snapshot(path);
	/* What somebody else has put there says nothing about the database. */
	bool is_blocked = is_taken && !is_begun && (is_there || access(aside, R_OK) != 0);
	*ret_path = NULL;
	if (is_blocked || (!is_begun && !is_there)) {
		free(aside);
		errno = EEXIST;
		return !is_blocked;
	}
	bool is_ready = is_begun ? remove_incomplete(path) : rename(path, aside) == 0;
	if (!is_ready || !path_sync_directory(path)) {
		free(aside);
		return false;
	}
	*ret_path = aside;
	return true;
}

static bool take_result(
		const char *path, enum image_read_result result, const struct image_report *report)
{
	switch (result) {
	case IMAGE_READ_OK:
	case IMAGE_READ_DAMAGED:
		log_info("moving the state of an earlier weir into the database path=%s groups=%llu "
				 "unreadable=%llu",
				path, (unsigned long long)report->groups, (unsigned long long)report->faults);
		return true;
	case IMAGE_READ_E_NEWER:
		log_error("the state is of a newer weir and is left untouched path=%s written_by=%s", path,
				report->written_by);
		return false;
	case IMAGE_READ_E_FOREIGN:
		log_error("this is no state of weir and is left untouched path=%s", path);
		return false;
	case IMAGE_READ_E_SYSTEM:
		break;
	}
	log_error("cannot read the state of an earlier weir path=%s error=%s", path,
			strerror(-report->fault));
	return false;
}

bool snapshot_file_read(
		const char *path, struct store *store, const struct image_read_options *options)
{
	struct image_report report = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		report.fault = -errno;
		return take_result(path, IMAGE_READ_E_SYSTEM, &report);
	}
	enum image_read_result result = image_read(store, fd, options, &report);
	close(fd);
	return take_result(path, result, &report);
}

bool snapshot_file_retire(const char *path)
{
	char stamp[32];
	time_t now = (time_t)(clock_wall_ns() / 1000000000);
	struct tm utc;
	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), ".moved-%Y%m%dT%H%M%SZ", &utc);
	char *moved = path_join(path, stamp);
	bool is_retired = rename(path, moved) == 0 && path_sync_directory(path);
	free(moved);
	return is_retired;
}
