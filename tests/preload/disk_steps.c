/*
 * Preloaded into weir: writes down what is done to files, and can hold it up or
 * have it fail. In the directory DISK_STEPS:
 *
 *     log    "fsync PATH" for each step, in order: write, fsync, rename
 *     hold   while it is there and has a step's name in it, that step waits
 *     fail   a step's name and an errno: that step fails with it
 *
 * Only regular files and directories count; a step is logged when it begins.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ssize_t (*real_write)(int fd, const void *bytes, size_t count);
static int (*real_fsync)(int fd);
static int (*real_rename)(const char *from, const char *to);

static __attribute__((constructor)) void find_real(void)
{
	*(void **)&real_write = dlsym(RTLD_NEXT, "write");
	*(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
	*(void **)&real_rename = dlsym(RTLD_NEXT, "rename");
}

static int open_in_directory(const char *name, int flags)
{
	char path[4096];
	const char *directory = getenv("DISK_STEPS");
	if (directory == NULL) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return open(path, flags | O_CLOEXEC, 0600);
}

/* Whether the file begins with the step's name; what follows is given. */
static bool names_step(const char *name, const char *step, int *ret_number)
{
	char text[64] = "";
	int fd = open_in_directory(name, O_RDONLY);
	if (fd < 0) {
		return false;
	}
	ssize_t len = read(fd, text, sizeof(text) - 1);
	close(fd);
	size_t step_len = strlen(step);
	if (len <= 0 || strncmp(text, step, step_len) != 0) {
		return false;
	}
	*ret_number = atoi(text + step_len);
	return true;
}

static bool is_shown(int fd)
{
	struct stat status;
	return fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

static void path_of(int fd, char ret_path[static 4096])
{
	char link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, ret_path, 4095);
	ret_path[len < 0 ? 0 : len] = '\0';
}

/* False: the step is to fail, errno is set. */
static bool may_step(const char *step, const char *path)
{
	char line[4200];
	int number;
	int fd = open_in_directory("log", O_WRONLY | O_APPEND | O_CREAT);
	if (fd >= 0) {
		int len = snprintf(line, sizeof(line), "%s %s\n", step, path);
		real_write(fd, line, (size_t)len);
		close(fd);
	}
	while (names_step("hold", step, &number)) {
		usleep(1000);
	}
	if (names_step("fail", step, &number)) {
		errno = number;
		return false;
	}
	return true;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
	char path[4096];
	if (is_shown(fd)) {
		path_of(fd, path);
		if (strstr(path, ".tmp-") != NULL && !may_step("write", path)) {
			return -1;
		}
	}
	return real_write(fd, bytes, count);
}

int fsync(int fd)
{
	char path[4096];
	path_of(fd, path);
	return may_step("fsync", path) ? real_fsync(fd) : -1;
}

int rename(const char *from, const char *to)
{
	return may_step("rename", to) ? real_rename(from, to) : -1;
}
