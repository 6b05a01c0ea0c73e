#pragma once

/*
 * Redis' clock as this weir knows it, and the versions of its own changes.
 *
 * A server that says its time in an answer said it after the question was sent; so that
 * time less the local one of sending is never less than how far the server's clock is
 * ahead. The least of the last seconds is taken. With it a change gets a time no
 * earlier than the real one, and no later than when its answer can come back: whoever
 * pushes again behind an answer, to any replica, gets a later version.
 *
 * In the same way, that time less the local one of receiving is never more than how far the
 * clock is ahead. What is answered without asking Redis is answered when this, the
 * certain time, has come to its version.
 *
 * Versions never go back, whatever the clocks do, and are later than all that were seen.
 */

#include <stdbool.h>
#include <stdint.h>

enum { SHARED_CLOCK_SPANS = 8 /* of two seconds each, in which the least is looked for */ };

struct shared_clock {
	unsigned replica;
	uint64_t last;      /* version that was given or seen last */
	int64_t ahead_us;   /* of the monotonic clock */
	int64_t certain_us; /* likewise, at least */
	int64_t least_us[SHARED_CLOCK_SPANS];
	int64_t most_us[SHARED_CLOCK_SPANS];
	uint64_t span[SHARED_CLOCK_SPANS]; /* its number; 0: nothing was learnt in it */
};

/* Goes by the wall clock until a server said its time. */
void shared_clock_init(struct shared_clock *clock);

/* It was that time; the question was sent then (monotonic), and answered just now. */
void shared_clock_learn(struct shared_clock *clock, uint64_t server_us, uint64_t sent_ns);

/* A version of somebody else. */
void shared_clock_see(struct shared_clock *clock, uint64_t version);

/* For a change that is being made. */
uint64_t shared_clock_next(struct shared_clock *clock);

/* Unix time, microseconds. */
uint64_t shared_clock_now_us(const struct shared_clock *clock);

/* Microseconds until Redis' clock has come to that version, for certain; 0: it has. */
uint64_t shared_clock_until_us(const struct shared_clock *clock, uint64_t version);

/*
 * A deadline as replicas share it, from one of the monotonic clock, and back; 0: never. It is not
 * earlier for it, whatever Redis' clock may be.
 */
uint64_t shared_clock_share(const struct shared_clock *clock, int64_t deadline_ns);
int64_t shared_clock_localise(const struct shared_clock *clock, uint64_t deadline);
