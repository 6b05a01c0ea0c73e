#include "server/state_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "server/takeover_take.h"

static const char draft_suffix[] = ".tmp-XXXXXX";
static const char damaged_suffix[] = ".damaged-";

enum { DRAFT_LETTERS = 6 }; /* instead of the X's */

static char *join(const char *a, const char *b)
{
	size_t bytes = strlen(a) + strlen(b) + 1;
	char *text = memory_alloc(bytes);
	snprintf(text, bytes, "%s%s", a, b);
	return text;
}

/* ---- Opening ---- */

static bool fail_with(const struct state_file *file, const char *event)
{
	log_error("%s path=%s error=%s", event, file->path, strerror(errno));
	return false;
}

/* The name begins with that of the file and goes on with the suffix. */
static const char *behind_suffix(
		const struct state_file *file, const char *name, const char *suffix, size_t suffix_len)
{
	size_t len = strlen(file->name);
	bool is_ours =
			strncmp(name, file->name, len) == 0 && strncmp(name + len, suffix, suffix_len) == 0;
	return is_ours ? name + len + suffix_len : NULL;
}

/* Calls the function for each name in the directory until it says true. */
static bool find_name(const struct state_file *file,
		bool (*is_found)(const struct state_file *file, const char *name, void *data), void *data)
{
	int fd = openat(file->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	bool has_found = false;
	if (directory == NULL) {
		if (fd >= 0) {
			close(fd);
		}
		return false;
	}
	for (struct dirent *entry = readdir(directory); entry != NULL && !has_found;
			entry = readdir(directory)) {
		has_found = is_found(file, entry->d_name, data);
	}
	closedir(directory);
	return has_found;
}

static bool remove_draft(const struct state_file *file, const char *name, void *data)
{
	size_t suffix_len = sizeof(draft_suffix) - 1 - DRAFT_LETTERS;
	const char *letters = behind_suffix(file, name, draft_suffix, suffix_len);
	if (letters != NULL && strlen(letters) == DRAFT_LETTERS
			&& unlinkat(file->directory, name, 0) == 0) {
		log_info("removed what was left half-written path=%s", name);
	}
	return false;
}

static bool open_directory(struct state_file *file)
{
	char *path = memory_copy_string(file->path);
	char *slash = strrchr(path, '/');
	file->name = file->path + (slash == NULL ? 0 : slash - path + 1);
	if (slash != NULL) {
		slash[slash == path] = '\0';
	}
	file->directory = open(slash == NULL ? "." : path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(path);
	return file->directory >= 0 && faccessat(file->directory, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

/* From the weir that is taken over, if it uses this file. */
static bool take_lock_over(struct state_file *file, struct takeover_taker *taker)
{
	int lock = takeover_take_lock(taker, file->lock);
	if (lock >= 0) {
		close(file->lock);
		file->lock = lock;
		file->is_taken_over = true;
	}
	return file->is_taken_over;
}

static bool take_lock(struct state_file *file, struct takeover_taker *taker)
{
	char *path = join(file->path, ".lock");
	file->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	if (file->lock < 0) {
		return fail_with(file, "cannot lock the persistence file");
	}
	if (take_lock_over(file, taker)) {
		return true; /* and its draft may be under way */
	}
	if (flock(file->lock, LOCK_EX | LOCK_NB) != 0) {
		log_error("the persistence file is in use by another weir path=%s", file->path);
		return false;
	}
	find_name(file, remove_draft, NULL);
	return true;
}

bool state_file_open(struct state_file *file, const char *given, struct takeover_taker *taker)
{
	*file = (struct state_file){
		.given = memory_copy_string(given),
		.path = join(given, ".weir"),
		.directory = -1,
		.lock = -1,
	};
	if (given[strlen(given) - 1] == '/') {
		log_error("the persistence file is a directory path=%s", given);
		return false;
	}
	if (!open_directory(file)) {
		return fail_with(file, "cannot write the directory of the persistence file");
	}
	return take_lock(file, taker);
}

void state_file_close(struct state_file *file)
{
	if (file->lock >= 0) {
		close(file->lock);
	}
	if (file->directory >= 0) {
		close(file->directory);
	}
	free(file->given);
	free(file->path);
}

/* ---- Reading ---- */

int state_file_read(const struct state_file *file)
{
	int fd = open(file->path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool state_file_has_given(const struct state_file *file)
{
	struct stat status;
	return stat(file->given, &status) == 0 && S_ISREG(status.st_mode);
}

/* ---- Setting aside ---- */

static bool is_same_file(const struct state_file *file, const char *name, void *data)
{
	const struct stat *wanted = data;
	struct stat status;
	return behind_suffix(file, name, damaged_suffix, sizeof(damaged_suffix) - 1) != NULL
			&& fstatat(file->directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0
			&& status.st_ino == wanted->st_ino && status.st_dev == wanted->st_dev;
}

/* What stands in the way is kept, too: the name gets a number then. */
static bool link_aside(const struct state_file *file, char *path, size_t path_bytes)
{
	enum { NUMBER_MAX = 1000 };
	char stamp[32];
	time_t now = (time_t)(clock_wall_ns() / 1000000000);
	struct tm utc;
	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	for (int number = 1; number < NUMBER_MAX; number++) {
		char suffix[16] = "";
		if (number > 1) {
			snprintf(suffix, sizeof(suffix), "-%d", number);
		}
		snprintf(path, path_bytes, "%s%s%s%s", file->path, damaged_suffix, stamp, suffix);
		if (link(file->path, path) == 0) {
			return true;
		}
		/* Some file systems have one name for a file. */
		bool has_no_links = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS;
		if (has_no_links && access(path, F_OK) != 0) {
			return rename(file->path, path) == 0;
		}
		if (!has_no_links && errno != EEXIST) {
			return false;
		}
	}
	errno = EEXIST;
	return false;
}

bool state_file_set_aside(const struct state_file *file)
{
	struct stat status;
	if (stat(file->path, &status) != 0) {
		return fail_with(file, "cannot set the damaged persistence file aside");
	}
	if (find_name(file, is_same_file, &status)) {
		return true; /* by a weir that ended before it wrote another */
	}
	size_t path_bytes = strlen(file->path) + 64;
	char *path = memory_alloc(path_bytes);
	bool is_aside = link_aside(file, path, path_bytes) && fsync(file->directory) == 0;
	if (is_aside) {
		log_warn("the damaged persistence file is kept path=%s", path);
	} else {
		fail_with(file, "cannot set the damaged persistence file aside");
	}
	free(path);
	return is_aside;
}

/* ---- Writing ---- */

static bool fail_at(struct state_fault_of_file *reterr_fault, const char *step)
{
	*reterr_fault = (struct state_fault_of_file){ .step = step, .number = -errno };
	return false;
}

bool state_draft_begin(const struct state_file *file, struct state_draft *draft,
		struct state_fault_of_file *reterr_fault)
{
	draft->path = join(file->path, draft_suffix);
	draft->fd = mkostemp(draft->path, O_CLOEXEC);
	if (draft->fd < 0) {
		fail_at(reterr_fault, "create");
		free(draft->path);
		return false;
	}
	return true;
}

void state_draft_abandon(struct state_draft *draft)
{
	close(draft->fd);
	unlink(draft->path);
	free(draft->path);
}

bool state_draft_commit(const struct state_file *file, struct state_draft *draft,
		struct state_fault_of_file *reterr_fault)
{
	const char *step = fsync(draft->fd) != 0       ? "fsync"
			: rename(draft->path, file->path) != 0 ? "rename"
												   : NULL;
	if (step != NULL) {
		fail_at(reterr_fault, step);
		state_draft_abandon(draft);
		return false;
	}
	close(draft->fd);
	free(draft->path);
	return fsync(file->directory) == 0 || fail_at(reterr_fault, "fsync of the directory");
}
