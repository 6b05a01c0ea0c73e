#include "server/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

static char *join(struct slice folder, const char *name)
{
	struct buf path;
	buf_init(&path, 0);
	buf_append(&path, folder);
	buf_append_string(&path, name);
	buf_append_byte(&path, '\0');
	return path.ptr;
}

/* So that a power cut does not take the directory away, with all that is synced in it. */
static void sync_name(const char *path)
{
	char *parent = join(slice_of_string(path), "/..");
	int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(parent);
	if (fd >= 0) { /* it need not be readable */
		fsync(fd);
		close(fd);
	}
}

/* 0 or the errno of what failed first; the path is taken on success. */
static int try_path(struct data_dir *dir, char *path, const char **reterr_what)
{
	*reterr_what = "make";
	if (mkdir(path, 0777) != 0 && errno != EEXIST) {
		return errno;
	}
	*reterr_what = "write";
	char *lock = join(slice_of_string(path), "/lock");
	int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	int fault = fd < 0 ? errno : 0;
	free(lock);
	if (fault == 0) {
		sync_name(path);
		dir->path = path;
		dir->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		dir->lock_fd = fd;
	}
	return fault;
}

static bool open_only(struct data_dir *dir, char *path, const char *origin)
{
	const char *what;
	int fault = try_path(dir, path, &what);
	if (fault != 0) {
		log_error("cannot %s the data directory path=%s from=%s error=%s", what, path, origin,
				strerror(fault));
		free(path);
		return false;
	}
	dir->origin = origin;
	return true;
}

/* systemd's list of directories; the first is weir's. */
static char *state_directory(void)
{
	const char *list = getenv("STATE_DIRECTORY");
	if (list == NULL || *list == '\0') {
		return NULL;
	}
	return join(slice_make(list, strcspn(list, ":")), "");
}

static char *home_directory(void)
{
	const char *home = getenv("HOME");
	if (home == NULL || *home != '/') {
		return NULL;
	}
	return join(slice_of_string(home), home[1] == '\0' ? "weir" : "/weir");
}

/* A data directory of the folder that weir was started in, else of its user. */
static bool open_default(struct data_dir *dir, const char *path)
{
	char *first = join(slice_of_string(path), "");
	const char *what;
	int fault = try_path(dir, first, &what);
	if (fault == 0) {
		dir->origin = "default";
		return true;
	}
	char *home = home_directory();
	if (home != NULL) {
		log_info("cannot %s ./%s, taking a directory in $HOME error=%s", what, first,
				strerror(fault));
		free(first);
		return open_only(dir, home, "$HOME");
	}
	log_error("cannot %s the data directory and there is no $HOME: set --data.dir path=%s error=%s",
			what, first, strerror(fault));
	free(first);
	return false;
}

bool data_dir_open(struct data_dir *dir, const char *path, bool is_asked_for)
{
	*dir = (struct data_dir){ .fd = -1, .lock_fd = -1 };
	if (is_asked_for) {
		return open_only(dir, join(slice_of_string(path), ""), "data.dir");
	}
	char *state = state_directory();
	if (state != NULL) {
		return open_only(dir, state, "$STATE_DIRECTORY");
	}
	return open_default(dir, path);
}

void data_dir_finish(struct data_dir *dir)
{
	if (dir->fd >= 0) {
		close(dir->fd);
	}
	if (dir->lock_fd >= 0) {
		close(dir->lock_fd);
	}
	free(dir->path);
	*dir = (struct data_dir){ .fd = -1, .lock_fd = -1 };
}

bool data_dir_lock(struct data_dir *dir)
{
	if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) == 0) {
		return true;
	}
	if (errno == EWOULDBLOCK) {
		log_error("the data directory is in use by another weir path=%s", dir->path);
	} else {
		log_error("cannot lock the data directory path=%s error=%s", dir->path, strerror(errno));
	}
	return false;
}

bool data_dir_take_lock(struct data_dir *dir, int fd)
{
	struct stat ours;
	struct stat theirs;
	bool is_same = fstat(dir->lock_fd, &ours) == 0 && fstat(fd, &theirs) == 0
			&& ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
	if (!is_same) {
		close(fd);
		return false;
	}
	close(dir->lock_fd);
	dir->lock_fd = fd;
	return true;
}
