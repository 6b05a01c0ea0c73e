/*
 * Preloaded into weir: a disk that takes its time, or fails, when something is to be
 * on it for good: fsync() and fdatasync(). In the directory DISK_HOLD:
 *
 *     log    the path of each file that was synced; written before it is
 *     hold   while it is there, they wait; with a number in it, those behind as many;
 *            with an ending behind that, those of files whose paths end so
 *     fail   an errno: they fail with it
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

struct order {
	int number;
	char ending[32];
};

/* Whether it is there; what it says. */
static bool read_order(const char *name, struct order *ret_order)
{
	char text[64] = "";
	int fd = open_in_directory(name, O_RDONLY);
	if (fd < 0) {
		return false;
	}
	(void)!read(fd, text, sizeof(text) - 1);
	close(fd);
	*ret_order = (struct order){ .number = 0 };
	sscanf(text, "%d %31s", &ret_order->number, ret_order->ending);
	return true;
}

static bool ends_with(const char *text, const char *ending)
{
	size_t len = strlen(text);
	size_t ending_len = strlen(ending);
	return len >= ending_len && strcmp(text + len - ending_len, ending) == 0;
}

static void find_path(int fd, char ret_path[static 4096])
{
	char link[64];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, ret_path, 4095);
	ret_path[len < 0 ? 0 : len] = '\0';
}

static void write_down(const char *path)
{
	char line[4200];
	int fd = open_in_directory("log", O_WRONLY | O_APPEND | O_CREAT);
	if (fd >= 0) {
		int len = snprintf(line, sizeof(line), "%s\n", path);
		(void)!write(fd, line, (size_t)len);
		close(fd);
	}
}

static int sync_by(int (*real)(int fd), int fd)
{
	static atomic_int count;
	int place = ++count;
	struct order order;
	char path[4096];
	find_path(fd, path);
	write_down(path);
	while (read_order("hold", &order) && place > order.number && ends_with(path, order.ending)) {
		usleep(1000);
	}
	if (read_order("fail", &order)) {
		errno = order.number;
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
