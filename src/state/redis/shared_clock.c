#include "state/redis/shared_clock.h"

#include "base/clock.h"
#include "state/redis/version.h"

static const uint64_t SPAN_NS = UINT64_C(2) * 1000000000;

void shared_clock_init(struct shared_clock *clock)
{
	int64_t ahead_us = clock_wall_ns() / 1000 - (int64_t)(clock_monotonic_ns() / 1000);
	*clock = (struct shared_clock){ .ahead_us = ahead_us, .certain_us = ahead_us };
}

/* Of the spans that are recent when `span` is the present one. */
static void look_through_spans(struct shared_clock *clock, uint64_t span)
{
	bool has_any = false;
	for (size_t i = 0; i < SHARED_CLOCK_SPANS; i++) {
		if (clock->span[i] == 0 || clock->span[i] + SHARED_CLOCK_SPANS <= span) {
			continue;
		}
		if (!has_any || clock->least_us[i] < clock->ahead_us) {
			clock->ahead_us = clock->least_us[i];
		}
		if (!has_any || clock->most_us[i] > clock->certain_us) {
			clock->certain_us = clock->most_us[i];
		}
		has_any = true;
	}
}

void shared_clock_learn(struct shared_clock *clock, uint64_t server_us, uint64_t sent_ns)
{
	int64_t most_us = (int64_t)server_us - (int64_t)(clock_monotonic_ns() / 1000);
	int64_t least_us = (int64_t)server_us - (int64_t)(sent_ns / 1000);
	uint64_t span = sent_ns / SPAN_NS + 1;
	size_t i = span % SHARED_CLOCK_SPANS;
	bool is_first = clock->span[i] != span;
	if (is_first || least_us < clock->least_us[i]) {
		clock->least_us[i] = least_us;
	}
	if (is_first || most_us > clock->most_us[i]) {
		clock->most_us[i] = most_us;
	}
	clock->span[i] = span;
	look_through_spans(clock, span);
}

uint64_t shared_clock_until_us(const struct shared_clock *clock, uint64_t version)
{
	int64_t now_us = (int64_t)(clock_monotonic_ns() / 1000) + clock->certain_us;
	int64_t until_us = (int64_t)version_us(version) - now_us;
	return until_us > 0 ? (uint64_t)until_us : 0;
}

void shared_clock_see(struct shared_clock *clock, uint64_t version)
{
	clock->last = version_later(clock->last, version);
}

uint64_t shared_clock_now_us(const struct shared_clock *clock)
{
	return (uint64_t)((int64_t)(clock_monotonic_ns() / 1000) + clock->ahead_us);
}

uint64_t shared_clock_next(struct shared_clock *clock)
{
	uint64_t version = version_make(shared_clock_now_us(clock), clock->replica);
	if (version <= clock->last) {
		version = version_make(version_us(clock->last) + 1, clock->replica);
	}
	clock->last = version;
	return version;
}

uint64_t shared_clock_share(const struct shared_clock *clock, int64_t deadline_ns)
{
	int64_t us;
	if (deadline_ns == 0) {
		return 0;
	}
	/* So late that it cannot be said: never. */
	bool is_never = __builtin_add_overflow(deadline_ns / 1000, clock->ahead_us, &us)
			|| us >= (int64_t)1 << (63 - VERSION_REPLICA_BITS);
	return is_never ? 0 : version_make((uint64_t)(us > 1 ? us : 1), 0);
}

int64_t shared_clock_localise(const struct shared_clock *clock, uint64_t deadline)
{
	if (deadline == 0) {
		return 0;
	}
	/* The lesser is the certain one, unless the clock was set back. */
	int64_t ahead_us = clock->certain_us < clock->ahead_us ? clock->certain_us : clock->ahead_us;
	int64_t ns = ((int64_t)version_us(deadline) - ahead_us) * 1000;
	return ns > 1 ? ns : 1;
}
