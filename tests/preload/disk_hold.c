/*
 * Preloaded into weir: a disk that takes its time, or fails, when something is to be
 * on it for good: fsync() and fdatasync(). In the directory DISK_HOLD:
 *
 *     log    the path of each file that was synced; written before it is
 *     hold   while it is there, they wait
 *     fail   an errno: they fail with it
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int (*real_fsync)(int fd);
static int (*real_fdatasync)(int fd);

static __attribute__((constructor)) void find_real(void)
{
	*(void **)&real_fsync = dlsym(RTLD_NEXT, "fsync");
	*(void **)&real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
}

static int open_in_directory(const char *name, int flags)
{
	char path[4096];
	const char *directory = getenv("DISK_HOLD");
	if (directory == NULL) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return open(path, flags | O_CLOEXEC, 0600);
}

/* Whether it is there; what it says. */
static bool read_order(const char *name, int *ret_number)
{
	char text[16] = "";
	int fd = open_in_directory(name, O_RDONLY);
	if (fd < 0) {
		return false;
	}
	ssize_t len = read(fd, text, sizeof(text) - 1);
	close(fd);
	*ret_number = len <= 0 ? 0 : atoi(text);
	return true;
}

static void write_down(int synced)
{
	char link[64];
	char path[4097];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", synced);
	ssize_t len = readlink(link, path, sizeof(path) - 1);
	int fd = open_in_directory("log", O_WRONLY | O_APPEND | O_CREAT);
	if (fd >= 0 && len >= 0) {
		path[len++] = '\n';
		(void)!write(fd, path, (size_t)len);
	}
	if (fd >= 0) {
		close(fd);
	}
}

static int sync_by(int (*real)(int fd), int fd)
{
	int number;
	write_down(fd);
	while (read_order("hold", &number)) {
		usleep(1000);
	}
	if (read_order("fail", &number)) {
		errno = number;
		return -1;
	}
	return real(fd);
}

int fsync(int fd)
{
	return sync_by(real_fsync, fd);
}

int fdatasync(int fd)
{
	return sync_by(real_fdatasync, fd);
}
