/*
 * Preloaded into weir: a disk that fails, when and how the test says.
 *
 * Only what is done below the directory DISK_FAULTS_OF counts. The directory
 * DISK_FAULTS has the
 *
 *     rules    as long as it is there, one rule a line: KIND FROM TO FAULT [ENDING]
 *     log      "KIND NUMBER PATH" of each call that failed
 *
 * By "fsync 3 5 28 -wal", the third to the fifth call of the kind fail with errno 28,
 * of those whose path ends with -wal. By the fault "kill" the process is killed
 * instead, before the call. Calls are counted for each rule from the time on when
 * the file was written: it is read whenever it is another one, so write it beside and
 * rename it. The disk is well when it is gone.
 *
 *     open       open(), openat()
 *     read       read(), pread()
 *     write      write(), pwrite(), writev(), pwritev()
 *     allocate   those of them that make a file larger, and ftruncate(), fallocate(),
 *                posix_fallocate() when they do
 *     fsync      fsync(), fdatasync()
 *     rename     rename(), renameat()
 *     unlink     unlink(), unlinkat()
 *
 * An fsync() that fails is like Linux's: with power_loss.c behind this library, what
 * it should have written does not get to the disk by a later one either.
 */

#undef _FILE_OFFSET_BITS /* pwrite() and pwrite64() are to be two names */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "below.h"

enum { RULES_MAX = 8 };

struct rule {
	char kind[16];
	unsigned long from;
	unsigned long to;
	int fault;       /* errno; 0: kill */
	char ending[32]; /* of the path; may be "" */
	unsigned long count;
};

static int (*next_open)(const char *path, int flags, ...);
static int (*next_openat)(int dir, const char *path, int flags, ...);
static ssize_t (*next_read)(int fd, void *bytes, size_t count);
static ssize_t (*next_pread)(int fd, void *bytes, size_t count, off_t at);
static ssize_t (*next_write)(int fd, const void *bytes, size_t count);
static ssize_t (*next_pwrite)(int fd, const void *bytes, size_t count, off_t at);
static ssize_t (*next_writev)(int fd, const struct iovec *parts, int count);
static ssize_t (*next_pwritev)(int fd, const struct iovec *parts, int count, off_t at);
static int (*next_ftruncate)(int fd, off_t size);
static int (*next_fallocate)(int fd, int mode, off_t at, off_t size);
static int (*next_posix_fallocate)(int fd, off_t at, off_t size);
static int (*next_fsync)(int fd);
static int (*next_fdatasync)(int fd);
static int (*next_rename)(const char *from, const char *to);
static int (*next_renameat)(int from_dir, const char *from, int to_dir, const char *to);
static int (*next_unlink)(const char *path);
static int (*next_unlinkat)(int dir, const char *path, int flags);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static char directory[PATH_MAX]; /* "": none */
static int control = -1;
static struct rule rules[RULES_MAX];
static size_t rule_count;
static struct stat rules_read; /* of the file that they are from */

/* In power_loss.c, if that is preloaded, too. */
void power_loss_drop(int fd) __attribute__((weak));

static __attribute__((constructor)) void find_next(void)
{
	FIND_NEXT(next_open, "open64");
	FIND_NEXT(next_openat, "openat64");
	FIND_NEXT(next_read, "read");
	FIND_NEXT(next_pread, "pread64");
	FIND_NEXT(next_write, "write");
	FIND_NEXT(next_pwrite, "pwrite64");
	FIND_NEXT(next_writev, "writev");
	FIND_NEXT(next_pwritev, "pwritev64");
	FIND_NEXT(next_ftruncate, "ftruncate64");
	FIND_NEXT(next_fallocate, "fallocate64");
	FIND_NEXT(next_posix_fallocate, "posix_fallocate64");
	FIND_NEXT(next_fsync, "fsync");
	FIND_NEXT(next_fdatasync, "fdatasync");
	FIND_NEXT(next_rename, "rename");
	FIND_NEXT(next_renameat, "renameat");
	FIND_NEXT(next_unlink, "unlink");
	FIND_NEXT(next_unlinkat, "unlinkat");
}

/* ---- Rules ---- */

