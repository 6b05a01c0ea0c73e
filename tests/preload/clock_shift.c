/*
 * Preloaded into weir or Redis: shifts the wall clock by the number of seconds that the
 * file CLOCK_SHIFT_FILE says at the time. All other clocks are as they are.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long read_shift(void)
{
	const char *path = getenv("CLOCK_SHIFT_FILE");
	char text[32];
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return 0;
	}
	ssize_t len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len < 0 ? 0 : len] = '\0';
	return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *ret_now)
{
	static int (*real)(clockid_t clock, struct timespec * ret_now);
	if (real == NULL) {
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	}
	int result = real(clock, ret_now);
	if (result == 0 && clock == CLOCK_REALTIME) {
		ret_now->tv_sec += read_shift();
	}
	return result;
}

int gettimeofday(struct timeval *restrict ret_now, void *restrict zone)
{
	static int (*real)(struct timeval * ret_now, void *zone);
	if (real == NULL) {
		*(void **)&real = dlsym(RTLD_NEXT, "gettimeofday");
	}
	int result = real(ret_now, zone);
	if (result == 0) {
		ret_now->tv_sec += read_shift();
	}
	return result;
}
