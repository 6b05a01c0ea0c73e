#include "base/clock.h"
#include "targets/registry.h"

/*
 * Groups that expire although their targets should have pushed long since: the last warning
 * before they are gone.
 */

/* Of a time to live, so much has to be over. */
enum { LAST_PART = 5 };

static uint64_t pushed_ns(const struct target *target)
{
	return target->pushed_mono_ns != 0 ? target->pushed_mono_ns : target->seen_ns;
}

int64_t registry_expiry_ns(const struct registry *registry, const struct target *target)
{
	const struct group *group = registry_group(registry, target);
	int64_t interval_ns = registry_interval_ns(target);
	bool is_expected = target->config.mode == TARGET_PUSH && !target->config.is_disabled;
	if (!is_expected || interval_ns == 0 || group == NULL || group->deadline_ns == 0) {
		return 0;
	}
	int64_t left_ns = group->deadline_ns - (int64_t)clock_monotonic_ns();
	int64_t ttl_ns = group->deadline_ns - (int64_t)pushed_ns(target);
	bool is_ending = left_ns < ttl_ns / LAST_PART;
	return is_ending && interval_ns < ttl_ns ? clock_wall_ns() + left_ns : 0;
}