static void begin(void)
{
	const char *path = getenv("DISK_FAULTS");
	bool is_wanted = directory_of_variable("DISK_FAULTS_OF", directory) && path != NULL;
	control = !is_wanted ? -1 : next_open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void parse_rules(char *text)
{
	char *rest;
	rule_count = 0;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL && rule_count < RULES_MAX;
			line = strtok_r(NULL, "\n", &rest)) {
		struct rule *rule = &rules[rule_count];
		char fault[8];
		*rule = (struct rule){ .from = 0 };
		if (sscanf(line, "%15s %lu %lu %7s %31s", rule->kind, &rule->from, &rule->to, fault,
					rule->ending)
				>= 4) {
			rule->fault = atoi(fault); /* "kill" is 0 */
			rule_count++;
		}
	}
}

static void read_rules(void)
{
	char text[1024];
	struct stat status;
	if (fstatat(control, "rules", &status, 0) != 0) {
		rule_count = 0;
		rules_read.st_ino = 0;
		return;
	}
	if (status.st_ino == rules_read.st_ino && status.st_mtim.tv_nsec == rules_read.st_mtim.tv_nsec
			&& status.st_mtim.tv_sec == rules_read.st_mtim.tv_sec) {
		return;
	}
	int fd = next_openat(control, "rules", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : next_read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len < 0 ? 0 : len] = '\0';
	rules_read = status;
	parse_rules(text);
}

static void write_log(const struct rule *rule, const char *path)
{
	char line[PATH_MAX + 64];
	int fd = next_openat(control, "log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	int len = snprintf(line, sizeof(line), "%s %lu %s\n", rule->kind, rule->count, path);
	if (fd >= 0 && next_write(fd, line, (size_t)len) != len) {
		abort();
	}
	close(fd);
}

static bool ends_with(const char *path, const char *ending)
{
	size_t len = strlen(path);
	size_t ending_len = strlen(ending);
	return len >= ending_len && strcmp(path + len - ending_len, ending) == 0;
}

/* The errno with which the call is to fail; 0: it may go on. */
static int fault_at(const char *kind, const char *path)
{
	int fault = 0;
	pthread_mutex_lock(&lock);
	read_rules();
	for (size_t i = 0; i < rule_count; i++) {
		struct rule *rule = &rules[i];
		if (strcmp(rule->kind, kind) != 0 || !ends_with(path, rule->ending)) {
			continue;
		}
		rule->count++;
		if (rule->count < rule->from || rule->count > rule->to) {
			continue;
		}
		write_log(rule, path);
		if (rule->fault == 0) {
			kill(getpid(), SIGKILL);
		}
		fault = rule->fault;
	}
	pthread_mutex_unlock(&lock);
	return fault;
}

/* Whether it may go on; errno is set if not, and left as it was else. */
static bool may(const char *kind, const char *path)
{
	int before = errno;
	pthread_once(&once, begin);
	bool counts = control >= 0 && below(path, directory) != NULL;
	int fault = counts ? fault_at(kind, path) : 0;
	errno = fault == 0 ? before : fault;
	return fault == 0;
}

/* The same for what is open; sockets and pipes have no path that begins with a slash. */
static bool may_do(const char *kind, int fd)
{
	char path[PATH_MAX];
	path_of(fd, path);
	return path[0] != '/' || may(kind, path);
}

/* The same for a name, from the descriptor of a directory on, or AT_FDCWD. */
static bool may_name(const char *kind, int dir, const char *name)
{
	char path[PATH_MAX] = "";
	size_t len = 0;
	if (name[0] != '/') {
		if (dir != AT_FDCWD) {
			path_of(dir, path);
		} else if (getcwd(path, sizeof(path)) == NULL) {
			path[0] = '\0';
		}
		len = strlen(path);
	}
	snprintf(path + len, sizeof(path) - len, len == 0 ? "%s" : "/%s", name);
	return may(kind, path);
}

static bool may_grow(int fd, off_t size)
{
	struct stat status;
	bool grows = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && size > status.st_size;
	return !grows || may_do("allocate", fd);
}

/* At -1: where the file is. */
static bool may_write(int fd, size_t count, off_t at)
{
	struct stat status;
	if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
		return true;
	}
	at = at >= 0 ? at : lseek(fd, 0, SEEK_CUR);
	return may_do("write", fd) && may_grow(fd, at + (off_t)count);
}

