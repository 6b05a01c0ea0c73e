#pragma once

/*
 * What time it is: the monotonic clock for intervals, the wall clock for
 * deadlines that outlive the process and for what people read. A test may
 * freeze both and set them as it likes.
 */

#include <stdint.h>

/* Never goes back; its zero means nothing. */
uint64_t clock_monotonic_ns(void);

/* Since the machine was started, time asleep included; the same for all processes. */
uint64_t clock_boot_ns(void);

/* Since 1970-01-01 UTC; jumps when somebody sets the clock. */
int64_t clock_wall_ns(void);

/*
 * For tests: the clocks stand still at these times until set anew or thawed;
 * that since the start of the machine is as the monotonic one.
 */
void clock_freeze(uint64_t monotonic_ns, int64_t wall_ns);
void clock_thaw(void);
