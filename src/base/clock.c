#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

static struct {
	bool stands;
	uint64_t monotonic_ns;
	int64_t wall_ns;
} frozen;

static int64_t read_clock(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
	return frozen.stands ? frozen.monotonic_ns : (uint64_t)read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_boot_ns(void)
{
	return frozen.stands ? frozen.monotonic_ns : (uint64_t)read_clock(CLOCK_BOOTTIME);
}

int64_t clock_wall_ns(void)
{
	return frozen.stands ? frozen.wall_ns : read_clock(CLOCK_REALTIME);
}

void clock_freeze(uint64_t monotonic_ns, int64_t wall_ns)
{
	frozen.stands = true;
	frozen.monotonic_ns = monotonic_ns;
	frozen.wall_ns = wall_ns;
}

void clock_thaw(void)
{
	frozen.stands = false;
}