static size_t bytes_of(const struct iovec *parts, int count)
{
	size_t bytes = 0;
	for (int i = 0; i < count; i++) {
		bytes += parts[i].iov_len;
	}
	return bytes;
}

/* ---- What is done to files ---- */

static mode_t mode_of(int flags, va_list arguments)
{
	return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

static int open_if_may(int dir, const char *path, int flags, mode_t mode)
{
	return may_name("open", dir, path) ? next_openat(dir, path, flags, mode) : -1;
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = mode_of(flags, arguments);
	va_end(arguments);
	return open_if_may(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = mode_of(flags, arguments);
	va_end(arguments);
	return open_if_may(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = mode_of(flags, arguments);
	va_end(arguments);
	return open_if_may(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	mode_t mode = mode_of(flags, arguments);
	va_end(arguments);
	return open_if_may(dir, path, flags, mode);
}

ssize_t read(int fd, void *bytes, size_t count)
{
	return may_do("read", fd) ? next_read(fd, bytes, count) : -1;
}

ssize_t pread(int fd, void *bytes, size_t count, off_t at)
{
	return may_do("read", fd) ? next_pread(fd, bytes, count, at) : -1;
}

ssize_t pread64(int fd, void *bytes, size_t count, off_t at)
{
	return may_do("read", fd) ? next_pread(fd, bytes, count, at) : -1;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
	return may_write(fd, count, -1) ? next_write(fd, bytes, count) : -1;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	return may_write(fd, bytes_of(parts, count), -1) ? next_writev(fd, parts, count) : -1;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at)
{
	return may_write(fd, count, at) ? next_pwrite(fd, bytes, count, at) : -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at)
{
	return may_write(fd, count, at) ? next_pwrite(fd, bytes, count, at) : -1;
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
	return may_write(fd, bytes_of(parts, count), at) ? next_pwritev(fd, parts, count, at) : -1;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at)
{
	return may_write(fd, bytes_of(parts, count), at) ? next_pwritev(fd, parts, count, at) : -1;
}

int ftruncate(int fd, off_t size)
{
	return may_grow(fd, size) ? next_ftruncate(fd, size) : -1;
}

int ftruncate64(int fd, off_t size)
{
	return may_grow(fd, size) ? next_ftruncate(fd, size) : -1;
}

int fallocate(int fd, int mode, off_t at, off_t size)
{
	return may_grow(fd, at + size) ? next_fallocate(fd, mode, at, size) : -1;
}

int fallocate64(int fd, int mode, off_t at, off_t size)
{
	return may_grow(fd, at + size) ? next_fallocate(fd, mode, at, size) : -1;
}

/* These give the errno back. */
int posix_fallocate(int fd, off_t at, off_t size)
{
	return may_grow(fd, at + size) ? next_posix_fallocate(fd, at, size) : errno;
}

int posix_fallocate64(int fd, off_t at, off_t size)
{
	return may_grow(fd, at + size) ? next_posix_fallocate(fd, at, size) : errno;
}

static int sync_if_may(int fd, int (*sync)(int fd))
{
	if (may_do("fsync", fd)) {
		return sync(fd);
	}
	int fault = errno;
	if (power_loss_drop != NULL) {
		power_loss_drop(fd);
	}
	errno = fault;
	return -1;
}

int fsync(int fd)
{
	return sync_if_may(fd, next_fsync);
}

int fdatasync(int fd)
{
	return sync_if_may(fd, next_fdatasync);
}

int rename(const char *from, const char *to)
{
	return may_name("rename", AT_FDCWD, to) ? next_rename(from, to) : -1;
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return may_name("rename", to_dir, to) ? next_renameat(from_dir, from, to_dir, to) : -1;
}

int unlink(const char *path)
{
	return may_name("unlink", AT_FDCWD, path) ? next_unlink(path) : -1;
}

int unlinkat(int dir, const char *path, int flags)
{
	return may_name("unlink", dir, path) ? next_unlinkat(dir, path, flags) : -1;
}
